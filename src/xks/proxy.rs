//! The bundled external key store proxy: the server side of the API.
//!
//! A request is checked in this order: path, method, body size, signature, quota, body, external key, callers, key
//! state and usage, and data sizes. The specification doesn't define the order. AWS's own test client expects this one.
//!
//! ```
//! use axum::body::Body;
//! use http::Request;
//! use tower::ServiceExt as _;
//! use xks_console::environment::Environment;
//! use xks_console::xks::key_manager::{ExternalKeyManager, NewExternalKey, ProxyCredential};
//! use xks_console::xks::proxy;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let environment = Environment::system();
//! let manager = ExternalKeyManager::in_memory(environment.clone())?;
//! manager.create_partition("team-red", &ProxyCredential::generate(&environment.random)?)?;
//! manager.create_key("team-red", &NewExternalKey::aes_256("red-1"))?;
//!
//! // The router can be served with `axum::serve`, or called directly.
//! let proxy = proxy::router(manager, environment.clock);
//! let response = proxy.oneshot(Request::get("/ping").body(Body::empty())?).await?;
//! assert_eq!(response.status(), 200);
//! # Ok(())
//! # }
//! ```

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::response::Response;
use axum::routing::get;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroize as _;

use super::key_manager::{CiphertextParts, ExternalKeyManager, KeyManagerError};
use super::log::{elapsed_microseconds, truncate_text};
use super::quota::Quota;
use super::wire::{
    AES_GCM, API_PATH, DecryptRequest, DecryptResponse, EkmFleetMember, EncryptRequest, EncryptResponse, ErrorBody,
    ErrorName, GetHealthStatusRequest, GetHealthStatusResponse, GetKeyMetadataRequest, GetKeyMetadataResponse,
    MAX_ARN_LENGTH, MAX_BODY, RequestMetadata, SERVICE, SHA_256, ciphertext_data_integrity_value, error_message,
};
use crate::access_log::{RequestDetails, RequestDetailsSlot};
use crate::aws::codec::json_body;
use crate::aws::limits;
use crate::aws::scalar::{Blob, SecretString};
use crate::aws::sigv4::{SignedRequest, SigningKeyCache};
use crate::aws::xks_console::ProxyRequest;
use crate::environment::Clock;

/// The host name of the bundled proxy in the bundled AWS.
pub const BUNDLED_HOST: &str = "xks-proxy.bundled.internal";
/// The private DNS name of the VPC endpoint service for the bundled proxy.
pub const BUNDLED_VPC_HOST: &str = "xks-vpc.bundled.internal";

/// Creates the router for all partitions of `manager`, with `GET /ping` for load balancers.
///
/// If a request has an `Arc<`[`Quota`]`>` extension, it counts against the quota after authentication.
pub fn router(manager: ExternalKeyManager, clock: Clock) -> Router {
    let proxy = Proxy { manager, clock, signing_keys: Arc::default() };
    Router::new()
        .route("/ping", get(async || "pong\n"))
        .fallback(async move |request: Request<Body>| proxy.respond(request).await)
}

#[derive(Clone)]
struct Proxy {
    manager: ExternalKeyManager,
    clock: Clock,
    signing_keys: Arc<SigningKeyCache>,
}

/// An error to be sent to the client.
struct ProxyError {
    name: ErrorName,
    message: String,
}

impl ProxyError {
    fn new(name: ErrorName, message: impl Into<String>) -> Self {
        Self { name, message: message.into() }
    }

    fn validation(message: impl Into<String>) -> Self {
        Self::new(ErrorName::ValidationException, message)
    }
}

impl From<KeyManagerError> for ProxyError {
    fn from(error: KeyManagerError) -> Self {
        let name = match &error {
            KeyManagerError::KeyNotFound => ErrorName::KeyNotFoundException,
            KeyManagerError::KeyDisabled | KeyManagerError::Exhausted(_) => ErrorName::InvalidStateException,
            KeyManagerError::KeyUsage(_) => ErrorName::InvalidKeyUsageException,
            KeyManagerError::CallerDenied(_) => ErrorName::AccessDeniedException,
            KeyManagerError::InvalidCiphertext => ErrorName::InvalidCiphertextException,
            KeyManagerError::TooLong => ErrorName::UnsupportedOperationException,
            KeyManagerError::Database(database)
                if database.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) =>
            {
                return Self::new(ErrorName::DependencyTimeoutException, "the external key manager is busy");
            }
            // Internal errors may contain file paths, which must not be sent to the client.
            _ => return Self::new(ErrorName::InternalException, "the external key manager failed"),
        };
        Self::new(name, error.to_string())
    }
}

/// An operation of the API, and its external key ID.
#[derive(Debug, PartialEq, Eq)]
enum ProxyOperation<'a> {
    Health,
    Metadata(&'a str),
    Encrypt(&'a str),
    Decrypt(&'a str),
}

impl<'a> ProxyOperation<'a> {
    fn name(&self) -> &'static str {
        match self {
            Self::Health => "GetHealthStatus",
            Self::Metadata(_) => "GetKeyMetadata",
            Self::Encrypt(_) => "Encrypt",
            Self::Decrypt(_) => "Decrypt",
        }
    }

    fn key_id(&self) -> Option<&'a str> {
        match self {
            Self::Health => None,
            Self::Metadata(id) | Self::Encrypt(id) | Self::Decrypt(id) => Some(id),
        }
    }
}

/// Parses a URI path into a partition and an operation. External key IDs contain no slashes, but partitions may.
fn route(path: &str) -> Option<(&str, ProxyOperation<'_>)> {
    let at = path.rfind(API_PATH)?;
    let (prefix, rest) = (&path[..at], &path[at + API_PATH.len()..]);
    let partition =
        if prefix.is_empty() { prefix } else { prefix.strip_prefix('/').filter(|name| !name.is_empty())? };
    let mut segments = rest.split('/');
    let api = match (segments.next(), segments.next(), segments.next(), segments.next(), segments.next()) {
        (Some(""), Some("health"), None, None, None) => ProxyOperation::Health,
        (Some(""), Some("keys"), Some(id), Some(operation), None) if !id.is_empty() => match operation {
            "metadata" => ProxyOperation::Metadata(id),
            "encrypt" => ProxyOperation::Encrypt(id),
            "decrypt" => ProxyOperation::Decrypt(id),
            _ => return None,
        },
        _ => return None,
    };
    Some((partition, api))
}

/// Returns the details for the access log. The caller is included only if its signature was valid.
fn access_log_details(entry: &ProxyRequest) -> RequestDetails {
    let is_known = entry.status != StatusCode::UNAUTHORIZED.as_u16();
    RequestDetails {
        operation: (!entry.operation.is_empty()).then(|| format!("{SERVICE}:{}", entry.operation)),
        caller: entry.access_key_id.clone().filter(|_| is_known),
        error: entry.error_name.clone(),
    }
}

impl Proxy {
    async fn respond(&self, request: Request<Body>) -> Response {
        let mut entry = ProxyRequest { time: self.clock.now(), ..ProxyRequest::default() };
        let slot = request.extensions().get::<RequestDetailsSlot>().cloned();
        let response = self.handle(request, &mut entry).await.unwrap_or_else(|error| {
            let body = ErrorBody {
                error_name: error.name.as_str().to_owned(),
                error_message: Some(error_message(&error.message)),
            };
            let status = StatusCode::from_u16(error.name.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let response = json(status, &body);
            entry.error_name = Some(body.error_name);
            response
        });
        entry.status = response.status().as_u16();
        entry.microseconds = elapsed_microseconds(entry.time, self.clock.now());
        if let Some(slot) = slot {
            slot.set(access_log_details(&entry));
        }
        self.manager.log_request(entry);
        response
    }

    async fn handle(&self, request: Request<Body>, entry: &mut ProxyRequest) -> Result<Response, ProxyError> {
        let (mut head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let unknown = || ProxyError::new(ErrorName::InvalidUriPathException, "the proxy doesn't serve this URI path");
        let (partition, api) = route(&path).ok_or_else(unknown)?;
        api.name().clone_into(&mut entry.operation);
        entry.external_key_id = api.key_id().map(truncate_text);
        if !self.manager.has_partition(partition)? {
            return Err(unknown());
        }
        partition.clone_into(&mut entry.partition);
        if head.method != Method::POST {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return Ok(response);
        }
        let too_big = || {
            let message = format!("the request exceeds {MAX_BODY} bytes");
            ProxyError::new(ErrorName::UnsupportedOperationException, message)
        };
        // The request isn't authenticated yet: reject it by its declared size, without reading it or sending 100
        // Continue.
        if body.size_hint().lower() > MAX_BODY as u64 {
            return Err(too_big());
        }
        let body = Limited::new(body, MAX_BODY).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                too_big()
            } else {
                ProxyError::validation("the request body is incomplete")
            }
        })?;
        // In HTTP/2, the authority replaces the host header that the signature covers.
        if !head.headers.contains_key(HOST)
            && let Some(host) = head.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok())
        {
            head.headers.insert(HOST, host);
        }
        let request = Request::from_parts(head, body.to_bytes());
        self.authenticate(partition, &request, entry)?;
        if let Some(quota) = request.extensions().get::<Arc<Quota>>()
            && !quota.try_acquire(partition, self.clock.now())
        {
            let message = format!("this URI path has exceeded its quota of {} requests per second", quota.rate());
            return Err(ProxyError::new(ErrorName::ThrottlingException, message));
        }
        if request.uri().query().is_some() {
            return Err(ProxyError::validation("the request must not have a query string"));
        }
        let result = self.dispatch(partition, &api, request.body(), entry);
        wipe(request.into_body());
        result
    }

    fn authenticate(
        &self,
        partition: &str,
        request: &Request<Bytes>,
        entry: &mut ProxyRequest,
    ) -> Result<(), ProxyError> {
        let failed = || {
            let message =
                "the signature isn't valid for a credential of this proxy, or its time is off by over five minutes";
            ProxyError::new(ErrorName::AuthenticationFailedException, message)
        };
        let signed_request = SignedRequest::parse(request).map_err(|_| failed())?;
        // Text that isn't a valid access key ID may be confidential, so it isn't logged.
        let looks_like_access_key_id = limits::xks_proxy_access_key_id(signed_request.access_key_id).is_ok();
        entry.access_key_id = looks_like_access_key_id.then(|| signed_request.access_key_id.to_owned());
        let secret = self.manager.secret_access_key(partition, signed_request.access_key_id)?;
        let known = secret.is_some() && signed_request.scope.service == SERVICE;
        // An unknown access key ID must take as long as a wrong signature.
        let name = secret.as_ref().map_or("", |_| signed_request.access_key_id);
        let secret = secret.unwrap_or_else(|| SecretString::new("no secret access key belongs to this one".to_owned()));
        let key = self.signing_keys.get_or_derive(name, &secret, signed_request.scope).map_err(|_| failed())?;
        let verified = signed_request.verify(request, &key, self.clock.now());
        if known && verified.is_ok() { Ok(()) } else { Err(failed()) }
    }

    fn dispatch(
        &self,
        partition: &str,
        api: &ProxyOperation<'_>,
        body: &[u8],
        entry: &mut ProxyRequest,
    ) -> Result<Response, ProxyError> {
        match api {
            ProxyOperation::Health => {
                let request: GetHealthStatusRequest = parse(body)?;
                entry.kms_operation = Some(truncate_text(&request.request_metadata.kms_operation));
                entry.kms_request_id = Some(truncate_text(&request.request_metadata.kms_request_id));
                self.health()
            }
            ProxyOperation::Metadata(id) => {
                let request: GetKeyMetadataRequest = parse(body)?;
                record_request_metadata(&request.request_metadata, entry);
                check_metadata(&request.request_metadata, false)?;
                self.authorize_caller(partition, id, &request.request_metadata, entry)?;
                let key = self.manager.key(partition, id)?;
                let key_status = if key.enabled { "ENABLED" } else { "DISABLED" }.to_owned();
                Ok(ok(&GetKeyMetadataResponse { key_spec: key.spec.clone(), key_usage: key.usage.clone(), key_status }))
            }
            ProxyOperation::Encrypt(id) => {
                let request: EncryptRequest = parse(body)?;
                record_request_metadata(&request.request_metadata, entry);
                self.encrypt(partition, id, request, entry)
            }
            ProxyOperation::Decrypt(id) => {
                let request: DecryptRequest = parse(body)?;
                record_request_metadata(&request.request_metadata, entry);
                self.decrypt(partition, id, request, entry)
            }
        }
    }

    fn health(&self) -> Result<Response, ProxyError> {
        self.manager.check_health()?;
        let version = env!("CARGO_PKG_VERSION");
        Ok(ok(&GetHealthStatusResponse {
            xks_proxy_fleet_size: 1,
            xks_proxy_vendor: "xks-console".to_owned(),
            xks_proxy_model: format!("xks-console external key store proxy {version}"),
            ekm_vendor: "xks-console".to_owned(),
            ekm_fleet_details: vec![EkmFleetMember {
                id: "external-key-manager-1".to_owned(),
                model: format!("xks-console external key manager {version}"),
                health_status: "ACTIVE".to_owned(),
            }],
        }))
    }

    /// Rejects a caller that can't use the external key, regardless of the key's state, and logs the rule that denied
    /// it. The principal isn't parsed.
    fn authorize_caller(
        &self,
        partition: &str,
        id: &str,
        metadata: &RequestMetadata,
        entry: &mut ProxyRequest,
    ) -> Result<(), ProxyError> {
        self.manager.check_caller(partition, id, &metadata.aws_principal_arn).map_err(|error| {
            if let KeyManagerError::CallerDenied(callers) = &error {
                entry.denied_by = Some(truncate_text(&format!("callers: {}", callers.join(", "))));
            }
            error.into()
        })
    }

    fn encrypt(
        &self,
        partition: &str,
        id: &str,
        request: EncryptRequest,
        entry: &mut ProxyRequest,
    ) -> Result<Response, ProxyError> {
        check_metadata(&request.request_metadata, true)?;
        check_algorithm(&request.encryption_algorithm)?;
        let integrity = match request.ciphertext_data_integrity_value_algorithm.as_deref() {
            None => false,
            Some(SHA_256) => true,
            Some(_) => return Err(ProxyError::validation("ciphertextDataIntegrityValueAlgorithm must be SHA_256")),
        };
        self.authorize_caller(partition, id, &request.request_metadata, entry)?;
        let aad = request.additional_authenticated_data.unwrap_or_default().0;
        let value = integrity.then_some(|parts: &CiphertextParts| {
            ciphertext_data_integrity_value(
                &aad,
                &parts.ciphertext_metadata,
                &parts.initialization_vector,
                &parts.ciphertext,
                &parts.authentication_tag,
            )
        });
        let result = self.manager.encrypt(partition, id, request.plaintext.expose(), &aad, value);
        let (parts, value) = result.map_err(|error| match error {
            // The input of Encrypt contains no ciphertext: the new ciphertext couldn't be decrypted.
            KeyManagerError::InvalidCiphertext => ProxyError::new(
                ErrorName::InternalException,
                "verification of the new ciphertext failed. Retry the request",
            ),
            error => error.into(),
        })?;
        Ok(ok(&EncryptResponse {
            ciphertext: Blob(parts.ciphertext),
            initialization_vector: Blob(parts.initialization_vector),
            authentication_tag: Blob(parts.authentication_tag),
            ciphertext_metadata: Some(Blob(parts.ciphertext_metadata)),
            ciphertext_data_integrity_value: value.map(|value| Blob(value.to_vec())),
        }))
    }

    fn decrypt(
        &self,
        partition: &str,
        id: &str,
        request: DecryptRequest,
        entry: &mut ProxyRequest,
    ) -> Result<Response, ProxyError> {
        check_metadata(&request.request_metadata, true)?;
        check_algorithm(&request.encryption_algorithm)?;
        self.authorize_caller(partition, id, &request.request_metadata, entry)?;
        let parts = CiphertextParts {
            ciphertext: request.ciphertext.0,
            initialization_vector: request.initialization_vector.0,
            authentication_tag: request.authentication_tag.0,
            ciphertext_metadata: request.ciphertext_metadata.unwrap_or_default().0,
        };
        let aad = request.additional_authenticated_data.unwrap_or_default().0;
        let plaintext = self.manager.decrypt(partition, id, &parts, &aad)?;
        Ok(ok(&DecryptResponse { plaintext }))
    }
}

/// Copies the fields of the request metadata that are logged.
fn record_request_metadata(metadata: &RequestMetadata, entry: &mut ProxyRequest) {
    entry.aws_principal_arn = Some(truncate_text(&metadata.aws_principal_arn));
    entry.kms_key_arn = metadata.kms_key_arn.as_deref().map(truncate_text);
    entry.kms_via_service = metadata.kms_via_service.as_deref().map(truncate_text);
    entry.aws_source_vpc = metadata.aws_source_vpc.as_deref().map(truncate_text);
    entry.aws_source_vpce = metadata.aws_source_vpce.as_deref().map(truncate_text);
    entry.kms_operation = Some(truncate_text(&metadata.kms_operation));
    entry.kms_request_id = Some(truncate_text(&metadata.kms_request_id));
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProxyError> {
    serde_json::from_slice(body).map_err(|error| {
        // The parser's error message may quote the plaintext.
        let (line, column) = (error.line(), error.column());
        ProxyError::validation(format!(
            "the body isn't valid: a field is missing or invalid before line {line}, column {column}"
        ))
    })
}

fn check_metadata(metadata: &RequestMetadata, requires_key_arn: bool) -> Result<(), ProxyError> {
    let arns = [Some(&metadata.aws_principal_arn), metadata.kms_key_arn.as_ref()];
    if arns.into_iter().flatten().any(|arn| arn.len() > MAX_ARN_LENGTH) {
        return Err(ProxyError::validation("awsPrincipalArn and kmsKeyArn can have up to 2048 characters"));
    }
    if requires_key_arn && metadata.kms_key_arn.is_none() {
        return Err(ProxyError::validation("requestMetadata has no kmsKeyArn"));
    }
    Ok(())
}

fn check_algorithm(algorithm: &str) -> Result<(), ProxyError> {
    if algorithm == AES_GCM { Ok(()) } else { Err(ProxyError::validation("encryptionAlgorithm must be AES_GCM")) }
}

fn ok<T: Serialize>(body: &T) -> Response {
    json(StatusCode::OK, body)
}

fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let Ok(bytes) = json_body(body) else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        return response;
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Zeroes a body that may contain a plaintext, unless the memory is shared.
pub(super) fn wipe(body: Bytes) {
    if let Ok(mut body) = body.try_into_mut() {
        body.zeroize();
    }
}
