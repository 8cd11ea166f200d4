//! What the statements of a policy say to a request.

use std::collections::BTreeSet;

use super::condition::Facts;
use super::{Effect, PolicyDocument, Principals, Statement, wildcard};

/// A request as policies see it.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// `kms:Encrypt` ...
    pub action: &'a str,
    /// The ARN that it is about; `*` for operations about none.
    pub resource: &'a str,
    /// What conditions look at.
    pub facts: &'a Facts,
}

/// Whom a policy with principals is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Principal<'a> {
    /// The ARN of the user, or of the session of a role.
    pub arn: &'a str,
    /// The ARN of the role whose session it is; of the user otherwise.
    pub issuer_arn: &'a str,
    /// Its account.
    pub account: &'a str,
}

/// How a policy allows what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allowance {
    /// It does not.
    None,
    /// It leaves it to the IAM policies of the principal's account.
    ByAccount,
    /// It names the principal.
    Direct,
}

impl Statement {
    fn answers(&self, question: &Question) -> bool {
        let matches = |patterns: &super::OneOrMany<String>| {
            let is_met = |one: &String| {
                one == "*" || question.facts.pattern(one).is_some_and(|pattern| wildcard(&pattern, question.resource))
            };
            patterns.as_slice().iter().any(is_met)
        };
        let covers_resource = match (&self.resource, &self.not_resource) {
            (Some(resources), _) => matches(resources),
            (None, Some(resources)) => !matches(resources),
            (None, None) => false,
        };
        covers_resource
            && self.covers(question.action)
            && self.condition.as_ref().is_none_or(|condition| question.facts.fulfil(condition))
    }

    /// How the statement means the principal.
    fn means(&self, principal: &Principal) -> Allowance {
        let among = |principals: &Principals| {
            let how = |name: &&str| {
                if *name == "*" || [principal.arn, principal.issuer_arn].contains(name) {
                    Allowance::Direct
                } else if *name == principal.account || name.ends_with(&format!(":iam::{}:root", principal.account)) {
                    Allowance::ByAccount
                } else {
                    Allowance::None
                }
            };
            principals.of_kind("AWS").iter().map(how).max().unwrap_or(Allowance::None)
        };
        match (&self.principal, &self.not_principal) {
            (Some(principals), _) => among(principals),
            (None, Some(principals)) if among(principals) == Allowance::None => Allowance::Direct,
            _ => Allowance::None,
        }
    }
}

impl PolicyDocument {
    /// Whether an identity-based policy has a statement of this effect for what is asked.
    pub fn says(&self, effect: Effect, question: &Question) -> bool {
        self.statements().iter().any(|statement| statement.effect == effect && statement.answers(question))
    }

    /// The places of the statements of this effect for what is asked; in a resource-based policy only those that mean the
    /// principal.
    pub fn matching(&self, effect: Effect, question: &Question, principal: Option<&Principal>) -> Vec<usize> {
        let means = |one: &Statement| principal.is_none_or(|principal| one.means(principal) != Allowance::None);
        let answers = |one: &Statement| one.effect == effect && means(one) && one.answers(question);
        self.statements().iter().enumerate().filter(|(_, one)| answers(one)).map(|(place, _)| place).collect()
    }

    /// Condition keys that its statements on this action look at and that are not told.
    pub fn missing_facts(&self, question: &Question) -> BTreeSet<String> {
        let about_it = self.statements().iter().filter(|statement| statement.covers(question.action));
        let keys = about_it.filter_map(|statement| statement.condition.as_ref()).flat_map(serde_json::Map::values);
        let keys = keys.filter_map(serde_json::Value::as_object).flat_map(serde_json::Map::keys);
        keys.filter(|key| !question.facts.has(key)).cloned().collect()
    }

    /// Whether a resource-based policy forbids it to this principal.
    pub fn forbids(&self, principal: &Principal, question: &Question) -> bool {
        self.statements().iter().any(|statement| {
            statement.effect == Effect::Deny
                && statement.means(principal) != Allowance::None
                && statement.answers(question)
        })
    }

    /// How a resource-based policy allows it to this principal, the best of its statements.
    pub fn allows(&self, principal: &Principal, question: &Question) -> Allowance {
        let allowing = self.statements().iter().filter(|one| one.effect == Effect::Allow);
        let means = allowing.map(|one| (one.means(principal), one));
        let means = means.filter(|(how, one)| *how != Allowance::None && one.answers(question));
        means.map(|(how, _)| how).max().unwrap_or(Allowance::None)
    }

    /// The same with every statement about every resource: for trust policies, which name none.
    #[must_use]
    pub fn about_everything(&self) -> Self {
        let everything = super::OneOrMany::One("*".to_owned());
        let statements = self.statements().iter().cloned();
        let statements =
            statements.map(|one| Statement { resource: Some(everything.clone()), not_resource: None, ..one });
        Self { statement: super::OneOrMany::Many(statements.collect()), ..self.clone() }
    }

    /// Whether any statement has conditions or policy variables.
    pub fn looks_at_facts(&self) -> bool {
        let has_variable =
            |patterns: &super::OneOrMany<String>| patterns.as_slice().iter().any(|pattern| pattern.contains("${"));
        self.statements().iter().any(|statement| {
            statement.condition.is_some()
                || [&statement.resource, &statement.not_resource].into_iter().flatten().any(has_variable)
        })
    }
}
