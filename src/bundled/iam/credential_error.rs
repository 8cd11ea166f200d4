//! Errors of a request's credentials.

use crate::aws::error::ServiceError;
use crate::bundled::store::StoreError;

/// Why the credentials of a request are rejected.
pub enum CredentialError {
    /// The access key doesn't exist, or the session token doesn't belong to it.
    Unknown,
    /// The credentials have expired.
    Expired,
    /// The credentials could not be looked up.
    Failed(ServiceError),
}

impl From<StoreError> for CredentialError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.0)
    }
}

impl From<rusqlite::Error> for CredentialError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(StoreError::from(error).0)
    }
}
