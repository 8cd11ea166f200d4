//! The `learn` command.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Arguments, DISPLAY_OPTIONS_CONFLICT, DisplayOptions};

/// The text after the options of `learn`.
pub(super) const HELP: &str = "\
Examples:
  xks-console learn                            List the lessons, with your progress
  xks-console learn first-key                  Begin or resume a lesson
  xks-console learn first-key --reset --step 3 Go back to the beginning of step 3
  xks-console learn first-key --reset          Start a lesson from the beginning
  xks-console learn report --json              Print which steps are done, and when
  xks-console learn new my-lesson.toml         Write a lesson to start from
  xks-console learn check my-lesson.toml       Check a lesson of your own
  xks-console learn my-lesson.toml             Take a lesson of your own

Keys in a lesson:
  F7               show the step, or go back to the console
  F9               show a hint
  Enter            begin the next step, or answer a question

Exit codes of `learn check`:
  0    the lessons are valid
  1    a lesson can't work on a new account
  2    a file can't be read or isn't a lesson";

/// The error for `--scenario` with a lesson.
const SCENARIO_CONFLICT: &str = "a lesson sets its account itself, so --scenario can't be used with learn";

/// The options of `learn`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Learn {
    /// The name of a lesson, or the path of a file that ends in .toml; without it, the lessons are listed
    #[arg(value_name = "LESSON")]
    pub lesson: Option<String>,
    /// Delete the account and the progress of the lesson, so that it starts from the beginning
    #[arg(long, requires = "lesson")]
    pub reset: bool,
    /// With --reset, go back to the beginning of this step, with the account as it was then
    #[arg(long, value_name = "N", requires = "reset")]
    pub step: Option<usize>,
    /// Delete the accounts and the progress of all lessons
    #[arg(long, conflicts_with = "lesson")]
    pub reset_all: bool,
    /// The command.
    #[command(subcommand)]
    pub command: Option<LearnCommand>,
}

/// The commands of `learn`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum LearnCommand {
    /// Print which steps of each lesson are done, and when
    Report,
    /// Write a new lesson to start from, with comments
    New {
        /// The file to write
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Check lessons without taking them
    ///
    /// Sends the requests of `before` of each step to a new account in memory, and says if the goals are already met when a
    /// step begins.
    Check {
        /// The lessons
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
}

impl Learn {
    /// Whether the command prints JSON with `--json`.
    pub(super) fn supports_json(&self) -> bool {
        let lists = self.command.is_none() && self.lesson.is_none() && !self.reset_all;
        lists || matches!(self.command, Some(LearnCommand::Report))
    }

    /// Returns the error for options before the command that don't apply to it.
    pub(super) fn conflict(&self, arguments: &Arguments) -> Option<&'static str> {
        let opens_console = self.command.is_none() && self.lesson.is_some() && !self.reset;
        if arguments.scenario.is_some() {
            Some(SCENARIO_CONFLICT)
        } else if !opens_console && arguments.display != DisplayOptions::default() {
            Some(DISPLAY_OPTIONS_CONFLICT)
        } else {
            None
        }
    }
}
