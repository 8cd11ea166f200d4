//! The embedded database.
//!
//! The changes of an operation are atomic, and durable when it returns. Several processes can use the database at once.
//! Records are cached until this or another process changes them, so a process never reads stale data. One connection
//! writes. Others read meanwhile, so that no reader waits for the disk.

mod change_feed;
mod changed_rows;
mod connections;
mod deletion;
mod error;
mod exclusive;
mod migrations;
pub mod proxy_faults;
mod records;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

pub use self::change_feed::ChangeFeed;
use self::changed_rows::ChangedRows;
use self::connections::Readers;
pub use self::deletion::{DeleteAccountError, delete_account, delete_new_account};
pub use self::error::{OpenError, StoreError};
pub use self::exclusive::{ExclusiveUse, ExclusiveUseError};
use self::migrations::MIGRATIONS;
pub use self::migrations::SCHEMA_VERSION;
pub use self::records::Sources;
use self::records::{Lookup, RecordCache};
use super::ApiResult;
use crate::environment::Environment;
use crate::storage::sealed::{RootKey, SealError, record_aad};
use crate::storage::wal::WalIndex;
use crate::storage::watch::ChangeNotifier;

/// The file name of the database.
pub const DATABASE_FILE: &str = "account.sqlite";
/// The file name of the root key, which encrypts the secrets in the database.
pub const ROOT_KEY_FILE: &str = "account.root";

/// Creates `dir` if it is missing, and locks it.
///
/// Until the returned file is dropped, no other process can open the account in `dir`. The lock is necessary because
/// SQLite ignores the busy timeout while it switches a new database to WAL mode, and because filling an account changes
/// two databases.
pub fn lock(dir: &Path) -> Result<File, OpenError> {
    let directory_error = |source| OpenError::Directory { path: dir.display().to_string(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(directory_error)?;
    let file = File::open(dir).map_err(directory_error)?;
    file.lock().map_err(directory_error)?;
    Ok(file)
}

/// Returns how far the account's time is ahead of that of the machine.
pub fn account_ahead(connection: &Connection) -> Result<SignedDuration, rusqlite::Error> {
    connection.query_row("SELECT ahead FROM account_clock", [], |row| row.get(0)).map(SignedDuration::from_millis)
}

/// The connection that writes, and what its current transaction has changed.
struct Writer {
    connection: Connection,
    changes: ChangedRows,
}

impl Writer {
    fn new(mut connection: Connection, cache: &Arc<RecordCache>) -> Result<Self, rusqlite::Error> {
        let changes = ChangedRows::track(&mut connection, Arc::clone(cache))?;
        Ok(Self { connection, changes })
    }
}

/// A source of records: the database with its cached records, or a transaction on it.
pub trait RecordReader {
    /// Returns the record with this name: a cached one, or what `load` reads. See [`Store::get_or_load`].
    fn record<T: Send + Sync + 'static>(
        &self,
        name: &str,
        load: impl FnOnce(&Transaction, &mut Sources) -> ApiResult<T>,
    ) -> ApiResult<Arc<T>>;
}

impl RecordReader for Store {
    fn record<T: Send + Sync + 'static>(
        &self,
        name: &str,
        load: impl FnOnce(&Transaction, &mut Sources) -> ApiResult<T>,
    ) -> ApiResult<Arc<T>> {
        self.get_or_load(name, load)
    }
}

impl RecordReader for Transaction<'_> {
    fn record<T: Send + Sync + 'static>(
        &self,
        _: &str,
        load: impl FnOnce(&Transaction, &mut Sources) -> ApiResult<T>,
    ) -> ApiResult<Arc<T>> {
        load(self, &mut Sources::default()).map(Arc::new)
    }
}

/// The database, with the root key that encrypts its secrets.
pub struct Store {
    /// The connections that only read. `None` in memory, where there is only one connection. Closed before the writer, which
    /// moves the log to the database when it's closed last.
    readers: Option<Readers>,
    /// `None` until the first change: it takes a while to open, and many programs only read.
    writer: Mutex<Option<Writer>>,
    cache: Arc<RecordCache>,
    /// Counts the transactions of all processes. `None` in memory, and for a disk that can't have a write-ahead log, where
    /// each request reads its records again.
    wal_index: Option<WalIndex>,
    change_notifier: ChangeNotifier,
    root_key: RootKey,
    environment: Environment,
}

impl Store {
    /// Opens the account in `dir`, or creates it. The caller must hold the [`lock`] on `dir`.
    pub fn open(dir: &Path, environment: Environment) -> Result<Self, OpenError> {
        if environment.is_replayable() {
            return Err(OpenError::ReplayableEnvironment);
        }
        let directory_error = |source| OpenError::Directory { path: dir.display().to_string(), source };
        let path = dir.join(DATABASE_FILE);
        let exists = path.try_exists().map_err(directory_error)?;
        let root = RootKey::load_or_create(&dir.join(ROOT_KEY_FILE), exists, &environment.random)?;
        let connection = Connection::open(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(directory_error)?;
        let change_notifier = ChangeNotifier::open(dir).map_err(directory_error)?;
        let (mut store, connection) = Self::prepare(connection, root, environment, change_notifier)?;
        store.wal_index = WalIndex::open(&path).ok();
        store.readers = Some(Readers::new(path, connection)?);
        Ok(store)
    }

    /// Creates an account in memory.
    pub fn in_memory(environment: Environment) -> Result<Self, OpenError> {
        let root = RootKey::ephemeral(&environment.random)?;
        let connection = Connection::open_in_memory()?;
        let (mut store, connection) = Self::prepare(connection, root, environment, ChangeNotifier::default())?;
        store.writer = Mutex::new(Some(Writer::new(connection, &store.cache)?));
        Ok(store)
    }

    /// Brings the schema up to date. Returns the store without connections, and the connection.
    fn prepare(
        mut connection: Connection,
        root: RootKey,
        environment: Environment,
        change_notifier: ChangeNotifier,
    ) -> Result<(Self, Connection), OpenError> {
        connections::configure(&connection)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let proof_aad = record_aad(&["meta", "root-key-proof"]);
        let applied = usize::try_from(found).ok().filter(|applied| *applied <= MIGRATIONS.len());
        let applied = applied.ok_or(OpenError::Schema { found, supported: SCHEMA_VERSION })?;
        if applied > 0 {
            // Detect a root key of another account now, not at the first decryption.
            let query = "SELECT value FROM meta WHERE name = 'root-key-proof'";
            let proof: Vec<u8> = transaction.query_row(query, [], |row| row.get(0))?;
            root.open(&proof_aad, &proof)?;
        }
        for migration in &MIGRATIONS[applied..] {
            transaction.execute_batch(migration)?;
        }
        if applied == 0 {
            let proof = root.seal(&proof_aad, b"account", &environment.random)?;
            transaction.execute("INSERT INTO meta VALUES ('root-key-proof', ?1)", [proof])?;
        }
        if applied < MIGRATIONS.len() {
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        environment.clock.set_ahead(account_ahead(&transaction)?);
        transaction.commit()?;
        let store = Self {
            readers: None,
            writer: Mutex::default(),
            cache: Arc::default(),
            wal_index: None,
            change_notifier,
            root_key: root,
            environment,
        };
        Ok((store, connection))
    }

    /// Sets how long to wait while another process has locked the database.
    #[cfg(test)]
    pub fn set_busy_timeout(&self, time: std::time::Duration) {
        self.with_writer(|writer| writer.connection.busy_timeout(time)).unwrap();
    }

    /// Removes all cached records.
    #[cfg(test)]
    pub fn clear_cache(&self) {
        self.cache.clear();
    }

    /// Returns the clock and the source of randomness.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    fn lock_writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` with the connection that writes, after other threads have finished theirs.
    fn with_writer<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&mut Writer) -> Result<T, E>) -> Result<T, E> {
        let mut writer = self.lock_writer();
        let writer = match (&mut *writer, &self.readers) {
            (Some(writer), _) => writer,
            (none, Some(readers)) => none.insert(Writer::new(readers.open_writer()?, &self.cache)?),
            (None, None) => unreachable!("a store in memory begins with its writer"),
        };
        work(writer)
    }

    fn transactions(&self) -> Option<u32> {
        self.wal_index.as_ref()?.transactions()
    }

    /// Clears the cache if another process has changed the database. Call it at the start of each request.
    pub fn invalidate_stale_cache(&self) -> Result<(), rusqlite::Error> {
        if self.readers.is_some() {
            self.cache.catch_up(|| self.transactions());
        }
        let ahead = self.get_or_load("", |tx, sources| {
            sources.add_table("account_clock");
            account_ahead(tx)
        })?;
        self.environment.clock.move_ahead(*ahead);
        Ok(())
    }

    /// Sets whether a change is on the disk when it returns. Without it, a crash of the machine can undo the last changes,
    /// but never damages the database. Source: *PRAGMA synchronous* of SQLite, for WAL mode.
    pub fn set_durable(&self, is_durable: bool) -> Result<(), rusqlite::Error> {
        let level = if is_durable { "FULL" } else { "NORMAL" };
        self.with_writer(|writer| writer.connection.pragma_update(None, "synchronous", level))
    }

    /// Sets the account's clock to the time in the database, which can be behind the machine.
    pub fn reload_clock(&self) -> Result<(), rusqlite::Error> {
        self.environment.clock.set_ahead(self.read(|tx| account_ahead(tx))?);
        Ok(())
    }

    /// Moves the account's clock forward by `time`, unless it would be ahead by more than `limit` then. Returns whether
    /// it has moved.
    pub fn advance_clock(&self, time: SignedDuration, limit: SignedDuration) -> Result<bool, rusqlite::Error> {
        let ahead = self.write(|tx| {
            let ahead = account_ahead(tx)?.saturating_add(time);
            let is_valid = time.is_positive() && ahead <= limit;
            if is_valid {
                let millis = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
                tx.execute("UPDATE account_clock SET ahead = ?1", [millis])?;
            }
            Ok::<_, rusqlite::Error>(is_valid.then_some(ahead))
        })?;
        if let Some(ahead) = ahead {
            self.environment.clock.move_ahead(ahead);
        }
        Ok(ahead.is_some())
    }

    /// Returns the cached record with this name. If there is none, reads it with `load` and caches it. `load` must name
    /// all sources that it reads from.
    pub fn get_or_load<T: Send + Sync + 'static, E: From<rusqlite::Error>>(
        &self,
        name: &str,
        load: impl FnOnce(&Transaction, &mut Sources) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let before = match self.cache.get(name) {
            Lookup::Found(record) => return Ok(record),
            Lookup::Missing(before) => before,
        };
        let mut sources = Sources::default();
        let record = Arc::new(self.read(|tx| load(tx, &mut sources))?);
        self.cache.insert(name, &record, sources, &before);
        Ok(record)
    }

    /// Runs `work` in a transaction. If this returns `Ok`, the changes are durable; otherwise nothing has changed.
    pub fn write<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Transaction) -> Result<T, E>) -> Result<T, E> {
        let done = self.append(work)?;
        self.change_notifier.notify_changed();
        Ok(done)
    }

    /// Runs `work` as [`write`](Self::write) does, for changes that other processes needn't be notified of.
    pub fn append<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Transaction) -> Result<T, E>) -> Result<T, E> {
        self.with_writer(|Writer { connection, changes }| {
            // Without what a failed transaction has left.
            changes.take();
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&transaction)?;
            self.cache.begin_commit(changes.take(), self.transactions());
            let committed = transaction.commit();
            // Does nothing if the transaction has written to the log.
            self.cache.end_commit(false);
            committed?;
            Ok(done)
        })
    }

    /// Copies the database to the new file `path`.
    pub fn copy_database(&self, path: &Path) -> Result<(), rusqlite::Error> {
        self.with_writer(|writer| writer.connection.execute("VACUUM INTO ?1", [path.to_string_lossy()]).map(drop))
    }

    /// Runs `work` on a consistent state of the database, which includes all changes that were committed before. Doesn't wait
    /// for changes that are being made.
    pub fn read<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Transaction) -> Result<T, E>) -> Result<T, E> {
        let read = |connection: &mut Connection| work(&connection.transaction()?);
        match &self.readers {
            Some(readers) => readers.with_connection(read),
            None => self.with_writer(|writer| read(&mut writer.connection)),
        }
    }

    /// Encrypts a secret for the record that `parts` identifies.
    pub fn seal(&self, parts: &[&str], secret: &[u8]) -> Result<Vec<u8>, SealError> {
        self.root_key.seal(&record_aad(parts), secret, &self.environment.random)
    }

    /// Decrypts the secret of the record that `parts` identifies.
    pub fn unseal(&self, parts: &[&str], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.root_key.open(&record_aad(parts), sealed)
    }
}
