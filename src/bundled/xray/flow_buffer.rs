//! The flows that are not yet in the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::MAX_FLOWS;
use super::storage::{self, EncodedFlow};
use crate::aws::xray::{Flow, FlowAuthorization, FlowCipher, FlowExchange};
use crate::bundled::ApiResult;
use crate::bundled::store::Store;
use crate::storage::write_behind::{Flusher, PendingValues, TakenValues, WriteBuffer};

/// The maximum number of flows that aren't in the database yet. It takes many requests in a short time to reach it.
const MAX_PENDING_FLOWS: usize = MAX_FLOWS / 2;
/// The maximum size of these flows, in bytes.
const MAX_PENDING_SIZE: usize = 3 * 1024 * 1024;

/// A flow that is not yet in the database.
pub(super) struct PendingFlow {
    /// The accounts that it concerns, in the form that the database uses.
    pub account_regions: Vec<String>,
    pub flow: Flow,
}

impl PendingFlow {
    /// Returns about how many bytes of memory the flow needs.
    fn size(&self) -> usize {
        let Flow { authorizations, ciphers, exchanges, .. } = &self.flow;
        let of_authorizations = authorizations.iter().map(|one| size_of::<FlowAuthorization>() + one.resource.len());
        let of_ciphers = ciphers.iter().map(|cipher| {
            let context = cipher.encryption_context.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
            let aad = cipher.first_layer.as_ref().map_or(0, |layer| layer.aad.0.len());
            let blob = cipher.blob.as_ref().map_or(0, |blob| blob.0.len());
            size_of::<FlowCipher>() + context + aad + blob
        });
        let of_exchanges = exchanges.iter().map(|exchange| {
            let headers = exchange.headers.iter().map(|header| header.value.len()).sum::<usize>();
            let answer = exchange.answer.as_ref().map_or(0, String::len);
            size_of::<FlowExchange>() + exchange.uri.len() + headers + exchange.body.len() + answer
        });
        // The other texts are short.
        size_of::<Self>() + 1024 + of_authorizations.chain(of_ciphers).chain(of_exchanges).sum::<usize>()
    }
}

/// The flows in their order.
#[derive(Default)]
pub struct PendingFlows {
    flows: Vec<PendingFlow>,
    size: usize,
}

impl PendingFlows {
    fn push(&mut self, flow: PendingFlow) {
        self.size += flow.size();
        self.flows.push(flow);
    }

    /// Encodes the flows for [`storage::append`].
    pub fn encode(self) -> ApiResult<Vec<EncodedFlow>> {
        self.flows.into_iter().map(EncodedFlow::new).collect()
    }

    fn is_full(&self) -> bool {
        self.flows.len() >= MAX_PENDING_FLOWS || self.size >= MAX_PENDING_SIZE
    }
}

impl PendingValues for PendingFlows {
    fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    fn size(&self) -> usize {
        self.size
    }
}

/// The flows that are not yet in the database.
#[derive(Default)]
pub struct FlowBuffer {
    buffer: WriteBuffer<PendingFlows>,
    is_full: AtomicBool,
}

impl FlowBuffer {
    /// Returns whether the flow of the next request should be recorded.
    ///
    /// Of thousands of requests in a second, only the first ones of each half second are recorded, because recording costs
    /// as much as a good part of a request, and the newest [`MAX_FLOWS`] don't last longer anyway.
    pub fn has_room(&self) -> bool {
        !self.is_full.load(Ordering::Relaxed)
    }

    /// Adds a flow.
    pub(super) fn push(&self, flow: PendingFlow, store: &Store) {
        // The flows never need too much memory.
        let _ = self.buffer.add(|pending| {
            pending.push(flow);
            self.is_full.store(pending.is_full(), Ordering::Relaxed);
        });
        if !self.has_room() && !self.buffer.has_flusher() {
            self.flush(store);
        }
    }

    /// Writes pending flows to the database.
    ///
    /// Flows that can't be written are dropped, because a failure to record a flow must not fail the request.
    pub fn flush(&self, store: &Store) {
        let flows = self.take();
        if !flows.values.is_empty() {
            let _ = flows.values.encode().and_then(|flows| store.append(|tx| storage::append(tx, &flows)));
        }
    }

    /// Takes the pending flows, which the caller writes.
    pub fn take(&self) -> TakenValues<'_, PendingFlows> {
        let taken = self.buffer.take();
        self.is_full.store(false, Ordering::Relaxed);
        taken
    }

    /// Sets the thread that writes pending flows.
    pub fn set_flusher(&self, flusher: &Arc<Flusher>) {
        self.buffer.set_flusher(flusher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::scalar::Blob;
    use crate::environment::Environment;

    fn flow(blob_length: usize) -> PendingFlow {
        let cipher = FlowCipher { blob: Some(Blob(vec![0; blob_length])), ..FlowCipher::default() };
        PendingFlow {
            account_regions: vec!["1/oslo".to_owned()],
            flow: Flow { ciphers: vec![cipher], ..Flow::default() },
        }
    }

    fn fill(buffer: &FlowBuffer, store: &Store, blob_length: usize) -> usize {
        (0..MAX_FLOWS).take_while(|_| buffer.has_room()).map(|_| buffer.push(flow(blob_length), store)).count()
    }

    #[test]
    fn buffer_is_full_after_some_flows_until_they_are_written() {
        let store = Store::in_memory(Environment::system()).unwrap();
        let buffer = FlowBuffer::default();
        buffer.set_flusher(&Arc::default());
        assert_eq!(fill(&buffer, &store, 100), MAX_PENDING_FLOWS);
        buffer.flush(&store);
        assert!((100..MAX_PENDING_FLOWS).contains(&fill(&buffer, &store, 16 * 1024)));
    }

    #[test]
    fn buffer_without_flusher_has_always_room() {
        let store = Store::in_memory(Environment::system()).unwrap();
        let buffer = FlowBuffer::default();
        for _ in 0..2 * MAX_PENDING_FLOWS {
            buffer.push(flow(100), &store);
            assert!(buffer.has_room());
        }
    }
}
