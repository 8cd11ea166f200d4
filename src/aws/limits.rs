//! The documented patterns and limits that forms ask for, with words for people, and those that stand only in the API's
//! text; each with its source. What the API model says of requests is in [`shape`](super::shape)s.

use std::net::SocketAddr;

use super::error::ServiceError;
use super::kms::Tag;

/// Tags a KMS key can have (KMS resource quotas).
pub const MAX_TAGS: usize = 50;
/// Characters of an alias name, `alias/` included (`AliasNameType`).
pub const MAX_ALIAS_LENGTH: usize = 256;
/// Characters of a description (`DescriptionType`).
pub const MAX_DESCRIPTION_LENGTH: usize = 8192;
/// Bytes of a key policy document (KMS resource quotas; the API model alone would allow 131,072 characters).
pub const MAX_POLICY_BYTES: usize = 32_768;
/// Bytes that Encrypt takes (`PlaintextType`).
pub const MAX_PLAINTEXT_BYTES: usize = 4096;
/// Bytes of a ciphertext (`CiphertextType`).
pub const MAX_CIPHERTEXT_BYTES: usize = 6144;
/// Milliseconds that KMS gives an external key store proxy (XKS proxy API specification).
pub const XKS_PROXY_TIMEOUT_MILLIS: u16 = 250;
/// What every alias name starts with.
pub const ALIAS_PREFIX: &str = "alias/";

/// A value that breaks a rule of the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Violation {
    /// The request member, as AWS's messages name it.
    pub member: &'static str,
    /// For people: what is wrong and what to do.
    pub reason: String,
    /// For machines: the constraint in AWS's words.
    pub constraint: String,
}

impl Violation {
    fn new(member: &'static str, reason: impl Into<String>, constraint: impl Into<String>) -> Self {
        Self { member, reason: reason.into(), constraint: constraint.into() }
    }

    /// The `ValidationError` that services of the query protocol answer.
    pub fn to_query_error(&self, value: &str) -> ServiceError {
        ServiceError::new("ValidationError", self.to_service_error(value).message)
    }

    /// The `ValidationException` that AWS answers.
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
            format!("{name} needs at least {min} characters; this has {count}.")
        };
        let constraint = format!("Member must have length greater than or equal to {min}");
        return Err(Violation::new(member, reason, constraint));
    }
    if count > max {
        return Err(Violation::new(
            member,
            format!("{name} can't have more than {max} characters; this has {count}."),
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
            format!("{name} can't have {}. Valid characters are {valid_characters}.", describe_character(wrong)),
            format!("Member must satisfy regular expression pattern: {regex}"),
        )),
    }
}

fn describe_character(character: char) -> String {
    match character {
        ' ' => "a blank".to_owned(),
        other if other.is_control() => format!("the control character U+{:04X}", u32::from(other)),
        other => format!("‘{other}’"),
    }
}

/// A full alias name: 1 to 256 of `^[a-zA-Z0-9:/_-]+$`, starting with `alias/`, no colon, not `alias/aws/…`
/// (`AliasNameType`; CreateAlias).
pub fn alias_name(full_name: &str) -> Result<(), Violation> {
    let member = "aliasName";
    let bare = full_name.strip_prefix(ALIAS_PREFIX).ok_or_else(|| {
        Violation::new(
            member,
            "An alias name starts with alias/.",
            "Alias must start with the prefix \"alias/\". Please see \
             https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
        )
    })?;
    check_length(member, "Alias", bare, 1, MAX_ALIAS_LENGTH - ALIAS_PREFIX.len())?;
    if bare.contains(':') {
        return Err(Violation::new(
            member,
            "Alias can't have ‘:’. Valid characters are a-z, A-Z, 0-9, / (slash), _ (underscore) and - (hyphen).",
            format!("{full_name} contains invalid characters for an alias"),
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-');
    let valid_characters = "a-z, A-Z, 0-9, / (slash), _ (underscore) and - (hyphen)";
    check_pattern(member, "Alias", bare, allowed, valid_characters, "^[a-zA-Z0-9:/_-]+$")?;
    if is_reserved_alias(full_name) {
        return Err(Violation::new(
            member,
            "Alias can't begin with aws/: these names are reserved for AWS managed keys.",
            "Member must not begin with alias/aws/",
        ));
    }
    Ok(())
}

/// Whether the name belongs to AWS: it starts with `alias/aws/`.
pub fn is_reserved_alias(full_name: &str) -> bool {
    full_name.starts_with("alias/aws/")
}

/// An external key ID: 1 to 128 of `^[a-zA-Z0-9-_.]+$` (`XksKeyIdType`; the proxy specification allows the dot too).
pub fn xks_key_id(id: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    check_length("xksKeyId", "External key ID", id, 1, 128)?;
    let valid_characters = "a-z, A-Z, 0-9, - (hyphen), _ (underscore) and . (dot)";
    check_pattern("xksKeyId", "External key ID", id, allowed, valid_characters, "^[a-zA-Z0-9-_.]+$")
}

/// The name of a role's session: 2 to 64 of `[\w+=,.@-]*` (STS, `roleSessionNameType`).
pub fn role_session_name(name: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_length("roleSessionName", "Role session name", name, 2, 64)?;
    check_pattern(
        "roleSessionName",
        "Role session name",
        name,
        allowed,
        "letters, digits and _ + = , . @ -",
        "[\\w+=,.@-]*",
    )
}

/// Who is behind a session: 2 to 64 of `[\w+=,.@-]*` (STS, `sourceIdentityType`).
pub fn source_identity(name: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_length("sourceIdentity", "Source identity", name, 2, 64)?;
    check_pattern(
        "sourceIdentity",
        "Source identity",
        name,
        allowed,
        "letters, digits and _ + = , . @ -",
        "[\\w+=,.@-]*",
    )
}

/// The name of an IAM user, role or inline policy: 1 to `most` of `[\w+=,.@-]+` (IAM, `userNameType`).
pub fn iam_name(field: &'static str, name: &str, max: usize) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_length(field, "The name", name, 1, max)?;
    check_pattern(field, "The name", name, allowed, "letters, digits and _ + = , . @ -", "[\\w+=,.@-]+")
}

/// How long a session of a role lasts: 900 to 43,200 seconds (STS, `roleDurationSecondsType`).
pub fn session_duration(seconds: u32) -> Result<(), Violation> {
    check_range("durationSeconds", seconds.into(), 900, 43_200)
}

/// The serial number of an MFA device, or its ARN: 9 to 256 of `[\w+=/:,.@-]*` (STS, `serialNumberType`).
pub fn mfa_serial(serial: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c);
    check_length("serialNumber", "The serial number", serial, 9, 256)?;
    check_pattern(
        "serialNumber",
        "The serial number",
        serial,
        allowed,
        "letters, digits and _ + = / : , . @ -",
        "[\\w+=/:,.@-]*",
    )
}

/// What an MFA device shows: 6 of `[\d]*` (STS, `tokenCodeType`).
pub fn mfa_code(code: &str) -> Result<(), Violation> {
    check_length("tokenCode", "The code", code, 6, 6)?;
    check_pattern("tokenCode", "The code", code, |c| c.is_ascii_digit(), "digits", "[\\d]*")
}

/// 0 to 8,192 characters (`DescriptionType`).
pub fn description(text: &str) -> Result<(), Violation> {
    check_length("description", "Description", text, 0, MAX_DESCRIPTION_LENGTH)
}

/// Whether a character may stand in a tag: letters, digits, blanks and `+ - = . _ : / @` (AWS's usual tag rule).
fn is_tag_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, ' ' | '+' | '-' | '=' | '.' | '_' | ':' | '/' | '@')
}

const TAG_CHARACTERS: &str = "letters, digits, blanks and + - = . _ : / @";
const TAG_REGEX: &str = "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$";

/// A tag key: 1 to 128 characters, not starting with `aws:` (`TagKeyType`; tagging rules).
pub fn tag_key(key: &str) -> Result<(), Violation> {
    let member = "tags.1.member.tagKey";
    check_length(member, "Tag key", key, 1, 128)?;
    check_pattern(member, "Tag key", key, is_tag_character, TAG_CHARACTERS, TAG_REGEX)?;
    if is_reserved_tag(key) {
        return Err(Violation::new(
            member,
            "Tag key can't begin with aws: — these keys are reserved for AWS.",
            "Tags beginning with aws: are reserved",
        ));
    }
    Ok(())
}

fn is_reserved_tag(key: &str) -> bool {
    key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"))
}

/// A tag value: 0 to 256 characters (`TagValueType`).
pub fn tag_value(value: &str) -> Result<(), Violation> {
    let member = "tags.1.member.tagValue";
    check_length(member, "Tag value", value, 0, 256)?;
    check_pattern(member, "Tag value", value, is_tag_character, TAG_CHARACTERS, TAG_REGEX)
}

/// The tags of one request: each right, no key twice, at most 50, none reserved, with AWS's codes and texts.
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

/// 1 to 256 characters (`CustomKeyStoreNameType`).
pub fn custom_key_store_name(name: &str) -> Result<(), Violation> {
    check_length("customKeyStoreName", "Key store name", name, 1, 256)
}

/// The proxy's URI endpoint: 10 to 128 of `^https://[a-zA-Z0-9.-]+$` (`XksProxyUriEndpointType`). No port, no slash.
pub fn xks_proxy_uri_endpoint(endpoint: &str) -> Result<(), Violation> {
    let (member, name) = ("xksProxyUriEndpoint", "Proxy URI endpoint");
    let regex = "Member must satisfy regular expression pattern: ^https://[a-zA-Z0-9.-]+$";
    check_length(member, name, endpoint, 10, 128)?;
    let Some(host) = endpoint.strip_prefix("https://") else {
        return Err(Violation::new(member, format!("{name} must start with https://."), regex));
    };
    if host.contains(':') || host.contains('/') {
        let reason = format!("{name} is https:// and a host name alone: no port (it is 443) and no path.");
        return Err(Violation::new(member, reason, regex));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    check_pattern(member, name, host, allowed, "a-z, A-Z, 0-9, . (dot) and - (hyphen)", "^https://[a-zA-Z0-9.-]+$")
}

/// The host of a proxy: what follows `https://` in its URI endpoint.
pub fn xks_proxy_host(host: &str) -> Result<(), Violation> {
    let (member, name) = ("host", "Proxy host");
    check_length(member, name, host, 1, 120)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    check_pattern(member, name, host, allowed, "a-z, A-Z, 0-9, . (dot) and - (hyphen)", "^[a-zA-Z0-9.-]+$")
}

/// Where a proxy is looked for instead of at port 443 of its host: an IP address and a port. No rule of AWS.
pub fn xks_proxy_address(address: &str) -> Result<SocketAddr, Violation> {
    address.parse().ok().filter(|address: &SocketAddr| address.port() != 0).ok_or_else(|| {
        let reason = "Proxy address is an IP address and a port, such as 127.0.0.1:8443 or [::1]:8443.";
        Violation::new("address", reason, "Member must be ADDRESS:PORT")
    })
}

/// The end of every proxy URI path.
pub const XKS_PROXY_PATH_SUFFIX: &str = "/kms/xks/v1";

/// The proxy's URI path: 10 to 128 of `(/prefix)/kms/xks/v1`, the prefix of `a-zA-Z0-9/_-` (`XksProxyUriPathType`).
pub fn xks_proxy_uri_path(path: &str) -> Result<(), Violation> {
    let (member, name) = ("xksProxyUriPath", "Proxy URI path");
    let regex = "^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$";
    check_length(member, name, path, 10, 128)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-');
    check_pattern(member, name, path, allowed, "a-z, A-Z, 0-9, / (slash), - (hyphen) and _ (underscore)", regex)?;
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

/// The console's prefix of the proxy URI path: empty, or a path that makes a valid one with `/kms/xks/v1` after it.
pub fn xks_proxy_path_prefix(prefix: &str) -> Result<(), Violation> {
    if prefix.is_empty() {
        return Ok(());
    }
    let (member, name) = ("xksProxyUriPath", "Path prefix");
    if !prefix.starts_with('/') || prefix.ends_with('/') {
        let reason = format!("{name} starts with / (slash) and does not end with one, such as /example/path.");
        return Err(Violation::new(member, reason, "Member must satisfy regular expression pattern"));
    }
    xks_proxy_uri_path(&format!("{prefix}{XKS_PROXY_PATH_SUFFIX}"))
}

/// The ID of a proxy credential: 20 to 30 of `^[A-Z2-7]+$` (`XksProxyAuthenticationAccessKeyIdType`).
pub fn xks_proxy_access_key_id(id: &str) -> Result<(), Violation> {
    let (member, name) = ("xksProxyAuthenticationCredential.accessKeyId", "Access key ID");
    check_length(member, name, id, 20, 30)?;
    let allowed = |c: char| matches!(c, 'A'..='Z' | '2'..='7');
    check_pattern(member, name, id, allowed, "A-Z and 2-7", "^[A-Z2-7]+$")
}

/// The secret of a proxy credential: 43 to 64 of `^[a-zA-Z0-9\/+=]+$` (`XksProxyAuthenticationRawSecretAccessKeyType`).
/// The reason names no character of it.
pub fn xks_proxy_secret_access_key(secret: &str) -> Result<(), Violation> {
    let (member, name) = ("xksProxyAuthenticationCredential.rawSecretAccessKey", "Secret access key");
    check_length(member, name, secret, 43, 64)?;
    if secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'=')) {
        return Ok(());
    }
    Err(Violation::new(
        member,
        format!("{name} has a character that it can't have. Valid characters are a-z, A-Z, 0-9, /, + and =."),
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9\\/+=]+$",
    ))
}

/// The name of a VPC endpoint service: 20 to 64, such as `com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0`
/// (`XksProxyVpcEndpointServiceNameType`).
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
        format!("{label} looks like com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0."),
        "Member must satisfy regular expression pattern: \
         ^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$",
    ))
}

/// Days until a key is deleted: 7 to 30 (ScheduleKeyDeletion).
pub fn pending_window_in_days(days: u32) -> Result<(), Violation> {
    check_range("pendingWindowInDays", days.into(), 7, 30)
}

/// A key identifier of any form: 1 to 2,048 characters (`KeyIdType`).
pub fn key_id(id: &str) -> Result<(), Violation> {
    check_length("keyId", "Key ID", id, 1, 2048)
}

/// An AWS account ID: twelve digits (`AccountIdType`).
pub fn account_id(id: &str) -> Result<(), Violation> {
    if id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    let reason = if id.is_empty() {
        "An account ID is required: 12 digits. Remove the row if there is no other account.".to_owned()
    } else {
        "An account ID has exactly 12 digits, without hyphens or blanks.".to_owned()
    };
    Err(Violation::new("accountId", reason, "Member must satisfy regular expression pattern: [0-9]{12}"))
}

/// The size and characters of a policy document (`PolicyType` `[\u0009\u000A\u000D\u0020-\u00FF]+`; 32 KB quota).
pub fn policy_text(text: &str) -> Result<(), Violation> {
    check_length("policy", "Key policy", text, 1, 131_072)?;
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r') || ('\u{20}'..='\u{ff}').contains(&c);
    let regex = "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+";
    check_pattern("policy", "Key policy", text, allowed, "those of Latin-1, tab and line breaks", regex)?;
    if text.len() > MAX_POLICY_BYTES {
        let reason = format!("Key policy can't have more than {MAX_POLICY_BYTES} bytes; this has {}.", text.len());
        return Err(Violation::new("policy", reason, "Member must have length less than or equal to 32768"));
    }
    Ok(())
}

fn check_range(member: &'static str, value: u64, min: u64, max: u64) -> Result<(), Violation> {
    if value < min {
        let constraint = format!("Member must have value greater than or equal to {min}");
        return Err(Violation::new(member, format!("{member} can't be less than {min}."), constraint));
    }
    if value > max {
        let constraint = format!("Member must have value less than or equal to {max}");
        return Err(Violation::new(member, format!("{member} can't be more than {max}."), constraint));
    }
    Ok(())
}

/// The `Limit` of a list: 1 to `most`, which differs by operation (member documentation).
pub fn list_limit(limit: u32, max: u32) -> Result<(), Violation> {
    check_range("limit", limit.into(), 1, max.into())
}

/// What Encrypt takes: 1 to 4,096 bytes (`PlaintextType`).
pub fn plaintext(bytes: &[u8]) -> Result<(), Violation> {
    check_blob_length("plaintext", bytes, MAX_PLAINTEXT_BYTES)
}

/// A ciphertext: 1 to 6,144 bytes (`CiphertextType`).
pub fn ciphertext(bytes: &[u8]) -> Result<(), Violation> {
    check_blob_length("ciphertextBlob", bytes, MAX_CIPHERTEXT_BYTES)
}

fn check_blob_length(member: &'static str, bytes: &[u8], max: usize) -> Result<(), Violation> {
    if bytes.is_empty() {
        let constraint = "Member must have length greater than or equal to 1";
        return Err(Violation::new(member, format!("{member} is empty."), constraint));
    }
    if bytes.len() > max {
        let reason = format!("{member} can't have more than {max} bytes; this has {}.", bytes.len());
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
