//! The bundled external key manager: external keys, their versions and states, and the credentials of its proxy.
//!
//! It has its own database and root key file, separate from those of KMS. A *partition* contains the credentials and
//! keys that the proxy serves under one path prefix.

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

/// The name of the external key manager's database in a data directory.
pub const DATABASE_FILE: &str = "external-key-manager.sqlite";
/// The name of its root key file, in the same directory as the database.
pub const ROOT_KEY_FILE: &str = "external-key-manager.root";
/// The maximum number of encryptions with one key version and random 96-bit IVs. Source: NIST SP 800-38D, 8.3.
pub const MAX_ENCRYPTIONS: u64 = 1 << 32;
/// The maximum size of a plaintext in bytes, which every proxy must support.
pub const MAX_PLAINTEXT: usize = 4300;
/// The maximum size of the additional authenticated data in bytes, limited by its 16-bit length prefix.
pub const MAX_AAD: usize = 65_535;

/// An error of the external key manager.
#[derive(Debug, thiserror::Error)]
pub enum KeyManagerError {
    /// The root key is missing or wrong, or a sealed record couldn't be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A database operation failed.
    #[error("the external key manager's database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A file operation failed.
    #[error("couldn't access {}: {source}", .path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error from the operating system.
        source: std::io::Error,
    },
    /// The random number generator failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A replayable environment generates predictable keys, which must not be stored.
    #[error(
        "a replayable environment can't use a data directory, because its keys are predictable. Use memory instead"
    )]
    Replayable,
    /// A newer version created the database.
    #[error(
        "the external key manager's database has format {0}, which this version doesn't support. Use a newer version"
    )]
    NewerFormat(i64),
    /// A name, an ID, or another value isn't valid.
    #[error("{what} {value:?} isn't valid: {rule}")]
    Invalid {
        /// The kind of value.
        what: &'static str,
        /// The value.
        value: String,
        /// The requirement that the value doesn't meet.
        rule: &'static str,
    },
    /// The name or ID is already in use.
    #[error("{what} {name:?} already exists. Choose another one")]
    AlreadyExists {
        /// The kind of object.
        what: &'static str,
        /// The name or ID of the object.
        name: String,
    },
    /// The partition doesn't exist.
    #[error("the partition {0:?} doesn't exist. Create it first")]
    PartitionNotFound(String),
    /// The partition has no external key with this ID.
    #[error("the external key doesn't exist")]
    KeyNotFound,
    /// The external key is disabled.
    #[error("the external key is disabled. Enable it in the external key manager")]
    KeyDisabled,
    /// The key usage of the external key doesn't allow the operation.
    #[error("the external key doesn't allow {0}")]
    KeyUsage(&'static str),
    /// The caller can't use the external key. Contains the callers that can.
    #[error("this caller of AWS KMS can't use the external key")]
    CallerDenied(Vec<String>),
    /// The key version has reached its maximum number of encryptions.
    #[error("version {0} of the external key has reached its limit of 2^32 encryptions. Rotate the external key")]
    Exhausted(u32),
    /// The ciphertext, IV, tag, metadata, or additional authenticated data is invalid or doesn't match.
    #[error("the ciphertext, its metadata, or the additional authenticated data is corrupted")]
    InvalidCiphertext,
    /// The plaintext or the additional authenticated data is too long.
    #[error("the plaintext exceeds 4300 bytes, or the additional authenticated data exceeds 65535 bytes")]
    TooLong,
}

/// The credential that KMS signs its requests to the proxy with.
#[derive(Clone, Debug)]
pub struct ProxyCredential {
    /// The access key ID: 20 to 30 characters of `A-Z2-7`, unrelated to the secret access key.
    pub access_key_id: String,
    /// The secret access key: 43 to 64 Base64 characters.
    pub secret_access_key: SecretString,
}

impl ProxyCredential {
    /// Generates a credential: 100 random bits for the access key ID, and 256 independent random bits for the secret.
    ///
    /// # Errors
    /// [`RandomError`] if the random number generator fails.
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
        limits::xks_proxy_access_key_id(&self.access_key_id)
            .map_err(|_| invalid("the access key ID", "an access key ID has 20 to 30 characters from A-Z and 2-7"))?;
        limits::xks_proxy_secret_access_key(self.secret_access_key.expose()).map_err(|_| {
            let rule = "a secret access key has 43 to 64 characters from A-Z, a-z, 0-9, +, /, and =";
            invalid("the secret access key of", rule)
        })
    }
}

/// The parameters of a new external key.
#[derive(Clone, Debug)]
pub struct NewExternalKey {
    /// The external key ID: the ID that the proxy uses for the key. 1 to 128 characters of `A-Za-z0-9-._`.
    pub id: String,
    /// The ID that the external key manager uses for the key, if it is different. The proxy doesn't accept it.
    pub manager_id: Option<String>,
    /// The key spec: `AES_256`, or `AES_128` for a key that can be described but not used.
    pub spec: String,
    /// The key usage, up to ten values: `ENCRYPT`, `DECRYPT`, and others that KMS doesn't require.
    pub usage: Vec<String>,
    /// Whether the key is enabled.
    pub enabled: bool,
    /// The callers that can use the key. See [`ExternalKey::callers`].
    pub callers: Vec<String>,
}

impl NewExternalKey {
    /// Describes a key that AWS KMS accepts: 256 bits, enabled, for encryption and decryption by everyone.
    pub fn aes_256(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            manager_id: None,
            spec: "AES_256".to_owned(),
            usage: vec!["ENCRYPT".to_owned(), "DECRYPT".to_owned()],
            enabled: true,
            callers: Vec::new(),
        }
    }
}

/// An external key, without its key material.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalKey {
    /// The external key ID.
    pub id: String,
    /// The ID that the external key manager uses for the key.
    pub manager_id: String,
    /// The key spec: `AES_256` or `AES_128`.
    pub spec: String,
    /// The key usage.
    pub usage: Vec<String>,
    /// Whether the key is enabled.
    pub enabled: bool,
    /// The version that encrypts. All versions decrypt.
    pub version: u32,
    /// The number of used or reserved encryptions with this version, out of [`MAX_ENCRYPTIONS`].
    pub encryptions: u64,
    /// The AWS KMS callers that can use the key: principals, with `*` and `?` as in `ArnLike`. If empty, all callers
    /// can.
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

/// The external key manager. Clones share its state.
#[derive(Clone)]
pub struct ExternalKeyManager(Arc<KeyManagerInner>);

struct KeyManagerInner {
    store: Mutex<Store>,
    random: Random,
    log_buffer: Arc<WriteBuffer<ProxyRequest>>,
    /// The connection that writes the request log, if the database is on disk.
    log_connection: Option<Mutex<Connection>>,
}

impl KeyManagerInner {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the pending log entries. Errors are ignored: a log failure must not affect requests.
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
    /// Opens the external key manager in `dir`, creating it if necessary. Several processes can open it at the same
    /// time.
    ///
    /// # Errors
    /// The environment is replayable, the root key file is missing or wrong, or the database fails.
    pub fn open(dir: &Path, environment: Environment) -> Result<Self, KeyManagerError> {
        if environment.is_replayable() {
            return Err(KeyManagerError::Replayable);
        }
        let store = Store::open(dir, &environment.random)?;
        Self::from_store(store, Some(Mutex::new(Store::open_log(dir)?)), environment)
    }

    /// Creates an external key manager in memory, for the lifetime of the process.
    ///
    /// # Errors
    /// The database or the random number generator fails.
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

    /// Starts writing the request log in the background, with a delay of half a second, until the key manager is
    /// closed.
    pub fn spawn_log_flusher(&self) {
        let manager = Arc::downgrade(&self.0);
        self.0.log_buffer.spawn_flusher(move || manager.upgrade().map(|manager| manager.flush_log()).is_some());
    }

    /// Records a request to the proxy.
    pub(super) fn log_request(&self, entry: ProxyRequest) {
        if self.0.log_buffer.push(entry) {
            self.0.flush_log();
        }
    }

    /// Returns the requests in the request log that match.
    ///
    /// # Errors
    /// The database fails.
    pub fn requests(&self, criteria: &ListProxyRequests) -> Result<Vec<ProxyRequest>, KeyManagerError> {
        self.0.flush_log();
        self.store().find_log(criteria)
    }

    /// Whether there are no partitions.
    ///
    /// # Errors
    /// The database fails.
    pub fn is_empty(&self) -> Result<bool, KeyManagerError> {
        Ok(self.partitions()?.is_empty())
    }

    /// Returns the names of the partitions, in order.
    ///
    /// # Errors
    /// The database fails.
    pub fn partitions(&self) -> Result<Vec<String>, KeyManagerError> {
        self.store().partitions()
    }

    /// Creates a partition, which the proxy serves under the path `/name/kms/xks/v1`. An empty name has no prefix.
    ///
    /// # Errors
    /// The name or credential isn't valid or already exists, or the database fails.
    pub fn create_partition(&self, name: &str, credential: &ProxyCredential) -> Result<(), KeyManagerError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-' | b'_');
        if name.len() > 116 || !name.bytes().all(allowed) || name.starts_with('/') || name.ends_with('/') {
            return Err(KeyManagerError::Invalid {
                what: "the partition name",
                value: name.to_owned(),
                rule: "it has up to 116 characters from A-Z, a-z, 0-9, /, -, and _, and no / at either end",
            });
        }
        credential.check()?;
        self.store().insert_partition(name, credential, &self.0.random)
    }

    /// Adds a credential to a partition. Existing credentials stay valid, so that credentials can be rotated without a
    /// gap.
    ///
    /// # Errors
    /// The same as [`ExternalKeyManager::create_partition`], or the partition doesn't exist.
    pub fn add_credential(&self, partition: &str, credential: &ProxyCredential) -> Result<(), KeyManagerError> {
        credential.check()?;
        self.store().insert_credential(partition, credential, &self.0.random)
    }

    /// Revokes a credential immediately. Returns whether it existed.
    ///
    /// # Errors
    /// The database fails.
    pub fn remove_credential(&self, partition: &str, access_key_id: &str) -> Result<bool, KeyManagerError> {
        self.store().remove_credential(partition, access_key_id)
    }

    /// Returns the access key IDs of a partition, in order.
    ///
    /// # Errors
    /// The database fails.
    pub fn access_key_ids(&self, partition: &str) -> Result<Vec<String>, KeyManagerError> {
        self.store().access_key_ids(partition)
    }

    /// Creates an external key with random key material.
    ///
    /// # Errors
    /// The ID, spec, usage, or a caller isn't valid, the ID already exists, or the partition doesn't exist.
    pub fn create_key(&self, partition: &str, key: &NewExternalKey) -> Result<(), KeyManagerError> {
        let invalid = |what, value: &str, rule| Err(KeyManagerError::Invalid { what, value: value.to_owned(), rule });
        for id in std::iter::once(&key.id).chain(&key.manager_id) {
            if !is_valid_key_id(id) {
                let rule = "an ID has 1 to 128 characters from A-Z, a-z, 0-9, -, ., and _";
                return invalid("the external key ID", id, rule);
            }
        }
        if key_length(&key.spec).is_none() {
            return invalid("the key spec", &key.spec, "it must be AES_256 or AES_128");
        }
        check_usage(&key.usage)?;
        callers::check(&key.callers)?;
        self.store().insert_key(partition, key, &self.0.random)
    }

    /// Returns the external keys of a partition, sorted by ID.
    ///
    /// # Errors
    /// The database fails.
    pub fn keys(&self, partition: &str) -> Result<Vec<ExternalKey>, KeyManagerError> {
        self.store().keys(partition)
    }

    /// Returns the external key with the external key ID `id`. Other names of the key aren't accepted.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`], or the database fails.
    pub fn key(&self, partition: &str, id: &str) -> Result<Arc<ExternalKey>, KeyManagerError> {
        let mut store = self.store();
        store.refresh()?;
        store.key(partition, id)
    }

    /// Enables or disables an external key. The change takes effect immediately.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`], or the database fails.
    pub fn set_enabled(&self, partition: &str, id: &str, enabled: bool) -> Result<(), KeyManagerError> {
        self.store().set_enabled(partition, id, enabled)
    }

    /// Deletes an external key with all its versions. Data encrypted under it can't be decrypted.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`], or the database fails.
    pub fn delete_key(&self, partition: &str, id: &str) -> Result<(), KeyManagerError> {
        self.store().delete_key(partition, id)
    }

    /// Sets the key usage of an external key.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`], the usage isn't valid, or the database fails.
    pub fn set_usage(&self, partition: &str, id: &str, usage: &[String]) -> Result<(), KeyManagerError> {
        check_usage(usage)?;
        self.store().set_usage(partition, id, usage)
    }

    /// Sets which AWS KMS callers can use an external key, effective immediately. An empty list allows all callers.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`], a caller isn't valid, or the database fails.
    pub fn set_callers(&self, partition: &str, id: &str, callers: &[String]) -> Result<(), KeyManagerError> {
        callers::check(callers)?;
        self.store().set_callers(partition, id, callers)
    }

    /// Fails if the AWS KMS caller can't use the external key.
    pub(super) fn check_caller(&self, partition: &str, id: &str, caller: &str) -> Result<(), KeyManagerError> {
        self.store().key(partition, id)?.check_caller(caller)
    }

    /// Rotates an external key: a new version encrypts from now on, and older versions still decrypt.
    ///
    /// # Errors
    /// [`KeyManagerError::KeyNotFound`], or the database fails.
    pub fn rotate_key(&self, partition: &str, id: &str) -> Result<u32, KeyManagerError> {
        self.store().rotate(partition, id, &self.0.random)
    }

    /// Whether the partition exists. Also makes the changes of other processes visible to the current request.
    pub(super) fn has_partition(&self, name: &str) -> Result<bool, KeyManagerError> {
        let mut store = self.store();
        store.refresh()?;
        store.has_partition(name)
    }

    /// Returns the secret access key for an access key ID.
    pub(super) fn secret_access_key(&self, partition: &str, id: &str) -> Result<Option<SecretString>, KeyManagerError> {
        self.store().secret_access_key(partition, id)
    }

    /// Encrypts with the current key version. If `verify` is given, also decrypts the result before returning it.
    /// `verify` is called with the result first, because the integrity value must be computed before the check, not
    /// after it.
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
        let value = verify.map(|inspect| inspect(&parts));
        if value.is_some() && material.decrypt(aad, &parts)?.expose() != plaintext {
            return Err(KeyManagerError::InvalidCiphertext);
        }
        Ok((parts, value))
    }

    /// Decrypts with the key version in the ciphertext metadata.
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

    /// Checks the health by encrypting and decrypting with a dedicated key.
    pub(super) fn check_health(&self) -> Result<(), KeyManagerError> {
        let sample: [u8; 32] = self.0.random.bytes()?;
        let (partition, id) = store::HEALTH_CHECK_KEY;
        self.encrypt(partition, id, &sample, b"health", Some(|_: &CiphertextParts| ())).map(|_| ())
    }
}

/// Whether `id` is a valid external key ID.
fn is_valid_key_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// Returns the length of the key material in bytes for a key spec.
fn key_length(spec: &str) -> Option<usize> {
    match spec {
        AES_256 => Some(32),
        "AES_128" => Some(16),
        _ => None,
    }
}

fn check_usage(usage: &[String]) -> Result<(), KeyManagerError> {
    let is_valid = |usage: &String| !usage.is_empty() && usage.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if usage.len() <= 10 && usage.iter().all(is_valid) {
        return Ok(());
    }
    Err(KeyManagerError::Invalid {
        what: "the key usage",
        value: usage.join(", "),
        rule: "it has up to ten uppercase words, such as ENCRYPT and DECRYPT",
    })
}
