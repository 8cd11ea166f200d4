//! The KMS side of the External Key Store Proxy API: signs requests, times out after 250 ms, and validates responses.

mod exchange;
mod exchange_log;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;

use self::exchange::disturb_request;
pub use self::exchange_log::ExchangeLog;
pub use super::failure::{XksFailure, check_external_key};
use super::faults::{Faults, ProxyCall};
use super::log::elapsed_microseconds;
use super::metrics::{Metric, Metrics, Operations};
use super::network::Network;
use super::proxy::{Proxy, is_bundled_host, wipe};
use super::wire::{
    AES_GCM, DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, ErrorBody, ErrorName,
    GetHealthStatusRequest, GetKeyMetadataRequest, MAX_BODY, MAX_CIPHERTEXT_METADATA, SERVICE, SHA_256, TAG_LENGTH,
    ciphertext_data_integrity_value,
};
pub use super::wire::{GetHealthStatusResponse, GetKeyMetadataResponse, RequestMetadata};
use crate::aws::codec::json_body;
use crate::aws::limits::XKS_PROXY_TIMEOUT_MILLIS;
use crate::aws::scalar::{Blob, SecretBlob, SecretString};
use crate::aws::sigv4::SigningKeyCache;
use crate::environment::Clock;

/// The time that KMS gives a proxy to respond, including the connection.
pub const PROXY_TIMEOUT: Duration = Duration::from_millis(XKS_PROXY_TIMEOUT_MILLIS as u64);
/// The maximum number of attempts for a call that times out after [`PROXY_TIMEOUT`].
const MAX_ATTEMPTS: usize = 2;

/// The proxy of an external key store, as configured in the key store.
#[derive(Clone, Debug)]
pub struct ProxyTarget {
    /// The key store that the metrics belong to: its account, Region, and ID. Empty for a key store that doesn't exist
    /// yet.
    pub key_store: String,
    /// The name of the key store.
    pub key_store_name: String,
    /// The URI endpoint: `https://` and a host name.
    pub uri_endpoint: String,
    /// The URI path: an optional path prefix, and `/kms/xks/v1`.
    pub uri_path: String,
    /// The access key ID of the proxy credential.
    pub access_key_id: String,
    /// The secret access key of the proxy credential.
    pub secret_access_key: SecretString,
    /// The Region that KMS calls from, which is part of the signature.
    pub region: String,
}

impl ProxyTarget {
    /// Returns what a fault can depend on.
    fn proxy_call<'a>(&'a self, operation: &'a str) -> ProxyCall<'a> {
        let key_store_id = self.key_store.rsplit('/').next().unwrap_or_default();
        ProxyCall { operation, uri_path: &self.uri_path, key_store_id, key_store_name: &self.key_store_name }
    }
}

/// The result of an encryption by a proxy, which is required for decryption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalCiphertext {
    /// The initialization vector: 12 or 16 bytes.
    pub initialization_vector: Vec<u8>,
    /// The authentication tag: 16 bytes.
    pub authentication_tag: Vec<u8>,
    /// The proxy's own metadata: up to 20 bytes, or empty.
    pub ciphertext_metadata: Vec<u8>,
    /// The ciphertext, which has the same length as the plaintext.
    pub ciphertext: Vec<u8>,
}

/// What receives the requests for [bundled hosts](is_bundled_host).
#[derive(Clone, Debug)]
pub enum BundledProxy {
    /// The bundled proxy.
    Proxy(Proxy),
    /// Another proxy, for tests.
    Router(Router),
}

impl From<Proxy> for BundledProxy {
    fn from(proxy: Proxy) -> Self {
        Self::Proxy(proxy)
    }
}

impl From<Router> for BundledProxy {
    fn from(router: Router) -> Self {
        Self::Router(router)
    }
}

/// A client for external key store proxies. Clones share its state.
#[derive(Clone, Debug)]
pub struct XksClient {
    shared: Arc<SharedState>,
    /// The log that requests are recorded in, if there is one.
    exchanges: Option<ExchangeLog>,
}

/// What the clones of a client share.
#[derive(Debug)]
struct SharedState {
    bundled_proxy: BundledProxy,
    network: Option<Arc<Network>>,
    clock: Clock,
    signing_keys: SigningKeyCache,
    metrics: Metrics,
    faults: Faults,
}

impl XksClient {
    /// Creates a client that sends requests for [bundled hosts](is_bundled_host) to `bundled_proxy`, and all
    /// others to the network. Without a network, other hosts are unreachable.
    pub fn new(bundled_proxy: impl Into<BundledProxy>, network: Option<Arc<Network>>, clock: Clock) -> Self {
        let shared = SharedState {
            bundled_proxy: bundled_proxy.into(),
            network,
            clock,
            signing_keys: SigningKeyCache::default(),
            metrics: Metrics::default(),
            faults: Faults::default(),
        };
        Self { shared: Arc::new(shared), exchanges: None }
    }

    /// Returns this client with a log that its requests are recorded in, or without one.
    #[must_use]
    pub fn recording(&self, exchanges: Option<ExchangeLog>) -> Self {
        Self { shared: Arc::clone(&self.shared), exchanges }
    }

    /// Returns the faults that simulate failures of proxies.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Returns the metrics of the calls.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Checks the health of the proxy and the external key managers behind it.
    ///
    /// # Errors
    /// [`XksFailure`] if the request fails or every external key manager is unavailable.
    pub async fn get_health_status(
        &self,
        target: &ProxyTarget,
        metadata: &RequestMetadata,
    ) -> Result<GetHealthStatusResponse, XksFailure> {
        let request = GetHealthStatusRequest { request_metadata: metadata.for_health() };
        let operations = Operations { kms: (&metadata.kms_operation).into(), xks: "GetHealthStatus" };
        let health: GetHealthStatusResponse = self.call(target, operations, "/health", &request, Ok).await?;
        self.record_health(target, &health);
        if health.xks_proxy_fleet_size == 0 || !(1..=10).contains(&health.ekm_fleet_details.len()) {
            return Err(XksFailure::InvalidResponse("the fleet must have 1 to 10 members"));
        }
        if health.ekm_fleet_details.iter().all(|member| member.health_status == "UNAVAILABLE") {
            return Err(XksFailure::Unhealthy);
        }
        Ok(health)
    }

    /// Returns the metadata of an external key. [`check_external_key`] validates it for KMS.
    ///
    /// # Errors
    /// [`XksFailure`] if the request fails.
    pub async fn get_key_metadata(
        &self,
        target: &ProxyTarget,
        metadata: &RequestMetadata,
        key_id: &str,
    ) -> Result<GetKeyMetadataResponse, XksFailure> {
        let request = GetKeyMetadataRequest { request_metadata: metadata.for_key_metadata() };
        let operations = Operations { kms: (&metadata.kms_operation).into(), xks: "GetKeyMetadata" };
        self.call(target, operations, &format!("/keys/{key_id}/metadata"), &request, Ok).await
    }

    /// Encrypts with an external key, and verifies the integrity value. `metadata` must have a `kms_key_arn`.
    ///
    /// # Errors
    /// [`XksFailure`] if the request fails.
    pub async fn encrypt(
        &self,
        target: &ProxyTarget,
        metadata: &RequestMetadata,
        key_id: &str,
        plaintext: &[u8],
        aad: &[u8],
    ) -> Result<ExternalCiphertext, XksFailure> {
        let request = EncryptRequest {
            request_metadata: metadata.clone(),
            additional_authenticated_data: non_empty_blob(aad),
            plaintext: SecretBlob::new(plaintext.to_vec()),
            encryption_algorithm: AES_GCM.to_owned(),
            ciphertext_data_integrity_value_algorithm: Some(SHA_256.to_owned()),
        };
        let operations = Operations { kms: (&metadata.kms_operation).into(), xks: "Encrypt" };
        let path = format!("/keys/{key_id}/encrypt");
        self.call(target, operations, &path, &request, |response| {
            validate_encrypt_response(response, plaintext.len(), aad)
        })
        .await
    }

    /// Decrypts a result of [`XksClient::encrypt`] for the same external key and the same `aad`.
    ///
    /// # Errors
    /// [`XksFailure`] if the request fails.
    pub async fn decrypt(
        &self,
        target: &ProxyTarget,
        metadata: &RequestMetadata,
        key_id: &str,
        parts: &ExternalCiphertext,
        aad: &[u8],
    ) -> Result<SecretBlob, XksFailure> {
        let request = DecryptRequest {
            request_metadata: metadata.clone(),
            additional_authenticated_data: non_empty_blob(aad),
            ciphertext: Blob(parts.ciphertext.clone()),
            encryption_algorithm: AES_GCM.to_owned(),
            initialization_vector: Blob(parts.initialization_vector.clone()),
            authentication_tag: Blob(parts.authentication_tag.clone()),
            ciphertext_metadata: non_empty_blob(&parts.ciphertext_metadata),
        };
        let operations = Operations { kms: (&metadata.kms_operation).into(), xks: "Decrypt" };
        let path = format!("/keys/{key_id}/decrypt");
        let length = parts.ciphertext.len();
        self.call(target, operations, &path, &request, |DecryptResponse { plaintext }| {
            if plaintext.expose().len() == length {
                Ok(plaintext)
            } else {
                Err(XksFailure::InvalidResponse("the plaintext and the ciphertext differ in length"))
            }
        })
        .await
    }

    /// Sends a request, with one retry if it times out. `accept` validates and converts the response.
    async fn call<Q: Serialize, R: DeserializeOwned, T>(
        &self,
        target: &ProxyTarget,
        operations: Operations<'_>,
        path: &str,
        body: &Q,
        accept: impl Fn(R) -> Result<T, XksFailure>,
    ) -> Result<T, XksFailure> {
        let body = json_body(body).map_err(|error| XksFailure::Configuration(error.to_string()))?;
        let log = self.exchanges.as_ref();
        for attempt in 1..=MAX_ATTEMPTS {
            let fault = self.shared.faults.next_failure(&target.proxy_call(operations.xks), self.shared.clock.now());
            let fault = fault.as_ref();
            let disturbed = fault.and_then(|fault| disturb_request(&fault.kind, operations.xks, &body));
            let request = self.signed_request(target, path, disturbed.as_ref().unwrap_or(&body))?;
            let mut exchange = log.map(|_| exchange_log::start(&request, &operations, attempt));
            let start = self.shared.clock.machine_time();
            let sent = self.exchange(request, operations.xks, fault).await;
            let result = sent.and_then(|(status, response)| {
                if let Some(exchange) = &mut exchange {
                    exchange_log::on_answer(exchange, status, &response);
                }
                let read = parse_response(status, &response);
                wipe(response);
                accept(read?)
            });
            let milliseconds = self.record_request(target, &operations, start, result.as_ref().err());
            let is_last = attempt == MAX_ATTEMPTS || !matches!(result, Err(XksFailure::TimedOut));
            if is_last {
                if let (Some(log), Some(exchange)) = (log, exchange) {
                    log.push(exchange_log::finish(exchange, milliseconds, result.as_ref().err()));
                }
                return result;
            }
        }
        Err(XksFailure::TimedOut)
    }

    /// Records the metrics of a request. Returns its latency in milliseconds, if there was a response.
    #[allow(clippy::cast_precision_loss)]
    fn record_request(
        &self,
        target: &ProxyTarget,
        operations: &Operations<'_>,
        start: Timestamp,
        failure: Option<&XksFailure>,
    ) -> Option<f64> {
        let (now, end) = (self.shared.clock.now(), self.shared.clock.machine_time());
        let milliseconds = match failure {
            // Without a response, there is no latency.
            Some(XksFailure::Unreachable | XksFailure::Tls(_)) => None,
            Some(XksFailure::TimedOut) => Some(f64::from(XKS_PROXY_TIMEOUT_MILLIS)),
            _ => Some(elapsed_microseconds(start, end) as f64 / 1000.0),
        };
        let exception = failure.and_then(XksFailure::exception);
        self.shared.metrics.record_request(&target.key_store, operations.clone(), now, milliseconds, exception);
        milliseconds
    }

    /// Records the health of the external key managers, and the days until the proxy's certificate expires.
    fn record_health(&self, target: &ProxyTarget, health: &GetHealthStatusResponse) {
        let now = self.shared.clock.now();
        self.shared.metrics.record_health(&target.key_store, health, now);
        let uri: Option<Uri> = target.uri_endpoint.parse().ok();
        if let (Some(network), Some(host)) = (&self.shared.network, uri.as_ref().and_then(Uri::host))
            && let Some((name, days)) = network.certificate_days_to_expire(host, now)
        {
            self.shared.metrics.record(&target.key_store, Metric::CertificateDaysToExpire(name.into()), now, days);
        }
    }

    fn signed_request(&self, target: &ProxyTarget, path: &str, body: &Bytes) -> Result<Request<Bytes>, XksFailure> {
        let uri = format!("{}{}{path}", target.uri_endpoint, target.uri_path);
        let uri: Uri = uri.parse().map_err(|_| XksFailure::Configuration(format!("{uri:?} isn't a URI")))?;
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let ProxyTarget { access_key_id, secret_access_key, region, .. } = target;
        self.shared
            .signing_keys
            .sign(&mut request, access_key_id, secret_access_key, region, SERVICE, self.shared.clock.machine_time())
            .map_err(|error| XksFailure::Configuration(error.to_string()))?;
        Ok(request)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<(StatusCode, Bytes), XksFailure> {
        let host = request.uri().host().unwrap_or_default();
        if !is_bundled_host(host) {
            return match &self.shared.network {
                Some(network) => network.send(request).await,
                None => Err(XksFailure::Unreachable),
            };
        }
        let router = match &self.shared.bundled_proxy {
            BundledProxy::Proxy(proxy) => {
                let (head, body) = proxy.respond(request.map(Full::new)).await.into_parts();
                return Ok((head.status, body));
            }
            BundledProxy::Router(router) => router.clone(),
        };
        let Ok(response) = router.oneshot(request.map(Body::from)).await;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_BODY).collect().await;
        let body = body.map_err(|_| XksFailure::InvalidResponse("the response is too long or incomplete"))?;
        Ok((status, body.to_bytes()))
    }
}

/// Validates an Encrypt response for a plaintext of `length` bytes.
fn validate_encrypt_response(
    response: EncryptResponse,
    length: usize,
    aad: &[u8],
) -> Result<ExternalCiphertext, XksFailure> {
    let parts = ExternalCiphertext {
        initialization_vector: response.initialization_vector.0,
        authentication_tag: response.authentication_tag.0,
        ciphertext_metadata: response.ciphertext_metadata.unwrap_or_default().0,
        ciphertext: response.ciphertext.0,
    };
    if parts.ciphertext.len() != length {
        return Err(XksFailure::InvalidResponse("the ciphertext and the plaintext differ in length"));
    }
    if !matches!(parts.initialization_vector.len(), 12 | 16) {
        return Err(XksFailure::InvalidResponse("the initialization vector must have 12 or 16 bytes"));
    }
    if parts.authentication_tag.len() != TAG_LENGTH {
        return Err(XksFailure::InvalidResponse("the authentication tag must have 16 bytes"));
    }
    if parts.ciphertext_metadata.len() > MAX_CIPHERTEXT_METADATA {
        return Err(XksFailure::InvalidResponse("the ciphertext metadata can have up to 20 bytes"));
    }
    let Some(value) = response.ciphertext_data_integrity_value else {
        return Err(XksFailure::InvalidResponse("the ciphertext data integrity value is missing"));
    };
    let expected = ciphertext_data_integrity_value(
        aad,
        &parts.ciphertext_metadata,
        &parts.initialization_vector,
        &parts.ciphertext,
        &parts.authentication_tag,
    );
    if value.0 == expected { Ok(parts) } else { Err(XksFailure::DamagedCiphertext) }
}

/// Returns `None` for an empty value, which is omitted from requests.
fn non_empty_blob(bytes: &[u8]) -> Option<Blob> {
    (!bytes.is_empty()).then(|| Blob(bytes.to_vec()))
}

fn parse_response<R: DeserializeOwned>(status: StatusCode, response: &[u8]) -> Result<R, XksFailure> {
    if status == StatusCode::OK {
        return serde_json::from_slice(response)
            .map_err(|_| XksFailure::InvalidResponse("the response isn't valid JSON for this operation"));
    }
    let name = serde_json::from_slice::<ErrorBody>(response).ok().and_then(|body| ErrorName::parse(&body.error_name));
    Err(name.map_or(
        XksFailure::InvalidResponse("the response has no error name that this API defines"),
        XksFailure::Refused,
    ))
}
