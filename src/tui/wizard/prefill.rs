//! Wizards that start with a filled-in draft.

use super::Wizard;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::method::Method;

impl Wizard {
    /// Creates a wizard that is filled in with `draft`.
    ///
    /// All steps count as visited, and errors in filled-in fields are shown. The focus is on the acknowledgment, which
    /// is always left to the user, or on the first field if the draft's origin has no acknowledgment.
    pub fn prefilled(draft: KeyDraft, account: &AccountState) -> Self {
        let mut wizard = Self::with_draft(Method::FromCustomerManagedKeys, draft, account);
        wizard.focus_field(Field::Acknowledgement);
        wizard
    }

    /// Creates a wizard of a method that is filled in with the draft of another key. The focus is on the first field
    /// that the user has to fill in: the external key ID, or the alias of a key without an external key.
    pub fn filled_in(method: Method, draft: KeyDraft, account: &AccountState) -> Self {
        let first = if draft.is_external() { Field::ExternalKeyId } else { Field::Alias };
        let mut wizard = Self::with_draft(method, draft, account);
        wizard.touched.retain(|field| *field != first);
        wizard.select_store(account);
        wizard.focus_field(first);
        wizard
    }

    fn with_draft(method: Method, draft: KeyDraft, account: &AccountState) -> Self {
        let mut wizard = Self::new(method, account);
        wizard.visited = (0..wizard.method.steps(draft.origin).len()).collect();
        wizard.touched = filled_fields(&draft);
        wizard.draft = draft;
        wizard
    }

    /// Selects a key store in any connection state. If it isn't connected, the key store table shows the error.
    pub fn preselect_store(&mut self, store_id: String, account: &AccountState) {
        self.choose_store(store_id, account);
        self.touched.push(Field::CustomKeyStore);
    }
}

/// Returns the fields that have a value, and the fields that errors of the whole draft are shown at.
fn filled_fields(draft: &KeyDraft) -> Vec<Field> {
    let texts = [
        (Field::ExternalKeyId, &draft.xks_key_id),
        (Field::Alias, &draft.alias),
        (Field::Description, &draft.description),
    ];
    let texts = texts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(field, _)| field);
    let tags = (0..draft.tags.len()).flat_map(|row| [Field::TagKey(row), Field::TagValue(row)]);
    let accounts = (0..draft.other_accounts.len()).map(Field::OtherAccount);
    texts.chain(tags).chain(accounts).chain([Field::AddTag, Field::KeyPolicy]).collect()
}
