//! What trainers use to write lessons: `learn new` and `learn check`.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::commands::{note, runtime};
use crate::lessons::{self, TEMPLATE, check};

/// Writes a lesson to start from.
pub(super) fn create(file: &Path) -> Result<ExitCode, Box<dyn Error>> {
    let has_extension = file.extension().is_some_and(|extension| extension == "toml");
    let path = if has_extension {
        file.to_owned()
    } else {
        let mut name = file.file_name().ok_or("Write the name of the lesson, such as my-lesson.toml.")?.to_owned();
        name.push(".toml");
        file.with_file_name(name)
    };
    let created = OpenOptions::new().write(true).create_new(true).open(&path);
    let mut created = created.map_err(|error| format!("Couldn't create {}: {error}", path.display()))?;
    created.write_all(TEMPLATE.as_bytes())?;
    let path = path.display();
    let mut out = std::io::stdout();
    writeln!(out, "{path} was written. Edit it, then run:")?;
    writeln!(out, "  xks-console learn check {path}")?;
    // A path without a directory or extension would be the name of a lesson.
    writeln!(out, "  xks-console learn {path}")?;
    Ok(ExitCode::SUCCESS)
}

/// Checks lessons: the files, and what their requests and goals do on a new account.
pub(super) fn check(files: &[PathBuf]) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = runtime()?;
    let (mut is_readable, mut can_work) = (true, true);
    for file in files {
        let lesson = match lessons::read(file) {
            Ok(lesson) => lesson,
            Err(error) => {
                note(error);
                is_readable = false;
                continue;
            }
        };
        let findings = runtime.block_on(check::check(&lesson))?;
        for finding in &findings {
            note(format_args!("{}: {finding}", file.display()));
        }
        let is_valid = findings.iter().all(|finding| !finding.is_error);
        can_work &= is_valid;
        if is_valid {
            writeln!(std::io::stdout(), "{}: ok", file.display())?;
        }
    }
    Ok(match (is_readable, can_work) {
        (false, _) => ExitCode::from(2),
        (true, false) => ExitCode::FAILURE,
        (true, true) => ExitCode::SUCCESS,
    })
}
