//! The error a service answers with: a code, a message, an HTTP status, and whose fault it was.

use serde::{Deserialize, Serialize};

/// An error that a service answered, the same on both sides of the wire.
///
/// Source of the codes and statuses: the public API models of KMS, IAM and STS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// The error code, such as `XksKeyNotFoundException`.
    pub code: String,
    /// What the service says; may be empty (`InvalidCiphertextException` has none).
    pub message: String,
    /// The HTTP status: 400 for the caller's faults, 403 for denials, 500 for the service's.
    pub status: u16,
    /// The `x-amzn-RequestId` of the answer, empty until it is sent.
    pub request_id: String,
}

impl ServiceError {
    /// An error with the status its code has in AWS's models.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        let code = code.into();
        let status = match code.as_str() {
            "DependencyTimeoutException"
            | "KMSInternalException"
            | "KeyUnavailableException"
            | "InternalFailure"
            | "PolicyEvaluation"
            | "ServiceFailure" => 500,
            "NoSuchEntity" => 404,
            "DeleteConflict" | "EntityAlreadyExists" | "LimitExceeded" => 409,
            "AccessDenied" | "SignatureDoesNotMatch" | "InvalidClientTokenId" | "MissingAuthenticationToken" => 403,
            _ => 400,
        };
        Self { code, message: message.into(), status, request_id: String::new() }
    }

    /// `ValidationException`: the request breaks a limit or pattern of the API.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// Whether the code is `code`, with or without the suffix `Exception`.
    pub fn has_code(&self, code: &str) -> bool {
        self.code.strip_suffix("Exception").unwrap_or(&self.code) == code.strip_suffix("Exception").unwrap_or(code)
    }

    /// Whether the service refused because too much was asked, before it did anything.
    ///
    /// Source: the throttling codes of the AWS SDKs' standard retry mode, but for `LimitExceededException`: in KMS that is
    /// a resource quota, which waiting doesn't change.
    pub fn is_throttling(&self) -> bool {
        const CODES: [&str; 9] = [
            "Throttling",
            "Throttled",
            "RequestThrottled",
            "TooManyRequests",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "ProvisionedThroughputExceeded",
            "PriorRequestNotComplete",
            "SlowDown",
        ];
        CODES.iter().any(|code| self.has_code(code))
    }
}
