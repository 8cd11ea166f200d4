//! AssumeRole, and the temporary credentials that it gives.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::authorize::Deed;
use super::store::Fault;
use super::{Answer, Call, Caller, Inner, identity};
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::iam::{Role, Tag};
use crate::aws::limits;
use crate::aws::policy::PolicyDocument;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest};
use crate::aws::scalar::SecretString;
use crate::aws::sts::{AssumeRole, AssumeRoleOutput, AssumedRoleUser, SessionCredentials};

/// The action of AssumeRole.
const ASSUME: &str = "sts:AssumeRole";
/// How long a session lasts when the caller does not say, in seconds.
const USUAL_DURATION: u32 = 3600;

/// A role that other principals of its account may assume, as IAM allows them.
fn default_trust(account: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

/// Why temporary credentials are not taken.
pub enum Unfit {
    /// They are none of this AWS, or the token is not theirs.
    Unknown,
    /// Their time is over.
    Expired,
    /// Something failed.
    Failed(ServiceError),
}

impl From<Fault> for Unfit {
    fn from(fault: Fault) -> Self {
        Self::Failed(fault.0)
    }
}

impl From<rusqlite::Error> for Unfit {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(Fault::from(error).0)
    }
}

/// What conditions look at in a session, and what the sessions that come of it inherit.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SessionContext {
    /// When its credentials were issued; not known of sessions of an older database.
    pub issued: Option<Timestamp>,
    /// The tags given with it, and those inherited.
    pub tags: Vec<Tag>,
    /// The keys of the tags that are inherited.
    pub transitive: Vec<String>,
    /// Who is behind it.
    pub source_identity: Option<String>,
}

impl SessionContext {
    /// The context of the session that `request` asks for, from a caller that may be in a session itself.
    /// Sources: *Pass session tags in AWS STS*; *Monitor and control actions taken with assumed roles*.
    fn of_request(request: &AssumeRole, caller: &Caller, now: Timestamp) -> Result<Self, ServiceError> {
        let invalid = |message: &str| ServiceError::new("InvalidParameterValue", message);
        let (tags, keys) = (&request.tags.member, &request.transitive_tag_keys.member);
        super::iam::check_tags(tags)?;
        let has = |key: &String| tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key));
        if !keys.iter().all(has) {
            return Err(invalid("The specified transitive tag key must be included in the requested tags."));
        }
        let before = caller.session.clone().unwrap_or_default();
        if before.transitive.iter().any(has) {
            return Err(invalid(
                "One of the specified tag keys can't be set because it conflicts with a transitive tag key from the \
                 calling session.",
            ));
        }
        let is_inherited = |tag: &Tag| before.transitive.iter().any(|key| key.eq_ignore_ascii_case(&tag.key));
        let inherited = before.tags.iter().filter(|tag| is_inherited(tag)).cloned();
        if let Some(identity) = &request.source_identity {
            limits::source_identity(identity).map_err(|violation| violation.to_query_error(identity))?;
            if before.source_identity.as_ref().is_some_and(|known| known != identity) {
                let message = "The source identity of a session can't be changed by the roles that it assumes.";
                return Err(ServiceError::new("AccessDenied", message));
            }
        }
        Ok(Self {
            issued: Some(now),
            tags: tags.iter().cloned().chain(inherited).collect(),
            transitive: keys.iter().chain(&before.transitive).cloned().collect(),
            source_identity: request.source_identity.clone().or(before.source_identity),
        })
    }
}

/// The tags of a principal in a session: those of the session in place of the role's of the same key.
fn effective_tags(role: Vec<Tag>, session: &SessionContext) -> Vec<Tag> {
    let is_replaced = |tag: &Tag| session.tags.iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key));
    role.into_iter().filter(|tag| !is_replaced(tag)).chain(session.tags.iter().cloned()).collect()
}

/// Temporary credentials.
struct Session {
    caller: Arc<Caller>,
    secret: SecretString,
    token: String,
    /// In milliseconds since 1970.
    expires: i64,
}

/// Whose temporary credentials these are, and their secret.
pub fn session(aws: &Inner, id: &str, token: &SecretString) -> Result<(Arc<Caller>, SecretString), Unfit> {
    let session = aws.store.remember(id, |tx| -> Result<_, Unfit> {
        let query =
            "SELECT account, arn, role_arn, user_id, secret, token, policy, expires, context FROM sessions WHERE id = ?1";
        let row = tx.query_row(query, [id], |row| {
            let texts: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            Ok((
                texts,
                row.get::<_, Vec<u8>>(4)?,
                row.get::<_, String>(5)?,
                row.get::<_, Option<String>>(6)?,
                row.get::<_, i64>(7)?,
                row.get::<_, String>(8)?,
            ))
        });
        let ([account, arn, issuer_arn, user_id], sealed, token, policy, expires, context) =
            row.optional()?.ok_or(Unfit::Unknown)?;
        let policies = identity::policies_of(tx, &issuer_arn)?;
        let context: SessionContext = serde_json::from_str(&context).map_err(Fault::from)?;
        let tags = effective_tags(identity::tags_of_principal(tx, &issuer_arn)?, &context);
        let caller = Arc::new(Caller {
            account,
            arn,
            issuer_arn,
            user_id,
            access_key_id: id.to_owned(),
            policies: policies.iter().filter_map(|(_, text)| aws.policies.read(text)).collect(),
            tags,
            session: Some(context),
            session_policy: policy.as_deref().and_then(|text| aws.policies.read(text)),
        });
        let secret = aws.store.unseal(&["sessions", id], &sealed).map_err(Fault::from)?;
        let secret = SecretString::new(String::from_utf8_lossy(&secret).into_owned());
        Ok(Session { caller, secret, token, expires })
    })?;
    if !bool::from(session.token.as_bytes().ct_eq(token.expose().as_bytes())) {
        return Err(Unfit::Unknown);
    }
    if aws.store.world().clock.now().as_millisecond() >= session.expires {
        return Err(Unfit::Expired);
    }
    Ok((Arc::clone(&session.caller), session.secret.clone()))
}

impl Call<'_> {
    pub fn assume_role(&self, request: &AssumeRole) -> Answer<AssumeRoleOutput> {
        limits::role_session_name(&request.role_session_name)
            .map_err(|violation| violation.to_query_error(&request.role_session_name))?;
        let duration = request.duration_seconds.unwrap_or(USUAL_DURATION);
        limits::session_duration(duration).map_err(|violation| violation.to_query_error(&duration.to_string()))?;
        if let Some(policy) = &request.policy
            && self.aws.policies.read(policy).is_none()
        {
            return Err(
                ServiceError::new("MalformedPolicyDocument", "The session policy is no policy document.").into()
            );
        }
        let context = SessionContext::of_request(request, &self.caller, self.store().world().clock.now())?;
        let code = self.mfa_code(request)?;
        let role = self.trusting_role(request, &context, code.is_some())?;
        check_duration(&role, self.caller.is_role(), duration)?;
        let account = role.arn.parse::<Arn>().map(|arn| arn.account).unwrap_or_default();
        let world = self.store().world();
        let arn = format!(
            "arn:{}:sts::{account}:assumed-role/{}/{}",
            self.partition(),
            role.role_name,
            request.role_session_name
        );
        let id = format!("ASIA{}", identity::unique_letters(&world.random)?);
        let secret = zeroize::Zeroizing::new(world.random.hex::<20>()?);
        let token = world.random.hex::<64>()?;
        let expires = world.clock.now().saturating_add(SignedDuration::from_secs(i64::from(duration)));
        let expires = expires.unwrap_or(Timestamp::MAX);
        let user_id = format!("{}:{}", role.role_id, request.role_session_name);
        let sealed = self.store().seal(&["sessions", &id], secret.as_bytes())?;
        self.change(|tx| -> Answer<()> {
            if let Some(code) = &code {
                code.spend(tx)?;
            }
            // What is over serves nobody.
            tx.execute("DELETE FROM sessions WHERE expires < ?1", [world.clock.now().as_millisecond()])?;
            tx.execute(
                "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    id,
                    account,
                    arn,
                    role.arn,
                    user_id,
                    sealed,
                    token,
                    request.policy,
                    expires.as_millisecond(),
                    serde_json::to_string(&context)?
                ],
            )?;
            Ok(())
        })?;
        let shown = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Ok(AssumeRoleOutput {
            credentials: SessionCredentials {
                access_key_id: id,
                secret_access_key: SecretString::new(secret.to_string()),
                session_token: SecretString::new(token),
                expiration: shown,
            },
            assumed_role_user: AssumedRoleUser { assumed_role_id: user_id, arn },
            packed_policy_size: request
                .policy
                .as_ref()
                .and_then(|policy| u32::try_from(policy.len() * 100 / 2048 + 1).ok()),
            source_identity: context.source_identity,
        })
    }

    /// The requested role, if its trust policy and the caller's IAM policies let the caller have it, with the tags and
    /// the source identity that the session will have.
    fn trusting_role(&self, request: &AssumeRole, context: &SessionContext, has_code: bool) -> Answer<Role> {
        let denied = |action: &str| {
            let (arn, role) = (&self.caller.arn, &request.role_arn);
            let message = format!("User: {arn} is not authorized to perform: {action} on resource: {role}");
            ServiceError::new("AccessDenied", message)
        };
        let no_role = || denied(ASSUME);
        let asked = request.role_arn.parse::<Arn>().map_err(|_| no_role())?;
        let name = asked.resource.rsplit('/').next().unwrap_or_default();
        let document: Option<String> = self.store().read(|tx| -> Answer<_> {
            let query = "SELECT document FROM principals WHERE account = ?1 AND kind = 'role' AND name = ?2";
            Ok(tx.query_row(query, [&asked.account, name], |row| row.get(0)).optional()?)
        })?;
        let role: Role = serde_json::from_str(&document.ok_or_else(no_role)?)?;
        if role.arn != request.role_arn {
            return Err(no_role().into());
        }
        let trust = role.assume_role_policy_document.clone().unwrap_or_else(|| default_trust(&asked.account));
        // A trust policy has no Resource: it is about its role.
        let trust = self.aws.policies.read(&trust).ok_or_else(no_role)?.with_all_resources();
        let actions = [
            Some(ASSUME),
            (!context.tags.is_empty()).then_some("sts:TagSession"),
            context.source_identity.is_some().then_some("sts:SetSourceIdentity"),
        ];
        for action in actions.into_iter().flatten() {
            let deed = assume_deed(action, request, context, &role, has_code);
            if !self.may_assume(&trust, &deed, &role.arn, asked.account != self.caller.account) {
                return Err(denied(action).into());
            }
        }
        Ok(role)
    }

    /// Whether the trust policy of a role, and where it leaves it to them the IAM policies of the caller, allow an action.
    fn may_assume(&self, trust: &PolicyDocument, deed: &Deed, role: &str, is_foreign: bool) -> bool {
        let facts = self.facts(deed);
        let question = PolicyRequest { action: deed.action, resource: role, context: &facts };
        let principal = self.caller.principal();
        let is_allowed_by_iam = || self.permit_on(deed.clone(), role).is_ok();
        !trust.denies(&principal, &question)
            && !self.caller.is_forbidden(&question)
            && match trust.permission_for(&principal, &question) {
                PermissionResult::NotAllowed => false,
                PermissionResult::Direct if !is_foreign => true,
                _ => is_allowed_by_iam(),
            }
    }
}

/// One of the actions of AssumeRole, with its condition keys. Source: *Actions, resources, and condition keys for AWS
/// Security Token Service*.
fn assume_deed(
    action: &'static str,
    request: &AssumeRole,
    context: &SessionContext,
    role: &Role,
    has_code: bool,
) -> Deed {
    let tags = context.tags.iter().map(|tag| (tag.key.as_str(), Some(tag.value.as_str())));
    let mut deed = Deed::from(action)
        .with("sts:RoleSessionName", &*request.role_session_name)
        .with_some("sts:ExternalId", request.external_id.as_deref())
        .with_some("sts:SourceIdentity", context.source_identity.as_deref())
        .with_tags(tags);
    for key in &context.transitive {
        deed = deed.with("sts:TransitiveTagKeys", key);
    }
    for tag in &role.tags.member {
        deed = deed.with(&format!("aws:ResourceTag/{}", tag.key), &*tag.value);
    }
    if has_code {
        deed = deed.with("aws:MultiFactorAuthPresent", "true").with("aws:MultiFactorAuthAge", "0");
    }
    deed
}

/// Checks the length of a session against the role's longest, and against that of a chain of roles.
fn check_duration(role: &Role, is_chained: bool, duration: u32) -> Result<(), ServiceError> {
    let message = if duration > role.max_session_duration.unwrap_or(USUAL_DURATION) {
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    } else if is_chained && duration > USUAL_DURATION {
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    } else {
        return Ok(());
    };
    Err(ServiceError::new("ValidationError", message))
}
