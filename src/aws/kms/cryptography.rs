//! Cryptographic operations: encrypt, decrypt, re-encrypt, data keys, and random bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::scalar::{Blob, SecretBlob, null_as_default};

/// An encryption context: nonsecret key-value pairs that are bound to a ciphertext.
pub type EncryptionContext = BTreeMap<String, String>;

/// The recipient of an encrypted response: an AWS Nitro enclave with a signed attestation document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Recipient {
    /// The encryption algorithm that KMS should use with the public key: `RSAES_OAEP_SHA_256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_encryption_algorithm: Option<String>,
    /// The signed attestation document, which includes the enclave's public key: 1 to 262,144 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation_document: Option<Blob>,
}

/// An `Encrypt` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Encrypt {
    /// The key ID, key ARN, alias name, or alias ARN.
    pub key_id: String,
    /// The data to encrypt: 1 to 4,096 bytes.
    pub plaintext: SecretBlob,
    /// The encryption context. The same one is required to decrypt the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context: Option<EncryptionContext>,
    /// The encryption algorithm: `SYMMETRIC_DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_algorithm: Option<String>,
    /// Grant tokens for grants that might not be eventually consistent yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
    /// Whether to check only for permission to make the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// An `Encrypt` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EncryptOutput {
    /// The encrypted data, an opaque blob of up to 6,144 bytes.
    pub ciphertext_blob: Blob,
    /// The ARN of the KMS key.
    pub key_id: String,
    /// The encryption algorithm: `SYMMETRIC_DEFAULT`.
    pub encryption_algorithm: String,
}

/// A `Decrypt` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Decrypt {
    /// The ciphertext to decrypt. It can be empty (absent) only in a dry run with `IGNORE_CIPHERTEXT`.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Blob::is_empty")]
    pub ciphertext_blob: Blob,
    /// The encryption context that was used to encrypt the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context: Option<EncryptionContext>,
    /// The KMS key to decrypt with. The request fails if the data was encrypted under a different key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The encryption algorithm: `SYMMETRIC_DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_algorithm: Option<String>,
    /// Grant tokens for grants that might not be eventually consistent yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
    /// Whether to check only for permission to make the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The dry run modifiers. `IGNORE_CIPHERTEXT` checks permissions without a ciphertext.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run_modifiers: Option<Vec<String>>,
    /// The enclave to encrypt the plaintext for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
}

/// A `Decrypt` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DecryptOutput {
    /// The ARN of the KMS key.
    pub key_id: String,
    /// The decrypted data: 1 to 4,096 bytes.
    pub plaintext: SecretBlob,
    /// The encryption algorithm: `SYMMETRIC_DEFAULT`.
    pub encryption_algorithm: String,
    /// The ID of the key material. Present only for KMS keys with the origin `AWS_KMS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
}

/// A `GenerateDataKey` request. It must specify either `key_spec` or `number_of_bytes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKey {
    /// The key ID, key ARN, alias name, or alias ARN.
    pub key_id: String,
    /// The encryption context. The same one is required to decrypt the data key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_context: Option<EncryptionContext>,
    /// The length of the data key in bytes: 1 to 1,024.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_bytes: Option<u32>,
    /// The length of the data key: `AES_256` or `AES_128`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_spec: Option<String>,
    /// Grant tokens for grants that might not be eventually consistent yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
    /// Whether to check only for permission to make the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The enclave to encrypt the plaintext data key for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
}

/// A `GenerateDataKey` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyOutput {
    /// The data key, encrypted under the KMS key.
    pub ciphertext_blob: Blob,
    /// The plaintext data key.
    pub plaintext: SecretBlob,
    /// The ARN of the KMS key.
    pub key_id: String,
    /// The ID of the key material. Present only for KMS keys with the origin `AWS_KMS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
}

/// A `GenerateDataKeyWithoutPlaintext` request, with the members of `GenerateDataKey`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GenerateDataKeyWithoutPlaintext(pub GenerateDataKey);

/// A `GenerateDataKeyWithoutPlaintext` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyWithoutPlaintextOutput {
    /// The data key, encrypted under the KMS key.
    pub ciphertext_blob: Blob,
    /// The ARN of the KMS key.
    pub key_id: String,
    /// The ID of the key material. Present only for KMS keys with the origin `AWS_KMS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
}

/// A `ReEncrypt` request, which decrypts a ciphertext and then reencrypts it entirely within KMS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReEncrypt {
    /// The ciphertext to reencrypt. It can be empty (absent) only in a dry run with `IGNORE_CIPHERTEXT`.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Blob::is_empty")]
    pub ciphertext_blob: Blob,
    /// The encryption context that was used to encrypt the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_encryption_context: Option<EncryptionContext>,
    /// The KMS key to decrypt with. The request fails if the data was encrypted under a different key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_key_id: Option<String>,
    /// The key ID, key ARN, alias name, or alias ARN of the KMS key to reencrypt with.
    pub destination_key_id: String,
    /// The encryption context for the reencryption. The same one is required to decrypt the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_encryption_context: Option<EncryptionContext>,
    /// The encryption algorithm to decrypt with: `SYMMETRIC_DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_encryption_algorithm: Option<String>,
    /// The encryption algorithm to reencrypt with: `SYMMETRIC_DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_encryption_algorithm: Option<String>,
    /// Grant tokens for grants that might not be eventually consistent yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
    /// Whether to check only for permission to make the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The dry run modifiers. `IGNORE_CIPHERTEXT` checks permissions without a ciphertext.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run_modifiers: Option<Vec<String>>,
}

/// A `ReEncrypt` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReEncryptOutput {
    /// The reencrypted data.
    pub ciphertext_blob: Blob,
    /// The ARN of the KMS key that was used to decrypt the data.
    pub source_key_id: String,
    /// The ARN of the KMS key that was used to reencrypt the data.
    pub key_id: String,
    /// The encryption algorithm that was used to decrypt: `SYMMETRIC_DEFAULT`.
    pub source_encryption_algorithm: String,
    /// The encryption algorithm that was used to reencrypt: `SYMMETRIC_DEFAULT`.
    pub destination_encryption_algorithm: String,
    /// The ID of the source key material. Present only for KMS keys with the origin `AWS_KMS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_key_material_id: Option<String>,
    /// The ID of the destination key material. Present only for KMS keys with the origin `AWS_KMS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_key_material_id: Option<String>,
}

/// A `GenerateRandom` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateRandom {
    /// The length of the random byte string: 1 to 1,024.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_bytes: Option<u32>,
    /// The CloudHSM key store that generates the bytes. External key stores aren't supported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// The enclave to encrypt the random byte string for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
}

/// A `GenerateRandom` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateRandomOutput {
    /// The random byte string.
    pub plaintext: SecretBlob,
}
