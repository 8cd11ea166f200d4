//! The canonical request and the string to sign.
//!
//! Source: "Create a signed AWS API request" in the IAM User Guide.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Request;
use sha2::{Digest as _, Sha256};

use super::{AuthError, CredentialScope};

/// The algorithm name in the string to sign and in the `Authorization` header.
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Returns the value of a header that can appear only once.
pub fn single_header<'a>(request: &'a Request<Bytes>, name: &str) -> Result<Option<&'a str>, AuthError> {
    let mut values = request.headers().get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(AuthError::Incomplete(format!("The header '{name}' appears more than once.")));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(AuthError::Incomplete(format!("The header '{name}' contains non-ASCII characters."))),
    }
}

/// Returns the canonical request for `request`, the signed headers with their values, and the hash of the body.
pub fn canonical_request(request: &Request<Bytes>, signed_headers: &[(&str, &str)], payload: &str) -> String {
    let mut text = String::with_capacity(512);
    text.push_str(request.method().as_str());
    text.push('\n');
    match request.uri().path() {
        "" => text.push('/'),
        path => percent_encode(path.as_bytes(), true, &mut text),
    }
    text.push('\n');
    canonical_query(request.uri().query().unwrap_or_default(), &mut text);
    text.push('\n');
    for (name, value) in signed_headers {
        text.push_str(name);
        text.push(':');
        for (at, word) in value.split([' ', '\t']).filter(|word| !word.is_empty()).enumerate() {
            text.push_str(if at == 0 { "" } else { " " });
            text.push_str(word);
        }
        text.push('\n');
    }
    text.push('\n');
    for (at, (name, _)) in signed_headers.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { ";" });
        text.push_str(name);
    }
    text.push('\n');
    text.push_str(payload);
    text
}

/// Returns the string to sign.
pub fn string_to_sign(time: &str, scope: CredentialScope, canonical_request: &str) -> String {
    let CredentialScope { date, region, service } = scope;
    let hash = sha256_hex(canonical_request.as_bytes());
    [ALGORITHM, "\n", time, "\n", date, "/", region, "/", service, "/aws4_request\n", &hash].concat()
}

/// Returns the SHA-256 hash as lowercase hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    encode_hex(&Sha256::digest(bytes))
}

/// Encodes bytes as lowercase hexadecimal digits.
pub fn encode_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}

fn canonical_query(query: &str, text: &mut String) {
    let encoded = |bytes: &[u8]| {
        let mut text = String::with_capacity(bytes.len());
        percent_encode(bytes, false, &mut text);
        text
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        // The query of a presigned request contains its signature, which isn't signed.
        .filter(|pair| !pair.is_empty() && !pair.starts_with("X-Amz-Signature="))
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encoded(&percent_decode(name)), encoded(&percent_decode(value)))
        })
        .collect();
    pairs.sort();
    for (at, (name, value)) in pairs.iter().enumerate() {
        text.push_str(if at == 0 { "" } else { "&" });
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
}

fn percent_decode(text: &str) -> Vec<u8> {
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

fn percent_encode(bytes: &[u8], keep_slash: bool, text: &mut String) {
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || (keep_slash && byte == b'/') {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
}
