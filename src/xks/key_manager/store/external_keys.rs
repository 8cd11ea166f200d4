//! The external keys in the database: their states, versions, key material, and encryption counts.

use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use zeroize::Zeroizing;

use super::{BUSY_TIMEOUT, ENCRYPTION_BLOCK, SHORT_BUSY_TIMEOUT, Store, check_insert, require_partition};
use crate::environment::Random;
use crate::storage::sealed::{RootKey, record_aad};
use crate::xks::key_manager::error::KeyManagerError;
use crate::xks::key_manager::external_key::{ExternalKey, MAX_ENCRYPTIONS, NewExternalKey, key_length};
use crate::xks::key_manager::material::KeyMaterial;

impl Store {
    pub fn insert_key(
        &mut self,
        partition: &str,
        key: &NewExternalKey,
        random: &Random,
    ) -> Result<(), KeyManagerError> {
        self.with_transaction(|tx, root_key| {
            require_partition(tx, partition)?;
            add_key(tx, root_key, partition, key, random)
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

    pub(super) fn find_key(&self, partition: &str, id: &str) -> Result<Option<ExternalKey>, KeyManagerError> {
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
        self.with_transaction(|tx, _| require_found(tx.execute(sql, params![partition, id, enabled])?))
    }

    pub fn delete_key(&mut self, partition: &str, id: &str) -> Result<(), KeyManagerError> {
        self.reserved_encryptions.retain(|(name, _), _| name.0 != partition || name.1 != id);
        self.with_transaction(|tx, _| {
            tx.execute("DELETE FROM key_versions WHERE partition = ?1 AND id = ?2", [partition, id])?;
            require_found(tx.execute("DELETE FROM external_keys WHERE partition = ?1 AND id = ?2", [partition, id])?)
        })
    }

    pub fn set_usage(&mut self, partition: &str, id: &str, usage: &[String]) -> Result<(), KeyManagerError> {
        let sql = "UPDATE external_keys SET usage = ?3 WHERE partition = ?1 AND id = ?2";
        self.with_transaction(|tx, _| require_found(tx.execute(sql, params![partition, id, usage.join(" ")])?))
    }

    pub fn set_callers(&mut self, partition: &str, id: &str, callers: &[String]) -> Result<(), KeyManagerError> {
        let sql = "UPDATE external_keys SET callers = ?3 WHERE partition = ?1 AND id = ?2";
        self.with_transaction(|tx, _| require_found(tx.execute(sql, params![partition, id, callers.join("\n")])?))
    }

    pub fn rotate(&mut self, partition: &str, id: &str, random: &Random) -> Result<u32, KeyManagerError> {
        self.with_transaction(|tx, root_key| {
            let sql = "UPDATE external_keys SET version = version + 1 WHERE partition = ?1 AND id = ?2
                RETURNING version, spec";
            let rotated = tx.query_row(sql, [partition, id], |row| Ok((row.get(0)?, row.get(1)?)));
            let (version, spec): (u32, String) = rotated.optional()?.ok_or(KeyManagerError::KeyNotFound)?;
            add_version(tx, root_key, (partition, id), version, &spec, random)?;
            Ok(version)
        })
    }

    /// Returns the key material of a version, or `None` if the version doesn't exist or its key doesn't have 256 bits.
    pub fn material(
        &mut self,
        partition: &str,
        id: &str,
        version: u32,
    ) -> Result<Option<Arc<KeyMaterial>>, KeyManagerError> {
        let name = ((partition.to_owned(), id.to_owned()), version);
        if let Some(material) = self.cache.materials.get(&name) {
            return Ok(Some(Arc::clone(material)));
        }
        let sql = "SELECT sealed FROM key_versions WHERE partition = ?1 AND id = ?2 AND version = ?3";
        let found = self.connection.query_row(sql, params![partition, id, version], |row| row.get(0));
        let Some(sealed): Option<Vec<u8>> = found.optional()? else { return Ok(None) };
        let key = self.root_key.open(&version_aad(partition, id, version), &sealed)?;
        let material = KeyMaterial::new(version, &key).map(Arc::new);
        if let Some(material) = &material {
            self.cache.materials.insert(name, Arc::clone(material));
        }
        Ok(material)
    }

    /// Counts one encryption against the reserved ones, and reserves another block on disk first if none is left.
    pub fn count_encryption(&mut self, partition: &str, id: &str, version: u32) -> Result<(), KeyManagerError> {
        let name = ((partition.to_owned(), id.to_owned()), version);
        let mut remaining = self.reserved_encryptions.get(&name).copied().unwrap_or(0);
        if remaining == 0 {
            self.connection.busy_timeout(SHORT_BUSY_TIMEOUT)?;
            let reserved = self.reserve_encryptions(partition, id, version);
            self.connection.busy_timeout(BUSY_TIMEOUT)?;
            remaining = reserved?;
        }
        self.reserved_encryptions.insert(name, remaining - 1);
        Ok(())
    }

    fn reserve_encryptions(&mut self, partition: &str, id: &str, version: u32) -> Result<u64, KeyManagerError> {
        let tx = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sql = "SELECT encryptions FROM key_versions WHERE partition = ?1 AND id = ?2 AND version = ?3";
        let used: i64 = tx.query_row(sql, params![partition, id, version], |row| row.get(0))?;
        let block = ENCRYPTION_BLOCK.min(MAX_ENCRYPTIONS.saturating_sub(used.unsigned_abs()));
        if block == 0 {
            return Err(KeyManagerError::Exhausted(version));
        }
        let sql = "UPDATE key_versions SET encryptions = encryptions + ?4
            WHERE partition = ?1 AND id = ?2 AND version = ?3";
        tx.execute(sql, params![partition, id, version, block.cast_signed()])?;
        tx.commit()?;
        self.cache.keys.remove(&(partition.to_owned(), id.to_owned()));
        Ok(block)
    }

    /// Sets the encryption count of an external key, for tests.
    #[cfg(test)]
    pub fn mark_used(&mut self, partition: &str, id: &str, encryptions: u64) {
        self.reserved_encryptions.clear();
        let sql = "UPDATE key_versions SET encryptions = ?3 WHERE partition = ?1 AND id = ?2";
        self.with_transaction(|tx, _| Ok(tx.execute(sql, params![partition, id, encryptions.cast_signed()])?)).unwrap();
    }
}

fn version_aad(partition: &str, id: &str, version: u32) -> Vec<u8> {
    record_aad(&["key_versions", partition, id, &version.to_string()])
}

fn require_found(changed: usize) -> Result<(), KeyManagerError> {
    if changed == 0 { Err(KeyManagerError::KeyNotFound) } else { Ok(()) }
}

pub(super) fn add_key(
    tx: &Transaction<'_>,
    root_key: &RootKey,
    partition: &str,
    key: &NewExternalKey,
    random: &Random,
) -> Result<(), KeyManagerError> {
    let NewExternalKey { id, manager_id, spec, usage, enabled, callers } = key;
    let result = tx.execute(
        "INSERT INTO external_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7)",
        params![partition, id, manager_id, spec, usage.join(" "), enabled, callers.join("\n")],
    );
    check_insert(result, "the external key", id)?;
    add_version(tx, root_key, (partition, id), 1, spec, random)
}

fn add_version(
    tx: &Transaction<'_>,
    root_key: &RootKey,
    (partition, id): (&str, &str),
    version: u32,
    spec: &str,
    random: &Random,
) -> Result<(), KeyManagerError> {
    let length = key_length(spec).ok_or_else(|| KeyManagerError::Invalid {
        what: "the key spec",
        value: spec.to_owned(),
        rule: "it must be AES_256 or AES_128",
    })?;
    let mut key = Zeroizing::new(vec![0; length]);
    random.fill(&mut key)?;
    let sealed = root_key.seal(&version_aad(partition, id, version), &key, random)?;
    let sql = "INSERT INTO key_versions VALUES (?1, ?2, ?3, ?4, 0)";
    tx.execute(sql, params![partition, id, version, sealed])?;
    Ok(())
}
