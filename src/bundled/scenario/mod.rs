//! Fills a new account from a scenario: one of `assets/scenarios`, or a file.

mod definition;
mod export;
mod faults;
mod keys;
mod past;
mod principals;
mod source;
mod text;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension as _, Transaction, params};

use self::definition::{Account, Scenario, numbered};
pub use self::export::{ScenarioExport, export};
pub use self::past::make as make_past;
use self::source::Source;
pub use self::source::{is_known, names};
use super::account_region;
use super::store::{OpenError, Store};
use crate::environment::Environment;
use crate::xks::key_manager::{ExternalKeyManager, NewExternalKey, ProxyCredential};

/// Returns whether the account has been filled.
pub fn is_filled(store: &Store) -> Result<bool, OpenError> {
    store.read(is_filled_in_transaction)
}

fn is_filled_in_transaction(tx: &Transaction) -> Result<bool, OpenError> {
    let found = tx.query_row("SELECT 1 FROM meta WHERE name = 'scenario'", [], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

/// Fills a new account from a scenario: the name of a built-in one, or the path of a file whose name ends in `.toml`.
///
/// The external key manager is filled first, and can be filled again without harm. The account is committed last, in
/// one transaction, so an interrupted start never leaves a partly filled account behind. If the scenario has a past, it
/// must be [made](make_past) then.
pub fn fill(name: &str, store: &Store, manager: &ExternalKeyManager) -> Result<(), OpenError> {
    let source = Source::read(name)?;
    let (account, scenario) = source.parse()?;
    let credentials = fill_key_manager(&scenario, store.environment(), manager)?;
    store.write(|tx| {
        if is_filled_in_transaction(tx)? {
            return Ok(());
        }
        let writer = ScenarioWriter { account: &account, scenario: &scenario, source: &source, store, tx };
        writer.insert_principals()?;
        writer.insert_vpc_endpoint_services()?;
        let stores = writer.insert_key_stores(&credentials)?;
        for key in &scenario.key {
            writer.add_key(key, &stores)?;
        }
        writer.create_other_access_keys()?;
        writer.insert_workloads()?;
        writer.insert_past_and_faults()?;
        tx.execute("INSERT INTO meta VALUES ('scenario', ?1)", [name.as_bytes()])?;
        Ok(())
    })
}

/// Creates missing partitions and external keys, and returns a new credential for the key store of each partition.
fn fill_key_manager(
    scenario: &Scenario,
    environment: &Environment,
    manager: &ExternalKeyManager,
) -> Result<BTreeMap<String, ProxyCredential>, OpenError> {
    let existing = manager.partitions()?;
    let mut credentials = BTreeMap::new();
    for partition in &scenario.partition {
        let credential = ProxyCredential::generate(&environment.random)?;
        if existing.contains(&partition.name) {
            manager.add_credential(&partition.name, &credential)?;
        } else {
            manager.create_partition(&partition.name, &credential)?;
        }
        let existing_keys: BTreeSet<String> = manager.keys(&partition.name)?.into_iter().map(|key| key.id).collect();
        let numbered_keys = partition
            .keys
            .iter()
            .flat_map(|key| (1..=key.count).map(move |at| (key, numbered(&key.id, at, key.count))));
        for (key, id) in numbered_keys.filter(|(_, id)| !existing_keys.contains(id)) {
            let default_usage = || vec!["ENCRYPT".to_owned(), "DECRYPT".to_owned()];
            manager.create_key(
                &partition.name,
                &NewExternalKey {
                    id,
                    manager_id: key.manager_id.clone(),
                    spec: key.spec.clone().unwrap_or_else(|| "AES_256".to_owned()),
                    usage: key.usage.clone().unwrap_or_else(default_usage),
                    enabled: key.enabled.unwrap_or(true),
                    callers: Vec::new(),
                },
            )?;
        }
        credentials.insert(partition.name.clone(), credential);
    }
    Ok(credentials)
}

struct ScenarioWriter<'a> {
    account: &'a Account,
    scenario: &'a Scenario,
    source: &'a Source,
    store: &'a Store,
    tx: &'a Transaction<'a>,
}

impl ScenarioWriter<'_> {
    fn environment(&self) -> &Environment {
        self.store.environment()
    }

    /// Returns the value that identifies the account and Region in the database.
    fn account_region(&self) -> String {
        account_region(&self.account.id, &self.account.region)
    }

    fn insert_vpc_endpoint_services(&self) -> Result<(), OpenError> {
        for service in &self.scenario.vpc_endpoint_service {
            self.tx.execute(
                "INSERT INTO vpc_endpoint_services VALUES (?1, ?2, ?3)",
                params![self.account_region(), service.name, serde_json::to_string(service)?],
            )?;
        }
        Ok(())
    }
}
