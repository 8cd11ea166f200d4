//! The `config` and `credentials` files that the settings and the environment select.

use std::fmt::Write as _;

use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::Env;

use super::{OpenError, Settings};
use crate::client::shared_config;

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
