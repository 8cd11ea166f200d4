//! Requests to the proxy: valid as AWS KMS sends them, or deliberately invalid.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::target::CheckTarget;
use crate::aws::sigv4::{self, Credentials};
use crate::text::hex;
use crate::xks::wire::SERVICE;

/// The headers that AWS KMS signs.
pub const KMS_SIGNED_HEADERS: &[&str] = &["host", "x-amz-date"];
/// The headers that curl signs.
pub const CURL_SIGNED_HEADERS: &[&str] = &["content-type", "host", "x-amz-date"];

/// A change to a request after signing.
type Tampering = fn(&mut Request<Bytes>);

/// A request to the proxy.
#[derive(Clone)]
pub struct ProbeRequest {
    /// The method, `POST` in a valid request.
    pub method: Method,
    /// The path and query.
    pub path_and_query: String,
    /// The body, unless `raw_body` is set.
    pub json: Value,
    /// The body to send instead of the JSON.
    pub raw_body: Option<Vec<u8>>,
    /// The service in the credential scope.
    pub service: &'static str,
    /// The names of the signed headers.
    pub signed_headers: &'static [&'static str],
    /// The offset of the signing time from the current time.
    pub clock_offset: SignedDuration,
    /// The `Content-Length` to send without sending a body.
    pub declared_length: Option<u64>,
    /// Whether AWS KMS could send a request of this form. If so, it must be able to interpret the response.
    pub is_valid_for_kms: bool,
    tampering: Option<(&'static str, Tampering)>,
}

impl ProbeRequest {
    /// Creates a valid request with this path and body.
    pub fn new(path_and_query: String, json: Value) -> Self {
        Self {
            method: Method::POST,
            path_and_query,
            json,
            raw_body: None,
            service: SERVICE,
            signed_headers: KMS_SIGNED_HEADERS,
            clock_offset: SignedDuration::ZERO,
            declared_length: None,
            is_valid_for_kms: true,
            tampering: None,
        }
    }

    /// Applies a change to the request.
    #[must_use]
    pub fn modify(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Sets the member at the JSON pointer `pointer` in the body to `value`.
    #[must_use]
    pub fn with_member(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        if let Some(members) = self.json.pointer_mut(parent).and_then(Value::as_object_mut) {
            members.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Sets the member at the JSON pointer `pointer` in the body to `bytes` in Base64.
    #[must_use]
    pub fn with_bytes(self, pointer: &str, bytes: &[u8]) -> Self {
        self.with_member(pointer, STANDARD.encode(bytes))
    }

    /// Removes the member at the JSON pointer `pointer` from the body.
    #[must_use]
    pub fn without_member(mut self, pointer: &str) -> Self {
        let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        if let Some(members) = self.json.pointer_mut(parent).and_then(Value::as_object_mut) {
            members.remove(name);
        }
        self
    }

    /// Sets a change to apply after signing. The report shows `description` after "signed over …, then".
    #[must_use]
    pub fn with_tampering(self, description: &'static str, tampering: Tampering) -> Self {
        Self { tampering: Some((description, tampering)), ..self }
    }

    /// Removes the signature.
    #[must_use]
    pub fn unsigned(self) -> Self {
        self.with_tampering("the Authorization header was removed", |request| {
            request.headers_mut().remove(AUTHORIZATION);
        })
    }

    /// Returns a description of the signature and of later changes for the report.
    pub fn describe_signature(&self) -> String {
        let mut description = format!("signed over {}", self.signed_headers.join(", "));
        if self.service != SERVICE {
            let _ = write!(description, ", for the service {}", self.service);
        }
        if !self.clock_offset.is_zero() {
            let _ = write!(description, ", dated {} minutes in the {}", self.clock_offset.as_mins().abs(), {
                if self.clock_offset.is_negative() { "past" } else { "future" }
            });
        }
        if let Some(size) = self.declared_length {
            let _ = write!(description, ", with Content-Length: {size} but without a body");
        }
        if let Some((change, _)) = self.tampering {
            let _ = write!(description, ", then {change}");
        }
        description
    }

    /// Returns the bytes of the body.
    pub fn body(&self) -> Vec<u8> {
        self.raw_body.clone().unwrap_or_else(|| self.json.to_string().into_bytes())
    }

    /// Returns the signed request with an absolute URI.
    ///
    /// # Errors
    /// Returns a message for the user if the URI or a header is invalid or signing fails.
    pub fn sign(&self, target: &CheckTarget, now: Timestamp) -> Result<Request<Bytes>, String> {
        let uri = format!("{}{}", target.endpoint, self.path_and_query);
        let mut request = Request::new(Bytes::from(self.body()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri.parse().map_err(|_| format!("{uri} isn't a valid URI"))?;
        let json = HeaderValue::from_static("application/json");
        if self.signed_headers.contains(&"content-type") {
            request.headers_mut().insert(CONTENT_TYPE, json.clone());
        }
        let now = now + self.clock_offset;
        if self.signed_headers == KMS_SIGNED_HEADERS || self.signed_headers == CURL_SIGNED_HEADERS {
            let credentials = Credentials {
                access_key_id: target.access_key_id.clone(),
                secret_access_key: target.secret_access_key.clone(),
                session_token: None,
            };
            sigv4::sign(&mut request, &credentials, &target.region, self.service, now)
                .map_err(|error| error.to_string())?;
        } else {
            sign_headers(&mut request, target, self.service, self.signed_headers, now)?;
        }
        request.headers_mut().insert(CONTENT_TYPE, json);
        if let Some((_, tamper)) = self.tampering {
            tamper(&mut request);
        }
        Ok(request)
    }
}

/// Changes the value of the Authorization header.
pub fn edit_authorization(request: &mut Request<Bytes>, change: impl FnOnce(&str) -> String) {
    let text = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if let Ok(value) = HeaderValue::from_str(&change(text)) {
        request.headers_mut().insert(AUTHORIZATION, value);
    }
}

/// Returns the signature in the Authorization header.
pub fn signature_of(request: &Request<Bytes>) -> Option<&str> {
    let text = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    text.split_once("Signature=").map(|(_, signature)| signature)
}

/// Creates a correct signature over too few headers, which the AWS signing crate doesn't support.
fn sign_headers(
    request: &mut Request<Bytes>,
    target: &CheckTarget,
    service: &str,
    signed_headers: &[&str],
    now: Timestamp,
) -> Result<(), String> {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let header = |text: &str| HeaderValue::from_str(text).map_err(|error| error.to_string());
    request.headers_mut().insert(HOST, header(&target.endpoint.authority)?);
    request.headers_mut().insert("x-amz-date", header(&time)?);
    let headers = signed_headers.iter().fold(String::new(), |text, name| {
        let value = request.headers().get(*name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        format!("{text}{name}:{value}\n")
    });
    let signed_headers = signed_headers.join(";");
    let uri = request.uri();
    let (path, query) = (uri.path(), uri.query().unwrap_or_default());
    let payload = hex(&Sha256::digest(request.body()));
    let canonical = format!("{}\n{path}\n{query}\n{headers}\n{signed_headers}\n{payload}", request.method());
    let scope = format!("{}/{}/{service}/aws4_request", time.get(..8).unwrap_or_default(), target.region);
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
    let mut key = Zeroizing::new(format!("AWS4{}", target.secret_access_key.expose()).into_bytes());
    for part in scope.split('/') {
        key = Zeroizing::new(mac(&key, part)?);
    }
    let (id, signature) = (&target.access_key_id, hex(&mac(&key, &text)?));
    let value =
        format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed_headers}, Signature={signature}");
    request.headers_mut().insert(AUTHORIZATION, header(&value)?);
    Ok(())
}

fn mac(key: &[u8], text: &str) -> Result<Vec<u8>, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| error.to_string())?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::scalar::SecretString;

    fn target() -> CheckTarget {
        CheckTarget {
            endpoint: "http://127.0.0.1:8080".parse().unwrap(),
            uri_path: "/lab/kms/xks/v1".to_owned(),
            access_key_id: "BETAWBCKRZKHNEYYDGMQ".to_owned(),
            secret_access_key: SecretString::new("s".repeat(43)),
            region: "us-west-2".to_owned(),
            principal: "arn:aws:iam::111122223333:user/Alice".to_owned(),
            kms_key_arn: "arn:aws:kms:us-west-2:111122223333:key/1".to_owned(),
        }
    }

    #[test]
    fn manual_signature_matches_the_aws_signer() {
        let request = ProbeRequest::new("/lab/kms/xks/v1/health".to_owned(), serde_json::json!({ "a": 1 }));
        let now = "2026-03-02T10:15:00Z".parse().unwrap();
        let aws_signed = request.sign(&target(), now).unwrap();
        let mut manually_signed = request.clone().unsigned().sign(&target(), now).unwrap();
        sign_headers(&mut manually_signed, &target(), SERVICE, KMS_SIGNED_HEADERS, now).unwrap();
        assert_eq!(aws_signed.headers()[AUTHORIZATION], manually_signed.headers()[AUTHORIZATION]);
        assert!(signature_of(&aws_signed).is_some_and(|signature| signature.len() == 64));
    }

    #[test]
    fn json_pointer_selects_the_member_to_change() {
        let request = ProbeRequest::new("/".to_owned(), serde_json::json!({ "a": { "b": 1 }, "c": 2 }));
        let changed =
            request.with_member("/a/d", "x").with_bytes("/e", b"hi").without_member("/a/b").without_member("/c");
        assert_eq!(changed.json, serde_json::json!({ "a": { "d": "x" }, "e": "aGk=" }));
    }
}
