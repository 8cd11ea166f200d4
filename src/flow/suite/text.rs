//! The report of a suite as text for a terminal.

use std::fmt;

use super::{Outcome, Report, ScreenResult, TapeResult};
use crate::client::log::ApiCall;
use crate::flow::golden::golden_path;
use crate::text::plural;

/// The number of lines for the last API calls.
const SHOWN_CALLS: usize = 10;
/// The number of changed rows of a screen that the report shows.
const MAX_ROWS: usize = 12;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for result in &self.results {
            write!(f, "{result}")?;
        }
        for path in &self.unreferenced {
            let what = if self.accepted { "removed" } else { "LEFT OVER" };
            writeln!(f, "{what:<10} {}: no tape takes the screens of this golden file", path.display())?;
        }
        let passed = self.count(|outcome| *outcome == Outcome::Passed);
        let skipped = self.count(|outcome| matches!(outcome, Outcome::Skipped { .. }));
        let failed = self.count(Outcome::is_failure);
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped in {:.2} s", self.duration.as_secs_f64())?;
        if self.accepted {
            let screens: usize = self.results.iter().map(|result| result.accepted).sum();
            write!(f, "; {} accepted", plural(screens, "screen", "screens"))?;
        }
        writeln!(f)
    }
}

impl fmt::Display for TapeResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.outcome {
            Outcome::Passed => "ok",
            Outcome::Skipped { .. } => "skipped",
            _ => "FAILED",
        };
        let (width, height) = self.size;
        writeln!(f, "{word:<10} {} at {width}x{height}", self.tape.display())?;
        if let Some(message) = self.outcome.message() {
            for line in message.trim_end().lines() {
                writeln!(f, "    {line}")?;
            }
        }
        if !self.outcome.is_failure() {
            return Ok(());
        }
        let golden = golden_path(&self.tape, self.size);
        let has_golden_file = self.screens.iter().any(|screen| screen.expected.is_some());
        if self.outcome.is_error() && !has_golden_file {
            // The tape failed before its screens could be accepted for the first time.
        } else if self.screens.len() > 1 && self.screens.iter().all(|screen| screen.expected.is_none()) {
            writeln!(f, "    {} has none of the {} screens of the tape", golden.display(), self.screens.len())?;
        } else {
            for screen in self.screens.iter().filter(|screen| !screen.is_same()) {
                write_screen(f, screen, &golden.display().to_string())?;
            }
        }
        for name in &self.unreferenced {
            writeln!(f, "    {}: the tape doesn't take the screen {name}", golden.display())?;
        }
        if !self.last_calls.is_empty() {
            writeln!(f, "    The last API calls of the console:")?;
            for call in describe_calls(&self.last_calls) {
                writeln!(f, "      {call}")?;
            }
        }
        if let Some(files) = &self.recording {
            writeln!(f, "    Recording: {}", files.cast.display())?;
            writeln!(f, "    Trace: {}", files.trace.display())?;
        }
        if let Some(problem) = &self.recording_problem {
            writeln!(f, "    There is no recording: {problem}")?;
        }
        Ok(())
    }
}

fn write_screen(f: &mut fmt::Formatter<'_>, screen: &ScreenResult, golden: &str) -> fmt::Result {
    let ScreenResult { name, place, .. } = screen;
    if let Some(problem) = &screen.problem {
        writeln!(f, "    {place}: {name}: {problem}")?;
    }
    if screen.expected.is_none() {
        return writeln!(f, "    {place}: the screen {name} is missing in {golden}");
    }
    if screen.changes.is_empty() {
        return Ok(());
    }
    writeln!(f, "    {place}: the screen {name} differs from {golden}")?;
    for change in screen.changes.iter().take(MAX_ROWS) {
        let row = change.row + 1;
        if change.expected.0 != change.actual.0 {
            writeln!(f, "      {row:>3} - |{}", change.expected.0)?;
            writeln!(f, "      {row:>3} + |{}", change.actual.0)?;
        }
        if change.expected.1 != change.actual.1 {
            writeln!(f, "      {row:>3} - @{}", change.expected.1)?;
            writeln!(f, "      {row:>3} + @{}", change.actual.1)?;
        }
    }
    match screen.changes.len().saturating_sub(MAX_ROWS) {
        0 => Ok(()),
        more => writeln!(f, "      and {}", plural(more, "more row", "more rows")),
    }
}

/// Describes the last API calls and all that failed, each in one line. Equal calls that follow each other are one line.
pub(super) fn describe_calls(calls: &[ApiCall]) -> Vec<String> {
    let is_equal = |one: &ApiCall, other: &ApiCall| {
        (one.service, one.operation, &one.error_code) == (other.service, other.operation, &other.error_code)
    };
    let groups: Vec<&[ApiCall]> = calls.chunk_by(is_equal).collect();
    let first_shown = groups.len().saturating_sub(SHOWN_CALLS);
    let is_shown = |(index, group): &(usize, &&[ApiCall])| {
        *index >= first_shown || group.iter().any(|call| call.error_code.is_some())
    };
    let describe = |(_, group): (usize, &&[ApiCall])| {
        let line = describe_call(group.last()?);
        Some(if group.len() > 1 { format!("{line}, {} times", group.len()) } else { line })
    };
    groups.iter().enumerate().filter(is_shown).filter_map(describe).collect()
}

fn describe_call(call: &ApiCall) -> String {
    let failed = call.error_code.as_ref().map(|code| format!("✗ {code}"));
    let result = failed.or(call.status.map(|status| status.to_string()));
    let time = call.time.strftime("%H:%M:%S");
    format!(
        "{time} {}:{} {} {} ms",
        call.service,
        call.operation,
        result.unwrap_or_default(),
        call.duration_milliseconds
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;

    #[test]
    fn accepted_screens_are_counted() {
        for (accepted, expected) in [(1, "; 1 screen accepted\n"), (2, "; 2 screens accepted\n")] {
            let result = TapeResult { accepted, ..TapeResult::new(Path::new("a.tape"), (80, 24)) };
            let report =
                Report { results: vec![result], unreferenced: Vec::new(), accepted: true, duration: Duration::ZERO };
            assert!(report.to_string().ends_with(expected), "{report}");
        }
    }
}
