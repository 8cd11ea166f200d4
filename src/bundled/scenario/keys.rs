//! Adds the key stores and KMS keys of a scenario.

use std::collections::BTreeMap;

use rusqlite::params;
use toml::Spanned;

use super::ScenarioWriter;
use super::definition::{Account, Key, numbered};
use crate::aws::arn::{Arn, partition_of};
use crate::aws::kms::{
    CustomKeyStore, CustomKeyStoreType, KeyManagerType, KeyMetadata, KeyState, Origin, XksKeyConfiguration,
    XksProxyConfiguration, XksProxyConnectivity,
};
use crate::aws::policy;
use crate::aws::scalar::EpochSeconds;
use crate::bundled::store::OpenError;
use crate::xks::key_manager::ProxyCredential;
use crate::xks::proxy::BUNDLED_HOST;

impl ScenarioWriter<'_> {
    pub(super) fn insert_key_stores(
        &self,
        credentials: &BTreeMap<String, ProxyCredential>,
    ) -> Result<BTreeMap<String, String>, OpenError> {
        let region = &self.account.region;
        let mut ids = BTreeMap::new();
        for entry in &self.scenario.key_store {
            let store = entry.get_ref();
            let credential = credentials.get(&store.partition).ok_or_else(|| {
                let reason = format!(
                    "the key store \"{}\" refers to the partition \"{}\", which doesn't exist",
                    store.name, store.partition
                );
                self.source.problem_at(&entry.span(), &reason)
            })?;
            let hex = self.environment().random.hex::<9>()?;
            let id = format!("cks-{}", hex.get(..17).unwrap_or(&hex));
            let document = CustomKeyStore {
                custom_key_store_id: id.clone(),
                custom_key_store_name: store.name.clone(),
                connection_state: store.state,
                connection_error_code: store.error_code.clone(),
                creation_date: EpochSeconds(store.created),
                custom_key_store_type: CustomKeyStoreType::ExternalKeyStore,
                xks_proxy_configuration: Some(XksProxyConfiguration {
                    connectivity: XksProxyConnectivity::PublicEndpoint,
                    access_key_id: Some(credential.access_key_id.clone()),
                    uri_endpoint: format!("https://{BUNDLED_HOST}"),
                    uri_path: format!("/{}/kms/xks/v1", store.partition),
                    vpc_endpoint_service_name: None,
                    vpc_endpoint_service_owner: None,
                }),
                problem: None,
            };
            let wrong_credential = ProxyCredential::generate(&self.environment().random)?;
            let stored_credential = if store.has_wrong_secret { &wrong_credential } else { credential };
            let secret = stored_credential.secret_access_key.expose().as_bytes();
            let sealed = self.store.seal(&["key_stores", region, &id], secret)?;
            let document = serde_json::to_string(&document)?;
            self.tx.execute(
                "INSERT INTO key_stores (world, id, document, secret) VALUES (?1, ?2, ?3, ?4)",
                params![self.account_region(), id, document, sealed],
            )?;
            ids.insert(store.name.clone(), id);
        }
        Ok(ids)
    }

    pub(super) fn add_key(&self, entry: &Spanned<Key>, stores: &BTreeMap<String, String>) -> Result<(), OpenError> {
        let key = entry.get_ref();
        let problem = |reason: &str| {
            let reason = format!("the KMS key \"{}\" {reason}", key.description);
            self.source.problem_at(&entry.span(), &reason)
        };
        let store = key.key_store.as_ref().map(|name| {
            let missing = || problem(&format!("refers to the key store \"{name}\", which doesn't exist"));
            stores.get(name).ok_or_else(missing)
        });
        let store = store.transpose()?;
        if store.is_some() != key.external_key.is_some() {
            return Err(problem("must have both key_store and external_key, or neither"));
        }
        if let Some(problems) = key.policy.as_deref().and_then(|text| policy::check(text).err()) {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            return Err(problem(&format!("has a malformed key policy: {}", problems.join(" "))));
        }
        (1..=key.count).try_for_each(|number| self.insert_key(key, number, store.map(String::as_str)))
    }

    fn insert_key(&self, key: &Key, number: u32, store: Option<&str>) -> Result<(), OpenError> {
        let Account { id: account, region, .. } = self.account;
        let external_key = key.external_key.as_deref().map(|id| numbered(id, number, key.count));
        let random = &self.environment().random;
        let (key_id, material_id) = (random.uuid()?, random.hex::<32>()?);
        let material = zeroize::Zeroizing::new(random.bytes::<32>()?);
        let sealed = self.store.seal(&["key_material", account, region, &key_id, &material_id], &*material)?;
        let metadata = KeyMetadata {
            aws_account_id: account.clone(),
            key_id: key_id.clone(),
            arn: Arn::kms_key(region, account, &key_id).to_string(),
            creation_date: EpochSeconds(key.created),
            enabled: key.enabled,
            description: key.description.clone(),
            key_usage: "ENCRYPT_DECRYPT".to_owned(),
            key_state: if key.enabled { KeyState::Enabled } else { KeyState::Disabled },
            deletion_date: None,
            origin: if store.is_some() { Origin::ExternalKeyStore } else { Origin::AwsKms },
            custom_key_store_id: store.map(str::to_owned),
            key_manager: if key.is_aws_managed { KeyManagerType::Aws } else { KeyManagerType::Customer },
            customer_master_key_spec: Some("SYMMETRIC_DEFAULT".to_owned()),
            key_spec: "SYMMETRIC_DEFAULT".to_owned(),
            encryption_algorithms: Some(vec!["SYMMETRIC_DEFAULT".to_owned()]),
            multi_region: Some(false),
            xks_key_configuration: external_key.clone().map(|id| XksKeyConfiguration { id }),
            current_key_material_id: store.is_none().then(|| material_id.clone()),
            problem: None,
        };
        self.tx.execute(
            "INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL)",
            params![
                self.account_region(),
                key_id,
                serde_json::to_string(&metadata)?,
                key.policy.clone().unwrap_or_else(|| policy::default_policy(partition_of(region), account)),
                material_id,
                sealed,
                store,
                external_key
            ],
        )?;
        for alias in &key.aliases {
            let name = format!("alias/{}", numbered(alias, number, key.count));
            let created = key.created.as_millisecond();
            self.tx.execute(
                "INSERT INTO aliases VALUES (?1, ?2, ?3, ?4, ?4)",
                params![self.account_region(), name, key_id, created],
            )?;
        }
        for (tag_key, tag_value) in &key.tags {
            self.tx.execute(
                "INSERT INTO tags VALUES (?1, ?2, ?3, ?4)",
                params![self.account_region(), key_id, tag_key, tag_value],
            )?;
        }
        Ok(())
    }
}
