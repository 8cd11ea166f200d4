//! Keys that changed after the console had loaded them.

use std::collections::{BTreeMap, BTreeSet};

use super::account_state::{AccountState, Loadable, alias_names_by_key};
use super::key_summary::KeySummary;
use super::loaded_keys::LoadedKeys;
use crate::aws::kms::{AliasListEntry, KeyManagerType, Tag};

/// A key after a change, with everything that lists show of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedKey {
    /// The ID of the key.
    pub key_id: String,
    /// The key, or `None` if it no longer exists.
    pub key: Option<KeySummary>,
    /// The aliases of the key.
    pub aliases: Vec<AliasListEntry>,
    /// The tags of the key, if they were requested.
    pub tags: Option<Vec<Tag>>,
}

/// How the rows of a list changed: first, rows were removed, then others were replaced, and then rows were added at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowChanges {
    /// The rows that were removed, by their positions before the change, in ascending order.
    pub removed: Vec<usize>,
    /// The rows that were replaced, by their positions after the removal, in ascending order.
    pub replaced: Vec<usize>,
}

impl RowChanges {
    /// Applies the changed keys to a list. Leaves those that the list doesn't have in `changed`.
    fn apply(list: &mut LoadedKeys, changed: &mut BTreeMap<String, Option<KeySummary>>) -> Self {
        let mut rows = Self::default();
        changed.retain(|key_id, key| {
            let Some(row) = list.row_of(key_id) else { return true };
            match key.take() {
                None => rows.removed.push(row),
                Some(new) => {
                    list.replace(row, new);
                    rows.replaced.push(row);
                }
            }
            false
        });
        rows.removed.sort_unstable();
        rows.replaced.sort_unstable();
        list.remove_rows(&rows.removed);
        for row in &mut rows.replaced {
            *row -= rows.removed.partition_point(|removed| removed < row);
        }
        rows
    }
}

impl AccountState {
    /// Replaces keys that changed, with their aliases and tags, removes those that no longer exist, and adds new ones at the
    /// end. Returns how the rows of the customer managed keys and the AWS managed keys changed.
    pub fn update_keys(&mut self, changed: Vec<ChangedKey>) -> [RowChanges; 2] {
        if let Loadable::Ready(aliases) = &mut self.aliases {
            let ids: BTreeSet<&String> = changed.iter().map(|one| &one.key_id).collect();
            aliases.retain(|alias| alias.target_key_id.as_ref().is_none_or(|key| !ids.contains(key)));
            aliases.extend(changed.iter().flat_map(|one| one.aliases.iter().cloned()));
            for ChangedKey { key_id, aliases, .. } in &changed {
                self.alias_names.remove(key_id);
                self.alias_names.extend(alias_names_by_key(aliases));
            }
        }
        let mut keys = BTreeMap::new();
        for ChangedKey { key_id, key, tags, .. } in changed {
            if let (Loadable::Ready(all), Some(tags)) = (&mut self.tags, tags) {
                all.insert(key_id.clone(), tags);
            }
            keys.insert(key_id, key);
        }
        let rows = self.apply_to_lists(&mut keys);
        if let Loadable::Ready(customer_managed) = &mut self.keys {
            let (aws, ours): (Vec<_>, Vec<_>) =
                keys.into_values().flatten().partition(|key| key.key_manager == KeyManagerType::Aws);
            self.aws_managed_keys.extend(aws);
            customer_managed.extend(ours);
        }
        rows
    }

    /// Replaces a key in the list that has it. Returns how the rows of the customer managed keys and the AWS managed keys
    /// changed.
    pub fn replace_key(&mut self, key: KeySummary) -> [RowChanges; 2] {
        self.apply_to_lists(&mut [(key.key_id().to_owned(), Some(key))].into())
    }

    /// Replaces and removes the changed keys in both lists, and leaves those that are in none.
    fn apply_to_lists(&mut self, changed: &mut BTreeMap<String, Option<KeySummary>>) -> [RowChanges; 2] {
        let Loadable::Ready(customer_managed) = &mut self.keys else { return Default::default() };
        [customer_managed, &mut self.aws_managed_keys].map(|list| RowChanges::apply(list, changed))
    }
}
