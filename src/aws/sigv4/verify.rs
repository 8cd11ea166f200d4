//! Signature verification. It doesn't sign again with AWS's crate and compare, because a server must also reject what a
//! signer never produces: duplicate headers, unsigned headers, and payloads without a hash.
//!
//! Source: "Create a signed AWS API request" in the IAM User Guide.

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use subtle::ConstantTimeEq;

use super::canonical::{ALGORITHM, canonical_request, sha256_hex, single_header, string_to_sign};
use super::{CredentialScope, SigningKey};
use crate::aws::error::ServiceError;
use crate::aws::operation::Protocol;
use crate::aws::scalar::SecretString;

/// The maximum difference between the time of a request and the server's time, in either direction.
pub const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The reason why a request couldn't be authenticated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The request has no `Authorization` header.
    #[error("Missing Authentication Token")]
    MissingToken,
    /// The signature isn't a complete Signature Version 4, or doesn't cover everything that it must cover.
    #[error("{0}")]
    Incomplete(String),
    /// The request time differs from the server's time by more than [`MAX_SKEW`].
    #[error(
        "Signature expired: the request was signed at {signed_at}, but the time is now {now}. Check the clock of the \
          computer that signed the request, or sign it again"
    )]
    Expired {
        /// The `x-amz-date` of the request.
        signed_at: Timestamp,
        /// The server's time.
        now: Timestamp,
    },
    /// The signature doesn't match the request and the secret access key.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl AuthError {
    /// Returns the error of a service with this protocol. The error codes of JSON services end in `Exception`.
    pub fn to_service_error(&self, protocol: Protocol) -> ServiceError {
        let json = matches!(protocol, Protocol::Json { .. });
        let code = match (self, json) {
            (Self::MissingToken, true) => "MissingAuthenticationTokenException",
            (Self::MissingToken, false) => "MissingAuthenticationToken",
            (Self::Incomplete(_), true) => "IncompleteSignatureException",
            (Self::Incomplete(_), false) => "IncompleteSignature",
            (Self::Expired { .. } | Self::Mismatch, true) => "InvalidSignatureException",
            (Self::Expired { .. } | Self::Mismatch, false) => "SignatureDoesNotMatch",
        };
        ServiceError::new(code, self.to_string())
    }
}

fn incomplete<T>(reason: impl Into<String>) -> Result<T, AuthError> {
    Err(AuthError::Incomplete(reason.into()))
}

/// The signature of a request, read from its headers. Nothing is authenticated before [`SignedRequest::verify`].
///
/// The caller must check that it serves the Region and the service of the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest<'r> {
    /// The ID of the access key that signed the request.
    pub access_key_id: &'r str,
    /// The credential scope of the signature.
    pub scope: CredentialScope<'r>,
    /// The session token of temporary credentials. The caller must compare it with the issued token.
    pub session_token: Option<SecretString>,
    /// The signed headers, as names and values.
    signed_headers: Vec<(&'r str, &'r str)>,
    signature: [u8; 32],
    time: &'r str,
    signed_at: Timestamp,
    /// The lifetime of a presigned request. Otherwise, [`MAX_SKEW`] applies.
    expires: Option<SignedDuration>,
}

/// The maximum lifetime of a presigned request.
const MAX_EXPIRES: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The signature in the query string of a presigned request, which AWS SDKs create so that someone else can send it.
#[derive(Debug)]
pub struct PresignedRequest {
    credential: String,
    signed_headers: String,
    signature: String,
    time: String,
    expires: SignedDuration,
    session_token: Option<SecretString>,
}

impl PresignedRequest {
    /// Parses the signature in the query string of `request`, or returns `None` if there isn't one.
    ///
    /// # Errors
    /// [`AuthError::Incomplete`] if a parameter is missing or duplicated, or if there is also an `Authorization`
    /// header.
    pub fn parse(request: &Request<Bytes>) -> Result<Option<Self>, AuthError> {
        let query = request.uri().query().unwrap_or_default();
        if !query.split('&').any(|pair| pair.starts_with("X-Amz-Algorithm=")) {
            return Ok(None);
        }
        if request.headers().contains_key(AUTHORIZATION) {
            return incomplete("The request has a signature in both the Authorization header and the query string.");
        }
        let find = |name: &str| -> Result<Option<String>, AuthError> {
            let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(known, _)| known == name);
            let value = found.next().map(|(_, value)| value.into_owned());
            if found.next().is_some() {
                incomplete(format!("The query string contains '{name}' more than once."))
            } else {
                Ok(value)
            }
        };
        let required = |name: &str| {
            find(name)?.map_or_else(|| incomplete(format!("The query string requires '{name}' parameter.")), Ok)
        };
        if required("X-Amz-Algorithm")? != ALGORITHM {
            return incomplete(format!("X-Amz-Algorithm must be {ALGORITHM}."));
        }
        let expires = required("X-Amz-Expires")?;
        let expires = expires.parse::<u32>().map(|seconds| SignedDuration::from_secs(seconds.into()));
        let Some(expires) = expires.ok().filter(|expires| expires.is_positive() && *expires <= MAX_EXPIRES) else {
            return incomplete("X-Amz-Expires must be a number of seconds from 1 to 604800.");
        };
        Ok(Some(Self {
            credential: required("X-Amz-Credential")?,
            signed_headers: required("X-Amz-SignedHeaders")?,
            signature: required("X-Amz-Signature")?,
            time: required("X-Amz-Date")?,
            expires,
            session_token: find("X-Amz-Security-Token")?.map(SecretString::new),
        }))
    }

    /// Parses the presigned `request` that this signature belongs to.
    ///
    /// # Errors
    /// The same as [`SignedRequest::parse`].
    pub fn signed_request<'r>(&'r self, request: &'r Request<Bytes>) -> Result<SignedRequest<'r>, AuthError> {
        let parts = SignatureParts {
            credential: &self.credential,
            signed_headers: &self.signed_headers,
            signature: &self.signature,
        };
        let signed_request = SignedRequest::from_parts(request, &parts, &self.time, &["host"])?;
        Ok(SignedRequest { session_token: self.session_token.clone(), expires: Some(self.expires), ..signed_request })
    }
}

impl<'r> SignedRequest<'r> {
    /// Parses the signature of `request`.
    ///
    /// # Errors
    /// [`AuthError::MissingToken`] if there is no `Authorization` header. [`AuthError::Incomplete`] if the header isn't
    /// a complete signature, a header is duplicated, `host`, `x-amz-date`, or another `x-amz-*` header isn't signed,
    /// the signature is in the query string, or the date in the scope differs from `x-amz-date`.
    pub fn parse(request: &'r Request<Bytes>) -> Result<Self, AuthError> {
        let query = request.uri().query().unwrap_or_default();
        if query.split('&').any(|pair| pair.to_ascii_lowercase().starts_with("x-amz-")) {
            return incomplete("Signatures in the query string aren't accepted. Sign with the Authorization header.");
        }
        let authorization = single_header(request, AUTHORIZATION.as_str())?.ok_or(AuthError::MissingToken)?;
        let parts = SignatureParts::parse(authorization)?;
        let time = single_header(request, "x-amz-date")?;
        // If the date is missing, check the signed headers first: their error names everything else that is missing.
        let signed_request = Self::from_parts(request, &parts, time.unwrap_or_default(), &["host", "x-amz-date"])?;
        let session_token =
            single_header(request, "x-amz-security-token")?.map(|token| SecretString::new(token.to_owned()));
        Ok(Self { session_token, ..signed_request })
    }

    fn from_parts(
        request: &'r Request<Bytes>,
        parts: &SignatureParts<'r>,
        time: &'r str,
        required: &[&str],
    ) -> Result<Self, AuthError> {
        let SignatureParts { credential, signed_headers: names, signature } = *parts;
        let scope: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, "aws4_request"] = scope[..] else {
            return incomplete("Credential must be <access-key-id>/<date>/<region>/<service>/aws4_request.");
        };
        if [access_key_id, date, region, service].iter().any(|part| part.is_empty()) {
            return incomplete("Credential contains an empty part.");
        }
        let signed_headers = signed_headers(request, names, required)?;
        if time.is_empty() {
            return incomplete("The request has no X-Amz-Date header.");
        }
        let signed_at = parse_time(time)?;
        if !time.starts_with(date) || date.len() != 8 {
            return incomplete("The date in Credential doesn't match X-Amz-Date.");
        }
        Ok(Self {
            access_key_id,
            scope: CredentialScope { date, region, service },
            session_token: None,
            signed_headers,
            signature: parse_signature(signature)?,
            time,
            signed_at,
            expires: None,
        })
    }

    /// Verifies `request`, from which this signature was parsed, with the signing key for its [scope](Self::scope).
    ///
    /// # Errors
    /// [`AuthError::Expired`] if the clocks differ by more than [`MAX_SKEW`]. [`AuthError::Mismatch`] if the signature
    /// or `x-amz-content-sha256` doesn't match the request.
    pub fn verify(&self, request: &Request<Bytes>, key: &SigningKey, now: Timestamp) -> Result<(), AuthError> {
        let age = now.duration_since(self.signed_at);
        if age < -MAX_SKEW || age > self.expires.unwrap_or(MAX_SKEW) {
            return Err(AuthError::Expired { signed_at: self.signed_at, now });
        }
        let payload = sha256_hex(request.body());
        // `UNSIGNED-PAYLOAD` and the streaming markers aren't the hash of the body, so they are also rejected here.
        if self.signed_headers.iter().any(|(name, value)| *name == "x-amz-content-sha256" && *value != payload) {
            return Err(AuthError::Mismatch);
        }
        let canonical = canonical_request(request, &self.signed_headers, &payload);
        let expected = key.sign(&string_to_sign(self.time, self.scope, &canonical))?;
        if bool::from(expected.ct_eq(&self.signature)) { Ok(()) } else { Err(AuthError::Mismatch) }
    }
}

/// The three parameters of an `Authorization` header.
struct SignatureParts<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> SignatureParts<'a> {
    fn parse(authorization: &'a str) -> Result<Self, AuthError> {
        let Some(parameters) = authorization.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' ')) else {
            return incomplete(format!("Authorization must start with {ALGORITHM}."));
        };
        let (mut credential, mut signed_headers, mut signature) = (None, None, None);
        for parameter in parameters.split(',') {
            let Some((name, value)) = parameter.trim().split_once('=') else {
                return incomplete("Authorization must be a list of Name=value pairs.");
            };
            let target = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut signed_headers,
                "Signature" => &mut signature,
                _ => return incomplete("Authorization contains an unknown parameter."),
            };
            if target.replace(value).is_some() {
                return incomplete(format!("Authorization contains '{name}' more than once."));
            }
        }
        let required = |name: &str, value: Option<&'a str>| {
            value.map_or_else(|| incomplete(format!("Authorization requires '{name}' parameter.")), Ok)
        };
        Ok(Self {
            credential: required("Credential", credential)?,
            signed_headers: required("SignedHeaders", signed_headers)?,
            signature: required("Signature", signature)?,
        })
    }
}

/// Returns the signed headers with their values. Each must occur once, and all required headers must be signed.
fn signed_headers<'r>(
    request: &'r Request<Bytes>,
    list: &'r str,
    required: &[&str],
) -> Result<Vec<(&'r str, &'r str)>, AuthError> {
    if !list.split(';').is_sorted_by(|before, after| before < after) {
        return incomplete("SignedHeaders must be sorted, without duplicates.");
    }
    let mut signed = Vec::with_capacity(8);
    for name in list.split(';') {
        if name.is_empty() || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return incomplete("SignedHeaders must be lowercase names.");
        }
        match single_header(request, name)? {
            Some(value) => signed.push((name, value)),
            None => return incomplete(format!("The signed header '{name}' is missing.")),
        }
    }
    let amazon = request.headers().keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    for name in required.iter().copied().chain(amazon) {
        if signed.binary_search_by(|(known, _)| known.cmp(&name)).is_err() {
            return incomplete(format!("'{name}' must be a signed header."));
        }
    }
    Ok(signed)
}

fn parse_time(text: &str) -> Result<Timestamp, AuthError> {
    let form = text.len() == 16
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<i8>().ok());
    let time = form.then(|| {
        let year = text.get(0..4)?.parse().ok()?;
        DateTime::new(year, number(4, 6)?, number(6, 8)?, number(9, 11)?, number(11, 13)?, number(13, 15)?, 0).ok()
    });
    match time.flatten().and_then(|time| TimeZone::UTC.to_timestamp(time).ok()) {
        Some(time) => Ok(time),
        None => incomplete("X-Amz-Date must be in the form YYYYMMDDTHHMMSSZ."),
    }
}

fn parse_signature(text: &str) -> Result<[u8; 32], AuthError> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut signature = [0; 32];
    let digits = text.as_bytes().as_chunks::<2>();
    let read = digits.1.is_empty()
        && digits.0.len() == signature.len()
        && signature.iter_mut().zip(digits.0).all(|(byte, [high, low])| match (digit(*high), digit(*low)) {
            (Some(high), Some(low)) => {
                *byte = high << 4 | low;
                true
            }
            _ => false,
        });
    if read { Ok(signature) } else { incomplete("Signature must be 64 lowercase hexadecimal digits.") }
}
