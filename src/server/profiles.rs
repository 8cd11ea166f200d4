//! Profiles for the served AWS, in AWS's own files.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::bundled::{AccessKey, BundledAws};
use crate::storage::atomic_file::replace;

/// Where the profiles are in the data directory.
const PROFILE_FILES: [&str; 2] = ["config", "credentials"];
/// What an authenticator needs to show the codes of the MFA device.
const MFA_FILE: &str = "mfa";
/// The role that is assumed with a code.
const MFA_ROLE: &str = "BreakGlass";

/// A served AWS.
pub struct ServerInfo<'a> {
    /// Where it is: `http://127.0.0.1:8080`.
    pub url: &'a str,
    /// The Region that its scenario has filled.
    pub region: &'a str,
    /// The certificates that its own is signed by, when it has made them itself.
    pub ca_certificate: Option<&'a Path>,
}

impl ServerInfo<'_> {
    /// The two files of AWS's tools: settings of each profile, and their credentials.
    ///
    /// The first key is the profile `default` too; a role is assumed from it.
    fn file_contents(
        &self,
        keys: &[AccessKey],
        roles: &[(String, String)],
        mfa_serial: &str,
    ) -> [Zeroizing<String>; 2] {
        let (mut config, mut credentials) = (String::new(), Zeroizing::new(String::with_capacity(4096)));
        let mut settings = |name: &str, more: &str| {
            let heading = if name == "default" { "default".to_owned() } else { format!("profile {name}") };
            let _ = writeln!(config, "[{heading}]\nregion = {}\nendpoint_url = {}{more}", self.region, self.url);
            if let Some(authority) = self.ca_certificate {
                let _ = writeln!(config, "ca_bundle = {}", authority.display());
            }
            config.push('\n');
        };
        let default = keys.first().map(|key| ("default", key));
        for (name, key) in default.into_iter().chain(keys.iter().map(|key| (key.user_name.as_str(), key))) {
            settings(name, "");
            let _ = writeln!(
                credentials,
                "[{name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                key.credentials.access_key_id,
                key.credentials.secret_access_key.expose()
            );
        }
        for (name, arn) in roles {
            let mfa = if name == MFA_ROLE { format!("\nmfa_serial = {mfa_serial}") } else { String::new() };
            settings(name, &format!("\nrole_arn = {arn}\nsource_profile = default{mfa}"));
        }
        [Zeroizing::new(config), credentials]
    }
}

/// Writes `config` and `credentials` into the data directory, for its owner alone; gives their paths. Beside them, in
/// `mfa`, stands the key URI of the MFA device that one of the profiles asks for.
///
/// # Errors
/// When a file can't be written, or the account can't be read.
pub fn write(served: &ServerInfo, aws: &BundledAws, dir: &Path) -> Result<[PathBuf; 2], Box<dyn std::error::Error>> {
    let device = aws.mfa_device()?;
    let name = device.serial.rsplit('/').next().unwrap_or_default();
    let mut uri = Zeroizing::new(String::with_capacity(256));
    let _ = writeln!(uri, "otpauth://totp/xks-console:{name}?secret={}&issuer=xks-console", device.seed.expose());
    replace(&dir.join(MFA_FILE), uri.as_bytes()).map_err(|source| format!("{MFA_FILE}: {source}"))?;
    let texts = served.file_contents(&aws.access_keys()?, &aws.roles()?, &device.serial);
    let paths = PROFILE_FILES.map(|name| dir.join(name));
    for (path, text) in paths.iter().zip(&texts) {
        replace(path, text.as_bytes()).map_err(|source| format!("{}: {source}", path.display()))?;
    }
    Ok(paths)
}
