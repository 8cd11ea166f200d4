//! *Monitoring* on the page of an external key store.

use crossterm::event::KeyCode;
use jiff::{SignedDuration, Timestamp};

use super::snapshots::{assert_screen_matches, play_from_start};
use xks_console::aws::cloudwatch::{Dimension, Metric, MetricDataResult};
use xks_console::aws::scalar::EpochSeconds;
use xks_console::flow::player::Player;
use xks_console::storage::changes::Changes;
use xks_console::tui::app::App;
use xks_console::tui::effect::{Call, CallFailure, Effect, Msg, Response};
use xks_console::tui::monitoring::{Monitoring, TimeRange};

const OPEN: &str = "Wait+Screen /External key stores \\(4\\)/\n";

/// Opens the page of a key store, with the focus on its metrics.
fn open_metrics_of(place: &str) -> Player {
    play_from_start(
        "monitoring",
        &format!("{OPEN}{place}Enter\nWait+Screen /General configuration/\nUp\nWait+Screen /Monitoring/\n"),
    )
}

/// Requests the next longer time range and returns the app and the ID of its call.
fn request_longer_range(player: &Player) -> (App, xks_console::tui::effect::CallId) {
    let mut app = player.app().clone();
    let effects = app.update(Msg::Key(KeyCode::Char('t').into()));
    let [Effect::Call(id, Call::Metrics { range: TimeRange::TwelveHours, .. })] = effects[..] else {
        panic!("{effects:?}")
    };
    (app, id)
}

#[test]
fn loading_and_access_denied_states_are_shown() {
    let player = open_metrics_of("Down\n");
    let (mut app, id) = request_longer_range(&player);
    assert_screen_matches("monitoring-loading", &app);
    let failure = CallFailure {
        code: "AccessDeniedException".to_owned(),
        message: "User: arn:aws:iam::111122223333:user/Lee is not authorized to perform: cloudwatch:ListMetrics"
            .to_owned(),
        request_id: "r-1".to_owned(),
    };
    app.update(Msg::CallCompleted(id, Err(failure)));
    assert_screen_matches("monitoring-refused", &app);
    assert!(app.flashes.is_empty());
}

fn metric(name: &str, dimensions: &[(&str, &str)]) -> Metric {
    let dimensions = dimensions.iter().map(|(name, value)| Dimension { name: (*name).into(), value: (*value).into() });
    Metric {
        namespace: Some("AWS/KMS".to_owned()),
        metric_name: Some(name.to_owned()),
        dimensions: dimensions.collect(),
    }
}

fn metric_result(start: Timestamp, values: &[(i64, f64)]) -> MetricDataResult {
    MetricDataResult {
        timestamps: values.iter().map(|(at, _)| EpochSeconds(start + SignedDuration::from_mins(15 * at))).collect(),
        values: values.iter().map(|(_, value)| *value).collect(),
        ..MetricDataResult::default()
    }
}

/// Returns metrics of a key store with many errors.
fn monitoring_with_errors() -> Monitoring {
    let range = TimeRange::TwelveHours;
    let (start, _) = range.window_at("2026-03-02T10:15:00Z".parse().unwrap());
    let error = |kind: &str, name: &str| metric("XksProxyErrors", &[("ErrorType", kind), ("ExceptionName", name)]);
    let latency = metric("XksProxyLatency", &[("KmsOperation", "Encrypt")]);
    let certificate = metric("XksProxyCertificateDaysToExpire", &[("CertificateName", "xks.example.com")]);
    let state = |name| metric("XksExternalKeyManagerStates", &[("XksExternalKeyManagerState", name)]);
    let counts = [820., 960., 1410., 3300., 5200., 5150., 4800., 3900., 2500., 1800., 1200., 900.];
    let series = |scale: fn(f64) -> f64| {
        let values: Vec<_> =
            (0..48).filter(|at| !(20..24).contains(at)).map(|at| (at, scale(counts[at as usize / 4]))).collect();
        metric_result(start, &values)
    };
    let metrics = [
        (error("N/A", "None"), "SampleCount", series(|count| count)),
        (error("Retryable", "ThrottlingException"), "SampleCount", metric_result(start, &[(16, 700.), (17, 310.)])),
        (
            error("Retryable", "XksProxyUnreachableException"),
            "SampleCount",
            metric_result(start, &[(19, 2200.), (24, 40.)]),
        ),
        (error("Non-retryable", "InvalidStateException"), "SampleCount", metric_result(start, &[(30, 12.)])),
        (error("Non-retryable", "KeyNotFoundException"), "SampleCount", metric_result(start, &[(31, 2.)])),
        (error("Non-retryable", "AccessDeniedException"), "SampleCount", metric_result(start, &[(2, 5.)])),
        (error("Non-retryable", "ValidationException"), "SampleCount", metric_result(start, &[(2, 1.)])),
        (latency.clone(), "SampleCount", series(|count| count)),
        (latency.clone(), "Sum", series(|count| count * (12. + count / 40.))),
        (latency, "Maximum", series(|count| (30. + count / 20.).min(250.))),
        (certificate, "Minimum", metric_result(start, &[(0, 9.), (47, 8.)])),
        (state("Active"), "Maximum", metric_result(start, &[(0, 2.), (47, 1.)])),
        (state("Degraded"), "Maximum", metric_result(start, &[(0, 0.), (47, 1.)])),
        (state("Unavailable"), "Maximum", metric_result(start, &[(0, 0.), (47, 0.)])),
        (metric("XksProxyCredentialAge", &[]), "Maximum", metric_result(start, &[(47, 356.)])),
        (metric("ExternalKeyStoreThrottle", &[]), "Sum", metric_result(start, &[(16, 20.), (17, 3.)])),
    ];
    Monitoring::new(range, start, metrics.iter().map(|(metric, statistic, result)| (metric, *statistic, result)))
}

#[test]
fn errors_are_shown_at_every_size_and_can_be_scrolled_to() {
    let player = open_metrics_of("Down\n");
    let (mut app, id) = request_longer_range(&player);
    app.update(Msg::CallCompleted(id, Ok(Response::Metrics(Box::new(monitoring_with_errors())))));
    assert_screen_matches("monitoring-troubles", &app);
    app.update(Msg::Key(KeyCode::PageDown.into()));
    app.update(Msg::Key(KeyCode::PageDown.into()));
    assert_screen_matches("monitoring-troubles-end", &app);
}

#[test]
fn metrics_of_another_key_store_are_discarded() {
    let player = open_metrics_of("Down\n");
    let (mut app, id) = request_longer_range(&player);
    app.update(Msg::Key(KeyCode::Esc.into()));
    app.update(Msg::Key(KeyCode::Down.into()));
    app.update(Msg::Key(KeyCode::Enter.into()));
    app.update(Msg::CallCompleted(id, Ok(Response::Metrics(Box::new(monitoring_with_errors())))));
    let mut other = app.clone();
    other.update(Msg::Key(KeyCode::Up.into()));
    let shown = xks_console::flow::tape::screen_text(&super::snapshots::draw(&other, (120, 40)));
    assert!(shown.contains("Loading the metrics") && !shown.contains("xks.example.com"), "{shown}");
}

#[test]
fn external_change_refreshes_metrics_with_the_key_stores() {
    let player = open_metrics_of("Down\n");
    let mut app = player.app().clone();
    let [Effect::StartTimer(timer, _)] = app.update(Msg::DataChanged(Changes::default()))[..] else {
        panic!("expected only a timer")
    };
    let effects = app.update(Msg::TimerElapsed(timer));
    let [Effect::Call(id, Call::KeyStores), ..] = effects[..] else { panic!("{effects:?}") };
    let stores = app.account.key_stores.ready().unwrap().clone();
    let effects = app.update(Msg::CallCompleted(id, Ok(Response::KeyStores(stores))));
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Call(_, Call::Metrics { .. }))), "{effects:?}");
    // The old data stays on the screen until the response arrives.
    let shown = xks_console::flow::tape::screen_text(&super::snapshots::draw(&app, (80, 24)));
    assert!(shown.contains("Total requests"), "{shown}");
}
