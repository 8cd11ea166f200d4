//! Evaluation of policy statements for a request.

use std::collections::BTreeSet;

use super::condition::RequestContext;
use super::{Effect, PolicyDocument, PrincipalElement, Statement, wildcard_match};

/// A request that policies are evaluated for.
#[derive(Clone, Copy, Debug)]
pub struct PolicyRequest<'a> {
    /// The action, such as `kms:Encrypt`.
    pub action: &'a str,
    /// The ARN of the resource, or `*` for operations without a resource.
    pub resource: &'a str,
    /// The request context that conditions are evaluated against.
    pub context: &'a RequestContext,
}

/// The principal that a resource-based policy is evaluated for.
#[derive(Clone, Copy, Debug)]
pub struct RequestPrincipal<'a> {
    /// The ARN of the user or role session.
    pub arn: &'a str,
    /// The ARN of the role that issued the session, or of the user.
    pub issuer_arn: &'a str,
    /// The account of the principal.
    pub account: &'a str,
}

/// How a resource-based policy allows a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PermissionResult {
    /// The policy doesn't allow the request.
    NotAllowed,
    /// The policy delegates the decision to the IAM policies of the principal's account.
    DelegatedToAccount,
    /// The policy names the principal.
    Direct,
}

/// Returns whether a principal is the ARN of this account, such as `arn:aws:iam::111122223333:root`.
fn is_account_principal(name: &str, account: &str) -> bool {
    let prefix = name.strip_suffix(":root").and_then(|name| name.strip_suffix(account));
    prefix.is_some_and(|prefix| prefix.ends_with(":iam::"))
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

    /// Returns how the statement matches the principal.
    fn principal_match(&self, principal: &RequestPrincipal) -> PermissionResult {
        let among = |principals: &PrincipalElement| {
            let how = |name: &&str| {
                if *name == "*" || [principal.arn, principal.issuer_arn].contains(name) {
                    PermissionResult::Direct
                } else if *name == principal.account || is_account_principal(name, principal.account) {
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
    /// Returns the index of the first statement of an identity-based policy with this effect that applies to the
    /// request.
    pub fn statement_for(&self, effect: Effect, request: &PolicyRequest) -> Option<usize> {
        self.statements().iter().position(|statement| statement.effect == effect && statement.applies_to(request))
    }

    /// Returns the indexes of the statements with this effect that apply to the request and, in a resource-based
    /// policy, match the principal.
    pub fn matching_statements(
        &self,
        effect: Effect,
        request: &PolicyRequest,
        principal: Option<&RequestPrincipal>,
    ) -> Vec<usize> {
        let matches_principal = |one: &Statement| {
            principal.is_none_or(|principal| one.principal_match(principal) != PermissionResult::NotAllowed)
        };
        let is_match = |one: &Statement| one.effect == effect && matches_principal(one) && one.applies_to(request);
        self.statements().iter().enumerate().filter(|(_, one)| is_match(one)).map(|(index, _)| index).collect()
    }

    /// Returns the condition keys that the statements for this action use and the request context doesn't contain.
    pub fn missing_context_keys(&self, request: &PolicyRequest) -> BTreeSet<String> {
        let relevant = self.statements().iter().filter(|statement| statement.matches_action(request.action));
        let keys = relevant.filter_map(|statement| statement.condition.as_ref()).flat_map(serde_json::Map::values);
        let keys = keys.filter_map(serde_json::Value::as_object).flat_map(serde_json::Map::keys);
        keys.filter(|key| !request.context.contains(key)).cloned().collect()
    }

    /// Whether a resource-based policy denies the request to this principal.
    pub fn denies(&self, principal: &RequestPrincipal, request: &PolicyRequest) -> bool {
        self.denying_statement(principal, request).is_some()
    }

    /// Returns the index of the first statement of a resource-based policy that denies the request to this principal.
    pub fn denying_statement(&self, principal: &RequestPrincipal, request: &PolicyRequest) -> Option<usize> {
        self.statements().iter().position(|statement| {
            statement.effect == Effect::Deny
                && statement.principal_match(principal) != PermissionResult::NotAllowed
                && statement.applies_to(request)
        })
    }

    /// Returns how a resource-based policy allows the request to this principal: the strongest result of all
    /// statements.
    pub fn permission_for(&self, principal: &RequestPrincipal, request: &PolicyRequest) -> PermissionResult {
        self.allowing_statement(principal, request).0
    }

    /// Returns how a resource-based policy allows the request to this principal, as
    /// [`permission_for`](Self::permission_for) does, with the index of the first statement that gives this result.
    pub fn allowing_statement(
        &self,
        principal: &RequestPrincipal,
        request: &PolicyRequest,
    ) -> (PermissionResult, Option<usize>) {
        let mut strongest = (PermissionResult::NotAllowed, None);
        for (index, statement) in self.statements().iter().enumerate() {
            let result = statement.principal_match(principal);
            if statement.effect == Effect::Allow && result > strongest.0 && statement.applies_to(request) {
                strongest = (result, Some(index));
            }
        }
        strongest
    }

    /// Returns the policy with every statement applied to all resources, for trust policies, which have no resources.
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
