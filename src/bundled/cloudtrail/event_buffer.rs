//! The events that are not yet in the database.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::{MAX_EVENTS, RETENTION};
use crate::blocking::run_blocking;
use crate::bundled::ApiResult;
use crate::bundled::store::Store;
use crate::storage::segments::Segment;
use crate::storage::write_behind::{Flusher, PendingValues, TakenValues, WriteBuffer};

/// An event that is not yet in the database.
pub(super) struct PendingEvent {
    pub account_region: String,
    /// When the event occurred, in milliseconds since 1970-01-01 UTC.
    pub timestamp_millis: i64,
    pub json: String,
}

/// Events of one account and Region that are stored together.
pub(super) struct EventSegment {
    account_region: String,
    /// When the earliest event occurred, in milliseconds since 1970-01-01 UTC.
    first: i64,
    /// When the latest event occurred.
    last: i64,
    lines: Segment,
}

impl From<PendingEvent> for EventSegment {
    fn from(event: PendingEvent) -> Self {
        let mut lines = Segment::default();
        lines.push(&event.json);
        let PendingEvent { account_region, timestamp_millis, .. } = event;
        Self { account_region, first: timestamp_millis, last: timestamp_millis, lines }
    }
}

impl EventSegment {
    pub(super) fn push(&mut self, event: &PendingEvent) {
        self.first = self.first.min(event.timestamp_millis);
        self.last = self.last.max(event.timestamp_millis);
        self.lines.push(&event.json);
    }

    /// Appends the events to the database. The ID of the segment is the number of its last event, among all that were ever
    /// recorded.
    pub(super) fn append(self, tx: &Transaction) -> ApiResult<()> {
        let Self { account_region, first, last, lines } = self;
        tx.prepare_cached(
            "INSERT INTO events (id, world, first, last, count, lines)
             VALUES ((SELECT coalesce(max(id), 0) FROM events) + ?4, ?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![account_region, first, last, lines.count().cast_signed(), lines.into_value()])?;
        Ok(())
    }
}

/// Events in segments, packed as they come.
#[derive(Default)]
pub struct PendingEvents {
    full: Vec<EventSegment>,
    full_size: usize,
    /// The segments that events are added to, one for each account and Region.
    open: Vec<EventSegment>,
}

impl PendingEvents {
    fn push(&mut self, event: PendingEvent) {
        let known = self.open.iter().position(|segment| segment.account_region == event.account_region);
        let Some(index) = known else {
            self.open.push(event.into());
            return;
        };
        self.open[index].push(&event);
        if self.open[index].lines.is_full() {
            let segment = self.open.swap_remove(index);
            self.full_size += segment.lines.size();
            self.full.push(segment);
        }
    }

    /// Appends the events to the database, those of each account and Region in their order, and deletes the oldest ones
    /// of the database.
    pub fn append(self, tx: &Transaction, now: Timestamp) -> ApiResult<()> {
        self.full.into_iter().chain(self.open).try_for_each(|segment| segment.append(tx))?;
        prune(tx, now)
    }
}

impl PendingValues for PendingEvents {
    fn is_empty(&self) -> bool {
        self.full.is_empty() && self.open.is_empty()
    }

    fn size(&self) -> usize {
        self.full_size + self.open.iter().map(|segment| segment.lines.size()).sum::<usize>()
    }
}

/// The events that are not yet in the database.
#[derive(Default)]
pub struct EventBuffer(WriteBuffer<PendingEvents>);

impl EventBuffer {
    /// Adds an event. If the events need too much memory, because the disk is slow, writes them first.
    pub(super) fn push(&self, event: PendingEvent, store: &Store) {
        if self.0.add(|pending| pending.push(event)) {
            run_blocking(|| self.flush(store));
        }
    }

    /// Writes buffered events to the database.
    ///
    /// Events that can't be written are dropped, because a failure to record an event must not fail the request.
    pub fn flush(&self, store: &Store) {
        let events = self.0.take();
        if !events.values.is_empty() {
            let now = store.environment().clock.now();
            let _ = store.append(|tx| events.values.append(tx, now));
        }
    }

    /// Takes the buffered events, which the caller writes.
    pub fn take(&self) -> TakenValues<'_, PendingEvents> {
        self.0.take()
    }

    /// Sets the thread that writes buffered events.
    pub fn set_flusher(&self, flusher: &Arc<Flusher>) {
        self.0.set_flusher(flusher);
    }
}

/// Deletes the oldest events. Reads no others, because segments are appended in the order of time.
pub(super) fn prune(tx: &Transaction, now: Timestamp) -> ApiResult<()> {
    let oldest = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN).as_millisecond();
    tx.prepare_cached(
        "DELETE FROM events WHERE id < coalesce(
             (SELECT id FROM events WHERE last >= ?1 ORDER BY id LIMIT 1), (SELECT max(id) FROM events) + 1)",
    )?
    .execute([oldest])?;
    tx.prepare_cached("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?1")?.execute([MAX_EVENTS])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(account_region: &str, timestamp_millis: i64) -> PendingEvent {
        let json = format!("{{\"eventName\":\"Encrypt\",\"at\":{timestamp_millis}}}");
        PendingEvent { account_region: account_region.to_owned(), timestamp_millis, json }
    }

    #[test]
    fn many_events_are_packed_in_segments_with_their_times() {
        let mut pending = PendingEvents::default();
        for number in 0..100_000 {
            pending.push(event(if number % 2 == 0 { "1/oslo" } else { "1/bergen" }, number));
        }
        let unpacked: usize = (0..100_000).map(|number| event("", number).json.len()).sum();
        assert!(pending.size() < unpacked / 3, "{} of {unpacked}", pending.size());
        let mut next = [0, 1];
        for segment in pending.full.into_iter().chain(pending.open) {
            let next = &mut next[usize::from(segment.account_region == "1/bergen")];
            assert_eq!(segment.first, *next);
            *next = segment.last + 2;
            assert_eq!(i64::try_from(segment.lines.count()), Ok((segment.last - segment.first) / 2 + 1));
        }
        assert_eq!(next, [100_000, 100_001]);
    }
}
