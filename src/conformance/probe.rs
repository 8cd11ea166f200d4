//! What a check talks to the proxy with: requests as KMS makes them, and all that was said.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};

use super::connection::{Body, ConnectError, Connection, Connector, TIMEOUT};
use super::latency::Latency;
use super::request::ProbeRequest;
use super::response::{CheckError, ProbeResponse, THROTTLED, base64, fail, optional_base64, skip};
use super::target::CheckTarget;
use crate::environment::Clock;
use crate::xks::wire::{AES_256, AES_GCM, MAX_BODY, SHA_256};

/// What [`Probe::encrypt`] asks to encrypt.
pub const PLAINTEXT: &[u8] = b"Hello World!";
/// ... and to authenticate with it.
pub const AAD: &[u8] = b"project=nile,department=marketing";

/// How often, and how long after, what was throttled is sent again.
const MAX_RETRIES: usize = 3;
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// A request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method and the path.
    pub request_line: String,
    /// How it was signed, and made wrong.
    pub signature: String,
    /// The body.
    pub request_body: Vec<u8>,
    /// Whether KMS would send it, but for its content.
    pub is_valid_for_kms: bool,
    /// The answer, or why there is none.
    pub outcome: Result<ProbeResponse, String>,
}

/// An external key that was named, and what the proxy says of it.
#[derive(Clone, Debug)]
pub struct ProbedKey {
    /// The external key ID.
    pub id: String,
    /// The answer of GetKeyMetadata; null if there was none.
    pub metadata: Value,
}

impl ProbedKey {
    /// Whether it may be used so.
    pub fn has_usage(&self, usage: &str) -> bool {
        self.metadata["keyUsage"].as_array().is_some_and(|all| all.iter().any(|one| one == usage))
    }

    /// Whether it is an enabled AES key of 256 bits.
    pub fn is_enabled(&self) -> bool {
        self.metadata["keySpec"] == AES_256 && self.metadata["keyStatus"] == "ENABLED"
    }

    /// Whether it is such a key, and disabled.
    pub fn is_disabled(&self) -> bool {
        self.metadata["keySpec"] == AES_256 && self.metadata["keyStatus"] == "DISABLED"
    }

    /// Whether KMS makes a KMS key on it.
    pub fn is_usable(&self) -> bool {
        self.is_enabled() && self.has_usage("ENCRYPT") && self.has_usage("DECRYPT")
    }
}

/// What Encrypt gave, decoded.
#[derive(Clone, Debug, Default)]
pub struct EncryptedData {
    /// The additional authenticated data that it was asked with.
    pub aad: Option<Vec<u8>>,
    /// The ciphertext metadata.
    pub metadata: Option<Vec<u8>>,
    /// The initialization vector.
    pub iv: Vec<u8>,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
    /// The authentication tag.
    pub tag: Vec<u8>,
    /// The ciphertext data integrity value.
    pub cdiv: Option<Vec<u8>>,
}

/// Talks to the proxy, and remembers.
pub struct Probe {
    /// The proxy.
    pub target: CheckTarget,
    /// The way to it.
    pub connector: Connector,
    /// The keys that were named.
    pub keys: Vec<ProbedKey>,
    /// Whether the proxy takes the credential.
    pub is_credential_accepted: bool,
    /// How many requests of each kind are timed.
    pub timed_requests: usize,
    /// Whether there is time for checks that take long.
    pub runs_slow_checks: bool,
    /// All that was said so far.
    pub exchanges: Vec<Exchange>,
    /// What the check at hand has found worth telling.
    pub notes: Vec<String>,
    /// How long requests took.
    pub latencies: Vec<Latency>,
    clock: Clock,
    connection: Option<Connection>,
    base_request_id: String,
    request_count: u64,
}

impl Probe {
    /// A probe that has said nothing yet. `request_id`, a UUID, starts the request IDs, so that they are found in logs.
    pub fn new(target: CheckTarget, connector: Connector, requests: usize, clock: Clock, request_id: String) -> Self {
        Self {
            target,
            connector,
            keys: Vec::new(),
            is_credential_accepted: true,
            timed_requests: requests,
            runs_slow_checks: false,
            exchanges: Vec::new(),
            notes: Vec::new(),
            latencies: Vec::new(),
            clock,
            connection: None,
            base_request_id: request_id,
            request_count: 0,
        }
    }

    /// Starts the next check: with a connection of its own, so that none is harmed by what another has sent.
    pub fn start_check(&mut self) -> usize {
        self.connection = None;
        self.notes.clear();
        self.exchanges.len()
    }

    /// Tells something beside the outcome.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// The first key on which KMS would make a KMS key.
    pub fn usable_key(&self) -> Result<String, CheckError> {
        self.find_key("ENABLED, AES_256 and for ENCRYPT and DECRYPT", ProbedKey::is_usable)
    }

    /// The first key that is so, which `how` tells.
    pub fn find_key(&self, description: &str, predicate: impl Fn(&ProbedKey) -> bool) -> Result<String, CheckError> {
        match self.keys.iter().find(|key| predicate(key)) {
            Some(key) => Ok(key.id.clone()),
            None => skip(format!("no --key is {description}")),
        }
    }

    /// What is in the request IDs of this run and of no other.
    pub fn run_id(&self) -> &str {
        self.base_request_id.get(..8).unwrap_or_default()
    }

    fn request_metadata(&mut self, operation: &str) -> Value {
        self.request_count += 1;
        let start = self.base_request_id.get(..24).unwrap_or_default();
        json!({
            "awsPrincipalArn": self.target.principal,
            "kmsOperation": operation,
            "kmsRequestId": format!("{start}{:012x}", self.request_count),
        })
    }

    /// A path under the URI path of the proxy.
    pub fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.target.uri_path)
    }

    /// GetHealthStatus, right.
    pub fn health_request(&mut self) -> ProbeRequest {
        let metadata = self.request_metadata("KmsHealthCheck");
        ProbeRequest::new(self.path("/health"), json!({ "requestMetadata": metadata }))
            .without_member("/requestMetadata/awsPrincipalArn")
    }

    /// GetKeyMetadata, right.
    pub fn key_metadata_request(&mut self, key: &str) -> ProbeRequest {
        let metadata = self.request_metadata("CreateKey");
        ProbeRequest::new(self.path(&format!("/keys/{key}/metadata")), json!({ "requestMetadata": metadata }))
    }

    /// Encrypt of [`PLAINTEXT`] and [`AAD`] with CDIV, right.
    pub fn encrypt_request(&mut self, key: &str) -> ProbeRequest {
        let metadata = self.request_metadata("Encrypt");
        let body = json!({
            "requestMetadata": metadata,
            "encryptionAlgorithm": AES_GCM,
            "ciphertextDataIntegrityValueAlgorithm": SHA_256,
        });
        ProbeRequest::new(self.path(&format!("/keys/{key}/encrypt")), body)
            .with_member("/requestMetadata/kmsKeyArn", self.target.kms_key_arn.clone())
            .with_bytes("/plaintext", PLAINTEXT)
            .with_bytes("/additionalAuthenticatedData", AAD)
    }

    /// Decrypt of what Encrypt gave, right.
    pub fn decrypt_request(&mut self, key: &str, encrypted: &EncryptedData) -> ProbeRequest {
        let metadata = self.request_metadata("Decrypt");
        let body = json!({ "requestMetadata": metadata, "encryptionAlgorithm": AES_GCM });
        let mut request = ProbeRequest::new(self.path(&format!("/keys/{key}/decrypt")), body)
            .with_member("/requestMetadata/kmsKeyArn", self.target.kms_key_arn.clone())
            .with_bytes("/ciphertext", &encrypted.ciphertext)
            .with_bytes("/initializationVector", &encrypted.iv)
            .with_bytes("/authenticationTag", &encrypted.tag);
        for (pointer, bytes) in
            [("/ciphertextMetadata", &encrypted.metadata), ("/additionalAuthenticatedData", &encrypted.aad)]
        {
            if let Some(bytes) = bytes {
                request = request.with_bytes(pointer, bytes);
            }
        }
        request
    }

    /// Encrypts by the usable key; gives the key and what it made.
    pub async fn encrypt_sample(&mut self) -> Result<(String, EncryptedData), CheckError> {
        let key = self.usable_key()?;
        let request = self.encrypt_request(&key);
        let encrypted = self.send_encrypt(&request).await?;
        Ok((key, encrypted))
    }

    /// Sends an Encrypt, which must succeed.
    pub async fn send_encrypt(&mut self, request: &ProbeRequest) -> Result<EncryptedData, CheckError> {
        let body = self.send(request).await?.success_body()?;
        Ok(EncryptedData {
            aad: optional_base64(&request.json, "additionalAuthenticatedData")?,
            metadata: optional_base64(&body, "ciphertextMetadata")?,
            iv: base64(&body, "initializationVector")?,
            ciphertext: base64(&body, "ciphertext")?,
            tag: base64(&body, "authenticationTag")?,
            cdiv: optional_base64(&body, "ciphertextDataIntegrityValue")?,
        })
    }

    /// Sends a Decrypt, which must give `plaintext`.
    pub async fn ensure_decrypts_to(&mut self, request: &ProbeRequest, plaintext: &[u8]) -> Result<(), CheckError> {
        let body = self.send(request).await?.success_body()?;
        if base64(&body, "plaintext")? == plaintext { Ok(()) } else { fail("the plaintext is another one") }
    }

    /// Sends a request and waits for its answer. What the proxy throttles is sent again, after a pause.
    pub async fn send(&mut self, request: &ProbeRequest) -> Result<ProbeResponse, CheckError> {
        let mut outcome = self.send_once(request).await;
        for _ in 0..MAX_RETRIES {
            if !outcome.as_ref().is_ok_and(|response| response.status == StatusCode::TOO_MANY_REQUESTS) {
                break;
            }
            tokio::time::sleep(RETRY_DELAY).await;
            outcome = self.send_once(request).await;
        }
        self.record(request, outcome.clone());
        outcome.map_err(CheckError::Failed)
    }

    /// Remembers what came of a request.
    pub fn record(&mut self, request: &ProbeRequest, outcome: Result<ProbeResponse, String>) {
        self.exchanges.push(Exchange {
            request_line: format!("{} {}", request.method, request.path_and_query),
            signature: request.describe_signature(),
            request_body: if request.declared_length.is_some() { Vec::new() } else { request.body() },
            is_valid_for_kms: request.is_valid_for_kms,
            outcome,
        });
    }

    /// Sends a request over the connection of the check at hand, or a new one where the proxy has closed it.
    pub async fn send_once(&mut self, request: &ProbeRequest) -> Result<ProbeResponse, String> {
        let mut connection = self.connection.take();
        if let Some(open) = &mut connection
            && !open.is_open().await
        {
            connection = None;
        }
        let deadline = tokio::time::timeout(TIMEOUT, async {
            let mut connection = match connection {
                Some(connection) => connection,
                None => self.connector.connect().await.map_err(|error| error.to_string())?,
            };
            let response = send_over(&mut connection, request, &self.target, &self.clock).await?;
            Ok((connection, response))
        });
        match deadline.await {
            Ok(Ok((connection, response))) => {
                self.connection = Some(connection);
                Ok(response)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(format!("no answer in {} seconds", TIMEOUT.as_secs())),
        }
    }

    /// Sends requests at once, each on a connection of its own.
    pub async fn send_concurrently(&mut self, requests: Vec<ProbeRequest>) -> Vec<Result<ProbeResponse, String>> {
        let each = requests.iter().map(|request| async {
            let response = async {
                let mut connection = self.connector.connect().await.map_err(|error| error.to_string())?;
                send_over(&mut connection, request, &self.target, &self.clock).await
            };
            let waited = tokio::time::timeout(TIMEOUT, response).await;
            waited.unwrap_or_else(|_| Err(format!("no answer in {} seconds", TIMEOUT.as_secs())))
        });
        let outcomes = futures_util::future::join_all(each).await;
        for (request, outcome) in requests.iter().zip(&outcomes) {
            self.record(request, outcome.clone());
        }
        outcomes
    }

    /// Asks for the health, to see whether the proxy can be reached at all.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn check_reachable(&mut self) -> Result<(), ConnectError> {
        let no_response = || ConnectError::NoResponse(format!("there is no answer in {} seconds", TIMEOUT.as_secs()));
        let opened = tokio::time::timeout(TIMEOUT, self.connector.connect()).await.map_err(|_| no_response())?;
        self.connection = Some(opened?);
        let request = self.health_request();
        let response = self.send_once(&request).await;
        let response = response.map_err(|error| {
            if self.connector.was_certificate_requested() {
                ConnectError::CertificateRequired(error)
            } else {
                ConnectError::NoResponse(format!("there is no HTTP answer: {error}"))
            }
        })?;
        self.is_credential_accepted = response.status != StatusCode::UNAUTHORIZED;
        Ok(())
    }

    /// Asks what the named keys are.
    pub async fn load_keys(&mut self, ids: &[String]) {
        for id in ids {
            let request = self.key_metadata_request(id);
            let response = self.send(&request).await;
            let metadata = response.and_then(|response| response.success_body()).unwrap_or_default();
            self.keys.push(ProbedKey { id: id.clone(), metadata });
        }
    }

    /// Signs as KMS would, now.
    pub fn sign(&self, request: &ProbeRequest) -> Result<http::Request<Bytes>, CheckError> {
        request.sign(&self.target, self.clock.now()).or_else(fail)
    }

    /// How long one request takes on the connection at hand.
    pub async fn time_request(&mut self, request: &ProbeRequest) -> Result<Duration, CheckError> {
        let start = Instant::now();
        let response = self.send_once(request).await;
        let elapsed = start.elapsed();
        if response.as_ref().is_ok_and(|response| response.status == StatusCode::OK) {
            return Ok(elapsed);
        }
        self.record(request, response.clone());
        let response = response.map_err(CheckError::Failed)?;
        if response.status == StatusCode::TOO_MANY_REQUESTS {
            return skip(THROTTLED);
        }
        response.success_body().map(|_| elapsed)
    }

    /// Leaves the connection at hand; the next request opens another.
    pub fn disconnect(&mut self) {
        self.connection = None;
    }

    /// Whether the connection at hand can be used again.
    pub async fn is_kept_alive(&mut self) -> bool {
        match &mut self.connection {
            Some(connection) => connection.is_open().await,
            None => false,
        }
    }
}

async fn send_over(
    connection: &mut Connection,
    request: &ProbeRequest,
    target: &CheckTarget,
    clock: &Clock,
) -> Result<ProbeResponse, String> {
    let mut http_request = request.sign(target, clock.now())?;
    let origin = http_request.uri().path_and_query().map_or("/", |it| it.as_str()).parse();
    *http_request.uri_mut() = origin.map_err(|_| "the path isn't one of a URI".to_owned())?;
    if let Some(size) = request.declared_length {
        http_request.headers_mut().insert(CONTENT_LENGTH, size.into());
    }
    let http_request = http_request.map(|body| request_body(body, request.declared_length.is_some()));
    let broken = |error: hyper::Error| format!("the connection broke off: {error}");
    let response = connection.send(http_request).await.map_err(broken)?;
    let (head, mut incoming) = response.into_parts();
    let mut body = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame.map_err(broken)?.into_data() {
            body.extend_from_slice(&data);
        }
        if body.len() > MAX_BODY {
            return Err(format!("{} and more than {MAX_BODY} bytes", head.status.as_u16()));
        }
    }
    Ok(ProbeResponse { status: head.status, headers: head.headers, body: body.freeze() })
}

fn request_body(bytes: Bytes, is_withheld: bool) -> Body {
    if is_withheld {
        let never = futures_util::stream::pending::<Result<Frame<Bytes>, std::convert::Infallible>>();
        StreamBody::new(never).boxed_unsync()
    } else {
        Full::new(bytes).boxed_unsync()
    }
}
