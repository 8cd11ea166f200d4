//! The response to requests with `DryRun`.

use crate::aws::error::ServiceError;

/// Returns the error for a dry run of a request that would have succeeded.
pub fn dry_run_error() -> ServiceError {
    ServiceError::new("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
}
