//! Validation of the ARNs that can be principals of a key. Sources: *Key policies in AWS KMS*; *AWS JSON policy
//! elements: Principal*; *IAM and AWS STS quotas*.

use crate::aws::arn::Arn;
use crate::aws::limits;

/// The maximum length of a user or role name.
const MAX_NAME_LENGTH: usize = 64;
/// The maximum length of a path.
const MAX_PATH_LENGTH: usize = 512;

/// Validates that `text` is the ARN of an IAM user, an IAM role, or an account root user in any account of the
/// partition.
///
/// KMS also accepts role sessions in a key policy, but sessions expire, so they are poor key administrators and key
/// users.
///
/// # Errors
/// A message that describes the problem and what to enter instead.
pub fn check_principal_arn(text: &str, partition: &str) -> Result<(), String> {
    let example = format!("arn:{partition}:iam::111122223333:role/Name");
    let Ok(arn) = text.parse::<Arn>() else {
        return Err(format!("This isn't an ARN. Enter the ARN of an IAM user or role, such as {example}."));
    };
    if arn.partition != partition {
        return Err(format!("This ARN is in partition {}. Use an ARN in partition {partition}.", arn.partition));
    }
    if let ("sts", Some(session)) = (&*arn.service, arn.resource.strip_prefix("assumed-role/")) {
        let role = session.split('/').next().unwrap_or_default();
        return Err(format!(
            "This is the ARN of a role session, which is temporary. Enter the ARN of the role {role}, including its \
             path if it has one."
        ));
    }
    if arn.service != "iam" {
        return Err(format!(
            "This ARN belongs to the service {}. Enter the ARN of an IAM user or role, such as {example}.",
            arn.service
        ));
    }
    if !arn.region.is_empty() {
        return Err(format!("An IAM ARN has no Region. Leave the Region empty, as in {example}."));
    }
    limits::account_id(&arn.account).map_err(|violation| format!("Account: {}", violation.reason))?;
    if arn.resource.contains(['*', '?']) {
        return Err(
            "The ARN of a principal can't contain * or ? wildcards. Enter each user or role separately.".to_owned()
        );
    }
    if arn.resource == "root" {
        return Ok(());
    }
    let (kind, full_name) = arn.resource.split_once('/').unwrap_or((&arn.resource, ""));
    match kind {
        "user" | "role" => check_name(kind, full_name),
        "group" => Err("A group can't be a principal. Enter its users or a role.".to_owned()),
        _ => Err(format!("\"{kind}\" isn't a user or role. Enter the ARN of one, such as {example}.")),
    }
}

fn check_name(kind: &str, full_name: &str) -> Result<(), String> {
    let (path, name) = full_name.rsplit_once('/').unwrap_or(("", full_name));
    if name.is_empty() {
        return Err(format!("The {kind} name is missing."));
    }
    if name.chars().count() > MAX_NAME_LENGTH {
        return Err(format!("A {kind} name can have up to {MAX_NAME_LENGTH} characters."));
    }
    let is_valid = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if let Some(wrong) = name.chars().find(|c| !is_valid(*c)) {
        return Err(format!("A {kind} name can't contain \"{}\".", wrong.escape_default()));
    }
    let is_printable = path.chars().all(|c| c.is_ascii_graphic());
    if !is_printable || path.len() + 2 > MAX_PATH_LENGTH || full_name.starts_with('/') || full_name.contains("//") {
        return Err(format!(
            "The path before {name} must consist of printable ASCII characters, without consecutive slashes."
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn users_roles_and_accounts_are_valid_principals() {
        for arn in [
            "arn:aws:iam::111122223333:user/ann",
            "arn:aws:iam::444455556666:role/division/team/App+1=a,b.c@d-e_f",
            "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Ops_0123456789abcdef",
            "arn:aws:iam::444455556666:root",
        ] {
            assert_eq!(check_principal_arn(arn, "aws"), Ok(()), "{arn}");
        }
        assert_eq!(check_principal_arn("arn:aws-cn:iam::111122223333:user/ann", "aws-cn"), Ok(()));
    }

    #[test]
    fn invalid_principal_is_rejected_with_a_remedy() {
        for (arn, words) in [
            ("", "This isn't an ARN"),
            ("Ops", "This isn't an ARN"),
            ("*", "This isn't an ARN"),
            ("arn:aws-cn:iam::111122223333:user/ann", "partition aws-cn"),
            ("arn:aws:sts::111122223333:assumed-role/Ops/ann", "the role Ops"),
            ("arn:aws:sts::111122223333:federated-user/ann", "service sts"),
            ("arn:aws:kms:us-west-2:111122223333:key/x", "service kms"),
            ("arn:aws:iam:us-west-2:111122223333:role/Ops", "no Region"),
            ("arn:aws:iam::1111:role/Ops", "Account:"),
            ("arn:aws:iam::111122223333:role/*", "* or ?"),
            ("arn:aws:iam::111122223333:group/Ops", "A group"),
            ("arn:aws:iam::111122223333:instance-profile/Ops", "isn't a user or role"),
            ("arn:aws:iam::111122223333:role", "role name is missing"),
            ("arn:aws:iam::111122223333:role/team/", "role name is missing"),
            ("arn:aws:iam::111122223333:role//Ops", "consecutive slashes"),
            ("arn:aws:iam::111122223333:user/a b", "can't contain"),
            ("arn:aws:iam::111122223333:user/\u{1b}[2J", "\\u{1b}"),
        ] {
            let error = check_principal_arn(arn, "aws").unwrap_err();
            assert!(error.contains(words), "{arn}: {error}");
        }
        assert!(check_principal_arn(&format!("arn:aws:iam::111122223333:user/{}", "a".repeat(65)), "aws").is_err());
    }

    proptest! {
        #[test]
        fn check_never_panics_and_rejects_control_characters(
            text in prop_oneof![any::<String>(), "arn:aws:iam::[0-9]{12}:(role|user)/.{0,20}"]
        ) {
            if check_principal_arn(&text, "aws").is_ok() {
                prop_assert!(text.is_ascii() && !text.chars().any(char::is_control));
            }
        }
    }
}
