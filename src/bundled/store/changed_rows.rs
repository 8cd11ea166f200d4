//! Finds out what a transaction changes, for [`RecordCache`].
//!
//! Temporary triggers of the connection that writes report the keys of changed rows, whatever statement changes them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::Wal;

use super::records::RecordCache;

/// A table that records are read from.
struct Table {
    name: &'static str,
    /// The columns by which rows are found, once for each way to find them. Without columns, all rows are read together.
    keys: &'static [&'static [&'static str]],
    /// The column with the time of a scheduled change.
    due: Option<&'static str>,
}

const fn table(name: &'static str, keys: &'static [&'static [&'static str]]) -> Table {
    Table { name, keys, due: None }
}

const TABLES: [Table; 14] = [
    table("access_keys", &[&["id"], &["arn"]]),
    table("account_clock", &[&[]]),
    table("aliases", &[&["world", "name"], &["world", "key_id"]]),
    table("grants", &[&["world", "key_id"]]),
    table("key_materials", &[&["world", "key_id"]]),
    Table { name: "key_stores", keys: &[&["world", "id"]], due: Some("due") },
    Table { name: "keys", keys: &[&["world", "id"]], due: Some("due") },
    table("principal_policies", &[&["account", "kind", "principal"]]),
    table("principals", &[&["account", "kind", "name"]]),
    table("proxy_faults", &[&[]]),
    table("proxy_routes", &[&["host"]]),
    Table { name: "rotation_schedules", keys: &[], due: Some("next") },
    table("sessions", &[&["id"]]),
    table("tags", &[&["world", "key_id"]]),
];

/// Returns whether changes of a table are reported with a key of so many columns.
pub fn is_reported(table: &str, columns: usize) -> bool {
    TABLES.iter().any(|one| one.name == table && one.keys.iter().any(|key| key.len() == columns))
}

/// What is reported if the time of a scheduled change changes.
pub const DUE_TIMES: &str = "due times";

/// After how many pages the log is moved to the database. SQLite's default, which a hook for commits replaces.
const PAGES_PER_CHECKPOINT: i32 = 1000;

impl Table {
    /// Returns the SQL expressions for what a changed `row` is a source of. Those without a value are ignored.
    fn sources(&self, row: &str) -> Vec<String> {
        let source = |key: &&[&str]| {
            let columns = key.iter().map(|column| format!("{row}.{column}"));
            [format!("'{}'", self.name)].into_iter().chain(columns).collect::<Vec<_>>().join(" || '/' || ")
        };
        let due = self.due.map(|column| format!("iif({row}.{column} IS NULL, NULL, '{DUE_TIMES}')"));
        self.keys.iter().map(source).chain(due).collect()
    }

    /// Returns the statement that creates the trigger for one kind of change. `rows` are the names of the rows before or
    /// after it.
    fn trigger(&self, change: &str, rows: &[&str]) -> String {
        let table = self.name;
        let reports: Vec<_> = rows.iter().flat_map(|row| self.sources(row)).map(|it| format!("report({it})")).collect();
        let reports = reports.join(", ");
        format!("CREATE TEMP TRIGGER {table}_{change} AFTER {change} ON main.{table} BEGIN SELECT {reports}; END;")
    }
}

/// What the current transaction of a connection has changed so far.
#[derive(Clone, Default)]
pub struct ChangedRows(Arc<Mutex<HashSet<String>>>);

impl ChangedRows {
    /// Starts to collect what `connection` changes. Each commit that writes ends the commit of the cache, too.
    pub fn track(connection: &mut Connection, cache: Arc<RecordCache>) -> rusqlite::Result<Self> {
        let changes = Self::default();
        let reported = changes.clone();
        connection.create_scalar_function("report", 1, FunctionFlags::SQLITE_UTF8, move |context| {
            if let Some(source) = context.get::<Option<String>>(0)? {
                reported.0.lock().unwrap_or_else(PoisonError::into_inner).insert(source);
            }
            Ok(None::<i64>)
        })?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // Otherwise, the rows that REPLACE deletes wouldn't be reported.
        connection.pragma_update(None, "recursive_triggers", true)?;
        for table in TABLES {
            for (change, rows) in [("INSERT", &["new"][..]), ("DELETE", &["old"]), ("UPDATE", &["old", "new"])] {
                connection.execute_batch(&table.trigger(change, rows))?;
            }
        }
        connection.wal_hook(Some(move |log: &mut Wal, pages| {
            cache.end_commit(true);
            if pages >= PAGES_PER_CHECKPOINT {
                // Another process may be doing it, or still read from the log. A later commit tries again.
                let _ = log.checkpoint();
            }
            Ok(())
        }))?;
        Ok(changes)
    }

    /// Returns what has changed, and forgets it.
    pub fn take(&self) -> HashSet<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
