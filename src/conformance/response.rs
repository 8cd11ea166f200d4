//! Responses from the proxy and their comparison with the expected response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::xks::wire::ErrorName;

/// The reason why a check didn't pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// The proxy violates the requirement, with a description of what it did.
    Failed(String),
    /// The check couldn't run, with a description of what is missing.
    Skipped(String),
}

/// The reason for skipping a check that was throttled.
pub const THROTTLED: &str = "the proxy throttled the requests (429), which the specification allows";

/// Returns [`CheckError::Failed`].
pub fn fail<T>(reason: impl Into<String>) -> Result<T, CheckError> {
    Err(CheckError::Failed(reason.into()))
}

/// Returns [`CheckError::Skipped`].
pub fn skip<T>(reason: impl Into<String>) -> Result<T, CheckError> {
    Err(CheckError::Skipped(reason.into()))
}

/// A complete response.
#[derive(Clone, Debug)]
pub struct ProbeResponse {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl ProbeResponse {
    /// Returns the body as JSON, or `None` if it isn't JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Returns the `errorName` in the body, if any.
    pub fn error_name(&self) -> Option<String> {
        self.json()?.get("errorName")?.as_str().map(str::to_owned)
    }

    /// Returns the status code and the error name, if any.
    pub fn outcome(&self) -> String {
        match self.error_name() {
            Some(name) => format!("{} {name}", self.status.as_u16()),
            None => self.status.as_u16().to_string(),
        }
    }

    /// Returns the JSON object in the body of a successful response.
    ///
    /// # Errors
    /// [`CheckError::Failed`] if the status isn't 200 or the body isn't a JSON object.
    pub fn success_body(&self) -> Result<Value, CheckError> {
        if self.status != StatusCode::OK {
            return fail(format!("expected 200, got {}", self.outcome()));
        }
        self.json()
            .filter(Value::is_object)
            .ok_or_else(|| CheckError::Failed("the body isn't a JSON object".to_owned()))
    }

    /// Returns the JSON object in the body of a response to a request that the proxy's policy can deny.
    ///
    /// A policy can deny the request because it doesn't know the caller or the operation.
    ///
    /// # Errors
    /// [`CheckError::Skipped`] if the status is 403, otherwise the errors of [`Self::success_body`].
    pub fn allowed_body(&self) -> Result<Value, CheckError> {
        if self.status == StatusCode::FORBIDDEN {
            return skip("the proxy's policy denied the request, which the specification allows; see --principal");
        }
        self.success_body()
    }

    /// Checks that the response is an error with one of these names.
    ///
    /// If the response has no readable error name, its status code decides. The checks in the group "Errors" report the
    /// format of errors.
    ///
    /// # Errors
    /// [`CheckError::Failed`] for any other response.
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

/// Decodes a required Base64 member.
///
/// # Errors
/// [`CheckError::Failed`] if the member is missing or isn't standard Base64 with padding.
pub fn base64(body: &Value, name: &str) -> Result<Vec<u8>, CheckError> {
    match optional_base64(body, name)? {
        Some(bytes) => Ok(bytes),
        None => fail(format!("{name} is missing")),
    }
}

/// Decodes an optional Base64 member.
///
/// # Errors
/// [`CheckError::Failed`] if the member is present but isn't standard Base64 with padding.
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
    /// Adds context in front of the reason.
    #[must_use]
    pub fn with_context(self, context: &str) -> Self {
        match self {
            Self::Failed(reason) => Self::Failed(format!("{context}: {reason}")),
            Self::Skipped(reason) => Self::Skipped(format!("{context}: {reason}")),
        }
    }

    /// Returns the reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Failed(reason) | Self::Skipped(reason) => reason,
        }
    }
}
