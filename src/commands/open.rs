//! `xks-console open`: opens the console on the page of a key or a key store.

use std::error::Error;
use std::process::ExitCode;

use super::aws::AwsConnection;
use super::{console, note, runtime};
use crate::cli::{Arguments, Open};
use crate::client::find::{NothingFound, find};
use crate::tui::terminal;

/// Opens the page that the command line names.
pub(super) fn run(arguments: &Arguments, options: &Open) -> Result<ExitCode, Box<dyn Error>> {
    if let Err(error) = terminal::require() {
        note(error);
        return Ok(ExitCode::from(terminal::TerminalError::EXIT_CODE));
    }
    let runtime = runtime()?;
    let aws = AwsConnection::open(arguments, &runtime)?;
    let name = &options.name;
    let found = match runtime.block_on(find(&aws.client, name)) {
        Ok(Some(found)) => found,
        Ok(None) => {
            note(NothingFound(name.clone()));
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => {
            note(format!("Couldn't find \"{name}\": {error}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    let (mut app, mut effects) = aws.app();
    effects.extend(app.open(found.into()));
    console::show(aws.into(), &mut app, effects, runtime, None)
}
