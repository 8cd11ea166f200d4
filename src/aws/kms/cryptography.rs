//! Cryptographic operations: encrypt, decrypt, re-encrypt, data keys, random bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::scalar::{Blob, SecretBlob, null_as_default};

/// Names and values bound into a ciphertext, none of them secret.
pub type EncryptionContext = BTreeMap<String, String>;

/// Who alone shall be able to read the answer: an enclave that proves what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Recipient {
    /// `RSAES_OAEP_SHA_256`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_encryption_algorithm: Option<String>,
    /// What AWS Nitro has signed, with the public key of the enclave; 1 to 262,144 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestation_document: Option<Blob>,
}

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
    /// Tokens of grants that allow this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
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
    /// What Encrypt or GenerateDataKey gave. Empty is absent, which only a dry run without a ciphertext can be.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Blob::is_empty")]
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
    /// Tokens of grants that allow this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
    /// Checks permission without doing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// `IGNORE_CIPHERTEXT`: a dry run asks for permissions alone, without a ciphertext.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run_modifiers: Option<Vec<String>>,
    /// Who alone shall be able to read the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
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
    /// Tokens of grants that allow this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
    /// Checks permission without doing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Who alone shall be able to read the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
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

/// The request of GenerateDataKeyWithoutPlaintext: that of GenerateDataKey, for a data key that is needed later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GenerateDataKeyWithoutPlaintext(pub GenerateDataKey);

/// What GenerateDataKeyWithoutPlaintext answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateDataKeyWithoutPlaintextOutput {
    /// The data key, encrypted under the KMS key.
    pub ciphertext_blob: Blob,
    /// The key ARN.
    pub key_id: String,
    /// The key material of an `AWS_KMS` key; absent for a key in an external key store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_material_id: Option<String>,
}

/// The request of ReEncrypt: decrypts and encrypts anew inside KMS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReEncrypt {
    /// What Encrypt or GenerateDataKey gave. Empty is absent, which only a dry run without a ciphertext can be.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "Blob::is_empty")]
    pub ciphertext_blob: Blob,
    /// The very context of the encryption.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_encryption_context: Option<EncryptionContext>,
    /// When given, decrypts only under this key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_key_id: Option<String>,
    /// Key ID, key ARN, alias name or alias ARN.
    pub destination_key_id: String,
    /// What decryption must name from now on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_encryption_context: Option<EncryptionContext>,
    /// `SYMMETRIC_DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_encryption_algorithm: Option<String>,
    /// `SYMMETRIC_DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_encryption_algorithm: Option<String>,
    /// Tokens of grants that allow this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
    /// Checks permission without doing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// `IGNORE_CIPHERTEXT`: a dry run asks for permissions alone, without a ciphertext.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run_modifiers: Option<Vec<String>>,
}

/// What ReEncrypt answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReEncryptOutput {
    /// Encrypted under the destination key.
    pub ciphertext_blob: Blob,
    /// The ARN of the key it was encrypted under.
    pub source_key_id: String,
    /// The ARN of the destination key.
    pub key_id: String,
    /// `SYMMETRIC_DEFAULT`.
    pub source_encryption_algorithm: String,
    /// `SYMMETRIC_DEFAULT`.
    pub destination_encryption_algorithm: String,
    /// The key material of an `AWS_KMS` key; absent for a key in an external key store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_key_material_id: Option<String>,
    /// The key material of an `AWS_KMS` key; absent for a key in an external key store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_key_material_id: Option<String>,
}

/// The request of GenerateRandom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateRandom {
    /// 1 to 1,024.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_bytes: Option<u32>,
    /// The CloudHSM key store whose hardware makes them; external key stores can't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// Who alone shall be able to read the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Recipient>,
}

/// What GenerateRandom answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GenerateRandomOutput {
    /// The random bytes.
    pub plaintext: SecretBlob,
}
