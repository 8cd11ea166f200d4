//! Authorization of requests by key policies, grants, and the caller's IAM policies.
//!
//! An explicit deny overrides every allow. Within an account, a key policy that allows the principal is sufficient, and
//! one that allows the account delegates to IAM. For a key of another account, both sides must allow the request.
//! Source: *Policy evaluation for AWS KMS*.

pub mod condition_keys;
mod policy_cache;
mod request;
mod statement;

use std::sync::Arc;

use self::statement::StatementRef;
use super::store::RecordReader;
use super::{ApiResult, Call, Caller};
use crate::aws::error::ServiceError;
use crate::aws::operation::Protocol;
use crate::aws::policy::condition::RequestContext;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest, RequestPrincipal};
use crate::aws::policy::{Effect, PolicyDocument};
use crate::aws::xray::{PolicySource, StatementEffect};
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
    fn evaluate_iam_policies(&self, policy_request: &PolicyRequest) -> IamDecision<'_> {
        let find = |effect| {
            let statements = |policy: &'_ Arc<PolicyDocument>| policy.statement_for(effect, policy_request);
            self.policies
                .iter()
                .find_map(|policy| Some(StatementRef::new(PolicySource::IamPolicy, policy, statements(policy)?)))
        };
        if let Some(statement) = find(Effect::Deny) {
            return IamDecision::ExplicitDeny(statement);
        }
        if let Some(session) = &self.session_policy {
            if let Some(index) = session.statement_for(Effect::Deny, policy_request) {
                return IamDecision::ExplicitDeny(StatementRef::new(PolicySource::SessionPolicy, session, index));
            }
            if session.statement_for(Effect::Allow, policy_request).is_none() {
                return IamDecision::NotAllowedBySession;
            }
        }
        find(Effect::Allow).map_or(IamDecision::ImplicitDeny, IamDecision::Allowed)
    }
}

/// The decision of the caller's IAM policies and session policy, with the statement that decided.
#[derive(Clone, Copy, Debug)]
enum IamDecision<'a> {
    Allowed(StatementRef<'a>),
    ImplicitDeny,
    NotAllowedBySession,
    ExplicitDeny(StatementRef<'a>),
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
        let decision = self.caller.evaluate_iam_policies(&policy_request);
        let record = |is_allowed, statements: &[(StatementRef, StatementEffect)]| {
            self.record_authorization(authorization.action, resource, is_allowed, statements, None);
        };
        match decision {
            IamDecision::Allowed(statement) => {
                record(true, &[(statement, StatementEffect::Allow)]);
                return Ok(());
            }
            IamDecision::ExplicitDeny(statement) => record(false, &[(statement, StatementEffect::Deny)]),
            IamDecision::ImplicitDeny | IamDecision::NotAllowedBySession => record(false, &[]),
        }
        let reason = decision.denial_reason(authorization.action);
        Err(self.access_denied(authorization.action, resource, &reason).into())
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
            self.add_key_context(records, key, &mut request_context)?;
            request_context
        } else {
            RequestContext::default()
        };
        let policy_request = PolicyRequest { action, resource: &metadata.arn, context: &request_context };
        let principal = self.caller.principal();
        let record = |is_allowed, statements: &[(StatementRef, StatementEffect)], grant| {
            self.record_authorization(action, &metadata.arn, is_allowed, statements, grant);
        };
        let explicit_deny = |statement: StatementRef| {
            record(false, &[(statement, StatementEffect::Deny)], None);
            let reason = format!("with an explicit deny in {}", statement.policy_type());
            // Don't reveal the contents of a key policy to another account.
            let error = if is_cross_account {
                self.cross_account_access_denied(action)
            } else {
                self.access_denied(action, &metadata.arn, &reason)
            };
            Err(error.into())
        };
        let key_statement = |index| {
            let policy = policy.as_ref()?;
            Some(StatementRef::new(PolicySource::KeyPolicy, policy, index?))
        };
        let denying = policy.as_ref().and_then(|policy| policy.denying_statement(&principal, &policy_request));
        if let Some(statement) = key_statement(denying) {
            return explicit_deny(statement);
        }
        let iam = self.caller.evaluate_iam_policies(&policy_request);
        if let IamDecision::ExplicitDeny(statement) = iam {
            return explicit_deny(statement);
        }
        let (mut by_resource, index) = policy.as_ref().map_or((PermissionResult::NotAllowed, None), |policy| {
            policy.allowing_statement(&principal, &policy_request)
        });
        let is_allowed = |by_resource| match (by_resource, iam) {
            (PermissionResult::NotAllowed, _) | (_, IamDecision::NotAllowedBySession) => false,
            (PermissionResult::Direct, _) if !is_cross_account => true,
            (_, iam) => matches!(iam, IamDecision::Allowed(_)),
        };
        let mut grant = None;
        if !is_allowed(by_resource) {
            grant = self.allowing_grant(records, authorization, key)?;
            if grant.is_some() {
                by_resource = PermissionResult::Direct;
            }
        }
        let is_iam_needed = is_cross_account || by_resource != PermissionResult::Direct;
        let from_key = key_statement(index).filter(|_| grant.is_none()).map(|statement| {
            (statement, if is_iam_needed { StatementEffect::Delegate } else { StatementEffect::Allow })
        });
        let from_iam = match iam {
            IamDecision::Allowed(statement) if is_iam_needed => Some((statement, StatementEffect::Allow)),
            _ => None,
        };
        let statements: Vec<_> = from_key.into_iter().chain(from_iam).collect();
        if is_allowed(by_resource) {
            record(true, &statements, grant);
            return Ok(());
        }
        record(false, &statements, None);
        if is_cross_account && by_resource == PermissionResult::NotAllowed {
            return Err(self.cross_account_access_denied(action).into());
        }
        let reason = match by_resource {
            PermissionResult::NotAllowed if !matches!(iam, IamDecision::NotAllowedBySession) => {
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

impl IamDecision<'_> {
    fn denial_reason(self, action: &str) -> String {
        match self {
            Self::ExplicitDeny(statement) => format!("with an explicit deny in {}", statement.policy_type()),
            Self::NotAllowedBySession => format!("because no session policy allows the {action} action"),
            Self::Allowed(_) | Self::ImplicitDeny => {
                format!("because no identity-based policy allows the {action} action")
            }
        }
    }
}
