//! The requests, and the measurement of the servers that answer them.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{self, TryRecvError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use xks_console::aws::scalar::SecretString;
use xks_console::aws::sigv4::Credentials;

use crate::connection::Connection;
use crate::driver::{Client, Driver};
use crate::server::{MemorySize, Server, text};
use crate::{event_loop, is_selected, run_time_and_rounds};

/// The time between two requests of the driver with a fixed rate.
pub const PACE: Duration = Duration::from_millis(10);
/// How many times longer it measures than the others, because it sends few requests, and CPU time has a resolution of ten
/// milliseconds.
const PACED_TIMES: u32 = 5;

/// One request, sent repeatedly.
pub struct Workload<'a> {
    pub name: &'static str,
    pub server: &'a Server,
    pub request: Vec<u8>,
}

impl<'a> Workload<'a> {
    pub fn kms_encrypt(server: &'a Server, name: &'static str, key: &str) -> Self {
        let body = json!({ "KeyId": key, "Plaintext": STANDARD.encode([7; 32]) });
        let request = server.signed_request("/", "kms", Some("Encrypt"), &body, &server.credentials);
        Self { name, server, request }
    }

    /// A change of a key, which is on the disk when the response arrives.
    pub fn kms_change(server: &'a Server, key: &str) -> Self {
        let body = json!({ "KeyId": key, "Description": "Changed again" });
        let request = server.signed_request("/", "kms", Some("UpdateKeyDescription"), &body, &server.credentials);
        Self { name: "change of a key", server, request }
    }

    pub fn proxy_encrypt(server: &'a Server, data: &Path) -> Self {
        let run_proxy_command = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
            command.arg("proxy").args(arguments).arg("--data-dir").arg(data);
            let output = command.output().expect("the command runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        let file: Value = serde_json::from_slice(&run_proxy_command(&["create-partition", "load"])).expect("JSON");
        run_proxy_command(&["create-key", "--partition", "load", "--id", "load-1"]);
        let credential = &file["XksProxyAuthenticationCredential"];
        let credentials = Credentials {
            access_key_id: text(&credential["AccessKeyId"]),
            secret_access_key: SecretString::new(text(&credential["RawSecretAccessKey"])),
            session_token: None,
        };
        let arn = |resource: &str| format!("arn:aws:{resource}");
        let body = json!({
            "requestMetadata": {
                "awsPrincipalArn": arn("iam::111122223333:user/Alice"),
                "kmsKeyArn": arn("kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
                "kmsOperation": "Encrypt",
                "kmsRequestId": "4112f4d6-db54-4af4-ae30-c55a22a8dfae",
            },
            "plaintext": STANDARD.encode([7; 32]),
            "encryptionAlgorithm": "AES_GCM",
        });
        let path = "/load/kms/xks/v1/keys/load-1/encrypt";
        let request = server.signed_request(path, "kms-xks-proxy", None, &body, &credentials);
        Self { name: "xks-console", server, request }
    }

    fn collect_stats(&self, connections: usize, driver: Driver) -> Stats {
        let (duration, _) = run_time_and_rounds();
        let duration = if driver.client == Client::Paced { duration * PACED_TIMES } else { duration };
        self.send_repeatedly(connections, driver.client, duration / 10);
        let before = self.server.cpu_time();
        let start = Instant::now();
        let mut latencies = self.send_repeatedly(connections, driver.client, duration);
        let (duration, cpu) = (start.elapsed(), self.server.cpu_time().saturating_sub(before));
        latencies.sort_unstable();
        let count = latencies.len();
        let at = |share: f64| latencies[((count - 1) as f64 * share) as usize];
        Stats {
            rate: count as f64 / duration.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            cpu_micros_per_request: cpu.as_secs_f64() * 1e6 / count as f64,
            memory: self.server.memory(),
        }
    }

    /// Sends the request over one connection, again and again, while `work` runs.
    pub fn repeat_while<T>(&self, work: impl FnOnce() -> T) -> T {
        let (stop, stopped) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut connection = Connection::open(self.server.address, false);
                while stopped.try_recv() == Err(TryRecvError::Empty) {
                    let (status, response) = connection.round_trip(&self.request);
                    assert_eq!(status, 200, "{}: {}", self.name, String::from_utf8_lossy(&response));
                }
            });
            let done = work();
            drop(stop);
            done
        })
    }

    fn send_repeatedly(&self, connections: usize, client: Client, duration: Duration) -> Vec<Duration> {
        if client == Client::EventLoop {
            return event_loop::send_repeatedly(self.server.address, &self.request, connections, duration);
        }
        std::thread::scope(|scope| {
            let senders: Vec<_> = (0..connections)
                .map(|_| {
                    scope.spawn(|| {
                        let mut connection = Connection::open(self.server.address, client == Client::BusyPolling);
                        let (start, mut latencies) = (Instant::now(), Vec::new());
                        while start.elapsed() < duration {
                            let sent_at = Instant::now();
                            let (status, response) = connection.round_trip(&self.request);
                            assert_eq!(status, 200, "{}: {}", self.name, String::from_utf8_lossy(&response));
                            latencies.push(sent_at.elapsed());
                            if client == Client::Paced {
                                std::thread::sleep(PACE.saturating_sub(sent_at.elapsed()));
                            }
                        }
                        latencies
                    })
                })
                .collect();
            senders.into_iter().flat_map(|sender| sender.join().expect("all requests succeed")).collect()
        })
    }
}

#[derive(Clone, Copy)]
pub struct Stats {
    /// Requests per second.
    pub rate: f64,
    p50: Duration,
    pub p99: Duration,
    /// The server's CPU time per request, in microseconds.
    pub cpu_micros_per_request: f64,
    /// The server's memory after the requests.
    pub memory: MemorySize,
}

/// Measures all workloads in turn and returns, for each, the round with the median rate. Returns `None` if the arguments
/// don't select the measurement.
pub fn measure_all(workloads: &[Workload], connections: usize, driver: Driver) -> Option<Vec<Stats>> {
    let heading = format!("{connections} connections{}", driver.name);
    if !is_selected(&heading) {
        return None;
    }
    for process in workloads.iter().map(|workload| workload.server.process.id()).chain([std::process::id()]) {
        driver.pin(process);
    }
    let mut rounds: Vec<Vec<Stats>> = vec![Vec::new(); workloads.len()];
    for _ in 0..run_time_and_rounds().1 {
        for (workload, stats) in workloads.iter().zip(&mut rounds) {
            stats.push(workload.collect_stats(connections, driver));
        }
    }
    println!(" {heading}");
    let medians = rounds.into_iter().map(|mut stats| {
        stats.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        stats[stats.len() / 2]
    });
    let medians: Vec<_> = medians.collect();
    for (workload, stats) in workloads.iter().zip(&medians) {
        let (p50, p99) = (stats.p50.as_secs_f64() * 1e3, stats.p99.as_secs_f64() * 1e3);
        let Stats { rate, cpu_micros_per_request: cpu, memory, .. } = stats;
        println!(
            "  {:<28} {rate:>8.0} /s  p50 {p50:>7.3} ms  p99 {p99:>7.3} ms  {cpu:>6.1} µs CPU  {memory}",
            workload.name
        );
    }
    Some(medians)
}
