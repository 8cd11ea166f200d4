//! X-ray: the bundled AWS records what it does for a request, layer by layer, and makes visible what AWS hides.
//!
//! [`FlowRecorder`] collects a flow while a request is handled. Finished flows wait in a [`FlowBuffer`], whose flusher
//! serializes and stores them, so that a request only pays for copying what it already has. Only the newest [`MAX_FLOWS`]
//! are kept, and of thousands of requests in a second, only some are recorded.

mod flow_buffer;
mod layers;
mod lookup;
mod recorder;
pub mod storage;
#[cfg(test)]
mod tests;

use self::flow_buffer::PendingFlow;
pub use flow_buffer::FlowBuffer;
pub use recorder::FlowRecorder;

use super::{Call, Inner, account_region, cloudtrail};
use crate::aws::error::ServiceError;
use crate::aws::operation::Service;
use crate::aws::xray::{Flow, FlowSummary};
use crate::xks::log::elapsed_microseconds;
use jiff::Timestamp;

/// The number of flows that are kept, for all accounts and Regions.
const MAX_FLOWS: usize = 1000;

impl Inner {
    /// Returns what collects the flow of a request.
    pub fn flow_recorder(&self, service: Service, operation: &str) -> FlowRecorder {
        if self.flow_buffer.has_room() { FlowRecorder::new(service, operation) } else { FlowRecorder::off() }
    }
}

impl Call<'_> {
    /// Records the flow of this request, if it used a key or reached a proxy. `start` is the machine's time of its arrival.
    pub fn record_flow(&self, error: Option<&ServiceError>, start: Timestamp) {
        if self.draft.is_unrecorded {
            return;
        }
        let Some(recorded) = self.draft.flow.finish(error.map(|error| error.code.as_str())) else { return };
        let environment = self.store().environment();
        // A proxy is also called on behalf of AWS, such as to complete a connection that another request began.
        let is_own = recorded.is_about_request;
        let operation = match recorded.exchanges.first() {
            Some(exchange) if !is_own => exchange.kms_operation.clone(),
            _ => self.draft.operation.to_owned(),
        };
        let keys = self.draft.key_arns();
        let error = error.filter(|_| is_own);
        let failed_exchange = recorded.exchanges.iter().find_map(|exchange| exchange.failure.clone());
        let (error_code, error_message) = match error {
            Some(error) => (Some(error.code.clone()), Some(error.message.clone())),
            None if is_own => (None, None),
            None => (failed_exchange.as_ref().map(|_| "ProxyFailure".to_owned()), failed_exchange),
        };
        let summary = FlowSummary {
            flow_id: self.request_id.clone(),
            time: environment.clock.now(),
            operation,
            caller: self.caller.arn.clone(),
            key_arn: keys.last().map(|(arn, _)| arn.clone()),
            microseconds: elapsed_microseconds(start, environment.clock.machine_time()),
            refused_at: error_code.as_ref().map(|_| recorded.stage),
            error_code,
        };
        let mut accounts = vec![self.caller.account.clone()];
        if error.is_none() {
            accounts.extend(keys.into_iter().map(|(_, owner)| owner).filter(|owner| *owner != self.caller.account));
            accounts.dedup();
        }
        let is_in_cloud_trail = is_own && self.draft.service != Service::XksConsole;
        let flow = Flow {
            summary,
            error_message,
            region: self.region.clone(),
            access_key_id: self.caller.access_key_id.clone(),
            source_ip: self.source_ip.clone(),
            user_agent: self.draft.user_agent.to_owned(),
            event_id: is_in_cloud_trail.then(|| cloudtrail::event_id(&self.request_id, &self.caller.account)),
            authorizations: recorded.authorizations,
            ciphers: recorded.ciphers,
            exchanges: recorded.exchanges,
            fields: Vec::new(),
        };
        let account_regions = accounts.iter().map(|account| account_region(account, &self.region)).collect();
        self.aws.flow_buffer.push(PendingFlow { account_regions, flow }, self.store());
    }
}
