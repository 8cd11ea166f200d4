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
    pub fn leaves_doubt(self, operation: &str) -> bool {
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
pub enum Strikes {
    Never,
    /// At the call of this number, once.
    At(usize),
    /// At each call of an operation.
    Each(String),
}

pub struct Faulty {
    way: Arc<dyn Transport>,
    fault: Fault,
    strikes: Strikes,
    here: Clock,
    there: Clock,
    calls: Mutex<Vec<String>>,
}

impl Faulty {
    pub fn new(way: Arc<dyn Transport>, here: Clock, there: Clock) -> Self {
        let calls = Mutex::default();
        Self { way, fault: Fault::Denied, strikes: Strikes::Never, here, there, calls }
    }

    pub fn with(self, fault: Fault, strikes: Strikes) -> Self {
        Self { fault, strikes, ..self }
    }

    /// The operations asked so far.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    fn fault_of(&self, operation: &str) -> Option<Fault> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(operation.to_owned());
        let strikes = match &self.strikes {
            Strikes::Never => false,
            Strikes::At(number) => *number + 1 == calls.len(),
            Strikes::Each(name) => name == operation,
        };
        strikes.then_some(self.fault)
    }
}

/// The operation that a request asks for.
pub fn operation(request: &Request<Bytes>) -> String {
    let target = request.headers().get("x-amz-target").map(|target| target.to_str().unwrap());
    let form = String::from_utf8_lossy(request.body());
    let action = form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "Action");
    target.and_then(|target| target.split_once('.')).map_or_else(
        || action.map(|(_, action)| action.into_owned()).unwrap_or_default(),
        |(_, name)| name.rsplit('.').next().unwrap_or(name).to_owned(),
    )
}

/// A refusal as the service of the request writes it.
pub fn refusal(request: &Request<Bytes>, code: &str, status: u16) -> Response<Bytes> {
    let error = ServiceError { status, ..ServiceError::new(code, "said the test") };
    let body = if request.headers().contains_key("x-amz-target") {
        Bytes::from(xks_console::aws::codec::json_error_body(&error))
    } else {
        let code = code.trim_end_matches("Exception");
        Bytes::from(format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"))
    };
    Response::builder().status(status).header("x-amzn-requestid", "r-1").body(body).unwrap()
}

impl Transport for Faulty {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let fault = self.fault_of(&operation(&request));
        let lost = |may_have_arrived| {
            let reason = "the test has cut the line".to_owned();
            Err(TransportError { host: "kms".to_owned(), reason, may_have_arrived })
        };
        Box::pin(async move {
            match fault {
                Some(Fault::Throttled) => return Ok(refusal(&request, "ThrottlingException", 400)),
                Some(Fault::FailsBefore) => return Ok(refusal(&request, "KMSInternalException", 500)),
                Some(Fault::ConnectionRefused) => return lost(false),
                Some(Fault::ResetBefore) => return lost(true),
                Some(Fault::HangsBefore) => return std::future::pending().await,
                Some(Fault::Expired) => return Ok(refusal(&request, "ExpiredTokenException", 400)),
                Some(Fault::Denied) => return Ok(refusal(&request, "AccessDeniedException", 400)),
                Some(Fault::Slow) => tokio::time::sleep(Duration::from_secs(20)).await,
                // Signed before the clock went wrong, it would be taken.
                Some(Fault::WrongClock) => {
                    self.here.advance(SignedDuration::from_hours(1));
                    return Ok(self.dated(refusal(&request, "InvalidSignatureException", 400)));
                }
                _ => {}
            }
            let fails = refusal(&request, "KMSInternalException", 500);
            let mut answer = self.way.send(request).await?;
            match fault {
                Some(Fault::FailsAfter) => return Ok(fails),
                Some(Fault::ResetAfter) => return lost(true),
                Some(Fault::HangsAfter) => return std::future::pending().await,
                Some(Fault::Truncated) => {
                    let body = answer.body().slice(..answer.body().len() / 2);
                    *answer.body_mut() = body;
                }
                Some(Fault::Garbage) => *answer.body_mut() = Bytes::from_static(b"<html>Welcome to our hotel</html>"),
                _ => {}
            }
            Ok(self.dated(answer))
        })
    }
}

impl Faulty {
    /// Says when it was sent, as every HTTP server does.
    fn dated(&self, mut answer: Response<Bytes>) -> Response<Bytes> {
        let date = self.there.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        answer.headers_mut().insert("date", date.parse().unwrap());
        answer
    }
}
