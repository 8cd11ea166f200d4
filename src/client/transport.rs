//! The transport between the client and AWS: HTTPS, or calls to the bundled AWS. Both carry the same bytes.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::{Request, Response};

use super::endpoints::{check_url, host_and_port, is_loopback};
use crate::pem;

/// A request that failed without a usable response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request to {host} failed: {reason}")]
pub struct TransportError {
    /// The host and port that the request was for.
    pub host: String,
    /// What went wrong.
    pub reason: String,
    /// Whether the request may have reached the service.
    pub may_have_arrived: bool,
}

/// A transport for signed requests.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request once and waits for the complete response.
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>>;

    /// Whether this transport leads to the bundled AWS.
    fn is_bundled(&self) -> bool {
        false
    }
}

/// A transport to the bundled AWS, without a socket.
#[derive(Clone, Debug)]
pub struct InProcess<H>(H);

impl<H> InProcess<H>
where
    H: Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync + 'static,
{
    /// Creates a transport that passes requests to `handler`.
    pub fn new(handler: H) -> Self {
        Self(handler)
    }
}

impl<H> Transport for InProcess<H>
where
    H: Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Send + Sync + 'static,
{
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let response = (self.0)(request);
        Box::pin(async move { Ok(response.await) })
    }

    fn is_bundled(&self) -> bool {
        true
    }
}

/// The maximum size of a response, in bytes.
const MAX_RESPONSE_BYTES: usize = 16 << 20;
/// The timeout for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The timeout for a complete call.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// A transport over HTTPS, or over HTTP to this machine.
#[derive(Clone, Debug)]
pub struct Https {
    /// Connects through `HTTPS_PROXY`, except to the hosts in `NO_PROXY`.
    proxied: reqwest::Client,
    /// Connects directly to this machine and to metadata services, which a proxy can't reach.
    direct: reqwest::Client,
}

impl Https {
    /// Creates a transport that follows no redirects.
    ///
    /// It trusts the CA certificates of this system, and those in the PEM file `ca_bundle`.
    ///
    /// # Errors
    /// The reason why the file can't be read, contains no certificates, or why TLS can't be set up.
    pub fn new(ca_bundle: Option<&Path>) -> Result<Self, String> {
        let certificates = ca_bundle.map(load_certificates).transpose()?.unwrap_or_default();
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .tcp_nodelay(true)
                .tls_certs_merge(certificates.clone())
        };
        let build = |builder: reqwest::ClientBuilder| builder.build().map_err(|error| root_cause(&error));
        Ok(Self { proxied: build(builder())?, direct: build(builder().no_proxy())? })
    }

    /// Sends a request and waits at most `time` for the complete response.
    ///
    /// The caller checks whether the request is allowed to use HTTP.
    pub(super) async fn send_with_timeout(
        &self,
        request: Request<Bytes>,
        time: Duration,
    ) -> Result<Response<Bytes>, TransportError> {
        let host = host_and_port(request.uri()).unwrap_or("AWS").to_owned();
        let failed = |error: &reqwest::Error| TransportError {
            host: host.clone(),
            reason: failure_reason(error, time),
            may_have_arrived: !error.is_connect() && !error.is_builder(),
        };
        let is_direct = request.uri().scheme_str() == Some("http") || is_loopback(request.uri());
        let client = if is_direct { &self.direct } else { &self.proxied };
        let mut request = reqwest::Request::try_from(request).map_err(|error| failed(&error))?;
        *request.timeout_mut() = Some(time);
        let mut received = client.execute(request).await.map_err(|error| failed(&error))?;
        let too_long = || {
            let reason = format!("the response is larger than {} MiB", MAX_RESPONSE_BYTES >> 20);
            TransportError { host: host.clone(), reason, may_have_arrived: true }
        };
        // A response whose content length is too large is rejected before its body is read.
        if received.content_length().is_some_and(|length| length > MAX_RESPONSE_BYTES as u64) {
            return Err(too_long());
        }
        let (mut chunks, mut length) = (Vec::new(), 0);
        while let Some(chunk) = received.chunk().await.map_err(|error| failed(&error))? {
            length += chunk.len();
            if length > MAX_RESPONSE_BYTES {
                return Err(too_long());
            }
            chunks.push(chunk);
        }
        let mut response = Response::new(concat_chunks(chunks, length));
        *response.status_mut() = received.status();
        *response.headers_mut() = std::mem::take(received.headers_mut());
        Ok(response)
    }
}

/// Joins the chunks of a body.
fn concat_chunks(mut chunks: Vec<Bytes>, length: usize) -> Bytes {
    if let [only] = &mut chunks[..] {
        return std::mem::take(only);
    }
    let mut body = BytesMut::with_capacity(length);
    for chunk in chunks {
        body.extend_from_slice(&chunk);
    }
    body.freeze()
}

/// Loads the certificates in a PEM file.
fn load_certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, String> {
    let invalid = |reason: String| format!("couldn't use the CA bundle {}: {reason}", path.display());
    let pem = pem::read(path).map_err(|error| invalid(error.to_string()))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| invalid(root_cause(&error)))?;
    if certificates.is_empty() { Err(invalid("it contains no certificates".to_owned())) } else { Ok(certificates) }
}

/// Returns the part of an error that the user can act on.
fn failure_reason(error: &reqwest::Error, time: Duration) -> String {
    let reason = match (error.is_timeout(), error.is_connect()) {
        (true, true) => format!("couldn't connect within {} seconds", CONNECT_TIMEOUT.as_secs()),
        (true, false) => format!("it didn't respond within {} seconds", time.as_secs()),
        _ => root_cause(error),
    };
    if error_sources(error).any(|cause| cause.to_string().starts_with(TUNNEL_ERROR_PREFIX)) {
        let reason = reason.strip_prefix(TUNNEL_ERROR_PREFIX).unwrap_or(&reason);
        return format!("the proxy in HTTPS_PROXY can't connect: {reason}. To bypass it, add the host to NO_PROXY");
    }
    reason
}

/// The prefix of an error from an HTTP proxy, whose type is private.
const TUNNEL_ERROR_PREFIX: &str = "tunnel error: ";

/// Iterates over an error and its causes.
fn error_sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Returns the root cause of an error. The errors around it only repeat the URL and *error sending request*.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    error_sources(error).last().map(ToString::to_string).unwrap_or_default()
}

impl Transport for Https {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            // The request may contain a session token, and the response may contain secrets too.
            if let Err(invalid) = check_url(&request.uri().to_string()) {
                let host = request.uri().host().unwrap_or("AWS").to_owned();
                return Err(TransportError { host, reason: invalid.to_string(), may_have_arrived: false });
            }
            self.send_with_timeout(request, CALL_TIMEOUT).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn failure(uri: &str) -> TransportError {
        let request = Request::builder().method("POST").uri(uri).body(Bytes::new()).unwrap();
        Https::new(None).unwrap().send(request).await.unwrap_err()
    }

    #[tokio::test]
    async fn plain_http_to_another_host_is_not_sent() {
        let error = failure("http://kms.us-west-2.amazonaws.com/").await;
        assert!(!error.may_have_arrived && error.reason.contains("Use https"), "{error}");
    }

    #[tokio::test]
    async fn refused_connection_gives_a_short_error() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = failure(&format!("http://{address}/")).await;
        assert!(!error.may_have_arrived, "{error}");
        assert_eq!(error.host, address.to_string());
        assert!(error.to_string().to_lowercase().contains("connection refused"), "{error}");
    }

    #[test]
    fn invalid_ca_bundle_error_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        assert!(Https::new(Some(&path)).unwrap_err().contains("ca.pem"));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(Https::new(Some(&path)).unwrap_err().contains("ca.pem"));
    }

    #[test]
    fn ca_bundle_may_start_with_byte_order_mark() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(["ca".to_owned()]).unwrap().self_signed(&key).unwrap();
        std::fs::write(&path, format!("\u{feff}{}", certificate.pem())).unwrap();
        assert_eq!(load_certificates(&path).unwrap().len(), 1);
        assert!(Https::new(Some(&path)).is_ok());
    }
}
