//! Authentication with AWS Signature Version 4.

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use jiff::SignedDuration;

use super::ready;
use super::section::{AUTHENTICATION, SIGV4};
use crate::aws::limits;
use crate::conformance::probe::Probe;
use crate::conformance::request::{CURL_SIGNED_HEADERS, ProbeRequest, edit_authorization, signature_of};
use crate::conformance::response::{fail, skip};
use crate::conformance::{Check, CheckResult, must, should};
use crate::xks::wire::ErrorName::AuthenticationFailedException;

/// An access key ID that isn't known to any proxy.
const UNKNOWN_ACCESS_KEY_ID: &str = "ANOTHERACCESSKEYIDAA";

/// Checks of the credential itself. They run even if the proxy rejects the credential.
pub const CREDENTIAL_CHECKS: &[Check] = &[
    must(
        "auth-credential",
        AUTHENTICATION,
        "The access key ID has 20 to 30 characters from A-Z and 2-7, and the secret access key has 43 to 64 from A-Z, \
         a-z, 0-9, /, +, and =.",
        |probe| ready(credential(probe)),
    ),
    must(
        "auth-accepted",
        AUTHENTICATION,
        "The proxy accepts a request that is signed over host and x-amz-date, as AWS KMS signs it.",
        |probe| ensure_accepted(probe, |request| request).boxed(),
    ),
];

/// Checks of valid and invalid signatures.
pub const CHECKS: &[Check] = &[
    must(
        "auth-more-headers",
        SIGV4,
        "The proxy accepts a signature over additional headers, as listed in SignedHeaders.",
        |probe| {
            ensure_accepted(probe, |request| request.modify(|request| request.signed_headers = CURL_SIGNED_HEADERS))
                .boxed()
        },
    ),
    must(
        "auth-none",
        AUTHENTICATION,
        "The proxy returns 401 AuthenticationFailedException for a request without a signature.",
        |probe| ensure_rejected(probe, ProbeRequest::unsigned).boxed(),
    ),
    must("auth-malformed", AUTHENTICATION, "The proxy rejects a malformed Authorization header with 401.", |probe| {
        malformed_header(probe).boxed()
    }),
    must("auth-signature", AUTHENTICATION, "The proxy rejects a signature with one wrong digit.", |probe| {
        ensure_rejected(probe, with_wrong_signature).boxed()
    }),
    must("auth-unknown-key", AUTHENTICATION, "The proxy rejects an unknown access key ID.", |probe| {
        ensure_rejected(probe, with_unknown_access_key).boxed()
    }),
    should(
        "auth-alike",
        AUTHENTICATION,
        "The proxy returns the same message for an unknown access key ID and for a wrong signature.",
        |probe| identical_messages(probe).boxed(),
    ),
    must(
        "auth-no-hint",
        AUTHENTICATION,
        "The proxy doesn't reveal the correct signature or the secret access key in an error.",
        |probe| no_signature_leak(probe).boxed(),
    ),
    must("auth-host", SIGV4, "The proxy rejects a signature that doesn't cover host.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.signed_headers = &["x-amz-date"])).boxed()
    }),
    must("auth-date", SIGV4, "The proxy rejects a signature that doesn't cover x-amz-date.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.signed_headers = &["host"])).boxed()
    }),
    must("auth-service", SIGV4, "The proxy rejects a signature for a service other than kms-xks-proxy.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.service = "kms")).boxed()
    }),
    must(
        "auth-region",
        SIGV4,
        "The proxy rejects a credential scope whose Region was changed after signing.",
        |probe| ensure_rejected(probe, with_other_region).boxed(),
    ),
    must(
        "auth-fresh",
        SIGV4,
        "The proxy checks the date of a request and rejects a request that is a day old.",
        |probe| {
            ensure_rejected(probe, |request| {
                request.modify(|request| request.clock_offset = SignedDuration::from_hours(-24))
            })
            .boxed()
        },
    ),
    should("auth-past", SIGV4, "The proxy rejects a request that is six minutes old.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.clock_offset = SignedDuration::from_mins(-6)))
            .boxed()
    }),
    should("auth-future", SIGV4, "The proxy rejects a request that is dated six minutes in the future.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.clock_offset = SignedDuration::from_mins(6)))
            .boxed()
    }),
    should("auth-skew", SIGV4, "The proxy accepts a clock difference of four minutes in either direction.", |probe| {
        clock_skew(probe).boxed()
    }),
    must("auth-body", SIGV4, "The proxy rejects a body that was changed after signing.", |probe| {
        ensure_rejected(probe, |request| {
            request.with_tampering("the body was changed", |request| {
                *request.body_mut() = with_trailing_space(request.body());
            })
        })
        .boxed()
    }),
    must(
        "auth-whole-body",
        SIGV4,
        "The proxy verifies the signature over the whole body, even if the body is long.",
        |probe| signature_covers_whole_body(probe).boxed(),
    ),
    must("auth-path", SIGV4, "The proxy rejects a signature for a different path.", |probe| {
        ensure_rejected(probe, signed_for_other_path).boxed()
    }),
];

fn credential(probe: &Probe) -> CheckResult {
    let target = &probe.target;
    limits::xks_proxy_access_key_id(&target.access_key_id).or_else(|violation| fail(violation.reason))?;
    limits::xks_proxy_secret_access_key(target.secret_access_key.expose()).or_else(|violation| fail(violation.reason))
}

async fn ensure_accepted(probe: &mut Probe, modify: fn(ProbeRequest) -> ProbeRequest) -> CheckResult {
    let request = modify(probe.health_request());
    let response = probe.send(&request).await?;
    let date = response.headers.get("date").and_then(|value| value.to_str().ok()).unwrap_or("missing").to_owned();
    response.success_body().map(drop).or_else(|error| {
        fail(format!("{}; check the credential and the clocks (Date header of the response: {date})", error.reason()))
    })
}

async fn ensure_rejected(probe: &mut Probe, modify: fn(ProbeRequest) -> ProbeRequest) -> CheckResult {
    let request = modify(probe.health_request());
    probe.send(&request).await?.ensure_error(&[AuthenticationFailedException])
}

fn with_wrong_signature(request: ProbeRequest) -> ProbeRequest {
    request.with_tampering("the last digit of the signature was changed", |request| {
        edit_authorization(request, |text| {
            let (start, last) = text.split_at(text.len().saturating_sub(1));
            format!("{start}{}", if last == "0" { "1" } else { "0" })
        });
    })
}

fn with_unknown_access_key(request: ProbeRequest) -> ProbeRequest {
    request.with_tampering("the access key ID was replaced", |request| {
        edit_authorization(request, |text| match text.split_once("Credential=").zip(text.split_once('/')) {
            Some(((start, _), (_, scope))) => format!("{start}Credential={UNKNOWN_ACCESS_KEY_ID}/{scope}"),
            None => String::new(),
        });
    })
}

fn with_other_region(request: ProbeRequest) -> ProbeRequest {
    request.with_tampering("the Region of the credential scope was replaced with mars-north-1", |request| {
        edit_authorization(request, |text| {
            let mut parts: Vec<&str> = text.split('/').collect();
            if let Some(region) = parts.get_mut(2) {
                *region = "mars-north-1";
            }
            parts.join("/")
        });
    })
}

fn signed_for_other_path(request: ProbeRequest) -> ProbeRequest {
    request
        .modify(|request| request.path_and_query = request.path_and_query.replace("/health", "/keys/none/metadata"))
        .with_tampering("the request was sent to /health", |request| {
            let uri = request.uri().to_string().replace("/keys/none/metadata", "/health");
            if let Ok(uri) = uri.parse() {
                *request.uri_mut() = uri;
            }
        })
}

fn with_trailing_space(body: &Bytes) -> Bytes {
    [body, b" ".as_slice()].concat().into()
}

async fn malformed_header(probe: &mut Probe) -> CheckResult {
    const TEXTS: [fn(&mut Request<Bytes>); 4] = [
        |request| set_authorization(request, ""),
        |request| set_authorization(request, "Bearer x"),
        |request| set_authorization(request, "AWS4-HMAC-SHA256"),
        |request| set_authorization(request, "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=z"),
    ];
    for tampering in TEXTS {
        let request = probe
            .health_request()
            .with_tampering("the Authorization header was replaced with a malformed one", tampering);
        probe.send(&request).await?.ensure_error(&[AuthenticationFailedException])?;
    }
    Ok(())
}

fn set_authorization(request: &mut Request<Bytes>, text: &'static str) {
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static(text));
}

async fn identical_messages(probe: &mut Probe) -> CheckResult {
    let mut messages = Vec::new();
    for modify in [with_unknown_access_key, with_wrong_signature] {
        let request = modify(probe.health_request());
        let response = probe.send(&request).await?;
        let message = response.json().and_then(|body| body["errorMessage"].as_str().map(str::to_owned));
        // A proxy can repeat the access key ID of the request in the message.
        let message = message.unwrap_or_default().replace(UNKNOWN_ACCESS_KEY_ID, &probe.target.access_key_id);
        // It can also include a request ID or a time, so ignore words with digits.
        let words = message.split_whitespace().filter(|word| !word.contains(|it: char| it.is_ascii_digit()));
        messages.push((response.outcome(), words.collect::<Vec<_>>().join(" ")));
    }
    if messages.first() == messages.last() {
        Ok(())
    } else {
        fail("an attacker can find out which access key IDs exist")
    }
}

async fn no_signature_leak(probe: &mut Probe) -> CheckResult {
    let valid = probe.health_request();
    let invalid = with_wrong_signature(valid.clone());
    let signed_before = probe.sign(&valid)?;
    let response = probe.send(&invalid).await?;
    // The signature depends on the second in which the request was signed, so check both possible signatures.
    let signed_after = probe.sign(&valid)?;
    let headers = response.headers.values().map(HeaderValue::as_bytes);
    let messages: Vec<String> =
        headers.chain([&*response.body]).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    for signature in [&signed_before, &signed_after].into_iter().filter_map(|request| signature_of(request)) {
        if messages.iter().any(|text| text.contains(signature)) {
            return fail("the response contains the correct signature, so anyone can sign requests");
        }
    }
    if messages.iter().any(|text| text.contains(probe.target.secret_access_key.expose())) {
        return fail("the response contains the secret access key");
    }
    Ok(())
}

async fn clock_skew(probe: &mut Probe) -> CheckResult {
    for minutes in [-4, 4] {
        let request =
            probe.health_request().modify(|request| request.clock_offset = SignedDuration::from_mins(minutes));
        probe.send(&request).await?.success_body()?;
    }
    Ok(())
}

async fn signature_covers_whole_body(probe: &mut Probe) -> CheckResult {
    let Some(key) = probe.keys.first().map(|key| key.id.clone()) else { return skip("no --key was given") };
    let long = probe.encrypt_request(&key).with_bytes("/additionalAuthenticatedData", &[0; 8192]);
    let request = long.with_tampering("a space was added to the end of the body", |request| {
        *request.body_mut() = with_trailing_space(request.body());
    });
    probe.send(&request).await?.ensure_error(&[AuthenticationFailedException])
}
