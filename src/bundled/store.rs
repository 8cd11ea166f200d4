//! The embedded database: durable when an operation answers, atomic across its parts, safe for several processes.
//!
//! What a request reads may have been read before: it is remembered until anybody, this process or another, changes the
//! database. So a process sees at once what another has done.

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
/// The file name of the key that wraps what is secret in it.
const ROOT_KEY_FILE: &str = "account.root";
/// The version of the database, kept in `user_version`: how many of [`MIGRATIONS`] it has seen.
const SCHEMA_VERSION: i64 = 10;

/// What makes a database of each version from one of the version before.
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

/// Segments of events may be packed.
const MIGRATION_6: &str = "
    CREATE TABLE segments (id INTEGER PRIMARY KEY, world TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        count INTEGER NOT NULL, lines ANY NOT NULL) STRICT;
    INSERT INTO segments SELECT id, world, first, last, count, lines FROM events;
    DROP TABLE events;
    ALTER TABLE segments RENAME TO events;
    CREATE INDEX events_of_world ON events (world, id);
    CREATE INDEX events_by_age ON events (last);
";

/// The metrics of CloudWatch, and what was recorded of each in a minute. When a store got its proxy's credential, if later
/// than it was made, and when KMS last looked after its proxy.
const MIGRATION_7: &str = "
    CREATE TABLE metrics (id INTEGER PRIMARY KEY, world TEXT NOT NULL, name TEXT NOT NULL, dimensions TEXT NOT NULL,
        UNIQUE (world, name, dimensions)) STRICT;
    CREATE TABLE metric_minutes (metric INTEGER, minute INTEGER, count INTEGER NOT NULL, sum REAL NOT NULL,
        min REAL NOT NULL, max REAL NOT NULL, PRIMARY KEY (metric, minute)) STRICT, WITHOUT ROWID;
    CREATE INDEX metric_minutes_by_age ON metric_minutes (minute);
    ALTER TABLE key_stores ADD COLUMN credential_since INTEGER;
    ALTER TABLE key_stores ADD COLUMN checked INTEGER;
";

/// The policies of users and roles have names, sessions have what conditions look at (when they were issued, their tags and
/// source identity), and access keys have a creation date.
const MIGRATION_10: &str = "
    CREATE TABLE principal_policies (account TEXT, kind TEXT, principal TEXT, name TEXT, document TEXT NOT NULL,
        PRIMARY KEY (account, kind, principal, name)) STRICT, WITHOUT ROWID;
    INSERT INTO principal_policies SELECT account, kind, principals.name, format('Policy%d', json_each.key + 1), json_each.value
        FROM principals, json_each(policies);
    ALTER TABLE principals DROP COLUMN policies;
    ALTER TABLE sessions ADD COLUMN context TEXT NOT NULL DEFAULT '{}';
    ALTER TABLE access_keys ADD COLUMN created TEXT NOT NULL DEFAULT '2024-01-15T09:00:00Z';
";

/// MFA devices of users: what their codes are made from, and the last code that was used.
const MIGRATION_9: &str = "
    CREATE TABLE mfa_devices (serial TEXT PRIMARY KEY, user_arn TEXT NOT NULL, seed BLOB NOT NULL,
        last_step INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// How external key store proxies are reached whose name and certificate alone don't lead there.
const MIGRATION_8: &str = "
    CREATE TABLE proxy_routes (host TEXT PRIMARY KEY, address TEXT, authorities TEXT) STRICT, WITHOUT ROWID;
";

/// All materials of keys that were rotated, with how and when each came; and when keys are rotated the next time.
const MIGRATION_5: &str = "
    CREATE TABLE key_materials (world TEXT NOT NULL, key_id TEXT NOT NULL, material_id TEXT NOT NULL,
        material BLOB NOT NULL, kind TEXT, at INTEGER, PRIMARY KEY (world, key_id, material_id)) STRICT;
    CREATE TABLE rotation_schedules (world TEXT, key_id TEXT, days INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (world, key_id)) STRICT, WITHOUT ROWID;
";

/// The events of CloudTrail, in segments: the moments of the first and the last, and a line for each.
const MIGRATION_4: &str = "
    CREATE TABLE events (id INTEGER PRIMARY KEY, world TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        count INTEGER NOT NULL, lines TEXT NOT NULL) STRICT;
    CREATE INDEX events_of_world ON events (world, id);
    CREATE INDEX events_by_age ON events (last);
";

/// Records belong to an account in a Region; principals have policies, roles have sessions, keys have grants.
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
    /// The directory can't be made or looked at.
    #[error("the data directory {path} can't be used: {source}. Name another with --data-dir")]
    Directory {
        /// The directory.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The database can't be opened or read.
    #[error("the account's database can't be opened: {0}")]
    Database(#[from] rusqlite::Error),
    /// Another version of this program made it.
    #[error("the account was made by another version of xks-console (schema {found}, this one knows {known})")]
    Schema {
        /// What stands in the file.
        found: i64,
        /// What this program reads.
        known: i64,
    },
    /// The root key is missing or wrong.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The scenario can't be read.
    #[error("the scenario {name} is not right: {reason}")]
    InvalidScenario {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such scenario.
    #[error("there is no scenario ‘{0}’; there is: default")]
    UnknownScenario(String),
    /// A scenario was named for an account that exists.
    #[error("{0} holds an account already; a scenario fills only an empty directory. Name another with --data-dir")]
    AccountExists(String),
    /// The external key manager can't be opened or filled.
    #[error("the external key manager can't be opened: {0}")]
    KeyManager(#[from] crate::xks::key_manager::KeyManagerError),
    /// An account on disk must have real randomness.
    #[error("a replayable world can't make an account that is kept")]
    ReplayableEnvironment,
    /// What is stored can't be read.
    #[error("what the account holds can't be read: {0}")]
    InvalidDocument(#[from] serde_json::Error),
    /// An operation on the new account was refused.
    #[error("the account can't be filled: {0}")]
    Service(#[from] ServiceError),
}

/// A refusal of an operation, or an error of what it stands on, which the caller sees as `KMSInternalException`
/// or `DependencyTimeoutException`.
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
                Self(ServiceError::new("KMSInternalException", format!("The request can't be carried out: {error}")))
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
        // Another process works on the account for longer than SQLite waits.
        let code = if is_busy { "DependencyTimeoutException" } else { "KMSInternalException" };
        Self(ServiceError::new(code, format!("The request can't be carried out: {error}")))
    }
}

impl From<StoreError> for ServiceError {
    fn from(fault: StoreError) -> Self {
        fault.0
    }
}

/// Makes `dir` where it is missing and keeps other processes from opening the account in it until the file is dropped.
///
/// SQLite turns a new database to WAL without waiting for others who do the same, whatever the busy timeout says; and
/// an account is filled across two databases.
pub fn lock(dir: &Path) -> Result<File, OpenError> {
    let directory = |source| OpenError::Directory { path: dir.display().to_string(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(directory)?;
    let file = File::open(dir).map_err(directory)?;
    file.lock().map_err(directory)?;
    Ok(file)
}

/// Records remembered at most; then all are let go.
const MAX_CACHED_RECORDS: usize = 4096;

/// The open database, and what was read of it since it was last changed.
struct CachedConnection {
    connection: Connection,
    cache: HashMap<(TypeId, String), Arc<dyn Any + Send + Sync>>,
    /// SQLite's count of the changes by others.
    data_version: i64,
    /// On disk: tells when the count needs another look.
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

/// Where records can be read: the database, or a transaction on it.
pub trait RecordReader {
    /// Reads one state of the database.
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

/// The database and the key that wraps what is secret in it.
pub struct Store {
    cached_connection: Mutex<CachedConnection>,
    /// On disk: a connection of its own for what is appended, so that nobody waits for the disk meanwhile.
    append_connection: Option<Mutex<Connection>>,
    change_notifier: ChangeNotifier,
    root_key: RootKey,
    environment: Environment,
}

impl Store {
    /// Opens or makes the account in `dir`, which [`lock`] has made.
    pub fn open(dir: &Path, environment: Environment) -> Result<Self, OpenError> {
        if environment.is_replayable() {
            return Err(OpenError::ReplayableEnvironment);
        }
        let directory = |source| OpenError::Directory { path: dir.display().to_string(), source };
        let path = dir.join(DATABASE_FILE);
        let exists = path.try_exists().map_err(directory)?;
        let root = RootKey::load_or_create(&dir.join(ROOT_KEY_FILE), exists, &environment.random)?;
        let connection = Connection::open(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(directory)?;
        let mut store = Self::prepare(connection, root, environment, ChangeNotifier::open(dir).map_err(directory)?)?;
        store.lock_connection().wal_index = WalIndex::open(&path).ok();
        let appending = Connection::open(&path)?;
        configure(&appending)?;
        store.append_connection = Some(Mutex::new(appending));
        Ok(store)
    }

    /// An account in memory.
    pub fn in_memory(environment: Environment) -> Result<Self, OpenError> {
        let root = RootKey::ephemeral(&environment.random)?;
        Self::prepare(Connection::open_in_memory()?, root, environment, ChangeNotifier::default())
    }

    fn prepare(
        mut connection: Connection,
        root: RootKey,
        environment: Environment,
        changes: ChangeNotifier,
    ) -> Result<Self, OpenError> {
        configure(&connection)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let proof_aad = record_aad(&["meta", "root-key-proof"]);
        let seen = usize::try_from(found).ok().filter(|seen| *seen <= MIGRATIONS.len());
        let seen = seen.ok_or(OpenError::Schema { found, known: SCHEMA_VERSION })?;
        if seen > 0 {
            // A root key of another account is found out now, not at the first decryption.
            let query = "SELECT value FROM meta WHERE name = 'root-key-proof'";
            let proof: Vec<u8> = transaction.query_row(query, [], |row| row.get(0))?;
            root.open(&proof_aad, &proof)?;
        }
        for migration in &MIGRATIONS[seen..] {
            transaction.execute_batch(migration)?;
        }
        if seen == 0 {
            let proof = root.seal(&proof_aad, b"account", &environment.random)?;
            transaction.execute("INSERT INTO meta VALUES ('root-key-proof', ?1)", [proof])?;
        }
        if seen < MIGRATIONS.len() {
            transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        transaction.commit()?;
        let open = CachedConnection { connection, cache: HashMap::new(), data_version: 0, wal_index: None };
        Ok(Self {
            cached_connection: Mutex::new(open),
            append_connection: None,
            change_notifier: changes,
            root_key: root,
            environment,
        })
    }

    /// How long to wait for another process that works on the account.
    #[cfg(test)]
    pub fn set_busy_timeout(&self, time: Duration) {
        self.lock_connection().connection.busy_timeout(time).unwrap();
    }

    /// Clock and randomness.
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    fn lock_connection(&self) -> MutexGuard<'_, CachedConnection> {
        self.cached_connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was remembered if another process has changed the database. Once at the start of each request.
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

    /// What `load` reads under this name, or has read since the database was last changed.
    pub fn get_or_load<T: Send + Sync + 'static, E: From<rusqlite::Error>>(
        &self,
        name: &str,
        load: impl FnOnce(&Transaction) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let mut open = self.lock_connection();
        let name = (TypeId::of::<T>(), name.to_owned());
        if let Some(known) = open.cache.get(&name).and_then(|known| Arc::clone(known).downcast().ok()) {
            return Ok(known);
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

    /// Reads and writes as one: all of it is durable when this returns, or nothing was done.
    pub fn write<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Transaction) -> Result<T, E>) -> Result<T, E> {
        let mut open = self.lock_connection();
        open.cache.clear();
        let done = run_in_transaction(&mut open.connection, work)?;
        self.change_notifier.notify_changed();
        Ok(done)
    }

    /// As [`write`](Self::write), for records that are never [remembered](Self::remember).
    pub fn append<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Transaction) -> Result<T, E>) -> Result<T, E> {
        match &self.append_connection {
            Some(appending) => run_in_transaction(&mut appending.lock().unwrap_or_else(PoisonError::into_inner), work),
            None => run_in_transaction(&mut self.lock_connection().connection, work),
        }
    }

    /// Reads one state of the database.
    pub fn read<T, E: From<rusqlite::Error>>(&self, work: impl FnOnce(&Transaction) -> Result<T, E>) -> Result<T, E> {
        let mut open = self.lock_connection();
        let transaction = open.connection.transaction()?;
        work(&transaction)
    }

    /// Wraps a secret for the record that `parts` names.
    pub fn seal(&self, parts: &[&str], secret: &[u8]) -> Result<Vec<u8>, SealError> {
        self.root_key.seal(&record_aad(parts), secret, &self.environment.random)
    }

    /// Unwraps the secret of the record that `parts` names.
    pub fn unseal(&self, parts: &[&str], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        self.root_key.open(&record_aad(parts), sealed)
    }
}
