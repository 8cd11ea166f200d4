//! What the account knows about the KMS key of a ciphertext.

use crate::bundled::{ExternalKeyStatus, KeyLookup, StoredKey};

/// Returns the names and values that describe the key with this ARN.
pub(super) fn describe(arn: &str, lookup: &KeyLookup) -> Vec<(&'static str, String)> {
    match lookup {
        KeyLookup::Found(key) => describe_key(key),
        KeyLookup::NotFound => vec![
            ("ARN", arn.to_owned()),
            (
                "Key material",
                "Not in this account: the KMS key was deleted, and this ciphertext can never be decrypted, or the \
                 ciphertext is from another account."
                    .to_owned(),
            ),
        ],
        KeyLookup::NoAccount => vec![
            ("ARN", arn.to_owned()),
            ("Account", "Not known, so only what the ciphertext contains is shown.".to_owned()),
        ],
    }
}

fn describe_key(key: &StoredKey) -> Vec<(&'static str, String)> {
    let metadata = &key.metadata;
    let aliases = if key.aliases.is_empty() { "-".to_owned() } else { key.aliases.join(", ") };
    let mut lines = vec![
        (if key.aliases.len() > 1 { "Aliases" } else { "Alias" }, aliases),
        ("ARN", metadata.arn.clone()),
        ("Status", metadata.key_state.label().to_owned()),
        ("Key material", material(key.has_material)),
    ];
    if let Some(store) = &key.key_store {
        let state = store.connection_state.label().to_lowercase();
        let name = format!("{} ({}, {state})", store.custom_key_store_name, store.custom_key_store_id);
        lines.push(("Custom key store", name));
    }
    if let Some(external) = &metadata.xks_key_configuration {
        lines.push(("External key ID", external.id.clone()));
        lines.push(("External key", external_key(key.external_key).to_owned()));
    }
    lines
}

fn material(exists: bool) -> String {
    if exists {
        "Exists in AWS KMS".to_owned()
    } else {
        "Doesn't exist in AWS KMS. This ciphertext can never be decrypted.".to_owned()
    }
}

fn external_key(status: ExternalKeyStatus) -> &'static str {
    match status {
        ExternalKeyStatus::Exists => "Exists in the bundled external key manager",
        ExternalKeyStatus::Deleted => {
            "Deleted from the bundled external key manager. This ciphertext can never be decrypted."
        }
        ExternalKeyStatus::Unknown => "Not in the bundled external key manager",
    }
}
