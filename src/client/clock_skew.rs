//! The difference between this machine's clock and that of AWS, learned when AWS rejects a signature for its time.

use std::sync::atomic::{AtomicI64, Ordering};

use http::HeaderMap;
use http::header::DATE;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

use super::CallError;

/// The smallest difference that can be the reason for a rejected signature.
///
/// AWS accepts signatures that are up to five minutes old. Source: the AWS SDKs.
const MIN_SKEW: SignedDuration = SignedDuration::from_mins(4);

/// Error codes that a wrong clock can cause. Source: the AWS SDKs.
const CLOCK_SKEW_CODES: [&str; 6] = [
    "RequestTimeTooSkewed",
    "RequestExpired",
    "RequestInTheFuture",
    "InvalidSignature",
    "SignatureDoesNotMatch",
    "AuthFailure",
];

/// The number of seconds to add to this machine's time to get the time of AWS.
#[derive(Debug, Default)]
pub(super) struct ClockSkew(AtomicI64);

impl ClockSkew {
    /// Returns the time of AWS at `now`, which is this machine's time.
    pub fn correct(&self, now: Timestamp) -> Timestamp {
        let by = SignedDuration::from_secs(self.0.load(Ordering::Relaxed));
        now.saturating_add(by).unwrap_or(now)
    }

    /// Learns the difference from an error response, and returns whether a wrong clock caused the error.
    ///
    /// `response_date` is when AWS sent the response, and `now` is this machine's time.
    pub fn update_from_error(&self, error: &CallError, response_date: Option<Timestamp>, now: Timestamp) -> bool {
        let CallError::Service(error) = error else { return false };
        let Some(aws_time) = response_date.filter(|_| CLOCK_SKEW_CODES.iter().any(|code| error.has_code(code))) else {
            return false;
        };
        let is_skewed = aws_time.duration_since(self.correct(now)).abs() >= MIN_SKEW;
        if is_skewed {
            self.0.store(aws_time.duration_since(now).as_secs(), Ordering::Relaxed);
        }
        is_skewed
    }
}

/// Returns when a response was sent, by its sender's clock.
pub(super) fn response_date(headers: &HeaderMap) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(headers.get(DATE)?.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::error::ServiceError;

    fn service_error(code: &str) -> CallError {
        ServiceError::new(code, "").into()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn rejected_signature_corrects_the_clock() {
        let skew = ClockSkew::default();
        assert!(skew.update_from_error(&service_error("InvalidSignatureException"), Some(at(7200)), at(3600)));
        assert_eq!(skew.correct(at(3700)), at(7300));
        // Somebody has set the clock in the meantime.
        assert!(skew.update_from_error(&service_error("RequestTimeTooSkewed"), Some(at(7400)), at(7400)));
        assert_eq!(skew.correct(at(7500)), at(7500));
    }

    #[test]
    fn unrelated_errors_leave_the_clock_unchanged() {
        let skew = ClockSkew::default();
        assert!(!skew.update_from_error(&service_error("SignatureDoesNotMatch"), Some(at(3610)), at(3600)));
        assert!(!skew.update_from_error(&service_error("AccessDeniedException"), Some(at(99_999)), at(3600)));
        assert!(!skew.update_from_error(&service_error("InvalidSignatureException"), None, at(3600)));
        assert_eq!(skew.correct(at(1)), at(1));
    }

    #[test]
    fn date_header_is_parsed() {
        let mut headers = HeaderMap::new();
        assert_eq!(response_date(&headers), None);
        headers.insert(DATE, "Fri, 02 Jan 2026 03:04:05 GMT".parse().unwrap());
        assert_eq!(response_date(&headers), Some("2026-01-02T03:04:05Z".parse().unwrap()));
        headers.insert(DATE, "yesterday".parse().unwrap());
        assert_eq!(response_date(&headers), None);
    }
}
