//! `xks-console learn`: lists lessons, opens the console on one, and helps trainers to write their own.

mod author;
mod report;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::aws::AwsConnection;
use super::{console, is_broken_pipe, note, runtime};
use crate::cli::{Arguments, Learn, LearnCommand};
use crate::environment::Clock;
use crate::lessons::directory::{self, LessonDirectory};
use crate::lessons::engine::LessonEngine;
use crate::lessons::{self, Lesson, LessonError};
use crate::text::plural;
use crate::tui::terminal;
use crate::xks::network::Network;

/// Runs `learn`.
pub(super) fn run(arguments: &Arguments, options: &Learn) -> Result<ExitCode, Box<dyn Error>> {
    match run_command(arguments, options) {
        // The reader, such as `head`, may close the pipe before the end of a list.
        Err(error) if is_broken_pipe(&*error) => Ok(ExitCode::SUCCESS),
        result => result,
    }
}

fn run_command(arguments: &Arguments, options: &Learn) -> Result<ExitCode, Box<dyn Error>> {
    match &options.command {
        Some(LearnCommand::New { file }) => return author::create(file),
        Some(LearnCommand::Check { files }) => return author::check(files),
        Some(LearnCommand::Report) => return report::print_report(&data_dir(arguments)?, arguments.json),
        None => {}
    }
    if options.reset_all {
        let count = directory::remove_all(&data_dir(arguments)?)?;
        writeln!(std::io::stdout(), "{} reset.", plural(count, "lesson was", "lessons were"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(name) = &options.lesson else {
        return report::print_list(&data_dir(arguments)?, arguments.json);
    };
    let lesson = match lessons::find(name, Path::new("")) {
        Ok(lesson) => lesson,
        Err(error) => return Ok(report_invalid(&error)),
    };
    if options.reset {
        return reset(&data_dir(arguments)?, &lesson, name, options.step);
    }
    open(arguments, lesson)
}

fn data_dir(arguments: &Arguments) -> Result<std::path::PathBuf, Box<dyn Error>> {
    Ok(super::settings(arguments)?.data_dir()?)
}

/// Reports that there is no lesson, and returns the exit code.
fn report_invalid(error: &LessonError) -> ExitCode {
    note(error);
    ExitCode::from(2)
}

/// Removes the progress of a lesson, or that of a step and those after it.
fn reset(data_dir: &Path, lesson: &Lesson, name: &str, step: Option<usize>) -> Result<ExitCode, Box<dyn Error>> {
    let directory = LessonDirectory::open(data_dir, lesson)?;
    let mut out = std::io::stdout();
    match step {
        None => {
            directory.reset()?;
            writeln!(out, "The lesson \"{}\" starts from the beginning. To take it, run:", lesson.title)?;
        }
        Some(step) => {
            directory.reset_to_step(step)?;
            writeln!(out, "The lesson \"{}\" is at the beginning of step {step}. To take it, run:", lesson.title)?;
        }
    }
    writeln!(out, "  xks-console learn {name}")?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the console on the account of a lesson, with the lesson beside it.
fn open(arguments: &Arguments, lesson: Lesson) -> Result<ExitCode, Box<dyn Error>> {
    if let Err(error) = terminal::require() {
        note(error);
        return Ok(ExitCode::from(terminal::TerminalError::EXIT_CODE));
    }
    let settings = super::settings(arguments)?;
    if settings.accessible.value {
        note(
            "lessons need the screen of the console, so they can't be taken with --accessible. The tutorials in the documentation explain how to create a key without a lesson",
        );
        return Ok(ExitCode::from(2));
    }
    let runtime = runtime()?;
    let directory = LessonDirectory::open(&settings.data_dir()?, &lesson)?;
    let progress = directory.progress()?;
    let network = Network::new(arguments.connect_to.clone(), arguments.proxy_ca.clone());
    let bundled = directory.open_account(&lesson, network)?;
    let aws = AwsConnection::for_account(bundled.clone(), settings, directory.account());
    let (mut app, mut effects) = aws.app();
    effects.extend(app.begin_lesson());
    let engine = LessonEngine::new(lesson, bundled, Clock::System).stored_in(directory, progress);
    console::show(aws.into(), &mut app, effects, runtime, Some(engine))
}
