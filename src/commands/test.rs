//! `xks-console test`: plays tapes and compares their screens with golden files.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use super::aws::AwsConnection;
use super::{note, runtime};
use crate::cli::{Arguments, Test};
use crate::flow::review::{self, Review, ReviewEvent};
use crate::flow::suite::{self, ConsoleKind, Outcome, Report, Suite, SuiteError};
use crate::tui::terminal;

/// Plays the tapes of the command line, and writes the reports.
pub(super) fn run(arguments: &Arguments, options: &Test) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = runtime()?;
    let console = if arguments.aws_options().is_remote() {
        let aws = AwsConnection::open(arguments, &runtime)?;
        ConsoleKind::Remote { client: aws.client.clone(), target: aws.target() }
    } else if options.pty {
        let program = std::env::current_exe()?;
        ConsoleKind::Pty { program, connect_to: arguments.connect_to.clone(), proxy_ca: arguments.proxy_ca.clone() }
    } else {
        ConsoleKind::InMemory { connect_to: arguments.connect_to.clone(), proxy_ca: arguments.proxy_ca.clone() }
    };
    let suite = Suite::new(options.paths.iter().cloned())
        .at_sizes(options.sizes.clone())
        .on(console)
        .accepting(options.accept)
        .tracing_to(options.trace.clone());
    let report = match suite.run() {
        Ok(report) => report,
        Err(error @ (SuiteError::NoTapes(_) | SuiteError::File { .. } | SuiteError::Golden(_))) => {
            note(error);
            return Ok(ExitCode::from(2));
        }
        Err(error) => return Err(error.into()),
    };
    if arguments.json {
        print(&suite::json(&report))?;
    } else {
        print(&report.to_string())?;
        let has_new_screens = report.count(|outcome| *outcome == Outcome::Differs) > 0;
        if has_new_screens && !options.accept && !options.review && options.can_accept() {
            let paths = options.paths.iter().map(|path| path.display().to_string());
            let sizes = options.sizes.iter().map(|(width, height)| format!("--size {width}x{height}"));
            let words: Vec<String> = paths.chain(sizes).collect();
            let command = format!("xks-console test {}", words.join(" "));
            print(&format!("To accept new screens, run `{command} --review` or `{command} --accept`.\n"))?;
        }
    }
    if let Some(path) = &options.report {
        write_file(path, &suite::html(&report))?;
    }
    if let Some(path) = &options.junit {
        write_file(path, &suite::junit(&report)?)?;
    }
    if options.review {
        return review(&report, arguments.json);
    }
    Ok(ExitCode::from(report.exit_code()))
}

/// Lets the user decide about the screens that differ, writes the decisions, and returns the exit code.
fn review(report: &Report, json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let mut review = Review::new(report)?;
    if review.items().is_empty() {
        return Ok(ExitCode::from(report.exit_code()));
    }
    if let Err(error) = terminal::require() {
        note(format_args!("--review shows the screens in the terminal. {error}. To accept all screens, use --accept"));
        return Ok(ExitCode::from(terminal::TerminalError::EXIT_CODE));
    }
    if review::show(&mut review)? == ReviewEvent::Cancel {
        note("the review was canceled; no golden files were changed");
        return Ok(ExitCode::from(report.exit_code()));
    }
    review.write(report)?;
    let summary = review.summary(report);
    // With --json, standard output is the report only.
    if json {
        writeln!(std::io::stderr(), "{summary}")?;
    } else {
        writeln!(std::io::stdout(), "{summary}")?;
    }
    Ok(if summary.is_success() { ExitCode::SUCCESS } else { ExitCode::from(report.exit_code()) })
}

/// Writes to standard output. A reader that has read enough, such as `head`, is no error.
fn print(text: &str) -> std::io::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn write_file(path: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    std::fs::write(path, text).map_err(|error| format!("Couldn't write {}: {error}", path.display()).into())
}
