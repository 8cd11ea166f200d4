//! The external key store that was asked for by a word.

use super::known::Known;
use crate::aws::kms::{CustomKeyStore, CustomKeyStoreType};

/// Why there is no such store. The words say what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKeyStore {
    /// The stores are not known.
    #[error("the key stores can't be told: {0}")]
    NotTold(String),
    /// There is none at all.
    #[error(
        "there is no external key store in account {account} and Region {region}. Create one: in the console press C in \
         External key stores, or call `aws kms create-custom-key-store`; or name another --region or --profile"
    )]
    Nowhere {
        /// The account that was looked in.
        account: String,
        /// The Region that was looked in.
        region: String,
    },
    /// None was named, and there are several.
    #[error("there is more than one external key store. Name one by its ID or name: {stores}")]
    Several {
        /// All of them.
        stores: String,
    },
    /// None has this ID or name.
    #[error("no external key store here has the ID or the name ‘{wanted}’. There are: {stores}")]
    Unknown {
        /// What was asked for.
        wanted: String,
        /// All of them.
        stores: String,
    },
    /// It is a custom key store of the other kind.
    #[error("{0} is an AWS CloudHSM key store; this makes keys in external key stores")]
    CloudHsm(String),
}

/// The external key store with the ID or the name `wanted`; the only one when nothing is wanted.
///
/// # Errors
/// [`NoKeyStore`]
pub fn key_store<'a>(wanted: Option<&str>, known: &'a Known) -> Result<&'a CustomKeyStore, NoKeyStore> {
    let Some(all) = known.key_stores.ready() else {
        return Err(NoKeyStore::NotTold(known.key_stores.failure().unwrap_or("not asked yet").to_owned()));
    };
    let is_external = |store: &&CustomKeyStore| store.custom_key_store_type == CustomKeyStoreType::ExternalKeyStore;
    let external: Vec<&CustomKeyStore> = all.iter().filter(is_external).collect();
    if let Some(wanted) = wanted {
        let by_id = all.iter().find(|store| store.custom_key_store_id == wanted);
        if let Some(store) = by_id.or_else(|| all.iter().find(|store| store.custom_key_store_name == wanted)) {
            return if is_external(&store) { Ok(store) } else { Err(NoKeyStore::CloudHsm(wanted.to_owned())) };
        }
    }
    match (wanted, external.as_slice()) {
        (_, []) => Err(NoKeyStore::Nowhere { account: known.account.clone(), region: known.region.clone() }),
        (None, [store]) => Ok(store),
        (None, _) => Err(NoKeyStore::Several { stores: listed(&external) }),
        (Some(wanted), _) => Err(NoKeyStore::Unknown { wanted: wanted.to_owned(), stores: listed(&external) }),
    }
}

fn listed(stores: &[&CustomKeyStore]) -> String {
    let mut words: Vec<String> = stores
        .iter()
        .map(|store| {
            let state = store.connection_state.label().to_lowercase();
            format!("{} ({}, {state})", store.custom_key_store_name, store.custom_key_store_id)
        })
        .collect();
    words.sort_unstable();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::known::Loaded;
    use crate::create_key::testing::known;

    fn found<'a>(wanted: Option<&str>, known: &'a Known) -> Result<&'a str, NoKeyStore> {
        key_store(wanted, known).map(|store| store.custom_key_store_id.as_str())
    }

    fn with(more: &[(&str, &str, CustomKeyStoreType)]) -> Known {
        let mut known = known();
        let Loaded::Ready(stores) = &mut known.key_stores else { panic!("the test has stores") };
        for (id, name, kind) in more {
            stores.push(CustomKeyStore {
                custom_key_store_id: (*id).to_owned(),
                custom_key_store_name: (*name).to_owned(),
                custom_key_store_type: *kind,
                ..stores[0].clone()
            });
        }
        known
    }

    #[test]
    fn key_store_is_found_by_id_or_by_name_or_when_it_is_the_only_one() {
        let known = with(&[("cks-9", "Hardware", CustomKeyStoreType::AwsCloudHsm)]);
        for wanted in [Some("cks-1"), Some("Frankfurt HSM"), None] {
            assert_eq!(found(wanted, &known), Ok("cks-1"));
        }
        assert_eq!(found(Some("Hardware"), &known), Err(NoKeyStore::CloudHsm("Hardware".to_owned())));
    }

    #[test]
    fn failed_lookup_lists_the_available_key_stores() {
        let known = with(&[("cks-2", "cks-1", CustomKeyStoreType::ExternalKeyStore)]);
        assert_eq!(found(Some("cks-1"), &known), Ok("cks-1"), "an ID wins over a name");
        let words = found(None, &known).unwrap_err().to_string();
        assert!(words.contains("Frankfurt HSM (cks-1, connected), cks-1 (cks-2, connected)"), "{words}");
        assert!(found(Some("Oslo"), &known).unwrap_err().to_string().contains("‘Oslo’"));
        let none = Known { key_stores: Loaded::Ready(Vec::new()), ..known };
        assert!(found(Some("Oslo"), &none).unwrap_err().to_string().contains("us-west-2"));
        let failed = Known { key_stores: Loaded::Failed("AccessDenied: no".to_owned()), ..none };
        assert!(found(None, &failed).unwrap_err().to_string().contains("AccessDenied"));
    }
}
