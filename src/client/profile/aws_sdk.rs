//! Opens clients that are configured by the environment and AWS profiles, which the AWS SDK reads.

use std::path::PathBuf;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::profile;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::service_config::ServiceConfigKey;

use super::config_files::config_files;
use super::credential_chain::{StsConfig, fetch_credentials};
use super::selected::SelectedProfile;
use super::{OpenError, ProfileSummary, SERVICE_IDS, Settings, check_endpoint};
use crate::client::Client;
use crate::client::credentials::CredentialsProvider;
use crate::client::endpoints::{Endpoints, check_region};
use crate::client::sdk_error;
use crate::client::shared_config::decode_name;
use crate::client::transport::Https;
use crate::environment::Clock;

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
pub(in crate::client) async fn reopen(
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
pub(in crate::client) struct ProfileContext {
    settings: Settings,
    ca_bundle: Option<PathBuf>,
    profile: String,
}

impl ProfileContext {
    /// Returns the selected profile.
    pub(in crate::client) fn profile(&self) -> &str {
        &self.profile
    }
}

/// Returns the profiles of a client.
///
/// # Errors
/// [`OpenError::Files`] if a file can't be read.
pub(in crate::client) async fn list_profiles(context: &ProfileContext) -> Result<Vec<ProfileSummary>, OpenError> {
    list(&context.settings).await
}

/// Returns all profiles, sorted by name, with the default one first.
///
/// # Errors
/// [`OpenError::Files`] if a file can't be read.
pub async fn list(settings: &Settings) -> Result<Vec<ProfileSummary>, OpenError> {
    let set = profile::load(&Fs::real(), &Env::real(), &config_files(settings, None)?, None).await;
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
    let region = config
        .region()
        .map(ToString::to_string)
        .ok_or_else(|| OpenError::MissingRegion { profile: Some(profile.display_name()) })?;
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
    let mut endpoints = Endpoints {
        global_url: settings.endpoint_url.clone().or_else(|| config.endpoint_url().map(str::to_owned)),
        service_urls: Vec::new(),
        uses_fips: config.use_fips().unwrap_or_default(),
        uses_dual_stack: config.use_dual_stack().unwrap_or_default(),
    };
    if let Some(url) = &endpoints.global_url {
        check_endpoint("all services", url)?;
    }
    if settings.endpoint_url.is_some() {
        return Ok(endpoints);
    }
    for (service, id) in SERVICE_IDS {
        let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let specific = key.ok().and_then(|key| config.service_config()?.load_config(key));
        if let Some(url) = specific.filter(|url| Some(url) != endpoints.global_url.as_ref()) {
            check_endpoint(id, &url)?;
            endpoints.service_urls.push((service, url));
        }
    }
    Ok(endpoints)
}
