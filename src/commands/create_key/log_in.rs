//! Profiles with `mfa_serial` where there is no console to ask: the code is asked for on the terminal, whatever standard input
//! and output are.

use super::Exit;
use crate::aws::cli::shell_quote;
use crate::aws::limits;
use crate::aws::scalar::SecretString;
use crate::client::Client;
use crate::client::credentials::LoadCredentialsError;
use crate::tui::terminal;

/// How often a code is asked for.
const MOST_TRIES: usize = 3;

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum NotLoggedIn {
    /// Nobody can be asked.
    #[error(
        "the profile {profile} needs a code of the MFA device {serial}, and there is no terminal to ask for it. Run the \
         command in a terminal. Or sign in first with \
         `eval \"$(aws configure export-credentials --profile {} --format env)\"`, then run the command without --profile \
         and with --region",
        shell_quote(profile)
    )]
    NoTerminal {
        /// The profile.
        profile: String,
        /// The serial number of its device.
        serial: String,
    },
    /// The code is wrong each time, or none was given, or something else keeps credentials away.
    #[error(transparent)]
    Refused(#[from] LoadCredentialsError),
}

impl From<&NotLoggedIn> for Exit {
    fn from(error: &NotLoggedIn) -> Self {
        if matches!(error, NotLoggedIn::NoTerminal { .. }) { Self::NotRight } else { Self::NotMade }
    }
}

/// Asks on the terminal for the code that `none` waits for, and again after a wrong one.
///
/// # Errors
/// [`NotLoggedIn`].
pub async fn log_in(client: &Client, mut none: LoadCredentialsError) -> Result<(), NotLoggedIn> {
    let mut said = String::new();
    for _ in 0..MOST_TRIES {
        let Some(serial) = none.mfa_serial.clone() else { break };
        let question = format!("{said}Code of the MFA device {serial}, profile {}: ", none.profile);
        let Ok(line) = terminal::ask(&question) else {
            return Err(NotLoggedIn::NoTerminal { profile: none.profile, serial });
        };
        let Some(line) = line else { break };
        // Some authenticators write a blank in the middle.
        let code = SecretString::new(line.split_whitespace().collect());
        if let Err(violation) = limits::mfa_code(code.expose()) {
            said = format!("✗ {}\n", violation.reason);
            continue;
        }
        match client.log_in(Some(code)).await {
            Ok(()) => return Ok(()),
            Err(next) => none = next,
        }
        said = format!("✗ {}\n", none.reason);
    }
    Err(none.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_terminal_error_shows_a_sign_in_command_to_paste() {
        let (profile, serial) = ("break glass".to_owned(), "arn:aws:iam::111122223333:mfa/Admin".to_owned());
        let told = NotLoggedIn::NoTerminal { profile, serial }.to_string();
        assert!(told.contains("export-credentials --profile 'break glass' --format env"), "{told}");
        assert!(told.ends_with("without --profile and with --region"), "{told}");
    }
}
