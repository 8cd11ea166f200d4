//! The documented patterns and limits that forms validate, with user-facing messages, and the limits that only the API
//! documentation states, each with its source. The constraints of the API model are in [`shape`](super::shape).

use std::net::SocketAddr;

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

/// A value that violates a constraint of the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Violation {
    /// The request member, spelled as in AWS error messages.
    pub member: &'static str,
    /// The user-facing message: what is wrong, and what to do.
    pub reason: String,
    /// The constraint, in AWS's wording.
    pub constraint: String,
}

impl Violation {
    fn new(member: &'static str, reason: impl Into<String>, constraint: impl Into<String>) -> Self {
        Self { member, reason: reason.into(), constraint: constraint.into() }
    }

    /// Returns the `ValidationError` of query protocol services.
    pub fn to_query_error(&self, value: &str) -> ServiceError {
        ServiceError::new("ValidationError", self.to_service_error(value).message)
    }

    /// Returns the `ValidationException` of AWS.
    pub fn to_service_error(&self, value: &str) -> ServiceError {
        let constraint = &self.constraint;
        if constraint.starts_with("Alias must") || constraint.contains("invalid characters for an alias") {
            return ServiceError::validation(constraint.clone());
        }
        ServiceError::validation(format!(
            "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {constraint}",
            self.member
        ))
    }
}

fn check_length(member: &'static str, name: &str, text: &str, min: usize, max: usize) -> Result<(), Violation> {
    let count = text.chars().count();
    if count < min {
        let reason = if count == 0 {
            format!("{name} is required.")
        } else {
            format!("{name} must have at least {min} characters. You entered {count}.")
        };
        let constraint = format!("Member must have length greater than or equal to {min}");
        return Err(Violation::new(member, reason, constraint));
    }
    if count > max {
        return Err(Violation::new(
            member,
            format!("{name} can't have more than {max} characters. You entered {count}."),
            format!("Member must have length less than or equal to {max}"),
        ));
    }
    Ok(())
}

fn check_pattern(
    member: &'static str,
    name: &str,
    text: &str,
    allowed: impl Fn(char) -> bool,
    valid_characters: &str,
    regex: &str,
) -> Result<(), Violation> {
    match text.chars().find(|character| !allowed(*character)) {
        None => Ok(()),
        Some(wrong) => Err(Violation::new(
            member,
            format!("{name} can't contain {}. Valid characters are {valid_characters}.", describe_character(wrong)),
            format!("Member must satisfy regular expression pattern: {regex}"),
        )),
    }
}

fn describe_character(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        other if other.is_control() => format!("the control character U+{:04X}", u32::from(other)),
        other => format!("\"{other}\""),
    }
}

/// Validates a full alias name: 1 to 256 characters of `^[a-zA-Z0-9:/_-]+$` that begin with `alias/`, without a colon,
/// and not `alias/aws/…` (`AliasNameType`; CreateAlias).
pub fn alias_name(full_name: &str) -> Result<(), Violation> {
    let member = "aliasName";
    let bare = full_name.strip_prefix(ALIAS_PREFIX).ok_or_else(|| {
        Violation::new(
            member,
            "An alias name must begin with alias/.",
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
            "Alias can't begin with aws/, because these names are reserved for AWS managed keys.",
            "Member must not begin with alias/aws/",
        ));
    }
    Ok(())
}

/// Whether the alias name is reserved for AWS managed keys: it begins with `alias/aws/`.
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

/// Validates a role session name: 2 to 64 characters of `[\w+=,.@-]*` (STS, `roleSessionNameType`).
pub fn role_session_name(name: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_length("roleSessionName", "Role session name", name, 2, 64)?;
    check_pattern(
        "roleSessionName",
        "Role session name",
        name,
        allowed,
        "letters, digits, and _ + = , . @ -",
        "[\\w+=,.@-]*",
    )
}

/// Validates a source identity: 2 to 64 characters of `[\w+=,.@-]*` (STS, `sourceIdentityType`).
pub fn source_identity(name: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_length("sourceIdentity", "Source identity", name, 2, 64)?;
    check_pattern(
        "sourceIdentity",
        "Source identity",
        name,
        allowed,
        "letters, digits, and _ + = , . @ -",
        "[\\w+=,.@-]*",
    )
}

/// Validates the name of an IAM user, role, or inline policy: 1 to `max` characters of `[\w+=,.@-]+` (IAM,
/// `userNameType`).
pub fn iam_name(field: &'static str, name: &str, max: usize) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_length(field, "The name", name, 1, max)?;
    check_pattern(field, "The name", name, allowed, "letters, digits, and _ + = , . @ -", "[\\w+=,.@-]+")
}

/// Validates a role session duration: 900 to 43,200 seconds (STS, `roleDurationSecondsType`).
pub fn session_duration(seconds: u32) -> Result<(), Violation> {
    check_range("durationSeconds", "Session duration (in seconds)", seconds.into(), 900, 43_200)
}

/// Validates the serial number or ARN of an MFA device: 9 to 256 characters of `[\w+=/:,.@-]*` (STS,
/// `serialNumberType`).
pub fn mfa_serial(serial: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c);
    check_length("serialNumber", "The serial number", serial, 9, 256)?;
    check_pattern(
        "serialNumber",
        "The serial number",
        serial,
        allowed,
        "letters, digits, and _ + = / : , . @ -",
        "[\\w+=/:,.@-]*",
    )
}

/// Validates an MFA code: 6 characters of `[\d]*` (STS, `tokenCodeType`).
pub fn mfa_code(code: &str) -> Result<(), Violation> {
    check_length("tokenCode", "The code", code, 6, 6)?;
    check_pattern("tokenCode", "The code", code, |c| c.is_ascii_digit(), "digits", "[\\d]*")
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

/// Validates a tag key: 1 to 128 characters that don't begin with `aws:` (`TagKeyType`; tagging rules).
pub fn tag_key(key: &str) -> Result<(), Violation> {
    let member = "tags.1.member.tagKey";
    check_length(member, "Tag key", key, 1, 128)?;
    check_pattern(member, "Tag key", key, is_tag_character, TAG_CHARACTERS, TAG_REGEX)?;
    if is_reserved_tag(key) {
        return Err(Violation::new(
            member,
            "Tag key can't begin with aws:, because these keys are reserved for AWS.",
            "Tags beginning with aws: are reserved",
        ));
    }
    Ok(())
}

fn is_reserved_tag(key: &str) -> bool {
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

/// Validates a key store name: 1 to 256 characters (`CustomKeyStoreNameType`).
pub fn custom_key_store_name(name: &str) -> Result<(), Violation> {
    check_length("customKeyStoreName", "Key store name", name, 1, 256)
}

/// Validates a proxy URI endpoint: 10 to 128 characters of `^https://[a-zA-Z0-9.-]+$` (`XksProxyUriEndpointType`).
pub fn xks_proxy_uri_endpoint(endpoint: &str) -> Result<(), Violation> {
    let (member, name) = ("xksProxyUriEndpoint", "Proxy URI endpoint");
    let regex = "Member must satisfy regular expression pattern: ^https://[a-zA-Z0-9.-]+$";
    check_length(member, name, endpoint, 10, 128)?;
    let Some(host) = endpoint.strip_prefix("https://") else {
        return Err(Violation::new(member, format!("{name} must start with https://."), regex));
    };
    if host.contains(':') || host.contains('/') {
        let reason = format!("{name} must be https:// and a host name, without a path or port. The port is 443.");
        return Err(Violation::new(member, reason, regex));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    check_pattern(member, name, host, allowed, "a-z, A-Z, 0-9, . (dot), and - (hyphen)", "^https://[a-zA-Z0-9.-]+$")
}

/// Validates the host of a proxy: the part after `https://` in its URI endpoint.
pub fn xks_proxy_host(host: &str) -> Result<(), Violation> {
    let (member, name) = ("host", "Proxy host");
    check_length(member, name, host, 1, 120)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    check_pattern(member, name, host, allowed, "a-z, A-Z, 0-9, . (dot), and - (hyphen)", "^[a-zA-Z0-9.-]+$")
}

/// Parses the address that replaces port 443 of the proxy's host: an IP address and a port. This isn't an AWS rule.
pub fn xks_proxy_address(address: &str) -> Result<SocketAddr, Violation> {
    address.parse().ok().filter(|address: &SocketAddr| address.port() != 0).ok_or_else(|| {
        let reason = "Proxy address must be an IP address and a port, such as 127.0.0.1:8443 or [::1]:8443.";
        Violation::new("address", reason, "Member must be ADDRESS:PORT")
    })
}

/// The suffix of every proxy URI path.
pub const XKS_PROXY_PATH_SUFFIX: &str = "/kms/xks/v1";

/// Validates a proxy URI path: 10 to 128 characters, an optional prefix of `a-zA-Z0-9/_-` and `/kms/xks/v1`
/// (`XksProxyUriPathType`).
pub fn xks_proxy_uri_path(path: &str) -> Result<(), Violation> {
    let (member, name) = ("xksProxyUriPath", "Proxy URI path");
    let regex = "^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$";
    check_length(member, name, path, 10, 128)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-');
    check_pattern(member, name, path, allowed, "a-z, A-Z, 0-9, / (slash), - (hyphen), and _ (underscore)", regex)?;
    let is_version = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    match path.rsplit_once("/kms/xks/v") {
        Some((prefix, version))
            if is_version(version) && (prefix.is_empty() || prefix.starts_with('/') && prefix.len() > 1) =>
        {
            Ok(())
        }
        _ => Err(Violation::new(
            member,
            format!("{name} must start with / and end with {XKS_PROXY_PATH_SUFFIX}."),
            format!("Member must satisfy regular expression pattern: {regex}"),
        )),
    }
}

/// Validates a proxy URI path prefix: empty, or a path that is valid with `/kms/xks/v1` appended.
pub fn xks_proxy_path_prefix(prefix: &str) -> Result<(), Violation> {
    if prefix.is_empty() {
        return Ok(());
    }
    let (member, name) = ("xksProxyUriPath", "Path prefix");
    if !prefix.starts_with('/') || prefix.ends_with('/') {
        let reason = format!("{name} must start with / (slash) and must not end with one, such as /example/path.");
        return Err(Violation::new(member, reason, "Member must satisfy regular expression pattern"));
    }
    xks_proxy_uri_path(&format!("{prefix}{XKS_PROXY_PATH_SUFFIX}"))
}

/// Validates the access key ID of a proxy credential: 20 to 30 characters of `^[A-Z2-7]+$`
/// (`XksProxyAuthenticationAccessKeyIdType`).
pub fn xks_proxy_access_key_id(id: &str) -> Result<(), Violation> {
    let (member, name) = ("xksProxyAuthenticationCredential.accessKeyId", "Access key ID");
    check_length(member, name, id, 20, 30)?;
    let allowed = |c: char| matches!(c, 'A'..='Z' | '2'..='7');
    check_pattern(member, name, id, allowed, "A-Z and 2-7", "^[A-Z2-7]+$")
}

/// Validates the secret access key of a proxy credential: 43 to 64 characters of `^[a-zA-Z0-9\/+=]+$`
/// (`XksProxyAuthenticationRawSecretAccessKeyType`). The message quotes no character of the secret.
pub fn xks_proxy_secret_access_key(secret: &str) -> Result<(), Violation> {
    let (member, name) = ("xksProxyAuthenticationCredential.rawSecretAccessKey", "Secret access key");
    check_length(member, name, secret, 43, 64)?;
    if secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'=')) {
        return Ok(());
    }
    Err(Violation::new(
        member,
        format!("{name} contains an invalid character. Valid characters are a-z, A-Z, 0-9, /, +, and =."),
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9\\/+=]+$",
    ))
}

/// Validates the name of a VPC endpoint service: 20 to 64 characters, such as
/// `com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0` (`XksProxyVpcEndpointServiceNameType`).
pub fn xks_proxy_vpc_endpoint_service_name(name: &str) -> Result<(), Violation> {
    let (member, label) = ("xksProxyVpcEndpointServiceName", "VPC endpoint service name");
    check_length(member, label, name, 20, 64)?;
    let is_well_formed = || {
        let rest = name.strip_prefix("com").or(name.strip_prefix("eu"))?.strip_prefix(".amazonaws.vpce.")?;
        let (region, service) = rest.split_once(".vpce-svc-")?;
        let mut parts: Vec<&str> = region.split('-').collect();
        let number = parts.pop()?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let valid_characters =
            parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase()));
        let is_id =
            !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        Some((2..=3).contains(&parts.len()) && is_number && valid_characters && is_id)
    };
    if is_well_formed() == Some(true) {
        return Ok(());
    }
    Err(Violation::new(
        member,
        format!("{label} must have a form such as com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0."),
        "Member must satisfy regular expression pattern: \
         ^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$",
    ))
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
    check_pattern("policy", "Key policy", text, allowed, "Latin-1, tabs, and line breaks", regex)?;
    if text.len() > MAX_POLICY_BYTES {
        let reason = format!("Key policy can't have more than {MAX_POLICY_BYTES} bytes. It has {}.", text.len());
        return Err(Violation::new("policy", reason, "Member must have length less than or equal to 32768"));
    }
    Ok(())
}

fn check_range(member: &'static str, name: &str, value: u64, min: u64, max: u64) -> Result<(), Violation> {
    let reason = || format!("{name} must be between {min} and {max}.");
    if value < min {
        let constraint = format!("Member must have value greater than or equal to {min}");
        return Err(Violation::new(member, reason(), constraint));
    }
    if value > max {
        let constraint = format!("Member must have value less than or equal to {max}");
        return Err(Violation::new(member, reason(), constraint));
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

fn check_blob_length(member: &'static str, name: &str, bytes: &[u8], max: usize) -> Result<(), Violation> {
    if bytes.is_empty() {
        let constraint = "Member must have length greater than or equal to 1";
        return Err(Violation::new(member, format!("{name} is required."), constraint));
    }
    if bytes.len() > max {
        let reason = format!("{name} can't have more than {max} bytes. It has {}.", bytes.len());
        return Err(Violation::new(member, reason, format!("Member must have length less than or equal to {max}")));
    }
    Ok(())
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
    fn proxy_endpoint_is_a_host_and_a_path_only() {
        assert!(xks_proxy_uri_endpoint("https://xks-proxy.example.com").is_ok());
        for wrong in
            ["http://xks.example.com", "https://h:8443", "https://h.example.com/", "https://", "https://a_b.com"]
        {
            assert!(xks_proxy_uri_endpoint(wrong).is_err(), "{wrong}");
        }
        for right in ["/kms/xks/v1", "/example/path/kms/xks/v1", "/a/kms/xks/v12"] {
            assert!(xks_proxy_uri_path(right).is_ok(), "{right}");
        }
        for wrong in
            ["/kms/xks/v", "kms/xks/v1/", "/a b/kms/xks/v1", "/kms/xks/v123", "/x/kms/xks/v1/y", "//kms/xks/v1"]
        {
            assert!(xks_proxy_uri_path(wrong).is_err(), "{wrong}");
        }
        for right in ["", "/a", "/example/path"] {
            assert!(xks_proxy_path_prefix(right).is_ok(), "{right}");
        }
        for wrong in ["a", "/", "/a/"] {
            assert!(xks_proxy_path_prefix(wrong).is_err(), "{wrong}");
        }
        assert!(
            xks_proxy_vpc_endpoint_service_name("com.amazonaws.vpce.us-gov-west-1.vpce-svc-0a1b2c3d4e5f6a7b8").is_ok()
        );
        for wrong in
            ["com.amazonaws.vpce.us.vpce-svc-0a1b2c3d4e5f6a7b8", "org.amazonaws.vpce.us-east-1.vpce-svc-0a1b2c3d"]
        {
            assert!(xks_proxy_vpc_endpoint_service_name(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn proxy_secret_never_appears_in_messages() {
        let secret = "s3cret!".repeat(7);
        let violation = xks_proxy_secret_access_key(&secret).unwrap_err();
        assert!(!format!("{violation:?}").contains("s3cret"));
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
