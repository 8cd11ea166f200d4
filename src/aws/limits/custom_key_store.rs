//! The limits of custom key stores and of their external key store proxies.

use std::net::SocketAddr;

use super::violation::{Violation, check_length, check_pattern};

/// The suffix of every proxy URI path.
pub const XKS_PROXY_PATH_SUFFIX: &str = "/kms/xks/v1";

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
        let reason = format!(
            "{name} must consist of https:// and a host name, without a path or port. AWS KMS always uses port 443."
        );
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
    let (member, name) = ("xksProxyUriPath", "Proxy URI path prefix");
    if !prefix.starts_with('/') || prefix.ends_with('/') {
        let reason = format!("{name} must start with a slash (/) and must not end with one. Example: /example/path.");
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
        format!(
            "{label} must be in the correct form, for example com.amazonaws.vpce.us-west-2.vpce-svc-0123456789abcdef0."
        ),
        "Member must satisfy regular expression pattern: \
         ^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
