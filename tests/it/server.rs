//! The bundled AWS on a port, with misbehaving clients.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use xks_console::bundled::BundledAws;
use xks_console::environment::Environment;
use xks_console::server::{ServeError, Server};

/// A served account. Dropping it stops the server.
struct TestServer {
    address: SocketAddr,
    shutdown: Option<oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl TestServer {
    async fn start() -> Self {
        let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1);
        let aws = BundledAws::in_memory("default", environment).unwrap();
        let server = Server::open(aws, "127.0.0.1:0".parse().unwrap(), None, false).await.unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(server.run(async move {
            let _ = stopped.await;
        }));
        Self { address, shutdown: Some(stop), task: running }
    }

    /// Sends raw text and returns the response up to the end of the connection.
    async fn send_raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        let read = stream.read_to_string(&mut response);
        tokio::time::timeout(Duration::from_secs(20), read).await.expect("the server closes the connection").unwrap();
        response
    }
}

fn raw_request(line: &str, headers: &str, body: &str) -> String {
    format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn malformed_requests_get_the_errors_of_their_service() {
    let aws = TestServer::start().await;
    let target = "X-Amz-Target: TrentService.ListKeys\r\nContent-Type: application/x-amz-json-1.1\r\n";
    let unsigned = aws.send_raw(&raw_request("POST /", target, "{}")).await;
    assert!(
        unsigned.starts_with("HTTP/1.1 400 ") && unsigned.contains("MissingAuthenticationTokenException"),
        "{unsigned}"
    );
    assert!(unsigned.to_ascii_lowercase().contains("x-amzn-requestid: "), "{unsigned}");
    let unknown = aws.send_raw(&raw_request("POST /", "X-Amz-Target: TrentService.Sing\r\n", "{}")).await;
    assert!(unknown.contains("MissingAuthenticationTokenException"), "{unknown}");
    let without_action = aws.send_raw(&raw_request("GET /", "", "")).await;
    assert!(without_action.contains("MissingAction"), "{without_action}");
    let health = aws.send_raw(&raw_request("GET /frankfurt/kms/xks/v1/health", "", "")).await;
    assert!(health.starts_with("HTTP/1.1 405 "), "{health}");
    let unknown_path = aws.send_raw(&raw_request("POST /elsewhere", "", "")).await;
    assert!(
        unknown_path.starts_with("HTTP/1.1 404 ") && unknown_path.contains("InvalidUriPathException"),
        "{unknown_path}"
    );
    assert!(aws.send_raw(&raw_request("GET /ping", "", "")).await.ends_with("pong\n"));
}

#[tokio::test]
async fn oversized_bodies_are_rejected_before_authentication() {
    let aws = TestServer::start().await;
    let large_body = "x".repeat(600 * 1024);
    let response = aws.send_raw(&raw_request("POST /", "X-Amz-Target: TrentService.ListKeys\r\n", &large_body)).await;
    assert!(response.contains("RequestEntityTooLargeException"), "{response}");
    let oversized = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n";
    assert!(aws.send_raw(oversized).await.starts_with("HTTP/1.1 413 "));
    let proxy = aws.send_raw(&raw_request("POST /frankfurt/kms/xks/v1/health", "", &large_body)).await;
    assert!(proxy.starts_with("HTTP/1.1 501 "), "{proxy}");
}

#[tokio::test(start_paused = true)]
async fn stalled_clients_time_out() {
    let aws = TestServer::start().await;
    assert_eq!(aws.send_raw("POST / HTTP/1.1\r\nHost: loc").await, "");
    let slow = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 5\r\n\r\nab";
    assert!(aws.send_raw(slow).await.starts_with("HTTP/1.1 408 "));
    let slow = slow.replace("POST /", "POST /frankfurt/kms/xks/v1/health");
    assert!(aws.send_raw(&slow).await.starts_with("HTTP/1.1 408 "));
}

#[tokio::test]
async fn shutdown_finishes_requests_in_flight_and_closes_the_port() {
    let mut aws = TestServer::start().await;
    let mut stream = TcpStream::connect(aws.address).await.unwrap();
    stream.write_all(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    aws.shutdown.take().unwrap().send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stream.write_all(b"\r\nx").await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.ends_with("pong\n"), "{response}");
    (&mut aws.task).await.unwrap();
    assert!(TcpStream::connect(aws.address).await.is_err());
}

#[tokio::test]
async fn listening_beyond_loopback_must_be_allowed_explicitly() {
    let environment = || Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1);
    let aws = BundledAws::in_memory("default", environment()).unwrap();
    let all_interfaces = "0.0.0.0:0".parse().unwrap();
    let refused = Server::open(aws.clone(), all_interfaces, None, false).await;
    assert!(matches!(refused, Err(ServeError::BeyondLoopback(_))));
    assert!(Server::open(aws.clone(), all_interfaces, None, true).await.is_ok());
    let first = Server::open(aws.clone(), "127.0.0.1:0".parse().unwrap(), None, false).await.unwrap();
    let second = Server::open(aws, first.address(), None, false).await;
    assert!(matches!(second, Err(ServeError::Listen { .. })));
}
