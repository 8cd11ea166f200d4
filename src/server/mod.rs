//! The bundled AWS and its external key store proxy on a port: KMS, IAM, STS, CloudTrail and CloudWatch at `/`, the proxy
//! below the URI path of each partition.

pub mod client_environment;
pub mod profiles;
pub mod tls;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
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
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use crate::access_log::{AccessLog, AccessLogEntry, RequestDetailsSlot};
use crate::bundled::{BundledAws, ConnectionInfo};
use crate::xks::quota::Quota;

/// How long a client may take for the head of a request, and for the TLS handshake before it.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a client may take for a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long what is in flight may take after the server was told to stop.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections served at a time; more wait.
const MAX_CONNECTIONS: usize = 1024;
/// How long a thread looks out for the next request after it answered one. To wake a core that sleeps takes longer than a
/// request does, and a client that has its answer often asks again at once. A server that nobody asks sleeps.
const BUSY_POLL_DURATION: Duration = Duration::from_micros(60);
/// The longest request to KMS and its like that is read, in bytes. What is longer by less than this is told so.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken, or not one of this machine.
    #[error(
        "Couldn't listen on {address}: {source}. Choose another address with --listen, or port 0 for any free port"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Others could reach the port.
    #[error(
        "{0} can be reached by other machines, and whoever reaches this AWS can use its keys with one of its credentials. \
         Say --beyond-loopback if that is what you want"
    )]
    BeyondLoopback(SocketAddr),
}

/// A port that is open.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    aws: BundledAws,
    proxy: Router,
    quota: Option<Arc<Quota>>,
    access_log: Option<Arc<AccessLog>>,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Opens the port; port 0 picks one.
    ///
    /// # Errors
    /// [`ServeError`].
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
        let proxy = aws.proxy_router();
        Ok(Self { listener, address, aws, proxy, quota: None, access_log: None, tls: tls.map(TlsAcceptor::from) })
    }

    /// Lets each partition make so many requests to the proxy a second, and as many at once. The bundled KMS does not
    /// come by this port, so what it asks of its proxy is not counted.
    #[must_use]
    pub fn with_proxy_rate(self, rate: NonZeroU32) -> Self {
        Self { quota: Some(Arc::new(Quota::new(rate))), ..self }
    }

    /// Writes a line to `log` for each request.
    #[must_use]
    pub fn with_access_log(self, log: AccessLog) -> Self {
        Self { access_log: Some(Arc::new(log)), ..self }
    }

    /// Where the port is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:8080`, or `https://localhost:8080` where the certificate names the host.
    pub fn url(&self) -> String {
        if self.tls.is_some() && self.address.ip().is_loopback() {
            format!("https://localhost:{}", self.address.port())
        } else {
            format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
        }
    }

    /// Answers until `stop`, then finishes what is in flight.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, aws, proxy, quota, access_log, tls, .. } = self;
        let connection_limit = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let graceful = GracefulShutdown::new();
        let worker_pool = WorkerPool::start();
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
                proxy: proxy.clone(),
                quota: quota.clone(),
                access_log: access_log.clone(),
                origin,
                response_sent: Arc::default(),
            };
            // What belongs to the socket moves with it to the runtime of another thread.
            let Ok(stream) = stream.into_std() else { continue };
            worker_pool.spawn(|answered| async move {
                let handler = ConnectionHandler { response_sent: answered, ..handler };
                let Ok(stream) = TcpStream::from_std(stream) else { return };
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

/// Threads that serve connections. Each has its connections to itself: a request is answered where it was read, and
/// nobody else is woken for it.
///
/// In a runtime with paused time, which has one thread, all is done there.
struct WorkerPool {
    workers: Vec<Worker>,
    next_worker: AtomicUsize,
}

/// A thread that works until this is dropped.
struct Worker {
    runtime: Handle,
    response_sent: Arc<Notify>,
    _shutdown: Option<oneshot::Sender<()>>,
}

impl WorkerPool {
    fn start() -> Self {
        let here = Handle::current();
        if here.runtime_flavor() == RuntimeFlavor::CurrentThread {
            let worker = Worker { runtime: here, response_sent: Arc::default(), _shutdown: None };
            return Self { workers: vec![worker], next_worker: AtomicUsize::new(0) };
        }
        // More than there are cores: a thread that waits for the disk must not keep all connections waiting.
        let count = std::thread::available_parallelism().map_or(4, |cores| cores.get().max(4));
        let threads = (0..count).filter_map(|_| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
            let handle = runtime.handle().clone();
            let (end, ended) = oneshot::channel();
            let answered = Arc::new(Notify::new());
            runtime.spawn(busy_poll(Arc::clone(&answered)));
            std::thread::spawn(move || runtime.block_on(ended));
            Some(Worker { runtime: handle, response_sent: answered, _shutdown: Some(end) })
        });
        Self { workers: threads.collect(), next_worker: AtomicUsize::new(0) }
    }

    /// Gives the next thread what `work` makes of the means to say that something was answered.
    fn spawn<F: Future<Output = ()> + Send + 'static>(&self, work: impl FnOnce(Arc<Notify>) -> F) {
        let turn = self.next_worker.fetch_add(1, Ordering::Relaxed);
        match self.workers.get(turn % self.workers.len().max(1)) {
            Some(thread) => drop(thread.runtime.spawn(work(Arc::clone(&thread.response_sent)))),
            None => drop(tokio::spawn(work(Arc::default()))),
        }
    }
}

/// Keeps the thread from going to sleep for a while after each answer.
async fn busy_poll(answered: Arc<Notify>) {
    loop {
        answered.notified().await;
        let start = Instant::now();
        while start.elapsed() < BUSY_POLL_DURATION {
            tokio::task::yield_now().await;
        }
    }
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    connection_limit: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(connection_limit).acquire_owned().await.ok()?;
    let Ok((stream, _)) = listener.accept().await else {
        // No descriptor is left, or the peer has gone: neither is mended by trying again at once.
        tokio::time::sleep(Duration::from_millis(10)).await;
        return None;
    };
    // Without it an answer in two pieces waits for the peer's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    Some((stream, permit))
}

/// What answers on one connection.
#[derive(Clone)]
struct ConnectionHandler {
    aws: BundledAws,
    proxy: Router,
    quota: Option<Arc<Quota>>,
    access_log: Option<Arc<AccessLog>>,
    origin: ConnectionInfo,
    response_sent: Arc<Notify>,
}

impl ConnectionHandler {
    /// Serves one connection, which a shutdown lets finish its request.
    async fn serve(self, watcher: Watcher, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(async |request| {
            let answer = self.clone().handle_logged(request).await;
            self.response_sent.notify_one();
            answer
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        // A peer that goes away in the middle is no event of the server's.
        let _ = watcher.watch(connection).await;
    }

    /// Answers, and writes a line to the access log.
    async fn handle_logged(self, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let Some(log) = self.access_log.clone() else { return self.handle(request).await };
        let (time, start) = (Timestamp::now(), Instant::now());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let slot = RequestDetailsSlot::default();
        request.extensions_mut().insert(slot.clone());
        let response = self.handle(request).await?;
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

    async fn handle(self, mut request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        if request.uri().path() != "/" {
            if let Some(quota) = self.quota {
                request.extensions_mut().insert(quota);
            }
            let answered = tokio::time::timeout(BODY_TIMEOUT, self.proxy.oneshot(request.map(Body::new))).await;
            return Ok(match answered {
                Ok(Ok(response)) => response,
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
        Ok(response.map(|body: Bytes| Body::new(Full::new(body))))
    }
}

fn empty_response(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
