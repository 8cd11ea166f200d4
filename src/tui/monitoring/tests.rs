#![allow(clippy::float_cmp, reason = "small whole numbers are exact")]

use proptest::prelude::*;
use ratatui::layout::Rect;

use super::chart::{bar, round_up_axis, sparkline};
use super::draw::{format_number, format_percentage};
use super::*;
use crate::aws::cloudwatch::{Dimension, MetricDataResult};
use crate::aws::kms::metrics::{NO_ERROR, NO_EXCEPTION, NON_RETRYABLE, RETRYABLE, dimension};
use crate::aws::scalar::EpochSeconds;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::scroll_view::ScrollView;

fn start() -> Timestamp {
    "2026-03-02T07:20:00Z".parse().unwrap()
}

fn metric(name: &str, dimensions: &[(&str, &str)]) -> Metric {
    let dimensions = dimensions.iter().map(|(name, value)| Dimension { name: (*name).into(), value: (*value).into() });
    Metric { namespace: None, metric_name: Some(name.into()), dimensions: dimensions.collect() }
}

fn errors(kind: &str, name: &str) -> Metric {
    metric(XKS_PROXY_ERRORS, &[(dimension::ERROR_TYPE, kind), (dimension::EXCEPTION_NAME, name)])
}

/// Returns data points of five-minute periods.
fn points(values: &[(i64, f64)]) -> MetricDataResult {
    let time = |at: i64| EpochSeconds(start() + jiff::SignedDuration::from_secs(300 * at));
    MetricDataResult {
        timestamps: values.iter().map(|(at, _)| time(*at)).collect(),
        values: values.iter().map(|(_, value)| *value).collect(),
        ..MetricDataResult::default()
    }
}

fn aggregate(results: &[(Metric, &str, MetricDataResult)]) -> Monitoring {
    let results = results.iter().map(|(metric, statistic, result)| (metric, *statistic, result));
    Monitoring::new(TimeRange::ThreeHours, start(), results)
}

#[test]
fn time_window_ends_with_the_current_period() {
    let now = "2026-03-02T10:15:00Z".parse().unwrap();
    for range in TimeRange::ALL {
        let (start, end) = range.window_at(now);
        let (length, period) = range.length_and_period();
        assert_eq!(end.as_second() - start.as_second(), length);
        assert!(start.as_second() % period == 0 && length % period == 0 && period % 60 == 0, "{range:?}");
        assert!(now < end && end.as_second() - now.as_second() <= period, "{range:?}");
        assert!(length / period <= 72, "a chart has room for one column per period");
    }
    assert_eq!(TimeRange::ALL.map(TimeRange::next)[5], TimeRange::OneHour);
}

#[test]
fn only_retryable_errors_reduce_reliability() {
    let shown = aggregate(&[
        (errors(NO_ERROR, NO_EXCEPTION), "SampleCount", points(&[(0, 8.), (1, 5.), (35, 1.)])),
        (errors(NON_RETRYABLE, "AuthenticationFailedException"), "SampleCount", points(&[(1, 5.), (2, 3.)])),
        (errors(RETRYABLE, "ThrottlingException"), "SampleCount", points(&[(0, 2.), (3, 4.)])),
    ]);
    assert_eq!(shown.requests[..5], [Some(10.), Some(10.), Some(3.), Some(4.), None]);
    assert_eq!(shown.reliability[..5], [Some(80.), Some(100.), Some(100.), Some(0.), None]);
    assert_eq!(shown.overall_reliability, Some(100. * 22. / 28.));
    let exceptions: Vec<_> = shown.exceptions.iter().map(|one| (&*one.name, &*one.error_type, one.count)).collect();
    let expected = [("AuthenticationFailedException", NON_RETRYABLE, 8.), ("ThrottlingException", RETRYABLE, 6.)];
    assert_eq!(exceptions, expected);
}

#[test]
fn average_latency_weighs_every_request_equally() {
    let of = |operation| metric(XKS_PROXY_LATENCY, &[(dimension::KMS_OPERATION, operation)]);
    let shown = aggregate(&[
        (of("Encrypt"), "SampleCount", points(&[(0, 9.)])),
        (of("Encrypt"), "Sum", points(&[(0, 90.)])),
        (of("Encrypt"), "Maximum", points(&[(0, 30.)])),
        (of("Decrypt"), "SampleCount", points(&[(0, 1.), (1, 10.)])),
        (of("Decrypt"), "Sum", points(&[(0, 110.), (1, 50.)])),
        (of("Decrypt"), "Maximum", points(&[(0, 110.), (1, 5.)])),
    ]);
    assert_eq!(shown.latency[..3], [Some(20.), Some(5.), None]);
    assert_eq!(shown.max_latency[..3], [Some(110.), Some(5.), None]);
    assert_eq!(shown.average_latency, Some(12.5));
}

#[test]
fn latest_states_and_days_and_the_five_most_frequent_exceptions_are_shown() {
    let certificate = metric(XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE, &[(dimension::CERTIFICATE_NAME, "xks.example.com")]);
    let state = |name| metric(XKS_EXTERNAL_KEY_MANAGER_STATES, &[(dimension::XKS_EXTERNAL_KEY_MANAGER_STATE, name)]);
    let names = ["A", "B", "C", "D", "E", "F", "G"];
    let mut results = vec![
        // Newest first, the default order of CloudWatch.
        (certificate, "Minimum", points(&[(9, 11.), (3, 12.)])),
        (state("Active"), "Maximum", points(&[(9, 0.), (3, 2.)])),
        (state("Unavailable"), "Maximum", points(&[(3, 0.), (9, 2.)])),
        (metric(XKS_PROXY_CREDENTIAL_AGE, &[]), "Maximum", points(&[(3, 7.), (9, 8.)])),
        (metric(EXTERNAL_KEY_STORE_THROTTLE, &[]), "Sum", points(&[(3, 1.), (9, 2.)])),
    ];
    results.extend(
        names
            .iter()
            .zip(1..)
            .map(|(name, count)| (errors(RETRYABLE, name), "SampleCount", points(&[(0, f64::from(count)), (1, 1.)]))),
    );
    let shown = aggregate(&results);
    assert_eq!(shown.certificates, [("xks.example.com".to_owned(), 11.)]);
    assert_eq!(shown.manager_counts, [Some(0.), None, Some(2.)]);
    assert_eq!((shown.credential_age, shown.throttled), (Some(8.), 3.));
    assert_eq!(shown.exceptions.iter().map(|one| &*one.name).collect::<Vec<_>>(), ["G", "F", "E", "D", "C"]);
}

#[test]
fn data_points_outside_the_range_are_ignored() {
    let outside = aggregate(&[(errors(NO_ERROR, NO_EXCEPTION), "SampleCount", points(&[(-1, 8.), (36, 5.)]))]);
    assert!(outside.is_empty() && outside.overall_reliability.is_none(), "{outside:?}");
    assert!(!aggregate(&[(errors(NO_ERROR, NO_EXCEPTION), "SampleCount", points(&[(0, 1.)]))]).is_empty());
}

#[test]
fn numbers_percentages_and_bars_are_formatted() {
    assert_eq!([-3., -123., -1234.5].map(format_number), ["-3", "-123", "-1,234.5"]);
    assert_eq!([0., 12.34, 999., 1000., 1_234_567.8].map(format_number), ["0", "12.3", "999", "1,000", "1,234,567.8"]);
    assert_eq!([100., 99.99, 50., 0.].map(format_percentage), ["100%", "99.9%", "50%", "0%"]);
    assert_eq!([0., 1., 3., 12., 320., 540_000.].map(round_up_axis), [1., 1., 5., 20., 500., 1_000_000.]);
    assert_eq!(sparkline(&vec![Some(0.), None, Some(5.), Some(10.)], 10., 4, f64::max), "▁ ▄█");
    assert_eq!(sparkline(&vec![Some(0.), None, Some(5.), Some(10.)], 10., 2, f64::min), "▁▄");
    assert_eq!((bar(1., 4), bar(0.5, 4), bar(0.001, 4)), ("▇▇▇▇".to_owned(), "▇▇".to_owned(), "▇".to_owned()));
}

fn any_metrics() -> impl Strategy<Value = Vec<(Metric, &'static str, MetricDataResult)>> {
    let kind = prop::sample::select(vec![NO_ERROR, RETRYABLE, NON_RETRYABLE]);
    let name = prop::sample::select(vec![NO_EXCEPTION, "ThrottlingException", "日本語\u{1b}[2J"]);
    let values = prop::collection::vec((-3i64..40, prop::sample::select(vec![0., 0.3, 1., 249.9, 1e6, 1e12])), 0..20);
    let errors = (kind, name, values.clone())
        .prop_map(|(kind, name, values)| (errors(kind, name), "SampleCount", points(&values)));
    let statistic = prop::sample::select(vec!["SampleCount", "Sum", "Maximum"]);
    let latency = (statistic, values.clone())
        .prop_map(|(statistic, values)| (metric(XKS_PROXY_LATENCY, &[]), statistic, points(&values)));
    let other = prop::sample::select(vec![XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE, XKS_PROXY_CREDENTIAL_AGE, "Tomorrow"]);
    let other = (other, values).prop_map(|(name, values)| (metric(name, &[]), "Maximum", points(&values)));
    prop::collection::vec(prop_oneof![errors, latency, other], 0..8)
}

proptest! {
    #[test]
    fn any_metrics_can_be_drawn_at_any_width(results in any_metrics(), width in 1u16..200, place in 0usize..6) {
        let results: Vec<_> = results.iter().map(|(metric, statistic, result)| (metric, *statistic, result)).collect();
        let shown = Monitoring::new(TimeRange::ALL[place], start(), results);
        prop_assert!(shown.reliability.iter().flatten().all(|value| (0.0..=100.0).contains(value)));
        prop_assert!(shown.overall_reliability.is_none_or(|value| (0.0..=100.0).contains(&value)));
        let mut view = ScrollView::new(width);
        write_range(&mut view, shown.range, true);
        write(&mut view, &shown);
        let backend = ratatui::backend::TestBackend::new(width, 60);
        ratatui::Terminal::new(backend).unwrap().draw(|frame| view.draw(&mut Canvas::new(frame), Rect::new(0, 0, width, 60))).unwrap();
    }

    #[test]
    fn sparkline_never_exceeds_its_width(values in prop::collection::vec(prop::option::of(0.0f64..300.0), 0..80), width in 1usize..90) {
        let cells = sparkline(&values, 300.0, width, f64::max).chars().count();
        prop_assert!(cells <= width && (values.is_empty() || cells > 0));
    }
}
