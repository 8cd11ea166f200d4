//! What the four operations take and give.

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
                let requirement = "an unknown path is InvalidUriPath, even with a wrong signature";
                proxy.send(&request).await.assert_outcome(404, "InvalidUriPathException", requirement);
            }
        }
        for api in
            ["", "/", "/health/", "/keys", "/keys/good", "/keys/good/sign", "/keys//encrypt", "/keys/good/encrypt/x"]
        {
            let response = proxy.call(api, &encrypt_body()).await;
            response.assert_outcome(404, "InvalidUriPathException", "an unknown path is InvalidUriPath, signed or not");
        }
        for api in ["/health", "/keys/good/metadata", "/keys/good/encrypt", "/keys/none/decrypt"] {
            for signed in [None, Some(vec!["host", "x-amz-date"])] {
                for method in ["GET", "HEAD", "PUT", "DELETE"] {
                    let request = RawRequest::new(api, &Value::Null).modified(|request| {
                        (request.method, request.signed_headers) = (method, signed.clone());
                        request.body.clear();
                    });
                    let response = proxy.send(&request).await;
                    assert_eq!(
                        response.status, 405,
                        "GET of an API URI is Method Not Allowed, signed or not: {response:?}"
                    );
                    assert_eq!(response.header("allow"), Some("POST"), "{method} {api}");
                }
            }
        }
        let request = RawRequest::health().modified(|request| request.target += "?a=b");
        proxy.send(&request).await.assert_outcome(400, "ValidationException", "the query string is empty");
        for id in ["k".repeat(128), "A.b-c_9".to_owned()] {
            let response = proxy.call(&format!("/keys/{id}/encrypt"), &encrypt_body()).await;
            response.assert_outcome(200, "", "an external key ID has 128 characters of A-Za-z0-9-._");
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
        assert!(health["xksProxyModel"].as_str().unwrap().contains(env!("CARGO_PKG_VERSION")), "product and version");
        let fleet = health["ekmFleetDetails"].as_array().unwrap();
        assert!((1..=10).contains(&fleet.len()));
        assert!(fleet.iter().all(|one| one["id"].is_string() && one["model"].is_string()));
        assert_eq!(fleet[0]["healthStatus"], "ACTIVE");

        for (id, usage, status) in [
            ("good", json!(["ENCRYPT", "DECRYPT"]), "ENABLED"),
            ("off", json!(["ENCRYPT", "DECRYPT"]), "DISABLED"),
            ("sealer", json!(["ENCRYPT"]), "ENABLED"),
        ] {
            let response = proxy.call(&format!("/keys/{id}/metadata"), &metadata_body()).await;
            let expected = json!({ "keySpec": "AES_256", "keyUsage": usage, "keyStatus": status });
            assert_eq!(response.json(), expected, "GetKeyMetadata tells spec, usage and status of {id}");
        }
        for operation in ["CreateKey", "DescribeKey", "GetKeyMetadata"] {
            let body = with_member(metadata_body(), "/requestMetadata/kmsOperation", Some(operation.into()));
            let response = proxy.call("/keys/typo/metadata", &body).await;
            response.assert_outcome(404, "KeyNotFoundException", "GetKeyMetadata makes no key");
        }

        let sealed = proxy.encrypt(&encrypt_body()).await;
        assert_eq!(decode_base64(&sealed["ciphertext"]).len(), 12, "the ciphertext is as long as the plaintext");
        assert!(matches!(decode_base64(&sealed["initializationVector"]).len(), 12 | 16), "the IV has 12 or 16 bytes");
        assert_eq!(decode_base64(&sealed["authenticationTag"]).len(), 16, "the tag has 16 bytes");
        assert!(decode_base64(&sealed["ciphertextMetadata"]).len() <= 20, "ciphertextMetadata has 20 bytes at most");
        let parts = ["ciphertextMetadata", "initializationVector", "ciphertext", "authenticationTag"];
        let hashed =
            parts.iter().fold(b"project=nile".to_vec(), |text, part| [text, decode_base64(&sealed[*part])].concat());
        let value = Sha256::digest(hashed).to_vec();
        assert_eq!(
            decode_base64(&sealed["ciphertextDataIntegrityValue"]),
            value,
            "CDIV is SHA-256 over AAD, metadata, IV, ciphertext, tag"
        );
        let opened = proxy.call("/keys/good/decrypt", &decrypt_body(&sealed)).await;
        assert_eq!(opened.json(), json!({ "plaintext": "SGVsbG8gV29ybGQh" }));

        let unasked = with_member(encrypt_body(), "/ciphertextDataIntegrityValueAlgorithm", None);
        let sealed = proxy.encrypt(&unasked).await;
        assert!(sealed.get("ciphertextDataIntegrityValue").is_none(), "no CDIV unless asked: left out, not null");
    })
    .await;
}

#[tokio::test]
async fn optional_and_unknown_fields_are_tolerated() {
    let encrypting: [(&str, &str, Option<Value>); 19] = [
        ("a null optional field is absent", "/ciphertextDataIntegrityValueAlgorithm", Some(Value::Null)),
        ("a null optional field is absent", "/requestMetadata/awsSourceVpc", Some(Value::Null)),
        ("a null optional field is absent", "/requestMetadata/awsSourceVpce", Some(Value::Null)),
        ("a null optional field is absent", "/requestMetadata/kmsViaService", Some(Value::Null)),
        ("a null optional field is absent", "/additionalAuthenticatedData", Some(Value::Null)),
        ("AAD is optional", "/additionalAuthenticatedData", None),
        ("AAD may be empty", "/additionalAuthenticatedData", Some("".into())),
        ("the plaintext may be empty", "/plaintext", Some("".into())),
        ("unknown fields are tolerated", "/later", Some(json!({ "a": [1, null] }))),
        ("unknown metadata is tolerated", "/requestMetadata/sourceIdentity", Some("x".into())),
        ("an unknown kmsOperation is tolerated", "/requestMetadata/kmsOperation", Some("SomethingNew".into())),
        ("an ARN is opaque", "/requestMetadata/awsPrincipalArn", Some("AWS Internal".into())),
        ("an ARN is opaque", "/requestMetadata/awsPrincipalArn", Some("ec2.amazonaws.com".into())),
        ("an ARN has 2048 characters", "/requestMetadata/awsPrincipalArn", Some("a".repeat(2048).into())),
        ("an ARN has 2048 characters", "/requestMetadata/kmsKeyArn", Some("k".repeat(2048).into())),
        ("kmsRequestId is opaque", "/requestMetadata/kmsRequestId", Some("not a UUID".into())),
        ("a VPC endpoint is told", "/requestMetadata/awsSourceVpce", Some("vpce-1".into())),
        ("4300 bytes of plaintext", "/plaintext", Some(zeros(4300))),
        ("8192 bytes of AAD", "/additionalAuthenticatedData", Some(zeros(8192))),
    ];
    over_http_and_tls(async |proxy| {
        for (requirement, pointer, value) in &encrypting {
            let body = with_member(encrypt_body(), pointer, value.clone());
            let response = proxy.call("/keys/good/encrypt", &body).await;
            response.assert_outcome(200, "", requirement);
            let sealed = response.json();
            let mut opening = decrypt_body(&sealed);
            for name in ["additionalAuthenticatedData", "requestMetadata"] {
                opening = with_member(opening, &format!("/{name}"), body.get(name).cloned());
            }
            let opened = proxy.call("/keys/good/decrypt", &opening).await;
            opened.assert_outcome(200, "", requirement);
            assert_eq!(opened.json()["plaintext"], body["plaintext"], "{requirement}");
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
    let encrypting: [(&str, &str, Option<Value>); 16] = [
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
        ("Base64 has no stray bits", "/plaintext", Some("QR==".into())),
        ("Base64 has no line breaks", "/plaintext", Some("QQ==\n".into())),
        ("Base64 is padded", "/additionalAuthenticatedData", Some("QUI".into())),
        ("ARNs end at 2048 characters", "/requestMetadata/awsPrincipalArn", Some("a".repeat(2049).into())),
    ];
    over_http_and_tls(async |proxy| {
        for (requirement, pointer, value) in &encrypting {
            let body = with_member(encrypt_body(), pointer, value.clone());
            proxy.call("/keys/good/encrypt", &body).await.assert_outcome(400, "ValidationException", requirement);
        }
        let sealed = proxy.encrypt(&encrypt_body()).await;
        for name in ["ciphertext", "encryptionAlgorithm", "initializationVector", "authenticationTag"] {
            let body = with_member(decrypt_body(&sealed), &format!("/{name}"), None);
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
                    "a body is the JSON of its operation",
                );
            }
        }
        let deep = RawRequest::health().modified(|request| request.body = [b'['; 60_000].to_vec());
        proxy.send(&deep).await.assert_outcome(400, "ValidationException", "a deep body does no harm");
    })
    .await;
}

#[tokio::test]
async fn unsupported_sizes_are_rejected_and_the_server_keeps_running() {
    over_http_and_tls(async |proxy| {
        let sealed = proxy.encrypt(&encrypt_body()).await;
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
                with_member(decrypt_body(&sealed), "/additionalAuthenticatedData", Some(zeros(65_536))),
            ),
            (
                "4301 bytes of ciphertext",
                "decrypt",
                with_member(decrypt_body(&sealed), "/ciphertext", Some(zeros(4301))),
            ),
        ] {
            let response = proxy.call(&format!("/keys/good/{api}"), &body).await;
            response.assert_outcome(501, "UnsupportedOperationException", requirement);
            proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "the server lives on");
        }
    })
    .await;
}

#[tokio::test]
async fn ciphertext_is_bound_to_its_iv_tag_aad_and_metadata() {
    over_http_and_tls(async |proxy| {
        let sealed = proxy.encrypt(&encrypt_body()).await;
        let good = decrypt_body(&sealed);
        let flipped = |name: &str| {
            let mut bytes = decode_base64(&good[name]);
            bytes[0] ^= 1;
            Some(STANDARD.encode(bytes).into())
        };
        let sized = |name: &str, size: usize| {
            let mut bytes = decode_base64(&good[name]);
            bytes.resize(size, 0);
            Some(STANDARD.encode(bytes).into())
        };
        // The boundary between ciphertext and tag, moved: together they are the same bytes.
        let moved = |by: isize| {
            let joined = [decode_base64(&good["ciphertext"]), decode_base64(&good["authenticationTag"])].concat();
            let (ciphertext, tag) = joined.split_at(12usize.saturating_add_signed(by));
            let body = with_member(good.clone(), "/ciphertext", Some(STANDARD.encode(ciphertext).into()));
            with_member(body, "/authenticationTag", Some(STANDARD.encode(tag).into()))
        };
        let one = |pointer: &str, value: Option<Value>| with_member(good.clone(), pointer, value);
        for (requirement, body) in [
            ("a wrong ciphertext", one("/ciphertext", flipped("ciphertext"))),
            ("a wrong IV", one("/initializationVector", flipped("initializationVector"))),
            ("a wrong tag", one("/authenticationTag", flipped("authenticationTag"))),
            ("a wrong AAD", one("/additionalAuthenticatedData", flipped("additionalAuthenticatedData"))),
            ("no AAD where there was one", one("/additionalAuthenticatedData", None)),
            ("changed ciphertextMetadata is detected", one("/ciphertextMetadata", flipped("ciphertextMetadata"))),
            ("lost ciphertextMetadata is detected", one("/ciphertextMetadata", None)),
            ("longer ciphertextMetadata is detected", one("/ciphertextMetadata", sized("ciphertextMetadata", 20))),
            ("ciphertextMetadata has 20 bytes at most", one("/ciphertextMetadata", sized("ciphertextMetadata", 21))),
            ("an IV of 16 bytes does no harm", one("/initializationVector", sized("initializationVector", 16))),
            ("an IV has 12 or 16 bytes", one("/initializationVector", sized("initializationVector", 13))),
            ("an IV has 12 or 16 bytes", one("/initializationVector", sized("initializationVector", 0))),
            ("a tag of 12 bytes", moved(4)),
            ("a tag of 20 bytes", moved(-4)),
            ("no tag", moved(16)),
        ] {
            let response = proxy.call("/keys/good/decrypt", &body).await;
            response.assert_outcome(400, "InvalidCiphertextException", requirement);
        }
        let response = proxy.call("/keys/opener/decrypt", &good).await;
        response.assert_outcome(400, "InvalidCiphertextException", "another key");
        proxy.call("/keys/good/decrypt", &good).await.assert_outcome(200, "", "what was not changed");
    })
    .await;
}

#[tokio::test]
async fn missing_and_empty_aad_are_equivalent() {
    over_http_and_tls(async |proxy| {
        let pointer = "/additionalAuthenticatedData";
        let sealed = proxy.encrypt(&with_member(encrypt_body(), pointer, Some("".into()))).await;
        for value in [None, Some(Value::Null), Some("".into())] {
            let opened = proxy.call("/keys/good/decrypt", &with_member(decrypt_body(&sealed), pointer, value)).await;
            opened.assert_outcome(200, "", "AAD of no bytes is no AAD");
        }
    })
    .await;
}

#[tokio::test]
async fn allowed_operations_depend_on_key_usage_and_state() {
    over_http_and_tls(async |proxy| {
        let plain = with_member(encrypt_body(), "/ciphertextDataIntegrityValueAlgorithm", None);
        let sealed = proxy.encrypt(&encrypt_body()).await;
        let decrypt = decrypt_body(&sealed);
        for (requirement, key, body, status, name) in [
            ("an unknown key", "none/encrypt", &plain, 404, "KeyNotFoundException"),
            ("an unknown key", "none/decrypt", &decrypt, 404, "KeyNotFoundException"),
            ("a key of another partition", "oslo-vault/encrypt", &plain, 404, "KeyNotFoundException"),
            ("a disabled key", "off/encrypt", &plain, 400, "InvalidStateException"),
            ("a disabled key", "off/decrypt", &decrypt, 400, "InvalidStateException"),
            ("a key that only encrypts", "sealer/decrypt", &decrypt, 400, "InvalidKeyUsageException"),
            ("a key that only encrypts, without CDIV", "sealer/encrypt", &plain, 200, ""),
            ("a key that only encrypts, with CDIV", "sealer/encrypt", &encrypt_body(), 400, "InvalidKeyUsageException"),
            ("a key that only decrypts", "opener/encrypt", &plain, 400, "InvalidKeyUsageException"),
            ("a key of 128 bits", "small/encrypt", &plain, 400, "InvalidKeyUsageException"),
        ] {
            proxy.call(&format!("/keys/{key}"), body).await.assert_outcome(status, name, requirement);
        }
        proxy.aws.key_manager().rotate_key("lab", "good").unwrap();
        let response = proxy.call("/keys/good/decrypt", &decrypt).await;
        response.assert_outcome(200, "", "what an older version has sealed opens");
        proxy.aws.key_manager().set_enabled("lab", "good", false).unwrap();
        let response = proxy.call("/keys/good/decrypt", &decrypt).await;
        response.assert_outcome(400, "InvalidStateException", "a key is disabled at once");
    })
    .await;
}
