//! What an account on disk knows about the KMS key of a ciphertext, read without opening the account.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::kms::key_states::current_state;
use super::names::open_read_only;
use super::{account_region, store};
use crate::aws::arn::Arn;
use crate::aws::kms::{CustomKeyStore, KeyMetadata};
use crate::aws::limits;
use crate::xks::key_manager;
use crate::xks::proxy::{BUNDLED_HOST, BUNDLED_VPC_HOST};

/// What is needed to decrypt a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CiphertextKey<'a> {
    /// The ARN of the KMS key.
    pub key_arn: &'a str,
    /// The ID of the KMS key's key material.
    pub material_id: &'a str,
    /// The version of the external key, if the ciphertext has one.
    pub external_version: Option<u32>,
}

/// The result of looking for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLookup {
    /// The directory contains no account.
    NoAccount,
    /// The account doesn't have the key.
    NotFound,
    /// The account has the key.
    Found(Box<StoredKey>),
}

/// A KMS key of an account on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The metadata, with the current key state.
    pub metadata: KeyMetadata,
    /// The aliases, in alphabetical order.
    pub aliases: Vec<String>,
    /// Whether the account still has the key material that encrypted the ciphertext.
    pub has_material: bool,
    /// The custom key store that contains the key.
    pub key_store: Option<CustomKeyStore>,
    /// Whether the external key manager still has the external key.
    pub external_key: ExternalKeyStatus,
}

/// Whether an external key manager has an external key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternalKeyStatus {
    /// The KMS key has no external key, or another external key manager has it.
    Unknown,
    /// The bundled external key manager has the key, in the version that encrypted the ciphertext.
    Exists,
    /// The bundled external key manager doesn't have the key, or not in this version.
    Deleted,
}

/// An account on disk can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadKeyError {
    /// The database can't be read.
    #[error("{0}")]
    Database(#[from] rusqlite::Error),
    /// A record in the database can't be read.
    #[error("{0}")]
    Record(#[from] serde_json::Error),
    /// The database has the schema of another version of the program.
    #[error("it has schema version {0}, and this version of the program reads version {supported}", supported = store::SCHEMA_VERSION)]
    Schema(i64),
}

impl KeyLookup {
    /// Looks for the key of a ciphertext in the account in `dir`. It creates and changes nothing, not even a file of
    /// the database. A key whose waiting period has ended in the account is deleted, even if no request has deleted it
    /// yet. `now` is the time of the machine, and the account can be ahead of it.
    ///
    /// # Errors
    /// [`ReadKeyError`] if there is an account that can't be read.
    pub fn read(dir: &Path, key: &CiphertextKey, now: Timestamp) -> Result<Self, ReadKeyError> {
        let path = dir.join(store::DATABASE_FILE);
        if !path.exists() {
            return Ok(Self::NoAccount);
        }
        let connection = open_read_only(&path)?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
        if version != store::SCHEMA_VERSION {
            return Err(ReadKeyError::Schema(version));
        }
        let now = now.saturating_add(store::account_ahead(&connection)?).unwrap_or(Timestamp::MAX);
        let found = Account { connection, dir }.key(key, now)?;
        Ok(found.map_or(Self::NotFound, |key| Self::Found(Box::new(key))))
    }
}

/// An account that is open for reading.
struct Account<'a> {
    connection: Connection,
    dir: &'a Path,
}

impl Account<'_> {
    fn key(&self, key: &CiphertextKey, now: Timestamp) -> Result<Option<StoredKey>, ReadKeyError> {
        let Ok(arn) = key.key_arn.parse::<Arn>() else { return Ok(None) };
        let Some(key_id) = arn.resource.strip_prefix("key/") else { return Ok(None) };
        let world = account_region(&arn.account, &arn.region);
        let sql = "SELECT document, material_id FROM keys
            WHERE world = ?1 AND id = ?2 AND (due IS NULL OR due > ?3)";
        let parameters = params![world, key_id, now.as_millisecond()];
        let row = |row: &rusqlite::Row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        let Some((document, material_id)) = self.connection.query_row(sql, parameters, row).optional()? else {
            return Ok(None);
        };
        let mut metadata: KeyMetadata = serde_json::from_str(&document)?;
        let key_store = self.key_store(&world, metadata.custom_key_store_id.as_deref())?;
        metadata.key_state =
            current_state(metadata.key_state, key_store.as_ref().map(|key_store| key_store.connection_state));
        let has_material =
            material_id == key.material_id || self.has_older_material(&world, key_id, key.material_id)?;
        let external_key = self.external_key(key_store.as_ref(), &metadata, key.external_version)?;
        let aliases = self.aliases(&world, key_id)?;
        Ok(Some(StoredKey { metadata, aliases, has_material, key_store, external_key }))
    }

    fn aliases(&self, world: &str, key_id: &str) -> rusqlite::Result<Vec<String>> {
        let sql = "SELECT name FROM aliases WHERE world = ?1 AND key_id = ?2 ORDER BY name";
        self.connection.prepare(sql)?.query_map([world, key_id], |row| row.get(0))?.collect()
    }

    fn has_older_material(&self, world: &str, key_id: &str, material_id: &str) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM key_materials WHERE world = ?1 AND key_id = ?2 AND material_id = ?3";
        self.connection.prepare(sql)?.exists([world, key_id, material_id])
    }

    fn key_store(&self, world: &str, id: Option<&str>) -> Result<Option<CustomKeyStore>, ReadKeyError> {
        let Some(id) = id else { return Ok(None) };
        let sql = "SELECT document FROM key_stores WHERE world = ?1 AND id = ?2";
        let found: Option<String> = self.connection.query_row(sql, [world, id], |row| row.get(0)).optional()?;
        Ok(found.map(|document| serde_json::from_str(&document)).transpose()?)
    }

    fn external_key(
        &self,
        key_store: Option<&CustomKeyStore>,
        metadata: &KeyMetadata,
        version: Option<u32>,
    ) -> rusqlite::Result<ExternalKeyStatus> {
        let partition = key_store.and_then(bundled_partition);
        let path = self.dir.join(key_manager::DATABASE_FILE);
        let (Some(partition), Some(external), Some(version), true) =
            (partition, &metadata.xks_key_configuration, version, path.exists())
        else {
            return Ok(ExternalKeyStatus::Unknown);
        };
        let connection = open_read_only(&path)?;
        let sql = "SELECT 1 FROM key_versions WHERE partition = ?1 AND id = ?2 AND version = ?3";
        let exists = connection.prepare(sql)?.exists(params![partition, external.id, version])?;
        Ok(if exists { ExternalKeyStatus::Exists } else { ExternalKeyStatus::Deleted })
    }
}

/// Returns the partition of the bundled external key manager that a key store uses, if it uses one.
fn bundled_partition(key_store: &CustomKeyStore) -> Option<&str> {
    let proxy = key_store.xks_proxy_configuration.as_ref()?;
    let host = proxy.uri_endpoint.strip_prefix("https://")?;
    let prefix = proxy.uri_path.strip_suffix(limits::XKS_PROXY_PATH_SUFFIX)?;
    [BUNDLED_HOST, BUNDLED_VPC_HOST].contains(&host).then(|| prefix.strip_prefix('/').unwrap_or(prefix))
}
