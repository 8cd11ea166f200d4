//! What a failed tape leaves: a recording, and a trace of each of its lines.

use std::path::Path;

use serde::Serialize;

use super::{Case, RecordingFiles, SuiteError, TapeResult};
use crate::client::log::ApiCall;
use crate::flow::cast::{CastVersion, cast};
use crate::flow::recorder::{Pace, Recorder};
use crate::flow::recording::Recording;
use crate::flow::tape::{ConsoleDriver, TapeLine, screen_text};

/// The file of a trace.
#[derive(Serialize)]
struct TraceFile<'a> {
    tape: String,
    size: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    lines: Vec<TraceLine>,
}

/// What a line of the tape did.
#[derive(Serialize)]
pub(super) struct TraceLine {
    place: String,
    command: String,
    /// The rows of the screen after the line, if it changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    screen: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<ApiCall>,
}

/// The lines of a tape that have been played.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) lines: Vec<TraceLine>,
    calls: usize,
    screen: String,
}

impl Trace {
    /// Adds a line after it was played.
    pub(super) fn add(&mut self, place: &TapeLine, console: &impl ConsoleDriver) {
        let calls = console.api_calls().get(self.calls..).unwrap_or_default().to_vec();
        self.calls += calls.len();
        let text = screen_text(&console.frame());
        let screen = (text != self.screen).then(|| text.lines().map(str::to_owned).collect());
        self.screen = text;
        self.lines.push(TraceLine { place: place.to_string(), command: place.text.to_string(), screen, calls });
    }
}

/// Starts to record `console`.
pub(super) fn recorder<'a, D: ConsoleDriver>(case: &Case, console: &'a mut D) -> Recorder<'a, D> {
    Recorder::new(console, case.tape.title(), Pace::default())
}

/// Writes the recording and the trace of a case to `directory`, or to a new directory for temporary files.
pub(super) fn write(
    case: &Case,
    result: &TapeResult,
    recording: &Recording,
    lines: Vec<TraceLine>,
    directory: Option<&Path>,
) -> Result<RecordingFiles, SuiteError> {
    let (width, height) = case.size;
    let trace = TraceFile {
        tape: case.path.display().to_string(),
        size: format!("{width}x{height}"),
        outcome: result.outcome.word(),
        message: result.outcome.message(),
        lines,
    };
    let directory = if let Some(directory) = directory {
        std::fs::create_dir_all(directory).map_err(|error| SuiteError::file(directory, &error))?;
        directory.to_owned()
    } else {
        let created = tempfile::Builder::new().prefix("xks-console-test-").tempdir();
        created.map_err(|error| SuiteError::file(&std::env::temp_dir(), &error))?.keep()
    };
    let files = files(case, &directory);
    let trace = serde_json::to_string_pretty(&trace).unwrap_or_default();
    std::fs::write(&files.cast, cast(recording, CastVersion::V3))
        .map_err(|error| SuiteError::file(&files.cast, &error))?;
    std::fs::write(&files.trace, trace).map_err(|error| SuiteError::file(&files.trace, &error))?;
    Ok(files)
}

/// Removes what an earlier failure of the case left in `directory`.
pub(super) fn remove(case: &Case, directory: &Path) {
    let files = files(case, directory);
    // Mostly, there are none.
    let _ = std::fs::remove_file(files.cast);
    let _ = std::fs::remove_file(files.trace);
}

/// Returns the paths of the files of a case. Tapes of the same name in several directories have files of their own.
fn files(case: &Case, directory: &Path) -> RecordingFiles {
    let (width, height) = case.size;
    let plain =
        |character: char| if character.is_ascii_alphanumeric() || "-_".contains(character) { character } else { '-' };
    let stem: String = case.path.with_extension("").display().to_string().chars().map(plain).collect();
    let stem = format!("{}-{width}x{height}", stem.trim_matches('-'));
    RecordingFiles { cast: directory.join(format!("{stem}.cast")), trace: directory.join(format!("{stem}.trace.json")) }
}
