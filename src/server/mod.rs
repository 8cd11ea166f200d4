//! The HTTP server of the bundled AWS and its external key store proxy.
//!
//! KMS, IAM, STS, CloudTrail, and CloudWatch are at `/`, and the proxy is at the URI path of each partition. Requests run on
//! the threads of the runtime. One that changes the account waits for the disk, while other threads run the others.

pub mod class;
pub mod client_environment;
pub mod profiles;
pub mod tls;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use jiff::Timestamp;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use self::class::RequestCounts;
use crate::access_log::{AccessLog, AccessLogEntry, RequestDetailsSlot};
use crate::bundled::{BundledAws, ConnectionInfo};
use crate::xks::quota::Quota;

/// The timeout for the head of a request, and for the TLS handshake before it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// The timeout for the body of a request.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a shutdown waits for requests in progress.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// The maximum number of open connections. Further connections wait.
const MAX_CONNECTIONS: usize = 1024;
/// The maximum size of a request body to KMS and the other AWS services that the server reads, in bytes.
///
/// The services themselves reject bodies that are below this size but above their own limit.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is in use, or doesn't belong to this machine.
    #[error(
        "Couldn't listen on {address}: {source}. Choose another address with --listen, or port 0 for any free port"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The error from the operating system.
        source: std::io::Error,
    },
    /// Other machines could reach the port.
    #[error(
        "Other machines can reach {0}. Anyone who has credentials for the bundled AWS can connect and use its KMS \
         keys. To allow this, add --beyond-loopback"
    )]
    BeyondLoopback(SocketAddr),
}

/// A server with an open port.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    aws: BundledAws,
    quota: Option<Arc<Quota>>,
    access_log: Option<Arc<AccessLog>>,
    counts: Option<Arc<RequestCounts>>,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Opens the port, or any free port if the port is 0.
    ///
    /// # Errors
    /// [`ServeError`] if the port can't be opened, or is open to other machines without permission.
    pub async fn open(
        aws: BundledAws,
        address: SocketAddr,
        tls: Option<Arc<rustls::ServerConfig>>,
        is_beyond_loopback: bool,
    ) -> Result<Self, ServeError> {
        if !address.ip().is_loopback() && !is_beyond_loopback {
            return Err(ServeError::BeyondLoopback(address));
        }
        let failed = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self {
            listener,
            address,
            aws,
            quota: None,
            access_log: None,
            counts: None,
            tls: tls.map(TlsAcceptor::from),
        })
    }

    /// Limits the requests per second to the proxy, for each partition. The burst limit is the same number.
    ///
    /// The bundled KMS doesn't use this port, so its own requests to the proxy don't count.
    #[must_use]
    pub fn with_proxy_rate(self, rate: NonZeroU32) -> Self {
        Self { quota: Some(Arc::new(Quota::new(rate))), ..self }
    }

    /// Logs each request to `log`.
    #[must_use]
    pub fn with_access_log(self, log: AccessLog) -> Self {
        Self { access_log: Some(Arc::new(log)), ..self }
    }

    /// Counts each request in `counts`.
    #[must_use]
    pub fn with_counts(self, counts: Arc<RequestCounts>) -> Self {
        Self { counts: Some(counts), ..self }
    }

    /// Returns the address that the server listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of the server, such as `http://127.0.0.1:8080`.
    ///
    /// With TLS on loopback, the host is `localhost`, which the certificate names.
    pub fn url(&self) -> String {
        if self.tls.is_some() && self.address.ip().is_loopback() {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
        }
    }

    /// Handles requests until `stop` completes, then finishes the requests in progress.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, aws, quota, access_log, counts, tls, .. } = self;
        let connection_limit = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let graceful = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = accept(&listener, &connection_limit) => accepted,
            };
            let Some((stream, permit)) = accepted else { continue };
            let (tls, watcher) = (tls.clone(), graceful.watcher());
            let address = stream.peer_addr().map_or(Ipv4Addr::LOCALHOST.into(), |peer| peer.ip());
            let origin = ConnectionInfo { address, is_over_tls: tls.is_some() };
            let handler = ConnectionHandler {
                aws: aws.clone(),
                quota: quota.clone(),
                access_log: access_log.clone(),
                counts: counts.clone(),
                origin,
            };
            tokio::spawn(async move {
                match tls {
                    None => handler.serve(watcher, stream).await,
                    Some(tls) => {
                        if let Ok(Ok(stream)) = tokio::time::timeout(HEADER_TIMEOUT, tls.accept(stream)).await {
                            handler.serve(watcher, stream).await;
                        }
                    }
                }
                drop(permit);
            });
        }
        drop(listener);
        let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
    }
}

/// Accepts the next connection once the limit allows it.
async fn accept(
    listener: &TcpListener,
    connection_limit: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(connection_limit).acquire_owned().await.ok()?;
    let Ok((stream, _)) = listener.accept().await else {
        // Retrying at once wouldn't help if there are no file descriptors left or the peer is gone.
        tokio::time::sleep(Duration::from_millis(10)).await;
        return None;
    };
    // Otherwise a response in two segments would wait for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    Some((stream, permit))
}

/// The handler of the requests on one connection.
#[derive(Clone)]
struct ConnectionHandler {
    aws: BundledAws,
    quota: Option<Arc<Quota>>,
    access_log: Option<Arc<AccessLog>>,
    counts: Option<Arc<RequestCounts>>,
    origin: ConnectionInfo,
}

impl ConnectionHandler {
    /// Serves one connection. On shutdown, the request in progress is finished.
    async fn serve(self, watcher: Watcher, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(async |request| self.handle_logged(request).await);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        // A peer that disconnects early is not an error of the server.
        let _ = watcher.watch(connection).await;
    }

    /// Answers, counts the request, and writes a line to the access log.
    async fn handle_logged(&self, mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (log, counts) = (self.access_log.as_deref(), self.counts.as_deref());
        if log.is_none() && counts.is_none() {
            return self.handle(request).await;
        }
        let (time, start) = (Timestamp::now(), Instant::now());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let slot = RequestDetailsSlot::default();
        request.extensions_mut().insert(slot.clone());
        let response = self.handle(request).await?;
        if let Some(counts) = counts {
            counts.record(time, response.status(), slot.get());
        }
        let Some(log) = log else { return Ok(response) };
        log.write(&AccessLogEntry {
            time,
            method: method.as_str(),
            path: &path,
            details: slot.get(),
            status: response.status().as_u16(),
            duration: start.elapsed(),
            request_id: response.headers().get("x-amzn-requestid").and_then(|id| id.to_str().ok()),
        });
        Ok(response)
    }

    async fn handle(&self, mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        if request.uri().path() != "/" {
            if let Some(quota) = &self.quota {
                request.extensions_mut().insert(Arc::clone(quota));
            }
            let result = tokio::time::timeout(BODY_TIMEOUT, self.aws.handle_proxy_request(request)).await;
            return Ok(match result {
                Ok(response) => response.map(Full::new),
                Err(_) => empty_response(StatusCode::REQUEST_TIMEOUT),
            });
        }
        let (mut head, body) = request.into_parts();
        if body.size_hint().lower() > MAX_BODY_BYTES as u64 {
            return Ok(empty_response(StatusCode::PAYLOAD_TOO_LARGE));
        }
        let body = match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, MAX_BODY_BYTES).collect()).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
                return Ok(empty_response(StatusCode::PAYLOAD_TOO_LARGE));
            }
            Ok(Err(_)) => return Ok(empty_response(StatusCode::BAD_REQUEST)),
            Err(_) => return Ok(empty_response(StatusCode::REQUEST_TIMEOUT)),
        };
        head.extensions.insert(self.origin);
        let response = self.aws.handle(Request::from_parts(head, body)).await;
        Ok(response.map(Full::new))
    }
}

fn empty_response(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}
