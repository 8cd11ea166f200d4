//! Whether a SQLite database was changed since it was last looked at, by anybody, for the price of one read.
//!
//! SQLite's own `PRAGMA data_version` answers that too, and takes and gives up locks for it each time. In WAL mode every
//! commit rewrites the header of the WAL index, a file beside the database that all processes share: as long as the header
//! is the same, so is the database. Source: *WAL-mode File Format*, "The WAL-Index Header".

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// The bytes of the header: a counter of transactions, the length of the log, its salts and checksums.
const HEADER_LENGTH: usize = 48;

/// The WAL index of a database that is open in this process, as it was last seen.
pub struct WalIndex {
    /// Never closed: to close a file gives up all locks that a process has on it, and some of them are SQLite's.
    file: &'static File,
    last_header: [u8; HEADER_LENGTH],
}

impl WalIndex {
    /// The WAL index of `database`, a connection to which has begun a transaction already and stays open.
    ///
    /// # Errors
    /// When there is no such file, or it can't be read.
    pub fn open(database: &Path) -> io::Result<Self> {
        let mut name = OsString::from(database);
        name.push("-shm");
        let file = Box::leak(Box::new(File::open(name)?));
        Ok(Self { file, last_header: [0; HEADER_LENGTH] })
    }

    /// Whether the database may have changed since this was last asked. The first time it has.
    pub fn has_changed(&mut self) -> bool {
        let mut now = [0; HEADER_LENGTH];
        let is_same = self.file.read_exact_at(&mut now, 0).is_ok() && now == self.last_header;
        self.last_header = now;
        !is_same
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
    fn only_commits_change_the_wal_index() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("some.sqlite");
        let (ours, theirs) = (open(&path), open(&path));
        ours.execute_batch("CREATE TABLE t (x INTEGER)").unwrap();
        let mut index = WalIndex::open(&path).unwrap();
        assert!(index.has_changed() && !index.has_changed());
        for number in 0..20 {
            let by = if number % 2 == 0 { &ours } else { &theirs };
            by.execute("INSERT INTO t VALUES (?1)", [number]).unwrap();
            assert!(index.has_changed(), "insertion {number}");
            assert_eq!(ours.query_row("SELECT count(*) FROM t", [], |row| row.get(0)), Ok(number + 1));
            assert!(!index.has_changed(), "reading after insertion {number}");
            if number == 10 {
                // All goes into the database, and the log starts anew.
                ours.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
                index.has_changed();
            }
        }
        theirs.execute_batch("BEGIN; INSERT INTO t VALUES (0); ROLLBACK").unwrap();
        assert!(!index.has_changed());
    }
}
