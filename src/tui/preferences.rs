//! The preferences of the user, saved between sessions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::theme_name::ThemeName;
use super::widgets::table::Column;
pub use crate::listing::keys::KeyColumn;

/// The width of a key ID, which is a UUID, with a gap.
const KEY_ID_WIDTH: usize = 37;

impl KeyColumn {
    /// Returns the heading and the width of the column.
    pub const fn column(self) -> Column {
        let (min_width, weight) = match self {
            Self::Aliases => (16, 4),
            Self::KeyId | Self::Description => (16, 3),
            Self::Status => (19, 0),
            Self::Origin => (19, 1),
            Self::CustomKeyStoreName => (18, 2),
            Self::ExternalKeyId => (16, 2),
            Self::CreationDate => (21, 0),
            Self::KeyType => (11, 0),
            Self::KeySpec | Self::Regionality => (18, 0),
            Self::KeyUsage => (20, 0),
            Self::CustomKeyStoreId => (22, 0),
        };
        let column = Column::new(self.title(), min_width, weight);
        match self {
            Self::Status => Column::status(self.title(), min_width),
            Self::KeyId => column.with_ideal_width(KEY_ID_WIDTH),
            _ => column,
        }
    }
}

/// The saved preferences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Preferences {
    /// The visible columns of *Customer managed keys*.
    pub key_columns: Vec<KeyColumn>,
    /// The maximum number of rows per page. Without it, a page has as many rows as fit.
    pub page_size: Option<usize>,
    /// Whether text that is wider than its column is wrapped.
    pub wrap_lines: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { key_columns: KeyColumn::ALL[..7].to_vec(), page_size: None, wrap_lines: false }
    }
}

impl Preferences {
    /// The available page sizes.
    pub const PAGE_SIZES: [Option<usize>; 4] = [None, Some(10), Some(20), Some(50)];
}

/// The IDs that the console remembers, in groups, newest first. They are the external key IDs with which the user tried
/// to create KMS keys, by the ID of the key store, or the KMS keys whose pages were opened, by account and Region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RememberedIds(BTreeMap<String, Vec<String>>);

impl RememberedIds {
    /// The maximum number of IDs of each group.
    pub const MAX_IDS: usize = 20;

    /// Returns the IDs of a group, newest first.
    pub fn of(&self, group: &str) -> &[String] {
        self.0.get(group).map_or(&[], Vec::as_slice)
    }

    /// Adds an ID as the newest one of a group, and drops the oldest ones over [`MAX_IDS`](Self::MAX_IDS).
    pub fn add(&mut self, group: &str, id: &str) {
        let ids = self.0.entry(group.to_owned()).or_default();
        ids.retain(|other| other != id);
        ids.insert(0, id.to_owned());
        ids.truncate(Self::MAX_IDS);
    }
}

/// A change to save for the next run.
#[derive(Clone, Debug, PartialEq)]
pub enum SavedChange {
    /// What the user chose in the *Preferences* dialog.
    Preferences(Preferences),
    /// The theme that the user chose.
    Theme(ThemeName),
    /// The user tried to create a KMS key with an external key ID.
    UsedExternalKeyId {
        /// The ID of the key store.
        custom_key_store_id: String,
        /// The external key ID.
        xks_key_id: String,
    },
    /// The user opened the page of a KMS key.
    RecentKey {
        /// The account and the Region of the key.
        account_and_region: String,
        /// The ID of the key.
        key_id: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_ids_are_first_and_the_oldest_are_dropped() {
        let mut used = RememberedIds::default();
        for number in 0..25 {
            used.add("cks-1", &format!("key-{number}"));
        }
        used.add("cks-1", "key-10");
        let ids = used.of("cks-1");
        assert_eq!(ids.len(), RememberedIds::MAX_IDS);
        assert_eq!((ids[0].as_str(), ids[1].as_str(), ids[19].as_str()), ("key-10", "key-24", "key-5"));
        assert!(used.of("cks-2").is_empty());
    }
}
