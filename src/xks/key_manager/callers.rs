//! Whom an external key is for: the specification's *secondary authorization*, by the caller of AWS KMS.

use super::{ExternalKey, KeyManagerError};
use crate::aws::policy::{arn_like, check_principal_arn, is_service_principal, wildcard_match};

/// The caller that AWS KMS names for what it does by itself.
const AWS_INTERNAL: &str = "AWS Internal";
/// The partitions of AWS.
const AWS_PARTITIONS: [&str; 7] = ["aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"];
/// The most callers that one external key names.
const MAX_CALLERS: usize = 100;
/// The most characters of one, as many as a principal may have.
const MAX_CALLER_LENGTH: usize = 2048;

/// What any caller may be, for those who wrote something else.
const EXPECTED_FORMS: &str = "write the ARN of a user, a role, a session of a role or an account, such as \
    arn:aws:sts::111122223333:assumed-role/NAME/*, a service principal such as ec2.amazonaws.com, AWS Internal, or *";
/// The kinds of principals, as resources of their ARNs start.
const PRINCIPAL_KINDS: [&str; 5] = ["user/", "role/", "assumed-role/", "federated-user/", "root"];
/// How service principals end.
const SERVICE_PRINCIPAL_SUFFIXES: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// Refuses what can't be the callers of a key.
pub fn check(callers: &[String]) -> Result<(), KeyManagerError> {
    let invalid = |value: String, rule| Err(KeyManagerError::Invalid { what: "the caller", value, rule });
    if callers.len() > MAX_CALLERS {
        return invalid(format!("{} of them", callers.len()), "a key has up to 100 callers");
    }
    for caller in callers {
        if let Err(rule) = check_pattern(caller) {
            return invalid(caller.clone(), rule);
        }
    }
    Ok(())
}

/// Refuses a pattern that no caller of AWS KMS can match.
fn check_pattern(caller: &str) -> Result<(), &'static str> {
    let has_wildcards = caller.contains(['*', '?']);
    if !(1..=MAX_CALLER_LENGTH).contains(&caller.len()) {
        return Err("a caller has 1 to 2048 characters");
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
        return Err("an ARN has six parts, and no wildcard reaches over a colon: \
                    arn:aws:sts::111122223333:assumed-role/NAME/*");
    };
    if !has_wildcards && service == "iam" {
        return check_principal_arn(caller, partition).map_err(|_| EXPECTED_FORMS);
    }
    if !AWS_PARTITIONS.iter().any(|known| wildcard_match(partition, known)) {
        return Err("the partition of the ARN isn't one of AWS, such as aws");
    }
    if !["iam", "sts"].iter().any(|known| wildcard_match(service, known)) {
        return Err("principals are of the services iam and sts");
    }
    if !wildcard_match(region, "") {
        return Err("principals have no Region: nothing stands before the account, as in \
                    arn:aws:iam::111122223333:role/NAME");
    }
    if !can_match_account(account) {
        return Err("the account of the ARN isn't one: it has 12 digits");
    }
    if !can_match_principal(resource) {
        return Err(EXPECTED_FORMS);
    }
    Ok(())
}

/// Whether a pattern can match the ID of an account.
fn can_match_account(pattern: &str) -> bool {
    let letters = pattern.bytes().filter(|byte| *byte != b'*').count();
    let fits = if pattern.contains('*') { letters <= 12 } else { letters == 12 };
    fits && pattern.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'?'))
}

/// Whether a pattern can match the resource of a principal's ARN.
fn can_match_principal(pattern: &str) -> bool {
    let fixed = pattern.find(['*', '?']).map_or(pattern, |end| &pattern[..end]);
    if fixed.len() < pattern.len() {
        // What comes before the first wildcard begins a kind, or goes on after one.
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
    /// Refuses a caller that the key isn't for. `caller` may be an ARN, a service principal or `AWS Internal`.
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
        let takes = |callers: &[&str], caller: &str| {
            let callers: Vec<String> = callers.iter().map(|one| (*one).to_owned()).collect();
            manager.set_callers("acme", "k1", &callers).unwrap();
            match manager.check_caller("acme", "k1", caller) {
                Ok(()) => true,
                Err(KeyManagerError::CallerDenied(told)) => {
                    assert_eq!(told, callers);
                    false
                }
                Err(error) => panic!("{error}"),
            }
        };
        let role = "arn:aws:sts::111122223333:assumed-role/PaymentsApi/i-0a1b";
        for (callers, caller, is_taken) in [
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
            assert_eq!(takes(callers, caller), is_taken, "{callers:?} {caller}");
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
            ("Alice", "write the ARN"),
            ("aws internal", "write the ARN"),
            ("111122223333", "write the ARN"),
            ("nothing.amazonaws.com", "write the ARN"),
            ("ec2.amazonaws.co", "write the ARN"),
            ("arn:*", "six parts"),
            ("arn:aws:sts:*:assumed-role/PaymentsApi/*", "six parts"),
            ("urn:aws:iam::111122223333:user/Alice", "six parts"),
            ("arn:aws:iam:111122223333:user/Alice", "six parts"),
            ("arn:aws:sts::111122223333:assumed-role/PaymentsApi", "write the ARN"),
            ("arn:aws:iam::111122223333:group/Ops", "write the ARN"),
            ("arn:aws:iam::111122223333:gr*", "write the ARN"),
            ("arn:aws:iam::1111:user/Alice", "write the ARN"),
            ("arn:aws:iam::1111:user/*", "12 digits"),
            ("arn:aws:iam::????222233333:user/*", "12 digits"),
            ("arn:aws:iam:us-west-2:111122223333:role/*", "no Region"),
            ("arn:aws:kms:us-west-2:111122223333:key/*", "iam and sts"),
            ("arn:amazon:iam::111122223333:role/*", "partition"),
            ("arn:aws:iam::111122223333:user/Alice Miller", "write the ARN"),
        ] {
            let rule = check_pattern(caller).unwrap_err();
            assert!(rule.contains(words), "{caller}: {rule}");
        }
    }
}
