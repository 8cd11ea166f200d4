//! Whether a caller may do what it asks: key policies, grants, and the IAM policies of the caller decide.
//!
//! An explicit deny beats everything. Inside the account a key policy that names the principal is enough; one that names
//! the account leaves it to IAM. For another account's key both sides must allow. Source: *Policy evaluation for AWS KMS*.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Transaction;

use super::keys::FoundKey;
use super::store::Records;
use super::{Answer, Call, Caller};
use crate::aws::error::ServiceError;
use crate::aws::kms::{EncryptionContext, GrantConstraints};
use crate::aws::operation::Protocol;
use crate::aws::policy::condition::RequestContext;
use crate::aws::policy::evaluate::{PermissionResult, PolicyRequest, RequestPrincipal};
use crate::aws::policy::{Effect, PolicyDocument};

/// Actions on the keys of another account (*AWS KMS permissions*, column *Cross-account use*).
const ACROSS_ACCOUNTS: [&str; 12] = [
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
pub const KEY_SPEC: [&str; 2] = ["kms:KeySpec", "kms:CustomerMasterKeySpec"];
/// The names of the condition key for the key usage; the second is deprecated and works the same way.
pub const KEY_USAGE: [&str; 2] = ["kms:KeyUsage", "kms:CustomerMasterKeyUsage"];

/// An action, with what conditions may look at beside the caller and the key.
#[derive(Clone, Debug)]
pub struct Deed {
    /// `kms:Encrypt` ...
    pub action: &'static str,
    facts: RequestContext,
    /// What the caller wants encrypted or decrypted with, which grants may constrain.
    pub context: Option<EncryptionContext>,
    /// Grants that the caller has been told of and that may not have settled yet.
    pub grant_tokens: Vec<String>,
}

impl From<&'static str> for Deed {
    fn from(action: &'static str) -> Self {
        Self { action, facts: RequestContext::default(), context: None, grant_tokens: Vec::new() }
    }
}

impl Deed {
    /// With a fact more.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.facts.add(key, value);
        self
    }

    /// With a fact more, if there is one.
    #[must_use]
    pub fn with_some(mut self, key: &str, value: Option<&str>) -> Self {
        self.facts.add_optional(key, value);
        self
    }

    /// With the grants that the caller tells of.
    #[must_use]
    pub fn with_tokens(self, tokens: Option<&Vec<String>>) -> Self {
        Self { grant_tokens: tokens.cloned().unwrap_or_default(), ..self }
    }

    /// A cryptographic operation with this encryption context.
    #[must_use]
    pub fn in_context(mut self, context: &EncryptionContext, tokens: Option<&Vec<String>>) -> Self {
        self.facts.add("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
        self.context = Some(context.clone());
        self.with_context_facts(context).with_tokens(tokens)
    }

    /// Adds the condition keys of an encryption context: that of a cryptographic operation, or that of the constraint of
    /// a grant.
    #[must_use]
    fn with_context_facts(mut self, context: &EncryptionContext) -> Self {
        for (key, value) in context {
            self.facts.add(&format!("kms:EncryptionContext:{key}"), value);
            self.facts.add("kms:EncryptionContextKeys", key);
        }
        self
    }

    /// Adds the condition keys of a grant's constraints: their type, and the encryption context that they demand. CreateGrant
    /// and RetireGrant have them (*AWS KMS condition keys*).
    #[must_use]
    pub fn with_constraints(mut self, constraints: Option<&GrantConstraints>) -> Self {
        let Some(constraints) = constraints else { return self };
        for (name, context) in [
            ("EncryptionContextEquals", &constraints.encryption_context_equals),
            ("EncryptionContextSubset", &constraints.encryption_context_subset),
        ] {
            if let Some(context) = context {
                self = self.with("kms:GrantConstraintType", name).with_context_facts(context);
            }
        }
        self.with_some("kms:GrantConstraintType", constraints.source_arn.is_some().then_some("SourceArn"))
    }

    /// With the parameter that skips the lockout check. The key is absent when the parameter is not sent.
    #[must_use]
    pub fn with_bypass(self, parameter: Option<bool>) -> Self {
        let value = parameter.map(|skips| skips.to_string());
        self.with_some("kms:BypassPolicyLockoutSafetyCheck", value.as_deref())
    }

    /// With the tags that are to be set.
    #[must_use]
    pub fn with_tags<'t>(mut self, tags: impl IntoIterator<Item = (&'t str, Option<&'t str>)>) -> Self {
        for (key, value) in tags {
            self.facts.add("aws:TagKeys", key);
            self.facts.add_optional(&format!("aws:RequestTag/{key}"), value);
        }
        self
    }
}

/// Policies by their text, read once.
#[derive(Default)]
pub struct PolicyCache(Mutex<HashMap<String, Arc<PolicyDocument>>>);

/// Policies kept at most; then all are let go.
const MOST_POLICIES: usize = 1024;

impl PolicyCache {
    /// The document that `text` is; `None` when it is no policy.
    pub fn read(&self, text: &str) -> Option<Arc<PolicyDocument>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = known.get(text) {
            return Some(Arc::clone(document));
        }
        let document: Arc<PolicyDocument> = Arc::new(serde_json::from_str(text).ok()?);
        if known.len() >= MOST_POLICIES {
            known.clear();
        }
        known.insert(text.to_owned(), Arc::clone(&document));
        Some(document)
    }
}

impl Caller {
    /// As resource-based policies see it.
    pub fn principal(&self) -> RequestPrincipal<'_> {
        RequestPrincipal { arn: &self.arn, issuer_arn: &self.issuer_arn, account: &self.account }
    }

    /// Adds the condition keys of its tags and, for a role, of its session.
    pub fn add_session_facts(&self, facts: &mut RequestContext) {
        for tag in &self.tags {
            facts.add(&format!("aws:PrincipalTag/{}", tag.key), &*tag.value);
        }
        if let Some(session) = &self.session {
            facts.add_optional("aws:TokenIssueTime", session.issued.map(|issued| issued.to_string()));
            facts.add_optional("aws:SourceIdentity", session.source_identity.as_deref());
        }
    }

    /// Whether its IAM policies or its session policy deny the request.
    pub fn is_forbidden(&self, question: &PolicyRequest) -> bool {
        matches!(self.iam(question), Iam::Forbidden(_))
    }

    /// Whether its IAM policies allow what is asked, or forbid it.
    fn iam(&self, question: &PolicyRequest) -> Iam {
        let forbids = |policy: &Arc<PolicyDocument>| policy.has_statement_for(Effect::Deny, question);
        if self.policies.iter().any(forbids) {
            return Iam::Forbidden("an identity-based policy");
        }
        if let Some(session) = &self.session_policy {
            if session.has_statement_for(Effect::Deny, question) {
                return Iam::Forbidden("a session policy");
            }
            if !session.has_statement_for(Effect::Allow, question) {
                return Iam::NotInSession;
            }
        }
        if self.policies.iter().any(|policy| policy.has_statement_for(Effect::Allow, question)) {
            Iam::Allowed
        } else {
            Iam::Silent
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Iam {
    Allowed,
    Silent,
    NotInSession,
    Forbidden(&'static str),
}

impl Call<'_> {
    /// What conditions can know of the caller and the request.
    pub fn facts(&self, deed: &Deed) -> RequestContext {
        let (caller, now) = (&self.caller, self.store().world().clock.now());
        let mut facts = deed.facts.clone();
        facts.add("aws:PrincipalArn", &*caller.issuer_arn);
        facts.add("aws:PrincipalAccount", &*caller.account);
        facts.add("aws:PrincipalType", if caller.is_role() { "AssumedRole" } else { "User" });
        facts.add("aws:userid", &*caller.user_id);
        facts.add_optional("aws:username", caller.user_name());
        facts.add("aws:CurrentTime", now.to_string());
        facts.add("aws:EpochTime", now.as_second().to_string());
        facts.add("aws:RequestedRegion", &*self.region);
        facts.add("aws:SecureTransport", self.is_over_tls.to_string());
        facts.add_optional("aws:SourceIp", self.source.as_deref());
        facts.add("aws:ViaAWSService", "false");
        facts.add("aws:PrincipalIsAWSService", "false");
        facts.add_optional("aws:UserAgent", Some(self.draft.user_agent).filter(|agent| !agent.is_empty()));
        // Sessions of AssumeRole don't tell of MFA; for access keys of users the key is absent.
        if caller.is_role() && !facts.contains("aws:MultiFactorAuthPresent") {
            facts.add("aws:MultiFactorAuthPresent", "false");
        }
        caller.add_session_facts(&mut facts);
        if deed.action.starts_with("kms:") {
            facts.add("kms:CallerAccount", &*caller.account);
        }
        if ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"].contains(&deed.action) {
            facts.add("kms:GrantIsForAWSResource", "false");
        }
        facts
    }

    fn denied(&self, action: &str, resource: &str, why: &str) -> ServiceError {
        let message =
            format!("User: {} is not authorized to perform: {action} on resource: {resource} {why}", self.caller.arn);
        let is_json = matches!(self.draft.service.protocol(), Protocol::Json { .. });
        ServiceError::new(if is_json { "AccessDeniedException" } else { "AccessDenied" }, message)
    }

    /// Refuses what the caller may not do to anything but a key: its IAM policies alone decide.
    pub fn permit_on(&self, deed: impl Into<Deed>, resource: &str) -> Answer<()> {
        let deed = deed.into();
        let facts = self.facts(&deed);
        let question = PolicyRequest { action: deed.action, resource, context: &facts };
        match self.caller.iam(&question) {
            Iam::Allowed => Ok(()),
            other => Err(self.denied(deed.action, resource, &other.why(deed.action)).into()),
        }
    }

    /// Refuses what the caller may not do to `key`.
    pub fn permit(&self, records: &impl Records, deed: &Deed, key: &FoundKey) -> Answer<()> {
        let metadata = &key.metadata;
        let is_foreign = metadata.aws_account_id != self.caller.account;
        if is_foreign && !ACROSS_ACCOUNTS.contains(&deed.action) {
            return Err(self.no_such_foreign_key(deed.action).into());
        }
        let action = deed.action;
        let policy = self.aws.policies.read(&key.policy);
        let with_conditions = policy.iter().chain(&self.caller.policies).chain(&self.caller.session_policy);
        let facts = if with_conditions.into_iter().any(|policy| policy.uses_request_context()) {
            let mut facts = self.facts(deed);
            records.look(|tx| self.add_key_facts(tx, key, &mut facts))?;
            facts
        } else {
            RequestContext::default()
        };
        let question = PolicyRequest { action, resource: &metadata.arn, context: &facts };
        let principal = self.caller.principal();
        let forbidden = |place: &str| {
            let why = format!("with an explicit deny in {place}");
            // Another account does not learn what stands in a key policy.
            let error =
                if is_foreign { self.no_such_foreign_key(action) } else { self.denied(action, &metadata.arn, &why) };
            Err(error.into())
        };
        if policy.as_ref().is_some_and(|policy| policy.denies(&principal, &question)) {
            return forbidden("a resource-based policy");
        }
        let iam = self.caller.iam(&question);
        if let Iam::Forbidden(place) = iam {
            return forbidden(place);
        }
        let mut by_resource =
            policy.map_or(PermissionResult::NotAllowed, |policy| policy.permission_for(&principal, &question));
        let suffices = |by_resource| match (by_resource, iam) {
            (PermissionResult::NotAllowed, _) | (_, Iam::NotInSession) => false,
            (PermissionResult::Direct, _) if !is_foreign => true,
            (_, iam) => iam == Iam::Allowed,
        };
        if !suffices(by_resource) && records.look(|tx| self.is_granted(tx, deed, key))? {
            by_resource = PermissionResult::Direct;
        }
        if suffices(by_resource) {
            return Ok(());
        }
        if is_foreign && by_resource == PermissionResult::NotAllowed {
            return Err(self.no_such_foreign_key(action).into());
        }
        let why = match by_resource {
            PermissionResult::NotAllowed if iam != Iam::NotInSession => {
                format!("because no resource-based policy allows the {action} action")
            }
            _ => iam.why(action),
        };
        Err(self.denied(action, &metadata.arn, &why).into())
    }

    /// One answer for keys of another account that are not there and for those that may not be used.
    pub fn no_such_foreign_key(&self, action: &str) -> ServiceError {
        let message = format!(
            "User: {} is not authorized to perform: {action} on this resource because the resource does not exist in this \
             Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
            self.caller.arn
        );
        ServiceError::new("AccessDeniedException", message)
    }

    fn add_key_facts(&self, tx: &Transaction, key: &FoundKey, facts: &mut RequestContext) -> Answer<()> {
        let metadata = &key.metadata;
        facts.add("aws:ResourceAccount", &*metadata.aws_account_id);
        facts.add("kms:KeyOrigin", metadata.origin.as_str());
        for name in KEY_SPEC {
            facts.add(name, &*metadata.key_spec);
        }
        for name in KEY_USAGE {
            facts.add(name, &*metadata.key_usage);
        }
        facts.add("kms:MultiRegion", (metadata.multi_region == Some(true)).to_string());
        for tag in self.tags_of(tx, key)? {
            facts.add(&format!("aws:ResourceTag/{}", tag.tag_key), tag.tag_value);
        }
        for alias in self.names_of(tx, key)? {
            facts.add("kms:ResourceAliases", alias);
        }
        Ok(())
    }
}

impl Iam {
    fn why(self, action: &str) -> String {
        match self {
            Self::Forbidden(place) => format!("with an explicit deny in {place}"),
            Self::NotInSession => format!("because no session policy allows the {action} action"),
            Self::Allowed | Self::Silent => format!("because no identity-based policy allows the {action} action"),
        }
    }
}
