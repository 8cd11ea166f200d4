//! CloudWatch: metrics of the requests to external key store proxies, and the operations that read them.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use xks_console::aws::cloudwatch::{
    Dimension, DimensionFilter, GetMetricData, ListMetrics, Metric, MetricDataQuery, MetricStat,
};
use xks_console::aws::kms::{CreateKey, Encrypt, UpdateCustomKeyStore, XksProxyAuthenticationCredential};
use xks_console::aws::scalar::EpochSeconds;
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::Clock;

use crate::account::{
    account, account_with_bundled, create_external_key, create_key_request, encrypt, key_store, secret, service_error,
};
use crate::cloudtrail::client_for_user;

async fn list_metrics(client: &Client, name: Option<&str>, store: Option<&str>) -> Vec<Metric> {
    let store_filter =
        store.map(|id| DimensionFilter { name: "CustomKeyStoreId".to_owned(), value: Some(id.to_owned()) });
    let request = ListMetrics {
        namespace: Some("AWS/KMS".to_owned()),
        metric_name: name.map(str::to_owned),
        dimensions: store_filter.into_iter().collect(),
        ..ListMetrics::default()
    };
    client.call(&request).await.unwrap().metrics
}

fn query(metric: &Metric, stat: &str, period: i64) -> MetricDataQuery {
    MetricDataQuery {
        id: "q".to_owned(),
        metric_stat: Some(MetricStat { metric: metric.clone(), period, stat: stat.to_owned(), unit: None }),
        ..MetricDataQuery::default()
    }
}

fn metric_data_request(queries: Vec<MetricDataQuery>, start: &str, end: &str) -> GetMetricData {
    GetMetricData {
        metric_data_queries: queries,
        start_time: EpochSeconds(start.parse().unwrap()),
        end_time: EpochSeconds(end.parse().unwrap()),
        scan_by: None,
        max_datapoints: None,
        next_token: None,
    }
}

/// Returns one day's data points of a metric, newest first.
async fn data_points(client: &Client, metric: &Metric, stat: &str, period: i64) -> Vec<(String, f64)> {
    let request =
        metric_data_request(vec![query(metric, stat, period)], "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z");
    let result = client.call(&request).await.unwrap().metric_data_results.remove(0);
    assert_eq!(result.status_code, "Complete");
    assert_eq!(Some(&result.label), metric.metric_name.as_ref());
    let times = result.timestamps.iter().map(|time| time.0.strftime("%H:%M").to_string());
    times.zip(result.values).collect()
}

fn dimensions(metric: &Metric) -> BTreeMap<&str, &str> {
    metric.dimensions.iter().map(|dimension| (&*dimension.name, &*dimension.value)).collect()
}

#[tokio::test]
async fn proxy_requests_are_counted_with_their_dimensions() {
    let (client, clock, bundled) = account_with_bundled();
    let key = create_external_key(&client).await;
    for minute in [0, 1, 6] {
        clock.advance(SignedDuration::from_mins(minute));
        encrypt(&client, &key).await;
        encrypt(&client, &key).await;
    }
    bundled.key_manager().set_enabled("frankfurt", "payments-2026", false).unwrap();
    service_error(client.call(&Encrypt { key_id: key, plaintext: secret(b"x"), ..Encrypt::default() }).await);

    let id = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    let errors = list_metrics(&client, Some("XksProxyErrors"), Some(&id)).await;
    let find_metric = |exception: &str| {
        let mut encrypts = errors.iter().filter(|metric| metric.dimension("KmsOperation") == Some("Encrypt"));
        encrypts.find(|metric| metric.dimension("ExceptionName") == Some(exception)).unwrap()
    };
    let dimensions_of = |error_type, exception| {
        BTreeMap::from([
            ("CustomKeyStoreId", &*id),
            ("KmsOperation", "Encrypt"),
            ("XksOperation", "Encrypt"),
            ("KeySpec", "SYMMETRIC_DEFAULT"),
            ("ErrorType", error_type),
            ("ExceptionName", exception),
        ])
    };
    let (good, bad) = (find_metric("None"), find_metric("InvalidStateException"));
    assert_eq!(dimensions(good), dimensions_of("N/A", "None"));
    assert_eq!(dimensions(bad), dimensions_of("Non-retryable", "InvalidStateException"));
    let at = |hour: &str, value| (hour.to_owned(), value);
    assert_eq!(
        data_points(&client, good, "SampleCount", 60).await,
        [at("10:22", 2.), at("10:16", 2.), at("10:15", 2.)]
    );
    assert_eq!(data_points(&client, good, "SampleCount", 300).await, [at("10:20", 2.), at("10:15", 4.)]);
    assert_eq!(data_points(&client, good, "Sum", 3600).await, [at("10:00", 0.)]);
    assert_eq!(data_points(&client, bad, "Sum", 3600).await, [at("10:00", 1.)]);

    let latencies = list_metrics(&client, Some("XksProxyLatency"), Some(&id)).await;
    let latency = latencies.iter().find(|metric| metric.dimension("KmsOperation") == Some("Encrypt")).unwrap();
    assert_eq!(latency.dimensions.len(), 4);
    assert_eq!(data_points(&client, latency, "SampleCount", 3600).await, [at("10:00", 7.)]);
    for statistic in ["Average", "Minimum", "Maximum"] {
        assert_eq!(
            data_points(&client, latency, statistic, 3600).await,
            [at("10:00", 0.)],
            "the clock does not advance"
        );
    }
    let create_key = latencies.iter().find(|metric| metric.dimension("KmsOperation") == Some("CreateKey")).unwrap();
    assert_eq!(create_key.dimension("XksOperation"), Some("GetKeyMetadata"));
}

#[tokio::test]
async fn kms_health_checks_connected_key_stores_when_metrics_are_read() {
    let (client, clock) = account();
    let id = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    let health = |metrics: &[Metric]| {
        let mut latencies = metrics.iter().filter(|metric| metric.dimension("XksOperation") == Some("GetHealthStatus"));
        latencies.find(|metric| metric.dimension("KmsOperation") == Some("KmsHealthCheck")).cloned().unwrap()
    };
    let metrics = list_metrics(&client, Some("XksProxyLatency"), Some(&id)).await;
    clock.advance(SignedDuration::from_mins(4));
    let at = |hour: &str, value| (hour.to_owned(), value);
    assert_eq!(data_points(&client, &health(&metrics), "SampleCount", 60).await, [at("10:15", 1.)]);
    clock.advance(SignedDuration::from_mins(1));
    assert_eq!(data_points(&client, &health(&metrics), "SampleCount", 60).await, [at("10:20", 1.), at("10:15", 1.)]);

    let states = list_metrics(&client, Some("XksExternalKeyManagerStates"), Some(&id)).await;
    let state = |name| states.iter().find(|metric| metric.dimension("XksExternalKeyManagerState") == Some(name));
    assert_eq!(data_points(&client, state("Active").unwrap(), "Maximum", 3600).await, [at("10:00", 1.)]);
    assert_eq!(data_points(&client, state("Degraded").unwrap(), "Maximum", 3600).await, [at("10:00", 0.)]);

    // KMS doesn't check the proxies of key stores that aren't connected.
    let states = [("Dublin HSM", true), ("Zurich DR", false), ("Paris legacy", false)];
    for (name, is_connected) in states {
        let id = key_store(&client, name).await.custom_key_store_id;
        assert_eq!(!list_metrics(&client, None, Some(&id)).await.is_empty(), is_connected, "{name}");
    }
}

#[tokio::test]
async fn credential_age_is_measured_from_when_kms_received_the_credential() {
    let (client, clock, bundled) = account_with_bundled();
    let id = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    let age = list_metrics(&client, Some("XksProxyCredentialAge"), Some(&id)).await.remove(0);
    assert_eq!(dimensions(&age), BTreeMap::from([("CustomKeyStoreId", &*id)]));
    // The scenario created the key store on March 11 of the previous year.
    assert_eq!(data_points(&client, &age, "Maximum", 3600).await, [("10:00".to_owned(), 356.)]);
    let file: serde_json::Value = serde_json::from_str(&bundled.proxy_configuration("frankfurt").unwrap()).unwrap();
    let credential: XksProxyAuthenticationCredential =
        serde_json::from_value(file["XksProxyAuthenticationCredential"].clone()).unwrap();
    let update = UpdateCustomKeyStore {
        custom_key_store_id: id,
        xks_proxy_authentication_credential: Some(credential),
        ..UpdateCustomKeyStore::default()
    };
    client.call(&update).await.unwrap();
    clock.advance(SignedDuration::from_hours(2));
    assert_eq!(data_points(&client, &age, "Maximum", 3600).await[0], ("12:00".to_owned(), 0.));
}

#[tokio::test]
async fn data_points_are_paginated_in_either_order() {
    let (client, clock) = account();
    let key = create_external_key(&client).await;
    for _ in 0..5 {
        encrypt(&client, &key).await;
        clock.advance(SignedDuration::from_mins(1));
    }
    let latencies = list_metrics(&client, Some("XksProxyLatency"), None).await;
    let latency = latencies.iter().find(|metric| metric.dimension("KmsOperation") == Some("Encrypt")).unwrap();
    let queries = || {
        let named = |id: &str| MetricDataQuery { id: id.to_owned(), ..query(latency, "SampleCount", 60) };
        vec![named("a"), MetricDataQuery { return_data: Some(false), ..named("hidden") }, named("b")]
    };
    for (scan_by, expected) in [
        (None, ["19", "18", "17", "16", "15"]),
        (Some("TimestampDescending"), ["19", "18", "17", "16", "15"]),
        (Some("TimestampAscending"), ["15", "16", "17", "18", "19"]),
    ] {
        let mut request = GetMetricData {
            scan_by: scan_by.map(str::to_owned),
            max_datapoints: Some(3),
            ..metric_data_request(queries(), "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z")
        };
        let (mut seen, mut pages) = (BTreeMap::<String, Vec<String>>::new(), 0);
        loop {
            let page = client.call(&request).await.unwrap();
            let count: usize = page.metric_data_results.iter().map(|result| result.values.len()).sum();
            assert!(count <= 3, "{page:?}");
            for result in page.metric_data_results {
                let minutes = result.timestamps.iter().map(|time| time.0.strftime("%M").to_string());
                seen.entry(result.id).or_default().extend(minutes);
            }
            pages += 1;
            request.next_token = page.next_token;
            if request.next_token.is_none() {
                break;
            }
        }
        assert_eq!(pages, 4);
        assert_eq!(seen.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert!(seen.values().all(|minutes| minutes == &expected), "{seen:?}");
    }
}

#[tokio::test]
async fn invalid_metric_requests_are_rejected_with_a_reason() {
    let (client, _) = account();
    let metric = Metric {
        namespace: Some("AWS/KMS".to_owned()),
        metric_name: Some("XksProxyErrors".to_owned()),
        dimensions: Vec::new(),
    };
    let good = || query(&metric, "Sum", 300);
    let (early, late) = ("2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z");
    let request_for = |query: MetricDataQuery| metric_data_request(vec![query], early, late);
    let expression = || MetricDataQuery { expression: Some("a + b".to_owned()), metric_stat: None, ..good() };
    let both = MetricDataQuery { metric_stat: good().metric_stat, ..expression() };
    let nameless = Metric { metric_name: None, ..metric.clone() };
    for (reason, request) in [
        ("1 to 500 queries", metric_data_request(Vec::new(), early, late)),
        ("1 to 500 queries", metric_data_request(vec![good(); 501], early, late)),
        ("Duplicate Id", metric_data_request(vec![good(), good()], early, late)),
        ("lowercase letter", request_for(MetricDataQuery { id: "Query".to_owned(), ..good() })),
        ("support metric math", request_for(expression())),
        ("either MetricStat or Expression", request_for(both)),
        ("another account", request_for(MetricDataQuery { account_id: Some("444455556666".to_owned()), ..good() })),
        ("Namespace and MetricName", request_for(query(&nameless, "Sum", 300))),
        ("multiple of 60", request_for(query(&metric, "Sum", 90))),
        ("multiple of 60", request_for(query(&metric, "Sum", 0))),
        ("statistic p99", request_for(query(&metric, "p99", 300))),
        ("StartTime must be less", metric_data_request(vec![good()], late, early)),
        ("MaxDatapoints", GetMetricData { max_datapoints: Some(0), ..request_for(good()) }),
        ("MaxDatapoints", GetMetricData { max_datapoints: Some(100_801), ..request_for(good()) }),
        ("ScanBy", GetMetricData { scan_by: Some("Random".to_owned()), ..request_for(good()) }),
    ] {
        let error = service_error(client.call(&request).await);
        assert!(error.code == "ValidationError" && error.message.contains(reason), "{error:?}: {reason}");
    }
    for token in ["x", "1.0", "7.7"] {
        let request = GetMetricData { next_token: Some(token.to_owned()), ..request_for(good()) };
        assert_eq!(service_error(client.call(&request).await).code, "InvalidNextToken", "{token}");
    }
    // Metrics without data are not an error.
    for unknown in [
        Metric { namespace: Some("AWS/EC2".to_owned()), ..metric.clone() },
        Metric { dimensions: vec![Dimension { name: "Color".to_owned(), value: "Red".to_owned() }], ..metric.clone() },
        metric.clone(),
    ] {
        assert_eq!(data_points(&client, &unknown, "Sum", 60).await, []);
    }
    let store = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    let recorded = list_metrics(&client, Some("XksProxyLatency"), Some(&store)).await.remove(0);
    for (unit, count) in [(None, 1), (Some("Milliseconds"), 1), (Some("Seconds"), 0)] {
        let mut request = query(&recorded, "SampleCount", 3600);
        request.metric_stat.as_mut().unwrap().unit = unit.map(str::to_owned);
        let response = client.call(&request_for(request)).await.unwrap();
        assert_eq!(response.metric_data_results[0].values.len(), count, "{unit:?}");
    }
    for request in [
        ListMetrics { next_token: Some("x".to_owned()), ..ListMetrics::default() },
        ListMetrics { recently_active: Some("PT1H".to_owned()), ..ListMetrics::default() },
        ListMetrics {
            dimensions: vec![DimensionFilter { name: "A".to_owned(), value: None }; 11],
            ..ListMetrics::default()
        },
    ] {
        assert_eq!(service_error(client.call(&request).await).code, "InvalidParameterValue");
    }
}

#[tokio::test]
async fn caller_without_permission_cannot_read_metrics() {
    let (_, clock, bundled) = account_with_bundled();
    let jonas = client_for_user(&bundled, "jonas.bauer", &clock);
    let request =
        metric_data_request(vec![query(&Metric::default(), "Sum", 60)], "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z");
    for (error, action) in [
        (service_error(jonas.call(&request).await), "cloudwatch:GetMetricData"),
        (service_error(jonas.call(&ListMetrics::default()).await), "cloudwatch:ListMetrics"),
    ] {
        assert!(error.code == "AccessDeniedException" && error.message.contains(action), "{error:?}");
    }
}

#[tokio::test]
async fn metrics_survive_a_restart_and_stay_in_their_region() {
    let dir = tempfile::tempdir().unwrap();
    let console = |aws: &BundledAws| client_for_user(aws, "Admin", &Clock::System);
    {
        let aws = BundledAws::open(dir.path(), None).unwrap();
        let client = console(&aws);
        let key = client.call(&create_key_request(&client, "Frankfurt HSM", "payments-2026").await).await.unwrap();
        encrypt(&client, &key.key_metadata.key_id).await;
    }
    let aws = BundledAws::open(dir.path(), None).unwrap();
    let client = console(&aws);
    let encrypts = |metrics: Vec<Metric>| {
        metrics.into_iter().filter(|metric| metric.dimension("KmsOperation") == Some("Encrypt")).count()
    };
    assert_eq!(encrypts(list_metrics(&client, None, None).await), 2);
    assert_eq!(encrypts(list_metrics(&client.with_region("eu-west-1"), None, None).await), 0);
}

#[tokio::test]
async fn another_process_sees_metrics_within_a_second() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (BundledAws::open(dir.path(), None).unwrap(), BundledAws::open(dir.path(), None).unwrap());
    let (writer, reader) =
        (client_for_user(&one, "Admin", &Clock::System), client_for_user(&other, "Admin", &Clock::System));
    let key: CreateKey = create_key_request(&writer, "Frankfurt HSM", "payments-2026").await;
    writer.call(&key).await.unwrap();
    let start = std::time::Instant::now();
    let is_recorded = async || {
        let metrics = list_metrics(&reader, Some("XksProxyErrors"), None).await;
        metrics.iter().any(|metric| metric.dimension("KmsOperation") == Some("CreateKey"))
    };
    while !is_recorded().await {
        assert!(start.elapsed().as_secs() < 20, "the metric did not appear");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
