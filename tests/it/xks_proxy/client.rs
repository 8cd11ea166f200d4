//! A served proxy and a client with its own HTTP/1.1 and Signature Version 4, so that tests can send requests that no
//! library would send.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use xks_console::bundled::BundledAws;
use xks_console::environment::{Clock, Environment};
use xks_console::server::Server;
use xks_console::server::tls;
use xks_console::xks::key_manager::{NewExternalKey, ProxyCredential};

/// The API path of the partition that the tests use.
pub const API_PATH: &str = "/lab/kms/xks/v1";

/// The protocol of connections to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Tls,
}

pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A proxy with the partition `lab`, served until the test ends.
pub struct ServedProxy {
    pub aws: BundledAws,
    pub clock: Clock,
    pub address: SocketAddr,
    pub credential: ProxyCredential,
    protocol: Protocol,
    /// The directory with the certificate authority of the server.
    dir: tempfile::TempDir,
}

/// Runs a check over HTTP, then over TLS.
pub async fn over_http_and_tls(check: impl AsyncFn(ServedProxy)) {
    for protocol in [Protocol::Http, Protocol::Tls] {
        eprintln!("over {protocol:?}");
        check(ServedProxy::start(protocol).await).await;
    }
}

/// Parses the credential in a proxy configuration file.
pub fn parse_credential(file: &str) -> ProxyCredential {
    let file: Value = serde_json::from_str(file).unwrap();
    let text = |name: &str| file["XksProxyAuthenticationCredential"][name].as_str().unwrap().to_owned();
    ProxyCredential {
        access_key_id: text("AccessKeyId"),
        secret_access_key: xks_console::aws::scalar::SecretString::new(text("RawSecretAccessKey")),
    }
}

impl ServedProxy {
    pub async fn start(protocol: Protocol) -> Self {
        Self::start_with(protocol, |server| server).await
    }

    /// Starts a proxy with a server that `configure` sets up.
    pub async fn start_with(protocol: Protocol, configure: impl FnOnce(Server) -> Server) -> Self {
        let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1);
        let clock = environment.clock.clone();
        Self::serve(BundledAws::in_memory("default", environment).unwrap(), clock, protocol, configure).await
    }

    /// Starts a proxy that keeps its keys in a directory.
    pub async fn start_in(data_dir: &Path, protocol: Protocol) -> Self {
        Self::serve(BundledAws::open(data_dir, None).unwrap(), Clock::System, protocol, |server| server).await
    }

    async fn serve(
        aws: BundledAws,
        clock: Clock,
        protocol: Protocol,
        configure: impl FnOnce(Server) -> Server,
    ) -> Self {
        let credential = parse_credential(&aws.create_partition("lab").unwrap());
        let key = |id: &str, spec: &str, usage: &[&str], enabled| NewExternalKey {
            id: id.to_owned(),
            manager_id: None,
            spec: spec.to_owned(),
            usage: usage.iter().map(|one| (*one).to_owned()).collect(),
            enabled,
            callers: Vec::new(),
        };
        for new_key in [
            key("good", "AES_256", &["ENCRYPT", "DECRYPT"], true),
            key("off", "AES_256", &["ENCRYPT", "DECRYPT"], false),
            key("encrypt-only", "AES_256", &["ENCRYPT"], true),
            key("decrypt-only", "AES_256", &["DECRYPT"], true),
            key("small", "AES_128", &["ENCRYPT", "DECRYPT"], true),
            key(&"k".repeat(128), "AES_256", &["ENCRYPT", "DECRYPT"], true),
            key("A.b-c_9", "AES_256", &["ENCRYPT", "DECRYPT"], true),
        ] {
            aws.key_manager().create_key("lab", &new_key).unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        let tls = (protocol == Protocol::Tls).then(|| tls::self_signed(dir.path(), None).unwrap().0);
        let server = Server::open(aws.clone(), "127.0.0.1:0".parse().unwrap(), tls, false).await.unwrap();
        let server = configure(server);
        let address = server.address();
        tokio::spawn(server.run(std::future::pending()));
        Self { aws, clock, address, credential, protocol, dir }
    }

    /// Opens a connection to the proxy.
    pub async fn connect(&self) -> Box<dyn Stream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        match self.protocol {
            Protocol::Http => Box::new(stream),
            Protocol::Tls => {
                let config = client_config_trusting(&self.dir.path().join("tls-ca.pem"), rustls::ALL_VERSIONS);
                Box::new(TlsConnector::from(config).connect("localhost".try_into().unwrap(), stream).await.unwrap())
            }
        }
    }

    /// Signs and sends a request and returns the response.
    pub async fn send(&self, request: &RawRequest) -> RawResponse {
        let mut stream = self.connect().await;
        self.send_on(&mut stream, request).await
    }

    /// Signs and sends a request on an open connection and returns the response.
    pub async fn send_on(&self, stream: &mut Box<dyn Stream>, request: &RawRequest) -> RawResponse {
        let bytes = request.to_bytes(&self.credential, self.clock.now());
        // A server that rejects the request may close the connection before it reads everything.
        let _ = stream.write_all(&bytes).await;
        RawResponse::read(stream).await
    }

    /// Calls an API with a body.
    pub async fn call(&self, api: &str, body: &Value) -> RawResponse {
        self.send(&RawRequest::new(api, body)).await
    }

    /// Encrypts and returns the response body. Asserts that the request succeeds.
    pub async fn encrypt(&self, body: &Value) -> Value {
        let response = self.call("/keys/good/encrypt", body).await;
        assert_eq!(response.status, 200, "{}", response.text);
        response.json()
    }
}

/// Returns a TLS client configuration that trusts one authority and supports these TLS versions.
pub fn client_config_trusting(
    authority: &std::path::Path,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    Arc::new(ClientConfig::builder_with_protocol_versions(versions).with_root_certificates(roots).with_no_client_auth())
}

/// A request and the settings for signing it.
#[derive(Clone)]
pub struct RawRequest {
    pub method: &'static str,
    /// The path and query.
    pub target: String,
    /// The headers except `host`, `x-amz-date`, and `content-length`, with lowercase names.
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub service: &'static str,
    pub region: &'static str,
    /// The headers that the signature covers. `None` leaves the request unsigned.
    pub signed_headers: Option<Vec<&'static str>>,
    /// How far the client's clock is ahead of the server's.
    pub clock_offset: SignedDuration,
    /// A credential to sign with instead of the proxy's.
    pub credential: Option<ProxyCredential>,
}

impl RawRequest {
    pub fn new(api: &str, body: &Value) -> Self {
        Self {
            method: "POST",
            target: format!("{API_PATH}{api}"),
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
            service: "kms-xks-proxy",
            region: "us-west-2",
            signed_headers: Some(vec!["host", "x-amz-date"]),
            clock_offset: SignedDuration::ZERO,
            credential: None,
        }
    }

    pub fn health() -> Self {
        Self::new("/health", &health_body())
    }

    /// Applies `change` to the request.
    pub fn modified(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Gives the request an invalid signature.
    pub fn with_invalid_signature(self) -> Self {
        let scope = "AAAAAAAAAAAAAAAAAAAA/20260302/us-west-2/kms-xks-proxy/aws4_request";
        let signature = "0".repeat(64);
        self.modified(|request| {
            request.signed_headers = None;
            request.headers.push(("x-amz-date", "20260302T101500Z".to_owned()));
            let value =
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={signature}");
            request.headers.push(("authorization", value));
        })
    }

    /// Returns the signed head, including the empty line.
    pub fn head(&self, credential: &ProxyCredential, now: Timestamp) -> String {
        let credential = self.credential.as_ref().unwrap_or(credential);
        let mut headers = self.headers.clone();
        headers.push(("host", "localhost".to_owned()));
        if let Some(signed_headers) = &self.signed_headers {
            let time = (now + self.clock_offset).strftime("%Y%m%dT%H%M%SZ").to_string();
            headers.push(("x-amz-date", time.clone()));
            let value = self.authorization(credential, signed_headers, &headers, &time);
            headers.push(("authorization", value));
        }
        if !headers.iter().any(|(name, _)| *name == "transfer-encoding") {
            headers.push(("content-length", self.body.len().to_string()));
        }
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head + "\r\n"
    }

    fn to_bytes(&self, credential: &ProxyCredential, now: Timestamp) -> Vec<u8> {
        [self.head(credential, now).as_bytes(), &self.body].concat()
    }

    /// Computes the Authorization header with Signature Version 4, as the IAM User Guide describes it.
    fn authorization(
        &self,
        credential: &ProxyCredential,
        signed_headers: &[&str],
        headers: &[(&str, String)],
        time: &str,
    ) -> String {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let value = |name: &str| headers.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        let covered: String = signed_headers.iter().map(|name| format!("{name}:{}\n", value(name))).collect();
        let signed_headers = signed_headers.join(";");
        let payload = hex(&Sha256::digest(&self.body));
        let canonical = format!("{}\n{path}\n{query}\n{covered}\n{signed_headers}\n{payload}", self.method);
        let scope = format!("{}/{}/{}/aws4_request", &time[..8], self.region, self.service);
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let start = format!("AWS4{}", credential.secret_access_key.expose()).into_bytes();
        let key = scope.split('/').fold(start, |key, part| hmac_sha256(&key, part));
        let id = &credential.access_key_id;
        let signature = hex(&hmac_sha256(&key, &text));
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed_headers}, Signature={signature}")
    }
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A response.
#[derive(Debug)]
pub struct RawResponse {
    pub status: u16,
    /// The status line and headers.
    pub head: String,
    pub text: String,
}

impl RawResponse {
    /// Reads one response and leaves the connection open.
    pub async fn read(stream: &mut Box<dyn Stream>) -> Self {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("a response"));
        }
        let head = String::from_utf8(head).unwrap();
        let status = head[9..12].parse().unwrap();
        let mut response = Self { status, head, text: String::new() };
        let length = response.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        response.text = String::from_utf8(body).unwrap();
        response
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?} is not JSON"))
    }

    /// Returns the status and the error name, if any. Asserts that an error has the format that KMS can read.
    pub fn outcome(&self) -> (u16, String) {
        if self.status == 200 || self.text.is_empty() {
            return (self.status, String::new());
        }
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        let body = self.json();
        let members: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert!(members.iter().all(|name| matches!(name.as_str(), "errorName" | "errorMessage")), "{self:?}");
        if let Some(message) = body.get("errorMessage") {
            let message = message.as_str().unwrap();
            assert!(message.len() < 512 && message.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{self:?}");
        }
        (self.status, body["errorName"].as_str().unwrap().to_owned())
    }

    /// Asserts that the response has this status and error name.
    #[track_caller]
    pub fn assert_outcome(&self, status: u16, name: &str, requirement: &str) {
        assert_eq!(self.outcome(), (status, name.to_owned()), "{requirement}: {self:?}");
    }
}

pub fn health_body() -> Value {
    json!({ "requestMetadata": { "kmsOperation": "KmsHealthCheck", "kmsRequestId": "4112f4d6-db54-4af4-ae30-c55a22a8dfae" } })
}

pub fn metadata_body() -> Value {
    json!({ "requestMetadata": { "awsPrincipalArn": "arn:aws:iam::111122223333:user/Alice", "kmsOperation": "CreateKey",
        "kmsRequestId": "4112f4d6-db54-4af4-ae30-c55a22a8dfae" } })
}

pub fn encrypt_body() -> Value {
    json!({ "requestMetadata": { "awsPrincipalArn": "arn:aws:iam::111122223333:user/Alice",
            "kmsKeyArn": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "kmsOperation": "Encrypt", "kmsRequestId": "4112f4d6-db54-4af4-ae30-c55a22a8dfae" },
        "additionalAuthenticatedData": "cHJvamVjdD1uaWxl", "plaintext": "SGVsbG8gV29ybGQh",
        "encryptionAlgorithm": "AES_GCM", "ciphertextDataIntegrityValueAlgorithm": "SHA_256" })
}

/// Returns the Decrypt request body for a response of Encrypt.
pub fn decrypt_body(encrypted: &Value) -> Value {
    let mut body = encrypt_body();
    let members = body.as_object_mut().unwrap();
    members.remove("plaintext");
    members.remove("ciphertextDataIntegrityValueAlgorithm");
    for name in ["ciphertext", "initializationVector", "authenticationTag", "ciphertextMetadata"] {
        members.insert(name.to_owned(), encrypted[name].clone());
    }
    body["requestMetadata"]["kmsOperation"] = "Decrypt".into();
    body
}

/// Sets the member at the JSON pointer, or removes it if `value` is `None`.
pub fn with_member(mut body: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let members = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    body
}
