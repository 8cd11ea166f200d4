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

mod operations;
mod responses;
#[cfg(test)]
mod tests;
mod uri_path;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as HttpBody;
use zeroize::Zeroize as _;

use self::responses::{ProxyError, json};
use self::uri_path::route;
use super::faults::InjectedFault;
use super::key_manager::ExternalKeyManager;
use super::log::{elapsed_microseconds, truncate_text};
use super::quota::Quota;
use super::wire::{ErrorBody, ErrorName, MAX_BODY, SERVICE, error_message};
use crate::access_log::{RequestDetails, RequestDetailsSlot};
use crate::aws::limits;
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::{SignedRequest, SigningKeyCache};
use crate::aws::xks_console::ProxyRequest;
use crate::environment::Clock;

/// The host name of the bundled proxy in the bundled AWS.
pub const BUNDLED_HOST: &str = "xks-proxy.bundled.internal";
/// The private DNS name of the VPC endpoint service for the bundled proxy.
pub const BUNDLED_VPC_HOST: &str = "xks-vpc.bundled.internal";

/// Returns whether a host name belongs to the bundled proxy: [`BUNDLED_HOST`] or [`BUNDLED_VPC_HOST`].
pub fn is_bundled_host(host: &str) -> bool {
    [BUNDLED_HOST, BUNDLED_VPC_HOST].iter().any(|known| host.eq_ignore_ascii_case(known))
}

/// Creates the router of a [`Proxy`].
pub fn router(manager: ExternalKeyManager, clock: Clock) -> Router {
    let proxy = Proxy::new(manager, clock);
    Router::new().fallback(async move |request: Request<Body>| proxy.respond(request).await.map(Body::from))
}

/// The proxy for all partitions of an external key manager, with `GET /ping` for load balancers. Clones share its state.
///
/// If a request has an `Arc<`[`Quota`]`>` extension, it counts against the quota after authentication. If it has an
/// [`InjectedFault`] extension, the proxy waits or fails after authentication, as the fault says.
#[derive(Clone)]
pub struct Proxy {
    manager: ExternalKeyManager,
    clock: Clock,
    signing_keys: Arc<SigningKeyCache>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy")
    }
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

/// Responds to a request of a load balancer.
fn ping(method: &Method) -> Response<Bytes> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return method_not_allowed("GET,HEAD");
    }
    let mut response = Response::new(Bytes::from_static(b"pong\n"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

fn method_not_allowed(allowed: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

impl Proxy {
    /// Creates the proxy for all partitions of `manager`. `clock` is that of the account.
    pub fn new(manager: ExternalKeyManager, clock: Clock) -> Self {
        Self { manager, clock, signing_keys: Arc::default() }
    }

    /// Responds to a request.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Bytes>
    where
        B: HttpBody<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
        if request.uri().path() == "/ping" {
            return ping(request.method());
        }
        let start = self.clock.machine_time();
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
        entry.microseconds = elapsed_microseconds(start, self.clock.machine_time());
        if let Some(slot) = slot {
            slot.set(access_log_details(&entry));
        }
        self.manager.log_request(&entry);
        response
    }

    async fn handle<B>(&self, request: Request<B>, entry: &mut ProxyRequest) -> Result<Response<Bytes>, ProxyError>
    where
        B: HttpBody<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>>,
    {
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
            return Ok(method_not_allowed("POST"));
        }
        let body = read_body(body).await?;
        add_host_header(&mut head.headers, &head.uri);
        let request = Request::from_parts(head, body);
        self.authenticate(partition, &request, entry)?;
        if let Some(fault) = request.extensions().get::<InjectedFault>() {
            self.apply_fault(fault, api.name()).await?;
        }
        if let Some(quota) = request.extensions().get::<Arc<Quota>>()
            && !quota.try_acquire(partition, self.clock.machine_time())
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

    /// Waits or fails as a fault says.
    async fn apply_fault(&self, fault: &InjectedFault, operation: &str) -> Result<(), ProxyError> {
        self.clock.sleep(fault.delay).await;
        match fault.kind.proxy_error(operation) {
            Some(name) => Err(ProxyError::new(name, "a simulated failure")),
            None => Ok(()),
        }
    }

    fn authenticate(
        &self,
        partition: &str,
        request: &Request<Bytes>,
        entry: &mut ProxyRequest,
    ) -> Result<(), ProxyError> {
        let failed = || {
            let message = "the signature isn't valid for a credential of this proxy, or its time is off by more than five minutes";
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
        let verified = signed_request.verify(request, &key, self.clock.machine_time());
        if known && verified.is_ok() { Ok(()) } else { Err(failed()) }
    }
}

async fn read_body<B>(body: B) -> Result<Bytes, ProxyError>
where
    B: HttpBody<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>>,
{
    let too_big = || {
        let message = format!("the request exceeds {MAX_BODY} bytes");
        ProxyError::new(ErrorName::UnsupportedOperationException, message)
    };
    // The request isn't authenticated yet: reject it by its declared size, without reading it or sending 100
    // Continue.
    if body.size_hint().lower() > MAX_BODY as u64 {
        return Err(too_big());
    }
    let collected = Limited::new(body, MAX_BODY).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            too_big()
        } else {
            ProxyError::validation("the request body is incomplete")
        }
    })?;
    Ok(collected.to_bytes())
}

/// In HTTP/2, the authority replaces the host header that the signature covers.
fn add_host_header(headers: &mut HeaderMap, uri: &Uri) {
    if !headers.contains_key(HOST)
        && let Some(host) = uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok())
    {
        headers.insert(HOST, host);
    }
}

/// Zeroes a body that may contain a plaintext, unless the memory is shared.
pub(crate) fn wipe(body: Bytes) {
    if let Ok(mut body) = body.try_into_mut() {
        body.zeroize();
    }
}
