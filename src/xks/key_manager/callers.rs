//! The callers that can use an external key: the specification's *secondary authorization*, by AWS KMS caller.

use super::error::KeyManagerError;
use super::external_key::ExternalKey;
use crate::aws::policy::{arn_like, check_principal_arn, is_service_principal, wildcard_match};

/// The caller that AWS KMS reports for its own requests.
const AWS_INTERNAL: &str = "AWS Internal";
/// The AWS partitions.
const AWS_PARTITIONS: [&str; 7] = ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"];
/// The maximum number of callers of an external key.
const MAX_CALLERS: usize = 100;
/// The maximum length of a caller in characters, which is the maximum length of a principal.
const MAX_CALLER_LENGTH: usize = 2048;

/// The valid forms of a caller, for error messages.
const EXPECTED_FORMS: &str = "enter the ARN of a user, a role, a role session, or an account, such as \
    arn:aws:sts::111122223333:assumed-role/NAME/*, a service principal such as ec2.amazonaws.com, AWS Internal, or *";
/// The principal types, as the prefixes of the resource in an ARN.
const PRINCIPAL_KINDS: [&str; 5] = ["user/", "role/", "assumed-role/", "federated-user/", "root"];
/// The suffixes of service principals.
const SERVICE_PRINCIPAL_SUFFIXES: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// Validates the callers of an external key.
pub fn check(callers: &[String]) -> Result<(), KeyManagerError> {
    let invalid = |value: String, rule| Err(KeyManagerError::Invalid { what: "the caller", value, rule });
    if callers.len() > MAX_CALLERS {
        return Err(KeyManagerError::Invalid {
            what: "the number of callers",
            value: callers.len().to_string(),
            rule: "a key can have up to 100 callers",
        });
    }
    for caller in callers {
        if let Err(rule) = check_pattern(caller) {
            return invalid(caller.clone(), rule);
        }
    }
    Ok(())
}

/// Validates that a caller of AWS KMS can match a pattern.
fn check_pattern(caller: &str) -> Result<(), &'static str> {
    let has_wildcards = caller.contains(['*', '?']);
    if !(1..=MAX_CALLER_LENGTH).contains(&caller.len()) {
        return Err("a caller must have 1 to 2,048 characters");
    }
    if caller == "*" || caller == AWS_INTERNAL {
        return Ok(());
    }
    if !caller.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(EXPECTED_FORMS);
    }
    if !caller.contains(':') {
        let fits = if has_wildcards {
            SERVICE_PRINCIPAL_SUFFIXES.iter().any(|end| caller.ends_with(end))
        } else {
            is_service_principal(caller)
        };
        return if fits { Ok(()) } else { Err(EXPECTED_FORMS) };
    }
    let parts: Vec<&str> = caller.splitn(6, ':').collect();
    let &["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return Err(
            "an ARN must have six parts, as in arn:aws:sts::111122223333:assumed-role/NAME/*. A wildcard can't match a \
             colon",
        );
    };
    if !has_wildcards && service == "iam" {
        return check_principal_arn(caller, partition).map_err(|_| EXPECTED_FORMS);
    }
    if !AWS_PARTITIONS.iter().any(|known| wildcard_match(partition, known)) {
        return Err("the ARN must be in an AWS partition, such as aws");
    }
    if !["iam", "sts"].iter().any(|known| wildcard_match(service, known)) {
        return Err("the ARN of a principal must belong to the service iam or sts");
    }
    if !wildcard_match(region, "") {
        return Err("the ARN of a principal has no Region. Leave the Region empty, as in \
                    arn:aws:iam::111122223333:role/NAME");
    }
    if !can_match_account(account) {
        return Err("the account in the ARN must have 12 digits");
    }
    if !can_match_principal(resource) {
        return Err(EXPECTED_FORMS);
    }
    Ok(())
}

/// Whether a pattern can match an account ID.
fn can_match_account(pattern: &str) -> bool {
    let letters = pattern.bytes().filter(|byte| *byte != b'*').count();
    let fits = if pattern.contains('*') { letters <= 12 } else { letters == 12 };
    fits && pattern.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'?'))
}

/// Whether a pattern can match the resource in a principal's ARN.
fn can_match_principal(pattern: &str) -> bool {
    let fixed = pattern.find(['*', '?']).map_or(pattern, |end| &pattern[..end]);
    if fixed.len() < pattern.len() {
        // The text before the first wildcard must be the beginning of a principal type, or begin with one.
        return PRINCIPAL_KINDS
            .iter()
            .any(|kind| kind.starts_with(fixed) || kind.ends_with('/') && fixed.starts_with(kind));
    }
    match pattern.split_once('/') {
        Some(("assumed-role", session)) => {
            session.split_once('/').is_some_and(|(role, session)| !role.is_empty() && !session.is_empty())
        }
        Some(("user" | "role" | "federated-user", name)) => !name.is_empty(),
        _ => pattern == "root",
    }
}

impl ExternalKey {
    /// Fails if the caller can't use the key. `caller` can be an ARN, a service principal, or `AWS Internal`.
    pub(super) fn check_caller(&self, caller: &str) -> Result<(), KeyManagerError> {
        let matches = |pattern: &String| pattern == "*" || arn_like(pattern, caller);
        if self.callers.is_empty() || self.callers.iter().any(matches) {
            return Ok(());
        }
        Err(KeyManagerError::CallerDenied(self.callers.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::manager;
    use super::*;

    #[test]
    fn only_listed_callers_may_use_a_key() {
        let manager = manager();
        let accepts = |callers: &[&str], caller: &str| {
            let callers: Vec<String> = callers.iter().map(|one| (*one).to_owned()).collect();
            manager.set_callers("acme", "k1", &callers).unwrap();
            match manager.check_caller("acme", "k1", caller) {
                Ok(()) => true,
                Err(KeyManagerError::CallerDenied(denied_by)) => {
                    assert_eq!(denied_by, callers);
                    false
                }
                Err(error) => panic!("{error}"),
            }
        };
        let role = "arn:aws:sts::111122223333:assumed-role/PaymentsApi/i-0a1b";
        for (callers, caller, is_accepted) in [
            (&[][..], "anybody", true),
            (&["*"], role, true),
            (&[role], role, true),
            (&["arn:aws:sts::111122223333:assumed-role/PaymentsApi/*"], role, true),
            (&["arn:aws:sts::????22223333:assumed-role/Payments???/*"], role, true),
            (&["arn:aws:iam::111122223333:user/Admin", role], role, true),
            (&["arn:aws:sts::111122223333:assumed-role/Payments/*"], role, false),
            (&["arn:aws:iam::111122223333:role/PaymentsApi"], role, false),
            (&["arn:aws:sts::111122223333:*"], role, true),
            (&["AWS Internal"], "AWS Internal", true),
            (&["AWS Internal"], "aws internal", false),
            (&["*.amazonaws.com"], "ec2.amazonaws.com", true),
            (&["*.amazonaws.com"], "AWS Internal", false),
            (&["arn:aws:iam::111122223333:*"], "AWS Internal", false),
            (&["arn:aws:iam::111122223333:*"], "", false),
        ] {
            assert_eq!(accepts(callers, caller), is_accepted, "{callers:?} {caller}");
        }
        let too_many = vec!["*".to_owned(); 101];
        for wrong in [vec![String::new()], vec!["a\nb".to_owned()], vec!["a".repeat(2049)], too_many] {
            assert!(matches!(manager.set_callers("acme", "k1", &wrong), Err(KeyManagerError::Invalid { .. })));
        }
        assert!(matches!(manager.set_callers("acme", "k9", &[]), Err(KeyManagerError::KeyNotFound)));
        assert!(matches!(manager.check_caller("acme", "k9", role), Err(KeyManagerError::KeyNotFound)));
    }

    #[test]
    fn unmatchable_caller_pattern_is_rejected() {
        for caller in [
            "arn:aws:iam::111122223333:user/Alice",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:role/service/*",
            "arn:aws-cn:sts::111122223333:assumed-role/Payments/session",
            "arn:aws:sts::111122223333:federated-user/bob",
            "arn:*:*:*:*:*",
            "arn:aws:*::1111*:*Payments*",
            "arn:aws:iam::111122223333:u*",
            "logs.us-west-2.amazonaws.com",
        ] {
            assert_eq!(check_pattern(caller), Ok(()), "{caller}");
        }
        for (caller, words) in [
            ("Alice", "enter the ARN"),
            ("aws internal", "enter the ARN"),
            ("111122223333", "enter the ARN"),
            ("nothing.amazonaws.com", "enter the ARN"),
            ("ec2.amazonaws.co", "enter the ARN"),
            ("arn:*", "six parts"),
            ("arn:aws:sts:*:assumed-role/PaymentsApi/*", "six parts"),
            ("urn:aws:iam::111122223333:user/Alice", "six parts"),
            ("arn:aws:iam:111122223333:user/Alice", "six parts"),
            ("arn:aws:sts::111122223333:assumed-role/PaymentsApi", "enter the ARN"),
            ("arn:aws:iam::111122223333:group/Ops", "enter the ARN"),
            ("arn:aws:iam::111122223333:gr*", "enter the ARN"),
            ("arn:aws:iam::1111:user/Alice", "enter the ARN"),
            ("arn:aws:iam::1111:user/*", "12 digits"),
            ("arn:aws:iam::????222233333:user/*", "12 digits"),
            ("arn:aws:iam:us-west-2:111122223333:role/*", "no Region"),
            ("arn:aws:kms:us-west-2:111122223333:key/*", "iam or sts"),
            ("arn:amazon:iam::111122223333:role/*", "partition"),
            ("arn:aws:iam::111122223333:user/Alice Miller", "enter the ARN"),
        ] {
            let rule = check_pattern(caller).unwrap_err();
            assert!(rule.contains(words), "{caller}: {rule}");
        }
    }
}
