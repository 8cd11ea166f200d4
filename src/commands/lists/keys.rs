//! `xks-console list-keys`.

use std::error::Error;
use std::io::Write;

use serde_json::{Value, json};

use super::{Output, load};
use crate::cli::ListKeys;
use crate::client::Client;
use crate::create_key::account_state::AccountState;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::store_lookup;
use crate::listing::filter::{KeyFilter, full_cell};
use crate::listing::json;
use crate::listing::keys::KeyColumn;
use crate::listing::table::{TextColumn, TextTable};
use crate::tui::preferences::Preferences;

/// Prints the keys that match the options. Returns whether the list is complete.
pub(super) async fn run(
    client: &Client,
    options: &ListKeys,
    output: &mut Output<'_, impl Write, impl Write>,
) -> Result<bool, Box<dyn Error>> {
    let mut account = load::account_state(client).await;
    let filter = KeyFilter {
        custom_key_store_id: options.store.as_deref().map(|name| find_store(name, &account)).transpose()?,
        states: options.status.clone(),
        origins: options.origin.clone(),
        search: options.search.clone(),
    };
    load::keys(client, &mut account).await?;
    let keys = if options.aws_managed {
        std::mem::take(&mut account.aws_managed_keys)
    } else {
        account.keys.ready().cloned().unwrap_or_default()
    };
    if filter.needs_tags() {
        load::tags(client, &mut account, keys.iter().map(|key| key.key_id().to_owned()).collect()).await?;
    }
    let found = filter.apply(&keys, &account);
    let table = table(&found, &account, output.has_all_columns());
    let documents: Vec<Value> = found.iter().map(|key| json::key(key, &account)).collect();
    output.write_list(&json!({ "keys": documents }), &table, &empty_message(keys.len(), options, &account))?;
    let has_aliases = load::report_missing(&account.aliases, "the aliases", output.notes)?;
    let has_stores = load::report_missing(&account.key_stores, "the names of the key stores", output.notes)?;
    Ok(has_aliases && has_stores)
}

/// Returns the ID of the key store with this ID or name.
fn find_store(name: &str, account: &AccountState) -> Result<String, Box<dyn Error>> {
    // A key in an AWS CloudHSM key store is listed too, so the kind of key store doesn't matter.
    let stores = account.key_stores.ready().into_iter().flatten();
    let by_id = stores.clone().find(|store| store.custom_key_store_id == name);
    if let Some(store) = by_id.or_else(|| stores.clone().find(|store| store.custom_key_store_name == name)) {
        return Ok(store.custom_key_store_id.clone());
    }
    let store = store_lookup::find_key_store(Some(name), account).map_err(|error| format!("--store: {error}."))?;
    Ok(store.custom_key_store_id.clone())
}

fn table(keys: &[&KeySummary], account: &AccountState, has_all_columns: bool) -> TextTable {
    let columns = if has_all_columns { KeyColumn::ALL.to_vec() } else { Preferences::default().key_columns };
    let row = |key: &&KeySummary| columns.iter().map(|column| cell(key, *column, account)).collect();
    TextTable {
        rows: keys.iter().map(row).collect(),
        columns: columns.iter().map(|column| text_column(*column)).collect(),
    }
}

/// Returns the text of a cell. The hyphen of the console stands for a missing value.
fn cell(key: &KeySummary, column: KeyColumn, account: &AccountState) -> String {
    let text = full_cell(key, column, account);
    if text == "-" { String::new() } else { text }
}

fn text_column(column: KeyColumn) -> TextColumn {
    let can_shorten = !matches!(column, KeyColumn::KeyId | KeyColumn::Status | KeyColumn::CreationDate);
    TextColumn { title: column.title(), can_shorten }
}

fn empty_message(total: usize, options: &ListKeys, account: &AccountState) -> String {
    let kind = if options.aws_managed { "AWS managed" } else { "customer managed" };
    let place = match account.account_id.as_str() {
        "" => format!("in Region {}", account.region),
        id => format!("in account {id} and Region {}", account.region),
    };
    match total {
        0 if options.aws_managed => {
            format!("There are no AWS managed keys {place}. AWS services create them when needed.")
        }
        0 => format!("There are no customer managed keys {place}. To create one, run `xks-console create-key`."),
        1 => format!("The {kind} key {place} doesn't match. To list it, leave out the filters."),
        count => format!("None of the {count} {kind} keys {place} match. To list more, leave out a filter."),
    }
}
