//! Signature Version 4: signing with AWS's own crate, and strict verification.
//!
//! Clients use [`sign()`]. Servers use [`SignedRequest::parse`] to learn who a request claims to be from, so that they
//! can look up the secret access key, and [`SignedRequest::verify`] to verify the request with the signing key.
//! [`SigningKeyCache`] caches signing keys, which AWS's crate derives again for each request, and can also sign with
//! them.

mod canonical;
mod sign;
mod signing_keys;
mod verify;

use crate::aws::scalar::SecretString;

pub use sign::{SigningError, sign};
pub use signing_keys::{CredentialScope, SigningKey, SigningKeyCache};
pub use verify::{AuthError, MAX_SKEW, PresignedRequest, SignedRequest};

/// The credentials that sign a request: an access key, with a session token if it is temporary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The access key ID: `AKIA…`, or `ASIA…` for temporary credentials.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: SecretString,
    /// The session token of temporary credentials, sent as `x-amz-security-token`.
    pub session_token: Option<SecretString>,
}

#[cfg(test)]
mod tests;
