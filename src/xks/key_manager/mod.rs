//! The bundled external key manager: external keys, their versions and states, and who may call its proxy.
//!
//! It keeps its own database and its own root key file, apart from those of KMS. A *partition* is what the proxy
//! serves under one path prefix: its credentials and its keys.

mod callers;
mod material;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use zeroize::Zeroizing;

pub use self::material::CiphertextParts;
use self::material::version_from_metadata;
use self::store::Store;
use crate::aws::limits;
use crate::aws::scalar::{SecretBlob, SecretString};
use crate::aws::xks_console::{ListProxyRequests, ProxyRequest};
use crate::environment::{Environment, Random, RandomError};
use crate::storage::sealed::SealError;
use crate::storage::write_behind::WriteBuffer;
use crate::xks::log;
use crate::xks::wire::AES_256;

/// The database of the external key manager in a data directory.
pub const DATABASE_FILE: &str = "external-key-manager.sqlite";
/// Its root key file, beside the database.
pub const ROOT_KEY_FILE: &str = "external-key-manager.root";
/// How often one version of an external key may encrypt with random 96-bit IVs. Source: NIST SP 800-38D, 8.3.
pub const MAX_ENCRYPTIONS: u64 = 1 << 32;
/// The most bytes of one plaintext, the size every proxy has to support.
pub const MAX_PLAINTEXT: usize = 4300;
/// The most bytes of additional authenticated data, which its 16-bit length can say.
pub const MAX_AAD: usize = 65_535;

/// Why the external key manager didn't do it.
#[derive(Debug, thiserror::Error)]
pub enum KeyManagerError {
    /// The root key, or a record it sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database.
    #[error("the external key manager's database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// The file system.
    #[error("can't use {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Keys that repeat themselves must not be kept.
    #[error("a world that repeats itself makes no keys for a data directory; use one in memory")]
    Replayable,
    /// The database is newer than this program.
    #[error("the external key manager's database has format {0}, which this version doesn't know; use a newer version")]
    NewerFormat(i64),
    /// A name, an ID or another value can't be used.
    #[error("{what} {value:?} can't be used: {rule}")]
    Invalid {
        /// What it is.
        what: &'static str,
        /// The value.
        value: String,
        /// What would be right.
        rule: &'static str,
    },
    /// It is there already.
    #[error("{what} {name:?} exists already; choose another")]
    AlreadyExists {
        /// What it is.
        what: &'static str,
        /// Its name or ID.
        name: String,
    },
    /// No partition has this name.
    #[error("there is no partition {0:?}; create it first")]
    PartitionNotFound(String),
    /// The partition has no external key with this ID.
    #[error("the external key is unknown")]
    KeyNotFound,
    /// The external key is disabled.
    #[error("the external key is disabled; enable it in the external key manager")]
    KeyDisabled,
    /// The external key isn't for this.
    #[error("the external key doesn't allow {0}")]
    KeyUsage(&'static str),
    /// The external key isn't for this caller, but for those that are named here.
    #[error("the external key isn't for this caller of AWS KMS")]
    CallerDenied(Vec<String>),
    /// The version may encrypt no more.
    #[error("version {0} of the external key has encrypted 2^32 times, as often as it may; rotate the external key")]
    Exhausted(u32),
    /// Nothing fits: ciphertext, IV, tag, metadata or additional authenticated data.
    #[error("the ciphertext, its parts or the additional authenticated data is corrupt")]
    InvalidCiphertext,
    /// Plaintext or additional authenticated data is beyond what is supported.
    #[error("the plaintext is longer than 4300 bytes or the additional authenticated data longer than 65535")]
    TooLong,
}

/// What KMS signs its calls to the proxy with.
#[derive(Clone, Debug)]
pub struct ProxyCredential {
    /// 20 to 30 characters of `A-Z2-7`, unrelated to the secret.
    pub access_key_id: String,
    /// 43 to 64 characters of Base64.
    pub secret_access_key: SecretString,
}

impl ProxyCredential {
    /// A new pair: 100 random bits for the ID and, apart from them, 256 for the secret.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn generate(random: &Random) -> Result<Self, RandomError> {
        use base64::Engine as _;
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let id: [u8; 20] = random.bytes()?;
        let mut secret = Zeroizing::new([0; 32]);
        random.fill(secret.as_mut_slice())?;
        Ok(Self {
            access_key_id: id.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect(),
            secret_access_key: SecretString::new(base64::engine::general_purpose::STANDARD.encode(*secret)),
        })
    }

    fn check(&self) -> Result<(), KeyManagerError> {
        let value = self.access_key_id.clone();
        let invalid = |what, rule| KeyManagerError::Invalid { what, value: value.clone(), rule };
        limits::xks_proxy_access_key_id(&self.access_key_id).map_err(|_| {
            invalid("the access key ID", "an access key ID has 20 to 30 characters of A to Z and 2 to 7")
        })?;
        limits::xks_proxy_secret_access_key(self.secret_access_key.expose()).map_err(|_| {
            let rule = "a secret access key has 43 to 64 characters of A to Z, a to z, 0 to 9, +, / and =";
            invalid("the secret access key of", rule)
        })
    }
}

/// An external key to be made.
#[derive(Clone, Debug)]
pub struct NewExternalKey {
    /// The external key ID: what the proxy calls it. 1 to 128 characters of `A-Za-z0-9-._`.
    pub id: String,
    /// What the external key manager calls it, when that is something else. The proxy doesn't know it by this name.
    pub manager_id: Option<String>,
    /// `AES_256`; or `AES_128`, which can be looked at and never encrypts.
    pub spec: String,
    /// Up to ten uses: `ENCRYPT`, `DECRYPT`, and others KMS has no need of.
    pub usage: Vec<String>,
    /// Whether it can be used.
    pub enabled: bool,
    /// Whom it is for, as [`ExternalKey::callers`] has it.
    pub callers: Vec<String>,
}

/// An external key, without its material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalKey {
    /// The external key ID.
    pub id: String,
    /// What the external key manager calls it.
    pub manager_id: String,
    /// `AES_256` or `AES_128`.
    pub spec: String,
    /// Its uses.
    pub usage: Vec<String>,
    /// Whether it can be used.
    pub enabled: bool,
    /// The version that encrypts; all decrypt.
    pub version: u32,
    /// How many encryptions of that version are used up or set aside, of [`MAX_ENCRYPTIONS`].
    pub encryptions: u64,
    /// The callers of AWS KMS that may use it: principals, with `*` and `?` as in `ArnLike`. Empty for everybody.
    pub callers: Vec<String>,
}

impl ExternalKey {
    fn check_allows(&self, usage: &'static str) -> Result<(), KeyManagerError> {
        if !self.enabled {
            Err(KeyManagerError::KeyDisabled)
        } else if self.spec != AES_256 || !self.usage.iter().any(|allowed| allowed == usage) {
            Err(KeyManagerError::KeyUsage(usage))
        } else {
            Ok(())
        }
    }
}

/// The external key manager. Clones share it.
#[derive(Clone)]
pub struct ExternalKeyManager(Arc<KeyManagerInner>);

struct KeyManagerInner {
    store: Mutex<Store>,
    random: Random,
    log_buffer: Arc<WriteBuffer<ProxyRequest>>,
    /// On disk: where the log is written.
    log_connection: Option<Mutex<Connection>>,
}

impl KeyManagerInner {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits for the log. What can't be written is let go: the log must not stand in the way of what it tells.
    fn flush_log(&self) {
        let entries = self.log_buffer.take();
        if !entries.is_empty() {
            let _ = match &self.log_connection {
                Some(own) => log::append(&mut own.lock().unwrap_or_else(PoisonError::into_inner), &entries),
                None => self.store().append_log(&entries),
            };
        }
    }
}

impl Drop for KeyManagerInner {
    fn drop(&mut self) {
        self.flush_log();
        self.log_buffer.close();
    }
}

impl fmt::Debug for ExternalKeyManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalKeyManager(…)")
    }
}

impl ExternalKeyManager {
    /// Opens the external key manager in `dir`, and makes it when there is none. Several processes may have it open.
    ///
    /// # Errors
    /// A world that repeats itself; a missing or another root key file; what the database says.
    pub fn open(dir: &Path, environment: Environment) -> Result<Self, KeyManagerError> {
        if environment.is_replayable() {
            return Err(KeyManagerError::Replayable);
        }
        let store = Store::open(dir, &environment.random)?;
        Self::from_store(store, Some(Mutex::new(Store::open_log(dir)?)), environment)
    }

    /// An external key manager that is gone with the process.
    ///
    /// # Errors
    /// What the database says; [`RandomError`].
    pub fn in_memory(environment: Environment) -> Result<Self, KeyManagerError> {
        Self::from_store(Store::in_memory(&environment.random)?, None, environment)
    }

    fn from_store(
        store: Store,
        log: Option<Mutex<Connection>>,
        environment: Environment,
    ) -> Result<Self, KeyManagerError> {
        let (store, log_connection) = (Mutex::new(store), log);
        let manager = Self(Arc::new(KeyManagerInner {
            store,
            random: environment.random,
            log_buffer: Arc::default(),
            log_connection,
        }));
        manager.store().create_health_check_key(&manager.0.random)?;
        Ok(manager)
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.store()
    }

    /// Writes the request log by itself from now on, half a second behind, as long as the external key manager is open.
    pub fn spawn_log_flusher(&self) {
        let manager = Arc::downgrade(&self.0);
        self.0.log_buffer.spawn_flusher(move || manager.upgrade().map(|manager| manager.flush_log()).is_some());
    }

    /// Notes a request to the proxy.
    pub(super) fn log_request(&self, entry: ProxyRequest) {
        if self.0.log_buffer.push(entry) {
            self.0.flush_log();
        }
    }

    /// What the request log tells.
    ///
    /// # Errors
    /// What the database says.
    pub fn requests(&self, wanted: &ListProxyRequests) -> Result<Vec<ProxyRequest>, KeyManagerError> {
        self.0.flush_log();
        self.store().find_log(wanted)
    }

    /// Whether there is no partition yet.
    ///
    /// # Errors
    /// What the database says.
    pub fn is_empty(&self) -> Result<bool, KeyManagerError> {
        Ok(self.partitions()?.is_empty())
    }

    /// The names of the partitions, in order.
    ///
    /// # Errors
    /// What the database says.
    pub fn partitions(&self) -> Result<Vec<String>, KeyManagerError> {
        self.store().partitions()
    }

    /// Makes a partition, which the proxy serves under the path `/name/kms/xks/v1`; the empty name has no prefix.
    ///
    /// # Errors
    /// A name or credential that can't be used or is there already; what the database says.
    pub fn create_partition(&self, name: &str, credential: &ProxyCredential) -> Result<(), KeyManagerError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
        if name.len() > 116 || !name.bytes().all(allowed) || name.starts_with('/') || name.ends_with('/') {
            return Err(KeyManagerError::Invalid {
                what: "the partition name",
                value: name.to_owned(),
                rule: "it has up to 116 characters of A to Z, a to z, 0 to 9, /, - and _, and no / at its ends",
            });
        }
        credential.check()?;
        self.store().insert_partition(name, credential, &self.0.random)
    }

    /// Lets one more credential sign, beside those that do: how credentials are rotated without a gap.
    ///
    /// # Errors
    /// As [`KeyManager::create_partition`]; an unknown partition.
    pub fn add_credential(&self, partition: &str, credential: &ProxyCredential) -> Result<(), KeyManagerError> {
        credential.check()?;
        self.store().insert_credential(partition, credential, &self.0.random)
    }

    /// Ends a credential at once. Whether there was one.
    ///
    /// # Errors
    /// What the database says.
    pub fn remove_credential(&self, partition: &str, access_key_id: &str) -> Result<bool, KeyManagerError> {
        self.store().remove_credential(partition, access_key_id)
    }

    /// The access key IDs of a partition, in order.
    ///
    /// # Errors
    /// What the database says.
    pub fn access_key_ids(&self, partition: &str) -> Result<Vec<String>, KeyManagerError> {
        self.store().access_key_ids(partition)
    }

    /// Makes an external key with random material.
    ///
    /// # Errors
    /// An ID, spec or usage that can't be used; an ID that is there already; an unknown partition.
    pub fn create_key(&self, partition: &str, key: &NewExternalKey) -> Result<(), KeyManagerError> {
        let invalid = |what, value: &str, rule| Err(KeyManagerError::Invalid { what, value: value.to_owned(), rule });
        for id in std::iter::once(&key.id).chain(&key.manager_id) {
            if !is_valid_key_id(id) {
                let rule = "an ID has 1 to 128 characters of A to Z, a to z, 0 to 9, -, . and _";
                return invalid("the external key ID", id, rule);
            }
        }
        if key_length(&key.spec).is_none() {
            return invalid("the key spec", &key.spec, "it is AES_256 or AES_128");
        }
        check_usage(&key.usage)?;
        callers::check(&key.callers)?;
        self.store().insert_key(partition, key, &self.0.random)
    }

    /// The external keys of a partition, in the order of their IDs.
    ///
    /// # Errors
    /// What the database says.
    pub fn keys(&self, partition: &str) -> Result<Vec<ExternalKey>, KeyManagerError> {
        self.store().keys(partition)
    }

    /// The external key that the proxy knows as `id`, and by no other name.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`]; what the database says.
    pub fn key(&self, partition: &str, id: &str) -> Result<Arc<ExternalKey>, KeyManagerError> {
        let mut store = self.store();
        store.refresh()?;
        store.key(partition, id)
    }

    /// Enables or disables an external key, at once.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`]; what the database says.
    pub fn set_enabled(&self, partition: &str, id: &str, enabled: bool) -> Result<(), KeyManagerError> {
        self.store().set_enabled(partition, id, enabled)
    }

    /// Takes an external key away with all its versions. What they encrypted can't be decrypted any more.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`]; what the database says.
    pub fn delete_key(&self, partition: &str, id: &str) -> Result<(), KeyManagerError> {
        self.store().delete_key(partition, id)
    }

    /// Says anew what an external key may be used for.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`]; more than ten uses; what the database says.
    pub fn set_usage(&self, partition: &str, id: &str, usage: &[String]) -> Result<(), KeyManagerError> {
        check_usage(usage)?;
        self.store().set_usage(partition, id, usage)
    }

    /// Says anew which callers of AWS KMS may use an external key, at once; none for everybody.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`]; callers that can't be; what the database says.
    pub fn set_callers(&self, partition: &str, id: &str, callers: &[String]) -> Result<(), KeyManagerError> {
        callers::check(callers)?;
        self.store().set_callers(partition, id, callers)
    }

    /// Refuses a caller of AWS KMS that an external key isn't for.
    pub(super) fn check_caller(&self, partition: &str, id: &str, caller: &str) -> Result<(), KeyManagerError> {
        self.store().key(partition, id)?.check_caller(caller)
    }

    /// Gives an external key a new version, which encrypts from now on; older ones go on decrypting.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`]; what the database says.
    pub fn rotate_key(&self, partition: &str, id: &str) -> Result<u32, KeyManagerError> {
        self.store().rotate(partition, id, &self.0.random)
    }

    /// Whether the proxy serves this partition. From here on a request sees what others have changed until now.
    pub(super) fn has_partition(&self, name: &str) -> Result<bool, KeyManagerError> {
        let mut store = self.store();
        store.refresh()?;
        store.has_partition(name)
    }

    /// The secret that belongs to an access key ID.
    pub(super) fn secret_access_key(&self, partition: &str, id: &str) -> Result<Option<SecretString>, KeyManagerError> {
        self.store().secret_access_key(partition, id)
    }

    /// Encrypts with the current version. With `verify`, decrypts the outcome as well before giving it out, and
    /// `between` sees it in the meantime: the integrity value has to be made before the check, not after.
    pub(super) fn encrypt<T>(
        &self,
        partition: &str,
        id: &str,
        plaintext: &[u8],
        aad: &[u8],
        verify: Option<impl FnOnce(&CiphertextParts) -> T>,
    ) -> Result<(CiphertextParts, Option<T>), KeyManagerError> {
        let material = {
            let mut store = self.store();
            let key = store.key(partition, id)?;
            key.check_allows("ENCRYPT")?;
            if verify.is_some() {
                key.check_allows("DECRYPT")?;
            }
            if plaintext.len() > MAX_PLAINTEXT || aad.len() > MAX_AAD {
                return Err(KeyManagerError::TooLong);
            }
            let material = store.material(partition, id, key.version)?.ok_or(KeyManagerError::KeyNotFound)?;
            store.count_encryption(partition, id, key.version)?;
            material
        };
        let parts = material.encrypt(aad, plaintext, &self.0.random)?;
        let seen = verify.map(|inspect| inspect(&parts));
        if seen.is_some() && material.decrypt(aad, &parts)?.expose() != plaintext {
            return Err(KeyManagerError::InvalidCiphertext);
        }
        Ok((parts, seen))
    }

    /// Decrypts with the version that the metadata names.
    pub(super) fn decrypt(
        &self,
        partition: &str,
        id: &str,
        parts: &CiphertextParts,
        aad: &[u8],
    ) -> Result<SecretBlob, KeyManagerError> {
        let material = {
            let mut store = self.store();
            store.key(partition, id)?.check_allows("DECRYPT")?;
            if parts.ciphertext.len() > MAX_PLAINTEXT || aad.len() > MAX_AAD {
                return Err(KeyManagerError::TooLong);
            }
            let version =
                version_from_metadata(&parts.ciphertext_metadata).ok_or(KeyManagerError::InvalidCiphertext)?;
            store.material(partition, id, version)?.ok_or(KeyManagerError::InvalidCiphertext)?
        };
        material.decrypt(aad, parts)
    }

    /// Encrypts and decrypts with a key that exists for nothing else.
    pub(super) fn check_health(&self) -> Result<(), KeyManagerError> {
        let sample: [u8; 32] = self.0.random.bytes()?;
        let (partition, id) = store::HEALTH_CHECK_KEY;
        self.encrypt(partition, id, &sample, b"health", Some(|_: &CiphertextParts| ())).map(|_| ())
    }
}

/// Whether `id` can be an external key ID.
fn is_valid_key_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// The bytes of material that a key spec asks for.
fn key_length(spec: &str) -> Option<usize> {
    match spec {
        AES_256 => Some(32),
        "AES_128" => Some(16),
        _ => None,
    }
}

fn check_usage(usage: &[String]) -> Result<(), KeyManagerError> {
    let word = |usage: &String| !usage.is_empty() && usage.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if usage.len() <= 10 && usage.iter().all(word) {
        return Ok(());
    }
    Err(KeyManagerError::Invalid {
        what: "the key usage",
        value: usage.join(", "),
        rule: "it has up to ten words of capital letters, such as ENCRYPT and DECRYPT",
    })
}
