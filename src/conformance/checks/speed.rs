//! Latency.

use std::time::Instant;

use futures_util::FutureExt as _;

use super::section::METADATA;
use crate::conformance::answer::{Stop, fail, skip};
use crate::conformance::ask::Ask;
use crate::conformance::latency::Latency;
use crate::conformance::probe::{Probe, Sealed};
use crate::conformance::{Check, Verdict, should};

/// The longest round trip on the network that is recommended, in milliseconds.
const ROUND_TRIP: f64 = 35.0;
/// How many connections are opened to time that.
const CONNECTIONS: usize = 20;

pub const CHECKS: &[Check] = &[
    should(
        "latency-round-trip",
        METADATA,
        "The network's round trip is 35 ms at most (here: from this machine).",
        |probe| round_trip(probe).boxed(),
    ),
    should(
        "latency-new-connection",
        METADATA,
        "The first request on a connection is answered in 250 ms, handshakes included.",
        |probe| new_connection(probe).boxed(),
    ),
    should("latency-health", METADATA, "GetHealthStatus is answered in 250 ms, 99 of 100 times.", |probe| {
        kept(probe, "GetHealthStatus", |probe, _, _| probe.health()).boxed()
    }),
    should("latency-encrypt", METADATA, "Encrypt is answered in 250 ms, 99 of 100 times.", |probe| {
        kept(probe, "Encrypt", |probe, key, _| probe.encrypt(key)).boxed()
    }),
    should("latency-decrypt", METADATA, "Decrypt is answered in 250 ms, 99 of 100 times.", |probe| {
        kept(probe, "Decrypt", Probe::decrypt).boxed()
    }),
];

fn judged(probe: &mut Probe, latency: Option<Latency>) -> Verdict {
    let Some(latency) = latency else { return skip("no request was timed") };
    probe.note(latency.in_words());
    let fault = latency.fault();
    probe.latencies.push(latency);
    fault.map_or(Ok(()), fail)
}

async fn round_trip(probe: &mut Probe) -> Verdict {
    let mut samples = Vec::new();
    for _ in 0..CONNECTIONS.min(probe.requests) {
        let start = Instant::now();
        drop(probe.connector.tcp().await.or_else(|error| fail(error.to_string()))?);
        samples.push(start.elapsed());
    }
    let Some(latency) = Latency::of("TCP handshake", samples) else { return skip("no connection was timed") };
    probe.note(latency.in_words());
    let median = latency.p50;
    probe.latencies.push(latency);
    if median <= ROUND_TRIP { Ok(()) } else { fail(format!("half of them take more than {median:.1} ms")) }
}

async fn new_connection(probe: &mut Probe) -> Verdict {
    let mut samples = Vec::new();
    for _ in 0..CONNECTIONS.min(probe.requests) {
        probe.hang_up();
        let ask = probe.health();
        samples.push(probe.time(&ask).await?);
    }
    judged(probe, Latency::of("GetHealthStatus on a new connection", samples))
}

async fn kept(probe: &mut Probe, what: &str, make: fn(&mut Probe, &str, &Sealed) -> Ask) -> Verdict {
    let sealed = probe.seal().await;
    let (key, sealed) = match (sealed, what) {
        (Ok(sealed), _) => sealed,
        // It needs no key.
        (Err(_), "GetHealthStatus") => (String::new(), Sealed::default()),
        (Err(stop), _) => return Err(Stop::Skip(format!("there is nothing to time: {}", stop.reason()))),
    };
    let mut samples = Vec::with_capacity(probe.requests);
    for _ in 0..probe.requests {
        let ask = make(probe, &key, &sealed);
        samples.push(probe.time(&ask).await?);
    }
    judged(probe, Latency::of(format!("{what} on a kept-alive connection"), samples))
}
