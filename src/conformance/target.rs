//! Which proxy is checked, and with what credential.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::Deserialize;

use crate::aws::limits;
use crate::aws::scalar::SecretString;

/// The proxy that is checked.
#[derive(Clone, Debug)]
pub struct CheckTarget {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The path prefix, if any, and `/kms/xks/v1`.
    pub uri_path: String,
    /// Who signs.
    pub access_key_id: String,
    /// What with.
    pub secret_access_key: SecretString,
    /// The Region that KMS would call from, part of what is signed.
    pub region: String,
    /// The caller of KMS that requests tell.
    pub principal: String,
    /// The KMS key that requests tell.
    pub kms_key_arn: String,
}

/// A proxy URI endpoint as KMS takes it, or plain HTTP to this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// `https`, not `http`.
    pub is_tls: bool,
    /// The host name, without brackets if it is an IPv6 address.
    pub host: String,
    /// 443 with TLS.
    pub port: u16,
    /// What stands in the `host` header.
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
        // Not to be repeated: it may hold a password.
        if text.contains('@') {
            return Err(
                "the URL contains a user name or password. Requests are signed with the credential of the proxy \
                        instead. Remove everything between // and the host"
                    .to_owned(),
            );
        }
        let Some(authority) = text.strip_prefix("http://") else {
            limits::xks_proxy_uri_endpoint(text).map_err(|violation| violation.reason)?;
            let host = text.trim_start_matches("https://").to_owned();
            return Ok(Self { is_tls: true, authority: host.clone(), host, port: 443 });
        };
        let uri: http::uri::Authority = authority.parse().map_err(|_| format!("‘{authority}’ is no HOST:PORT"))?;
        let host = uri.host().trim_matches(['[', ']']).to_owned();
        if host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
            return Err("without TLS only a proxy on this machine is checked, such as http://127.0.0.1:8080; for \
                        another one write https:// and a host name"
                .to_owned());
        }
        Ok(Self { is_tls: false, host, port: uri.port_u16().unwrap_or(80), authority: authority.to_owned() })
    }
}

/// The file that vendors of external key store proxies supply, which the AWS console takes too.
#[derive(Clone, Debug, Deserialize)]
pub struct ProxyConfigurationFile {
    /// The path prefix, if any, and `/kms/xks/v1`.
    #[serde(rename = "XksProxyUriPath")]
    pub uri_path: String,
    /// Who signs, and what with.
    #[serde(rename = "XksProxyAuthenticationCredential")]
    pub credential: FileCredential,
}

/// The credential in a [`ConfigurationFile`].
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct FileCredential {
    /// Who signs.
    pub access_key_id: String,
    /// What with.
    pub raw_secret_access_key: SecretString,
}

impl FromStr for ProxyConfigurationFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The parser's own words may quote the secret.
        serde_json::from_str(text).map_err(|error| {
            format!(
                "it is no proxy configuration file: line {}, column {}. It is JSON with XksProxyUriPath and \
                 XksProxyAuthenticationCredential, which has AccessKeyId and RawSecretAccessKey",
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
            ("https://xks.example.com:8443", "no port"),
            ("https://xks.example.com/kms", "no path"),
            ("http://xks.example.com", "on this machine"),
            ("http://127.0.0.1:8080/kms", "HOST:PORT"),
            ("http://ada:hunter2@127.0.0.1:8080", "user name or password"),
            ("https://ada:hunter2@xks.example.com", "user name or password"),
            ("xks.example.com", "https://"),
        ] {
            let refused = read(text).unwrap_err();
            assert!(refused.contains(reason) && !refused.contains("hunter2"), "{text}: {refused}");
        }
    }

    #[test]
    fn configuration_file_error_omits_the_secret() {
        let text = r#"{"XksProxyUriPath":"/kms/xks/v1","XksProxyAuthenticationCredential":{"AccessKeyId":1,"RawSecretAccessKey":"wJalrXUtnFEMI"}}"#;
        let wrong = text.parse::<ProxyConfigurationFile>().unwrap_err();
        assert!(wrong.contains("AccessKeyId") && !wrong.contains("wJalr"), "{wrong}");
        let right = text.replace(":1,", ":\"A\",").parse::<ProxyConfigurationFile>().unwrap();
        assert_eq!(right.credential.raw_secret_access_key.expose(), "wJalrXUtnFEMI");
    }
}
