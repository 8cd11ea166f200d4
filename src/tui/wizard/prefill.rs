//! A wizard that was filled in beforehand.

use super::Wizard;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::field::Field;
use crate::create_key::method::Method;

impl Wizard {
    /// A wizard with `draft` in it, as if it had been typed and left: each step can be gone to, and tells what is wrong
    /// there. It begins where something is left to do for sure: what has to be acknowledged; without that at the start.
    pub fn prefilled(draft: KeyDraft, account: &AccountState) -> Self {
        let mut wizard = Self::new(Method::FromCustomerManagedKeys, account);
        wizard.visited = (0..wizard.method.steps(draft.origin).len()).collect();
        wizard.touched = filled_fields(&draft);
        wizard.draft = draft;
        wizard.focus_field(Field::Acknowledgement);
        wizard
    }

    /// Chooses the store that was asked for, whatever its state: what is wrong with it is told where it can be connected.
    pub fn preselect_store(&mut self, store_id: String, account: &AccountState) {
        self.choose_store(store_id, account);
        self.touched.push(Field::CustomKeyStore);
    }
}

/// The fields in which something stands.
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
