//! `xks-console config`: prints or checks the settings.

use std::error::Error;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::note;
use crate::cli::{Arguments, ConfigCommand};
use crate::config::{self, CONFIG_FILE, ConfigurationError, Settings};
use crate::text::plural;

/// Runs a `config` command.
pub(super) fn run(arguments: &Arguments, command: &ConfigCommand) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        ConfigCommand::Print => print(&config::print(&super::settings(arguments)?))?,
        ConfigCommand::Check { file: Some(file) } => return check_file(file),
        ConfigCommand::Check { file: None } => return check(arguments),
        ConfigCommand::Schema => print(&format!("{:#}\n", config::schema()))?,
        ConfigCommand::Path => print(&format!("{}\n", path()?.display()))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

fn path() -> Result<PathBuf, String> {
    let directory = config::config_directory(variable);
    let directory = directory.ok_or(
        "There is no directory for config.toml: neither XDG_CONFIG_HOME nor HOME is set to an absolute path. Set one of \
         them.",
    )?;
    Ok(directory.join(CONFIG_FILE))
}

fn check_file(file: &Path) -> Result<ExitCode, Box<dyn Error>> {
    match config::read(file) {
        Ok(Some(_)) => {
            print(&format!("No problems found in {}.\n", file.display()))?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(None) => Err(format!("Couldn't read {}: the file doesn't exist. Check the path.", file.display()).into()),
        Err(error) => report(error),
    }
}

fn check(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    if let Err(error) = Settings::load(&arguments.setting_options(), variable) {
        return report(error);
    }
    let message = match path() {
        Ok(path) if path.exists() => {
            format!("No problems found in {} and the environment variables.", path.display())
        }
        Ok(path) => format!("No problems found in the environment variables. {} doesn't exist.", path.display()),
        Err(_) => "No problems found in the environment variables.".to_owned(),
    };
    print(&format!("{message}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the problems on standard output, one a line.
fn report(error: ConfigurationError) -> Result<ExitCode, Box<dyn Error>> {
    let ConfigurationError::Invalid(problems) = error else { return Err(error.into()) };
    for problem in &problems {
        print(&format!("{problem}\n"))?;
    }
    note(format_args!("{} found.", plural(problems.len(), "problem", "problems")));
    Ok(ExitCode::FAILURE)
}

/// Writes to standard output. A reader that has read enough, such as `head`, is no error.
fn print(text: &str) -> std::io::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
