//! The error that an AWS service returns: a code, a message, and an HTTP status.

use serde::{Deserialize, Serialize};

use crate::text::nearest;

/// An error that an AWS service returned, used by both clients and servers.
///
/// Source of the codes and statuses: the public API models of KMS, IAM and STS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// The error code, such as `XksKeyNotFoundException`.
    pub code: String,
    /// The error message. It may be empty: `InvalidCiphertextException` has none.
    pub message: String,
    /// The HTTP status, such as 400 for a client error, 403 for a denied request, or 500 for a server error.
    pub status: u16,
    /// The `x-amzn-RequestId` of the response, or empty until the response is sent.
    pub request_id: String,
}

/// The error codes of the operations that the console calls, and those that all operations have in common.
const CODES: [&str; 62] = [
    "AccessDeniedException",
    "AlreadyExistsException",
    "CloudHsmClusterInvalidConfigurationException",
    "CloudHsmClusterNotActiveException",
    "CustomKeyStoreHasCMKsException",
    "CustomKeyStoreInvalidStateException",
    "CustomKeyStoreNameInUseException",
    "CustomKeyStoreNotFoundException",
    "DependencyTimeoutException",
    "DisabledException",
    "DryRunOperationException",
    "ExpiredTokenException",
    "IncorrectKeyException",
    "InternalFailure",
    "InvalidAliasNameException",
    "InvalidArnException",
    "InvalidCiphertextException",
    "InvalidGrantIdException",
    "InvalidGrantTokenException",
    "InvalidKeyUsageException",
    "InvalidMarkerException",
    "InvalidSignatureException",
    "KMSInternalException",
    "KMSInvalidStateException",
    "KeyUnavailableException",
    "LimitExceededException",
    "MalformedPolicyDocumentException",
    "NotFoundException",
    "ServiceUnavailableException",
    "TagException",
    "ThrottlingException",
    "UnrecognizedClientException",
    "UnsupportedOperationException",
    "ValidationException",
    "XksKeyAlreadyInUseException",
    "XksKeyInvalidConfigurationException",
    "XksKeyNotFoundException",
    "XksProxyIncorrectAuthenticationCredentialException",
    "XksProxyInvalidConfigurationException",
    "XksProxyInvalidResponseException",
    "XksProxyUriEndpointInUseException",
    "XksProxyUriInUseException",
    "XksProxyUriUnreachableException",
    "XksProxyVpcEndpointServiceInUseException",
    "XksProxyVpcEndpointServiceInvalidConfigurationException",
    "XksProxyVpcEndpointServiceNotFoundException",
    "AccessDenied",
    "DeleteConflict",
    "EntityAlreadyExists",
    "ExpiredToken",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidInput",
    "LimitExceeded",
    "MalformedPolicyDocument",
    "NoSuchEntity",
    "PolicyEvaluation",
    "ServiceFailure",
    "SignatureDoesNotMatch",
    "Throttling",
    "UnknownOperationException",
    "ValidationError",
];

/// Checks an error code that a person wrote. A code that isn't known is accepted, unless it is similar to one that is.
///
/// # Errors
/// A message with the code that was probably meant.
pub fn check_error_code(code: &str) -> Result<(), String> {
    match nearest(code, CODES) {
        Some(near) if near != code => Err(format!("`{code}` is not an error code; did you mean {near}?")),
        _ => Ok(()),
    }
}

impl ServiceError {
    /// Creates an error with the HTTP status that the AWS API models assign to its code.
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

    /// Creates a `ValidationException`: the request violates a constraint of the API.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// Whether the error code is `code`, with or without the suffix `Exception`.
    pub fn has_code(&self, code: &str) -> bool {
        self.code.strip_suffix("Exception").unwrap_or(&self.code) == code.strip_suffix("Exception").unwrap_or(code)
    }

    /// Whether the service throttled the request, without having processed it.
    ///
    /// Source: the throttling codes of the AWS SDKs' standard retry mode, except `LimitExceededException`: in KMS it
    /// means that a resource quota is exceeded, so a retry doesn't help.
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
