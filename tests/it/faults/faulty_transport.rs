//! The way to AWS, with a fault on it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use jiff::SignedDuration;
use xks_console::aws::error::ServiceError;
use xks_console::client::{Transport, TransportError};
use xks_console::environment::Clock;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service is asked too much and does nothing.
    Throttled,
    /// The service fails inside, and does nothing.
    FailsBefore,
    /// The service fails inside, after it did what was asked.
    FailsAfter,
    /// Nobody is there.
    ConnectionRefused,
    /// The connection is reset, and nothing is done.
    ResetBefore,
    /// The connection is reset, after it is done.
    ResetAfter,
    /// No answer ever comes, and nothing is done.
    HangsBefore,
    /// No answer ever comes, after it is done.
    HangsAfter,
    /// The answer takes 20 seconds.
    Slow,
    /// Half the answer comes.
    Truncated,
    /// Something comes that is no answer.
    Garbage,
    /// The clock of this machine is an hour off from then on.
    WrongClock,
    /// The session is over.
    Expired,
    /// IAM says no.
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

    /// Whether nobody knows afterwards if it was done.
    pub fn leaves_outcome_unknown(self, operation: &str) -> bool {
        match self {
            // There is no half of nothing: CreateAlias answers with an empty body.
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

/// When it goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultTrigger {
    Never,
    /// At the call of this number, once.
    AtCall(usize),
    /// At each call of an operation.
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

    /// The operations asked so far.
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

/// The operation that a request asks for.
pub fn operation_name(request: &Request<Bytes>) -> String {
    let target = request.headers().get("x-amz-target").map(|target| target.to_str().unwrap());
    let form = String::from_utf8_lossy(request.body());
    let action = form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "Action");
    target.and_then(|target| target.split_once('.')).map_or_else(
        || action.map(|(_, action)| action.into_owned()).unwrap_or_default(),
        |(_, name)| name.rsplit('.').next().unwrap_or(name).to_owned(),
    )
}

/// A refusal as the service of the request writes it.
pub fn error_response(request: &Request<Bytes>, code: &str, status: u16) -> Response<Bytes> {
    let error = ServiceError { status, ..ServiceError::new(code, "said the test") };
    let body = if request.headers().contains_key("x-amz-target") {
        Bytes::from(xks_console::aws::codec::json_error_body(&error))
    } else {
        let code = code.trim_end_matches("Exception");
        Bytes::from(format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"))
    };
    Response::builder().status(status).header("x-amzn-requestid", "r-1").body(body).unwrap()
}

impl Transport for FaultyTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let fault = self.next_fault(&operation_name(&request));
        let lost = |may_have_arrived| {
            let reason = "the test has cut the line".to_owned();
            Err(TransportError { host: "kms".to_owned(), reason, may_have_arrived })
        };
        Box::pin(async move {
            match fault {
                Some(Fault::Throttled) => return Ok(error_response(&request, "ThrottlingException", 400)),
                Some(Fault::FailsBefore) => return Ok(error_response(&request, "KMSInternalException", 500)),
                Some(Fault::ConnectionRefused) => return lost(false),
                Some(Fault::ResetBefore) => return lost(true),
                Some(Fault::HangsBefore) => return std::future::pending().await,
                Some(Fault::Expired) => return Ok(error_response(&request, "ExpiredTokenException", 400)),
                Some(Fault::Denied) => return Ok(error_response(&request, "AccessDeniedException", 400)),
                Some(Fault::Slow) => tokio::time::sleep(Duration::from_secs(20)).await,
                // Signed before the clock went wrong, it would be taken.
                Some(Fault::WrongClock) => {
                    self.client_clock.advance(SignedDuration::from_hours(1));
                    return Ok(self.with_date(error_response(&request, "InvalidSignatureException", 400)));
                }
                _ => {}
            }
            let fails = error_response(&request, "KMSInternalException", 500);
            let mut response = self.inner.send(request).await?;
            match fault {
                Some(Fault::FailsAfter) => return Ok(fails),
                Some(Fault::ResetAfter) => return lost(true),
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
    /// Says when it was sent, as every HTTP server does.
    fn with_date(&self, mut response: Response<Bytes>) -> Response<Bytes> {
        let date = self.server_clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        response.headers_mut().insert("date", date.parse().unwrap());
        response
    }
}
