//! Finds the external key store that was requested by ID or name.

use super::account_state::AccountState;
use crate::aws::kms::{CustomKeyStore, CustomKeyStoreType};

/// The reason why no key store was found. The message includes the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreLookupError {
    /// The key stores couldn't be loaded.
    #[error("couldn't load the key stores: {0}")]
    NotLoaded(String),
    /// The account has no external key store in the Region.
    #[error(
        "no external key stores in account {account} and Region {region}. Create one: press C on the External key \
         stores page or run `aws kms create-custom-key-store`. Or specify another --region or --profile"
    )]
    NoStores {
        /// The account that was searched.
        account: String,
        /// The Region that was searched.
        region: String,
    },
    /// No key store was requested, and there is more than one.
    #[error("there is more than one external key store. Specify one by ID or name: {stores}")]
    Ambiguous {
        /// All external key stores.
        stores: String,
    },
    /// No external key store has this ID or name.
    #[error("no external key store has the ID or name \"{requested}\". Specify one of these: {stores}")]
    NotFound {
        /// The requested ID or name.
        requested: String,
        /// All external key stores.
        stores: String,
    },
    /// The key store is an AWS CloudHSM key store.
    #[error("{0} is an AWS CloudHSM key store. Specify an external key store")]
    CloudHsmStore(String),
}

/// Returns the external key store with the ID or name `requested`, or the only one if nothing is requested.
///
/// # Errors
/// Returns a [`StoreLookupError`] if no external key store matches or the choice is ambiguous.
pub fn find_key_store<'a>(
    requested: Option<&str>,
    account: &'a AccountState,
) -> Result<&'a CustomKeyStore, StoreLookupError> {
    let Some(all) = account.key_stores.ready() else {
        return Err(StoreLookupError::NotLoaded(
            account.key_stores.error().unwrap_or("they aren't loaded yet").to_owned(),
        ));
    };
    let is_external = |store: &&CustomKeyStore| store.custom_key_store_type == CustomKeyStoreType::ExternalKeyStore;
    let external: Vec<&CustomKeyStore> = all.iter().filter(is_external).collect();
    if let Some(requested) = requested {
        let by_id = all.iter().find(|store| store.custom_key_store_id == requested);
        if let Some(store) = by_id.or_else(|| all.iter().find(|store| store.custom_key_store_name == requested)) {
            return if is_external(&store) {
                Ok(store)
            } else {
                Err(StoreLookupError::CloudHsmStore(requested.to_owned()))
            };
        }
    }
    match (requested, external.as_slice()) {
        (_, []) => {
            Err(StoreLookupError::NoStores { account: account.account_id.clone(), region: account.region.clone() })
        }
        (None, [store]) => Ok(store),
        (None, _) => Err(StoreLookupError::Ambiguous { stores: format_stores(&external) }),
        (Some(requested), _) => {
            Err(StoreLookupError::NotFound { requested: requested.to_owned(), stores: format_stores(&external) })
        }
    }
}

fn format_stores(stores: &[&CustomKeyStore]) -> String {
    let mut descriptions: Vec<String> = stores
        .iter()
        .map(|store| {
            let state = store.connection_state.label().to_lowercase();
            format!("{} ({}, {state})", store.custom_key_store_name, store.custom_key_store_id)
        })
        .collect();
    descriptions.sort_unstable();
    descriptions.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::account_state::Loadable;
    use crate::create_key::testing::account_state;

    fn find<'a>(requested: Option<&str>, account: &'a AccountState) -> Result<&'a str, StoreLookupError> {
        find_key_store(requested, account).map(|store| store.custom_key_store_id.as_str())
    }

    fn state_with_stores(more: &[(&str, &str, CustomKeyStoreType)]) -> AccountState {
        let mut account = account_state();
        let Loadable::Ready(stores) = &mut account.key_stores else { panic!("the key stores are loaded") };
        for (id, name, kind) in more {
            stores.push(CustomKeyStore {
                custom_key_store_id: (*id).to_owned(),
                custom_key_store_name: (*name).to_owned(),
                custom_key_store_type: *kind,
                ..stores[0].clone()
            });
        }
        account
    }

    #[test]
    fn key_store_is_found_by_id_or_by_name_or_when_it_is_the_only_one() {
        let account = state_with_stores(&[("cks-9", "Hardware", CustomKeyStoreType::AwsCloudHsm)]);
        for requested in [Some("cks-1"), Some("Frankfurt HSM"), None] {
            assert_eq!(find(requested, &account), Ok("cks-1"));
        }
        assert_eq!(find(Some("Hardware"), &account), Err(StoreLookupError::CloudHsmStore("Hardware".to_owned())));
    }

    #[test]
    fn failed_lookup_lists_the_available_key_stores() {
        let account = state_with_stores(&[("cks-2", "cks-1", CustomKeyStoreType::ExternalKeyStore)]);
        assert_eq!(find(Some("cks-1"), &account), Ok("cks-1"), "an ID takes precedence over a name");
        let message = find(None, &account).unwrap_err().to_string();
        assert!(message.contains("Frankfurt HSM (cks-1, connected), cks-1 (cks-2, connected)"), "{message}");
        assert!(find(Some("Oslo"), &account).unwrap_err().to_string().contains("\"Oslo\""));
        let none = AccountState { key_stores: Loadable::Ready(Vec::new()), ..account };
        assert!(find(Some("Oslo"), &none).unwrap_err().to_string().contains("us-west-2"));
        let failed = AccountState { key_stores: Loadable::Failed("AccessDenied: no".to_owned()), ..none };
        assert!(find(None, &failed).unwrap_err().to_string().contains("AccessDenied"));
    }
}
