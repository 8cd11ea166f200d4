//! Responses that aren't from AWS: the page of a corporate proxy, a truncated response, or an endless one. Each gives a
//! short error that describes the response and contains no HTML tags.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use xks_console::aws::iam::{ListUsers, ListUsersOutput};
use xks_console::aws::kms::{Decrypt, ListKeys, ListKeysOutput};
use xks_console::aws::scalar::SecretString;
use xks_console::aws::sigv4::Credentials;
use xks_console::client::endpoints::Endpoints;
use xks_console::client::{CallError, Client, Https, Transport, TransportError};
use xks_console::environment::Clock;
use xks_console::flow::player::Player;

use super::snapshots::play_tape;

/// Upper limit for the length of an error message, in characters.
const MAX_MESSAGE_CHARS: usize = 4200;

const BLOCK_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Access blocked</title><style>p { color: red }</style>\
    <script>location = '<p>'</script></head>\n<body><h1>Blocked by Example Corp</h1><p>Ask the <a href='x'>service desk</a>.\
    </p></body></html>";

fn client(url: &str) -> Client {
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SecretString::new("secret".to_owned()),
        session_token: None,
    };
    Client::new(Arc::new(Https::new(None).unwrap()), credentials, "us-west-2", Clock::System)
        .with_endpoints(Endpoints::from_url(url))
}

/// Returns the results of a call to KMS and a call to IAM at a server that always returns this response.
async fn call_with_response(
    status: u16,
    body: impl Fn() -> Body + Clone + Send + Sync + 'static,
) -> (Result<ListKeysOutput, CallError>, Result<ListUsersOutput, CallError>) {
    let handler = move || async move { Response::builder().status(status).body(body()).unwrap() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(handler)).await.unwrap() });
    (client.call(&ListKeys::default()).await, client.call(&ListUsers::default()).await)
}

/// Returns the errors of both calls for a response body. Asserts that they are short and contain no markup.
async fn errors_for_response(status: u16, body: &[u8]) -> [CallError; 2] {
    let body = Bytes::copy_from_slice(body);
    let (keys, users) = call_with_response(status, move || Body::from(body.clone())).await;
    let errors = [keys.unwrap_err(), users.unwrap_err()];
    for error in &errors {
        let message = error.to_string();
        assert!(message.chars().count() < MAX_MESSAGE_CHARS, "{}", message.chars().count());
        for tag in ["<html", "<body", "<p>", "</", "<!DOCTYPE", "<script"] {
            assert!(!message.contains(tag), "{message}");
        }
        assert!(!message.chars().any(|letter| letter.is_control() && letter != '\n'), "{message:?}");
    }
    errors
}

#[tokio::test]
async fn error_without_a_code_shows_its_status_and_start_of_body() {
    let no_code = |status: u16| format!("UnknownError: The response has HTTP status {status} and no AWS error code");
    let long = "x".repeat(200_000);
    let cases: [(u16, &[u8], &str); 9] = [
        (403, BLOCK_PAGE.as_bytes(), ". It starts with: Access blocked Blocked by Example Corp Ask the service desk."),
        (407, b"Proxy authentication required\r\n", ". It starts with: Proxy authentication required"),
        (302, b"<a href=\"https://login.example/\">Found</a>", ". It starts with: Found"),
        (503, b"", ". It is empty."),
        (400, b"\xff\xfe\xfd\x00\x01", ". It has no readable text."),
        (400, b"{\"__type\":\"Throttl", ". It starts with: {\"__type\":\"Throttl"),
        (404, b"\x1b[2J\x1b]0;title\x07gone", ". It starts with: [2J ]0;title gone"),
        (500, long.as_bytes(), ". It starts with: xxxx"),
        (400, b"{\"__type\":7,\"message\":{\"text\":\"no\"}}", ". It starts with: {\"__type\":7"),
    ];
    for (status, body, expected) in cases {
        for error in errors_for_response(status, body).await {
            assert!(error.to_string().starts_with(&(no_code(status) + expected)), "{error}");
            assert!(error.outcome_unknown(), "{error}");
            let CallError::Service(error) = error else { panic!("{error}") };
            assert_eq!(error.status, status);
        }
    }
}

#[tokio::test]
async fn long_error_message_is_truncated_and_its_code_is_kept() {
    let long = "é".repeat(200_000);
    let json = format!("{{\"__type\":\"AccessDeniedException\",\"message\":\"{long}\"}}");
    let xml =
        format!("<ErrorResponse><Error><Code>AccessDenied</Code><Message>{long}</Message></Error></ErrorResponse>");
    let [error, _] = errors_for_response(400, json.as_bytes()).await;
    assert!(error.to_string().starts_with("AccessDeniedException: éé") && !error.outcome_unknown(), "{error}");
    assert!(error.to_string().ends_with("éé… (195904 more characters)"));
    let [_, error] = errors_for_response(403, xml.as_bytes()).await;
    assert!(error.to_string().starts_with("AccessDenied: éé") && !error.outcome_unknown(), "{error}");
    // The code is kept even if the error is truncated.
    let [_, error] = errors_for_response(403, &xml.as_bytes()[..100]).await;
    assert_eq!(error.to_string(), "AccessDenied: ");
}

#[tokio::test]
async fn unparseable_success_response_explains_why() {
    let [keys, users] = errors_for_response(200, BLOCK_PAGE.as_bytes()).await;
    let page = "the response is a web page that starts with: Access blocked Blocked by Example Corp";
    assert!(keys.to_string().contains(page) && users.to_string().contains(page), "{keys} {users}");
    let long = format!("{{\"Keys\":\"{}\"}}", "x".repeat(200_000));
    let bodies: [&[u8]; 6] = [
        b"plain text",
        b"\xff\xfe\x00",
        b"{\"Keys\":[{\"KeyId\"",
        b"<ListUsersResponse><ListUsersResult>",
        b"[]",
        long.as_bytes(),
    ];
    for body in bodies {
        for error in errors_for_response(200, body).await {
            assert!(matches!(error, CallError::Malformed { .. }) && error.outcome_unknown(), "{error}");
        }
    }
}

/// A response that can't be parsed may contain plaintext, so the error must not quote it.
#[tokio::test]
async fn unparseable_decrypt_response_does_not_leak_plaintext() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = client(&format!("http://{}", listener.local_addr().unwrap()));
    let truncated = "{\"KeyId\":\"arn\",\"Plaintext\":\"c2VjcmV0LXBsYWludGV4dA==\",\"Encr";
    tokio::spawn(async move {
        axum::serve(listener, Router::new().fallback(move || async move { truncated })).await.unwrap()
    });
    let error = client.call(&Decrypt::default()).await.unwrap_err();
    assert!(!error.to_string().contains("c2Vj") && error.to_string().contains("EOF"), "{error}");
}

#[tokio::test]
async fn truncated_response_is_a_transport_error() {
    let broken = || {
        let chunks = [Ok(Bytes::from_static(b"{\"Keys\":[")), Err(std::io::Error::other("lost"))];
        Body::from_stream(futures_util::stream::iter(chunks))
    };
    let (keys, users) = call_with_response(200, broken).await;
    for error in [keys.unwrap_err(), users.unwrap_err()] {
        assert!(matches!(&error, CallError::Transport(error) if error.may_have_arrived), "{error}");
        assert!(error.to_string().len() < 200, "{error}");
    }
}

/// The maximum number of bytes that the endless response sends.
const STREAM_BYTES: usize = 300 << 20;

/// Responds to one request with [`STREAM_BYTES`] and this header. Returns the number of bytes sent before the client
/// disconnected.
async fn bytes_sent_until_disconnect(listener: tokio::net::TcpListener, header: &str) -> usize {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut request = vec![0; 64 << 10];
    let _ = socket.read(&mut request).await.unwrap();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n{header}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let is_chunked = header.contains("chunked");
    let chunk = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat();
    let chunk = if is_chunked { &chunk[..] } else { &chunk[7..chunk.len() - 2] };
    let mut sent = 0;
    while sent < STREAM_BYTES && socket.write_all(chunk).await.is_ok() {
        sent += chunk.len();
    }
    sent
}

/// The limit is 16 MiB. The server can send a few MiB more, which stay unread in the socket buffers.
#[tokio::test]
async fn response_over_the_size_limit_is_rejected_while_streaming() {
    const SOCKET_BUFFERS: usize = 32 << 20;
    let length = format!("Content-Length: {STREAM_BYTES}");
    for (header, limit) in [("Transfer-Encoding: chunked", 16 << 20), (&*length, 0), ("Connection: close", 16 << 20)] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let header = header.to_owned();
        let server = tokio::spawn(async move { bytes_sent_until_disconnect(listener, &header).await });
        let request = Request::builder().method("POST").uri(url).body(Bytes::from_static(b"{}")).unwrap();
        let error = Https::new(None).unwrap().send(request).await.unwrap_err();
        assert!(error.reason.contains("larger than 16 MiB") && error.may_have_arrived, "{error}");
        let sent = server.await.unwrap();
        assert!(sent >= limit && sent < limit + SOCKET_BUFFERS, "{sent} bytes");
    }
}

/// Responds to calls that list resources with the page of a corporate proxy.
struct BlockingProxy(Arc<dyn Transport>);

impl Transport for BlockingProxy {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        if !target.contains("List") && !target.contains("Stores") {
            return self.0.send(request);
        }
        let response =
            http::Response::builder().status(StatusCode::FORBIDDEN).body(Bytes::from_static(BLOCK_PAGE.as_bytes()));
        Box::pin(async move { Ok(response.unwrap()) })
    }

    fn is_bundled(&self) -> bool {
        self.0.is_bundled()
    }
}

#[test]
fn html_page_of_corporate_proxy_is_shown_as_plain_text() {
    let mut player = Player::start((80, 24)).unwrap();
    let client = player.client().map_transport(|inner| Arc::new(BlockingProxy(inner)));
    player.use_client(&client);
    play_tape(&mut player, "blocked", "Wait+Screen /HTTP status 403/\nScreenshot stores.png\n");
}
