//! Exclusive use of an account on disk.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use super::{OpenError, lock};
use crate::storage::watch::CHANGE_FILE;

/// Why an account can't be used exclusively.
#[derive(Debug, thiserror::Error)]
pub enum ExclusiveUseError {
    /// Another program has opened the account.
    #[error("another program uses the account in {0}. Close the consoles and servers that use it, and try again")]
    InUse(String),
    /// The directory can't be locked.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file that shows who has opened the account can't be locked.
    #[error(transparent)]
    Io(io::Error),
}

/// The locks that keep all other programs from opening an account, until they are dropped.
#[derive(Debug)]
pub struct ExclusiveUse {
    _opening: File,
    _changed: File,
}

impl ExclusiveUse {
    /// Locks the account in `dir`.
    ///
    /// # Errors
    /// [`ExclusiveUseError`] if another program has opened it, or the files can't be locked.
    pub fn acquire(dir: &Path) -> Result<Self, ExclusiveUseError> {
        let opening = lock(dir)?;
        // Each process that has opened the account holds a shared lock on this file.
        let changed =
            File::options().create(true).append(true).open(dir.join(CHANGE_FILE)).map_err(ExclusiveUseError::Io)?;
        match changed.try_lock() {
            Ok(()) => Ok(Self { _opening: opening, _changed: changed }),
            Err(TryLockError::WouldBlock) => Err(ExclusiveUseError::InUse(dir.display().to_string())),
            Err(TryLockError::Error(error)) => Err(ExclusiveUseError::Io(error)),
        }
    }
}
