//! The served AWS under load, beside two peers in the same run: moto, where it is installed, and the floor, a bare axum
//! handler that parses the same request and answers the same JSON.
//!
//! The load driver signs one request and sends it again and again over kept-alive connections, so that what is measured is
//! the server. To wake an idle core takes longer than a request on many machines, so one connection is measured three times:
//! with a driver that looks for the answer without going to sleep, as load drivers for short times do; with one that sleeps
//! until the kernel wakes it; and with client and server on one core. Prints requests a second, latencies, the server's CPU
//! time a request, and the ratios. moto is
//! `$MOTO_SERVER`, else `target/moto/bin/moto_server`, to be had with
//! `python3 -m venv target/moto && target/moto/bin/pip install 'moto[server]'`. Linux only, for it reads `/proc`.
//!
//! `cargo test --bench serve` runs a short form without moto, which shows that all of it still works.

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
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_setaffinity};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xks_console::aws::scalar::SecretString;
use xks_console::aws::sigv4::{self, Credentials};

/// Tells the program that is started to be the floor.
const BASELINE_ENV: &str = "XKS_CONSOLE_BENCH_FLOOR";
const REGION: &str = "us-west-2";

/// How long each measurement runs, after a tenth of it to warm up; and how often it is made, in turn with its peers. The
/// median counts.
fn run_time_and_rounds() -> (Duration, usize) {
    if is_full_run() { (Duration::from_secs(1), 3) } else { (Duration::from_millis(50), 1) }
}

/// Whether all is measured: `cargo bench` says so, `cargo test` doesn't.
fn is_full_run() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

fn main() {
    if std::env::var_os(BASELINE_ENV).is_some() {
        run_baseline();
        return;
    }
    let data = tempfile::tempdir().expect("a directory for the account");
    let ours = Server::start_xks_console(data.path());
    let floor = Server::start_baseline();
    let moto = is_full_run().then(Server::start_moto).flatten();

    println!("\nKMS Encrypt of 32 bytes");
    let two = Workload::kms_encrypt(&ours, "one key, both layers", &ours.find_external_key_store_key());
    let one = Workload::kms_encrypt(&ours, "one key, KMS alone", &ours.create_kms_key());
    let bare = Workload::kms_encrypt(&floor, "bare axum handler", "1234abcd-12ab-34cd-56ef-1234567890ab");
    let other = moto.as_ref().map(|moto| Workload::kms_encrypt(moto, "moto", &moto.create_kms_key()));
    for (connections, driver) in [(1, BUSY_POLLING), (1, BLOCKING), (1, ONE_CORE), (8, BLOCKING), (64, BLOCKING)] {
        let mut loads = vec![&two, &one, &bare];
        loads.extend(&other);
        let results = measure_all(&loads, connections, driver);
        print_ratio("both layers / bare handler", &results[0], &results[2]);
        print_ratio("KMS alone / bare handler", &results[1], &results[2]);
        if let Some(moto) = results.get(3) {
            print_ratio("both layers / moto", &results[0], moto);
        }
    }

    println!("\nXKS proxy, encrypt of 32 bytes");
    let proxy = Workload::proxy_encrypt(&ours, data.path());
    let bare = Workload { request: proxy.request.clone(), server: &floor, name: "bare axum handler" };
    for (connections, driver) in [(1, BUSY_POLLING), (1, BLOCKING), (1, ONE_CORE), (16, BLOCKING), (64, BLOCKING)] {
        let results = measure_all(&[&proxy, &bare], connections, driver);
        print_ratio("proxy / bare handler", &results[0], &results[1]);
        println!("  {:<28} {:.1} times", "proxy / 1,800 a second", results[0].rate / 1800.0);
    }
}

/// How the driver waits for answers, and where it and the server may run.
#[derive(Clone, Copy)]
struct Driver {
    name: &'static str,
    busy_polls: bool,
    core_count: usize,
}

const ALL_CORES: usize = CpuSet::MAX_CPU;
const BUSY_POLLING: Driver = Driver { name: ", the driver awake", busy_polls: true, core_count: ALL_CORES };
const BLOCKING: Driver = Driver { name: "", busy_polls: false, core_count: ALL_CORES };
const ONE_CORE: Driver = Driver { name: ", client and server on one core", busy_polls: false, core_count: 1 };

impl Driver {
    /// Lets all threads of a process run there, and those that they start from now on.
    fn pin(self, process: u32) {
        let mut set = CpuSet::new();
        (0..self.core_count).for_each(|core| set.set(core));
        for thread in std::fs::read_dir(format!("/proc/{process}/task")).expect("/proc") {
            let id = thread.expect("a thread").file_name().to_string_lossy().parse().expect("a number");
            // A thread may have ended in the meantime.
            let _ = sched_setaffinity(Pid::from_raw(id), &set);
        }
    }
}

fn print_ratio(what: &str, of: &Stats, to: &Stats) {
    println!("  {what:<28} {:.2} times", of.rate / to.rate);
}

/// A server in a process of its own.
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

/// A credential that nobody checks.
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
        for line in BufReader::new(process.stdout.take().expect("its output")).lines() {
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
            .expect("the floor starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        Self { process, address: line.trim().parse().expect("an address"), credentials: any_credentials() }
    }

    fn start_moto() -> Option<Self> {
        let program = std::env::var_os("MOTO_SERVER")
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/moto/bin/moto_server"), PathBuf::from);
        if !program.exists() {
            println!("without moto: there is no {}", program.display());
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", &free.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto starts");
        let moto = Self { process, address: free, credentials: any_credentials() };
        for _ in 0..300 {
            if TcpStream::connect(free).is_ok() {
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
        by: &Credentials,
    ) -> Vec<u8> {
        let body = Bytes::from(body.to_string());
        let mut request = Request::post(format!("http://{}{path}", self.address)).body(body).expect("a request");
        let kind = if target.is_some() { "application/x-amz-json-1.1" } else { "application/json" };
        request.headers_mut().insert("content-type", kind.parse().expect("a type"));
        if let Some(target) = target {
            let target = format!("TrentService.{target}").parse().expect("a target");
            request.headers_mut().insert("x-amz-target", target);
        }
        sigv4::sign(&mut request, by, REGION, service, jiff::Timestamp::now()).expect("a signature");
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
            .expect("the scenario has a key in a store that is connected")
    }

    /// CPU time spent so far, by all threads.
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
    value.as_str().expect("a text").to_owned()
}

/// One request, again and again.
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
        let manage = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_xks-console"));
            command.arg("proxy").args(arguments).arg("--data-dir").arg(data);
            let done = command.output().expect("it runs");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            done.stdout
        };
        let file: Value = serde_json::from_slice(&manage(&["create-partition", "load"])).expect("JSON");
        manage(&["create-key", "--partition", "load", "--id", "load-1"]);
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
        let (span, _) = run_time_and_rounds();
        self.send_repeatedly(connections, driver, span / 10);
        let before = self.server.cpu_time();
        let start = Instant::now();
        let mut latencies = self.send_repeatedly(connections, driver, span);
        let (span, cpu) = (start.elapsed(), self.server.cpu_time().saturating_sub(before));
        latencies.sort_unstable();
        let count = latencies.len();
        let at = |share: f64| latencies[((count - 1) as f64 * share) as usize];
        Stats {
            rate: count as f64 / span.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            cpu_micros_per_request: cpu.as_secs_f64() * 1e6 / count as f64,
        }
    }

    fn send_repeatedly(&self, connections: usize, driver: Driver, span: Duration) -> Vec<Duration> {
        std::thread::scope(|scope| {
            let sending: Vec<_> = (0..connections)
                .map(|_| {
                    scope.spawn(|| {
                        let mut connection = Connection::open(self.server.address, driver.busy_polls);
                        let (start, mut latencies) = (Instant::now(), Vec::new());
                        while start.elapsed() < span {
                            let sent_at = Instant::now();
                            let (status, response) = connection.round_trip(&self.request);
                            assert_eq!(status, 200, "{}: {}", self.name, String::from_utf8_lossy(&response));
                            latencies.push(sent_at.elapsed());
                        }
                        latencies
                    })
                })
                .collect();
            sending.into_iter().flat_map(|sender| sender.join().expect("all are answered")).collect()
        })
    }
}

#[derive(Clone, Copy)]
struct Stats {
    /// Requests a second.
    rate: f64,
    p50: Duration,
    p99: Duration,
    /// Microseconds of the server's CPU time a request.
    cpu_micros_per_request: f64,
}

/// Runs all in turn; gives the round of each that has the median rate.
fn measure_all(loads: &[&Workload], connections: usize, driver: Driver) -> Vec<Stats> {
    for process in loads.iter().map(|load| load.server.process.id()).chain([std::process::id()]) {
        driver.pin(process);
    }
    let mut rounds: Vec<Vec<Stats>> = vec![Vec::new(); loads.len()];
    for _ in 0..run_time_and_rounds().1 {
        for (load, figures) in loads.iter().zip(&mut rounds) {
            figures.push(load.collect_stats(connections, driver));
        }
    }
    println!(" {connections} connections{}", driver.name);
    let medians = rounds.into_iter().map(|mut figures| {
        figures.sort_by(|one, other| one.rate.total_cmp(&other.rate));
        figures[figures.len() / 2]
    });
    let medians: Vec<_> = medians.collect();
    for (load, figures) in loads.iter().zip(&medians) {
        let (half, most) = (figures.p50.as_secs_f64() * 1e3, figures.p99.as_secs_f64() * 1e3);
        let Stats { rate, cpu_micros_per_request: cpu, .. } = figures;
        println!("  {:<28} {rate:>8.0} /s  p50 {half:>7.3} ms  p99 {most:>7.3} ms  {cpu:>6.1} µs CPU", load.name);
    }
    medians
}

/// A connection that is kept.
struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    busy_polls: bool,
    buffer: Vec<u8>,
    /// The server ends it, as moto does after each answer.
    is_closed: bool,
}

impl Connection {
    fn open(address: SocketAddr, is_awake: bool) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
        stream.set_nonblocking(is_awake).expect("a way to wait");
        Self { address, stream, busy_polls: is_awake, buffer: vec![0; 64 * 1024], is_closed: false }
    }

    /// The status and body of the answer.
    fn round_trip(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        if self.is_closed {
            *self = Self::open(self.address, self.busy_polls);
        }
        self.stream.write_all(request).expect("it is sent");
        let mut have = 0;
        loop {
            let read = loop {
                match self.stream.read(&mut self.buffer[have..]) {
                    Err(error) if self.busy_polls && error.kind() == ErrorKind::WouldBlock => std::hint::spin_loop(),
                    read => break read.expect("an answer"),
                }
            };
            assert!(read > 0, "the server hung up");
            have += read;
            let seen = &self.buffer[..have];
            let Some(end) = seen.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&seen[..end]).expect("text");
            let status = head[9..12].parse().expect("a status");
            let length = head.lines().filter_map(|line| line.split_once(": ")).find_map(|(name, value)| {
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().expect("a length"))
            });
            let whole = end + 4 + length.expect("a length");
            if have >= whole {
                self.is_closed = head.lines().any(|line| line.eq_ignore_ascii_case("connection: close"));
                return (status, seen[end + 4..whole].to_vec());
            }
        }
    }
}

/// What both requests have in common with what they ask for: enough to know that they were parsed.
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
#[expect(dead_code, reason = "parsed as the proxy parses it, and not looked at")]
struct ProxyRequest {
    request_metadata: ProxyMetadata,
    plaintext: String,
    encryption_algorithm: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "parsed as the proxy parses it, and not looked at")]
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
    // As long as what KMS answers for a key in an external key store.
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
    axum::serve(listener, router).await.expect("it serves");
}
