//! The errors of tapes.

use super::{BoxError, TapeLine};
use crate::expectation::Variables;

/// An error in a tape, or while playing it.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The file can't be read.
    #[error("couldn't read {tape}: {problem}")]
    Read {
        /// The path.
        tape: String,
        /// Why not.
        problem: String,
    },
    /// A line of the tape is not valid.
    #[error("{tape}:{line}:{column}: {problem}")]
    Parse {
        /// The name of the tape.
        tape: String,
        /// The line number, starting at 1.
        line: usize,
        /// The column in characters, starting at 1.
        column: usize,
        /// What is wrong, and how to correct it.
        problem: String,
    },
    /// A line can't be played: a variable has no value, or the AWS doesn't allow it.
    #[error("{place}: {problem}")]
    CannotPlay {
        /// The line.
        place: TapeLine,
        /// What is wrong, and how to correct it.
        problem: String,
    },
    /// The pattern of a `Wait` never matched.
    #[error("{place}: Wait /{pattern}/ never matched: {reason}. The screen was:\n{screen}")]
    WaitFailed {
        /// The line.
        place: TapeLine,
        /// The regular expression.
        pattern: String,
        /// Why the wait ended.
        reason: String,
        /// The text of the screen, row by row.
        screen: String,
    },
    /// An expectation isn't met.
    #[error("{place}: {reason}. The screen was:\n{screen}")]
    ExpectationFailed {
        /// The line.
        place: TapeLine,
        /// What was found, and what was expected.
        reason: String,
        /// The text of the screen, row by row.
        screen: String,
    },
    /// Taking a screenshot failed.
    #[error("{place}: couldn't take the screenshot {name}: {source}")]
    Screenshot {
        /// The line.
        place: TapeLine,
        /// The name of the screenshot.
        name: String,
        /// The cause.
        source: BoxError,
    },
}

impl TapeError {
    /// Returns the exit code for the error: 1 if an expectation isn't met, 2 if the tape is invalid or can't be played, 3 if
    /// the pattern of a `Wait` never matched.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::ExpectationFailed { .. } => 1,
            Self::Read { .. } | Self::Parse { .. } | Self::CannotPlay { .. } | Self::Screenshot { .. } => 2,
            Self::WaitFailed { .. } => 3,
        }
    }

    /// Returns the message without the screen, for a user who has just seen it.
    pub fn message(&self) -> String {
        let text = self.to_string();
        text.split(" The screen was:").next().unwrap_or(&text).to_owned()
    }

    /// Returns the error without values of variables that can be secrets. The screen is kept as it is.
    pub(super) fn redacted(mut self, variables: &Variables) -> Self {
        match &mut self {
            Self::CannotPlay { problem: text, .. }
            | Self::WaitFailed { pattern: text, .. }
            | Self::ExpectationFailed { reason: text, .. } => *text = variables.redact(text),
            Self::Read { .. } | Self::Parse { .. } | Self::Screenshot { .. } => {}
        }
        self
    }
}
