//! Whom an external key is for: the specification's *secondary authorization*, by the caller of AWS KMS.

use super::{ExternalKey, KeyManagerError};
use crate::aws::policy::like_arn;

/// The most callers that one external key names.
const MAX_CALLERS: usize = 100;
/// The most characters of one, as many as a principal may have.
const MAX_LENGTH: usize = 2048;

/// Refuses what can't be the callers of a key.
pub fn check(callers: &[String]) -> Result<(), KeyManagerError> {
    let is_one = |caller: &String| (1..=MAX_LENGTH).contains(&caller.len()) && !caller.contains(char::is_control);
    match callers.iter().find(|caller| !is_one(caller)) {
        None if callers.len() <= MAX_CALLERS => Ok(()),
        wrong => Err(KeyManagerError::Invalid {
            what: "the caller",
            value: wrong.cloned().unwrap_or_else(|| format!("{} of them", callers.len())),
            rule: "a key has up to 100 callers, each of 1 to 2048 characters, such as arn:aws:iam::111122223333:role/app/*",
        }),
    }
}

impl ExternalKey {
    /// Refuses a caller that the key isn't for. `caller` may be an ARN, a service principal or `AWS Internal`.
    pub(super) fn is_for(&self, caller: &str) -> Result<(), KeyManagerError> {
        let matches = |pattern: &String| pattern == "*" || like_arn(pattern, caller);
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
    fn a_key_is_for_the_callers_that_it_names() {
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
            (&["arn:aws:sts::111122223333:assumed-role/PaymentsApi"], role, false),
            // No wildcard reaches over a colon: another account stays another account.
            (&["arn:aws:sts:*:assumed-role/PaymentsApi/*"], role, false),
            (&["arn:*"], role, false),
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
        for wrong in [vec![String::new()], vec!["a\nb".to_owned()], vec!["a".repeat(2049)], vec!["a".to_owned(); 101]] {
            assert!(matches!(manager.set_callers("acme", "k1", &wrong), Err(KeyManagerError::Invalid { .. })));
        }
        assert!(matches!(manager.set_callers("acme", "k9", &[]), Err(KeyManagerError::KeyNotFound)));
        assert!(matches!(manager.check_caller("acme", "k9", role), Err(KeyManagerError::KeyNotFound)));
    }
}
