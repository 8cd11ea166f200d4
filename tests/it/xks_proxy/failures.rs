//! What fails behind the proxy: the external key manager's database, truly broken or busy.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::client::{Ask, Proxy, Wire, decrypt_body, encrypt_body, metadata_body};

fn database(dir: &Path) -> Connection {
    Connection::open(dir.join("external-key-manager.sqlite")).unwrap()
}

#[tokio::test]
async fn broken_database_is_an_internal_error_without_details() {
    for wire in [Wire::Http, Wire::Tls] {
        let dir = tempfile::tempdir().unwrap();
        let proxy = Proxy::start_in(dir.path(), wire).await;
        let sealed = proxy.encrypt(&encrypt_body()).await;
        // What is wrapped is damaged: the key is known and can't be used.
        database(dir.path()).execute_batch("UPDATE key_versions SET sealed = x'00'").unwrap();
        let asks = [("encrypt", encrypt_body()), ("decrypt", decrypt_body(&sealed))];
        for (api, body) in &asks {
            let answer = proxy.call(&format!("/keys/good/{api}"), body).await;
            answer.must_be(500, "InternalException", "the key material is damaged");
        }
        proxy.send(&Ask::health()).await.must_be(500, "InternalException", "a deep health check notices");
        proxy.call("/keys/good/metadata", &metadata_body()).await.must_be(200, "", "what is whole is told");
        database(dir.path()).execute_batch("DROP TABLE key_versions").unwrap();
        for (api, body) in asks.iter().chain([&("metadata", metadata_body())]) {
            let answer = proxy.call(&format!("/keys/good/{api}"), body).await;
            answer.must_be(500, "InternalException", "the database is damaged");
            let told = answer.json()["errorMessage"].as_str().unwrap().to_owned();
            assert!(!told.contains("key_versions") && !told.contains(&*dir.path().to_string_lossy()), "{told}");
        }
        proxy.send(&Ask::health()).await.must_be(500, "InternalException", "a deep health check notices");
    }
}

#[tokio::test]
async fn busy_database_is_a_dependency_timeout() {
    for wire in [Wire::Http, Wire::Tls] {
        let dir = tempfile::tempdir().unwrap();
        let proxy = Proxy::start_in(dir.path(), wire).await;
        let sealed = proxy.encrypt(&encrypt_body()).await;
        let somebody_else = database(dir.path());
        somebody_else.execute_batch("BEGIN IMMEDIATE").unwrap();
        let started = Instant::now();
        // Its uses must be counted on disk before it encrypts for the first time.
        let first = proxy.call("/keys/sealer/encrypt", &without_cdiv()).await;
        first.must_be(503, "DependencyTimeoutException", "the database is somebody else's");
        // Far from the five seconds that a change may wait; KMS gives up after a quarter of one.
        assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
        proxy.send(&Ask::health()).await.must_be(503, "DependencyTimeoutException", "a deep health check notices");
        let decrypting = proxy.call("/keys/good/decrypt", &decrypt_body(&sealed)).await;
        decrypting.must_be(200, "", "who changes nothing waits for nobody");
        somebody_else.execute_batch("ROLLBACK").unwrap();
        proxy.call("/keys/sealer/encrypt", &without_cdiv()).await.must_be(200, "", "and then it goes on");
        proxy.send(&Ask::health()).await.must_be(200, "", "and then it goes on");
    }
}

fn without_cdiv() -> serde_json::Value {
    super::client::with(encrypt_body(), "/ciphertextDataIntegrityValueAlgorithm", None)
}
