//! The baseline: a bare axum handler that parses the same requests and returns the same JSON, and does nothing else.

use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Environment variable that makes this program run as the baseline.
pub const BASELINE_ENV: &str = "XKS_CONSOLE_BENCH_BASELINE";

/// The members of an Encrypt request that the baseline reads.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptRequest {
    key_id: String,
    plaintext: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptResponse {
    ciphertext_blob: String,
    key_id: String,
    encryption_algorithm: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsed as the proxy parses it, but not read")]
struct ProxyRequest {
    request_metadata: ProxyMetadata,
    plaintext: String,
    encryption_algorithm: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsed as the proxy parses it, but not read")]
struct ProxyMetadata {
    aws_principal_arn: String,
    kms_key_arn: String,
    kms_operation: String,
    kms_request_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProxyResponse {
    authentication_tag: String,
    ciphertext: String,
    ciphertext_metadata: String,
    initialization_vector: String,
}

/// Serves until the process ends.
#[tokio::main]
pub async fn run() {
    // As long as the KMS response for a key in an external key store.
    let encrypt = async |body: Bytes| {
        let request: EncryptRequest = serde_json::from_slice(&body).expect("JSON");
        let plaintext = STANDARD.decode(request.plaintext).expect("Base64");
        Json(EncryptResponse {
            ciphertext_blob: STANDARD.encode([plaintext.as_slice(), &[9; 270]].concat()),
            key_id: format!("arn:aws:kms:us-west-2:111122223333:key/{}", request.key_id),
            encryption_algorithm: "SYMMETRIC_DEFAULT",
        })
    };
    let proxy = async |Json(request): Json<ProxyRequest>| {
        Json(ProxyResponse {
            authentication_tag: STANDARD.encode([1; 16]),
            ciphertext: request.plaintext,
            ciphertext_metadata: STANDARD.encode([2; 5]),
            initialization_vector: STANDARD.encode([3; 12]),
        })
    };
    let router = Router::new().route("/", post(encrypt)).route("/load/kms/xks/v1/keys/load-1/encrypt", post(proxy));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    axum::serve(listener, router).await.expect("the server runs");
}
