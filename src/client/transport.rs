//! The one seam between the client and AWS: over HTTPS, or into the bundled AWS. The same bytes go through both.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::{Request, Response};

/// No answer came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer came from {host}: {reason}")]
pub struct TransportError {
    /// Who was asked.
    pub host: String,
    /// What went wrong.
    pub reason: String,
    /// Whether the request may have reached the service.
    pub may_have_arrived: bool,
}

/// Carries signed requests.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request once and waits for the whole answer.
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;

    /// Whether the AWS at the other end is the bundled one.
    fn is_bundled(&self) -> bool {
        false
    }
}

/// Into the bundled AWS, without a socket.
#[derive(Clone, Debug)]
pub struct InProcess<H>(H);

impl<H> InProcess<H>
where
    H: Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync + 'static,
{
    /// A transport that hands requests to `handler`.
    pub fn new(handler: H) -> Self {
        Self(handler)
    }
}

impl<H> Transport for InProcess<H>
where
    H: Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync + 'static,
{
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let answer = (self.0)(request);
        Box::pin(async move { Ok(answer.await) })
    }

    fn is_bundled(&self) -> bool {
        true
    }
}

/// The longest answer that is read, in bytes.
const MOST_BYTES: usize = 16 << 20;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a whole call may take.
const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// Over HTTPS.
#[derive(Clone, Debug)]
pub struct Https(reqwest::Client);

impl Https {
    /// A transport over HTTPS that follows no redirects.
    ///
    /// # Errors
    /// When TLS can't be set up on this machine.
    pub fn new() -> Result<Self, TransportError> {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .tcp_nodelay(true)
            .build()
            .map(Self)
            .map_err(|error| TransportError {
                host: "AWS".to_owned(),
                reason: error.to_string(),
                may_have_arrived: false,
            })
    }
}

impl Transport for Https {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let host = request.uri().host().unwrap_or("AWS").to_owned();
            let failed = |error: &reqwest::Error| TransportError {
                host: host.clone(),
                reason: error.to_string(),
                may_have_arrived: !error.is_connect() && !error.is_builder(),
            };
            let request = reqwest::Request::try_from(request).map_err(|error| failed(&error))?;
            let mut answer = self.0.execute(request).await.map_err(|error| failed(&error))?;
            let mut body = BytesMut::new();
            while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
                if body.len() + chunk.len() > MOST_BYTES {
                    let reason = format!("its answer is longer than {MOST_BYTES} bytes");
                    return Err(TransportError { host, reason, may_have_arrived: true });
                }
                body.extend_from_slice(&chunk);
            }
            let mut response = Response::new(body.freeze());
            *response.status_mut() = answer.status();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}
