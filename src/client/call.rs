//! One call: sign, send, retry, decode.
//!
//! Only encoding and decoding depend on the operation. [`Client::call`] does both and leaves the rest to one function that
//! all operations share, so that the program holds it once.

use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderValue, Method, Request, Response, header};
use jiff::Timestamp;

use super::log::ApiCall;
use super::retry::Attempts;
use super::{CallError, Client, INVALID_CREDENTIALS_CODES, TransportError, clock_skew, endpoints};
use crate::aws::active_proxy_faults::{ActiveProxyFaults, PROXY_FAULTS_HEADER};
use crate::aws::codec::{self, CodecError, FORM_CONTENT_TYPE};
use crate::aws::operation::{Operation, Protocol, Service};
use crate::aws::sigv4::{self, Credentials};
use crate::aws::xks_console::SECONDS_AHEAD_HEADER;

/// A request in the form that all operations share.
struct EncodedRequest {
    service: Service,
    operation: &'static str,
    is_idempotent: bool,
    is_read_only: bool,
    body: Bytes,
}

impl EncodedRequest {
    fn new<O: Operation>(request: &O) -> Result<Self, CallError> {
        let body = codec::encode_request(request)
            .map_err(|error| CallError::Malformed { operation: O::NAME, reason: error.to_string() })?;
        Ok(Self {
            service: O::SERVICE,
            operation: O::NAME,
            is_idempotent: O::IS_IDEMPOTENT,
            is_read_only: request.is_read_only(),
            body,
        })
    }

    fn malformed(&self, reason: String) -> CallError {
        CallError::Malformed { operation: self.operation, reason }
    }
}

/// Decodes the body of a successful response, and keeps the result.
type Decode<'a> = dyn FnMut(&[u8]) -> Result<(), CodecError> + Send + 'a;

/// What a response says beside its body. Empty when no response arrived.
#[derive(Default)]
struct ResponseMetadata {
    status: Option<u16>,
    request_id: Option<String>,
    date: Option<Timestamp>,
    /// How many seconds the account of a bundled AWS is ahead.
    seconds_ahead: i64,
    /// The active proxy faults of a bundled AWS.
    proxy_faults: Option<ActiveProxyFaults>,
    signed_by: Option<Arc<Credentials>>,
}

impl ResponseMetadata {
    fn from_response(response: &Response<Bytes>) -> Self {
        let header = |name: &str| response.headers().get(name)?.to_str().ok().map(str::to_owned);
        Self {
            status: Some(response.status().as_u16()),
            request_id: header("x-amzn-requestid"),
            date: clock_skew::response_date(response.headers()),
            seconds_ahead: header(SECONDS_AHEAD_HEADER).and_then(|seconds| seconds.parse().ok()).unwrap_or_default(),
            proxy_faults: header(PROXY_FAULTS_HEADER).and_then(|text| ActiveProxyFaults::from_header(&text)),
            signed_by: None,
        }
    }
}

impl Client {
    /// Calls an operation. A call that fails is retried where a retry is safe and promising, for about a minute at most.
    ///
    /// # Errors
    /// [`CallError`]. [`CallError::outcome_unknown`] tells whether AWS may have carried out the request all the same.
    pub async fn call<O: Operation>(&self, request: &O) -> Result<O::Response, CallError> {
        let request = EncodedRequest::new(request)?;
        let mut response = None;
        let mut decode = |body: &[u8]| {
            response = Some(codec::decode_response::<O>(body)?);
            Ok(())
        };
        self.execute(&request, &mut decode).await?;
        response.ok_or_else(|| request.malformed("there is no response".to_owned()))
    }

    fn execute<'a>(
        &'a self,
        request: &'a EncodedRequest,
        decode: &'a mut Decode<'_>,
    ) -> BoxFuture<'a, Result<(), CallError>> {
        async move {
            let is_private = request.service == Service::XksConsole && !self.transport.is_bundled();
            if is_private && !self.may_be_bundled() {
                return Err(CallError::NotAvailable);
            }
            let result = self.send_with_retries(request, decode).await;
            match &result {
                // Only the AWS at an endpoint can tell whether it is a bundled AWS.
                Err(CallError::Service(error))
                    if is_private
                        && ["UnknownOperation", codec::UNKNOWN_ERROR].iter().any(|code| error.has_code(code)) =>
                {
                    return Err(CallError::NotAvailable);
                }
                Err(CallError::Service(error)) if INVALID_CREDENTIALS_CODES.iter().any(|code| error.has_code(code)) => {
                    self.source.invalidate().await;
                }
                _ => {}
            }
            result
        }
        .boxed()
    }

    async fn send_with_retries(&self, request: &EncodedRequest, decode: &mut Decode<'_>) -> Result<(), CallError> {
        let started_at = self.clock.now();
        let mut attempts = Attempts::new(request.is_idempotent);
        let (mut may_correct_clock, mut may_renew) = (true, true);
        let mut renewal_error = None;
        let (metadata, result) = loop {
            let (metadata, result) = self.attempt(request, decode, &mut attempts).await;
            let Err(error) = &result else { break (metadata, result) };
            // AWS does nothing for a request whose signature it refuses, so any operation can be retried with the right time.
            if may_correct_clock && self.skew.update_from_error(error, metadata.date, self.clock.now()) {
                may_correct_clock = false;
                continue;
            }
            // The same holds for expired credentials.
            if let (CallError::Service(expired), true, Some(signed_by)) = (error, may_renew, &metadata.signed_by)
                && expired.has_code("ExpiredToken")
            {
                may_renew = false;
                match self.source.renew(signed_by, expired, self.now()).await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => renewal_error = Some(error),
                }
                break (metadata, result);
            }
            match attempts.backoff(error, &self.random) {
                Some(pause) => self.clock.sleep(pause).await,
                None => break (metadata, result),
            }
        };
        self.notify_observers(request, started_at, attempts.count, metadata, result.as_ref().err());
        renewal_error.map_or(result, |error| Err(error.into()))
    }

    /// Sends the request once.
    async fn attempt(
        &self,
        request: &EncodedRequest,
        decode: &mut Decode<'_>,
        attempts: &mut Attempts,
    ) -> (ResponseMetadata, Result<(), CallError>) {
        let mut metadata = ResponseMetadata::default();
        let result = async {
            let credentials = self.source.credentials(self.now()).await?;
            metadata.signed_by = Some(Arc::clone(&credentials));
            if !self.transport.is_bundled() {
                self.rate_limiter.acquire(request.service, request.operation, &self.region).await;
            }
            let http = self.signed_request(request, &credentials)?;
            attempts.count += 1;
            let response = self.send_with_timeout(http, self.attempt_timeout.unwrap_or(attempts.timeout())).await?;
            metadata =
                ResponseMetadata { signed_by: metadata.signed_by.take(), ..ResponseMetadata::from_response(&response) };
            // An error can be the failure that used up a fault.
            if self.may_be_bundled() {
                *self.lock_proxy_faults() = metadata.proxy_faults.take();
            }
            if response.status().is_success() {
                if self.may_be_bundled() {
                    self.bundled_account.seconds_ahead.store(metadata.seconds_ahead, Ordering::Relaxed);
                }
                return decode(response.body()).map_err(|error| request.malformed(error.to_string()));
            }
            let status = response.status().as_u16();
            let request_id = metadata.request_id.as_deref().unwrap_or_default();
            Err(codec::decode_error(request.service.protocol(), status, request_id, response.body()).into())
        };
        let result = result.await;
        (metadata, result)
    }

    fn lock_proxy_faults(&self) -> MutexGuard<'_, Option<ActiveProxyFaults>> {
        self.bundled_account.proxy_faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send_with_timeout(
        &self,
        request: Request<Bytes>,
        timeout: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let host = endpoints::host_and_port(request.uri()).unwrap_or("AWS").to_owned();
        let response = tokio::time::timeout(timeout, self.transport.send(request)).await;
        response.unwrap_or_else(|_| {
            let reason = format!("it didn't respond within {} seconds", timeout.as_secs());
            Err(TransportError { host, reason, may_have_arrived: true })
        })
    }

    fn notify_observers(
        &self,
        request: &EncodedRequest,
        started_at: Timestamp,
        attempts: u32,
        metadata: ResponseMetadata,
        error: Option<&CallError>,
    ) {
        if self.observers.is_empty() {
            return;
        }
        let duration = self.clock.now().duration_since(started_at).as_millis();
        let mut call = ApiCall {
            time: self.skew.correct(started_at),
            service: request.service.signing_name(),
            operation: request.operation,
            region: self.region.clone(),
            request_id: metadata.request_id,
            // Zero if the clock was set back during the call.
            duration_milliseconds: u64::try_from(duration).unwrap_or_default(),
            attempts,
            status: metadata.status,
            error_code: error.map(|error| error.code().to_owned()),
            seconds_ahead: self.bundled_account.seconds_ahead.load(Ordering::Relaxed),
            proxy_faults: self.lock_proxy_faults().clone(),
            observer_error: None,
        };
        for observer in &self.observers {
            if let Err(reason) = observer.observe(&call) {
                call.observer_error = Some(reason);
            }
        }
    }

    fn signed_request(&self, request: &EncodedRequest, credentials: &Credentials) -> Result<Request<Bytes>, CallError> {
        if self.is_read_only() && !request.is_read_only {
            return Err(CallError::ReadOnly { operation: request.operation });
        }
        let (uri, region) = self.endpoints.resolve(request.service, &self.region);
        let builder = Request::builder().method(Method::POST).uri(uri);
        let builder = match request.service.protocol() {
            Protocol::Json { content_type, target_prefix } => builder
                .header(header::CONTENT_TYPE, HeaderValue::from_static(content_type))
                .header("x-amz-target", format!("{target_prefix}.{}", request.operation)),
            Protocol::Query { .. } => builder.header(header::CONTENT_TYPE, HeaderValue::from_static(FORM_CONTENT_TYPE)),
        };
        let mut http = builder.body(request.body.clone()).map_err(|error| request.malformed(error.to_string()))?;
        sigv4::sign(&mut http, credentials, region, request.service.signing_name(), self.now())?;
        Ok(http)
    }
}
