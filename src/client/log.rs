//! The log of API calls: the time, operation, duration, and result of each call, but never its request or response.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::CallError;
use crate::aws::active_proxy_faults::ActiveProxyFaults;

/// A finished call of an operation, with all its attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApiCall {
    /// When the first attempt began.
    pub time: Timestamp,
    /// The signing name of the service, such as `kms`.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// The Region that was called.
    pub region: String,
    /// The request ID of the last response, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The milliseconds from the first attempt to the last response, including pauses.
    pub duration_milliseconds: u64,
    /// The number of attempts.
    pub attempts: u32,
    /// The HTTP status of the last response, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The [code](CallError::code) of the error, or `None` if the call succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// How many seconds the account of a bundled AWS was ahead of this machine when it last responded.
    #[serde(skip)]
    pub seconds_ahead: i64,
    /// The active proxy faults of a bundled AWS when it last responded.
    #[serde(skip)]
    pub proxy_faults: Option<ActiveProxyFaults>,
    /// Why an observer before this one couldn't record the call.
    #[serde(skip)]
    pub observer_error: Option<String>,
}

impl CallError {
    /// Returns the error code of the service, or the console's own code if the error didn't come from the service.
    pub fn code(&self) -> &str {
        match self {
            Self::Service(error) => &error.code,
            Self::NotAvailable => "NotAvailable",
            Self::Credentials(_) => "NoCredentials",
            Self::ReadOnly { .. } => "ReadOnly",
            Self::Transport(_) | Self::Malformed { .. } | Self::Signing(_) => "RequestFailed",
        }
    }
}

/// An observer of finished calls, which many tasks may notify at the same time.
pub trait Observer: Send + Sync {
    /// Records a call.
    ///
    /// # Errors
    /// Why the call can't be recorded. The observers after this one find the reason in [`ApiCall::observer_error`].
    fn observe(&self, call: &ApiCall) -> Result<(), String>;
}

impl<F: Fn(&ApiCall) + Send + Sync> Observer for F {
    fn observe(&self, call: &ApiCall) -> Result<(), String> {
        self(call);
        Ok(())
    }
}

/// A log file with one line of JSON for each call.
#[derive(Debug)]
pub struct LogFile(File);

impl LogFile {
    /// Opens the log file at `path` for appending, and makes it accessible only to its owner.
    ///
    /// # Errors
    /// An I/O error if the file can't be opened, or belongs to another user.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        if file.metadata()?.is_file() {
            file.set_permissions(Permissions::from_mode(0o600))?;
        }
        Ok(Self(file))
    }
}

impl Observer for LogFile {
    fn observe(&self, call: &ApiCall) -> Result<(), String> {
        let line = serde_json::to_string(call).map_err(|error| error.to_string())? + "\n";
        // A single write keeps the lines of several processes apart.
        (&self.0).write_all(line.as_bytes()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> ApiCall {
        ApiCall {
            time: "2026-01-02T03:04:05Z".parse().unwrap(),
            service: "kms",
            operation: "CreateKey",
            region: "us-west-2".to_owned(),
            request_id: Some("r-7".to_owned()),
            duration_milliseconds: 1250,
            attempts: 2,
            status: Some(400),
            error_code: Some("XksKeyNotFoundException".to_owned()),
            seconds_ahead: 0,
            proxy_faults: None,
            observer_error: None,
        }
    }

    #[test]
    fn log_file_appends_one_line_per_call_with_owner_only_permissions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("calls.log");
        std::fs::write(&path, "{}\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        LogFile::open(&path).unwrap().observe(&call()).unwrap();
        LogFile::open(&path)
            .unwrap()
            .observe(&ApiCall { request_id: None, status: None, error_code: None, ..call() })
            .unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = r#"{"time":"2026-01-02T03:04:05Z","service":"kms","operation":"CreateKey","region":"us-west-2","requestId":"r-7","durationMilliseconds":1250,"attempts":2,"status":400,"errorCode":"XksKeyNotFoundException"}"#;
        assert_eq!(text.lines().nth(1), Some(expected));
        assert_eq!(text.lines().count(), 3);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn failed_write_reports_the_reason() {
        let log = LogFile::open(Path::new("/dev/full")).unwrap();
        assert!(log.observe(&call()).unwrap_err().contains("space"));
    }
}
