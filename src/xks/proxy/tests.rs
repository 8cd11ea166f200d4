use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;
use crate::aws::sigv4::{Credentials, sign};
use crate::environment::Environment;
use crate::xks::key_manager::{MAX_PLAINTEXT, NewExternalKey, ProxyCredential};
use crate::xks::wire::{EncryptResponse, GetHealthStatusResponse, ciphertext_data_integrity_value};

struct Fixture {
    manager: ExternalKeyManager,
    environment: Environment,
    credential: ProxyCredential,
}

struct TestResponse {
    status: u16,
    body: Value,
}

impl TestResponse {
    fn error(&self) -> (u16, &str) {
        (self.status, self.body["errorName"].as_str().unwrap_or(""))
    }
}

fn fixture() -> Fixture {
    let environment = Environment::replayable("2026-11-23T22:00:00Z".parse::<Timestamp>().unwrap(), 3);
    let manager = ExternalKeyManager::in_memory(environment.clone()).unwrap();
    let credential = ProxyCredential::generate(&environment.random).unwrap();
    manager.create_partition("acme", &credential).unwrap();
    let key = |id: &str, spec: &str, usage: &[&str], enabled| NewExternalKey {
        id: id.into(),
        manager_id: Some(format!("manager-{id}")),
        spec: spec.into(),
        usage: usage.iter().map(|usage| (*usage).to_owned()).collect(),
        enabled,
        callers: Vec::new(),
    };
    let both = ["ENCRYPT", "DECRYPT"];
    manager.create_key("acme", &key("good", "AES_256", &both, true)).unwrap();
    manager.create_key("acme", &key("off", "AES_256", &both, false)).unwrap();
    manager.create_key("acme", &key("small", "AES_128", &both, true)).unwrap();
    manager.create_key("acme", &key("sealer", "AES_256", &["ENCRYPT"], true)).unwrap();
    manager.create_key("acme", &key("opener", "AES_256", &["DECRYPT"], true)).unwrap();
    Fixture { manager, environment, credential }
}

fn post(path: &str, body: impl Into<Bytes>) -> Request<Bytes> {
    Request::post(format!("https://{BUNDLED_HOST}{path}")).body(body.into()).unwrap()
}

impl Fixture {
    fn sign(&self, request: &mut Request<Bytes>, credential: &ProxyCredential, service: &str) {
        let credentials = Credentials {
            access_key_id: credential.access_key_id.clone(),
            secret_access_key: credential.secret_access_key.clone(),
            session_token: None,
        };
        sign(request, &credentials, "us-west-2", service, self.environment.clock.now()).unwrap();
    }

    async fn send(&self, request: Request<Bytes>) -> TestResponse {
        let router = router(self.manager.clone(), self.environment.clock.clone());
        let response = router.oneshot(request.map(Body::from)).await.unwrap();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        TestResponse { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
    }

    async fn call(&self, path: &str, body: &Value) -> TestResponse {
        let mut request = post(&format!("/acme/kms/xks/v1{path}"), body.to_string());
        self.sign(&mut request, &self.credential, SERVICE);
        self.send(request).await
    }
}

fn metadata() -> Value {
    json!({ "awsPrincipalArn": "arn:aws:iam::111122223333:user/Admin", "kmsOperation": "SomethingNew", "kmsRequestId": "7",
        "kmsKeyArn": "arn:aws:kms:us-west-2:111122223333:key/1234abcd", "kmsViaService": "ebs", "later": [1] })
}

fn encrypt_body() -> Value {
    json!({ "requestMetadata": metadata(), "plaintext": "cGxhaW50ZXh0", "encryptionAlgorithm": "AES_GCM",
        "additionalAuthenticatedData": "YWFk", "ciphertextDataIntegrityValueAlgorithm": "SHA_256" })
}

fn decrypt_body(encrypted: &Value) -> Value {
    json!({ "requestMetadata": metadata(), "ciphertext": encrypted["ciphertext"], "encryptionAlgorithm": "AES_GCM",
        "initializationVector": encrypted["initializationVector"], "authenticationTag": encrypted["authenticationTag"],
        "ciphertextMetadata": encrypted["ciphertextMetadata"], "additionalAuthenticatedData": "YWFk" })
}

#[tokio::test]
async fn encrypt_returns_integrity_value_and_round_trips() {
    let fixture = fixture();
    let encrypted = fixture.call("/keys/good/encrypt", &encrypt_body()).await;
    assert_eq!(encrypted.status, 200, "{}", encrypted.body);
    let response: EncryptResponse = serde_json::from_value(encrypted.body.clone()).unwrap();
    let lengths =
        [&response.ciphertext, &response.initialization_vector, &response.authentication_tag].map(|b| b.0.len());
    assert_eq!(lengths, [9, 12, 16]);
    let note = response.ciphertext_metadata.unwrap().0;
    assert!(note.len() <= 20);
    let value = ciphertext_data_integrity_value(
        b"aad",
        &note,
        &response.initialization_vector.0,
        &response.ciphertext.0,
        &response.authentication_tag.0,
    );
    assert_eq!(response.ciphertext_data_integrity_value.unwrap().0, value);
    let decrypted = fixture.call("/keys/good/decrypt", &decrypt_body(&encrypted.body)).await;
    assert_eq!((decrypted.status, &decrypted.body), (200, &json!({ "plaintext": "cGxhaW50ZXh0" })));
}

#[tokio::test]
async fn integrity_value_is_omitted_unless_requested() {
    let fixture = fixture();
    let mut body = encrypt_body();
    body["ciphertextDataIntegrityValueAlgorithm"] = Value::Null;
    let response = fixture.call("/keys/sealer/encrypt", &body).await;
    assert_eq!(response.status, 200, "a key without DECRYPT usage can be used");
    assert!(response.body.get("ciphertextDataIntegrityValue").is_none());
}

#[tokio::test]
async fn decrypt_rejects_any_flipped_bit() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let fixture = fixture();
    let encrypted = fixture.call("/keys/good/encrypt", &encrypt_body()).await.body;
    let good = decrypt_body(&encrypted);
    let fields = [
        "ciphertext",
        "initializationVector",
        "authenticationTag",
        "ciphertextMetadata",
        "additionalAuthenticatedData",
    ];
    for field in fields {
        let bytes = STANDARD.decode(good[field].as_str().unwrap()).unwrap();
        let mut variants: Vec<Vec<u8>> = (0..bytes.len() * 8)
            .map(|bit| {
                let mut changed = bytes.clone();
                changed[bit / 8] ^= 1 << (bit % 8);
                changed
            })
            .collect();
        variants.push(bytes[1..].to_vec());
        variants.push([&bytes[..], &[0]].concat());
        variants.push([&bytes[..], &[0; 21]].concat());
        variants.push(Vec::new());
        for changed in variants {
            let mut body = good.clone();
            body[field] = STANDARD.encode(&changed).into();
            let response = fixture.call("/keys/good/decrypt", &body).await;
            assert_eq!(response.error(), (400, "InvalidCiphertextException"), "{field}: {changed:?}");
        }
    }
    for field in ["ciphertextMetadata", "additionalAuthenticatedData"] {
        let mut body = good.clone();
        body[field] = Value::Null;
        assert_eq!(fixture.call("/keys/good/decrypt", &body).await.error(), (400, "InvalidCiphertextException"));
    }
    let wrong_key = fixture.call("/keys/opener/decrypt", &good).await;
    assert_eq!(wrong_key.error(), (400, "InvalidCiphertextException"), "another key can't decrypt it");
}

#[tokio::test]
async fn path_method_and_signature_are_checked_in_order() {
    let fixture = fixture();
    for path in ["/nobody/kms/xks/v1/health", "/acme/kms/xks/v1/keys/good/sign", "/*/kms/xks/v1/health", "/favicon.ico"]
    {
        let response = fixture.send(post(path, "junk")).await;
        assert_eq!(response.error(), (404, "InvalidUriPathException"), "{path}");
    }
    for path in ["/health", "/keys/good/metadata", "/keys/none/encrypt", "/keys/good/decrypt"] {
        let path = format!("/acme/kms/xks/v1{path}");
        let response = fixture.send(Request::get(&path).body(Bytes::new()).unwrap()).await;
        assert_eq!(response.status, 405, "{path}");
        let response = fixture.send(post(&path, "junk")).await;
        assert_eq!(response.error(), (401, "AuthenticationFailedException"), "{path}");
    }
}

#[tokio::test]
async fn unknown_access_key_and_wrong_signature_get_the_same_error() {
    let fixture = fixture();
    let body = json!({ "requestMetadata": metadata() }).to_string();
    let path = "/acme/kms/xks/v1/health";
    let random = &fixture.environment.random;
    let stranger = ProxyCredential::generate(random).unwrap();
    let liar = ProxyCredential { access_key_id: fixture.credential.access_key_id.clone(), ..stranger.clone() };
    let mut responses = Vec::new();
    for credential in [&stranger, &liar] {
        let mut request = post(path, body.clone());
        fixture.sign(&mut request, credential, SERVICE);
        responses.push(fixture.send(request).await);
    }
    let mut request = post(path, body.clone());
    fixture.sign(&mut request, &fixture.credential, "kms");
    responses.push(fixture.send(request).await);
    let mut request = post(path, body.clone());
    fixture.sign(&mut request, &fixture.credential, SERVICE);
    *request.body_mut() = body.replace('7', "8").into();
    responses.push(fixture.send(request).await);
    responses.push(fixture.send(post(path, body.clone())).await);
    for response in &responses {
        assert_eq!(response.error(), (401, "AuthenticationFailedException"));
        assert_eq!(response.body, responses[0].body);
    }
}

#[tokio::test]
async fn credential_of_another_partition_is_rejected() {
    let fixture = fixture();
    let other = ProxyCredential::generate(&fixture.environment.random).unwrap();
    fixture.manager.create_partition("other", &other).unwrap();
    let mut request = post("/acme/kms/xks/v1/health", json!({ "requestMetadata": metadata() }).to_string());
    fixture.sign(&mut request, &other, SERVICE);
    assert_eq!(fixture.send(request).await.error(), (401, "AuthenticationFailedException"));
    fixture.manager.add_credential("acme", &other).unwrap();
    let mut request = post("/acme/kms/xks/v1/health", json!({ "requestMetadata": metadata() }).to_string());
    fixture.sign(&mut request, &other, SERVICE);
    assert_eq!(fixture.send(request).await.status, 200, "a partition can have two credentials, without a restart");
}

#[tokio::test]
async fn clock_skew_over_five_minutes_is_rejected() {
    let fixture = fixture();
    let body = json!({ "requestMetadata": metadata() }).to_string();
    for (seconds, status) in [(299, 200), (301, 401)] {
        let mut request = post("/acme/kms/xks/v1/health", body.clone());
        fixture.sign(&mut request, &fixture.credential, SERVICE);
        fixture.environment.clock.advance(SignedDuration::from_secs(seconds));
        assert_eq!(fixture.send(request).await.status, status, "{seconds}");
    }
}

#[tokio::test]
async fn oversized_requests_are_rejected() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let fixture = fixture();
    for (plaintext, aad, status) in [
        (0, 0, 200),
        (MAX_PLAINTEXT, 8192, 200),
        (MAX_PLAINTEXT, 40_000, 200),
        (MAX_PLAINTEXT + 1, 0, 501),
        (0, 65_536, 501),
        (0, 200_000, 501),
    ] {
        let mut body = encrypt_body();
        body["plaintext"] = STANDARD.encode(vec![0; plaintext]).into();
        body["additionalAuthenticatedData"] = STANDARD.encode(vec![0; aad]).into();
        let response = fixture.call("/keys/good/encrypt", &body).await;
        assert_eq!(response.status, status, "{plaintext}, {aad}: {}", response.body);
        if status == 501 {
            assert_eq!(response.error().1, "UnsupportedOperationException");
        }
    }
    let mut body = decrypt_body(&fixture.call("/keys/good/encrypt", &encrypt_body()).await.body);
    body["ciphertext"] = STANDARD.encode(vec![0; MAX_PLAINTEXT + 1]).into();
    assert_eq!(fixture.call("/keys/good/decrypt", &body).await.error(), (501, "UnsupportedOperationException"));
    let unsigned = post("/acme/kms/xks/v1/health", vec![b' '; MAX_BODY + 1]);
    assert_eq!(fixture.send(unsigned).await.status, 501, "the size is checked before the signature");
}

#[tokio::test]
async fn invalid_input_gives_validation_exception() {
    let fixture = fixture();
    let cases: [(&str, Value); 14] = [
        ("/requestMetadata", Value::Null),
        ("/requestMetadata", json!("x")),
        ("/requestMetadata/awsPrincipalArn", Value::Null),
        ("/requestMetadata/awsPrincipalArn", "a".repeat(2049).into()),
        ("/requestMetadata/kmsKeyArn", Value::Null),
        ("/requestMetadata/kmsOperation", json!(1)),
        ("/plaintext", Value::Null),
        ("/plaintext", json!("c2VjcmV0LXNlY3JldA")),
        ("/plaintext", json!("_-8=")),
        ("/plaintext", json!(["c2VjcmV0LXNlY3JldA"])),
        ("/encryptionAlgorithm", json!("AES_CBC")),
        ("/encryptionAlgorithm", Value::Null),
        ("/additionalAuthenticatedData", json!("?")),
        ("/ciphertextDataIntegrityValueAlgorithm", json!("MD5")),
    ];
    for (pointer, value) in cases {
        let mut body = encrypt_body();
        *body.pointer_mut(pointer).unwrap() = value.clone();
        let response = fixture.call("/keys/good/encrypt", &body).await;
        assert_eq!(response.error(), (400, "ValidationException"), "{pointer}: {value}");
        let message = response.body["errorMessage"].as_str().unwrap();
        assert!(message.len() < 512 && !message.contains("c2Vj"), "{message}");
        let unknown = fixture.call("/keys/none/encrypt", &body).await;
        assert_eq!(unknown.error(), (400, "ValidationException"), "the body is checked before the key");
    }
    for path in ["/keys/good/metadata", "/keys/good/decrypt", "/health"] {
        assert_eq!(fixture.call(path, &json!({})).await.error(), (400, "ValidationException"), "{path}");
    }
    let mut long = encrypt_body();
    long["requestMetadata"]["awsPrincipalArn"] = "a".repeat(2048).into();
    assert_eq!(fixture.call("/keys/good/encrypt", &long).await.status, 200);
    let mut request = post("/acme/kms/xks/v1/health?x=1", json!({ "requestMetadata": metadata() }).to_string());
    fixture.sign(&mut request, &fixture.credential, SERVICE);
    assert!(matches!(fixture.send(request).await.error(), (400 | 401, _)), "query strings are rejected");
}

#[tokio::test]
async fn key_state_and_usage_give_different_errors() {
    let fixture = fixture();
    let decrypt = decrypt_body(&fixture.call("/keys/good/encrypt", &encrypt_body()).await.body);
    for (id, encrypting, decrypting) in [
        ("none", (404, "KeyNotFoundException"), (404, "KeyNotFoundException")),
        ("manager-good", (404, "KeyNotFoundException"), (404, "KeyNotFoundException")),
        ("off", (400, "InvalidStateException"), (400, "InvalidStateException")),
        ("small", (400, "InvalidKeyUsageException"), (400, "InvalidKeyUsageException")),
        ("sealer", (400, "InvalidKeyUsageException"), (400, "InvalidKeyUsageException")),
        ("opener", (400, "InvalidKeyUsageException"), (400, "InvalidCiphertextException")),
    ] {
        let response = fixture.call(&format!("/keys/{id}/encrypt"), &encrypt_body()).await;
        assert_eq!(response.error(), encrypting, "encrypt by {id}");
        let response = fixture.call(&format!("/keys/{id}/decrypt"), &decrypt).await;
        assert_eq!(response.error(), decrypting, "decrypt by {id}");
    }
}

#[tokio::test]
async fn get_key_metadata_describes_the_key() {
    let fixture = fixture();
    let mut body = json!({ "requestMetadata": metadata() });
    body["requestMetadata"].as_object_mut().unwrap().remove("kmsKeyArn");
    for (id, spec, usage, status) in [
        ("good", "AES_256", json!(["ENCRYPT", "DECRYPT"]), "ENABLED"),
        ("off", "AES_256", json!(["ENCRYPT", "DECRYPT"]), "DISABLED"),
        ("small", "AES_128", json!(["ENCRYPT", "DECRYPT"]), "ENABLED"),
        ("sealer", "AES_256", json!(["ENCRYPT"]), "ENABLED"),
    ] {
        let response = fixture.call(&format!("/keys/{id}/metadata"), &body).await;
        assert_eq!(response.body, json!({ "keySpec": spec, "keyUsage": usage, "keyStatus": status }), "{id}");
    }
    let response = fixture.call("/keys/manager-good/metadata", &body).await;
    assert_eq!(response.error(), (404, "KeyNotFoundException"), "the proxy doesn't accept the key manager's own ID");
    assert_eq!(fixture.manager.keys("acme").unwrap().len(), 5, "a request must not create a key");
}

#[tokio::test]
async fn get_health_status_describes_the_fleet() {
    let fixture = fixture();
    let body = json!({ "requestMetadata": { "kmsOperation": "KmsHealthCheck", "kmsRequestId": "1" } });
    let response = fixture.call("/health", &body).await;
    assert_eq!(response.status, 200, "{}", response.body);
    let health: GetHealthStatusResponse = serde_json::from_value(response.body).unwrap();
    assert!(health.xks_proxy_model.contains(env!("CARGO_PKG_VERSION")));
    assert_eq!(health.ekm_fleet_details[0].health_status, "ACTIVE");
    let ping = fixture.send(Request::get("/ping").body(Bytes::new()).unwrap()).await;
    assert_eq!(ping.status, 200);
}
