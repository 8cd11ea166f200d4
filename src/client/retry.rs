//! Whether a call that failed is made again, and when: as the AWS SDKs do, and never where it could be done twice.

use std::time::Duration;

use tokio::time::Instant;

use super::CallError;
use crate::aws::codec::UNKNOWN_ERROR;
use crate::aws::error::ServiceError;
use crate::environment::Random;

/// How long an attempt may take whose outcome matters only once: it is better to wait than not to know.
const NON_IDEMPOTENT_TIMEOUT: Duration = Duration::from_mins(1);
/// How long an attempt may take that can be made again.
const IDEMPOTENT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long after the first attempt another may begin.
const RETRY_BUDGET: Duration = Duration::from_mins(1);
/// Attempts at most, as in the standard retry mode of the AWS SDKs.
const MAX_ATTEMPTS: u32 = 3;
/// Attempts at most while the service says that it is asked too much, of what can be asked again.
const MAX_THROTTLED_ATTEMPTS: u32 = 8;
/// The longest time between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(20);

/// Why it may go better the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RetryReason {
    /// Too much was asked, and nothing was done.
    Throttled,
    /// The service was not reached, and nothing was done.
    Unreachable,
    /// Something went wrong that may pass; what was asked may have been done.
    Transient,
}

/// The attempts of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    is_idempotent: bool,
    started_at: Instant,
    /// Attempts made.
    pub count: u32,
}

impl Attempts {
    /// The attempts of a call that begins now.
    pub fn new(is_idempotent: bool) -> Self {
        Self { is_idempotent, started_at: Instant::now(), count: 0 }
    }

    /// How long an attempt may take.
    pub fn timeout(&self) -> Duration {
        if self.is_idempotent { IDEMPOTENT_TIMEOUT } else { NON_IDEMPOTENT_TIMEOUT }
    }

    /// How long to wait before the next attempt after one has failed; nothing when there is to be none.
    pub fn backoff(&self, error: &CallError, random: &Random) -> Option<Duration> {
        let reason = retry_reason(error)?;
        let most =
            if reason == RetryReason::Throttled && self.is_idempotent { MAX_THROTTLED_ATTEMPTS } else { MAX_ATTEMPTS };
        let is_safe = self.is_idempotent || reason != RetryReason::Transient;
        let pause = full_jitter(reason, self.count, random);
        let is_in_time = self.started_at.elapsed() + pause <= RETRY_BUDGET;
        (is_safe && self.count < most && is_in_time).then_some(pause)
    }
}

fn retry_reason(error: &CallError) -> Option<RetryReason> {
    match error {
        CallError::Service(error) if error.is_throttling() => Some(RetryReason::Throttled),
        CallError::Service(error) => is_transient(error).then_some(RetryReason::Transient),
        CallError::Transport(error) if error.may_have_arrived => Some(RetryReason::Transient),
        CallError::Transport(_) => Some(RetryReason::Unreachable),
        // Such as half an answer.
        CallError::Malformed { .. } => Some(RetryReason::Transient),
        CallError::NotAvailable | CallError::Credentials(_) | CallError::Signing(_) | CallError::ReadOnly { .. } => {
            None
        }
    }
}

/// Whether a fault of the service, or of something on the way to it, may pass. 429 without a code that the service has may
/// be from anybody.
fn is_transient(error: &ServiceError) -> bool {
    let is_late = ["RequestTimeout", "InternalFailure", "ServiceUnavailable"].iter().any(|code| error.has_code(code));
    is_late || error.status >= 500 || error.status == 429 && error.code == UNKNOWN_ERROR
}

/// Some time between none and twice as long for each attempt that was made, so that clients that failed together don't
/// come back together.
fn full_jitter(reason: RetryReason, made: u32, random: &Random) -> Duration {
    let first = if reason == RetryReason::Throttled { Duration::from_secs(1) } else { Duration::from_millis(100) };
    let longest = first.saturating_mul(1 << made.saturating_sub(1).min(10)).min(MAX_BACKOFF);
    // Without randomness the whole time is waited.
    let part = random.bytes().map_or(u32::MAX, u32::from_le_bytes);
    longest.mul_f64(f64::from(part) / f64::from(u32::MAX))
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

    /// How many attempts a call makes that always fails so.
    fn attempts(is_idempotent: bool, error: &CallError) -> u32 {
        let mut attempts = Attempts { count: 1, ..Attempts::new(is_idempotent) };
        while attempts.backoff(error, &random()).is_some() {
            attempts.count += 1;
        }
        attempts.count
    }

    #[tokio::test(start_paused = true)]
    async fn uncertain_outcome_is_retried_only_for_idempotent_operations() {
        for (error, idempotent, once) in [
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
            assert_eq!((attempts(true, &error), attempts(false, &error)), (idempotent, once), "{error:?}");
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
