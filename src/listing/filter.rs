//! The keys and key stores that match a filter, sorted as on the pages of the console.

use super::key_stores::{self, TITLES, external_key_stores};
use super::keys::{KeyColumn, cell, tag_search_text};
use super::search::{Search, search_name, searchable_row};
use crate::aws::kms::{CustomKeyStore, KeyState, Origin};
use crate::create_key::account_state::AccountState;
use crate::create_key::key_summary::KeySummary;

/// The name of tags in searches.
const TAG_NAME: &str = "tag";

/// Conditions that a key must all meet. An empty list allows any value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFilter {
    /// The ID of the key store.
    pub custom_key_store_id: Option<String>,
    /// The key states.
    pub states: Vec<KeyState>,
    /// The origins of the key material.
    pub origins: Vec<Origin>,
    /// The [search](Search) in all columns and tags.
    pub search: String,
}

impl KeyFilter {
    /// Whether the search needs the tags, which take one call for each key.
    pub fn needs_tags(&self) -> bool {
        self.search.to_lowercase().split_whitespace().any(|word| word.starts_with("tag:"))
    }

    /// Returns the keys that match, sorted by their aliases.
    pub fn apply<'a>(&self, keys: &'a [KeySummary], account: &AccountState) -> Vec<&'a KeySummary> {
        let names = KeyColumn::ALL.iter().map(|column| search_name(column.title())).chain([TAG_NAME.to_owned()]);
        let search = Search::parse(&self.search, &names.collect::<Vec<_>>());
        let is_match = |key: &&KeySummary| {
            (self.custom_key_store_id.is_none()
                || self.custom_key_store_id.as_deref() == key.custom_key_store_id.as_deref())
                && (self.states.is_empty() || self.states.contains(&key.key_state))
                && (self.origins.is_empty() || self.origins.contains(&key.origin))
                && (self.search.is_empty() || search.matches(&searchable_key(key, account)))
        };
        let mut found: Vec<&KeySummary> = keys.iter().filter(is_match).collect();
        found.sort_by_cached_key(|key| cell(key, KeyColumn::Aliases, account).to_lowercase());
        found
    }
}

/// Returns the searchable text of a key: the cells of all columns, with every alias, and the tags.
fn searchable_key(key: &KeySummary, account: &AccountState) -> Box<str> {
    searchable_row(KeyColumn::ALL.len() + 1, |column| match KeyColumn::ALL.get(column) {
        Some(column) => full_cell(key, *column, account),
        None => tag_search_text(key, account),
    })
}

/// Returns the text of a cell, with every alias.
pub fn full_cell(key: &KeySummary, column: KeyColumn, account: &AccountState) -> String {
    match column {
        KeyColumn::Aliases => account.aliases_of(key.key_id()).join(", "),
        other => cell(key, other, account),
    }
}

/// Returns the external key stores that match a [search](Search), sorted by name.
pub fn search_key_stores<'a>(account: &'a AccountState, text: &str) -> Vec<&'a CustomKeyStore> {
    let search = Search::parse(text, &TITLES.map(search_name));
    let row = |store: &CustomKeyStore| searchable_row(TITLES.len(), |column| key_stores::cell(store, column));
    let mut stores = external_key_stores(account);
    stores.retain(|store| search.matches(&row(store)));
    stores
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::Tag;
    use crate::create_key::account_state::Loadable;
    use crate::create_key::testing::{account_state, key};

    fn account() -> AccountState {
        let mut account = account_state();
        account.index_aliases();
        let mut disabled = KeySummary::from(key("2222bbbb", "ledger"));
        disabled.key_state = KeyState::Disabled;
        disabled.custom_key_store_id = Some("cks-2".into());
        disabled.description = "Closed books".into();
        let mut aws = KeySummary::from(key("3333cccc", ""));
        (aws.origin, aws.custom_key_store_id, aws.xks_key_id) = (Origin::AwsKms, None, None);
        let Loadable::Ready(keys) = &mut account.keys else { panic!("the keys are loaded") };
        keys.extend([disabled, aws]);
        let tag = Tag { tag_key: "team".to_owned(), tag_value: "Books".to_owned() };
        account.tags = Loadable::Ready([("3333cccc".to_owned(), vec![tag])].into());
        account
    }

    fn found(filter: &KeyFilter) -> Vec<String> {
        let account = account();
        let keys = account.keys.ready().unwrap();
        filter.apply(keys, &account).into_iter().map(|key| key.key_id()[..1].to_owned()).collect()
    }

    #[test]
    fn every_condition_must_be_met() {
        assert_eq!(found(&KeyFilter::default()), ["2", "3", "1"], "keys without an alias come first, as on the page");
        let enabled = KeyFilter { states: vec![KeyState::Enabled], ..KeyFilter::default() };
        assert_eq!(found(&enabled), ["3", "1"]);
        assert_eq!(found(&KeyFilter { origins: vec![Origin::ExternalKeyStore], ..enabled.clone() }), ["1"]);
        assert_eq!(found(&KeyFilter { custom_key_store_id: Some("cks-2".to_owned()), ..enabled }), [""; 0]);
    }

    #[test]
    fn search_looks_in_all_columns_and_in_tags() {
        let search = |text: &str| found(&KeyFilter { search: text.to_owned(), ..KeyFilter::default() });
        assert_eq!(search("BOOKS"), ["2", "3"]);
        assert_eq!(search("description:books"), ["2"]);
        assert_eq!(search("tag:team=books"), ["3"]);
        assert_eq!(search("stat:enabled customer"), ["1"]);
        assert_eq!(search("external-key-id:ledger frankfurt"), [""; 0]);
        assert!(KeyFilter { search: "x Tag:a".to_owned(), ..KeyFilter::default() }.needs_tags());
        assert!(!KeyFilter { search: "description:tag".to_owned(), ..KeyFilter::default() }.needs_tags());
    }

    #[test]
    fn key_stores_are_searched_by_name_and_column() {
        let account = account();
        let count = |text: &str| search_key_stores(&account, text).len();
        assert_eq!(["", "frankfurt", "connection-state:connected", "oslo"].map(count), [1, 1, 1, 0]);
    }
}
