//! The preferences of the user, saved between sessions.

use serde::{Deserialize, Serialize};

use super::widgets::table::Column;

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

/// The width of a key ID, which is a UUID, with a gap.
const KEY_ID_WIDTH: usize = 37;

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

    /// Returns the heading and the width of the column.
    pub const fn column(self) -> Column {
        let (title, least, weight) = match self {
            Self::Aliases => ("Aliases", 16, 4),
            Self::KeyId => ("Key ID", 16, 3),
            Self::Status => ("Status", 19, 0),
            Self::Origin => ("Origin", 19, 1),
            Self::CustomKeyStoreName => ("Custom key store name", 18, 2),
            Self::ExternalKeyId => ("External key ID", 16, 2),
            Self::CreationDate => ("Creation date", 17, 0),
            Self::KeyType => ("Key type", 11, 0),
            Self::KeySpec => ("Key spec", 18, 0),
            Self::KeyUsage => ("Key usage", 20, 0),
            Self::CustomKeyStoreId => ("Custom key store ID", 22, 0),
            Self::Regionality => ("Regionality", 18, 0),
            Self::Description => ("Description", 16, 3),
        };
        let column = Column::new(title, least, weight);
        if matches!(self, Self::KeyId) { column.with_ideal_width(KEY_ID_WIDTH) } else { column }
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
