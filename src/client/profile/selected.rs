//! The profile that the settings and the environment select.

use std::borrow::Cow;

use aws_config::profile::{self, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_types::os_shim_internal::{Env, Fs};

use super::config_files::{config_files, profile_from_env};
use super::{OpenError, Settings};
use crate::client::mfa::RoleChain;
use crate::client::sdk_error;
use crate::client::sdk_http::SdkHttpClient;
use crate::client::shared_config::{decode_name, encode_name};
use crate::client::transport::Https;

/// The selected profile, as read from the files.
pub(super) struct SelectedProfile {
    /// The [encoded](encode_name) name.
    pub(super) name: String,
    pub(super) set: ProfileSet,
    files: EnvConfigFiles,
}

impl SelectedProfile {
    pub(super) async fn load(settings: &Settings) -> Result<Self, OpenError> {
        let selected = settings.profile.clone().or_else(profile_from_env).map(|name| Cow::Owned(encode_name(&name)));
        let set = profile::load(&Fs::real(), &Env::real(), &config_files(settings, None)?, selected).await;
        let set = set.map_err(|error| OpenError::Files(sdk_error::describe(&error)))?;
        let name = set.selected_profile().to_owned();
        if set.get_profile(&name).is_none() && (name != "default" || settings.profile.is_some()) {
            return Err(OpenError::ProfileNotFound(decode_name(&name)));
        }
        let files = config_files(settings, Some(&name))?;
        Ok(Self { name, set, files })
    }

    /// Returns the name as the user writes it.
    pub(super) fn display_name(&self) -> String {
        decode_name(&self.name)
    }

    pub(super) async fn sdk_config(&self, settings: &Settings, https: &Https) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(SdkHttpClient(https.clone()))
            .profile_files(self.files.clone())
            .profile_name(&self.name);
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        loader.load().await
    }

    /// Returns the credentials provider.
    ///
    /// As in the AWS CLI, an explicit profile takes precedence over credentials in the environment.
    pub(super) fn provider(&self, settings: &Settings, config: &SdkConfig) -> Option<SharedCredentialsProvider> {
        if settings.profile.is_none() {
            return config.credentials_provider();
        }
        Some(Self::profile_provider(&self.name, self.files.clone(), config))
    }

    pub(super) fn profile_provider(name: &str, files: EnvConfigFiles, config: &SdkConfig) -> SharedCredentialsProvider {
        let mut provider_config = ProviderConfig::without_region()
            .with_region(config.region().cloned())
            .with_use_fips(config.use_fips())
            .with_use_dual_stack(config.use_dual_stack());
        if let Some(http) = config.http_client() {
            provider_config = provider_config.with_http_client(http);
        }
        let provider = ProfileFileCredentialsProvider::builder()
            .configure(&provider_config)
            .profile_files(files)
            .profile_name(name);
        SharedCredentialsProvider::new(provider.build())
    }

    /// Returns the role chain if the profile needs an MFA code and the environment doesn't take precedence.
    pub(super) fn role_chain(&self, settings: &Settings) -> Result<Option<RoleChain>, String> {
        let is_overridden = settings.profile.is_none() && std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
        if is_overridden { Ok(None) } else { RoleChain::from_profile_set(&self.set) }
    }
}
