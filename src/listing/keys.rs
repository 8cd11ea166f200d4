//! The lists *Customer managed keys* and *AWS managed keys*: columns, cells, and labels.

use serde::{Deserialize, Serialize};

use crate::aws::lenient::UNREADABLE;
use crate::aws::scalar::EpochSeconds;
use crate::create_key::account_state::AccountState;
use crate::create_key::key_summary::KeySummary;
use crate::text::time;

/// A column of *Customer managed keys*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum KeyColumn {
    Aliases,
    KeyId,
    Status,
    Origin,
    CustomKeyStoreName,
    ExternalKeyId,
    CreationDate,
    KeyType,
    KeySpec,
    KeyUsage,
    CustomKeyStoreId,
    Regionality,
    Description,
}

impl KeyColumn {
    /// All columns, in display order.
    pub const ALL: [Self; 13] = [
        Self::Aliases,
        Self::KeyId,
        Self::Status,
        Self::Origin,
        Self::CustomKeyStoreName,
        Self::ExternalKeyId,
        Self::CreationDate,
        Self::KeyType,
        Self::KeySpec,
        Self::KeyUsage,
        Self::CustomKeyStoreId,
        Self::Regionality,
        Self::Description,
    ];

    /// Returns the heading of the column, as the AWS console shows it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Aliases => "Aliases",
            Self::KeyId => "Key ID",
            Self::Status => "Status",
            Self::Origin => "Origin",
            Self::CustomKeyStoreName => "Custom key store name",
            Self::ExternalKeyId => "External key ID",
            Self::CreationDate => "Creation date",
            Self::KeyType => "Key type",
            Self::KeySpec => "Key spec",
            Self::KeyUsage => "Key usage",
            Self::CustomKeyStoreId => "Custom key store ID",
            Self::Regionality => "Regionality",
            Self::Description => "Description",
        }
    }
}

/// Returns the label of a key usage, such as `ENCRYPT_DECRYPT`, as the AWS console shows it.
pub fn usage_label(usage: &str) -> &str {
    match usage {
        "ENCRYPT_DECRYPT" => "Encrypt and decrypt",
        "SIGN_VERIFY" => "Sign and verify",
        "GENERATE_VERIFY_MAC" => "Generate and verify MAC",
        "KEY_AGREEMENT" => "Key agreement",
        other => other,
    }
}

/// Returns the text of a cell in a list of keys.
pub fn cell(key: &KeySummary, column: KeyColumn, account: &AccountState) -> String {
    let or_dash = |value: Option<&str>| value.unwrap_or("-").to_owned();
    match column {
        KeyColumn::Aliases => match account.aliases_of(key.key_id()) {
            [] => "-".to_owned(),
            [one] => one.clone(),
            [one, more @ ..] => format!("{one} (+{} more)", more.len()),
        },
        KeyColumn::KeyId => key.key_id().to_owned(),
        KeyColumn::Status if key.problem.is_some() && key.key_state.as_str() != UNREADABLE => {
            format!("{} (partly readable)", key.key_state.label())
        }
        KeyColumn::Status => key.key_state.label().to_owned(),
        KeyColumn::Origin => key.origin.label().to_owned(),
        KeyColumn::CustomKeyStoreName => {
            let id = key.custom_key_store_id.as_deref().filter(|id| *id != UNREADABLE);
            let store = id.and_then(|id| account.key_store(id));
            or_dash(store.map(|store| store.custom_key_store_name.as_str()))
        }
        KeyColumn::ExternalKeyId => or_dash(key.xks_key_id.as_deref()),
        KeyColumn::CreationDate if has_unreadable_date(key.creation_date, key.problem.as_deref()) => {
            UNREADABLE.to_owned()
        }
        KeyColumn::CreationDate => time::to_minute(key.creation_date.0),
        KeyColumn::KeyType => key_type(key).to_owned(),
        KeyColumn::KeySpec => key.key_spec.to_string(),
        KeyColumn::KeyUsage => usage_label(&key.key_usage).to_owned(),
        KeyColumn::CustomKeyStoreId => or_dash(key.custom_key_store_id.as_deref()),
        KeyColumn::Regionality => regionality(key).to_owned(),
        KeyColumn::Description => key.description.to_string(),
    }
}

/// Returns `key=value` for each tag of a key, if the tags are loaded.
pub fn tag_search_text(key: &KeySummary, account: &AccountState) -> String {
    let tags = account.tags.ready().and_then(|all| all.get(key.key_id())).map_or(&[][..], Vec::as_slice);
    let mut words = String::new();
    for tag in tags {
        words.push_str(&tag.tag_key);
        words.push('=');
        words.push_str(&tag.tag_value);
        words.push(' ');
    }
    words
}

/// Returns the key type as the AWS console shows it.
pub fn key_type(key: &KeySummary) -> &'static str {
    const ASYMMETRIC: [&str; 4] = ["RSA_", "ECC_", "ML_DSA_", "SM2"];
    if key.key_spec == "SYMMETRIC_DEFAULT" || key.key_spec.starts_with("HMAC_") {
        "Symmetric"
    } else if ASYMMETRIC.iter().any(|family| key.key_spec.starts_with(family)) {
        "Asymmetric"
    } else {
        // A key spec that this version doesn't know.
        "-"
    }
}

/// Returns the regionality as the AWS console shows it.
pub fn regionality(key: &KeySummary) -> &'static str {
    match key.is_multi_region {
        true => "Multi-Region key",
        false if key.key_id() == UNREADABLE => UNREADABLE,
        false => "Single-Region key",
    }
}

/// Returns whether a creation date couldn't be read.
pub fn has_unreadable_date(date: EpochSeconds, problem: Option<&str>) -> bool {
    problem.is_some() && date == EpochSeconds::default()
}
