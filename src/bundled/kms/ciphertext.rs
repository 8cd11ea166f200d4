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

use sha2::{Digest as _, Sha256};

use crate::aws::kms::EncryptionContext;
use crate::xks::client::ExternalCiphertext;

const MAGIC: &[u8; 4] = b"XKSC";
const FORMAT_VERSION: u8 = 1;
/// The length of the salt that each message key is derived from, in bytes.
pub const SALT_LENGTH: usize = 16;
/// The length of the first layer's initialization vector, in bytes.
pub const IV_LENGTH: usize = 12;

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
    /// Only the first layer.
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

    /// Returns the additional authenticated data that is sent to the proxy.
    pub fn outer_aad(&self, context: &EncryptionContext) -> Vec<u8> {
        Sha256::digest(self.inner_aad(context)).to_vec()
    }
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

/// Decodes a blob. Returns `None` if it is malformed or has trailing bytes.
pub fn decode(blob: &[u8]) -> Option<(Header, Body)> {
    let rest = blob.strip_prefix(MAGIC)?;
    let (&[format, kind], mut rest) = rest.split_first_chunk()?;
    if format != FORMAT_VERSION || kind > 1 {
        return None;
    }
    let mut field = || -> Option<&[u8]> {
        let (length, tail) = rest.split_first_chunk()?;
        let (field, tail) = tail.split_at_checked(u16::from_be_bytes(*length).into())?;
        rest = tail;
        Some(field)
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let header = Header {
        is_external: kind == 1,
        key_arn: text(field()?)?,
        material_id: text(field()?)?,
        salt: field()?.try_into().ok()?,
        iv: field()?.try_into().ok()?,
    };
    let body = if header.is_external {
        Body::Double(ExternalCiphertext {
            initialization_vector: field()?.to_vec(),
            authentication_tag: field()?.to_vec(),
            ciphertext_metadata: field()?.to_vec(),
            ciphertext: field()?.to_vec(),
        })
    } else {
        Body::Single(field()?.to_vec())
    };
    rest.is_empty().then_some((header, body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(is_external: bool) -> Header {
        Header {
            is_external,
            key_arn: "arn:aws:kms:us-west-2:111122223333:key/k".to_owned(),
            material_id: "m".to_owned(),
            salt: [7; SALT_LENGTH],
            iv: [9; IV_LENGTH],
        }
    }

    proptest! {
        #[test]
        fn ciphertext_blob_round_trips(ciphertext: Vec<u8>, metadata in prop::collection::vec(any::<u8>(), 0..20)) {
            let external = ExternalCiphertext {
                initialization_vector: vec![1; 12],
                authentication_tag: vec![2; 16],
                ciphertext_metadata: metadata,
                ciphertext: ciphertext.clone(),
            };
            for (header, body) in [(header(true), Body::Double(external)), (header(false), Body::Single(ciphertext))] {
                let blob = encode(&header, &body);
                prop_assert_eq!(decode(&blob[..blob.len() - 1]), None);
                prop_assert_eq!(decode(&[blob.as_slice(), &[0]].concat()), None);
                prop_assert_eq!(decode(&blob), Some((header, body)));
            }
        }

        #[test]
        fn decode_never_panics_on_arbitrary_bytes(blob: Vec<u8>) {
            let _ = decode(&blob);
        }
    }

    #[test]
    fn aad_differs_for_contexts_with_the_same_concatenation() {
        let context = |key: &str, value: &str| EncryptionContext::from([(key.to_owned(), value.to_owned())]);
        assert_ne!(header(true).inner_aad(&context("a", "bc")), header(true).inner_aad(&context("ab", "c")));
    }
}
