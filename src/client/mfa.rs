//! Profiles with `mfa_serial`, whose roles are assumed with a code from the user's MFA device.
//!
//! The credential chain of the AWS SDK doesn't support this setting. When the `mfa_serial` of a
//! [`LoadCredentialsError`](super::credentials::LoadCredentialsError) names a device, the caller prompts for its code
//! and passes it to [`Client::log_in`]. Source: *Using an IAM role in the AWS CLI*; botocore's `AssumeRoleProvider`.

use std::sync::Arc;

use aws_config::profile::{Profile, ProfileSet};
use jiff::Timestamp;

use super::{CallError, Client};
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::Credentials;
use crate::aws::sts::{AssumeRole, AssumeRoleOutput};

/// The generated profile that has the `credential_source` of a role.
const CREDENTIAL_SOURCE_PROFILE: &str = "xks-console-credential-source";

/// A role, with the `AssumeRole` request that a profile defines for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RoleStep {
    request: AssumeRole,
}

/// The source of the credentials that the first role is assumed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BaseProvider {
    /// The credentials of a profile without a role.
    Profile(String),
    /// The access key of a profile that also has a role.
    AccessKey(Credentials),
    /// A `credential_source`: `Environment`, `Ec2InstanceMetadata`, or `EcsContainer`.
    NamedSource(String),
}

impl BaseProvider {
    /// Returns the profile that provides these credentials, and the lines that define it if the config file doesn't.
    ///
    /// An access key needs no profile.
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

/// The roles that lead to the credentials of a profile, each assumed with the credentials of the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RoleChain {
    /// The source of the credentials that the first role is assumed with.
    pub base: BaseProvider,
    roles: Vec<RoleStep>,
}

impl RoleChain {
    /// Returns the role chain of the selected profile if one of its roles needs an MFA code.
    ///
    /// The credential chain reports the problems of profiles without MFA.
    ///
    /// # Errors
    /// What is wrong with the profiles.
    pub fn from_profile_set(set: &ProfileSet) -> Result<Option<Self>, String> {
        let mut roles = Vec::new();
        let base = resolve_base(set, &mut roles);
        roles.reverse();
        match roles.iter().filter(|role| role.request.serial_number.is_some()).count() {
            0 => Ok(None),
            1 => Ok(Some(Self { base: base?, roles })),
            _ => Err("more than one of its roles has an mfa_serial, but an MFA code is valid only once".to_owned()),
        }
    }

    /// Returns the serial number of the MFA device, and the ARN of the role that needs its code.
    pub fn mfa_device(&self) -> (&str, &str) {
        let step = self.roles.iter().find_map(|role| Some((role.request.serial_number.as_deref()?, role)));
        step.map_or(("", ""), |(serial, role)| (serial, &role.request.role_arn))
    }

    /// Assumes the roles in turn, and returns the credentials of the last one and when they expire.
    ///
    /// `client` signs with the base credentials.
    ///
    /// # Errors
    /// [`CallError`] of the first role that can't be assumed.
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
            let AssumeRoleOutput { credentials: session, .. } = client.call(&request).await?;
            let credentials = Credentials {
                access_key_id: session.access_key_id,
                secret_access_key: session.secret_access_key,
                session_token: Some(session.session_token),
            };
            client = Client { source: Arc::new(credentials.clone().into()), ..client };
            last = Some((credentials, session.expiration.parse().ok()));
        }
        last.ok_or(CallError::NotAvailable)
    }
}

/// Follows `source_profile` from the selected profile to the base credentials, and collects the roles, last one first.
fn resolve_base(set: &ProfileSet, roles: &mut Vec<RoleStep>) -> Result<BaseProvider, String> {
    let (mut name, mut seen) = (set.selected_profile(), Vec::new());
    loop {
        let Some(profile) = set.get_profile(name) else { return Err(format!("the profile {name} doesn't exist")) };
        if seen.contains(&name) {
            return Err(format!("the profiles {} use each other as source_profile", seen.join(" and ")));
        }
        // In a source profile, an access key takes precedence over a role, as in the AWS CLI and SDKs.
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
            return Err(format!("duration_seconds of {name} is not a number"));
        }
        match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(source), None) if source == name => {
                return access_key(profile)
                    .map(BaseProvider::AccessKey)
                    .ok_or_else(|| format!("the profile {name} is its own source_profile but has no access key"));
            }
            (Some(source), None) => name = source,
            (None, Some(source)) => return Ok(BaseProvider::NamedSource(source.to_owned())),
            _ => {
                return Err(format!(
                    "the profile {name} needs role_arn and either source_profile or credential_source"
                ));
            }
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

/// Returns the access key of a profile, if it has one.
fn access_key(profile: &Profile) -> Option<Credentials> {
    Some(Credentials {
        access_key_id: profile.get("aws_access_key_id")?.to_owned(),
        secret_access_key: SecretString::new(profile.get("aws_secret_access_key")?.to_owned()),
        session_token: profile.get("aws_session_token").map(|token| SecretString::new(token.to_owned())),
    })
}
