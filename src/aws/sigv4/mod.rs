//! Signature Version 4: sign with AWS's own crate, verify by a strict reading of our own.
//!
//! [`sign`] is the client's half. [`Claim`] is the server's: [`Claim::parse`] says who a request claims to be from, so
//! that the secret can be looked up, and [`SignedRequest::verify`] holds the request against its signing key. [`SigningKeyCache`] keeps
//! such keys, and signs with them where AWS's crate would derive them for each request.

mod canonical;
mod sign;
mod signing_keys;
mod verify;

use crate::aws::scalar::SecretString;

pub use sign::{SigningError, sign};
pub use signing_keys::{CredentialScope, SigningKey, SigningKeyCache};
pub use verify::{AuthError, MAX_SKEW, PresignedRequest, SignedRequest};

/// What signs a request: an access key, with a session token when it is temporary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// `AKIA…`, or `ASIA…` for temporary credentials.
    pub access_key_id: String,
    /// The secret half of the access key.
    pub secret_access_key: SecretString,
    /// Sent as `x-amz-security-token` when the credentials are temporary.
    pub session_token: Option<SecretString>,
}

#[cfg(test)]
mod tests;
