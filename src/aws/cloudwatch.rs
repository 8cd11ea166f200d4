//! The operations of CloudWatch that the console needs: what metrics there are, and their data points.
//!
//! Source: the public API model of CloudWatch, 2010-08-01 (AWS JSON 1.0).

use serde::{Deserialize, Deserializer, Serialize};

use crate::aws::operation::{Service, operations};
use crate::aws::scalar::EpochSeconds;

operations! { Service::CloudWatch;
    GetMetricData => GetMetricDataOutput, "GetMetricData" read_only;
    ListMetrics => ListMetricsOutput, "ListMetrics" read_only;
}

/// The request of ListMetrics: those that had data points in the last two weeks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListMetrics {
    /// `AWS/KMS` ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Only metrics of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// Only metrics that have all these dimensions, ten at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<DimensionFilter>,
    /// `PT3H` for those that had data points in the last three hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recently_active: Option<String>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A dimension that metrics must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DimensionFilter {
    /// Its name.
    pub name: String,
    /// Its value; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What ListMetrics answers, 500 metrics at most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListMetricsOutput {
    /// The metrics.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub metrics: Vec<Metric>,
    /// Where to go on, if there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A metric: namespace, name and dimensions together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Metric {
    /// `AWS/KMS` ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `XksProxyLatency` ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// All of its dimensions, in any order, thirty at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub dimensions: Vec<Dimension>,
}

/// Reads the metric of a request, whose dimensions must all be readable.
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
    /// The value of a dimension.
    pub fn dimension(&self, name: &str) -> Option<&str> {
        self.dimensions.iter().find(|dimension| dimension.name == name).map(|dimension| &*dimension.value)
    }
}

/// A name and a value that tell metrics of one name apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Dimension {
    /// `CustomKeyStoreId` ...
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The request of GetMetricData.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetMetricData {
    /// What is asked for, 500 queries at most.
    pub metric_data_queries: Vec<MetricDataQuery>,
    /// Data points at or after this time, rounded down to the minute.
    pub start_time: EpochSeconds,
    /// Data points before this time.
    pub end_time: EpochSeconds,
    /// `TimestampDescending` (so when absent) or `TimestampAscending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_by: Option<String>,
    /// Data points of all queries on a page, 1 to 100,800; 100,800 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_datapoints: Option<i64>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// One query: either a statistic of a metric or an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricDataQuery {
    /// What the answer names it by: a small letter, then letters, digits and underscores.
    pub id: String,
    /// The statistic of a metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<MetricStat>,
    /// Metric math.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What people call it; the name of the metric when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it is answered, not only computed with; so when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
    /// Whose metric it is, when it is another account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// A statistic of a metric over periods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricStat {
    /// The metric.
    #[serde(deserialize_with = "requested_metric")]
    pub metric: Metric,
    /// Seconds that make one data point: a multiple of 60.
    pub period: i64,
    /// `SampleCount`, `Average`, `Sum`, `Minimum`, `Maximum` ...
    pub stat: String,
    /// Only what was recorded in this unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// What GetMetricData answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetMetricDataOutput {
    /// One result for each query.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub metric_data_results: Vec<MetricDataResult>,
    /// Where to go on, if there are more data points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// The data points of one query. Periods in which nothing was recorded have none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricDataResult {
    /// The query's.
    pub id: String,
    /// What people call it.
    #[serde(default)]
    pub label: String,
    /// When the period of each data point starts.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub timestamps: Vec<EpochSeconds>,
    /// The value of each data point.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub values: Vec<f64>,
    /// `Complete`, or `PartialData` when more is on the next page.
    #[serde(default)]
    pub status_code: String,
}
