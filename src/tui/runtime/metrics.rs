//! Loads the CloudWatch metrics of an external key store: lists the metrics, then loads their data points.

use crate::aws::cloudwatch::{
    DimensionFilter, GetMetricData, ListMetrics, Metric, MetricDataQuery, MetricDataResult, MetricStat,
};
use crate::aws::kms::metrics::{NAMESPACE, dimension};
use crate::aws::scalar::EpochSeconds;
use crate::client::{CallError, Client};
use crate::tui::monitoring::{Monitoring, TimeRange, statistics};

/// The maximum number of queries in one GetMetricData request.
const MAX_QUERIES: usize = 500;

/// Loads the metrics of a key store for a time range that ends now.
pub async fn load_monitoring(client: &Client, store_id: &str, range: TimeRange) -> Result<Monitoring, CallError> {
    let metrics = list_metrics(client, store_id).await?;
    let requested: Vec<(&Metric, &str)> = metrics
        .iter()
        .flat_map(|metric| statistics(metric).iter().map(move |statistic| (metric, *statistic)))
        .collect();
    let (start, end) = range.window_at(client.account_time());
    let mut results = Vec::new();
    for chunk in requested.chunks(MAX_QUERIES) {
        let queries = chunk.iter().enumerate().map(|(at, (metric, statistic))| MetricDataQuery {
            id: format!("q{at}"),
            metric_stat: Some(MetricStat {
                metric: (*metric).clone(),
                period: range.period(),
                stat: (*statistic).to_owned(),
                unit: None,
            }),
            ..MetricDataQuery::default()
        });
        let request = GetMetricData {
            metric_data_queries: queries.collect(),
            start_time: EpochSeconds(start),
            end_time: EpochSeconds(end),
            scan_by: Some("TimestampAscending".to_owned()),
            max_datapoints: None,
            next_token: None,
        };
        for result in get_metric_data(client, request).await? {
            let place = result.id.strip_prefix('q').and_then(|place| place.parse::<usize>().ok());
            if let Some((metric, statistic)) = place.and_then(|place| chunk.get(place)) {
                results.push((*metric, *statistic, result));
            }
        }
    }
    Ok(Monitoring::new(range, start, results.iter().map(|(metric, statistic, result)| (*metric, *statistic, result))))
}

async fn list_metrics(client: &Client, store_id: &str) -> Result<Vec<Metric>, CallError> {
    let of_store =
        DimensionFilter { name: dimension::CUSTOM_KEY_STORE_ID.to_owned(), value: Some(store_id.to_owned()) };
    let mut request =
        ListMetrics { namespace: Some(NAMESPACE.to_owned()), dimensions: vec![of_store], ..ListMetrics::default() };
    let mut metrics = Vec::new();
    loop {
        let page = client.call(&request).await?;
        metrics.extend(page.metrics);
        // A repeated token would loop forever.
        if page.next_token.is_none() || page.next_token == request.next_token {
            return Ok(metrics);
        }
        request.next_token = page.next_token;
    }
}

async fn get_metric_data(client: &Client, mut request: GetMetricData) -> Result<Vec<MetricDataResult>, CallError> {
    let mut results = Vec::new();
    loop {
        let page = client.call(&request).await?;
        results.extend(page.metric_data_results);
        if page.next_token.is_none() || page.next_token == request.next_token {
            return Ok(results);
        }
        request.next_token = page.next_token;
    }
}
