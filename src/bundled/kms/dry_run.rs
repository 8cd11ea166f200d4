//! The answer to requests with `DryRun`.

use crate::aws::error::ServiceError;

/// What is answered in place of doing it.
pub fn dry_run_error() -> ServiceError {
    ServiceError::new("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
}
