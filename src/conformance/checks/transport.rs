//! TLS and HTTP.

use std::net::IpAddr;

use futures_util::FutureExt as _;
use http::header::CONTENT_TYPE;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::ready;
use super::section::{AUTHENTICATION, CONTENT_TYPE as SECTION, METADATA, NONE, OPERATIONS};
use crate::aws::limits;
use crate::conformance::connection::{Connector, TIMEOUT};
use crate::conformance::probe::Probe;
use crate::conformance::response::{fail, skip};
use crate::conformance::{Check, CheckResult, must, should};

pub const CHECKS: &[Check] = &[
    must("endpoint-name", OPERATIONS, "The endpoint is a fully qualified domain name, not an IP address.", |probe| {
        ready(endpoint_name(probe))
    }),
    must(
        "uri-path",
        OPERATIONS,
        "The URI path is [/PREFIX]/kms/xks/v1 and has at most 128 characters from a-z, A-Z, 0-9, /, -, and _.",
        |probe| ready(uri_path(probe)),
    ),
    must(
        "tls-suites",
        SECTION,
        "The proxy supports TLS 1.2 or 1.3 with at least one of the four cipher suites in the specification.",
        |probe| tls_suites(probe).boxed(),
    ),
    should("tls-old", NONE, "The proxy rejects TLS 1.1.", |probe| tls_1_1(probe).boxed()),
    should("tls-client-certificate", AUTHENTICATION, "The proxy rejects a client without a certificate.", |probe| {
        without_certificate(probe).boxed()
    }),
    must(
        "tls-client-stranger",
        AUTHENTICATION,
        "The proxy rejects a client whose certificate is from an untrusted certificate authority.",
        |probe| untrusted_certificate(probe).boxed(),
    ),
    must("http-content-type", SECTION, "The proxy returns the Content-Type application/json.", |probe| {
        content_type(probe).boxed()
    }),
    should(
        "http-keep-alive",
        METADATA,
        "The proxy keeps a connection open for the next request, so AWS KMS doesn't need new handshakes.",
        |probe| keep_alive(probe).boxed(),
    ),
];

const NO_TLS: &str = "the endpoint uses plain HTTP, so TLS wasn't checked; AWS KMS uses only HTTPS";

fn endpoint_name(probe: &Probe) -> CheckResult {
    let endpoint = &probe.target.endpoint;
    if !endpoint.is_tls {
        return skip(NO_TLS);
    }
    if endpoint.host.parse::<IpAddr>().is_ok() || !endpoint.host.contains('.') {
        return fail(format!("{} isn't a fully qualified domain name", endpoint.host));
    }
    Ok(())
}

fn uri_path(probe: &Probe) -> CheckResult {
    limits::xks_proxy_uri_path(&probe.target.uri_path).or_else(|violation| fail(violation.reason))
}

async fn tls_suites(probe: &mut Probe) -> CheckResult {
    if !probe.target.endpoint.is_tls {
        return skip(NO_TLS);
    }
    let restricted = probe.connector.with_kms_cipher_suites().or_else(fail)?;
    match connect_with_timeout(&restricted).await {
        Ok(negotiated) => probe.note(negotiated),
        Err(error) => return fail(format!("couldn't connect with only those cipher suites: {error}")),
    }
    Ok(())
}

async fn connect_with_timeout(connector: &Connector) -> Result<String, String> {
    match tokio::time::timeout(TIMEOUT, connector.connect()).await {
        Ok(Ok(connection)) => Ok(connection.negotiated.unwrap_or_default()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no response in time".to_owned()),
    }
}

/// Returns a TLS 1.1 ClientHello with two cipher suites of that version.
fn tls_1_1_client_hello() -> Vec<u8> {
    // Record: handshake, version, length. Message: ClientHello, length, version. The random bytes follow.
    let head = [22, 3, 1, 0, 47, 1, 0, 0, 43, 3, 2];
    // No session ID, TLS_RSA_WITH_AES_128_CBC_SHA and TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, no compression.
    let tail = [0, 0, 4, 0, 0x2f, 0xc0, 0x13, 1, 0];
    [head.as_slice(), &[7; 32], &tail].concat()
}

async fn tls_1_1(probe: &mut Probe) -> CheckResult {
    if !probe.target.endpoint.is_tls {
        return skip(NO_TLS);
    }
    let mut stream = probe.connector.connect_tcp().await.or_else(|error| fail(error.to_string()))?;
    let mut response = [0; 6];
    let sent = stream.write_all(&tls_1_1_client_hello()).await;
    let received = tokio::time::timeout(TIMEOUT, stream.read_exact(&mut response)).await;
    // A server that accepts TLS 1.1 sends a handshake record with a ServerHello.
    match (sent, received) {
        (Ok(()), Ok(Ok(_))) if response[0] == 22 && response[5] == 2 => fail("the proxy continued a TLS 1.1 handshake"),
        _ => Ok(()),
    }
}

async fn without_certificate(probe: &mut Probe) -> CheckResult {
    if !probe.target.endpoint.is_tls {
        return skip(NO_TLS);
    }
    if !probe.connector.has_client_certificate() {
        return skip(if probe.connector.was_certificate_requested() {
            "the proxy requests a client certificate but accepts a client without one"
        } else {
            "the proxy doesn't request a client certificate. A proxy should support mutual TLS. Turn it on, and use \
             --client-cert"
        });
    }
    let connector = probe.connector.without_client_certificate().or_else(fail)?;
    ensure_rejected(probe, connector).await
}

async fn untrusted_certificate(probe: &mut Probe) -> CheckResult {
    if !probe.target.endpoint.is_tls {
        return skip(NO_TLS);
    }
    if !probe.connector.has_client_certificate() {
        return skip("without --client-cert, this check assumes that the proxy doesn't request a client certificate");
    }
    let connector = probe.connector.with_untrusted_certificate(&probe.target.region).or_else(fail)?;
    ensure_rejected(probe, connector).await
}

async fn ensure_rejected(probe: &mut Probe, connector: Connector) -> CheckResult {
    let original = std::mem::replace(&mut probe.connector, connector);
    probe.disconnect();
    let request = probe.health_request();
    let outcome = probe.send_once(&request).await;
    probe.connector = original;
    probe.record(&request, outcome.clone());
    match outcome {
        Ok(_) => fail("the proxy accepted the client"),
        Err(_) => Ok(()),
    }
}

async fn content_type(probe: &mut Probe) -> CheckResult {
    let request = probe.health_request();
    let response = probe.send(&request).await?;
    let found = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let kind = found.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") { Ok(()) } else { fail(format!("the Content-Type is {found}")) }
}

async fn keep_alive(probe: &mut Probe) -> CheckResult {
    for _ in 0..2 {
        let request = probe.health_request();
        probe.send(&request).await?;
        if !probe.is_kept_alive().await {
            return fail("the proxy closes the connection after its response");
        }
    }
    Ok(())
}
