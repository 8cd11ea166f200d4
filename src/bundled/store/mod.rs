//! The embedded database.
//!
//! The changes of an operation are atomic, and durable when it returns. Several processes can use the database at once.
//! Records are cached until this or another process changes the database, so a process never reads stale data.

mod changes;
mod deletion;
mod error;
mod exclusive;
mod migrations;
pub mod proxy_faults;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

pub use self::changes::ChangeFeed;
pub use self::deletion::{DeleteAccountError, delete_account, delete_new_account};
pub use self::error::{OpenError, StoreError};
pub use self::exclusive::{ExclusiveUse, ExclusiveUseError};
use self::migrations::MIGRATIONS;
pub use self::migrations::SCHEMA_VERSION;
use self::proxy_faults::{StoredFault, all_faults};
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

/// The maximum number of cached records. The cache is cleared when it is full.
const MAX_CACHED_RECORDS: usize = 4096;

/// An open database, and the records that were read since it last changed.
struct CachedConnection {
    connection: Connection,
    cache: HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>,
    /// SQLite's `data_version`, which changes whenever another connection changes the database.
    data_version: i64,
    /// Detects when `data_version` must be read again. `None` for a database in memory.
    wal_index: Option<WalIndex>,
}

fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")
}

/// Returns how far the account's time is ahead of that of the machine.
pub fn account_ahead(connection: &Connection) -> Result<SignedDuration, rusqlite::Error> {
    connection.query_row("SELECT ahead FROM account_clock", [], |row| row.get(0)).map(SignedDuration::from_millis)
}

fn run_in_transaction<T, E: From<rusqlite::Error>>(
    connection: &mut Connection,
    work: impl FnOnce(&Transaction) -> Result<T, E>,
) -> Result<T, E> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

/// A source of records: the database, or a transaction on it.
pub trait RecordReader {
    /// Runs `work` on a consistent state of the database.
    fn with_transaction<T>(&self, work: impl FnOnce(&Transaction) -> ApiResult<T>) -> ApiResult<T>;
}

impl RecordReader for Store {
    fn with_transaction<T>(&self, work: impl FnOnce(&Transaction) -> ApiResult<T>) -> ApiResult<T> {
        self.read(work)
    }
}

impl RecordReader for Transaction<'_> {
    fn with_transaction<T>(&self, work: impl FnOnce(&Transaction) -> ApiResult<T>) -> ApiResult<T> {
        work(self)
    }
}

/// The database, with the root key that encrypts its secrets.
pub struct Store {
    cached_connection: Mutex<CachedConnection>,
    /// A separate connection for appended records, so that requests don't wait for the disk. `None` in memory.
    append_connection: Option<Mutex<Connection>>,
    change_notifier: ChangeNotifier,
    root_key: RootKey,
    environment: Environment,
    /// The proxy faults that can still make requests fail.
    active_faults: Mutex<Arc<[StoredFault]>>,
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
        let mut store = Self::prepare(connection, root, environment, change_notifier)?;
        store.lock_connection().wal_index = WalIndex::open(&path).ok();
        let append_connection = Connection::open(&path)?;
        configure(&append_connection)?;
        store.append_connection = Some(Mutex::new(append_connection));
        Ok(store)
    }

    /// Creates an account in memory.
    pub fn in_memory(environment: Environment) -> Result<Self, OpenError> {
        let root = RootKey::ephemeral(&environment.random)?;
        Self::prepare(Connection::open_in_memory()?, root, environment, ChangeNotifier::default())
    }

    fn prepare(
        mut connection: Connection,
        root: RootKey,
        environment: Environment,
        change_notifier: ChangeNotifier,
    ) -> Result<Self, OpenError> {
        configure(&connection)?;
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
        let stored_faults = all_faults(&transaction)?;
        transaction.commit()?;
        let open = CachedConnection { connection, cache: HashMap::new(), data_version: 0, wal_index: None };
        let store = Self {
            cached_connection: Mutex::new(open),
            append_connection: None,
            change_notifier,
            root_key: root,
            environment,
            active_faults: Mutex::default(),
        };
        store.keep_active_faults(stored_faults);
        Ok(store)
    }

    /// Sets how long to wait while another process has locked the database.
    #[cfg(test)]
    pub fn set_busy_timeout(&self, time: Duration) {
        self.lock_connection().connection.busy_timeout(time).unwrap();
    }

    /// Returns the clock and the source of randomness.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    fn lock_connection(&self) -> MutexGuard<'_, CachedConnection> {
        self.cached_connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Clears the cache if another process has changed the database. Call it at the start of each request.
    pub fn invalidate_stale_cache(&self) -> Result<(), rusqlite::Error> {
        let mut open = self.lock_connection();
        if open.wal_index.as_mut().is_some_and(|index| !index.has_changed()) {
            return Ok(());
        }
        let now = open.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if open.data_version != now {
            open.data_version = now;
            open.cache.clear();
            self.environment.clock.move_ahead(account_ahead(&open.connection)?);
            self.keep_active_faults(all_faults(&open.connection)?);
        }
        Ok(())
    }

    /// Sets whether a change is on the disk when it returns. Without it, a crash of the machine can undo the last changes,
    /// but never damages the database. Source: *PRAGMA synchronous* of SQLite, for WAL mode.
    pub fn set_durable(&self, is_durable: bool) -> Result<(), rusqlite::Error> {
        let level = if is_durable { "FULL" } else { "NORMAL" };
        self.lock_connection().connection.pragma_update(None, "synchronous", level)?;
        let append_connection =
            self.append_connection.as_ref().map(|one| one.lock().unwrap_or_else(PoisonError::into_inner));
        append_connection.map_or(Ok(()), |connection| connection.pragma_update(None, "synchronous", level))
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

    /// Returns the cached record with this name. If there is none, reads it with `load` and caches it.
    pub fn get_or_load<T: Send + Sync + 'static, E: From<rusqlite::Error>>(
        &self,
        name: &str,
        load: impl FnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let mut open = self.lock_connection();
        let name = (TypeId::of::<T>(), name.to_owned());
        if let Some(cached) = open.cache.get(&name).and_then(|cached| Arc::clone(cached).downcast().ok()) {
            return Ok(cached);
        }
        let transaction = open.connection.transaction()?;
        let loaded = Arc::new(load(&transaction)?);
        drop(transaction);
        if open.cache.len() >= MAX_CACHED_RECORDS {
            open.cache.clear();
        }
        open.cache.insert(name, Arc::clone(&loaded) as _);
        Ok(loaded)
    }

    /// Runs `work` in a transaction. If this returns `Ok`, the changes are durable; otherwise nothing has changed.
    pub fn write<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Transaction) -> Result<T, E>) -> Result<T, E> {
        let mut open = self.lock_connection();
        open.cache.clear();
        let done = run_in_transaction(&mut open.connection, work)?;
        self.change_notifier.notify_changed();
        Ok(done)
    }

    /// Runs `work` as [`write`](Self::write) does, for records that are never [cached](Self::get_or_load).
    pub fn append<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Transaction) -> Result<T, E>) -> Result<T, E> {
        match &self.append_connection {
            Some(connection) => {
                run_in_transaction(&mut connection.lock().unwrap_or_else(PoisonError::into_inner), work)
            }
            None => run_in_transaction(&mut self.lock_connection().connection, work),
        }
    }

    /// Copies the database to the new file `path`.
    pub fn copy_database(&self, path: &Path) -> Result<(), rusqlite::Error> {
        self.lock_connection().connection.execute("VACUUM INTO ?1", [path.to_string_lossy()]).map(drop)
    }

    /// Runs `work` on a consistent state of the database.
    pub fn read<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Transaction) -> Result<T, E>) -> Result<T, E> {
        let mut open = self.lock_connection();
        let transaction = open.connection.transaction()?;
        work(&transaction)
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
