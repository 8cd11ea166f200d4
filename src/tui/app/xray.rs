//! Updates the pages of X-ray.

use super::App;
use crate::aws::kms::Decrypt;
use crate::tui::effect::{Call, CallFailure, Effect, Response};
use crate::tui::pages::Location;

/// How often the list of flows is updated while it is shown, in milliseconds. Other processes on the same account write
/// their flows with a delay.
const FLOW_POLL_MILLISECONDS: u64 = 1000;

impl App {
    /// Handles a response for the pages of X-ray.
    pub(super) fn on_xray_response(&mut self, call: &Call, result: Result<Response, CallFailure>) -> Vec<Effect> {
        match (call, result) {
            (Call::Flows(token), Ok(Response::Flows { page, next })) => {
                self.flows.on_flows_loaded(token.is_none(), page, next, &self.account);
            }
            (Call::Flows(_), Err(failure)) => {
                if self.flows.on_load_failed(&failure) {
                    self.show_failure(&failure);
                }
                return Vec::new();
            }
            (Call::Flow(id), result) if *id == self.flow.flow_id => {
                let details = result.map(|response| match response {
                    Response::Flow(details) => details,
                    _ => Box::default(),
                });
                self.flow.on_loaded(details);
            }
            (Call::Replay(_), Ok(Response::Replayed { request_id, outcome })) => match outcome {
                // The page of the flow says who refused the request.
                _ if !request_id.is_empty() => return self.navigate(Location::XrayFlow(request_id)),
                Err(failure) => self.show_failure(&failure),
                Ok(()) => {}
            },
            (Call::Replay(_), Err(failure)) => self.show_failure(&failure),
            _ => {}
        }
        self.poll_flows_later()
    }

    /// Updates the list of flows later, while it is shown.
    fn poll_flows_later(&mut self) -> Vec<Effect> {
        if self.location != Location::Xray || self.flow_timer.is_some() {
            return Vec::new();
        }
        let timer = self.new_timer();
        self.flow_timer = Some(timer);
        vec![Effect::StartTimer(timer, FLOW_POLL_MILLISECONDS)]
    }

    /// Updates the list of flows, if it is shown and not being loaded.
    pub(super) fn on_flow_timer(&mut self) -> Vec<Effect> {
        self.flow_timer = None;
        let is_loading = self.pending_calls.values().any(|call| matches!(call, Call::Flows(_)));
        if self.location != Location::Xray || is_loading {
            return Vec::new();
        }
        vec![self.request(Call::Flows(None))]
    }

    /// Sends a Decrypt request for X-ray. Its flow is shown when it is answered.
    pub(super) fn replay(&mut self, request: Box<Decrypt>) -> Vec<Effect> {
        vec![self.request(Call::Replay(request))]
    }
}
