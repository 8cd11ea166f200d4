//! Latency.

use std::time::Instant;

use futures_util::FutureExt as _;

use super::section::METADATA;
use crate::conformance::latency::Latency;
use crate::conformance::probe::{EncryptedData, Probe};
use crate::conformance::request::ProbeRequest;
use crate::conformance::response::{CheckError, fail, skip};
use crate::conformance::{Check, CheckResult, should};

/// The longest recommended network round-trip time, in milliseconds.
const MAX_ROUND_TRIP_MS: f64 = 35.0;
/// The number of connections to time.
const CONNECTION_SAMPLES: usize = 20;

pub const CHECKS: &[Check] = &[
    should(
        "latency-round-trip",
        METADATA,
        "The network round-trip time to the proxy, measured from this machine, is at most 35 ms.",
        |probe| round_trip(probe).boxed(),
    ),
    should(
        "latency-new-connection",
        METADATA,
        "The proxy returns the first response on a connection within 250 ms, including handshakes.",
        |probe| new_connection(probe).boxed(),
    ),
    should("latency-health", METADATA, "The proxy returns 99% of GetHealthStatus responses within 250 ms.", |probe| {
        keep_alive_latency(probe, "GetHealthStatus", |probe, _, _| probe.health_request()).boxed()
    }),
    should("latency-encrypt", METADATA, "The proxy returns 99% of Encrypt responses within 250 ms.", |probe| {
        keep_alive_latency(probe, "Encrypt", |probe, key, _| probe.encrypt_request(key)).boxed()
    }),
    should("latency-decrypt", METADATA, "The proxy returns 99% of Decrypt responses within 250 ms.", |probe| {
        keep_alive_latency(probe, "Decrypt", Probe::decrypt_request).boxed()
    }),
];

fn record_latency(probe: &mut Probe, latency: Option<Latency>) -> CheckResult {
    let Some(latency) = latency else { return skip("no request was timed") };
    probe.note(latency.summary());
    let violation = latency.violation();
    probe.latencies.push(latency);
    violation.map_or(Ok(()), fail)
}

async fn round_trip(probe: &mut Probe) -> CheckResult {
    let mut samples = Vec::new();
    for _ in 0..CONNECTION_SAMPLES.min(probe.timed_requests) {
        let start = Instant::now();
        drop(probe.connector.connect_tcp().await.or_else(|error| fail(error.to_string()))?);
        samples.push(start.elapsed());
    }
    let Some(latency) = Latency::from_samples("TCP handshake", samples) else { return skip("no connection was timed") };
    probe.note(latency.summary());
    let median = latency.p50;
    probe.latencies.push(latency);
    if median <= MAX_ROUND_TRIP_MS { Ok(()) } else { fail(format!("the median is {median:.1} ms")) }
}

async fn new_connection(probe: &mut Probe) -> CheckResult {
    let mut samples = Vec::new();
    for _ in 0..CONNECTION_SAMPLES.min(probe.timed_requests) {
        probe.disconnect();
        let request = probe.health_request();
        samples.push(probe.time_request(&request).await?);
    }
    record_latency(probe, Latency::from_samples("GetHealthStatus on a new connection", samples))
}

async fn keep_alive_latency(
    probe: &mut Probe,
    what: &str,
    build_request: fn(&mut Probe, &str, &EncryptedData) -> ProbeRequest,
) -> CheckResult {
    let encrypted = probe.encrypt_sample().await;
    let (key, encrypted) = match (encrypted, what) {
        (Ok(encrypted), _) => encrypted,
        // GetHealthStatus needs no key.
        (Err(_), "GetHealthStatus") => (String::new(), EncryptedData::default()),
        (Err(error), _) => {
            return Err(CheckError::Skipped(format!("couldn't prepare the requests: {}", error.reason())));
        }
    };
    let mut samples = Vec::with_capacity(probe.timed_requests);
    for _ in 0..probe.timed_requests {
        let request = build_request(probe, &key, &encrypted);
        samples.push(probe.time_request(&request).await?);
    }
    record_latency(probe, Latency::from_samples(format!("{what} on a kept-alive connection"), samples))
}
