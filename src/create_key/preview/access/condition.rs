//! Conditions in words.
//!
//! Source: *IAM JSON policy elements: Condition operators*; *Condition keys for AWS KMS*; *AWS global condition context
//! keys*.

use serde_json::{Map, Value};

use super::sentences::join;

/// Returns a clause for each condition of a statement.
pub(super) fn clauses(conditions: &Map<String, Value>) -> Vec<String> {
    let keys = conditions.iter().flat_map(|(operator, keys)| {
        let operator = Operator::parse(operator);
        keys.as_object().into_iter().flatten().map(move |(key, values)| operator.clause(key, values))
    });
    keys.collect()
}

/// A condition operator, without regard to case.
#[derive(Clone)]
struct Operator {
    /// The name as written.
    written: String,
    /// The lowercase name without set operator and `IfExists`.
    name: String,
    set: SetOperator,
    if_exists: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SetOperator {
    None,
    All,
    Any,
}

impl Operator {
    fn parse(written: &str) -> Self {
        let lowercase = written.to_ascii_lowercase();
        let (set, name) = match lowercase.split_once(':') {
            Some(("forallvalues", name)) => (SetOperator::All, name),
            Some(("foranyvalue", name)) => (SetOperator::Any, name),
            _ => (SetOperator::None, lowercase.as_str()),
        };
        let (name, if_exists) = name.strip_suffix("ifexists").map_or((name, false), |name| (name, true));
        Self { written: written.to_owned(), name: name.to_owned(), set, if_exists }
    }

    fn clause(&self, key: &str, values: &Value) -> String {
        let values = texts(values);
        let is_plain = self.set == SetOperator::None && !self.if_exists;
        if let [value] = values.as_slice()
            && self.name == "bool"
            && is_plain
            && let Some(clause) = flag_clause(key, value.eq_ignore_ascii_case("true"))
        {
            return clause;
        }
        let noun = noun(key);
        if self.name == "null" {
            let is_absent = values.iter().any(|value| value.eq_ignore_ascii_case("true"));
            return format!("{noun} {} part of the request", if is_absent { "isn't" } else { "is" });
        }
        let values_text = join(&values, "or");
        let Some(verb) = self.verb(&values) else { return format!("{key} {} {values_text}", self.written) };
        let subject = match self.set {
            SetOperator::None => noun,
            SetOperator::All => format!("every value of {noun}"),
            SetOperator::Any => format!("a value of {noun}"),
        };
        let case = if self.name.ends_with("ignorecase") { " in any case" } else { "" };
        let absent = if self.if_exists { " or isn't part of the request" } else { "" };
        format!("{subject} {verb} {values_text}{case}{absent}")
    }

    /// Returns the verb between the condition key and the values, or `None` for an unknown operator.
    fn verb(&self, values: &[String]) -> Option<&'static str> {
        let has_wildcards = values.iter().any(|value| value.contains(['*', '?']));
        Some(match self.name.as_str() {
            "stringlike" | "arnlike" | "arnequals" if has_wildcards => "matches",
            "stringnotlike" | "arnnotlike" | "arnnotequals" if has_wildcards => "doesn't match",
            "stringequals"
            | "stringequalsignorecase"
            | "stringlike"
            | "arnequals"
            | "arnlike"
            | "numericequals"
            | "dateequals"
            | "binaryequals"
            | "bool" => "is",
            "stringnotequals"
            | "stringnotequalsignorecase"
            | "stringnotlike"
            | "arnnotequals"
            | "arnnotlike"
            | "numericnotequals"
            | "datenotequals" => "isn't",
            "numericlessthan" => "is less than",
            "numericlessthanequals" => "is at most",
            "numericgreaterthan" => "is greater than",
            "numericgreaterthanequals" => "is at least",
            "datelessthan" => "is before",
            "datelessthanequals" => "is not after",
            "dategreaterthan" => "is after",
            "dategreaterthanequals" => "is not before",
            "ipaddress" => "is in",
            "notipaddress" => "isn't in",
            _ => return None,
        })
    }
}

fn texts(values: &Value) -> Vec<String> {
    let list = values.as_array().map_or(std::slice::from_ref(values), Vec::as_slice);
    list.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect()
}

/// Returns a clause for a condition key that is true or false.
fn flag_clause(key: &str, is_true: bool) -> Option<String> {
    let (subject, positive, negative) = match key.to_ascii_lowercase().as_str() {
        "kms:grantisforawsresource" => ("the grants", "are for AWS services", "aren't for AWS services"),
        "kms:bypasspolicylockoutsafetycheck" => (
            "the request",
            "bypasses the policy lockout safety check",
            "doesn't bypass the policy lockout safety check",
        ),
        "aws:securetransport" => ("the request", "uses TLS", "doesn't use TLS"),
        "aws:multifactorauthpresent" => ("the caller", "signed in with MFA", "didn't sign in with MFA"),
        "aws:principalisawsservice" => ("the caller", "is an AWS service", "isn't an AWS service"),
        "aws:viaawsservice" => ("the request", "comes through an AWS service", "doesn't come through an AWS service"),
        _ => return None,
    };
    Some(format!("{subject} {}", if is_true { positive } else { negative }))
}

/// Condition keys and what they are about.
const NOUNS: [(&str, &str); 19] = [
    ("kms:ViaService", "the calling AWS service"),
    ("kms:CallerAccount", "the caller's account"),
    ("kms:EncryptionContextKeys", "the encryption context keys"),
    ("kms:EncryptionAlgorithm", "the encryption algorithm"),
    ("kms:GranteePrincipal", "the grantee principal"),
    ("kms:GrantOperations", "the grant operations"),
    ("kms:GrantConstraintType", "the grant constraint"),
    ("kms:KeyOrigin", "the key's origin"),
    ("kms:KeySpec", "the key spec"),
    ("kms:ScheduleKeyDeletionPendingWindowInDays", "the waiting period in days"),
    ("aws:PrincipalArn", "the caller's ARN"),
    ("aws:PrincipalAccount", "the caller's account"),
    ("aws:PrincipalOrgID", "the caller's organization"),
    ("aws:SourceArn", "the source ARN"),
    ("aws:SourceAccount", "the source account"),
    ("aws:SourceIp", "the source IP address"),
    ("aws:SourceVpc", "the source VPC"),
    ("aws:SourceVpce", "the source VPC endpoint"),
    ("aws:CurrentTime", "the current time"),
];

/// Condition keys that end in a name, and what they are about.
const NAMED_NOUNS: [(&str, &str); 4] = [
    ("kms:encryptioncontext:", "the encryption context"),
    ("aws:principaltag/", "the caller's tag"),
    ("aws:resourcetag/", "the key's tag"),
    ("aws:requesttag/", "the requested tag"),
];

/// Returns a noun phrase for a condition key, or the key as written.
fn noun(key: &str) -> String {
    let lowercase = key.to_ascii_lowercase();
    if let Some((_, words)) = NOUNS.iter().find(|(known, _)| known.eq_ignore_ascii_case(key)) {
        return (*words).to_owned();
    }
    let named = NAMED_NOUNS.iter().find(|(prefix, _)| lowercase.starts_with(prefix));
    named.map_or_else(|| key.to_owned(), |(prefix, words)| format!("{words} \"{}\"", &key[prefix.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conditions_are_clauses() {
        for (operator, key, values, expected) in [
            ("StringEquals", "kms:ViaService", json!(["a.com", "b.com"]), "the calling AWS service is a.com or b.com"),
            ("StringNotEquals", "aws:PrincipalOrgID", json!("o-1"), "the caller's organization isn't o-1"),
            ("StringLike", "aws:principalarn", json!("arn:*"), "the caller's ARN matches arn:*"),
            ("ArnLike", "aws:SourceArn", json!("arn:x"), "the source ARN is arn:x"),
            ("IpAddress", "aws:SourceIp", json!("192.0.2.0/24"), "the source IP address is in 192.0.2.0/24"),
            ("Bool", "aws:SecureTransport", json!("false"), "the request doesn't use TLS"),
            ("Bool", "kms:GrantIsForAWSResource", json!(true), "the grants are for AWS services"),
            (
                "BoolIfExists",
                "aws:MultiFactorAuthPresent",
                json!("true"),
                "aws:MultiFactorAuthPresent is true or isn't part of the request",
            ),
            ("Null", "aws:PrincipalTag/team", json!("true"), "the caller's tag \"team\" isn't part of the request"),
            (
                "ForAllValues:StringEquals",
                "kms:GrantOperations",
                json!(["Encrypt", "Decrypt"]),
                "every value of the grant operations is Encrypt or Decrypt",
            ),
            (
                "StringEqualsIgnoreCase",
                "kms:EncryptionContext:Project",
                json!("nile"),
                "the encryption context \"Project\" is nile in any case",
            ),
            (
                "NumericLessThanEquals",
                "kms:ScheduleKeyDeletionPendingWindowInDays",
                json!(30),
                "the waiting period in days is at most 30",
            ),
            ("DateLessThan", "aws:CurrentTime", json!("2027-01-01"), "the current time is before 2027-01-01"),
            ("StringAlmost", "a:b", json!("c"), "a:b StringAlmost c"),
        ] {
            let condition = json!({ operator: { key: values } });
            assert_eq!(clauses(condition.as_object().unwrap()), [expected]);
        }
    }
}
