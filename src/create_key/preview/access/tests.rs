use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::aws::policy::ConsolePolicy;

const ACCOUNT: &str = "111122223333";

fn console_policy() -> ConsolePolicy {
    ConsolePolicy {
        partition: "aws".to_owned(),
        account: ACCOUNT.to_owned(),
        administrators: vec!["arn:aws:iam::111122223333:role/ops/KeyAdmin".to_owned()],
        administrators_may_delete: true,
        users: vec!["arn:aws:iam::111122223333:user/ada".to_owned(), "arn:aws:iam::111122223333:role/App".to_owned()],
        other_accounts: vec!["444455556666".to_owned()],
    }
}

/// Describes a policy with one statement for all resources.
fn words(mut statement: Value) -> String {
    for (member, default) in [("Effect", "Allow"), ("Resource", "*")] {
        let members = statement.as_object_mut().unwrap();
        members.entry(member).or_insert_with(|| json!(default));
    }
    describe(&json!({ "Statement": statement }).to_string(), ACCOUNT).join("\n")
}

fn of_ada(action: &Value) -> String {
    words(json!({ "Principal": { "AWS": "arn:aws:iam::111122223333:user/ada" }, "Action": action }))
}

#[test]
fn generated_policy_is_described_in_sentences() {
    let policy = console_policy();
    assert_eq!(
        describe(&policy.to_json(), ACCOUNT),
        [
            "IAM policies of account 111122223333 can grant access to this key.",
            "The role ops/KeyAdmin can administer this key, delete it, and create grants for it.",
            "The user ada and the role App can encrypt, decrypt, and re-encrypt data with this key, and generate data \
             keys with it.",
            "Account 444455556666 can encrypt, decrypt, and re-encrypt data with this key, and generate data keys with \
             it, if its IAM policies also allow it.",
            "The user ada and the role App can create grants for this key if the grants are for AWS services.",
            "Account 444455556666 can create grants for this key if its IAM policies also allow it and the grants are \
             for AWS services.",
        ]
    );
    let policy = ConsolePolicy { administrators_may_delete: false, ..policy };
    assert_eq!(
        describe(&policy.to_json(), ACCOUNT)[1],
        "The role ops/KeyAdmin can administer this key and create grants for it, but not delete it."
    );
}

#[test]
fn entries_name_the_principal_the_capabilities_and_the_statement() {
    let entries = entries(&console_policy().to_json(), ACCOUNT).unwrap();
    assert_eq!(entries.len(), 8);
    let expected = AccessEntry {
        principal: AccessPrincipal::Account { id: "444455556666".to_owned(), owns_key: false },
        effect: Effect::Allow,
        capabilities: vec![Capability::CreateGrants],
        conditions: vec!["the grants are for AWS services".to_owned()],
        sid: Some("Allow attachment of persistent resources".to_owned()),
        statement: 3,
    };
    assert_eq!(entries[7], expected);
}

#[test]
fn actions_become_capabilities_or_are_named_as_written() {
    for (action, expected) in [
        (json!(["kms:Encrypt", "kms:DescribeKey"]), "The user ada can encrypt data with this key."),
        (json!(["KMS:encrypt", "kms:decrypt"]), "The user ada can encrypt and decrypt data with this key."),
        (json!(["kms:Decrypt", "kms:Future"]), "The user ada can decrypt data with this key and call kms:Future."),
        (json!("kms:ReEncryptFrom"), "The user ada can call kms:ReEncryptFrom."),
        (json!(["kms:Get*", "kms:List*"]), "The user ada can call kms:Get* and kms:List*."),
        (json!("kms:PutKeyPolicy"), "The user ada can change the key policy of this key."),
        (json!("kms:DescribeKey"), "The user ada can view the details of this key."),
        (json!("kms:Generate*"), "The user ada can generate data keys with this key and generate MACs with it."),
        (
            json!(["kms:CancelKeyDeletion", "kms:Sign"]),
            "The user ada can sign messages with this key and call kms:CancelKeyDeletion.",
        ),
        (json!("*"), "The user ada can do everything with this key."),
    ] {
        assert_eq!(of_ada(&action), expected);
    }
    let all_but = json!({ "Principal": { "AWS": "arn:aws:iam::111122223333:user/ada" }, "NotAction": ["kms:Decrypt"] });
    assert_eq!(words(all_but), "The user ada can do everything with this key except call kms:Decrypt.");
}

#[test]
fn principals_of_every_type_are_described() {
    for (principal, expected) in [
        (json!("*"), "Everyone, in any AWS account, can decrypt data with this key."),
        (json!({ "AWS": "*" }), "Everyone, in any AWS account, can decrypt data with this key."),
        (
            json!({ "AWS": "111122223333" }),
            "IAM policies of account 111122223333 can allow users and roles to decrypt data with this key.",
        ),
        (
            json!({ "AWS": ["444455556666", "arn:aws:iam::777788889999:root"] }),
            "Account 444455556666 and account 777788889999 can decrypt data with this key if their IAM policies also \
             allow it.",
        ),
        (
            json!({ "AWS": "arn:aws:iam::444455556666:role/App" }),
            "The role App of account 444455556666 can decrypt data with this key if the IAM policies of its account \
             also allow it.",
        ),
        (
            json!({ "AWS": "arn:aws:sts::111122223333:assumed-role/Ops/lee" }),
            "The session lee of the role Ops can decrypt data with this key.",
        ),
        (
            json!({ "AWS": "AROA1234567890ABCDEF" }),
            "The deleted user or role AROA1234567890ABCDEF can decrypt data with this key.",
        ),
        (
            json!({ "Service": "logs.us-west-2.amazonaws.com" }),
            "The AWS service logs.us-west-2.amazonaws.com can decrypt data with this key.",
        ),
        (
            json!({ "Federated": "cognito-identity.amazonaws.com" }),
            "Users of the identity provider cognito-identity.amazonaws.com can decrypt data with this key.",
        ),
        (json!({ "AWS": "App" }), "The principal App can decrypt data with this key."),
    ] {
        assert_eq!(words(json!({ "Principal": principal, "Action": "kms:Decrypt" })), expected);
    }
}

#[test]
fn denials_say_who_can_never_do_what() {
    let deny = |principal: Value| json!({ "Effect": "Deny", "Principal": principal, "Action": ["kms:Encrypt", "kms:Decrypt"] });
    let ada = "arn:aws:iam::111122223333:user/ada";
    assert_eq!(words(deny(json!({ "AWS": ada }))), "The user ada can never encrypt or decrypt data with this key.");
    assert_eq!(words(deny(json!("*"))), "No one can encrypt or decrypt data with this key.");
    assert_eq!(
        words(deny(json!({ "AWS": "arn:aws:iam::444455556666:root" }))),
        "No principal of account 444455556666 can encrypt or decrypt data with this key."
    );
    assert_eq!(
        words(json!({
            "Effect": "Deny", "NotPrincipal": { "AWS": [ada, ACCOUNT] }, "Action": "kms:*",
            "Condition": { "Bool": { "aws:SecureTransport": "false" }, "StringEquals": { "aws:SourceVpc": "vpc-1" } }
        })),
        "No one except the user ada and account 111122223333 can do anything with this key if the request doesn't use \
         TLS and the source VPC is vpc-1."
    );
}

#[test]
fn allowed_not_principal_is_everyone_else() {
    let statement = json!({ "NotPrincipal": { "AWS": "arn:aws:iam::111122223333:user/ada" }, "Action": "kms:Encrypt" });
    assert_eq!(words(statement), "Everyone except the user ada, in any AWS account, can encrypt data with this key.");
}

#[test]
fn statement_without_effect_is_named() {
    let other = json!({ "Sid": "bucket", "Principal": "*", "Action": "kms:Decrypt", "Resource": "arn:aws:s3:::b" });
    assert_eq!(
        words(other),
        "The statement \"bucket\" has no effect, because it has no Action or no Resource for this key."
    );
    assert!(words(json!({ "Principal": "*" })).starts_with("Statement 1 has no effect"));
}

#[test]
fn invalid_policy_is_described_by_its_problems() {
    assert!(describe("{\n", ACCOUNT)[0].starts_with("Line 2: This isn't valid JSON"));
}

#[test]
fn unknown_account_is_this_account() {
    let policy = ConsolePolicy { account: String::new(), ..console_policy() };
    assert_eq!(describe(&policy.to_json(), "")[0], "IAM policies of this account can grant access to this key.");
}

proptest! {
    #[test]
    fn every_action_is_described_or_named(actions in prop::collection::vec("kms:[A-Z][a-zA-Z]{0,6}[*?]?", 1..4)) {
        let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": actions.clone(), "Resource": "*" });
        let entries = entries(&json!({ "Statement": statement }).to_string(), ACCOUNT).unwrap();
        prop_assert!(!entries[0].capabilities.is_empty());
        for action in actions.iter().filter(|action| !action.contains(['*', '?'])) {
            let is_known = ["Encrypt", "Decrypt", "Sign", "Verify"].contains(&&action[4..]);
            prop_assert!(is_known || entries[0].capabilities.contains(&Capability::Action(action.clone())));
        }
    }

    #[test]
    fn sentences_end_with_a_period(
        name in "[!-~]{1,20}",
        key in "[a-zA-Z:/]{1,30}",
        operator in prop::sample::select(vec!["StringLike", "ForAnyValue:ArnLikeIfExists", "Null", "Bool", "IpAddress"]),
        value in any::<String>(),
        is_denied: bool,
    ) {
        let statement = json!({
            "Effect": if is_denied { "Deny" } else { "Allow" }, "Principal": { "AWS": name }, "Action": "kms:Encrypt",
            "Resource": "*", "Condition": { operator: { key: value } }
        });
        let policy = json!({ "Statement": statement }).to_string();
        if entries(&policy, ACCOUNT).is_ok() {
            let sentences = describe(&policy, ACCOUNT);
            prop_assert!(sentences.len() == 1 && sentences[0].ends_with('.') && sentences[0].contains(" if "));
        }
    }
}
