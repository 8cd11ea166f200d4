//! What proxies do wrong, and which checks must find it: those of other vendors among them.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use serde_json::{Value, json};
use xks_console::xks::wire::ciphertext_data_integrity_value;

use super::faulty::{Fault, Faulty, answer, base64, bytes, changed, error, read, with_status};

/// The fault that reads a body to its end before it looks at anything.
pub const GREEDY: &str = "reads each body to its end";

/// What is wrong, the checks that fail by it, and how.
pub const FAULTS: &[(&str, &[&str], Fault)] = &[
    ("nothing", &[], |proxy, ask| proxy.pass(ask).boxed()),
    (GREEDY, &["body-huge"], |proxy, ask| proxy.pass(ask).boxed()),
    ("answers 401 for 400", &["errors-status"], |proxy, ask| {
        async { proxy.pass(ask).await }
            .map(|answer| if answer.status() == 400 { with_status(answer, 401) } else { answer })
            .boxed()
    }),
    ("answers 418 for an unknown key", &["errors-status"], |proxy, ask| {
        async {
            let answer = proxy.pass(ask).await;
            let is_unknown_key = read(answer.body())["errorName"] == "KeyNotFoundException";
            if is_unknown_key { with_status(answer, 418) } else { answer }
        }
        .boxed()
    }),
    ("refuses operations that it doesn't know", &["metadata-unknown-operation"], |proxy, ask| {
        async {
            let operation = &read(ask.body())["requestMetadata"]["kmsOperation"];
            if operation == "BulkDescribeKey" {
                error(501, "UnsupportedOperationException", "what?")
            } else {
                proxy.pass(ask).await
            }
        }
        .boxed()
    }),
    ("makes a key by asking for it", &["metadata-unknown-key", "path-key-id"], |proxy, ask| {
        async {
            let is_metadata = ask.uri().path().ends_with("/metadata");
            let answer = proxy.pass(ask).await;
            let made = json!({ "keySpec": "AES_256", "keyUsage": ["ENCRYPT", "DECRYPT"], "keyStatus": "ENABLED" });
            if is_metadata && answer.status() == 404 { self::answer(200, &made) } else { answer }
        }
        .boxed()
    }),
    ("tells each key as enabled", &["key-enabled"], |proxy, ask| {
        async { changed(proxy.pass(ask).await, |body| replace(body, "keyStatus", "ENABLED".into())) }.boxed()
    }),
    ("tells keys of no known spec", &["metadata-usable-key"], |proxy, ask| {
        async { changed(proxy.pass(ask).await, |body| replace(body, "keySpec", "RSA_0".into())) }.boxed()
    }),
    ("wants a signature of GET", &["method-get"], |proxy, ask| {
        async {
            let is_signed = ask.headers().contains_key(AUTHORIZATION);
            if ask.method() == "GET" && !is_signed { unauthenticated("who are you?") } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    ("answers GET", &["method-get", "method-get-signed"], |proxy, ask| {
        async { if ask.method() == "GET" { answer(200, &json!({})) } else { proxy.pass(ask).await } }.boxed()
    }),
    ("takes unknown paths for unknown keys", &["path-unknown"], |proxy, ask| {
        async {
            let answer = proxy.pass(ask).await;
            let is_unknown = read(answer.body())["errorName"] == "InvalidUriPathException";
            if is_unknown { error(404, "KeyNotFoundException", "no such key") } else { answer }
        }
        .boxed()
    }),
    ("passes queries over", &["path-query"], |proxy, ask| {
        async {
            if ask.uri().query().is_some() { proxy.again(&ask, &read(ask.body())).await } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    ("tells the right signature", &["auth-no-hint"], |proxy, ask| {
        async {
            let right = proxy.signed(&ask, &read(ask.body()));
            let right = right.headers()[AUTHORIZATION].to_str().unwrap().to_owned();
            let answer = proxy.pass(ask).await;
            if answer.status() == 401 { unauthenticated(&format!("expected {right}")) } else { answer }
        }
        .boxed()
    }),
    ("tells an unknown access key from a wrong signature", &["auth-alike"], |proxy, ask| {
        async {
            let is_known = said_by(&ask, &format!("={}/", proxy.lab.credential.access_key_id));
            let answer = proxy.pass(ask).await;
            if answer.status() == 401 && !is_known { unauthenticated("unknown access key") } else { answer }
        }
        .boxed()
    }),
    ("lets host be unsigned", &["auth-host"], |proxy, ask| {
        lenient(proxy, ask, |ask| said_by(ask, "SignedHeaders=x-amz-date,")).boxed()
    }),
    ("lets x-amz-date be unsigned", &["auth-date"], |proxy, ask| {
        lenient(proxy, ask, |ask| said_by(ask, "/us-west-2/kms-xks-proxy/aws4_request, SignedHeaders=host,")).boxed()
    }),
    ("takes any service", &["auth-service"], |proxy, ask| lenient(proxy, ask, |ask| said_by(ask, "/kms/")).boxed()),
    ("takes any Region", &["auth-region"], |proxy, ask| {
        lenient(proxy, ask, |ask| said_by(ask, "/mars-north-1/")).boxed()
    }),
    ("looks at no clock", &["auth-fresh", "auth-future", "auth-past"], |proxy, ask| {
        lenient(proxy, ask, |ask| {
            let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M").to_string();
            let is_right = said_by(ask, "SignedHeaders=host;x-amz-date, ") && said_by(ask, "/us-west-2/kms-xks-proxy/");
            let minute = ask.headers()["x-amz-date"].to_str().unwrap()[..13].to_owned();
            is_right && minute != now && ask.uri().path().ends_with("/health")
        })
        .boxed()
    }),
    ("hashes 4,096 bytes of a body", &["auth-whole-body"], |proxy, ask| {
        lenient(proxy, ask, |ask| ask.body().len() > 4096 && ask.body().ends_with(b" ")).boxed()
    }),
    ("signs by content-type alone", &["auth-more-headers"], |proxy, ask| {
        async { if said_by(&ask, "content-type;host") { unauthenticated("too many") } else { proxy.pass(ask).await } }
            .boxed()
    }),
    ("names no vendor of the key manager", &["health-fields"], |proxy, ask| {
        async { changed(proxy.pass(ask).await, |body| drop(body.as_object_mut().unwrap().remove("ekmVendor"))) }.boxed()
    }),
    ("has a fleet of none", &["health-fleet-size"], |proxy, ask| {
        async { changed(proxy.pass(ask).await, |body| replace(body, "xksProxyFleetSize", json!(0))) }.boxed()
    }),
    ("has no external key managers", &["health-fleet", "health-serving"], |proxy, ask| {
        async { changed(proxy.pass(ask).await, |body| replace(body, "ekmFleetDetails", json!([]))) }.boxed()
    }),
    ("has a model without version", &["health-model"], |proxy, ask| {
        async { changed(proxy.pass(ask).await, |body| replace(body, "xksProxyModel", "proxy".into())) }.boxed()
    }),
    ("has a policy before health", &["health-operations"], |proxy, ask| {
        async {
            let operation = &read(ask.body())["requestMetadata"]["kmsOperation"];
            if operation == "CreateCustomKeyStore" {
                error(403, "AccessDeniedException", "no")
            } else {
                proxy.pass(ask).await
            }
        }
        .boxed()
    }),
    (
        "knows all fields there will ever be",
        &["decrypt-extra-fields", "encrypt-extra-fields", "health-extra-fields", "metadata-extra-fields"],
        |proxy, ask| {
            async {
                let is_more = read(ask.body()).get("later").is_some();
                if is_more { error(400, "ValidationException", "what?") } else { proxy.pass(ask).await }
            }
            .boxed()
        },
    ),
    ("wants UUIDs", &["encrypt-request-id", "health-request-id", "metadata-request-id"], |proxy, ask| {
        async {
            let is_none = read(ask.body())["requestMetadata"]["kmsRequestId"] == "not a UUID";
            if is_none { error(400, "ValidationException", "no UUID") } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    ("has 40 characters for an ARN", &["encrypt-long-arns", "metadata-long-arn"], |proxy, ask| {
        async {
            let length = read(ask.body())["requestMetadata"]["awsPrincipalArn"].as_str().map_or(0, str::len);
            if length > 40 { error(400, "ValidationException", "too long") } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    ("takes null for a value", &["encrypt-null", "metadata-null"], |proxy, ask| {
        async {
            let is_null = read(ask.body()).to_string().contains(":null");
            if is_null { error(400, "ValidationException", "null") } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    ("gives no integrity value", &["encrypt-cdiv", "encrypt-cdiv-without-aad"], |proxy, ask| {
        async {
            changed(proxy.pass(ask).await, |body| {
                drop(body.as_object_mut().unwrap().remove("ciphertextDataIntegrityValue"))
            })
        }
        .boxed()
    }),
    ("leaves the AAD out of the integrity value", &["encrypt-cdiv"], |proxy, ask| {
        async { changed(proxy.pass(ask).await, |body| replace(body, "ciphertextDataIntegrityValue", cdiv(&[], body))) }
            .boxed()
    }),
    ("gives null for no integrity value", &["encrypt-cdiv-unasked"], |proxy, ask| {
        async {
            changed(proxy.pass(ask).await, |body| {
                if body.get("ciphertext").is_some() && body.get("ciphertextDataIntegrityValue").is_none() {
                    body["ciphertextDataIntegrityValue"] = Value::Null;
                }
            })
        }
        .boxed()
    }),
    ("gives an integrity value without decrypting", &["key-encrypt-only-cdiv"], |proxy, ask| {
        async {
            let mut asked = read(ask.body());
            let name = "ciphertextDataIntegrityValueAlgorithm";
            if !ask.uri().path().ends_with("/sealer/encrypt") || asked.get(name).is_none() {
                return proxy.pass(ask).await;
            }
            asked.as_object_mut().unwrap().remove(name);
            let aad = bytes(&asked["additionalAuthenticatedData"]);
            changed(proxy.again(&ask, &asked).await, |body| body["ciphertextDataIntegrityValue"] = cdiv(&aad, body))
        }
        .boxed()
    }),
    (
        "leaves the tag in the ciphertext",
        &["encrypt-ciphertext", "encrypt-cdiv", "encrypt-cdiv-without-aad"],
        |proxy, ask| {
            async {
                if !ask.uri().path().ends_with("/decrypt") {
                    return changed(proxy.pass(ask).await, |body| {
                        let row = [bytes(&body["ciphertext"]), bytes(&body["authenticationTag"])].concat();
                        replace(body, "ciphertext", base64(&row));
                    });
                }
                let mut asked = read(ask.body());
                let row = bytes(&asked["ciphertext"]);
                replace(&mut asked, "ciphertext", base64(&row[..row.len().saturating_sub(16)]));
                if is_signed(proxy, &ask).await { proxy.again(&ask, &asked).await } else { proxy.pass(ask).await }
            }
            .boxed()
        },
    ),
    ("uses one initialization vector", &["encrypt-iv-fresh"], |proxy, ask| {
        in_place_of(proxy, ask, "initializationVector", base64(&[7; 12])).boxed()
    }),
    ("takes Base64 of any kind", &["encrypt-base64"], |proxy, ask| {
        async {
            let mut asked = read(ask.body());
            let is_kind = asked["plaintext"].as_str().is_some_and(|text| matches!(text, "QQ" | "-_8=" | "QR=="));
            replace(&mut asked, "plaintext", "QQ==".into());
            if is_kind { proxy.again(&ask, &asked).await } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    ("takes 4,096 bytes of plaintext", &["decrypt-largest", "encrypt-plaintext-4300"], |proxy, ask| {
        async {
            let size = bytes(&read(ask.body())["plaintext"]).len();
            if size > 4096 { error(501, "UnsupportedOperationException", "too long") } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    (
        "doesn't bind the metadata",
        &["decrypt-metadata-added", "decrypt-metadata-changed", "decrypt-metadata-lost"],
        |proxy, ask| {
            async {
                let mut asked = read(ask.body());
                if ask.uri().path().ends_with("/encrypt") {
                    return proxy.remember(ask).await;
                }
                let is_short = bytes(&asked["ciphertextMetadata"]).len() <= 20;
                match proxy.origin(&asked).filter(|_| is_short) {
                    Some((_, gave)) => {
                        asked["ciphertextMetadata"] = gave["ciphertextMetadata"].clone();
                        proxy.again(&ask, &asked).await
                    }
                    None => proxy.pass(ask).await,
                }
            }
            .boxed()
        },
    ),
    ("binds the metadata without its length", &["decrypt-boundary"], |proxy, ask| {
        async {
            let mut asked = read(ask.body());
            if ask.uri().path().ends_with("/encrypt") {
                return proxy.remember(ask).await;
            }
            let row = |one: &Value, other: &Value| {
                [bytes(&one["additionalAuthenticatedData"]), bytes(&other["ciphertextMetadata"])].concat()
            };
            match proxy.origin(&asked).filter(|(was_asked, gave)| row(was_asked, gave) == row(&asked, &asked)) {
                Some((was_asked, gave)) => {
                    asked["additionalAuthenticatedData"] = was_asked["additionalAuthenticatedData"].clone();
                    asked["ciphertextMetadata"] = gave["ciphertextMetadata"].clone();
                    proxy.again(&ask, &asked).await
                }
                None => proxy.pass(ask).await,
            }
        }
        .boxed()
    }),
    ("has metadata of 36 bytes", &["encrypt-metadata"], |proxy, ask| {
        in_place_of(proxy, ask, "ciphertextMetadata", base64(&[7; 36])).boxed()
    }),
    ("doesn't look at the length of the tag", &["decrypt-tag-length"], |proxy, ask| {
        async {
            let mut asked = read(ask.body());
            let row = [bytes(&asked["ciphertext"]), bytes(&asked["authenticationTag"])].concat();
            if !ask.uri().path().ends_with("/decrypt")
                || bytes(&asked["authenticationTag"]).len() == 16
                || row.len() < 16
            {
                return proxy.pass(ask).await;
            }
            let (ciphertext, tag) = row.split_at(row.len() - 16);
            replace(&mut asked, "ciphertext", base64(ciphertext));
            replace(&mut asked, "authenticationTag", base64(tag));
            if is_signed(proxy, &ask).await { proxy.again(&ask, &asked).await } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    ("fails on an IV of 16 bytes", &["decrypt-iv-length", "errors-internal"], |proxy, ask| {
        async {
            let size = bytes(&read(ask.body())["initializationVector"]).len();
            if size == 16 { error(500, "InternalException", "panicked") } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    ("dies of 65,536 bytes of AAD", &["body-aad-decrypt"], |proxy, ask| {
        async {
            let size = bytes(&read(ask.body())["additionalAuthenticatedData"]).len();
            if ask.uri().path().ends_with("/decrypt") && size > 65_535 {
                proxy.is_dead.store(true, Ordering::Relaxed);
            }
            // Somebody starts it again, after the first who has found it dead.
            if proxy.is_dead.load(Ordering::Relaxed) {
                proxy.is_dead.store(!ask.uri().path().ends_with("/health"), Ordering::Relaxed);
                return error(503, "DependencyTimeoutException", "nobody here");
            }
            proxy.pass(ask).await
        }
        .boxed()
    }),
    ("fails on 65,536 bytes of AAD", &["body-aad-decrypt", "body-aad-encrypt"], |proxy, ask| {
        async {
            let size = bytes(&read(ask.body())["additionalAuthenticatedData"]).len();
            if size > 65_535 { error(500, "InternalException", "too much") } else { proxy.pass(ask).await }
        }
        .boxed()
    }),
    ("can't do two things at once", &["requests-at-once"], |proxy, ask| {
        async {
            if (20..36).contains(&bytes(&read(ask.body())["plaintext"]).len()) {
                proxy.pair.wait().await;
                return error(503, "DependencyTimeoutException", "busy");
            }
            proxy.pass(ask).await
        }
        .boxed()
    }),
    ("uses disabled keys", &["key-disabled"], |proxy, ask| {
        async {
            if ask.uri().path().ends_with("/off/encrypt") && is_signed(proxy, &ask).await {
                let uri = ask.uri().to_string().replace("/off/", "/good/").parse().unwrap();
                let mut other = Request::new(Bytes::new());
                (*other.uri_mut(), *other.headers_mut()) = (uri, ask.headers().clone());
                return proxy.again(&other, &read(ask.body())).await;
            }
            proxy.pass(ask).await
        }
        .boxed()
    }),
    ("has errors without JSON", &["errors-content-type", "errors-json"], |proxy, ask| {
        async {
            let answer = proxy.pass(ask).await;
            if answer.status() == StatusCode::OK {
                return answer;
            }
            Response::builder().status(answer.status()).body("<html>".into()).unwrap()
        }
        .boxed()
    }),
    ("has errors of its own names", &["errors-names", "path-unknown"], |proxy, ask| {
        async {
            let answer = proxy.pass(ask).await;
            if read(answer.body())["errorName"] == "InvalidUriPathException" {
                error(404, "NoSuchPathException", "")
            } else {
                answer
            }
        }
        .boxed()
    }),
    ("writes errors at length and in Norwegian", &["errors-message"], |proxy, ask| {
        async {
            let answer = proxy.pass(ask).await;
            let name = read(answer.body())["errorName"].as_str().map(str::to_owned);
            name.map_or(answer.clone(), |name| error(answer.status().as_u16(), &name, &"nøkkel ".repeat(80)))
        }
        .boxed()
    }),
    ("says that JSON is text", &["errors-content-type", "http-content-type"], |proxy, ask| {
        async {
            let mut answer = proxy.pass(ask).await;
            answer.headers_mut().insert("content-type", "text/plain".parse().unwrap());
            answer
        }
        .boxed()
    }),
    ("ends each connection", &["http-keep-alive"], |proxy, ask| {
        async {
            let mut answer = proxy.pass(ask).await;
            answer.headers_mut().insert("connection", "close".parse().unwrap());
            answer
        }
        .boxed()
    }),
    ("redirects health", &["errors-content-type", "errors-json", "health-operations"], |proxy, ask| {
        async {
            let operation = &read(ask.body())["requestMetadata"]["kmsOperation"];
            if operation != "UpdateCustomKeyStore" {
                return proxy.pass(ask).await;
            }
            Response::builder().status(307).header("location", "/kms/xks/v1/health").body(Bytes::new()).unwrap()
        }
        .boxed()
    }),
];

/// Sets a member that is there.
fn replace(body: &mut Value, name: &str, value: Value) {
    if let Some(member) = body.get_mut(name) {
        *member = value;
    }
}

fn unauthenticated(message: &str) -> Response<Bytes> {
    error(401, "AuthenticationFailedException", message)
}

/// Whether the Authorization header says so.
fn said_by(ask: &Request<Bytes>, words: &str) -> bool {
    ask.headers().get(AUTHORIZATION).is_some_and(|value| value.to_str().unwrap().contains(words))
}

/// Whether the right proxy takes the method and the signature.
async fn is_signed(proxy: &Faulty, ask: &Request<Bytes>) -> bool {
    !matches!(proxy.pass(ask.clone()).await.status().as_u16(), 401 | 405)
}

/// Takes the places of the `name` that Encrypt gave by `value`, and undoes that for Decrypt.
async fn in_place_of(proxy: &Faulty, ask: Request<Bytes>, name: &str, value: Value) -> Response<Bytes> {
    let mut asked = read(ask.body());
    if ask.uri().path().ends_with("/encrypt") {
        let aad = bytes(&asked["additionalAuthenticatedData"]);
        return changed(proxy.remember(ask).await, |body| {
            replace(body, name, value);
            let cdiv = cdiv(&aad, body);
            replace(body, "ciphertextDataIntegrityValue", cdiv);
        });
    }
    match proxy.origin(&asked).filter(|_| asked[name] == value) {
        Some((_, gave)) if is_signed(proxy, &ask).await => {
            asked[name] = gave[name].clone();
            proxy.again(&ask, &asked).await
        }
        _ => proxy.pass(ask).await,
    }
}

/// Takes a request for signed if it is one that `is_let_in`.
async fn lenient(proxy: &Faulty, ask: Request<Bytes>, is_let_in: fn(&Request<Bytes>) -> bool) -> Response<Bytes> {
    if is_let_in(&ask) { proxy.again(&ask, &read(ask.body())).await } else { proxy.pass(ask).await }
}

fn cdiv(aad: &[u8], body: &Value) -> Value {
    let [metadata, iv, ciphertext, tag] =
        ["ciphertextMetadata", "initializationVector", "ciphertext", "authenticationTag"]
            .map(|name| bytes(&body[name]));
    base64(&ciphertext_data_integrity_value(aad, &metadata, &iv, &ciphertext, &tag))
}
