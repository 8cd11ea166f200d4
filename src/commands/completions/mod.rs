//! Shell completions: `xks-console completions`, and the responses to the shell while you type.

mod values;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_complete::CompleteEnv;
use clap_complete::engine::ArgValueCompleter;
use clap_complete::env::{Bash, EnvCompleter, Fish, Shells, Zsh};

use self::values::Values;
use crate::cli::{Arguments, Shell};

/// The environment variable with which a shell requests completions. Its value is the name of the shell.
const VARIABLE: &str = "XKS_CONSOLE_COMPLETE";
/// The program that a shell runs.
const PROGRAM: &str = "xks-console";
/// The shells.
const SHELLS: Shells<'static> = Shells(&[&Bash, &Zsh, &Fish]);

/// Writes the script that sets up completions in `shell`.
pub(super) fn run(shell: Shell) -> io::Result<ExitCode> {
    io::stdout().write_all(script(shell)?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn script(shell: Shell) -> io::Result<String> {
    let (completer, install): (&dyn EnvCompleter, _) = match shell {
        Shell::Bash => (&Bash, "~/.bashrc:\n#   source <(xks-console completions bash)"),
        Shell::Zsh => (&Zsh, "~/.zshrc, after compinit:\n#   source <(xks-console completions zsh)"),
        Shell::Fish => (&Fish, "~/.config/fish/config.fish:\n#   xks-console completions fish | source"),
    };
    let mut script = Vec::new();
    completer.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, &mut script)?;
    let script = String::from_utf8_lossy(&script);
    let comment = format!(
        "# Completions of xks-console for {shell}. To load them in each new shell, add this line to {install}\n\
         # Don't save this script in a file: it may not fit another version of xks-console.\n"
    );
    // The first line of a zsh script has to be its tag.
    Ok(match script.split_once('\n') {
        Some((tag, rest)) if tag.starts_with("#compdef") => format!("{tag}\n{comment}{rest}"),
        _ => format!("{comment}{}", script.trim_start()),
    })
}

/// Responds to a request for completions. Returns `None` if the program isn't run for completions.
pub(super) fn respond() -> Option<ExitCode> {
    let shell = std::env::var_os(VARIABLE)?;
    let words: Vec<OsString> = std::env::args_os().collect();
    let dir = std::env::current_dir().ok();
    match write_candidates(&shell, words, dir.as_deref()) {
        Ok(true) => Some(ExitCode::SUCCESS),
        Ok(false) => None,
        // The shell shows no candidates. A message would end up in the command line.
        Err(_) => Some(ExitCode::FAILURE),
    }
}

fn write_candidates(shell: &OsStr, words: Vec<OsString>, dir: Option<&Path>) -> clap::error::Result<bool> {
    let values = Values::from_words(&words, shell == Bash.name(), |name| std::env::var_os(name));
    CompleteEnv::with_factory(|| with_values(Arguments::command(), &values))
        .var(VARIABLE)
        .bin(PROGRAM)
        .completer(PROGRAM)
        .shells(SHELLS)
        .try_complete(words, dir)
}

/// Adds the completion of values to a command and its subcommands.
fn with_values(command: Command, values: &Values) -> Command {
    let name = command.get_name().to_owned();
    command
        .mut_args(|arg| {
            let values = values.clone();
            match (arg.get_id().as_str(), name.as_str()) {
                ("profile", _) => arg.add(ArgValueCompleter::new(move |word: &OsStr| values.profiles(word))),
                ("region", _) => arg.add(ArgValueCompleter::new(move |word: &OsStr| values.regions(word))),
                // The file that is written.
                ("scenario", "export") => arg,
                ("scenario", _) => arg.add(ArgValueCompleter::new(move |word: &OsStr| values.scenarios(word))),
                ("store" | "custom_key_store_id", _) => {
                    arg.add(ArgValueCompleter::new(move |word: &OsStr| values.key_stores(word)))
                }
                ("lesson", "learn") => arg.add(ArgValueCompleter::new(move |word: &OsStr| values.lessons(word))),
                ("name", "open") => {
                    arg.add(ArgValueCompleter::new(move |word: &OsStr| values.keys_and_key_stores(word)))
                }
                ("name", "show-key") => arg.add(ArgValueCompleter::new(move |word: &OsStr| values.keys(word))),
                _ => arg,
            }
        })
        .mut_subcommands(|command| with_values(command, values))
}
