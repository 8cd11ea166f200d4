//! A client of an AWS on the network, as the command line, the environment and the profiles of AWS's tools have it.
//!
//! What they say is read by AWS's own crate, and only when such an AWS is asked for.

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

/// What the settings of AWS's tools call the services, in `AWS_ENDPOINT_URL_KMS` and in `services` sections.
const SERVICE_IDS: [(Service, &str); 6] = [
    (Service::Kms, "KMS"),
    (Service::Iam, "IAM"),
    (Service::Sts, "STS"),
    (Service::CloudTrail, "CloudTrail"),
    (Service::CloudWatch, "CloudWatch"),
    (Service::Tagging, "Resource Groups Tagging API"),
];

/// What to do about a profile that is not right.
const FIX_PROFILE: &str = "Mend the profile, then try again";

/// What is asked for beside what the environment and the profiles say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Where all services answer.
    pub endpoint_url: Option<String>,
    /// The profile whose credentials are taken, even if the environment holds others.
    pub profile: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// Authorities to trust beside those of this system, PEM.
    pub ca_bundle: Option<PathBuf>,
    /// Files `config` and `credentials`, instead of those that the environment names.
    pub files: Option<[PathBuf; 2]>,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The profiles can't be read.
    #[error("the profiles of the AWS CLI can't be read: {0}")]
    Files(String),
    /// There is no such profile.
    #[error(
        "there is no profile ‘{0}’ in ~/.aws/config and ~/.aws/credentials, or where AWS_CONFIG_FILE and \
         AWS_SHARED_CREDENTIALS_FILE point. `aws configure list-profiles` lists those there are"
    )]
    ProfileNotFound(String),
    /// No Region is named.
    #[error("no Region is named: say --region, set AWS_REGION, or give the profile {0} a `region`")]
    MissingRegion(String),
    /// The Region is none.
    #[error(transparent)]
    Region(#[from] InvalidRegion),
    /// An endpoint is none, or not safe.
    #[error("the endpoint of {service}: {source}")]
    Endpoint {
        /// The service.
        service: &'static str,
        /// What is wrong.
        source: InvalidUrl,
    },
    /// TLS can't be set up.
    #[error("no connection can be made: {0}")]
    Tls(String),
}

/// Opens a client. Credentials are not asked for yet.
///
/// # Errors
/// [`OpenError`].
pub async fn open(settings: Settings, clock: Clock) -> Result<Client, OpenError> {
    let ResolvedSettings { region, endpoints, https, origin } = resolve(settings).await?;
    let source = credentials_provider(&origin, &region, &endpoints, &https, &clock);
    let client = Client::from_provider(Arc::new(https), source, &region, clock).with_endpoints(endpoints);
    Ok(Client { profile_context: Some(Arc::new(origin)), ..client })
}

/// The same client on another profile, whose credentials are not asked for yet.
///
/// # Errors
/// [`OpenError`].
pub(super) async fn reopen(
    client: &Client,
    origin: &ProfileContext,
    profile: &str,
    region: &str,
) -> Result<Client, OpenError> {
    let (profile, region) = (Some(profile.to_owned()), Some(region.to_owned()));
    let ResolvedSettings { region, endpoints, https, origin: new } =
        resolve(Settings { profile, region, ..origin.settings.clone() }).await?;
    let source = credentials_provider(&new, &region, &endpoints, &https, &client.clock);
    let client = Client { source: Arc::new(source), endpoints: Arc::new(endpoints), region, ..client.clone() };
    // A profile may trust authorities of its own.
    let is_trusted = new.ca_bundle == origin.ca_bundle;
    let client = if is_trusted { client } else { client.map_transport(|_| Arc::new(https)) };
    Ok(Client { profile_context: Some(Arc::new(new)), ..client })
}

/// What a client of an AWS on the network was opened with.
#[derive(Debug)]
pub(super) struct ProfileContext {
    settings: Settings,
    ca_bundle: Option<PathBuf>,
    /// The profile that was found.
    pub profile: String,
}

/// Where to go on: another profile, another Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchTarget {
    /// The profile; the one there is when absent. The bundled AWS has none.
    pub profile: Option<String>,
    /// The Region.
    pub region: String,
}

/// A profile that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSummary {
    /// Its name.
    pub name: String,
    /// Its Region, if it says one.
    pub region: Option<String>,
    /// Where its credentials come from, in a word or two.
    pub kind: &'static str,
}

/// The profiles that can be chosen, by name, the default one first.
///
/// # Errors
/// [`OpenError::Files`].
pub(super) async fn list_profiles(origin: &ProfileContext) -> Result<Vec<ProfileSummary>, OpenError> {
    let set = profile::load(&Fs::real(), &Env::real(), &config_files(&origin.settings, None)?, None).await;
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

/// What the settings come to, together with environment and files.
struct ResolvedSettings {
    region: String,
    endpoints: Endpoints,
    https: Https,
    origin: ProfileContext,
}

async fn resolve(settings: Settings) -> Result<ResolvedSettings, OpenError> {
    let profile = SelectedProfile::load(&settings).await?;
    let authorities = settings.ca_bundle.clone().or_else(|| profile.set.get("ca_bundle").map(PathBuf::from));
    let https = Https::new(authorities.as_deref()).map_err(OpenError::Tls)?;
    let config = profile.sdk_config(&settings, &https).await;
    let region =
        config.region().map(ToString::to_string).ok_or_else(|| OpenError::MissingRegion(profile.display_name()))?;
    check_region(&region)?;
    let endpoints = resolve_endpoints(&settings, &config)?;
    Ok(ResolvedSettings {
        region,
        endpoints,
        https,
        origin: ProfileContext { settings, ca_bundle: authorities, profile: profile.display_name() },
    })
}

fn credentials_provider(
    origin: &ProfileContext,
    region: &str,
    endpoints: &Endpoints,
    https: &Https,
    clock: &Clock,
) -> CredentialsProvider {
    // The Region is known now; EC2 need not be asked for it again.
    let settings = Settings { region: Some(region.to_owned()), ..origin.settings.clone() };
    let (endpoints, https, clock) = (endpoints.clone(), https.clone(), clock.clone());
    CredentialsProvider::chain(Box::new(move |code| {
        let sts = StsConfig { endpoints: endpoints.clone(), https: https.clone(), clock: clock.clone() };
        let settings = settings.clone();
        Box::pin(async move { fetch_credentials(&settings, sts, code).await })
    }))
}

fn resolve_endpoints(settings: &Settings, config: &SdkConfig) -> Result<Endpoints, OpenError> {
    let fit = |service, url: &str| check_url(url).map_err(|source| OpenError::Endpoint { service, source });
    let mut endpoints = Endpoints {
        global_url: settings.endpoint_url.clone().or_else(|| config.endpoint_url().map(str::to_owned)),
        service_urls: Vec::new(),
        uses_fips: config.use_fips().unwrap_or_default(),
        uses_dual_stack: config.use_dual_stack().unwrap_or_default(),
    };
    if let Some(url) = &endpoints.global_url {
        fit("all services", url)?;
    }
    if settings.endpoint_url.is_some() {
        return Ok(endpoints);
    }
    for (service, id) in SERVICE_IDS {
        let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let own = key.ok().and_then(|key| config.service_config()?.load_config(key));
        if let Some(url) = own.filter(|url| Some(url) != endpoints.global_url.as_ref()) {
            fit(id, &url)?;
            endpoints.service_urls.push((service, url));
        }
    }
    Ok(endpoints)
}

/// What the files say of the profile that is asked for.
struct SelectedProfile {
    /// Its name, as the files are read: [`encoded`].
    name: String,
    set: ProfileSet,
    files: EnvConfigFiles,
}

impl SelectedProfile {
    async fn load(settings: &Settings) -> Result<Self, OpenError> {
        let chosen = settings.profile.clone().or_else(profile_from_env).map(|name| Cow::Owned(encode_name(&name)));
        let set = profile::load(&Fs::real(), &Env::real(), &config_files(settings, None)?, chosen).await;
        let set = set.map_err(|error| OpenError::Files(sdk_error::describe(&error)))?;
        let name = set.selected_profile().to_owned();
        if set.get_profile(&name).is_none() && (name != "default" || settings.profile.is_some()) {
            return Err(OpenError::ProfileNotFound(decode_name(&name)));
        }
        let files = config_files(settings, Some(&name))?;
        Ok(Self { name, set, files })
    }

    /// Its name, as the person writes it.
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

    /// What gives credentials. As in the AWS CLI a profile that is named comes before credentials in the environment.
    fn provider(&self, settings: &Settings, config: &SdkConfig) -> Option<SharedCredentialsProvider> {
        if settings.profile.is_none() {
            return config.credentials_provider();
        }
        Some(Self::profile_provider(&self.name, self.files.clone(), config))
    }

    fn profile_provider(name: &str, files: EnvConfigFiles, config: &SdkConfig) -> SharedCredentialsProvider {
        let mut how = ProviderConfig::without_region()
            .with_region(config.region().cloned())
            .with_use_fips(config.use_fips())
            .with_use_dual_stack(config.use_dual_stack());
        if let Some(http) = config.http_client() {
            how = how.with_http_client(http);
        }
        let provider =
            ProfileFileCredentialsProvider::builder().configure(&how).profile_files(files).profile_name(name);
        SharedCredentialsProvider::new(provider.build())
    }

    /// The roles to assume with a code, if the profile has some and the environment does not come before it.
    fn role_chain(&self, settings: &Settings) -> Result<Option<RoleChain>, String> {
        let is_overruled = settings.profile.is_none() && std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
        if is_overruled { Ok(None) } else { RoleChain::from_profile_set(&self.set) }
    }

    /// Credentials of the roles that a profile with an `mfa_serial` leads to.
    async fn assume_with_mfa_code(
        &self,
        roles: &RoleChain,
        code: &SecretString,
        (settings, config, sts): (&Settings, &SdkConfig, StsConfig),
    ) -> Result<FetchedCredentials, LoadCredentialsError> {
        let base = match (&roles.base, roles.base.profile()) {
            (BaseProvider::AccessKey(key), _) => key.clone(),
            (_, None) => {
                return Err(self.credentials_error("there is nothing to assume the role with".to_owned(), FIX_PROFILE));
            }
            (_, Some((name, lines))) => {
                let files = config_files_with(settings, Some(name), lines);
                let files = files.map_err(|error| self.credentials_error(error.to_string(), FIX_PROFILE))?;
                let asked = Self::profile_provider(name, files, config);
                let found = asked.provide_credentials().await;
                to_credentials(&found.map_err(|error| {
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
                let none = self.credentials_error(error.to_string(), "Enter the next code that the device shows");
                Err(LoadCredentialsError { mfa_serial: Some(serial.to_owned()), ..none })
            }
        }
    }

    fn credentials_error(&self, mut reason: String, remedy: impl Into<String>) -> LoadCredentialsError {
        let named = ["source_profile", "sso_session"].into_iter().filter_map(|setting| self.set.get(setting));
        for name in named.chain([self.name.as_str()]).filter(|name| decode_name(name) != *name) {
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

    /// What to do when the profile gives no credentials.
    fn remedy(&self, settings: &Settings, error: &CredentialsError) -> String {
        let name = shell_quote(&self.display_name());
        let has = |key: &str| {
            let source = self.set.get("source_profile").and_then(|source| self.set.get_profile(source));
            self.set.get(key).or_else(|| source?.get(key)).is_some()
        };
        if has("login_session") {
            let process = format!("credential_process = aws configure export-credentials --profile {name}");
            format!("Add a profile with `{process}`, and use that one")
        } else if matches!(error, CredentialsError::InvalidConfiguration(_)) {
            FIX_PROFILE.to_owned()
        } else if let Some(session) =
            self.set.get("sso_session").map(decode_name).filter(|name| encode_name(name) != *name)
        {
            format!(
                "Rename the sso-session {} so that it has letters, digits, and the signs _-/.@:+ alone, then run \
                 `aws sso login --profile {name}`",
                shell_quote(&session)
            )
        } else if has("sso_session") || has("sso_start_url") {
            format!("Run `aws sso login --profile {name}`, then try again")
        } else if has("credential_process") {
            "Run its credential_process in a shell to see what is wrong, then try again".to_owned()
        } else if has("web_identity_token_file") {
            "Check that its web_identity_token_file holds a token and that its role_arn trusts it, then try again"
                .to_owned()
        } else if let Some(role) = self.set.get("role_arn") {
            format!("Check that its source has credentials and may assume {role}, then try again")
        } else if let Some(variables) = settings.profile.is_none().then(|| credential_variables(&Env::real())).flatten()
        {
            format!("Check {variables}, then try again")
        } else if has("aws_session_token") {
            format!("Write new temporary credentials into the profile {name}, then try again")
        } else {
            "Run `aws configure`, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --profile"
                .to_owned()
        }
    }
}

/// The variables that lead to credentials, if any do and no profile is named, in the order of the chain.
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

/// The profile that the environment names, in the order of the AWS CLI.
fn profile_from_env() -> Option<String> {
    ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"]
        .into_iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|name| !name.is_empty()))
}

/// The files to read. With an endpoint for all services the chain of the profile `name` finds STS there too, whatever
/// the files say.
fn config_files(settings: &Settings, name: Option<&str>) -> Result<EnvConfigFiles, OpenError> {
    config_files_with(settings, name, String::new())
}

/// The same, with lines more.
fn config_files_with(settings: &Settings, name: Option<&str>, mut lines: String) -> Result<EnvConfigFiles, OpenError> {
    use EnvConfigFileKind::{Config, Credentials};
    let env = Env::real();
    let usual = |kind, variable, file| shared_config::file_path(&env, variable, file).map(|path| (kind, path));
    let files = match &settings.files {
        None => [
            usual(Config, "AWS_CONFIG_FILE", "config"),
            usual(Credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials"),
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
    // The builder wants at least one.
    Ok(builder.with_contents(Config, lines).build())
}

/// Where roles are assumed.
struct StsConfig {
    endpoints: Endpoints,
    https: Https,
    clock: Clock,
}

/// Reads the files anew and asks the chain: what was mended meanwhile counts.
async fn fetch_credentials(
    settings: &Settings,
    sts: StsConfig,
    code: Option<SecretString>,
) -> Result<FetchedCredentials, LoadCredentialsError> {
    let profile = SelectedProfile::load(settings).await.map_err(|error| LoadCredentialsError {
        profile: settings.profile.clone().unwrap_or_else(|| "default".to_owned()),
        reason: error.to_string(),
        remedy: "Mend that, then try again".to_owned(),
        mfa_serial: None,
    })?;
    let config = profile.sdk_config(settings, &sts.https).await;
    if let Some(roles) =
        profile.role_chain(settings).map_err(|reason| profile.credentials_error(reason, FIX_PROFILE))?
    {
        let (serial, role) = roles.mfa_device();
        let Some(code) = code else {
            let reason = format!("the role {role} is assumed with a code of the MFA device {serial}");
            let none = profile.credentials_error(reason, "Enter the code that it shows");
            return Err(LoadCredentialsError { mfa_serial: Some(serial.to_owned()), ..none });
        };
        return profile.assume_with_mfa_code(&roles, &code, (settings, &config, sts)).await;
    }
    let asked = match profile.provider(settings, &config) {
        Some(provider) => provider.provide_credentials().await,
        None => Err(CredentialsError::not_loaded_no_source()),
    };
    let found = asked.map_err(|error| {
        profile.credentials_error(sdk_error::describe_credentials(&error), profile.remedy(settings, &error))
    })?;
    Ok(profile.fetched_credentials(settings, to_credentials(&found), found.expiry().map(to_timestamp)))
}

fn to_credentials(found: &aws_credential_types::Credentials) -> Credentials {
    Credentials {
        access_key_id: found.access_key_id().to_owned(),
        secret_access_key: SecretString::new(found.secret_access_key().to_owned()),
        session_token: found.session_token().map(|token| SecretString::new(token.to_owned())),
    }
}

/// What can't be told by our clock has expired long ago, or never does.
fn to_timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX })
}
