//! A list of keys that finds each of them by its ID without a search, because an account can have 100,000 of them.

use std::hash::{BuildHasher as _, RandomState};
use std::ops::Deref;
use std::{slice, vec};

use hashbrown::HashTable;

use super::key_summary::KeySummary;

/// Keys in the order in which they were loaded. If several have the same ID, the first one is found by it.
#[derive(Clone, Debug, Default)]
pub struct LoadedKeys {
    keys: Vec<KeySummary>,
    /// The row of each key, by the hash of its ID. Four bytes a key are enough, because the IDs are in the list.
    rows: HashTable<u32>,
    hasher: RandomState,
}

impl LoadedKeys {
    /// Returns the key with this ID.
    pub fn get(&self, key_id: &str) -> Option<&KeySummary> {
        self.keys.get(self.row_of(key_id)?)
    }

    /// Returns the row of the key with this ID.
    pub fn row_of(&self, key_id: &str) -> Option<usize> {
        let has_id = |row: &u32| self.keys[*row as usize].key_id() == key_id;
        self.rows.find(self.hasher.hash_one(key_id), has_id).map(|row| *row as usize)
    }

    /// Replaces a key with one of the same ID.
    pub fn replace(&mut self, row: usize, key: KeySummary) {
        debug_assert_eq!(self.keys[row].key_id(), key.key_id());
        self.keys[row] = key;
    }

    /// Removes the keys in these rows, which are in ascending order.
    pub fn remove_rows(&mut self, removed: &[usize]) {
        if removed.is_empty() {
            return;
        }
        let mut row = 0;
        self.keys.retain(|_| {
            row += 1;
            removed.binary_search(&(row - 1)).is_err()
        });
        self.rows.clear();
        self.index_from(0);
    }

    /// Frees the memory that is reserved for more keys.
    pub fn shrink_to_fit(&mut self) {
        self.keys.shrink_to_fit();
    }

    /// Indexes the keys from this row on, which aren't indexed yet.
    fn index_from(&mut self, first: usize) {
        let Self { keys, rows, hasher } = self;
        let hash_of = |row: &u32| hasher.hash_one(keys[*row as usize].key_id());
        for (row, key) in keys.iter().enumerate().skip(first) {
            let Ok(row) = u32::try_from(row) else { return };
            let is_same = |other: &u32| keys[*other as usize].key_id() == key.key_id();
            rows.entry(hash_of(&row), is_same, hash_of).or_insert(row);
        }
    }
}

impl Deref for LoadedKeys {
    type Target = [KeySummary];

    fn deref(&self) -> &[KeySummary] {
        &self.keys
    }
}

impl PartialEq for LoadedKeys {
    fn eq(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl Eq for LoadedKeys {}

impl Extend<KeySummary> for LoadedKeys {
    fn extend<I: IntoIterator<Item = KeySummary>>(&mut self, keys: I) {
        let first = self.keys.len();
        self.keys.extend(keys);
        self.index_from(first);
    }
}

impl FromIterator<KeySummary> for LoadedKeys {
    fn from_iter<I: IntoIterator<Item = KeySummary>>(keys: I) -> Self {
        let mut list = Self::default();
        list.extend(keys);
        list
    }
}

impl IntoIterator for LoadedKeys {
    type Item = KeySummary;
    type IntoIter = vec::IntoIter<KeySummary>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.into_iter()
    }
}

impl<'a> IntoIterator for &'a LoadedKeys {
    type Item = &'a KeySummary;
    type IntoIter = slice::Iter<'a, KeySummary>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::create_key::testing::key;

    fn summary(id: u8, description: &str) -> KeySummary {
        KeySummary { description: description.into(), ..key(&format!("{id:04}"), "").into() }
    }

    proptest! {
        #[test]
        fn each_key_is_found_in_its_row(
            pages in prop::collection::vec(prop::collection::vec(0..40u8, 0..12), 0..4),
            removed in prop::collection::btree_set(0..48usize, 0..5),
        ) {
            let mut keys = LoadedKeys::default();
            for page in pages {
                keys.extend(page.into_iter().map(|id| summary(id, "")));
            }
            let removed: Vec<usize> = removed.into_iter().filter(|row| *row < keys.len()).collect();
            keys.remove_rows(&removed);
            for id in 0..40 {
                let id = format!("{id:04}");
                prop_assert_eq!(keys.row_of(&id), keys.iter().position(|key| key.key_id() == id));
            }
        }
    }

    #[test]
    fn replaced_key_stays_in_its_row() {
        let mut keys: LoadedKeys = (0..3).map(|id| summary(id, "before")).collect();
        keys.replace(1, summary(1, "after"));
        assert_eq!(keys.get("0001").map(|key| &*key.description), Some("after"));
        assert_eq!(keys.row_of("0001"), Some(1));
    }
}
