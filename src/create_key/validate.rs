//! The validation of each step, as pure functions of the draft and the account state.

use super::account_state::AccountState;
use super::draft::KeyDraft;
use super::external_keys;
use super::field::Field;
use super::method::{Method, Step};
use crate::aws::kms::{ConnectionState, CustomKeyStore, Tag};
use crate::aws::limits::{self, Violation};
use crate::aws::policy;

/// An invalid field, with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The field.
    pub field: Field,
    /// What is wrong, and what to do.
    pub message: String,
}

impl FieldError {
    /// Returns the message for a user interface that asks for one line after the other, where there are no keys to
    /// press and no check boxes.
    pub fn prompt_message(&self, draft: &KeyDraft, account: &AccountState) -> String {
        match self.field {
            Field::Acknowledgement => "Answer yes to continue.".to_owned(),
            Field::CustomKeyStore => match disconnected_store(draft, account) {
                Some(store) => format!("{} Connect it, or choose another key store.", connection_sentence(store)),
                None => self.message.clone(),
            },
            Field::AddAdministrator | Field::AddUser => {
                self.message.replace("Press Enter to add it, or clear the field.", "Enter it again, or clear it.")
            }
            Field::OtherAccount(_) => self.message.replace("in the table above", "in the list of users and roles"),
            _ => self.message.clone(),
        }
    }
}

/// Returns the selected key store of the draft, if it isn't connected.
fn disconnected_store<'a>(draft: &KeyDraft, account: &'a AccountState) -> Option<&'a CustomKeyStore> {
    let store = account.key_store(draft.custom_key_store_id.as_deref()?)?;
    (store.connection_state != ConnectionState::Connected).then_some(store)
}

fn connection_sentence(store: &CustomKeyStore) -> String {
    format!("{} is {}.", store.custom_key_store_name, store.connection_state.label().to_lowercase())
}

/// Returns all errors of a step in the order of its fields. For *Review*, returns the errors of all steps.
pub fn validate(method: &Method, step: Step, draft: &KeyDraft, account: &AccountState) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut report = |field: Field, message: Option<String>| {
        if let Some(message) = message {
            errors.push(FieldError { field, message });
        }
    };
    match step {
        Step::ConfigureKey | Step::ChooseExternalKey => {
            let mut report_on_step = |field: Field, message| {
                if field.step(method) == step {
                    report(field, message);
                }
            };
            if !draft.is_external() {
                return errors;
            }
            report_on_step(Field::CustomKeyStore, key_store_error(draft, account));
            report_on_step(Field::ExternalKeyId, external_key_error(draft, account));
            let missing = (!draft.acknowledged).then(|| "Select this check box to continue. Press Space.".to_owned());
            report_on_step(Field::Acknowledgement, missing);
        }
        Step::AliasAndDescription => {
            report(Field::Alias, alias_error(draft, account));
            report(Field::Description, violation_message(limits::description(&draft.description)));
        }
        Step::Tags => report_tag_errors(&draft.tags, &mut report),
        Step::Administrators => {
            report(
                Field::AddAdministrator,
                pending_principal_error(&draft.administrator_to_add, &draft.administrators, account),
            );
        }
        Step::Users => {
            report(Field::AddUser, pending_principal_error(&draft.user_to_add, &draft.users, account));
            for (row, account_id) in draft.other_accounts.iter().enumerate() {
                report(Field::OtherAccount(row), other_account_error(draft, row, account_id, account));
            }
        }
        Step::KeyPolicy => {
            for message in key_policy_errors(draft, account) {
                report(Field::KeyPolicy, Some(message));
            }
        }
        Step::Review => {
            for step in method.steps(draft.origin).iter().filter(|step| **step != Step::Review) {
                errors.extend(validate(method, *step, draft, account));
            }
        }
    }
    errors
}

fn report_tag_errors(tags: &[Tag], report: &mut dyn FnMut(Field, Option<String>)) {
    for (row, tag) in tags.iter().enumerate() {
        let is_duplicate = tags.iter().take(row).any(|other| other.tag_key == tag.tag_key);
        let duplicate =
            is_duplicate.then(|| format!("Duplicate tag key \"{}\". Tag keys must be unique.", tag.tag_key));
        report(Field::TagKey(row), violation_message(limits::tag_key(&tag.tag_key)).or(duplicate));
        report(Field::TagValue(row), violation_message(limits::tag_value(&tag.tag_value)));
    }
    let surplus = tags.len().saturating_sub(limits::MAX_TAGS);
    let most = limits::MAX_TAGS;
    report(Field::AddTag, (surplus > 0).then(|| format!("A KMS key can have up to {most} tags. Remove {surplus}.")));
}

fn violation_message(result: Result<(), Violation>) -> Option<String> {
    result.err().map(|violation| violation.reason)
}

fn key_store_error(draft: &KeyDraft, account: &AccountState) -> Option<String> {
    let Some(id) = &draft.custom_key_store_id else { return Some("Choose an external key store.".to_owned()) };
    let stores = account.key_stores.ready()?;
    match stores.iter().find(|store| store.custom_key_store_id == *id) {
        None => {
            Some(format!("The external key store {id} doesn't exist in this account and Region. Choose another one."))
        }
        Some(store) if store.connection_state != ConnectionState::Connected => Some(format!(
            "{} Press Enter on it to connect it, or choose another key store.",
            connection_sentence(store)
        )),
        Some(_) => None,
    }
}

fn external_key_error(draft: &KeyDraft, account: &AccountState) -> Option<String> {
    if let Some(wrong) = violation_message(limits::xks_key_id(&draft.xks_key_id)) {
        return Some(wrong);
    }
    let user = external_keys::kms_key_with(draft.custom_key_store_id.as_deref()?, &draft.xks_key_id, account)?;
    let name = match account.aliases_of(user.key_id()).first() {
        Some(alias) => format!("{alias} ({})", user.key_id()),
        None => user.key_id().to_owned(),
    };
    Some(format!(
        "The external key {} is already associated with the KMS key {name} in this key store. Enter another external key \
         ID.",
        draft.xks_key_id,
    ))
}

/// Returns the message for an alias that another KMS key has.
pub fn alias_in_use(alias: &str, key: &str) -> String {
    format!("The alias {alias} already exists in this Region for KMS key {key}. Enter another alias.")
}

/// The message for a key policy that fails the lockout safety check.
pub const POLICY_LOCKOUT: &str = "This key policy wouldn't allow you to change it in the future. Add a statement that \
                                  allows you or the account to call kms:PutKeyPolicy.";

fn alias_error(draft: &KeyDraft, account: &AccountState) -> Option<String> {
    let name = draft.alias_name();
    if let Some(wrong) = violation_message(limits::alias_name(&name)) {
        return Some(wrong);
    }
    let taken = account.aliases.ready()?.iter().find(|alias| alias.alias_name == name)?;
    let key = taken.target_key_id.as_deref().unwrap_or("-");
    Some(alias_in_use(&draft.alias, key))
}

/// Returns the error in a typed ARN that is to be added to `chosen`, if it has one.
pub fn principal_error(typed: &str, chosen: &[String], account: &AccountState) -> Option<String> {
    let duplicate = || chosen.iter().any(|one| one == typed).then(|| "This ARN is already selected.".to_owned());
    policy::check_principal_arn(typed, &account.partition).err().or_else(duplicate)
}

fn pending_principal_error(typed: &str, chosen: &[String], account: &AccountState) -> Option<String> {
    let typed = typed.trim();
    let not_added = || Some("This ARN hasn't been added yet. Press Enter to add it, or clear the field.".to_owned());
    if typed.is_empty() { None } else { principal_error(typed, chosen, account).or_else(not_added) }
}

fn other_account_error(draft: &KeyDraft, row: usize, account_id: &str, account: &AccountState) -> Option<String> {
    if let Some(wrong) = violation_message(limits::account_id(account_id)) {
        return Some(wrong);
    }
    if account_id == account.account_id {
        return Some("This is the account of the KMS key. Select its users and roles in the table above.".to_owned());
    }
    let is_duplicate = draft.other_accounts.iter().take(row).any(|other| other == account_id);
    is_duplicate.then(|| format!("Duplicate account ID {account_id}. Remove one of them."))
}

fn key_policy_errors(draft: &KeyDraft, account: &AccountState) -> Vec<String> {
    if account.account_id.is_empty() {
        return vec![
            "The account ID that the key policy needs isn't loaded yet. If this message doesn't disappear, check that \
             your credentials allow sts:GetCallerIdentity, and try again."
                .to_owned(),
        ];
    }
    let Some(edited) = &draft.edited_policy else {
        let too_long = limits::policy_text(&draft.generated_policy(account)).err();
        return too_long.map(|wrong| format!("{} Select fewer users and roles.", wrong.reason)).into_iter().collect();
    };
    match policy::check(edited) {
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
        Ok(document) => {
            let mut messages: Vec<String> = policy::warnings(&document).iter().map(ToString::to_string).collect();
            if !document.passes_lockout_safety_check(&account.caller_arn, &account.account_id) {
                messages.push(POLICY_LOCKOUT.to_owned());
            }
            messages
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::Tag;
    use crate::create_key::account_state::Loadable;
    use crate::create_key::testing::{account_state, draft};

    fn method() -> Method {
        Method::FromKeyStore { custom_key_store_id: "cks-1".to_owned() }
    }

    fn messages(step: Step, draft: &KeyDraft) -> Vec<(Field, String)> {
        validate(&method(), step, draft, &account_state())
            .into_iter()
            .map(|error| (error.field, error.message))
            .collect()
    }

    #[test]
    fn complete_draft_has_no_errors() {
        assert_eq!(messages(Step::Review, &draft()), []);
    }

    #[test]
    fn alias_in_use_shows_the_owning_key() {
        let draft = KeyDraft { alias: "customer-db".to_owned(), ..draft() };
        let (field, message) = messages(Step::AliasAndDescription, &draft).remove(0);
        assert_eq!(field, Field::Alias);
        assert_eq!(
            message,
            "The alias customer-db already exists in this Region for KMS key 1111aaaa. Enter another alias."
        );
    }

    #[test]
    fn external_key_in_use_shows_its_kms_key() {
        let draft = KeyDraft { xks_key_id: "customer-db".to_owned(), ..draft() };
        assert!(messages(Step::ConfigureKey, &draft)[0].1.contains("with the KMS key 1111aaaa in this key store"));
        let mut account = account_state();
        account.index_aliases();
        let errors = validate(&method(), Step::ConfigureKey, &draft, &account);
        assert!(errors[0].message.contains("with the KMS key customer-db (1111aaaa) in"), "{}", errors[0].message);
    }

    #[test]
    fn disconnected_key_store_is_rejected() {
        let mut account = account_state();
        if let Loadable::Ready(stores) = &mut account.key_stores {
            stores[0].connection_state = ConnectionState::Disconnected;
        }
        let errors = validate(&method(), Step::ConfigureKey, &draft(), &account);
        assert_eq!(errors[0].field, Field::CustomKeyStore);
        assert!(errors[0].message.contains("is disconnected"));
    }

    #[test]
    fn typed_principal_must_be_added_or_cleared() {
        let typed = |text: &str| KeyDraft { user_to_add: text.to_owned(), ..draft() };
        let wrong = |text: &str| messages(Step::Users, &typed(text)).remove(0);
        assert_eq!(wrong("Lee").0, Field::AddUser);
        assert!(wrong("arn:aws-cn:iam::111122223333:user/Lee").1.contains("partition"));
        assert!(wrong("arn:aws:iam::111122223333:role/App").1.contains("already"));
        assert!(wrong(" arn:aws:iam::111122223333:role/Other ").1.contains("Press Enter"));
        assert_eq!(messages(Step::Review, &typed(" ")), []);
    }

    #[test]
    fn duplicate_tag_keys_and_accounts_are_rejected() {
        let mut draft = draft();
        draft.tags = vec![draft.tags[0].clone(), draft.tags[0].clone()];
        draft.other_accounts = vec!["444455556666".to_owned(), "444455556666".to_owned(), "111122223333".to_owned()];
        assert!(messages(Step::Tags, &draft)[0].1.contains("Duplicate tag key"));
        let users = messages(Step::Users, &draft);
        assert_eq!(
            users.iter().map(|(field, _)| *field).collect::<Vec<_>>(),
            [Field::OtherAccount(1), Field::OtherAccount(2)]
        );
    }

    #[test]
    fn each_method_validates_a_field_on_one_step() {
        let method = Method::FromCustomerManagedKeys;
        let standard = KeyDraft::new(&method);
        assert_eq!(validate(&method, Step::ConfigureKey, &standard, &account_state()), []);
        let empty = KeyDraft { origin: crate::aws::kms::Origin::ExternalKeyStore, ..standard };
        let fields = |step| {
            let errors = validate(&method, step, &empty, &account_state());
            errors.into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert_eq!(fields(Step::ConfigureKey), [Field::Acknowledgement]);
        assert_eq!(fields(Step::ChooseExternalKey), [Field::CustomKeyStore, Field::ExternalKeyId]);
    }

    #[test]
    fn oversized_tag_lists_and_policies_are_rejected() {
        let mut draft = draft();
        draft.tags = (0..51).map(|n| Tag { tag_key: n.to_string(), tag_value: String::new() }).collect();
        assert_eq!(
            messages(Step::Tags, &draft),
            [(Field::AddTag, "A KMS key can have up to 50 tags. Remove 1.".to_owned())]
        );
        draft.users = (0..400).map(|n| format!("arn:aws:iam::111122223333:user/{n:032}")).collect();
        assert!(messages(Step::KeyPolicy, &draft)[0].1.ends_with("Select fewer users and roles."));
    }

    #[test]
    fn key_policy_requires_a_known_account() {
        let account = AccountState { account_id: String::new(), ..account_state() };
        let errors = validate(&method(), Step::Review, &draft(), &account);
        assert_eq!(errors[0].field, Field::KeyPolicy);
        assert!(errors[0].message.contains("sts:GetCallerIdentity"));
    }

    #[test]
    fn edited_policy_that_locks_out_the_caller_is_rejected() {
        let edited = crate::aws::policy::default_policy("aws", "444455556666");
        let draft = KeyDraft { edited_policy: Some(edited), ..draft() };
        assert!(messages(Step::KeyPolicy, &draft)[0].1.contains("change it in the future"));
    }
}
