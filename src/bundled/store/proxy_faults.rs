//! The proxy faults of an account, which are kept in memory.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, Row, Transaction, params};

use super::Store;
use crate::aws::active_proxy_faults::ActiveProxyFaults;
use crate::xks::faults::{self, FaultState, InjectedFault, ProxyCall, ProxyFault};

/// The maximum number of proxy faults. When it is reached, a new fault replaces the oldest one that has ended.
pub const MAX_FAULTS: usize = 100;

/// A stored proxy fault.
#[derive(Clone, Debug)]
pub struct StoredFault {
    /// The ID.
    pub id: i64,
    /// When the fault was added.
    pub created: Timestamp,
    /// The fault, and what it has done so far.
    pub state: FaultState,
}

fn fault_from_row(row: &Row) -> rusqlite::Result<Option<StoredFault>> {
    let time = |millis| Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
    let (text, created, ends): (String, i64, Option<i64>) = (row.get(1)?, row.get(2)?, row.get(3)?);
    // A newer version may know more words.
    let Ok(fault) = faults::parse(&faults::split_words(&text)) else { return Ok(None) };
    let state = FaultState { fault, matched: row.get(4)?, hits: row.get(5)?, end: ends.map(time) };
    Ok(Some(StoredFault { id: row.get(0)?, created: time(created), state }))
}

/// Returns all proxy faults, in the order in which they were added.
pub fn all_faults(connection: &Connection) -> rusqlite::Result<Vec<StoredFault>> {
    let sql = "SELECT id, fault, created, ends, matched, hits FROM proxy_faults ORDER BY id";
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map([], fault_from_row)?;
    rows.filter_map(Result::transpose).collect()
}

/// Adds a proxy fault at `now` and returns its ID. Returns `None` if the maximum number of faults is active.
pub fn insert_fault(tx: &Transaction, fault: ProxyFault, now: Timestamp) -> rusqlite::Result<Option<i64>> {
    let existing = all_faults(tx)?;
    if existing.len() >= MAX_FAULTS {
        let Some(ended) = existing.iter().find(|stored| !stored.state.is_active(now)) else { return Ok(None) };
        tx.execute("DELETE FROM proxy_faults WHERE id = ?1", [ended.id])?;
    }
    let state = FaultState::new(fault, now);
    tx.execute(
        "INSERT INTO proxy_faults (fault, created, ends) VALUES (?1, ?2, ?3)",
        params![state.fault.to_string(), now.as_millisecond(), state.end.map(Timestamp::as_millisecond)],
    )?;
    Ok(Some(tx.last_insert_rowid()))
}

/// Counts a request, and returns its failure.
fn count_request(tx: &Transaction, call: &ProxyCall, now: Timestamp) -> rusqlite::Result<Option<InjectedFault>> {
    for StoredFault { id, mut state, .. } in all_faults(tx)? {
        let before = state.matched;
        let failure = state.on_request(call, now);
        if state.matched != before {
            tx.execute(
                "UPDATE proxy_faults SET matched = ?2, hits = ?3 WHERE id = ?1",
                params![id, state.matched, state.hits],
            )?;
        }
        if failure.is_some() {
            return Ok(failure);
        }
    }
    Ok(None)
}

impl Store {
    /// Returns all faults, from the cache if possible.
    fn cached_faults(&self) -> rusqlite::Result<Arc<Vec<StoredFault>>> {
        self.get_or_load("", |tx, sources| {
            sources.add_table("proxy_faults");
            all_faults(tx)
        })
    }

    /// Returns the failure of the next request to a proxy, and counts the request.
    ///
    /// The database is changed only if a fault applies to the request. If it can't be changed, the request doesn't fail.
    pub fn next_fault(&self, call: &ProxyCall) -> Option<InjectedFault> {
        let now = self.environment.clock.now();
        let applies = |fault: &StoredFault| fault.state.is_active(now) && fault.state.fault.applies_to(call);
        if !self.cached_faults().ok()?.iter().any(applies) {
            return None;
        }
        // Counting isn't a change that other processes are notified of: it would make their consoles refresh, and a
        // refresh can send the next request.
        self.append(|tx| count_request(tx, call, now)).ok()?
    }

    /// Returns the number of active faults, and the first one. Returns `None` without any.
    pub fn active_faults_summary(&self) -> Option<ActiveProxyFaults> {
        let stored = self.cached_faults().ok().filter(|stored| !stored.is_empty())?;
        let now = self.environment.clock.now();
        let mut active = stored.iter().filter(|fault| fault.state.is_active(now));
        let first = active.next()?;
        let count = u32::try_from(active.count() + 1).unwrap_or(u32::MAX);
        Some(ActiveProxyFaults { count, first: first.state.fault.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::environment::Environment;

    #[test]
    fn requests_that_no_fault_applies_to_dont_wait_for_the_database() {
        let dir = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(dir.path(), Environment::system().for_account()).unwrap());
        let add = |words: &str| {
            let fault = faults::parse(&faults::split_words(words)).unwrap();
            store.write(|tx| insert_fault(tx, fault, Timestamp::now())).unwrap();
        };
        let fails = |partition: &'static str| {
            let (store, (sender, receiver)) = (Arc::clone(&store), mpsc::channel());
            std::thread::spawn(move || {
                let uri_path = format!("/{partition}/kms/xks/v1");
                let call =
                    ProxyCall { operation: "Encrypt", uri_path: &uri_path, key_store_id: "", key_store_name: "" };
                let _ = sender.send(store.next_fault(&call).is_some());
            });
            receiver.recv_timeout(Duration::from_secs(1)).ok()
        };
        {
            let _no_changes = store.lock_writer();
            assert_eq!(fails("oslo"), Some(false));
        }
        add("xks:Encrypt tls partition paris");
        {
            let _no_changes = store.lock_writer();
            assert_eq!(fails("oslo"), Some(false));
            assert_eq!(fails("paris"), None, "it waits for the database");
        }
        assert_eq!(fails("paris"), Some(true));
    }
}
