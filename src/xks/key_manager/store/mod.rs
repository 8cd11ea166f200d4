//! The external key manager's database and its cache.

mod external_keys;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, Transaction, TransactionBehavior, params};

use self::external_keys::add_key;
use super::credential::ProxyCredential;
use super::error::KeyManagerError;
use super::external_key::{ExternalKey, NewExternalKey};
use super::material::KeyMaterial;
use crate::aws::scalar::SecretString;
use crate::aws::xks_console::{ListProxyRequests, ProxyRequest};
use crate::environment::Random;
use crate::storage::sealed::{RootKey, record_aad};
use crate::storage::wal::WalIndex;
use crate::storage::watch::ChangeNotifier;
use crate::xks::log::{self, PendingEntries};

/// The name of the external key manager's database in a data directory.
pub const DATABASE_FILE: &str = "external-key-manager.sqlite";
/// The name of its root key file, in the same directory as the database.
pub const ROOT_KEY_FILE: &str = "external-key-manager.root";
/// The partition and ID of the health check key. The proxy can't serve a partition with this name.
pub const HEALTH_CHECK_KEY: (&str, &str) = ("*", "health-check");

/// The number of encryptions to reserve on disk at a time. A crash wastes the unused ones.
const ENCRYPTION_BLOCK: u64 = 65_536;
/// The maximum time that a change waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The maximum time that a KMS request waits for another process, because KMS times out after 250 ms.
const SHORT_BUSY_TIMEOUT: Duration = Duration::from_millis(150);
/// The schema version, stored in `user_version`: the number of applied [`MIGRATIONS`].
const SCHEMA_VERSION: i64 = 4;

/// The migrations, each from one schema version to the next.
const MIGRATIONS: [&str; 4] = [SCHEMA, log::SCHEMA, log::PACKED_SCHEMA, ADD_CALLERS_COLUMN];

/// The callers that can use an external key, one per line. If empty, all callers can use it.
const ADD_CALLERS_COLUMN: &str = "ALTER TABLE external_keys ADD COLUMN callers TEXT NOT NULL DEFAULT '';";

const SCHEMA: &str = "
    CREATE TABLE root_key_check (id INTEGER PRIMARY KEY CHECK (id = 1), sealed BLOB NOT NULL) STRICT;
    CREATE TABLE partitions (name TEXT PRIMARY KEY) STRICT;
    CREATE TABLE credentials (
        partition TEXT NOT NULL, access_key_id TEXT NOT NULL, sealed BLOB NOT NULL,
        PRIMARY KEY (partition, access_key_id)) STRICT;
    CREATE TABLE external_keys (
        partition TEXT NOT NULL, id TEXT NOT NULL, manager_id TEXT UNIQUE, spec TEXT NOT NULL, usage TEXT NOT NULL,
        enabled INTEGER NOT NULL, version INTEGER NOT NULL,
        PRIMARY KEY (partition, id)) STRICT;
    CREATE TABLE key_versions (
        partition TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL,
        encryptions INTEGER NOT NULL,
        PRIMARY KEY (partition, id, version)) STRICT;
";

type KeyName = (String, String);

/// Cached data for frequent requests, valid for one state of the database.
#[derive(Default)]
struct Cache {
    data_version: Option<i64>,
    partitions: HashMap<String, HashMap<String, SecretString>>,
    keys: HashMap<KeyName, Arc<ExternalKey>>,
    materials: HashMap<(KeyName, u32), Arc<KeyMaterial>>,
}

/// The open database.
pub struct Store {
    connection: Connection,
    /// Detects changes by other processes, if the database is on disk.
    wal_index: Option<WalIndex>,
    change_notifier: ChangeNotifier,
    root_key: RootKey,
    cache: Cache,
    /// The encryptions that this process has reserved on disk and not used yet.
    reserved_encryptions: HashMap<(KeyName, u32), u64>,
}

impl Store {
    pub fn open(dir: &Path, random: &Random) -> Result<Self, KeyManagerError> {
        let path = dir.join(DATABASE_FILE);
        let failed = |source| KeyManagerError::Io { path: path.clone(), source };
        let exists = path.try_exists().map_err(failed)?;
        let root_file = dir.join(ROOT_KEY_FILE);
        let root_key = RootKey::load_or_create(&root_file, exists, random)?;
        // Open one at a time: SQLite fails instead of waiting when two connections switch a new database to WAL mode.
        let opening = File::open(&root_file).and_then(|file| file.lock().map(|()| file));
        let _opening = opening.map_err(|source| KeyManagerError::Io { path: root_file, source })?;
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // SQLite creates its other files with the same mode.
            options.mode(0o600);
        }
        options.open(&path).map_err(failed)?;
        let mut store = Self::from_connection(
            Connection::open(&path)?,
            ChangeNotifier::open(dir).map_err(failed)?,
            root_key,
            random,
        )?;
        store.wal_index = WalIndex::open(&path).ok();
        Ok(store)
    }

    /// Copies the database to the new file `path`.
    pub fn copy_database(&self, path: &Path) -> Result<(), KeyManagerError> {
        self.connection.execute("VACUUM INTO ?1", [path.to_string_lossy()])?;
        Ok(())
    }

    pub fn in_memory(random: &Random) -> Result<Self, KeyManagerError> {
        Self::from_connection(
            Connection::open_in_memory()?,
            ChangeNotifier::default(),
            RootKey::ephemeral(random)?,
            random,
        )
    }

    fn from_connection(
        mut connection: Connection,
        change_notifier: ChangeNotifier,
        root_key: RootKey,
        random: &Random,
    ) -> Result<Self, KeyManagerError> {
        configure(&connection)?;
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let format: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let aad = record_aad(&["root_key_check"]);
        let seen = usize::try_from(format).ok().filter(|seen| *seen <= MIGRATIONS.len());
        let seen = seen.ok_or(KeyManagerError::NewerFormat(format))?;
        if seen > 0 {
            let sealed: Vec<u8> = tx.query_row("SELECT sealed FROM root_key_check", [], |row| row.get(0))?;
            root_key.open(&aad, &sealed)?;
        }
        for migration in &MIGRATIONS[seen..] {
            tx.execute_batch(migration)?;
        }
        if seen == 0 {
            let sealed = root_key.seal(&aad, b"external key manager", random)?;
            tx.execute("INSERT INTO root_key_check VALUES (1, ?1)", [sealed])?;
        }
        if seen < MIGRATIONS.len() {
            tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        }
        tx.commit()?;
        Ok(Self {
            connection,
            wal_index: None,
            change_notifier,
            root_key,
            cache: Cache::default(),
            reserved_encryptions: HashMap::new(),
        })
    }

    pub fn create_health_check_key(&mut self, random: &Random) -> Result<(), KeyManagerError> {
        let (partition, id) = HEALTH_CHECK_KEY;
        if self.find_key(partition, id)?.is_some() {
            return Ok(());
        }
        let key = NewExternalKey {
            id: id.to_owned(),
            manager_id: None,
            spec: "AES_256".to_owned(),
            usage: vec!["ENCRYPT".to_owned(), "DECRYPT".to_owned()],
            enabled: true,
            callers: Vec::new(),
        };
        match self.with_transaction(|tx, root_key| add_key(tx, root_key, partition, &key, random)) {
            // Another process created the key first.
            Err(KeyManagerError::AlreadyExists { .. }) => Ok(()),
            result => result,
        }
    }

    /// Runs a change in a transaction and clears the cache.
    fn with_transaction<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &RootKey) -> Result<T, KeyManagerError>,
    ) -> Result<T, KeyManagerError> {
        self.cache = Cache::default();
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&tx, &self.root_key)?;
        tx.commit()?;
        self.change_notifier.notify_changed();
        Ok(result)
    }

    /// Clears the cache if another process has changed the database.
    ///
    /// Call it once at the start of each request to the proxy.
    pub fn refresh(&mut self) -> Result<(), KeyManagerError> {
        if self.wal_index.as_mut().is_some_and(|index| !index.has_changed()) {
            return Ok(());
        }
        let now = self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.cache.data_version != Some(now) {
            self.cache = Cache { data_version: Some(now), ..Cache::default() };
        }
        Ok(())
    }

    /// Appends entries to the request log, which isn't cached.
    pub fn append_log(&mut self, entries: PendingEntries) -> rusqlite::Result<()> {
        log::append(&mut self.connection, entries)
    }

    /// Searches the request log.
    pub fn find_log(&self, criteria: &ListProxyRequests) -> Result<Vec<ProxyRequest>, KeyManagerError> {
        Ok(log::find(&self.connection, criteria)?)
    }

    pub fn partitions(&self) -> Result<Vec<String>, KeyManagerError> {
        let mut rows = self.connection.prepare_cached("SELECT name FROM partitions ORDER BY name")?;
        let names = rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(names)
    }

    pub fn insert_partition(
        &mut self,
        name: &str,
        credential: &ProxyCredential,
        random: &Random,
    ) -> Result<(), KeyManagerError> {
        self.with_transaction(|tx, root_key| {
            check_insert(tx.execute("INSERT INTO partitions VALUES (?1)", [name]), "the partition", name)?;
            add_credential(tx, root_key, name, credential, random)
        })
    }

    pub fn insert_credential(
        &mut self,
        partition: &str,
        credential: &ProxyCredential,
        random: &Random,
    ) -> Result<(), KeyManagerError> {
        self.with_transaction(|tx, root_key| {
            require_partition(tx, partition)?;
            add_credential(tx, root_key, partition, credential, random)
        })
    }

    pub fn remove_credential(&mut self, partition: &str, access_key_id: &str) -> Result<bool, KeyManagerError> {
        self.with_transaction(|tx, _| {
            let sql = "DELETE FROM credentials WHERE partition = ?1 AND access_key_id = ?2";
            Ok(tx.execute(sql, [partition, access_key_id])? > 0)
        })
    }

    pub fn access_key_ids(&self, partition: &str) -> Result<Vec<String>, KeyManagerError> {
        let sql = "SELECT access_key_id FROM credentials WHERE partition = ?1 ORDER BY access_key_id";
        let mut rows = self.connection.prepare_cached(sql)?;
        let ids = rows.query_map([partition], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(ids)
    }

    pub fn has_partition(&mut self, name: &str) -> Result<bool, KeyManagerError> {
        Ok(self.credentials(name)?.is_some())
    }

    pub fn secret_access_key(&mut self, partition: &str, id: &str) -> Result<Option<SecretString>, KeyManagerError> {
        Ok(self.credentials(partition)?.and_then(|credentials| credentials.get(id).cloned()))
    }

    /// Returns the credentials of a partition, or `None` if the partition doesn't exist.
    fn credentials(&mut self, partition: &str) -> Result<Option<&HashMap<String, SecretString>>, KeyManagerError> {
        if !self.cache.partitions.contains_key(partition) {
            let known = self.connection.query_row("SELECT 1 FROM partitions WHERE name = ?1", [partition], |_| Ok(()));
            if known.optional()?.is_none() {
                return Ok(None);
            }
            let sql = "SELECT access_key_id, sealed FROM credentials WHERE partition = ?1";
            let mut rows = self.connection.prepare_cached(sql)?;
            let mut credentials = HashMap::new();
            for row in rows.query_map([partition], |row| Ok((row.get(0)?, row.get(1)?)))? {
                let (id, sealed): (String, Vec<u8>) = row?;
                let opened = self.root_key.open(&record_aad(&["credentials", partition, &id]), &sealed)?;
                let secret = String::from_utf8_lossy(&opened).into_owned();
                credentials.insert(id, SecretString::new(secret));
            }
            self.cache.partitions.insert(partition.to_owned(), credentials);
        }
        Ok(self.cache.partitions.get(partition))
    }
}

/// A separate connection for the request log, so that writing the log doesn't block requests. It opens with the first
/// entry, because most consoles never have one.
pub struct LogConnection {
    path: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl LogConnection {
    /// Creates the connection to the database in `dir`.
    pub fn new(dir: &Path) -> Self {
        Self { path: dir.join(DATABASE_FILE), connection: Mutex::new(None) }
    }

    /// Appends entries to the request log.
    ///
    /// # Errors
    /// The database is gone or fails.
    pub fn append(&self, entries: PendingEntries) -> rusqlite::Result<()> {
        let mut slot = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match slot.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        log::append(slot.insert(connection), entries)
    }

    fn open(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        configure(&connection)?;
        Ok(connection)
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")
}

fn require_partition(tx: &Transaction<'_>, partition: &str) -> Result<(), KeyManagerError> {
    let known = tx.query_row("SELECT 1 FROM partitions WHERE name = ?1", [partition], |_| Ok(()));
    known.optional()?.ok_or_else(|| KeyManagerError::PartitionNotFound(partition.to_owned()))
}

/// Converts a uniqueness violation to [`KeyManagerError::AlreadyExists`].
fn check_insert(result: rusqlite::Result<usize>, what: &'static str, name: &str) -> Result<(), KeyManagerError> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Err(KeyManagerError::AlreadyExists { what, name: name.to_owned() })
        }
        Err(error) => Err(error.into()),
    }
}

fn add_credential(
    tx: &Transaction<'_>,
    root_key: &RootKey,
    partition: &str,
    credential: &ProxyCredential,
    random: &Random,
) -> Result<(), KeyManagerError> {
    let id = &credential.access_key_id;
    let aad = record_aad(&["credentials", partition, id]);
    let sealed = root_key.seal(&aad, credential.secret_access_key.expose().as_bytes(), random)?;
    let result = tx.execute("INSERT INTO credentials VALUES (?1, ?2, ?3)", params![partition, id, sealed]);
    check_insert(result, "the credential", id)
}
