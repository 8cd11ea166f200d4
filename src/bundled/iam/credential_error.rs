//! Why a request's credentials are refused.

use crate::aws::error::ServiceError;
use crate::bundled::store::StoreError;

/// Why temporary credentials are not taken.
pub enum CredentialError {
    /// They are none of this AWS, or the token is not theirs.
    Unknown,
    /// Their time is over.
    Expired,
    /// Something failed.
    Failed(ServiceError),
}

impl From<StoreError> for CredentialError {
    fn from(fault: StoreError) -> Self {
        Self::Failed(fault.0)
    }
}

impl From<rusqlite::Error> for CredentialError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(StoreError::from(error).0)
    }
}
