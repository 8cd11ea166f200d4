//! Loads flows, and sends requests whose flows are of interest.

use super::perform_error::PerformError;
use super::try_key;
use crate::aws::cloudtrail::{Event, LookupAttribute, LookupEvents};
use crate::aws::kms::Decrypt;
use crate::aws::operation::Operation as _;
use crate::aws::xks_console::ListProxyRequests;
use crate::aws::xray::{Flow, GetFlow, ListFlows};
use crate::client::{CallError, Client};
use crate::tui::effect::{Change, Response};
use crate::tui::pages::xray::flow::FlowDetails;

/// Loads a page of flows.
pub(super) async fn flows(client: &Client, next_token: Option<String>) -> Result<Response, CallError> {
    let output = client.call(&ListFlows { next_token, ..ListFlows::default() }).await?;
    Ok(Response::Flows { page: output.flows, next: output.next_token })
}

/// Loads a flow, with its CloudTrail event and its entries in the log of the proxy.
pub(super) async fn flow(client: &Client, flow_id: String) -> Result<Response, CallError> {
    let output = client.call(&GetFlow { flow_id: flow_id.clone() }).await?;
    let flow: Flow = serde_json::from_str(&output.flow)
        .map_err(|error| CallError::Malformed { operation: GetFlow::NAME, reason: error.to_string() })?;
    let event = match &flow.event_id {
        Some(id) => event(client, id).await,
        None => None,
    };
    let request = ListProxyRequests { kms_request_id: Some(flow_id), ..ListProxyRequests::default() };
    // The flow is readable without the log.
    let mut proxy_requests = client.call(&request).await.map(|output| output.requests).unwrap_or_default();
    proxy_requests.reverse();
    Ok(Response::Flow(Box::new(FlowDetails { flow, event, proxy_requests })))
}

/// Returns an event, or `None` if the caller can't see it or CloudTrail doesn't have it.
async fn event(client: &Client, id: &str) -> Option<Event> {
    let attribute = LookupAttribute { attribute_key: "EventId".to_owned(), attribute_value: id.to_owned() };
    let request = LookupEvents { lookup_attributes: Some(vec![attribute]), ..LookupEvents::default() };
    client.call(&request).await.ok()?.events.into_iter().next()
}

/// Sends a Decrypt request. The plaintext is dropped.
pub(super) async fn replay(client: &Client, request: Decrypt) -> Result<Response, PerformError> {
    let trial = try_key::perform(client, Change::Decrypt(request, None)).await?;
    Ok(Response::Replayed { request_id: trial.request_id, outcome: trial.outcome.map(drop).map_err(Box::new) })
}
