//! The proxy's request log: the caller, the operation, the result, and the latency of each request. It contains no
//! secrets and no request data.

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::aws::xks_console::{ListProxyRequests, ProxyRequest};
use crate::storage::segments::{Segment, unpack};
use crate::storage::write_behind::PendingValues;

/// The maximum number of entries to keep.
const MAX_ENTRIES: i64 = 100_000;
/// The default number of entries to return.
const DEFAULT_MAX_RESULTS: usize = 100;
/// The maximum length of a caller-supplied string in characters.
const MAX_TEXT_LENGTH: usize = 256;

/// The log table, which stores entries as JSON lines in segments.
pub(super) const SCHEMA: &str = "
    CREATE TABLE requests (id INTEGER PRIMARY KEY, count INTEGER NOT NULL, lines TEXT NOT NULL) STRICT;
";

/// Changes the log table so that segments can be compressed.
pub(super) const PACKED_SCHEMA: &str = "
    CREATE TABLE segments (id INTEGER PRIMARY KEY, count INTEGER NOT NULL, lines ANY NOT NULL) STRICT;
    INSERT INTO segments SELECT id, count, lines FROM requests;
    DROP TABLE requests;
    ALTER TABLE segments RENAME TO requests;
";

impl ListProxyRequests {
    fn matches(&self, entry: &ProxyRequest) -> bool {
        let is = |criteria: &Option<String>, found: Option<&str>| criteria.is_none() || criteria.as_deref() == found;
        is(&self.partition, Some(&entry.partition))
            && is(&self.kms_request_id, entry.kms_request_id.as_deref())
            && is(&self.external_key_id, entry.external_key_id.as_deref())
    }

    /// Returns a string that every matching line contains, to skip other lines quickly.
    fn needle(&self) -> Option<&str> {
        self.kms_request_id.as_deref().or(self.external_key_id.as_deref())
    }
}

/// Truncates a caller-supplied string.
pub(super) fn truncate_text(text: &str) -> String {
    if text.len() <= MAX_TEXT_LENGTH {
        return text.to_owned();
    }
    let end = text.char_indices().nth(MAX_TEXT_LENGTH).map_or(text.len(), |(end, _)| end);
    text[..end].to_owned()
}

/// Entries that wait to be written, packed as they come.
#[derive(Debug, Default)]
pub(super) struct PendingEntries {
    full: Vec<Segment>,
    full_size: usize,
    /// The segment that entries are added to.
    open: Segment,
}

impl PendingEntries {
    /// Adds an entry.
    pub(super) fn push(&mut self, entry: &str) {
        self.open.push(entry);
        if self.open.is_full() {
            self.full_size += self.open.size();
            self.full.push(std::mem::take(&mut self.open));
        }
    }
}

impl PendingValues for PendingEntries {
    fn is_empty(&self) -> bool {
        self.full.is_empty() && self.open.count() == 0
    }

    fn size(&self) -> usize {
        self.full_size + self.open.size()
    }
}

/// Appends entries, and deletes the oldest ones beyond the limit.
pub(super) fn append(connection: &mut Connection, entries: PendingEntries) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let PendingEntries { full, open, .. } = entries;
    for segment in full.into_iter().chain(Some(open).filter(|open| open.count() > 0)) {
        tx.prepare_cached("INSERT INTO requests (count, lines) VALUES (?1, ?2)")?
            .execute(params![segment.count().cast_signed(), segment.into_value()])?;
    }
    let surplus = "DELETE FROM requests WHERE id <= (
        SELECT id FROM (SELECT id, sum(count) OVER (ORDER BY id DESC) AS so_far FROM requests) WHERE so_far > ?1
        ORDER BY id DESC LIMIT 1)";
    let total: i64 =
        tx.prepare_cached("SELECT coalesce(sum(count), 0) FROM requests")?.query_row([], |row| row.get(0))?;
    if total > MAX_ENTRIES {
        tx.execute(surplus, [MAX_ENTRIES])?;
    }
    tx.commit()
}

/// Returns the matching entries, newest first.
pub(super) fn find(connection: &Connection, criteria: &ListProxyRequests) -> rusqlite::Result<Vec<ProxyRequest>> {
    let max = criteria.max_results.map_or(DEFAULT_MAX_RESULTS, |max| max as usize);
    let mut query = connection.prepare_cached("SELECT lines FROM requests ORDER BY id DESC")?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let lines = unpack(row.get_ref(0)?)?;
        let candidates = lines.rsplit('\n').filter(|line| criteria.needle().is_none_or(|needle| line.contains(needle)));
        for entry in
            candidates.filter_map(|line| serde_json::from_str(line).ok()).filter(|entry| criteria.matches(entry))
        {
            if found.len() == max {
                return Ok(found);
            }
            found.push(entry);
        }
    }
    Ok(found)
}

/// Returns the time between two timestamps in microseconds, or 0 if the clock was set back.
pub fn elapsed_microseconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_microsecond() - from.as_microsecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: usize) -> ProxyRequest {
        ProxyRequest {
            partition: if number.is_multiple_of(2) { "oslo" } else { "bergen" }.to_owned(),
            operation: "Encrypt".to_owned(),
            external_key_id: Some(format!("key-{number}")),
            kms_request_id: Some(format!("request-{number}")),
            status: 200,
            ..ProxyRequest::default()
        }
    }

    fn log() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        connection.execute_batch(PACKED_SCHEMA).unwrap();
        connection
    }

    fn append(log: &mut Connection, entries: &[ProxyRequest]) -> rusqlite::Result<()> {
        let mut pending = PendingEntries::default();
        for entry in entries {
            pending.push(&serde_json::to_string(entry).unwrap());
        }
        super::append(log, pending)
    }

    #[test]
    fn entries_are_filtered_and_returned_newest_first() {
        let mut log = log();
        append(&mut log, &[entry(1), entry(2)]).unwrap();
        append(&mut log, &[entry(3)]).unwrap();
        let found = |criteria: ListProxyRequests| find(&log, &criteria).unwrap();
        let any = ListProxyRequests::default;
        assert_eq!(found(any()), [entry(3), entry(2), entry(1)]);
        assert_eq!(found(ListProxyRequests { max_results: Some(1), ..any() }), [entry(3)]);
        let in_bergen = ListProxyRequests { partition: Some("bergen".to_owned()), ..any() };
        assert_eq!(found(in_bergen), [entry(3), entry(1)]);
        let for_request = ListProxyRequests { kms_request_id: Some("request-2".to_owned()), ..any() };
        assert_eq!(found(for_request), [entry(2)]);
        // An ID that only begins with the search text doesn't match.
        let for_key = ListProxyRequests { external_key_id: Some("key".to_owned()), ..any() };
        assert_eq!(found(for_key), []);
    }

    #[test]
    fn oldest_entries_are_deleted_beyond_the_limit() {
        let mut log = log();
        let many: Vec<ProxyRequest> = (0..60_000).map(entry).collect();
        append(&mut log, &many).unwrap();
        append(&mut log, &many).unwrap();
        append(&mut log, &[entry(1)]).unwrap();
        let total: i64 = log.query_row("SELECT sum(count) FROM requests", [], |row| row.get(0)).unwrap();
        // Whole segments are deleted.
        assert!((99_000..=MAX_ENTRIES).contains(&total), "{total}");
    }

    #[test]
    fn caller_supplied_text_is_truncated() {
        assert_eq!(truncate_text(&"ä".repeat(1000)), "ä".repeat(256));
    }
}
