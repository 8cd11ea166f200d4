//! Authorization of requests by key policies, grants, and the caller's IAM policies.
//!
//! An explicit deny overrides every allow. Within an account, a key policy that allows the principal is sufficient, and
//! one that allows the account delegates to IAM. For a key of another account, both sides must allow the request.
//! Source: *Policy evaluation for AWS KMS*.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Transaction;

use super::store::RecordReader;
use super::{ApiResult, Call, Caller};
use crate::aws::error::ServiceError;
use crate::aws::kms::{EncryptionContext, GrantConstraints};
use crate::aws::operation::Protocol;
use crate::aws::policy::condition::RequestContext;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest, RequestPrincipal};
use crate::aws::policy::{Effect, PolicyDocument};
use crate::bundled::kms::key_record::KeyRecord;

/// Actions that are valid on keys of another account. Source: *AWS KMS permissions*, column *Cross-account use*.
const CROSS_ACCOUNT_ACTIONS: [&str; 12] = [
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:RetireGrant",
    "kms:RevokeGrant",
];

/// The names of the condition key for the key spec; the second is deprecated and works the same way.
pub const KEY_SPEC_CONDITION_KEYS: [&str; 2] = ["kms:KeySpec", "kms:CustomerMasterKeySpec"];
/// The names of the condition key for the key usage; the second is deprecated and works the same way.
pub const KEY_USAGE_CONDITION_KEYS: [&str; 2] = ["kms:KeyUsage", "kms:CustomerMasterKeyUsage"];

/// An action to authorize, with the condition keys that depend on neither the caller nor the key.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// The IAM action, such as `kms:Encrypt`.
    pub action: &'static str,
    request_context: RequestContext,
    /// The encryption context of a cryptographic operation, which grants can constrain.
    pub encryption_context: Option<EncryptionContext>,
    /// The grant tokens in the request, for grants that may not have reached eventual consistency yet.
    pub grant_tokens: Vec<String>,
}

impl From<&'static str> for AuthorizationRequest {
    fn from(action: &'static str) -> Self {
        Self { action, request_context: RequestContext::default(), encryption_context: None, grant_tokens: Vec::new() }
    }
}

impl AuthorizationRequest {
    /// Adds a value of a condition key.
    #[must_use]
    pub fn with_condition_key(mut self, key: &str, value: impl Into<String>) -> Self {
        self.request_context.add(key, value);
        self
    }

    /// Adds a value of a condition key, if there is one.
    #[must_use]
    pub fn with_optional_condition_key(mut self, key: &str, value: Option<&str>) -> Self {
        self.request_context.add_optional(key, value);
        self
    }

    /// Sets the grant tokens.
    #[must_use]
    pub fn with_grant_tokens(self, tokens: Option<&Vec<String>>) -> Self {
        Self { grant_tokens: tokens.cloned().unwrap_or_default(), ..self }
    }

    /// Sets the encryption context and the grant tokens of a cryptographic operation.
    #[must_use]
    pub fn with_encryption_context(mut self, context: &EncryptionContext, tokens: Option<&Vec<String>>) -> Self {
        self.request_context.add("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
        self.encryption_context = Some(context.clone());
        self.with_encryption_context_keys(context).with_grant_tokens(tokens)
    }

    /// Adds the condition keys of an encryption context: of a cryptographic operation, or of a grant constraint.
    #[must_use]
    fn with_encryption_context_keys(mut self, context: &EncryptionContext) -> Self {
        for (key, value) in context {
            self.request_context.add(&format!("kms:EncryptionContext:{key}"), value);
            self.request_context.add("kms:EncryptionContextKeys", key);
        }
        self
    }

    /// Adds the condition keys of a grant's constraints: their type, and the encryption context that they require.
    ///
    /// CreateGrant and RetireGrant have these condition keys. Source: *AWS KMS condition keys*.
    #[must_use]
    pub fn with_grant_constraints(mut self, constraints: Option<&GrantConstraints>) -> Self {
        let Some(constraints) = constraints else { return self };
        for (name, context) in [
            ("EncryptionContextEquals", &constraints.encryption_context_equals),
            ("EncryptionContextSubset", &constraints.encryption_context_subset),
        ] {
            if let Some(context) = context {
                self = self.with_condition_key("kms:GrantConstraintType", name).with_encryption_context_keys(context);
            }
        }
        self.with_optional_condition_key(
            "kms:GrantConstraintType",
            constraints.source_arn.is_some().then_some("SourceArn"),
        )
    }

    /// Adds the condition key for skipping the lockout safety check, if the request has the parameter.
    #[must_use]
    pub fn with_lockout_bypass(self, parameter: Option<bool>) -> Self {
        let value = parameter.map(|bypass| bypass.to_string());
        self.with_optional_condition_key("kms:BypassPolicyLockoutSafetyCheck", value.as_deref())
    }

    /// Adds the condition keys of the tags in the request.
    #[must_use]
    pub fn with_tags<'t>(mut self, tags: impl IntoIterator<Item = (&'t str, Option<&'t str>)>) -> Self {
        for (key, value) in tags {
            self.request_context.add("aws:TagKeys", key);
            self.request_context.add_optional(&format!("aws:RequestTag/{key}"), value);
        }
        self
    }
}

/// A cache of parsed policies, by their text.
#[derive(Default)]
pub struct PolicyCache(Mutex<HashMap<String, Arc<PolicyDocument>>>);

/// The maximum number of cached policies. The cache is cleared when it is full.
const MAX_CACHED_POLICIES: usize = 1024;

impl PolicyCache {
    /// Returns the parsed policy, or `None` if `text` isn't a valid policy.
    pub fn get_or_parse(&self, text: &str) -> Option<Arc<PolicyDocument>> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = cache.get(text) {
            return Some(Arc::clone(document));
        }
        let document: Arc<PolicyDocument> = Arc::new(serde_json::from_str(text).ok()?);
        if cache.len() >= MAX_CACHED_POLICIES {
            cache.clear();
        }
        cache.insert(text.to_owned(), Arc::clone(&document));
        Some(document)
    }
}

impl Caller {
    /// Returns the caller as resource-based policies see it.
    pub fn principal(&self) -> RequestPrincipal<'_> {
        RequestPrincipal { arn: &self.arn, issuer_arn: &self.issuer_arn, account: &self.account }
    }

    /// Adds the condition keys of the caller's tags and, for a role, of its session.
    pub fn add_session_context(&self, request_context: &mut RequestContext) {
        for tag in &self.tags {
            request_context.add(&format!("aws:PrincipalTag/{}", tag.key), &*tag.value);
        }
        if let Some(session) = &self.session {
            request_context.add_optional("aws:TokenIssueTime", session.issued.map(|issued| issued.to_string()));
            request_context.add_optional("aws:SourceIdentity", session.source_identity.as_deref());
        }
    }

    /// Returns whether the caller's IAM policies or session policy explicitly deny the request.
    pub fn is_explicitly_denied(&self, policy_request: &PolicyRequest) -> bool {
        matches!(self.evaluate_iam_policies(policy_request), IamDecision::ExplicitDeny(_))
    }

    /// Evaluates the caller's IAM policies and session policy for a request.
    fn evaluate_iam_policies(&self, policy_request: &PolicyRequest) -> IamDecision {
        let denies = |policy: &Arc<PolicyDocument>| policy.has_statement_for(Effect::Deny, policy_request);
        if self.policies.iter().any(denies) {
            return IamDecision::ExplicitDeny("an identity-based policy");
        }
        if let Some(session) = &self.session_policy {
            if session.has_statement_for(Effect::Deny, policy_request) {
                return IamDecision::ExplicitDeny("a session policy");
            }
            if !session.has_statement_for(Effect::Allow, policy_request) {
                return IamDecision::NotAllowedBySession;
            }
        }
        if self.policies.iter().any(|policy| policy.has_statement_for(Effect::Allow, policy_request)) {
            IamDecision::Allowed
        } else {
            IamDecision::ImplicitDeny
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IamDecision {
    Allowed,
    ImplicitDeny,
    NotAllowedBySession,
    ExplicitDeny(&'static str),
}

impl Call<'_> {
    /// Returns the condition keys of the caller and the request.
    pub fn request_context(&self, authorization: &AuthorizationRequest) -> RequestContext {
        let (caller, now) = (&self.caller, self.store().environment().clock.now());
        let mut request_context = authorization.request_context.clone();
        request_context.add("aws:PrincipalArn", &*caller.issuer_arn);
        request_context.add("aws:PrincipalAccount", &*caller.account);
        request_context.add("aws:PrincipalType", if caller.is_role() { "AssumedRole" } else { "User" });
        request_context.add("aws:userid", &*caller.user_id);
        request_context.add_optional("aws:username", caller.user_name());
        request_context.add("aws:CurrentTime", now.to_string());
        request_context.add("aws:EpochTime", now.as_second().to_string());
        request_context.add("aws:RequestedRegion", &*self.region);
        request_context.add("aws:SecureTransport", self.is_over_tls.to_string());
        request_context.add_optional("aws:SourceIp", self.source_ip.as_deref());
        request_context.add("aws:ViaAWSService", "false");
        request_context.add("aws:PrincipalIsAWSService", "false");
        request_context.add_optional("aws:UserAgent", Some(self.draft.user_agent).filter(|agent| !agent.is_empty()));
        // Sessions of AssumeRole carry no MFA information. For access keys of users, the condition key is absent.
        if caller.is_role() && !request_context.contains("aws:MultiFactorAuthPresent") {
            request_context.add("aws:MultiFactorAuthPresent", "false");
        }
        caller.add_session_context(&mut request_context);
        if authorization.action.starts_with("kms:") {
            request_context.add("kms:CallerAccount", &*caller.account);
        }
        if ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"].contains(&authorization.action) {
            request_context.add("kms:GrantIsForAWSResource", "false");
        }
        request_context
    }

    fn access_denied(&self, action: &str, resource: &str, reason: &str) -> ServiceError {
        let message = format!(
            "User: {} is not authorized to perform: {action} on resource: {resource} {reason}",
            self.caller.arn
        );
        let is_json = matches!(self.draft.service.protocol(), Protocol::Json { .. });
        ServiceError::new(if is_json { "AccessDeniedException" } else { "AccessDenied" }, message)
    }

    /// Checks that the caller's IAM policies allow an action on a resource other than a KMS key.
    ///
    /// # Errors
    /// `AccessDeniedException` (`AccessDenied` in the query protocol) if they don't.
    pub fn authorize(&self, authorization: impl Into<AuthorizationRequest>, resource: &str) -> ApiResult<()> {
        let authorization = authorization.into();
        let request_context = self.request_context(&authorization);
        let policy_request = PolicyRequest { action: authorization.action, resource, context: &request_context };
        match self.caller.evaluate_iam_policies(&policy_request) {
            IamDecision::Allowed => Ok(()),
            other => Err(self
                .access_denied(authorization.action, resource, &other.denial_reason(authorization.action))
                .into()),
        }
    }

    /// Checks that the caller has the permission for an action on a KMS key.
    ///
    /// # Errors
    /// `AccessDeniedException` if the caller doesn't have it.
    pub fn authorize_key(
        &self,
        records: &impl RecordReader,
        authorization: &AuthorizationRequest,
        key: &KeyRecord,
    ) -> ApiResult<()> {
        let metadata = &key.metadata;
        let is_cross_account = metadata.aws_account_id != self.caller.account;
        if is_cross_account && !CROSS_ACCOUNT_ACTIONS.contains(&authorization.action) {
            return Err(self.cross_account_access_denied(authorization.action).into());
        }
        let action = authorization.action;
        let policy = self.aws.policy_cache.get_or_parse(&key.policy);
        let with_conditions = policy.iter().chain(&self.caller.policies).chain(&self.caller.session_policy);
        let request_context = if with_conditions.into_iter().any(|policy| policy.uses_request_context()) {
            let mut request_context = self.request_context(authorization);
            records.with_transaction(|tx| self.add_key_context(tx, key, &mut request_context))?;
            request_context
        } else {
            RequestContext::default()
        };
        let policy_request = PolicyRequest { action, resource: &metadata.arn, context: &request_context };
        let principal = self.caller.principal();
        let explicit_deny = |policy_type: &str| {
            let reason = format!("with an explicit deny in {policy_type}");
            // Don't reveal the contents of a key policy to another account.
            let error = if is_cross_account {
                self.cross_account_access_denied(action)
            } else {
                self.access_denied(action, &metadata.arn, &reason)
            };
            Err(error.into())
        };
        if policy.as_ref().is_some_and(|policy| policy.denies(&principal, &policy_request)) {
            return explicit_deny("a resource-based policy");
        }
        let iam = self.caller.evaluate_iam_policies(&policy_request);
        if let IamDecision::ExplicitDeny(policy_type) = iam {
            return explicit_deny(policy_type);
        }
        let mut by_resource =
            policy.map_or(PermissionResult::NotAllowed, |policy| policy.permission_for(&principal, &policy_request));
        let is_allowed = |by_resource| match (by_resource, iam) {
            (PermissionResult::NotAllowed, _) | (_, IamDecision::NotAllowedBySession) => false,
            (PermissionResult::Direct, _) if !is_cross_account => true,
            (_, iam) => iam == IamDecision::Allowed,
        };
        if !is_allowed(by_resource)
            && records.with_transaction(|tx| self.is_allowed_by_grant(tx, authorization, key))?
        {
            by_resource = PermissionResult::Direct;
        }
        if is_allowed(by_resource) {
            return Ok(());
        }
        if is_cross_account && by_resource == PermissionResult::NotAllowed {
            return Err(self.cross_account_access_denied(action).into());
        }
        let reason = match by_resource {
            PermissionResult::NotAllowed if iam != IamDecision::NotAllowedBySession => {
                format!("because no resource-based policy allows the {action} action")
            }
            _ => iam.denial_reason(action),
        };
        Err(self.access_denied(action, &metadata.arn, &reason).into())
    }

    /// Returns the error for a key of another account, whether it doesn't exist or the caller has no permission.
    pub fn cross_account_access_denied(&self, action: &str) -> ServiceError {
        let message = format!(
            "User: {} is not authorized to perform: {action} on this resource because the resource does not exist in this \
             Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
            self.caller.arn
        );
        ServiceError::new("AccessDeniedException", message)
    }

    fn add_key_context(
        &self,
        tx: &Transaction,
        key: &KeyRecord,
        request_context: &mut RequestContext,
    ) -> ApiResult<()> {
        let metadata = &key.metadata;
        request_context.add("aws:ResourceAccount", &*metadata.aws_account_id);
        request_context.add("kms:KeyOrigin", metadata.origin.as_str());
        for name in KEY_SPEC_CONDITION_KEYS {
            request_context.add(name, &*metadata.key_spec);
        }
        for name in KEY_USAGE_CONDITION_KEYS {
            request_context.add(name, &*metadata.key_usage);
        }
        request_context.add("kms:MultiRegion", (metadata.multi_region == Some(true)).to_string());
        for tag in self.tags_of(tx, key)? {
            request_context.add(&format!("aws:ResourceTag/{}", tag.tag_key), tag.tag_value);
        }
        for alias in self.alias_names_of(tx, key)? {
            request_context.add("kms:ResourceAliases", alias);
        }
        Ok(())
    }
}

impl IamDecision {
    fn denial_reason(self, action: &str) -> String {
        match self {
            Self::ExplicitDeny(policy_type) => format!("with an explicit deny in {policy_type}"),
            Self::NotAllowedBySession => format!("because no session policy allows the {action} action"),
            Self::Allowed | Self::ImplicitDeny => {
                format!("because no identity-based policy allows the {action} action")
            }
        }
    }
}
