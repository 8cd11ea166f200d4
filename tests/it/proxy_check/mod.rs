//! `xks-console proxy check` against the bundled proxy, with and without faults.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use futures_util::stream::{self, StreamExt as _};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::version::TLS13;
use rustls::{CipherSuite, ServerConfig};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use xks_console::bundled::BundledAws;
use xks_console::cli::{Arguments, Command, Proxy};
use xks_console::commands::proxy_check;
use xks_console::environment::Environment;
use xks_console::server::Server;
use xks_console::server::tls::{self, ClientAuth};
use xks_console::xks::key_manager::{NewExternalKey, ProxyCredential};

use super::remote_proxies::{CertificateAuthority, HOST};
use super::xks_proxy::client::parse_credential;

mod faults;
mod faulty_proxy;
mod process;

/// The IDs of the external keys, one of each kind.
const KEYS: [&str; 5] = ["good", "other", "off", "encrypt-only", "decrypt-only"];

/// A proxy with the partition `lab` that isn't being served yet.
#[derive(Clone)]
pub struct TestProxy {
    pub aws: BundledAws,
    pub credential: ProxyCredential,
    pub configuration: String,
}

impl TestProxy {
    pub fn new() -> Self {
        let aws = BundledAws::in_memory("default", Environment::system()).unwrap();
        let configuration = aws.create_partition("lab").unwrap().to_string();
        for (id, usage, enabled) in [
            ("good", &["ENCRYPT", "DECRYPT"][..], true),
            ("other", &["ENCRYPT", "DECRYPT"], true),
            ("off", &["ENCRYPT", "DECRYPT"], false),
            ("encrypt-only", &["ENCRYPT"], true),
            ("decrypt-only", &["DECRYPT"], true),
        ] {
            let key = NewExternalKey {
                id: id.to_owned(),
                manager_id: None,
                spec: "AES_256".to_owned(),
                usage: usage.iter().map(|one| (*one).to_owned()).collect(),
                enabled,
                callers: Vec::new(),
            };
            aws.key_manager().create_key("lab", &key).unwrap();
        }
        Self { aws, credential: parse_credential(&configuration), configuration }
    }

    /// Writes the proxy configuration file.
    pub fn write_configuration(&self, dir: &Path) -> String {
        let path = dir.join("lab.json");
        std::fs::write(&path, &self.configuration).unwrap();
        path.display().to_string()
    }

    async fn serve(&self, tls: Option<Arc<ServerConfig>>) -> SocketAddr {
        let server = Server::open(self.aws.clone(), "127.0.0.1:0".parse().unwrap(), tls, false).await.unwrap();
        let address = server.address();
        tokio::spawn(server.run(std::future::pending()));
        address
    }
}

/// Runs the command and returns its JSON report, or its error message.
async fn run_check(arguments: &[&str]) -> Result<Value, String> {
    let arguments = ["xks-console", "proxy", "check", "--json", "--requests", "2"].iter().chain(arguments);
    let arguments = Arguments::try_parse_from(arguments).unwrap();
    let Some(Command::Proxy { command: Proxy::Check(options) }) = &arguments.command else { panic!("{arguments:?}") };
    let mut out = Vec::new();
    let result = proxy_check::check(&arguments, options, None, Environment::system(), &mut out).await;
    let is_conformant = result.map_err(|error| error.to_string())?;
    let report: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(report["isConformant"], is_conformant);
    Ok(report)
}

/// Returns the IDs of the checks with this outcome. Skips the latency checks, which depend on the load of the machine.
fn checks_with_outcome(report: &Value, outcome: &str) -> BTreeSet<String> {
    let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["group"] != "Latency");
    checks.filter(|check| check["outcome"] == outcome).map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}

fn id_set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Returns the command-line options for all keys.
fn key_options() -> Vec<&'static str> {
    KEYS.iter().flat_map(|key| ["--key", key]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bundled_proxy_passes_every_check() {
    let (authority, lab) = (CertificateAuthority::new(), TestProxy::new());
    let [chain, key] = authority.issue(HOST);
    let address = lab.serve(Some(tls::from_files(&chain, &key, None).unwrap())).await;
    let (file, connect_to) = (lab.write_configuration(&chain.with_file_name("")), format!("{HOST}={address}"));
    let (endpoint, trusted) = (format!("https://{HOST}"), authority.ca_path());
    let arguments = ["--endpoint", &endpoint, "--connect-to", &connect_to, "--proxy-ca", trusted.to_str().unwrap()];
    let arguments = [&arguments[..], &["--configuration", &file], &key_options()].concat();
    let report = run_check(&arguments).await.unwrap();
    assert_eq!(checks_with_outcome(&report, "fail"), BTreeSet::new(), "{report:#}");
    assert_eq!(
        checks_with_outcome(&report, "skip"),
        id_set(&["request-half-sent", "tls-client-certificate", "tls-client-stranger"])
    );
    assert!(report["checks"].as_array().unwrap().iter().any(|check| {
        check["id"] == "tls-suites" && check["notes"][0].as_str().unwrap().starts_with("TLSv1_3, TLS13_")
    }));
    assert_eq!(report["latencies"].as_array().unwrap().len(), 5, "{report:#}");
    // The command sends no request to a host whose certificate authority isn't trusted.
    let untrusted = [&arguments[..4], &arguments[6..]].concat();
    let error = run_check(&untrusted).await.unwrap_err();
    assert!(error.contains("UnknownIssuer") && error.contains("--proxy-ca"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn client_certificates_are_sent_and_their_absence_is_tested() {
    let (authority, lab) = (CertificateAuthority::new(), TestProxy::new());
    let [chain, key] = authority.issue(HOST);
    let name = "cks.kms.us-west-2.amazonaws.com";
    let clients = ClientAuth { ca_certificates: authority.ca_path(), client_name: name.to_owned() };
    let address = lab.serve(Some(tls::from_files(&chain, &key, Some(&clients)).unwrap())).await;
    let (file, connect_to) = (lab.write_configuration(&chain.with_file_name("")), format!("{HOST}={address}"));
    let (endpoint, trusted) = (format!("https://{HOST}"), authority.ca_path());
    let arguments = ["--endpoint", &endpoint, "--connect-to", &connect_to, "--proxy-ca", trusted.to_str().unwrap()];
    let arguments = [&arguments[..], &["--configuration", &file], &key_options()].concat();
    let error = run_check(&arguments).await.unwrap_err();
    assert!(error.contains("couldn't reach the proxy") && error.contains("--client-cert"), "{error}");
    let [certificate, private] = authority.issue(name).map(|path| path.display().to_string());
    let arguments = [&arguments[..], &["--client-cert", &certificate, "--client-key", &private]].concat();
    let report = run_check(&arguments).await.unwrap();
    assert_eq!(checks_with_outcome(&report, "fail"), BTreeSet::new(), "{report:#}");
    assert_eq!(checks_with_outcome(&report, "skip"), id_set(&["request-half-sent"]));

    // A proxy that doesn't request the client certificate.
    let address = lab.serve(Some(tls::from_files(&chain, &key, None).unwrap())).await;
    let connect_to = format!("{HOST}={address}");
    let arguments: Vec<&str> =
        arguments.iter().map(|word| if word.starts_with("xks.") { connect_to.as_str() } else { word }).collect();
    let report = run_check(&arguments).await.unwrap();
    assert_eq!(
        checks_with_outcome(&report, "fail"),
        id_set(&["tls-client-certificate", "tls-client-stranger"]),
        "{report:#}"
    );
}

/// Returns a TLS configuration with one cipher suite that KMS doesn't support.
fn tls_with_unsupported_suite([chain, key]: &[PathBuf; 2]) -> Arc<ServerConfig> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
    let builder = ServerConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[&TLS13]).unwrap();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(tls::load_certificates(chain).unwrap(), key).unwrap())
}

/// Starts a server that continues TLS 1.1 handshakes and forwards all other connections to `upstream`.
async fn front_with_tls_1_1(upstream: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut start = [0; 11];
                while stream.peek(&mut start).await.is_ok_and(|count| (1..11).contains(&count)) {}
                if start[9..] == [3, 2] {
                    // The start of a TLS record that contains a ServerHello.
                    let _ = stream.write_all(&[22, 3, 2, 0, 42, 2]).await;
                    return;
                }
                let mut upstream = TcpStream::connect(upstream).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut upstream).await;
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoint_that_kms_would_not_call_fails() {
    let (authority, lab) = (CertificateAuthority::new(), TestProxy::new());
    let files = authority.issue("127.0.0.1");
    let address = front_with_tls_1_1(lab.serve(Some(tls_with_unsupported_suite(&files))).await).await;
    let (file, connect_to) = (lab.write_configuration(&files[0].with_file_name("")), format!("127.0.0.1={address}"));
    let trusted = authority.ca_path();
    let arguments = ["--endpoint", "https://127.0.0.1", "--connect-to", &connect_to, "--configuration", &file];
    let arguments = [&arguments[..], &["--proxy-ca", trusted.to_str().unwrap(), "--key", "good"]].concat();
    let report = run_check(&arguments).await.unwrap();
    assert_eq!(checks_with_outcome(&report, "fail"), id_set(&["endpoint-name", "tls-old", "tls-suites"]), "{report:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_fails_exactly_the_checks_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let lab = TestProxy::new();
    let file = lab.write_configuration(dir.path());
    let mismatches = stream::iter(faults::FAULTS).map(async |(fault, expected, run)| {
        let address = faulty_proxy::FaultyProxy::serve(&lab, *run, *fault == faults::READS_WHOLE_BODY).await;
        let endpoint = format!("http://{address}");
        let arguments = [&["--endpoint", &endpoint, "--configuration", &file][..], &key_options()].concat();
        let found = checks_with_outcome(&run_check(&arguments).await.unwrap(), "fail");
        (found != id_set(expected)).then(|| format!("{fault}: {found:?}"))
    });
    let mismatches: Vec<String> = mismatches.buffer_unordered(4).filter_map(async |mismatch| mismatch).collect().await;
    assert!(mismatches.is_empty(), "{}", mismatches.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_secret_fails_a_single_check() {
    let dir = tempfile::tempdir().unwrap();
    let lab = TestProxy::new();
    let address = lab.serve(None).await;
    let secret = lab.credential.secret_access_key.expose().to_owned();
    let path = dir.path().join("wrong.json");
    std::fs::write(&path, lab.configuration.replace(&secret, &"A".repeat(43))).unwrap();
    let (endpoint, file) = (format!("http://{address}"), path.display().to_string());
    let report = run_check(&["--endpoint", &endpoint, "--configuration", &file, "--key", "good"]).await.unwrap();
    assert_eq!(checks_with_outcome(&report, "fail"), id_set(&["auth-accepted"]), "{report:#}");
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "auth-accepted").unwrap();
    assert!(check["reason"].as_str().unwrap().contains("check the credential"), "{check}");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxy_without_a_usable_key_is_not_conformant() {
    let dir = tempfile::tempdir().unwrap();
    let lab = TestProxy::new();
    let (address, file) = (lab.serve(None).await, lab.write_configuration(dir.path()));
    let endpoint = format!("http://{address}");
    let report = run_check(&["--endpoint", &endpoint, "--configuration", &file, "--key", "off"]).await.unwrap();
    assert_eq!(checks_with_outcome(&report, "fail"), id_set(&["metadata-usable-key"]), "{report:#}");
    assert!(checks_with_outcome(&report, "skip").contains("encrypt-cdiv"));
}

#[tokio::test(flavor = "multi_thread")]
async fn throttled_requests_are_retried() {
    let dir = tempfile::tempdir().unwrap();
    let lab = TestProxy::new();
    let server = Server::open(lab.aws.clone(), "127.0.0.1:0".parse().unwrap(), None, false).await.unwrap();
    let server = server.with_proxy_rate(std::num::NonZeroU32::new(120).unwrap());
    let (endpoint, file) = (format!("http://{}", server.address()), lab.write_configuration(dir.path()));
    tokio::spawn(server.run(std::future::pending()));
    let report =
        run_check(&[&["--endpoint", &endpoint, "--configuration", &file][..], &key_options()].concat()).await.unwrap();
    assert_eq!(checks_with_outcome(&report, "fail"), BTreeSet::new(), "{report:#}");
}

#[tokio::test(start_paused = true)]
async fn unresponsive_proxy_fails_fast() {
    let dir = tempfile::tempdir().unwrap();
    let file = TestProxy::new().write_configuration(dir.path());
    let unresponsive = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", unresponsive.local_addr().unwrap());
    let start = tokio::time::Instant::now();
    let error = run_check(&["--endpoint", &endpoint, "--configuration", &file, "--key", "good"]).await.unwrap_err();
    assert!(error.contains("no response within 3 seconds"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn slow_option_tests_half_sent_requests() {
    let dir = tempfile::tempdir().unwrap();
    let lab = TestProxy::new();
    let (correct, file) = (lab.serve(None).await, lab.write_configuration(dir.path()));
    // The server of axum has no timeout.
    let (_, _, no_fault) = faults::FAULTS[0];
    let without_timeout = faulty_proxy::FaultyProxy::serve(&lab, no_fault, false).await;
    for (address, outcome) in [(correct, "pass"), (without_timeout, "fail")] {
        let endpoint = format!("http://{address}");
        let arguments = ["--endpoint", &endpoint, "--configuration", &file, "--key", "good", "--slow"];
        let report = run_check(&arguments).await.unwrap();
        assert!(checks_with_outcome(&report, outcome).contains("request-half-sent"), "{report:#}");
    }
}
