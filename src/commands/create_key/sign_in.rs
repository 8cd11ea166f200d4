//! Sign-in for profiles with `mfa_serial` when the console isn't open. The code is requested on the terminal, even if
//! standard input and output are redirected.

use super::CreateKeyExit;
use crate::aws::cli_command::shell_quote;
use crate::aws::limits;
use crate::aws::scalar::SecretString;
use crate::client::Client;
use crate::client::credentials::LoadCredentialsError;
use crate::tui::terminal;

/// How many times the code is requested.
const MAX_ATTEMPTS: usize = 3;

/// The reasons that sign-in fails.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// There is no terminal to request the code on.
    #[error(
        "Couldn't sign in: the profile {profile} needs a code from the MFA device {serial}, and there is no terminal \
         to ask for it. Run the command in a terminal. Or sign in first with \
         `eval \"$(aws configure export-credentials --profile {} --format env)\"`, then run the command without \
         --profile and with --region.",
        shell_quote(profile)
    )]
    NoTerminal {
        /// The name of the profile.
        profile: String,
        /// The serial number of its MFA device.
        serial: String,
    },
    /// Each code was wrong, no code was entered, or the credentials can't be loaded for another reason.
    #[error(transparent)]
    Credentials(#[from] LoadCredentialsError),
}

impl From<&SignInError> for CreateKeyExit {
    fn from(error: &SignInError) -> Self {
        if matches!(error, SignInError::NoTerminal { .. }) { Self::InvalidInput } else { Self::NotCreated }
    }
}

/// Requests the MFA code for `credentials_error` on the terminal and signs in. Repeats the request after a wrong code.
///
/// # Errors
/// [`SignInError`].
pub async fn sign_in(client: &Client, mut credentials_error: LoadCredentialsError) -> Result<(), SignInError> {
    let mut notice = String::new();
    for _ in 0..MAX_ATTEMPTS {
        let Some(serial) = credentials_error.mfa_serial.clone() else { break };
        let question = format!("{notice}Enter the MFA code for {serial}, profile {}: ", credentials_error.profile);
        let Ok(line) = terminal::prompt(&question) else {
            return Err(SignInError::NoTerminal { profile: credentials_error.profile, serial });
        };
        let Some(line) = line else { break };
        // Some authenticator apps show a space in the middle of the code.
        let code = SecretString::new(line.split_whitespace().collect());
        if let Err(violation) = limits::mfa_code(code.expose()) {
            notice = format!("✗ {}\n", violation.reason);
            continue;
        }
        match client.log_in(Some(code)).await {
            Ok(()) => return Ok(()),
            Err(next) => credentials_error = next,
        }
        notice = format!("✗ {}\n", credentials_error.reason);
    }
    Err(credentials_error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_terminal_error_shows_a_sign_in_command_to_paste() {
        let (profile, serial) = ("break glass".to_owned(), "arn:aws:iam::111122223333:mfa/Admin".to_owned());
        let message = SignInError::NoTerminal { profile, serial }.to_string();
        assert!(message.contains("export-credentials --profile 'break glass' --format env"), "{message}");
        assert!(message.ends_with("without --profile and with --region."), "{message}");
    }
}
