//! External keys: their parameters, states, and limits, without the key material.

use super::error::KeyManagerError;
use crate::xks::wire::AES_256;

/// The maximum number of encryptions with one key version and random 96-bit IVs. Source: NIST SP 800-38D, 8.3.
pub const MAX_ENCRYPTIONS: u64 = 1 << 32;
/// The maximum size of a plaintext in bytes, which every proxy must support.
pub const MAX_PLAINTEXT: usize = 4300;
/// The maximum size of the additional authenticated data in bytes, limited by its 16-bit length prefix.
pub const MAX_AAD: usize = 65_535;

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
    pub(super) fn check_allows(&self, usage: &'static str) -> Result<(), KeyManagerError> {
        if !self.enabled {
            Err(KeyManagerError::KeyDisabled)
        } else if self.spec != AES_256 || !self.usage.iter().any(|allowed| allowed == usage) {
            Err(KeyManagerError::KeyUsage(usage))
        } else {
            Ok(())
        }
    }
}

/// Whether `id` is a valid external key ID.
pub(super) fn is_valid_key_id(id: &str) -> bool {
    (1..=128).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// Returns the length of the key material in bytes for a key spec.
pub(super) fn key_length(spec: &str) -> Option<usize> {
    match spec {
        AES_256 => Some(32),
        "AES_128" => Some(16),
        _ => None,
    }
}

pub(super) fn check_usage(usage: &[String]) -> Result<(), KeyManagerError> {
    let is_valid = |usage: &String| !usage.is_empty() && usage.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    if usage.len() <= 10 && usage.iter().all(is_valid) {
        return Ok(());
    }
    Err(KeyManagerError::Invalid {
        what: "the key usage",
        value: usage.join(", "),
        rule: "it must have up to ten uppercase words, such as ENCRYPT and DECRYPT",
    })
}
