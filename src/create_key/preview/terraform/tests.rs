use ::hcl::eval::{Context, Evaluate};
use ::hcl::{Block, Body, Expression, Value};
use proptest::prelude::*;

use super::*;
use crate::create_key::testing::{account_state, draft, key};

fn parse(text: &str) -> Body {
    ::hcl::parse(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

fn blocks<'a>(body: &'a Body, labels: &[&str]) -> Vec<&'a Block> {
    let matches = |block: &&Block| {
        let own = std::iter::once(block.identifier()).chain(block.labels().iter().map(::hcl::BlockLabel::as_str));
        own.take(labels.len()).eq(labels.iter().copied())
    };
    body.blocks().filter(matches).collect()
}

fn argument<'a>(block: &'a Block, name: &str) -> Option<&'a Expression> {
    block.body().attributes().find(|attribute| attribute.key() == name).map(::hcl::Attribute::expr)
}

/// Returns the value of an argument. A call of `jsonencode` is replaced by what it encodes.
fn value(block: &Block, name: &str) -> Option<serde_json::Value> {
    let expression = match argument(block, name)? {
        Expression::FuncCall(call) if call.name.name.as_str() == "jsonencode" => &call.args[0],
        other => other,
    };
    let value: Value = expression.evaluate(&Context::new()).unwrap();
    Some(serde_json::to_value(value).unwrap())
}

fn text(block: &Block, name: &str) -> Option<String> {
    value(block, name).map(|value| value.as_str().unwrap().to_owned())
}

#[test]
fn draft_becomes_a_key_an_alias_and_a_policy() {
    let small = KeyDraft { administrators: vec![], users: vec![], other_accounts: vec![], ..draft() };
    let expected = r#"# Requires version 5.32 or later of the provider hashicorp/aws.
# Configure the provider for account 111122223333, Region us-west-2.

resource "aws_kms_key" "payments" {
  description         = "What's paid by card"
  custom_key_store_id = "cks-1"
  xks_key_id          = "payments-2026"
  tags = {
    team = "payments team"
  }
}

resource "aws_kms_alias" "payments" {
  name          = "alias/payments"
  target_key_id = aws_kms_key.payments.id
}

resource "aws_kms_key_policy" "payments" {
  key_id = aws_kms_key.payments.id
  policy = jsonencode({
    Id      = "key-consolepolicy-3"
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Enable IAM User Permissions"
        Effect = "Allow"
        Principal = {
          AWS = "arn:aws:iam::111122223333:root"
        }
        Action   = "kms:*"
        Resource = "*"
      }
    ]
  })
}
"#;
    assert_eq!(for_draft(&small, &account_state(), &Submission::NotSent), expected);
}

#[test]
fn standard_key_has_no_key_store() {
    let draft = KeyDraft { origin: Origin::AwsKms, ..draft() };
    let configuration = for_draft(&draft, &account_state(), &Submission::NotSent);
    assert!(!configuration.contains("key_store") && !configuration.contains("xks"), "{configuration}");
}

#[test]
fn created_key_is_imported_and_its_missing_alias_is_not() {
    let created = Box::new(key("1111aaaa", "payments-2026"));
    let imports = |submission: &Submission| {
        let body = parse(&for_draft(&draft(), &account_state(), submission));
        blocks(&body, &["import"]).into_iter().map(|block| text(block, "id").unwrap()).collect::<Vec<_>>()
    };
    let failure = crate::create_key::submission::SubmissionFailure {
        code: "AccessDeniedException".to_owned(),
        message: String::new(),
        request_id: String::new(),
        outcome_unknown: false,
    };
    assert_eq!(imports(&Submission::KeyWithoutAlias { key: created.clone(), failure }), ["1111aaaa", "1111aaaa"]);
    assert_eq!(imports(&Submission::Done { key: created }), ["1111aaaa", "alias/payments", "1111aaaa"]);
}

#[test]
fn edited_policy_that_is_not_json_stays_a_string() {
    let draft = KeyDraft { edited_policy: Some("{\n  \"Version\": ".to_owned()), ..draft() };
    let configuration = for_draft(&draft, &account_state(), &Submission::NotSent);
    let body = parse(&configuration);
    let policy = blocks(&body, &["resource", "aws_kms_key_policy"])[0];
    assert_eq!(text(policy, "policy").unwrap(), "{\n  \"Version\": ");
    assert!(configuration.contains("# The key policy isn't valid JSON."), "{configuration}");
}

#[test]
fn existing_key_is_imported_with_all_its_aliases() {
    let existing = KeySummary { key_state: KeyState::Disabled, ..key("1111-aaaa", "payments-2026").into() };
    let tag = |key: &str| Tag { tag_key: key.to_owned(), tag_value: "x".to_owned() };
    let aliases = ["a/b".to_owned(), "a_b".to_owned(), "a-b".to_owned()];
    let policy = crate::aws::policy::default_policy("aws", "111122223333");
    let known = ExistingKey {
        key: &existing,
        aliases: &aliases,
        tags: Some(&[tag("team"), tag("aws:cloudformation:stack-id")]),
        policy: Some(&policy),
        rotation_period_in_days: None,
    };
    let body = parse(&for_key(&known, &account_state()).unwrap());
    let key = blocks(&body, &["resource", "aws_kms_key", "a_b"])[0];
    assert_eq!(value(key, "is_enabled"), Some(false.into()));
    assert_eq!(value(key, "tags"), Some(serde_json::json!({ "team": "x" })));
    let aliases = blocks(&body, &["resource", "aws_kms_alias"]);
    let names: Vec<&str> = aliases.iter().map(|block| block.labels()[1].as_str()).collect();
    assert_eq!(names, ["a_b", "a_b_2", "a_b_3"]);
    assert_eq!(text(aliases[2], "name").unwrap(), "alias/a-b");
    assert_eq!(blocks(&body, &["import"]).len(), 5);
}

#[test]
fn import_says_what_is_unknown() {
    let existing = KeySummary { key_state: KeyState::PendingDeletion, ..key("1111-aaaa", "payments-2026").into() };
    let unknown = ExistingKey { key: &existing, aliases: &[], tags: None, policy: None, rotation_period_in_days: None };
    let configuration = for_key(&unknown, &account_state()).unwrap();
    for words in ["is pending deletion", "tags of the key aren't known", "key policy isn't known", "\"key_1111_aaaa\""]
    {
        assert!(configuration.contains(words), "{configuration}");
    }
    let managed = KeySummary { key_manager: KeyManagerType::Aws, ..existing.clone() };
    assert_eq!(for_key(&ExistingKey { key: &managed, ..unknown }, &account_state()), None);
}

#[test]
fn rotation_and_imported_key_material_keep_their_settings() {
    let existing = KeySummary {
        origin: Origin::AwsKms,
        custom_key_store_id: None,
        xks_key_id: None,
        ..key("1111-aaaa", "x").into()
    };
    let known =
        ExistingKey { key: &existing, aliases: &[], tags: None, policy: None, rotation_period_in_days: Some(365) };
    let configuration = for_key(&known, &account_state()).unwrap();
    assert!(configuration.contains("rotation_period_in_days = 365"), "{configuration}");
    let imported = KeySummary { origin: Origin::External, key_state: KeyState::Disabled, ..existing.clone() };
    let configuration = for_key(&ExistingKey { key: &imported, ..known }, &account_state()).unwrap();
    let body = parse(&configuration);
    let key = blocks(&body, &["resource", "aws_kms_external_key"])[0];
    assert_eq!(value(key, "enabled"), Some(false.into()));
    assert!(argument(key, "enable_key_rotation").is_none());
}

#[test]
fn resource_names_are_identifiers() {
    for (alias, expected) in [
        ("team/payments-db", "team_payments_db"),
        ("2026", "key_2026"),
        ("", "key"),
        ("_x", "key__x"),
        ("ключ", "key_____"),
    ] {
        assert_eq!(resource_name(alias), expected);
    }
}

proptest! {
    #[test]
    fn every_value_parses_back(
        alias in "[a-zA-Z0-9/_${}\" -]{1,12}",
        description in prop_oneof![any::<String>(), "[${}%\"\\\\\n]{1,20}"],
        tags in prop::collection::btree_map("[a-z${% :é]{1,8}", any::<String>(), 0..4),
        variable in "[a-z${}%\"]{0,10}",
    ) {
        let sid = format!("${{aws:{variable}}}");
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [{ "Sid": sid, "Effect": "Deny" }] });
        let draft = KeyDraft {
            alias: alias.clone(),
            description: description.clone(),
            tags: tags.iter().map(|(key, value)| Tag { tag_key: key.clone(), tag_value: value.clone() }).collect(),
            edited_policy: Some(policy.to_string()),
            ..draft()
        };
        let body = parse(&for_draft(&draft, &account_state(), &Submission::NotSent));
        let key = blocks(&body, &["resource", "aws_kms_key"])[0];
        prop_assert_eq!(text(key, "description").unwrap_or_default(), description);
        let written = value(key, "tags").unwrap_or_else(|| serde_json::json!({}));
        prop_assert_eq!(written, serde_json::to_value(tags).unwrap());
        let alias_block = blocks(&body, &["resource", "aws_kms_alias"])[0];
        prop_assert_eq!(text(alias_block, "name").unwrap(), format!("alias/{alias}"));
        prop_assert_eq!(value(blocks(&body, &["resource", "aws_kms_key_policy"])[0], "policy").unwrap(), policy);
    }
}
