//! The list *External key stores*: columns and cells.

use crate::aws::kms::{CustomKeyStore, CustomKeyStoreType};
use crate::aws::lenient::UNREADABLE;
use crate::create_key::account_state::AccountState;

/// The headings of the columns, as the AWS console shows them.
pub const TITLES: [&str; 5] =
    ["Custom key store name", "Connection state", "Custom key store ID", "Proxy connectivity", "Proxy URI path"];

/// Returns the external key stores among the custom key stores, sorted by name.
pub fn external_key_stores(account: &AccountState) -> Vec<&CustomKeyStore> {
    let stores = account.key_stores.ready().map_or(&[][..], Vec::as_slice);
    let mut external: Vec<&CustomKeyStore> = stores.iter().filter(|store| is_external(store)).collect();
    external.sort_by_cached_key(|store| store.custom_key_store_name.to_lowercase());
    external
}

fn is_external(store: &CustomKeyStore) -> bool {
    // Key stores of an unknown type have no separate page, so they are listed here.
    store.custom_key_store_type != CustomKeyStoreType::AwsCloudHsm
}

/// Returns the text of a cell in a table of key stores.
pub fn cell(store: &CustomKeyStore, column: usize) -> String {
    let proxy = store.xks_proxy_configuration.as_ref();
    match column {
        0 => store.custom_key_store_name.clone(),
        1 if store.problem.is_some() && store.connection_state.as_str() != UNREADABLE => {
            format!("{} (partly readable)", store.connection_state.label())
        }
        1 => store.connection_state.label().to_owned(),
        2 => store.custom_key_store_id.clone(),
        3 => proxy.map(|proxy| proxy.connectivity.label().to_owned()).unwrap_or_default(),
        _ => proxy.map(|proxy| proxy.uri_path.clone()).unwrap_or_default(),
    }
}
