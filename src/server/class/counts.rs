//! Counts of the requests to one server.

use std::sync::{Mutex, PoisonError};

use http::StatusCode;
use jiff::Timestamp;

use crate::access_log::RequestDetails;

/// The counts of the requests to one server since it started.
#[derive(Debug, Default)]
pub struct RequestCounts(Mutex<Counts>);

/// The counts at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The time of the last request.
    pub last_request: Option<Timestamp>,
    /// The number of requests.
    pub requests: u64,
    /// The number of requests that failed.
    pub errors: u64,
    /// The number of KMS keys that were created.
    pub keys_created: u64,
    /// The number of key stores that were created.
    pub key_stores_created: u64,
}

/// The error of a dry run that would have succeeded.
const DRY_RUN_SUCCEEDED: &str = "DryRunOperationException";

impl RequestCounts {
    /// Returns the counts.
    pub fn get(&self) -> Counts {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request that was received at `time` and answered with `status`.
    pub fn record(&self, time: Timestamp, status: StatusCode, details: Option<&RequestDetails>) {
        let is_dry_run = details.is_some_and(|details| details.error.as_deref() == Some(DRY_RUN_SUCCEEDED));
        let operation = details.and_then(|details| details.operation.as_deref()).filter(|_| status.is_success());
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.last_request = counts.last_request.max(Some(time));
        counts.requests += 1;
        counts.errors += u64::from(!status.is_success() && !is_dry_run);
        counts.keys_created += u64::from(operation == Some("kms:CreateKey"));
        counts.key_stores_created += u64::from(operation == Some("kms:CreateCustomKeyStore"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_successful_requests_create_something_and_dry_runs_are_no_errors() {
        let counts = RequestCounts::default();
        let at = |second: u8| format!("2026-03-02T10:15:0{second}Z").parse::<Timestamp>().unwrap();
        let details = |operation: &str, error: Option<&str>| RequestDetails {
            operation: Some(operation.to_owned()),
            caller: None,
            error: error.map(str::to_owned),
        };
        counts.record(at(1), StatusCode::OK, Some(&details("kms:CreateKey", None)));
        counts.record(at(5), StatusCode::BAD_REQUEST, Some(&details("kms:CreateKey", Some(DRY_RUN_SUCCEEDED))));
        counts.record(at(3), StatusCode::BAD_REQUEST, Some(&details("kms:CreateKey", Some("LimitExceededException"))));
        counts.record(at(4), StatusCode::OK, Some(&details("kms:CreateCustomKeyStore", None)));
        counts.record(at(2), StatusCode::PAYLOAD_TOO_LARGE, None);
        let expected =
            Counts { last_request: Some(at(5)), requests: 5, errors: 2, keys_created: 1, key_stores_created: 1 };
        assert_eq!(counts.get(), expected);
    }
}
