//! The preferences of the user, saved between sessions.

use serde::{Deserialize, Serialize};

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
            Self::CreationDate => (17, 0),
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
