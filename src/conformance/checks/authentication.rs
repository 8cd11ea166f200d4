//! Who may call: Signature Version 4.

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

/// An access key ID that no proxy knows.
const UNKNOWN_ACCESS_KEY_ID: &str = "ANOTHERACCESSKEYIDAA";

/// What is right.
pub const CREDENTIAL_CHECKS: &[Check] = &[
    must(
        "auth-credential",
        AUTHENTICATION,
        "The access key ID is 20 to 30 of A-Z 2-7, the secret 43 to 64 of A-Z a-z 0-9 / + =.",
        |probe| ready(credential(probe)),
    ),
    must(
        "auth-accepted",
        AUTHENTICATION,
        "A request that is signed as KMS signs, over host and x-amz-date, is accepted.",
        |probe| ensure_accepted(probe, |request| request).boxed(),
    ),
];

/// What is wrong, and looks right.
pub const CHECKS: &[Check] = &[
    must(
        "auth-more-headers",
        SIGV4,
        "A signature over more headers is accepted: SignedHeaders says over which.",
        |probe| {
            ensure_accepted(probe, |request| request.modify(|request| request.signed_headers = CURL_SIGNED_HEADERS))
                .boxed()
        },
    ),
    must(
        "auth-none",
        AUTHENTICATION,
        "A request without a signature is refused with 401 AuthenticationFailedException.",
        |probe| ensure_rejected(probe, ProbeRequest::unsigned).boxed(),
    ),
    must(
        "auth-malformed",
        AUTHENTICATION,
        "An Authorization header that is no signature is refused with 401.",
        |probe| malformed_header(probe).boxed(),
    ),
    must("auth-signature", AUTHENTICATION, "A signature in which one digit is wrong is refused.", |probe| {
        ensure_rejected(probe, with_wrong_signature).boxed()
    }),
    must("auth-unknown-key", AUTHENTICATION, "An access key ID that the proxy doesn't know is refused.", |probe| {
        ensure_rejected(probe, with_unknown_access_key).boxed()
    }),
    should(
        "auth-alike",
        AUTHENTICATION,
        "An unknown access key ID and a wrong signature are refused in the same words.",
        |probe| identical_messages(probe).boxed(),
    ),
    must(
        "auth-no-hint",
        AUTHENTICATION,
        "A refusal doesn't tell the signature that would have been right, nor the secret.",
        |probe| no_signature_leak(probe).boxed(),
    ),
    must("auth-host", SIGV4, "A signature that doesn't cover host is refused.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.signed_headers = &["x-amz-date"])).boxed()
    }),
    must("auth-date", SIGV4, "A signature that doesn't cover x-amz-date is refused.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.signed_headers = &["host"])).boxed()
    }),
    must("auth-service", SIGV4, "A signature for another service than kms-xks-proxy is refused.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.service = "kms")).boxed()
    }),
    must("auth-region", SIGV4, "A credential scope whose Region was changed after signing is refused.", |probe| {
        ensure_rejected(probe, with_other_region).boxed()
    }),
    must("auth-fresh", SIGV4, "The time of a request is checked: a request of yesterday is refused.", |probe| {
        ensure_rejected(probe, |request| {
            request.modify(|request| request.clock_offset = SignedDuration::from_hours(-24))
        })
        .boxed()
    }),
    should("auth-past", SIGV4, "A request that is six minutes old is refused.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.clock_offset = SignedDuration::from_mins(-6)))
            .boxed()
    }),
    should("auth-future", SIGV4, "A request from six minutes ahead is refused.", |probe| {
        ensure_rejected(probe, |request| request.modify(|request| request.clock_offset = SignedDuration::from_mins(6)))
            .boxed()
    }),
    should("auth-skew", SIGV4, "Clocks may differ by four minutes, either way.", |probe| clock_skew(probe).boxed()),
    must("auth-body", SIGV4, "A body that was changed after signing is refused.", |probe| {
        ensure_rejected(probe, |request| {
            request
                .with_tampering("the body changed", |request| *request.body_mut() = with_trailing_space(request.body()))
        })
        .boxed()
    }),
    must("auth-whole-body", SIGV4, "The signature covers the body to its last byte, also a long one.", |probe| {
        signature_covers_whole_body(probe).boxed()
    }),
    must("auth-path", SIGV4, "A signature for another path is refused.", |probe| {
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
    let date = response.headers.get("date").and_then(|value| value.to_str().ok()).unwrap_or("no Date").to_owned();
    response.success_body().map(drop).or_else(|error| {
        fail(format!("{}; check the credential and the clocks: the proxy's answer has the Date {date}", error.reason()))
    })
}

async fn ensure_rejected(probe: &mut Probe, modify: fn(ProbeRequest) -> ProbeRequest) -> CheckResult {
    let request = modify(probe.health_request());
    probe.send(&request).await?.ensure_error(&[AuthenticationFailedException])
}

fn with_wrong_signature(request: ProbeRequest) -> ProbeRequest {
    request.with_tampering("the last digit of the signature changed", |request| {
        edit_authorization(request, |text| {
            let (start, last) = text.split_at(text.len().saturating_sub(1));
            format!("{start}{}", if last == "0" { "1" } else { "0" })
        });
    })
}

fn with_unknown_access_key(request: ProbeRequest) -> ProbeRequest {
    request.with_tampering("the access key ID replaced by another", |request| {
        edit_authorization(request, |text| match text.split_once("Credential=").zip(text.split_once('/')) {
            Some(((start, _), (_, scope))) => format!("{start}Credential={UNKNOWN_ACCESS_KEY_ID}/{scope}"),
            None => String::new(),
        });
    })
}

fn with_other_region(request: ProbeRequest) -> ProbeRequest {
    request.with_tampering("the Region of the scope replaced by mars-north-1", |request| {
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
        .with_tampering("sent to /health", |request| {
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
            .with_tampering("the Authorization header replaced by one that is no signature", tampering);
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
        // A proxy may say back which access key it was shown.
        let message = message.unwrap_or_default().replace(UNKNOWN_ACCESS_KEY_ID, &probe.target.access_key_id);
        // ... and which request that was, or when.
        let words = message.split_whitespace().filter(|word| !word.contains(|it: char| it.is_ascii_digit()));
        messages.push((response.outcome(), words.collect::<Vec<_>>().join(" ")));
    }
    if messages.first() == messages.last() {
        Ok(())
    } else {
        fail("who tries out access key IDs learns which ones there are")
    }
}

async fn no_signature_leak(probe: &mut Probe) -> CheckResult {
    let right = probe.health_request();
    let wrong = with_wrong_signature(right.clone());
    let signed = probe.sign(&right)?;
    let response = probe.send(&wrong).await?;
    // A second may have passed in between, and with it the signature.
    let again = probe.sign(&right)?;
    let headers = response.headers.values().map(HeaderValue::as_bytes);
    let messages: Vec<String> =
        headers.chain([&*response.body]).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    for signature in [&signed, &again].into_iter().filter_map(|request| signature_of(request)) {
        if messages.iter().any(|text| text.contains(signature)) {
            return fail("the answer tells the signature that would have been right: whoever asks can sign");
        }
    }
    if messages.iter().any(|text| text.contains(probe.target.secret_access_key.expose())) {
        return fail("the answer tells the secret access key");
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
    let request = long.with_tampering("a blank put after the last byte of the body", |request| {
        *request.body_mut() = with_trailing_space(request.body());
    });
    probe.send(&request).await?.ensure_error(&[AuthenticationFailedException])
}
