//! The log of requests to the served AWS and its external key store proxy, with one line per request. It never contains
//! secrets or bodies.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// The maximum length of text that the caller controls, in characters. The rest is omitted.
const MAX_TEXT_LENGTH: usize = 512;

/// The details of a request, from the code that handles it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestDetails {
    /// The service and operation, such as `kms:ListKeys`.
    pub operation: Option<String>,
    /// The ARN of the caller, or its access key ID in requests to the external key store proxy.
    pub caller: Option<String>,
    /// The error code of the response.
    pub error: Option<String>,
}

/// A request extension for the log. The code that handles the request sets its [`RequestDetails`].
#[derive(Clone, Debug, Default)]
pub struct RequestDetailsSlot(Arc<OnceLock<RequestDetails>>);

impl RequestDetailsSlot {
    /// Sets the details. Further calls have no effect.
    pub fn set(&self, details: RequestDetails) {
        let _ = self.0.set(details);
    }

    /// Returns the details, if they were set.
    pub fn get(&self) -> Option<&RequestDetails> {
        self.0.get()
    }
}

/// An entry of the log, which is one line.
#[derive(Clone, Debug)]
pub struct AccessLogEntry<'a> {
    /// The time the request was received.
    pub time: Timestamp,
    /// The HTTP method, such as `POST`.
    pub method: &'a str,
    /// The path, which is logged if the operation is unknown.
    pub path: &'a str,
    /// The details of the request, if they are known.
    pub details: Option<&'a RequestDetails>,
    /// The HTTP status of the response.
    pub status: u16,
    /// The time from the request to the response.
    pub duration: Duration,
    /// The request ID of the response.
    pub request_id: Option<&'a str>,
}

impl AccessLogEntry<'_> {
    /// Formats the line: time, method, operation, caller, status, error code, milliseconds, and request ID, separated
    /// by spaces. A hyphen stands for a missing value.
    fn line(&self) -> String {
        let empty = RequestDetails::default();
        let details = self.details.unwrap_or(&empty);
        let mut line = String::with_capacity(256);
        let milliseconds = self.duration.as_secs_f64() * 1e3;
        let _ = writeln!(
            line,
            "{:.3} {} {} {} {} {} {milliseconds:.1} {}",
            self.time,
            escape_field(Some(self.method)),
            escape_field(details.operation.as_deref().or(Some(self.path))),
            escape_field(details.caller.as_deref()),
            self.status,
            escape_field(details.error.as_deref()),
            escape_field(self.request_id),
        );
        line
    }
}

/// Escapes a text as one field of a line, without spaces, control characters, or other characters than ASCII.
fn escape_field(text: Option<&str>) -> String {
    let mut field = String::new();
    for character in text.unwrap_or_default().chars().take(MAX_TEXT_LENGTH) {
        match character {
            '!'..='~' => field.push(character),
            _ => field.extend(character.escape_unicode()),
        }
    }
    if field.is_empty() { "-".to_owned() } else { field }
}

/// An open log.
pub struct AccessLog {
    writer: Mutex<Box<dyn Write + Send>>,
    has_failed: OnceLock<()>,
}

impl AccessLog {
    /// Opens a file for the log and appends to it. A new file is readable only by its owner. `-` is standard error.
    ///
    /// # Errors
    /// The file can't be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::from_writer(Box::new(io::stderr())));
        }
        Ok(Self::from_writer(Box::new(OpenOptions::new().append(true).create(true).mode(0o600).open(path)?)))
    }

    /// Creates a log that is written to `sink`.
    pub fn from_writer(sink: Box<dyn Write + Send>) -> Self {
        Self { writer: Mutex::new(sink), has_failed: OnceLock::new() }
    }

    /// Writes a line. If the log can't be written, requests are still handled, and a message is written to standard
    /// error once.
    pub fn write(&self, entry: &AccessLogEntry) {
        let line = entry.line();
        let written = self.writer.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        if let Err(error) = written
            && self.has_failed.set(()).is_ok()
        {
            let _ = writeln!(
                io::stderr(),
                "xks-console: Couldn't write to the access log: {error}. The log is incomplete."
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_always_has_eight_fields() {
        let details = RequestDetails {
            operation: Some("kms:List Keys\n\u{1b}[2J".to_owned()),
            caller: Some("arn:aws:iam::111122223333:user/Admin".to_owned()),
            error: None,
        };
        let entry = AccessLogEntry {
            time: "2026-03-02T10:15:00.0049Z".parse().unwrap(),
            method: "POST",
            path: "/",
            details: Some(&details),
            status: 200,
            duration: Duration::from_micros(1234),
            request_id: Some("4f6c"),
        };
        let fields =
            "2026-03-02T10:15:00.004Z POST kms:List\\u{20}Keys\\u{a}\\u{1b}[2J arn:aws:iam::111122223333:user/Admin";
        assert_eq!(entry.line(), format!("{fields} 200 - 1.2 4f6c\n"));
        let unknown = AccessLogEntry { details: None, request_id: None, path: "/x y", ..entry };
        assert_eq!(unknown.line(), "2026-03-02T10:15:00.004Z POST /x\\u{20}y - 200 - 1.2 -\n");
    }
}
