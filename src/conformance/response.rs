//! What the proxy answers, and holding it against what it should.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::xks::wire::ErrorName;

/// Why a check hasn't passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// The proxy is at fault; what was seen.
    Failed(String),
    /// Nothing can be said; what is missing.
    Skipped(String),
}

/// Why many requests aren't judged.
pub const THROTTLED: &str = "the proxy throttles so many requests (429), as it may";

/// A failed check.
pub fn fail<T>(reason: impl Into<String>) -> Result<T, CheckError> {
    Err(CheckError::Failed(reason.into()))
}

/// A check that can't be made.
pub fn skip<T>(reason: impl Into<String>) -> Result<T, CheckError> {
    Err(CheckError::Skipped(reason.into()))
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct ProbeResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it was read.
    pub body: Bytes,
}

impl ProbeResponse {
    /// The body as JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The `errorName` in the body.
    pub fn error_name(&self) -> Option<String> {
        self.json()?.get("errorName")?.as_str().map(str::to_owned)
    }

    /// Status and error, in words.
    pub fn outcome(&self) -> String {
        match self.error_name() {
            Some(name) => format!("{} {name}", self.status.as_u16()),
            None => self.status.as_u16().to_string(),
        }
    }

    /// The JSON object of a success.
    pub fn success_body(&self) -> Result<Value, CheckError> {
        if self.status != StatusCode::OK {
            return fail(format!("expected 200, got {}", self.outcome()));
        }
        self.json()
            .filter(Value::is_object)
            .ok_or_else(|| CheckError::Failed("the body isn't a JSON object".to_owned()))
    }

    /// Likewise of a request that a policy of the proxy may deny, because it comes from somebody whom nobody knows.
    pub fn allowed_body(&self) -> Result<Value, CheckError> {
        if self.status == StatusCode::FORBIDDEN {
            return skip("a policy of the proxy denies it, as it may; see --principal");
        }
        self.success_body()
    }

    /// Refused by one of these names. An error whose name can't be read counts by its status: what is wrong with the form
    /// of errors is told once, by the checks of errors.
    pub fn ensure_error(&self, names: &[ErrorName]) -> Result<(), CheckError> {
        let is_expected = match self.error_name() {
            Some(found) => names.iter().any(|name| name.as_str() == found),
            None => names.iter().any(|name| name.status() == self.status.as_u16()),
        };
        if is_expected && self.status != StatusCode::OK {
            return Ok(());
        }
        let expected: Vec<String> = names.iter().map(|name| format!("{} {}", name.status(), name.as_str())).collect();
        fail(format!("expected {}, got {}", expected.join(" or "), self.outcome()))
    }
}

/// A member that must be Base64.
pub fn base64(body: &Value, name: &str) -> Result<Vec<u8>, CheckError> {
    match optional_base64(body, name)? {
        Some(bytes) => Ok(bytes),
        None => fail(format!("{name} is missing")),
    }
}

/// A member that must be Base64 if it is there.
pub fn optional_base64(body: &Value, name: &str) -> Result<Option<Vec<u8>>, CheckError> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => STANDARD
            .decode(text)
            .map(Some)
            .or_else(|_| fail(format!("{name} isn't standard Base64 with padding (RFC 4648, section 4)"))),
        Some(_) => fail(format!("{name} isn't a string")),
    }
}

impl CheckError {
    /// The same, and where it was met.
    #[must_use]
    pub fn with_context(self, context: &str) -> Self {
        match self {
            Self::Failed(reason) => Self::Failed(format!("{context}: {reason}")),
            Self::Skipped(reason) => Self::Skipped(format!("{context}: {reason}")),
        }
    }

    /// Why.
    pub fn reason(&self) -> &str {
        match self {
            Self::Failed(reason) | Self::Skipped(reason) => reason,
        }
    }
}
