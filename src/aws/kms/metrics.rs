//! What KMS calls the metrics of external key stores in CloudWatch.
//!
//! Source: *Monitoring KMS keys with Amazon CloudWatch* and *Monitor external key stores* in the KMS developer guide.

/// The namespace of the metrics of KMS.
pub const NAMESPACE: &str = "AWS/KMS";

/// Milliseconds until the proxy answered; 250 when it didn't in time.
pub const XKS_PROXY_LATENCY: &str = "XksProxyLatency";
/// A sample for each request to the proxy: 1 for one that failed, 0 for one that didn't.
pub const XKS_PROXY_ERRORS: &str = "XksProxyErrors";
/// Days since KMS was given the proxy's authentication credential.
pub const XKS_PROXY_CREDENTIAL_AGE: &str = "XksProxyCredentialAge";
/// Days until the proxy's TLS certificate expires.
pub const XKS_PROXY_CERTIFICATE_DAYS_TO_EXPIRE: &str = "XksProxyCertificateDaysToExpire";
/// How many external key managers are in a state.
pub const XKS_EXTERNAL_KEY_MANAGER_STATES: &str = "XksExternalKeyManagerStates";
/// Requests that KMS throttles before they come to the proxy.
pub const EXTERNAL_KEY_STORE_THROTTLE: &str = "ExternalKeyStoreThrottle";

/// The dimensions of the metrics.
pub mod dimension {
    /// The store.
    pub const CUSTOM_KEY_STORE_ID: &str = "CustomKeyStoreId";
    /// The operation of KMS that needed the proxy.
    pub const KMS_OPERATION: &str = "KmsOperation";
    /// The operation of the proxy.
    pub const XKS_OPERATION: &str = "XksOperation";
    /// `SYMMETRIC_DEFAULT`.
    pub const KEY_SPEC: &str = "KeySpec";
    /// [`RETRYABLE`](super::RETRYABLE), [`NON_RETRYABLE`](super::NON_RETRYABLE) or [`NO_ERROR`](super::NO_ERROR).
    pub const ERROR_TYPE: &str = "ErrorType";
    /// The name of the exception, or [`NO_EXCEPTION`](super::NO_EXCEPTION).
    pub const EXCEPTION_NAME: &str = "ExceptionName";
    /// The subject name (CN) of the certificate.
    pub const CERTIFICATE_NAME: &str = "CertificateName";
    /// One of [`MANAGER_STATES`](super::MANAGER_STATES).
    pub const XKS_EXTERNAL_KEY_MANAGER_STATE: &str = "XksExternalKeyManagerState";
}

/// An error that may be gone at the next try. Only these make a proxy less reliable.
pub const RETRYABLE: &str = "Retryable";
/// An error that stays until somebody mends what is wrong.
pub const NON_RETRYABLE: &str = "Non-retryable";
/// The error type of a success.
pub const NO_ERROR: &str = "N/A";
/// The exception of a success.
pub const NO_EXCEPTION: &str = "None";

/// The states of external key managers: healthy, unhealthy but serving, not serving.
pub const KEY_MANAGER_STATES: [&str; 3] = ["Active", "Degraded", "Unavailable"];
