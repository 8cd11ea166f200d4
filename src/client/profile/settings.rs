//! The settings of a client, and the reasons why a client can't be opened.

use std::path::PathBuf;

use crate::aws::cli_command::shell_quote;
use crate::client::endpoints::{InvalidRegion, InvalidUrl};

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
    /// A profile is selected in a build without the Cargo feature `aws-profiles`.
    #[error(
        "can't use the profile \"{profile}\": this program was built without support for AWS profiles. Run \
         `eval \"$(aws configure export-credentials --profile {} --format env)\"` and start it without a profile, or \
         build it with the Cargo feature aws-profiles",
        shell_quote(.profile)
    )]
    ProfilesNotSupported {
        /// The profile.
        profile: String,
    },
    /// The environment has no credentials, in a build without the Cargo feature `aws-profiles`.
    #[error(
        "couldn't get credentials: {0} is not set, and this program was built without support for AWS profiles. Set \
         AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and, for temporary credentials, AWS_SESSION_TOKEN, or build it with \
         the Cargo feature aws-profiles"
    )]
    MissingCredentials(&'static str),
    /// No Region is set.
    #[error("no Region is set. {}", region_remedy(.profile.as_deref()))]
    MissingRegion {
        /// The selected profile, or `None` in a build without the Cargo feature `aws-profiles`.
        profile: Option<String>,
    },
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

fn region_remedy(profile: Option<&str>) -> String {
    match profile {
        Some(profile) => format!("Use --region, set AWS_REGION, or add `region` to the profile {profile}"),
        None => "Use --region, or set AWS_REGION".to_owned(),
    }
}
