//! The report with the result of each row, next to the list. A line of JSON is written before each key is requested,
//! and after it.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::text::strip_byte_order_mark_bytes;

/// The progress of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowOutcome {
    /// CreateKey is about to be sent. If this is the last entry of a row, its outcome is unknown.
    CreatingKey,
    /// The key was created, and CreateAlias is about to be sent.
    CreatingAlias,
    /// The key and the alias were created.
    Made,
    /// The key was created, but its alias wasn't.
    WithoutAlias,
    /// The request was rejected. No key was created.
    Failed,
    /// AWS didn't respond, and checking didn't show whether the key was created.
    Unknown,
}

/// Identifies the key of a row. A key store has at most one KMS key for each external key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyIdentity {
    /// The account ID.
    pub account: String,
    /// The Region.
    pub region: String,
    /// The ID of the external key store.
    pub custom_key_store_id: String,
    /// The ID of the external key.
    pub xks_key_id: String,
}

/// An entry of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportEntry {
    /// The time of the entry.
    pub time: Timestamp,
    /// The line number of the row in the list.
    pub line: u64,
    /// The key of the row.
    #[serde(flatten)]
    pub key: KeyIdentity,
    /// The alias, without `alias/`.
    pub alias: String,
    /// The progress of the row.
    pub outcome: RowOutcome,
    /// The ARN of the KMS key, if it was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_arn: Option<String>,
    /// The error, if one occurred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The reasons that the report can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The report can't be read or written.
    #[error("Couldn't use the report {}: {source}", path.display())]
    File {
        /// The path of the report.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// Another process is creating the same keys.
    #[error("The report {} is in use by another run. Wait until it finishes, then try again.", .0.display())]
    InUse(PathBuf),
    /// The report has an invalid line.
    #[error(
        "Couldn't read the report {}, line {line}: {reason}. The report records which keys were created. Restore it, \
         then try again.",
        path.display()
    )]
    Malformed {
        /// The path of the report.
        path: PathBuf,
        /// The line number, counted from 1.
        line: usize,
        /// The error of the parser.
        reason: String,
    },
}

/// An open report, locked by this process.
#[derive(Debug)]
pub struct BatchReport(File);

impl BatchReport {
    /// Returns the path of the report of a list.
    pub fn path_for(list: &Path) -> PathBuf {
        let mut name = list.as_os_str().to_owned();
        name.push(".report.jsonl");
        name.into()
    }

    /// Opens the report, and returns its entries, oldest first. Makes the file readable only by its owner. Removes a
    /// truncated last line, because nothing depends on an entry before it's written completely.
    ///
    /// # Errors
    /// [`ReportError`].
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
        // The file must be on disk before its entries, so that both survive a power failure.
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

    /// Appends an entry, and waits until it's on disk and survives a power failure.
    ///
    /// # Errors
    /// The entry can't be written.
    pub fn append(&mut self, entry: &ReportEntry) -> io::Result<()> {
        let line = serde_json::to_string(entry)? + "\n";
        self.0.write_all(line.as_bytes())?;
        self.0.sync_data()
    }
}

impl Drop for BatchReport {
    fn drop(&mut self) {
        // A child process that hasn't called exec yet may keep the file open for a moment.
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
        assert!(error.contains("line 1") && error.contains("Restore it"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"time\":1}\n");
    }
}
