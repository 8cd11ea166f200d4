//! The errors of the external key manager.

use std::path::PathBuf;

use crate::environment::RandomError;
use crate::storage::sealed::SealError;

/// An error of the external key manager.
#[derive(Debug, thiserror::Error)]
pub enum KeyManagerError {
    /// The root key is missing or wrong, or a sealed record couldn't be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A database operation failed.
    #[error("the external key manager's database failed: {0}")]
    Database(#[from] rusqlite::Error),
    /// A file operation failed.
    #[error("couldn't access {}: {source}", .path.display())]
    Io {
        /// The path of the file.
        path: PathBuf,
        /// The error from the operating system.
        source: std::io::Error,
    },
    /// The random number generator failed.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// A replayable environment generates predictable keys, which must not be stored.
    #[error(
        "this run uses a fixed random seed, so its keys are predictable and can't be stored in a data directory. Use \
         an in-memory key manager"
    )]
    Replayable,
    /// A newer version created the database.
    #[error(
        "the external key manager's database has format {0}, which this version of xks-console doesn't support. Use a \
         newer version"
    )]
    NewerFormat(i64),
    /// A name, an ID, or another value isn't valid.
    #[error("{what} {value:?} isn't valid: {rule}")]
    Invalid {
        /// The kind of value.
        what: &'static str,
        /// The value.
        value: String,
        /// The requirement that the value doesn't meet.
        rule: &'static str,
    },
    /// The name or ID is already in use.
    #[error("{what} {name:?} already exists. Choose another one")]
    AlreadyExists {
        /// The kind of object.
        what: &'static str,
        /// The name or ID of the object.
        name: String,
    },
    /// The partition doesn't exist.
    #[error("the partition {0:?} doesn't exist. Create it first")]
    PartitionNotFound(String),
    /// The partition has no external key with this ID.
    #[error("the external key doesn't exist")]
    KeyNotFound,
    /// The external key is disabled.
    #[error("the external key is disabled. Enable it in the external key manager")]
    KeyDisabled,
    /// The key usage of the external key doesn't allow the operation.
    #[error("the external key doesn't allow {0}")]
    KeyUsage(&'static str),
    /// The caller can't use the external key. Contains the callers that can.
    #[error("this caller of AWS KMS can't use the external key")]
    CallerDenied(Vec<String>),
    /// The key version has reached its maximum number of encryptions.
    #[error("version {0} of the external key has reached its limit of 2^32 encryptions. Rotate the external key")]
    Exhausted(u32),
    /// The ciphertext, IV, tag, metadata, or additional authenticated data is invalid or doesn't match.
    #[error("the ciphertext, its metadata, or the additional authenticated data is corrupted")]
    InvalidCiphertext,
    /// The plaintext or the additional authenticated data is too long.
    #[error("the plaintext exceeds 4,300 bytes, or the additional authenticated data exceeds 65,535 bytes")]
    TooLong,
}
