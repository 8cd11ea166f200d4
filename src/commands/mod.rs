//! The commands of the program, one module for each.

mod accessible;
mod aws;
mod clock;
mod completions;
mod config;
mod console;
pub mod create_key;
mod explain;
mod learn;
mod lists;
mod man;
mod open;
mod play;
pub mod proxy;
pub mod proxy_check;
mod record;
mod reset;
pub mod serve;
mod signals;
mod tape;
mod test;
mod world;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use tokio::runtime::Runtime;

use crate::build_info::BuildInfo;
use crate::bundled::BundledAws;
use crate::cli::{Arguments, Command, Proxy};
use crate::config::Settings;
use crate::environment::Environment;
use crate::text::escape_controls_in_lines;
use crate::xks::network::Network;

/// Parses the command line, runs the command, and returns the exit code of the process.
pub fn main() -> ExitCode {
    if let Some(exit) = completions::respond() {
        return exit;
    }
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
        None if is_accessible(arguments)? => accessible::run(arguments, None),
        None => console::run(arguments),
        Some(Command::CreateKey(options)) => create_key::run(arguments, options),
        Some(Command::Open(options)) if is_accessible(arguments)? => accessible::run(arguments, Some(&options.name)),
        Some(Command::Open(options)) => open::run(arguments, options),
        Some(Command::ListKeys(options)) => lists::list_keys(arguments, options),
        Some(Command::ShowKey(options)) => lists::show_key(arguments, options),
        Some(Command::ListStores(options)) => lists::list_stores(arguments, options),
        Some(Command::Explain(options)) => explain::run(arguments, options),
        Some(Command::Clock(options)) => clock::run(arguments, options),
        Some(Command::Reset(options)) => reset::run(arguments, *options),
        Some(Command::Learn(options)) => learn::run(arguments, options),
        Some(Command::World(command)) => world::run(arguments, command),
        Some(Command::Test(options)) => test::run(arguments, options),
        Some(Command::Play(options)) => play::run(arguments, options),
        Some(Command::Record(options)) => record::run(arguments, options),
        Some(Command::Tape(command)) => tape::run(command),
        Some(Command::Config(options)) => config::run(arguments, &options.command()),
        Some(Command::Man(options)) => man::run(options),
        Some(Command::Version) => print_version(arguments.json),
        Some(Command::Completions(options)) => Ok(completions::run(options.shell)?),
        Some(Command::Serve(options)) => serve::run(arguments, options),
        Some(Command::Proxy { command: Proxy::Bundled(command) }) => proxy::run_on_terminal(arguments, command),
        Some(Command::Proxy { command: Proxy::Check(options) }) => proxy_check::run(arguments, options),
    }
}

/// Returns whether a command asks questions in lines of text instead of drawing a screen.
fn is_accessible(arguments: &Arguments) -> Result<bool, Box<dyn Error>> {
    Ok(settings(arguments)?.accessible.value)
}

/// Returns the settings that apply. Exits if an option conflicts with them.
fn settings(arguments: &Arguments) -> Result<Settings, Box<dyn Error>> {
    let settings = Settings::load(&arguments.setting_options(), |name| std::env::var_os(name))?;
    if let Some(error) = arguments.settings_conflict(&settings) {
        error.exit();
    }
    Ok(settings)
}

/// Prints what the program was built from.
fn print_version(is_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let info = BuildInfo::current();
    let text = if is_json { serde_json::to_string_pretty(&info.to_json())? } else { info.to_string() };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a message for people to standard error. Ignores errors, such as a closed pipe.
pub fn note(message: impl std::fmt::Display) {
    // A message can contain text from AWS or from a file.
    let message = escape_controls_in_lines(&message.to_string());
    let _ = writeln!(std::io::stderr(), "xks-console: {message}");
}

/// Opens the bundled AWS in `data_dir`, and creates its account if there is none. Without a directory, the account is in
/// memory.
///
/// # Errors
/// A scenario or a `--proxy-ca` file that can't be used, and errors of the databases.
pub fn open_bundled(arguments: &Arguments, data_dir: Option<&Path>) -> Result<BundledAws, Box<dyn Error>> {
    let network = Network::new(arguments.connect_to.clone(), arguments.proxy_ca.clone());
    if arguments.proxy_ca.is_some() {
        network.check()?;
    }
    let scenario = arguments.scenario.as_deref();
    let opened = if let Some(data_dir) = data_dir {
        BundledAws::open_with_network(data_dir, scenario, network)
    } else {
        BundledAws::in_memory_with_network(scenario.unwrap_or("default"), Environment::system(), Some(network))
    };
    Ok(opened?)
}

/// The exit code for an invalid value, and for a confirmation without a terminal.
const EXIT_USAGE: u8 = 2;
/// The exit code if the user doesn't confirm.
const EXIT_DECLINED: u8 = 3;

/// Whether the reader of the output, such as `head`, has closed the pipe.
fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Asks a question on the terminal. Returns whether the answer is yes.
fn confirm_on_terminal(question: &str) -> std::io::Result<bool> {
    let mut notes = std::io::stderr();
    write!(notes, "{question} [y/N] ")?;
    notes.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Creates the runtime of a command that calls AWS.
fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()
}
