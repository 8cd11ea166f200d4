//! `xks-console list-stores`.

use std::error::Error;
use std::io::Write;

use serde_json::{Value, json};

use super::Output;
use super::load::{self, LoadError};
use crate::aws::kms::CustomKeyStore;
use crate::cli::ListStores;
use crate::client::Client;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::listing::filter::search_key_stores;
use crate::listing::json;
use crate::listing::key_stores::{TITLES, cell, external_key_stores};
use crate::listing::table::{TextColumn, TextTable};
use crate::tui::effect::{Call, Response};

/// The columns that only Markdown and CSV have, after those of the console's list.
const MORE_TITLES: [&str; 4] =
    ["Proxy URI endpoint", "Proxy access key ID", "VPC endpoint service name", "Connection error"];

/// Prints the external key stores that match the options. Returns whether the list is complete.
pub(super) async fn run(
    client: &Client,
    options: &ListStores,
    output: &mut Output<'_, impl Write, impl Write>,
) -> Result<bool, Box<dyn Error>> {
    let stores = match load::call(client, Call::KeyStores).await {
        Ok(Response::KeyStores(stores)) => stores,
        Ok(_) => Vec::new(),
        Err(failure) => return Err(LoadError::new("the key stores", &failure).into()),
    };
    let account = AccountState { key_stores: Loadable::Ready(stores), ..AccountState::default() };
    let found = search_key_stores(&account, &options.search);
    let documents: Vec<Value> = found.iter().map(|store| json::key_store(store)).collect();
    let region = client.region();
    let empty = match external_key_stores(&account).len() {
        0 => {
            format!("There are no external key stores in Region {region}. To create one, open the console and press C.")
        }
        1 => format!("The external key store in Region {region} doesn't match. To list it, leave out --search."),
        count => format!(
            "None of the {count} external key stores in Region {region} match. To list them, leave out --search."
        ),
    };
    output.write_list(&json!({ "keyStores": documents }), &table(&found, output.has_all_columns()), &empty)?;
    Ok(true)
}

fn table(stores: &[&CustomKeyStore], has_all_columns: bool) -> TextTable {
    let more: &[&'static str] = if has_all_columns { &MORE_TITLES } else { &[] };
    let columns = TITLES
        .iter()
        .chain(more)
        .map(|title| TextColumn { title, can_shorten: !matches!(*title, "Custom key store ID" | "Connection state") });
    let row = |store: &&CustomKeyStore| {
        let cells = (0..TITLES.len()).map(|column| cell(store, column));
        cells.chain((0..more.len()).map(|column| more_cell(store, column))).collect()
    };
    TextTable { columns: columns.collect(), rows: stores.iter().map(row).collect() }
}

/// Returns the text of a cell in [`MORE_TITLES`].
fn more_cell(store: &CustomKeyStore, column: usize) -> String {
    let proxy = store.xks_proxy_configuration.as_ref();
    let text = match column {
        0 => proxy.map(|proxy| proxy.uri_endpoint.as_str()),
        1 => proxy.and_then(|proxy| proxy.access_key_id.as_deref()),
        2 => proxy.and_then(|proxy| proxy.vpc_endpoint_service_name.as_deref()),
        _ => store.connection_error_code.as_deref(),
    };
    text.unwrap_or_default().to_owned()
}
