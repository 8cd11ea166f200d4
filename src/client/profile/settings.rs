//! The settings of a client, the files that they select, and the reasons why a client can't be opened.

use std::fmt::Write as _;
use std::path::PathBuf;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::Env;

use crate::client::endpoints::{InvalidRegion, InvalidUrl};
use crate::client::shared_config;

/// The settings that override the environment and profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The endpoint of all services.
    pub endpoint_url: Option<String>,
    /// The profile. Its credentials take precedence over those in the environment.
    pub profile: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// A PEM file with CA certificates to trust in addition to those of this system.
    pub ca_bundle: Option<PathBuf>,
    /// The `config` and `credentials` files to read instead of the ones that the environment specifies.
    pub files: Option<[PathBuf; 2]>,
}

/// Why a client can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The profiles can't be read.
    #[error("couldn't read your AWS profiles: {0}")]
    Files(String),
    /// The profile doesn't exist.
    #[error(
        "the profile \"{0}\" doesn't exist in ~/.aws/config or ~/.aws/credentials, or in the files that \
         AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE specify. To list your profiles, run `aws configure \
         list-profiles`"
    )]
    ProfileNotFound(String),
    /// No Region is set.
    #[error("no Region is set. Use --region, set AWS_REGION, or add `region` to the profile {0}")]
    MissingRegion(String),
    /// The Region name is invalid.
    #[error(transparent)]
    Region(#[from] InvalidRegion),
    /// An endpoint is invalid or insecure.
    #[error("can't use the endpoint of {service}: {source}")]
    Endpoint {
        /// The service.
        service: &'static str,
        /// What is wrong.
        source: InvalidUrl,
    },
    /// TLS can't be set up.
    #[error("couldn't set up TLS: {0}")]
    Tls(String),
}

/// Returns the profile that the environment selects, with the precedence of the AWS CLI.
pub(super) fn profile_from_env() -> Option<String> {
    ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"]
        .into_iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|name| !name.is_empty()))
}

/// Returns the files to read.
///
/// With an endpoint for all services, the credential chain of the profile `name` calls STS there too, regardless of the
/// files.
pub(super) fn config_files(settings: &Settings, name: Option<&str>) -> Result<EnvConfigFiles, OpenError> {
    config_files_with(settings, name, String::new())
}

/// Like [`config_files`], with additional lines in the config file.
pub(super) fn config_files_with(
    settings: &Settings,
    name: Option<&str>,
    mut lines: String,
) -> Result<EnvConfigFiles, OpenError> {
    use EnvConfigFileKind::{Config, Credentials};
    let env = Env::real();
    let default_file = |kind, variable, file| shared_config::file_path(&env, variable, file).map(|path| (kind, path));
    let files = match &settings.files {
        None => [
            default_file(Config, "AWS_CONFIG_FILE", "config"),
            default_file(Credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
        ],
        Some([config, credentials]) => [Some((Config, config.clone())), Some((Credentials, credentials.clone()))],
    };
    let mut builder = EnvConfigFiles::builder();
    for (kind, path) in files.into_iter().flatten() {
        let text = shared_config::read(&path, kind).map_err(OpenError::Files)?;
        builder = builder.with_contents(kind, text);
    }
    if let (Some(url), Some(name)) = (&settings.endpoint_url, name) {
        let heading = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let _ = write!(
            lines,
            "[{heading}]\nservices = xks-console-endpoint\n[services xks-console-endpoint]\nsts =\n  endpoint_url = {url}\n"
        );
    }
    // The builder needs at least one file.
    Ok(builder.with_contents(Config, lines).build())
}
