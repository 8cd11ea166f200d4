//! A transport to AWS that injects a fault.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use jiff::SignedDuration;
use xks_console::aws::error::ServiceError;
use xks_console::client::{Transport, TransportError};
use xks_console::environment::Clock;

/// A fault in a call to AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service throttles the request.
    Throttled,
    /// The service returns an internal error before it processes the request.
    FailsBefore,
    /// The service returns an internal error after it processed the request.
    FailsAfter,
    /// The connection is refused.
    ConnectionRefused,
    /// The connection is reset before the service processes the request.
    ResetBefore,
    /// The connection is reset after the service processed the request.
    ResetAfter,
    /// The request is never processed and gets no response.
    HangsBefore,
    /// The request is processed but gets no response.
    HangsAfter,
    /// The response takes 20 seconds.
    Slow,
    /// Only half of the response arrives.
    Truncated,
    /// The response body is an unrelated web page.
    Garbage,
    /// The clock of this machine is off by one hour from now on.
    WrongClock,
    /// The session has expired.
    Expired,
    /// IAM denies the request.
    Denied,
}

impl Fault {
    pub const ALL: [Self; 14] = [
        Self::Throttled,
        Self::FailsBefore,
        Self::FailsAfter,
        Self::ConnectionRefused,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::HangsBefore,
        Self::HangsAfter,
        Self::Slow,
        Self::Truncated,
        Self::Garbage,
        Self::WrongClock,
        Self::Expired,
        Self::Denied,
    ];

    /// Whether the client can't know if the request was processed.
    pub fn leaves_outcome_unknown(self, operation: &str) -> bool {
        match self {
            // The response body of CreateAlias is empty, so it can't be truncated.
            Self::Truncated => operation != "CreateAlias",
            Self::FailsBefore
            | Self::FailsAfter
            | Self::ResetBefore
            | Self::ResetAfter
            | Self::HangsBefore
            | Self::HangsAfter
            | Self::Garbage => true,
            _ => false,
        }
    }
}

/// The calls at which the fault occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultTrigger {
    Never,
    /// Only at the call with this number, counted from 0.
    AtCall(usize),
    /// At each call to an operation.
    EachCall(String),
}

pub struct FaultyTransport {
    inner: Arc<dyn Transport>,
    fault: Fault,
    trigger: FaultTrigger,
    client_clock: Clock,
    server_clock: Clock,
    calls: Mutex<Vec<String>>,
}

impl FaultyTransport {
    pub fn new(inner: Arc<dyn Transport>, client_clock: Clock, server_clock: Clock) -> Self {
        let calls = Mutex::default();
        Self { inner, fault: Fault::Denied, trigger: FaultTrigger::Never, client_clock, server_clock, calls }
    }

    pub fn with_fault(self, fault: Fault, trigger: FaultTrigger) -> Self {
        Self { fault, trigger, ..self }
    }

    /// Returns the operations called so far.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn next_fault(&self, operation: &str) -> Option<Fault> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(operation.to_owned());
        let trigger = match &self.trigger {
            FaultTrigger::Never => false,
            FaultTrigger::AtCall(number) => *number + 1 == calls.len(),
            FaultTrigger::EachCall(name) => name == operation,
        };
        trigger.then_some(self.fault)
    }
}

/// Returns the operation that a request calls.
pub fn operation_name(request: &Request<Bytes>) -> String {
    let target = request.headers().get("x-amz-target").map(|target| target.to_str().unwrap());
    let form = String::from_utf8_lossy(request.body());
    let action = form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "Action");
    target.and_then(|target| target.split_once('.')).map_or_else(
        || action.map(|(_, action)| action.into_owned()).unwrap_or_default(),
        |(_, name)| name.rsplit('.').next().unwrap_or(name).to_owned(),
    )
}

/// Returns an error response in the format of the request's service.
pub fn error_response(request: &Request<Bytes>, code: &str, status: u16) -> Response<Bytes> {
    let error = ServiceError { status, ..ServiceError::new(code, "Error injected by the test") };
    let body = if request.headers().contains_key("x-amz-target") {
        Bytes::from(xks_console::aws::codec::json_error_body(&error))
    } else {
        let code = code.trim_end_matches("Exception");
        Bytes::from(format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>Error injected by the test</Message></Error></ErrorResponse>"
        ))
    };
    Response::builder().status(status).header("x-amzn-requestid", "r-1").body(body).unwrap()
}

impl Transport for FaultyTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let fault = self.next_fault(&operation_name(&request));
        let connection_error = |may_have_arrived| {
            let reason = "connection cut by the test".to_owned();
            Err(TransportError { host: "kms".to_owned(), reason, may_have_arrived })
        };
        Box::pin(async move {
            match fault {
                Some(Fault::Throttled) => return Ok(error_response(&request, "ThrottlingException", 400)),
                Some(Fault::FailsBefore) => return Ok(error_response(&request, "KMSInternalException", 500)),
                Some(Fault::ConnectionRefused) => return connection_error(false),
                Some(Fault::ResetBefore) => return connection_error(true),
                Some(Fault::HangsBefore) => return std::future::pending().await,
                Some(Fault::Expired) => return Ok(error_response(&request, "ExpiredTokenException", 400)),
                Some(Fault::Denied) => return Ok(error_response(&request, "AccessDeniedException", 400)),
                Some(Fault::Slow) => tokio::time::sleep(Duration::from_secs(20)).await,
                // The request was signed before the clock changed, so the service would accept it.
                Some(Fault::WrongClock) => {
                    self.client_clock.advance(SignedDuration::from_hours(1));
                    return Ok(self.with_date(error_response(&request, "InvalidSignatureException", 400)));
                }
                _ => {}
            }
            let internal_error = error_response(&request, "KMSInternalException", 500);
            let mut response = self.inner.send(request).await?;
            match fault {
                Some(Fault::FailsAfter) => return Ok(internal_error),
                Some(Fault::ResetAfter) => return connection_error(true),
                Some(Fault::HangsAfter) => return std::future::pending().await,
                Some(Fault::Truncated) => {
                    let body = response.body().slice(..response.body().len() / 2);
                    *response.body_mut() = body;
                }
                Some(Fault::Garbage) => *response.body_mut() = Bytes::from_static(b"<html>Welcome to our hotel</html>"),
                _ => {}
            }
            Ok(self.with_date(response))
        })
    }
}

impl FaultyTransport {
    /// Adds the `Date` header that every HTTP server sends.
    fn with_date(&self, mut response: Response<Bytes>) -> Response<Bytes> {
        let date = self.server_clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        response.headers_mut().insert("date", date.parse().unwrap());
        response
    }
}
