//! Latency statistics.

use std::time::Duration;

use serde::Serialize;

use crate::xks::client::PROXY_TIMEOUT;

/// The latency of requests of one kind, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// What was measured.
    pub what: String,
    /// The number of samples.
    pub requests: usize,
    /// The median.
    pub p50: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The 99th percentile.
    pub p99: f64,
    /// The maximum.
    pub max: f64,
    /// The percentage of samples within the time limit of AWS KMS.
    pub within_250_ms: f64,
}

impl Latency {
    /// Returns the nearest-rank percentiles of `samples`, or `None` if there are no samples.
    #[allow(clippy::cast_precision_loss)]
    pub fn from_samples(what: impl Into<String>, mut samples: Vec<Duration>) -> Option<Self> {
        samples.sort_unstable();
        let max = milliseconds(*samples.last()?);
        let at = |percent: usize| {
            let rank = (samples.len() * percent).div_ceil(100).max(1);
            samples.get(rank - 1).copied().map_or(max, milliseconds)
        };
        let within = samples.iter().filter(|duration| **duration <= PROXY_TIMEOUT).count();
        Some(Self {
            what: what.into(),
            requests: samples.len(),
            p50: at(50),
            p90: at(90),
            p99: at(99),
            max,
            within_250_ms: 100.0 * within as f64 / samples.len() as f64,
        })
    }

    /// Returns one line for the report.
    pub fn summary(&self) -> String {
        let Self { what, requests, p50, p90, p99, max, within_250_ms } = self;
        format!(
            "{what} ({requests} samples): p50 {p50:.2} ms, p90 {p90:.2} ms, p99 {p99:.2} ms, max {max:.2} ms; \
             {within_250_ms:.1}% within 250 ms"
        )
    }

    /// Returns a description of the violation if AWS KMS would have timed out on more than 1 in 100 requests.
    pub fn violation(&self) -> Option<String> {
        let limit = milliseconds(PROXY_TIMEOUT);
        (self.p99 > limit)
            .then(|| format!("{}: p99 is {:.1} ms; AWS KMS times out after {limit:.0} ms", self.what, self.p99))
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[cfg(test)]
#[allow(clippy::float_cmp)]
mod tests {
    use super::*;

    fn latency_of(milliseconds: impl IntoIterator<Item = u64>) -> Latency {
        Latency::from_samples("health", milliseconds.into_iter().map(Duration::from_millis).collect()).unwrap()
    }

    #[test]
    fn percentiles_use_the_nearest_rank() {
        let latency = latency_of((1..=200).rev());
        assert_eq!((latency.p50, latency.p90, latency.p99, latency.max), (100.0, 180.0, 198.0, 200.0));
        assert_eq!(latency_of([7]), Latency { p50: 7.0, p90: 7.0, p99: 7.0, max: 7.0, requests: 1, ..latency });
        assert_eq!(Latency::from_samples("none", Vec::new()), None);
    }

    #[test]
    fn one_slow_request_in_a_hundred_passes_and_two_fail() {
        let with_slow = |slow: usize| latency_of((0..100).map(|at| if at < slow { 251 } else { 10 }));
        assert_eq!((with_slow(1).violation(), with_slow(1).within_250_ms), (None, 99.0));
        let violation = with_slow(2).violation().unwrap();
        assert!(violation.contains("health") && violation.contains("251.0 ms"), "{violation}");
        assert_eq!(latency_of([250; 100]).violation(), None);
    }
}
