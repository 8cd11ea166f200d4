//! The errors of opening an account and of its database.

use crate::aws::error::ServiceError;
use crate::environment::RandomError;
use crate::storage::sealed::SealError;
use crate::xks::key_manager::KeyManagerError;

/// Why the account can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory can't be created or read.
    #[error("couldn't use the data directory {path}: {source}. Choose another directory with --data-dir")]
    Directory {
        /// The directory.
        path: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The database can't be opened, read, or written.
    #[error("couldn't use the account's database: {0}. Try again, or choose another directory with --data-dir")]
    Database(#[from] rusqlite::Error),
    /// A newer version of this program created the database.
    #[error(
        "the account was created by a newer version of xks-console (schema {found}, this version supports up to \
         {supported}). Upgrade xks-console, or choose another directory with --data-dir"
    )]
    Schema {
        /// The schema version of the database.
        found: i64,
        /// The newest schema version that this program supports.
        supported: i64,
    },
    /// The root key is missing, or doesn't belong to the database.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The operating system returned no random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The scenario is invalid.
    #[error("the scenario \"{name}\" is invalid: {reason}")]
    InvalidScenario {
        /// The name of the scenario.
        name: String,
        /// Why the scenario is invalid.
        reason: String,
    },
    /// The scenario doesn't exist.
    #[error("the scenario \"{0}\" doesn't exist. Choose an available scenario: {available}", available = crate::bundled::scenario_names().join(", "))]
    UnknownScenario(String),
    /// A scenario was specified for an existing account.
    #[error(
        "{0} already contains an account, and a scenario can fill only an empty directory. Omit --scenario, or choose \
         another directory with --data-dir"
    )]
    AccountExists(String),
    /// The external key manager can't be opened or filled.
    #[error("couldn't open the external key manager: {0}")]
    KeyManager(#[from] KeyManagerError),
    /// An account on disk needs real randomness.
    #[error(
        "couldn't open an account on disk: this run uses a fixed random seed, so its secrets are predictable. Use an \
         in-memory account"
    )]
    ReplayableEnvironment,
    /// A stored document can't be parsed.
    #[error("couldn't read a record of the account: {0}. Restore the data directory from a backup")]
    InvalidDocument(#[from] serde_json::Error),
    /// An operation on the account failed.
    #[error("couldn't set up the account: {0}")]
    Service(#[from] ServiceError),
}

/// The error of an operation.
///
/// The caller sees a failure of the database or another dependency as `KMSInternalException` or
/// `DependencyTimeoutException`.
#[derive(Debug)]
pub struct StoreError(pub ServiceError);

impl From<ServiceError> for StoreError {
    fn from(error: ServiceError) -> Self {
        Self(error)
    }
}

macro_rules! impl_internal_error {
    ($($error:ty),+) => {
        $(impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                Self(ServiceError::new("KMSInternalException", format!("Couldn't process the request: {error}")))
            }
        })+
    };
}
impl_internal_error!(SealError, RandomError, serde_json::Error);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let is_busy = matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
        );
        // Another process has locked the database for longer than the busy timeout.
        let code = if is_busy { "DependencyTimeoutException" } else { "KMSInternalException" };
        Self(ServiceError::new(code, format!("Couldn't process the request: {error}")))
    }
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        error.0
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.0)
    }
}
