//! The bundled external key manager: external keys, their versions and states, and the credentials of its proxy.
//!
//! It has its own database and root key file, separate from those of KMS. A *partition* contains the credentials and
//! keys that the proxy serves under one path prefix.

mod callers;
mod credential;
mod cryptography;
mod error;
mod external_key;
mod material;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use subtle::ConstantTimeEq as _;

pub use self::credential::ProxyCredential;
pub use self::error::KeyManagerError;
pub use self::external_key::{ExternalKey, MAX_AAD, MAX_ENCRYPTIONS, MAX_PLAINTEXT, NewExternalKey};
use self::external_key::{check_usage, is_valid_key_id, key_length};
pub use self::material::{CiphertextParts, version_from_metadata};
pub use self::store::{DATABASE_FILE, ROOT_KEY_FILE};
use self::store::{LogConnection, Store};
use crate::aws::scalar::SecretString;
use crate::aws::xks_console::{ListProxyRequests, ProxyRequest};
use crate::blocking::run_blocking;
use crate::environment::{Environment, Random};
use crate::storage::write_behind::{Flusher, PendingValues as _, WriteBuffer};
use crate::xks::log::PendingEntries;

/// The external key manager. Clones share its state.
#[derive(Clone)]
pub struct ExternalKeyManager(Arc<KeyManagerInner>);

struct KeyManagerInner {
    store: Mutex<Store>,
    random: Random,
    log_buffer: WriteBuffer<PendingEntries>,
    log_flusher: Arc<Flusher>,
    /// The connection that writes the request log, if the database is on disk.
    log_connection: Option<LogConnection>,
}

impl KeyManagerInner {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the pending log entries. Errors are ignored: a log failure must not affect requests.
    fn flush_log(&self) {
        let entries = self.log_buffer.take();
        if !entries.values.is_empty() {
            let _ = match &self.log_connection {
                Some(own) => own.append(entries.values),
                None => self.store().append_log(entries.values),
            };
        }
    }
}

impl Drop for KeyManagerInner {
    fn drop(&mut self) {
        self.flush_log();
        self.log_flusher.close();
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
        Self::from_store(store, Some(LogConnection::new(dir)), environment)
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
        log_connection: Option<LogConnection>,
        environment: Environment,
    ) -> Result<Self, KeyManagerError> {
        let manager = Self(Arc::new(KeyManagerInner {
            store: Mutex::new(store),
            random: environment.random,
            log_buffer: WriteBuffer::default(),
            log_flusher: Arc::default(),
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
        self.0.log_buffer.set_flusher(&self.0.log_flusher);
        self.0.log_flusher.start(move || manager.upgrade().map(|manager| manager.flush_log()).is_some());
    }

    /// Copies the database, with the request log, to the new file `path`.
    ///
    /// # Errors
    /// The database fails, or `path` can't be written.
    pub fn copy_database(&self, path: &Path) -> Result<(), KeyManagerError> {
        self.0.flush_log();
        self.store().copy_database(path)
    }

    /// Records a request to the proxy. If the entries need too much memory, because the disk is slow, writes them first.
    pub(super) fn log_request(&self, entry: &ProxyRequest) {
        let Ok(line) = serde_json::to_string(entry) else { return };
        if self.0.log_buffer.add(|pending| pending.push(&line)) {
            run_blocking(|| self.0.flush_log());
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
                rule: "it must have up to 116 characters from A-Z, a-z, 0-9, /, -, and _, without a / at either end",
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

    /// Returns whether the proxy accepts `credential` for a partition.
    ///
    /// # Errors
    /// The database fails.
    pub fn accepts(&self, partition: &str, credential: &ProxyCredential) -> Result<bool, KeyManagerError> {
        let known = self.store().secret_access_key(partition, &credential.access_key_id)?;
        let given = credential.secret_access_key.expose().as_bytes();
        Ok(known.is_some_and(|secret| secret.expose().as_bytes().ct_eq(given).into()))
    }

    /// Creates an external key with random key material.
    ///
    /// # Errors
    /// The ID, spec, usage, or a caller isn't valid, the ID already exists, or the partition doesn't exist.
    pub fn create_key(&self, partition: &str, key: &NewExternalKey) -> Result<(), KeyManagerError> {
        let invalid = |what, value: &str, rule| Err(KeyManagerError::Invalid { what, value: value.to_owned(), rule });
        for id in std::iter::once(&key.id).chain(&key.manager_id) {
            if !is_valid_key_id(id) {
                let rule = "an ID must have 1 to 128 characters from A-Z, a-z, 0-9, -, ., and _";
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
}
