//! The section *Monitoring* of the page of an external key store: CloudWatch metrics, aggregated and drawn.
//!
//! The graphs and their calculation follow *Monitoring an external key store* in the AWS KMS Developer Guide.

mod aggregate;
mod chart;
mod draw;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use draw::{write, write_range};

use crate::aws::cloudwatch::Metric;
use crate::aws::kms::metrics::{
    EXTERNAL_KEY_STORE_THROTTLE, XKS_EXTERNAL_KEY_MANAGER_STATES, XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE,
    XKS_PROXY_CREDENTIAL_AGE, XKS_PROXY_ERRORS, XKS_PROXY_LATENCY,
};

/// The time range of the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeRange {
    /// 1 hour, in periods of 1 minute.
    OneHour,
    /// 3 hours, in periods of 5 minutes. The AWS console starts with this range.
    #[default]
    ThreeHours,
    /// 12 hours, in periods of 15 minutes.
    TwelveHours,
    /// 1 day, in periods of 30 minutes.
    OneDay,
    /// 3 days, in periods of 1 hour.
    ThreeDays,
    /// 1 week, in periods of 3 hours.
    OneWeek,
}

impl TimeRange {
    /// All time ranges, shortest first.
    pub const ALL: [Self; 6] =
        [Self::OneHour, Self::ThreeHours, Self::TwelveHours, Self::OneDay, Self::ThreeDays, Self::OneWeek];

    /// Returns the next longer range. The shortest follows the longest.
    #[must_use]
    pub fn next(self) -> Self {
        let place = Self::ALL.iter().position(|range| *range == self).unwrap_or(0);
        Self::ALL[(place + 1) % Self::ALL.len()]
    }

    /// Returns the abbreviation that the AWS console uses.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OneHour => "1h",
            Self::ThreeHours => "3h",
            Self::TwelveHours => "12h",
            Self::OneDay => "1d",
            Self::ThreeDays => "3d",
            Self::OneWeek => "1w",
        }
    }

    /// Returns the range and its period in words.
    pub const fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::OneHour => ("1 hour", "1 minute"),
            Self::ThreeHours => ("3 hours", "5 minutes"),
            Self::TwelveHours => ("12 hours", "15 minutes"),
            Self::OneDay => ("1 day", "30 minutes"),
            Self::ThreeDays => ("3 days", "1 hour"),
            Self::OneWeek => ("1 week", "3 hours"),
        }
    }

    /// Returns the length of the range and of a period, in seconds.
    const fn length_and_period(self) -> (i64, i64) {
        const HOUR: i64 = 3600;
        match self {
            Self::OneHour => (HOUR, 60),
            Self::ThreeHours => (3 * HOUR, 300),
            Self::TwelveHours => (12 * HOUR, 900),
            Self::OneDay => (24 * HOUR, 1800),
            Self::ThreeDays => (72 * HOUR, HOUR),
            Self::OneWeek => (168 * HOUR, 3 * HOUR),
        }
    }

    /// Returns the length of a period, in seconds. Each period is one data point.
    pub const fn period(self) -> i64 {
        self.length_and_period().1
    }

    /// Returns the start of the first period and the end of the last period, which contains `now`.
    pub fn window_at(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let (length, period) = self.length_and_period();
        let end = (now.as_second().div_euclid(period) + 1) * period;
        let moment = |second| Timestamp::from_second(second).unwrap_or(now);
        (moment(end - length), moment(end))
    }
}

/// Returns the statistics to request for a metric.
pub fn statistics(metric: &Metric) -> &'static [&'static str] {
    match metric.metric_name.as_deref() {
        Some(XKS_PROXY_ERRORS) => &["SampleCount"],
        Some(XKS_PROXY_LATENCY) => &["SampleCount", "Sum", "Maximum"],
        Some(XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE) => &["Minimum"],
        Some(XKS_PROXY_CREDENTIAL_AGE | XKS_EXTERNAL_KEY_MANAGER_STATES) => &["Maximum"],
        Some(EXTERNAL_KEY_STORE_THROTTLE) => &["Sum"],
        _ => &[],
    }
}

/// One value for each period, or `None` for a period without data.
pub type Series = Vec<Option<f64>>;

/// An exception and its number of occurrences.
#[derive(Clone, Debug, PartialEq)]
pub struct ExceptionCount {
    /// The name of the exception.
    pub name: String,
    /// `Retryable` or `Non-retryable`.
    pub error_type: String,
    /// The number of occurrences.
    pub count: f64,
}

/// The aggregated metrics of one key store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Monitoring {
    /// The time range.
    pub range: TimeRange,
    /// The start of the first period.
    pub start: Timestamp,
    /// The number of requests to the proxy.
    pub requests: Series,
    /// The percentage of requests without a retryable error.
    pub reliability: Series,
    /// The average latency of the proxy, in milliseconds.
    pub latency: Series,
    /// The maximum latency of the proxy, in milliseconds.
    pub max_latency: Series,
    /// The most frequent exceptions, at most five.
    pub exceptions: Vec<ExceptionCount>,
    /// The certificate names and the days until they expire.
    pub certificates: Vec<(String, f64)>,
    /// The latest number of external key managers in each of [`KEY_MANAGER_STATES`].
    ///
    /// [`KEY_MANAGER_STATES`]: crate::aws::kms::metrics::KEY_MANAGER_STATES
    pub manager_counts: [Option<f64>; 3],
    /// The days since AWS KMS received the proxy credential.
    pub credential_age: Option<f64>,
    /// The number of requests that AWS KMS throttled.
    pub throttled: f64,
    /// The percentage of all requests without a retryable error.
    pub overall_reliability: Option<f64>,
    /// The average latency of all requests, in milliseconds.
    pub average_latency: Option<f64>,
}

impl Monitoring {
    /// Returns whether there is no data.
    pub fn is_empty(&self) -> bool {
        self.requests.iter().all(Option::is_none)
            && self.certificates.is_empty()
            && self.manager_counts.iter().all(Option::is_none)
            && self.credential_age.is_none()
            && self.throttled <= 0.0
    }
}
