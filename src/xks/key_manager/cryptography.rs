//! Encryption and decryption with external keys, and the health check.

use super::error::KeyManagerError;
use super::external_key::{MAX_AAD, MAX_PLAINTEXT};
use super::material::{CiphertextParts, version_from_metadata};
use super::{ExternalKeyManager, store};
use crate::aws::scalar::SecretBlob;

impl ExternalKeyManager {
    /// Encrypts with the current key version. If `verify` is given, also decrypts the result before returning it.
    /// `verify` is called with the result first, because the integrity value must be computed before the check, not
    /// after it.
    pub(in crate::xks) fn encrypt<T>(
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
    pub(in crate::xks) fn decrypt(
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

    /// Returns the key material of a version, for tests that it never occurs elsewhere.
    #[cfg(test)]
    pub(crate) fn key_material(&self, partition: &str, id: &str, version: u32) -> Option<[u8; 32]> {
        self.store().material(partition, id, version).ok().flatten().map(|material| material.expose())
    }

    /// Checks the health by encrypting and decrypting with a dedicated key.
    pub(in crate::xks) fn check_health(&self) -> Result<(), KeyManagerError> {
        let sample: [u8; 32] = self.0.random.bytes()?;
        let (partition, id) = store::HEALTH_CHECK_KEY;
        self.encrypt(partition, id, &sample, b"health", Some(|_: &CiphertextParts| ())).map(|_| ())
    }
}
