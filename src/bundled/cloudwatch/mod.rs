//! CloudWatch GetMetricData and ListMetrics, for the metrics of external key stores.

pub(super) mod metric_store;

use rusqlite::{OptionalExtension as _, Transaction, params};

use self::metric_store::canonical_dimensions;
use super::{ApiResult, Call};
use crate::aws::cloudwatch::{
    Dimension, GetMetricData, GetMetricDataOutput, ListMetrics, ListMetricsOutput, Metric, MetricDataQuery,
    MetricDataResult, MetricStat,
};
use crate::aws::error::ServiceError;
use crate::aws::kms::metrics::{NAMESPACE, XKS_PROXY_LATENCY};
use crate::aws::scalar::EpochSeconds;
use crate::xks::metrics::StatisticSet;

/// The maximum number of metrics on a page of ListMetrics.
const MAX_METRICS_PER_PAGE: usize = 500;
/// The maximum number of queries in a GetMetricData request.
const MAX_QUERIES: usize = 500;
/// The maximum number of data points on a page of GetMetricData.
const MAX_DATAPOINTS: i64 = 100_800;

fn validation_error(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationError", message)
}

/// A statistic: how the samples of a period are combined into a data point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
}

impl Statistic {
    fn parse(name: &str) -> Result<Self, ServiceError> {
        Ok(match name {
            "SampleCount" => Self::SampleCount,
            "Average" => Self::Average,
            "Sum" => Self::Sum,
            "Minimum" => Self::Minimum,
            "Maximum" => Self::Maximum,
            _ => {
                return Err(validation_error(format!(
                    "The bundled AWS doesn't support the statistic {name}. Use SampleCount, Average, Sum, Minimum, or \
                     Maximum."
                )));
            }
        })
    }

    #[allow(clippy::cast_precision_loss)]
    fn compute(self, statistics: StatisticSet) -> f64 {
        match self {
            Self::SampleCount => statistics.count as f64,
            Self::Average => statistics.sum / statistics.count as f64,
            Self::Sum => statistics.sum,
            Self::Minimum => statistics.min,
            Self::Maximum => statistics.max,
        }
    }
}

/// Returns the unit that KMS records a metric in.
fn unit_of(metric: &str) -> &'static str {
    if metric == XKS_PROXY_LATENCY { "Milliseconds" } else { "Count" }
}

/// A query that passed validation.
struct ValidatedQuery<'a> {
    id: &'a str,
    label: &'a str,
    /// The stored name and dimensions, or `None` for a metric that isn't recorded.
    stored_metric: Option<(&'a str, String)>,
    /// The number of minutes in one data point.
    period_minutes: i64,
    statistic: Statistic,
}

fn is_valid_id(id: &str) -> bool {
    id.len() <= 255
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl<'a> ValidatedQuery<'a> {
    fn new(query: &'a MetricDataQuery, account: &str) -> ApiResult<Self> {
        let id = &*query.id;
        if !is_valid_id(id) {
            let message = format!(
                "The Id {id} is not valid. Use up to 255 letters, digits, and underscores, and start with a lowercase \
                 letter."
            );
            return Err(validation_error(message).into());
        }
        if query.account_id.as_deref().is_some_and(|other| other != account) {
            return Err(validation_error(format!(
                "The query {id} is for another account, which shares no metrics with this one."
            ))
            .into());
        }
        let stat = match (&query.metric_stat, &query.expression) {
            (Some(stat), None) => stat,
            (None, Some(_)) => {
                let message = format!(
                    "The query {id} has an Expression, but the bundled AWS doesn't support metric math. Use MetricStat."
                );
                return Err(validation_error(message).into());
            }
            _ => {
                return Err(
                    validation_error(format!("The query {id} must have either MetricStat or Expression.")).into()
                );
            }
        };
        let MetricStat { metric, period, stat: statistic, unit: wanted } = stat;
        let (Some(namespace), Some(name)) = (&metric.namespace, &metric.metric_name) else {
            return Err(
                validation_error(format!("The metric of the query {id} must have Namespace and MetricName.")).into()
            );
        };
        if *period < 60 || period % 60 != 0 {
            return Err(
                validation_error(format!("The Period {period} of the query {id} must be a multiple of 60.")).into()
            );
        }
        let is_recorded = namespace == NAMESPACE && wanted.as_ref().is_none_or(|wanted| wanted == unit_of(name));
        let dimensions = canonical_dimensions(&metric.dimensions)?;
        Ok(Self {
            id,
            label: query.label.as_deref().unwrap_or(name),
            stored_metric: is_recorded.then_some((name, dimensions)),
            period_minutes: period / 60,
            statistic: Statistic::parse(statistic)?,
        })
    }

    /// Returns the data points from minute `start` up to and excluding minute `end`, the oldest first.
    fn data_points(&self, tx: &Transaction, account_region: &str, start: i64, end: i64) -> ApiResult<Vec<(i64, f64)>> {
        let Some((name, dimensions)) = &self.stored_metric else { return Ok(Vec::new()) };
        let metric: Option<i64> = tx
            .prepare_cached("SELECT id FROM metrics WHERE world = ?1 AND name = ?2 AND dimensions = ?3")?
            .query_row([account_region, name, dimensions], |row| row.get(0))
            .optional()?;
        let Some(metric) = metric else { return Ok(Vec::new()) };
        let mut query = tx.prepare_cached(
            "SELECT minute, count, sum, min, max FROM metric_minutes WHERE metric = ?1 AND minute >= ?2 AND minute < ?3
             ORDER BY minute",
        )?;
        let minutes = query.query_map(params![metric, start, end], |row| {
            let count: i64 = row.get(1)?;
            let statistics =
                StatisticSet { count: count.cast_unsigned(), sum: row.get(2)?, min: row.get(3)?, max: row.get(4)? };
            Ok((row.get(0)?, statistics))
        })?;
        let periods = aggregate_periods(minutes.collect::<Result<Vec<_>, _>>()?, start, self.period_minutes);
        Ok(periods.into_iter().map(|(minute, statistics)| (minute, self.statistic.compute(statistics))).collect())
    }
}

/// Combines the statistics of minutes into periods, which are aligned to `start`.
///
/// All times are in minutes since 1970-01-01 UTC.
fn aggregate_periods(minutes: Vec<(i64, StatisticSet)>, start: i64, period: i64) -> Vec<(i64, StatisticSet)> {
    let mut periods: Vec<(i64, StatisticSet)> = Vec::new();
    for (minute, statistics) in minutes {
        let at = minute - (minute - start).rem_euclid(period);
        match periods.last_mut() {
            Some((last, so_far)) if *last == at => *so_far = so_far.merge(statistics),
            _ => periods.push((at, statistics)),
        }
    }
    periods
}

/// Parses the token for a page of GetMetricData: the index of a query, and the minute of its last returned data point.
fn parse_next_token(token: &str) -> Option<(usize, i64)> {
    let (query, minute) = token.split_once('.')?;
    Some((query.parse().ok()?, minute.parse().ok()?))
}

/// Returns where a page of GetMetricData starts: the index of a query, and the minute of its last returned data point,
/// if any.
fn page_start(request: &GetMetricData) -> Result<(usize, Option<i64>), ServiceError> {
    let Some(token) = &request.next_token else { return Ok((0, None)) };
    let (query, minute) =
        parse_next_token(token).filter(|(query, _)| *query < request.metric_data_queries.len()).ok_or_else(|| {
            let message = "NextToken is not valid. Use the NextToken of the previous response.";
            ServiceError::new("InvalidNextToken", message)
        })?;
    Ok((query, Some(minute)))
}

/// Validates the queries of a request and checks that their IDs are unique.
fn validate_queries<'a>(queries: &'a [MetricDataQuery], account: &str) -> ApiResult<Vec<ValidatedQuery<'a>>> {
    let validated = queries.iter().map(|query| ValidatedQuery::new(query, account)).collect::<ApiResult<Vec<_>>>()?;
    let is_duplicate =
        |(at, query): &(usize, &ValidatedQuery)| validated[..*at].iter().any(|other| other.id == query.id);
    if let Some((_, duplicate)) = validated.iter().enumerate().find(is_duplicate) {
        return Err(validation_error(format!("Duplicate Id {}. Query Ids must be unique.", duplicate.id)).into());
    }
    Ok(validated)
}

/// Returns whether GetMetricData returns the newest data points first.
fn is_descending(scan_by: Option<&str>) -> Result<bool, ServiceError> {
    match scan_by {
        None | Some("TimestampDescending") => Ok(true),
        Some("TimestampAscending") => Ok(false),
        Some(other) => {
            let message = format!("ScanBy {other} is not valid. Use TimestampDescending or TimestampAscending.");
            Err(validation_error(message))
        }
    }
}

impl Call<'_> {
    pub async fn get_metric_data(&self, request: &GetMetricData) -> ApiResult<GetMetricDataOutput> {
        self.authorize("cloudwatch:GetMetricData", "*")?;
        let queries = &request.metric_data_queries;
        if queries.is_empty() || queries.len() > MAX_QUERIES {
            return Err(validation_error("MetricDataQueries must have 1 to 500 queries.").into());
        }
        let validated = validate_queries(queries, &self.account)?;
        let is_descending = is_descending(request.scan_by.as_deref())?;
        if request.start_time >= request.end_time {
            return Err(validation_error("The parameter StartTime must be less than the parameter EndTime.").into());
        }
        let max_datapoints = request.max_datapoints.unwrap_or(MAX_DATAPOINTS);
        if !(1..=MAX_DATAPOINTS).contains(&max_datapoints) {
            return Err(validation_error("MaxDatapoints must be from 1 to 100800.").into());
        }
        let (first, last_minute) = page_start(request)?;
        self.run_due_health_checks().await?;
        let start = request.start_time.0.as_second().div_euclid(60);
        let end = (request.end_time.0.as_second() + 59).div_euclid(60);
        self.store().read(|tx| {
            let mut output = GetMetricDataOutput::default();
            let mut remaining = usize::try_from(max_datapoints).unwrap_or_default();
            for (at, query) in validated.iter().enumerate().skip(first) {
                if queries[at].return_data == Some(false) {
                    continue;
                }
                let mut points = query.data_points(tx, &self.account_region, start, end)?;
                if is_descending {
                    points.reverse();
                }
                if let (Some(last), true) = (last_minute, at == first) {
                    points.retain(|(minute, _)| if is_descending { *minute < last } else { *minute > last });
                }
                let is_cut = points.len() > remaining;
                points.truncate(remaining);
                remaining -= points.len();
                let last = points.last().map(|(minute, _)| *minute);
                output.metric_data_results.push(metric_data_result(query, &points, is_cut)?);
                if is_cut {
                    // If none of the query's data points fit on this page, the next page starts with the first one.
                    let outside = if is_descending { i64::MAX } else { i64::MIN };
                    output.next_token = Some(format!("{at}.{}", last.unwrap_or(outside)));
                    break;
                }
            }
            Ok(output)
        })
    }

    pub async fn list_metrics(&self, request: &ListMetrics) -> ApiResult<ListMetricsOutput> {
        self.authorize("cloudwatch:ListMetrics", "*")?;
        let invalid_parameter = |message: &str| ServiceError::new("InvalidParameterValue", message);
        let after: i64 = match &request.next_token {
            None => 0,
            Some(token) => token.parse().map_err(|_| {
                invalid_parameter("NextToken is not valid. Use the NextToken of the previous response.")
            })?,
        };
        let recent = match request.recently_active.as_deref() {
            None => i64::MIN,
            Some("PT3H") => self.store().environment().clock.now().as_second().div_euclid(60) - 180,
            Some(_) => return Err(invalid_parameter("RecentlyActive must be PT3H.").into()),
        };
        if request.dimensions.len() > 10 {
            return Err(invalid_parameter("Dimensions can have at most 10 filters.").into());
        }
        self.run_due_health_checks().await?;
        if request.namespace.as_ref().is_some_and(|namespace| namespace != NAMESPACE) {
            return Ok(ListMetricsOutput::default());
        }
        self.store().read(|tx| {
            let mut query = tx.prepare_cached(
                "SELECT id, name, dimensions FROM metrics WHERE world = ?1 AND id > ?2 AND (?3 IS NULL OR name = ?3)
                 AND EXISTS (SELECT 1 FROM metric_minutes WHERE metric = metrics.id AND minute >= ?4) ORDER BY id",
            )?;
            let mut rows = query.query(params![self.account_region, after, request.metric_name, recent])?;
            let (mut output, mut last) = (ListMetricsOutput::default(), after);
            while let Some(row) = rows.next()? {
                let dimensions: Vec<Dimension> = serde_json::from_str(&row.get::<_, String>(2)?)?;
                let metric =
                    Metric { namespace: Some(NAMESPACE.to_owned()), metric_name: Some(row.get(1)?), dimensions };
                let is_wanted = request.dimensions.iter().all(|filter| {
                    let value = metric.dimension(&filter.name);
                    value.is_some() && (filter.value.is_none() || filter.value.as_deref() == value)
                });
                if !is_wanted {
                    continue;
                }
                if output.metrics.len() == MAX_METRICS_PER_PAGE {
                    output.next_token = Some(last.to_string());
                    break;
                }
                output.metrics.push(metric);
                last = row.get(0)?;
            }
            Ok(output)
        })
    }
}

fn metric_data_result(query: &ValidatedQuery, points: &[(i64, f64)], is_cut: bool) -> ApiResult<MetricDataResult> {
    let timestamp = |minute: i64| jiff::Timestamp::from_second(minute * 60).map(EpochSeconds);
    Ok(MetricDataResult {
        id: query.id.to_owned(),
        label: query.label.to_owned(),
        timestamps: points
            .iter()
            .map(|(minute, _)| timestamp(*minute))
            .collect::<Result<_, _>>()
            .map_err(|error| validation_error(error.to_string()))?,
        values: points.iter().map(|(_, value)| *value).collect(),
        status_code: if is_cut { "PartialData" } else { "Complete" }.to_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "sums of small whole numbers are exact")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn aggregated_periods_contain_every_sample(
            samples in prop::collection::vec((0i64..500, 0u32..1000), 0..60), start in 0i64..20, period in 1i64..70,
        ) {
            let mut minutes: std::collections::BTreeMap<i64, StatisticSet> = std::collections::BTreeMap::new();
            for (minute, sample) in samples.iter().filter(|(minute, _)| *minute >= start) {
                let sample = StatisticSet::from(f64::from(*sample));
                minutes.entry(*minute).and_modify(|so_far| *so_far = so_far.merge(sample)).or_insert(sample);
            }
            let periods = aggregate_periods(minutes.clone().into_iter().collect(), start, period);
            prop_assert!(periods.windows(2).all(|pair| pair[0].0 < pair[1].0));
            for (at, statistics) in &periods {
                prop_assert_eq!((at - start) % period, 0);
                let inside = samples.iter().filter(|(minute, _)| (*at..at + period).contains(minute));
                let inside: Vec<f64> = inside.map(|(_, sample)| f64::from(*sample)).collect();
                prop_assert_eq!(statistics.count, inside.len() as u64);
                prop_assert_eq!(Statistic::Sum.compute(*statistics), inside.iter().sum::<f64>());
                prop_assert_eq!(statistics.min, inside.iter().copied().fold(f64::INFINITY, f64::min));
                prop_assert_eq!(statistics.max, inside.iter().copied().fold(0., f64::max));
                let average = Statistic::Average.compute(*statistics);
                prop_assert!(statistics.min <= average && average <= statistics.max);
            }
            let count: u64 = periods.iter().map(|(_, figures)| figures.count).sum();
            prop_assert_eq!(count, samples.iter().filter(|(minute, _)| *minute >= start).count() as u64);
        }
    }
}
