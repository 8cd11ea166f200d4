//! Sends the requests of a probe and records their outcomes.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::CONTENT_LENGTH;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;

use super::{Exchange, Probe};
use crate::conformance::connection::{Body, Connection, TIMEOUT};
use crate::conformance::request::ProbeRequest;
use crate::conformance::response::{CheckError, ProbeResponse, THROTTLED, fail, skip};
use crate::conformance::target::CheckTarget;
use crate::environment::Clock;
use crate::xks::wire::MAX_BODY;

/// The maximum number of retries of a throttled request.
const MAX_RETRIES: usize = 3;
/// The delay before each retry.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Probe {
    /// Sends a request and returns the response. Retries a throttled request after a delay.
    ///
    /// # Errors
    /// [`CheckError::Failed`] if there is no response.
    pub async fn send(&mut self, request: &ProbeRequest) -> Result<ProbeResponse, CheckError> {
        let mut outcome = self.send_once(request).await;
        for _ in 0..MAX_RETRIES {
            if !outcome.as_ref().is_ok_and(|response| response.status == StatusCode::TOO_MANY_REQUESTS) {
                break;
            }
            tokio::time::sleep(RETRY_DELAY).await;
            outcome = self.send_once(request).await;
        }
        self.record(request, outcome.clone());
        outcome.map_err(CheckError::Failed)
    }

    /// Sends a request on the current connection, or on a new one if the proxy closed it.
    ///
    /// # Errors
    /// Returns a message for the user if there is no response.
    pub async fn send_once(&mut self, request: &ProbeRequest) -> Result<ProbeResponse, String> {
        let mut connection = self.connection.take();
        if let Some(open) = &mut connection
            && !open.is_open().await
        {
            connection = None;
        }
        let attempt = tokio::time::timeout(TIMEOUT, async {
            let mut connection = match connection {
                Some(connection) => connection,
                None => self.connector.connect().await.map_err(|error| error.to_string())?,
            };
            let response = send_over(&mut connection, request, &self.target, &self.clock).await?;
            Ok((connection, response))
        });
        match attempt.await {
            Ok(Ok((connection, response))) => {
                self.connection = Some(connection);
                Ok(response)
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(format!("no response within {} seconds", TIMEOUT.as_secs())),
        }
    }

    /// Sends requests concurrently, each on its own connection.
    pub async fn send_concurrently(&mut self, requests: Vec<ProbeRequest>) -> Vec<Result<ProbeResponse, String>> {
        let exchanges = requests.iter().map(|request| async {
            let response = async {
                let mut connection = self.connector.connect().await.map_err(|error| error.to_string())?;
                send_over(&mut connection, request, &self.target, &self.clock).await
            };
            let outcome = tokio::time::timeout(TIMEOUT, response).await;
            outcome.unwrap_or_else(|_| Err(format!("no response within {} seconds", TIMEOUT.as_secs())))
        });
        let outcomes = futures_util::future::join_all(exchanges).await;
        for (request, outcome) in requests.iter().zip(&outcomes) {
            self.record(request, outcome.clone());
        }
        outcomes
    }

    /// Sends a request on the current connection and returns the time until the response.
    ///
    /// # Errors
    /// [`CheckError::Skipped`] if the proxy throttles the request, [`CheckError::Failed`] if the request fails.
    pub async fn time_request(&mut self, request: &ProbeRequest) -> Result<Duration, CheckError> {
        let start = Instant::now();
        let response = self.send_once(request).await;
        let elapsed = start.elapsed();
        if response.as_ref().is_ok_and(|response| response.status == StatusCode::OK) {
            return Ok(elapsed);
        }
        self.record(request, response.clone());
        let response = response.map_err(CheckError::Failed)?;
        if response.status == StatusCode::TOO_MANY_REQUESTS {
            return skip(THROTTLED);
        }
        response.success_body().map(|_| elapsed)
    }

    /// Signs a request with the current time.
    ///
    /// # Errors
    /// [`CheckError::Failed`] if the request can't be signed.
    pub fn sign(&self, request: &ProbeRequest) -> Result<http::Request<Bytes>, CheckError> {
        request.sign(&self.target, self.clock.now()).or_else(fail)
    }

    /// Records the outcome of a request.
    pub fn record(&mut self, request: &ProbeRequest, outcome: Result<ProbeResponse, String>) {
        self.exchanges.push(Exchange {
            request_line: format!("{} {}", request.method, request.path_and_query),
            signature: request.describe_signature(),
            request_body: if request.declared_length.is_some() { Vec::new() } else { request.body() },
            is_valid_for_kms: request.is_valid_for_kms,
            outcome,
        });
    }
}

async fn send_over(
    connection: &mut Connection,
    request: &ProbeRequest,
    target: &CheckTarget,
    clock: &Clock,
) -> Result<ProbeResponse, String> {
    let mut http_request = request.sign(target, clock.now())?;
    let origin = http_request.uri().path_and_query().map_or("/", |it| it.as_str()).parse();
    *http_request.uri_mut() = origin.map_err(|_| "the request path isn't valid in a URI".to_owned())?;
    if let Some(size) = request.declared_length {
        http_request.headers_mut().insert(CONTENT_LENGTH, size.into());
    }
    let http_request = http_request.map(|body| request_body(body, request.declared_length.is_some()));
    let connection_failed = |error: hyper::Error| format!("the connection failed: {error}");
    let response = connection.send(http_request).await.map_err(connection_failed)?;
    let (head, mut incoming) = response.into_parts();
    let mut body = BytesMut::new();
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame.map_err(connection_failed)?.into_data() {
            body.extend_from_slice(&data);
        }
        if body.len() > MAX_BODY {
            return Err(format!("{} with a body of more than {MAX_BODY} bytes", head.status.as_u16()));
        }
    }
    Ok(ProbeResponse { status: head.status, headers: head.headers, body: body.freeze() })
}

fn request_body(bytes: Bytes, is_withheld: bool) -> Body {
    if is_withheld {
        let pending = futures_util::stream::pending::<Result<Frame<Bytes>, std::convert::Infallible>>();
        StreamBody::new(pending).boxed_unsync()
    } else {
        Full::new(bytes).boxed_unsync()
    }
}
