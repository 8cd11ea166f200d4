//! The requests that *Finish* sends.

use super::account_state::AccountState;
use super::draft::KeyDraft;
use crate::aws::kms::{CreateAlias, CreateKey};

/// Returns the CreateKey request that *Finish* sends.
pub fn create_key_request(draft: &KeyDraft, account: &AccountState) -> CreateKey {
    CreateKey {
        policy: Some(draft.policy_json(account)),
        description: (!draft.description.is_empty()).then(|| draft.description.clone()),
        key_usage: Some("ENCRYPT_DECRYPT".to_owned()),
        key_spec: Some("SYMMETRIC_DEFAULT".to_owned()),
        origin: Some(draft.origin),
        custom_key_store_id: draft.custom_key_store_id.clone().filter(|_| draft.is_external()),
        tags: (!draft.tags.is_empty()).then(|| draft.tags.clone()),
        xks_key_id: draft.is_external().then(|| draft.xks_key_id.clone()),
        ..CreateKey::default()
    }
}

/// Returns the CreateAlias request that follows CreateKey.
pub fn create_alias_request(draft: &KeyDraft, key_id: &str) -> CreateAlias {
    CreateAlias { alias_name: draft.alias_name(), target_key_id: key_id.to_owned() }
}
