//! Measures the served AWS under load, against peers in the same run: the baseline, a bare axum handler that parses the
//! same request and returns the same JSON, and, if they are installed, moto and fakecloud.
//!
//! The load driver signs one request and sends it repeatedly over keep-alive connections, so that the server is what
//! gets measured. On many machines, waking an idle core takes longer than a request. A single connection is therefore
//! measured three times: with a driver that polls for the response without sleeping, as load drivers for short times
//! do; with one that sleeps until the kernel wakes it; and with client and server on one core. Many connections are
//! driven by a thread for each, and by one thread with an event loop, as most load drivers have it: its latencies
//! include no wait for other threads of the driver. Then one request is sent every ten milliseconds, as by a client that
//! leaves the server idle. Last, another connection changes a key meanwhile. Prints requests per second, latencies, the server's CPU time per request, its memory, and the
//! ratios.
//!
//! moto is `$MOTO_SERVER`, or else `target/moto/bin/moto_server`. To install it, run
//! `python3 -m venv target/moto && target/moto/bin/pip install 'moto[server]'`. fakecloud is `$FAKECLOUD`, or else
//! `target/fakecloud/bin/fakecloud`. To install it, run `cargo install fakecloud --root target/fakecloud`, which builds
//! about 800 crates. Runs only on Linux, because it reads `/proc`.
//!
//! Further arguments select measurements by parts of their headings: `cargo bench --bench serve -- "event loop"`.
//! `cargo test --bench serve` does a short run without moto and fakecloud that checks that the benchmark works.

mod baseline;
mod connection;
mod driver;
mod event_loop;
#[path = "../report/mod.rs"]
mod report;
mod server;
mod workload;

use std::time::Duration;

use xks_console::text::plural;

use self::driver::{BLOCKING, BUSY_POLLING, Client, Driver, EVENT_LOOP, ONE_CORE, PACED};
use self::report::{Figure, report};
use self::server::{PeerProgram, Server};
use self::workload::{Stats, Workload, measure_all};

/// Returns how long each measurement runs, after a warm-up of a tenth of that time, and how many rounds there are. Each
/// round measures all peers in turn, and the median round counts.
fn run_time_and_rounds() -> (Duration, usize) {
    if is_full_run() { (Duration::from_secs(1), 3) } else { (Duration::from_millis(50), 1) }
}

/// Whether this is a full run: `cargo bench` passes `--bench`, `cargo test` doesn't.
fn is_full_run() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Whether the arguments select the measurement with this heading.
fn is_selected(heading: &str) -> bool {
    let mut words = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).peekable();
    words.peek().is_none() || words.any(|words| heading.contains(&words))
}

/// The number of connections and the driver of each measurement.
type Plan = [(usize, Driver)];

const KMS_PLAN: &Plan = &[
    (1, BUSY_POLLING),
    (1, BLOCKING),
    (1, ONE_CORE),
    (8, BLOCKING),
    (64, BLOCKING),
    (8, EVENT_LOOP),
    (64, EVENT_LOOP),
    (1, PACED),
];
const PROXY_PLAN: &Plan = &[
    (1, BUSY_POLLING),
    (1, BLOCKING),
    (1, ONE_CORE),
    (16, BLOCKING),
    (64, BLOCKING),
    (16, EVENT_LOOP),
    (64, EVENT_LOOP),
    (1, PACED),
];

fn main() {
    if std::env::var_os(baseline::BASELINE_ENV).is_some() {
        baseline::run();
        return;
    }
    let data = tempfile::tempdir().expect("a directory for the account");
    let xks_console = Server::start_xks_console(data.path());
    let baseline = Server::start_baseline();
    let peers: Vec<Server> = if is_full_run() {
        [PeerProgram::moto(), PeerProgram::fakecloud()].into_iter().filter_map(Server::start_peer).collect()
    } else {
        Vec::new()
    };

    println!("\nKMS Encrypt of 32 bytes");
    let mut workloads = vec![
        Workload::kms_encrypt(&xks_console, "one key, both layers", &xks_console.find_external_key_store_key()),
        Workload::kms_encrypt(&xks_console, "one key, KMS alone", &xks_console.create_kms_key()),
        Workload::kms_encrypt(&baseline, "bare axum handler", "1234abcd-12ab-34cd-56ef-1234567890ab"),
    ];
    workloads.extend(peers.iter().map(|peer| Workload::kms_encrypt(peer, peer.name, &peer.create_kms_key())));
    for &(connections, driver) in KMS_PLAN {
        let Some(results) = measure_all(&workloads, connections, driver) else { continue };
        let load = load_name(connections, driver);
        let targets = match (connections, driver.client) {
            (8, Client::EventLoop) => ServerTargets { cpu_time: "≤ 30 µs", ..ServerTargets::default() },
            (64, Client::EventLoop) => ServerTargets { p99: "≤ 5 ms", cpu_time: "≤ 28 µs", memory: "≤ 32 MB" },
            (_, Client::Paced) => ServerTargets { cpu_time: "≤ 150 µs", ..ServerTargets::default() },
            _ => ServerTargets::default(),
        };
        report_server(&format!("Encrypt, both layers, {load}"), &results[0], &results[2], targets);
        if driver == PACED {
            continue;
        }
        let both_layers = format!("Encrypt, both layers, {load}");
        let (baseline_target, peer_target) = match connections {
            1 => ("≥ 0.9", "≥ 1"),
            8 => ("≥ 0.6", "≥ 0.6"),
            _ => ("≥ 0.6", "≥ 0.7"),
        };
        report_rates(&both_layers, &results[0], (workloads[2].name, &results[2]), baseline_target);
        report_rates(&format!("Encrypt, KMS alone, {load}"), &results[1], (workloads[2].name, &results[2]), "");
        for (peer, stats) in peers.iter().zip(&results[3..]) {
            report_rates(&both_layers, &results[0], (peer.name, stats), peer_target);
        }
    }

    println!("\nKMS Encrypt of 32 bytes while another connection changes a key");
    let encrypt = [Workload::kms_encrypt(&xks_console, "both layers", &xks_console.find_external_key_store_key())];
    let change = Workload::kms_change(&xks_console, &xks_console.create_kms_key());
    for connections in [8, 64] {
        let Some(alone) = measure_all(&encrypt, connections, EVENT_LOOP) else { continue };
        let Some(meanwhile) = change.repeat_while(|| measure_all(&encrypt, connections, EVENT_LOOP)) else { continue };
        let name = format!("Encrypt while one writes, {}", load_name(connections, EVENT_LOOP));
        report_rates(&name, &meanwhile[0], ("no writer", &alone[0]), "≥ 0.8");
    }

    println!("\nXKS proxy, encrypt of 32 bytes");
    let proxy = Workload::proxy_encrypt(&xks_console, data.path());
    let bare = Workload { request: proxy.request.clone(), server: &baseline, name: "bare axum handler" };
    let workloads = [proxy, bare];
    for &(connections, driver) in PROXY_PLAN {
        let Some(results) = measure_all(&workloads, connections, driver) else { continue };
        let name = format!("XKS proxy, {}", load_name(connections, driver));
        let p99 = if driver == EVENT_LOOP && connections == 16 { "≤ 3 ms" } else { "" };
        report_server(&name, &results[0], &results[1], ServerTargets { p99, ..ServerTargets::default() });
        if driver == PACED {
            continue;
        }
        report_rates(&name, &results[0], (workloads[1].name, &results[1]), "");
        let (unit, quota) = ("requests/s", Some(("XKS quota", 1800.0)));
        report(&Figure { name: &name, unit, ours: results[0].rate, peer: quota, target: "" });
    }
}

/// Returns the number of connections and the kind of driver as text.
fn load_name(connections: usize, driver: Driver) -> String {
    format!("{}{}", plural(connections, "connection", "connections"), driver.name)
}

/// Reports the requests per second of the server and of a peer.
fn report_rates(name: &str, ours: &Stats, (peer, theirs): (&str, &Stats), target: &str) {
    report(&Figure { name, unit: "requests/s", ours: ours.rate, peer: Some((peer, theirs.rate)), target });
}

/// What the latency, the CPU time, and the memory of a server should be. Empty if there is no target.
#[derive(Clone, Copy, Default)]
struct ServerTargets {
    p99: &'static str,
    cpu_time: &'static str,
    memory: &'static str,
}

/// Reports the latency, the CPU time, and the memory of the server and of the baseline.
fn report_server(name: &str, ours: &Stats, baseline: &Stats, targets: ServerTargets) {
    let millis = |stats: &Stats| stats.p99.as_secs_f64() * 1e3;
    let micros = |stats: &Stats| stats.cpu_micros_per_request;
    let megabytes = |stats: &Stats| stats.memory.resident as f64 / 1024.0;
    let figures = [
        ("p99", "ms", millis(ours), millis(baseline), targets.p99),
        ("CPU time of a request", "µs", micros(ours), micros(baseline), targets.cpu_time),
        ("resident memory", "MB", megabytes(ours), megabytes(baseline), targets.memory),
    ];
    for (what, unit, ours, theirs, target) in figures {
        let name = format!("{name}, {what}");
        report(&Figure { name: &name, unit, ours, peer: Some(("bare axum handler", theirs)), target });
    }
}
