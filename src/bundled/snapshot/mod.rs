//! Snapshots: a whole account in one file, encrypted under a passphrase.

mod archive;
mod import;
mod sealed_file;

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use zeroize::Zeroizing;

use self::archive::FILES;
pub use self::import::{discard_interrupted_import, import};
pub use self::sealed_file::SealedFileError;
use super::store::{DATABASE_FILE, ExclusiveUse, ExclusiveUseError, OpenError, SCHEMA_VERSION};
use crate::environment::Random;
use crate::xks::key_manager;

/// The minimum length of a passphrase for a new snapshot, in characters.
pub const MIN_PASSPHRASE_LENGTH: usize = 12;

/// Why a snapshot can't be exported or imported.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The directory has no account.
    #[error("{} contains no account", .0.display())]
    NoAccount(PathBuf),
    /// The directory has an account, or parts of one.
    #[error(
        "{} already contains {file}, and an account is never overwritten. Choose another directory with --data-dir",
        .dir.display()
    )]
    AccountExists {
        /// The directory.
        dir: PathBuf,
        /// The file that is already there.
        file: &'static str,
    },
    /// The account can't be used exclusively.
    #[error(transparent)]
    Exclusive(#[from] ExclusiveUseError),
    /// A file can't be read or written.
    #[error("couldn't use {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The snapshot can't be opened.
    #[error("couldn't use the snapshot: {0}")]
    Sealed(#[from] SealedFileError),
    /// What is in the snapshot isn't an account, or that of a newer version of the program.
    #[error("couldn't use the account in the snapshot: {0}")]
    Contents(OpenError),
    /// What is in the snapshot isn't a complete account.
    #[error("couldn't use the account in the snapshot: {0}. Export it again")]
    Incomplete(String),
    /// The database of the account can't be read.
    #[error("couldn't use the account's database: {0}. Try again")]
    Database(#[from] rusqlite::Error),
    /// The passphrase is too short.
    #[error("the passphrase is too short. Use at least {MIN_PASSPHRASE_LENGTH} characters")]
    ShortPassphrase,
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> SnapshotError {
    move |source| SnapshotError::File { path: path.to_owned(), source }
}

/// Checks that a passphrase is long enough for a new snapshot.
///
/// # Errors
/// [`SnapshotError::ShortPassphrase`].
pub fn check_passphrase(passphrase: &str) -> Result<(), SnapshotError> {
    let is_long_enough = passphrase.chars().count() >= MIN_PASSPHRASE_LENGTH;
    if is_long_enough { Ok(()) } else { Err(SnapshotError::ShortPassphrase) }
}

/// Returns a snapshot of the account in `dir`: both databases and both root keys, encrypted under `passphrase`.
///
/// # Errors
/// [`SnapshotError`] if there is no account, another program has opened it, or it can't be read.
pub fn export(dir: &Path, passphrase: &str) -> Result<Vec<u8>, SnapshotError> {
    check_passphrase(passphrase)?;
    if !dir.join(DATABASE_FILE).exists() {
        return Err(SnapshotError::NoAccount(dir.to_owned()));
    }
    let exclusive = ExclusiveUse::acquire(dir)?;
    for file in [key_manager::DATABASE_FILE, DATABASE_FILE] {
        move_log_to_database(&dir.join(file))?;
    }
    let mut contents = std::array::from_fn(|_| Zeroizing::new(Vec::new()));
    for (content, file) in contents.iter_mut().zip(FILES) {
        let path = dir.join(file);
        *content = Zeroizing::new(std::fs::read(&path).map_err(file_error(&path))?);
    }
    drop(exclusive);
    Ok(sealed_file::seal(&archive::join(&contents), passphrase.as_bytes(), &Random::system())?)
}

/// Moves everything from the write-ahead log of a database to the database itself.
fn move_log_to_database(path: &Path) -> Result<(), SnapshotError> {
    let connection = Connection::open(path)?;
    let schema: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let is_account = path.ends_with(DATABASE_FILE);
    if is_account && schema > SCHEMA_VERSION {
        return Err(SnapshotError::Contents(OpenError::Schema { found: schema, supported: SCHEMA_VERSION }));
    }
    let is_busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    connection.close().map_err(|(_, error)| error)?;
    if is_busy {
        let path = path.parent().unwrap_or(path).display().to_string();
        return Err(ExclusiveUseError::InUse(path).into());
    }
    Ok(())
}
