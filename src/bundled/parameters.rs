//! Requests and answers as CloudTrail shows them: names start with a small letter, secrets and data are left out before
//! anything else sees them.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::aws::form;

/// Data of callers, which no event has.
const LEFT_OUT: [&str; 12] = [
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
/// Secrets, of which an event tells that they were there.
const HIDDEN: [&str; 4] = ["RawSecretAccessKey", "SecretAccessKey", "SessionToken", "KeyStorePassword"];
/// What stands for a secret.
const INSTEAD: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";
/// Moments, in seconds since 1970.
const DATES: [&str; 3] = ["CreationDate", "DeletionDate", "LastUpdatedDate"];

/// A JSON document; `null` for one that has nothing or is none.
pub fn of_json(body: &[u8]) -> Value {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = Shown { names_are_ours: true }.deserialize(&mut reader).unwrap_or_default();
    if value.as_object().is_some_and(Map::is_empty) { Value::Null } else { value }
}

/// A form of the query protocol; `null` when it asks for nothing but its operation.
pub fn of_form(body: &[u8]) -> Value {
    match of_texts(form::unflatten(body)) {
        Value::Object(members) if members.is_empty() => Value::Null,
        shown => shown,
    }
}

/// With names that start with a small letter, lists without the name of their elements, and without data of callers.
fn of_texts(value: Value) -> Value {
    match value {
        Value::Object(members) => match (members.len(), members.get("member")) {
            (1, Some(list @ Value::Array(_))) => of_texts(list.clone()),
            _ => members
                .into_iter()
                .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
                .map(|(name, value)| (small(&name), of_texts(value)))
                .collect(),
        },
        Value::Array(items) => items.into_iter().map(of_texts).collect(),
        text => text,
    }
}

/// With what CreateKey takes for members that are absent, as CloudTrail shows it.
pub fn with_defaults(operation: &str, mut shown: Value) -> Value {
    if operation == "CreateKey" {
        if shown.is_null() {
            shown = Value::Object(Map::new());
        }
        if let Some(members) = shown.as_object_mut() {
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
    shown
}

fn small(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_lowercase().to_string() + letters.as_str())
}

struct Shown {
    /// Whether the names of members are those of the API, not of the caller.
    names_are_ours: bool,
}

impl<'de> DeserializeSeed<'de> for Shown {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shown {
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
        while let Some(item) = items.next_element_seed(Self { names_are_ours: self.names_are_ours })? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if !self.names_are_ours {
                all.insert(name, members.next_value_seed(Self { names_are_ours: false })?);
            } else if LEFT_OUT.contains(&name.as_str()) {
                members.next_value::<IgnoredAny>()?;
            } else if HIDDEN.contains(&name.as_str()) {
                members.next_value::<IgnoredAny>()?;
                all.insert(small(&name), INSTEAD.into());
            } else {
                let names_are_ours = !name.contains("EncryptionContext");
                let value = members.next_value_seed(Self { names_are_ours })?;
                let value = match value.as_f64().filter(|_| DATES.contains(&name.as_str())) {
                    Some(seconds) => date(seconds).unwrap_or(value),
                    None => value,
                };
                all.insert(small(&name), value);
            }
        }
        Ok(Value::Object(all))
    }
}

/// `Dec 7, 2022, 10:37:45 PM`
fn date(seconds: f64) -> Option<Value> {
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
        let shown = json!({ "keyId": "k", "encryptionContext": { "Department": "IT" }, "tags": [{ "tagKey": "A" }],
            "grantConstraints": { "encryptionContextSubset": { "Plaintext": "shown" } }, "aWSAccountId": null });
        assert_eq!(of_json(request.to_string().as_bytes()), shown);
    }

    #[test]
    fn secrets_are_redacted_and_caller_data_is_omitted() {
        let request = json!({ "Plaintext": "c2VjcmV0", "CiphertextBlob": "AQ==", "GrantTokens": ["t"],
            "XksProxyAuthenticationCredential": { "AccessKeyId": "A", "RawSecretAccessKey": "wJalrXUtnFEMI" } });
        let shown = json!({ "xksProxyAuthenticationCredential":
            { "accessKeyId": "A", "rawSecretAccessKey": "HIDDEN_DUE_TO_SECURITY_REASONS" } });
        assert_eq!(of_json(request.to_string().as_bytes()), shown);
        let sign = json!({ "KeyId": "k", "Message": "c2VjcmV0", "Mac": "AQ==", "KeyStorePassword": "s3cret" });
        let shown = json!({ "keyId": "k", "keyStorePassword": "HIDDEN_DUE_TO_SECURITY_REASONS" });
        assert_eq!(of_json(sign.to_string().as_bytes()), shown);
    }

    #[test]
    fn dates_use_the_cloudtrail_format() {
        assert_eq!(of_json(br#"{"CreationDate":1670452665.5}"#), json!({ "creationDate": "Dec 7, 2022, 10:37:45 PM" }));
    }

    #[test]
    fn empty_and_malformed_bodies_are_null() {
        for body in ["", "{}", "{", "[1,"] {
            assert_eq!(of_json(body.as_bytes()), Value::Null, "{body}");
        }
        assert_eq!(of_form(b"Action=ListUsers&Version=2010-05-08"), Value::Null);
        assert_eq!(of_form(b"Action=ListUsers&MaxItems=5"), json!({ "maxItems": "5" }));
        let listed = b"ActionNames.member.1=a&ActionNames.member.2=b&PolicySourceArn=x";
        assert_eq!(of_form(listed), json!({ "actionNames": ["a", "b"], "policySourceArn": "x" }));
    }
}
