//! Fills a new account from a scenario in `assets/scenarios`.

mod definition;
mod keys;
mod principals;

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Transaction, params};

use self::definition::Scenario;
use super::account_region;
use super::store::proxy_faults::{MAX_FAULTS, insert_fault};
use super::store::{OpenError, Store};
use crate::environment::Environment;
use crate::xks::faults::{self, FaultScope, is_in_partition};
use crate::xks::key_manager::{ExternalKeyManager, NewExternalKey, ProxyCredential};

const SCENARIOS: [(&str, &str); 2] = [
    ("default", include_str!("../../../assets/scenarios/default.toml")),
    ("empty", include_str!("../../../assets/scenarios/empty.toml")),
];

/// Returns the names of all scenarios.
pub fn names() -> Vec<&'static str> {
    SCENARIOS.iter().map(|(name, _)| *name).collect()
}

/// Returns whether the account has been filled.
pub fn is_filled(store: &Store) -> Result<bool, OpenError> {
    store.read(is_filled_in_transaction)
}

fn is_filled_in_transaction(tx: &Transaction) -> Result<bool, OpenError> {
    let found = tx.query_row("SELECT 1 FROM meta WHERE name = 'scenario'", [], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

/// Fills a new account from a scenario.
///
/// The external key manager is filled first, and can be filled again without harm. The account is committed last, in
/// one transaction, so an interrupted start never leaves a partly filled account behind.
pub fn fill(name: &str, store: &Store, manager: &ExternalKeyManager) -> Result<(), OpenError> {
    let (_, text) = SCENARIOS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| OpenError::UnknownScenario(name.to_owned()))?;
    fill_from_text(name, text, store, manager)
}

/// Fills a new account from the text of a scenario.
fn fill_from_text(name: &str, text: &str, store: &Store, manager: &ExternalKeyManager) -> Result<(), OpenError> {
    let invalid_scenario = |reason: String| OpenError::InvalidScenario { name: name.to_owned(), reason };
    let scenario: Scenario = toml::from_str(text).map_err(|error| invalid_scenario(error.to_string()))?;
    let credentials = fill_key_manager(&scenario, store.environment(), manager)?;
    store.change_faults(|tx| {
        if is_filled_in_transaction(tx)? {
            return Ok(());
        }
        let writer = ScenarioWriter { scenario: &scenario, store, tx };
        writer.insert_principals()?;
        writer.insert_vpc_endpoint_services()?;
        let stores = writer.insert_key_stores(&credentials).map_err(|error| error.into_open_error(invalid_scenario))?;
        for key in &scenario.key {
            writer.add_key(key, &stores).map_err(|error| error.into_open_error(invalid_scenario))?;
        }
        writer.create_other_access_keys()?;
        writer.insert_faults(text).map_err(|error| error.into_open_error(invalid_scenario))?;
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
        let existing_keys = manager.keys(&partition.name)?;
        for key in partition.keys.iter().filter(|key| !existing_keys.iter().any(|existing| existing.id == key.id)) {
            let default_usage = || vec!["ENCRYPT".to_owned(), "DECRYPT".to_owned()];
            manager.create_key(
                &partition.name,
                &NewExternalKey {
                    id: key.id.clone(),
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

/// An error that occurs while filling an account, or the reason why the scenario is invalid.
enum FillError {
    Failed(OpenError),
    InvalidScenario(String),
}

impl FillError {
    fn into_open_error(self, invalid_scenario: impl Fn(String) -> OpenError) -> OpenError {
        match self {
            Self::Failed(error) => error,
            Self::InvalidScenario(reason) => invalid_scenario(reason),
        }
    }
}

impl<E: Into<OpenError>> From<E> for FillError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct ScenarioWriter<'a> {
    scenario: &'a Scenario,
    store: &'a Store,
    tx: &'a Transaction<'a>,
}

impl ScenarioWriter<'_> {
    /// Adds the proxy faults. `text` is the scenario, for the lines in errors.
    fn insert_faults(&self, text: &str) -> Result<(), FillError> {
        let now = self.environment().clock.now();
        for fault in &self.scenario.fault {
            let words = fault.get_ref();
            let line = text.get(..fault.span().start).unwrap_or(text).matches('\n').count() + 1;
            let invalid =
                |reason: String| FillError::InvalidScenario(format!("line {line}: fault \"{words}\": {reason}"));
            let parsed = faults::parse(&faults::split_words(words)).map_err(|error| invalid(error.message))?;
            let is_known = match &parsed.scope {
                FaultScope::All => true,
                FaultScope::Partition(name) => self
                    .scenario
                    .partition
                    .iter()
                    .any(|partition| is_in_partition(&format!("/{}/", partition.name), name)),
                FaultScope::KeyStore(name) => self.scenario.key_store.iter().any(|store| store.name == *name),
            };
            if !is_known {
                return Err(invalid("the scenario has no partition or key store with this name".to_owned()));
            }
            insert_fault(self.tx, parsed, now)
                .map_err(OpenError::from)?
                .ok_or_else(|| invalid(format!("a scenario can have up to {MAX_FAULTS} faults")))?;
        }
        Ok(())
    }

    fn environment(&self) -> &Environment {
        self.store.environment()
    }

    /// Returns the value that identifies the account and Region in the database.
    fn account_region(&self) -> String {
        account_region(&self.scenario.account.id, &self.scenario.account.region)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(faults: &str) -> Result<Store, String> {
        let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1).for_account();
        let store = Store::in_memory(environment.clone()).unwrap();
        let manager = ExternalKeyManager::in_memory(environment).unwrap();
        let text = format!("# A scenario\n{faults}\n{}", SCENARIOS[0].1);
        fill_from_text("test", &text, &store, &manager).map_err(|error| error.to_string())?;
        Ok(store)
    }

    #[test]
    fn faults_of_a_scenario_are_active_from_the_start() {
        let store = filled("fault = [\"xks:Encrypt timeout partition frankfurt\", \"xks:* tls key-store Frankfurt\"]");
        assert!(store.err().unwrap().contains("no partition or key store with this name"));
        let store =
            filled("fault = ['xks:Encrypt timeout partition frankfurt', 'xks:* tls key-store \"Frankfurt HSM\"']");
        let active = store.unwrap().active_faults_summary().unwrap();
        assert_eq!((active.count, active.first.as_str()), (2, "xks:Encrypt timeout partition frankfurt"));
    }

    #[test]
    fn error_names_the_line_of_a_wrong_fault() {
        let faults = "fault = [\n  \"xks:Encrypt timeout\",\n\"xks:Encrypt timeot\",\n]";
        let error = filled(faults).err().unwrap();
        assert!(error.contains("the scenario \"test\" is invalid: line 4: fault \"xks:Encrypt timeot\""), "{error}");
        assert!(error.contains("did you mean timeout?"), "{error}");
        let error = filled("fault = [\"xks:Encrypt timeout partition lima\"]").err().unwrap();
        assert!(error.contains("line 2") && error.contains("no partition"), "{error}");
    }
}
