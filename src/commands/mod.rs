//! The commands of the program, one module for each.

mod aws;
mod config;
mod console;
pub mod create_key;
mod open;
mod play;
pub mod proxy;
pub mod proxy_check;
mod record;
pub mod serve;
mod tape;
mod test;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use tokio::runtime::Runtime;

use crate::bundled::BundledAws;
use crate::cli::{Arguments, Command, Proxy};
use crate::config::Settings;
use crate::xks::network::Network;

/// Parses the command line, runs the command, and returns the exit code of the process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(error) = arguments.argument_conflict() {
        error.exit();
    }
    run(&arguments).unwrap_or_else(|error| {
        note(&error);
        ExitCode::FAILURE
    })
}

fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    match &arguments.command {
        None => console::run(arguments),
        Some(Command::CreateKey(options)) => create_key::run(arguments, options),
        Some(Command::Open(options)) => open::run(arguments, options),
        Some(Command::Test(options)) => test::run(arguments, options),
        Some(Command::Play(options)) => play::run(arguments, options),
        Some(Command::Record(options)) => record::run(arguments, options),
        Some(Command::Tape(command)) => tape::run(command),
        Some(Command::Config(options)) => config::run(arguments, &options.command()),
        Some(Command::Serve(options)) => serve::run(arguments, options),
        Some(Command::Proxy { command: Proxy::Bundled(command) }) => proxy::run_on_terminal(arguments, command),
        Some(Command::Proxy { command: Proxy::Check(options) }) => proxy_check::run(arguments, options),
    }
}

/// Returns the settings that apply. Exits if an option conflicts with them.
fn settings(arguments: &Arguments) -> Result<Settings, Box<dyn Error>> {
    let settings = Settings::load(&arguments.setting_options(), |name| std::env::var_os(name))?;
    if let Some(error) = arguments.settings_conflict(&settings) {
        error.exit();
    }
    Ok(settings)
}

/// Writes a message for people to standard error. Ignores errors, such as a closed pipe.
pub fn note(message: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "xks-console: {message}");
}

/// Opens the bundled AWS in `data_dir`, and creates its account if there is none.
///
/// # Errors
/// A scenario or a `--proxy-ca` file that can't be used, and errors of the databases.
pub fn open_bundled(arguments: &Arguments, data_dir: &Path) -> Result<BundledAws, Box<dyn Error>> {
    let network = Network::new(arguments.connect_to.clone(), arguments.proxy_ca.clone());
    if arguments.proxy_ca.is_some() {
        network.check()?;
    }
    Ok(BundledAws::open_with_network(data_dir, arguments.scenario.as_deref(), network)?)
}

/// Creates the runtime of a command that calls AWS.
fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}
