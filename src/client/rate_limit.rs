//! Asking no more often than AWS's request quotas allow, so that nothing is refused for it, here or elsewhere in the account.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::aws::operation::Service;
use crate::aws::quotas::requests_per_second;

/// The time that quotas count.
const WINDOW: Duration = Duration::from_secs(1);

/// When operations with a quota were asked lately, by Region. In no second are there more than the quota.
#[derive(Debug, Default)]
pub(super) struct RateLimiter(Mutex<HashMap<(String, &'static str), VecDeque<Instant>>>);

impl RateLimiter {
    /// Waits until an operation may be asked in a Region. Who comes first is first to go.
    pub async fn acquire(&self, service: Service, operation: &'static str, region: &str) {
        if let Some(quota) = requests_per_second(service, operation) {
            tokio::time::sleep_until(self.reserve_slot(region, operation, quota)).await;
        }
    }

    /// Takes the next turn.
    fn reserve_slot(&self, region: &str, operation: &'static str, quota: usize) -> Instant {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slots = recent.entry((region.to_owned(), operation)).or_default();
        let now = Instant::now();
        let earliest = if slots.len() < quota { None } else { slots.pop_front() };
        let turn = earliest.map_or(now, |earliest| now.max(earliest + WINDOW));
        slots.push_back(turn);
        turn
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
        let pace = RateLimiter::default();
        let many = async |count: usize| {
            for _ in 0..count {
                pace.acquire(Service::Kms, "CreateAlias", "us-west-2").await;
            }
        };
        assert_eq!(seconds(many(5)).await, 0);
        assert_eq!(seconds(many(6)).await, 2);
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(seconds(many(5)).await, 0, "what was not used long ago can't be used now");
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_requests_are_spread_over_time() {
        let pace = RateLimiter::default();
        let all = (0..20).map(|_| pace.acquire(Service::Kms, "CreateAlias", "us-west-2"));
        assert_eq!(seconds(async { drop(futures_util::future::join_all(all).await) }).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn quota_applies_per_operation_and_region() {
        let pace = RateLimiter::default();
        let work = async {
            for _ in 0..5 {
                pace.acquire(Service::Kms, "CreateAlias", "us-west-2").await;
                pace.acquire(Service::Kms, "CreateAlias", "eu-west-1").await;
                pace.acquire(Service::Kms, "TagResource", "us-west-2").await;
            }
            for _ in 0..5000 {
                pace.acquire(Service::Kms, "DescribeKey", "us-west-2").await;
            }
        };
        assert_eq!(seconds(work).await, 0);
    }
}
