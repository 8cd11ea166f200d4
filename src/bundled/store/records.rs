//! Records that were read from the database, and are kept until something changes that they were read from.

use std::any::{Any, TypeId};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::changed_rows;

/// The maximum number of cached records. The cache is cleared when it is full.
const MAX_RECORDS: usize = 2048;

/// What records are read from: a row, as its table and key separated by slashes, or something that concerns many rows.
type Source = String;

/// The rows that a record was read from, including rows that don't exist yet.
#[derive(Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Adds the rows of `table` with this key, by columns that [`changed_rows`] reports.
    pub fn add_row(&mut self, table: &str, key: &[&str]) {
        debug_assert!(changed_rows::is_reported(table, key.len()), "{table} with {} columns", key.len());
        self.0.push(format!("{table}/{}", key.join("/")));
    }

    /// Adds all rows of `table`.
    pub fn add_table(&mut self, table: &str) {
        debug_assert!(changed_rows::is_reported(table, 0), "all of {table}");
        self.0.push(table.to_owned());
    }

    /// Adds the times of all scheduled changes.
    pub fn add_due_times(&mut self) {
        self.0.push(changed_rows::DUE_TIMES.to_owned());
    }
}

type AnyRecord = Arc<dyn Any + Send + Sync>;
type Name = (TypeId, String);

struct CachedRecord {
    record: AnyRecord,
    sources: Vec<Source>,
}

#[derive(Default)]
struct Contents {
    records: HashMap<TypeId, HashMap<String, CachedRecord>>,
    record_count: usize,
    /// The names of the records that were read from a source.
    names_by_source: HashMap<Source, HashSet<Name>>,
    /// What a transaction that is being committed has changed. `None` between commits.
    uncommitted: Option<HashSet<Source>>,
    /// How often something has changed. A record that was read before a change may be outdated after it.
    changes: u64,
}

impl Contents {
    fn clear(&mut self) {
        self.records.clear();
        self.names_by_source.clear();
        self.record_count = 0;
        self.changes += 1;
    }

    fn remove(&mut self, (kind, name): &Name) {
        let Some(removed) = self.records.get_mut(kind).and_then(|records| records.remove(name)) else { return };
        self.record_count -= 1;
        for source in removed.sources {
            if let Some(names) = self.names_by_source.get_mut(&source) {
                names.retain(|(other, other_name)| other != kind || other_name != name);
                if names.is_empty() {
                    self.names_by_source.remove(&source);
                }
            }
        }
    }

    fn remove_records_of(&mut self, source: &Source) {
        for name in self.names_by_source.remove(source).unwrap_or_default() {
            self.remove(&name);
        }
    }

    fn insert(&mut self, kind: TypeId, name: &str, record: AnyRecord, sources: Vec<Source>) {
        self.remove(&(kind, name.to_owned()));
        if self.record_count >= MAX_RECORDS {
            self.clear();
        }
        for source in &sources {
            self.names_by_source.entry(source.clone()).or_default().insert((kind, name.to_owned()));
        }
        self.records.entry(kind).or_default().insert(name.to_owned(), CachedRecord { record, sources });
        self.record_count += 1;
    }
}

/// The result of looking for a cached record.
pub enum Lookup<T> {
    /// The record is cached.
    Found(Arc<T>),
    /// The record must be read.
    Missing(BeforeRead),
}

/// When a record began to be read.
pub struct BeforeRead {
    changes: u64,
}

/// The cached records of a database, and the number of transactions that they include.
///
/// The lock is only held for moments, never while the database is read or written. A transaction of this process removes the
/// records that it changed before it is committed, and keeps others from caching them until then. Transactions of other
/// processes are only counted, so they remove all records.
pub struct RecordCache {
    contents: Mutex<Contents>,
    /// The number of transactions that are included. [`COMMITTING`] is added while one of this process is committed, and
    /// the number is [`UNKNOWN`] until the first request.
    transactions: AtomicU64,
}

const COMMITTING: u64 = 1 << 32;
const UNKNOWN: u64 = 1 << 33;

impl Default for RecordCache {
    fn default() -> Self {
        Self { contents: Mutex::default(), transactions: AtomicU64::new(UNKNOWN) }
    }
}

impl RecordCache {
    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes all records.
    #[cfg(test)]
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Looks for a record. If it must be read, call this before the transaction that reads it begins.
    pub fn get<T: Send + Sync + 'static>(&self, name: &str) -> Lookup<T> {
        let contents = self.lock();
        let found = contents.records.get(&TypeId::of::<T>()).and_then(|records| records.get(name));
        match found.and_then(|found| Arc::clone(&found.record).downcast().ok()) {
            Some(record) => Lookup::Found(record),
            None => Lookup::Missing(BeforeRead { changes: contents.changes }),
        }
    }

    /// Caches a record, unless it can be outdated already.
    pub fn insert<T: Send + Sync + 'static>(&self, name: &str, record: &Arc<T>, sources: Sources, before: &BeforeRead) {
        let mut contents = self.lock();
        let is_changing = |changing: &HashSet<Source>| sources.0.iter().any(|source| changing.contains(source));
        if contents.changes == before.changes && !contents.uncommitted.as_ref().is_some_and(is_changing) {
            contents.insert(TypeId::of::<T>(), name, Arc::clone(record) as _, sources.0);
        }
    }

    /// Removes all records if another process has changed the database. `count` returns the number of transactions so far.
    ///
    /// What was committed before the call is never missing afterwards.
    pub fn catch_up(&self, count: impl Fn() -> Option<u32>) {
        let is_included = |count: Option<u32>| {
            count.is_some_and(|count| self.transactions.load(Ordering::Acquire) & !COMMITTING == u64::from(count))
        };
        while !is_included(count()) {
            let mut contents = self.lock();
            let now = count();
            if is_included(now) {
                return;
            }
            if now.is_none() || self.transactions.load(Ordering::Acquire) & COMMITTING == 0 {
                contents.clear();
                self.transactions.store(now.map_or(UNKNOWN, u64::from), Ordering::Release);
                return;
            }
            // A transaction of this process or of another one has just been written. Whose it was is known in a moment,
            // because the disk isn't waited for anymore.
            drop(contents);
            std::thread::yield_now();
        }
    }

    /// Removes the records that were read from what a transaction has changed. Call it before the commit, with the number
    /// of transactions before it, and [`end_commit`](Self::end_commit) after it.
    pub fn begin_commit(&self, changed: HashSet<Source>, count: Option<u32>) {
        let mut contents = self.lock();
        if let Some(count) = count.map(u64::from) {
            if self.transactions.load(Ordering::Acquire) != count {
                contents.clear();
            }
            self.transactions.store(count | COMMITTING, Ordering::Release);
        }
        for source in &changed {
            contents.remove_records_of(source);
        }
        contents.uncommitted = Some(changed);
    }

    /// Lets records be cached again that the transaction has changed. `has_written` is whether it is one more transaction.
    /// Calls after the first one have no effect.
    pub fn end_commit(&self, has_written: bool) {
        let mut contents = self.lock();
        if contents.uncommitted.take().is_none() {
            return;
        }
        contents.changes += 1;
        let before = self.transactions.load(Ordering::Acquire);
        if before & COMMITTING != 0 {
            let count = u32::try_from(before & !COMMITTING).unwrap_or_default();
            self.transactions.store(count.wrapping_add(has_written.into()).into(), Ordering::Release);
        }
    }
}
