//! The probe with which checks send requests to the proxy and record the responses.

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

/// The plaintext in [`Probe::encrypt_request`].
pub const PLAINTEXT: &[u8] = b"Hello World!";
/// The additional authenticated data (AAD) in [`Probe::encrypt_request`].
pub const AAD: &[u8] = b"project=nile,department=marketing";

/// The maximum number of retries of a throttled request.
const MAX_RETRIES: usize = 3;
/// The delay before each retry.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// A request and its outcome.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method and the path.
    pub request_line: String,
    /// How the request was signed and changed.
    pub signature: String,
    /// The body of the request.
    pub request_body: Vec<u8>,
    /// Whether AWS KMS could send a request of this form.
    pub is_valid_for_kms: bool,
    /// The response, or the reason why there is none.
    pub outcome: Result<ProbeResponse, String>,
}

/// An external key given with `--key` and its metadata.
#[derive(Clone, Debug)]
pub struct ProbedKey {
    /// The external key ID.
    pub id: String,
    /// The response to GetKeyMetadata, or null if it failed.
    pub metadata: Value,
}

impl ProbedKey {
    /// Returns whether the key allows this usage.
    pub fn has_usage(&self, usage: &str) -> bool {
        self.metadata["keyUsage"].as_array().is_some_and(|all| all.iter().any(|one| one == usage))
    }

    /// Returns whether the key is an enabled `AES_256` key.
    pub fn is_enabled(&self) -> bool {
        self.metadata["keySpec"] == AES_256 && self.metadata["keyStatus"] == "ENABLED"
    }

    /// Returns whether the key is a disabled `AES_256` key.
    pub fn is_disabled(&self) -> bool {
        self.metadata["keySpec"] == AES_256 && self.metadata["keyStatus"] == "DISABLED"
    }

    /// Returns whether AWS KMS can create a KMS key with this external key.
    pub fn is_usable(&self) -> bool {
        self.is_enabled() && self.has_usage("ENCRYPT") && self.has_usage("DECRYPT")
    }
}

/// The decoded response to Encrypt.
#[derive(Clone, Debug, Default)]
pub struct EncryptedData {
    /// The additional authenticated data in the request.
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

/// Sends requests to the proxy and records the responses.
pub struct Probe {
    /// The proxy.
    pub target: CheckTarget,
    /// The connector for the proxy.
    pub connector: Connector,
    /// The external keys given with `--key`.
    pub keys: Vec<ProbedKey>,
    /// Whether the proxy accepts the credential.
    pub is_credential_accepted: bool,
    /// The number of requests of each kind to time.
    pub timed_requests: usize,
    /// Whether to run slow checks.
    pub runs_slow_checks: bool,
    /// All requests so far and their outcomes.
    pub exchanges: Vec<Exchange>,
    /// The notes of the current check.
    pub notes: Vec<String>,
    /// The measured latencies.
    pub latencies: Vec<Latency>,
    clock: Clock,
    connection: Option<Connection>,
    base_request_id: String,
    request_count: u64,
}

impl Probe {
    /// Creates a probe.
    ///
    /// All request IDs share a prefix with `request_id`, a UUID, so that this run can be found in logs.
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

    /// Starts the next check on a new connection, so that checks don't affect each other.
    ///
    /// Returns the index of its first exchange.
    pub fn start_check(&mut self) -> usize {
        self.connection = None;
        self.notes.clear();
        self.exchanges.len()
    }

    /// Adds a note to the current check.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Returns the ID of the first key with which AWS KMS can create a KMS key.
    ///
    /// # Errors
    /// [`CheckError::Skipped`] if there is none.
    pub fn usable_key(&self) -> Result<String, CheckError> {
        self.find_key("an enabled AES_256 key that allows ENCRYPT and DECRYPT", ProbedKey::is_usable)
    }

    /// Returns the ID of the first key that satisfies `predicate`.
    ///
    /// # Errors
    /// [`CheckError::Skipped`] if there is none. The reason contains `description`.
    pub fn find_key(&self, description: &str, predicate: impl Fn(&ProbedKey) -> bool) -> Result<String, CheckError> {
        match self.keys.iter().find(|key| predicate(key)) {
            Some(key) => Ok(key.id.clone()),
            None => skip(format!("no --key option names {description}")),
        }
    }

    /// Returns the part of the request IDs that is unique to this run.
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

    /// Returns the proxy URI path followed by `rest`.
    pub fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.target.uri_path)
    }

    /// Returns a valid GetHealthStatus request.
    pub fn health_request(&mut self) -> ProbeRequest {
        let metadata = self.request_metadata("KmsHealthCheck");
        ProbeRequest::new(self.path("/health"), json!({ "requestMetadata": metadata }))
            .without_member("/requestMetadata/awsPrincipalArn")
    }

    /// Returns a valid GetKeyMetadata request.
    pub fn key_metadata_request(&mut self, key: &str) -> ProbeRequest {
        let metadata = self.request_metadata("CreateKey");
        ProbeRequest::new(self.path(&format!("/keys/{key}/metadata")), json!({ "requestMetadata": metadata }))
    }

    /// Returns a valid Encrypt request with [`PLAINTEXT`], [`AAD`], and a ciphertext data integrity value algorithm.
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

    /// Returns a valid Decrypt request.
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

    /// Encrypts with the first usable key. Returns the ID of the key and the response.
    ///
    /// # Errors
    /// [`CheckError::Skipped`] if there is no usable key, [`CheckError::Failed`] if Encrypt fails.
    pub async fn encrypt_sample(&mut self) -> Result<(String, EncryptedData), CheckError> {
        let key = self.usable_key()?;
        let request = self.encrypt_request(&key);
        let encrypted = self.send_encrypt(&request).await?;
        Ok((key, encrypted))
    }

    /// Sends an Encrypt request and returns the decoded response.
    ///
    /// # Errors
    /// [`CheckError::Failed`] if Encrypt fails or the response is invalid.
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

    /// Sends a Decrypt request and checks that it returns `plaintext`.
    ///
    /// # Errors
    /// [`CheckError::Failed`] if Decrypt fails or returns a different plaintext.
    pub async fn ensure_decrypts_to(&mut self, request: &ProbeRequest, plaintext: &[u8]) -> Result<(), CheckError> {
        let body = self.send(request).await?.success_body()?;
        if base64(&body, "plaintext")? == plaintext { Ok(()) } else { fail("the plaintext differs from the original") }
    }

    /// Sends a request and returns the response. Retries a throttled request after a delay.
    ///
    /// # Errors
    /// [`CheckError::Failed`] if there is no response.
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

    /// Records the outcome of a request.
    pub fn record(&mut self, request: &ProbeRequest, outcome: Result<ProbeResponse, String>) {
        self.exchanges.push(Exchange {
            request_line: format!("{} {}", request.method, request.path_and_query),
            signature: request.describe_signature(),
            request_body: if request.declared_length.is_some() { Vec::new() } else { request.body() },
            is_valid_for_kms: request.is_valid_for_kms,
            outcome,
        });
    }

    /// Sends a request on the current connection, or on a new one if the proxy closed it.
    ///
    /// # Errors
    /// Returns a message for the user if there is no response.
    pub async fn send_once(&mut self, request: &ProbeRequest) -> Result<ProbeResponse, String> {
        let mut connection = self.connection.take();
        if let Some(open) = &mut connection
            && !open.is_open().await
        {
            connection = None;
        }
        let attempt = tokio::time::timeout(TIMEOUT, async {
            let mut connection = match connection {
                Some(connection) => connection,
                None => self.connector.connect().await.map_err(|error| error.to_string())?,
            };
            let response = send_over(&mut connection, request, &self.target, &self.clock).await?;
            Ok((connection, response))
        });
        match attempt.await {
            Ok(Ok((connection, response))) => {
                self.connection = Some(connection);
                Ok(response)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(format!("no response within {} seconds", TIMEOUT.as_secs())),
        }
    }

    /// Sends requests concurrently, each on its own connection.
    pub async fn send_concurrently(&mut self, requests: Vec<ProbeRequest>) -> Vec<Result<ProbeResponse, String>> {
        let exchanges = requests.iter().map(|request| async {
            let response = async {
                let mut connection = self.connector.connect().await.map_err(|error| error.to_string())?;
                send_over(&mut connection, request, &self.target, &self.clock).await
            };
            let outcome = tokio::time::timeout(TIMEOUT, response).await;
            outcome.unwrap_or_else(|_| Err(format!("no response within {} seconds", TIMEOUT.as_secs())))
        });
        let outcomes = futures_util::future::join_all(exchanges).await;
        for (request, outcome) in requests.iter().zip(&outcomes) {
            self.record(request, outcome.clone());
        }
        outcomes
    }

    /// Requests the health status to check whether the proxy responds and whether it accepts the credential.
    ///
    /// # Errors
    /// [`ConnectError`] if there is no response.
    pub async fn check_reachable(&mut self) -> Result<(), ConnectError> {
        let no_response = || ConnectError::NoResponse(format!("no response within {} seconds", TIMEOUT.as_secs()));
        let opened = tokio::time::timeout(TIMEOUT, self.connector.connect()).await.map_err(|_| no_response())?;
        self.connection = Some(opened?);
        let request = self.health_request();
        let response = self.send_once(&request).await;
        let response = response.map_err(|error| {
            if self.connector.was_certificate_requested() {
                ConnectError::CertificateRequired(error)
            } else {
                ConnectError::NoResponse(format!("the HTTP request failed: {error}"))
            }
        })?;
        self.is_credential_accepted = response.status != StatusCode::UNAUTHORIZED;
        Ok(())
    }

    /// Requests the metadata of the given keys.
    pub async fn load_keys(&mut self, ids: &[String]) {
        for id in ids {
            let request = self.key_metadata_request(id);
            let response = self.send(&request).await;
            let metadata = response.and_then(|response| response.success_body()).unwrap_or_default();
            self.keys.push(ProbedKey { id: id.clone(), metadata });
        }
    }

    /// Signs a request with the current time.
    ///
    /// # Errors
    /// [`CheckError::Failed`] if the request can't be signed.
    pub fn sign(&self, request: &ProbeRequest) -> Result<http::Request<Bytes>, CheckError> {
        request.sign(&self.target, self.clock.now()).or_else(fail)
    }

    /// Sends a request on the current connection and returns the time until the response.
    ///
    /// # Errors
    /// [`CheckError::Skipped`] if the proxy throttles the request, [`CheckError::Failed`] if the request fails.
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

    /// Closes the current connection. The next request opens a new one.
    pub fn disconnect(&mut self) {
        self.connection = None;
    }

    /// Returns whether the current connection can be used again.
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
    *http_request.uri_mut() = origin.map_err(|_| "the request path isn't valid in a URI".to_owned())?;
    if let Some(size) = request.declared_length {
        http_request.headers_mut().insert(CONTENT_LENGTH, size.into());
    }
    let http_request = http_request.map(|body| request_body(body, request.declared_length.is_some()));
    let connection_failed = |error: hyper::Error| format!("the connection failed: {error}");
    let response = connection.send(http_request).await.map_err(connection_failed)?;
    let (head, mut incoming) = response.into_parts();
    let mut body = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame.map_err(connection_failed)?.into_data() {
            body.extend_from_slice(&data);
        }
        if body.len() > MAX_BODY {
            return Err(format!("{} with a body of more than {MAX_BODY} bytes", head.status.as_u16()));
        }
    }
    Ok(ProbeResponse { status: head.status, headers: head.headers, body: body.freeze() })
}

fn request_body(bytes: Bytes, is_withheld: bool) -> Body {
    if is_withheld {
        let pending = futures_util::stream::pending::<Result<Frame<Bytes>, std::convert::Infallible>>();
        StreamBody::new(pending).boxed_unsync()
    } else {
        Full::new(bytes).boxed_unsync()
    }
}
