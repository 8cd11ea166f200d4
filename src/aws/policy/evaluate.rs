//! What the statements of a policy say to a request.

use std::collections::BTreeSet;

use super::condition::RequestContext;
use super::{Effect, PolicyDocument, PrincipalElement, Statement, wildcard_match};

/// A request as policies see it.
#[derive(Clone, Copy, Debug)]
pub struct PolicyRequest<'a> {
    /// `kms:Encrypt` ...
    pub action: &'a str,
    /// The ARN that it is about; `*` for operations about none.
    pub resource: &'a str,
    /// What conditions look at.
    pub context: &'a RequestContext,
}

/// Whom a policy with principals is asked about.
#[derive(Clone, Copy, Debug)]
pub struct RequestPrincipal<'a> {
    /// The ARN of the user, or of the session of a role.
    pub arn: &'a str,
    /// The ARN of the role whose session it is; of the user otherwise.
    pub issuer_arn: &'a str,
    /// Its account.
    pub account: &'a str,
}

/// How a policy allows what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PermissionResult {
    /// It does not.
    NotAllowed,
    /// It leaves it to the IAM policies of the principal's account.
    DelegatedToAccount,
    /// It names the principal.
    Direct,
}

impl Statement {
    fn applies_to(&self, request: &PolicyRequest) -> bool {
        let matches = |patterns: &super::OneOrMany<String>| {
            let is_met = |one: &String| {
                one == "*"
                    || request
                        .context
                        .expand_pattern(one)
                        .is_some_and(|pattern| wildcard_match(&pattern, request.resource))
            };
            patterns.as_slice().iter().any(is_met)
        };
        let covers_resource = match (&self.resource, &self.not_resource) {
            (Some(resources), _) => matches(resources),
            (None, Some(resources)) => !matches(resources),
            (None, None) => false,
        };
        covers_resource
            && self.matches_action(request.action)
            && self.condition.as_ref().is_none_or(|condition| request.context.satisfies(condition))
    }

    /// How the statement means the principal.
    fn principal_match(&self, principal: &RequestPrincipal) -> PermissionResult {
        let among = |principals: &PrincipalElement| {
            let how = |name: &&str| {
                if *name == "*" || [principal.arn, principal.issuer_arn].contains(name) {
                    PermissionResult::Direct
                } else if *name == principal.account || name.ends_with(&format!(":iam::{}:root", principal.account)) {
                    PermissionResult::DelegatedToAccount
                } else {
                    PermissionResult::NotAllowed
                }
            };
            principals.of_kind("AWS").iter().map(how).max().unwrap_or(PermissionResult::NotAllowed)
        };
        match (&self.principal, &self.not_principal) {
            (Some(principals), _) => among(principals),
            (None, Some(principals)) if among(principals) == PermissionResult::NotAllowed => PermissionResult::Direct,
            _ => PermissionResult::NotAllowed,
        }
    }
}

impl PolicyDocument {
    /// Whether an identity-based policy has a statement of this effect for what is asked.
    pub fn has_statement_for(&self, effect: Effect, request: &PolicyRequest) -> bool {
        self.statements().iter().any(|statement| statement.effect == effect && statement.applies_to(request))
    }

    /// The places of the statements of this effect for what is asked; in a resource-based policy only those that mean the
    /// principal.
    pub fn matching_statements(
        &self,
        effect: Effect,
        request: &PolicyRequest,
        principal: Option<&RequestPrincipal>,
    ) -> Vec<usize> {
        let means = |one: &Statement| {
            principal.is_none_or(|principal| one.principal_match(principal) != PermissionResult::NotAllowed)
        };
        let answers = |one: &Statement| one.effect == effect && means(one) && one.applies_to(request);
        self.statements().iter().enumerate().filter(|(_, one)| answers(one)).map(|(place, _)| place).collect()
    }

    /// Condition keys that its statements on this action look at and that are not told.
    pub fn missing_context_keys(&self, request: &PolicyRequest) -> BTreeSet<String> {
        let about_it = self.statements().iter().filter(|statement| statement.matches_action(request.action));
        let keys = about_it.filter_map(|statement| statement.condition.as_ref()).flat_map(serde_json::Map::values);
        let keys = keys.filter_map(serde_json::Value::as_object).flat_map(serde_json::Map::keys);
        keys.filter(|key| !request.context.contains(key)).cloned().collect()
    }

    /// Whether a resource-based policy forbids it to this principal.
    pub fn denies(&self, principal: &RequestPrincipal, request: &PolicyRequest) -> bool {
        self.statements().iter().any(|statement| {
            statement.effect == Effect::Deny
                && statement.principal_match(principal) != PermissionResult::NotAllowed
                && statement.applies_to(request)
        })
    }

    /// How a resource-based policy allows it to this principal, the best of its statements.
    pub fn permission_for(&self, principal: &RequestPrincipal, request: &PolicyRequest) -> PermissionResult {
        let allowing = self.statements().iter().filter(|one| one.effect == Effect::Allow);
        let means = allowing.map(|one| (one.principal_match(principal), one));
        let means = means.filter(|(how, one)| *how != PermissionResult::NotAllowed && one.applies_to(request));
        means.map(|(how, _)| how).max().unwrap_or(PermissionResult::NotAllowed)
    }

    /// The same with every statement about every resource: for trust policies, which name none.
    #[must_use]
    pub fn with_all_resources(&self) -> Self {
        let everything = super::OneOrMany::One("*".to_owned());
        let statements = self.statements().iter().cloned();
        let statements =
            statements.map(|one| Statement { resource: Some(everything.clone()), not_resource: None, ..one });
        Self { statement: super::OneOrMany::Many(statements.collect()), ..self.clone() }
    }

    /// Whether any statement has conditions or policy variables.
    pub fn uses_request_context(&self) -> bool {
        let has_variable =
            |patterns: &super::OneOrMany<String>| patterns.as_slice().iter().any(|pattern| pattern.contains("${"));
        self.statements().iter().any(|statement| {
            statement.condition.is_some()
                || [&statement.resource, &statement.not_resource].into_iter().flatten().any(has_variable)
        })
    }
}
