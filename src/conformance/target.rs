//! The proxy to check and its credential.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;

use crate::aws::limits;
use crate::aws::scalar::SecretString;

/// The proxy to check and the values that requests to it contain.
#[derive(Clone, Debug)]
pub struct CheckTarget {
    /// The proxy URI endpoint.
    pub endpoint: Endpoint,
    /// The proxy URI path: the prefix, if any, and `/kms/xks/v1`.
    pub uri_path: String,
    /// The access key ID of the proxy credential.
    pub access_key_id: String,
    /// The secret access key of the proxy credential.
    pub secret_access_key: SecretString,
    /// The Region in the credential scope, from which AWS KMS would call the proxy.
    pub region: String,
    /// The `awsPrincipalArn` in requests.
    pub principal: String,
    /// The `kmsKeyArn` in requests.
    pub kms_key_arn: String,
}

/// A proxy URI endpoint that AWS KMS accepts, or a plain HTTP endpoint on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Whether the scheme is `https`, not `http`.
    pub is_tls: bool,
    /// The host name or IP address, without the brackets of an IPv6 address.
    pub host: String,
    /// The port, always 443 with TLS.
    pub port: u16,
    /// The value of the `host` header.
    pub authority: String,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.is_tls { "https" } else { "http" }, self.authority)
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The error must not contain the URL, which can contain a password.
        if text.contains('@') {
            return Err("the URL contains a user name or password. Requests are signed with the proxy credential \
                        instead. Remove everything between // and the host"
                .to_owned());
        }
        let Some(authority) = text.strip_prefix("http://") else {
            limits::xks_proxy_uri_endpoint(text).map_err(|violation| violation.reason)?;
            let host = text.trim_start_matches("https://").to_owned();
            return Ok(Self { is_tls: true, authority: host.clone(), host, port: 443 });
        };
        let uri: http::uri::Authority = authority
            .parse()
            .map_err(|_| format!("\"{authority}\" isn't a valid HOST:PORT. Use a URL such as http://127.0.0.1:8080"))?;
        let host = uri.host().trim_matches(['[', ']']).to_owned();
        if host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
            return Err(
                "plain HTTP is supported only for a proxy on this machine, such as http://127.0.0.1:8080. For other \
                 proxies, use https:// and a host name"
                    .to_owned(),
            );
        }
        Ok(Self { is_tls: false, host, port: uri.port_u16().unwrap_or(80), authority: authority.to_owned() })
    }
}

/// The proxy configuration file that proxy vendors supply. The AWS console accepts the same file.
#[derive(Clone, Debug, Deserialize)]
pub struct ProxyConfigurationFile {
    /// The proxy URI path: the prefix, if any, and `/kms/xks/v1`.
    #[serde(rename = "XksProxyUriPath")]
    pub uri_path: String,
    /// The proxy credential.
    #[serde(rename = "XksProxyAuthenticationCredential")]
    pub credential: FileCredential,
}

/// The credential in a [`ProxyConfigurationFile`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FileCredential {
    /// The access key ID.
    pub access_key_id: String,
    /// The secret access key.
    pub raw_secret_access_key: SecretString,
}

impl FromStr for ProxyConfigurationFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The parser's own message can contain the secret.
        serde_json::from_str(text).map_err(|error| {
            format!(
                "invalid proxy configuration file: error at line {}, column {}. The file must contain JSON with \
                 XksProxyUriPath and XksProxyAuthenticationCredential, which has AccessKeyId and RawSecretAccessKey",
                error.line(),
                error.column()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_is_an_https_host_name_or_a_loopback_address() {
        let read = |text: &str| text.parse::<Endpoint>();
        let tls = read("https://xks.example.com").unwrap();
        assert_eq!((tls.is_tls, tls.host.as_str(), tls.port), (true, "xks.example.com", 443));
        for (text, host, port) in [
            ("http://127.0.0.1:8080", "127.0.0.1", 8080),
            ("http://[::1]:8080", "::1", 8080),
            ("http://localhost", "localhost", 80),
        ] {
            let plain = read(text).unwrap();
            assert_eq!((plain.is_tls, plain.host.as_str(), plain.port), (false, host, port));
            assert_eq!(plain.to_string(), text);
        }
        for (text, reason) in [
            ("https://xks.example.com:8443", "port"),
            ("https://xks.example.com/kms", "path"),
            ("http://xks.example.com", "on this machine"),
            ("http://127.0.0.1:8080/kms", "HOST:PORT"),
            ("http://ada:hunter2@127.0.0.1:8080", "user name or password"),
            ("https://ada:hunter2@xks.example.com", "user name or password"),
            ("xks.example.com", "https://"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(reason) && !error.contains("hunter2"), "{text}: {error}");
        }
    }

    #[test]
    fn configuration_file_error_omits_the_secret() {
        let text = r#"{"XksProxyUriPath":"/kms/xks/v1","XksProxyAuthenticationCredential":{"AccessKeyId":1,"RawSecretAccessKey":"wJalrXUtnFEMI"}}"#;
        let error = text.parse::<ProxyConfigurationFile>().unwrap_err();
        assert!(error.contains("AccessKeyId") && !error.contains("wJalr"), "{error}");
        let file = text.replace(":1,", ":\"A\",").parse::<ProxyConfigurationFile>().unwrap();
        assert_eq!(file.credential.raw_secret_access_key.expose(), "wJalrXUtnFEMI");
    }
}
