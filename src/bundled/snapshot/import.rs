//! Creates an account from a snapshot.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use rusqlite::Connection;
use zeroize::Zeroizing;

use super::archive::{self, FILES};
use super::sealed_file::{Header, MAX_FILE_LENGTH, SealedFileError};
use super::{SnapshotError, file_error, move_log_to_database};
use crate::bundled::scenario;
use crate::bundled::store::{self, DATABASE_FILE, OpenError, Store};
use crate::environment::Environment;
use crate::storage::atomic_file;
use crate::xks::key_manager::{self, ExternalKeyManager};

/// The directory in the data directory in which an account is prepared. It exists only during an import.
const STAGING_DIRECTORY: &str = "importing";

/// Creates the account in `dir` from the snapshot `file`.
///
/// The account is checked in a directory of its own before any of its files gets its final name. Its database comes last,
/// and the next start or import removes what an interrupted import has left, so there is never half an account.
///
/// # Errors
/// [`SnapshotError`]. The directory has no account then.
pub fn import(dir: &Path, file: &Path, passphrase: &str) -> Result<(), SnapshotError> {
    let snapshot = read(file)?;
    let header = Header::parse(&snapshot)?;
    let archive = header.open(&snapshot, &header.derive(passphrase.as_bytes())?)?;
    let contents = archive::split(&archive).ok_or(SealedFileError::Damaged)?;
    let _opening = store::lock(dir).map_err(SnapshotError::Contents)?;
    discard_interrupted_import(dir).map_err(file_error(dir))?;
    // SQLite would apply a write-ahead log that another database has left to the imported one.
    let mut leftovers = archive::LOG_FILES.into_iter().chain(FILES).rev();
    if let Some(file) = leftovers.find(|file| dir.join(file).exists()) {
        return Err(SnapshotError::AccountExists { dir: dir.to_owned(), file });
    }
    let staging = dir.join(STAGING_DIRECTORY);
    DirBuilder::new().mode(0o700).create(&staging).map_err(file_error(&staging))?;
    let prepared = prepare(&staging, contents).and_then(|()| move_files(&staging, dir));
    if prepared.is_err() {
        // The error is more important than what is left. The next start removes it.
        let _ = discard_interrupted_import(dir);
    }
    prepared?;
    fs::remove_dir_all(&staging).map_err(file_error(&staging))
}

/// Reads the file if it isn't too large.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, SnapshotError> {
    let mut file = File::open(path).map_err(file_error(path))?;
    let length = file.metadata().map_err(file_error(path))?.len();
    if length > MAX_FILE_LENGTH {
        return Err(SealedFileError::NotASnapshot.into());
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.by_ref().take(MAX_FILE_LENGTH).read_to_end(&mut bytes).map_err(file_error(path))?;
    Ok(bytes)
}

/// Writes the files to `staging`, and opens the account there to check that it's complete.
fn prepare(staging: &Path, contents: [&[u8]; 4]) -> Result<(), SnapshotError> {
    for (file, content) in FILES.into_iter().zip(contents) {
        let path = staging.join(file);
        atomic_file::replace(&path, content).map_err(file_error(&path))?;
    }
    for file in [key_manager::DATABASE_FILE, DATABASE_FILE] {
        let connection = Connection::open(staging.join(file))?;
        let result: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if result != "ok" {
            return Err(SnapshotError::Incomplete(format!("{file} is damaged: {result}")));
        }
    }
    let environment = Environment::system().for_account();
    let store = Store::open(staging, environment.clone()).map_err(SnapshotError::Contents)?;
    if !scenario::is_filled(&store).map_err(SnapshotError::Contents)? {
        return Err(SnapshotError::Incomplete("it was never filled".to_owned()));
    }
    let manager = ExternalKeyManager::open(staging, environment)
        .map_err(|error| SnapshotError::Contents(OpenError::KeyManager(error)))?;
    drop((store, manager));
    for file in [key_manager::DATABASE_FILE, DATABASE_FILE] {
        move_log_to_database(&staging.join(file))?;
        sync(&staging.join(file))?;
    }
    Ok(())
}

/// Moves the files of the account to `dir`, its database last.
fn move_files(staging: &Path, dir: &Path) -> Result<(), SnapshotError> {
    for file in FILES {
        if file == DATABASE_FILE {
            sync(dir)?;
        }
        fs::rename(staging.join(file), dir.join(file)).map_err(file_error(&dir.join(file)))?;
    }
    sync(dir)
}

fn sync(path: &Path) -> Result<(), SnapshotError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(file_error(path))
}

/// Removes what an interrupted import has left in `dir`. The caller must hold the lock on `dir`.
///
/// # Errors
/// An I/O error if a file can't be removed.
pub fn discard_interrupted_import(dir: &Path) -> io::Result<()> {
    let staging = dir.join(STAGING_DIRECTORY);
    if !staging.try_exists()? {
        return Ok(());
    }
    // With the database, the account is complete, and only the directory is left.
    if !dir.join(DATABASE_FILE).try_exists()? {
        for file in FILES {
            match fs::remove_file(dir.join(file)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    fs::remove_dir_all(staging)
}
