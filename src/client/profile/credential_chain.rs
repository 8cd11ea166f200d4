//! Gets credentials from the credential chain of the AWS SDK, or by assuming the roles of a profile with an MFA code.

use std::sync::Arc;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use jiff::Timestamp;

use super::Settings;
use super::config_files::config_files_with;
use super::credential_remedy::FIX_PROFILE;
use super::selected::SelectedProfile;
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::Credentials;
use crate::client::Client;
use crate::client::credentials::{FetchedCredentials, LoadCredentialsError};
use crate::client::endpoints::Endpoints;
use crate::client::mfa::{BaseProvider, RoleChain};
use crate::client::sdk_error;
use crate::client::shared_config::decode_name;
use crate::client::transport::Https;
use crate::environment::Clock;

/// The parts of an STS client that assumes roles.
pub(super) struct StsConfig {
    pub(super) endpoints: Endpoints,
    pub(super) https: Https,
    pub(super) clock: Clock,
}

/// Gets credentials from the chain. Reads the files again, so that the user's fixes take effect.
pub(super) async fn fetch_credentials(
    settings: &Settings,
    sts: StsConfig,
    code: Option<SecretString>,
) -> Result<FetchedCredentials, LoadCredentialsError> {
    let profile = SelectedProfile::load(settings).await.map_err(|error| LoadCredentialsError {
        profile: settings.profile.clone().unwrap_or_else(|| "default".to_owned()),
        reason: error.to_string(),
        remedy: "Fix the problem, then try again".to_owned(),
        mfa_serial: None,
    })?;
    let config = profile.sdk_config(settings, &sts.https).await;
    if let Some(roles) =
        profile.role_chain(settings).map_err(|reason| profile.credentials_error(reason, FIX_PROFILE))?
    {
        let (serial, role) = roles.mfa_device();
        let Some(code) = code else {
            let reason = format!("the role {role} requires a code from the MFA device {serial}");
            let error = profile.credentials_error(reason, "Enter the code that the device shows");
            return Err(LoadCredentialsError { mfa_serial: Some(serial.to_owned()), ..error });
        };
        return profile.assume_with_mfa_code(&roles, &code, (settings, &config, sts)).await;
    }
    let result = match profile.provider(settings, &config) {
        Some(provider) => provider.provide_credentials().await,
        None => Err(CredentialsError::not_loaded_no_source()),
    };
    let credentials = result.map_err(|error| {
        profile.credentials_error(sdk_error::describe_credentials(&error), profile.remedy(settings, &error))
    })?;
    Ok(profile.fetched_credentials(settings, to_credentials(&credentials), credentials.expiry().map(to_timestamp)))
}

impl SelectedProfile {
    /// Assumes the roles of a profile with `mfa_serial`, and returns the credentials.
    async fn assume_with_mfa_code(
        &self,
        roles: &RoleChain,
        code: &SecretString,
        (settings, config, sts): (&Settings, &SdkConfig, StsConfig),
    ) -> Result<FetchedCredentials, LoadCredentialsError> {
        let base = match (&roles.base, roles.base.profile()) {
            (BaseProvider::AccessKey(key), _) => key.clone(),
            (_, None) => {
                return Err(
                    self.credentials_error("it has no credentials to assume the role with".to_owned(), FIX_PROFILE)
                );
            }
            (_, Some((name, lines))) => {
                let files = config_files_with(settings, Some(name), lines);
                let files = files.map_err(|error| self.credentials_error(error.to_string(), FIX_PROFILE))?;
                let provider = Self::profile_provider(name, files, config);
                let result = provider.provide_credentials().await;
                to_credentials(&result.map_err(|error| {
                    self.credentials_error(sdk_error::describe_credentials(&error), self.remedy(settings, &error))
                })?)
            }
        };
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let client =
            Client::from_provider(Arc::new(sts.https), base.into(), &region, sts.clock).with_endpoints(sts.endpoints);
        match roles.assume(client, code).await {
            Ok((credentials, expires)) => Ok(self.fetched_credentials(settings, credentials, expires)),
            Err(error) => {
                let (serial, _) = roles.mfa_device();
                let error = self.credentials_error(error.to_string(), "Enter the next code that the device shows");
                Err(LoadCredentialsError { mfa_serial: Some(serial.to_owned()), ..error })
            }
        }
    }

    fn credentials_error(&self, mut reason: String, remedy: impl Into<String>) -> LoadCredentialsError {
        let references = ["source_profile", "sso_session"].into_iter().filter_map(|setting| self.set.get(setting));
        for name in references.chain([self.name.as_str()]).filter(|name| decode_name(name) != *name) {
            reason = reason.replace(name, &decode_name(name));
        }
        LoadCredentialsError { profile: self.display_name(), reason, remedy: remedy.into(), mfa_serial: None }
    }

    fn fetched_credentials(
        &self,
        settings: &Settings,
        credentials: Credentials,
        expires: Option<Timestamp>,
    ) -> FetchedCredentials {
        let remedy = self.remedy(settings, &CredentialsError::not_loaded_no_source());
        FetchedCredentials {
            credentials: Arc::new(credentials),
            expires_at: expires,
            profile: self.display_name(),
            remedy,
        }
    }
}

fn to_credentials(credentials: &aws_credential_types::Credentials) -> Credentials {
    Credentials {
        access_key_id: credentials.access_key_id().to_owned(),
        secret_access_key: SecretString::new(credentials.secret_access_key().to_owned()),
        session_token: credentials.session_token().map(|token| SecretString::new(token.to_owned())),
    }
}

/// Converts an expiration time. A time that is out of range has passed long ago, or never comes.
fn to_timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX })
}
