//! The embedded database.
//!
//! The changes of an operation are atomic, and durable when it returns. Several processes can use the database at once.
//! Records are cached until this or another process changes the database, so a process never reads stale data.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

use super::ApiResult;
use crate::aws::error::ServiceError;
use crate::environment::{Environment, RandomError};
use crate::storage::sealed::{RootKey, SealError, record_aad};
use crate::storage::wal::WalIndex;
use crate::storage::watch::ChangeNotifier;

/// The file name of the database.
const DATABASE_FILE: &str = "account.sqlite";
/// The file name of the root key, which encrypts the secrets in the database.
const ROOT_KEY_FILE: &str = "account.root";
/// The version of the database schema: the number of applied [`MIGRATIONS`], stored in `user_version`.
const SCHEMA_VERSION: i64 = 10;

/// The migrations. Each one upgrades a database from the version before it.
const MIGRATIONS: [&str; 10] = [
    MIGRATION_1,
    MIGRATION_2,
    MIGRATION_3,
    MIGRATION_4,
    MIGRATION_5,
    MIGRATION_6,
    MIGRATION_7,
    MIGRATION_8,
    MIGRATION_9,
    MIGRATION_10,
];

/// Allows segments of events to be compressed.
const MIGRATION_6: &str = "
    CREATE TABLE segments (id INTEGER PRIMARY KEY, world TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        count INTEGER NOT NULL, lines ANY NOT NULL) STRICT;
    INSERT INTO segments SELECT id, world, first, last, count, lines FROM events;
    DROP TABLE events;
    ALTER TABLE segments RENAME TO events;
    CREATE INDEX events_of_world ON events (world, id);
    CREATE INDEX events_by_age ON events (last);
";

/// Adds CloudWatch metrics with their statistics for each minute. Adds to key stores when the proxy credential was last
/// changed (`NULL` if never) and when KMS last checked the health of the proxy.
const MIGRATION_7: &str = "
    CREATE TABLE metrics (id INTEGER PRIMARY KEY, world TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL,
        UNIQUE (world, name, dimensions)) STRICT;
    CREATE TABLE metric_minutes (metric INTEGER, minute INTEGER, count INTEGER NOT NULL, sum REAL NOT NULL,
        min REAL NOT NULL, max REAL NOT NULL, PRIMARY KEY (metric, minute)) STRICT, WITHOUT ROWID;
    CREATE INDEX metric_minutes_by_age ON metric_minutes (minute);
    ALTER TABLE key_stores ADD COLUMN credential_since INTEGER;
    ALTER TABLE key_stores ADD COLUMN checked INTEGER;
";

/// Gives names to the policies of users and roles. Adds a creation date to access keys, and to sessions the attributes
/// that conditions refer to: issue time, tags, and source identity.
const MIGRATION_10: &str = "
    CREATE TABLE principal_policies (account TEXT, kind TEXT, principal TEXT, name TEXT, document TEXT NOT NULL,
        PRIMARY KEY (account, kind, principal, name)) STRICT, WITHOUT ROWID;
    INSERT INTO principal_policies SELECT account, kind, principals.name, format('Policy%d', json_each.key + 1), json_each.value
        FROM principals, json_each(policies);
    ALTER TABLE principals DROP COLUMN policies;
    ALTER TABLE sessions ADD COLUMN context TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE access_keys ADD COLUMN created TEXT NOT NULL DEFAULT '2024-01-15T09:00:00Z';
";

/// Adds the MFA devices of users, with the seed of their codes and the time step of the last used code.
const MIGRATION_9: &str = "
    CREATE TABLE mfa_devices (serial TEXT PRIMARY KEY, user_arn TEXT NOT NULL, seed BLOB NOT NULL,
        last_step INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Adds routes to external key store proxies that need an explicit address or their own certificate authorities.
const MIGRATION_8: &str = "
    CREATE TABLE proxy_routes (host TEXT PRIMARY KEY, address TEXT, authorities TEXT) STRICT, WITHOUT ROWID;
";

/// Adds all key materials of rotated keys, with the type and date of each rotation, and the rotation schedules.
const MIGRATION_5: &str = "
    CREATE TABLE key_materials (world TEXT NOT NULL, key_id TEXT NOT NULL, material_id TEXT NOT NULL,
        material BLOB NOT NULL, kind TEXT, at INTEGER, PRIMARY KEY (world, key_id, material_id)) STRICT;
    CREATE TABLE rotation_schedules (world TEXT, key_id TEXT, days INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (world, key_id)) STRICT, WITHOUT ROWID;
";

/// Adds CloudTrail events, in segments with the times of the first and last event and one line for each event.
const MIGRATION_4: &str = "
    CREATE TABLE events (id INTEGER PRIMARY KEY, world TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        count INTEGER NOT NULL, lines TEXT NOT NULL) STRICT;
    CREATE INDEX events_of_world ON events (world, id);
    CREATE INDEX events_by_age ON events (last);
";

/// Assigns records to an account in a Region. Adds policies of principals, sessions of roles, and grants of keys.
const MIGRATION_3: &str = r#"
    ALTER TABLE keys RENAME COLUMN region TO world;
    ALTER TABLE key_stores RENAME COLUMN region TO world;
    ALTER TABLE aliases RENAME COLUMN region TO world;
    ALTER TABLE tags RENAME COLUMN region TO world;
    ALTER TABLE vpc_endpoint_services RENAME COLUMN region TO world;
    UPDATE keys SET world = (SELECT account FROM access_keys) || '/' || world;
    UPDATE key_stores SET world = (SELECT account FROM access_keys) || '/' || world;
    UPDATE aliases SET world = (SELECT account FROM access_keys) || '/' || world;
    UPDATE tags SET world = (SELECT account FROM access_keys) || '/' || world;
    UPDATE vpc_endpoint_services SET world = (SELECT account FROM access_keys) || '/' || world;
    ALTER TABLE principals ADD COLUMN policies TEXT NOT NULL DEFAULT '[]';
    UPDATE principals SET policies =
        '["{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}]}"]'
        WHERE document ->> '$.Arn' IN (SELECT arn FROM access_keys);
    CREATE TABLE sessions (id TEXT PRIMARY KEY, account TEXT NOT NULL, arn TEXT NOT NULL, role_arn TEXT NOT NULL,
        user_id TEXT NOT NULL, secret BLOB NOT NULL, token TEXT NOT NULL, policy TEXT, expires INTEGER NOT NULL) STRICT,
        WITHOUT ROWID;
    CREATE TABLE grants (world TEXT, key_id TEXT, id TEXT, token TEXT NOT NULL UNIQUE, document TEXT NOT NULL,
        PRIMARY KEY (world, key_id, id)) STRICT, WITHOUT ROWID;
"#;

const MIGRATION_2: &str = "
    ALTER TABLE keys ADD COLUMN due INTEGER;
    CREATE INDEX keys_due ON keys (region, due) WHERE due IS NOT NULL;
    ALTER TABLE aliases ADD COLUMN updated INTEGER;
    CREATE INDEX aliases_of_key ON aliases (region, key_id);
    CREATE TABLE vpc_endpoint_services (region TEXT, name TEXT, document TEXT NOT NULL,
        PRIMARY KEY (region, name)) STRICT, WITHOUT ROWID;
";

const MIGRATION_1: &str = "
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE principals (account TEXT, kind TEXT, name TEXT, document TEXT NOT NULL,
        PRIMARY KEY (account, kind, name)) STRICT, WITHOUT ROWID;
    CREATE TABLE access_keys (id TEXT PRIMARY KEY, account TEXT NOT NULL, arn TEXT NOT NULL, user_id TEXT NOT NULL,
        secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE key_stores (region TEXT, id TEXT, document TEXT NOT NULL, secret BLOB NOT NULL, due INTEGER,
        PRIMARY KEY (region, id)) STRICT, WITHOUT ROWID;
    CREATE TABLE keys (region TEXT, id TEXT, document TEXT NOT NULL, policy TEXT NOT NULL, material_id TEXT NOT NULL,
        material BLOB NOT NULL, key_store TEXT, external_key TEXT,
        PRIMARY KEY (region, id), UNIQUE (region, key_store, external_key)) STRICT, WITHOUT ROWID;
    CREATE TABLE aliases (region TEXT, name TEXT, key_id TEXT NOT NULL, created INTEGER NOT NULL,
        PRIMARY KEY (region, name)) STRICT, WITHOUT ROWID;
    CREATE TABLE tags (region TEXT, key_id TEXT, tag_key TEXT, tag_value TEXT NOT NULL,
        PRIMARY KEY (region, key_id, tag_key)) STRICT, WITHOUT ROWID;
";

/// Why the account can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory can't be created or read.
    #[error("couldn't use the data directory {path}: {source}. Choose another directory with --data-dir")]
    Directory {
        /// The directory.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The database can't be opened, read, or written.
    #[error("couldn't use the account's database: {0}. Try again, or choose another directory with --data-dir")]
    Database(#[from] rusqlite::Error),
    /// A newer version of this program created the database.
    #[error(
        "the account was created by a newer version of xks-console (schema {found}, this version supports up to \
         {supported}). Upgrade xks-console, or choose another directory with --data-dir"
    )]
    Schema {
        /// The schema version of the database.
        found: i64,
        /// The newest schema version that this program supports.
        supported: i64,
    },
    /// The root key is missing, or doesn't belong to the database.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The operating system returned no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The scenario is invalid.
    #[error("the scenario \"{name}\" is invalid: {reason}")]
    InvalidScenario {
        /// The name of the scenario.
        name: String,
        /// Why the scenario is invalid.
        reason: String,
    },
    /// The scenario doesn't exist.
    #[error("the scenario \"{0}\" doesn't exist. Choose an available scenario: default")]
    UnknownScenario(String),
    /// A scenario was specified for an existing account.
    #[error(
        "{0} already contains an account, and a scenario can fill only an empty directory. Omit --scenario, or choose \
         another directory with --data-dir"
    )]
    AccountExists(String),
    /// The external key manager can't be opened or filled.
    #[error("couldn't open the external key manager: {0}")]
    KeyManager(#[from] crate::xks::key_manager::KeyManagerError),
    /// An account on disk needs real randomness.
    #[error(
        "couldn't open an account on disk: its secrets must be random, but the environment is replayable. Use an \
         account in memory"
    )]
    ReplayableEnvironment,
    /// A stored document can't be parsed.
    #[error("couldn't read a record of the account: {0}. Restore the data directory from a backup")]
    InvalidDocument(#[from] serde_json::Error),
    /// An operation on the account failed.
    #[error("couldn't set up the account: {0}")]
    Service(#[from] ServiceError),
}

/// The error of an operation.
///
/// The caller sees a failure of the database or another dependency as `KMSInternalException` or
/// `DependencyTimeoutException`.
#[derive(Debug)]
pub struct StoreError(pub ServiceError);

impl From<ServiceError> for StoreError {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

macro_rules! impl_internal_error {
    ($($error:ty),+) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self(ServiceError::new("KMSInternalException", format!("Couldn't process the request: {error}")))
            }
        })+
    };
}
impl_internal_error!(SealError, RandomError, serde_json::Error);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let is_busy = matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
        );
        // Another process has locked the database for longer than the busy timeout.
        let code = if is_busy { "DependencyTimeoutException" } else { "KMSInternalException" };
        Self(ServiceError::new(code, format!("Couldn't process the request: {error}")))
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        error.0
    }
}

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
        transaction.commit()?;
        let open = CachedConnection { connection, cache: HashMap::new(), data_version: 0, wal_index: None };
        Ok(Self {
            cached_connection: Mutex::new(open),
            append_connection: None,
            change_notifier,
            root_key: root,
            environment,
        })
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
        }
        Ok(())
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
