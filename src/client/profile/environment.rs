//! Clients that are configured by environment variables alone.
//!
//! Source: *Configuring environment variables for the AWS CLI*; *AWS SDKs and Tools Reference Guide*.

use std::sync::Arc;

use super::{OpenError, SERVICE_IDS, Settings, check_endpoint};
use crate::aws::scalar::SecretString;
use crate::aws::sigv4::Credentials;
use crate::client::Client;
use crate::client::endpoints::{Endpoints, check_region};
use crate::client::transport::Https;
use crate::environment::Clock;

/// Opens a client with the credentials in the environment. `variable` looks up a variable.
///
/// # Errors
/// [`OpenError`] if a setting or variable is missing or invalid, or a profile is selected.
pub(super) fn open_with(
    settings: &Settings,
    clock: Clock,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Client, OpenError> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let any = |names: [&str; 2]| names.into_iter().find_map(variable);
    if let Some(profile) = &settings.profile {
        return Err(OpenError::ProfilesNotSupported { profile: profile.clone() });
    }
    let credentials = credentials(variable).map_err(|missing| match any(["AWS_DEFAULT_PROFILE", "AWS_PROFILE"]) {
        Some(profile) => OpenError::ProfilesNotSupported { profile },
        None => missing,
    })?;
    let region = settings.region.clone().or_else(|| any(["AWS_REGION", "AWS_DEFAULT_REGION"]));
    let region = region.ok_or(OpenError::MissingRegion { profile: None })?;
    check_region(&region)?;
    let endpoints = endpoints(settings, variable)?;
    let https = Https::new(settings.ca_bundle.as_deref()).map_err(OpenError::Tls)?;
    Ok(Client::new(Arc::new(https), credentials, &region, clock).with_endpoints(endpoints))
}

fn credentials(variable: impl Fn(&str) -> Option<String>) -> Result<Credentials, OpenError> {
    let required = |name| variable(name).ok_or(OpenError::MissingCredentials(name));
    Ok(Credentials {
        access_key_id: required("AWS_ACCESS_KEY_ID")?,
        secret_access_key: SecretString::new(required("AWS_SECRET_ACCESS_KEY")?),
        session_token: variable("AWS_SESSION_TOKEN").map(SecretString::new),
    })
}

fn endpoints(settings: &Settings, variable: impl Fn(&str) -> Option<String>) -> Result<Endpoints, OpenError> {
    let is_set = |name| variable(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
    let mut endpoints = Endpoints {
        global_url: settings.endpoint_url.clone(),
        service_urls: Vec::new(),
        uses_fips: is_set("AWS_USE_FIPS_ENDPOINT"),
        uses_dual_stack: is_set("AWS_USE_DUALSTACK_ENDPOINT"),
    };
    let reads_urls = settings.endpoint_url.is_none() && !is_set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if reads_urls {
        endpoints.global_url = variable("AWS_ENDPOINT_URL");
        for (service, id) in SERVICE_IDS {
            let name = format!("AWS_ENDPOINT_URL_{}", id.to_uppercase().replace(' ', "_"));
            if let Some(url) = variable(&name) {
                check_endpoint(id, &url)?;
                endpoints.service_urls.push((service, url));
            }
        }
    }
    if let Some(url) = &endpoints.global_url {
        check_endpoint("all services", url)?;
    }
    Ok(endpoints)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operation::Service;

    const CREDENTIALS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    const REGION: (&str, &str) = ("AWS_REGION", "eu-west-1");

    fn open_at(settings: &Settings, variables: &[(&str, &str)]) -> Result<Client, String> {
        let value =
            |name: &str| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        open_with(settings, Clock::System, value).map_err(|error| error.to_string())
    }

    fn open_in(variables: &[(&str, &str)]) -> Result<Client, String> {
        open_at(&Settings::default(), variables)
    }

    #[tokio::test]
    async fn environment_provides_credentials_and_region() {
        let [id, secret] = CREDENTIALS;
        let client = open_in(&[id, secret, ("AWS_SESSION_TOKEN", "token"), REGION]).unwrap();
        let credentials = client.source.credentials(client.now()).await.unwrap();
        assert_eq!(credentials.access_key_id, "AKIDEXAMPLE");
        assert_eq!(credentials.secret_access_key.expose(), "secret");
        assert_eq!(credentials.session_token.as_ref().map(SecretString::expose), Some("token"));
        assert_eq!((client.region(), client.profile()), ("eu-west-1", None));
        let client = open_in(&[id, secret, ("AWS_SESSION_TOKEN", ""), ("AWS_DEFAULT_REGION", "us-east-2")]).unwrap();
        assert!(client.source.credentials(client.now()).await.unwrap().session_token.is_none());
        assert_eq!(client.region(), "us-east-2");
    }

    #[test]
    fn errors_say_what_is_missing_and_how_to_get_it() {
        let [id, secret] = CREDENTIALS;
        let error = open_in(&[id, REGION]).unwrap_err();
        assert!(
            error.contains("AWS_SECRET_ACCESS_KEY is not set") && error.contains("feature aws-profiles"),
            "{error}"
        );
        let error = open_in(&[id, secret]).unwrap_err();
        assert_eq!(error, "no Region is set. Use --region, or set AWS_REGION");
        let error = open_in(&[("AWS_PROFILE", "my work"), REGION]).unwrap_err();
        assert!(error.contains("export-credentials --profile 'my work' --format env"), "{error}");
        let named = Settings { profile: Some("work".to_owned()), ..Settings::default() };
        let error = open_at(&named, &[id, secret, REGION]).unwrap_err();
        assert!(error.contains("can't use the profile \"work\"") && error.contains("without a profile"), "{error}");
        assert!(open_in(&[id, secret, REGION, ("AWS_PROFILE", "work")]).is_ok(), "credentials take precedence");
    }

    #[test]
    fn environment_provides_endpoints_unless_an_option_does() {
        let [id, secret] = CREDENTIALS;
        let all = ("AWS_ENDPOINT_URL", "http://127.0.0.1:4599");
        let tagging = ("AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API", "https://tagging.example.com");
        let endpoints = |variables: &[(&str, &str)]| {
            let variables = [&[id, secret, REGION], variables].concat();
            open_in(&variables).map(|client| client.endpoints().clone())
        };
        let set = endpoints(&[all, tagging, ("AWS_USE_FIPS_ENDPOINT", "TRUE")]).unwrap();
        assert_eq!(set.custom_url(Service::Kms), Some(all.1));
        assert_eq!(set.custom_url(Service::Tagging), Some(tagging.1));
        assert!(set.uses_fips && !set.uses_dual_stack);
        let ignored = endpoints(&[all, tagging, ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]).unwrap();
        assert_eq!(ignored, Endpoints::default());
        let error = endpoints(&[("AWS_ENDPOINT_URL_KMS", "http://192.0.2.1")]).unwrap_err();
        assert!(error.starts_with("can't use the endpoint of KMS"), "{error}");
        let option = Settings { endpoint_url: Some("https://kms.example.com".to_owned()), ..Settings::default() };
        let client = open_at(&option, &[id, secret, REGION, all, tagging]).unwrap();
        assert_eq!(*client.endpoints(), Endpoints::from_url("https://kms.example.com"));
    }
}
