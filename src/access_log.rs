//! The log of requests to the served AWS and its external key store proxy: a line for each, without secrets and bodies.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// The longest text of a caller's choosing that is kept, in characters.
const MAX_TEXT_LENGTH: usize = 512;

/// What the code that answers a request tells about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestDetails {
    /// Service and operation: `kms:ListKeys`.
    pub operation: Option<String>,
    /// The ARN of the caller; for the external key store proxy, the access key ID.
    pub caller: Option<String>,
    /// The error code of the response.
    pub error: Option<String>,
}

/// An extension of a request that is logged: the code that answers it puts its [`Details`] here.
#[derive(Clone, Debug, Default)]
pub struct RequestDetailsSlot(Arc<OnceLock<RequestDetails>>);

impl RequestDetailsSlot {
    /// Tells the details. The first ones count.
    pub fn set(&self, details: RequestDetails) {
        let _ = self.0.set(details);
    }

    /// The details that were told.
    pub fn get(&self) -> Option<&RequestDetails> {
        self.0.get()
    }
}

/// One line of the log.
#[derive(Clone, Debug)]
pub struct AccessLogEntry<'a> {
    /// When the request came.
    pub time: Timestamp,
    /// `POST` …
    pub method: &'a str,
    /// The path, which stands for the operation where that is unknown.
    pub path: &'a str,
    /// What the request is, as far as it was found out.
    pub details: Option<&'a RequestDetails>,
    /// The HTTP status of the response.
    pub status: u16,
    /// How long the response took.
    pub duration: Duration,
    /// The request ID of the response.
    pub request_id: Option<&'a str>,
}

impl AccessLogEntry<'_> {
    /// Time, method, operation, caller, status, error code, milliseconds and request ID, with spaces between them and a
    /// hyphen for what is unknown.
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

/// A text as one word of a line, without anything that a terminal obeys.
fn escape_field(text: Option<&str>) -> String {
    let mut word = String::new();
    for letter in text.unwrap_or_default().chars().take(MAX_TEXT_LENGTH) {
        match letter {
            '!'..='~' => word.push(letter),
            _ => word.extend(letter.escape_unicode()),
        }
    }
    if word.is_empty() { "-".to_owned() } else { word }
}

/// An open log.
pub struct AccessLog {
    writer: Mutex<Box<dyn Write + Send>>,
    has_failed: OnceLock<()>,
}

impl AccessLog {
    /// Opens the log in a file that only its owner can read, after what is there; `-` is standard error.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::from_writer(Box::new(io::stderr())));
        }
        Ok(Self::from_writer(Box::new(OpenOptions::new().append(true).create(true).mode(0o600).open(path)?)))
    }

    /// A log that is written to `sink`.
    pub fn from_writer(sink: Box<dyn Write + Send>) -> Self {
        Self { writer: Mutex::new(sink), has_failed: OnceLock::new() }
    }

    /// Writes a line. A log that can't be written doesn't keep requests from being answered; standard error says so once.
    pub fn write(&self, entry: &AccessLogEntry) {
        let line = entry.line();
        let written = self.writer.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes());
        if let Err(error) = written
            && self.has_failed.set(()).is_ok()
        {
            let _ =
                writeln!(io::stderr(), "xks-console: Couldn't write the access log: {error}. Lines are missing in it.");
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
        let words =
            "2026-03-02T10:15:00.004Z POST kms:List\\u{20}Keys\\u{a}\\u{1b}[2J arn:aws:iam::111122223333:user/Admin";
        assert_eq!(entry.line(), format!("{words} 200 - 1.2 4f6c\n"));
        let unknown = AccessLogEntry { details: None, request_id: None, path: "/x y", ..entry };
        assert_eq!(unknown.line(), "2026-03-02T10:15:00.004Z POST /x\\u{20}y - 200 - 1.2 -\n");
    }
}
