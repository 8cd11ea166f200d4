//! TLS and HTTP.

use std::net::IpAddr;

use futures_util::FutureExt as _;
use http::header::CONTENT_TYPE;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::section::{AUTHENTICATION, CONTENT_TYPE as SECTION, METADATA, NONE, OPERATIONS};
use super::told;
use crate::aws::limits;
use crate::conformance::answer::{fail, skip};
use crate::conformance::connection::{Connector, PATIENCE};
use crate::conformance::probe::Probe;
use crate::conformance::{Check, Verdict, must, should};

pub const CHECKS: &[Check] = &[
    must("endpoint-name", OPERATIONS, "The endpoint is a fully qualified domain name, not an address.", |probe| {
        told(endpoint_name(probe))
    }),
    must(
        "uri-path",
        OPERATIONS,
        "The URI path is [/PREFIX]/kms/xks/v1, 128 characters of a-z A-Z 0-9 / - _ at most.",
        |probe| told(uri_path(probe)),
    ),
    must("tls-suites", SECTION, "TLS 1.2 or 1.3 is spoken with one of the four cipher suites of KMS.", |probe| {
        tls_suites(probe).boxed()
    }),
    should("tls-old", NONE, "TLS 1.1 is refused.", |probe| tls_old(probe).boxed()),
    should("tls-client-certificate", AUTHENTICATION, "A client that has no certificate is not let in.", |probe| {
        without_certificate(probe).boxed()
    }),
    must(
        "tls-client-stranger",
        AUTHENTICATION,
        "A client whose certificate is of an unknown authority is not let in.",
        |probe| stranger(probe).boxed(),
    ),
    must("http-content-type", SECTION, "Answers have the Content-Type application/json.", |probe| {
        content_type(probe).boxed()
    }),
    should(
        "http-keep-alive",
        METADATA,
        "A connection is kept for the next request, which saves KMS the handshakes.",
        |probe| keep_alive(probe).boxed(),
    ),
];

const NO_TLS: &str = "plain HTTP, so TLS was not checked; KMS calls by HTTPS alone";

fn endpoint_name(probe: &Probe) -> Verdict {
    let endpoint = &probe.target.endpoint;
    if !endpoint.is_tls {
        return skip(NO_TLS);
    }
    if endpoint.host.parse::<IpAddr>().is_ok() || !endpoint.host.contains('.') {
        return fail(format!("{} is no fully qualified domain name", endpoint.host));
    }
    Ok(())
}

fn uri_path(probe: &Probe) -> Verdict {
    limits::xks_proxy_uri_path(&probe.target.uri_path).or_else(|violation| fail(violation.reason))
}

async fn tls_suites(probe: &mut Probe) -> Verdict {
    if !probe.target.endpoint.is_tls {
        return skip(NO_TLS);
    }
    let narrow = probe.connector.with_suites_of_kms().or_else(fail)?;
    match patiently(&narrow).await {
        Ok(negotiated) => probe.note(negotiated),
        Err(error) => return fail(format!("without other suites there is no connection: {error}")),
    }
    Ok(())
}

async fn patiently(connector: &Connector) -> Result<String, String> {
    match tokio::time::timeout(PATIENCE, connector.open()).await {
        Ok(Ok(connection)) => Ok(connection.negotiated.unwrap_or_default()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer".to_owned()),
    }
}

/// A ClientHello of TLS 1.1 with two suites of its time.
fn client_hello_of_tls_1_1() -> Vec<u8> {
    // Record: handshake, version, length; message: ClientHello, length, version; then the random bytes.
    let head = [22, 3, 1, 0, 47, 1, 0, 0, 43, 3, 2];
    // No session; TLS_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA; no compression.
    let tail = [0, 0, 4, 0, 0x2f, 0xc0, 0x13, 1, 0];
    [head.as_slice(), &[7; 32], &tail].concat()
}

async fn tls_old(probe: &mut Probe) -> Verdict {
    if !probe.target.endpoint.is_tls {
        return skip(NO_TLS);
    }
    let mut stream = probe.connector.tcp().await.or_else(|error| fail(error.to_string()))?;
    let mut answer = [0; 6];
    let said = stream.write_all(&client_hello_of_tls_1_1()).await;
    let heard = tokio::time::timeout(PATIENCE, stream.read_exact(&mut answer)).await;
    // Who goes on writes a record of the kind handshake, with a ServerHello in it.
    match (said, heard) {
        (Ok(()), Ok(Ok(_))) if answer[0] == 22 && answer[5] == 2 => fail("a handshake by TLS 1.1 goes on"),
        _ => Ok(()),
    }
}

async fn without_certificate(probe: &mut Probe) -> Verdict {
    if !probe.target.endpoint.is_tls {
        return skip(NO_TLS);
    }
    if !probe.connector.has_certificate() {
        return skip(if probe.connector.was_asked() {
            "the proxy asks for a certificate, and lets in who has none"
        } else {
            "the proxy asks for no certificate. It should be able to; then give one with --client-cert"
        });
    }
    let nobody = probe.connector.without_certificate().or_else(fail)?;
    is_shut_out(probe, nobody).await
}

async fn stranger(probe: &mut Probe) -> Verdict {
    if !probe.target.endpoint.is_tls {
        return skip(NO_TLS);
    }
    if !probe.connector.has_certificate() {
        return skip("there is no --client-cert, so the proxy is taken for one that asks for none");
    }
    let stranger = probe.connector.with_certificate_of_a_stranger(&probe.target.region).or_else(fail)?;
    is_shut_out(probe, stranger).await
}

async fn is_shut_out(probe: &mut Probe, connector: Connector) -> Verdict {
    let right = std::mem::replace(&mut probe.connector, connector);
    probe.hang_up();
    let ask = probe.health();
    let outcome = probe.exchange(&ask).await;
    probe.connector = right;
    probe.record(&ask, outcome.clone());
    match outcome {
        Ok(_) => fail("it is let in"),
        Err(_) => Ok(()),
    }
}

async fn content_type(probe: &mut Probe) -> Verdict {
    let ask = probe.health();
    let answer = probe.send(&ask).await?;
    let found = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let kind = found.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") { Ok(()) } else { fail(format!("the Content-Type is {found}")) }
}

async fn keep_alive(probe: &mut Probe) -> Verdict {
    for _ in 0..2 {
        let ask = probe.health();
        probe.send(&ask).await?;
        if !probe.is_kept_alive().await {
            return fail("the proxy closes the connection after its answer");
        }
    }
    Ok(())
}
