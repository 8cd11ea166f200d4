//! Measures the served AWS under load, against two peers in the same run: moto, if it is installed, and the baseline, a
//! bare axum handler that parses the same request and returns the same JSON.
//!
//! The load driver signs one request and sends it repeatedly over keep-alive connections, so that the server is what
//! gets measured. On many machines, waking an idle core takes longer than a request. A single connection is therefore
//! measured three times: with a driver that polls for the response without sleeping, as load drivers for short times
//! do; with one that sleeps until the kernel wakes it; and with client and server on one core. Prints requests per
//! second, latencies, the server's CPU time per request, and the ratios.
//!
//! moto is `$MOTO_SERVER`, or else `target/moto/bin/moto_server`. To install it, run
//! `python3 -m venv target/moto && target/moto/bin/pip install 'moto[server]'`. Runs only on Linux, because it reads
//! `/proc`.
//!
//! `cargo test --bench serve` does a short run without moto that checks that the benchmark works.

mod report;

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use report::{Figure, report};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xks_console::aws::scalar::SecretString;
use xks_console::aws::sigv4::{self, Credentials};
use xks_console::text::plural;

/// Environment variable that makes this program run as the baseline.
const BASELINE_ENV: &str = "XKS_CONSOLE_BENCH_BASELINE";
const REGION: &str = "us-west-2";

/// Returns how long each measurement runs, after a warm-up of a tenth of that time, and how many rounds there are. Each
/// round measures all peers in turn, and the median round counts.
fn run_time_and_rounds() -> (Duration, usize) {
    if is_full_run() { (Duration::from_secs(1), 3) } else { (Duration::from_millis(50), 1) }
}

/// Whether this is a full run: `cargo bench` passes `--bench`, `cargo test` doesn't.
fn is_full_run() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

fn main() {
    if std::env::var_os(BASELINE_ENV).is_some() {
        run_baseline();
        return;
    }
    let data = tempfile::tempdir().expect("a directory for the account");
    let xks_console = Server::start_xks_console(data.path());
    let baseline = Server::start_baseline();
    let moto = is_full_run().then(Server::start_moto).flatten();

    println!("\nKMS Encrypt of 32 bytes");
    let both_layers =
        Workload::kms_encrypt(&xks_console, "one key, both layers", &xks_console.find_external_key_store_key());
    let kms_alone = Workload::kms_encrypt(&xks_console, "one key, KMS alone", &xks_console.create_kms_key());
    let bare = Workload::kms_encrypt(&baseline, "bare axum handler", "1234abcd-12ab-34cd-56ef-1234567890ab");
    let other = moto.as_ref().map(|moto| Workload::kms_encrypt(moto, "moto", &moto.create_kms_key()));
    for (connections, driver) in [(1, BUSY_POLLING), (1, BLOCKING), (1, ONE_CORE), (8, BLOCKING), (64, BLOCKING)] {
        let mut workloads = vec![&both_layers, &kms_alone, &bare];
        workloads.extend(&other);
        let results = measure_all(&workloads, connections, driver);
        let load = load_name(connections, driver);
        report_rates(&format!("Encrypt, both layers, {load}"), &results[0], ("bare handler", &results[2]), "");
        report_rates(&format!("Encrypt, KMS alone, {load}"), &results[1], ("bare handler", &results[2]), "");
        if let Some(moto) = results.get(3) {
            report_rates(&format!("Encrypt, both layers, {load}"), &results[0], ("moto", moto), "");
        }
    }

    println!("\nXKS proxy, encrypt of 32 bytes");
    let proxy = Workload::proxy_encrypt(&xks_console, data.path());
    let bare = Workload { request: proxy.request.clone(), server: &baseline, name: "bare axum handler" };
    for (connections, driver) in [(1, BUSY_POLLING), (1, BLOCKING), (1, ONE_CORE), (16, BLOCKING), (64, BLOCKING)] {
        let results = measure_all(&[&proxy, &bare], connections, driver);
        let name = format!("XKS proxy, {}", load_name(connections, driver));
        report_rates(&name, &results[0], ("bare handler", &results[1]), "≥ 0.5");
        let quota = Figure {
            name: &name,
            unit: "requests/s",
            ours: results[0].rate,
            peer: Some(("XKS quota", 1800.0)),
            target: "",
        };
        report(&quota);
    }
}

/// How the driver waits for responses, and on how many cores it and the server can run.
#[derive(Clone, Copy)]
struct Driver {
    name: &'static str,
    busy_polls: bool,
    core_count: usize,
}

const ALL_CORES: usize = CpuSet::MAX_CPU;
const BUSY_POLLING: Driver = Driver { name: ", busy-polling driver", busy_polls: true, core_count: ALL_CORES };
const BLOCKING: Driver = Driver { name: "", busy_polls: false, core_count: ALL_CORES };
const ONE_CORE: Driver = Driver { name: ", client and server on one core", busy_polls: false, core_count: 1 };

impl Driver {
    /// Restricts all threads of a process, and the threads they start later, to the driver's cores.
    fn pin(self, process: u32) {
        let mut set = CpuSet::new();
        (0..self.core_count).for_each(|core| set.set(core));
        for thread in std::fs::read_dir(format!("/proc/{process}/task")).expect("/proc") {
            let id = thread.expect("a thread").file_name().to_string_lossy().parse().expect("a number");
            // The thread may have ended in the meantime.
            let _ = sched_setaffinity(Pid::from_raw(id), &set);
        }
    }
}

/// Reports the rate of the server and of a peer.
fn report_rates(name: &str, ours: &Stats, (peer, theirs): (&str, &Stats), target: &str) {
    let peer = Some((peer, theirs.rate));
    report(&Figure { name, unit: "requests/s", ours: ours.rate, peer, target });
}

/// Returns the number of connections and the kind of driver as text.
fn load_name(connections: usize, driver: Driver) -> String {
    format!("{}{}", plural(connections, "connection", "connections"), driver.name)
}

/// A server in its own process.
struct Server {
    process: Child,
    address: SocketAddr,
    credentials: Credentials,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns a credential that the server doesn't check.
fn any_credentials() -> Credentials {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned();
    Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: SecretString::new(secret),
        session_token: None,
    }
}

impl Server {
    fn start_xks_console(data: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_xks-console"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data)
            .env("HOME", data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut credentials = any_credentials();
        let mut address = None;
        for line in BufReader::new(process.stdout.take().expect("piped output")).lines() {
            let line = line.expect("text");
            let Some((name, value)) = line.strip_prefix("export ").and_then(|line| line.split_once('=')) else {
                continue;
            };
            let value = value.trim_matches(['\'', '"']).to_owned();
            match name {
                "AWS_ENDPOINT_URL" => address = value.strip_prefix("http://").and_then(|address| address.parse().ok()),
                "AWS_ACCESS_KEY_ID" => credentials.access_key_id = value,
                "AWS_SECRET_ACCESS_KEY" => {
                    credentials.secret_access_key = SecretString::new(value);
                }
                _ => {}
            }
            if address.is_some() && name == "AWS_SECRET_ACCESS_KEY" {
                break;
            }
        }
        Self { process, address: address.expect("an address"), credentials }
    }

    fn start_baseline() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("the path of this program"))
            .env(BASELINE_ENV, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the baseline starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped output")).read_line(&mut line).expect("a line");
        Self { process, address: line.trim().parse().expect("an address"), credentials: any_credentials() }
    }

    fn start_moto() -> Option<Self> {
        let program = std::env::var_os("MOTO_SERVER")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/moto/bin/moto_server"), PathBuf::from);
        if !program.exists() {
            println!("skipping moto: {} doesn't exist", program.display());
            return None;
        }
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let moto = Self { process, address, credentials: any_credentials() };
        for _ in 0..300 {
            if TcpStream::connect(address).is_ok() {
                return Some(moto);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    fn signed_request(
        &self,
        path: &str,
        service: &str,
        target: Option<&str>,
        body: &Value,
        credentials: &Credentials,
    ) -> Vec<u8> {
        let body = Bytes::from(body.to_string());
        let mut request = Request::post(format!("http://{}{path}", self.address)).body(body).expect("a request");
        let content_type = if target.is_some() { "application/x-amz-json-1.1" } else { "application/json" };
        request.headers_mut().insert("content-type", content_type.parse().expect("a content type"));
        if let Some(target) = target {
            let target = format!("TrentService.{target}").parse().expect("a target");
            request.headers_mut().insert("x-amz-target", target);
        }
        sigv4::sign(&mut request, credentials, REGION, service, jiff::Timestamp::now()).expect("a signature");
        let mut bytes = format!("POST {path} HTTP/1.1\r\n").into_bytes();
        if !request.headers().contains_key("host") {
            bytes.extend(format!("host: {}\r\n", self.address).into_bytes());
        }
        for (name, value) in request.headers() {
            bytes.extend(format!("{name}: {}\r\n", value.to_str().expect("text")).into_bytes());
        }
        bytes.extend(format!("content-length: {}\r\n\r\n", request.body().len()).into_bytes());
        bytes.extend(request.body());
        bytes
    }

    fn call_kms(&self, operation: &str, body: &Value) -> Value {
        let request = self.signed_request("/", "kms", Some(operation), body, &self.credentials);
        let mut connection = Connection::open(self.address, false);
        let (status, response) = connection.round_trip(&request);
        assert_eq!(status, 200, "{operation}: {}", String::from_utf8_lossy(&response));
        serde_json::from_slice(&response).unwrap_or_default()
    }

    fn create_kms_key(&self) -> String {
        text(&self.call_kms("CreateKey", &json!({}))["KeyMetadata"]["KeyId"])
    }

    fn find_external_key_store_key(&self) -> String {
        let keys = self.call_kms("ListKeys", &json!({}));
        keys["Keys"]
            .as_array()
            .expect("keys")
            .iter()
            .map(|key| text(&key["KeyId"]))
            .find(|id| {
                let key = &self.call_kms("DescribeKey", &json!({ "KeyId": id }))["KeyMetadata"];
                key["Origin"] == "EXTERNAL_KEY_STORE" && key["KeyState"] == "Enabled"
            })
            .expect("the scenario has a key in a connected key store")
    }

    /// Returns the CPU time that all threads have used so far.
    fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).expect("/proc");
        let ticks: u64 = stat
            .rsplit(')')
            .next()
            .expect("fields")
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().expect("a number"))
            .sum();
        Duration::from_millis(ticks * 10)
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// One request, sent repeatedly.
struct Workload<'a> {
    name: &'static str,
    server: &'a Server,
    request: Vec<u8>,
}

impl<'a> Workload<'a> {
    fn kms_encrypt(server: &'a Server, name: &'static str, key: &str) -> Self {
        let body = json!({ "KeyId": key, "Plaintext": STANDARD.encode([7; 32]) });
        let request = server.signed_request("/", "kms", Some("Encrypt"), &body, &server.credentials);
        Self { name, server, request }
    }

    fn proxy_encrypt(server: &'a Server, data: &Path) -> Self {
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
        self.send_repeatedly(connections, driver, duration / 10);
        let before = self.server.cpu_time();
        let start = Instant::now();
        let mut latencies = self.send_repeatedly(connections, driver, duration);
        let (duration, cpu) = (start.elapsed(), self.server.cpu_time().saturating_sub(before));
        latencies.sort_unstable();
        let count = latencies.len();
        let at = |share: f64| latencies[((count - 1) as f64 * share) as usize];
        Stats {
            rate: count as f64 / duration.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            cpu_micros_per_request: cpu.as_secs_f64() * 1e6 / count as f64,
        }
    }

    fn send_repeatedly(&self, connections: usize, driver: Driver, duration: Duration) -> Vec<Duration> {
        std::thread::scope(|scope| {
            let senders: Vec<_> = (0..connections)
                .map(|_| {
                    scope.spawn(|| {
                        let mut connection = Connection::open(self.server.address, driver.busy_polls);
                        let (start, mut latencies) = (Instant::now(), Vec::new());
                        while start.elapsed() < duration {
                            let sent_at = Instant::now();
                            let (status, response) = connection.round_trip(&self.request);
                            assert_eq!(status, 200, "{}: {}", self.name, String::from_utf8_lossy(&response));
                            latencies.push(sent_at.elapsed());
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
struct Stats {
    /// Requests per second.
    rate: f64,
    p50: Duration,
    p99: Duration,
    /// The server's CPU time per request, in microseconds.
    cpu_micros_per_request: f64,
}

/// Measures all workloads in turn and returns, for each, the round with the median rate.
fn measure_all(workloads: &[&Workload], connections: usize, driver: Driver) -> Vec<Stats> {
    for process in workloads.iter().map(|workload| workload.server.process.id()).chain([std::process::id()]) {
        driver.pin(process);
    }
    let mut rounds: Vec<Vec<Stats>> = vec![Vec::new(); workloads.len()];
    for _ in 0..run_time_and_rounds().1 {
        for (workload, stats) in workloads.iter().zip(&mut rounds) {
            stats.push(workload.collect_stats(connections, driver));
        }
    }
    println!(" {}", load_name(connections, driver));
    let medians = rounds.into_iter().map(|mut stats| {
        stats.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        stats[stats.len() / 2]
    });
    let medians: Vec<_> = medians.collect();
    for (workload, stats) in workloads.iter().zip(&medians) {
        let (p50, p99) = (stats.p50.as_secs_f64() * 1e3, stats.p99.as_secs_f64() * 1e3);
        let Stats { rate, cpu_micros_per_request: cpu, .. } = stats;
        println!("  {:<28} {rate:>8.0} /s  p50 {p50:>7.3} ms  p99 {p99:>7.3} ms  {cpu:>6.1} µs CPU", workload.name);
    }
    medians
}

/// A connection that is kept open between requests.
struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    busy_polls: bool,
    buffer: Vec<u8>,
    /// Whether the server closes the connection, as moto does after each response.
    is_closed: bool,
}

impl Connection {
    fn open(address: SocketAddr, busy_polls: bool) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("TCP_NODELAY is set");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a read timeout is set");
        stream.set_nonblocking(busy_polls).expect("the blocking mode is set");
        Self { address, stream, busy_polls, buffer: vec![0; 64 * 1024], is_closed: false }
    }

    /// Sends a request and returns the status and body of the response.
    fn round_trip(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        if self.is_closed {
            *self = Self::open(self.address, self.busy_polls);
        }
        self.stream.write_all(request).expect("the request is sent");
        let mut received_count = 0;
        loop {
            let read = loop {
                match self.stream.read(&mut self.buffer[received_count..]) {
                    Err(error) if self.busy_polls && error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                    read => break read.expect("a response"),
                }
            };
            assert!(read > 0, "the server closed the connection");
            received_count += read;
            let received = &self.buffer[..received_count];
            let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&received[..end]).expect("text");
            let status = head[9..12].parse().expect("a status");
            let length = head.lines().filter_map(|line| line.split_once(": ")).find_map(|(name, value)| {
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().expect("a length"))
            });
            let total = end + 4 + length.expect("a length");
            if received_count >= total {
                self.is_closed = head.lines().any(|line| line.eq_ignore_ascii_case("connection: close"));
                return (status, received[end + 4..total].to_vec());
            }
        }
    }
}

/// The members of an Encrypt request that the baseline reads.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptRequest {
    key_id: String,
    plaintext: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptResponse {
    ciphertext_blob: String,
    key_id: String,
    encryption_algorithm: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsed as the proxy parses it, but not read")]
struct ProxyRequest {
    request_metadata: ProxyMetadata,
    plaintext: String,
    encryption_algorithm: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsed as the proxy parses it, but not read")]
struct ProxyMetadata {
    aws_principal_arn: String,
    kms_key_arn: String,
    kms_operation: String,
    kms_request_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProxyResponse {
    authentication_tag: String,
    ciphertext: String,
    ciphertext_metadata: String,
    initialization_vector: String,
}

#[tokio::main]
async fn run_baseline() {
    // As long as the KMS response for a key in an external key store.
    let encrypt = async |body: Bytes| {
        let request: EncryptRequest = serde_json::from_slice(&body).expect("JSON");
        let plaintext = STANDARD.decode(request.plaintext).expect("Base64");
        Json(EncryptResponse {
            ciphertext_blob: STANDARD.encode([plaintext.as_slice(), &[9; 270]].concat()),
            key_id: format!("arn:aws:kms:us-west-2:111122223333:key/{}", request.key_id),
            encryption_algorithm: "SYMMETRIC_DEFAULT",
        })
    };
    let proxy = async |Json(request): Json<ProxyRequest>| {
        Json(ProxyResponse {
            authentication_tag: STANDARD.encode([1; 16]),
            ciphertext: request.plaintext,
            ciphertext_metadata: STANDARD.encode([2; 5]),
            initialization_vector: STANDARD.encode([3; 12]),
        })
    };
    let router = Router::new().route("/", post(encrypt)).route("/load/kms/xks/v1/keys/load-1/encrypt", post(proxy));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("{}", listener.local_addr().expect("an address"));
    axum::serve(listener, router).await.expect("the server runs");
}
