//! The URI paths of the API: a partition, an operation, and an external key ID.

use crate::xks::wire::API_PATH;

/// An operation of the API, and its external key ID.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ProxyOperation<'a> {
    Health,
    Metadata(&'a str),
    Encrypt(&'a str),
    Decrypt(&'a str),
}

impl<'a> ProxyOperation<'a> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Health => "GetHealthStatus",
            Self::Metadata(_) => "GetKeyMetadata",
            Self::Encrypt(_) => "Encrypt",
            Self::Decrypt(_) => "Decrypt",
        }
    }

    pub(super) fn key_id(&self) -> Option<&'a str> {
        match self {
            Self::Health => None,
            Self::Metadata(id) | Self::Encrypt(id) | Self::Decrypt(id) => Some(id),
        }
    }
}

/// Parses a URI path into a partition and an operation. External key IDs contain no slashes, but partitions may.
pub(super) fn route(path: &str) -> Option<(&str, ProxyOperation<'_>)> {
    let at = path.rfind(API_PATH)?;
    let (prefix, rest) = (&path[..at], &path[at + API_PATH.len()..]);
    let partition =
        if prefix.is_empty() { prefix } else { prefix.strip_prefix('/').filter(|name| !name.is_empty())? };
    let mut segments = rest.split('/');
    let api = match (segments.next(), segments.next(), segments.next(), segments.next(), segments.next()) {
        (Some(""), Some("health"), None, None, None) => ProxyOperation::Health,
        (Some(""), Some("keys"), Some(id), Some(operation), None) if !id.is_empty() => match operation {
            "metadata" => ProxyOperation::Metadata(id),
            "encrypt" => ProxyOperation::Encrypt(id),
            "decrypt" => ProxyOperation::Decrypt(id),
            _ => return None,
        },
        _ => return None,
    };
    Some((partition, api))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_selects_partition_and_operation() {
        assert_eq!(route("/acme/kms/xks/v1/health"), Some(("acme", ProxyOperation::Health)));
        assert_eq!(route("/kms/xks/v1/health"), Some(("", ProxyOperation::Health)));
        assert_eq!(route("/a/b/kms/xks/v1/keys/k.1/encrypt"), Some(("a/b", ProxyOperation::Encrypt("k.1"))));
        assert_eq!(
            route("/a/kms/xks/v1/kms/xks/v1/keys/k/decrypt"),
            Some(("a/kms/xks/v1", ProxyOperation::Decrypt("k")))
        );
        for path in [
            "/",
            "",
            "/acme",
            "/acme/kms/xks/v1",
            "/acme/kms/xks/v1/",
            "/acme/kms/xks/v1/health/",
            "/acme/kms/xks/v2/health",
            "/acme/kms/xks/v1/keys//encrypt",
            "/acme/kms/xks/v1/keys/k/sign",
            "/acme/kms/xks/v1/keys/k/encrypt/x",
            "/acme/kms/xks/v1keys/k/encrypt",
            "acme/kms/xks/v1/health",
            "//kms/xks/v1x/health",
        ] {
            assert_eq!(route(path), None, "{path}");
        }
    }
}
