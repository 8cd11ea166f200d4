//! The documented patterns and limits that forms validate, with user-facing messages, and the limits that only the API
//! documentation states, each with its source. The constraints of the API model are in [`shape`](super::shape).

mod custom_key_store;
mod iam;
mod violation;

pub use self::custom_key_store::{
    XKS_PROXY_PATH_SUFFIX, custom_key_store_name, xks_proxy_access_key_id, xks_proxy_address, xks_proxy_host,
    xks_proxy_path_prefix, xks_proxy_secret_access_key, xks_proxy_uri_endpoint, xks_proxy_uri_path,
    xks_proxy_vpc_endpoint_service_name,
};
pub use self::iam::{iam_name, mfa_code, mfa_serial, role_session_name, session_duration, source_identity};
pub use self::violation::Violation;
use self::violation::{check_blob_length, check_length, check_pattern, check_range};
use super::error::ServiceError;
use super::kms::Tag;

/// The maximum number of tags on a KMS key (KMS resource quotas).
pub const MAX_TAGS: usize = 50;
/// The maximum length of an alias name in characters, including `alias/` (`AliasNameType`).
pub const MAX_ALIAS_LENGTH: usize = 256;
/// The maximum length of a description in characters (`DescriptionType`).
pub const MAX_DESCRIPTION_LENGTH: usize = 8192;
/// The maximum size of a key policy document in bytes (KMS resource quotas; the API model allows 131,072 characters).
pub const MAX_POLICY_BYTES: usize = 32_768;
/// The maximum plaintext size for Encrypt in bytes (`PlaintextType`).
pub const MAX_PLAINTEXT_BYTES: usize = 4096;
/// The maximum ciphertext size in bytes (`CiphertextType`).
pub const MAX_CIPHERTEXT_BYTES: usize = 6144;
/// The time that KMS gives an external key store proxy to respond, in milliseconds (XKS proxy API specification).
pub const XKS_PROXY_TIMEOUT_MILLIS: u16 = 250;
/// The prefix of every alias name.
pub const ALIAS_PREFIX: &str = "alias/";

/// Validates a full alias name: 1 to 256 characters of `^[a-zA-Z0-9:/_-]+$` that start with `alias/`, without a colon,
/// and not `alias/aws/…` (`AliasNameType`; CreateAlias).
pub fn alias_name(full_name: &str) -> Result<(), Violation> {
    let member = "aliasName";
    let bare = full_name.strip_prefix(ALIAS_PREFIX).ok_or_else(|| {
        Violation::new(
            member,
            "An alias name must start with alias/.",
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        )
    })?;
    check_length(member, "Alias", bare, 1, MAX_ALIAS_LENGTH - ALIAS_PREFIX.len())?;
    if bare.contains(':') {
        return Err(Violation::new(
            member,
            "Alias can't contain \":\". Valid characters are a-z, A-Z, 0-9, / (slash), _ (underscore), and - (hyphen).",
            format!("{full_name} contains invalid characters for an alias"),
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-');
    let valid_characters = "a-z, A-Z, 0-9, / (slash), _ (underscore), and - (hyphen)";
    check_pattern(member, "Alias", bare, allowed, valid_characters, "^[a-zA-Z0-9:/_-]+$")?;
    if is_reserved_alias(full_name) {
        return Err(Violation::new(
            member,
            "An alias can't start with aws/. Names with this prefix are reserved for AWS managed keys.",
            "Member must not begin with alias/aws/",
        ));
    }
    Ok(())
}

/// Whether the alias name is reserved for AWS managed keys: it starts with `alias/aws/`.
pub fn is_reserved_alias(full_name: &str) -> bool {
    full_name.starts_with("alias/aws/")
}

/// Validates an external key ID: 1 to 128 characters of `^[a-zA-Z0-9-_.]+$` (`XksKeyIdType`).
pub fn xks_key_id(id: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    check_length("xksKeyId", "External key ID", id, 1, 128)?;
    let valid_characters = "a-z, A-Z, 0-9, - (hyphen), _ (underscore), and . (dot)";
    check_pattern("xksKeyId", "External key ID", id, allowed, valid_characters, "^[a-zA-Z0-9-_.]+$")
}

/// Validates a description: 0 to 8,192 characters (`DescriptionType`).
pub fn description(text: &str) -> Result<(), Violation> {
    check_length("description", "Description", text, 0, MAX_DESCRIPTION_LENGTH)
}

/// Whether a character is valid in a tag: letters, digits, spaces, and `+ - = . _ : / @` (AWS's usual tag rule).
fn is_tag_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, ' ' | '+' | '-' | '=' | '.' | '_' | ':' | '/' | '@')
}

const TAG_CHARACTERS: &str = "letters, digits, spaces, and + - = . _ : / @";
const TAG_REGEX: &str = "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$";

/// Validates a tag key: 1 to 128 characters that don't start with `aws:` (`TagKeyType`; tagging rules).
pub fn tag_key(key: &str) -> Result<(), Violation> {
    let member = "tags.1.member.tagKey";
    check_length(member, "Tag key", key, 1, 128)?;
    check_pattern(member, "Tag key", key, is_tag_character, TAG_CHARACTERS, TAG_REGEX)?;
    if is_reserved_tag(key) {
        return Err(Violation::new(
            member,
            "A tag key can't start with aws:. This prefix is reserved for AWS.",
            "Tags beginning with aws: are reserved",
        ));
    }
    Ok(())
}

/// Whether only AWS services can set a tag with this key.
pub fn is_reserved_tag(key: &str) -> bool {
    key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// Validates a tag value: 0 to 256 characters (`TagValueType`).
pub fn tag_value(value: &str) -> Result<(), Violation> {
    let member = "tags.1.member.tagValue";
    check_length(member, "Tag value", value, 0, 256)?;
    check_pattern(member, "Tag value", value, is_tag_character, TAG_CHARACTERS, TAG_REGEX)
}

/// Validates the tags of a request: at most 50 valid, unique, and unreserved tags. Errors use AWS's codes and messages.
pub fn tags(tags: &[Tag]) -> Result<(), ServiceError> {
    for tag in tags {
        if is_reserved_tag(&tag.tag_key) {
            return Err(ServiceError::new("TagException", "Tags beginning with aws: are reserved"));
        }
        tag_key(&tag.tag_key).map_err(|violation| violation.to_service_error(&tag.tag_key))?;
        tag_value(&tag.tag_value).map_err(|violation| violation.to_service_error(&tag.tag_value))?;
    }
    let keys: std::collections::HashSet<&str> = tags.iter().map(|tag| tag.tag_key.as_str()).collect();
    if keys.len() != tags.len() {
        return Err(ServiceError::new("TagException", "Duplicate tag keys"));
    }
    if tags.len() > MAX_TAGS {
        return Err(ServiceError::new("TagException", "Too many tags"));
    }
    Ok(())
}

/// Validates the waiting period before a key is deleted: 7 to 30 days (ScheduleKeyDeletion).
pub fn pending_window_in_days(days: u32) -> Result<(), Violation> {
    check_range("pendingWindowInDays", "Waiting period (in days)", days.into(), 7, 30)
}

/// Validates a key identifier of any form: 1 to 2,048 characters (`KeyIdType`).
pub fn key_id(id: &str) -> Result<(), Violation> {
    check_length("keyId", "Key ID", id, 1, 2048)
}

/// Validates an AWS account ID: 12 digits (`AccountIdType`).
pub fn account_id(id: &str) -> Result<(), Violation> {
    if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let reason = if id.is_empty() {
        "Enter a 12-digit account ID, or remove the row.".to_owned()
    } else {
        "An account ID must have exactly 12 digits, without hyphens or spaces.".to_owned()
    };
    Err(Violation::new("accountId", reason, "Member must satisfy regular expression pattern: [0-9]{12}"))
}

/// Validates the size and characters of a policy document (`PolicyType` `[\u0009\u000A\u000D\u0020-\u00FF]+`; 32 KB
/// quota).
pub fn policy_text(text: &str) -> Result<(), Violation> {
    check_length("policy", "Key policy", text, 1, 131_072)?;
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r') || ('\u{20}'..='\u{ff}').contains(&c);
    let regex = "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
    check_pattern("policy", "Key policy", text, allowed, "Latin-1 characters, tabs, and line breaks", regex)?;
    if text.len() > MAX_POLICY_BYTES {
        let reason = format!("Key policy can't have more than {MAX_POLICY_BYTES} bytes. It has {}.", text.len());
        return Err(Violation::new("policy", reason, "Member must have length less than or equal to 32768"));
    }
    Ok(())
}

/// Validates the `Limit` of a list request: 1 to `max`, which depends on the operation (member documentation).
pub fn list_limit(limit: u32, max: u32) -> Result<(), Violation> {
    check_range("limit", "Limit", limit.into(), 1, max.into())
}

/// Validates a plaintext: 1 to 4,096 bytes (`PlaintextType`).
pub fn plaintext(bytes: &[u8]) -> Result<(), Violation> {
    check_blob_length("plaintext", "Plaintext", bytes, MAX_PLAINTEXT_BYTES)
}

/// Validates a ciphertext: 1 to 6,144 bytes (`CiphertextType`).
pub fn ciphertext(bytes: &[u8]) -> Result<(), Violation> {
    check_blob_length("ciphertextBlob", "Ciphertext", bytes, MAX_CIPHERTEXT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn alias_name_follows_the_alias_rules() {
        assert!(alias_name("alias/payments/eu_1-a").is_ok());
        for wrong in ["payments", "alias/", "alias/a b", "alias/a:b", "alias/aws/s3", "alias/é"] {
            assert!(alias_name(wrong).is_err(), "{wrong}");
        }
        assert!(alias_name(&format!("alias/{}", "a".repeat(250))).is_ok());
        assert!(alias_name(&format!("alias/{}", "a".repeat(251))).is_err());
    }

    #[test]
    fn external_key_id_can_contain_a_dot() {
        assert!(xks_key_id("tokenization.v2").is_ok());
        let error = xks_key_id("a b").unwrap_err().to_service_error("a b");
        assert_eq!(
            error.message,
            "1 validation error detected: Value 'a b' at 'xksKeyId' failed to satisfy constraint: \
             Member must satisfy regular expression pattern: ^[a-zA-Z0-9-_.]+$"
        );
    }

    #[test]
    fn tag_errors_match_aws() {
        let tag = |key: &str| Tag { tag_key: key.to_owned(), tag_value: String::new() };
        let code = |list: &[Tag]| tags(list).unwrap_err().to_string();
        assert_eq!(code(&[tag("AWS:x")]), "TagException: Tags beginning with aws: are reserved");
        assert_eq!(code(&[tag("a"), tag("a")]), "TagException: Duplicate tag keys");
        let many: Vec<Tag> = (0..51).map(|n| tag(&n.to_string())).collect();
        assert_eq!(code(&many), "TagException: Too many tags");
        assert!(tags(&many[..50]).is_ok());
    }

    proptest! {
        #[test]
        fn external_key_id_matches_the_documented_pattern(id in "[a-zA-Z0-9._-]{1,128}", wrong in "[^a-zA-Z0-9._-]") {
            prop_assert!(xks_key_id(&id).is_ok());
            let id = format!("{id}{wrong}");
            prop_assert!(xks_key_id(&id).is_err());
        }

        #[test]
        fn account_id_has_twelve_digits(id in "[0-9]{0,20}") {
            prop_assert_eq!(account_id(&id).is_ok(), id.len() == 12);
        }

        #[test]
        fn checks_never_panic(text in "\\PC{0,300}") {
            let _ = (alias_name(&text), tag_key(&text), tag_value(&text), policy_text(&text), xks_key_id(&text));
            let _ = (xks_proxy_uri_endpoint(&text), xks_proxy_uri_path(&text), xks_proxy_path_prefix(&text));
            let _ = (xks_proxy_access_key_id(&text), xks_proxy_secret_access_key(&text));
            let _ = xks_proxy_vpc_endpoint_service_name(&text);
        }
    }
}
