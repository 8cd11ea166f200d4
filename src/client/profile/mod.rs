//! Opens clients of real AWS or a custom endpoint, configured by the command line, the environment, and AWS profiles.
//!
//! The AWS SDK reads the environment and profiles, and only when such a client is opened. Without the Cargo feature
//! `aws-profiles`, the program has no AWS SDK and takes everything from environment variables.

#[cfg(feature = "aws-profiles")]
mod aws_sdk;
#[cfg(feature = "aws-profiles")]
mod config_files;
#[cfg(feature = "aws-profiles")]
mod credential_chain;
#[cfg(feature = "aws-profiles")]
mod credential_remedy;
#[cfg(any(test, not(feature = "aws-profiles")))]
mod environment;
#[cfg(feature = "aws-profiles")]
mod selected;
mod settings;
#[cfg(not(feature = "aws-profiles"))]
mod without_profiles;

#[cfg(feature = "aws-profiles")]
pub(super) use self::aws_sdk::{ProfileContext, list_profiles, reopen};
#[cfg(feature = "aws-profiles")]
pub use self::aws_sdk::{list, open};
pub use self::settings::{OpenError, Settings};
#[cfg(not(feature = "aws-profiles"))]
pub(super) use self::without_profiles::{ProfileContext, list_profiles, reopen};
#[cfg(not(feature = "aws-profiles"))]
pub use self::without_profiles::{list, open};

use super::endpoints::check_url;
use crate::aws::operation::Service;

/// The service IDs in endpoint settings, such as `AWS_ENDPOINT_URL_KMS` and `services` sections.
const SERVICE_IDS: [(Service, &str); 6] = [
    (Service::Kms, "KMS"),
    (Service::Iam, "IAM"),
    (Service::Sts, "STS"),
    (Service::CloudTrail, "CloudTrail"),
    (Service::CloudWatch, "CloudWatch"),
    (Service::Tagging, "Resource Groups Tagging API"),
];

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

/// Checks an endpoint of `service` that a setting provides.
fn check_endpoint(service: &'static str, url: &str) -> Result<(), OpenError> {
    check_url(url).map_err(|source| OpenError::Endpoint { service, source })
}
