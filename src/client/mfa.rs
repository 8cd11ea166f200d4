//! Profiles with `mfa_serial`: roles that are assumed with a code of the person's MFA device.
//!
//! The credential chain of AWS's crate doesn't know the setting. Whoever has a screen or a terminal asks for the code when
//! [`NoCredentials::mfa_serial`](super::credentials::NoCredentials::mfa_serial) names a device, and gives it to
//! [`Client::log_in`](super::Client::log_in). Source: *Using an IAM role in the AWS CLI*; botocore's `AssumeRoleProvider`.

use std::sync::Arc;

use aws_config::profile::{Profile, ProfileSet};
use jiff::Timestamp;

use super::{CallError, Client};
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::Credentials;
use crate::aws::sts::{AssumeRole, AssumeRoleOutput};

/// The section that stands for a `credential_source`.
const CREDENTIAL_SOURCE_PROFILE: &str = "xks-console-credential-source";

/// A role, and how a profile wants it assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RoleStep {
    request: AssumeRole,
}

/// What the first role is assumed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BaseProvider {
    /// The credentials of a profile without a role.
    Profile(String),
    /// The access key that stands in a profile beside its role.
    AccessKey(Credentials),
    /// `Environment`, `Ec2InstanceMetadata` or `EcsContainer`.
    NamedSource(String),
}

impl BaseProvider {
    /// The profile to ask for these credentials, and what to add to the file `config` so that it is there.
    pub fn profile(&self) -> Option<(&str, String)> {
        match self {
            Self::Profile(name) => Some((name, String::new())),
            Self::NamedSource(source) => Some((
                CREDENTIAL_SOURCE_PROFILE,
                format!("[profile {CREDENTIAL_SOURCE_PROFILE}]\ncredential_source = {source}\n"),
            )),
            Self::AccessKey(_) => None,
        }
    }
}

/// How a profile comes to its credentials: roles, one assumed with the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RoleChain {
    /// What the first is assumed with.
    pub base: BaseProvider,
    roles: Vec<RoleStep>,
}

impl RoleChain {
    /// The roles of the profile that is selected, if one of them asks for a code. What is wrong with other profiles is for
    /// the credential chain to tell.
    ///
    /// # Errors
    /// What is wrong with the profiles, in words.
    pub fn from_profile_set(set: &ProfileSet) -> Result<Option<Self>, String> {
        let mut roles = Vec::new();
        let base = resolve_base(set, &mut roles);
        roles.reverse();
        match roles.iter().filter(|role| role.request.serial_number.is_some()).count() {
            0 => Ok(None),
            1 => Ok(Some(Self { base: base?, roles })),
            _ => Err("more than one of its roles has an mfa_serial, and a code counts once".to_owned()),
        }
    }

    /// The device whose code is asked for, and the role that asks.
    pub fn mfa_device(&self) -> (&str, &str) {
        let asking = self.roles.iter().find_map(|role| Some((role.request.serial_number.as_deref()?, role)));
        asking.map_or(("", ""), |(serial, role)| (serial, &role.request.role_arn))
    }

    /// Assumes one role after the other; `client` signs with what the first is assumed with.
    ///
    /// # Errors
    /// [`CallError`] of the one that is refused.
    pub async fn assume(
        &self,
        mut client: Client,
        code: &SecretString,
    ) -> Result<(Credentials, Option<Timestamp>), CallError> {
        let mut last = None;
        for RoleStep { request } in &self.roles {
            let mut request = request.clone();
            if request.serial_number.is_some() {
                request.token_code = Some(code.clone());
            }
            if request.role_session_name.is_empty() {
                request.role_session_name = format!("xks-console-{}", client.now().as_second());
            }
            let AssumeRoleOutput { credentials: given, .. } = client.call(&request).await?;
            let credentials = Credentials {
                access_key_id: given.access_key_id,
                secret_access_key: given.secret_access_key,
                session_token: Some(given.session_token),
            };
            client = Client { source: Arc::new(credentials.clone().into()), ..client };
            last = Some((credentials, given.expiration.parse().ok()));
        }
        last.ok_or(CallError::NotAvailable)
    }
}

/// Follows `source_profile` from the profile that is selected, the last role first.
fn resolve_base(set: &ProfileSet, roles: &mut Vec<RoleStep>) -> Result<BaseProvider, String> {
    let (mut name, mut seen) = (set.selected_profile(), Vec::new());
    loop {
        let Some(profile) = set.get_profile(name) else { return Err(format!("there is no profile {name}")) };
        if seen.contains(&name) {
            return Err(format!("the profiles {} name each other as source_profile", seen.join(" and ")));
        }
        // Keys come before the role in a profile that serves as a source, as for the AWS CLI and the SDKs.
        if let (false, Some(key)) = (seen.is_empty(), access_key(profile)) {
            return Ok(BaseProvider::AccessKey(key));
        }
        seen.push(name);
        let has_token = profile.get("web_identity_token_file").is_some();
        let Some(arn) = profile.get("role_arn").filter(|_| !has_token) else {
            return Ok(BaseProvider::Profile(name.to_owned()));
        };
        roles.push(RoleStep::from_profile(arn, profile));
        if duration_seconds(profile).is_err() {
            return Err(format!("duration_seconds of {name} is no number"));
        }
        match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(source), None) if source == name => {
                return access_key(profile)
                    .map(BaseProvider::AccessKey)
                    .ok_or_else(|| format!("{name} is its own source and has no key"));
            }
            (Some(source), None) => name = source,
            (None, Some(source)) => return Ok(BaseProvider::NamedSource(source.to_owned())),
            _ => return Err(format!("{name} needs one of source_profile and credential_source beside role_arn")),
        }
    }
}

impl RoleStep {
    fn from_profile(arn: &str, profile: &Profile) -> Self {
        let text = |name| profile.get(name).map(str::to_owned);
        let request = AssumeRole {
            role_arn: arn.to_owned(),
            role_session_name: text("role_session_name").unwrap_or_default(),
            duration_seconds: duration_seconds(profile).ok().flatten(),
            external_id: text("external_id"),
            serial_number: text("mfa_serial"),
            ..AssumeRole::default()
        };
        Self { request }
    }
}

fn duration_seconds(profile: &Profile) -> Result<Option<u32>, std::num::ParseIntError> {
    profile.get("duration_seconds").map(str::parse).transpose()
}

/// The access key that stands in a profile.
fn access_key(profile: &Profile) -> Option<Credentials> {
    Some(Credentials {
        access_key_id: profile.get("aws_access_key_id")?.to_owned(),
        secret_access_key: SecretString::new(profile.get("aws_secret_access_key")?.to_owned()),
        session_token: profile.get("aws_session_token").map(|token| SecretString::new(token.to_owned())),
    })
}
