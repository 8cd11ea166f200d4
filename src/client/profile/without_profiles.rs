//! Opens clients in a build without AWS profiles.

use super::{OpenError, ProfileSummary, Settings, environment};
use crate::client::Client;
use crate::environment::Clock;

/// The profile of a client. In this build, no client has one.
#[derive(Debug)]
pub(in crate::client) enum ProfileContext {}

impl ProfileContext {
    /// Returns the selected profile.
    pub(in crate::client) fn profile(&self) -> &str {
        match *self {}
    }
}

/// Returns the client for another profile.
///
/// # Errors
/// None in this build.
#[allow(clippy::unused_async, reason = "other builds read files")]
pub(in crate::client) async fn reopen(
    _: &Client,
    current: &ProfileContext,
    _: &str,
    _: &str,
) -> Result<Client, OpenError> {
    match *current {}
}

/// Returns the profiles of a client.
///
/// # Errors
/// None in this build.
#[allow(clippy::unused_async, reason = "other builds read files")]
pub(in crate::client) async fn list_profiles(context: &ProfileContext) -> Result<Vec<ProfileSummary>, OpenError> {
    match *context {}
}

/// Returns no profiles.
///
/// # Errors
/// None in this build.
#[allow(clippy::unused_async, reason = "other builds read files")]
pub async fn list(_: &Settings) -> Result<Vec<ProfileSummary>, OpenError> {
    Ok(Vec::new())
}

/// Opens a client with the credentials in the environment.
///
/// # Errors
/// [`OpenError`] if a setting or variable is missing or invalid, or a profile is selected.
#[allow(clippy::unused_async, reason = "other builds read files")]
pub async fn open(settings: Settings, clock: Clock) -> Result<Client, OpenError> {
    environment::open_with(&settings, clock, |name| std::env::var(name).ok())
}
