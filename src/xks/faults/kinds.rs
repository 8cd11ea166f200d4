//! The words for the ways in which requests fail, with their explanations.

use super::{FaultKind, Latency};
use crate::xks::failure::TlsProblem;
use crate::xks::wire::ErrorName;

/// A way in which requests fail, other than the errors that a proxy returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindInfo {
    /// The word for it.
    pub word: &'static str,
    /// What happens, as a sentence.
    pub meaning: &'static str,
}

const fn kind(word: &'static str, meaning: &'static str) -> KindInfo {
    KindInfo { word, meaning }
}

/// The ways in which requests fail, other than the errors that a proxy returns.
pub const KINDS: [KindInfo; 17] = [
    kind("latency", "The response is late. AWS KMS stops waiting after 250 ms."),
    kind("timeout", "There is no response within 250 ms, and AWS KMS tries once more."),
    kind("unreachable", "The proxy refuses the connection."),
    kind("tls", "The TLS handshake fails."),
    kind("expired-certificate", "The proxy's certificate has expired."),
    kind("wrong-host-name", "The proxy's certificate is for another host name."),
    kind("unknown-ca", "An unknown CA issued the proxy's certificate."),
    kind("wrong-signature", "The signature of AWS KMS arrives damaged, so the proxy rejects it."),
    kind("revoked-credential", "The proxy no longer accepts the credential of the key store."),
    kind("malformed", "The response isn't valid JSON."),
    kind("wrong-tag", "The authentication tag is changed on its way."),
    kind("wrong-cdiv", "The ciphertext data integrity value of Encrypt is wrong."),
    kind("damaged", "The ciphertext is changed on its way."),
    kind("manager-degraded", "The external key managers report that they are degraded."),
    kind("manager-unavailable", "The external key managers report that they are unavailable."),
    kind("key-disabled", "The external key is disabled."),
    kind("key-deleted", "The external key doesn't exist."),
];

/// Returns what it means that a proxy returns this error, as a sentence.
pub(super) const fn error_meaning(name: ErrorName) -> &'static str {
    match name {
        ErrorName::ValidationException => "The proxy reports an invalid parameter.",
        ErrorName::InvalidStateException => "The proxy reports that the external key is disabled or blocked.",
        ErrorName::InvalidCiphertextException => "The proxy reports an invalid ciphertext.",
        ErrorName::InvalidKeyUsageException => "The proxy reports that the key doesn't allow the operation.",
        ErrorName::AuthenticationFailedException => "The proxy reports an invalid signature.",
        ErrorName::AccessDeniedException => "The proxy denies access to the external key.",
        ErrorName::KeyNotFoundException => "The proxy reports that the external key doesn't exist.",
        ErrorName::InvalidUriPathException => "The proxy reports an unknown URI path.",
        ErrorName::ThrottlingException => "The proxy reports too many requests.",
        ErrorName::UnsupportedOperationException => "The proxy reports that it doesn't support the operation.",
        ErrorName::DependencyTimeoutException => "The proxy reports that its external key manager timed out.",
        ErrorName::InternalException => "The proxy reports a failure of its external key manager.",
    }
}

impl FaultKind {
    /// Returns the kind that a word stands for. A latency has no time yet.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "latency" => Self::Latency(Latency::Percentiles(Vec::new())),
            "timeout" => Self::Timeout,
            "unreachable" => Self::Unreachable,
            "tls" => Self::Tls(TlsProblem::Handshake),
            "expired-certificate" => Self::Tls(TlsProblem::Expired),
            "wrong-host-name" => Self::Tls(TlsProblem::WrongHostName),
            "unknown-ca" => Self::Tls(TlsProblem::UnknownIssuer),
            "wrong-signature" => Self::WrongSignature,
            "revoked-credential" => Self::RevokedCredential,
            "malformed" => Self::Malformed,
            "wrong-tag" => Self::WrongTag,
            "wrong-cdiv" => Self::WrongIntegrityValue,
            "damaged" => Self::Damaged,
            "manager-degraded" => Self::ManagerDegraded,
            "manager-unavailable" => Self::ManagerUnavailable,
            "key-disabled" => Self::KeyDisabled,
            "key-deleted" => Self::KeyDeleted,
            name => Self::Error(ErrorName::parse(name)?),
        })
    }

    /// Returns the word for the kind, without its times.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Latency(_) => "latency",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Tls(TlsProblem::Handshake) => "tls",
            Self::Tls(TlsProblem::Expired) => "expired-certificate",
            Self::Tls(TlsProblem::WrongHostName) => "wrong-host-name",
            Self::Tls(TlsProblem::UnknownIssuer) => "unknown-ca",
            Self::WrongSignature => "wrong-signature",
            Self::RevokedCredential => "revoked-credential",
            Self::Malformed => "malformed",
            Self::WrongTag => "wrong-tag",
            Self::WrongIntegrityValue => "wrong-cdiv",
            Self::Damaged => "damaged",
            Self::ManagerDegraded => "manager-degraded",
            Self::ManagerUnavailable => "manager-unavailable",
            Self::KeyDisabled => "key-disabled",
            Self::KeyDeleted => "key-deleted",
            Self::Error(name) => name.as_str(),
        }
    }
}

/// Returns all words for ways in which requests fail, with their explanations: first [`KINDS`], then the errors that a
/// proxy returns.
pub fn all_kinds() -> impl Iterator<Item = KindInfo> {
    KINDS.into_iter().chain(ErrorName::ALL.into_iter().map(|name| kind(name.as_str(), error_meaning(name))))
}
