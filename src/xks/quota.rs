//! The requests-per-second quota of each proxy partition.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// The capacity of a partition's bucket, as the time that it takes to refill.
const BURST: SignedDuration = SignedDuration::from_secs(1);

/// A token bucket for each partition. It allows a burst of one second's requests, and refills at the same rate.
#[derive(Debug)]
pub struct Quota {
    rate: NonZeroU32,
    /// The time when the bucket of each partition will be full again.
    full_at: Mutex<HashMap<String, Timestamp>>,
}

impl Quota {
    /// Creates a quota of `rate` requests per second for each partition.
    pub fn new(rate: NonZeroU32) -> Self {
        Self { rate, full_at: Mutex::default() }
    }

    /// Returns the number of requests per second.
    pub fn rate(&self) -> NonZeroU32 {
        self.rate
    }

    /// Takes a token from the bucket of `partition`. Returns `false` if it is empty. Rejected requests don't take a
    /// token.
    pub fn try_acquire(&self, partition: &str, now: Timestamp) -> bool {
        let limit = now.saturating_add(BURST).unwrap_or(Timestamp::MAX);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        // If the clock was set back, the bucket is at most empty.
        let full_at = buckets.get(partition).map_or(now, |full_at| (*full_at).clamp(now, limit));
        let after = full_at.saturating_add(BURST / self.rate.get().cast_signed()).unwrap_or(Timestamp::MAX);
        let is_allowed = after <= limit;
        buckets.insert(partition.to_owned(), if is_allowed { after } else { full_at });
        is_allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Clock;
    use proptest::prelude::*;

    fn clock() -> Clock {
        Clock::manual("2026-03-02T10:15:00Z".parse().unwrap())
    }

    fn quota(rate: u32) -> Quota {
        Quota::new(NonZeroU32::new(rate).unwrap())
    }

    /// Counts the requests that are allowed at once.
    fn burst(quota: &Quota, partition: &str, clock: &Clock) -> usize {
        (0..2000).filter(|_| quota.try_acquire(partition, clock.now())).count()
    }

    #[test]
    fn bucket_allows_one_second_of_requests_and_refills_in_a_second() {
        for rate in [1, 3, 7, 1800] {
            let (quota, clock) = (quota(rate), clock());
            let rate = usize::try_from(rate).unwrap();
            assert_eq!(burst(&quota, "a", &clock), rate);
            clock.advance(SignedDuration::from_secs(1));
            assert_eq!(burst(&quota, "a", &clock), rate);
            clock.advance(SignedDuration::from_hours(1));
            assert_eq!(burst(&quota, "a", &clock), rate, "idle time must not accumulate");
        }
    }

    #[test]
    fn bucket_refills_gradually() {
        let (quota, clock) = (quota(4), clock());
        assert_eq!(burst(&quota, "a", &clock), 4);
        clock.advance(SignedDuration::from_millis(249));
        assert_eq!(burst(&quota, "a", &clock), 0);
        clock.advance(SignedDuration::from_millis(1));
        assert_eq!(burst(&quota, "a", &clock), 1);
        clock.advance(SignedDuration::from_millis(500));
        assert_eq!(burst(&quota, "a", &clock), 2);
    }

    #[test]
    fn partitions_have_separate_buckets() {
        let (quota, clock) = (quota(2), clock());
        assert_eq!(burst(&quota, "a", &clock), 2);
        assert_eq!(burst(&quota, "b", &clock), 2);
        assert_eq!(burst(&quota, "a", &clock), 0);
    }

    #[test]
    fn clock_set_back_does_not_block_requests() {
        let (quota, clock) = (quota(2), clock());
        assert_eq!(burst(&quota, "a", &clock), 2);
        clock.advance(SignedDuration::from_hours(-3));
        assert_eq!(burst(&quota, "a", &clock), 0);
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(burst(&quota, "a", &clock), 2);
    }

    proptest! {
        #[test]
        fn requests_never_exceed_burst_plus_rate(
            rate in 1u32..50,
            steps in proptest::collection::vec(0i64..400, 1..200),
        ) {
            let (quota, clock, mut allowed, mut elapsed) = (quota(rate), clock(), 0i64, 0i64);
            for step in steps {
                clock.advance(SignedDuration::from_millis(step));
                elapsed += step;
                allowed += i64::from(quota.try_acquire("a", clock.now()));
            }
            let max = i64::from(rate) + elapsed * i64::from(rate) / 1000 + 1;
            prop_assert!(allowed <= max, "{allowed} of {max}");
        }
    }
}
