//! The file format of snapshots: a header, and an archive that is encrypted under a key derived from a passphrase.
//!
//! | Bytes | Contents |
//! | --- | --- |
//! | 8 | `XKSSNAP\n` |
//! | 4 | The version of the format |
//! | 12 | The parameters of Argon2id: memory in KiB, iterations, lanes |
//! | 16 | The salt |
//! | 12 | The nonce of AES-256-GCM |
//! | 8 | The length of the archive |
//! | 32 | A value that only the right passphrase results in |
//! | 32 | SHA-256 of everything before |
//! | … | The ciphertext of the archive, with the whole header as additional authenticated data, and the tag |
//!
//! All numbers are big-endian.

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, Key, KeyInit as _, Nonce};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use hkdf::Hkdf;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::environment::{Random, RandomError};

const MAGIC: [u8; 8] = *b"XKSSNAP\n";
const FORMAT_VERSION: u32 = 1;
const HEADER_LENGTH: usize = 8 + 4 + 12 + 16 + 12 + 8 + 32 + 32;
const TAG_LENGTH: usize = 16;
/// The largest snapshot in bytes, because it's held in memory.
pub const MAX_FILE_LENGTH: u64 = 2 << 30;

/// Why a snapshot can't be written or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedFileError {
    /// The file isn't a snapshot.
    #[error("it isn't a snapshot of xks-console")]
    NotASnapshot,
    /// The file was written by a newer version of the program.
    #[error(
        "a newer version of xks-console wrote it (format {0}, this version reads {FORMAT_VERSION}). Upgrade xks-console"
    )]
    NewerFormat(u32),
    /// The file is shorter or longer than its header says.
    #[error("it has {found} bytes instead of {expected}, so it isn't complete. Copy the file again")]
    Length {
        /// The length that the header says.
        expected: u64,
        /// The length of the file.
        found: u64,
    },
    /// The file was changed.
    #[error("it's damaged. Copy the file again")]
    Damaged,
    /// The passphrase isn't that of the snapshot.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The parameters of the key derivation are out of the limits.
    #[error(
        "its key derivation needs more than this program allows ({memory} KiB, {iterations} iterations, {lanes} lanes)"
    )]
    Parameters {
        /// The memory in KiB.
        memory: u32,
        /// The number of iterations.
        iterations: u32,
        /// The number of lanes.
        lanes: u32,
    },
    /// There isn't enough memory to derive the key.
    #[error("there isn't enough memory to derive its key")]
    OutOfMemory,
    /// The account is too large.
    #[error("the account is larger than 2 GiB")]
    TooLarge,
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes")]
    Random,
}

impl From<RandomError> for SealedFileError {
    fn from(_: RandomError) -> Self {
        Self::Random
    }
}

/// The cost of the key derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    memory_kib: u32,
    iterations: u32,
    lanes: u32,
}

/// The cost for new snapshots. Source: RFC 9106, section 4, the second recommended option, with one lane.
const COST: Cost = Cost { memory_kib: 64 * 1024, iterations: 3, lanes: 1 };
/// The highest cost that is accepted, so that a file can't exhaust the memory or take minutes.
const MAX_COST: Cost = Cost { memory_kib: 256 * 1024, iterations: 10, lanes: 4 };

impl Cost {
    fn check(self) -> Result<Self, SealedFileError> {
        let Self { memory_kib, iterations, lanes } = self;
        let is_allowed = (COST.memory_kib..=MAX_COST.memory_kib).contains(&memory_kib)
            && (COST.iterations..=MAX_COST.iterations).contains(&iterations)
            && (COST.lanes..=MAX_COST.lanes).contains(&lanes);
        if is_allowed { Ok(self) } else { Err(SealedFileError::Parameters { memory: memory_kib, iterations, lanes }) }
    }
}

/// What is derived from a passphrase: the key of the archive, and a value to recognize the passphrase.
pub struct DerivedKeys {
    key: Zeroizing<[u8; 32]>,
    check: Zeroizing<[u8; 32]>,
}

impl DerivedKeys {
    fn derive(passphrase: &[u8], salt: &[u8; 16], cost: Cost) -> Result<Self, SealedFileError> {
        let Cost { memory_kib, iterations, lanes } = cost.check()?;
        let out_of_limits = |_| SealedFileError::Parameters { memory: memory_kib, iterations, lanes };
        let params = Params::new(memory_kib, iterations, lanes, Some(32)).map_err(out_of_limits)?;
        let mut blocks: Vec<Block> = Vec::new();
        blocks.try_reserve_exact(params.block_count()).map_err(|_| SealedFileError::OutOfMemory)?;
        blocks.resize(params.block_count(), Block::default());
        let mut secret = Zeroizing::new([0; 32]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let derived = argon2.hash_password_into_with_memory(passphrase, salt, secret.as_mut_slice(), &mut blocks);
        blocks.zeroize();
        derived.map_err(out_of_limits)?;
        let expander = Hkdf::<Sha256>::new(None, secret.as_slice());
        let mut keys = Self { key: Zeroizing::new([0; 32]), check: Zeroizing::new([0; 32]) };
        for (info, output) in [("snapshot key", &mut keys.key), ("snapshot passphrase check", &mut keys.check)] {
            // 32 bytes are always possible.
            let _ = expander.expand(info.as_bytes(), output.as_mut_slice());
        }
        Ok(keys)
    }
}

/// A header whose checksum is right.
#[derive(Clone, Debug)]
pub struct Header {
    bytes: [u8; HEADER_LENGTH],
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 12],
    archive_length: u64,
    check: [u8; 32],
}

/// Reads fields from the start of a slice.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SealedFileError> {
        let (first, rest) = self.0.split_first_chunk().ok_or(SealedFileError::NotASnapshot)?;
        self.0 = rest;
        Ok(*first)
    }

    fn number(&mut self) -> Result<u32, SealedFileError> {
        self.take().map(u32::from_be_bytes)
    }
}

impl Header {
    /// Reads the header of a snapshot, and checks the length of the file.
    ///
    /// # Errors
    /// [`SealedFileError`]. The passphrase isn't needed to find out about most damages.
    pub fn parse(file: &[u8]) -> Result<Self, SealedFileError> {
        let mut fields = Fields(file);
        if fields.take()? != MAGIC {
            return Err(SealedFileError::NotASnapshot);
        }
        let version = fields.number()?;
        if version > FORMAT_VERSION {
            return Err(SealedFileError::NewerFormat(version));
        }
        let Some(bytes) = file.first_chunk::<HEADER_LENGTH>() else {
            return Err(SealedFileError::Length { expected: HEADER_LENGTH as u64, found: file.len() as u64 });
        };
        let (contents, checksum) = bytes.split_at(HEADER_LENGTH - 32);
        if version == 0 || Sha256::digest(contents)[..] != *checksum {
            return Err(SealedFileError::Damaged);
        }
        let cost = Cost { memory_kib: fields.number()?, iterations: fields.number()?, lanes: fields.number()? };
        let (salt, nonce) = (fields.take()?, fields.take()?);
        let (archive_length, check) = (u64::from_be_bytes(fields.take()?), fields.take()?);
        let expected = archive_length.saturating_add((HEADER_LENGTH + TAG_LENGTH) as u64);
        let found = file.len() as u64;
        if expected != found {
            return Err(SealedFileError::Length { expected, found });
        }
        Ok(Self { bytes: *bytes, cost: cost.check()?, salt, nonce, archive_length, check })
    }

    /// Derives the keys from the passphrase.
    ///
    /// # Errors
    /// [`SealedFileError::WrongPassphrase`], or there isn't enough memory.
    pub fn derive(&self, passphrase: &[u8]) -> Result<DerivedKeys, SealedFileError> {
        let keys = DerivedKeys::derive(passphrase, &self.salt, self.cost)?;
        if keys.check.ct_eq(&self.check).into() { Ok(keys) } else { Err(SealedFileError::WrongPassphrase) }
    }

    /// Decrypts the archive in `file`, which has this header.
    ///
    /// # Errors
    /// [`SealedFileError::Damaged`] if anything in the file was changed.
    pub fn open(&self, file: &[u8], keys: &DerivedKeys) -> Result<Zeroizing<Vec<u8>>, SealedFileError> {
        let ciphertext = file.get(HEADER_LENGTH..).ok_or(SealedFileError::Damaged)?;
        let payload = Payload { msg: ciphertext, aad: &self.bytes };
        let archive = cipher(keys).decrypt(&Nonce::from(self.nonce), payload).map_err(|_| SealedFileError::Damaged)?;
        let archive = Zeroizing::new(archive);
        if archive.len() as u64 == self.archive_length { Ok(archive) } else { Err(SealedFileError::Damaged) }
    }
}

fn cipher(keys: &DerivedKeys) -> Aes256Gcm {
    Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&*keys.key))
}

/// Encrypts an archive under a passphrase, and returns the file.
///
/// # Errors
/// [`SealedFileError`] if the archive is too large, or there isn't enough memory or randomness.
pub fn seal(archive: &[u8], passphrase: &[u8], random: &Random) -> Result<Vec<u8>, SealedFileError> {
    if archive.len() as u64 > MAX_FILE_LENGTH - (HEADER_LENGTH + TAG_LENGTH) as u64 {
        return Err(SealedFileError::TooLarge);
    }
    let (salt, nonce) = (random.bytes::<16>()?, random.bytes::<12>()?);
    let keys = DerivedKeys::derive(passphrase, &salt, COST)?;
    let mut file = Vec::with_capacity(HEADER_LENGTH + archive.len() + TAG_LENGTH);
    file.extend_from_slice(&MAGIC);
    for number in [FORMAT_VERSION, COST.memory_kib, COST.iterations, COST.lanes] {
        file.extend_from_slice(&number.to_be_bytes());
    }
    file.extend_from_slice(&salt);
    file.extend_from_slice(&nonce);
    file.extend_from_slice(&(archive.len() as u64).to_be_bytes());
    file.extend_from_slice(&*keys.check);
    let checksum = Sha256::digest(&file);
    file.extend_from_slice(&checksum);
    let payload = Payload { msg: archive, aad: &file };
    let ciphertext = cipher(&keys).encrypt(&Nonce::from(nonce), payload).map_err(|_| SealedFileError::TooLarge)?;
    file.extend_from_slice(&ciphertext);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;

    const PASSPHRASE: &[u8] = b"correct horse battery";

    /// A file, and its keys. Deriving them takes too long to do it for each case.
    static FILE: LazyLock<(Vec<u8>, DerivedKeys)> = LazyLock::new(|| {
        let file = seal(&[0xA5; 3000], PASSPHRASE, &Random::system()).unwrap();
        let keys = Header::parse(&file).unwrap().derive(PASSPHRASE).unwrap();
        (file, keys)
    });

    fn open(file: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealedFileError> {
        Header::parse(file)?.open(file, &FILE.1)
    }

    /// Changes the header of the file, and makes its checksum right again.
    fn with_header(offset: usize, bytes: &[u8]) -> Vec<u8> {
        let mut file = FILE.0.clone();
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
        let checksum = Sha256::digest(&file[..HEADER_LENGTH - 32]);
        file[HEADER_LENGTH - 32..HEADER_LENGTH].copy_from_slice(&checksum);
        file
    }

    #[test]
    fn sealed_archive_can_be_opened_with_the_passphrase_only() {
        let file = &FILE.0;
        assert_eq!(open(file).unwrap().as_slice(), [0xA5; 3000]);
        let header = Header::parse(file).unwrap();
        for wrong in [&b""[..], b"correct horse batterz", b"correct horse battery "] {
            assert_eq!(header.derive(wrong).err(), Some(SealedFileError::WrongPassphrase));
        }
        assert_ne!(seal(&[0xA5; 3000], PASSPHRASE, &Random::system()).unwrap()[24..], file[24..]);
    }

    #[test]
    fn hostile_parameters_are_refused_before_anything_is_derived() {
        for (offset, number) in
            [(12, u32::MAX), (12, 256 * 1024 + 1), (12, 8), (16, u32::MAX), (16, 1), (20, 0), (20, 255)]
        {
            let error = Header::parse(&with_header(offset, &number.to_be_bytes())).unwrap_err();
            assert!(matches!(error, SealedFileError::Parameters { .. }), "{offset} {number}: {error}");
        }
        let longer = with_header(52, &u64::MAX.to_be_bytes());
        assert!(matches!(Header::parse(&longer), Err(SealedFileError::Length { expected: u64::MAX, .. })));
    }

    #[test]
    fn header_with_a_new_checksum_is_still_authenticated() {
        // More lanes than the file was written with, and another nonce.
        for (offset, bytes) in [(20, &2_u32.to_be_bytes()[..]), (40, &[1; 12])] {
            assert_eq!(open(&with_header(offset, bytes)).err(), Some(SealedFileError::Damaged), "{offset}");
        }
    }

    #[test]
    fn newer_format_and_other_files_are_recognized() {
        assert_eq!(open(&with_header(8, &2_u32.to_be_bytes())).err(), Some(SealedFileError::NewerFormat(2)));
        assert_eq!(open(&with_header(8, &0_u32.to_be_bytes())).err(), Some(SealedFileError::Damaged));
        for file in [&b""[..], b"XKSSNAP", b"SQLite format 3\0 and more"] {
            assert_eq!(open(file).err(), Some(SealedFileError::NotASnapshot));
        }
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_detected(index in any::<prop::sample::Index>(), change in 1..=255_u8) {
            let mut file = FILE.0.clone();
            let index = index.index(file.len());
            file[index] ^= change;
            let error = open(&file).unwrap_err();
            match index {
                0..8 => prop_assert_eq!(error, SealedFileError::NotASnapshot),
                8..12 => prop_assert!(matches!(error, SealedFileError::NewerFormat(_) | SealedFileError::Damaged)),
                _ => prop_assert_eq!(error, SealedFileError::Damaged),
            }
        }

        #[test]
        fn any_cut_or_added_byte_is_detected(length in 12..3000_usize, added in 1..40_usize) {
            let file = &FILE.0;
            let error = open(&file[..length]).unwrap_err();
            let is_length = matches!(error, SealedFileError::Length { .. });
            prop_assert!(is_length, "{error}");
            let longer = [&file[..], &vec![0; added]].concat();
            let error = open(&longer).unwrap_err();
            let is_length = matches!(error, SealedFileError::Length { .. });
            prop_assert!(is_length, "{error}");
        }

        #[test]
        fn any_bytes_are_an_error(bytes in any::<Vec<u8>>()) {
            prop_assert!(open(&bytes).is_err());
            prop_assert!(open(&[&MAGIC[..], &FORMAT_VERSION.to_be_bytes(), &bytes].concat()).is_err());
        }
    }
}
