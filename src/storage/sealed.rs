//! Encryption of secrets at rest: a root key in its own file, and the records that it seals.
//!
//! KMS and the external key manager have separate root key files. Someone with one of the files and both databases
//! can't remove both layers of encryption from a ciphertext.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use aes_gcm::aead::Aead as _;
use aes_gcm::aead::Payload;
use aes_gcm::{Aes256Gcm, Key, KeyInit as _, Nonce};
use zeroize::Zeroizing;

use crate::environment::{Random, RandomError};

const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;

/// The format version, the first byte of each sealed record.
///
/// Version 1 is followed by a random 96-bit nonce and the AES-256-GCM ciphertext under the root key.
const FORMAT_VERSION: u8 = 1;

/// Why a root key can't be loaded or created, or a record can't be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The database exists, but its root key file doesn't. A new key couldn't open any of its records.
    #[error(
        "the root key file {} is missing, so the database next to it can't be opened. \
         Restore the file from a backup, or delete the whole data directory to start over",
        .0.display()
    )]
    RootKeyMissing(PathBuf),
    /// The file doesn't have the size of a root key.
    #[error(
        "the root key file {} is {length} bytes long, but a root key is 32 bytes. Restore the file from a backup",
        .path.display()
    )]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// The length in bytes.
        length: u64,
    },
    /// Other users of this machine can read or replace the key.
    #[error(
        "other users of this machine can access {}: its mode is {mode:03o}. \
         To remove their access, run `chmod go-rwx` on it",
        .path.display()
    )]
    InsecurePermissions {
        /// The root key file or its directory.
        path: PathBuf,
        /// The permission bits.
        mode: u32,
    },
    /// The file system returned an error.
    #[error("couldn't read or create the root key file {}: {source}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error from the operating system.
        source: io::Error,
    },
    /// The operating system provided no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The secret is longer than AES-GCM allows.
    #[error("the secret is too long to seal")]
    TooLong,
    /// The record was changed, moved, or sealed with another root key.
    #[error(
        "couldn't open a sealed record: it was changed, or sealed with another root key. \
         Restore the database and the root key file from the same backup"
    )]
    OpenFailed,
}

/// The 256-bit key that seals the secrets of one database. It is wiped when dropped, and `Debug` doesn't show it.
#[derive(Clone)]
pub struct RootKey(Zeroizing<[u8; KEY_LENGTH]>);

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(…)")
    }
}

impl RootKey {
    /// Loads the root key at `path`, or creates it if neither the file nor its database exists.
    ///
    /// A new file gets its name only once it is complete, so a crash never leaves part of a key. If two processes
    /// create the file at the same time, both use the first key. A missing directory is created with mode 0700.
    ///
    /// # Errors
    /// [`SealError::RootKeyMissing`] if only the database exists; [`SealError::WrongSize`];
    /// [`SealError::InsecurePermissions`] if group or others have access; [`SealError::Io`]; [`SealError::Random`].
    pub fn load_or_create(path: &Path, database_exists: bool, random: &Random) -> Result<Self, SealError> {
        match Self::load(path) {
            Err(SealError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                if database_exists {
                    return Err(SealError::RootKeyMissing(path.to_owned()));
                }
                Self::create(path, random)
            }
            result => result,
        }
    }

    /// Creates a root key that is never stored, for accounts in memory.
    ///
    /// # Errors
    /// [`SealError::Random`] if there are no random bytes.
    pub fn ephemeral(random: &Random) -> Result<Self, SealError> {
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        random.fill(key.as_mut_slice())?;
        Ok(Self(key))
    }

    /// Seals `secret`. Only this root key opens it, and only with the same `aad` (see [`record_aad`]).
    ///
    /// # Errors
    /// [`SealError::Random`] if there are no random bytes, and [`SealError::TooLong`] above 64 GiB.
    pub fn seal(&self, aad: &[u8], secret: &[u8], random: &Random) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_LENGTH] = random.bytes()?;
        let ciphertext =
            self.cipher().encrypt(&Nonce::from(nonce), Payload { msg: secret, aad }).map_err(|_| SealError::TooLong)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LENGTH + ciphertext.len());
        sealed.push(FORMAT_VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        Ok(sealed)
    }

    /// Opens a record that [`RootKey::seal`] sealed with the same `aad`.
    ///
    /// # Errors
    /// [`SealError::OpenFailed`] if the record, `aad`, or root key is different.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if sealed.len() < 1 + NONCE_LENGTH + TAG_LENGTH || sealed[0] != FORMAT_VERSION {
            return Err(SealError::OpenFailed);
        }
        let (nonce, ciphertext) = sealed[1..].split_at(NONCE_LENGTH);
        let nonce = <[u8; NONCE_LENGTH]>::try_from(nonce).map_err(|_| SealError::OpenFailed)?;
        self.cipher()
            .decrypt(&Nonce::from(nonce), Payload { msg: ciphertext, aad })
            .map(Zeroizing::new)
            .map_err(|_| SealError::OpenFailed)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&*self.0))
    }

    fn load(path: &Path) -> Result<Self, SealError> {
        let failed = |source| SealError::Io { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        check_permissions(path, &metadata, 0o077)?;
        if let Some(directory) = parent_directory(path) {
            check_directory_permissions(directory)?;
        }
        if !metadata.is_file() || metadata.len() != KEY_LENGTH as u64 {
            return Err(SealError::WrongSize { path: path.to_owned(), length: metadata.len() });
        }
        let mut key = Zeroizing::new([0; KEY_LENGTH]);
        file.read_exact(key.as_mut_slice()).map_err(failed)?;
        Ok(Self(key))
    }

    fn create(path: &Path, random: &Random) -> Result<Self, SealError> {
        let failed = |source| SealError::Io { path: path.to_owned(), source };
        if let Some(directory) = parent_directory(path) {
            create_directory(directory).map_err(failed)?;
            check_directory_permissions(directory)?;
        }
        let key = Self::ephemeral(random)?;
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}", random.hex::<8>()?));
        let temp_path = PathBuf::from(name);
        let written = write_new(&temp_path, key.0.as_slice()).and_then(|()| persist_noclobber(&temp_path, path));
        // After a rename, the temporary file no longer exists.
        let _ = fs::remove_file(&temp_path);
        match written {
            Ok(()) => {
                if let Some(directory) = parent_directory(path) {
                    sync_directory(directory).map_err(failed)?;
                }
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::load(path),
            Err(error) => Err(failed(error)),
        }
    }
}

fn parent_directory(path: &Path) -> Option<&Path> {
    path.parent().filter(|directory| !directory.as_os_str().is_empty())
}

/// Gives the complete temporary file its final name, without replacing an existing file.
fn persist_noclobber(temp_path: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temp_path, path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied) => {
            // The file system doesn't support hard links.
            if path.try_exists()? { Err(io::ErrorKind::AlreadyExists.into()) } else { fs::rename(temp_path, path) }
        }
        result => result,
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path)
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

fn check_directory_permissions(directory: &Path) -> Result<(), SealError> {
    let metadata = fs::metadata(directory).map_err(|source| SealError::Io { path: directory.to_owned(), source })?;
    check_permissions(directory, &metadata, 0o022)
}

#[cfg(unix)]
fn check_permissions(path: &Path, metadata: &fs::Metadata, forbidden: u32) -> Result<(), SealError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & forbidden == 0 { Ok(()) } else { Err(SealError::InsecurePermissions { path: path.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_permissions(_path: &Path, _metadata: &fs::Metadata, _forbidden: u32) -> Result<(), SealError> {
    Ok(())
}

/// Returns the additional authenticated data of a sealed record, built from the parts that identify it.
///
/// The parts are, for example, the table, account, Region, ID, and version. Each part is preceded by its length, so
/// different lists of parts never result in the same bytes.
pub fn record_aad(parts: &[&str]) -> Vec<u8> {
    let mut aad = Vec::with_capacity(parts.iter().map(|part| 8 + part.len()).sum());
    for part in parts {
        aad.extend_from_slice(&(part.len() as u64).to_be_bytes());
        aad.extend_from_slice(part.as_bytes());
    }
    aad
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn directory() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn root_key_is_created_once_and_then_loaded() {
        let dir = directory();
        let path = dir.path().join("account").join("kms.root");
        let random = Random::system();
        let first = RootKey::load_or_create(&path, false, &random).unwrap();
        let sealed = first.seal(b"aad", b"secret", &random).unwrap();
        let again = RootKey::load_or_create(&path, true, &random).unwrap();
        assert_eq!(again.open(b"aad", &sealed).unwrap().as_slice(), b"secret");
        let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names, ["kms.root"], "no temporary file is left");
    }

    #[test]
    fn missing_root_key_with_existing_database_is_rejected() {
        let dir = directory();
        let path = dir.path().join("kms.root");
        let error = RootKey::load_or_create(&path, true, &Random::system()).unwrap_err();
        assert!(matches!(error, SealError::RootKeyMissing(_)), "{error}");
        assert!(!path.exists());
    }

    #[test]
    fn root_key_of_wrong_size_is_rejected() {
        let dir = directory();
        let path = dir.path().join("kms.root");
        write_new(&path, &[7; 31]).unwrap();
        let error = RootKey::load_or_create(&path, false, &Random::system()).unwrap_err();
        assert!(matches!(error, SealError::WrongSize { length: 31, .. }), "{error}");
        assert_eq!(fs::read(&path).unwrap(), [7; 31]);
    }

    #[cfg(unix)]
    #[test]
    fn root_key_file_must_be_private_to_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = directory();
        let path = dir.path().join("new").join("kms.root");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        RootKey::load_or_create(&path, false, &Random::system()).unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = RootKey::load_or_create(&path, true, &Random::system()).unwrap_err();
        assert!(matches!(error, SealError::InsecurePermissions { mode: 0o640, .. }), "{error}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = RootKey::load_or_create(&path, true, &Random::system()).unwrap_err();
        assert!(matches!(error, SealError::InsecurePermissions { mode: 0o777, .. }), "{error}");
    }

    #[test]
    fn open_rejects_any_flipped_bit() {
        let random = Random::system();
        let key = RootKey::ephemeral(&random).unwrap();
        let sealed = key.seal(b"record", b"a secret", &random).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(key.open(b"record", &changed), Err(SealError::OpenFailed)), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(key.open(b"record", &sealed[..length]).is_err(), "cut to {length}");
        }
        assert!(key.open(b"records", &sealed).is_err());
        assert!(RootKey::ephemeral(&random).unwrap().open(b"record", &sealed).is_err());
    }

    #[test]
    fn debug_output_hides_the_key() {
        assert_eq!(format!("{:?}", RootKey(Zeroizing::new([0x41; KEY_LENGTH]))), "RootKey(…)");
    }

    proptest! {
        #[test]
        fn sealed_secrets_round_trip(aad in any::<[u8; 40]>(), secret in any::<Vec<u8>>()) {
            let random = Random::system();
            let key = RootKey::ephemeral(&random).unwrap();
            let sealed = key.seal(&aad, &secret, &random).unwrap();
            let opened = key.open(&aad, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), secret.as_slice());
        }

        #[test]
        fn record_aad_is_unique_per_parts(
            a in proptest::collection::vec("[ab]{0,2}", 0..4),
            b in proptest::collection::vec("[ab]{0,2}", 0..4),
        ) {
            let aad = |parts: &[String]| record_aad(&parts.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(a == b, aad(&a) == aad(&b));
        }
    }
}
