//! Requests and responses as CloudTrail shows them.
//!
//! Member names start with a lowercase letter. Secrets and caller data are removed while the text is parsed.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::aws::query_form;

/// Members with caller data, which events omit.
const OMITTED_MEMBERS: [&str; 12] = [
    "TokenCode",
    "Plaintext",
    "CiphertextBlob",
    "GrantTokens",
    "GrantToken",
    "Recipient",
    "Message",
    "Signature",
    "Mac",
    "ImportToken",
    "EncryptedKeyMaterial",
    "SharedSecretCiphertextBlob",
];
/// Members with secrets, whose values events redact.
const REDACTED_MEMBERS: [&str; 4] = ["RawSecretAccessKey", "SecretAccessKey", "SessionToken", "KeyStorePassword"];
/// The value that replaces a secret.
const REDACTED_VALUE: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
/// Members with a date, in seconds since 1970-01-01 UTC.
const DATE_MEMBERS: [&str; 3] = ["CreationDate", "DeletionDate", "LastUpdatedDate"];

/// Redacts a JSON document. Returns `null` if it is empty or malformed.
pub fn redacted_json(body: &[u8]) -> Value {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = RedactedValueSeed { has_api_names: true }.deserialize(&mut reader).unwrap_or_default();
    if value.as_object().is_some_and(Map::is_empty) { Value::Null } else { value }
}

/// Redacts a query-protocol form. Returns `null` if it has no parameters besides its operation.
pub fn redacted_form(body: &[u8]) -> Value {
    match redacted_form_value(query_form::unflatten(body)) {
        Value::Object(members) if members.is_empty() => Value::Null,
        redacted => redacted,
    }
}

/// Redacts a value of a form: removes caller data and the `member` level of lists, and converts member names.
fn redacted_form_value(value: Value) -> Value {
    match value {
        Value::Object(members) => match (members.len(), members.get("member")) {
            (1, Some(list @ Value::Array(_))) => redacted_form_value(list.clone()),
            _ => members
                .into_iter()
                .filter(|(name, _)| !OMITTED_MEMBERS.contains(&name.as_str()))
                .map(|(name, value)| (lowercase_first(&name), redacted_form_value(value)))
                .collect(),
        },
        Value::Array(items) => items.into_iter().map(redacted_form_value).collect(),
        text => text,
    }
}

/// Adds the default values of absent members of CreateKey, which CloudTrail shows.
pub fn with_defaults(operation: &str, mut redacted: Value) -> Value {
    if operation == "CreateKey" {
        if redacted.is_null() {
            redacted = Value::Object(Map::new());
        }
        if let Some(members) = redacted.as_object_mut() {
            for (name, value) in [
                ("tags", Value::Array(Vec::new())),
                ("keyUsage", "ENCRYPT_DECRYPT".into()),
                ("description", "".into()),
                ("origin", "AWS_KMS".into()),
                ("multiRegion", false.into()),
                ("keySpec", "SYMMETRIC_DEFAULT".into()),
                ("customerMasterKeySpec", "SYMMETRIC_DEFAULT".into()),
                ("bypassPolicyLockoutSafetyCheck", false.into()),
            ] {
                members.entry(name).or_insert(value);
            }
        }
    }
    redacted
}

fn lowercase_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

struct RedactedValueSeed {
    /// Whether the API defines the member names, not the caller.
    has_api_names: bool,
}

impl<'de> DeserializeSeed<'de> for RedactedValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RedactedValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(Self { has_api_names: self.has_api_names })? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if !self.has_api_names {
                all.insert(name, members.next_value_seed(Self { has_api_names: false })?);
            } else if OMITTED_MEMBERS.contains(&name.as_str()) {
                members.next_value::<IgnoredAny>()?;
            } else if REDACTED_MEMBERS.contains(&name.as_str()) {
                members.next_value::<IgnoredAny>()?;
                all.insert(lowercase_first(&name), REDACTED_VALUE.into());
            } else {
                let has_api_names = !name.contains("EncryptionContext");
                let value = members.next_value_seed(Self { has_api_names })?;
                let value = match value.as_f64().filter(|_| DATE_MEMBERS.contains(&name.as_str())) {
                    Some(seconds) => format_date(seconds).unwrap_or(value),
                    None => value,
                };
                all.insert(lowercase_first(&name), value);
            }
        }
        Ok(Value::Object(all))
    }
}

/// Formats a date as CloudTrail does, such as `Dec 7, 2022, 10:37:45 PM`.
fn format_date(seconds: f64) -> Option<Value> {
    let whole = serde_json::Number::from_f64(seconds.floor())?.to_string();
    let whole = whole.split('.').next()?.parse().ok()?;
    let moment = jiff::Timestamp::from_second(whole).ok()?;
    Some(moment.strftime("%b %-d, %Y, %-I:%M:%S %p").to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn member_names_start_lowercase_and_caller_keys_are_unchanged() {
        let request = json!({ "KeyId": "k", "EncryptionContext": { "Department": "IT" }, "Tags": [{ "TagKey": "A" }],
            "GrantConstraints": { "EncryptionContextSubset": { "Plaintext": "shown" } }, "AWSAccountId": null });
        let redacted = json!({ "keyId": "k", "encryptionContext": { "Department": "IT" }, "tags": [{ "tagKey": "A" }],
            "grantConstraints": { "encryptionContextSubset": { "Plaintext": "shown" } }, "aWSAccountId": null });
        assert_eq!(redacted_json(request.to_string().as_bytes()), redacted);
    }

    #[test]
    fn secrets_are_redacted_and_caller_data_is_omitted() {
        let request = json!({ "Plaintext": "c2VjcmV0", "CiphertextBlob": "AQ==", "GrantTokens": ["t"],
            "XksProxyAuthenticationCredential": { "AccessKeyId": "A", "RawSecretAccessKey": "wJalrXUtnFEMI" } });
        let redacted = json!({ "xksProxyAuthenticationCredential":
            { "accessKeyId": "A", "rawSecretAccessKey": "HIDDEN_DUE_TO_SECURITY_REASONS" } });
        assert_eq!(redacted_json(request.to_string().as_bytes()), redacted);
        let sign = json!({ "KeyId": "k", "Message": "c2VjcmV0", "Mac": "AQ==", "KeyStorePassword": "s3cret" });
        let redacted = json!({ "keyId": "k", "keyStorePassword": "HIDDEN_DUE_TO_SECURITY_REASONS" });
        assert_eq!(redacted_json(sign.to_string().as_bytes()), redacted);
    }

    #[test]
    fn dates_use_the_cloudtrail_format() {
        assert_eq!(
            redacted_json(br#"{"CreationDate":1670452665.5}"#),
            json!({ "creationDate": "Dec 7, 2022, 10:37:45 PM" })
        );
    }

    #[test]
    fn empty_and_malformed_bodies_are_null() {
        for body in ["", "{}", "{", "[1,"] {
            assert_eq!(redacted_json(body.as_bytes()), Value::Null, "{body}");
        }
        assert_eq!(redacted_form(b"Action=ListUsers&Version=2010-05-08"), Value::Null);
        assert_eq!(redacted_form(b"Action=ListUsers&MaxItems=5"), json!({ "maxItems": "5" }));
        let listed = b"ActionNames.member.1=a&ActionNames.member.2=b&PolicySourceArn=x";
        assert_eq!(redacted_form(listed), json!({ "actionNames": ["a", "b"], "policySourceArn": "x" }));
    }
}
