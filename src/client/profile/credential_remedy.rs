//! What the user can do if the selected profile provides no credentials.

use aws_credential_types::provider::error::CredentialsError;
use aws_types::os_shim_internal::Env;

use super::Settings;
use super::selected::SelectedProfile;
use crate::aws::cli_command::shell_quote;
use crate::client::shared_config::{decode_name, encode_name};

/// The remedy for an invalid profile.
pub(super) const FIX_PROFILE: &str = "Fix the profile, then try again";

impl SelectedProfile {
    /// Returns what to do if the profile provides no credentials.
    pub(super) fn remedy(&self, settings: &Settings, error: &CredentialsError) -> String {
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
