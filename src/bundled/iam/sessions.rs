//! AssumeRole, and the temporary credentials that it returns.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use super::credential_error::CredentialError;
use super::principals;
use crate::aws::arn::Arn;
use crate::aws::error::ServiceError;
use crate::aws::iam::{Role, Tag};
use crate::aws::limits;
use crate::aws::policy::PolicyDocument;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest};
use crate::aws::scalar::SecretString;
use crate::aws::sts::{AssumeRole, AssumeRoleOutput, AssumedRoleUser, SessionCredentials};
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::store::StoreError;
use crate::bundled::{ApiResult, Call, Caller, Inner};

/// The IAM action that AssumeRole requires.
const ASSUME_ROLE_ACTION: &str = "sts:AssumeRole";
/// The default duration of a session, in seconds.
const DEFAULT_DURATION_SECONDS: u32 = 3600;

/// Returns the default trust policy of a role: principals of its account can assume it if their IAM policies allow it.
fn default_trust_policy(account: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":"sts:AssumeRole"}}]}}"#
    )
}

/// The attributes of a session that policy conditions refer to. Sessions chained from it inherit some of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SessionAttributes {
    /// When the credentials were issued. `None` for sessions from an older version of the database.
    pub issued: Option<Timestamp>,
    /// The session tags, including inherited ones.
    pub tags: Vec<Tag>,
    /// The keys of the tags that chained sessions inherit.
    pub transitive: Vec<String>,
    /// The source identity, which identifies the original caller.
    pub source_identity: Option<String>,
}

impl SessionAttributes {
    /// Returns the attributes of the session that `request` starts. The caller can be in a session itself.
    ///
    /// # Errors
    /// `ValidationError`, `InvalidParameterValue`, or `AccessDenied` if the tags or the source identity aren't valid.
    ///
    /// Sources: *Pass session tags in AWS STS*; *Monitor and control actions taken with assumed roles*.
    fn from_request(request: &AssumeRole, caller: &Caller, now: Timestamp) -> Result<Self, ServiceError> {
        let invalid = |message: &str| ServiceError::new("InvalidParameterValue", message);
        let (tags, keys) = (&request.tags.member, &request.transitive_tag_keys.member);
        crate::bundled::iam::check_tags(tags)?;
        let has = |key: &String| tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key));
        if !keys.iter().all(has) {
            return Err(invalid("The specified transitive tag key must be included in the requested tags."));
        }
        let parent = caller.session.clone().unwrap_or_default();
        if parent.transitive.iter().any(has) {
            return Err(invalid(
                "One of the specified tag keys can't be set because it conflicts with a transitive tag key from the \
                 calling session.",
            ));
        }
        let is_inherited = |tag: &Tag| parent.transitive.iter().any(|key| key.eq_ignore_ascii_case(&tag.key));
        let inherited = parent.tags.iter().filter(|tag| is_inherited(tag)).cloned();
        if let Some(identity) = &request.source_identity {
            limits::source_identity(identity).map_err(|violation| violation.to_query_error(identity))?;
            if parent.source_identity.as_ref().is_some_and(|parent_identity| parent_identity != identity) {
                let message =
                    "The source identity of a session can't be changed when the session assumes another role.";
                return Err(ServiceError::new("AccessDenied", message));
            }
        }
        Ok(Self {
            issued: Some(now),
            tags: tags.iter().cloned().chain(inherited).collect(),
            transitive: keys.iter().chain(&parent.transitive).cloned().collect(),
            source_identity: request.source_identity.clone().or(parent.source_identity),
        })
    }
}

/// Returns the tags of a principal in a session. Session tags replace role tags with the same key.
fn effective_tags(role: Vec<Tag>, session: &SessionAttributes) -> Vec<Tag> {
    let is_replaced = |tag: &Tag| session.tags.iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key));
    role.into_iter().filter(|tag| !is_replaced(tag)).chain(session.tags.iter().cloned()).collect()
}

/// Temporary credentials, with the caller that they belong to.
struct Session {
    caller: Arc<Caller>,
    secret: SecretString,
    token: String,
    /// When the credentials expire, in milliseconds since 1970-01-01 UTC.
    expires: i64,
}

/// Returns the caller that temporary credentials belong to, and their secret.
pub fn find_session(
    aws: &Inner,
    id: &str,
    token: &SecretString,
) -> Result<(Arc<Caller>, SecretString), CredentialError> {
    let session = aws.store.get_or_load(id, |tx, sources| -> Result<_, CredentialError> {
        sources.add_row("sessions", &[id]);
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
            row.optional()?.ok_or(CredentialError::Unknown)?;
        principals::add_principal(sources, &issuer_arn)?;
        let policies = principals::policies_of(tx, &issuer_arn)?;
        let context: SessionAttributes = serde_json::from_str(&context).map_err(StoreError::from)?;
        let tags = effective_tags(principals::tags_of_principal(tx, &issuer_arn)?, &context);
        let caller = Arc::new(Caller {
            account,
            arn,
            issuer_arn,
            user_id,
            access_key_id: id.to_owned(),
            policies: policies.iter().filter_map(|(_, text)| aws.policy_cache.get_or_parse(text)).collect(),
            tags,
            session: Some(context),
            session_policy: policy.as_deref().and_then(|text| aws.policy_cache.get_or_parse(text)),
        });
        let secret = aws.store.unseal(&["sessions", id], &sealed).map_err(StoreError::from)?;
        let secret = SecretString::new(String::from_utf8_lossy(&secret).into_owned());
        Ok(Session { caller, secret, token, expires })
    })?;
    if !bool::from(session.token.as_bytes().ct_eq(token.expose().as_bytes())) {
        return Err(CredentialError::Unknown);
    }
    if aws.store.environment().clock.now().as_millisecond() >= session.expires {
        return Err(CredentialError::Expired);
    }
    Ok((Arc::clone(&session.caller), session.secret.clone()))
}

impl Call<'_> {
    pub fn assume_role(&self, request: &AssumeRole) -> ApiResult<AssumeRoleOutput> {
        let duration = request.duration_seconds.unwrap_or(DEFAULT_DURATION_SECONDS);
        self.check_assume_role(request, duration)?;
        let context = SessionAttributes::from_request(request, &self.caller, self.store().environment().clock.now())?;
        let code = self.verify_mfa_code(request)?;
        let role = self.find_assumable_role(request, &context, code.is_some())?;
        check_duration(&role, self.caller.is_role(), duration)?;
        let account = role.arn.parse::<Arn>().map(|arn| arn.account).unwrap_or_default();
        let environment = self.store().environment();
        let arn = format!(
            "arn:{}:sts::{account}:assumed-role/{}/{}",
            self.partition(),
            role.role_name,
            request.role_session_name
        );
        let id = format!("ASIA{}", principals::unique_id_suffix(&environment.random)?);
        let secret = zeroize::Zeroizing::new(environment.random.hex::<20>()?);
        let token = environment.random.hex::<64>()?;
        let expires = environment.clock.now().saturating_add(SignedDuration::from_secs(i64::from(duration)));
        let expires = expires.unwrap_or(Timestamp::MAX);
        let user_id = format!("{}:{}", role.role_id, request.role_session_name);
        let sealed = self.store().seal(&["sessions", &id], secret.as_bytes())?;
        self.commit_with_event(|tx| -> ApiResult<()> {
            if let Some(code) = &code {
                code.consume(tx)?;
            }
            // Delete expired sessions.
            tx.execute("DELETE FROM sessions WHERE expires < ?1", [environment.clock.now().as_millisecond()])?;
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
        let expiration = expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Ok(AssumeRoleOutput {
            credentials: SessionCredentials {
                access_key_id: id,
                secret_access_key: SecretString::new(secret.to_string()),
                session_token: SecretString::new(token),
                expiration,
            },
            assumed_role_user: AssumedRoleUser { assumed_role_id: user_id, arn },
            packed_policy_size: request
                .policy
                .as_ref()
                .and_then(|policy| u32::try_from(policy.len() * 100 / 2048 + 1).ok()),
            source_identity: context.source_identity,
        })
    }

    /// Checks the name, the duration, and the policy of the requested session.
    fn check_assume_role(&self, request: &AssumeRole, duration: u32) -> Result<(), ServiceError> {
        limits::role_session_name(&request.role_session_name)
            .map_err(|violation| violation.to_query_error(&request.role_session_name))?;
        limits::session_duration(duration).map_err(|violation| violation.to_query_error(&duration.to_string()))?;
        if let Some(policy) = &request.policy
            && self.aws.policy_cache.get_or_parse(policy).is_none()
        {
            let message = "The session policy is not a valid policy document.";
            return Err(ServiceError::new("MalformedPolicyDocument", message));
        }
        Ok(())
    }

    /// Returns the requested role if its trust policy and the caller's IAM policies allow the caller to assume it with
    /// the tags and the source identity of the session.
    fn find_assumable_role(&self, request: &AssumeRole, context: &SessionAttributes, has_mfa: bool) -> ApiResult<Role> {
        let denied = |action: &str| {
            let (arn, role) = (&self.caller.arn, &request.role_arn);
            let message = format!("User: {arn} is not authorized to perform: {action} on resource: {role}");
            ServiceError::new("AccessDenied", message)
        };
        let no_role = || denied(ASSUME_ROLE_ACTION);
        let requested_arn = request.role_arn.parse::<Arn>().map_err(|_| no_role())?;
        let name = requested_arn.resource.rsplit('/').next().unwrap_or_default();
        let document: Option<String> = self.store().read(|tx| -> ApiResult<_> {
            let query = "SELECT document FROM principals WHERE account = ?1 AND kind = 'role' AND name = ?2";
            Ok(tx.query_row(query, [&requested_arn.account, name], |row| row.get(0)).optional()?)
        })?;
        let role: Role = serde_json::from_str(&document.ok_or_else(no_role)?)?;
        if role.arn != request.role_arn {
            return Err(no_role().into());
        }
        let trust =
            role.assume_role_policy_document.clone().unwrap_or_else(|| default_trust_policy(&requested_arn.account));
        // A trust policy has no Resource element, because it applies to its role.
        let trust = self.aws.policy_cache.get_or_parse(&trust).ok_or_else(no_role)?.with_all_resources();
        let actions = [
            Some(ASSUME_ROLE_ACTION),
            (!context.tags.is_empty()).then_some("sts:TagSession"),
            context.source_identity.is_some().then_some("sts:SetSourceIdentity"),
        ];
        for action in actions.into_iter().flatten() {
            let authorization = assume_role_authorization(action, request, context, &role, has_mfa);
            if !self.can_assume_role(&trust, &authorization, &role.arn, requested_arn.account != self.caller.account) {
                return Err(denied(action).into());
            }
        }
        Ok(role)
    }

    /// Returns whether the trust policy of a role allows an action.
    ///
    /// The caller's IAM policies must allow it too if the trust policy delegates to them, or if the role is in another
    /// account.
    fn can_assume_role(
        &self,
        trust: &PolicyDocument,
        authorization: &AuthorizationRequest,
        role: &str,
        is_cross_account: bool,
    ) -> bool {
        let request_context = self.request_context(authorization);
        let policy_request = PolicyRequest { action: authorization.action, resource: role, context: &request_context };
        let principal = self.caller.principal();
        let is_allowed_by_iam = || self.authorize(authorization.clone(), role).is_ok();
        !trust.denies(&principal, &policy_request)
            && !self.caller.is_explicitly_denied(&policy_request)
            && match trust.permission_for(&principal, &policy_request) {
                PermissionResult::NotAllowed => false,
                PermissionResult::Direct if !is_cross_account => true,
                _ => is_allowed_by_iam(),
            }
    }
}

/// Returns the authorization request for one of the actions of AssumeRole, with its condition keys.
///
/// Source: *Actions, resources, and condition keys for AWS Security Token Service*.
fn assume_role_authorization(
    action: &'static str,
    request: &AssumeRole,
    context: &SessionAttributes,
    role: &Role,
    has_mfa: bool,
) -> AuthorizationRequest {
    let tags = context.tags.iter().map(|tag| (tag.key.as_str(), Some(tag.value.as_str())));
    let mut authorization = AuthorizationRequest::from(action)
        .with_condition_key("sts:RoleSessionName", &*request.role_session_name)
        .with_optional_condition_key("sts:ExternalId", request.external_id.as_deref())
        .with_optional_condition_key("sts:SourceIdentity", context.source_identity.as_deref())
        .with_tags(tags);
    for key in &context.transitive {
        authorization = authorization.with_condition_key("sts:TransitiveTagKeys", key);
    }
    for tag in &role.tags.member {
        authorization = authorization.with_condition_key(&format!("aws:ResourceTag/{}", tag.key), &*tag.value);
    }
    if has_mfa {
        authorization = authorization
            .with_condition_key("aws:MultiFactorAuthPresent", "true")
            .with_condition_key("aws:MultiFactorAuthAge", "0");
    }
    authorization
}

/// Checks the duration of a session against the maximum of the role and the limit for role chaining.
fn check_duration(role: &Role, is_chained: bool, duration: u32) -> Result<(), ServiceError> {
    let message = if duration > role.max_session_duration.unwrap_or(DEFAULT_DURATION_SECONDS) {
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    } else if is_chained && duration > DEFAULT_DURATION_SECONDS {
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
    } else {
        return Ok(());
    };
    Err(ServiceError::new("ValidationError", message))
}
