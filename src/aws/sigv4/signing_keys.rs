//! Signing keys, which are derived from a secret access key for one day, Region, and service. They are cached, because
//! a server or client with thousands of requests per second needs the same key every time.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::canonical::{ALGORITHM, canonical_request, encode_hex, sha256_hex, string_to_sign};
use super::{AuthError, SigningError};
use crate::aws::scalar::SecretString;

/// The credential scope: what a signature is valid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialScope<'a> {
    /// The date, `YYYYMMDD`.
    pub date: &'a str,
    /// The Region.
    pub region: &'a str,
    /// The service, such as `kms`.
    pub service: &'a str,
}

impl CredentialScope<'_> {
    fn matches(&self, text: &str) -> bool {
        text.split('/').eq([self.date, self.region, self.service, "aws4_request"])
    }
}

impl fmt::Display for CredentialScope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { date, region, service } = self;
        write!(f, "{date}/{region}/{service}/aws4_request")
    }
}

/// The signing key for one credential scope. It is zeroed when dropped and hidden from `Debug`.
#[derive(Clone)]
pub struct SigningKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// Derives the signing key of a secret access key for a credential scope.
    ///
    /// # Errors
    /// None in practice: HMAC accepts keys of any length.
    pub fn derive(secret: &SecretString, scope: CredentialScope) -> Result<Self, AuthError> {
        let start = Zeroizing::new(format!("AWS4{}", secret.expose()));
        let mut key = hmac_sha256(start.as_bytes(), scope.date)?;
        for part in [scope.region, scope.service, "aws4_request"] {
            key = hmac_sha256(key.as_slice(), part)?;
        }
        Ok(Self(key))
    }

    /// Signs a string to sign.
    pub(super) fn sign(&self, text: &str) -> Result<Zeroizing<[u8; 32]>, AuthError> {
        hmac_sha256(self.0.as_slice(), text)
    }
}

fn hmac_sha256(key: &[u8], text: &str) -> Result<Zeroizing<[u8; 32]>, AuthError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| AuthError::Mismatch)?;
    mac.update(text.as_bytes());
    Ok(Zeroizing::new(mac.finalize().into_bytes().into()))
}

/// A cache of recently used signing keys, one per access key.
#[derive(Default)]
pub struct SigningKeyCache(Mutex<HashMap<String, CachedKey>>);

impl fmt::Debug for SigningKeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeyCache(…)")
    }
}

/// A signing key, with the secret and scope that it was derived from.
struct CachedKey {
    secret: SecretString,
    scope: String,
    key: SigningKey,
}

impl SigningKeyCache {
    /// The maximum number of cached keys. When it is reached, the cache is cleared.
    const MAX_KEYS: usize = 1024;

    /// Returns the signing key of an access key for a credential scope.
    ///
    /// # Errors
    /// The same as [`SigningKey::derive`].
    pub fn get_or_derive(
        &self,
        access_key_id: &str,
        secret: &SecretString,
        scope: CredentialScope,
    ) -> Result<SigningKey, AuthError> {
        let mut cached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = cached.get(access_key_id)
            && scope.matches(&known.scope)
            && bool::from(known.secret.expose().as_bytes().ct_eq(secret.expose().as_bytes()))
        {
            return Ok(known.key.clone());
        }
        let key = SigningKey::derive(secret, scope)?;
        if cached.len() >= Self::MAX_KEYS {
            cached.clear();
        }
        cached.insert(
            access_key_id.to_owned(),
            CachedKey { secret: secret.clone(), scope: scope.to_string(), key: key.clone() },
        );
        Ok(key)
    }

    /// Signs `request` as KMS signs requests to external key store proxies: it sets and signs only the headers `host`
    /// and `x-amz-date`. The URI must be absolute. The body must not change afterwards.
    ///
    /// # Errors
    /// [`SigningError`] if the URI is relative or the access key ID isn't valid in a header.
    pub fn sign(
        &self,
        request: &mut Request<Bytes>,
        access_key_id: &str,
        secret: &SecretString,
        region: &str,
        service: &str,
        now: Timestamp,
    ) -> Result<(), SigningError> {
        let unusable = |error: &dyn fmt::Display| SigningError::new(error.to_string());
        let authority = request.uri().authority();
        let host = authority.ok_or_else(|| SigningError::new("the URI has no host. Use an absolute URI"))?.as_str();
        let time = format_amz_date(now);
        let signed_headers = [("host", host), ("x-amz-date", &time)];
        let canonical = canonical_request(request, &signed_headers, &sha256_hex(request.body()));
        let scope = CredentialScope { date: &time[..8], region, service };
        let key = self.get_or_derive(access_key_id, secret, scope).map_err(|error| unusable(&error))?;
        let signature = key.sign(&string_to_sign(&time, scope, &canonical)).map_err(|error| unusable(&error))?;
        let host = HeaderValue::from_str(host).map_err(|error| unusable(&error))?;
        let date = HeaderValue::from_str(&time).map_err(|error| unusable(&error))?;
        let authorization = format!(
            "{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders=host;x-amz-date, Signature={}",
            encode_hex(&*signature)
        );
        let mut authorization = HeaderValue::from_str(&authorization).map_err(|_| {
            SigningError::new("the access key ID contains characters that aren't valid in a header. Check it")
        })?;
        authorization.set_sensitive(true);
        let headers = request.headers_mut();
        headers.insert(HOST, host);
        headers.insert("x-amz-date", date);
        headers.insert(AUTHORIZATION, authorization);
        Ok(())
    }
}

/// Formats a timestamp as `YYYYMMDDTHHMMSSZ`.
fn format_amz_date(now: Timestamp) -> String {
    let time = TimeZone::UTC.to_datetime(now);
    let (year, month, day) = (time.year(), time.month(), time.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}
