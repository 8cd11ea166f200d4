//! Verifying: the server's half. Written out here instead of signing again with AWS's crate, because a server must refuse
//! what a signer never makes: duplicates, unsigned headers, payloads without a hash.
//!
//! Source: "Create a signed AWS API request" in the IAM User Guide.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Request;
use http::header::AUTHORIZATION;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::aws::error::ServiceError;
use crate::aws::operation::Protocol;
use crate::aws::scalar::SecretText;

/// How far a request's time may be from the server's, either way.
pub const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Why a request is not from whom it claims to be from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no `Authorization` header.
    #[error("Missing Authentication Token")]
    MissingToken,
    /// The signature is no whole Signature Version 4, or leaves out what it must cover.
    #[error("{0}")]
    Incomplete(String),
    /// The request is older, or younger, than [`MAX_SKEW`] allows.
    #[error(
        "Signature expired: {signed_at} is more than 5 minutes from {now}; set the clock of the computer that signed"
    )]
    Expired {
        /// `x-amz-date` of the request.
        signed_at: Timestamp,
        /// The server's time.
        now: Timestamp,
    },
    /// The signature is another than the secret gives for this request.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access \
         Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

impl Refusal {
    /// The error that a service of this protocol answers: JSON services end the codes in `Exception`.
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

fn incomplete<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Incomplete(reason.into()))
}

/// Who a request says it is from, read from its headers. Nothing of it is proven before [`Claim::verify`].
///
/// The caller checks that `region` and `service` are those it serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The access key whose secret made the signature.
    pub access_key_id: String,
    /// The day of the credential scope, `YYYYMMDD`.
    pub date: String,
    /// The Region of the credential scope.
    pub region: String,
    /// The service of the credential scope, such as `kms`.
    pub service: String,
    /// The token of temporary credentials, to be held against the one that was issued.
    pub session_token: Option<SecretText>,
    signed_headers: Vec<String>,
    signature: [u8; 32],
    time: String,
    signed_at: Timestamp,
}

impl Claim {
    /// Reads the claim of `request`.
    ///
    /// # Errors
    /// [`Refusal::MissingToken`] without an `Authorization` header; [`Refusal::Incomplete`] when it is no whole header
    /// signature, when a header appears twice, when `host`, `x-amz-date` or any other `x-amz-*` header is not signed,
    /// when the signature stands in the query, or when the scope's day is another than that of `x-amz-date`.
    pub fn parse(request: &Request<Bytes>) -> Result<Self, Refusal> {
        let query = request.uri().query().unwrap_or_default();
        if query.split('&').any(|pair| pair.to_ascii_lowercase().starts_with("x-amz-")) {
            return incomplete("Signatures in the query string are not accepted; sign with the Authorization header.");
        }
        let authorization = single(request, AUTHORIZATION.as_str())?.ok_or(Refusal::MissingToken)?;
        let Parts { credential, signed_headers, signature } = Parts::read(authorization)?;
        let scope: Vec<&str> = credential.split('/').collect();
        let [access_key_id, date, region, service, "aws4_request"] = scope[..] else {
            return incomplete("Credential must be <access-key-id>/<date>/<region>/<service>/aws4_request.");
        };
        if [access_key_id, date, region, service].iter().any(|part| part.is_empty()) {
            return incomplete("Credential has an empty part.");
        }
        let signed_headers = check_signed_headers(request, signed_headers)?;
        let Some(time) = single(request, "x-amz-date")? else {
            return incomplete("The request has no X-Amz-Date header.");
        };
        let signed_at = parse_time(time)?;
        if !time.starts_with(date) || date.len() != 8 {
            return incomplete("The date in Credential is another day than that of X-Amz-Date.");
        }
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            session_token: single(request, "x-amz-security-token")?.map(|token| SecretText::new(token.to_owned())),
            signed_headers,
            signature: parse_signature(signature)?,
            time: time.to_owned(),
            signed_at,
        })
    }

    /// Holds `request`, of which this claim was read, against the secret of its access key.
    ///
    /// # Errors
    /// [`Refusal::Expired`] when the clocks differ by more than [`MAX_SKEW`]; [`Refusal::Mismatch`] when the signature
    /// or `x-amz-content-sha256` does not fit the request.
    pub fn verify(&self, request: &Request<Bytes>, secret: &SecretText, now: Timestamp) -> Result<(), Refusal> {
        if now.duration_since(self.signed_at).abs() > MAX_SKEW {
            return Err(Refusal::Expired { signed_at: self.signed_at, now });
        }
        let payload = hex(&Sha256::digest(request.body()));
        // `UNSIGNED-PAYLOAD` and the streaming markers are no hash of the body, so they fall here too.
        if single(request, "x-amz-content-sha256")?.is_some_and(|claimed| claimed != payload) {
            return Err(Refusal::Mismatch);
        }
        let canonical = self.canonical_request(request, &payload)?;
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let text = format!("{ALGORITHM}\n{}\n{scope}\n{}", self.time, hex(&Sha256::digest(canonical)));
        let start = Zeroizing::new(format!("AWS4{}", secret.expose()));
        let mut key = hash(start.as_bytes(), &self.date)?;
        for part in [self.region.as_str(), &self.service, "aws4_request"] {
            key = hash(&*key, part)?;
        }
        let expected = hash(&*key, &text)?;
        if bool::from(expected.ct_eq(&self.signature)) { Ok(()) } else { Err(Refusal::Mismatch) }
    }

    fn canonical_request(&self, request: &Request<Bytes>, payload: &str) -> Result<String, Refusal> {
        let mut headers = String::with_capacity(512);
        for name in &self.signed_headers {
            let Some(value) = single(request, name)? else {
                return Err(Refusal::Mismatch);
            };
            headers.push_str(name);
            headers.push(':');
            for (at, word) in value.split([' ', '\t']).filter(|word| !word.is_empty()).enumerate() {
                headers.push_str(if at == 0 { "" } else { " " });
                headers.push_str(word);
            }
            headers.push('\n');
        }
        let path = match request.uri().path() {
            "" => "/".to_owned(),
            path => encode(path.as_bytes(), true),
        };
        Ok(format!(
            "{}\n{path}\n{}\n{headers}\n{}\n{payload}",
            request.method(),
            canonical_query(request.uri().query().unwrap_or_default()),
            self.signed_headers.join(";"),
        ))
    }
}

/// The three parameters of an `Authorization` header.
struct Parts<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn read(authorization: &'a str) -> Result<Self, Refusal> {
        let Some(parameters) = authorization.strip_prefix(ALGORITHM).and_then(|rest| rest.strip_prefix(' ')) else {
            return incomplete(format!("Authorization must start with {ALGORITHM}."));
        };
        let mut found = BTreeMap::new();
        for parameter in parameters.split(',') {
            let Some((name, value)) = parameter.trim().split_once('=') else {
                return incomplete("Authorization must be a list of Name=value.");
            };
            if !matches!(name, "Credential" | "SignedHeaders" | "Signature") {
                return incomplete("Authorization has an unknown parameter.");
            }
            if found.insert(name, value).is_some() {
                return incomplete(format!("Authorization has '{name}' twice."));
            }
        }
        let mut take = |name: &str| {
            found.remove(name).map_or_else(|| incomplete(format!("Authorization requires '{name}' parameter.")), Ok)
        };
        Ok(Self {
            credential: take("Credential")?,
            signed_headers: take("SignedHeaders")?,
            signature: take("Signature")?,
        })
    }
}

/// The value of a header that may appear once at most.
fn single<'a>(request: &'a Request<Bytes>, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = request.headers().get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return incomplete(format!("The header '{name}' appears twice."));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => incomplete(format!("The header '{name}' holds characters outside ASCII.")),
    }
}

fn check_signed_headers(request: &Request<Bytes>, list: &str) -> Result<Vec<String>, Refusal> {
    let names: Vec<&str> = list.split(';').collect();
    if !names.is_sorted_by(|before, after| before < after) {
        return incomplete("SignedHeaders must be sorted, each name once.");
    }
    for name in &names {
        if name.is_empty() || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return incomplete("SignedHeaders must be lower-case names.");
        }
        if single(request, name)?.is_none() {
            return incomplete(format!("The signed header '{name}' is missing."));
        }
    }
    let amazon = request.headers().keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-amz-"));
    for name in ["host", "x-amz-date"].into_iter().chain(amazon) {
        if names.binary_search(&name).is_err() {
            return incomplete(format!("'{name}' must be a signed header."));
        }
    }
    Ok(names.into_iter().map(str::to_owned).collect())
}

fn parse_time(text: &str) -> Result<Timestamp, Refusal> {
    let form = text.len() == 16
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b'T',
            15 => byte == b'Z',
            _ => byte.is_ascii_digit(),
        });
    let time = form.then(|| DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()).flatten();
    match time.and_then(|time| TimeZone::UTC.to_timestamp(time).ok()) {
        Some(time) => Ok(time),
        None => incomplete("X-Amz-Date must be in the form YYYYMMDDTHHMMSSZ."),
    }
}

fn parse_signature(text: &str) -> Result<[u8; 32], Refusal> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes: Option<Vec<u8>> =
        text.as_bytes().chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?)).collect();
    match bytes.and_then(|bytes| bytes.try_into().ok()) {
        Some(signature) => Ok(signature),
        None => incomplete("Signature must be 64 lower-case hexadecimal digits."),
    }
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode(&decode(name), false), encode(&decode(value), false))
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn decode(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let hex = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let pair = bytes.get(at + 1).copied().and_then(hex).zip(bytes.get(at + 2).copied().and_then(hex));
        if let Some((high, low)) = pair.filter(|_| byte == b'%') {
            decoded.push(high << 4 | low);
            at += 3;
        } else {
            decoded.push(byte);
            at += 1;
        }
    }
    decoded
}

fn encode(bytes: &[u8], keep_slash: bool) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len()), |mut text, &byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || (keep_slash && byte == b'/') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

fn hash(key: &[u8], text: &str) -> Result<Zeroizing<[u8; 32]>, Refusal> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Refusal::Mismatch)?;
    mac.update(text.as_bytes());
    Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}
