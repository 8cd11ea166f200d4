use serde_json::{Value, json};

use proptest::prelude::*;

use super::*;
use crate::aws::kms::request_members;
use crate::aws::limits::{self, Violation};

fn error_message(operation: &str, body: &Value) -> String {
    error_message_for_body(operation, &body.to_string())
}

fn error_message_for_body(operation: &str, body: &str) -> String {
    validate(request_members(operation).unwrap(), body.as_bytes())
        .map_or_else(|error| error.to_string(), |()| String::new())
}

#[test]
fn missing_required_member_is_reported_as_null() {
    let error = "ValidationException: 1 validation error detected: Value null at 'keyId' failed to satisfy constraint: \
                 Member must not be null";
    for body in ["", "{}", r#"{"KeyId":null}"#, r#"{"keyid":"x"}"#] {
        assert_eq!(error_message_for_body("DescribeKey", body), error, "{body}");
    }
}

#[test]
fn all_violations_are_reported_in_one_error() {
    assert_eq!(
        error_message("CreateAlias", &json!({ "AliasName": "", "TargetKeyId": "" })),
        "ValidationException: 3 validation errors detected: Value '' at 'aliasName' failed to satisfy constraint: Member \
         must have length greater than or equal to 1; Value '' at 'aliasName' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$; Value '' at 'targetKeyId' failed to satisfy constraint: \
         Member must have length greater than or equal to 1"
    );
}

#[test]
fn violations_name_the_path_of_the_element_or_member() {
    let tags = json!([{ "TagKey": "a", "TagValue": "b" }, { "TagKey": "", "TagValue": null }]);
    let message = error_message("TagResource", &json!({ "KeyId": "k", "Tags": tags }));
    assert!(message.contains("Value '' at 'tags.2.member.tagKey' failed"), "{message}");
    assert!(message.contains("Value null at 'tags.2.member.tagValue' failed"), "{message}");
    assert_eq!(
        error_message("UntagResource", &json!({ "KeyId": "k", "TagKeys": ["a", ""] })),
        "ValidationException: 1 validation error detected: Value '[a, ]' at 'tagKeys' failed to satisfy constraint: Member \
         must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than \
         or equal to 1]"
    );
    let message = error_message("ListKeys", &json!({ "ResourceOwners": [], "Limit": 0 }));
    assert!(
        message.contains("Value '[]' at 'resourceOwners' failed") && message.contains("Value '0' at 'limit'"),
        "{message}"
    );
}

#[test]
fn secrets_and_data_never_appear_in_messages() {
    let credential = json!({ "AccessKeyId": "SHORT", "RawSecretAccessKey": "s3cret" });
    let body = json!({ "CustomKeyStoreId": "c", "KeyStorePassword": "s3cret", "XksProxyAuthenticationCredential": credential });
    let message = error_message("UpdateCustomKeyStore", &body);
    assert!(message.contains("Value at 'keyStorePassword' failed"), "{message}");
    assert!(message.contains("Value at 'xksProxyAuthenticationCredential.rawSecretAccessKey' failed"), "{message}");
    assert!(!message.contains("s3cret") && !message.contains("SHORT"), "{message}");
    let message = error_message("Encrypt", &json!({ "KeyId": "k", "Plaintext": "" }));
    assert!(message.ends_with(
        "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1"
    ));
}

#[test]
fn wrong_type_is_a_serialization_exception() {
    let wrong = [
        (json!({ "KeyId": 7 }), "NUMBER_VALUE can not be converted to a String"),
        (json!({ "KeyId": true }), "TRUE_VALUE can not be converted to a String"),
        (json!({ "KeyId": [] }), "Start of list found where not expected"),
        (json!({ "KeyId": {} }), "Start of structure or map found where not expected"),
        (json!({ "KeyId": "", "DryRun": "yes" }), "STRING_VALUE can not be converted to a Boolean"),
        (json!({ "GrantTokens": "t" }), "Expected a List or null"),
        (json!({ "EncryptionContext": "t" }), "Expected a Map or null"),
        (json!({ "EncryptionContext": { "a": 1 } }), "NUMBER_VALUE can not be converted to a String"),
        (json!({ "Plaintext": "YQ" }), "The value is not Base64 with padding"),
        (json!({ "Plaintext": "Y*==" }), "The value is not Base64 with padding"),
        (json!([]), "Start of list found where not expected"),
        (json!(null), "Expected a Structure"),
    ];
    for (body, expected) in wrong {
        assert_eq!(error_message("Encrypt", &body), format!("SerializationException: {expected}"), "{body}");
    }
    for malformed in ["{", "x", r#"{"KeyId":"k"} x"#, "{\"KeyId\":\"\u{1}\"}"] {
        assert!(
            error_message_for_body("DescribeKey", malformed).starts_with("SerializationException: "),
            "{malformed}"
        );
    }
    assert!(error_message("ListKeys", &json!({ "Limit": 1.5 })).starts_with("SerializationException"));
}

#[test]
fn unknown_members_are_ignored() {
    let body = json!({ "KeyId": "k", "Pretty": [{ "please": 1 }], "GrantTokens": null });
    assert_eq!(error_message("DescribeKey", &body), "");
}

#[test]
fn every_pattern_compiles() {
    fn patterns(shape: &Shape, found: &mut Vec<&'static str>) {
        match shape {
            Shape::String { pattern, .. } => found.extend(*pattern),
            Shape::List(of, ..) => patterns(of, found),
            Shape::Structure(members) => members.iter().for_each(|member| patterns(&member.shape, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for operation in [
        "CreateKey",
        "CreateGrant",
        "CreateCustomKeyStore",
        "PutKeyPolicy",
        "ImportKeyMaterial",
        "ReplicateKey",
        "ListKeys",
        "CreateAlias",
    ] {
        patterns(&Shape::Structure(request_members(operation).unwrap()), &mut found);
    }
    for regex in &found {
        assert!(regex_lite::Regex::new(regex).is_ok(), "{regex}");
    }
    assert!(found.len() > 15, "{found:?}");
}

/// A form's validation function, and the operation and member that it corresponds to.
type Rule = (fn(&str) -> Result<(), Violation>, &'static str, &'static str);

const RULES: [Rule; 10] = [
    (limits::alias_name, "CreateAlias", "AliasName"),
    (limits::description, "CreateKey", "Description"),
    (limits::policy_text, "CreateKey", "Policy"),
    (limits::xks_key_id, "CreateKey", "XksKeyId"),
    (limits::custom_key_store_name, "CreateCustomKeyStore", "CustomKeyStoreName"),
    (limits::xks_proxy_uri_endpoint, "CreateCustomKeyStore", "XksProxyUriEndpoint"),
    (limits::xks_proxy_uri_path, "CreateCustomKeyStore", "XksProxyUriPath"),
    (limits::xks_proxy_vpc_endpoint_service_name, "CreateCustomKeyStore", "XksProxyVpcEndpointServiceName"),
    (limits::account_id, "CreateCustomKeyStore", "XksProxyVpcEndpointServiceOwner"),
    (limits::key_id, "DescribeKey", "KeyId"),
];

fn member_shape(operation: &str, name: &str) -> Shape {
    request_members(operation).unwrap().iter().find(|member| member.name == name).unwrap().shape
}

proptest! {
    #[test]
    fn values_valid_in_forms_are_valid_in_requests(
        text in "\\PC{0,40}|alias/[a-z:/ -]{1,9}|https://[a-zA-Z_.-]{1,9}|(/[a-z_/-]{0,5})?/kms/xks/v[0-9]{0,3}\
                 |com\\.amazonaws\\.vpce\\.[a-z]{2}-[a-z]{4}-[0-9]\\.vpce-svc-[0-9a-z]{0,17}|[0-9]{11,13}"
    ) {
        for (rule, operation, name) in RULES {
            if rule(&text).is_ok() {
                prop_assert!(member_shape(operation, name).accepts(&text), "{} {}: {}", operation, name, text);
            }
        }
    }

    #[test]
    fn accepts_agrees_with_constraints(text in "\\PC{0,12}", min in 0usize..9, more in 0usize..9) {
        for shape in [super::string(min, min + more), super::string(min, min + more).with_pattern("[a-z]*")] {
            prop_assert_eq!(shape.accepts(&text), shape.constraints(&text).iter().all(|(_, is_kept)| *is_kept));
        }
    }

    #[test]
    fn base64_decoded_length_matches_the_encoded_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..50)) {
        use base64::Engine as _;
        let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
        prop_assert_eq!(body::base64_decoded_length(&encoded), Some(bytes.len()));
    }

    #[test]
    fn validate_never_panics(text in "\\PC{0,60}", value in "[\\[\\]{}\",:a-zA-Z0-9 ]{0,60}") {
        for operation in ["CreateKey", "CreateGrant", "Encrypt"] {
            let members = request_members(operation).unwrap();
            let _ = (validate(members, text.as_bytes()), validate(members, format!("{{\"KeyId\":{value}}}").as_bytes()));
        }
    }
}
