//! Failures behind the proxy: a damaged or busy database of the external key manager.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::client::{Protocol, RawRequest, ServedProxy, decrypt_body, encrypt_body, metadata_body};

fn database(dir: &Path) -> Connection {
    Connection::open(dir.join("external-key-manager.sqlite")).unwrap()
}

#[tokio::test]
async fn broken_database_is_an_internal_error_without_details() {
    for protocol in [Protocol::Http, Protocol::Tls] {
        let dir = tempfile::tempdir().unwrap();
        let proxy = ServedProxy::start_in(dir.path(), protocol).await;
        let encrypted = proxy.encrypt(&encrypt_body()).await;
        // Damages the wrapped key material. The key still exists but can't be used.
        database(dir.path()).execute_batch("UPDATE key_versions SET sealed = x'00'").unwrap();
        let requests = [("encrypt", encrypt_body()), ("decrypt", decrypt_body(&encrypted))];
        for (api, body) in &requests {
            let response = proxy.call(&format!("/keys/good/{api}"), body).await;
            response.assert_outcome(500, "InternalException", "the key material is damaged");
        }
        proxy.send(&RawRequest::health()).await.assert_outcome(
            500,
            "InternalException",
            "a deep health check detects it",
        );
        proxy.call("/keys/good/metadata", &metadata_body()).await.assert_outcome(
            200,
            "",
            "undamaged metadata is returned",
        );
        database(dir.path()).execute_batch("DROP TABLE key_versions").unwrap();
        for (api, body) in requests.iter().chain([&("metadata", metadata_body())]) {
            let response = proxy.call(&format!("/keys/good/{api}"), body).await;
            response.assert_outcome(500, "InternalException", "the database is damaged");
            let message = response.json()["errorMessage"].as_str().unwrap().to_owned();
            assert!(
                !message.contains("key_versions") && !message.contains(&*dir.path().to_string_lossy()),
                "{message}"
            );
        }
        proxy.send(&RawRequest::health()).await.assert_outcome(
            500,
            "InternalException",
            "a deep health check detects it",
        );
    }
}

#[tokio::test]
async fn busy_database_is_a_dependency_timeout() {
    for protocol in [Protocol::Http, Protocol::Tls] {
        let dir = tempfile::tempdir().unwrap();
        let proxy = ServedProxy::start_in(dir.path(), protocol).await;
        let encrypted = proxy.encrypt(&encrypt_body()).await;
        let other_connection = database(dir.path());
        other_connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let start = Instant::now();
        // The first Encrypt with a key must write its usage counter to the database.
        let first = proxy.call("/keys/encrypt-only/encrypt", &encrypt_body_without_integrity_value()).await;
        first.assert_outcome(503, "DependencyTimeoutException", "the database is locked");
        // Other changes can wait for five seconds, but KMS times out after 250 ms.
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        proxy.send(&RawRequest::health()).await.assert_outcome(
            503,
            "DependencyTimeoutException",
            "a deep health check detects it",
        );
        let response = proxy.call("/keys/good/decrypt", &decrypt_body(&encrypted)).await;
        response.assert_outcome(200, "", "requests that change nothing don't wait");
        other_connection.execute_batch("ROLLBACK").unwrap();
        proxy.call("/keys/encrypt-only/encrypt", &encrypt_body_without_integrity_value()).await.assert_outcome(
            200,
            "",
            "requests succeed again",
        );
        proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "requests succeed again");
    }
}

fn encrypt_body_without_integrity_value() -> serde_json::Value {
    super::client::with_member(encrypt_body(), "/ciphertextDataIntegrityValueAlgorithm", None)
}
