//! The format of `CiphertextBlob`, which Encrypt returns and Decrypt parses.
//!
//! ```text
//! "XKSC"  format 1 (1 byte)  kind (1 byte: 0 = AWS_KMS, 1 = EXTERNAL_KEY_STORE)
//! key ARN, key material ID, salt (16), first IV (12)                       ← known before the first layer is encrypted
//! kind 0: first layer's ciphertext and tag
//! kind 1: the proxy's IV, tag, ciphertextMetadata, ciphertext              ← the second layer around the first
//! ```
//!
//! Each field after the kind is preceded by its length (two bytes, big-endian). The additional authenticated data of
//! the first layer is everything that is known before it, followed by the encryption context sorted by key, with each
//! key and value preceded by its length (four bytes). The proxy gets the SHA-256 digest of that data, which is always
//! shorter than the limit of 8,192 bytes.

mod fields;
mod parse;

use sha2::{Digest as _, Sha256};

pub use fields::{FieldRow, Layer};
pub use parse::{Field, FieldPart, FieldRange, ParseError, ParseErrorKind, ParsedBlob, parse};

use crate::aws::kms::EncryptionContext;
use crate::xks::client::ExternalCiphertext;

/// The bytes that each blob begins with.
pub const MAGIC: &[u8; 4] = b"XKSC";
/// The version of the format.
pub const FORMAT_VERSION: u8 = 1;
/// The length of the salt that each message key is derived from, in bytes.
pub const SALT_LENGTH: usize = 16;
/// The length of the first layer's initialization vector, in bytes.
pub const IV_LENGTH: usize = 12;
/// The length of the first layer's authentication tag, which follows its ciphertext, in bytes.
pub const TAG_LENGTH: usize = 16;

/// The fields that are known before the first layer is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whether there is a second layer around the first.
    pub is_external: bool,
    /// The ARN of the KMS key.
    pub key_arn: String,
    /// The ID of the KMS key's key material.
    pub material_id: String,
    /// The salt that the message key is derived from.
    pub salt: [u8; SALT_LENGTH],
    /// The first layer's initialization vector.
    pub iv: [u8; IV_LENGTH],
}

/// The fields after the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Only the first layer: the ciphertext and the tag.
    Single(Vec<u8>),
    /// The second layer, which contains the first.
    Double(ExternalCiphertext),
}

fn put_field(out: &mut Vec<u8>, field: &[u8]) {
    // No field is close to 65,535 bytes long: the longest is a ciphertext of 4,112 bytes.
    let length = u16::try_from(field.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend(field);
}

/// The initial capacity for a blob, in bytes. It is enough for an encrypted data key.
const INITIAL_CAPACITY: usize = 512;

impl Header {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(INITIAL_CAPACITY);
        out.extend(MAGIC);
        out.extend([FORMAT_VERSION, u8::from(self.is_external)]);
        for field in [self.key_arn.as_bytes(), self.material_id.as_bytes(), &self.salt, &self.iv] {
            put_field(&mut out, field);
        }
        out
    }

    /// Returns the additional authenticated data of the first layer.
    pub fn inner_aad(&self, context: &EncryptionContext) -> Vec<u8> {
        let mut aad = self.to_bytes();
        for (key, value) in context {
            for text in [key, value] {
                aad.extend(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
                aad.extend(text.as_bytes());
            }
        }
        aad
    }
}

/// Returns the additional authenticated data that is sent to the proxy, for that of the first layer.
pub fn outer_aad(inner_aad: &[u8]) -> Vec<u8> {
    Sha256::digest(inner_aad).to_vec()
}

/// Encodes a blob.
pub fn encode(header: &Header, body: &Body) -> Vec<u8> {
    let mut out = header.to_bytes();
    match body {
        Body::Single(ciphertext) => put_field(&mut out, ciphertext),
        Body::Double(external) => {
            for field in [
                &external.initialization_vector,
                &external.authentication_tag,
                &external.ciphertext_metadata,
                &external.ciphertext,
            ] {
                put_field(&mut out, field);
            }
        }
    }
    out
}

/// Decodes a blob.
///
/// # Errors
/// [`ParseError`] if the blob is malformed or has trailing bytes.
pub fn decode(blob: &[u8]) -> Result<(Header, Body), ParseError> {
    parse(blob).map(|parsed| (parsed.header, parsed.body))
}

#[cfg(test)]
mod tests;
