//! The CloudWatch operations that the console needs: listing metrics and reading their data points.
//!
//! Source: the public API model of CloudWatch, 2010-08-01 (AWS JSON 1.0).

use serde::{Deserialize, Deserializer, Serialize};

use crate::aws::operation::{Service, operations};
use crate::aws::scalar::EpochSeconds;

operations! { Service::CloudWatch;
    GetMetricData => GetMetricDataOutput, "GetMetricData" read_only;
    ListMetrics => ListMetricsOutput, "ListMetrics" read_only;
}

/// A `ListMetrics` request. It returns metrics that had data points in the past two weeks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListMetrics {
    /// The namespace, such as `AWS/KMS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Returns only metrics with this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// Returns only metrics that have all of these dimensions, up to 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<DimensionFilter>,
    /// `PT3H` to return only metrics that had data points in the past three hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recently_active: Option<String>,
    /// The token from the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A dimension to filter metrics by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DimensionFilter {
    /// The dimension name.
    pub name: String,
    /// The dimension value. When absent, any value matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A `ListMetrics` response with up to 500 metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListMetricsOutput {
    /// The metrics that match the request.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub metrics: Vec<Metric>,
    /// The token for the next page, if there are more metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A metric, identified by its namespace, name, and dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metric {
    /// The namespace, such as `AWS/KMS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name of the metric, such as `XksProxyLatency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// All dimensions of the metric, up to 30, in any order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub dimensions: Vec<Dimension>,
}

/// Deserializes the metric of a request. Unlike a metric in a response, it must not contain unreadable dimensions.
fn requested_metric<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Metric, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct RequestedMetric {
        namespace: Option<String>,
        metric_name: Option<String>,
        #[serde(default)]
        dimensions: Vec<Dimension>,
    }
    let RequestedMetric { namespace, metric_name, dimensions } = RequestedMetric::deserialize(deserializer)?;
    Ok(Metric { namespace, metric_name, dimensions })
}

impl Metric {
    /// Returns the value of a dimension.
    pub fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.iter().find(|dimension| dimension.name == name).map(|dimension| &*dimension.value)
    }
}

/// A name/value pair that is part of the identity of a metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Dimension {
    /// The dimension name, such as `CustomKeyStoreId`.
    pub name: String,
    /// The dimension value.
    pub value: String,
}

/// A `GetMetricData` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetMetricData {
    /// The queries, up to 500.
    pub metric_data_queries: Vec<MetricDataQuery>,
    /// The start of the time range, inclusive, rounded down to the minute.
    pub start_time: EpochSeconds,
    /// The end of the time range, exclusive.
    pub end_time: EpochSeconds,
    /// The order of the data points: `TimestampDescending` (the default) or `TimestampAscending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_by: Option<String>,
    /// The maximum number of data points per page, across all queries: 1 to 100,800. The default is 100,800.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_datapoints: Option<i64>,
    /// The token from the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A query for either a metric statistic or an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricDataQuery {
    /// The ID that identifies the query in the response: a lowercase letter, then letters, digits, and underscores.
    pub id: String,
    /// The metric statistic to return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<MetricStat>,
    /// The metric math expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// A human-readable label. The default is the metric name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether to return the result, instead of only using it in an expression. The default is `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
    /// The account that owns the metric, if it isn't the caller's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// A statistic of a metric over fixed periods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricStat {
    /// The metric.
    #[serde(deserialize_with = "requested_metric")]
    pub metric: Metric,
    /// The granularity of the data points in seconds, a multiple of 60.
    pub period: i64,
    /// The statistic, such as `SampleCount`, `Average`, `Sum`, `Minimum`, or `Maximum`.
    pub stat: String,
    /// Returns only data that was recorded with this unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A `GetMetricData` response.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetMetricDataOutput {
    /// The results, one for each query.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub metric_data_results: Vec<MetricDataResult>,
    /// The token for the next page, if there are more data points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The data points of one query. A period without recorded data has no data point.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricDataResult {
    /// The ID of the query.
    pub id: String,
    /// The human-readable label.
    #[serde(default)]
    pub label: String,
    /// The start of the period of each data point.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub timestamps: Vec<EpochSeconds>,
    /// The values of the data points, in the order of `timestamps`.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub values: Vec<f64>,
    /// `Complete`, or `PartialData` if the next page contains more data points.
    #[serde(default)]
    pub status_code: String,
}
