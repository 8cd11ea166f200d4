//! The servers, each in its own process.

use std::fmt;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};
use xks_console::aws::scalar::SecretString;
use xks_console::aws::sigv4::{self, Credentials};

use crate::baseline::BASELINE_ENV;
use crate::connection::Connection;

const REGION: &str = "us-west-2";

/// A server in its own process.
pub struct Server {
    pub name: &'static str,
    pub process: Child,
    pub address: SocketAddr,
    pub credentials: Credentials,
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
    pub fn start_xks_console(data: &Path) -> Self {
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
        Self { name: "xks-console", process, address: address.expect("an address"), credentials }
    }

    pub fn start_baseline() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("the path of this program"))
            .env(BASELINE_ENV, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the baseline starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped output")).read_line(&mut line).expect("a line");
        let address = line.trim().parse().expect("an address");
        Self { name: "bare axum handler", process, address, credentials: any_credentials() }
    }

    /// Starts another program that serves AWS, if it is installed.
    pub fn start_peer(program: PeerProgram) -> Option<Self> {
        let PeerProgram { name, path, arguments } = program;
        if !Path::new(&path).exists() {
            println!("skipping {name}: {} doesn't exist", path.display());
            return None;
        }
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let process = Command::new(path)
            .args(arguments(address))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the peer starts");
        let peer = Self { name, process, address, credentials: any_credentials() };
        for _ in 0..300 {
            if TcpStream::connect(address).is_ok() {
                return Some(peer);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        println!("skipping {name}: it doesn't listen on {address}");
        None
    }

    pub fn signed_request(
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

    pub fn create_kms_key(&self) -> String {
        text(&self.call_kms("CreateKey", &json!({}))["KeyMetadata"]["KeyId"])
    }

    pub fn find_external_key_store_key(&self) -> String {
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
    pub fn cpu_time(&self) -> Duration {
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

    /// Returns how much memory the server uses.
    pub fn memory(&self) -> MemorySize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("/proc");
        let kibibytes = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            value.and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok()).expect("a size")
        };
        MemorySize { resident: kibibytes("VmRSS"), peak: kibibytes("VmHWM") }
    }
}

/// The resident memory of a server, in kibibytes.
#[derive(Clone, Copy)]
pub struct MemorySize {
    pub resident: u64,
    peak: u64,
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |kibibytes: u64| kibibytes as f64 / 1024.0;
        write!(f, "{:>6.1} MiB (peak {:.1})", mebibytes(self.resident), mebibytes(self.peak))
    }
}

/// Another program that serves AWS.
pub struct PeerProgram {
    name: &'static str,
    path: PathBuf,
    /// Returns the arguments that make it listen on an address.
    arguments: fn(SocketAddr) -> Vec<String>,
}

impl PeerProgram {
    fn new(name: &'static str, variable: &str, default: &str, arguments: fn(SocketAddr) -> Vec<String>) -> Self {
        let path = std::env::var_os(variable)
            .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(default), PathBuf::from);
        Self { name, path, arguments }
    }

    pub fn moto() -> Self {
        Self::new("moto", "MOTO_SERVER", "target/moto/bin/moto_server", |address| {
            ["-H", "127.0.0.1", "-p", &address.port().to_string()].map(str::to_owned).to_vec()
        })
    }

    /// fakecloud, without the line that it logs for each request: what we compare is the work of the request.
    pub fn fakecloud() -> Self {
        Self::new("fakecloud", "FAKECLOUD", "target/fakecloud/bin/fakecloud", |address| {
            ["--addr", &address.to_string(), "--log-level", "warn"].map(str::to_owned).to_vec()
        })
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}
