//! Faults of proxies, including some seen in other products, and the checks that must detect them.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use xks_console::xks::wire::ciphertext_data_integrity_value;

use super::faulty_proxy::{
    Fault, FaultyProxy, decode_base64, encode_base64, error_response, json_response, map_json, parse_json, with_status,
};

/// The name of the fault that reads a whole body before it checks anything.
pub const READS_WHOLE_BODY: &str = "reads the whole body before any check";

/// The faults: name, failing checks, and implementation.
pub const FAULTS: &[(&str, &[&str], Fault)] = &[
    ("nothing", &[], |proxy, request| proxy.forward(request).boxed()),
    (READS_WHOLE_BODY, &["body-huge"], |proxy, request| proxy.forward(request).boxed()),
    ("returns 401 instead of 400", &["errors-status"], |proxy, request| {
        async { proxy.forward(request).await }
            .map(|response| if response.status() == 400 { with_status(response, 401) } else { response })
            .boxed()
    }),
    ("returns 418 for an unknown key", &["errors-status"], |proxy, request| {
        async {
            let response = proxy.forward(request).await;
            let is_unknown_key = parse_json(response.body())["errorName"] == "KeyNotFoundException";
            if is_unknown_key { with_status(response, 418) } else { response }
        }
        .boxed()
    }),
    ("rejects unknown operations", &["metadata-unknown-operation"], |proxy, request| {
        async {
            let operation = &parse_json(request.body())["requestMetadata"]["kmsOperation"];
            if operation == "BulkDescribeKey" {
                error_response(501, "UnsupportedOperationException", "unknown")
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    ("creates keys on GetKeyMetadata", &["metadata-unknown-key", "path-key-id"], |proxy, request| {
        async {
            let is_metadata = request.uri().path().ends_with("/metadata");
            let response = proxy.forward(request).await;
            let metadata = json!({ "keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT"], "keyStatus": "ENABLED" });
            if is_metadata && response.status() == 404 { self::json_response(200, &metadata) } else { response }
        }
        .boxed()
    }),
    ("reports every key as enabled", &["key-enabled"], |proxy, request| {
        async { map_json(proxy.forward(request).await, |body| replace_member(body, "keyStatus", "ENABLED".into())) }
            .boxed()
    }),
    ("reports an unknown key spec", &["metadata-usable-key"], |proxy, request| {
        async { map_json(proxy.forward(request).await, |body| replace_member(body, "keySpec", "RSA_0".into())) }.boxed()
    }),
    ("requires a signature for GET", &["method-get"], |proxy, request| {
        async {
            let is_signed = request.headers().contains_key(AUTHORIZATION);
            if request.method() == "GET" && !is_signed {
                unauthenticated("not signed")
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    ("accepts GET", &["method-get", "method-get-signed"], |proxy, request| {
        async { if request.method() == "GET" { json_response(200, &json!({})) } else { proxy.forward(request).await } }
            .boxed()
    }),
    ("treats unknown paths as unknown keys", &["path-unknown"], |proxy, request| {
        async {
            let response = proxy.forward(request).await;
            let is_unknown = parse_json(response.body())["errorName"] == "InvalidUriPathException";
            if is_unknown { error_response(404, "KeyNotFoundException", "no such key") } else { response }
        }
        .boxed()
    }),
    ("ignores query strings", &["path-query"], |proxy, request| {
        async {
            if request.uri().query().is_some() {
                proxy.forward_with_body(&request, &parse_json(request.body())).await
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    ("reveals the expected signature", &["auth-no-hint"], |proxy, request| {
        async {
            let signed = proxy.sign_with_body(&request, &parse_json(request.body()));
            let signed = signed.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
            let response = proxy.forward(request).await;
            if response.status() == 401 { unauthenticated(&format!("expected {signed}")) } else { response }
        }
        .boxed()
    }),
    ("distinguishes an unknown access key from a wrong signature", &["auth-alike"], |proxy, request| {
        async {
            let is_known = authorization_contains(&request, &format!("={}/", proxy.lab.credential.access_key_id));
            let response = proxy.forward(request).await;
            if response.status() == 401 && !is_known { unauthenticated("unknown access key") } else { response }
        }
        .boxed()
    }),
    ("accepts an unsigned host header", &["auth-host"], |proxy, request| {
        accept_if(proxy, request, |request| authorization_contains(request, "SignedHeaders=x-amz-date,")).boxed()
    }),
    ("accepts an unsigned x-amz-date header", &["auth-date"], |proxy, request| {
        accept_if(proxy, request, |request| {
            authorization_contains(request, "/us-west-2/kms-xks-proxy/aws4_request, SignedHeaders=host,")
        })
        .boxed()
    }),
    ("accepts any service", &["auth-service"], |proxy, request| {
        accept_if(proxy, request, |request| authorization_contains(request, "/kms/")).boxed()
    }),
    ("accepts any Region", &["auth-region"], |proxy, request| {
        accept_if(proxy, request, |request| authorization_contains(request, "/mars-north-1/")).boxed()
    }),
    ("ignores the request date", &["auth-fresh", "auth-future", "auth-past"], |proxy, request| {
        accept_if(proxy, request, |request| {
            let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M").to_string();
            let is_valid = authorization_contains(request, "SignedHeaders=host;x-amz-date, ")
                && authorization_contains(request, "/us-west-2/kms-xks-proxy/");
            let minute = request.headers()["x-amz-date"].to_str().unwrap()[..13].to_owned();
            is_valid && minute != now && request.uri().path().ends_with("/health")
        })
        .boxed()
    }),
    ("hashes only 4,096 bytes of the body", &["auth-whole-body"], |proxy, request| {
        accept_if(proxy, request, |request| request.body().len() > 4096 && request.body().ends_with(b" ")).boxed()
    }),
    ("rejects additional signed headers", &["auth-more-headers"], |proxy, request| {
        async {
            if authorization_contains(&request, "content-type;host") {
                unauthenticated("too many signed headers")
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    ("omits the vendor of the key manager", &["health-fields"], |proxy, request| {
        async { map_json(proxy.forward(request).await, |body| drop(body.as_object_mut().unwrap().remove("ekmVendor"))) }
            .boxed()
    }),
    ("reports a fleet size of 0", &["health-fleet-size"], |proxy, request| {
        async { map_json(proxy.forward(request).await, |body| replace_member(body, "xksProxyFleetSize", json!(0))) }
            .boxed()
    }),
    ("reports no external key managers", &["health-fleet", "health-serving"], |proxy, request| {
        async { map_json(proxy.forward(request).await, |body| replace_member(body, "ekmFleetDetails", json!([]))) }
            .boxed()
    }),
    ("reports a model without a version", &["health-model"], |proxy, request| {
        async { map_json(proxy.forward(request).await, |body| replace_member(body, "xksProxyModel", "proxy".into())) }
            .boxed()
    }),
    ("denies the health operation of CreateCustomKeyStore", &["health-operations"], |proxy, request| {
        async {
            let operation = &parse_json(request.body())["requestMetadata"]["kmsOperation"];
            if operation == "CreateCustomKeyStore" {
                error_response(403, "AccessDeniedException", "denied")
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    (
        "rejects unknown fields",
        &["decrypt-extra-fields", "encrypt-extra-fields", "health-extra-fields", "metadata-extra-fields"],
        |proxy, request| {
            async {
                let has_unknown_field = parse_json(request.body()).get("later").is_some();
                if has_unknown_field {
                    error_response(400, "ValidationException", "unknown")
                } else {
                    proxy.forward(request).await
                }
            }
            .boxed()
        },
    ),
    (
        "requires UUIDs as request IDs",
        &["encrypt-request-id", "health-request-id", "metadata-request-id"],
        |proxy, request| {
            async {
                let is_not_uuid = parse_json(request.body())["requestMetadata"]["kmsRequestId"] == "not a UUID";
                if is_not_uuid {
                    error_response(400, "ValidationException", "not a UUID")
                } else {
                    proxy.forward(request).await
                }
            }
            .boxed()
        },
    ),
    ("limits ARNs to 40 characters", &["encrypt-long-arns", "metadata-long-arn"], |proxy, request| {
        async {
            let length = parse_json(request.body())["requestMetadata"]["awsPrincipalArn"].as_str().map_or(0, str::len);
            if length > 40 {
                error_response(400, "ValidationException", "too long")
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    ("rejects null values", &["encrypt-null", "metadata-null"], |proxy, request| {
        async {
            let is_null = parse_json(request.body()).to_string().contains(":null");
            if is_null { error_response(400, "ValidationException", "null") } else { proxy.forward(request).await }
        }
        .boxed()
    }),
    ("omits the integrity value", &["encrypt-cdiv", "encrypt-cdiv-without-aad"], |proxy, request| {
        async {
            map_json(proxy.forward(request).await, |body| {
                drop(body.as_object_mut().unwrap().remove("ciphertextDataIntegrityValue"))
            })
        }
        .boxed()
    }),
    ("leaves the AAD out of the integrity value", &["encrypt-cdiv"], |proxy, request| {
        async {
            map_json(proxy.forward(request).await, |body| {
                replace_member(body, "ciphertextDataIntegrityValue", integrity_value(&[], body))
            })
        }
        .boxed()
    }),
    ("returns null instead of omitting the integrity value", &["encrypt-cdiv-unasked"], |proxy, request| {
        async {
            map_json(proxy.forward(request).await, |body| {
                if body.get("ciphertext").is_some() && body.get("ciphertextDataIntegrityValue").is_none() {
                    body["ciphertextDataIntegrityValue"] = Value::Null;
                }
            })
        }
        .boxed()
    }),
    ("returns an integrity value for an encrypt-only key", &["key-encrypt-only-cdiv"], |proxy, request| {
        async {
            let mut request_body = parse_json(request.body());
            let name = "ciphertextDataIntegrityValueAlgorithm";
            if !request.uri().path().ends_with("/encrypt-only/encrypt") || request_body.get(name).is_none() {
                return proxy.forward(request).await;
            }
            request_body.as_object_mut().unwrap().remove(name);
            let aad = decode_base64(&request_body["additionalAuthenticatedData"]);
            map_json(proxy.forward_with_body(&request, &request_body).await, |body| {
                body["ciphertextDataIntegrityValue"] = integrity_value(&aad, body)
            })
        }
        .boxed()
    }),
    (
        "appends the tag to the ciphertext",
        &["encrypt-ciphertext", "encrypt-cdiv", "encrypt-cdiv-without-aad"],
        |proxy, request| {
            async {
                if !request.uri().path().ends_with("/decrypt") {
                    return map_json(proxy.forward(request).await, |body| {
                        let combined =
                            [decode_base64(&body["ciphertext"]), decode_base64(&body["authenticationTag"])].concat();
                        replace_member(body, "ciphertext", encode_base64(&combined));
                    });
                }
                let mut request_body = parse_json(request.body());
                let combined = decode_base64(&request_body["ciphertext"]);
                replace_member(
                    &mut request_body,
                    "ciphertext",
                    encode_base64(&combined[..combined.len().saturating_sub(16)]),
                );
                if is_signature_accepted(proxy, &request).await {
                    proxy.forward_with_body(&request, &request_body).await
                } else {
                    proxy.forward(request).await
                }
            }
            .boxed()
        },
    ),
    ("reuses one initialization vector", &["encrypt-iv-fresh"], |proxy, request| {
        substitute_member(proxy, request, "initializationVector", encode_base64(&[7; 12])).boxed()
    }),
    ("accepts malformed Base64", &["encrypt-base64"], |proxy, request| {
        async {
            let mut request_body = parse_json(request.body());
            let is_malformed =
                request_body["plaintext"].as_str().is_some_and(|text| matches!(text, "QQ" | "-_8=" | "QR=="));
            replace_member(&mut request_body, "plaintext", "QQ==".into());
            if is_malformed {
                proxy.forward_with_body(&request, &request_body).await
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    ("limits plaintext to 4,096 bytes", &["decrypt-largest", "encrypt-plaintext-4300"], |proxy, request| {
        async {
            let size = decode_base64(&parse_json(request.body())["plaintext"]).len();
            if size > 4096 {
                error_response(501, "UnsupportedOperationException", "too long")
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    (
        "doesn't authenticate the metadata",
        &["decrypt-metadata-added", "decrypt-metadata-changed", "decrypt-metadata-lost"],
        |proxy, request| {
            async {
                let mut request_body = parse_json(request.body());
                if request.uri().path().ends_with("/encrypt") {
                    return proxy.forward_and_record(request).await;
                }
                let is_short = decode_base64(&request_body["ciphertextMetadata"]).len() <= 20;
                match proxy.recorded_encryption(&request_body).filter(|_| is_short) {
                    Some((_, response_body)) => {
                        request_body["ciphertextMetadata"] = response_body["ciphertextMetadata"].clone();
                        proxy.forward_with_body(&request, &request_body).await
                    }
                    None => proxy.forward(request).await,
                }
            }
            .boxed()
        },
    ),
    ("authenticates the metadata without its length", &["decrypt-boundary"], |proxy, request| {
        async {
            let mut request_body = parse_json(request.body());
            if request.uri().path().ends_with("/encrypt") {
                return proxy.forward_and_record(request).await;
            }
            let combined = |one: &Value, other: &Value| {
                [decode_base64(&one["additionalAuthenticatedData"]), decode_base64(&other["ciphertextMetadata"])]
                    .concat()
            };
            match proxy.recorded_encryption(&request_body).filter(|(original_request, response_body)| {
                combined(original_request, response_body) == combined(&request_body, &request_body)
            }) {
                Some((original_request, response_body)) => {
                    request_body["additionalAuthenticatedData"] =
                        original_request["additionalAuthenticatedData"].clone();
                    request_body["ciphertextMetadata"] = response_body["ciphertextMetadata"].clone();
                    proxy.forward_with_body(&request, &request_body).await
                }
                None => proxy.forward(request).await,
            }
        }
        .boxed()
    }),
    ("returns 36 bytes of metadata", &["encrypt-metadata"], |proxy, request| {
        substitute_member(proxy, request, "ciphertextMetadata", encode_base64(&[7; 36])).boxed()
    }),
    ("doesn't check the length of the tag", &["decrypt-tag-length"], |proxy, request| {
        async {
            let mut request_body = parse_json(request.body());
            let combined =
                [decode_base64(&request_body["ciphertext"]), decode_base64(&request_body["authenticationTag"])]
                    .concat();
            if !request.uri().path().ends_with("/decrypt")
                || decode_base64(&request_body["authenticationTag"]).len() == 16
                || combined.len() < 16
            {
                return proxy.forward(request).await;
            }
            let (ciphertext, tag) = combined.split_at(combined.len() - 16);
            replace_member(&mut request_body, "ciphertext", encode_base64(ciphertext));
            replace_member(&mut request_body, "authenticationTag", encode_base64(tag));
            if is_signature_accepted(proxy, &request).await {
                proxy.forward_with_body(&request, &request_body).await
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    ("fails on an IV of 16 bytes", &["decrypt-iv-length", "errors-internal"], |proxy, request| {
        async {
            let size = decode_base64(&parse_json(request.body())["initializationVector"]).len();
            if size == 16 { error_response(500, "InternalException", "panicked") } else { proxy.forward(request).await }
        }
        .boxed()
    }),
    ("crashes on 65,536 bytes of AAD", &["body-aad-decrypt"], |proxy, request| {
        async {
            let size = decode_base64(&parse_json(request.body())["additionalAuthenticatedData"]).len();
            if request.uri().path().ends_with("/decrypt") && size > 65_535 {
                proxy.is_down.store(true, Ordering::Relaxed);
            }
            // The proxy is restarted after the first request that finds it down.
            if proxy.is_down.load(Ordering::Relaxed) {
                proxy.is_down.store(!request.uri().path().ends_with("/health"), Ordering::Relaxed);
                return error_response(503, "DependencyTimeoutException", "not running");
            }
            proxy.forward(request).await
        }
        .boxed()
    }),
    ("fails on 65,536 bytes of AAD", &["body-aad-decrypt", "body-aad-encrypt"], |proxy, request| {
        async {
            let size = decode_base64(&parse_json(request.body())["additionalAuthenticatedData"]).len();
            if size > 65_535 {
                error_response(500, "InternalException", "too large")
            } else {
                proxy.forward(request).await
            }
        }
        .boxed()
    }),
    ("fails on concurrent requests", &["requests-at-once"], |proxy, request| {
        async {
            if (20..36).contains(&decode_base64(&parse_json(request.body())["plaintext"]).len()) {
                proxy.pair_barrier.wait().await;
                return error_response(503, "DependencyTimeoutException", "busy");
            }
            proxy.forward(request).await
        }
        .boxed()
    }),
    ("uses disabled keys", &["key-disabled"], |proxy, request| {
        async {
            if request.uri().path().ends_with("/off/encrypt") && is_signature_accepted(proxy, &request).await {
                let uri = request.uri().to_string().replace("/off/", "/good/").parse().unwrap();
                let mut other = Request::new(Bytes::new());
                (*other.uri_mut(), *other.headers_mut()) = (uri, request.headers().clone());
                return proxy.forward_with_body(&other, &parse_json(request.body())).await;
            }
            proxy.forward(request).await
        }
        .boxed()
    }),
    ("returns errors that aren't JSON", &["errors-content-type", "errors-json"], |proxy, request| {
        async {
            let response = proxy.forward(request).await;
            if response.status() == StatusCode::OK {
                return response;
            }
            Response::builder().status(response.status()).body("<html>".into()).unwrap()
        }
        .boxed()
    }),
    ("uses its own error names", &["errors-names", "path-unknown"], |proxy, request| {
        async {
            let response = proxy.forward(request).await;
            if parse_json(response.body())["errorName"] == "InvalidUriPathException" {
                error_response(404, "NoSuchPathException", "")
            } else {
                response
            }
        }
        .boxed()
    }),
    ("returns long error messages in Norwegian", &["errors-message"], |proxy, request| {
        async {
            let response = proxy.forward(request).await;
            let name = parse_json(response.body())["errorName"].as_str().map(str::to_owned);
            name.map_or(response.clone(), |name| {
                error_response(response.status().as_u16(), &name, &"nøkkel ".repeat(80))
            })
        }
        .boxed()
    }),
    ("labels JSON as text/plain", &["errors-content-type", "http-content-type"], |proxy, request| {
        async {
            let mut response = proxy.forward(request).await;
            response.headers_mut().insert("content-type", "text/plain".parse().unwrap());
            response
        }
        .boxed()
    }),
    ("closes every connection", &["http-keep-alive"], |proxy, request| {
        async {
            let mut response = proxy.forward(request).await;
            response.headers_mut().insert("connection", "close".parse().unwrap());
            response
        }
        .boxed()
    }),
    ("redirects health", &["errors-content-type", "errors-json", "health-operations"], |proxy, request| {
        async {
            let operation = &parse_json(request.body())["requestMetadata"]["kmsOperation"];
            if operation != "UpdateCustomKeyStore" {
                return proxy.forward(request).await;
            }
            Response::builder().status(307).header("location", "/kms/xks/v1/health").body(Bytes::new()).unwrap()
        }
        .boxed()
    }),
];

/// Replaces a member if the body has it.
fn replace_member(body: &mut Value, name: &str, value: Value) {
    if let Some(member) = body.get_mut(name) {
        *member = value;
    }
}

fn unauthenticated(message: &str) -> Response<Bytes> {
    error_response(401, "AuthenticationFailedException", message)
}

/// Whether the Authorization header contains `text`.
fn authorization_contains(request: &Request<Bytes>, text: &str) -> bool {
    request.headers().get(AUTHORIZATION).is_some_and(|value| value.to_str().unwrap().contains(text))
}

/// Whether the correct proxy accepts the method and the signature.
async fn is_signature_accepted(proxy: &FaultyProxy, request: &Request<Bytes>) -> bool {
    !matches!(proxy.forward(request.clone()).await.status().as_u16(), 401 | 405)
}

/// Replaces the member `name` in responses of Encrypt with `value`, and restores the original for Decrypt.
async fn substitute_member(proxy: &FaultyProxy, request: Request<Bytes>, name: &str, value: Value) -> Response<Bytes> {
    let mut request_body = parse_json(request.body());
    if request.uri().path().ends_with("/encrypt") {
        let aad = decode_base64(&request_body["additionalAuthenticatedData"]);
        return map_json(proxy.forward_and_record(request).await, |body| {
            replace_member(body, name, value);
            let cdiv = integrity_value(&aad, body);
            replace_member(body, "ciphertextDataIntegrityValue", cdiv);
        });
    }
    match proxy.recorded_encryption(&request_body).filter(|_| request_body[name] == value) {
        Some((_, response_body)) if is_signature_accepted(proxy, &request).await => {
            request_body[name] = response_body[name].clone();
            proxy.forward_with_body(&request, &request_body).await
        }
        _ => proxy.forward(request).await,
    }
}

/// Accepts a request regardless of its signature if `is_accepted` returns true for it.
async fn accept_if(
    proxy: &FaultyProxy,
    request: Request<Bytes>,
    is_accepted: fn(&Request<Bytes>) -> bool,
) -> Response<Bytes> {
    if is_accepted(&request) {
        proxy.forward_with_body(&request, &parse_json(request.body())).await
    } else {
        proxy.forward(request).await
    }
}

fn integrity_value(aad: &[u8], body: &Value) -> Value {
    let [metadata, iv, ciphertext, tag] =
        ["ciphertextMetadata", "initializationVector", "ciphertext", "authenticationTag"]
            .map(|name| decode_base64(&body[name]));
    encode_base64(&ciphertext_data_integrity_value(aad, &metadata, &iv, &ciphertext, &tag))
}
