//! The request log: what it contains for each call, and what it never contains.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use xks_console::aws::xks_console::ListProxyRequests;

use super::client::{
    Protocol, RawRequest, ServedProxy, decrypt_body, encrypt_body, metadata_body, over_http_and_tls, with_member,
};

/// Returns the log entries, newest first, as JSON.
fn log_entries(proxy: &ServedProxy) -> Vec<Value> {
    let entries = proxy.aws.key_manager().requests(&ListProxyRequests::default()).unwrap();
    entries.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect()
}

#[tokio::test]
async fn every_call_is_logged_with_its_metadata_time_and_outcome() {
    let metadata = json!({ "kmsViaService": "ebs", "awsSourceVpc": "vpc-1", "awsSourceVpce": "vpce-2" });
    let with_all_metadata = |mut body: Value| {
        let members = body["requestMetadata"].as_object_mut().unwrap();
        members.extend(metadata.as_object().unwrap().clone());
        body
    };
    over_http_and_tls(async |proxy| {
        let encrypted = proxy.encrypt(&encrypt_body()).await;
        for (api, operation, body) in [
            ("metadata", "GetKeyMetadata", metadata_body()),
            ("encrypt", "Encrypt", encrypt_body()),
            ("decrypt", "Decrypt", decrypt_body(&encrypted)),
        ] {
            let body = with_all_metadata(body);
            proxy.call(&format!("/keys/good/{api}"), &body).await.assert_outcome(200, "", "all metadata is accepted");
            let entry = log_entries(&proxy).remove(0);
            for (name, value) in body["requestMetadata"].as_object().unwrap() {
                assert_eq!(&entry[name], value, "the entry of {operation} has its {name}: {entry}");
            }
            let expected = (json!(operation), json!("good"), json!(200), json!("lab"));
            let actual = ["operation", "externalKeyId", "status", "partition"].map(|name| entry[name].clone());
            assert_eq!(actual, <[Value; 4]>::from(expected));
            assert!(entry["microseconds"].is_u64() && entry["time"].is_string(), "{entry}");
            assert_eq!(entry["accessKeyId"], json!(proxy.credential.access_key_id));
        }
        proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "health");
        let entry = log_entries(&proxy).remove(0);
        assert_eq!(
            (&entry["operation"], &entry["kmsOperation"]),
            (&json!("GetHealthStatus"), &json!("KmsHealthCheck"))
        );
        for (request, status, name) in [
            (RawRequest::health().with_invalid_signature(), 401, "AuthenticationFailedException"),
            (RawRequest::new("/keys/none/encrypt", &encrypt_body()), 404, "KeyNotFoundException"),
            (RawRequest::new("/keys/good/sign", &encrypt_body()), 404, "InvalidUriPathException"),
            (RawRequest::new("/keys/off/encrypt", &encrypt_body()), 400, "InvalidStateException"),
        ] {
            proxy.send(&request).await.assert_outcome(status, name, "an error");
            let entry = log_entries(&proxy).remove(0);
            assert_eq!((&entry["status"], &entry["errorName"]), (&json!(status), &json!(name)), "errors are logged");
        }
    })
    .await;
}

#[tokio::test]
async fn log_contains_no_plaintext_ciphertext_or_signature() {
    over_http_and_tls(async |proxy| {
        let encrypted = proxy.encrypt(&encrypt_body()).await;
        proxy.call("/keys/good/decrypt", &decrypt_body(&encrypted)).await.assert_outcome(200, "", "Decrypt succeeds");
        // Error messages don't quote the request.
        let wrong = with_member(encrypt_body(), "/encryptionAlgorithm", Some(7.into()));
        proxy.call("/keys/good/encrypt", &wrong).await.assert_outcome(400, "ValidationException", "a wrong type");
        let unauthenticated = RawRequest::new("/keys/good/encrypt", &encrypt_body()).with_invalid_signature();
        proxy.send(&unauthenticated).await.assert_outcome(
            401,
            "AuthenticationFailedException",
            "an unauthenticated request",
        );
        let log = Value::from(log_entries(&proxy)).to_string();
        assert!(log.contains("\"Encrypt\"") && log.contains("\"Decrypt\""));
        for secret in [
            "SGVsbG8gV29ybGQh",
            "Hello World!",
            "cHJvamVjdD1uaWxl",
            encrypted["ciphertext"].as_str().unwrap(),
            proxy.credential.secret_access_key.expose(),
            "AWS4-HMAC-SHA256",
            &"0".repeat(64),
        ] {
            assert!(!log.contains(secret), "the log contains {secret}");
        }
    })
    .await;
}

#[tokio::test]
async fn log_is_readable_only_by_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let proxy = ServedProxy::start_in(dir.path(), Protocol::Http).await;
    proxy.encrypt(&encrypt_body()).await;
    assert_eq!(log_entries(&proxy).len(), 1);
    let files = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap());
    let files: Vec<_> = files.filter(|file| file.file_name().to_string_lossy().starts_with("external-key")).collect();
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{file:?}");
    }
}
