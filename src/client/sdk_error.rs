//! Errors of the AWS SDK, reworded for the user who has to act on them.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::error::ErrorMetadata;

/// Phrases that the SDK adds to a reason and that carry no information.
const BOILERPLATE: [&str; 4] = [
    "an error occurred while loading credentials: ",
    "the credential provider was not enabled: ",
    "the credentials provider was not properly configured: ",
    "ProfileFile provider could not be built: ",
];

/// Returns why the credential chain found no credentials, without details about how the SDK was built.
pub(super) fn describe_credentials(error: &CredentialsError) -> String {
    let reason = describe(error);
    if reason.contains("credentials-login") {
        return "only the AWS CLI can read its `aws login` session".to_owned();
    }
    reason
}

/// Returns an error and its causes on one line, without repetition.
pub(super) fn describe(error: &dyn Error) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // The `Display` output of service error metadata is a debug format.
        let message = inner.downcast_ref::<ErrorMetadata>().and_then(ErrorMetadata::message);
        let more = message.map_or_else(|| inner.to_string(), str::to_owned).trim_end_matches('.').to_owned();
        if !reason.contains(&more) {
            reason = format!("{reason}: {more}");
        }
        cause = inner.source();
    }
    let reason = BOILERPLATE.iter().fold(reason, |reason, phrase| reason.replace(phrase, ""));
    let lines: Vec<&str> = reason.lines().map(str::trim).collect();
    lines.join("; ")
}
