//! What a check talks to the proxy with: requests as KMS makes them, and all that was said.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};

use super::answer::{Answer, Stop, THROTTLED, base64, fail, optional_base64, skip};
use super::ask::Ask;
use super::connection::{Body, Connection, Connector, PATIENCE, Unreachable};
use super::latency::Latency;
use super::target::Target;
use crate::environment::Clock;
use crate::xks::wire::{AES_256, AES_GCM, MAX_BODY, SHA_256};

/// What [`Probe::encrypt`] asks to encrypt.
pub const PLAINTEXT: &[u8] = b"Hello World!";
/// ... and to authenticate with it.
pub const AAD: &[u8] = b"project=nile,department=marketing";

/// How often, and how long after, what was throttled is sent again.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// A request and what came of it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The method and the path.
    pub line: String,
    /// How it was signed, and made wrong.
    pub how: String,
    /// The body.
    pub sent: Vec<u8>,
    /// Whether KMS would send it, but for its content.
    pub is_of_kms: bool,
    /// The answer, or why there is none.
    pub outcome: Result<Answer, String>,
}

/// An external key that was named, and what the proxy says of it.
#[derive(Clone, Debug)]
pub struct ExternalKey {
    /// The external key ID.
    pub id: String,
    /// The answer of GetKeyMetadata; null if there was none.
    pub metadata: Value,
}

impl ExternalKey {
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
pub struct Sealed {
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
    pub target: Target,
    /// The way to it.
    pub connector: Connector,
    /// The keys that were named.
    pub keys: Vec<ExternalKey>,
    /// Whether the proxy takes the credential.
    pub is_let_in: bool,
    /// How many requests of each kind are timed.
    pub requests: usize,
    /// Whether there is time for checks that take long.
    pub is_slow: bool,
    /// All that was said so far.
    pub exchanges: Vec<Exchange>,
    /// What the check at hand has found worth telling.
    pub notes: Vec<String>,
    /// How long requests took.
    pub latencies: Vec<Latency>,
    clock: Clock,
    connection: Option<Connection>,
    request_id: String,
    count: u64,
}

impl Probe {
    /// A probe that has said nothing yet. `request_id`, a UUID, starts the request IDs, so that they are found in logs.
    pub fn new(target: Target, connector: Connector, requests: usize, clock: Clock, request_id: String) -> Self {
        Self {
            target,
            connector,
            keys: Vec::new(),
            is_let_in: true,
            requests,
            is_slow: false,
            exchanges: Vec::new(),
            notes: Vec::new(),
            latencies: Vec::new(),
            clock,
            connection: None,
            request_id,
            count: 0,
        }
    }

    /// Starts the next check: with a connection of its own, so that none is harmed by what another has sent.
    pub fn begin(&mut self) -> usize {
        self.connection = None;
        self.notes.clear();
        self.exchanges.len()
    }

    /// Tells something beside the outcome.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// The first key on which KMS would make a KMS key.
    pub fn usable_key(&self) -> Result<String, Stop> {
        self.key_that("ENABLED, AES_256 and for ENCRYPT and DECRYPT", ExternalKey::is_usable)
    }

    /// The first key that is so, which `how` tells.
    pub fn key_that(&self, how: &str, is_so: impl Fn(&ExternalKey) -> bool) -> Result<String, Stop> {
        match self.keys.iter().find(|key| is_so(key)) {
            Some(key) => Ok(key.id.clone()),
            None => skip(format!("no --key is {how}")),
        }
    }

    /// What is in the request IDs of this run and of no other.
    pub fn run_id(&self) -> &str {
        self.request_id.get(..8).unwrap_or_default()
    }

    fn request_metadata(&mut self, operation: &str) -> Value {
        self.count += 1;
        let start = self.request_id.get(..24).unwrap_or_default();
        json!({
            "awsPrincipalArn": self.target.principal,
            "kmsOperation": operation,
            "kmsRequestId": format!("{start}{:012x}", self.count),
        })
    }

    /// A path under the URI path of the proxy.
    pub fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.target.uri_path)
    }

    /// GetHealthStatus, right.
    pub fn health(&mut self) -> Ask {
        let metadata = self.request_metadata("KmsHealthCheck");
        Ask::new(self.path("/health"), json!({ "requestMetadata": metadata }))
            .without("/requestMetadata/awsPrincipalArn")
    }

    /// GetKeyMetadata, right.
    pub fn metadata(&mut self, key: &str) -> Ask {
        let metadata = self.request_metadata("CreateKey");
        Ask::new(self.path(&format!("/keys/{key}/metadata")), json!({ "requestMetadata": metadata }))
    }

    /// Encrypt of [`PLAINTEXT`] and [`AAD`] with CDIV, right.
    pub fn encrypt(&mut self, key: &str) -> Ask {
        let metadata = self.request_metadata("Encrypt");
        let body = json!({
            "requestMetadata": metadata,
            "encryptionAlgorithm": AES_GCM,
            "ciphertextDataIntegrityValueAlgorithm": SHA_256,
        });
        Ask::new(self.path(&format!("/keys/{key}/encrypt")), body)
            .with("/requestMetadata/kmsKeyArn", self.target.kms_key_arn.clone())
            .with_bytes("/plaintext", PLAINTEXT)
            .with_bytes("/additionalAuthenticatedData", AAD)
    }

    /// Decrypt of what Encrypt gave, right.
    pub fn decrypt(&mut self, key: &str, sealed: &Sealed) -> Ask {
        let metadata = self.request_metadata("Decrypt");
        let body = json!({ "requestMetadata": metadata, "encryptionAlgorithm": AES_GCM });
        let mut ask = Ask::new(self.path(&format!("/keys/{key}/decrypt")), body)
            .with("/requestMetadata/kmsKeyArn", self.target.kms_key_arn.clone())
            .with_bytes("/ciphertext", &sealed.ciphertext)
            .with_bytes("/initializationVector", &sealed.iv)
            .with_bytes("/authenticationTag", &sealed.tag);
        for (pointer, bytes) in
            [("/ciphertextMetadata", &sealed.metadata), ("/additionalAuthenticatedData", &sealed.aad)]
        {
            if let Some(bytes) = bytes {
                ask = ask.with_bytes(pointer, bytes);
            }
        }
        ask
    }

    /// Encrypts by the usable key; gives the key and what it made.
    pub async fn seal(&mut self) -> Result<(String, Sealed), Stop> {
        let key = self.usable_key()?;
        let ask = self.encrypt(&key);
        let sealed = self.sealed(&ask).await?;
        Ok((key, sealed))
    }

    /// Sends an Encrypt, which must succeed.
    pub async fn sealed(&mut self, ask: &Ask) -> Result<Sealed, Stop> {
        let body = self.send(ask).await?.success()?;
        Ok(Sealed {
            aad: optional_base64(&ask.json, "additionalAuthenticatedData")?,
            metadata: optional_base64(&body, "ciphertextMetadata")?,
            iv: base64(&body, "initializationVector")?,
            ciphertext: base64(&body, "ciphertext")?,
            tag: base64(&body, "authenticationTag")?,
            cdiv: optional_base64(&body, "ciphertextDataIntegrityValue")?,
        })
    }

    /// Sends a Decrypt, which must give `plaintext`.
    pub async fn opens(&mut self, ask: &Ask, plaintext: &[u8]) -> Result<(), Stop> {
        let body = self.send(ask).await?.success()?;
        if base64(&body, "plaintext")? == plaintext { Ok(()) } else { fail("the plaintext is another one") }
    }

    /// Sends a request and waits for its answer. What the proxy throttles is sent again, after a pause.
    pub async fn send(&mut self, ask: &Ask) -> Result<Answer, Stop> {
        let mut outcome = self.exchange(ask).await;
        for _ in 0..TRIES {
            if !outcome.as_ref().is_ok_and(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            outcome = self.exchange(ask).await;
        }
        self.record(ask, outcome.clone());
        outcome.map_err(Stop::Fail)
    }

    /// Remembers what came of a request.
    pub fn record(&mut self, ask: &Ask, outcome: Result<Answer, String>) {
        self.exchanges.push(Exchange {
            line: format!("{} {}", ask.method, ask.target),
            how: ask.how(),
            sent: if ask.promises.is_some() { Vec::new() } else { ask.body() },
            is_of_kms: ask.is_of_kms,
            outcome,
        });
    }

    /// Sends a request over the connection of the check at hand, or a new one where the proxy has closed it.
    pub async fn exchange(&mut self, ask: &Ask) -> Result<Answer, String> {
        let mut connection = self.connection.take();
        if let Some(open) = &mut connection
            && !open.is_open().await
        {
            connection = None;
        }
        let deadline = tokio::time::timeout(PATIENCE, async {
            let mut connection = match connection {
                Some(connection) => connection,
                None => self.connector.open().await.map_err(|error| error.to_string())?,
            };
            let answer = ask_over(&mut connection, ask, &self.target, &self.clock).await?;
            Ok((connection, answer))
        });
        match deadline.await {
            Ok(Ok((connection, answer))) => {
                self.connection = Some(connection);
                Ok(answer)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(format!("no answer in {} seconds", PATIENCE.as_secs())),
        }
    }

    /// Sends requests at once, each on a connection of its own.
    pub async fn at_once(&mut self, asks: Vec<Ask>) -> Vec<Result<Answer, String>> {
        let each = asks.iter().map(|ask| async {
            let answer = async {
                let mut connection = self.connector.open().await.map_err(|error| error.to_string())?;
                ask_over(&mut connection, ask, &self.target, &self.clock).await
            };
            let waited = tokio::time::timeout(PATIENCE, answer).await;
            waited.unwrap_or_else(|_| Err(format!("no answer in {} seconds", PATIENCE.as_secs())))
        });
        let outcomes = futures_util::future::join_all(each).await;
        for (ask, outcome) in asks.iter().zip(&outcomes) {
            self.record(ask, outcome.clone());
        }
        outcomes
    }

    /// Asks for the health, to see whether the proxy can be reached at all.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub async fn reach(&mut self) -> Result<(), Unreachable> {
        let silent = || Unreachable::Silent(format!("there is no answer in {} seconds", PATIENCE.as_secs()));
        let opened = tokio::time::timeout(PATIENCE, self.connector.open()).await.map_err(|_| silent())?;
        self.connection = Some(opened?);
        let ask = self.health();
        let answer = self.exchange(&ask).await;
        let answer = answer.map_err(|error| {
            if self.connector.was_asked() {
                Unreachable::Uncertified(error)
            } else {
                Unreachable::Silent(format!("there is no HTTP answer: {error}"))
            }
        })?;
        self.is_let_in = answer.status != StatusCode::UNAUTHORIZED;
        Ok(())
    }

    /// Asks what the named keys are.
    pub async fn look_at(&mut self, ids: &[String]) {
        for id in ids {
            let ask = self.metadata(id);
            let answer = self.send(&ask).await;
            let metadata = answer.and_then(|answer| answer.success()).unwrap_or_default();
            self.keys.push(ExternalKey { id: id.clone(), metadata });
        }
    }

    /// Signs as KMS would, now.
    pub fn signed(&self, ask: &Ask) -> Result<http::Request<Bytes>, Stop> {
        ask.signed(&self.target, self.clock.now()).or_else(fail)
    }

    /// How long one request takes on the connection at hand.
    pub async fn time(&mut self, ask: &Ask) -> Result<Duration, Stop> {
        let start = Instant::now();
        let answer = self.exchange(ask).await;
        let taken = start.elapsed();
        if answer.as_ref().is_ok_and(|answer| answer.status == StatusCode::OK) {
            return Ok(taken);
        }
        self.record(ask, answer.clone());
        let answer = answer.map_err(Stop::Fail)?;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            return skip(THROTTLED);
        }
        answer.success().map(|_| taken)
    }

    /// Leaves the connection at hand; the next request opens another.
    pub fn hang_up(&mut self) {
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

async fn ask_over(connection: &mut Connection, ask: &Ask, target: &Target, clock: &Clock) -> Result<Answer, String> {
    let mut request = ask.signed(target, clock.now())?;
    let origin = request.uri().path_and_query().map_or("/", |it| it.as_str()).parse();
    *request.uri_mut() = origin.map_err(|_| "the path isn't one of a URI".to_owned())?;
    if let Some(size) = ask.promises {
        request.headers_mut().insert(CONTENT_LENGTH, size.into());
    }
    let request = request.map(|body| body_of(body, ask.promises.is_some()));
    let broken = |error: hyper::Error| format!("the connection broke off: {error}");
    let response = connection.send(request).await.map_err(broken)?;
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
    Ok(Answer { status: head.status, headers: head.headers, body: body.freeze() })
}

fn body_of(bytes: Bytes, is_only_promised: bool) -> Body {
    if is_only_promised {
        let never = futures_util::stream::pending::<Result<Frame<Bytes>, std::convert::Infallible>>();
        StreamBody::new(never).boxed_unsync()
    } else {
        Full::new(bytes).boxed_unsync()
    }
}
