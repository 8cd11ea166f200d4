//! The same over TLS on loopback: a served AWS, and in front of it a server that does to one request what the fault says.

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
use xks_console::flow::player::{Player, in_process_client};
use xks_console::server::{Server, tls};
use xks_console::tui::app::Target;

use super::faulty::{self, Fault};
use super::person::{Flow, Person};
use super::{assert_doubt, assert_told};
use crate::account::wait;

/// How long the console waits for an answer here.
const PATIENCE: Duration = Duration::from_secs(4);

/// What stands in front of the served AWS.
pub struct Front {
    behind: SocketAddr,
    fault: Fault,
    operation: &'static str,
    has_struck: AtomicBool,
}

/// A message as it came: its head with the empty line, and its body.
async fn message<S: AsyncRead + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<Option<(String, Vec<u8>)>> {
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

fn parsed(head: &str, body: &[u8]) -> Request<Bytes> {
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let request = headers.fold(Request::post("/"), |request, (name, value)| request.header(name, value));
    request.body(Bytes::copy_from_slice(body)).unwrap()
}

impl Front {
    /// One that does what `fault` says to the first `operation`, in front of a server.
    pub fn new(behind: SocketAddr, fault: Fault, operation: &'static str) -> Self {
        Self { behind, fault, operation, has_struck: AtomicBool::new(false) }
    }

    /// Whether it has.
    pub fn has_struck(&self) -> bool {
        self.has_struck.load(Ordering::SeqCst)
    }

    /// The same without TLS.
    pub async fn run_plainly(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let front = Arc::clone(&self);
            tokio::spawn(async move { front.serve(stream).await });
        }
    }

    async fn run(self: Arc<Self>, listener: TcpListener, tls: TlsAcceptor) {
        while let Ok((stream, _)) = listener.accept().await {
            let (front, tls) = (Arc::clone(&self), tls.clone());
            // Before a request has come nobody knows for what the connection is: the next one is for what is refused.
            if front.fault == Fault::ConnectionRefused && !front.has_struck.swap(true, Ordering::SeqCst) {
                continue;
            }
            tokio::spawn(async move {
                // A client that goes away ends it.
                let _ = front.serve(tls.accept(stream).await?).await;
                std::io::Result::Ok(())
            });
        }
    }

    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        let mut behind = BufReader::new(TcpStream::connect(self.behind).await?);
        while let Some((head, body)) = message(&mut stream).await? {
            let request = parsed(&head, &body);
            let is_meant = faulty::operation(&request) == self.operation;
            let fault = Some(self.fault).filter(|_| is_meant && !self.has_struck.swap(true, Ordering::SeqCst));
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
                stream.write_all(&refused(&request, code, status)).await?;
                stream.flush().await?;
                continue;
            }
            behind.write_all(&[head.as_bytes(), &body].concat()).await?;
            let Some((head, body)) = message(&mut behind).await? else { return Ok(()) };
            let whole = [head.as_bytes(), &body].concat();
            match fault {
                Some(Fault::FailsAfter) => stream.write_all(&refused(&request, "KMSInternalException", 500)).await?,
                Some(Fault::ResetAfter) => return Ok(()),
                Some(Fault::HangsAfter) => return std::future::pending().await,
                Some(Fault::Truncated) => {
                    stream.write_all(&whole[..whole.len() - body.len() / 2]).await?;
                    return stream.flush().await;
                }
                Some(Fault::Garbage) => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>").await?,
                Some(Fault::Slow) => {
                    for piece in whole.chunks(100) {
                        stream.write_all(piece).await?;
                        stream.flush().await?;
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                }
                _ => stream.write_all(&whole).await?,
            }
            stream.flush().await?;
        }
        Ok(())
    }
}

fn refused(request: &Request<Bytes>, code: &str, status: u16) -> Vec<u8> {
    let answer = faulty::refusal(request, code, status);
    let head = format!("HTTP/1.1 {status} No\r\ncontent-length: {}\r\n\r\n", answer.body().len());
    [head.as_bytes(), answer.body()].concat()
}

/// Goes through Method 1 with a fault at the first call of an operation.
fn through(fault: Fault, operation: &'static str) {
    let case = format!("{fault:?} at {operation} over TLS");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let bundled = BundledAws::in_memory("default", Environment::system()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (config, authority) = tls::self_signed(dir.path(), None).unwrap();
    let (url, server) = runtime.block_on(async {
        let server = Server::open(bundled.clone(), "127.0.0.1:0".parse().unwrap(), None, false).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let behind = server.url().trim_start_matches("http://").parse().unwrap();
        let front = Front::new(behind, fault, operation);
        tokio::spawn(Arc::new(front).run(listener, TlsAcceptor::from(config)));
        (url, server)
    });
    runtime.spawn(server.run(std::future::pending()));
    let aws = in_process_client(&bundled, Clock::System);
    let before = wait(aws.collect_keys()).unwrap().len();
    let keys = bundled.access_keys().unwrap();
    let admin = keys.into_iter().find(|key| key.user_name == "Admin").unwrap().credentials;
    let https = Arc::new(Https::new(Some(&authority)).unwrap());
    let wrong =
        if fault == Fault::WrongClock { jiff::SignedDuration::from_hours(1) } else { jiff::SignedDuration::ZERO };
    let here = Clock::manual(Clock::System.now() - wrong);
    let client = Client::new(https, admin, BundledAws::REGION, here.clone())
        .with_endpoints(Endpoints::from_url(&url))
        .with_attempt_timeout(PATIENCE);
    let console = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut journey =
        Player::with_client((100, 30), bundled, client, Target::Endpoint("localhost".to_owned()), here, console);
    let person = Person::walk(&mut journey, Flow::Method1);
    assert_told(&case, &person, &aws, before);
    assert!(person.succeeded, "{case}: {:?} {}", person.troubles, person.last);
    assert_doubt(&case, &person, fault, operation);
}

#[test]
fn method_1_completes_over_tls_despite_any_fault_at_create_key() {
    Fault::ALL.iter().for_each(|fault| through(*fault, "CreateKey"));
}

#[test]
fn method_1_completes_over_tls_despite_faults_at_create_alias() {
    // An empty body can't be cut; and nothing is refused or wrong that wasn't before.
    for fault in [Fault::FailsAfter, Fault::ResetBefore, Fault::ResetAfter, Fault::HangsAfter, Fault::Garbage] {
        through(fault, "CreateAlias");
    }
}
