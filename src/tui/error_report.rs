//! An error report to send to support: the error as AWS returned it, and the latest API calls, without credentials or
//! plaintext.

use std::fmt::{self, Display};

use jiff::Timestamp;

use super::target::Target;
use crate::build_info::BuildInfo;
use crate::client::log::ApiCall;

/// The number of API calls in a report.
pub const MAX_CALLS: usize = 10;

/// An error as the console shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDetails {
    /// The error code, or the title of an error of the console.
    pub code: String,
    /// The error message.
    pub message: String,
    /// The request ID. Empty if it isn't known.
    pub request_id: String,
}

impl ErrorDetails {
    /// Returns whether the error is the result of an API call.
    pub fn is_of(&self, call: &ApiCall) -> bool {
        if self.request_id.is_empty() {
            call.request_id.is_none() && call.error_code.as_ref() == Some(&self.code)
        } else {
            call.request_id.as_ref() == Some(&self.request_id)
        }
    }
}

impl Display for ErrorDetails {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}", self.code, self.message)?;
        if self.request_id.is_empty() { Ok(()) } else { writeln!(f, "Request ID: {}", self.request_id) }
    }
}

/// A report of an error. Its `Display` implementation is its text.
#[derive(Clone, Debug)]
pub struct ErrorReport<'a> {
    /// The time of the report.
    pub time: Timestamp,
    /// The error.
    pub error: &'a ErrorDetails,
    /// The API call that failed, if it is known.
    pub call: Option<&'a ApiCall>,
    /// The Region of the console.
    pub region: &'a str,
    /// What the console connects to.
    pub target: &'a Target,
    /// The program.
    pub build: &'a BuildInfo,
    /// The width and height of the terminal.
    pub screen_size: (u16, u16),
    /// The last API calls, newest first.
    pub calls: Vec<&'a ApiCall>,
}

impl Display for ErrorReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown = "unknown";
        let request_id = self.call.and_then(|call| call.request_id.as_deref()).unwrap_or(&self.error.request_id);
        let operation = self.call.map(|call| format!("{} {}", call.service, call.operation));
        let target = match self.target {
            Target::Bundled => "the bundled AWS",
            Target::Endpoint(host) => host,
            Target::Aws => "AWS",
        };
        let build = self.build;
        writeln!(f, "Error report of xks-console\n")?;
        writeln!(f, "Time:       {}", self.time)?;
        writeln!(f, "Error:      {}", self.error.code)?;
        writeln!(f, "Message:    {}", self.error.message.trim_end().replace('\n', "\n            "))?;
        writeln!(f, "Request ID: {}", if request_id.is_empty() { unknown } else { request_id })?;
        writeln!(f, "Operation:  {}", operation.as_deref().unwrap_or(unknown))?;
        writeln!(f, "Region:     {}", self.call.map_or(self.region, |call| &call.region))?;
        writeln!(f, "Target:     {target}")?;
        writeln!(f, "Version:    {}, commit {}", build.version, build.commit.unwrap_or(unknown))?;
        writeln!(f, "Built for:  {}, {}", build.target, build.profile)?;
        writeln!(f, "Terminal:   {}x{}", self.screen_size.0, self.screen_size.1)?;
        writeln!(f, "\nLast API calls, newest first:")?;
        self.calls.iter().try_for_each(|call| writeln!(f, "{}", call_line(call)))
    }
}

/// Returns one line about a call: time, operation, result, duration, and request ID.
fn call_line(call: &ApiCall) -> String {
    let result = match (&call.error_code, call.status) {
        (Some(code), _) => code.clone(),
        (None, Some(status)) => status.to_string(),
        (None, None) => "no response".to_owned(),
    };
    format!(
        "{}  {} {}  {result}  {} ms  {}",
        call.time,
        call.service,
        call.operation,
        call.duration_milliseconds,
        call.request_id.as_deref().unwrap_or("-")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: &'static str, error_code: Option<&str>) -> ApiCall {
        ApiCall {
            time: "2026-01-02T03:04:05Z".parse().unwrap(),
            service: "kms",
            operation,
            region: "us-west-2".to_owned(),
            request_id: Some(format!("r-{operation}")),
            duration_milliseconds: 12,
            attempts: 1,
            status: Some(if error_code.is_some() { 400 } else { 200 }),
            error_code: error_code.map(str::to_owned),
            seconds_ahead: 0,
            proxy_faults: None,
            observer_error: None,
        }
    }

    #[test]
    fn report_names_the_error_the_call_the_program_and_the_last_calls() {
        let error = ErrorDetails {
            code: "DisabledException".to_owned(),
            message: "The key is disabled.\nEnable it.".to_owned(),
            request_id: "r-Encrypt".to_owned(),
        };
        let build = BuildInfo { commit: Some("94ce1fb"), ..BuildInfo::current() };
        let (failed, other) = (call("Encrypt", Some("DisabledException")), call("ListKeys", None));
        assert!(error.is_of(&failed) && !error.is_of(&other));
        let report = ErrorReport {
            time: "2026-01-02T03:04:06Z".parse().unwrap(),
            error: &error,
            call: Some(&failed),
            region: "us-east-1",
            target: &Target::Endpoint("localhost:4000".to_owned()),
            build: &build,
            screen_size: (80, 24),
            calls: vec![&failed, &other],
        };
        let expected = format!(
            "Error report of xks-console\n\n\
             Time:       2026-01-02T03:04:06Z\n\
             Error:      DisabledException\n\
             Message:    The key is disabled.\n            Enable it.\n\
             Request ID: r-Encrypt\n\
             Operation:  kms Encrypt\n\
             Region:     us-west-2\n\
             Target:     localhost:4000\n\
             Version:    {}, commit 94ce1fb\n\
             Built for:  {}, {}\n\
             Terminal:   80x24\n\n\
             Last API calls, newest first:\n\
             2026-01-02T03:04:05Z  kms Encrypt  DisabledException  12 ms  r-Encrypt\n\
             2026-01-02T03:04:05Z  kms ListKeys  200  12 ms  r-ListKeys\n",
            build.version, build.target, build.profile
        );
        assert_eq!(report.to_string(), expected);
    }

    #[test]
    fn request_id_decides_which_call_failed() {
        let error = ErrorDetails {
            code: "DisabledException".to_owned(),
            message: String::new(),
            request_id: "r-Decrypt".to_owned(),
        };
        assert!(error.is_of(&call("Decrypt", None)));
        assert!(!error.is_of(&call("Encrypt", Some("DisabledException"))));
        // An error without a request ID isn't that of a call that AWS answered.
        let unanswered = ErrorDetails { request_id: String::new(), ..error };
        assert!(!unanswered.is_of(&call("Encrypt", Some("DisabledException"))));
    }
}
