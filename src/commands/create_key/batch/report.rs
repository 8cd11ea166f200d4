//! What came of each row, kept beside the list: a line of JSON before a key is asked for, and after.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::text::strip_byte_order_mark_bytes;

/// How far a key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowOutcome {
    /// CreateKey is about to be sent. Nobody knows more while this is the last that is told.
    CreatingKey,
    /// The key is made, its alias is about to be.
    CreatingAlias,
    /// Key and alias are made.
    Made,
    /// The key is made, its alias is not.
    WithoutAlias,
    /// It was refused; nothing was made.
    Failed,
    /// No answer came, and looking did not tell either.
    Unknown,
}

/// Which key a row is about. A store has one KMS key at most for an external key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyIdentity {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The external key store.
    pub custom_key_store_id: String,
    /// The external key.
    pub xks_key_id: String,
}

/// What is told of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportEntry {
    /// When.
    pub time: Timestamp,
    /// Where in the list it stands.
    pub line: u64,
    /// Which key it is about.
    #[serde(flatten)]
    pub key: KeyIdentity,
    /// Without `alias/`.
    pub alias: String,
    /// How far it is.
    pub outcome: RowOutcome,
    /// The KMS key, once it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_arn: Option<String>,
    /// What went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Why the report can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// It can't be read or written.
    #[error("the report {}: {source}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process makes the same keys.
    #[error("the report {} is in use: another run makes these keys now", .0.display())]
    InUse(PathBuf),
    /// Something else stands in it.
    #[error("the report {}, line {line}: {reason}. It tells what was made, so it has to be whole", path.display())]
    Malformed {
        /// Where.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

/// The report, held by this process alone.
#[derive(Debug)]
pub struct BatchReport(File);

impl BatchReport {
    /// Where the report of a list is.
    pub fn path_for(list: &Path) -> PathBuf {
        let mut name = list.as_os_str().to_owned();
        name.push(".report.jsonl");
        name.into()
    }

    /// Opens the report, and reads what it tells, the oldest first. It is for its owner alone from then on. A line that was cut
    /// off had not been relied on yet, and goes.
    ///
    /// # Errors
    /// [`ReportError`]
    pub fn open(path: &Path) -> Result<(Self, Vec<ReportEntry>), ReportError> {
        let failed = |source| ReportError::File { path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        let mut file = options.read(true).append(true).create(true).mode(0o600).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ReportError::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failed)?;
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < text.len() {
            file.set_len(whole as u64).map_err(failed)?;
            text.truncate(whole);
        }
        // The file itself has to outlive a power cut before anything in it does.
        file.sync_all().map_err(failed)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
        let lines = strip_byte_order_mark_bytes(&text)
            .split(|byte| *byte == b'\n')
            .enumerate()
            .filter(|(_, line)| !line.is_empty());
        let entries = lines.map(|(index, line)| {
            serde_json::from_slice(line).map_err(|error| ReportError::Malformed {
                path: path.to_owned(),
                line: index + 1,
                reason: error.to_string(),
            })
        });
        Ok((Self(file), entries.collect::<Result<_, _>>()?))
    }

    /// Adds a line, and returns once it would be found after a power cut.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn append(&mut self, entry: &ReportEntry) -> io::Result<()> {
        let line = serde_json::to_string(entry)? + "\n";
        self.0.write_all(line.as_bytes())?;
        self.0.sync_data()
    }
}

impl Drop for BatchReport {
    fn drop(&mut self) {
        // A child that is about to become another program may hold the file for a moment longer.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(line: u64, outcome: RowOutcome) -> ReportEntry {
        ReportEntry {
            time: "2026-03-02T10:15:00Z".parse().unwrap(),
            line,
            key: KeyIdentity {
                account: "111122223333".to_owned(),
                region: "us-west-2".to_owned(),
                custom_key_store_id: "cks-1".to_owned(),
                xks_key_id: format!("k-{line}"),
            },
            alias: "payments".to_owned(),
            outcome,
            key_arn: None,
            error: None,
        }
    }

    #[test]
    fn entries_are_read_back_and_a_truncated_last_line_is_discarded() {
        let dir = tempfile::tempdir().unwrap();
        let path = BatchReport::path_for(&dir.path().join("keys.csv"));
        assert!(path.ends_with("keys.csv.report.jsonl"));
        let expected = [entry(2, RowOutcome::CreatingKey), entry(2, RowOutcome::Made)];
        let (mut report, before) = BatchReport::open(&path).unwrap();
        assert_eq!(before, []);
        for entry in &expected {
            report.append(entry).unwrap();
        }
        assert!(matches!(BatchReport::open(&path), Err(ReportError::InUse(_))));
        drop(report);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        let first = r#"{"time":"2026-03-02T10:15:00Z","line":2,"account":"111122223333","region":"us-west-2","customKeyStoreId":"cks-1","xksKeyId":"k-2","alias":"payments","outcome":"creating-key"}"#;
        assert_eq!(text.lines().next(), Some(first));
        for cut in 1..first.len() {
            std::fs::write(&path, format!("{text}{}", &first[..cut])).unwrap();
            let (mut report, read) = BatchReport::open(&path).unwrap();
            assert_eq!(read, expected);
            report.append(&expected[0]).unwrap();
            drop(report);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{text}{first}\n"));
        }
    }

    #[test]
    fn report_with_a_byte_order_mark_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report");
        let expected = entry(2, RowOutcome::Made);
        std::fs::write(&path, format!("\u{feff}{}\n", serde_json::to_string(&expected).unwrap())).unwrap();
        assert_eq!(BatchReport::open(&path).unwrap().1, [expected]);
    }

    #[test]
    fn invalid_report_is_rejected_and_left_unchanged() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report");
        std::fs::write(&path, "{\"time\":1}\n").unwrap();
        let error = BatchReport::open(&path).unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains("has to be whole"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"time\":1}\n");
    }
}
