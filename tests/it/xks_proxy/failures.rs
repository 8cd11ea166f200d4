//! What fails behind the proxy: the external key manager's database, truly broken or busy.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::client::{Protocol, RawRequest, ServedProxy, decrypt_body, encrypt_body, metadata_body};

fn database(dir: &Path) -> Connection {
    Connection::open(dir.join("external-key-manager.sqlite")).unwrap()
}

#[tokio::test]
async fn broken_database_is_an_internal_error_without_details() {
    for wire in [Protocol::Http, Protocol::Tls] {
        let dir = tempfile::tempdir().unwrap();
        let proxy = ServedProxy::start_in(dir.path(), wire).await;
        let sealed = proxy.encrypt(&encrypt_body()).await;
        // What is wrapped is damaged: the key is known and can't be used.
        database(dir.path()).execute_batch("UPDATE key_versions SET sealed = x'00'").unwrap();
        let requests = [("encrypt", encrypt_body()), ("decrypt", decrypt_body(&sealed))];
        for (api, body) in &requests {
            let response = proxy.call(&format!("/keys/good/{api}"), body).await;
            response.assert_outcome(500, "InternalException", "the key material is damaged");
        }
        proxy.send(&RawRequest::health()).await.assert_outcome(500, "InternalException", "a deep health check notices");
        proxy.call("/keys/good/metadata", &metadata_body()).await.assert_outcome(200, "", "what is whole is told");
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
        proxy.send(&RawRequest::health()).await.assert_outcome(500, "InternalException", "a deep health check notices");
    }
}

#[tokio::test]
async fn busy_database_is_a_dependency_timeout() {
    for wire in [Protocol::Http, Protocol::Tls] {
        let dir = tempfile::tempdir().unwrap();
        let proxy = ServedProxy::start_in(dir.path(), wire).await;
        let sealed = proxy.encrypt(&encrypt_body()).await;
        let other_connection = database(dir.path());
        other_connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let started = Instant::now();
        // Its uses must be counted on disk before it encrypts for the first time.
        let first = proxy.call("/keys/sealer/encrypt", &encrypt_body_without_integrity_value()).await;
        first.assert_outcome(503, "DependencyTimeoutException", "the database is somebody else's");
        // Far from the five seconds that a change may wait; KMS gives up after a quarter of one.
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        proxy.send(&RawRequest::health()).await.assert_outcome(
            503,
            "DependencyTimeoutException",
            "a deep health check notices",
        );
        let decrypting = proxy.call("/keys/good/decrypt", &decrypt_body(&sealed)).await;
        decrypting.assert_outcome(200, "", "who changes nothing waits for nobody");
        other_connection.execute_batch("ROLLBACK").unwrap();
        proxy.call("/keys/sealer/encrypt", &encrypt_body_without_integrity_value()).await.assert_outcome(
            200,
            "",
            "and then it goes on",
        );
        proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "and then it goes on");
    }
}

fn encrypt_body_without_integrity_value() -> serde_json::Value {
    super::client::with_member(encrypt_body(), "/ciphertextDataIntegrityValueAlgorithm", None)
}
