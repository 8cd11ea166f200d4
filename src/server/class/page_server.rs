//! The server of the page with the progress of a class. Only this machine can reach it.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::TcpListener;

use super::{ClassProgress, Student};
use crate::server::ServeError;

/// The timeout for the head of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// What a browser may do with the page: show it with its own style, and nothing else.
const CONTENT_SECURITY_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// A server with an open port on loopback.
#[derive(Debug)]
pub struct ProgressServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl ProgressServer {
    /// The path of the progress in JSON.
    pub const JSON_PATH: &'static str = "/progress.json";

    /// Opens the port of `address` on loopback, or any free port if it is 0.
    ///
    /// # Errors
    /// [`ServeError::Listen`] if the port can't be opened.
    pub async fn open(address: SocketAddr) -> Result<Self, ServeError> {
        let address = Self::loopback(address);
        let failed = |source| ServeError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Returns the loopback address with the port of `address`.
    pub fn loopback(address: SocketAddr) -> SocketAddr {
        let ip = match address.ip() {
            ip if ip.is_loopback() => ip,
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        };
        SocketAddr::new(ip, address.port())
    }

    /// Returns the URL of the page.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Shows the progress of these students until the future is dropped.
    pub async fn run(self, students: Arc<[Student]>) {
        loop {
            let Ok((stream, _)) = self.listener.accept().await else {
                // Retrying at once wouldn't help if there are no file descriptors left.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let students = Arc::clone(&students);
            tokio::spawn(async move {
                let service =
                    service_fn(|request| std::future::ready(Ok::<_, Infallible>(respond(&request, &students))));
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADER_TIMEOUT)
                    .serve_connection(TokioIo::new(stream), service);
                // A peer that disconnects early is not an error of the server.
                let _ = connection.await;
            });
        }
    }
}

/// Returns whether the request is for this machine. A name of another site that leads to loopback is refused.
fn is_for_loopback<T>(request: &Request<T>) -> bool {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn respond<T>(request: &Request<T>, students: &[Student]) -> Response<Full<Bytes>> {
    let progress = || ClassProgress::of(students, Timestamp::now());
    let (status, content_type, body) = if !is_for_loopback(request) {
        (StatusCode::MISDIRECTED_REQUEST, "text/plain; charset=utf-8", "Use localhost.\n".to_owned())
    } else if request.method() != Method::GET {
        (StatusCode::METHOD_NOT_ALLOWED, "text/plain; charset=utf-8", String::new())
    } else {
        match request.uri().path() {
            "/" => (StatusCode::OK, "text/html; charset=utf-8", progress().to_html()),
            ProgressServer::JSON_PATH => {
                (StatusCode::OK, "application/json", serde_json::to_string(&progress()).unwrap_or_default())
            }
            _ => (StatusCode::NOT_FOUND, "text/plain; charset=utf-8", String::new()),
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_sites_are_refused() {
        let status = |host: &str, method: Method, path: &str| {
            let request = Request::builder().method(method).uri(path).header(header::HOST, host).body(()).unwrap();
            respond(&request, &[]).status().as_u16()
        };
        for host in ["127.0.0.1:4599", "localhost:4599", "LOCALHOST", "[::1]:4599", "127.0.0.1"] {
            assert_eq!(status(host, Method::GET, "/"), 200, "{host}");
        }
        for host in ["", "example.com", "example.com:4599", "127.0.0.1.example.com", "192.0.2.1:4599", "[::2]:1"] {
            assert_eq!(status(host, Method::GET, "/"), 421, "{host}");
        }
        assert_eq!(status("localhost", Method::POST, "/"), 405);
        assert_eq!(status("localhost", Method::GET, "/credentials"), 404);
    }

    #[test]
    fn page_is_always_on_loopback() {
        for (given, expected) in [
            ("0.0.0.0:4599", "127.0.0.1:4599"),
            ("192.0.2.1:1", "127.0.0.1:1"),
            ("127.0.0.2:1", "127.0.0.2:1"),
            ("[::]:1", "[::1]:1"),
        ] {
            assert_eq!(ProgressServer::loopback(given.parse().unwrap()), expected.parse().unwrap());
        }
    }
}
