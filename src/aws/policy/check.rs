//! Validation of key policies.

use serde_json::{Map, Value};

use super::strict_json::StrictValue;
use super::{OneOrMany, PolicyDocument, PrincipalElement, Statement};
use crate::aws::limits;

/// A problem with a policy, described for its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyProblem {
    /// The line where the problem is, starting at 1, if known.
    pub line: Option<usize>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl std::fmt::Display for PolicyProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "Line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The condition operators of the IAM policy grammar, without the `IfExists` suffix and the set operator prefixes.
const CONDITION_OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

/// Parses a policy document and validates its grammar, characters, and size.
///
/// # Errors
/// Every problem that makes KMS return `MalformedPolicyDocumentException`, or `LimitExceededException` if the policy is
/// larger than 32 KB.
pub fn check(text: &str) -> Result<PolicyDocument, Vec<PolicyProblem>> {
    if let Err(violation) = limits::policy_text(text) {
        return Err(vec![PolicyProblem { line: None, message: violation.reason }]);
    }
    let at = |error: &serde_json::Error, message| {
        vec![PolicyProblem { line: Some(error.line()).filter(|line| *line > 0), message }]
    };
    let StrictValue(value) = serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let reason = without_position(&message);
        at(&error, if error.is_data() { to_sentence(reason) } else { format!("This isn't valid JSON: {reason}.") })
    })?;
    let document: PolicyDocument =
        serde_json::from_str(text).map_err(|error| at(&error, explain_mismatch(&value, &error.to_string())))?;
    let mut problems = Vec::new();
    let mut report = |message: String| problems.push(PolicyProblem { line: None, message });
    if let Some(version) = &document.version
        && version != "2012-10-17"
        && version != "2008-10-17"
    {
        report(format!("The Version \"{version}\" isn't valid. Use \"2012-10-17\" or \"2008-10-17\"."));
    }
    if document.statements().is_empty() {
        report("The policy has no statements. Add at least one.".to_owned());
    }
    let mut seen = Vec::new();
    for (index, statement) in document.statements().iter().enumerate() {
        check_statement(statement, &statement_label(index, statement), &mut report);
        if let Some(sid) = statement.sid.as_ref().filter(|sid| !sid.is_empty()) {
            if seen.contains(&sid) {
                report(format!(
                    "The Sid \"{sid}\" is used more than once. Statement IDs must be unique within a policy."
                ));
            }
            seen.push(sid);
        }
    }
    if problems.is_empty() { Ok(document) } else { Err(problems) }
}

/// Returns problems that KMS accepts but the policy editor points out: statements without an action or a resource.
pub fn warnings(document: &PolicyDocument) -> Vec<PolicyProblem> {
    let mut found = Vec::new();
    for (index, statement) in document.statements().iter().enumerate() {
        let name = statement_label(index, statement);
        if statement.action.is_none() && statement.not_action.is_none() {
            let message = format!("{name} has no Action, so it has no effect. Add one, such as \"kms:Decrypt\".");
            found.push(PolicyProblem { line: None, message });
        }
        if statement.resource.is_none() && statement.not_resource.is_none() {
            let message = format!("{name} has no Resource, so it has no effect. In a key policy, use \"*\".");
            found.push(PolicyProblem { line: None, message });
        }
    }
    found
}

fn statement_label(index: usize, statement: &Statement) -> String {
    match &statement.sid {
        Some(sid) => format!("Statement {} (\"{sid}\")", index + 1),
        None => format!("Statement {}", index + 1),
    }
}

fn check_statement(statement: &Statement, name: &str, report: &mut impl FnMut(String)) {
    match (&statement.principal, &statement.not_principal) {
        (None, None) => report(format!("{name} has no Principal. Every key policy statement needs one.")),
        (Some(_), Some(_)) => report(format!("{name} has both Principal and NotPrincipal. Use only one of them.")),
        (Some(principals), None) | (None, Some(principals)) => check_principals(principals, name, report),
    }
    if statement.action.is_some() && statement.not_action.is_some() {
        report(format!("{name} has both Action and NotAction. Use only one of them."));
    }
    if statement.resource.is_some() && statement.not_resource.is_some() {
        report(format!("{name} has both Resource and NotResource. Use only one of them."));
    }
    for actions in [&statement.action, &statement.not_action].into_iter().flatten() {
        check_actions(actions, name, report);
    }
    if let Some(condition) = &statement.condition {
        check_condition(condition, name, report);
    }
}

fn check_actions(actions: &OneOrMany<String>, name: &str, report: &mut impl FnMut(String)) {
    for action in actions.as_slice() {
        if action != "*" && !action.contains(':') {
            report(format!("{name}: the action \"{action}\" has no service prefix. Use \"kms:{action}\"."));
        }
    }
}

fn check_principals(principals: &PrincipalElement, name: &str, report: &mut impl FnMut(String)) {
    match principals {
        PrincipalElement::Everybody(text) if text == "*" => {}
        PrincipalElement::Everybody(text) => {
            report(format!(
                "{name}: the principal \"{text}\" isn't valid. Use \"*\" or an object such as {{\"AWS\": \"arn:…\"}}."
            ));
        }
        PrincipalElement::ByKind(kinds) => {
            if kinds.is_empty() {
                report(format!("{name}: Principal is empty. Add a principal."));
            }
            for (kind, value) in kinds {
                if !matches!(kind.as_str(), "AWS" | "Service" | "Federated" | "CanonicalUser") {
                    report(format!("{name}: \"{kind}\" isn't a principal type. Use AWS, Service, or Federated."));
                }
                let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
                let fits =
                    is_text(value) || value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(is_text));
                if !fits {
                    report(format!("{name}: \"{kind}\" principals must be a string or an array of strings."));
                }
                let texts = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                for service in texts.iter().filter_map(Value::as_str).filter(|_| kind == "Service") {
                    if !is_service_principal(service) {
                        report(format!(
                            "{name}: \"{service}\" isn't an AWS service principal. Use one such as \
                             \"logs.us-west-2.amazonaws.com\" or \"cloudtrail.amazonaws.com\"."
                        ));
                    }
                }
            }
        }
    }
}

/// The service names in service principals, one per line.
const SERVICE_NAMES: &str = include_str!("../../../assets/aws/services.txt");

/// Whether `name` is the principal of an AWS service, such as `logs.amazonaws.com` or `logs.us-west-2.amazonaws.com`.
pub fn is_service_principal(name: &str) -> bool {
    let Some(name) = name.strip_suffix(".amazonaws.com").or(name.strip_suffix(".amazonaws.com.cn")) else {
        return false;
    };
    let is_known = |service: &str| SERVICE_NAMES.lines().any(|known| known == service);
    let of_region = || {
        name.rsplit_once('.')
            .is_some_and(|(service, region)| is_known(service) && crate::aws::regions::is_region(region))
    };
    is_known(name) || of_region()
}

fn check_condition(condition: &Map<String, Value>, name: &str, report: &mut impl FnMut(String)) {
    for (operator, keys) in condition {
        let bare = operator.strip_prefix("ForAllValues:").or(operator.strip_prefix("ForAnyValue:")).unwrap_or(operator);
        let bare = bare.strip_suffix("IfExists").unwrap_or(bare);
        if !CONDITION_OPERATORS.iter().any(|known| known.eq_ignore_ascii_case(bare)) {
            report(format!(
                "{name}: \"{operator}\" isn't a condition operator. Use one such as StringEquals or ArnLike."
            ));
        }
        let is_for_all = operator.get(..13).is_some_and(|prefix| prefix.eq_ignore_ascii_case("ForAllValues:"));
        for key in keys.as_object().into_iter().flat_map(Map::keys).filter(|_| is_for_all) {
            let key = key.to_ascii_lowercase();
            let single = [("kms:encryptioncontext:", "encryption context"), ("aws:requesttag/", "tag")];
            if let Some((_, what)) = single.iter().find(|(prefix, _)| key.starts_with(prefix)) {
                report(format!(
                    "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key \
                     matches requests without the specified {what} or with an unspecified {what}. To fix, remove \
                     ForAllValues."
                ));
            }
        }
        if keys.as_object().is_none_or(serde_json::Map::is_empty) {
            report(format!("{name}: the value of \"{operator}\" must be an object of condition keys and values."));
        }
    }
}

/// Returns serde_json's message without the suffix ` at line 1 column 2`, because the line is reported separately.
fn without_position(message: &str) -> &str {
    message.split(" at line ").next().unwrap_or(message)
}

fn to_sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| format!("{}{}.", first.to_uppercase(), letters.as_str())).unwrap_or_default()
}

/// Explains why a JSON value isn't a policy, naming the statement and the element.
fn explain_mismatch(value: &Value, error: &str) -> String {
    let Some(document) = value.as_object() else { return "The policy must be a JSON object.".to_owned() };
    for key in document.keys() {
        if !matches!(key.as_str(), "Version" | "Id" | "Statement") {
            return format!("\"{key}\" isn't a policy element. A policy has Version, Id, and Statement.");
        }
    }
    let Some(statements) = document.get("Statement") else {
        return "The policy has no Statement element. Add one.".to_owned();
    };
    let list = statements.as_array().map_or(std::slice::from_ref(statements), Vec::as_slice);
    for (index, statement) in list.iter().enumerate() {
        if let Err(error) = serde_json::from_value::<Statement>(statement.clone()) {
            return format!("Statement {}: {}.", index + 1, without_position(&error.to_string()));
        }
    }
    format!("The policy isn't valid: {}.", without_position(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        check(text).unwrap_err()[0].to_string()
    }

    fn policy_with_statement(statement: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#)
    }

    #[test]
    fn problems_name_their_line_or_statement() {
        assert!(problem("{\n\"Version\": }").starts_with("Line 2: This isn't valid JSON"));
        assert!(problem("[]").contains("must be a JSON object"));
        assert!(problem("{\n\"Statements\":[]}").starts_with("Line 2: \"Statements\" isn't a policy element"));
        assert!(problem(&policy_with_statement("\n\n{\"Effect\":\"Permit\"}")).starts_with("Line 3: Statement 1: "));
        assert!(
            problem(&policy_with_statement(r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#))
                .contains("no Principal")
        );
        assert!(
            problem(&policy_with_statement(r#"{"Effect":"Allow","Principal":"me","Action":"kms:*"}"#))
                .contains("\"me\"")
        );
        assert!(
            problem(&policy_with_statement(r#"{"Effect":"Allow","Principal":"*","Action":"Decrypt"}"#))
                .contains("kms:Decrypt")
        );
        let condition = r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Condition":{"Equals":{"a":"b"}}}"#;
        assert!(problem(&policy_with_statement(condition)).contains("\"Equals\""));
        assert!(problem(&"x".repeat(32_769)).contains("32768"));
    }

    #[test]
    fn ambiguous_policy_is_rejected() {
        let twice = policy_with_statement("{\"Effect\":\"Deny\",\n\"Effect\":\"Allow\",\"Principal\":\"*\"}");
        assert_eq!(problem(&twice), "Line 2: Duplicate element \"Effect\" in one object. Keep only one.");
        let condition = r#"{"Effect":"Allow","Principal":"*","Condition":{"Bool":{"a":"true","a":"false"}}}"#;
        assert!(problem(&policy_with_statement(condition)).contains("Duplicate element \"a\""));
        assert!(
            problem(&policy_with_statement(r#"{"Effect":"Allow","Principal":"*","Action":null}"#)).contains("is null")
        );
    }

    #[test]
    fn statement_without_action_or_resource_is_accepted_with_warnings() {
        let document = check(&policy_with_statement(r#"{"Effect":"Allow","Principal":"*"}"#)).unwrap();
        assert_eq!(warnings(&document).len(), 2);
    }
}
