//! Names of the CloudWatch metrics for external key stores.
//!
//! Source: *Monitoring KMS keys with Amazon CloudWatch* and *Monitor external key stores* in the KMS developer guide.

/// The namespace of KMS metrics.
pub const NAMESPACE: &str = "AWS/KMS";

/// The number of milliseconds that it takes the proxy to respond, or 250 if the request timed out.
pub const XKS_PROXY_LATENCY: &str = "XksProxyLatency";
/// The errors of requests to the proxy. Each request records 1 if it failed and 0 if it succeeded.
pub const XKS_PROXY_ERRORS: &str = "XksProxyErrors";
/// The number of days since KMS started using the current proxy authentication credential.
pub const XKS_PROXY_CREDENTIAL_AGE: &str = "XksProxyCredentialAge";
/// The number of days until the TLS certificate of the proxy expires.
pub const XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE: &str = "XksProxyCertificateDaysToExpire";
/// The number of external key managers in each health state.
pub const XKS_EXTERNAL_KEY_MANAGER_STATES: &str = "XksExternalKeyManagerStates";
/// The number of requests that KMS throttles instead of sending them to the proxy.
pub const EXTERNAL_KEY_STORE_THROTTLE: &str = "ExternalKeyStoreThrottle";

/// The dimensions of the metrics.
pub mod dimension {
    /// The ID of the external key store.
    pub const CUSTOM_KEY_STORE_ID: &str = "CustomKeyStoreId";
    /// The KMS operation that caused the request to the proxy.
    pub const KMS_OPERATION: &str = "KmsOperation";
    /// The operation of the proxy API.
    pub const XKS_OPERATION: &str = "XksOperation";
    /// The type of the KMS key: `SYMMETRIC_DEFAULT`.
    pub const KEY_SPEC: &str = "KeySpec";
    /// The error type: [`RETRYABLE`](super::RETRYABLE), [`NON_RETRYABLE`](super::NON_RETRYABLE), or
    /// [`NO_ERROR`](super::NO_ERROR).
    pub const ERROR_TYPE: &str = "ErrorType";
    /// The name of the exception, or [`NO_EXCEPTION`](super::NO_EXCEPTION).
    pub const EXCEPTION_NAME: &str = "ExceptionName";
    /// The subject name (CN) of the proxy's TLS certificate.
    pub const CERTIFICATE_NAME: &str = "CertificateName";
    /// The health state: one of [`KEY_MANAGER_STATES`](super::KEY_MANAGER_STATES).
    pub const XKS_EXTERNAL_KEY_MANAGER_STATE: &str = "XksExternalKeyManagerState";
}

/// The error type of an error that may not occur on a retry. Only these errors count against a proxy's reliability.
pub const RETRYABLE: &str = "Retryable";
/// The error type of an error that persists until its cause is fixed.
pub const NON_RETRYABLE: &str = "Non-retryable";
/// The error type of a successful request.
pub const NO_ERROR: &str = "N/A";
/// The exception name of a successful request.
pub const NO_EXCEPTION: &str = "None";

/// The health states of external key managers: healthy, unhealthy but serving, and unable to serve.
pub const KEY_MANAGER_STATES: [&str; 3] = ["Active", "Degraded", "Unavailable"];
