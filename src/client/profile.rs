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
use super::credentials::{Fetched, NoCredentials, Source};
use super::endpoints::{Endpoints, UnfitRegion, UnfitUrl, check_region, check_url};
use super::mfa::{Base, Roles};
use super::sdk_error;
use super::sdk_http::SdkHttp;
use super::shared_config::{self, decoded, encoded};
use super::transport::Https;
use crate::aws::cli::shell_quote;
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
const MEND: &str = "Mend the profile, then try again";

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
    NoProfile(String),
    /// No Region is named.
    #[error("no Region is named: say --region, set AWS_REGION, or give the profile {0} a `region`")]
    NoRegion(String),
    /// The Region is none.
    #[error(transparent)]
    Region(#[from] UnfitRegion),
    /// An endpoint is none, or not safe.
    #[error("the endpoint of {service}: {source}")]
    Endpoint {
        /// The service.
        service: &'static str,
        /// What is wrong.
        source: UnfitUrl,
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
    let Found { region, endpoints, https, origin } = find(settings).await?;
    let source = source(&origin, &region, &endpoints, &https, &clock);
    let client = Client::of(Arc::new(https), source, &region, clock).with_endpoints(endpoints);
    Ok(Client { origin: Some(Arc::new(origin)), ..client })
}

/// The same client on another profile, whose credentials are not asked for yet.
///
/// # Errors
/// [`OpenError`].
pub(super) async fn reopen(client: &Client, origin: &Origin, profile: &str, region: &str) -> Result<Client, OpenError> {
    let (profile, region) = (Some(profile.to_owned()), Some(region.to_owned()));
    let Found { region, endpoints, https, origin: new } =
        find(Settings { profile, region, ..origin.settings.clone() }).await?;
    let source = source(&new, &region, &endpoints, &https, &client.clock);
    let client = Client { source: Arc::new(source), endpoints: Arc::new(endpoints), region, ..client.clone() };
    // A profile may trust authorities of its own.
    let is_trusted = new.authorities == origin.authorities;
    let client = if is_trusted { client } else { client.through(|_| Arc::new(https)) };
    Ok(Client { origin: Some(Arc::new(new)), ..client })
}

/// What a client of an AWS on the network was opened with.
#[derive(Debug)]
pub(super) struct Origin {
    settings: Settings,
    authorities: Option<PathBuf>,
    /// The profile that was found.
    pub profile: String,
}

/// Where to go on: another profile, another Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The profile; the one there is when absent. The bundled AWS has none.
    pub profile: Option<String>,
    /// The Region.
    pub region: String,
}

/// A profile that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
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
pub(super) async fn choices(origin: &Origin) -> Result<Vec<Choice>, OpenError> {
    let set = profile::load(&Fs::real(), &Env::real(), &files(&origin.settings, None)?, None).await;
    let set = set.map_err(|error| OpenError::Files(sdk_error::describe(&error)))?;
    let mut profiles: Vec<(String, &profile::Profile)> =
        set.profiles().filter_map(|name| Some((decoded(name), set.get_profile(name)?))).collect();
    profiles.sort_unstable_by(|(one, _), (other, _)| (one != "default", one).cmp(&(other != "default", other)));
    Ok(profiles
        .into_iter()
        .map(|(name, profile)| Choice { name, region: profile.get("region").map(str::to_owned), kind: kind(profile) })
        .collect())
}

fn kind(profile: &profile::Profile) -> &'static str {
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
struct Found {
    region: String,
    endpoints: Endpoints,
    https: Https,
    origin: Origin,
}

async fn find(settings: Settings) -> Result<Found, OpenError> {
    let profile = Profile::load(&settings).await?;
    let authorities = settings.ca_bundle.clone().or_else(|| profile.set.get("ca_bundle").map(PathBuf::from));
    let https = Https::new(authorities.as_deref()).map_err(OpenError::Tls)?;
    let config = profile.config(&settings, &https).await;
    let region = config.region().map(ToString::to_string).ok_or_else(|| OpenError::NoRegion(profile.shown()))?;
    check_region(&region)?;
    let endpoints = endpoints(&settings, &config)?;
    Ok(Found { region, endpoints, https, origin: Origin { settings, authorities, profile: profile.shown() } })
}

fn source(origin: &Origin, region: &str, endpoints: &Endpoints, https: &Https, clock: &Clock) -> Source {
    // The Region is known now; EC2 need not be asked for it again.
    let settings = Settings { region: Some(region.to_owned()), ..origin.settings.clone() };
    let (endpoints, https, clock) = (endpoints.clone(), https.clone(), clock.clone());
    Source::chain(Box::new(move |code| {
        let sts = Sts { endpoints: endpoints.clone(), https: https.clone(), clock: clock.clone() };
        let settings = settings.clone();
        Box::pin(async move { fetch(&settings, sts, code).await })
    }))
}

fn endpoints(settings: &Settings, config: &SdkConfig) -> Result<Endpoints, OpenError> {
    let fit = |service, url: &str| check_url(url).map_err(|source| OpenError::Endpoint { service, source });
    let mut endpoints = Endpoints {
        all: settings.endpoint_url.clone().or_else(|| config.endpoint_url().map(str::to_owned)),
        own: Vec::new(),
        uses_fips: config.use_fips().unwrap_or_default(),
        uses_dual_stack: config.use_dual_stack().unwrap_or_default(),
    };
    if let Some(url) = &endpoints.all {
        fit("all services", url)?;
    }
    if settings.endpoint_url.is_some() {
        return Ok(endpoints);
    }
    for (service, id) in SERVICE_IDS {
        let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let own = key.ok().and_then(|key| config.service_config()?.load_config(key));
        if let Some(url) = own.filter(|url| Some(url) != endpoints.all.as_ref()) {
            fit(id, &url)?;
            endpoints.own.push((service, url));
        }
    }
    Ok(endpoints)
}

/// What the files say of the profile that is asked for.
struct Profile {
    /// Its name, as the files are read: [`encoded`].
    name: String,
    set: ProfileSet,
    files: EnvConfigFiles,
}

impl Profile {
    async fn load(settings: &Settings) -> Result<Self, OpenError> {
        let chosen = settings.profile.clone().or_else(profile_of_environment).map(|name| Cow::Owned(encoded(&name)));
        let set = profile::load(&Fs::real(), &Env::real(), &files(settings, None)?, chosen).await;
        let set = set.map_err(|error| OpenError::Files(sdk_error::describe(&error)))?;
        let name = set.selected_profile().to_owned();
        if set.get_profile(&name).is_none() && (name != "default" || settings.profile.is_some()) {
            return Err(OpenError::NoProfile(decoded(&name)));
        }
        let files = files(settings, Some(&name))?;
        Ok(Self { name, set, files })
    }

    /// Its name, as the person writes it.
    fn shown(&self) -> String {
        decoded(&self.name)
    }

    async fn config(&self, settings: &Settings, https: &Https) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(SdkHttp(https.clone()))
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
        Some(Self::from_profile(&self.name, self.files.clone(), config))
    }

    fn from_profile(name: &str, files: EnvConfigFiles, config: &SdkConfig) -> SharedCredentialsProvider {
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
    fn roles(&self, settings: &Settings) -> Result<Option<Roles>, String> {
        let is_overruled = settings.profile.is_none() && std::env::var_os("AWS_ACCESS_KEY_ID").is_some();
        if is_overruled { Ok(None) } else { Roles::of(&self.set) }
    }

    /// Credentials of the roles that a profile with an `mfa_serial` leads to.
    async fn with_code(
        &self,
        roles: &Roles,
        code: &SecretString,
        (settings, config, sts): (&Settings, &SdkConfig, Sts),
    ) -> Result<Fetched, NoCredentials> {
        let base = match (&roles.base, roles.base.profile()) {
            (Base::Key(key), _) => key.clone(),
            (_, None) => return Err(self.without("there is nothing to assume the role with".to_owned(), MEND)),
            (_, Some((name, lines))) => {
                let files = files_with(settings, Some(name), lines);
                let files = files.map_err(|error| self.without(error.to_string(), MEND))?;
                let asked = Self::from_profile(name, files, config);
                let found = asked.provide_credentials().await;
                credentials_of(&found.map_err(|error| {
                    self.without(sdk_error::describe_credentials(&error), self.remedy(settings, &error))
                })?)
            }
        };
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let client = Client::of(Arc::new(sts.https), base.into(), &region, sts.clock).with_endpoints(sts.endpoints);
        match roles.assume(client, code).await {
            Ok((credentials, expires)) => Ok(self.fetched(settings, credentials, expires)),
            Err(error) => {
                let (serial, _) = roles.device();
                let none = self.without(error.to_string(), "Enter the next code that the device shows");
                Err(NoCredentials { mfa_serial: Some(serial.to_owned()), ..none })
            }
        }
    }

    fn without(&self, mut reason: String, remedy: impl Into<String>) -> NoCredentials {
        let named = ["source_profile", "sso_session"].into_iter().filter_map(|setting| self.set.get(setting));
        for name in named.chain([self.name.as_str()]).filter(|name| decoded(name) != *name) {
            reason = reason.replace(name, &decoded(name));
        }
        NoCredentials { profile: self.shown(), reason, remedy: remedy.into(), mfa_serial: None }
    }

    fn fetched(&self, settings: &Settings, credentials: Credentials, expires: Option<Timestamp>) -> Fetched {
        let remedy = self.remedy(settings, &CredentialsError::not_loaded_no_source());
        Fetched { credentials: Arc::new(credentials), expires, profile: self.shown(), remedy }
    }

    /// What to do when the profile gives no credentials.
    fn remedy(&self, settings: &Settings, error: &CredentialsError) -> String {
        let name = shell_quote(&self.shown());
        let has = |key: &str| {
            let source = self.set.get("source_profile").and_then(|source| self.set.get_profile(source));
            self.set.get(key).or_else(|| source?.get(key)).is_some()
        };
        if has("login_session") {
            let process = format!("credential_process = aws configure export-credentials --profile {name}");
            format!("Add a profile with `{process}`, and use that one")
        } else if matches!(error, CredentialsError::InvalidConfiguration(_)) {
            MEND.to_owned()
        } else if let Some(session) = self.set.get("sso_session").map(decoded).filter(|name| encoded(name) != *name) {
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
        } else if let Some(variables) = settings.profile.is_none().then(|| variables(&Env::real())).flatten() {
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
fn variables(env: &Env) -> Option<&'static str> {
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
fn profile_of_environment() -> Option<String> {
    ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"]
        .into_iter()
        .find_map(|variable| std::env::var(variable).ok().filter(|name| !name.is_empty()))
}

/// The files to read. With an endpoint for all services the chain of the profile `name` finds STS there too, whatever
/// the files say.
fn files(settings: &Settings, name: Option<&str>) -> Result<EnvConfigFiles, OpenError> {
    files_with(settings, name, String::new())
}

/// The same, with lines more.
fn files_with(settings: &Settings, name: Option<&str>, mut lines: String) -> Result<EnvConfigFiles, OpenError> {
    use EnvConfigFileKind::{Config, Credentials};
    let env = Env::real();
    let usual = |kind, variable, file| shared_config::path(&env, variable, file).map(|path| (kind, path));
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
struct Sts {
    endpoints: Endpoints,
    https: Https,
    clock: Clock,
}

/// Reads the files anew and asks the chain: what was mended meanwhile counts.
async fn fetch(settings: &Settings, sts: Sts, code: Option<SecretString>) -> Result<Fetched, NoCredentials> {
    let profile = Profile::load(settings).await.map_err(|error| NoCredentials {
        profile: settings.profile.clone().unwrap_or_else(|| "default".to_owned()),
        reason: error.to_string(),
        remedy: "Mend that, then try again".to_owned(),
        mfa_serial: None,
    })?;
    let config = profile.config(settings, &sts.https).await;
    if let Some(roles) = profile.roles(settings).map_err(|reason| profile.without(reason, MEND))? {
        let (serial, role) = roles.device();
        let Some(code) = code else {
            let reason = format!("the role {role} is assumed with a code of the MFA device {serial}");
            let none = profile.without(reason, "Enter the code that it shows");
            return Err(NoCredentials { mfa_serial: Some(serial.to_owned()), ..none });
        };
        return profile.with_code(&roles, &code, (settings, &config, sts)).await;
    }
    let asked = match profile.provider(settings, &config) {
        Some(provider) => provider.provide_credentials().await,
        None => Err(CredentialsError::not_loaded_no_source()),
    };
    let found = asked
        .map_err(|error| profile.without(sdk_error::describe_credentials(&error), profile.remedy(settings, &error)))?;
    Ok(profile.fetched(settings, credentials_of(&found), found.expiry().map(moment)))
}

fn credentials_of(found: &aws_credential_types::Credentials) -> Credentials {
    Credentials {
        access_key_id: found.access_key_id().to_owned(),
        secret_access_key: SecretString::new(found.secret_access_key().to_owned()),
        session_token: found.session_token().map(|token| SecretString::new(token.to_owned())),
    }
}

/// What can't be told by our clock has expired long ago, or never does.
fn moment(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX })
}
