//! A request to authorize an action.

use crate::aws::kms::{EncryptionContext, GrantConstraints};

use crate::aws::policy::condition::RequestContext;

/// An action to authorize, with the condition keys that depend on neither the caller nor the key.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// The IAM action, such as `kms:Encrypt`.
    pub action: &'static str,
    pub(super) request_context: RequestContext,
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
