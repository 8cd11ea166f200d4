//! The names of keys and key stores in an account on disk, read without opening the account.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row};

use super::store;

/// The condition for records of the console's account in a Region.
const IN_REGION: &str = "world = (SELECT account FROM access_keys WHERE id =
    (SELECT CAST(value AS TEXT) FROM meta WHERE name = 'console-access-key')) || '/' || ?1";

/// The names of keys and key stores in a Region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The aliases, with `alias/`, and the IDs of their keys.
    pub aliases: Vec<(String, String)>,
    /// The IDs of the keys.
    pub key_ids: Vec<String>,
    /// The IDs and names of the key stores.
    pub key_stores: Vec<(String, String)>,
}

impl Names {
    /// Reads the names in the account in `dir`. It creates and changes nothing, not even a file of the database. An
    /// account of another version has no names.
    ///
    /// # Errors
    /// The database doesn't exist or can't be read.
    pub fn read(dir: &Path, region: &str) -> rusqlite::Result<Self> {
        let connection = open_read_only(&dir.join(store::DATABASE_FILE))?;
        if connection.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? != store::SCHEMA_VERSION {
            return Ok(Self::default());
        }
        let pair = |row: &Row| Ok((row.get(0)?, row.get(1)?));
        let query = |columns: &str| format!("SELECT {columns} WHERE {IN_REGION} ORDER BY 1");
        Ok(Self {
            aliases: read_all(&connection, &query("name, key_id FROM aliases"), region, pair)?,
            key_ids: read_all(&connection, &query("id FROM keys"), region, |row| row.get(0))?,
            key_stores: read_all(
                &connection,
                &query("id, document ->> '$.CustomKeyStoreName' FROM key_stores"),
                region,
                pair,
            )?,
        })
    }
}

/// Opens a database that other processes may be using.
pub(super) fn open_read_only(path: &Path) -> rusqlite::Result<Connection> {
    let has_log = path.with_extension("sqlite-wal").exists();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if has_log {
        return Connection::open_with_flags(path, flags);
    }
    // Without a write-ahead log, no process has the database open. Even a read-only connection would create the log.
    let path: String = form_urlencoded::byte_serialize(path.as_os_str().as_encoded_bytes()).collect();
    let uri = format!("file:{}?immutable=1", path.replace('+', "%20"));
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
}

fn read_all<T>(
    connection: &Connection,
    query: &str,
    region: &str,
    read: impl FnMut(&Row) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(query)?.query_map([region], read)?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundled::BundledAws;

    fn files(dir: &Path) -> Vec<(std::ffi::OsString, std::time::SystemTime)> {
        let entries = std::fs::read_dir(dir).unwrap().map(Result::unwrap);
        let mut files: Vec<_> =
            entries.map(|entry| (entry.file_name(), entry.metadata().unwrap().modified().unwrap())).collect();
        files.sort();
        files
    }

    #[test]
    fn names_are_read_without_changing_the_account() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("a ccount?#%");
        assert!(Names::read(&dir, BundledAws::REGION).is_err());
        assert!(!dir.exists());
        let aws = BundledAws::open(&dir, None).unwrap();
        let while_open = Names::read(&dir, BundledAws::REGION).unwrap();
        drop(aws);
        let before = files(&dir);
        let names = Names::read(&dir, BundledAws::REGION).unwrap();
        assert_eq!(files(&dir), before);
        assert_eq!(names, while_open);
        let (_, key) = names.aliases.iter().find(|(alias, _)| alias == "alias/customer-db").unwrap();
        assert!(names.key_ids.contains(key));
        assert!(names.key_stores.iter().any(|(id, name)| id.starts_with("cks-") && name == "Frankfurt HSM"));
        assert_eq!(Names::read(&dir, "eu-west-1").unwrap(), Names::default());
    }
}
