//! Detects with a single read whether any process has changed a SQLite database.
//!
//! SQLite's own `PRAGMA data_version` detects this too, but acquires and releases locks each time. In WAL mode, every
//! commit rewrites the header of the WAL index, a file next to the database that all processes share. As long as the
//! header is the same, so is the database. Source: *WAL-mode File Format*, "The WAL-Index Header".

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// The length in bytes of the header, with a transaction counter, the length of the log, its salts, and its checksums.
const HEADER_LENGTH: usize = 48;
/// Where the transaction counter is in the header. Each commit adds one to it, and nothing else changes it.
const COUNTER_OFFSET: u64 = 8;

/// The WAL index of a database that is open in this process, and its last known header.
pub struct WalIndex {
    /// Never closed: closing a file releases all locks that the process has on it, including those of SQLite.
    file: &'static File,
    last_header: [u8; HEADER_LENGTH],
}

impl WalIndex {
    /// Opens the WAL index of `database`.
    ///
    /// A connection to the database must have begun a transaction before, and must stay open.
    ///
    /// # Errors
    /// An I/O error if the file doesn't exist or can't be read.
    pub fn open(database: &Path) -> io::Result<Self> {
        let mut name = OsString::from(database);
        name.push("-shm");
        let file = Box::leak(Box::new(File::open(name)?));
        Ok(Self { file, last_header: [0; HEADER_LENGTH] })
    }

    /// Whether the database may have changed since the last call. The first call returns `true`.
    pub fn has_changed(&mut self) -> bool {
        let mut header = [0; HEADER_LENGTH];
        let is_same = self.file.read_exact_at(&mut header, 0).is_ok() && header == self.last_header;
        self.last_header = header;
        !is_same
    }

    /// Returns the number of transactions that all processes have committed, which starts over at zero after 2³², or
    /// `None` if it can't be read. While a transaction writes, only its own commit can change the number.
    pub fn transactions(&self) -> Option<u32> {
        let mut counter = [0; 4];
        self.file.read_exact_at(&mut counter, COUNTER_OFFSET).ok()?;
        Some(u32::from_ne_bytes(counter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    fn open(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.pragma_update(None, "journal_mode", "WAL").unwrap();
        connection
    }

    #[test]
    fn transactions_counts_commits_that_write() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.sqlite");
        let (ours, theirs) = (open(&path), open(&path));
        ours.execute_batch("CREATE TABLE t (x INTEGER)").unwrap();
        let index = WalIndex::open(&path).unwrap();
        let mut expected = index.transactions().unwrap();
        for number in 0..20 {
            for writer in [&ours, &theirs] {
                writer.execute_batch("BEGIN IMMEDIATE").unwrap();
                writer.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
                assert_eq!(index.transactions(), Some(expected), "insert {number} isn't committed");
                writer.execute_batch("COMMIT").unwrap();
                expected = expected.wrapping_add(1);
                assert_eq!(index.transactions(), Some(expected), "insert {number} is committed");
                writer.execute_batch("BEGIN IMMEDIATE; COMMIT; BEGIN; INSERT INTO t VALUES (0); ROLLBACK").unwrap();
                writer.query_row("SELECT count(*) FROM t", [], |_| Ok(())).unwrap();
            }
            if number % 5 == 0 {
                // Moves everything to the database, and restarts the log.
                ours.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
            }
            assert_eq!(index.transactions(), Some(expected), "no commit after insert {number}");
        }
    }

    #[test]
    fn only_commits_change_the_wal_index() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.sqlite");
        let (ours, theirs) = (open(&path), open(&path));
        ours.execute_batch("CREATE TABLE t (x INTEGER)").unwrap();
        let mut index = WalIndex::open(&path).unwrap();
        assert!(index.has_changed() && !index.has_changed());
        for number in 0..20 {
            let writer = if number % 2 == 0 { &ours } else { &theirs };
            writer.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
            assert!(index.has_changed(), "insert {number}");
            assert_eq!(ours.query_row("SELECT count(*) FROM t", [], |row| row.get(0)), Ok(number + 1));
            assert!(!index.has_changed(), "read after insert {number}");
            if number == 10 {
                // Moves everything to the database, and restarts the log.
                ours.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
                index.has_changed();
            }
        }
        theirs.execute_batch("BEGIN; INSERT INTO t VALUES (0); ROLLBACK").unwrap();
        assert!(!index.has_changed());
    }
}
