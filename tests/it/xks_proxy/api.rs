//! Requests and responses of the four operations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::client::{
    RawRequest, decrypt_body, encrypt_body, health_body, metadata_body, over_http_and_tls, with_member,
};

fn zeros(count: usize) -> Value {
    STANDARD.encode(vec![0; count]).into()
}

fn decode_base64(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_rejected() {
    over_http_and_tls(async |proxy| {
        for path in ["/", "/x", "/lab", "/kms/xks/v1/health", "/nobody/kms/xks/v1/health", "/lab/kms/xks/v2/health"] {
            let request =
                RawRequest::health().modified(|request| request.target = path.to_owned()).with_invalid_signature();
            if path != "/" {
                let requirement = "an unknown path gives InvalidUriPathException, even with an invalid signature";
                proxy.send(&request).await.assert_outcome(404, "InvalidUriPathException", requirement);
            }
        }
        for api in
            ["", "/", "/health/", "/keys", "/keys/good", "/keys/good/sign", "/keys//encrypt", "/keys/good/encrypt/x"]
        {
            let response = proxy.call(api, &encrypt_body()).await;
            response.assert_outcome(
                404,
                "InvalidUriPathException",
                "an unknown path gives InvalidUriPathException, signed or not",
            );
        }
        for api in ["/health", "/keys/good/metadata", "/keys/good/encrypt", "/keys/none/decrypt"] {
            for signed in [None, Some(vec!["host", "x-amz-date"])] {
                for method in ["GET", "HEAD", "PUT", "DELETE"] {
                    let request = RawRequest::new(api, &Value::Null).modified(|request| {
                        (request.method, request.signed_headers) = (method, signed.clone());
                        request.body.clear();
                    });
                    let response = proxy.send(&request).await;
                    assert_eq!(response.status, 405, "methods other than POST give 405, signed or not: {response:?}");
                    assert_eq!(response.header("allow"), Some("POST"), "{method} {api}");
                }
            }
        }
        let request = RawRequest::health().modified(|request| request.target += "?a=b");
        proxy.send(&request).await.assert_outcome(400, "ValidationException", "the query string must be empty");
        for id in ["k".repeat(128), "A.b-c_9".to_owned()] {
            let response = proxy.call(&format!("/keys/{id}/encrypt"), &encrypt_body()).await;
            response.assert_outcome(200, "", "an external key ID can have 128 characters from A-Za-z0-9-._");
        }
    })
    .await;
}

#[tokio::test]
async fn responses_have_the_specified_fields_and_no_nulls() {
    over_http_and_tls(async |proxy| {
        let health = proxy.send(&RawRequest::health()).await;
        assert_eq!((health.status, health.header("content-type")), (200, Some("application/json")));
        let health = health.json();
        assert!(health["xksProxyFleetSize"].as_u64().unwrap() > 0);
        assert!(
            ["xksProxyVendor", "xksProxyModel", "ekmVendor"]
                .iter()
                .all(|name| !health[*name].as_str().unwrap().is_empty())
        );
        assert!(
            health["xksProxyModel"].as_str().unwrap().contains(env!("CARGO_PKG_VERSION")),
            "the model contains the version"
        );
        let fleet = health["ekmFleetDetails"].as_array().unwrap();
        assert!((1..=10).contains(&fleet.len()));
        assert!(fleet.iter().all(|one| one["id"].is_string() && one["model"].is_string()));
        assert_eq!(fleet[0]["healthStatus"], "ACTIVE");

        for (id, usage, status) in [
            ("good", json!(["ENCRYPT", "DECRYPT"]), "ENABLED"),
            ("off", json!(["ENCRYPT", "DECRYPT"]), "DISABLED"),
            ("encrypt-only", json!(["ENCRYPT"]), "ENABLED"),
        ] {
            let response = proxy.call(&format!("/keys/{id}/metadata"), &metadata_body()).await;
            let expected = json!({ "keySpec": "AES_256", "keyUsage": usage, "keyStatus": status });
            assert_eq!(response.json(), expected, "GetKeyMetadata returns the spec, usage, and status of {id}");
        }
        for operation in ["CreateKey", "DescribeKey", "GetKeyMetadata"] {
            let body = with_member(metadata_body(), "/requestMetadata/kmsOperation", Some(operation.into()));
            let response = proxy.call("/keys/typo/metadata", &body).await;
            response.assert_outcome(404, "KeyNotFoundException", "GetKeyMetadata creates no key");
        }

        let encrypted = proxy.encrypt(&encrypt_body()).await;
        assert_eq!(decode_base64(&encrypted["ciphertext"]).len(), 12, "the ciphertext is as long as the plaintext");
        assert!(
            matches!(decode_base64(&encrypted["initializationVector"]).len(), 12 | 16),
            "the IV has 12 or 16 bytes"
        );
        assert_eq!(decode_base64(&encrypted["authenticationTag"]).len(), 16, "the tag has 16 bytes");
        assert!(decode_base64(&encrypted["ciphertextMetadata"]).len() <= 20, "ciphertextMetadata has at most 20 bytes");
        let parts = ["ciphertextMetadata", "initializationVector", "ciphertext", "authenticationTag"];
        let hashed =
            parts.iter().fold(b"project=nile".to_vec(), |text, part| [text, decode_base64(&encrypted[*part])].concat());
        let value = Sha256::digest(hashed).to_vec();
        assert_eq!(
            decode_base64(&encrypted["ciphertextDataIntegrityValue"]),
            value,
            "the CDIV is SHA-256 of AAD, metadata, IV, ciphertext, and tag"
        );
        let decrypted = proxy.call("/keys/good/decrypt", &decrypt_body(&encrypted)).await;
        assert_eq!(decrypted.json(), json!({ "plaintext": "SGVsbG8gV29ybGQh" }));

        let without_cdiv = with_member(encrypt_body(), "/ciphertextDataIntegrityValueAlgorithm", None);
        let encrypted = proxy.encrypt(&without_cdiv).await;
        assert!(
            encrypted.get("ciphertextDataIntegrityValue").is_none(),
            "the CDIV is omitted, not null, unless it is requested"
        );
    })
    .await;
}

#[tokio::test]
async fn optional_and_unknown_fields_are_tolerated() {
    let cases: [(&str, &str, Option<Value>); 19] = [
        ("null means that an optional field is absent", "/ciphertextDataIntegrityValueAlgorithm", Some(Value::Null)),
        ("null means that an optional field is absent", "/requestMetadata/awsSourceVpc", Some(Value::Null)),
        ("null means that an optional field is absent", "/requestMetadata/awsSourceVpce", Some(Value::Null)),
        ("null means that an optional field is absent", "/requestMetadata/kmsViaService", Some(Value::Null)),
        ("null means that an optional field is absent", "/additionalAuthenticatedData", Some(Value::Null)),
        ("AAD is optional", "/additionalAuthenticatedData", None),
        ("AAD can be empty", "/additionalAuthenticatedData", Some("".into())),
        ("plaintext can be empty", "/plaintext", Some("".into())),
        ("unknown fields are tolerated", "/later", Some(json!({ "a": [1, null] }))),
        ("unknown metadata is tolerated", "/requestMetadata/sourceIdentity", Some("x".into())),
        ("an unknown kmsOperation is tolerated", "/requestMetadata/kmsOperation", Some("SomethingNew".into())),
        ("an ARN is opaque", "/requestMetadata/awsPrincipalArn", Some("AWS Internal".into())),
        ("an ARN is opaque", "/requestMetadata/awsPrincipalArn", Some("ec2.amazonaws.com".into())),
        ("an ARN can have 2048 characters", "/requestMetadata/awsPrincipalArn", Some("a".repeat(2048).into())),
        ("an ARN can have 2048 characters", "/requestMetadata/kmsKeyArn", Some("k".repeat(2048).into())),
        ("kmsRequestId is opaque", "/requestMetadata/kmsRequestId", Some("not a UUID".into())),
        ("a VPC endpoint is accepted", "/requestMetadata/awsSourceVpce", Some("vpce-1".into())),
        ("4300 bytes of plaintext", "/plaintext", Some(zeros(4300))),
        ("8192 bytes of AAD", "/additionalAuthenticatedData", Some(zeros(8192))),
    ];
    over_http_and_tls(async |proxy| {
        for (requirement, pointer, value) in &cases {
            let body = with_member(encrypt_body(), pointer, value.clone());
            let response = proxy.call("/keys/good/encrypt", &body).await;
            response.assert_outcome(200, "", requirement);
            let encrypted = response.json();
            let mut decrypt = decrypt_body(&encrypted);
            for name in ["additionalAuthenticatedData", "requestMetadata"] {
                decrypt = with_member(decrypt, &format!("/{name}"), body.get(name).cloned());
            }
            let decrypted = proxy.call("/keys/good/decrypt", &decrypt).await;
            decrypted.assert_outcome(200, "", requirement);
            assert_eq!(decrypted.json()["plaintext"], body["plaintext"], "{requirement}");
        }
        let largest = ["/plaintext", "/additionalAuthenticatedData"].into_iter().zip([4300, 8192]);
        let largest =
            largest.fold(encrypt_body(), |body, (pointer, size)| with_member(body, pointer, Some(zeros(size))));
        proxy.encrypt(&largest).await;
        for operation in ["CreateKey", "DescribeKey", "RotateEverything"] {
            let body = with_member(metadata_body(), "/requestMetadata/kmsOperation", Some(operation.into()));
            let body = with_member(body, "/requestMetadata/kmsViaService", Some("ebs".into()));
            let response = proxy.call("/keys/good/metadata", &body).await;
            response.assert_outcome(200, "", "an unknown kmsOperation is tolerated");
            let body = with_member(health_body(), "/requestMetadata/kmsOperation", Some(operation.into()));
            proxy.call("/health", &body).await.assert_outcome(200, "", "an unknown kmsOperation is tolerated");
        }
    })
    .await;
}

#[tokio::test]
async fn invalid_requests_are_rejected_with_the_specified_error() {
    let cases: [(&str, &str, Option<Value>); 16] = [
        ("requestMetadata is required", "/requestMetadata", None),
        ("awsPrincipalArn is required", "/requestMetadata/awsPrincipalArn", None),
        ("kmsKeyArn is required", "/requestMetadata/kmsKeyArn", None),
        ("kmsOperation is required", "/requestMetadata/kmsOperation", None),
        ("kmsRequestId is required", "/requestMetadata/kmsRequestId", Some(Value::Null)),
        ("plaintext is required", "/plaintext", None),
        ("plaintext is required", "/plaintext", Some(Value::Null)),
        ("encryptionAlgorithm is required", "/encryptionAlgorithm", None),
        ("encryptionAlgorithm is AES_GCM", "/encryptionAlgorithm", Some("AES_CBC".into())),
        ("the CDIV algorithm is SHA_256", "/ciphertextDataIntegrityValueAlgorithm", Some("SHA_1".into())),
        ("Base64 is padded", "/plaintext", Some("QQ".into())),
        ("Base64 is not URL-safe", "/plaintext", Some("-_8=".into())),
        ("Base64 has no nonzero trailing bits", "/plaintext", Some("QR==".into())),
        ("Base64 has no line breaks", "/plaintext", Some("QQ==\n".into())),
        ("Base64 is padded", "/additionalAuthenticatedData", Some("QUI".into())),
        ("an ARN has at most 2048 characters", "/requestMetadata/awsPrincipalArn", Some("a".repeat(2049).into())),
    ];
    over_http_and_tls(async |proxy| {
        for (requirement, pointer, value) in &cases {
            let body = with_member(encrypt_body(), pointer, value.clone());
            proxy.call("/keys/good/encrypt", &body).await.assert_outcome(400, "ValidationException", requirement);
        }
        let encrypted = proxy.encrypt(&encrypt_body()).await;
        for name in ["ciphertext", "encryptionAlgorithm", "initializationVector", "authenticationTag"] {
            let body = with_member(decrypt_body(&encrypted), &format!("/{name}"), None);
            let requirement = format!("Decrypt requires {name}");
            proxy.call("/keys/good/decrypt", &body).await.assert_outcome(400, "ValidationException", &requirement);
        }
        for text in ["", "{", "[]", "null", "\"x\"", "{}", "{\"requestMetadata\":{\"kmsRequestId\":", "\u{0}"] {
            for api in ["/health", "/keys/good/metadata", "/keys/good/encrypt", "/keys/good/decrypt"] {
                let request =
                    RawRequest::new(api, &Value::Null).modified(|request| request.body = text.as_bytes().to_vec());
                proxy.send(&request).await.assert_outcome(
                    400,
                    "ValidationException",
                    "a body must be the JSON of its operation",
                );
            }
        }
        let deep = RawRequest::health().modified(|request| request.body = [b'['; 60_000].to_vec());
        proxy.send(&deep).await.assert_outcome(400, "ValidationException", "deeply nested JSON is rejected");
    })
    .await;
}

#[tokio::test]
async fn unsupported_sizes_are_rejected_and_the_server_keeps_running() {
    over_http_and_tls(async |proxy| {
        let encrypted = proxy.encrypt(&encrypt_body()).await;
        for (requirement, api, body) in [
            ("4301 bytes of plaintext", "encrypt", with_member(encrypt_body(), "/plaintext", Some(zeros(4301)))),
            (
                "65,536 bytes of AAD",
                "encrypt",
                with_member(encrypt_body(), "/additionalAuthenticatedData", Some(zeros(65_536))),
            ),
            (
                "65,536 bytes of AAD",
                "decrypt",
                with_member(decrypt_body(&encrypted), "/additionalAuthenticatedData", Some(zeros(65_536))),
            ),
            (
                "4301 bytes of ciphertext",
                "decrypt",
                with_member(decrypt_body(&encrypted), "/ciphertext", Some(zeros(4301))),
            ),
        ] {
            let response = proxy.call(&format!("/keys/good/{api}"), &body).await;
            response.assert_outcome(501, "UnsupportedOperationException", requirement);
            proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "the server keeps running");
        }
    })
    .await;
}

#[tokio::test]
async fn ciphertext_is_bound_to_its_iv_tag_aad_and_metadata() {
    over_http_and_tls(async |proxy| {
        let encrypted = proxy.encrypt(&encrypt_body()).await;
        let valid = decrypt_body(&encrypted);
        let flipped = |name: &str| {
            let mut bytes = decode_base64(&valid[name]);
            bytes[0] ^= 1;
            Some(STANDARD.encode(bytes).into())
        };
        let resized = |name: &str, size: usize| {
            let mut bytes = decode_base64(&valid[name]);
            bytes.resize(size, 0);
            Some(STANDARD.encode(bytes).into())
        };
        // Moves the boundary between ciphertext and tag without changing the combined bytes.
        let with_moved_boundary = |by: isize| {
            let joined = [decode_base64(&valid["ciphertext"]), decode_base64(&valid["authenticationTag"])].concat();
            let (ciphertext, tag) = joined.split_at(12usize.saturating_add_signed(by));
            let body = with_member(valid.clone(), "/ciphertext", Some(STANDARD.encode(ciphertext).into()));
            with_member(body, "/authenticationTag", Some(STANDARD.encode(tag).into()))
        };
        let changed = |pointer: &str, value: Option<Value>| with_member(valid.clone(), pointer, value);
        for (requirement, body) in [
            ("a wrong ciphertext", changed("/ciphertext", flipped("ciphertext"))),
            ("a wrong IV", changed("/initializationVector", flipped("initializationVector"))),
            ("a wrong tag", changed("/authenticationTag", flipped("authenticationTag"))),
            ("a wrong AAD", changed("/additionalAuthenticatedData", flipped("additionalAuthenticatedData"))),
            ("missing AAD", changed("/additionalAuthenticatedData", None)),
            ("changed ciphertextMetadata is detected", changed("/ciphertextMetadata", flipped("ciphertextMetadata"))),
            ("removed ciphertextMetadata is detected", changed("/ciphertextMetadata", None)),
            (
                "longer ciphertextMetadata is detected",
                changed("/ciphertextMetadata", resized("ciphertextMetadata", 20)),
            ),
            (
                "ciphertextMetadata has at most 20 bytes",
                changed("/ciphertextMetadata", resized("ciphertextMetadata", 21)),
            ),
            ("a resized IV is detected", changed("/initializationVector", resized("initializationVector", 16))),
            ("an IV has 12 or 16 bytes", changed("/initializationVector", resized("initializationVector", 13))),
            ("an IV has 12 or 16 bytes", changed("/initializationVector", resized("initializationVector", 0))),
            ("a tag of 12 bytes", with_moved_boundary(4)),
            ("a tag of 20 bytes", with_moved_boundary(-4)),
            ("no tag", with_moved_boundary(16)),
        ] {
            let response = proxy.call("/keys/good/decrypt", &body).await;
            response.assert_outcome(400, "InvalidCiphertextException", requirement);
        }
        let response = proxy.call("/keys/decrypt-only/decrypt", &valid).await;
        response.assert_outcome(400, "InvalidCiphertextException", "another key");
        proxy.call("/keys/good/decrypt", &valid).await.assert_outcome(200, "", "the unchanged request");
    })
    .await;
}

#[tokio::test]
async fn missing_and_empty_aad_are_equivalent() {
    over_http_and_tls(async |proxy| {
        let pointer = "/additionalAuthenticatedData";
        let encrypted = proxy.encrypt(&with_member(encrypt_body(), pointer, Some("".into()))).await;
        for value in [None, Some(Value::Null), Some("".into())] {
            let decrypted =
                proxy.call("/keys/good/decrypt", &with_member(decrypt_body(&encrypted), pointer, value)).await;
            decrypted.assert_outcome(200, "", "empty AAD is equivalent to no AAD");
        }
    })
    .await;
}

#[tokio::test]
async fn allowed_operations_depend_on_key_usage_and_state() {
    over_http_and_tls(async |proxy| {
        let plain = with_member(encrypt_body(), "/ciphertextDataIntegrityValueAlgorithm", None);
        let encrypted = proxy.encrypt(&encrypt_body()).await;
        let decrypt = decrypt_body(&encrypted);
        for (requirement, key, body, status, name) in [
            ("an unknown key", "none/encrypt", &plain, 404, "KeyNotFoundException"),
            ("an unknown key", "none/decrypt", &decrypt, 404, "KeyNotFoundException"),
            ("a key of another partition", "oslo-vault/encrypt", &plain, 404, "KeyNotFoundException"),
            ("a disabled key", "off/encrypt", &plain, 400, "InvalidStateException"),
            ("a disabled key", "off/decrypt", &decrypt, 400, "InvalidStateException"),
            ("an encrypt-only key", "encrypt-only/decrypt", &decrypt, 400, "InvalidKeyUsageException"),
            ("an encrypt-only key, without CDIV", "encrypt-only/encrypt", &plain, 200, ""),
            (
                "an encrypt-only key, with CDIV",
                "encrypt-only/encrypt",
                &encrypt_body(),
                400,
                "InvalidKeyUsageException",
            ),
            ("a decrypt-only key", "decrypt-only/encrypt", &plain, 400, "InvalidKeyUsageException"),
            ("a 128-bit key", "small/encrypt", &plain, 400, "InvalidKeyUsageException"),
        ] {
            proxy.call(&format!("/keys/{key}"), body).await.assert_outcome(status, name, requirement);
        }
        proxy.aws.key_manager().rotate_key("lab", "good").unwrap();
        let response = proxy.call("/keys/good/decrypt", &decrypt).await;
        response.assert_outcome(200, "", "older key versions still decrypt");
        proxy.aws.key_manager().set_enabled("lab", "good", false).unwrap();
        let response = proxy.call("/keys/good/decrypt", &decrypt).await;
        response.assert_outcome(400, "InvalidStateException", "disabling a key takes effect immediately");
    })
    .await;
}
