//! The external key manager's database, and what of it is kept at hand.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::material::Material;
use super::{
    DATABASE_FILE, ExternalKey, KeyManagerError, MAX_ENCRYPTIONS, NewExternalKey, ProxyCredential, ROOT_KEY_FILE,
    key_length,
};
use crate::aws::scalar::SecretText;
use crate::aws::xks_console::{ListProxyRequests, ProxyRequest};
use crate::changes::Announcer;
use crate::seal::{RootKey, record_aad};
use crate::wal::WalIndex;
use crate::world::Random;
use crate::xks::log;

/// The partition and ID of the key for health checks. No partition that the proxy serves can have this name.
pub const TEST_KEY: (&str, &str) = ("*", "health-check");

/// How many encryptions are set aside on disk at a time; a crash wastes what is left of them.
const BLOCK: u64 = 65_536;
/// How long a change may wait for another process.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a call by KMS may, which gives up after 250 ms.
const SHORT_PATIENCE: Duration = Duration::from_millis(150);
/// The version of the database, kept in `user_version`: how many of [`MIGRATIONS`] it has seen.
const FORMAT: i64 = 4;

/// What makes a database of each version from one of the version before.
const MIGRATIONS: [&str; 4] = [SCHEMA, log::SCHEMA, log::PACKED, CALLERS];

/// Whom an external key is for, a line each; empty for everybody.
const CALLERS: &str = "ALTER TABLE external_keys ADD COLUMN callers TEXT NOT NULL DEFAULT '';";

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

/// What the hot path needs, as of one state of the database.
#[derive(Default)]
struct Cache {
    data_version: Option<i64>,
    partitions: HashMap<String, HashMap<String, SecretText>>,
    keys: HashMap<KeyName, Arc<ExternalKey>>,
    materials: HashMap<(KeyName, u32), Arc<Material>>,
}

/// The open database.
pub struct Store {
    connection: Connection,
    /// On disk: tells when to look whether another process has changed the database.
    index: Option<WalIndex>,
    changes: Announcer,
    root: RootKey,
    cache: Cache,
    /// Encryptions that are set aside on disk for this process and not yet used.
    in_hand: HashMap<(KeyName, u32), u64>,
}

impl Store {
    pub fn open(dir: &Path, random: &Random) -> Result<Self, KeyManagerError> {
        let path = dir.join(DATABASE_FILE);
        let failed = |source| KeyManagerError::Io { path: path.clone(), source };
        let exists = path.try_exists().map_err(failed)?;
        let root_file = dir.join(ROOT_KEY_FILE);
        let root = RootKey::load_or_create(&root_file, exists, random)?;
        // One at a time: who turns a new database to WAL is refused, not made to wait, while another does.
        let opening = File::open(&root_file).and_then(|file| file.lock().map(|()| file));
        let _opening = opening.map_err(|source| KeyManagerError::Io { path: root_file, source })?;
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // SQLite gives its other files the mode of this one.
            options.mode(0o600);
        }
        options.open(&path).map_err(failed)?;
        let mut store = Self::with(Connection::open(&path)?, Announcer::open(dir).map_err(failed)?, root, random)?;
        store.index = WalIndex::of(&path).ok();
        Ok(store)
    }

    /// A connection for the request log alone, so that no call waits while the log is written.
    pub fn open_log(dir: &Path) -> Result<Connection, KeyManagerError> {
        let connection = Connection::open(dir.join(DATABASE_FILE))?;
        configure(&connection)?;
        Ok(connection)
    }

    pub fn in_memory(random: &Random) -> Result<Self, KeyManagerError> {
        Self::with(Connection::open_in_memory()?, Announcer::default(), RootKey::ephemeral(random)?, random)
    }

    fn with(
        mut connection: Connection,
        changes: Announcer,
        root: RootKey,
        random: &Random,
    ) -> Result<Self, KeyManagerError> {
        configure(&connection)?;
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let format: i64 = change.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let aad = record_aad(&["root_key_check"]);
        let seen = usize::try_from(format).ok().filter(|seen| *seen <= MIGRATIONS.len());
        let seen = seen.ok_or(KeyManagerError::NewerFormat(format))?;
        if seen > 0 {
            let sealed: Vec<u8> = change.query_row("SELECT sealed FROM root_key_check", [], |row| row.get(0))?;
            root.open(&aad, &sealed)?;
        }
        for migration in &MIGRATIONS[seen..] {
            change.execute_batch(migration)?;
        }
        if seen == 0 {
            let sealed = root.seal(&aad, b"external key manager", random)?;
            change.execute("INSERT INTO root_key_check VALUES (1, ?1)", [sealed])?;
        }
        if seen < MIGRATIONS.len() {
            change.pragma_update(None, "user_version", FORMAT)?;
        }
        change.commit()?;
        Ok(Self { connection, index: None, changes, root, cache: Cache::default(), in_hand: HashMap::new() })
    }

    pub fn make_test_key(&mut self, random: &Random) -> Result<(), KeyManagerError> {
        let (partition, id) = TEST_KEY;
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
        match self.change(|change, root| add_key(change, root, partition, &key, random)) {
            // Another process was first.
            Err(KeyManagerError::Exists { .. }) => Ok(()),
            done => done,
        }
    }

    /// Runs a change as one transaction. What is at hand is read anew after it.
    fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>, &RootKey) -> Result<T, KeyManagerError>,
    ) -> Result<T, KeyManagerError> {
        self.cache = Cache::default();
        let change = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&change, &self.root)?;
        change.commit()?;
        self.changes.announce();
        Ok(done)
    }

    /// Forgets what is at hand when another process has changed the database.
    ///
    /// Once at the start of each request to the proxy.
    pub fn refresh(&mut self) -> Result<(), KeyManagerError> {
        if self.index.as_mut().is_some_and(|index| !index.has_moved()) {
            return Ok(());
        }
        let now = self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.cache.data_version != Some(now) {
            self.cache = Cache { data_version: Some(now), ..Cache::default() };
        }
        Ok(())
    }

    /// Appends to the request log, which is never at hand.
    pub fn append_log(&mut self, entries: &[ProxyRequest]) -> rusqlite::Result<()> {
        log::append(&mut self.connection, entries)
    }

    /// Looks into the request log.
    pub fn find_log(&self, wanted: &ListProxyRequests) -> Result<Vec<ProxyRequest>, KeyManagerError> {
        Ok(log::find(&self.connection, wanted)?)
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
        self.change(|change, root| {
            insert(change.execute("INSERT INTO partitions VALUES (?1)", [name]), "the partition", name)?;
            add_credential(change, root, name, credential, random)
        })
    }

    pub fn insert_credential(
        &mut self,
        partition: &str,
        credential: &ProxyCredential,
        random: &Random,
    ) -> Result<(), KeyManagerError> {
        self.change(|change, root| {
            require_partition(change, partition)?;
            add_credential(change, root, partition, credential, random)
        })
    }

    pub fn remove_credential(&mut self, partition: &str, access_key_id: &str) -> Result<bool, KeyManagerError> {
        self.change(|change, _| {
            let sql = "DELETE FROM credentials WHERE partition = ?1 AND access_key_id = ?2";
            Ok(change.execute(sql, [partition, access_key_id])? > 0)
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

    pub fn secret_of(&mut self, partition: &str, id: &str) -> Result<Option<SecretText>, KeyManagerError> {
        Ok(self.credentials(partition)?.and_then(|credentials| credentials.get(id).cloned()))
    }

    /// The credentials of a partition, if there is one.
    fn credentials(&mut self, partition: &str) -> Result<Option<&HashMap<String, SecretText>>, KeyManagerError> {
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
                let opened = self.root.open(&record_aad(&["credentials", partition, &id]), &sealed)?;
                let secret = String::from_utf8_lossy(&opened).into_owned();
                credentials.insert(id, SecretText::new(secret));
            }
            self.cache.partitions.insert(partition.to_owned(), credentials);
        }
        Ok(self.cache.partitions.get(partition))
    }

    pub fn insert_key(
        &mut self,
        partition: &str,
        key: &NewExternalKey,
        random: &Random,
    ) -> Result<(), KeyManagerError> {
        self.change(|change, root| {
            require_partition(change, partition)?;
            add_key(change, root, partition, key, random)
        })
    }

    pub fn keys(&mut self, partition: &str) -> Result<Vec<ExternalKey>, KeyManagerError> {
        let ids = {
            let sql = "SELECT id FROM external_keys WHERE partition = ?1 ORDER BY id";
            let mut rows = self.connection.prepare_cached(sql)?;
            rows.query_map([partition], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?
        };
        ids.iter().filter_map(|id| self.find_key(partition, id).transpose()).collect()
    }

    pub fn key(&mut self, partition: &str, id: &str) -> Result<Arc<ExternalKey>, KeyManagerError> {
        let name = (partition.to_owned(), id.to_owned());
        if let Some(key) = self.cache.keys.get(&name) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(self.find_key(partition, id)?.ok_or(KeyManagerError::KeyNotFound)?);
        self.cache.keys.insert(name, Arc::clone(&key));
        Ok(key)
    }

    fn find_key(&self, partition: &str, id: &str) -> Result<Option<ExternalKey>, KeyManagerError> {
        let sql = "SELECT k.id, coalesce(k.manager_id, k.id), k.spec, k.usage, k.enabled, k.version, v.encryptions,
            k.callers
            FROM external_keys k JOIN key_versions v USING (partition, id, version)
            WHERE k.partition = ?1 AND k.id = ?2";
        let mut rows = self.connection.prepare_cached(sql)?;
        let key = rows.query_row([partition, id], |row| {
            let usage: String = row.get(3)?;
            let callers: String = row.get(7)?;
            Ok(ExternalKey {
                id: row.get(0)?,
                manager_id: row.get(1)?,
                spec: row.get(2)?,
                usage: usage.split_whitespace().map(str::to_owned).collect(),
                enabled: row.get(4)?,
                version: row.get(5)?,
                encryptions: row.get::<_, i64>(6)?.unsigned_abs(),
                callers: callers.lines().map(str::to_owned).collect(),
            })
        });
        Ok(key.optional()?)
    }

    pub fn set_enabled(&mut self, partition: &str, id: &str, enabled: bool) -> Result<(), KeyManagerError> {
        let sql = "UPDATE external_keys SET enabled = ?3 WHERE partition = ?1 AND id = ?2";
        self.change(|change, _| found(change.execute(sql, params![partition, id, enabled])?))
    }

    pub fn delete_key(&mut self, partition: &str, id: &str) -> Result<(), KeyManagerError> {
        self.in_hand.retain(|(name, _), _| name.0 != partition || name.1 != id);
        self.change(|change, _| {
            change.execute("DELETE FROM key_versions WHERE partition = ?1 AND id = ?2", [partition, id])?;
            found(change.execute("DELETE FROM external_keys WHERE partition = ?1 AND id = ?2", [partition, id])?)
        })
    }

    pub fn set_usage(&mut self, partition: &str, id: &str, usage: &[String]) -> Result<(), KeyManagerError> {
        let sql = "UPDATE external_keys SET usage = ?3 WHERE partition = ?1 AND id = ?2";
        self.change(|change, _| found(change.execute(sql, params![partition, id, usage.join(" ")])?))
    }

    pub fn set_callers(&mut self, partition: &str, id: &str, callers: &[String]) -> Result<(), KeyManagerError> {
        let sql = "UPDATE external_keys SET callers = ?3 WHERE partition = ?1 AND id = ?2";
        self.change(|change, _| found(change.execute(sql, params![partition, id, callers.join("\n")])?))
    }

    pub fn rotate(&mut self, partition: &str, id: &str, random: &Random) -> Result<u32, KeyManagerError> {
        self.change(|change, root| {
            let sql = "UPDATE external_keys SET version = version + 1 WHERE partition = ?1 AND id = ?2
                RETURNING version, spec";
            let rotated = change.query_row(sql, [partition, id], |row| Ok((row.get(0)?, row.get(1)?)));
            let (version, spec): (u32, String) = rotated.optional()?.ok_or(KeyManagerError::KeyNotFound)?;
            add_version(change, root, (partition, id), version, &spec, random)?;
            Ok(version)
        })
    }

    /// The material of one version, made ready; `None` when there is no such version or it has no 256 bits.
    pub fn material(
        &mut self,
        partition: &str,
        id: &str,
        version: u32,
    ) -> Result<Option<Arc<Material>>, KeyManagerError> {
        let name = ((partition.to_owned(), id.to_owned()), version);
        if let Some(material) = self.cache.materials.get(&name) {
            return Ok(Some(Arc::clone(material)));
        }
        let sql = "SELECT sealed FROM key_versions WHERE partition = ?1 AND id = ?2 AND version = ?3";
        let found = self.connection.query_row(sql, params![partition, id, version], |row| row.get(0));
        let Some(sealed): Option<Vec<u8>> = found.optional()? else { return Ok(None) };
        let key = self.root.open(&version_aad(partition, id, version), &sealed)?;
        let material = Material::new(version, &key).map(Arc::new);
        if let Some(material) = &material {
            self.cache.materials.insert(name, Arc::clone(material));
        }
        Ok(material)
    }

    /// Takes one encryption from those in hand, and sets a block of them aside on disk first when none is.
    pub fn count_encryption(&mut self, partition: &str, id: &str, version: u32) -> Result<(), KeyManagerError> {
        let name = ((partition.to_owned(), id.to_owned()), version);
        let mut left = self.in_hand.get(&name).copied().unwrap_or(0);
        if left == 0 {
            self.connection.busy_timeout(SHORT_PATIENCE)?;
            let reserved = self.reserve(partition, id, version);
            self.connection.busy_timeout(PATIENCE)?;
            left = reserved?;
        }
        self.in_hand.insert(name, left - 1);
        Ok(())
    }

    fn reserve(&mut self, partition: &str, id: &str, version: u32) -> Result<u64, KeyManagerError> {
        let change = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT encryptions FROM key_versions WHERE partition = ?1 AND id = ?2 AND version = ?3";
        let used: i64 = change.query_row(sql, params![partition, id, version], |row| row.get(0))?;
        let block = BLOCK.min(MAX_ENCRYPTIONS.saturating_sub(used.unsigned_abs()));
        if block == 0 {
            return Err(KeyManagerError::Exhausted(version));
        }
        let sql = "UPDATE key_versions SET encryptions = encryptions + ?4
            WHERE partition = ?1 AND id = ?2 AND version = ?3";
        change.execute(sql, params![partition, id, version, block.cast_signed()])?;
        change.commit()?;
        self.cache.keys.remove(&(partition.to_owned(), id.to_owned()));
        Ok(block)
    }

    /// For tests: says how often a version has encrypted.
    #[cfg(test)]
    pub fn pretend_used(&mut self, partition: &str, id: &str, encryptions: u64) {
        self.in_hand.clear();
        let sql = "UPDATE key_versions SET encryptions = ?3 WHERE partition = ?1 AND id = ?2";
        self.change(|change, _| Ok(change.execute(sql, params![partition, id, encryptions.cast_signed()])?)).unwrap();
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")
}

fn version_aad(partition: &str, id: &str, version: u32) -> Vec<u8> {
    record_aad(&["key_versions", partition, id, &version.to_string()])
}

fn require_partition(change: &Transaction<'_>, partition: &str) -> Result<(), KeyManagerError> {
    let known = change.query_row("SELECT 1 FROM partitions WHERE name = ?1", [partition], |_| Ok(()));
    known.optional()?.ok_or_else(|| KeyManagerError::PartitionNotFound(partition.to_owned()))
}

/// Makes of a broken uniqueness the error that says so.
fn insert(done: rusqlite::Result<usize>, what: &'static str, name: &str) -> Result<(), KeyManagerError> {
    match done {
        Ok(_) => Ok(()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Err(KeyManagerError::Exists { what, name: name.to_owned() })
        }
        Err(error) => Err(error.into()),
    }
}

fn found(changed: usize) -> Result<(), KeyManagerError> {
    if changed == 0 { Err(KeyManagerError::KeyNotFound) } else { Ok(()) }
}

fn add_credential(
    change: &Transaction<'_>,
    root: &RootKey,
    partition: &str,
    credential: &ProxyCredential,
    random: &Random,
) -> Result<(), KeyManagerError> {
    let id = &credential.access_key_id;
    let aad = record_aad(&["credentials", partition, id]);
    let sealed = root.seal(&aad, credential.secret_access_key.expose().as_bytes(), random)?;
    let done = change.execute("INSERT INTO credentials VALUES (?1, ?2, ?3)", params![partition, id, sealed]);
    insert(done, "the credential", id)
}

fn add_key(
    change: &Transaction<'_>,
    root: &RootKey,
    partition: &str,
    key: &NewExternalKey,
    random: &Random,
) -> Result<(), KeyManagerError> {
    let NewExternalKey { id, manager_id, spec, usage, enabled, callers } = key;
    let done = change.execute(
        "INSERT INTO external_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)",
        params![partition, id, manager_id, spec, usage.join(" "), enabled, callers.join("\n")],
    );
    insert(done, "the external key", id)?;
    add_version(change, root, (partition, id), 1, spec, random)
}

fn add_version(
    change: &Transaction<'_>,
    root: &RootKey,
    (partition, id): (&str, &str),
    version: u32,
    spec: &str,
    random: &Random,
) -> Result<(), KeyManagerError> {
    let length = key_length(spec).ok_or_else(|| KeyManagerError::Invalid {
        what: "the key spec",
        value: spec.to_owned(),
        rule: "it is AES_256 or AES_128",
    })?;
    let mut key = Zeroizing::new(vec![0; length]);
    random.fill(&mut key)?;
    let sealed = root.seal(&version_aad(partition, id, version), &key, random)?;
    let sql = "INSERT INTO key_versions VALUES (?1, ?2, ?3, ?4, 0)";
    change.execute(sql, params![partition, id, version, sealed])?;
    Ok(())
}
