//! Options of commands that can call an AWS other than the bundled one.

use std::path::PathBuf;

use http::Uri;

use super::AccessOptions;
use super::redacted_value::RedactedValueParser;
use crate::client::endpoints::{InvalidRegion, InvalidUrl, check_region, check_url, is_loopback};

/// The options that select an AWS, and how it is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[command(group = clap::ArgGroup::new("elsewhere").args(["aws", "endpoint_url"]).multiple(true))]
pub struct AwsOptions {
    /// Connect to AWS with your AWS CLI credentials
    #[arg(long, conflicts_with_all = ["data_dir", "ephemeral", "connect_to", "proxy_ca", "scenario"])]
    pub aws: bool,

    /// Connect to the AWS-compatible services at this endpoint
    ///
    /// KMS, IAM, STS, and CloudTrail must all be available there. `serve` provides such an endpoint. Use http only for
    /// this machine.
    #[arg(long, value_name = "URL", value_parser = RedactedValueParser(parse_endpoint_url))]
    #[arg(conflicts_with_all = ["data_dir", "ephemeral", "connect_to", "proxy_ca", "scenario"])]
    pub endpoint_url: Option<String>,

    /// Use the bundled AWS, even if config.toml or XKS_CONSOLE_TARGET selects another one
    #[arg(long, conflicts_with_all = ["aws", "endpoint_url"])]
    pub bundled: bool,

    /// Use the credentials of this profile
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// Use this Region
    #[arg(long, value_name = "REGION", value_parser = parse_region)]
    pub region: Option<String>,

    /// Append a line of JSON to this file for each call to AWS
    ///
    /// Each line has the time, operation, request ID, duration, attempts, and outcome, but never the contents of the
    /// request or response. Only you can read the file. The console shows the same information on the "API calls" page
    /// (F2).
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,

    /// The read-only option.
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
    /// Whether the options select an AWS that isn't on this machine, and allow changes in it.
    pub(super) fn may_change_aws(&self) -> bool {
        let is_on_this_machine = |url: &str| url.parse().is_ok_and(|uri: Uri| is_loopback(&uri));
        let is_elsewhere = self.aws || self.endpoint_url.as_deref().is_some_and(|url| !is_on_this_machine(url));
        is_elsewhere && !self.access.read_only
    }

    /// Whether there are options other than those that select the AWS.
    pub(super) fn has_details(&self) -> bool {
        let selection =
            Self { aws: self.aws, bundled: self.bundled, endpoint_url: self.endpoint_url.clone(), ..Self::default() };
        *self != selection
    }

    /// Whether the options select an AWS on the network.
    pub fn is_remote(&self) -> bool {
        self.aws || self.endpoint_url.is_some()
    }
}
