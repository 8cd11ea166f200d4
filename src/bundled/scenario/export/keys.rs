//! The key stores and KMS keys of an account.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::{Exporter, LeftOut};
use crate::aws::arn::partition_of;
use crate::aws::kms::{
    ConnectionState, CustomKeyStore, KeyManagerType, KeyMetadata, KeyState, Origin, XksProxyConnectivity,
};
use crate::aws::scalar::SecretString;
use crate::aws::{limits, policy};
use crate::bundled::scenario::definition::{Key, KeyStore, Scenario};
use crate::bundled::store::OpenError;
use crate::text::plural;
use crate::xks::key_manager::ProxyCredential;
use crate::xks::proxy::{BUNDLED_HOST, BUNDLED_VPC_HOST};

impl Exporter<'_> {
    /// Adds the key stores whose proxy is the bundled one, and returns the names by their IDs.
    pub(super) fn key_stores(
        &self,
        scenario: &mut Scenario,
        left_out: &mut LeftOut,
    ) -> Result<BTreeMap<String, String>, OpenError> {
        let known_partitions: BTreeSet<String> = self.manager.partitions()?.into_iter().collect();
        let mut query = self.tx.prepare(
            "SELECT document, secret FROM key_stores WHERE world = ?1
             ORDER BY document ->> '$.CreationDate', document ->> '$.CustomKeyStoreName'",
        )?;
        let rows =
            query.query_map([self.account_region], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let mut names = BTreeMap::new();
        let (mut over_vpc, mut other_proxies, mut connecting) = (0, 0, 0);
        for row in rows {
            let (document, secret) = row?;
            let store: CustomKeyStore = serde_json::from_str(&document)?;
            let Some(partition) = bundled_partition(&store).filter(|name| known_partitions.contains(*name)) else {
                other_proxies += 1;
                continue;
            };
            let proxy = store.xks_proxy_configuration.as_ref();
            over_vpc +=
                usize::from(proxy.is_some_and(|proxy| proxy.connectivity == XksProxyConnectivity::VpcEndpointService));
            let secret = self.store.unseal(&["key_stores", self.region, &store.custom_key_store_id], &secret)?;
            let credential = ProxyCredential {
                access_key_id: proxy.and_then(|proxy| proxy.access_key_id.clone()).unwrap_or_default(),
                secret_access_key: SecretString::new(String::from_utf8_lossy(&secret).into_owned()),
            };
            // A change of the state ends at a time that a scenario doesn't have.
            let is_changing =
                matches!(store.connection_state, ConnectionState::Connecting | ConnectionState::Disconnecting);
            connecting += usize::from(is_changing);
            names.insert(store.custom_key_store_id.clone(), store.custom_key_store_name.clone());
            let entry = KeyStore {
                name: store.custom_key_store_name.clone(),
                partition: partition.to_owned(),
                state: if is_changing { ConnectionState::Disconnected } else { store.connection_state },
                error_code: store.connection_error_code.clone(),
                has_wrong_secret: !self.manager.accepts(partition, &credential)?,
                created: store.creation_date.0,
            };
            scenario.key_store.push(Spanned::new(0..0, entry));
        }
        let stores = |count| plural(count, "key store", "key stores");
        left_out
            .add(other_proxies, || format!("{} with a proxy of your own, and the keys in it", stores(other_proxies)));
        left_out.add(over_vpc, || {
            format!("the VPC endpoint service of {}, with a public endpoint instead", stores(over_vpc))
        });
        left_out.add(connecting, || {
            format!("the change of the connection state of {}, disconnected instead", stores(connecting))
        });
        Ok(names)
    }

    /// Adds the KMS keys, except those in key stores that aren't in `stores`.
    pub(super) fn keys(
        &self,
        stores: &BTreeMap<String, String>,
        scenario: &mut Scenario,
        left_out: &mut LeftOut,
    ) -> Result<(), OpenError> {
        let default_policy = policy::default_policy(partition_of(self.region), self.account);
        let aliases =
            self.values_by_key("SELECT key_id, substr(name, 7), '' FROM aliases WHERE world = ?1 ORDER BY name")?;
        let tags = self.values_by_key("SELECT key_id, tag_key, tag_value FROM tags WHERE world = ?1")?;
        let mut query = self.tx.prepare("SELECT document, policy FROM keys WHERE world = ?1")?;
        let rows =
            query.query_map([self.account_region], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let (mut keys, mut pending) = (Vec::new(), 0);
        for row in rows {
            let (document, policy) = row?;
            let metadata: KeyMetadata = serde_json::from_str(&document)?;
            let store = metadata.custom_key_store_id.as_ref().map(|id| stores.get(id).cloned());
            if store.as_ref().is_some_and(Option::is_none)
                || !matches!(metadata.origin, Origin::AwsKms | Origin::ExternalKeyStore)
            {
                continue;
            }
            pending += usize::from(metadata.key_state == KeyState::PendingDeletion);
            let of_key = |values: &BTreeMap<String, Vec<(String, String)>>| {
                values.get(&metadata.key_id).cloned().unwrap_or_default()
            };
            keys.push(Key {
                aliases: of_key(&aliases).into_iter().map(|(alias, _)| alias).collect(),
                description: metadata.description.clone(),
                key_store: store.flatten(),
                external_key: metadata.xks_key_configuration.as_ref().map(|external| external.id.clone()),
                is_aws_managed: metadata.key_manager == KeyManagerType::Aws,
                enabled: metadata.key_state == KeyState::Enabled,
                created: metadata.creation_date.0,
                tags: of_key(&tags).into_iter().collect(),
                policy: (policy != default_policy).then_some(policy),
                count: 1,
            });
        }
        // The IDs of the keys aren't in the scenario, so the order can't depend on them.
        keys.sort_by(|one, other| order(one).cmp(&order(other)));
        scenario.key = keys.into_iter().map(|key| Spanned::new(0..0, key)).collect();
        left_out
            .add(pending, || format!("the pending deletion of {}, disabled instead", plural(pending, "key", "keys")));
        let query =
            "SELECT count(*) FROM (SELECT world FROM keys UNION ALL SELECT world FROM key_stores) WHERE world <> ?1";
        let elsewhere: i64 = self.tx.query_row(query, [self.account_region], |row| row.get(0))?;
        let elsewhere = usize::try_from(elsewhere).unwrap_or(0);
        left_out.add(elsewhere, || {
            let (one, many) = ("key or key store in another Region", "keys and key stores in other Regions");
            plural(elsewhere, one, many)
        });
        Ok(())
    }

    /// Reads pairs of values with the ID of the key that they belong to.
    fn values_by_key(&self, query: &str) -> Result<BTreeMap<String, Vec<(String, String)>>, OpenError> {
        let mut query = self.tx.prepare(query)?;
        let mut values: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for row in query.query_map([self.account_region], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
            let (key_id, first, second): (String, String, String) = row?;
            values.entry(key_id).or_default().push((first, second));
        }
        Ok(values)
    }
}

/// Returns the partition of the bundled proxy that a key store uses.
fn bundled_partition(store: &CustomKeyStore) -> Option<&str> {
    let proxy = store.xks_proxy_configuration.as_ref()?;
    let host = proxy.uri_endpoint.strip_prefix("https://")?;
    if host != BUNDLED_HOST && host != BUNDLED_VPC_HOST {
        return None;
    }
    let partition = proxy.uri_path.strip_suffix(limits::XKS_PROXY_PATH_SUFFIX)?.strip_prefix('/')?;
    (!partition.is_empty()).then_some(partition)
}

/// Everything that two keys can differ in, the creation date first.
fn order(key: &Key) -> impl Ord + '_ {
    (
        key.created,
        &key.aliases,
        &key.description,
        (&key.key_store, &key.external_key),
        (key.is_aws_managed, key.enabled, &key.tags, &key.policy),
    )
}
