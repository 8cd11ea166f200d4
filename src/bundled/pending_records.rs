//! Records that requests leave behind, and that are written a moment later: events, flows, and metrics.

use std::sync::Arc;

use super::{ApiResult, Inner, cloudwatch, xray};
use crate::storage::write_behind::PendingValues as _;

impl Inner {
    /// Starts the thread that writes pending records until the account is closed.
    pub fn start_flusher(self: &Arc<Self>) {
        self.event_buffer.set_flusher(&self.flusher);
        self.flow_buffer.set_flusher(&self.flusher);
        self.xks_client.metrics().set_flusher(&self.flusher);
        let weak = Arc::downgrade(self);
        self.flusher.start(move || weak.upgrade().map(|aws| aws.write_pending_records()).is_some());
    }

    /// Writes all pending records in one transaction, because each transaction waits for the disk.
    ///
    /// Records that can't be written are dropped.
    pub fn write_pending_records(&self) {
        let (events, flows) = (self.event_buffer.take(), self.flow_buffer.take());
        let metrics = self.xks_client.metrics().take_to_write();
        if events.values.is_empty() && flows.values.is_empty() && metrics.values.is_empty() {
            return;
        }
        let now = self.store.environment().clock.now();
        let flows_to_append = flows.values.encode().unwrap_or_default();
        let _ = self.store.append(|tx| -> ApiResult<()> {
            if !events.values.is_empty() {
                events.values.append(tx, now)?;
            }
            if !flows_to_append.is_empty() {
                xray::storage::append(tx, &flows_to_append)?;
            }
            if !metrics.values.is_empty() {
                cloudwatch::metric_store::append(tx, &metrics.values, now)?;
            }
            Ok(())
        });
    }
}
