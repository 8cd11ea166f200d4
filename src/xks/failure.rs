//! Failed requests to an external key store proxy, and how KMS reports them.
//!
//! KMS never forwards the proxy's error message: it chooses its own message by the name of the error. Sources: the
//! table of failures in the XKS proxy API specification, and *Troubleshooting external key stores* in the KMS developer
//! guide.

use super::metrics::Exception;
use super::wire::{AES_256, ErrorName, GetKeyMetadataResponse};
use crate::aws::error::ServiceError;

/// The reason why a request to an external key store proxy failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XksFailure {
    /// The proxy returned an error.
    #[error("the external key store proxy returned {}", .0.as_str())]
    Refused(ErrorName),
    /// The connection failed: the host is unknown or isn't listening.
    #[error("couldn't reach the external key store proxy")]
    Unreachable,
    /// The TLS handshake failed.
    #[error("couldn't establish a TLS connection to the external key store proxy: {0}")]
    Tls(TlsProblem),
    /// The proxy didn't respond within 250 ms, twice.
    #[error("the external key store proxy didn't respond within 250 ms")]
    TimedOut,
    /// The response isn't valid in this API.
    #[error("the external key store proxy's response isn't valid: {0}")]
    InvalidResponse(&'static str),
    /// The result of Encrypt doesn't match its integrity value.
    #[error("the ciphertext from the external key store proxy was damaged in transit")]
    DamagedCiphertext,
    /// The proxy responds, but none of its external key managers is available.
    #[error("every external key manager behind the external key store proxy is unavailable")]
    Unhealthy,
    /// The configuration of the key store doesn't give a valid URI or signature.
    #[error("the configuration of the external key store isn't valid: {0}")]
    Configuration(String),
}

/// Why a TLS handshake failed. KMS doesn't tell its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsProblem {
    /// The handshake failed for another reason, such as an unsupported TLS version.
    #[error("the handshake failed")]
    Handshake,
    /// The certificate has expired.
    #[error("the proxy's certificate has expired")]
    Expired,
    /// The certificate is for another host name.
    #[error("the proxy's certificate isn't valid for its host name")]
    WrongHostName,
    /// The certificate isn't issued by a known CA.
    #[error("an unknown CA issued the proxy's certificate")]
    UnknownIssuer,
}

const CANNOT_INTERPRET: &str = "AWS KMS cannot interpret the response from the external key store proxy. If you see this \
     error repeatedly, report it to your external key store proxy administrator.";
const BAD_URI_PATH: &str = "The external key store proxy rejected the request because of an invalid URI path. Verify the \
     URI path for your external key store and update if necessary.";

impl XksFailure {
    /// Returns the error of CreateKey, which requests the metadata of the external key.
    pub fn create_key_error(&self) -> ServiceError {
        match self {
            Self::Refused(ErrorName::KeyNotFoundException) => ServiceError::new(
                "XksKeyNotFoundException",
                "The external key store proxy rejected the request because it could not find the external key.",
            ),
            Self::Refused(ErrorName::InvalidStateException) => ServiceError::new(
                "XksKeyInvalidConfigurationException",
                "The external key store proxy rejected the request because the external key is not enabled in the \
                 external key manager.",
            ),
            Self::Refused(ErrorName::InvalidKeyUsageException) => ServiceError::new(
                "XksKeyInvalidConfigurationException",
                "The external key store proxy rejected the request because the external key does not support the \
                 requested operation.",
            ),
            other => ServiceError::new("CustomKeyStoreInvalidStateException", other.message()),
        }
    }

    /// Returns the error of a cryptographic operation.
    pub fn cryptographic_error(&self) -> ServiceError {
        ServiceError::new("KMSInvalidStateException", self.message())
    }

    /// Returns the error of CreateCustomKeyStore and UpdateCustomKeyStore, which check the health of the proxy.
    pub fn key_store_error(&self) -> ServiceError {
        let code = match self {
            Self::Refused(ErrorName::AuthenticationFailedException) => {
                "XksProxyIncorrectAuthenticationCredentialException"
            }
            Self::Refused(ErrorName::InvalidUriPathException) | Self::Configuration(_) => {
                "XksProxyInvalidConfigurationException"
            }
            Self::Refused(ErrorName::DependencyTimeoutException | ErrorName::ThrottlingException)
            | Self::Unreachable
            | Self::Tls(_)
            | Self::TimedOut
            | Self::Unhealthy => "XksProxyUriUnreachableException",
            Self::Refused(_) | Self::InvalidResponse(_) | Self::DamagedCiphertext => "XksProxyInvalidResponseException",
        };
        ServiceError::new(code, self.message())
    }

    /// Returns the `ConnectionErrorCode` of a key store that fails to connect.
    pub fn connection_error_code(&self) -> &'static str {
        match self {
            Self::Refused(ErrorName::AuthenticationFailedException) => "INVALID_CREDENTIALS",
            Self::Refused(ErrorName::AccessDeniedException | ErrorName::InvalidStateException) => {
                "XKS_PROXY_ACCESS_DENIED"
            }
            Self::Refused(ErrorName::InvalidUriPathException) | Self::Configuration(_) => {
                "XKS_PROXY_INVALID_CONFIGURATION"
            }
            Self::Refused(ErrorName::DependencyTimeoutException) | Self::TimedOut => "XKS_PROXY_TIMED_OUT",
            Self::Refused(ErrorName::ThrottlingException) | Self::Unreachable | Self::Unhealthy => {
                "XKS_PROXY_NOT_REACHABLE"
            }
            Self::Tls(_) => "XKS_PROXY_INVALID_TLS_CONFIGURATION",
            Self::Refused(_) | Self::InvalidResponse(_) | Self::DamagedCiphertext => "XKS_PROXY_INVALID_RESPONSE",
        }
    }

    /// Returns the exception in the CloudWatch metrics. An unhealthy proxy did respond, and without a request nothing
    /// failed.
    ///
    /// The retryable exceptions are those that the guide counts against a proxy's reliability. An invalid response has
    /// the name that CreateCustomKeyStore uses, because the guide defines no other.
    pub fn exception(&self) -> Option<Exception> {
        let retryable = |name| Some(Exception { name, is_retryable: true });
        let non_retryable = |name| Some(Exception { name, is_retryable: false });
        match self {
            Self::Refused(
                name @ (ErrorName::InternalException
                | ErrorName::DependencyTimeoutException
                | ErrorName::ThrottlingException),
            ) => retryable(name.as_str()),
            Self::Refused(name) => non_retryable(name.as_str()),
            Self::Unreachable | Self::Tls(_) | Self::TimedOut => retryable("XksProxyUnreachableException"),
            Self::InvalidResponse(_) | Self::DamagedCiphertext => non_retryable("XksProxyInvalidResponseException"),
            Self::Unhealthy | Self::Configuration(_) => None,
        }
    }

    fn message(&self) -> &'static str {
        match self {
            Self::Refused(name) => rejection_message(*name),
            Self::InvalidResponse(_) => CANNOT_INTERPRET,
            Self::Configuration(_) => BAD_URI_PATH,
            Self::DamagedCiphertext => {
                "The ciphertext that the external key store proxy submitted for decryption, or the encryption context, is \
                 corrupted, missing, or otherwise invalid."
            }
            Self::Unreachable => {
                "AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If \
                 you see this error repeatedly, verify that your external key store proxy is active and is connected to \
                 the network, and that its endpoint URI is correct in your external key store."
            }
            Self::Tls(_) => {
                "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, \
                 including its certificate."
            }
            Self::TimedOut => {
                "AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the \
                 request. If you see this error repeatedly, report it to your external key store proxy administrator."
            }
            Self::Unhealthy => {
                "The external key store proxy is in an unhealthy state. If you see this message repeatedly, notify your \
                 external key store proxy administrator."
            }
        }
    }
}

fn rejection_message(name: ErrorName) -> &'static str {
    match name {
        ErrorName::ValidationException => CANNOT_INTERPRET,
        ErrorName::InvalidUriPathException => BAD_URI_PATH,
        ErrorName::InvalidStateException => {
            "The external key associated with this KMS key in an external key store is not enabled in the external key \
             manager. Enable the external key in the external key manager and retry the request."
        }
        ErrorName::InvalidKeyUsageException => {
            "The external key associated with this KMS key in an external key store does not support the requested \
             operation. Enable the operation on the key in your external key manager, and try the request again."
        }
        ErrorName::InvalidCiphertextException => {
            "The external key store proxy rejected the request because the specified ciphertext or encryption context is \
             corrupted, missing, or otherwise invalid."
        }
        ErrorName::AuthenticationFailedException => {
            "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the XKS \
             proxy authentication credentials for your external key store and update if necessary."
        }
        ErrorName::AccessDeniedException => {
            "The external key store proxy denied access to the operation. Verify that the user and the external key are \
             both authorized for this operation, and try the request again."
        }
        ErrorName::KeyNotFoundException => {
            "The external key associated with this KMS key in an external key store was not found in its external key \
             manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key with the \
             correct external key ID."
        }
        ErrorName::UnsupportedOperationException => {
            "The external key store proxy rejected the request because it does not support the requested cryptographic \
             operation. If you see this error repeatedly, report it to your external key store proxy administrator."
        }
        ErrorName::DependencyTimeoutException => {
            "The external key store proxy did not respond to the request in the time allotted. Retry the request. If you \
             see this error repeatedly, report it to your external key store proxy administrator."
        }
        ErrorName::ThrottlingException => {
            "The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of \
             your calls using KMS keys in this external key store."
        }
        ErrorName::InternalException => {
            "The external key store proxy rejected the request because it cannot communicate with the external key \
             manager. Verify that the external key store proxy configuration is correct and that the external key manager \
             is available."
        }
    }
}

/// Validates an external key for a new KMS key: it must be `AES_256` and `ENABLED`, and allow `ENCRYPT` and `DECRYPT`.
///
/// # Errors
/// `XksKeyInvalidConfigurationException` with KMS's message for the first requirement that isn't met.
pub fn check_external_key(key: &GetKeyMetadataResponse) -> Result<(), ServiceError> {
    let message = if key.key_spec != AES_256 {
        let spec = &key.key_spec;
        format!("The key spec of the external key must be AES_256. The key spec of specified external key is {spec}.")
    } else if key.key_status != "ENABLED" {
        let status = &key.key_status;
        format!("The status of the external key must be ENABLED. The status of specified external key is {status}.")
    } else if !["ENCRYPT", "DECRYPT"].iter().all(|usage| key.key_usage.iter().any(|has| has == usage)) {
        let usage = key.key_usage.join(", ");
        format!(
            "The key usage of the external key must include ENCRYPT and DECRYPT. The key use of specified external key is \
             {usage}."
        )
    } else {
        return Ok(());
    };
    Err(ServiceError::new("XksKeyInvalidConfigurationException", message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_maps_to_its_aws_errors_and_connection_code() {
        use ErrorName as E;
        const STORE: &str = "CustomKeyStoreInvalidState";
        const KEY: &str = "XksKeyInvalidConfiguration";
        const RESPONSE: &str = "XksProxyInvalidResponse";
        const UNREACHABLE: &str = "XksProxyUriUnreachable";
        const CODE_RESPONSE: &str = "XKS_PROXY_INVALID_RESPONSE";
        let refused = XksFailure::Refused;
        let table = [
            (refused(E::ValidationException), STORE, RESPONSE, CODE_RESPONSE, "cannot interpret the response"),
            (refused(E::InvalidStateException), KEY, RESPONSE, "XKS_PROXY_ACCESS_DENIED", "is not enabled"),
            (refused(E::InvalidCiphertextException), STORE, RESPONSE, CODE_RESPONSE, "specified ciphertext"),
            (refused(E::InvalidKeyUsageException), KEY, RESPONSE, CODE_RESPONSE, "does not support the requested"),
            (
                refused(E::AuthenticationFailedException),
                STORE,
                "XksProxyIncorrectAuthenticationCredential",
                "INVALID_CREDENTIALS",
                "could not authenticate AWS KMS",
            ),
            (refused(E::AccessDeniedException), STORE, RESPONSE, "XKS_PROXY_ACCESS_DENIED", "denied access"),
            (refused(E::KeyNotFoundException), "XksKeyNotFound", RESPONSE, CODE_RESPONSE, "was not found"),
            (
                refused(E::InvalidUriPathException),
                STORE,
                "XksProxyInvalidConfiguration",
                "XKS_PROXY_INVALID_CONFIGURATION",
                "invalid URI path",
            ),
            (refused(E::ThrottlingException), STORE, UNREACHABLE, "XKS_PROXY_NOT_REACHABLE", "very high request rate"),
            (refused(E::UnsupportedOperationException), STORE, RESPONSE, CODE_RESPONSE, "does not support"),
            (refused(E::DependencyTimeoutException), STORE, UNREACHABLE, "XKS_PROXY_TIMED_OUT", "time allotted"),
            (refused(E::InternalException), STORE, RESPONSE, CODE_RESPONSE, "cannot communicate with the external key"),
            (XksFailure::Unreachable, STORE, UNREACHABLE, "XKS_PROXY_NOT_REACHABLE", "AWS KMS cannot communicate"),
            (
                XksFailure::Tls(TlsProblem::Expired),
                STORE,
                UNREACHABLE,
                "XKS_PROXY_INVALID_TLS_CONFIGURATION",
                "TLS connection",
            ),
            (XksFailure::TimedOut, STORE, UNREACHABLE, "XKS_PROXY_TIMED_OUT", "did not respond in time"),
            (XksFailure::InvalidResponse("x"), STORE, RESPONSE, CODE_RESPONSE, "cannot interpret the response"),
            (XksFailure::DamagedCiphertext, STORE, RESPONSE, CODE_RESPONSE, "submitted for decryption"),
            (XksFailure::Unhealthy, STORE, UNREACHABLE, "XKS_PROXY_NOT_REACHABLE", "unhealthy state"),
            (
                XksFailure::Configuration(String::new()),
                STORE,
                "XksProxyInvalidConfiguration",
                "XKS_PROXY_INVALID_CONFIGURATION",
                "invalid URI path",
            ),
        ];
        for name in E::ALL {
            assert!(table.iter().any(|row| row.0 == refused(name)), "{name:?} isn't in the table");
        }
        for (failure, create_key, key_store, code, text) in table {
            assert!(failure.create_key_error().has_code(create_key), "{failure:?}");
            assert!(failure.key_store_error().has_code(key_store), "{failure:?}");
            assert_eq!(failure.connection_error_code(), code, "{failure:?}");
            let error = failure.cryptographic_error();
            assert_eq!((error.code.as_str(), error.status), ("KMSInvalidStateException", 400));
            assert!(error.message.contains(text), "{failure:?}: {}", error.message);
            assert!(!error.message.contains("  "), "{}", error.message);
        }
    }

    #[test]
    fn create_key_has_its_own_messages() {
        let text = |name| XksFailure::Refused(name).create_key_error().message;
        assert_eq!(
            text(ErrorName::KeyNotFoundException),
            "The external key store proxy rejected the request because it could not find the external key."
        );
        assert_eq!(
            text(ErrorName::InvalidStateException),
            "The external key store proxy rejected the request because the external key is not enabled in the external key manager."
        );
    }

    #[test]
    fn external_key_must_meet_kms_requirements() {
        let key = |spec: &str, usage: &[&str], status: &str| GetKeyMetadataResponse {
            key_spec: spec.into(),
            key_usage: usage.iter().map(|usage| (*usage).to_owned()).collect(),
            key_status: status.into(),
        };
        let both = ["DERIVE", "DECRYPT", "ENCRYPT"];
        assert!(check_external_key(&key("AES_256", &both, "ENABLED")).is_ok());
        let cases = [
            (
                key("AES_128", &both, "ENABLED"),
                "The key spec of the external key must be AES_256. The key spec of specified external key is AES_128.",
            ),
            (
                key("AES_256", &both, "DISABLED"),
                "The status of the external key must be ENABLED. The status of specified external key is DISABLED.",
            ),
            (
                key("AES_256", &["ENCRYPT", "SIGN"], "ENABLED"),
                "The key usage of the external key must include ENCRYPT and DECRYPT. The key use of specified external key is ENCRYPT, SIGN.",
            ),
        ];
        for (key, text) in cases {
            let error = check_external_key(&key).unwrap_err();
            assert_eq!((error.code.as_str(), error.message.as_str()), ("XksKeyInvalidConfigurationException", text));
        }
    }
}
