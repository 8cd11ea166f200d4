//! `xks-console reset`: deletes the account of the bundled AWS, and creates a new one.

use std::error::Error;
use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use super::{EXIT_DECLINED, EXIT_USAGE, confirm_on_terminal, note, open_bundled};
use crate::bundled::delete_account;
use crate::cli::{Arguments, Reset};
use crate::server::profiles;

/// Deletes the account in the data directory after the user confirms it, and creates a new one.
pub(super) fn run(arguments: &Arguments, options: Reset) -> Result<ExitCode, Box<dyn Error>> {
    let data_dir = super::settings(arguments)?.data_dir()?;
    let shown = data_dir.display();
    if !options.yes {
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            note(format_args!(
                "Couldn't ask for confirmation, because there is no terminal. Deleting an account can't be undone. To \
                 delete the account in {shown} without confirmation, add --yes."
            ));
            return Ok(ExitCode::from(EXIT_USAGE));
        }
        let question = format!(
            "Delete the account in {shown}, with all KMS keys and external keys? Data encrypted under them is lost."
        );
        if !confirm_on_terminal(&question)? {
            note("Nothing was deleted.");
            return Ok(ExitCode::from(EXIT_DECLINED));
        }
    }
    // A scenario or CA file with a mistake must be found before the account is gone.
    drop(open_bundled(arguments, None)?);
    delete_account(&data_dir)?;
    // They are for access keys that no longer exist.
    profiles::delete(&data_dir)?;
    drop(open_bundled(arguments, Some(&data_dir))?);
    note(format_args!("Deleted the account in {shown}, and created a new one."));
    Ok(ExitCode::SUCCESS)
}
