//! `xks-console tape`: writes a new tape to start from, or checks tapes.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::note;
use crate::cli::TapeCommand;
use crate::flow::tape::{Tape, read_text};

/// The tape that `tape new` writes.
const TEMPLATE: &str = include_str!("../../assets/tapes/_template.tape");

/// Runs a `tape` command.
pub(super) fn run(command: &TapeCommand) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        TapeCommand::New { name } => create(name),
        TapeCommand::Check { tapes, vhs } => check(tapes, *vhs),
    }
}

fn create(name: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let path = if name.extension().is_some_and(|extension| extension == "tape") {
        name.to_owned()
    } else {
        let mut file_name = name.file_name().ok_or("Write the name of the tape, such as create-key.")?.to_owned();
        file_name.push(".tape");
        name.with_file_name(file_name)
    };
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)
            .map_err(|error| format!("Couldn't create {}: {error}", directory.display()))?;
    }
    let file = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut file = file.map_err(|error| format!("Couldn't create {}: {error}", path.display()))?;
    file.write_all(TEMPLATE.as_bytes())?;
    let path = path.display();
    let mut out = std::io::stdout();
    writeln!(out, "{path} was written. Edit it, then run:")?;
    writeln!(out, "  xks-console test {path} --accept")?;
    Ok(ExitCode::SUCCESS)
}

fn check(tapes: &[PathBuf], is_vhs_only: bool) -> Result<ExitCode, Box<dyn Error>> {
    let mut is_valid = true;
    for path in tapes {
        let problems = if is_vhs_only { vhs_problems(path)? } else { problems(path) };
        is_valid &= problems.is_empty();
        for problem in &problems {
            note(problem);
        }
        if problems.is_empty() {
            writeln!(std::io::stdout(), "{}: ok", path.display())?;
        }
    }
    Ok(if is_valid { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn problems(path: &Path) -> Vec<String> {
    Tape::read(path).err().map(|error| error.to_string()).into_iter().collect()
}

fn vhs_problems(path: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let text = read_text(path).map_err(|problem| format!("Couldn't read {}: {problem}", path.display()))?;
    let path = path.display();
    let problems = Tape::check_vhs(&text);
    Ok(problems.iter().map(|error| format!("{path}:{}:{}: {}", error.line, error.column, error.problem)).collect())
}
