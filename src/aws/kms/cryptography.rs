//! Cryptographic operations: encrypt, decrypt, data keys.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::scalar::{Blob, SecretBlob};

/// Names and values bound into a ciphertext, none of them secret.
pub type EncryptionContext = BTreeMap<String, String>;

/// The request of Encrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Encrypt {
    /// Key ID, key ARN, alias name or alias ARN.
    pub key_id: String,
    /// 1 to 4,096 bytes.
    pub plaintext: SecretBlob,
    /// What decryption must name again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context: Option<EncryptionContext>,
    /// `SYMMETRIC_DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_algorithm: Option<String>,
    /// Checks permission without doing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// What Encrypt answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EncryptOutput {
    /// Opaque; at most 6,144 bytes.
    pub ciphertext_blob: Blob,
    /// The key ARN.
    pub key_id: String,
    /// `SYMMETRIC_DEFAULT`.
    pub encryption_algorithm: String,
}

/// The request of Decrypt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Decrypt {
    /// What Encrypt or GenerateDataKey gave.
    pub ciphertext_blob: Blob,
    /// The very context of the encryption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context: Option<EncryptionContext>,
    /// When given, decrypts only under this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// `SYMMETRIC_DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_algorithm: Option<String>,
    /// Checks permission without doing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// What Decrypt answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecryptOutput {
    /// The key ARN.
    pub key_id: String,
    /// 1 to 4,096 bytes.
    pub plaintext: SecretBlob,
    /// `SYMMETRIC_DEFAULT`.
    pub encryption_algorithm: String,
    /// The key material of an `AWS_KMS` key; absent for a key in an external key store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
}

/// The request of GenerateDataKey: either `key_spec` or `number_of_bytes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKey {
    /// Key ID, key ARN, alias name or alias ARN.
    pub key_id: String,
    /// What decryption must name again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context: Option<EncryptionContext>,
    /// 1 to 1,024.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_bytes: Option<u32>,
    /// `AES_256` or `AES_128`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_spec: Option<String>,
    /// Checks permission without doing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// What GenerateDataKey answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyOutput {
    /// The data key, encrypted under the KMS key.
    pub ciphertext_blob: Blob,
    /// The data key itself.
    pub plaintext: SecretBlob,
    /// The key ARN.
    pub key_id: String,
    /// The key material of an `AWS_KMS` key; absent for a key in an external key store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
}
