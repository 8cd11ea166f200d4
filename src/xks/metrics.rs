//! What KMS counts of its calls to external key store proxies: samples, summed up by metric and minute until they are
//! written down.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;

use super::wire::GetHealthStatusResponse;
use crate::aws::cloudwatch::Dimension;
use crate::aws::kms::metrics::{self as names, dimension};
use crate::storage::write_behind::WriteBuffer;

/// What is measured, of one store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric<'a> {
    /// Milliseconds until the proxy answered.
    Latency(Operations<'a>),
    /// 1 for a request that ended with this exception, 0 for one that ended well.
    Errors(Operations<'a>, Option<Exception>),
    /// External key managers in this state.
    ManagerStates(&'static str),
    /// Days until the certificate with this subject name expires.
    CertificateDaysToExpire(Cow<'a, str>),
    /// Days since KMS was given the credential.
    CredentialAge,
}

/// What the proxy was asked, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operations<'a> {
    /// The operation of KMS.
    pub kms: Cow<'a, str>,
    /// The operation of the proxy.
    pub xks: &'static str,
}

/// How a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exception {
    /// The proxy's name for it, or KMS's own where the proxy gave none.
    pub name: &'static str,
    /// Whether it may be gone at the next try.
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

    /// Its name in CloudWatch.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Latency(_) => names::XKS_PROXY_LATENCY,
            Self::Errors(..) => names::XKS_PROXY_ERRORS,
            Self::ManagerStates(_) => names::XKS_EXTERNAL_KEY_MANAGER_STATES,
            Self::CertificateDaysToExpire(_) => names::XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE,
            Self::CredentialAge => names::XKS_PROXY_CREDENTIAL_AGE,
        }
    }

    /// Its dimensions in CloudWatch, beside the store.
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
            // The only one that keys in an external key store have.
            (dimension::KEY_SPEC, "SYMMETRIC_DEFAULT"),
        ]
    }
}

/// What is kept of the samples of a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StatisticSet {
    /// How many there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The least of them.
    pub min: f64,
    /// The greatest of them.
    pub max: f64,
}

impl From<f64> for StatisticSet {
    fn from(sample: f64) -> Self {
        Self { count: 1, sum: sample, min: sample, max: sample }
    }
}

impl StatisticSet {
    /// With those of other samples.
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
    /// Whose they are, as [`ProxyTarget::key_store`](super::client::ProxyTarget::key_store) names it.
    pub key_store: String,
    /// What was measured.
    pub metric: Metric<'static>,
    /// When, in minutes since 1970.
    pub minute: i64,
    /// What came of it.
    pub statistics: StatisticSet,
}

/// The samples that wait to be written down. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Arc<WriteBuffer<MetricMinute>>);

impl Metrics {
    /// Notes a sample of a store. One of no store, or of one that is only about to be made, is let go.
    pub fn record(&self, key_store: &str, metric: Metric, at: Timestamp, sample: f64) {
        if key_store.is_empty() {
            return;
        }
        let minute = at.as_second().div_euclid(60);
        self.0.update(|pending| {
            // Only the newest minute is looked through: a few metrics, so that a search by hashes would be slower.
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

    /// Notes how the external key managers are.
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

    /// Takes what waits.
    pub fn take(&self) -> Vec<MetricMinute> {
        self.0.take()
    }

    /// Calls `flush` as [`Batch::keep`] does.
    pub fn spawn_flusher(&self, flush: impl Fn() -> bool + Send + 'static) {
        self.0.spawn_flusher(flush);
    }

    /// Ends what [`keep`](Self::keep) began.
    pub fn close(&self) {
        self.0.close();
    }
}
