//! Encodes and decodes requests, responses, and errors in AWS JSON and the AWS query protocol, for clients and servers.

use bytes::Bytes;
use quick_xml::events::Event;
use serde::Deserialize as _;
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use super::error::ServiceError;
use super::excerpt::{is_html, text_excerpt, truncate};
use super::lenient::LenientDeserializer;
use super::operation::{Operation, Protocol};
use super::query_form;
use super::xml;

/// The content type of requests in the AWS query protocol.
pub const FORM_CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";
/// The content type of responses in the AWS query protocol.
pub const XML_CONTENT_TYPE: &str = "text/xml";

/// The error code for a response that contains no AWS error code.
pub const UNKNOWN_ERROR: &str = "UnknownError";

/// The error for a message that couldn't be encoded or decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CodecError(pub String);

/// A buffer for data that may be secret. Its memory is zeroed when it is dropped or reallocated.
struct ZeroizingWriter(Zeroizing<Vec<u8>>);

impl ZeroizingWriter {
    /// Most bodies fit in this capacity. A larger one takes longer to zero, and allocators are fast below 1 KiB.
    const INITIAL_CAPACITY: usize = 960;
}

impl std::io::Write for ZeroizingWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let length = self.0.len() + bytes.len();
        if length > self.0.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(length.max(4 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Encodes a JSON body. It may contain a plaintext, so its memory is zeroed when the body is dropped.
///
/// # Errors
/// The value can't be represented as JSON, which doesn't happen for the messages in this crate.
pub fn json_body<T: Serialize>(value: &T) -> Result<Bytes, serde_json::Error> {
    let mut body = ZeroizingWriter(Zeroizing::new(Vec::with_capacity(ZeroizingWriter::INITIAL_CAPACITY)));
    serde_json::to_writer(&mut body, value)?;
    Ok(Bytes::from_owner(body.0))
}

/// Encodes the body of a request.
///
/// # Errors
/// [`CodecError`] if the request can't be encoded, which doesn't happen for the requests in this crate.
pub fn encode_request<O: Operation>(request: &O) -> Result<Bytes, CodecError> {
    match O::SERVICE.protocol() {
        Protocol::Json { .. } => json_body(request).map_err(|error| CodecError(error.to_string())),
        Protocol::Query { version, .. } => {
            let value = serde_json::to_value(request).map_err(|error| CodecError(error.to_string()))?;
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("Action", O::NAME).append_pair("Version", version);
            query_form::flatten("", &value, &mut |name, text| {
                form.append_pair(name, text);
            });
            Ok(Bytes::from(form.finish()))
        }
    }
}

/// Decodes a successful response.
///
/// # Errors
/// [`CodecError`] if the body isn't a valid response of this operation.
pub fn decode_response<O: Operation>(body: &[u8]) -> Result<O::Response, CodecError> {
    let malformed = |error: &dyn std::fmt::Display| CodecError(truncate(&error.to_string(), MAX_REASON_CHARS));
    if is_html(body) {
        // An intermediary sent this page. Other bodies are never quoted, because they may contain a secret.
        let excerpt = text_excerpt(body).unwrap_or_default();
        return Err(malformed(&format!("the response is a web page that starts with: {excerpt}")));
    }
    match O::SERVICE.protocol() {
        Protocol::Json { .. } => {
            let body = if body.is_empty() { b"{}" } else { body };
            serde_json::from_slice(body).or_else(|_| deserialize_lenient::<O>(body)).map_err(|error| malformed(&error))
        }
        Protocol::Query { .. } => {
            let text = std::str::from_utf8(body).map_err(|error| malformed(&error))?;
            let mut parsed = xml::parse(text).map_err(|error| malformed(&error))?;
            let response = format!("{}Response", O::NAME);
            let read = match parsed.get(&response) {
                // An empty result may be omitted.
                Some(inner) => {
                    let result = inner.get(format!("{}Result", O::NAME)).unwrap_or(&EMPTY_RESPONSE);
                    O::Response::deserialize(LenientDeserializer(result)).map_err(|error| malformed(&error))
                }
                None => Err(CodecError(format!("the response has no element {response}"))),
            };
            zeroize_strings(&mut parsed);
            read
        }
    }
}

/// Deserializes a response in which `null` stands for an absent member, as the AWS SDKs do.
fn deserialize_lenient<O: Operation>(body: &[u8]) -> serde_json::Result<O::Response> {
    let mut parsed: Value = serde_json::from_slice(body)?;
    let read = O::Response::deserialize(LenientDeserializer(if parsed.is_null() { &EMPTY_RESPONSE } else { &parsed }));
    zeroize_strings(&mut parsed);
    read
}

/// An empty response: an empty string is read as a structure without members.
static EMPTY_RESPONSE: Value = Value::String(String::new());

/// Zeroes the strings of a response, because the decoded copy may contain a secret.
fn zeroize_strings(value: &mut Value) {
    match value {
        Value::Object(members) => members.values_mut().for_each(zeroize_strings),
        Value::Array(items) => items.iter_mut().for_each(zeroize_strings),
        Value::String(text) => text.zeroize(),
        _ => {}
    }
}

/// Returns the markup between the tags of the first element with this name.
fn element_text(text: &str, name: &str) -> Result<String, CodecError> {
    let mut reader = quick_xml::Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|error| CodecError(error.to_string()))? {
            Event::Start(start) if start.local_name().as_ref() == name => {
                let end = start.to_end().into_owned();
                let inner = reader.read_text(end.name()).map_err(|error| CodecError(error.to_string()))?;
                return Ok(inner.to_string());
            }
            Event::Empty(start) if start.local_name().as_ref() == name => return Ok(String::new()),
            Event::Eof => return Err(CodecError(format!("the response has no element {name}"))),
            _ => {}
        }
    }
}

/// Decodes the error in a response with a status of 400 or higher. An unreadable body still gives an error.
pub fn decode_error(protocol: Protocol, status: u16, request_id: &str, body: &[u8]) -> ServiceError {
    let (code, message) = match protocol {
        Protocol::Json { .. } => decode_json_error(body),
        Protocol::Query { .. } => {
            let text = String::from_utf8_lossy(body);
            let part = |name| element_text(&text, name).ok().and_then(|inner| unescape(&inner));
            part("Code").map(|code| (code, part("Message").unwrap_or_default()))
        }
    }
    .filter(|(code, _)| !code.is_empty())
    .unwrap_or_else(|| (UNKNOWN_ERROR.to_owned(), message_without_code(status, body)));
    let (code, message) = (truncate(&code, MAX_CODE_CHARS), truncate(&message, MAX_MESSAGE_CHARS));
    ServiceError { code, message, status, request_id: request_id.to_owned() }
}

/// The maximum length of an error code, in characters. The longest in KMS has about 60.
const MAX_CODE_CHARS: usize = 128;
/// The maximum length of an error message, in characters. A dialog shows all of it, and no AWS service sends more.
const MAX_MESSAGE_CHARS: usize = 4096;
/// The maximum length of the reason why a response can't be read, in characters.
const MAX_REASON_CHARS: usize = 400;

/// Describes an error response that probably comes from an intermediary, not from AWS.
fn message_without_code(status: u16, body: &[u8]) -> String {
    let response = format!("The response has HTTP status {status} and no AWS error code");
    match text_excerpt(body) {
        Some(excerpt) => format!("{response}. It starts with: {excerpt}"),
        None if body.is_empty() => format!("{response}. It is empty."),
        None => format!("{response}. It has no readable text."),
    }
}

fn unescape(text: &str) -> Option<String> {
    quick_xml::escape::unescape(text).ok().map(std::borrow::Cow::into_owned)
}

fn decode_json_error(body: &[u8]) -> Option<(String, String)> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let code = text("__type").or_else(|| text("code"))?;
    let code = code.split(':').next().unwrap_or(code).rsplit('#').next().unwrap_or(code);
    let message = text("message").or_else(|| text("Message")).unwrap_or_default();
    Some((code.to_owned(), message.to_owned()))
}

/// Encodes the body of an AWS JSON error.
pub fn json_error_body(error: &ServiceError) -> Vec<u8> {
    let mut body = Map::new();
    body.insert("__type".to_owned(), Value::from(error.code.clone()));
    if !error.message.is_empty() {
        body.insert("message".to_owned(), Value::from(error.message.clone()));
    }
    Value::Object(body).to_string().into_bytes()
}

/// Returns the `Action` and `Version` of a query request.
pub fn query_action(body: &[u8]) -> Option<(String, String)> {
    let find =
        |name: &str| form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    Some((find("Action")?, find("Version").unwrap_or_default()))
}

/// Decodes a query request.
///
/// # Errors
/// `ValidationError` if a member is missing or has the wrong type.
pub fn parse_query_request<O: Operation>(body: &[u8]) -> Result<O, ServiceError> {
    query_form::from_slice(body).map_err(|error| ServiceError::new("ValidationError", error.to_string()))
}

/// Encodes a successful query response as XML.
///
/// # Errors
/// `ServiceFailure` if the response can't be encoded.
pub fn query_response_xml<O: Operation>(response: &O::Response, request_id: &str) -> Result<String, ServiceError> {
    let Protocol::Query { namespace, .. } = O::SERVICE.protocol() else {
        return Err(ServiceError::new("ServiceFailure", "not an operation of the query protocol"));
    };
    let name = O::NAME;
    let result = quick_xml::se::to_string_with_root(&format!("{name}Result"), response)
        .map_err(|error| ServiceError::new("ServiceFailure", error.to_string()))?;
    Ok(format!(
        "<{name}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{request_id}</RequestId>\
         </ResponseMetadata></{name}Response>"
    ))
}

/// Encodes a successful query response as JSON, which query services return when the `Accept` header requests it.
///
/// # Errors
/// `ServiceFailure` if the response can't be encoded.
pub fn query_response_json<O: Operation>(response: &O::Response, request_id: &str) -> Result<Vec<u8>, ServiceError> {
    let failed = |error: serde_json::Error| ServiceError::new("ServiceFailure", error.to_string());
    let result = unwrap_member_lists(serde_json::to_value(response).map_err(failed)?);
    let mut inner = Map::new();
    if result.as_object().is_some_and(|members| !members.is_empty()) {
        inner.insert(format!("{}Result", O::NAME), result);
    }
    inner.insert("ResponseMetadata".to_owned(), serde_json::json!({ "RequestId": request_id }));
    let body = Map::from_iter([(format!("{}Response", O::NAME), Value::Object(inner))]);
    serde_json::to_vec(&body).map_err(failed)
}

/// Converts a response to the JSON form of query services: lists as arrays and timestamps as epoch seconds.
fn unwrap_member_lists(value: Value) -> Value {
    match value {
        Value::Object(mut members) if members.len() == 1 && members.get("member").is_some_and(Value::is_array) => {
            members.remove("member").map_or(Value::Null, unwrap_member_lists)
        }
        Value::Object(members) => {
            let converted = members.into_iter().map(|(name, value)| {
                let timestamp = value.as_str().filter(|_| matches!(&*name, "Expiration" | "CreateDate"));
                let seconds =
                    timestamp.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_second);
                (name, seconds.map_or_else(|| unwrap_member_lists(value), Value::from))
            });
            Value::Object(converted.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(unwrap_member_lists).collect()),
        text => text,
    }
}

/// Encodes an error of the query protocol as JSON.
pub fn query_error_json(error: &ServiceError) -> Vec<u8> {
    let side = if error.status >= 500 { "Receiver" } else { "Sender" };
    let body = serde_json::json!({
        "Error": { "Type": side, "Code": error.code, "Message": error.message },
        "RequestId": error.request_id,
    });
    body.to_string().into_bytes()
}

/// Encodes an error of the query protocol as XML.
pub fn query_error_xml(namespace: &str, error: &ServiceError) -> String {
    let side = if error.status >= 500 { "Receiver" } else { "Sender" };
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{side}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{}</RequestId></ErrorResponse>",
        quick_xml::escape::escape(error.code.as_str()),
        quick_xml::escape::escape(replace_control_characters(&error.message)),
        error.request_id
    )
}

/// Replaces the control characters that XML can't represent. A message may quote one.
fn replace_control_characters(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'), "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::iam::{ListRoles, ListUsers, ListUsersOutput, User};
    use crate::aws::kms::{CreateAlias, DescribeKey, ListKeys};
    use crate::aws::member_list::MemberList;
    use crate::aws::operation::Service;

    #[test]
    fn json_body_supports_any_length() {
        for length in [0, 958, 959, 5000, 100_000] {
            let text = "x".repeat(length);
            assert_eq!(json_body(&text).unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn query_response_round_trips() {
        let user = User {
            path: "/a&b/".to_owned(),
            user_name: "ada<>".to_owned(),
            user_id: "AIDA".to_owned(),
            arn: "arn:aws:iam::111122223333:user/ada".to_owned(),
            create_date: "2026-01-02T03:04:05Z".to_owned(),
            tags: MemberList::default(),
        };
        let response = ListUsersOutput { users: MemberList { member: vec![user] }, is_truncated: false, marker: None };
        let xml = query_response_xml::<ListUsers>(&response, "r-1").unwrap();
        assert_eq!(decode_response::<ListUsers>(xml.as_bytes()).unwrap(), response);
        let empty = query_response_xml::<ListUsers>(&ListUsersOutput::default(), "r-1").unwrap();
        assert_eq!(decode_response::<ListUsers>(empty.as_bytes()).unwrap(), ListUsersOutput::default());
    }

    #[test]
    fn query_request_round_trips() {
        let request =
            ListRoles { path_prefix: Some("/ops/".to_owned()), marker: Some("7".to_owned()), max_items: Some(10) };
        let body = encode_request(&request).unwrap();
        assert_eq!(query_action(&body), Some(("ListRoles".to_owned(), "2010-05-08".to_owned())));
        assert_eq!(parse_query_request::<ListRoles>(&encode_request(&request).unwrap()).unwrap(), request);
    }

    #[test]
    fn null_means_absent() {
        let body = br#"{"KeyMetadata":{"AWSAccountId":"1","KeyId":"k","Arn":"a","CreationDate":1.5,"Enabled":true,
            "Description":null,"KeyUsage":null,"KeyState":"Enabled","Origin":"AWS_KMS","KeyManager":"CUSTOMER",
            "MultiRegion":null}}"#;
        let key = decode_response::<DescribeKey>(body).unwrap().key_metadata;
        assert_eq!((key.description.as_str(), key.key_usage.as_str(), key.multi_region), ("", "", None));
        assert!(decode_response::<DescribeKey>(br#"{"KeyMetadata":{"KeyId":null}}"#).is_err());
        assert!(decode_response::<CreateAlias>(b"null").is_ok() && decode_response::<DescribeKey>(b"null").is_err());
    }

    #[test]
    fn decode_error_supports_both_protocols() {
        let error = ServiceError::new("NotFoundException", "Key 'x' does not <exist>");
        let json = Service::Kms.protocol();
        assert_eq!(decode_error(json, 400, "", &json_error_body(&error)), error);
        let prefixed =
            br#"{"__type":"com.amazonaws.kms#NotFoundException:http://x","Message":"Key 'x' does not <exist>"}"#;
        assert_eq!(decode_error(json, 400, "", prefixed), error);
        let xml = query_error_xml("https://x/", &error);
        assert_eq!(decode_error(Service::Iam.protocol(), 400, "", xml.as_bytes()), error);
        assert_eq!(decode_error(json, 502, "", b"<html>").code, "UnknownError");
        let quoted = query_error_xml("https://x/", &ServiceError::new("ValidationError", "no \u{1b}[2J"));
        assert_eq!(decode_error(Service::Iam.protocol(), 400, "", quoted.as_bytes()).message, "no \u{fffd}[2J");
    }

    #[test]
    fn response_of_another_operation_is_rejected() {
        let xml = query_response_xml::<ListUsers>(&ListUsersOutput::default(), "r-1").unwrap();
        assert!(decode_response::<ListRoles>(xml.as_bytes()).is_err());
        let hidden = format!("<html>{}</html>", xml.replace("ListUsersResponse", "p"));
        assert!(decode_response::<ListUsers>(hidden.as_bytes()).is_err());
    }

    #[test]
    fn empty_body_is_an_empty_object() {
        assert!(decode_response::<ListKeys>(b"").is_err(), "Keys is required");
        assert!(decode_response::<crate::aws::kms::CreateAlias>(b"").is_ok());
    }
}
