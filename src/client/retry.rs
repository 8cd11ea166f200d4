//! Retries of failed calls, as in the AWS SDKs, but never if the service could carry out a request twice.

use std::time::Duration;

use tokio::time::Instant;

use super::CallError;
use crate::aws::codec::UNKNOWN_ERROR;
use crate::aws::error::ServiceError;
use crate::environment::Random;

/// The timeout of an attempt that can't be retried safely. It is longer, because a timeout leaves the outcome unknown.
const NON_IDEMPOTENT_TIMEOUT: Duration = Duration::from_mins(1);
/// The timeout of an attempt that can be retried.
const IDEMPOTENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long after the first attempt a retry may start.
const RETRY_BUDGET: Duration = Duration::from_mins(1);
/// The maximum number of attempts, as in the standard retry mode of the AWS SDKs.
const MAX_ATTEMPTS: u32 = 3;
/// The maximum number of attempts of an idempotent operation while the service throttles it.
const MAX_THROTTLED_ATTEMPTS: u32 = 8;
/// The longest pause between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(20);

/// Why a retry may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RetryReason {
    /// The service throttled the request and did nothing.
    Throttled,
    /// The request didn't reach the service.
    Unreachable,
    /// The error may be temporary, and the service may have carried out the request.
    Transient,
}

/// The attempts of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    is_idempotent: bool,
    started_at: Instant,
    /// The number of attempts so far.
    pub count: u32,
}

impl Attempts {
    /// Starts counting the attempts of a call that begins now.
    pub fn new(is_idempotent: bool) -> Self {
        Self { is_idempotent, started_at: Instant::now(), count: 0 }
    }

    /// Returns how long an attempt may take.
    pub fn timeout(&self) -> Duration {
        if self.is_idempotent { IDEMPOTENT_TIMEOUT } else { NON_IDEMPOTENT_TIMEOUT }
    }

    /// Returns how long to wait before the next attempt, or `None` if the call must not be retried.
    pub fn backoff(&self, error: &CallError, random: &Random) -> Option<Duration> {
        let reason = retry_reason(error)?;
        let max_attempts =
            if reason == RetryReason::Throttled && self.is_idempotent { MAX_THROTTLED_ATTEMPTS } else { MAX_ATTEMPTS };
        let is_safe = self.is_idempotent || reason != RetryReason::Transient;
        let pause = full_jitter(reason, self.count, random);
        let is_in_time = self.started_at.elapsed() + pause <= RETRY_BUDGET;
        (is_safe && self.count < max_attempts && is_in_time).then_some(pause)
    }
}

fn retry_reason(error: &CallError) -> Option<RetryReason> {
    match error {
        CallError::Service(error) if error.is_throttling() => Some(RetryReason::Throttled),
        CallError::Service(error) => is_transient(error).then_some(RetryReason::Transient),
        CallError::Transport(error) if error.may_have_arrived => Some(RetryReason::Transient),
        CallError::Transport(_) => Some(RetryReason::Unreachable),
        // The response may be cut off.
        CallError::Malformed { .. } => Some(RetryReason::Transient),
        CallError::NotAvailable | CallError::Credentials(_) | CallError::Signing(_) | CallError::ReadOnly { .. } => {
            None
        }
    }
}

/// Whether an error of the service, or of something between the client and the service, may be temporary.
///
/// A 429 without an error code can come from anything on the way.
fn is_transient(error: &ServiceError) -> bool {
    let is_temporary =
        ["RequestTimeout", "InternalFailure", "ServiceUnavailable"].iter().any(|code| error.has_code(code));
    is_temporary || error.status >= 500 || error.status == 429 && error.code == UNKNOWN_ERROR
}

/// Returns a random pause between zero and a limit that doubles with each attempt.
///
/// The jitter keeps clients that failed at the same time from retrying at the same time.
fn full_jitter(reason: RetryReason, attempts: u32, random: &Random) -> Duration {
    let first = if reason == RetryReason::Throttled { Duration::from_secs(1) } else { Duration::from_millis(100) };
    let longest = first.saturating_mul(1 << attempts.saturating_sub(1).min(10)).min(MAX_BACKOFF);
    // Without a random number, the pause is as long as the limit.
    let fraction = random.bytes().map_or(u32::MAX, u32::from_le_bytes);
    longest.mul_f64(f64::from(fraction) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::TransportError;
    use crate::environment::Environment;

    fn service(status: u16, code: &str) -> CallError {
        ServiceError { status, ..ServiceError::new(code, "") }.into()
    }

    fn transport(may_have_arrived: bool) -> CallError {
        TransportError { host: String::new(), reason: String::new(), may_have_arrived }.into()
    }

    fn random() -> Random {
        Environment::replayable(jiff::Timestamp::UNIX_EPOCH, 1).random
    }

    /// Returns how many attempts a call makes if each one fails with `error`.
    fn attempts(is_idempotent: bool, error: &CallError) -> u32 {
        let mut attempts = Attempts { count: 1, ..Attempts::new(is_idempotent) };
        while attempts.backoff(error, &random()).is_some() {
            attempts.count += 1;
        }
        attempts.count
    }

    #[tokio::test(start_paused = true)]
    async fn uncertain_outcome_is_retried_only_for_idempotent_operations() {
        for (error, idempotent, not_idempotent) in [
            (service(400, "ThrottlingException"), 8, 3),
            (service(503, "Throttling"), 8, 3),
            (service(400, "TooManyRequestsException"), 8, 3),
            (service(400, "RequestLimitExceeded"), 8, 3),
            (service(429, UNKNOWN_ERROR), 3, 1),
            (service(500, "KMSInternalException"), 3, 1),
            (service(500, "DependencyTimeoutException"), 3, 1),
            (service(502, UNKNOWN_ERROR), 3, 1),
            (service(400, "RequestTimeout"), 3, 1),
            (transport(false), 3, 3),
            (transport(true), 3, 1),
            (CallError::Malformed { operation: "ListKeys", reason: String::new() }, 3, 1),
            (service(400, "LimitExceededException"), 1, 1),
            (service(400, "AccessDeniedException"), 1, 1),
            (service(400, "XksKeyAlreadyInUseException"), 1, 1),
            (service(400, "ExpiredTokenException"), 1, 1),
            (service(403, UNKNOWN_ERROR), 1, 1),
            (CallError::NotAvailable, 1, 1),
        ] {
            assert_eq!((attempts(true, &error), attempts(false, &error)), (idempotent, not_idempotent), "{error:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_retry_starts_after_the_retry_budget() {
        let attempts = Attempts { count: 1, ..Attempts::new(true) };
        assert!(attempts.backoff(&transport(true), &random()).is_some());
        tokio::time::advance(RETRY_BUDGET).await;
        assert_eq!(attempts.backoff(&transport(true), &random()), None);
    }

    #[test]
    fn backoff_doubles_with_full_jitter_up_to_a_limit() {
        let random = random();
        for (reason, made, most) in [
            (RetryReason::Throttled, 1, 1000),
            (RetryReason::Throttled, 2, 2000),
            (RetryReason::Throttled, 7, 20_000),
            (RetryReason::Transient, 1, 100),
            (RetryReason::Unreachable, 2, 200),
        ] {
            let pauses: Vec<u128> = (0..200).map(|_| full_jitter(reason, made, &random).as_millis()).collect();
            let (least, longest) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
            assert!(*least < most / 10 && *longest <= most && *longest > most * 9 / 10, "{least} {longest} of {most}");
        }
    }
}
