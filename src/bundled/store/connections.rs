//! The connections to the database.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

/// The maximum number of prepared statements of a connection, more than a request uses.
const MAX_STATEMENTS: usize = 128;
/// The maximum number of connections that wait for the next reader.
const MAX_IDLE_READERS: usize = 8;

fn configure_any(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(MAX_STATEMENTS);
    connection.busy_timeout(Duration::from_secs(5))
}

/// Configures a connection that writes.
pub fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    configure_any(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")
}

/// Connections that only read: one for each thread that reads at the same time. Each has to read the schema first, so they are
/// opened when they are needed, and kept.
pub struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Begins with the connection that has opened the database `path`, which must be in WAL mode.
    pub fn new(path: PathBuf, first: Connection) -> Result<Self, rusqlite::Error> {
        first.pragma_update(None, "query_only", true)?;
        Ok(Self { path, idle: Mutex::new(vec![first]) })
    }

    /// Opens a connection to the same database that writes.
    pub fn open_writer(&self) -> Result<Connection, rusqlite::Error> {
        let connection = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        configure(&connection)?;
        Ok(connection)
    }

    fn lock_idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<Connection, rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        configure_any(&connection)?;
        Ok(connection)
    }

    /// Runs `work` with a connection that no other thread uses.
    pub fn with_connection<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = self.lock_idle().pop();
        let mut connection = idle.map_or_else(|| self.open(), Ok)?;
        let done = work(&mut connection);
        let mut idle = self.lock_idle();
        if idle.len() < MAX_IDLE_READERS {
            idle.push(connection);
        }
        done
    }
}
