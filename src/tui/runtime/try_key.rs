//! Tries a key: sends one request, and collects what was measured.

use std::sync::{Arc, Mutex, PoisonError};

use super::changes;
use super::perform_error::PerformError;
use crate::aws::xks_console::{ListProxyRequests, ProxyRequest};
use crate::client::Client;
use crate::client::log::ApiCall;
use crate::tui::effect::{Change, Trial};

/// Sends a request that uses a key.
///
/// # Errors
/// Only missing credentials. Any other failure is part of the result.
pub(super) async fn perform(client: &Client, change: Change) -> Result<Trial, PerformError> {
    let recorded: Arc<Mutex<Option<ApiCall>>> = Arc::default();
    let last_call = Arc::clone(&recorded);
    let record = move |call: &ApiCall| {
        *last_call.lock().unwrap_or_else(PoisonError::into_inner) = Some(call.clone());
    };
    let measured = client.clone().with_observer(Arc::new(record));
    let outcome = match changes::perform(&measured, change).await {
        Ok(outcome) => Ok(outcome),
        Err(PerformError::Failed(failure)) => Err(failure),
        Err(none) => return Err(none),
    };
    let call = recorded.lock().unwrap_or_else(PoisonError::into_inner).take();
    let milliseconds = call.as_ref().map(|call| call.duration_milliseconds);
    let request_id = call.and_then(|call| call.request_id).unwrap_or_default();
    let proxy_requests = if request_id.is_empty() { None } else { proxy_requests(client, &request_id).await };
    Ok(Trial { outcome, request_id, milliseconds, proxy_requests })
}

/// Returns the proxy requests that belong to a KMS request, or `None` if there is no proxy log.
async fn proxy_requests(client: &Client, kms_request_id: &str) -> Option<Vec<ProxyRequest>> {
    let kms_request_id = Some(kms_request_id.to_owned());
    let request = ListProxyRequests { kms_request_id, ..ListProxyRequests::default() };
    client.call(&request).await.ok().map(|output| output.requests)
}
