//! Signing requests.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{self, SignableBody, SignableRequest, SigningSettings};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Request};
use jiff::Timestamp;

use super::Credentials;

/// The error for a request that couldn't be signed and was therefore not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("couldn't sign the request: {reason}")]
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
/// The URI must be absolute. Sets `host` if it is missing, then `x-amz-date`, `authorization`, and, for temporary
/// credentials, `x-amz-security-token`. The signature covers the body, so the body must not change afterwards.
///
/// # Errors
/// [`SigningError`] if the URI is relative, a header isn't ASCII text, or the credentials aren't valid in a header.
pub fn sign(
    request: &mut Request<Bytes>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
) -> Result<(), SigningError> {
    let uri = request.uri();
    let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
        return Err(SigningError::new("the URI has no scheme or host. Use an absolute URI"));
    };
    if !request.headers().contains_key(HOST) {
        let host = HeaderValue::from_str(host_header(scheme, authority))
            .map_err(|_| SigningError::new("the host in the URI isn't valid in a header. Check the endpoint"))?;
        request.headers_mut().insert(HOST, host);
    }
    // Remove an earlier signature, so that the new one doesn't cover it.
    for name in ["x-amz-date", "x-amz-security-token", AUTHORIZATION.as_str()] {
        request.headers_mut().remove(name);
    }
    let instructions = {
        let headers = request
            .headers()
            .iter()
            .map(|(name, value)| Ok((name.as_str(), value.to_str()?)))
            .collect::<Result<Vec<_>, http::header::ToStrError>>()
            .map_err(|_| SigningError::new("a header contains non-ASCII characters. Remove them"))?;
        signing_instructions(request, headers, credentials, region, service, now)?
    };
    for (name, value) in instructions.headers() {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            SigningError::new("the credentials contain characters that aren't valid in a header. Check them")
        })?;
        value.set_sensitive(name != "x-amz-date");
        let name = http::HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| SigningError::new("a header name in the signature is invalid"))?;
        request.headers_mut().insert(name, value);
    }
    Ok(())
}

/// Returns the host, with the port unless it is the default: an intermediary may drop a default port, which would
/// invalidate the signature.
fn host_header<'a>(scheme: &Scheme, authority: &'a Authority) -> &'a str {
    let default_port = if *scheme == Scheme::HTTPS { 443 } else { 80 };
    if authority.port_u16() == Some(default_port) { authority.host() } else { authority.as_str() }
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
    let seconds = u64::try_from(now.as_second())
        .map_err(|_| SigningError::new("the clock is set to a time before 1970. Set it to the current time"))?;
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
