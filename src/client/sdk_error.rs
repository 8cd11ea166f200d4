//! Errors of AWS's SDK, in the words of the person who has to act on them.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_types::error::ErrorMetadata;

/// Phrases that the SDK puts around a reason and that add nothing to it.
const BOILERPLATE: [&str; 4] = [
    "an error occurred while loading credentials: ",
    "the credential provider was not enabled: ",
    "the credentials provider was not properly configured: ",
    "ProfileFile provider could not be built: ",
];

/// Returns why the credential chain found no credentials, without details of the SDK's build.
pub(super) fn describe_credentials(error: &CredentialsError) -> String {
    let reason = describe(error);
    if reason.contains("credentials-login") {
        return "its session of `aws login` can be read by the AWS CLI alone".to_owned();
    }
    reason
}

/// Returns an error and its causes in one line, without repetitions.
pub(super) fn describe(error: &dyn Error) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Displayed, the metadata of a service's error would be debug output.
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
