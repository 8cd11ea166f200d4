//! Deleting the account of a data directory.

use std::fs;
use std::io;
use std::path::Path;

use super::exclusive::{ExclusiveUse, ExclusiveUseError};
use super::{DATABASE_FILE, ROOT_KEY_FILE};
use crate::bundled::OpenError;
use crate::storage::watch::CHANGE_FILE;
use crate::xks::key_manager;

/// Why the account can't be deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// The directory has no account.
    #[error("{0} contains no account, so nothing was deleted")]
    NoAccount(String),
    /// Another program has opened the account.
    #[error(
        "another program uses the account in {0}, so nothing was deleted. Close the consoles and servers that use it, and try again"
    )]
    InUse(String),
    /// The directory can't be locked.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A file can't be deleted.
    #[error("couldn't delete the account in {path}: {source}. Try again")]
    Io {
        /// The directory.
        path: String,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// Deletes the database and the root key of an account that couldn't be filled. The caller holds the lock on `dir`.
///
/// The external key manager stays: it can be filled again without harm.
///
/// # Errors
/// An I/O error if a file can't be deleted.
pub fn delete_new_account(dir: &Path) -> io::Result<()> {
    let files = ["-wal", "-shm", ""].map(|end| format!("{DATABASE_FILE}{end}"));
    delete_files(dir, files.into_iter().chain([ROOT_KEY_FILE.to_owned()]))
}

fn delete_files(dir: &Path, files: impl Iterator<Item = String>) -> io::Result<()> {
    for file in files {
        match fs::remove_file(dir.join(file)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Deletes the account in `dir` with its external key manager, and nothing else in the directory.
///
/// The root keys are deleted first. Without them, nobody can decrypt what was in the databases, even if their blocks are
/// still on the disk.
///
/// # Errors
/// [`DeleteAccountError`]. Unless it's [`DeleteAccountError::Io`], nothing was deleted.
pub fn delete_account(dir: &Path) -> Result<(), DeleteAccountError> {
    let path = || dir.display().to_string();
    if !dir.join(DATABASE_FILE).exists() {
        return Err(DeleteAccountError::NoAccount(path()));
    }
    let io_error = |source| DeleteAccountError::Io { path: path(), source };
    let _exclusive = ExclusiveUse::acquire(dir).map_err(|error| match error {
        ExclusiveUseError::InUse(path) => DeleteAccountError::InUse(path),
        ExclusiveUseError::Open(error) => DeleteAccountError::Open(error),
        ExclusiveUseError::Io(error) => io_error(error),
    })?;
    let databases = [key_manager::DATABASE_FILE, DATABASE_FILE];
    let database_files = databases.iter().flat_map(|file| ["-wal", "-shm", ""].map(|end| format!("{file}{end}")));
    let root_keys = [ROOT_KEY_FILE, key_manager::ROOT_KEY_FILE].map(str::to_owned);
    delete_files(dir, root_keys.into_iter().chain(database_files).chain([CHANGE_FILE.to_owned()])).map_err(io_error)
}
