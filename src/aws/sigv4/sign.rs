//! Signing: the client's half.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request};
use jiff::Timestamp;

use super::Credentials;

/// A request that can't be signed; it was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request can't be signed: {reason}")]
pub struct SigningError {
    /// What is wrong with the request or the credentials, and what to do.
    pub reason: String,
}

impl SigningError {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// Signs `request` for `service` in `region` at the time `now`.
///
/// The URI must be absolute. Sets `host` when it is missing, then `x-amz-date`, `authorization` and, for temporary
/// credentials, `x-amz-security-token`. The body is hashed as it is, so it must not change afterwards.
///
/// # Errors
/// [`SigningError`] when the URI is relative, a header is no text, or the credentials can't be a header.
pub fn sign(
    request: &mut Request<Bytes>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
) -> Result<(), SigningError> {
    let uri = request.uri();
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(SigningError::new("its URI has no scheme and host; give an absolute URI"));
    };
    if !request.headers().contains_key(HOST) {
        let host = HeaderValue::from_str(host_header(scheme, authority))
            .map_err(|_| SigningError::new("the host of its URI is no header value; check the endpoint"))?;
        request.headers_mut().insert(HOST, host);
    }
    // A signature made earlier must not be signed into the new one.
    for name in ["x-amz-date", "x-amz-security-token", AUTHORIZATION.as_str()] {
        request.headers_mut().remove(name);
    }
    let instructions = {
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| Ok((name.as_str(), value.to_str()?)))
            .collect::<Result<Vec<_>, http::header::ToStrError>>()
            .map_err(|_| SigningError::new("a header holds characters outside ASCII; leave them out"))?;
        signing_instructions(request, headers, credentials, region, service, now)?
    };
    for (name, value) in instructions.headers() {
        let mut value = HeaderValue::from_str(value)
            .map_err(|_| SigningError::new("the credentials hold characters that a header can't; check them"))?;
        value.set_sensitive(name != "x-amz-date");
        let name = http::HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| SigningError::new("the signature needs a header of an impossible name"))?;
        request.headers_mut().insert(name, value);
    }
    Ok(())
}

/// The host, with its port unless that is the usual one: what is on the way may leave it out, and would spoil the signature.
fn host_header<'a>(scheme: &Scheme, authority: &'a Authority) -> &'a str {
    let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    if authority.port_u16() == Some(usual) { authority.host() } else { authority.as_str() }
}

fn signing_instructions(
    request: &Request<Bytes>,
    headers: Vec<(&str, &str)>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
) -> Result<http_request::SigningInstructions, SigningError> {
    let unusable = |error: &dyn std::fmt::Display| SigningError::new(error.to_string());
    let seconds =
        u64::try_from(now.as_second()).map_err(|_| SigningError::new("the clock stands before 1970; set it"))?;
    let identity = aws_credential_types::Credentials::new(
        credentials.access_key_id.clone(),
        credentials.secret_access_key.expose(),
        credentials.session_token.as_ref().map(|token| token.expose().to_owned()),
        None,
        "xks-console",
    )
    .into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unusable(&error))?
        .into();
    let uri = request.uri().to_string();
    let body = SignableBody::Bytes(request.body());
    let signable = SignableRequest::new(request.method().as_str(), uri, headers.into_iter(), body)
        .map_err(|error| unusable(&error))?;
    let (instructions, _) = http_request::sign(signable, &parameters).map_err(|error| unusable(&error))?.into_parts();
    Ok(instructions)
}
