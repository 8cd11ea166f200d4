//! Encryption and decryption with an external key: AES-256-GCM with the additional authenticated data of the
//! specification.

use std::fmt;

use aes_gcm::aead::array::typenum::U16;
use aes_gcm::aes::Aes256;
use aes_gcm::{AeadInOut as _, Aes256Gcm, AesGcm, Key, KeyInit as _, Nonce, Tag};
use zeroize::Zeroizing;

use super::error::KeyManagerError;
use crate::aws::scalar::SecretBlob;
use crate::environment::Random;
use crate::xks::wire::{MAX_CIPHERTEXT_METADATA, TAG_LENGTH};

/// The first byte of `ciphertextMetadata`, which identifies how the AAD is constructed. The key version follows.
const AAD_CONSTRUCTION: u8 = 1;

/// The result of an encryption, which is required for decryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CiphertextParts {
    /// The ciphertext, which has the same length as the plaintext.
    pub ciphertext: Vec<u8>,
    /// The initialization vector: 12 bytes for new ciphertexts. 16 bytes are also accepted.
    pub initialization_vector: Vec<u8>,
    /// The authentication tag: 16 bytes.
    pub authentication_tag: Vec<u8>,
    /// The AAD construction, and the version of the external key that encrypted the data.
    pub ciphertext_metadata: Vec<u8>,
}

/// The 256-bit key of one version of an external key. It is zeroed when dropped and hidden from `Debug`.
pub struct KeyMaterial {
    version: u32,
    key: Zeroizing<[u8; 32]>,
    cipher: Aes256Gcm,
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyMaterial(version {})", self.version)
    }
}

impl KeyMaterial {
    /// Prepares `key` for use, or returns `None` if it doesn't have 256 bits.
    pub fn new(version: u32, key: &[u8]) -> Option<Self> {
        let key = Zeroizing::new(<[u8; 32]>::try_from(key).ok()?);
        let cipher = Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&*key));
        Some(Self { version, key, cipher })
    }

    /// Returns the key, for tests that it never occurs elsewhere.
    #[cfg(test)]
    pub fn expose(&self) -> [u8; 32] {
        *self.key
    }

    /// Encrypts with a random 96-bit IV. The caller must have counted the encryption.
    pub fn encrypt(&self, aad: &[u8], plaintext: &[u8], random: &Random) -> Result<CiphertextParts, KeyManagerError> {
        let metadata = encode_metadata(self.version);
        let aad = length_prefixed_aad(aad, &metadata)?;
        let iv: [u8; 12] = random.bytes()?;
        let mut bytes = Zeroizing::new(plaintext.to_vec());
        let tag = self
            .cipher
            .encrypt_inout_detached(&Nonce::from(iv), &aad, bytes.as_mut_slice().into())
            .map_err(|_| KeyManagerError::TooLong)?;
        Ok(CiphertextParts {
            ciphertext: bytes.to_vec(),
            initialization_vector: iv.to_vec(),
            authentication_tag: tag.to_vec(),
            ciphertext_metadata: metadata.to_vec(),
        })
    }

    /// Decrypts a result of [`KeyMaterial::encrypt`].
    pub fn decrypt(&self, aad: &[u8], parts: &CiphertextParts) -> Result<SecretBlob, KeyManagerError> {
        let aad = length_prefixed_aad(aad, &parts.ciphertext_metadata)?;
        let tag = <[u8; TAG_LENGTH]>::try_from(parts.authentication_tag.as_slice())
            .map(Tag::from)
            .map_err(|_| KeyManagerError::InvalidCiphertext)?;
        let mut bytes = Zeroizing::new(parts.ciphertext.clone());
        let buffer = bytes.as_mut_slice().into();
        let iv = parts.initialization_vector.as_slice();
        let result = if let Ok(iv) = <[u8; 12]>::try_from(iv) {
            self.cipher.decrypt_inout_detached(&Nonce::from(iv), &aad, buffer, &tag)
        } else if let Ok(iv) = <[u8; 16]>::try_from(iv) {
            let cipher = AesGcm::<Aes256, U16>::new(<&Key<Aes256Gcm>>::from(&*self.key));
            cipher.decrypt_inout_detached(&Nonce::from(iv), &aad, buffer, &tag)
        } else {
            return Err(KeyManagerError::InvalidCiphertext);
        };
        result.map_err(|_| KeyManagerError::InvalidCiphertext)?;
        Ok(SecretBlob::new(std::mem::take(&mut *bytes)))
    }
}

/// Returns the `ciphertextMetadata` of a key version.
fn encode_metadata(version: u32) -> [u8; 5] {
    let [a, b, c, d] = version.to_be_bytes();
    [AAD_CONSTRUCTION, a, b, c, d]
}

/// Returns the key version in `ciphertextMetadata`, or `None` if this key manager didn't create it.
pub fn version_from_metadata(metadata: &[u8]) -> Option<u32> {
    let [AAD_CONSTRUCTION, version @ ..] = metadata else { return None };
    <[u8; 4]>::try_from(version).ok().map(u32::from_be_bytes)
}

/// Constructs the additional authenticated data for AES-GCM. Both parts have a length prefix, so that no byte can move
/// from one to the other. Source: *Encrypt* in the XKS proxy API specification.
fn length_prefixed_aad(aad: &[u8], metadata: &[u8]) -> Result<Vec<u8>, KeyManagerError> {
    let aad_length = u16::try_from(aad.len()).map_err(|_| KeyManagerError::TooLong)?;
    if metadata.len() > MAX_CIPHERTEXT_METADATA {
        return Err(KeyManagerError::InvalidCiphertext);
    }
    let metadata_length = u8::try_from(metadata.len()).map_err(|_| KeyManagerError::InvalidCiphertext)?;
    let mut bound = Vec::with_capacity(3 + aad.len() + metadata.len());
    bound.extend_from_slice(&aad_length.to_be_bytes());
    bound.extend_from_slice(aad);
    bound.push(metadata_length);
    bound.extend_from_slice(metadata);
    Ok(bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn material() -> KeyMaterial {
        KeyMaterial::new(7, &[3; 32]).unwrap()
    }

    #[test]
    fn key_material_must_have_256_bits() {
        for length in [0, 16, 24, 31, 33] {
            assert!(KeyMaterial::new(1, &vec![0; length]).is_none(), "{length}");
        }
    }

    #[test]
    fn authenticated_data_includes_both_lengths() {
        assert_eq!(length_prefixed_aad(b"", b"").unwrap(), [0, 0, 0]);
        assert_eq!(length_prefixed_aad(b"ab", b"c").unwrap(), [0, 2, b'a', b'b', 1, b'c']);
        assert!(matches!(length_prefixed_aad(&vec![0; 65_536], b""), Err(KeyManagerError::TooLong)));
        assert!(length_prefixed_aad(&vec![0; 65_535], &[0; 20]).is_ok());
        assert!(matches!(length_prefixed_aad(b"", &[0; 21]), Err(KeyManagerError::InvalidCiphertext)));
    }

    #[test]
    fn decrypt_rejects_any_flipped_bit() {
        let parts = material().encrypt(b"aad", b"plaintext", &Random::system()).unwrap();
        let fields: [fn(&mut CiphertextParts) -> &mut Vec<u8>; 4] = [
            |p| &mut p.ciphertext,
            |p| &mut p.initialization_vector,
            |p| &mut p.authentication_tag,
            |p| &mut p.ciphertext_metadata,
        ];
        for (number, field) in fields.into_iter().enumerate() {
            for bit in 0..field(&mut parts.clone()).len() * 8 {
                let mut changed = parts.clone();
                field(&mut changed)[bit / 8] ^= 1 << (bit % 8);
                let result = material().decrypt(b"aad", &changed);
                assert!(matches!(result, Err(KeyManagerError::InvalidCiphertext)), "field {number}, bit {bit}");
            }
        }
        assert!(material().decrypt(b"Aad", &parts).is_err());
        assert!(material().decrypt(b"", &parts).is_err());
    }

    #[test]
    fn decrypt_accepts_16_byte_iv() {
        let iv = [9; 16];
        let metadata = encode_metadata(7).to_vec();
        let mut bytes = b"plaintext".to_vec();
        let cipher = AesGcm::<Aes256, U16>::new(&[3; 32].into());
        let aad = length_prefixed_aad(b"aad", &metadata).unwrap();
        let tag = cipher.encrypt_inout_detached(&iv.into(), &aad, bytes.as_mut_slice().into()).unwrap();
        let mut parts = CiphertextParts {
            ciphertext: bytes,
            initialization_vector: iv.to_vec(),
            authentication_tag: tag.to_vec(),
            ciphertext_metadata: metadata,
        };
        assert_eq!(material().decrypt(b"aad", &parts).unwrap().expose(), b"plaintext");
        parts.initialization_vector.pop();
        assert!(matches!(material().decrypt(b"aad", &parts), Err(KeyManagerError::InvalidCiphertext)));
    }

    #[test]
    fn decrypt_rejects_tag_extended_with_ciphertext() {
        let mut parts = material().encrypt(b"", b"plaintext", &Random::system()).unwrap();
        let last = parts.ciphertext.pop().unwrap();
        parts.authentication_tag.insert(0, last);
        assert!(matches!(material().decrypt(b"", &parts), Err(KeyManagerError::InvalidCiphertext)));
    }

    #[test]
    fn debug_output_hides_the_key() {
        assert_eq!(format!("{:?}", material()), "KeyMaterial(version 7)");
    }

    proptest! {
        #[test]
        fn encrypted_plaintext_round_trips(aad: Vec<u8>, plaintext: Vec<u8>) {
            let parts = material().encrypt(&aad, &plaintext, &Random::system()).unwrap();
            prop_assert_eq!(parts.ciphertext.len(), plaintext.len());
            prop_assert_eq!(version_from_metadata(&parts.ciphertext_metadata), Some(7));
            let decrypted = material().decrypt(&aad, &parts).unwrap();
            prop_assert_eq!(decrypted.expose(), plaintext.as_slice());
        }
    }
}
