//! Which ARNs a person may name as principals of a key. Sources: *Key policies in AWS KMS*; *AWS JSON policy elements:
//! Principal*; *IAM and AWS STS quotas*.

use crate::aws::arn::Arn;
use crate::aws::limits;

/// The longest name of a user or role.
const MAX_NAME_LENGTH: usize = 64;
/// The longest path.
const MAX_PATH_LENGTH: usize = 512;

/// Whether `text` is the ARN of an IAM user, an IAM role or an account's root, of any account of the partition.
///
/// A key policy takes sessions of roles too; but they end, and an administrator or user of a key should not.
///
/// # Errors
/// What is wrong and what to write instead.
pub fn check_principal_arn(text: &str, partition: &str) -> Result<(), String> {
    let example = format!("arn:{partition}:iam::111122223333:role/Name");
    let Ok(arn) = text.parse::<Arn>() else {
        return Err(format!("This is no ARN. Write the ARN of an IAM user or role, such as {example}."));
    };
    if arn.partition != partition {
        return Err(format!("It is of the partition {}; principals of this key are of {partition}.", arn.partition));
    }
    if let ("sts", Some(session)) = (&*arn.service, arn.resource.strip_prefix("assumed-role/")) {
        let role = session.split('/').next().unwrap_or_default();
        return Err(format!(
            "This is a session, which ends. Write the ARN of its role {role}, with the path if it has one."
        ));
    }
    if arn.service != "iam" {
        return Err(format!(
            "It is of the service {}. Write the ARN of an IAM user or role, such as {example}.",
            arn.service
        ));
    }
    if !arn.region.is_empty() {
        return Err(format!("IAM has no Regions: nothing stands before the account, as in {example}."));
    }
    limits::account_id(&arn.account).map_err(|violation| format!("The account: {}", violation.reason))?;
    if arn.resource.contains(['*', '?']) {
        return Err("A principal can't have * or ? in its ARN: name each user or role.".to_owned());
    }
    if arn.resource == "root" {
        return Ok(());
    }
    let (kind, full_name) = arn.resource.split_once('/').unwrap_or((&arn.resource, ""));
    match kind {
        "user" | "role" => check_name(kind, full_name),
        "group" => Err("A key policy takes no groups. Name the users, or a role.".to_owned()),
        _ => Err(format!("‘{kind}’ is no user or role. Write the ARN of one, such as {example}.")),
    }
}

fn check_name(kind: &str, full_name: &str) -> Result<(), String> {
    let (path, name) = full_name.rsplit_once('/').unwrap_or(("", full_name));
    if name.is_empty() {
        return Err(format!("The name of the {kind} is missing."));
    }
    if name.chars().count() > MAX_NAME_LENGTH {
        return Err(format!("The name of a {kind} has at most {MAX_NAME_LENGTH} characters."));
    }
    let may_stand = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if let Some(wrong) = name.chars().find(|c| !may_stand(*c)) {
        return Err(format!("‘{}’ can't stand in the name of a {kind}.", wrong.escape_default()));
    }
    let is_printable = path.chars().all(|c| c.is_ascii_graphic());
    if !is_printable || path.len() + 2 > MAX_PATH_LENGTH || full_name.starts_with('/') || full_name.contains("//") {
        return Err(format!("The path before {name} is not one: printable ASCII between single slashes."));
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
            ("", "This is no ARN"),
            ("Ops", "This is no ARN"),
            ("*", "This is no ARN"),
            ("arn:aws-cn:iam::111122223333:user/ann", "partition aws-cn"),
            ("arn:aws:sts::111122223333:assumed-role/Ops/ann", "its role Ops"),
            ("arn:aws:sts::111122223333:federated-user/ann", "service sts"),
            ("arn:aws:kms:us-west-2:111122223333:key/x", "service kms"),
            ("arn:aws:iam:us-west-2:111122223333:role/Ops", "no Regions"),
            ("arn:aws:iam::1111:role/Ops", "The account"),
            ("arn:aws:iam::111122223333:role/*", "* or ?"),
            ("arn:aws:iam::111122223333:group/Ops", "no groups"),
            ("arn:aws:iam::111122223333:instance-profile/Ops", "is no user or role"),
            ("arn:aws:iam::111122223333:role", "name of the role is missing"),
            ("arn:aws:iam::111122223333:role/team/", "name of the role is missing"),
            ("arn:aws:iam::111122223333:role//Ops", "is not one"),
            ("arn:aws:iam::111122223333:user/a b", "can't stand"),
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
