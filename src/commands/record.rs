//! `xks-console record`: writes a tape of what the user does.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use super::note;
use crate::bundled;
use crate::cli::{Arguments, Record};
use crate::flow::player::PlayerSettings;
use crate::flow::stage;
use crate::flow::tape::{DEFAULT_SIZE, StartTime};
use crate::tui::terminal;
use crate::xks::network::{ConnectTo, Network};

/// Records the tape of the command line.
pub(super) fn run(arguments: &Arguments, options: &Record) -> Result<ExitCode, Box<dyn Error>> {
    if let Err(error) = terminal::require() {
        note(error);
        return Ok(ExitCode::from(terminal::TerminalError::EXIT_CODE));
    }
    if options.tape.extension().is_none_or(|extension| extension != "tape") {
        note("the names of tapes end in .tape, such as create-key.tape");
        return Ok(ExitCode::from(2));
    }
    let mut settings = PlayerSettings::new(crossterm::terminal::size().unwrap_or(DEFAULT_SIZE));
    if let Some(problem) = stage::size_problem(settings.size) {
        note(problem);
        return Ok(ExitCode::from(2));
    }
    if let Some(world) = &arguments.scenario {
        if !bundled::is_known_scenario(world) {
            let known = bundled::scenario_names().join(", ");
            note(format!(
                "there is no scenario \"{world}\"; use one of {known}, or the path of a file that ends in .toml"
            ));
            return Ok(ExitCode::from(2));
        }
        settings.world.clone_from(world);
    }
    let network = Network::new(arguments.connect_to.clone(), arguments.proxy_ca.clone());
    network.check()?;
    settings.network = Some(network);
    if !arguments.connect_to.is_empty() || arguments.proxy_ca.is_some() {
        // A proxy checks the time of requests.
        settings.clock = StartTime::Now;
    }
    let secrets = stage::record(settings, super::settings(arguments)?.appearance(), &options.tape, options.force)?;
    let path = options.tape.display();
    let mut out = std::io::stdout();
    writeln!(out, "{path} was written. To write its golden files, run:")?;
    let mut options = String::new();
    for ConnectTo { host, address } in &arguments.connect_to {
        let _ = write!(options, " --connect-to {host}={address}");
    }
    if let Some(file) = &arguments.proxy_ca {
        let _ = write!(options, " --proxy-ca {}", file.display());
    }
    writeln!(out, "  xks-console test {path} --accept{options}")?;
    for variable in secrets {
        writeln!(out, "The tape takes a secret that you typed from the environment variable {variable}.")?;
    }
    Ok(ExitCode::SUCCESS)
}
