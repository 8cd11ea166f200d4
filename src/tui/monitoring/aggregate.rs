//! Aggregates CloudWatch data points.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{ExceptionCount, Monitoring, Series, TimeRange};
use crate::aws::cloudwatch::{Metric, MetricDataResult};
use crate::aws::kms::metrics::{
    EXTERNAL_KEY_STORE_THROTTLE, KEY_MANAGER_STATES, NO_EXCEPTION, RETRYABLE, XKS_EXTERNAL_KEY_MANAGER_STATES,
    XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE, XKS_PROXY_CREDENTIAL_AGE, XKS_PROXY_ERRORS, XKS_PROXY_LATENCY, dimension,
};

/// The number of exceptions in the list.
const MAX_EXCEPTIONS: usize = 5;

/// The newest value so far and its time.
#[derive(Clone, Copy, Debug, Default)]
struct Latest(Option<(Timestamp, f64)>);

impl Latest {
    fn update(&mut self, at: Timestamp, value: f64) {
        if self.0.is_none_or(|(known, _)| at >= known) {
            self.0 = Some((at, value));
        }
    }

    fn value(self) -> Option<f64> {
        self.0.map(|(_, value)| value)
    }
}

/// The data points added so far.
struct MetricAggregator {
    requests: Series,
    retryable: Series,
    response_counts: Series,
    latency_sums: Series,
    max_latency: Series,
    exceptions: BTreeMap<(String, String), f64>,
    manager_states: [Latest; 3],
    certificates: BTreeMap<String, Latest>,
    credential_age: Latest,
    throttled: f64,
}

/// Combines a value with the value of its period.
fn accumulate(series: &mut Series, at: usize, value: f64, with: fn(f64, f64) -> f64) {
    if let Some(slot) = series.get_mut(at) {
        *slot = Some(slot.map_or(value, |known| with(known, value)));
    }
}

fn total(series: &Series) -> f64 {
    series.iter().flatten().sum()
}

/// Returns `part / whole`, or `None` if `whole` is zero.
fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

impl MetricAggregator {
    fn new(periods: usize) -> Self {
        let empty: Series = vec![None; periods];
        Self {
            requests: empty.clone(),
            retryable: empty.clone(),
            response_counts: empty.clone(),
            latency_sums: empty.clone(),
            max_latency: empty,
            exceptions: BTreeMap::new(),
            manager_states: [Latest::default(); 3],
            certificates: BTreeMap::new(),
            credential_age: Latest::default(),
            throttled: 0.0,
        }
    }

    /// Adds one data point in the period with the index `at`.
    fn add_data_point(&mut self, metric: &Metric, statistic: &str, at: usize, time: Timestamp, value: f64) {
        let add = |one, other| one + other;
        let of = |name| metric.dimension(name).unwrap_or_default();
        match (metric.metric_name.as_deref(), statistic) {
            (Some(XKS_PROXY_ERRORS), _) => {
                accumulate(&mut self.requests, at, value, add);
                let (name, error_type) = (of(dimension::EXCEPTION_NAME), of(dimension::ERROR_TYPE));
                if error_type == RETRYABLE {
                    accumulate(&mut self.retryable, at, value, add);
                }
                if name != NO_EXCEPTION {
                    *self.exceptions.entry((name.to_owned(), error_type.to_owned())).or_default() += value;
                }
            }
            (Some(XKS_PROXY_LATENCY), "SampleCount") => accumulate(&mut self.response_counts, at, value, add),
            (Some(XKS_PROXY_LATENCY), "Sum") => accumulate(&mut self.latency_sums, at, value, add),
            (Some(XKS_PROXY_LATENCY), _) => accumulate(&mut self.max_latency, at, value, f64::max),
            (Some(XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE), _) => {
                self.certificates.entry(of(dimension::CERTIFICATE_NAME).to_owned()).or_default().update(time, value);
            }
            (Some(XKS_EXTERNAL_KEY_MANAGER_STATES), _) => {
                let state = of(dimension::XKS_EXTERNAL_KEY_MANAGER_STATE);
                if let Some(place) = KEY_MANAGER_STATES.iter().position(|known| *known == state) {
                    self.manager_states[place].update(time, value);
                }
            }
            (Some(XKS_PROXY_CREDENTIAL_AGE), _) => self.credential_age.update(time, value),
            (Some(EXTERNAL_KEY_STORE_THROTTLE), _) => self.throttled += value,
            _ => {}
        }
    }

    /// Returns the percentage of `all` that were not `lost`.
    fn reliability_percent(all: f64, lost: f64) -> Option<f64> {
        ratio(100.0 * (all - lost), all).map(|percent| percent.clamp(0.0, 100.0))
    }

    fn into_monitoring(self, range: TimeRange, start: Timestamp) -> Monitoring {
        let pairs = |one: &Series, other: &Series, of: fn(f64, f64) -> Option<f64>| -> Series {
            one.iter().zip(other).map(|(one, other)| of((*one)?, other.unwrap_or(0.0))).collect()
        };
        Monitoring {
            range,
            start,
            reliability: pairs(&self.requests, &self.retryable, Self::reliability_percent),
            latency: pairs(&self.latency_sums, &self.response_counts, ratio),
            overall_reliability: Self::reliability_percent(total(&self.requests), total(&self.retryable)),
            average_latency: ratio(total(&self.latency_sums), total(&self.response_counts)),
            requests: self.requests,
            max_latency: self.max_latency,
            exceptions: most_frequent(self.exceptions),
            certificates: self
                .certificates
                .into_iter()
                .filter_map(|(name, days)| Some((name, days.value()?)))
                .collect(),
            manager_counts: self.manager_states.map(Latest::value),
            credential_age: self.credential_age.value(),
            throttled: self.throttled,
        }
    }
}

fn most_frequent(counts: BTreeMap<(String, String), f64>) -> Vec<ExceptionCount> {
    let counts = counts.into_iter().map(|((name, error_type), count)| ExceptionCount { name, error_type, count });
    let mut counts: Vec<_> = counts.filter(|exception| exception.count > 0.0).collect();
    counts.sort_by(|one, other| other.count.total_cmp(&one.count));
    counts.truncate(MAX_EXCEPTIONS);
    counts
}

impl Monitoring {
    /// Aggregates results: each is a metric, a statistic, and its data points.
    pub fn new<'a>(
        range: TimeRange,
        start: Timestamp,
        results: impl IntoIterator<Item = (&'a Metric, &'a str, &'a MetricDataResult)>,
    ) -> Self {
        let (length, period) = range.length_and_period();
        let mut aggregator = MetricAggregator::new(usize::try_from(length / period).unwrap_or_default());
        for (metric, statistic, result) in results {
            for (time, value) in result.timestamps.iter().zip(&result.values) {
                let at = (time.0.as_second() - start.as_second()).div_euclid(period);
                // A value that couldn't be read is NaN.
                if let (Ok(at), true) = (usize::try_from(at), value.is_finite()) {
                    aggregator.add_data_point(metric, statistic, at, time.0, *value);
                }
            }
        }
        aggregator.into_monitoring(range, start)
    }
}
