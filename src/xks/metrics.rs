//! Metrics of KMS requests to external key store proxies, aggregated by metric and minute until they are written.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::wire::GetHealthStatusResponse;
use crate::aws::cloudwatch::Dimension;
use crate::aws::kms::metrics::{self as names, dimension};
use crate::storage::write_behind::{Flusher, PendingValues, TakenValues, WriteBuffer};

/// A metric of an external key store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric<'a> {
    /// The milliseconds that the proxy took to respond.
    Latency(Operations<'a>),
    /// 1 for a request that failed with this exception, 0 for a successful request.
    Errors(Operations<'a>, Option<Exception>),
    /// The number of external key managers in this health state.
    ManagerStates(&'static str),
    /// The days until the certificate with this subject name expires.
    CertificateDaysToExpire(Cow<'a, str>),
    /// The days since KMS started using the credential.
    CredentialAge,
}

/// The proxy operation, and the KMS operation that caused it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operations<'a> {
    /// The KMS operation.
    pub kms: Cow<'a, str>,
    /// The proxy operation.
    pub xks: &'static str,
}

/// The exception of a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The error name from the proxy, or KMS's own name if the proxy returned none.
    pub name: &'static str,
    /// Whether the error may not occur on a retry.
    pub is_retryable: bool,
}

impl Metric<'_> {
    fn into_owned(self) -> Metric<'static> {
        let owned = |Operations { kms, xks }: Operations| Operations { kms: Cow::Owned(kms.into_owned()), xks };
        match self {
            Self::Latency(operations) => Metric::Latency(owned(operations)),
            Self::Errors(operations, exception) => Metric::Errors(owned(operations), exception),
            Self::ManagerStates(state) => Metric::ManagerStates(state),
            Self::CertificateDaysToExpire(name) => Metric::CertificateDaysToExpire(Cow::Owned(name.into_owned())),
            Self::CredentialAge => Metric::CredentialAge,
        }
    }

    /// Returns the name of the metric in CloudWatch.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Latency(_) => names::XKS_PROXY_LATENCY,
            Self::Errors(..) => names::XKS_PROXY_ERRORS,
            Self::ManagerStates(_) => names::XKS_EXTERNAL_KEY_MANAGER_STATES,
            Self::CertificateDaysToExpire(_) => names::XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE,
            Self::CredentialAge => names::XKS_PROXY_CREDENTIAL_AGE,
        }
    }

    /// Returns the dimensions of the metric in CloudWatch, without the key store.
    pub fn dimensions(&self) -> Vec<Dimension> {
        let all = match self {
            Self::Latency(operations) => operations.dimensions().to_vec(),
            Self::Errors(operations, exception) => {
                let (error_type, name) = match exception {
                    None => (names::NO_ERROR, names::NO_EXCEPTION),
                    Some(Exception { name, is_retryable: true }) => (names::RETRYABLE, *name),
                    Some(Exception { name, is_retryable: false }) => (names::NON_RETRYABLE, *name),
                };
                let error = [(dimension::ERROR_TYPE, error_type), (dimension::EXCEPTION_NAME, name)];
                operations.dimensions().into_iter().chain(error).collect()
            }
            Self::ManagerStates(state) => vec![(dimension::XKS_EXTERNAL_KEY_MANAGER_STATE, *state)],
            Self::CertificateDaysToExpire(name) => vec![(dimension::CERTIFICATE_NAME, &**name)],
            Self::CredentialAge => Vec::new(),
        };
        all.into_iter().map(|(name, value)| Dimension { name: name.to_owned(), value: value.to_owned() }).collect()
    }
}

impl Operations<'_> {
    fn dimensions(&self) -> [(&'static str, &str); 3] {
        [
            (dimension::KMS_OPERATION, &self.kms),
            (dimension::XKS_OPERATION, self.xks),
            // Keys in an external key store have no other key spec.
            (dimension::KEY_SPEC, "SYMMETRIC_DEFAULT"),
        ]
    }
}

/// Statistics of samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatisticSet {
    /// The number of samples.
    pub count: u64,
    /// The sum of the samples.
    pub sum: f64,
    /// The smallest sample.
    pub min: f64,
    /// The largest sample.
    pub max: f64,
}

impl From<f64> for StatisticSet {
    fn from(sample: f64) -> Self {
        Self { count: 1, sum: sample, min: sample, max: sample }
    }
}

impl StatisticSet {
    /// Merges the statistics of two sets of samples.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

/// The samples of a metric in one minute.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricMinute {
    /// The key store, as in [`ProxyTarget::key_store`](super::client::ProxyTarget::key_store).
    pub key_store: String,
    /// The metric.
    pub metric: Metric<'static>,
    /// The minute, counted from 1970.
    pub minute: i64,
    /// The statistics of the samples.
    pub statistics: StatisticSet,
}

/// The samples that haven't been written yet. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<WriteBuffer<PendingMetrics>>);

/// Samples that haven't been written yet, by metric and minute.
#[derive(Debug, Default)]
pub(crate) struct PendingMetrics(pub(crate) Vec<MetricMinute>);

impl PendingValues for PendingMetrics {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn size(&self) -> usize {
        self.0.len() * size_of::<MetricMinute>()
    }
}

impl Metrics {
    /// Records a sample. Samples without a key store, or for one that doesn't exist yet, are dropped.
    pub fn record(&self, key_store: &str, metric: Metric, at: Timestamp, sample: f64) {
        if key_store.is_empty() {
            return;
        }
        let minute = at.as_second().div_euclid(60);
        // The metrics of a minute are few, so they never need too much memory.
        let _ = self.0.add(|PendingMetrics(pending)| {
            // Only the newest minute is searched. It has few metrics, so a hash lookup would be slower.
            let mut newest = pending.iter_mut().rev().take_while(|known| known.minute == minute);
            match newest.find(|known| known.metric == metric && known.key_store == key_store) {
                Some(known) => known.statistics = known.statistics.merge(sample.into()),
                None => pending.push(MetricMinute {
                    key_store: key_store.to_owned(),
                    metric: metric.into_owned(),
                    minute,
                    statistics: sample.into(),
                }),
            }
        });
    }

    /// Records the result of one attempt, and how long the proxy took to respond, if it did.
    pub fn record_request(
        &self,
        key_store: &str,
        operations: Operations,
        at: Timestamp,
        milliseconds: Option<f64>,
        exception: Option<Exception>,
    ) {
        if let Some(milliseconds) = milliseconds {
            self.record(key_store, Metric::Latency(operations.clone()), at, milliseconds);
        }
        let sample = if exception.is_some() { 1.0 } else { 0.0 };
        self.record(key_store, Metric::Errors(operations, exception), at, sample);
    }

    /// Records the health of the external key managers.
    pub fn record_health(&self, key_store: &str, health: &GetHealthStatusResponse, at: Timestamp) {
        for state in names::KEY_MANAGER_STATES {
            let members = health.ekm_fleet_details.iter();
            let count = members.filter(|member| member.health_status.eq_ignore_ascii_case(state)).count();
            self.record(
                key_store,
                Metric::ManagerStates(state),
                at,
                f64::from(u32::try_from(count).unwrap_or(u32::MAX)),
            );
        }
    }

    /// Removes and returns the pending samples.
    pub fn take(&self) -> Vec<MetricMinute> {
        self.take_to_write().values.0
    }

    /// Takes the pending samples, which the caller writes.
    pub(crate) fn take_to_write(&self) -> TakenValues<'_, PendingMetrics> {
        self.0.take()
    }

    /// Sets the thread that writes the pending samples.
    pub(crate) fn set_flusher(&self, flusher: &Arc<Flusher>) {
        self.0.set_flusher(flusher);
    }
}
