//! The environment variables that make the AWS CLI, SDKs, and other clients call only the bundled AWS server.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::profiles::ServerInfo;
use crate::aws::cli_command::shell_quote;
use crate::bundled::AccessKey;

/// The variables that would make a client use other credentials or another endpoint.
const CONFLICTING_VARIABLES: [&str; 17] = [
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_ENDPOINT_URL_CLOUDTRAIL",
    "AWS_ENDPOINT_URL_CLOUDWATCH",
    "AWS_ENDPOINT_URL_IAM",
    "AWS_ENDPOINT_URL_KMS",
    "AWS_ENDPOINT_URL_STS",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
];
/// The prefix of the endpoint variables of single services.
const SERVICE_ENDPOINT_PREFIX: &str = "AWS_ENDPOINT_URL_";
/// The variables that configure an HTTP proxy.
const HTTP_PROXY_VARIABLES: [&str; 6] =
    ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// The variables with the hosts that are called without an HTTP proxy.
const NO_PROXY_VARIABLES: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The variables to set and remove in a client's environment.
pub struct ClientEnvironment {
    set: Vec<(&'static str, Zeroizing<String>)>,
    unset: Vec<String>,
}

impl ClientEnvironment {
    /// Creates the environment of clients that call `server` and sign with `key`.
    ///
    /// `names` are the variables of the current environment, and `inherited` returns their values.
    pub fn new(
        server: &ServerInfo,
        key: &AccessKey,
        names: impl IntoIterator<Item = OsString>,
        inherited: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let mut set = Vec::new();
        let mut add = |name, value: &str| set.push((name, Zeroizing::new(value.to_owned())));
        add("AWS_ENDPOINT_URL", server.url);
        // A config file may set this to true, and the AWS CLI would call real AWS.
        add("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false");
        add("AWS_REGION", server.region);
        // For AWS CLI version 1 and boto3.
        add("AWS_DEFAULT_REGION", server.region);
        // A client without credentials must not wait for the instance metadata service.
        add("AWS_EC2_METADATA_DISABLED", "true");
        if let Some(path) = server.ca_certificate {
            add("AWS_CA_BUNDLE", &path.to_string_lossy());
        }
        if HTTP_PROXY_VARIABLES.iter().any(|name| inherited(name).is_some_and(|value| !value.is_empty())) {
            for name in NO_PROXY_VARIABLES {
                add(name, &no_proxy_hosts(inherited(name).as_deref()));
            }
        }
        add("AWS_ACCESS_KEY_ID", &key.credentials.access_key_id);
        add("AWS_SECRET_ACCESS_KEY", key.credentials.secret_access_key.expose());
        let mut unset: Vec<String> = CONFLICTING_VARIABLES.map(str::to_owned).to_vec();
        let inherited_names = names.into_iter().filter_map(|name| name.into_string().ok());
        unset.extend(
            inherited_names.filter(|name| name.starts_with(SERVICE_ENDPOINT_PREFIX) && is_valid_variable_name(name)),
        );
        unset.sort();
        unset.dedup();
        Self { set, unset }
    }

    /// Adds the profile files in `directory`.
    pub fn add_profiles(&mut self, directory: &Path) {
        for (name, file) in [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
            self.set.push((name, Zeroizing::new(directory.join(file).display().to_string())));
        }
    }

    /// Returns shell commands: `export` for each variable to set, and one `unset` for those to remove.
    pub fn exports(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(4096));
        for (name, value) in &self.set {
            let _ = writeln!(text, "export {name}={}", shell_quote(value));
        }
        let _ = writeln!(text, "unset {}", self.unset.join(" "));
        text
    }

    /// Returns the variables to set, with their values.
    pub fn set(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns the variables to remove.
    pub fn unset(&self) -> impl Iterator<Item = &str> {
        self.unset.iter().map(String::as_str)
    }
}

/// Whether a shell accepts the name of a variable without quotes.
fn is_valid_variable_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Returns the inherited list of hosts to call without a proxy, with this machine added.
fn no_proxy_hosts(inherited: Option<&OsStr>) -> String {
    let inherited = inherited.map(OsStr::to_string_lossy).unwrap_or_default();
    let mut hosts: Vec<&str> = inherited.split(',').map(str::trim).filter(|host| !host.is_empty()).collect();
    for host in ["127.0.0.1", "localhost", "::1"] {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    hosts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::scalar::SecretString;
    use crate::aws::sigv4::Credentials;

    fn environment(variables: &[(&str, &str)]) -> ClientEnvironment {
        let server = ServerInfo { url: "http://127.0.0.1:4599", region: "us-west-2", ca_certificate: None };
        let credentials = Credentials {
            access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret_access_key: SecretString::new("secret".to_owned()),
            session_token: None,
        };
        let key = AccessKey { user_name: "Admin".to_owned(), credentials };
        let find =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        ClientEnvironment::new(&server, &key, variables.iter().map(|(name, _)| OsString::from(name)), find)
    }

    #[test]
    fn conflicting_variables_are_unset() {
        let environment = environment(&[("AWS_ENDPOINT_URL_S3", "https://s3"), ("AWS_ENDPOINT_URL_a b", "x")]);
        let removed: Vec<&str> = environment.unset().collect();
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_S3"] {
            assert!(removed.contains(&name), "{name} is not in {removed:?}");
        }
        assert!(!removed.iter().any(|name| name.contains(' ')), "{removed:?}");
        assert!(environment.set().all(|(name, _)| !removed.contains(&name)));
        assert!(!environment.set().any(|(name, _)| name == "NO_PROXY"));
    }

    #[test]
    fn loopback_hosts_bypass_http_proxy() {
        let environment = environment(&[("HTTPS_PROXY", "http://proxy:3128"), ("NO_PROXY", "example.com, localhost")]);
        let hosts: Vec<_> = environment.set().filter(|(name, _)| name.eq_ignore_ascii_case("no_proxy")).collect();
        let expected = [("no_proxy", "127.0.0.1,localhost,::1"), ("NO_PROXY", "example.com,localhost,127.0.0.1,::1")];
        assert_eq!(hosts, expected);
    }

    #[test]
    fn exports_are_shell_lines() {
        let text = environment(&[]).exports();
        assert!(text.starts_with("export AWS_ENDPOINT_URL=http://127.0.0.1:4599\n"), "{}", *text);
        assert!(text.contains("export AWS_EC2_METADATA_DISABLED=true\n"), "{}", *text);
        assert!(text.lines().last().unwrap().starts_with("unset AWS_CONTAINER"), "{}", *text);
    }
}
