//! The probe with which checks send requests to the proxy and record the responses.

mod requests;
mod sending;

use http::StatusCode;
use serde_json::Value;

use super::connection::{ConnectError, Connection, Connector, TIMEOUT};
use super::latency::Latency;
use super::request::ProbeRequest;
use super::response::{CheckError, ProbeResponse, base64, fail, optional_base64, skip};
use super::target::CheckTarget;
use crate::environment::Clock;
use crate::xks::wire::AES_256;

/// The plaintext in [`Probe::encrypt_request`].
pub const PLAINTEXT: &[u8] = b"Hello World!";
/// The additional authenticated data (AAD) in [`Probe::encrypt_request`].
pub const AAD: &[u8] = b"project=nile,department=marketing";

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
