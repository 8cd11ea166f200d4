//! The AWS profiles for the bundled AWS server.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::aws::sigv4::Credentials;
use crate::bundled::{AccessKey, BundledAws};
use crate::storage::atomic_file::replace;

/// The names of the profile files in the data directory.
const PROFILE_FILES: [&str; 2] = ["config", "credentials"];
/// The name of the file with the key URI of the MFA device, for authenticator apps.
const MFA_FILE: &str = "mfa";
/// The role whose profile requires an MFA code.
const MFA_ROLE: &str = "BreakGlass";

/// Deletes the profile files in `dir`.
///
/// # Errors
/// An I/O error if a file exists and can't be deleted.
pub fn delete(dir: &Path) -> std::io::Result<()> {
    for file in PROFILE_FILES.into_iter().chain([MFA_FILE]) {
        match std::fs::remove_file(dir.join(file)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// The first line of the profile files of a class. Files without it belong to somebody else.
const CLASS_HEADING: &str = "# The profiles of a class. `xks-console serve --accounts` replaces this file.";

/// The connection settings of a bundled AWS server.
pub struct ServerInfo<'a> {
    /// The URL, such as `http://127.0.0.1:8080`.
    pub url: &'a str,
    /// The Region of its scenario.
    pub region: &'a str,
    /// The CA certificate to trust, if the server's certificate is self-signed.
    pub ca_certificate: Option<&'a Path>,
}

impl ServerInfo<'_> {
    /// Returns the contents of the `config` and `credentials` files.
    ///
    /// The first access key is also the profile `default`, which is the source profile of the role profiles.
    fn file_contents(
        &self,
        keys: &[AccessKey],
        roles: &[(String, String)],
        mfa_serial: &str,
    ) -> [Zeroizing<String>; 2] {
        let (mut config, mut credentials) = (String::new(), Zeroizing::new(String::with_capacity(4096)));
        let mut add_settings = |name: &str, more: &str| {
            let heading = if name == "default" { "default".to_owned() } else { format!("profile {name}") };
            let _ = writeln!(config, "[{heading}]\nregion = {}\nendpoint_url = {}{more}", self.region, self.url);
            if let Some(path) = self.ca_certificate {
                let _ = writeln!(config, "ca_bundle = {}", path.display());
            }
            config.push('\n');
        };
        let default = keys.first().map(|key| ("default", key));
        for (name, key) in default.into_iter().chain(keys.iter().map(|key| (key.user_name.as_str(), key))) {
            add_settings(name, "");
            let _ = writeln!(
                credentials,
                "[{name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
                key.credentials.access_key_id,
                key.credentials.secret_access_key.expose()
            );
        }
        for (name, arn) in roles {
            let mfa = if name == MFA_ROLE { format!("\nmfa_serial = {mfa_serial}") } else { String::new() };
            add_settings(name, &format!("\nrole_arn = {arn}\nsource_profile = default{mfa}"));
        }
        [Zeroizing::new(config), credentials]
    }
}

/// Writes `config` and `credentials` with a profile for each account of a class: its name, its server, and the credentials
/// of the console's user.
///
/// # Errors
/// The message for a file that can't be written.
pub fn write_class(accounts: &[(&str, ServerInfo, Credentials)], dir: &Path) -> Result<(), String> {
    for file in PROFILE_FILES {
        let path = dir.join(file);
        let existing = std::fs::read_to_string(&path).unwrap_or_default();
        if path.exists() && !existing.starts_with(CLASS_HEADING) {
            return Err(format!(
                "{} exists, and isn't a file of a class, so it wasn't replaced. Choose another directory with --class-dir.",
                path.display()
            ));
        }
    }
    let heading = || format!("{CLASS_HEADING}\n\n");
    let (mut config, mut credentials) = (heading(), Zeroizing::new(String::with_capacity(256 * (accounts.len() + 1))));
    credentials.push_str(&heading());
    for (name, server, key) in accounts {
        let _ = writeln!(config, "[profile {name}]\nregion = {}\nendpoint_url = {}", server.region, server.url);
        if let Some(path) = server.ca_certificate {
            let _ = writeln!(config, "ca_bundle = {}", path.display());
        }
        config.push('\n');
        let _ = writeln!(
            credentials,
            "[{name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            key.access_key_id,
            key.secret_access_key.expose()
        );
    }
    for (file, content) in PROFILE_FILES.into_iter().zip([config.as_bytes(), credentials.as_bytes()]) {
        let path = dir.join(file);
        replace(&path, content).map_err(|error| format!("Couldn't write {}: {error}.", path.display()))?;
    }
    Ok(())
}

/// Writes `config` and `credentials` to the data directory, accessible only to their owner, and returns their paths.
///
/// Also writes `mfa`, with the key URI of the MFA device that one of the profiles needs.
///
/// # Errors
/// An error if a file can't be written, or the account can't be read.
pub fn write(server: &ServerInfo, aws: &BundledAws, dir: &Path) -> Result<[PathBuf; 2], Box<dyn std::error::Error>> {
    let device = aws.mfa_device()?;
    let name = device.serial.rsplit('/').next().unwrap_or_default();
    let mut uri = Zeroizing::new(String::with_capacity(256));
    let _ = writeln!(uri, "otpauth://totp/xks-console:{name}?secret={}&issuer=xks-console", device.seed.expose());
    replace(&dir.join(MFA_FILE), uri.as_bytes()).map_err(|source| format!("{MFA_FILE}: {source}"))?;
    let contents = server.file_contents(&aws.access_keys()?, &aws.roles()?, &device.serial);
    let paths = PROFILE_FILES.map(|name| dir.join(name));
    for (path, content) in paths.iter().zip(&contents) {
        replace(path, content.as_bytes()).map_err(|source| format!("{}: {source}", path.display()))?;
    }
    Ok(paths)
}
