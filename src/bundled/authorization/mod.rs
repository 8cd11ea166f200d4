//! Authorization of requests by key policies, grants, and the caller's IAM policies.
//!
//! An explicit deny overrides every allow. Within an account, a key policy that allows the principal is sufficient, and
//! one that allows the account delegates to IAM. For a key of another account, both sides must allow the request.
//! Source: *Policy evaluation for AWS KMS*.

pub mod condition_keys;
mod policy_cache;
mod request;

use std::sync::Arc;

use super::store::RecordReader;
use super::{ApiResult, Call, Caller};
use crate::aws::error::ServiceError;
use crate::aws::operation::Protocol;
use crate::aws::policy::condition::RequestContext;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest, RequestPrincipal};
use crate::aws::policy::{Effect, PolicyDocument};
use crate::bundled::kms::key_record::KeyRecord;

pub use policy_cache::PolicyCache;
pub use request::AuthorizationRequest;

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

impl Caller {
    /// Returns the caller as resource-based policies see it.
    pub fn principal(&self) -> RequestPrincipal<'_> {
        RequestPrincipal { arn: &self.arn, issuer_arn: &self.issuer_arn, account: &self.account }
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
