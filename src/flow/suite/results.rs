//! The results of a suite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::client::log::ApiCall;
use crate::flow::golden::{RowChange, Screen};
use crate::flow::tape::{DEFAULT_SIZE, TapeError, TapeLine};

/// The results of a suite.
#[derive(Clone, Debug)]
pub struct Report {
    /// The results, by tape and size.
    pub results: Vec<TapeResult>,
    /// Golden files that no tape takes. If the screens were accepted, they were removed.
    pub unreferenced: Vec<PathBuf>,
    /// Whether the screens were accepted.
    pub accepted: bool,
    /// How long it took.
    pub duration: Duration,
}

impl Report {
    /// Whether no tape failed and no golden file is left over.
    pub fn passed(&self) -> bool {
        self.exit_code() == 0
    }

    /// Returns the exit code of `xks-console test`: 0 if all screens are the expected ones, 1 if some differ or an
    /// expectation isn't met, 2 if a tape is invalid or can't be played or all
    /// were skipped, 3 if a `Wait` never matched. Of several, an
    /// invalid tape counts most, then a `Wait`.
    pub fn exit_code(&self) -> u8 {
        let has = |is: fn(&Outcome) -> bool| self.results.iter().any(|result| is(&result.outcome));
        let all_skipped = self.results.iter().all(|result| matches!(result.outcome, Outcome::Skipped { .. }));
        if all_skipped || has(|outcome| matches!(outcome, Outcome::Invalid { .. })) {
            2
        } else if has(|outcome| matches!(outcome, Outcome::WaitFailed { .. })) {
            3
        } else {
            u8::from(has(Outcome::is_failure) || !self.accepted && !self.unreferenced.is_empty())
        }
    }

    /// Returns the number of results with this kind of outcome.
    pub fn count(&self, is_counted: impl Fn(&Outcome) -> bool) -> usize {
        self.results.iter().filter(|result| is_counted(&result.outcome)).count()
    }
}

/// The result of a tape at a size.
#[derive(Clone, Debug)]
pub struct TapeResult {
    /// The path of the tape.
    pub tape: PathBuf,
    /// The columns and rows of the screen.
    pub size: (u16, u16),
    /// How it ended.
    pub outcome: Outcome,
    /// The screens that it took, in order.
    pub screens: Vec<ScreenResult>,
    /// The names of screens in the golden file that the tape doesn't take.
    pub unreferenced: Vec<String>,
    /// The last API calls of the console, oldest first.
    pub last_calls: Vec<ApiCall>,
    /// The number of screens that were written to the golden file.
    pub accepted: usize,
    /// Where a recording of the failure is.
    pub recording: Option<RecordingFiles>,
    /// Why there is no recording of the failure.
    pub recording_problem: Option<String>,
    /// How long it took.
    pub duration: Duration,
}

impl TapeResult {
    pub(super) fn new(path: &Path, size: (u16, u16)) -> Self {
        Self {
            tape: path.to_owned(),
            size,
            outcome: Outcome::Passed,
            screens: Vec::new(),
            unreferenced: Vec::new(),
            last_calls: Vec::new(),
            accepted: 0,
            recording: None,
            recording_problem: None,
            duration: Duration::ZERO,
        }
    }

    pub(super) fn invalid(path: &Path, error: &TapeError) -> Self {
        Self { outcome: Outcome::Invalid { message: error.to_string() }, ..Self::new(path, DEFAULT_SIZE) }
    }
}

/// How a tape ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All screens are the expected ones.
    Passed,
    /// The tape can't be played on this console, and wasn't.
    Skipped {
        /// Why not.
        reason: String,
    },
    /// Screens differ from the golden file, are missing in it, or are left over in it.
    Differs,
    /// An expectation isn't met.
    NotMet {
        /// The place, what was found, and the screen.
        message: String,
    },
    /// The pattern of a `Wait` never matched.
    WaitFailed {
        /// The place, the pattern, and the screen.
        message: String,
    },
    /// The tape isn't valid, or a line can't be played.
    Invalid {
        /// The place and the problem.
        message: String,
    },
}

impl Outcome {
    /// Whether the tape failed.
    pub fn is_failure(&self) -> bool {
        !matches!(self, Self::Passed | Self::Skipped { .. })
    }

    /// Whether the tape ended before its last line.
    pub(super) fn is_error(&self) -> bool {
        self.is_failure() && *self != Self::Differs
    }

    /// Returns the word for the outcome in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped { .. } => "skipped",
            Self::Differs => "differs",
            Self::NotMet { .. } => "expectation not met",
            Self::WaitFailed { .. } => "wait never matched",
            Self::Invalid { .. } => "invalid",
        }
    }

    /// Returns the message of a failure.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::NotMet { message } | Self::WaitFailed { message } | Self::Invalid { message } => Some(message),
            Self::Skipped { reason } => Some(reason),
            Self::Passed | Self::Differs => None,
        }
    }
}

/// A screen that a tape took.
#[derive(Clone, Debug)]
pub struct ScreenResult {
    /// The name of the screenshot.
    pub name: String,
    /// The line of the tape.
    pub place: TapeLine,
    /// The screen that was found.
    pub actual: Screen,
    /// The screen in the golden file, if there is one.
    pub expected: Option<Screen>,
    /// The rows that differ. Empty if the golden file has no such screen.
    pub changes: Vec<RowChange>,
    /// What a [check](super::Suite::checking) found wrong.
    pub problem: Option<String>,
}

impl ScreenResult {
    /// Whether the screen is the expected one.
    pub fn is_same(&self) -> bool {
        self.expected.is_some() && self.changes.is_empty() && self.problem.is_none()
    }
}

/// The files that a failed tape leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingFiles {
    /// A recording for asciinema.
    pub cast: PathBuf,
    /// The screen and the API calls after each line, as JSON.
    pub trace: PathBuf,
}
