//! The directory of the repository, and Cargo in it.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the directory of the repository.
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package).to_owned()
}

/// Returns a command that runs this Cargo with `arguments` in the directory of the repository.
pub fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Runs a command to its end. Its output goes to the terminal.
///
/// # Errors
/// Names the program if it can't be started or fails.
pub fn run(mut command: Command) -> Result<(), Box<dyn Error>> {
    let line = describe(&command);
    let status = command.status().map_err(|error| format!("couldn't run `{line}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{line}` failed: {status}").into()) }
}

/// Returns a command as a line for messages.
pub fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
