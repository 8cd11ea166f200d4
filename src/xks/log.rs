//! The proxy's request log: who asked for what, what was answered, and how long it took. No secret and no content stands
//! in it.

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::aws::xks_console::{ListProxyRequests, ProxyRequest};
use crate::storage::segments::{pack, unpack};

/// Entries that are kept at most.
const MAX_ENTRIES: i64 = 100_000;
/// Entries that are given when nobody says how many.
const DEFAULT_MAX_RESULTS: usize = 100;
/// How long a text that a caller chose may be, in characters.
const MAX_TEXT_LENGTH: usize = 256;

/// The table of the log, in segments of lines.
pub(super) const SCHEMA: &str = "
    CREATE TABLE requests (id INTEGER PRIMARY KEY, count INTEGER NOT NULL, lines TEXT NOT NULL) STRICT;
";

/// Segments may be packed.
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

    /// A text without which no line can be taken.
    fn needle(&self) -> Option<&str> {
        self.kms_request_id.as_deref().or(self.external_key_id.as_deref())
    }
}

/// A text that a caller chose, as far as it is kept.
pub(super) fn truncate_text(text: &str) -> String {
    let end = text.char_indices().nth(MAX_TEXT_LENGTH).map_or(text.len(), |(end, _)| end);
    text[..end].to_owned()
}

/// Appends entries; lets the oldest go.
pub(super) fn append(connection: &mut Connection, entries: &[ProxyRequest]) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let lines: Vec<String> = entries.iter().filter_map(|entry| serde_json::to_string(entry).ok()).collect();
    tx.prepare_cached("INSERT INTO requests (count, lines) VALUES (?1, ?2)")?
        .execute(params![lines.len().cast_signed(), pack(lines.iter().map(String::as_str))])?;
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

/// The entries that are wanted, the newest first.
pub(super) fn find(connection: &Connection, criteria: &ListProxyRequests) -> rusqlite::Result<Vec<ProxyRequest>> {
    let most = criteria.max_results.map_or(DEFAULT_MAX_RESULTS, |most| most as usize);
    let mut query = connection.prepare_cached("SELECT lines FROM requests ORDER BY id DESC")?;
    let mut rows = query.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let lines = unpack(row.get_ref(0)?)?;
        let near = lines.rsplit('\n').filter(|line| criteria.needle().is_none_or(|needle| line.contains(needle)));
        for entry in near.filter_map(|line| serde_json::from_str(line).ok()).filter(|entry| criteria.matches(entry)) {
            if found.len() == most {
                return Ok(found);
            }
            found.push(entry);
        }
    }
    Ok(found)
}

/// The time between two moments in microseconds; nothing when the clock was set back.
pub(super) fn elapsed_microseconds(from: Timestamp, to: Timestamp) -> u64 {
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

    #[test]
    fn entries_are_filtered_and_returned_newest_first() {
        let mut log = log();
        append(&mut log, &[entry(1), entry(2)]).unwrap();
        append(&mut log, &[entry(3)]).unwrap();
        let found = |criteria: ListProxyRequests| find(&log, &criteria).unwrap();
        let any = ListProxyRequests::default;
        assert_eq!(found(any()), [entry(3), entry(2), entry(1)]);
        assert_eq!(found(ListProxyRequests { max_results: Some(1), ..any() }), [entry(3)]);
        let of_bergen = ListProxyRequests { partition: Some("bergen".to_owned()), ..any() };
        assert_eq!(found(of_bergen), [entry(3), entry(1)]);
        let of_request = ListProxyRequests { kms_request_id: Some("request-2".to_owned()), ..any() };
        assert_eq!(found(of_request), [entry(2)]);
        // A name that only begins like it is another.
        let of_key = ListProxyRequests { external_key_id: Some("key".to_owned()), ..any() };
        assert_eq!(found(of_key), []);
    }

    #[test]
    fn oldest_entries_are_deleted_beyond_the_limit() {
        let mut log = log();
        let many: Vec<ProxyRequest> = (0..60_000).map(entry).collect();
        append(&mut log, &many).unwrap();
        append(&mut log, &many).unwrap();
        append(&mut log, &[entry(1)]).unwrap();
        let total: i64 = log.query_row("SELECT sum(count) FROM requests", [], |row| row.get(0)).unwrap();
        assert_eq!(total, 60_001);
    }

    #[test]
    fn caller_supplied_text_is_truncated() {
        assert_eq!(truncate_text(&"ä".repeat(1000)), "ä".repeat(256));
    }
}
