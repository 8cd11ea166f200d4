//! A transport that makes requests to AWS fail, as a tape asks for.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response};

use super::tape::ApiFailure;
use crate::aws::codec;
use crate::aws::error::ServiceError;
use crate::aws::operation::Protocol;
use crate::client::named_call::NamedOperation;
use crate::client::{Transport, TransportError};

struct ApiFault {
    operation: NamedOperation,
    failure: ApiFailure,
    count: Option<u32>,
}

/// The faults of requests to AWS that are in effect. Clones share them.
#[derive(Clone, Default)]
pub(super) struct ApiFaults(Arc<Mutex<Vec<ApiFault>>>);

impl ApiFaults {
    pub(super) fn add(&self, operation: NamedOperation, failure: ApiFailure, count: Option<u32>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(ApiFault { operation, failure, count });
    }

    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns how `request` fails, and counts it.
    fn next_failure(&self, request: &Request<Bytes>) -> Option<(NamedOperation, ApiFailure)> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = faults.iter_mut().find(|fault| is_request_of(fault.operation, request))?;
        let failure = (fault.operation, fault.failure.clone());
        fault.count = fault.count.map(|count| count.saturating_sub(1));
        faults.retain(|fault| fault.count != Some(0));
        Some(failure)
    }
}

fn is_request_of(operation: NamedOperation, request: &Request<Bytes>) -> bool {
    match operation.service().protocol() {
        Protocol::Json { target_prefix, .. } => {
            let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
            target.and_then(|target| target.rsplit_once('.')) == Some((target_prefix, operation.name()))
        }
        Protocol::Query { version, .. } => {
            let action = codec::query_action(request.body());
            action.is_some_and(|(action, requested)| action == operation.name() && requested == version)
        }
    }
}

/// Passes requests on, unless a fault applies to them.
pub(super) struct FaultyTransport {
    pub(super) inner: Arc<dyn Transport>,
    pub(super) faults: ApiFaults,
}

impl Transport for FaultyTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let Some((operation, failure)) = self.faults.next_failure(&request) else { return self.inner.send(request) };
        let host = request.uri().host().unwrap_or_default().to_owned();
        let failed = move |reason: &str, may_have_arrived| {
            Err(TransportError { host, reason: reason.to_owned(), may_have_arrived })
        };
        match failure {
            ApiFailure::Unreachable => async move { failed("the connection was refused", false) }.boxed(),
            ApiFailure::Lost => async move {
                let _ = self.inner.send(request).await;
                failed("the connection was reset", true)
            }
            .boxed(),
            ApiFailure::Error(code) => {
                let error = ServiceError::new(code, "This error was caused by a fault of the tape.");
                let body = match operation.service().protocol() {
                    Protocol::Json { .. } => codec::json_error_body(&error).into(),
                    Protocol::Query { namespace, .. } => codec::query_error_xml(namespace, &error).into(),
                };
                let mut response = Response::new(body);
                if let Ok(status) = error.status.try_into() {
                    *response.status_mut() = status;
                }
                async move { Ok(response) }.boxed()
            }
        }
    }

    fn is_bundled(&self) -> bool {
        self.inner.is_bundled()
    }
}
