//! KMS's side of the External Key Store Proxy API: signs, waits 250 ms, checks what comes back.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;

pub use super::failure::{XksFailure, check_external_key};
use super::log::elapsed_microseconds;
use super::metrics::{Metric, Metrics, Operations};
use super::network::Network;
use super::proxy::{BUNDLED_HOST, BUNDLED_VPC_HOST, wipe};
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

/// How long KMS waits for a proxy, connecting included.
pub const PROXY_TIMEOUT: Duration = Duration::from_millis(XKS_PROXY_TIMEOUT_MILLIS as u64);
/// How often a call that runs into [`TIME_LIMIT`] is made.
const MAX_ATTEMPTS: usize = 2;

/// The proxy of one external key store, as the store's configuration has it.
#[derive(Clone, Debug)]
pub struct ProxyTarget {
    /// Whose figures the calls count for: account, Region and ID of the store. Empty for one that is not made yet.
    pub key_store: String,
    /// `https://` and a host name.
    pub uri_endpoint: String,
    /// The path prefix, if any, and `/kms/xks/v1`.
    pub uri_path: String,
    /// Who signs.
    pub access_key_id: String,
    /// What with.
    pub secret_access_key: SecretString,
    /// The Region KMS calls from, part of what is signed.
    pub region: String,
}

/// What a proxy makes of a plaintext, and needs to give it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalCiphertext {
    /// 12 or 16 bytes.
    pub initialization_vector: Vec<u8>,
    /// 16 bytes.
    pub authentication_tag: Vec<u8>,
    /// The proxy's own note, up to 20 bytes, empty if it made none.
    pub ciphertext_metadata: Vec<u8>,
    /// As long as the plaintext.
    pub ciphertext: Vec<u8>,
}

/// Calls external key store proxies. Clones share it.
#[derive(Clone, Debug)]
pub struct XksClient {
    bundled_proxy: Router,
    network: Option<Arc<Network>>,
    clock: Clock,
    signing_keys: Arc<SigningKeyCache>,
    metrics: Metrics,
}

impl XksClient {
    /// A client that finds `proxies` at [`BUNDLED_HOST`] and [`BUNDLED_VPC_HOST`]; every other host is on the network, or
    /// unreachable without one.
    pub fn new(bundled_proxy: Router, network: Option<Arc<Network>>, clock: Clock) -> Self {
        Self { bundled_proxy, network, clock, signing_keys: Arc::default(), metrics: Metrics::default() }
    }

    /// What was counted of the calls.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Asks whether the proxy and the external key managers behind it can serve.
    ///
    /// # Errors
    /// [`XksFailure`], also when every external key manager is unavailable.
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
            return Err(XksFailure::InvalidResponse("a fleet without members, or more than ten"));
        }
        if health.ekm_fleet_details.iter().all(|member| member.health_status == "UNAVAILABLE") {
            return Err(XksFailure::Unhealthy);
        }
        Ok(health)
    }

    /// Asks what an external key is. [`check_external_key`] says whether KMS takes it.
    ///
    /// # Errors
    /// [`XksFailure`].
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

    /// Encrypts by an external key, asks for the integrity value and checks it. `metadata` needs its `kms_key_arn`.
    ///
    /// # Errors
    /// [`XksFailure`].
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

    /// Decrypts what [`XksClient::encrypt`] gave for the same key and the same `aad`.
    ///
    /// # Errors
    /// [`XksFailure`].
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
                Err(XksFailure::InvalidResponse("the plaintext isn't as long as the ciphertext"))
            }
        })
        .await
    }

    /// Asks once, and once more when no answer comes in time. `accept` makes of an answer what is wanted, or refuses it.
    async fn call<Q: Serialize, R: DeserializeOwned, T>(
        &self,
        target: &ProxyTarget,
        operations: Operations<'_>,
        path: &str,
        body: &Q,
        accept: impl Fn(R) -> Result<T, XksFailure>,
    ) -> Result<T, XksFailure> {
        let body = json_body(body).map_err(|error| XksFailure::Configuration(error.to_string()))?;
        for _ in 0..MAX_ATTEMPTS {
            let request = self.signed_request(target, path, &body)?;
            let start = self.clock.now();
            let sent = tokio::time::timeout(PROXY_TIMEOUT, self.send(request)).await;
            let answer = sent.unwrap_or(Err(XksFailure::TimedOut)).and_then(|(status, answer)| {
                let read = parse_response(status, &answer);
                wipe(answer);
                accept(read?)
            });
            self.record_request(target, &operations, start, answer.as_ref().err());
            if !matches!(answer, Err(XksFailure::TimedOut)) {
                return answer;
            }
        }
        Err(XksFailure::TimedOut)
    }

    #[allow(clippy::cast_precision_loss)]
    fn record_request(
        &self,
        target: &ProxyTarget,
        operations: &Operations<'_>,
        start: Timestamp,
        failure: Option<&XksFailure>,
    ) {
        let end = self.clock.now();
        let milliseconds = match failure {
            // There was no response, so it took no time.
            Some(XksFailure::Unreachable | XksFailure::Tls) => None,
            Some(XksFailure::TimedOut) => Some(f64::from(XKS_PROXY_TIMEOUT_MILLIS)),
            _ => Some(elapsed_microseconds(start, end) as f64 / 1000.0),
        };
        let exception = failure.and_then(XksFailure::exception);
        self.metrics.record_request(&target.key_store, operations.clone(), end, milliseconds, exception);
    }

    /// Notes how the external key managers are, and how long the proxy's certificate lasts.
    fn record_health(&self, target: &ProxyTarget, health: &GetHealthStatusResponse) {
        let now = self.clock.now();
        self.metrics.record_health(&target.key_store, health, now);
        let uri: Option<Uri> = target.uri_endpoint.parse().ok();
        if let (Some(network), Some(host)) = (&self.network, uri.as_ref().and_then(Uri::host))
            && let Some((name, days)) = network.certificate_days_to_expire(host, now)
        {
            self.metrics.record(&target.key_store, Metric::CertificateDaysToExpire(name.into()), now, days);
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
        self.signing_keys
            .sign(&mut request, access_key_id, secret_access_key, region, SERVICE, self.clock.now())
            .map_err(|error| XksFailure::Configuration(error.to_string()))?;
        Ok(request)
    }

    async fn send(&self, request: Request<Bytes>) -> Result<(StatusCode, Bytes), XksFailure> {
        let host = request.uri().host().unwrap_or_default();
        if ![BUNDLED_HOST, BUNDLED_VPC_HOST].iter().any(|known| host.eq_ignore_ascii_case(known)) {
            return match &self.network {
                Some(network) => network.send(request).await,
                None => Err(XksFailure::Unreachable),
            };
        }
        let Ok(response) = self.bundled_proxy.clone().oneshot(request.map(Body::from)).await;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_BODY).collect().await;
        let body = body.map_err(|_| XksFailure::InvalidResponse("the answer is too long or not whole"))?;
        Ok((status, body.to_bytes()))
    }
}

/// What is left of an answer of Encrypt for a plaintext of so many bytes, if all of it is as it has to be.
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
        return Err(XksFailure::InvalidResponse("the ciphertext isn't as long as the plaintext"));
    }
    if !matches!(parts.initialization_vector.len(), 12 | 16) {
        return Err(XksFailure::InvalidResponse("the initialization vector has neither 12 nor 16 bytes"));
    }
    if parts.authentication_tag.len() != TAG_LENGTH {
        return Err(XksFailure::InvalidResponse("the authentication tag hasn't 16 bytes"));
    }
    if parts.ciphertext_metadata.len() > MAX_CIPHERTEXT_METADATA {
        return Err(XksFailure::InvalidResponse("the ciphertext metadata has more than 20 bytes"));
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

/// An empty value isn't sent.
fn non_empty_blob(bytes: &[u8]) -> Option<Blob> {
    (!bytes.is_empty()).then(|| Blob(bytes.to_vec()))
}

fn parse_response<R: DeserializeOwned>(status: StatusCode, answer: &[u8]) -> Result<R, XksFailure> {
    if status == StatusCode::OK {
        return serde_json::from_slice(answer)
            .map_err(|_| XksFailure::InvalidResponse("the answer isn't the JSON of this operation"));
    }
    let name = serde_json::from_slice::<ErrorBody>(answer).ok().and_then(|body| ErrorName::parse(&body.error_name));
    Err(name.map_or(XksFailure::InvalidResponse("an error without a name of this API"), XksFailure::Refused))
}
