//! Oversized, malformed, and concurrent requests, which the proxy must survive.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::section::{ERRORS, HEALTH, NONE};
use crate::conformance::probe::Probe;
use crate::conformance::request::ProbeRequest;
use crate::conformance::response::{THROTTLED, base64, fail, skip};
use crate::conformance::{Check, CheckResult, must, should};
use crate::xks::wire::ErrorName::{UnsupportedOperationException, ValidationException};
use crate::xks::wire::MAX_BODY;

/// A length far beyond that of any valid request.
const HUGE_BODY_LENGTH: u64 = 256 * 1024 * 1024;
/// The time within which the proxy must close a connection with an incomplete request.
const PARTIAL_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// The number of concurrent requests.
const CONCURRENT_REQUESTS: usize = 16;

pub const CHECKS: &[Check] = &[
    should(
        "body-huge",
        NONE,
        "The proxy rejects a request with a Content-Length of 256 MiB before it reads the body.",
        |probe| huge_body(probe).boxed(),
    ),
    must(
        "body-aad-encrypt",
        ERRORS,
        "The proxy accepts or rejects Encrypt with 65,536 bytes of AAD and stays healthy.",
        |probe| oversized_aad(probe, false).boxed(),
    ),
    must(
        "body-aad-decrypt",
        ERRORS,
        "The proxy rejects Decrypt with 65,536 bytes of AAD and stays healthy.",
        |probe| oversized_aad(probe, true).boxed(),
    ),
    must("body-deep", NONE, "The proxy rejects 60,000 nested arrays and stays healthy.", |probe| {
        deeply_nested_body(probe).boxed()
    }),
    must("body-invalid", ERRORS, "The proxy rejects an invalid request body with 400 ValidationException.", |probe| {
        invalid_body(probe).boxed()
    }),
    should("body-invalid-health", HEALTH, "The proxy rejects an invalid GetHealthStatus body with 400.", |probe| {
        invalid_health_body(probe).boxed()
    }),
    should(
        "request-half-sent",
        NONE,
        "The proxy closes a connection with an incomplete request within 30 seconds.",
        |probe| partial_request(probe).boxed(),
    ),
    must(
        "requests-at-once",
        NONE,
        "The proxy returns correct responses to 16 concurrent requests, each on its own connection.",
        |probe| concurrent_requests(probe).boxed(),
    ),
];

async fn ensure_still_healthy(probe: &mut Probe) -> CheckResult {
    probe.disconnect();
    let request = probe.health_request();
    let response = probe.send(&request).await.and_then(|response| response.success_body());
    response.map(drop).map_err(|error| error.with_context("GetHealthStatus fails after the request"))
}

async fn huge_body(probe: &mut Probe) -> CheckResult {
    let request = probe.health_request().modify(|request| {
        request.declared_length = Some(HUGE_BODY_LENGTH);
        request.is_valid_for_kms = false;
    });
    let outcome = tokio::time::timeout(Duration::from_secs(2), probe.send_once(&request)).await;
    let has_timed_out = outcome.is_err();
    let outcome = outcome.unwrap_or_else(|_| Err("no response within 2 seconds".to_owned()));
    probe.record(&request, outcome.clone());
    ensure_still_healthy(probe).await?;
    match outcome {
        _ if has_timed_out => {
            fail("the proxy waits for the body, so a client without a credential can fill its memory")
        }
        Ok(response) if response.status.is_success() => fail("the proxy returned success without the body"),
        // The proxy can also close the connection.
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn oversized_aad(probe: &mut Probe, is_decrypt: bool) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    let request = if is_decrypt { probe.decrypt_request(&key, &encrypted) } else { probe.encrypt_request(&key) };
    let request = request
        .with_bytes("/additionalAuthenticatedData", &vec![7; 65_536])
        .modify(|request| request.is_valid_for_kms = false);
    let response = probe.send(&request).await;
    ensure_still_healthy(probe).await?;
    match response {
        Ok(response) if matches!(response.status.as_u16(), 400 | 413 | 501) => Ok(()),
        Ok(response) if response.status == http::StatusCode::OK && !is_decrypt => Ok(()),
        Ok(response) => fail(format!("expected 501 UnsupportedOperationException, got {}", response.outcome())),
        // A proxy that rejects the request early can close the connection before it receives the whole body. A proxy
        // that crashes and restarts looks the same, so add a note.
        Err(_) => {
            probe.note("the proxy closed the connection without a response");
            Ok(())
        }
    }
}

async fn deeply_nested_body(probe: &mut Probe) -> CheckResult {
    let request = probe.health_request().modify(|request| {
        request.raw_body = Some(vec![b'['; 60_000]);
        request.is_valid_for_kms = false;
    });
    let response = probe.send(&request).await;
    ensure_still_healthy(probe).await?;
    response?.ensure_error(&[ValidationException, UnsupportedOperationException])
}

fn with_raw_body(request: ProbeRequest, text: &str) -> ProbeRequest {
    request.modify(|request| request.raw_body = Some(text.as_bytes().to_vec()))
}

async fn invalid_body(probe: &mut Probe) -> CheckResult {
    let (key, encrypted) = probe.encrypt_sample().await?;
    for text in ["", "{", "[]", "null", "{}", "{\"requestMetadata\":{\"kmsRequestId\":"] {
        for request in [probe.encrypt_request(&key), probe.decrypt_request(&key, &encrypted)] {
            let request = with_raw_body(request, text);
            let response = probe.send(&request).await?;
            response
                .ensure_error(&[ValidationException])
                .map_err(|error| error.with_context(&format!("{text:?} to {}", request.path_and_query)))?;
        }
    }
    Ok(())
}

async fn invalid_health_body(probe: &mut Probe) -> CheckResult {
    for text in ["{", "[]"] {
        let request = with_raw_body(probe.health_request(), text);
        probe.send(&request).await?.ensure_error(&[ValidationException])?;
    }
    Ok(())
}

async fn concurrent_requests(probe: &mut Probe) -> CheckResult {
    let key = probe.usable_key()?;
    // Each plaintext is one byte longer than the previous one, so each ciphertext must be too.
    let sizes = 20..20 + CONCURRENT_REQUESTS;
    let requests = sizes.map(|size| probe.encrypt_request(&key).with_bytes("/plaintext", &vec![7; size])).collect();
    let mut lengths = Vec::with_capacity(CONCURRENT_REQUESTS);
    for outcome in probe.send_concurrently(requests).await {
        let response = outcome.or_else(fail)?;
        if response.status == http::StatusCode::TOO_MANY_REQUESTS {
            return skip(THROTTLED);
        }
        lengths.push(base64(&response.success_body()?, "ciphertext")?.len());
    }
    if lengths.is_sorted_by(|length, next| length + 1 == *next) {
        Ok(())
    } else {
        fail("a response belongs to another request")
    }
}

async fn partial_request(probe: &mut Probe) -> CheckResult {
    if !probe.runs_slow_checks {
        return skip("this check takes up to 30 seconds; use --slow to run it");
    }
    let (mut stream, _) = probe.connector.connect_stream().await.or_else(|error| fail(error.to_string()))?;
    let incomplete_request =
        format!("POST {} HTTP/1.1\r\nhost: {}\r\nx-amz-da", probe.path("/health"), probe.target.endpoint.authority);
    let mut received = Vec::new();
    let closed = async {
        stream.write_all(incomplete_request.as_bytes()).await?;
        stream.take(MAX_BODY as u64).read_to_end(&mut received).await
    };
    match tokio::time::timeout(PARTIAL_REQUEST_TIMEOUT, closed).await {
        Ok(_) => Ok(()),
        Err(_) => fail("the connection stays open, so a client that opens many connections can block AWS KMS"),
    }
}
