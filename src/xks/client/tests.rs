use axum::response::IntoResponse as _;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::environment::Environment;
use crate::xks::key_manager::{ExternalKeyManager, NewExternalKey, ProxyCredential};
use crate::xks::metrics::{Exception, MetricMinute, StatisticSet};
use crate::xks::proxy::{self, BUNDLED_HOST};

fn metadata() -> RequestMetadata {
    RequestMetadata {
        aws_principal_arn: "arn:aws:iam::111122223333:user/Admin".into(),
        kms_key_arn: Some("arn:aws:kms:us-west-2:111122223333:key/1".into()),
        kms_operation: "Encrypt".into(),
        kms_request_id: "1".into(),
        ..RequestMetadata::default()
    }
}

fn bundled() -> (XksClient, ProxyTarget, ExternalKeyManager) {
    let environment = Environment::replayable(Timestamp::UNIX_EPOCH, 5);
    let manager = ExternalKeyManager::in_memory(environment.clone()).unwrap();
    let credential = ProxyCredential::generate(&environment.random).unwrap();
    manager.create_partition("acme", &credential).unwrap();
    let key = NewExternalKey {
        id: "k1".into(),
        manager_id: None,
        spec: "AES_256".into(),
        usage: vec!["ENCRYPT".into(), "DECRYPT".into()],
        enabled: true,
        callers: Vec::new(),
    };
    manager.create_key("acme", &key).unwrap();
    let client = XksClient::new(proxy::router(manager.clone(), environment.clock.clone()), None, environment.clock);
    (client, target(credential), manager)
}

fn target(credential: ProxyCredential) -> ProxyTarget {
    ProxyTarget {
        key_store: "111122223333/us-west-2/cks-1".into(),
        key_store_name: "Oslo HSM".into(),
        uri_endpoint: format!("https://{BUNDLED_HOST}"),
        uri_path: "/acme/kms/xks/v1".into(),
        access_key_id: credential.access_key_id,
        secret_access_key: credential.secret_access_key,
        region: "us-west-2".into(),
    }
}

/// Returns a client for a proxy that always returns this response.
fn canned(status: u16, body: &Value) -> (XksClient, ProxyTarget) {
    let body = body.to_string();
    let bundled_proxy =
        Router::new().fallback(async move || (StatusCode::from_u16(status).unwrap(), body.clone()).into_response());
    (XksClient::new(bundled_proxy, None, Clock::manual(Timestamp::UNIX_EPOCH)), bundled().1)
}

#[tokio::test]
async fn all_operations_work_with_the_bundled_proxy() {
    let (client, target, _) = bundled();
    let health = client.get_health_status(&target, &metadata()).await.unwrap();
    assert_eq!(health.ekm_fleet_details.len(), 1);
    let key = client.get_key_metadata(&target, &metadata(), "k1").await.unwrap();
    check_external_key(&key).unwrap();
    let parts = client.encrypt(&target, &metadata(), "k1", b"plaintext", b"aad").await.unwrap();
    let plaintext = client.decrypt(&target, &metadata(), "k1", &parts, b"aad").await.unwrap();
    assert_eq!(plaintext.expose(), b"plaintext");
    let wrong = client.decrypt(&target, &metadata(), "k1", &parts, b"AAD").await;
    assert_eq!(wrong.unwrap_err(), XksFailure::Refused(ErrorName::InvalidCiphertextException));
}

#[tokio::test]
async fn proxy_errors_are_mapped_to_failures() {
    let (client, target, manager) = bundled();
    let failure = client.get_key_metadata(&target, &metadata(), "k2").await.unwrap_err();
    assert_eq!(failure, XksFailure::Refused(ErrorName::KeyNotFoundException));
    let stranger = ProxyTarget { secret_access_key: SecretString::new("x".repeat(43)), ..target.clone() };
    let failure = client.get_health_status(&stranger, &metadata()).await.unwrap_err();
    assert_eq!(failure.connection_error_code(), "INVALID_CREDENTIALS");
    let lost = ProxyTarget { uri_path: "/nobody/kms/xks/v1".into(), ..target.clone() };
    let failure = client.get_health_status(&lost, &metadata()).await.unwrap_err();
    assert_eq!(failure, XksFailure::Refused(ErrorName::InvalidUriPathException));
    manager.set_enabled("acme", "k1", false).unwrap();
    let failure = client.encrypt(&target, &metadata(), "k1", b"", b"").await.unwrap_err();
    assert_eq!(failure, XksFailure::Refused(ErrorName::InvalidStateException));
}

#[tokio::test]
async fn unknown_host_is_unreachable_and_invalid_endpoint_is_configuration_error() {
    let (client, target, _) = bundled();
    let away = ProxyTarget { uri_endpoint: "https://xks.example.com".into(), ..target.clone() };
    assert_eq!(client.get_health_status(&away, &metadata()).await.unwrap_err(), XksFailure::Unreachable);
    let broken = ProxyTarget { uri_endpoint: "https://not a host".into(), ..target };
    let failure = client.get_health_status(&broken, &metadata()).await.unwrap_err();
    assert!(matches!(failure, XksFailure::Configuration(_)), "{failure}");
}

#[tokio::test]
async fn invalid_responses_are_rejected() {
    let hex = |length: usize| Blob(vec![7; length]);
    let response = |ciphertext, iv, tag, note| {
        json!({ "ciphertext": hex(ciphertext), "initializationVector": hex(iv), "authenticationTag": hex(tag),
            "ciphertextMetadata": hex(note), "ciphertextDataIntegrityValue": hex(32) })
    };
    for (status, body) in [
        (200, json!(null)),
        (200, json!({ "ciphertext": "AA==" })),
        (200, response(10, 12, 16, 5)),
        (200, response(9, 13, 16, 5)),
        (200, response(9, 12, 12, 5)),
        (200, response(9, 12, 16, 21)),
        (200, json!("x".repeat(MAX_BODY))),
        (400, json!({ "errorName": "Teapot" })),
        (404, json!("Not Found")),
        (405, json!(null)),
        (204, response(9, 12, 16, 5)),
    ] {
        let (client, target) = canned(status, &body);
        let failure = client.encrypt(&target, &metadata(), "k1", b"plaintext", b"").await.unwrap_err();
        assert!(matches!(failure, XksFailure::InvalidResponse(_)), "{status} {failure:?}");
    }
    let (client, target) = canned(200, &response(9, 12, 16, 5));
    let failure = client.encrypt(&target, &metadata(), "k1", b"plaintext", b"").await.unwrap_err();
    assert_eq!(failure, XksFailure::DamagedCiphertext, "the integrity value doesn't match");
    let (client, target) = canned(200, &json!({ "plaintext": "AA==" }));
    let parts = ExternalCiphertext {
        initialization_vector: vec![0; 12],
        authentication_tag: vec![0; 16],
        ciphertext_metadata: Vec::new(),
        ciphertext: vec![0; 2],
    };
    let failure = client.decrypt(&target, &metadata(), "k1", &parts, b"").await.unwrap_err();
    assert!(matches!(failure, XksFailure::InvalidResponse(_)), "{failure:?}");
}

#[tokio::test]
async fn every_api_error_is_recognized_by_name() {
    for name in ErrorName::ALL {
        let (client, target) = canned(name.status(), &json!({ "errorName": name.as_str(), "errorMessage": "x" }));
        let failure = client.get_key_metadata(&target, &metadata(), "k1").await.unwrap_err();
        assert_eq!(failure, XksFailure::Refused(name));
    }
}

#[tokio::test]
async fn fleet_without_available_manager_is_unhealthy() {
    let health = |size: u32, states: &[&str]| {
        let fleet: Vec<_> = states.iter().map(|s| json!({ "id": "1", "model": "m", "healthStatus": s })).collect();
        json!({ "xksProxyFleetSize": size, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "v", "ekmFleetDetails": fleet })
    };
    for (body, is_ok, failure) in [
        (health(1, &["UNAVAILABLE", "DEGRADED"]), true, None),
        (health(1, &["UNAVAILABLE", "UNAVAILABLE"]), false, Some(XksFailure::Unhealthy)),
        (health(0, &["ACTIVE"]), false, None),
        (health(1, &[]), false, None),
        (health(1, &["ACTIVE"; 11]), false, None),
    ] {
        let (client, target) = canned(200, &body);
        let result = client.get_health_status(&target, &metadata()).await;
        assert_eq!(result.is_ok(), is_ok, "{body}");
        if let Some(failure) = failure {
            assert_eq!(result.unwrap_err(), failure);
        }
    }
}

#[tokio::test]
async fn proxy_timeout_is_retried_once() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let request_count = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&request_count);
    let bundled_proxy = Router::new().fallback(async move || {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::pending::<()>().await;
    });
    let client = XksClient::new(bundled_proxy, None, Clock::manual(Timestamp::UNIX_EPOCH));
    let failure = client.get_health_status(&bundled().1, &metadata()).await.unwrap_err();
    assert_eq!((failure, request_count.load(Ordering::SeqCst)), (XksFailure::TimedOut, 2));
    let recorded = client.metrics().take();
    let operations = Operations { kms: "Encrypt".into(), xks: "GetHealthStatus" };
    let exception = Exception { name: "XksProxyUnreachableException", is_retryable: true };
    let expected = [
        (Metric::Latency(operations.clone()), StatisticSet { count: 2, sum: 500., min: 250., max: 250. }),
        (Metric::Errors(operations, Some(exception)), StatisticSet { count: 2, sum: 2., min: 1., max: 1. }),
    ];
    assert_eq!(recorded.into_iter().map(|one| (one.metric, one.statistics)).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn each_request_outcome_is_recorded_once() {
    let health = json!({ "xksProxyFleetSize": 1, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "v",
        "ekmFleetDetails": [{ "id": "1", "model": "m", "healthStatus": "UNAVAILABLE" }] });
    let refused = |name: &str| json!({ "errorName": name });
    for (status, body, expected) in [
        (200, health, None),
        (200, json!("nonsense"), Some(("XksProxyInvalidResponseException", false))),
        (429, refused("ThrottlingException"), Some(("ThrottlingException", true))),
        (500, refused("InternalException"), Some(("InternalException", true))),
        (503, refused("DependencyTimeoutException"), Some(("DependencyTimeoutException", true))),
        (401, refused("AuthenticationFailedException"), Some(("AuthenticationFailedException", false))),
    ] {
        let (client, target) = canned(status, &body);
        client.get_health_status(&target, &metadata()).await.unwrap_err();
        let recorded = client.metrics().take();
        let exception = expected.map(|(name, is_retryable)| Exception { name, is_retryable });
        assert!(matches!(&recorded[0].metric, Metric::Latency(_)), "{recorded:?}");
        assert!(matches!(&recorded[1].metric, Metric::Errors(_, found) if *found == exception), "{recorded:?}");
        assert_eq!(recorded.len(), if expected.is_none() { 5 } else { 2 }, "{recorded:?}");
    }
    // An unreachable proxy has no latency, and a key store that doesn't exist yet has no metrics.
    let (client, target, _) = bundled();
    let away = ProxyTarget { uri_endpoint: "https://xks.example.com".into(), ..target.clone() };
    client.get_health_status(&away, &metadata()).await.unwrap_err();
    assert!(matches!(&client.metrics().take()[..], [MetricMinute { metric: Metric::Errors(..), .. }]));
    client.get_health_status(&ProxyTarget { key_store: String::new(), ..target }, &metadata()).await.unwrap();
    assert_eq!(client.metrics().take(), []);
}

#[test]
fn debug_output_hides_secrets() {
    let (client, target, _) = bundled();
    let shown = format!("{client:?} {target:?}");
    assert!(!shown.contains(target.secret_access_key.expose()), "{shown}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn encrypted_plaintext_round_trips_through_the_proxy(plaintext in prop::collection::vec(any::<u8>(), 0..4300), aad: [u8; 32]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (client, target, _) = bundled();
        let back = runtime.block_on(async {
            let parts = client.encrypt(&target, &metadata(), "k1", &plaintext, &aad).await.unwrap();
            client.decrypt(&target, &metadata(), "k1", &parts, &aad).await.unwrap()
        });
        prop_assert_eq!(back.expose(), plaintext.as_slice());
    }
}
