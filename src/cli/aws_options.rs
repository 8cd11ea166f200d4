//! Which AWS is spoken to, when it is not the bundled one.

use std::ffi::OsString;
use std::path::PathBuf;

use super::AccessOptions;
use super::redacted_value::RedactedValueParser;
use crate::client::endpoints::{InvalidRegion, InvalidUrl, check_region, check_url};
use crate::client::profile::Settings;

/// The options that name an AWS, and what is said of the calls to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(group = clap::ArgGroup::new("elsewhere").args(["aws", "endpoint_url"]).multiple(true))]
pub struct AwsOptions {
    /// Speak to AWS, with the credentials of the AWS CLI
    #[arg(long, conflicts_with_all = ["data_dir", "connect_to", "proxy_ca", "scenario"])]
    pub aws: bool,

    /// Speak to an AWS at this address
    ///
    /// All of KMS, IAM, STS and CloudTrail must answer there, as what `serve` serves does. http is for this machine alone.
    #[arg(long, value_name = "URL", value_parser = RedactedValueParser(parse_endpoint_url))]
    #[arg(conflicts_with_all = ["data_dir", "connect_to", "proxy_ca", "scenario"])]
    pub endpoint_url: Option<String>,

    /// Take the credentials of this profile
    #[arg(long, value_name = "NAME", requires = "elsewhere")]
    pub profile: Option<String>,

    /// Work in this Region
    #[arg(long, value_name = "REGION", value_parser = parse_region)]
    pub region: Option<String>,

    /// Add a line of JSON to this file for each call to AWS
    ///
    /// Time, operation, request ID, duration, attempts and what came of it; never what was sent or answered. The file is
    /// for its owner alone. The console shows the same on the page *API calls* (F2).
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// Whether it may change anything.
    #[command(flatten)]
    pub access: AccessOptions,
}

fn parse_endpoint_url(text: &str) -> Result<String, InvalidUrl> {
    check_url(text).map(|()| text.to_owned())
}

fn parse_region(text: &str) -> Result<String, InvalidRegion> {
    check_region(text).map(|()| text.to_owned())
}

impl AwsOptions {
    /// How to open an AWS on the network; nothing when the bundled one is asked for. `environment` looks up a variable.
    pub fn settings(&self, environment: impl Fn(&str) -> Option<OsString>) -> Option<Settings> {
        self.is_remote().then(|| Settings {
            endpoint_url: self.endpoint_url.clone(),
            profile: self.profile.clone(),
            region: self.region.clone(),
            ca_bundle: environment("AWS_CA_BUNDLE").filter(|path| !path.is_empty()).map(PathBuf::from),
            files: None,
        })
    }

    /// Whether an AWS on the network is asked for.
    pub fn is_remote(&self) -> bool {
        self.aws || self.endpoint_url.is_some()
    }
}
