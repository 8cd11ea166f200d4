//! Records the requests to proxies and their answers.
//!
//! The secret access key isn't part of a request. The plaintext of an Encrypt request, and of an answer to Decrypt, is
//! the ciphertext of the first layer.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, StatusCode};

use super::XksFailure;
use crate::aws::xray::{FlowExchange, FlowHeader};
use crate::xks::metrics::Operations;
use crate::xks::proxy::is_bundled_host;

/// The maximum length of a recorded answer, in bytes. Valid answers are shorter.
const MAX_ANSWER: usize = 16 * 1024;

/// The requests to proxies that one request of a caller caused. Clones share the log.
#[derive(Clone, Debug, Default)]
pub struct ExchangeLog(Arc<Mutex<Vec<FlowExchange>>>);

impl ExchangeLog {
    /// Adds a request and its answer.
    pub fn push(&self, exchange: FlowExchange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    /// Takes the requests and their answers, in order.
    pub fn take(&self) -> Vec<FlowExchange> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Returns the record of a signed request that is about to be sent.
pub(super) fn start(request: &Request<Bytes>, operations: &Operations<'_>, attempt: usize) -> FlowExchange {
    let host = request.uri().host().unwrap_or_default();
    let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| FlowHeader {
        name: name.as_str().to_owned(),
        value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
    };
    FlowExchange {
        operation: operations.xks.to_owned(),
        kms_operation: operations.kms.to_string(),
        method: request.method().to_string(),
        uri: request.uri().to_string(),
        headers: request.headers().iter().map(header).collect(),
        body: String::from_utf8_lossy(request.body()).into_owned(),
        attempts: u32::try_from(attempt).unwrap_or(u32::MAX),
        is_bundled: is_bundled_host(host),
        ..FlowExchange::default()
    }
}

/// Records the answer.
pub(super) fn on_answer(exchange: &mut FlowExchange, status: StatusCode, body: &[u8]) {
    exchange.status = Some(status.as_u16());
    exchange.answer = Some(String::from_utf8_lossy(&body[..body.len().min(MAX_ANSWER)]).into_owned());
}

/// Records the latency, and why the answer isn't accepted or missing.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn finish(
    mut exchange: FlowExchange,
    milliseconds: Option<f64>,
    failure: Option<&XksFailure>,
) -> FlowExchange {
    exchange.microseconds = milliseconds.map(|milliseconds| (milliseconds * 1000.0).round() as u64);
    exchange.failure = failure.map(ToString::to_string);
    exchange
}
