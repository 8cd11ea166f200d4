//! Rate limiting within the request quotas of AWS, so that neither this client nor others in the account are throttled.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::aws::operation::Service;
use crate::aws::quotas::requests_per_second;

/// The period that request quotas apply to.
const WINDOW: Duration = Duration::from_secs(1);

/// The time slots of recent requests, by Region and operation.
///
/// A queue holds at most as many slots as the quota allows requests per second.
#[derive(Debug, Default)]
pub(super) struct RateLimiter(Mutex<HashMap<(String, &'static str), VecDeque<Instant>>>);

impl RateLimiter {
    /// Waits until the quota allows another request in a Region. Callers are served in order of arrival.
    pub async fn acquire(&self, service: Service, operation: &'static str, region: &str) {
        if let Some(quota) = requests_per_second(service, operation) {
            tokio::time::sleep_until(self.reserve_slot(region, operation, quota)).await;
        }
    }

    /// Reserves the next slot, and returns when it begins.
    fn reserve_slot(&self, region: &str, operation: &'static str, quota: usize) -> Instant {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = recent.entry((region.to_owned(), operation)).or_default();
        let now = Instant::now();
        let earliest = if slots.len() < quota { None } else { slots.pop_front() };
        let slot = earliest.map_or(now, |earliest| now.max(earliest + WINDOW));
        slots.push_back(slot);
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn seconds(work: impl Future<Output = ()>) -> u64 {
        let start = Instant::now();
        work.await;
        start.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn requests_per_second_stay_within_quota() {
        let limiter = RateLimiter::default();
        let acquire = async |count: usize| {
            for _ in 0..count {
                limiter.acquire(Service::Kms, "CreateAlias", "us-west-2").await;
            }
        };
        assert_eq!(seconds(acquire(5)).await, 0);
        assert_eq!(seconds(acquire(6)).await, 2);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(seconds(acquire(5)).await, 0, "unused quota doesn't accumulate");
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_requests_are_spread_over_time() {
        let limiter = RateLimiter::default();
        let all = (0..20).map(|_| limiter.acquire(Service::Kms, "CreateAlias", "us-west-2"));
        assert_eq!(seconds(async { drop(futures_util::future::join_all(all).await) }).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn quota_applies_per_operation_and_region() {
        let limiter = RateLimiter::default();
        let work = async {
            for _ in 0..5 {
                limiter.acquire(Service::Kms, "CreateAlias", "us-west-2").await;
                limiter.acquire(Service::Kms, "CreateAlias", "eu-west-1").await;
                limiter.acquire(Service::Kms, "TagResource", "us-west-2").await;
            }
            for _ in 0..5000 {
                limiter.acquire(Service::Kms, "DescribeKey", "us-west-2").await;
            }
        };
        assert_eq!(seconds(work).await, 0);
    }
}
