//! Opens clients of real AWS or a custom endpoint, configured by the command line, the environment, and AWS profiles.
//!
//! The AWS SDK reads the environment and profiles, and only when such a client is opened.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use aws_config::profile::{self, ProfileFileCredentialsProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::ServiceConfigKey;
use jiff::Timestamp;

use super::Client;
use super::credentials::{CredentialsProvider, FetchedCredentials, LoadCredentialsError};
use super::endpoints::{Endpoints, InvalidRegion, InvalidUrl, check_region, check_url};
use super::mfa::{BaseProvider, RoleChain};
use super::sdk_error;
use super::sdk_http::SdkHttpClient;
use super::shared_config::{self, decode_name, encode_name};
use super::transport::Https;
use crate::aws::cli_command::shell_quote;
use crate::aws::operation::Service;
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::Credentials;
use crate::environment::Clock;

/// The service IDs in endpoint settings, such as `AWS_ENDPOINT_URL_KMS` and `services` sections.
const SERVICE_IDS: [(Service, &str); 6] = [
    (Service::Kms, "KMS"),
    (Service::Iam, "IAM"),
    (Service::Sts, "STS"),
    (Service::CloudTrail, "CloudTrail"),
    (Service::CloudWatch, "CloudWatch"),
    (Service::Tagging, "Resource Groups Tagging API"),
];

/// The remedy for an invalid profile.
const FIX_PROFILE: &str = "Fix the profile, then try again";

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
        "the profile \"{0}\" doesn't exist in ~/.aws/config and ~/.aws/credentials, or in the files that \
         AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE specify. To list your profiles, run \
         `aws configure list-profiles`"
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

/// Opens a client without fetching credentials yet.
///
/// # Errors
/// [`OpenError`] if a setting is missing or invalid.
pub async fn open(settings: Settings, clock: Clock) -> Result<Client, OpenError> {
    let ResolvedSettings { region, endpoints, https, context } = resolve(settings).await?;
    let source = credentials_provider(&context, &region, &endpoints, &https, &clock);
    let client = Client::from_provider(Arc::new(https), source, &region, clock).with_endpoints(endpoints);
    Ok(Client { profile_context: Some(Arc::new(context)), ..client })
}

/// Returns the client for another profile, without fetching its credentials yet.
///
/// # Errors
/// [`OpenError`] if the profile can't be used.
pub(super) async fn reopen(
    client: &Client,
    current: &ProfileContext,
    profile: &str,
    region: &str,
) -> Result<Client, OpenError> {
    let (profile, region) = (Some(profile.to_owned()), Some(region.to_owned()));
    let ResolvedSettings { region, endpoints, https, context: new } =
        resolve(Settings { profile, region, ..current.settings.clone() }).await?;
    let source = credentials_provider(&new, &region, &endpoints, &https, &client.clock);
    let client = Client { source: Arc::new(source), endpoints: Arc::new(endpoints), region, ..client.clone() };
    // The other profile may have its own CA bundle.
    let is_same_trust = new.ca_bundle == current.ca_bundle;
    let client = if is_same_trust { client } else { client.map_transport(|_| Arc::new(https)) };
    Ok(Client { profile_context: Some(Arc::new(new)), ..client })
}

/// The settings that a client was opened with.
#[derive(Debug)]
pub(super) struct ProfileContext {
    settings: Settings,
    ca_bundle: Option<PathBuf>,
    /// The selected profile.
    pub profile: String,
}

/// The profile and Region to switch to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchTarget {
    /// The profile, or `None` to keep the current one. The bundled AWS has none.
    pub profile: Option<String>,
    /// The Region.
    pub region: String,
}

/// A profile that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSummary {
    /// The name.
    pub name: String,
    /// The Region, if the profile sets one.
    pub region: Option<String>,
    /// Where the credentials come from, in one or two words.
    pub kind: &'static str,
}

/// Returns all profiles, sorted by name, with the default one first.
///
/// # Errors
/// [`OpenError::Files`] if a file can't be read.
pub(super) async fn list_profiles(context: &ProfileContext) -> Result<Vec<ProfileSummary>, OpenError> {
    let set = profile::load(&Fs::real(), &Env::real(), &config_files(&context.settings, None)?, None).await;
    let set = set.map_err(|error| OpenError::Files(sdk_error::describe(&error)))?;
    let mut profiles: Vec<(String, &profile::Profile)> =
        set.profiles().filter_map(|name| Some((decode_name(name), set.get_profile(name)?))).collect();
    profiles.sort_unstable_by(|(one, _), (other, _)| (one != "default", one).cmp(&(other != "default", other)));
    Ok(profiles
        .into_iter()
        .map(|(name, profile)| ProfileSummary {
            name,
            region: profile.get("region").map(str::to_owned),
            kind: profile_kind(profile),
        })
        .collect())
}

fn profile_kind(profile: &profile::Profile) -> &'static str {
    let has = |name| profile.get(name).is_some();
    match () {
        () if has("role_arn") && has("mfa_serial") => "role, MFA",
        () if has("role_arn") => "role",
        () if has("sso_session") || has("sso_start_url") => "IAM Identity Center",
        () if has("credential_process") => "process",
        () if has("aws_access_key_id") => "access key",
        () => "",
    }
}

/// The settings combined with the environment and files.
struct ResolvedSettings {
    region: String,
    endpoints: Endpoints,
    https: Https,
    context: ProfileContext,
}

async fn resolve(settings: Settings) -> Result<ResolvedSettings, OpenError> {
    let profile = SelectedProfile::load(&settings).await?;
    let ca_bundle = settings.ca_bundle.clone().or_else(|| profile.set.get("ca_bundle").map(PathBuf::from));
    let https = Https::new(ca_bundle.as_deref()).map_err(OpenError::Tls)?;
    let config = profile.sdk_config(&settings, &https).await;
    let region =
        config.region().map(ToString::to_string).ok_or_else(|| OpenError::MissingRegion(profile.display_name()))?;
    check_region(&region)?;
    let endpoints = resolve_endpoints(&settings, &config)?;
    Ok(ResolvedSettings {
        region,
        endpoints,
        https,
        context: ProfileContext { settings, ca_bundle, profile: profile.display_name() },
    })
}

fn credentials_provider(
    context: &ProfileContext,
    region: &str,
    endpoints: &Endpoints,
    https: &Https,
    clock: &Clock,
) -> CredentialsProvider {
    // With the Region set, the SDK doesn't request it from the metadata service of EC2 again.
    let settings = Settings { region: Some(region.to_owned()), ..context.settings.clone() };
    let (endpoints, https, clock) = (endpoints.clone(), https.clone(), clock.clone());
    CredentialsProvider::chain(Box::new(move |code| {
        let sts = StsConfig { endpoints: endpoints.clone(), https: https.clone(), clock: clock.clone() };
        let settings = settings.clone();
        Box::pin(async move { fetch_credentials(&settings, sts, code).await })
    }))
}

fn resolve_endpoints(settings: &Settings, config: &SdkConfig) -> Result<Endpoints, OpenError> {
    let check = |service, url: &str| check_url(url).map_err(|source| OpenError::Endpoint { service, source });
    let mut endpoints = Endpoints {
        global_url: settings.endpoint_url.clone().or_else(|| config.endpoint_url().map(str::to_owned)),
        service_urls: Vec::new(),
        uses_fips: config.use_fips().unwrap_or_default(),
        uses_dual_stack: config.use_dual_stack().unwrap_or_default(),
    };
    if let Some(url) = &endpoints.global_url {
        check("all services", url)?;
    }
    if settings.endpoint_url.is_some() {
        return Ok(endpoints);
    }
    for (service, id) in SERVICE_IDS {
        let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let specific = key.ok().and_then(|key| config.service_config()?.load_config(key));
        if let Some(url) = specific.filter(|url| Some(url) != endpoints.global_url.as_ref()) {
            check(id, &url)?;
            endpoints.service_urls.push((service, url));
        }
    }
    Ok(endpoints)
}

/// The selected profile, as read from the files.
struct SelectedProfile {
    /// The [encoded](encode_name) name.
    name: String,
    set: ProfileSet,
    files: EnvConfigFiles,
}

impl SelectedProfile {
    async fn load(settings: &Settings) -> Result<Self, OpenError> {
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
    fn display_name(&self) -> String {
        decode_name(&self.name)
    }

    async fn sdk_config(&self, settings: &Settings, https: &Https) -> SdkConfig {
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
    fn provider(&self, settings: &Settings, config: &SdkConfig) -> Option<SharedCredentialsProvider> {
        if settings.profile.is_none() {
            return config.credentials_provider();
        }
        Some(Self::profile_provider(&self.name, self.files.clone(), config))
    }

    fn profile_provider(name: &str, files: EnvConfigFiles, config: &SdkConfig) -> SharedCredentialsProvider {
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
    fn role_chain(&self, settings: &Settings) -> Result<Option<RoleChain>, String> {
        let is_overridden = settings.profile.is_none() && std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
        if is_overridden { Ok(None) } else { RoleChain::from_profile_set(&self.set) }
    }

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

    /// Returns what to do if the profile provides no credentials.
    fn remedy(&self, settings: &Settings, error: &CredentialsError) -> String {
        let name = shell_quote(&self.display_name());
        let has = |key: &str| {
            let source = self.set.get("source_profile").and_then(|source| self.set.get_profile(source));
            self.set.get(key).or_else(|| source?.get(key)).is_some()
        };
        if has("login_session") {
            let process = format!("credential_process = aws configure export-credentials --profile {name}");
            format!("Add a profile with `{process}`, then use that profile")
        } else if matches!(error, CredentialsError::InvalidConfiguration(_)) {
            FIX_PROFILE.to_owned()
        } else if let Some(session) =
            self.set.get("sso_session").map(decode_name).filter(|name| encode_name(name) != *name)
        {
            format!(
                "Rename the sso-session {} so that it contains only letters, digits, and _-/.@:+, then run \
                 `aws sso login --profile {name}`",
                shell_quote(&session)
            )
        } else if has("sso_session") || has("sso_start_url") {
            format!("Run `aws sso login --profile {name}`, then try again")
        } else if has("credential_process") {
            "Run the profile's credential_process in a shell to find the problem, then try again".to_owned()
        } else if has("web_identity_token_file") {
            "Check that web_identity_token_file contains a valid token and that the role trusts it, then try again"
                .to_owned()
        } else if let Some(role) = self.set.get("role_arn") {
            format!("Check that the source credentials work and are allowed to assume {role}, then try again")
        } else if let Some(variables) = settings.profile.is_none().then(|| credential_variables(&Env::real())).flatten()
        {
            format!("Check {variables}, then try again")
        } else if has("aws_session_token") {
            format!("Add new temporary credentials to the profile {name}, then try again")
        } else {
            "Run `aws configure`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with --profile"
                .to_owned()
        }
    }
}

/// Returns the first environment variables, in the order of the chain, that provide credentials.
fn credential_variables(env: &Env) -> Option<&'static str> {
    const SOURCES: [(&str, &str); 4] = [
        ("AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN"),
        (
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ),
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        ),
    ];
    let set = SOURCES.into_iter().find(|(variable, _)| env.get(variable).is_ok_and(|value| !value.is_empty()));
    set.map(|(_, names)| names)
}

/// Returns the profile that the environment selects, with the precedence of the AWS CLI.
fn profile_from_env() -> Option<String> {
    ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"]
        .into_iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|name| !name.is_empty()))
}

/// Returns the files to read.
///
/// With an endpoint for all services, the credential chain of the profile `name` calls STS there too, regardless of the
/// files.
fn config_files(settings: &Settings, name: Option<&str>) -> Result<EnvConfigFiles, OpenError> {
    config_files_with(settings, name, String::new())
}

/// Like [`config_files`], with additional lines in the config file.
fn config_files_with(settings: &Settings, name: Option<&str>, mut lines: String) -> Result<EnvConfigFiles, OpenError> {
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

/// The parts of an STS client that assumes roles.
struct StsConfig {
    endpoints: Endpoints,
    https: Https,
    clock: Clock,
}

/// Gets credentials from the chain. Reads the files again, so that the user's fixes take effect.
async fn fetch_credentials(
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
