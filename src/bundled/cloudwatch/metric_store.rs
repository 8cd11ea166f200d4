//! Storage for the metrics of external key stores: statistics for each minute, kept as long as CloudWatch keeps them.

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::aws::cloudwatch::Dimension;
use crate::aws::kms::metrics::dimension::CUSTOM_KEY_STORE_ID;
use crate::bundled::{ApiResult, Call, Inner};
use crate::storage::write_behind::PendingValues as _;
use crate::xks::metrics::{Metric, MetricMinute, PendingMetrics};

/// How long the statistics of a minute are kept. Source: *GetMetricData* (60-second periods are available for 15 days).
const RETENTION: SignedDuration = SignedDuration::from_hours(15 * 24);
/// How often KMS checks the health of the proxy of a connected key store.
const HEALTH_CHECK_INTERVAL: SignedDuration = SignedDuration::from_mins(5);

/// Writes buffered metrics to the database.
///
/// Metrics that can't be written are dropped, because a failure to record metrics must not fail the request.
pub fn flush(aws: &Inner) {
    let metrics = aws.xks_client.metrics().take_to_write();
    if !metrics.values.is_empty() {
        let now = aws.store.environment().clock.now();
        let _ = aws.store.append(|tx| append(tx, &metrics.values, now));
    }
}

/// Appends metrics to the database, and deletes the oldest ones of the database.
pub fn append(tx: &Transaction, PendingMetrics(minutes): &PendingMetrics, now: Timestamp) -> ApiResult<()> {
    minutes.iter().try_for_each(|minute| add_minute(tx, minute))?;
    let oldest = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
    prune(tx, oldest.as_second().div_euclid(60))
}

/// Returns dimensions as they are stored, sorted, so that equal sets of dimensions have the same text.
pub fn canonical_dimensions(dimensions: &[Dimension]) -> ApiResult<String> {
    let mut sorted: Vec<&Dimension> = dimensions.iter().collect();
    sorted.sort_unstable();
    Ok(serde_json::to_string(&sorted)?)
}

fn add_minute(tx: &Transaction, minute: &MetricMinute) -> ApiResult<()> {
    let (account_region, id) = minute.key_store.rsplit_once('/').unwrap_or_default();
    let mut dimensions = minute.metric.dimensions();
    dimensions.push(Dimension { name: CUSTOM_KEY_STORE_ID.to_owned(), value: id.to_owned() });
    let dimensions = canonical_dimensions(&dimensions)?;
    let existing: Option<i64> = tx
        .prepare_cached("SELECT id FROM metrics WHERE world = ?1 AND name = ?2 AND dimensions = ?3")?
        .query_row([account_region, minute.metric.name(), &dimensions], |row| row.get(0))
        .optional()?;
    let metric = match existing {
        Some(id) => id,
        None => tx.query_row(
            "INSERT INTO metrics (world, name, dimensions) VALUES (?1, ?2, ?3) RETURNING id",
            [account_region, minute.metric.name(), &dimensions],
            |row| row.get(0),
        )?,
    };
    let statistics = &minute.statistics;
    tx.prepare_cached(
        "INSERT INTO metric_minutes VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET
             count = count + excluded.count, sum = sum + excluded.sum,
             min = min(min, excluded.min), max = max(max, excluded.max)",
    )?
    .execute(params![
        metric,
        minute.minute,
        statistics.count.cast_signed(),
        statistics.sum,
        statistics.min,
        statistics.max
    ])?;
    Ok(())
}

/// Deletes statistics of minutes before `oldest`, and metrics that have no statistics left.
fn prune(tx: &Transaction, oldest: i64) -> ApiResult<()> {
    if tx.prepare_cached("DELETE FROM metric_minutes WHERE minute < ?1")?.execute([oldest])? > 0 {
        let empty = "NOT EXISTS (SELECT 1 FROM metric_minutes WHERE metric = metrics.id)";
        tx.execute(&format!("DELETE FROM metrics WHERE {empty}"), [])?;
    }
    Ok(())
}

/// Selects the connected key stores of an account in a Region whose next health check is due.
const HEALTH_CHECK_DUE_CONDITION: &str =
    "world = ?1 AND document ->> '$.ConnectionState' = 'CONNECTED' AND coalesce(checked, 0) <= ?2";

impl Call<'_> {
    /// Checks the health of proxies if a check is due, as KMS does in the background, and records the age of their
    /// credentials.
    ///
    /// The result changes only the metrics, not the key stores.
    pub async fn run_due_health_checks(&self) -> ApiResult<()> {
        let now = self.store().environment().clock.now();
        let before = now.saturating_sub(HEALTH_CHECK_INTERVAL).unwrap_or(Timestamp::MIN).as_millisecond();
        let query = format!("SELECT EXISTS (SELECT 1 FROM key_stores WHERE {HEALTH_CHECK_DUE_CONDITION})");
        let is_due = self.store().read(|tx| -> ApiResult<bool> {
            Ok(tx.prepare_cached(&query)?.query_row(params![self.account_region, before], |row| row.get(0))?)
        })?;
        if is_due {
            // Set the time of the check first, so that no other process makes the same check.
            let due: Vec<(String, i64)> = self.store().append(|tx| -> ApiResult<_> {
                let mut claim = tx.prepare(&format!(
                    "UPDATE key_stores SET checked = ?3 WHERE {HEALTH_CHECK_DUE_CONDITION}
                     RETURNING id, coalesce(credential_since, CAST((document ->> '$.CreationDate') * 1000 AS INTEGER))",
                ))?;
                let rows = claim.query_map(params![self.account_region, before, now.as_millisecond()], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })?;
            join_all(due.iter().map(|(id, since)| self.check_proxy_health(id, *since, now))).await;
        }
        flush(self.aws);
        Ok(())
    }

    async fn check_proxy_health(&self, id: &str, credential_since: i64, now: Timestamp) {
        let Ok(target) = self.find_cached_proxy_target(id) else { return };
        let age = (now.as_millisecond() - credential_since).max(0) / (24 * 60 * 60 * 1000);
        let age = f64::from(i32::try_from(age).unwrap_or(i32::MAX));
        self.aws.xks_client.metrics().record(&target.key_store, Metric::CredentialAge, now, age);
        // The XKS client records the result in the metrics.
        let _ = self.xks_client().get_health_status(&target, &self.request_metadata("KmsHealthCheck", None)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::aws::cloudwatch::{GetMetricData, ListMetrics, MetricDataQuery, MetricStat};
    use crate::aws::kms::Encrypt;
    use crate::aws::kms::metrics::{XKS_PROXY_ERRORS, XKS_PROXY_LATENCY};
    use crate::aws::scalar::{EpochSeconds, SecretBlob};
    use crate::bundled::BundledAws;
    use crate::client::Client;
    use crate::environment::Environment;
    use crate::in_process;
    use crate::xks::client::XksClient;

    fn environment() -> Environment {
        Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1)
    }

    async fn encrypt(client: &Client) {
        let plaintext = SecretBlob::new(b"x".to_vec());
        let request = Encrypt { key_id: "alias/customer-db".to_owned(), plaintext, ..Encrypt::default() };
        let _ = client.call(&request).await;
    }

    #[tokio::test(start_paused = true)]
    async fn proxy_timeout_is_recorded_in_error_and_latency_metrics() {
        let environment = environment();
        let mut bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
        let unresponsive_proxy = axum::Router::new().fallback(async || std::future::pending::<()>().await);
        Arc::get_mut(&mut bundled.0).unwrap().xks_client =
            XksClient::new(unresponsive_proxy, None, environment.clock.clone());
        let client = in_process::client(&bundled, environment.clock.clone());
        encrypt(&client).await;
        let metrics = client.call(&ListMetrics::default()).await.unwrap().metrics;
        let encrypt_metric = |name| {
            let mut all = metrics.iter().filter(|metric| metric.dimension("KmsOperation") == Some("Encrypt"));
            all.find(|metric| metric.metric_name.as_deref() == Some(name)).unwrap()
        };
        let errors = encrypt_metric(XKS_PROXY_ERRORS);
        assert_eq!(errors.dimension("ErrorType"), Some("Retryable"));
        assert_eq!(errors.dimension("ExceptionName"), Some("XksProxyUnreachableException"));
        let query = |id: &str, name, stat: &str| MetricDataQuery {
            id: id.to_owned(),
            metric_stat: Some(MetricStat {
                metric: encrypt_metric(name).clone(),
                period: 60,
                stat: stat.to_owned(),
                unit: None,
            }),
            ..MetricDataQuery::default()
        };
        let request = GetMetricData {
            metric_data_queries: vec![
                query("tries", XKS_PROXY_ERRORS, "Sum"),
                query("least", XKS_PROXY_LATENCY, "Minimum"),
                query("average", XKS_PROXY_LATENCY, "Average"),
            ],
            start_time: EpochSeconds("2026-03-02T10:00:00Z".parse().unwrap()),
            end_time: EpochSeconds("2026-03-02T11:00:00Z".parse().unwrap()),
            scan_by: None,
            max_datapoints: None,
            next_token: None,
        };
        let results = client.call(&request).await.unwrap().metric_data_results;
        let values: Vec<_> = results.iter().map(|result| &result.values[..]).collect();
        assert_eq!(values, [[2.], [250.], [250.]]);
    }

    #[tokio::test]
    async fn metrics_are_deleted_after_fifteen_days() {
        let environment = environment();
        let bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
        let client = in_process::client(&bundled, environment.clock.clone());
        let count = |query: &str| -> i64 {
            let row_count =
                bundled.0.store.read(|tx| -> ApiResult<i64> { Ok(tx.query_row(query, [], |row| row.get(0))?) });
            row_count.unwrap()
        };
        let encrypts = "SELECT count(*) FROM metrics WHERE dimensions LIKE '%\"Encrypt\"%'";
        encrypt(&client).await;
        client.call(&ListMetrics::default()).await.unwrap();
        assert_eq!(count(encrypts), 2);
        let minutes = count("SELECT count(*) FROM metric_minutes");
        environment.clock.advance(RETENTION);
        client.call(&ListMetrics::default()).await.unwrap();
        assert_eq!(count(encrypts), 2, "the minute is still within the retention period");
        environment.clock.advance(HEALTH_CHECK_INTERVAL);
        client.call(&ListMetrics::default()).await.unwrap();
        assert_eq!(count(encrypts), 0);
        assert!(count("SELECT count(*) FROM metric_minutes") <= 2 * minutes);
    }

    #[test]
    fn metrics_from_separate_flushes_are_merged() {
        let bundled = BundledAws::in_memory("default", environment()).unwrap();
        let aws = &bundled.0;
        for sample in [3., 1., 2.] {
            let now = aws.store.environment().clock.now();
            aws.xks_client.metrics().record("a/r/cks-1", Metric::ManagerStates("Active"), now, sample);
            flush(aws);
        }
        let row = aws.store.read(|tx| -> ApiResult<(i64, f64, f64, f64)> {
            let query = "SELECT count, sum, min, max FROM metric_minutes";
            Ok(tx.query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?)
        });
        assert_eq!(row.unwrap(), (3, 6., 1., 3.));
    }
}
