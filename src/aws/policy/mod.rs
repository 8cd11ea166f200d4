//! Key policy documents: generating, parsing, validating, and describing them.

mod check;
pub mod condition;
mod console;
mod equivalence;
pub mod evaluate;
mod principal;
mod spans;
mod strict_json;

use std::marker::PhantomData;
use std::str::Chars;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer, StrDeserializer};
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use check::is_service_principal;
pub use check::{PolicyProblem, check, warnings};
pub use console::{ConsolePolicy, default_policy};
pub use equivalence::is_equivalent;
pub use principal::check_principal_arn;
pub use spans::statement_spans;

/// A key policy document that passed [`check()`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PolicyDocument {
    /// The policy language version: `2012-10-17` or `2008-10-17`.
    pub version: Option<String>,
    /// The policy ID, any string.
    pub id: Option<String>,
    /// The statements, at least one.
    pub statement: OneOrMany<Statement>,
}

/// A single element, or an array of elements.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// An array of elements.
    Many(Vec<T>),
    /// A single element, without brackets.
    One(T),
}

impl<T> OneOrMany<T> {
    /// Returns the elements as a slice.
    pub fn as_slice(&self) -> &[T] {
        match self {
            Self::Many(many) => many,
            Self::One(one) => std::slice::from_ref(one),
        }
    }
}

// Unlike serde's untagged enums, this doesn't buffer the input, so that errors keep their line number.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrManyVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an element or an array of elements")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMany::Many)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(OneOrMany::One)
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                T::deserialize(StrDeserializer::new(text)).map(OneOrMany::One)
            }
        }
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

/// The effect of a statement: `Allow` or `Deny`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Effect {
    Allow,
    Deny,
}

/// The principals of a statement: everyone, or principals by type.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PrincipalElement {
    /// `"*"`.
    Everybody(String),
    /// `{"AWS": …, "Service": …}`.
    ByKind(Map<String, Value>),
}

impl PrincipalElement {
    /// Returns the principals of a type, such as `AWS`. The principal `"*"` counts as an AWS principal.
    pub fn of_kind(&self, kind: &str) -> Vec<&str> {
        match self {
            Self::Everybody(name) if kind == "AWS" => vec![name],
            Self::Everybody(_) => Vec::new(),
            Self::ByKind(kinds) => match kinds.get(kind) {
                Some(Value::String(name)) => vec![name],
                Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
                _ => Vec::new(),
            },
        }
    }
}

/// A policy statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    pub principal: Option<PrincipalElement>,
    pub not_principal: Option<PrincipalElement>,
    pub action: Option<OneOrMany<String>>,
    pub not_action: Option<OneOrMany<String>>,
    pub resource: Option<OneOrMany<String>>,
    pub not_resource: Option<OneOrMany<String>>,
    pub condition: Option<Map<String, Value>>,
}

impl Statement {
    /// Whether the statement applies to this action, such as `kms:PutKeyPolicy`. Action names aren't case-sensitive,
    /// and `*` and `?` are wildcards (IAM policy grammar).
    pub fn matches_action(&self, action: &str) -> bool {
        let matches = |patterns: &OneOrMany<String>| {
            patterns.as_slice().iter().any(|one| wildcard_match_ignore_case(one, action))
        };
        match (&self.action, &self.not_action) {
            (Some(actions), _) => matches(actions),
            (None, Some(actions)) => !matches(actions),
            (None, None) => false,
        }
    }

    /// Whether the statement applies to the KMS key that the policy is attached to, as `"*"` or by the key ARN.
    pub fn matches_key(&self) -> bool {
        let matches =
            |patterns: &OneOrMany<String>| patterns.as_slice().iter().any(|one| one == "*" || one.contains(":key/"));
        match (&self.resource, &self.not_resource) {
            (Some(resources), _) => matches(resources),
            (None, Some(resources)) => !matches(resources),
            (None, None) => false,
        }
    }

    /// Whether the statement applies to this caller: by ARN, by its account or the account root, or to everyone. The
    /// ARN of a role also matches the role's sessions.
    pub fn matches_principal(&self, caller_arn: &str, account: &str) -> bool {
        let names = |principals: &PrincipalElement| {
            principals.of_kind("AWS").iter().any(|name| {
                *name == "*"
                    || *name == caller_arn
                    || *name == account
                    || name.ends_with(&format!(":iam::{account}:root"))
                    || is_role_of_session(name, caller_arn)
            })
        };
        match (&self.principal, &self.not_principal) {
            (Some(principals), _) => names(principals),
            (None, Some(principals)) => !names(principals),
            (None, None) => false,
        }
    }
}

/// Whether `session`, such as `arn:aws:sts::111122223333:assumed-role/Name/session`, is a session of the role
/// `arn:aws:iam::111122223333:role/any/path/Name`. The ARN of a session doesn't contain the role's path.
fn is_role_of_session(role: &str, session: &str) -> bool {
    let parts = || {
        let (session_account, rest) = session.split_once(":sts::")?.1.split_once(":assumed-role/")?;
        let (role_account, path) = role.split_once(":iam::")?.1.split_once(":role/")?;
        let is_same = path.rsplit('/').next()? == rest.split('/').next()?;
        Some(session_account == role_account && is_same)
    };
    parts().unwrap_or(false)
}

/// Escapes the next character in a pattern, so that it matches literally. IAM doesn't allow this character in policies.
const ESCAPE: char = '\u{1}';

/// Whether a name matches a pattern with `ArnLike` semantics: each of the six colon-separated parts is compared
/// separately and can contain `*` and `?`. Text with a different number of parts doesn't match.
pub fn arn_like(pattern: &str, name: &str) -> bool {
    let parts = |text: &'_ str| text.splitn(6, ':').count();
    parts(pattern) == parts(name)
        && pattern.splitn(6, ':').zip(name.splitn(6, ':')).all(|(pattern, name)| wildcard_match(pattern, name))
}

/// A part of a pattern.
enum PatternToken {
    AnySequence,
    AnyChar,
    Literal(char),
}

/// Takes the next token of a pattern.
fn next_token(pattern: &mut Chars<'_>) -> Option<PatternToken> {
    Some(match pattern.next()? {
        '*' => PatternToken::AnySequence,
        '?' => PatternToken::AnyChar,
        ESCAPE => PatternToken::Literal(pattern.next().unwrap_or(ESCAPE)),
        other => PatternToken::Literal(other),
    })
}

/// Whether `text` matches `pattern`, in which `*` matches any sequence and `?` matches one character.
pub(crate) fn wildcard_match(pattern: &str, text: &str) -> bool {
    matches_pattern(pattern, text, |one, other| one == other)
}

/// Like [`wildcard_match`], but not case-sensitive.
pub(crate) fn wildcard_match_ignore_case(pattern: &str, text: &str) -> bool {
    matches_pattern(pattern, text, |one, other| one.eq_ignore_ascii_case(&other))
}

fn matches_pattern(pattern: &str, text: &str, is_equal: impl Fn(char, char) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    // The rest of the pattern after the last `*`, and the rest of the text that it is tried with.
    let mut retry: Option<(Chars, Chars)> = None;
    loop {
        let (mut pattern_rest, mut text_rest) = (pattern.clone(), text.clone());
        let is_match = match (next_token(&mut pattern_rest), text_rest.next()) {
            (Some(PatternToken::AnySequence), _) => {
                retry = Some((pattern_rest.clone(), text.clone()));
                pattern = pattern_rest;
                continue;
            }
            (None, None) => return true,
            (Some(_), None) => return false,
            (None, Some(_)) => false,
            (Some(PatternToken::AnyChar), Some(_)) => true,
            (Some(PatternToken::Literal(one)), Some(other)) => is_equal(one, other),
        };
        if is_match {
            (pattern, text) = (pattern_rest, text_rest);
        } else if let Some((retry_pattern, retry_text)) = &mut retry {
            retry_text.next();
            (pattern, text) = (retry_pattern.clone(), retry_text.clone());
        } else {
            return false;
        }
    }
}

/// Replaces the AWS principal `from` with `to` in the policy `text`. Returns `None` if the policy doesn't name `from`
/// as a principal. Conditions aren't changed.
pub fn replace_principal(text: &str, from: &str, to: &str) -> Option<String> {
    fn replace(value: &mut Value, from: &str, to: &str) -> bool {
        match value {
            Value::String(name) if name == from => {
                to.clone_into(name);
                true
            }
            Value::Array(names) => {
                names.iter_mut().filter_map(|name| replace(name, from, to).then_some(())).count() > 0
            }
            _ => false,
        }
    }
    let mut document: Value = serde_json::from_str(text).ok()?;
    let statements = match document.get_mut("Statement")? {
        Value::Array(statements) => statements.as_mut_slice(),
        one => std::slice::from_mut(one),
    };
    let mut is_changed = false;
    for statement in statements {
        for element in ["Principal", "NotPrincipal"] {
            if let Some(names) = statement.get_mut(element).and_then(|principals| principals.get_mut("AWS")) {
                is_changed |= replace(names, from, to);
            }
        }
    }
    if is_changed { serde_json::to_string_pretty(&document).ok() } else { None }
}

/// Returns a policy as indented JSON, or `None` if it isn't JSON.
pub fn indented(text: &str) -> Option<String> {
    let document: Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&document).ok()
}

/// Returns a policy as indented JSON, or unchanged if it isn't JSON.
pub fn indented_or_unchanged(text: &str) -> String {
    indented(text).unwrap_or_else(|| text.to_owned())
}

impl PolicyDocument {
    /// Returns the statements in order.
    pub fn statements(&self) -> &[Statement] {
        self.statement.as_slice()
    }

    /// Returns the distinct AWS principals of the policy, in order.
    pub fn principal_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for statement in self.statements() {
            for principals in [&statement.principal, &statement.not_principal].into_iter().flatten() {
                for name in principals.of_kind("AWS") {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
            }
        }
        names
    }

    /// Whether the policy passes the lockout safety check of CreateKey and PutKeyPolicy: the caller must be able to
    /// change the policy later. Statements with conditions don't count.
    pub fn passes_lockout_safety_check(&self, caller_arn: &str, account: &str) -> bool {
        let about = |effect: Effect| {
            self.statements().iter().any(move |statement| {
                statement.effect == effect
                    && statement.matches_action("kms:PutKeyPolicy")
                    && statement.matches_key()
                    && statement.matches_principal(caller_arn, account)
                    && statement.condition.as_ref().is_none_or(Map::is_empty)
            })
        };
        about(Effect::Allow) && !about(Effect::Deny)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_iam() {
        assert!(wildcard_match("kms:*", "kms:PutKeyPolicy"));
        assert!(wildcard_match_ignore_case("KMS:Put*Pol?cy", "kms:PutKeyPolicy"));
        assert!(!wildcard_match("KMS:Put*", "kms:PutKeyPolicy"));
        assert!(
            wildcard_match("a\u{1}*c", "a*c") && !wildcard_match("a\u{1}*c", "abc") && wildcard_match("a?c", "aäc")
        );
        assert!(wildcard_match("*", ""));
        assert!(!wildcard_match("kms:Put", "kms:PutKeyPolicy"));
        assert!(!wildcard_match("kms:Get*", "kms:PutKeyPolicy"));
    }

    #[test]
    fn policy_without_the_caller_fails_the_lockout_safety_check() {
        let policy = |principal: &str| {
            check(&format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{principal}"}},
                "Action":"kms:*","Resource":"*"}}]}}"#
            ))
            .unwrap()
        };
        let me = "arn:aws:iam::111122223333:user/Admin";
        assert!(policy("arn:aws:iam::111122223333:root").passes_lockout_safety_check(me, "111122223333"));
        assert!(policy(me).passes_lockout_safety_check(me, "111122223333"));
        assert!(!policy("arn:aws:iam::444455556666:root").passes_lockout_safety_check(me, "111122223333"));
        let session = "arn:aws:sts::111122223333:assumed-role/Admin/ada";
        assert!(
            policy("arn:aws:iam::111122223333:role/ops/Admin").passes_lockout_safety_check(session, "111122223333")
        );
        assert!(!policy("arn:aws:iam::111122223333:role/Admin2").passes_lockout_safety_check(session, "111122223333"));
        assert!(!policy("arn:aws:iam::444455556666:role/Admin").passes_lockout_safety_check(session, "111122223333"));
    }

    #[test]
    fn statement_without_resource_grants_no_permission() {
        let text = r#"{"Version":"2012-10-17","Statement":
            {"Effect":"Allow","Principal":"*","Action":"kms:*"}}"#;
        assert!(
            !check(text).unwrap().passes_lockout_safety_check("arn:aws:iam::111122223333:user/Admin", "111122223333")
        );
    }
}
