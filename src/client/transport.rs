//! The one seam between the client and AWS: over HTTPS, or into the bundled AWS. The same bytes go through both.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use http::{Request, Response};

use super::endpoints::{check_url, host_and_port, is_loopback};
use crate::pem;

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
const MAX_RESPONSE_BYTES: usize = 16 << 20;
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long a whole call may take.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// Over HTTPS, or over HTTP to this machine.
#[derive(Clone, Debug)]
pub struct Https {
    /// By way of HTTPS_PROXY, but for hosts that NO_PROXY names.
    proxied: reqwest::Client,
    /// To this machine, and to metadata services, which are no other's to ask.
    direct: reqwest::Client,
}

impl Https {
    /// A transport that follows no redirects and trusts the authorities of this system, and those in the file
    /// `authorities` (PEM).
    ///
    /// # Errors
    /// A file that can't be read, or holds no certificates; TLS can't be set up on this machine.
    pub fn new(authorities: Option<&Path>) -> Result<Self, String> {
        let found = authorities.map(load_certificates).transpose()?.unwrap_or_default();
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .tcp_nodelay(true)
                .tls_certs_merge(found.clone())
        };
        let build = |builder: reqwest::ClientBuilder| builder.build().map_err(|error| root_cause(&error));
        Ok(Self { proxied: build(builder())?, direct: build(builder().no_proxy())? })
    }

    /// Sends a request and waits at most `time` for the whole answer. Whether it may go over HTTP is for the caller to say.
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
        let is_near = request.uri().scheme_str() == Some("http") || is_loopback(request.uri());
        let client = if is_near { &self.direct } else { &self.proxied };
        let mut request = reqwest::Request::try_from(request).map_err(|error| failed(&error))?;
        *request.timeout_mut() = Some(time);
        let mut answer = client.execute(request).await.map_err(|error| failed(&error))?;
        let too_long = || {
            let reason = format!("its response is longer than {} MiB", MAX_RESPONSE_BYTES >> 20);
            TransportError { host: host.clone(), reason, may_have_arrived: true }
        };
        // An answer that says how long it is is refused before any of it is read.
        if answer.content_length().is_some_and(|length| length > MAX_RESPONSE_BYTES as u64) {
            return Err(too_long());
        }
        let (mut chunks, mut length) = (Vec::new(), 0);
        while let Some(chunk) = answer.chunk().await.map_err(|error| failed(&error))? {
            length += chunk.len();
            if length > MAX_RESPONSE_BYTES {
                return Err(too_long());
            }
            chunks.push(chunk);
        }
        let mut response = Response::new(concat_chunks(chunks, length));
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

/// The chunks of a body as one.
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

/// The certificates in a file, PEM.
fn load_certificates(path: &Path) -> Result<Vec<reqwest::Certificate>, String> {
    let invalid = |reason: String| format!("the CA bundle {}: {reason}", path.display());
    let pem = pem::read(path).map_err(|error| invalid(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| invalid(root_cause(&error)))?;
    if found.is_empty() { Err(invalid("it holds no certificates".to_owned())) } else { Ok(found) }
}

/// What the person can do something about.
fn failure_reason(error: &reqwest::Error, time: Duration) -> String {
    let reason = match (error.is_timeout(), error.is_connect()) {
        (true, true) => format!("it can't be reached within {} seconds", CONNECT_TIMEOUT.as_secs()),
        (true, false) => format!("nothing came within {} seconds", time.as_secs()),
        _ => root_cause(error),
    };
    if error_sources(error).any(|cause| cause.to_string().starts_with(TUNNEL_ERROR_PREFIX)) {
        let reason = reason.strip_prefix(TUNNEL_ERROR_PREFIX).unwrap_or(&reason);
        return format!("the proxy of HTTPS_PROXY makes no way there: {reason}. NO_PROXY names hosts that need none");
    }
    reason
}

/// How an error of the way through a proxy begins: its type can't be named.
const TUNNEL_ERROR_PREFIX: &str = "tunnel error: ";

/// An error and what caused it, from the outside to the inside.
fn error_sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The cause of all: what stands around it repeats the URL and *error sending request*.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    error_sources(error).last().map(ToString::to_string).unwrap_or_default()
}

impl Transport for Https {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            // A session token in it is a secret, and what is answered may be one.
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
        assert!(!error.may_have_arrived && error.reason.contains("use https"), "{error}");
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
