//! The draft of a KMS key that is like an existing one.

use serde_json::Value;

use super::account_state::AccountState;
use super::draft::KeyDraft;
use super::key_summary::KeySummary;
use super::method::Method;
use crate::aws::kms::{ConnectionState, KeyManagerType, Origin, Tag};
use crate::aws::limits;
use crate::aws::policy::{self, ConsolePolicy, check_principal_arn, is_equivalent};

/// Returns the method and the draft that create a KMS key like `key`: in the same key store, and with its tags, key
/// administrators, key users, and other accounts. The alias, the description, and the external key stay empty, because
/// they belong to one key.
///
/// If the key policy has other statements than the console generates, the draft gets it as an edited policy.
///
/// # Errors
/// Why the wizard can't create such a key.
pub fn similar_key(
    key: &KeySummary,
    (tags, policy): (&[Tag], &str),
    account: &AccountState,
) -> Result<(Method, KeyDraft), &'static str> {
    let method = method_for(key, account)?;
    let console = ConsolePolicy::parse(policy);
    let is_generated = console.as_ref().is_some_and(|console| has_same_statements(policy, &console.to_json()));
    if !is_generated && policy.contains(key.key_id()) {
        return Err("Its policy names this key.");
    }
    let console = console.unwrap_or(ConsolePolicy { administrators_may_delete: true, ..ConsolePolicy::default() });
    // AWS shows a deleted user or role as a unique ID, which a new policy can't contain.
    let existing = |names: Vec<String>| -> Vec<String> {
        names.into_iter().filter(|name| check_principal_arn(name, &account.partition).is_ok()).collect()
    };
    let draft = KeyDraft {
        tags: tags.iter().filter(|tag| !limits::is_reserved_tag(&tag.tag_key)).cloned().collect(),
        administrators: existing(console.administrators),
        administrators_may_delete: console.administrators_may_delete,
        users: existing(console.users),
        other_accounts: console.other_accounts,
        edited_policy: (!is_generated).then(|| policy::indented_or_unchanged(policy)),
        ..KeyDraft::new(&method)
    };
    Ok((method, draft))
}

/// Returns the method that creates keys of this origin.
fn method_for(key: &KeySummary, account: &AccountState) -> Result<Method, &'static str> {
    if key.key_manager == KeyManagerType::Aws {
        return Err("AWS manages this key.");
    }
    if key.is_multi_region || key.key_usage != "ENCRYPT_DECRYPT" || key.key_spec != "SYMMETRIC_DEFAULT" {
        return Err("Unsupported key type.");
    }
    match (key.origin, key.custom_key_store_id.as_deref()) {
        (Origin::AwsKms, _) => Ok(Method::FromCustomerManagedKeys),
        (Origin::ExternalKeyStore, Some(id)) => match account.key_store(id) {
            Some(store) if store.connection_state == ConnectionState::Connected => {
                Ok(Method::FromKeyStore { custom_key_store_id: id.to_owned() })
            }
            Some(_) => Err("Connect the key store first."),
            None => Err("The key store isn't loaded."),
        },
        _ => Err("Unsupported key material origin."),
    }
}

fn has_same_statements(one: &str, other: &str) -> bool {
    let statements = |text| -> Option<String> {
        let document: Value = serde_json::from_str(text).ok()?;
        Some(document.get("Statement")?.to_string())
    };
    matches!((statements(one), statements(other)), (Some(one), Some(other)) if is_equivalent(&one, &other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::testing::{account_state, draft, key};

    fn account() -> AccountState {
        AccountState { partition: "aws".to_owned(), ..account_state() }
    }

    fn tag(key: &str) -> Tag {
        Tag { tag_key: key.to_owned(), tag_value: "1".to_owned() }
    }

    #[test]
    fn draft_keeps_store_tags_and_principals_but_no_alias_and_no_external_key() {
        let (account, original) = (account(), draft());
        let key = KeySummary::from(key("2222bbbb", "payments-2026"));
        let policy = original.generated_policy(&account);
        let tags = [tag("team"), tag("aws:cloudformation:stack-id")];
        let (method, like) = similar_key(&key, (&tags, &policy), &account).unwrap();
        assert_eq!(method, Method::FromKeyStore { custom_key_store_id: "cks-1".to_owned() });
        let expected = KeyDraft {
            xks_key_id: String::new(),
            alias: String::new(),
            description: String::new(),
            acknowledged: false,
            tags: vec![tag("team")],
            ..original
        };
        assert_eq!(like, expected);
    }

    #[test]
    fn statements_of_other_origin_are_kept_as_edited_policy() {
        let account = account();
        let key = KeySummary::from(key("2222bbbb", "payments-2026"));
        let policy = draft().generated_policy(&account).replace("\"kms:TagResource\",", "");
        let (_, like) = similar_key(&key, (&[], &policy), &account).unwrap();
        assert!(is_equivalent(like.edited_policy.as_deref().unwrap(), &policy));
        assert_eq!(like.users, draft().users);
        let about_itself = policy.replace("\"Resource\": \"*\"", &format!("\"Resource\": \"{}\"", key.arn));
        assert_eq!(similar_key(&key, (&[], &about_itself), &account), Err("Its policy names this key."));
    }

    #[test]
    fn deleted_principal_is_left_out() {
        let account = account();
        let key = KeySummary::from(key("2222bbbb", "payments-2026"));
        let gone = KeyDraft { users: vec!["AROAEXAMPLEROLEID1234".to_owned()], ..draft() };
        let (_, like) = similar_key(&key, (&[], &gone.generated_policy(&account)), &account).unwrap();
        assert_eq!((like.users, like.edited_policy), (Vec::new(), None));
    }

    #[test]
    fn keys_that_the_wizard_cannot_create_have_a_reason() {
        let account = account();
        let policy = draft().generated_policy(&account);
        let original = KeySummary::from(key("2222bbbb", "payments-2026"));
        let reason = |key: &KeySummary, account: &AccountState| similar_key(key, (&[], &policy), account).unwrap_err();
        let imported = KeySummary { origin: Origin::External, ..original.clone() };
        assert_eq!(reason(&imported, &account), "Unsupported key material origin.");
        let multi_region = KeySummary { is_multi_region: true, ..original.clone() };
        assert_eq!(reason(&multi_region, &account), "Unsupported key type.");
        let managed = KeySummary { key_manager: KeyManagerType::Aws, ..original.clone() };
        assert_eq!(reason(&managed, &account), "AWS manages this key.");
        let nowhere = AccountState { key_stores: crate::create_key::account_state::Loadable::Loading, ..account };
        assert_eq!(reason(&original, &nowhere), "The key store isn't loaded.");
    }
}
