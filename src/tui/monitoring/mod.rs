//! What CloudWatch tells of an external key store, put together for the section *Monitoring* of its page.
//!
//! Source of what is shown and how it is derived: *Monitor external key stores* in the KMS developer guide.

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

/// How far back figures are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeRange {
    /// By the minute.
    OneHour,
    /// By five minutes, as AWS's console begins.
    #[default]
    ThreeHours,
    /// By a quarter of an hour.
    TwelveHours,
    /// By half an hour.
    OneDay,
    /// By the hour.
    ThreeDays,
    /// By three hours.
    OneWeek,
}

impl TimeRange {
    /// All, the shortest first.
    pub const ALL: [Self; 6] =
        [Self::OneHour, Self::ThreeHours, Self::TwelveHours, Self::OneDay, Self::ThreeDays, Self::OneWeek];

    /// The next longer one; the shortest after the longest.
    #[must_use]
    pub fn next(self) -> Self {
        let place = Self::ALL.iter().position(|range| *range == self).unwrap_or(0);
        Self::ALL[(place + 1) % Self::ALL.len()]
    }

    /// As AWS's console abbreviates it.
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

    /// In words, and those of the period that makes one data point.
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

    /// Its length and that of a period, in seconds.
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

    /// The seconds that make one data point.
    pub const fn period(self) -> i64 {
        self.length_and_period().1
    }

    /// When the first period starts and the last one, in which `now` is, ends.
    pub fn window_at(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let (length, period) = self.length_and_period();
        let end = (now.as_second().div_euclid(period) + 1) * period;
        let moment = |second| Timestamp::from_second(second).unwrap_or(now);
        (moment(end - length), moment(end))
    }
}

/// The statistics that are asked of a metric.
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

/// A value for each period; nothing where nothing was recorded.
pub type Series = Vec<Option<f64>>;

/// An exception, and how often it came.
#[derive(Clone, Debug, PartialEq)]
pub struct ExceptionCount {
    /// Its name.
    pub name: String,
    /// `Retryable` or `Non-retryable`.
    pub error_type: String,
    /// How often.
    pub count: f64,
}

/// What is shown of a store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Monitoring {
    /// How far back it goes.
    pub range: TimeRange,
    /// When the first period starts.
    pub start: Timestamp,
    /// Requests to the proxy.
    pub requests: Series,
    /// Percent of them that were answered, be it by an error that isn't retryable.
    pub reliability: Series,
    /// Milliseconds until the proxy answered, on average.
    pub latency: Series,
    /// Milliseconds until the proxy answered, at most.
    pub max_latency: Series,
    /// The most frequent exceptions, five at most.
    pub exceptions: Vec<ExceptionCount>,
    /// The names of certificates, and the days until they expire.
    pub certificates: Vec<(String, f64)>,
    /// How many external key managers were in each of [`MANAGER_STATES`](crate::aws::kms::metrics::MANAGER_STATES) when last asked.
    pub manager_counts: [Option<f64>; 3],
    /// Days since KMS was given the credential.
    pub credential_age: Option<f64>,
    /// Requests that KMS throttled.
    pub throttled: f64,
    /// Percent of all requests that were answered, be it by an error that isn't retryable.
    pub overall_reliability: Option<f64>,
    /// Milliseconds until the proxy answered, on average over all requests.
    pub average_latency: Option<f64>,
}

impl Monitoring {
    /// Whether nothing at all was recorded.
    pub fn is_empty(&self) -> bool {
        self.requests.iter().all(Option::is_none)
            && self.certificates.is_empty()
            && self.manager_counts.iter().all(Option::is_none)
            && self.credential_age.is_none()
            && self.throttled <= 0.0
    }
}
