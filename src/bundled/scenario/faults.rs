//! The proxy faults that a scenario starts with.

use jiff::Timestamp;
use rusqlite::Transaction;

use super::ScenarioWriter;
use crate::bundled::store::OpenError;
use crate::bundled::store::proxy_faults::{MAX_FAULTS, insert_fault};
use crate::xks::faults::{self, FaultScope, is_in_partition};

/// Adds faults that were [checked](ScenarioWriter::checked_faults).
pub fn insert(tx: &Transaction, faults: &[String], now: Timestamp) -> Result<(), OpenError> {
    for words in faults {
        if let Ok(fault) = faults::parse(&faults::split_words(words)) {
            insert_fault(tx, fault, now)?;
        }
    }
    Ok(())
}

impl ScenarioWriter<'_> {
    /// Returns the words of the faults.
    pub(super) fn checked_faults(&self) -> Result<Vec<String>, OpenError> {
        let mut checked = Vec::new();
        for entry in &self.scenario.fault {
            let words = entry.get_ref();
            let invalid = |reason: &str| self.source.problem_at(&entry.span(), &format!("fault \"{words}\": {reason}"));
            let parsed = faults::parse(&faults::split_words(words)).map_err(|error| invalid(&error.message))?;
            if !self.has_scope(&parsed.scope) {
                return Err(invalid("the scenario has no partition or key store with this name"));
            }
            checked.push(words.clone());
        }
        if checked.len() > MAX_FAULTS {
            return Err(self.source.problem(&format!("a scenario can have up to {MAX_FAULTS} faults")));
        }
        Ok(checked)
    }

    fn has_scope(&self, scope: &FaultScope) -> bool {
        match scope {
            FaultScope::All => true,
            FaultScope::Partition(name) => {
                let mut partitions = self.scenario.partition.iter();
                partitions.any(|partition| is_in_partition(&format!("/{}/", partition.name), name))
            }
            FaultScope::KeyStore(name) => self.scenario.key_store.iter().any(|store| store.get_ref().name == *name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fill;
    use crate::bundled::store::Store;
    use crate::environment::Environment;
    use crate::xks::key_manager::ExternalKeyManager;

    fn filled(faults: &str) -> Result<Store, String> {
        let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1).for_account();
        let store = Store::in_memory(environment.clone()).unwrap();
        let manager = ExternalKeyManager::in_memory(environment).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.toml");
        std::fs::write(&path, format!("extends = \"default\"\n{faults}\n")).unwrap();
        fill(path.to_str().unwrap(), &store, &manager).map_err(|error| error.to_string())?;
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
        assert!(error.contains("test.toml\" is invalid: line 4: fault \"xks:Encrypt timeot\""), "{error}");
        assert!(error.contains("did you mean timeout?"), "{error}");
        let error = filled("fault = [\"xks:Encrypt timeout partition lima\"]").err().unwrap();
        assert!(error.contains("line 2") && error.contains("no partition"), "{error}");
    }
}
