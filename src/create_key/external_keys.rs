//! The external keys that a KMS key can be created with: those of the key store's partition, and those used before.

use std::collections::{HashMap, HashSet};

use super::account_state::AccountState;
use super::key_summary::KeySummary;
use crate::aws::kms::CustomKeyStore;
use crate::aws::xks_console::{ExternalKey, Partition};

/// The key spec that AWS KMS requires of an external key.
const REQUIRED_SPEC: &str = "AES_256";
/// The key usage that AWS KMS requires of an external key.
const REQUIRED_USAGE: [&str; 2] = ["ENCRYPT", "DECRYPT"];

/// An external key to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalKeyOption {
    /// The external key ID.
    pub id: String,
    /// The status of the key: `Enabled`, `Disabled`, or `Used before` if only its ID is known.
    pub status: &'static str,
    /// The key usage, such as `ENCRYPT, DECRYPT`; `-` if it is unknown.
    pub usage: String,
    /// The key spec, such as `AES_256`; `-` if it is unknown.
    pub spec: String,
    /// The alias or key ID of the KMS key that uses the external key; `-` if there is none.
    pub kms_key: String,
    /// Why no KMS key can be created with the external key, if that is known.
    pub unavailable_reason: Option<String>,
}

/// Returns the external keys to choose from for a KMS key in a key store. Those that can't be used are last.
///
/// `partitions` are the partitions of the external key manager, as far as they are known. `used_before` are external
/// key IDs that were tried in this key store earlier.
pub fn external_key_options(
    store_id: &str,
    partitions: &[Partition],
    used_before: &[String],
    account: &AccountState,
) -> Vec<ExternalKeyOption> {
    let partition = partition_of(store_id, partitions, account);
    let keys = partition.map_or(&[][..], |partition| &partition.keys);
    let users = Users::new(store_id, account);
    let mut options: Vec<_> = keys.iter().map(|key| listed_option(key, &users, account)).collect();
    for id in used_before {
        let is_listed = keys.iter().any(|key| key.id == *id);
        if !is_listed && !users.here.contains_key(&**id) {
            options.push(used_before_option(id, partition.is_some()));
        }
    }
    options.sort_by_key(|option| option.unavailable_reason.is_some());
    options
}

/// The KMS keys that use the external keys of a partition, by external key ID.
struct Users<'a> {
    /// The keys of the key store. They prevent others.
    here: HashMap<&'a str, &'a KeySummary>,
    /// The keys of all key stores with the same proxy URI path. Those of another key store don't prevent a new one.
    everywhere: HashMap<&'a str, &'a KeySummary>,
}

impl<'a> Users<'a> {
    fn new(store_id: &str, account: &'a AccountState) -> Self {
        let uri_path = |store: &'a CustomKeyStore| Some(&store.xks_proxy_configuration.as_ref()?.uri_path);
        let path = account.key_store(store_id).and_then(uri_path);
        let stores = account.key_stores.ready().into_iter().flatten();
        let same_path = stores.filter(|store| path.is_some() && uri_path(store) == path);
        let same_path: HashSet<&str> = same_path.map(|store| &*store.custom_key_store_id).collect();
        let mut users = Self { here: HashMap::new(), everywhere: HashMap::new() };
        for key in account.keys.ready().into_iter().flatten() {
            let (Some(store), Some(id)) = (key.custom_key_store_id.as_deref(), key.xks_key_id.as_deref()) else {
                continue;
            };
            if store == store_id {
                users.here.entry(id).or_insert(key);
            }
            if same_path.contains(store) {
                users.everywhere.entry(id).or_insert(key);
            }
        }
        users
    }
}

/// Returns the KMS key that uses an external key in a key store, if it is loaded.
pub fn kms_key_with<'a>(store_id: &str, xks_key_id: &str, account: &'a AccountState) -> Option<&'a KeySummary> {
    account.keys.ready()?.iter().find(|key| {
        key.custom_key_store_id.as_deref() == Some(store_id) && key.xks_key_id.as_deref() == Some(xks_key_id)
    })
}

/// Returns the first alias of a KMS key, without `alias/`, or the key ID if it has no alias.
pub fn kms_key_name(key: &KeySummary, account: &AccountState) -> String {
    account.aliases_of(key.key_id()).first().map_or_else(|| key.key_id().to_owned(), Clone::clone)
}

/// Returns the partition that the proxy of a key store serves.
fn partition_of<'a>(store_id: &str, partitions: &'a [Partition], account: &AccountState) -> Option<&'a Partition> {
    let uri_path = &account.key_store(store_id)?.xks_proxy_configuration.as_ref()?.uri_path;
    partitions.iter().find(|partition| partition.uri_path == *uri_path)
}

fn listed_option(key: &ExternalKey, users: &Users, account: &AccountState) -> ExternalKeyOption {
    let name = |user: &&KeySummary| kms_key_name(user, account);
    let user = users.here.get(&*key.id).map(name);
    let other_user = || users.everywhere.get(&*key.id).map(name);
    ExternalKeyOption {
        id: key.id.clone(),
        status: if key.enabled { "Enabled" } else { "Disabled" },
        usage: if key.usage.is_empty() { "-".to_owned() } else { key.usage.join(", ") },
        spec: key.spec.clone(),
        unavailable_reason: unavailable_reason(key, user.as_deref()),
        kms_key: user.or_else(other_user).unwrap_or_else(|| "-".to_owned()),
    }
}

fn unavailable_reason(key: &ExternalKey, user: Option<&str>) -> Option<String> {
    if let Some(user) = user {
        return Some(format!("In use by the KMS key {user}"));
    }
    if !key.enabled {
        return Some("Enable it in the external key manager first".to_owned());
    }
    if key.spec != REQUIRED_SPEC {
        return Some(format!("The key spec is {}, not {REQUIRED_SPEC}", key.spec));
    }
    let missing = REQUIRED_USAGE.into_iter().find(|usage| !key.usage.iter().any(|has| has == usage))?;
    Some(format!("The key usage doesn't include {missing}"))
}

/// Returns the option for an ID that was used before. If the partition is known, it doesn't contain the ID.
fn used_before_option(id: &str, is_partition_known: bool) -> ExternalKeyOption {
    ExternalKeyOption {
        id: id.to_owned(),
        status: "Used before",
        usage: "-".to_owned(),
        spec: "-".to_owned(),
        kms_key: "-".to_owned(),
        unavailable_reason: is_partition_known.then(|| "Not found in the external key manager".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::{XksProxyConfiguration, XksProxyConnectivity};
    use crate::create_key::account_state::Loadable;
    use crate::create_key::testing;

    const URI_PATH: &str = "/frankfurt/kms/xks/v1";

    fn account_state() -> AccountState {
        let mut account = testing::account_state();
        account.index_aliases();
        if let Loadable::Ready(stores) = &mut account.key_stores {
            stores[0].xks_proxy_configuration = Some(XksProxyConfiguration {
                connectivity: XksProxyConnectivity::PublicEndpoint,
                access_key_id: None,
                uri_endpoint: "https://xks-proxy.bundled.internal".to_owned(),
                uri_path: URI_PATH.to_owned(),
                vpc_endpoint_service_name: None,
                vpc_endpoint_service_owner: None,
            });
        }
        account
    }

    fn external_key(id: &str) -> ExternalKey {
        ExternalKey {
            id: id.to_owned(),
            spec: "AES_256".to_owned(),
            usage: REQUIRED_USAGE.map(str::to_owned).to_vec(),
            enabled: true,
            ..ExternalKey::default()
        }
    }

    fn partitions() -> Vec<Partition> {
        let keys = vec![
            ExternalKey { usage: vec!["ENCRYPT".to_owned()], ..external_key("a-usage") },
            ExternalKey { spec: "AES_128".to_owned(), ..external_key("b-spec") },
            external_key("customer-db"),
            ExternalKey { enabled: false, ..external_key("d-disabled") },
            external_key("payments-2026"),
        ];
        let other = Partition {
            uri_path: "/zurich/kms/xks/v1".to_owned(),
            keys: vec![external_key("dr-vault")],
            ..Partition::default()
        };
        vec![other, Partition { uri_path: URI_PATH.to_owned(), keys, ..Partition::default() }]
    }

    fn used(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    fn ids(options: &[ExternalKeyOption]) -> Vec<(&str, Option<&str>)> {
        options.iter().map(|option| (option.id.as_str(), option.unavailable_reason.as_deref())).collect()
    }

    #[test]
    fn keys_of_the_partition_that_cannot_be_used_are_last_with_the_reason() {
        let options = external_key_options("cks-1", &partitions(), &used(&["gone", "payments-2026"]), &account_state());
        let expected = [
            ("payments-2026", None),
            ("a-usage", Some("The key usage doesn't include DECRYPT")),
            ("b-spec", Some("The key spec is AES_128, not AES_256")),
            ("customer-db", Some("In use by the KMS key customer-db")),
            ("d-disabled", Some("Enable it in the external key manager first")),
            ("gone", Some("Not found in the external key manager")),
        ];
        assert_eq!(ids(&options), expected);
        assert_eq!((options[0].status, options[4].status, options[5].status), ("Enabled", "Disabled", "Used before"));
        assert_eq!((options[0].kms_key.as_str(), options[3].kms_key.as_str()), ("-", "customer-db"));
    }

    #[test]
    fn without_partitions_the_ids_used_before_are_offered_unless_a_kms_key_has_them() {
        let account = account_state();
        let options = external_key_options("cks-1", &[], &used(&["new", "customer-db", "old"]), &account);
        assert_eq!(ids(&options), [("new", None), ("old", None)]);
        assert_eq!(external_key_options("cks-2", &partitions(), &[], &account), []);
    }
}
