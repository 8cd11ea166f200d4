//! Why performing a call failed.

use crate::client::CallError;
use crate::client::credentials::LoadCredentialsError;
use crate::tui::effect::CallFailure;

/// Why a call failed.
pub(super) enum PerformError {
    /// There are no credentials.
    NoCredentials(LoadCredentialsError),
    /// Another failure.
    Failed(CallFailure),
}

impl From<CallError> for PerformError {
    fn from(error: CallError) -> Self {
        if let CallError::Credentials(none) = error { Self::NoCredentials(none) } else { Self::Failed((&error).into()) }
    }
}

impl From<CallFailure> for PerformError {
    fn from(failure: CallFailure) -> Self {
        Self::Failed(failure)
    }
}
