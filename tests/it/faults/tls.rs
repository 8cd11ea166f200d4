//! Faults over TLS on loopback: a server in front of a served AWS injects a fault into one request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use xks_console::bundled::BundledAws;
use xks_console::client::endpoints::Endpoints;
use xks_console::client::{Client, Https};
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::Player;
use xks_console::in_process;
use xks_console::server::{Server, tls};

use super::faulty_transport::{self, Fault};
use super::simulated_user::{Flow, SimulatedUser};
use super::{assert_outcome_is_reported, assert_unknown_outcome_is_reported};
use crate::account::block_on;
use xks_console::tui::target::Target;

/// How long the console waits for a response in these tests.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(4);

/// A server in front of the served AWS that injects one fault.
pub struct FaultInjector {
    upstream: SocketAddr,
    fault: Fault,
    operation: &'static str,
    has_fired: AtomicBool,
}

/// Reads one HTTP message. Returns its head, including the empty line, and its body.
async fn read_message<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        if stream.read_line(&mut head).await? == 0 {
            return Ok(None);
        }
        let line = head[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await?;
            return Ok(Some((head, body)));
        }
    }
}

fn parse_request(head: &str, body: &[u8]) -> Request<Bytes> {
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let request = headers.fold(Request::post("/"), |request, (name, value)| request.header(name, value));
    request.body(Bytes::copy_from_slice(body)).unwrap()
}

impl FaultInjector {
    /// Creates an injector in front of `upstream` that applies `fault` to the first call to `operation`.
    pub fn new(upstream: SocketAddr, fault: Fault, operation: &'static str) -> Self {
        Self { upstream, fault, operation, has_fired: AtomicBool::new(false) }
    }

    /// Whether the fault has occurred.
    pub fn has_fired(&self) -> bool {
        self.has_fired.load(Ordering::SeqCst)
    }

    /// Serves connections without TLS.
    pub async fn run_without_tls(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let injector = Arc::clone(&self);
            tokio::spawn(async move { injector.serve(stream).await });
        }
    }

    async fn run(self: Arc<Self>, listener: TcpListener, tls: TlsAcceptor) {
        while let Ok((stream, _)) = listener.accept().await {
            let (injector, tls) = (Arc::clone(&self), tls.clone());
            // The operation isn't known before the request arrives, so this fault refuses the first connection.
            if injector.fault == Fault::ConnectionRefused && !injector.has_fired.swap(true, Ordering::SeqCst) {
                continue;
            }
            tokio::spawn(async move {
                // Ends when the client disconnects.
                let _ = injector.serve(tls.accept(stream).await?).await;
                std::io::Result::Ok(())
            });
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut upstream = BufReader::new(TcpStream::connect(self.upstream).await?);
        while let Some((head, body)) = read_message(&mut stream).await? {
            let request = parse_request(&head, &body);
            let is_target = faulty_transport::operation_name(&request) == self.operation;
            let fault = Some(self.fault).filter(|_| is_target && !self.has_fired.swap(true, Ordering::SeqCst));
            let refusal = match fault {
                Some(Fault::Throttled) => Some(("ThrottlingException", 400)),
                Some(Fault::FailsBefore) => Some(("KMSInternalException", 500)),
                Some(Fault::Expired) => Some(("ExpiredTokenException", 400)),
                Some(Fault::Denied) => Some(("AccessDeniedException", 400)),
                Some(Fault::ResetBefore) => return Ok(()),
                Some(Fault::HangsBefore) => return std::future::pending().await,
                _ => None,
            };
            if let Some((code, status)) = refusal {
                stream.write_all(&error_response_bytes(&request, code, status)).await?;
                stream.flush().await?;
                continue;
            }
            upstream.write_all(&[head.as_bytes(), &body].concat()).await?;
            let Some((head, body)) = read_message(&mut upstream).await? else { return Ok(()) };
            let message = [head.as_bytes(), &body].concat();
            match fault {
                Some(Fault::FailsAfter) => {
                    stream.write_all(&error_response_bytes(&request, "KMSInternalException", 500)).await?
                }
                Some(Fault::ResetAfter) => return Ok(()),
                Some(Fault::HangsAfter) => return std::future::pending().await,
                Some(Fault::Truncated) => {
                    stream.write_all(&message[..message.len() - body.len() / 2]).await?;
                    return stream.flush().await;
                }
                Some(Fault::Garbage) => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>").await?,
                Some(Fault::Slow) => {
                    for chunk in message.chunks(100) {
                        stream.write_all(chunk).await?;
                        stream.flush().await?;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                _ => stream.write_all(&message).await?,
            }
            stream.flush().await?;
        }
        Ok(())
    }
}

fn error_response_bytes(request: &Request<Bytes>, code: &str, status: u16) -> Vec<u8> {
    let response = faulty_transport::error_response(request, code, status);
    let head = format!("HTTP/1.1 {status} Error\r\ncontent-length: {}\r\n\r\n", response.body().len());
    [head.as_bytes(), response.body()].concat()
}

/// Runs Method 1 with a fault at the first call to an operation.
fn run_method_1(fault: Fault, operation: &'static str) {
    let case = format!("{fault:?} at {operation} over TLS");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bundled = BundledAws::in_memory("default", Environment::system()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (config, authority) = tls::self_signed(dir.path(), None).unwrap();
    let (url, server) = runtime.block_on(async {
        let server = Server::open(bundled.clone(), "127.0.0.1:0".parse().unwrap(), None, false).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let upstream = server.url().trim_start_matches("http://").parse().unwrap();
        let injector = FaultInjector::new(upstream, fault, operation);
        tokio::spawn(Arc::new(injector).run(listener, TlsAcceptor::from(config)));
        (url, server)
    });
    runtime.spawn(server.run(std::future::pending()));
    let aws = in_process::client(&bundled, Clock::System);
    let before = block_on(aws.collect_keys()).unwrap().len();
    let keys = bundled.access_keys().unwrap();
    let admin = keys.into_iter().find(|key| key.user_name == "Admin").unwrap().credentials;
    let https = Arc::new(Https::new(Some(&authority)).unwrap());
    let clock_offset =
        if fault == Fault::WrongClock { jiff::SignedDuration::from_hours(1) } else { jiff::SignedDuration::ZERO };
    let clock = Clock::manual(Clock::System.now() - clock_offset);
    let client = Client::new(https, admin, BundledAws::REGION, clock.clone())
        .with_endpoints(Endpoints::from_url(&url))
        .with_attempt_timeout(ATTEMPT_TIMEOUT);
    let console_runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut player = Player::with_client(
        (100, 30),
        bundled,
        client,
        Target::Endpoint("localhost".to_owned()),
        clock,
        console_runtime,
    );
    let user = SimulatedUser::run_flow(&mut player, Flow::Method1);
    assert_outcome_is_reported(&case, &user, &aws, before);
    assert!(user.succeeded, "{case}: {:?} {}", user.errors, user.last_screen);
    assert_unknown_outcome_is_reported(&case, &user, fault, operation);
}

#[test]
fn method_1_completes_over_tls_despite_any_fault_at_create_key() {
    Fault::ALL.iter().for_each(|fault| run_method_1(*fault, "CreateKey"));
}

#[test]
fn method_1_completes_over_tls_despite_faults_at_create_alias() {
    // The other faults don't apply to an empty body or don't differ from those at CreateKey.
    for fault in [Fault::FailsAfter, Fault::ResetBefore, Fault::ResetAfter, Fault::HangsAfter, Fault::Garbage] {
        run_method_1(fault, "CreateAlias");
    }
}
