//! A small account and a complete draft for tests.

use super::account_state::{AccountState, Loadable};
use super::draft::KeyDraft;
use crate::aws::kms::{AliasListEntry, KeyMetadata, Tag};

pub fn key(id: &str, external: &str) -> KeyMetadata {
    serde_json::from_value(serde_json::json!({
        "AWSAccountId": "111122223333", "KeyId": id,
        "Arn": format!("arn:aws:kms:us-west-2:111122223333:key/{id}"),
        "CreationDate": 1_700_000_000, "Enabled": true, "KeyUsage": "ENCRYPT_DECRYPT", "KeyState": "Enabled",
        "Origin": "EXTERNAL_KEY_STORE", "CustomKeyStoreId": "cks-1", "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT", "XksKeyConfiguration": { "Id": external }
    }))
    .unwrap()
}

pub fn account_state() -> AccountState {
    let store = serde_json::from_value(serde_json::json!({
        "CustomKeyStoreId": "cks-1", "CustomKeyStoreName": "Frankfurt HSM", "ConnectionState": "CONNECTED",
        "CreationDate": 1_700_000_000, "CustomKeyStoreType": "EXTERNAL_KEY_STORE"
    }))
    .unwrap();
    AccountState {
        account_id: "111122223333".to_owned(),
        region: "us-west-2".to_owned(),
        caller_arn: "arn:aws:iam::111122223333:user/Admin".to_owned(),
        key_stores: Loadable::Ready(vec![store]),
        aliases: Loadable::Ready(vec![AliasListEntry {
            alias_name: "alias/customer-db".to_owned(),
            alias_arn: "arn:aws:kms:us-west-2:111122223333:alias/customer-db".to_owned(),
            target_key_id: Some("1111aaaa".to_owned()),
            creation_date: None,
            last_updated_date: None,
        }]),
        has_all_keys: true,
        keys: Loadable::Ready([key("1111aaaa", "customer-db").into()].into_iter().collect()),
        ..AccountState::default()
    }
}

pub fn draft() -> KeyDraft {
    KeyDraft {
        xks_key_id: "payments-2026".to_owned(),
        acknowledged: true,
        alias: "payments".to_owned(),
        description: "What's paid by card".to_owned(),
        tags: vec![Tag { tag_key: "team".to_owned(), tag_value: "payments team".to_owned() }],
        administrators: vec!["arn:aws:iam::111122223333:role/KeyAdmin".to_owned()],
        users: vec!["arn:aws:iam::111122223333:role/App".to_owned()],
        other_accounts: vec!["444455556666".to_owned()],
        ..KeyDraft::in_key_store("cks-1".to_owned())
    }
}
