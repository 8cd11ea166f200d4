//! Follows the changes of the account, so that only what changed is read again.

use std::collections::BTreeSet;

use super::App;
use crate::create_key::account_state::Loadable;
use crate::create_key::changed_keys::ChangedKey;
use crate::storage::changes::{Changes, ResourceKind};
use crate::tui::effect::{Call, Effect};

/// The maximum number of keys that are read one by one. For more, the whole list is read.
const MAX_CHANGED_KEYS: usize = 1000;

impl App {
    /// Follows the changes of the account: from now on, [`Msg::DataChanged`](crate::tui::effect::Msg::DataChanged) names
    /// each one, so that a list of keys that is loaded stays complete and isn't loaded again.
    pub fn follow_changes(&mut self) {
        self.follows_changes = true;
    }

    /// Remembers what changed and schedules a refresh of the page.
    pub(super) fn on_data_changed(&mut self, changes: Changes) -> Vec<Effect> {
        self.pending_changes.add(changes);
        self.schedule_refresh()
    }

    /// Returns whether the list of keys is complete or loading, and each later change of it is read as it happens.
    pub(super) fn keys_stay_current(&self) -> bool {
        let is_current = |is_loaded: bool, kind: fn(&Call) -> bool| is_loaded || self.pending_calls.values().any(kind);
        self.follows_changes
            && is_current(self.account.has_all_keys, |call| matches!(call, Call::Keys(_)))
            && is_current(self.account.aliases.ready().is_some(), |call| *call == Call::Aliases)
    }

    /// Returns the calls that load the keys and their aliases again, if they may be outdated.
    pub(super) fn reload_keys_if_needed(&mut self) -> Vec<Effect> {
        if self.keys_stay_current() {
            return Vec::new();
        }
        vec![self.request(Call::Keys(None)), self.request(Call::Aliases)]
    }

    /// Returns the calls that read the keys that changed, or all keys if it isn't known which ones.
    pub(super) fn changed_keys_calls(&mut self) -> Vec<Call> {
        let changes = std::mem::take(&mut self.pending_changes);
        match self.changed_key_ids(changes) {
            Some(key_ids) if key_ids.is_empty() => Vec::new(),
            Some(key_ids) => {
                let with_tags = self.account.tags.ready().is_some();
                vec![Call::ChangedKeys { key_ids: key_ids.into_iter().collect(), with_tags }]
            }
            None => {
                self.account.tags = Loadable::Idle;
                vec![Call::Keys(None), Call::Aliases]
            }
        }
    }

    /// Returns the IDs of the keys in the account and Region of the console that changed, or `None` if any may have changed.
    /// With a key store, the states of its keys change.
    fn changed_key_ids(&self, changes: Changes) -> Option<BTreeSet<String>> {
        let Changes::Resources(resources) = changes else { return None };
        let keys = self.account.keys.ready()?;
        let is_ours = |account: &str, region: &str| account == self.account.account_id && region == self.account.region;
        let mut ids = BTreeSet::new();
        for resource in resources.into_iter().filter(|one| is_ours(&one.account_id, &one.region)) {
            match resource.kind {
                ResourceKind::Key => {
                    ids.insert(resource.id);
                }
                ResourceKind::KeyStore => {
                    let is_in_store = |id: &Option<Box<str>>| id.as_deref() == Some(&*resource.id);
                    let keys = keys.iter().filter(|key| is_in_store(&key.custom_key_store_id));
                    ids.extend(keys.take(MAX_CHANGED_KEYS + 1).map(|key| key.key_id().to_owned()));
                }
            }
        }
        (ids.len() <= MAX_CHANGED_KEYS).then_some(ids)
    }

    /// Updates the rows of keys that were read again.
    pub(super) fn on_changed_keys_loaded(&mut self, changed: Vec<ChangedKey>) {
        let rows = self.account.update_keys(changed);
        self.update_changed_key_rows(&rows);
    }

    /// Handles a failure to read the keys that changed. With the next change, all are read.
    pub(super) fn on_changed_keys_failed(&mut self) {
        self.pending_changes = Changes::Everything;
    }
}
