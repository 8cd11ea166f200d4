//! The report of a suite as JSON.

use serde_json::{Value, json};

use super::{Outcome, Report, ScreenResult, TapeResult};

/// Returns the report as a JSON document.
pub fn json(report: &Report) -> String {
    let document = json!({
        "passed": report.count(|outcome| *outcome == Outcome::Passed),
        "failed": report.count(Outcome::is_failure),
        "skipped": report.count(|outcome| matches!(outcome, Outcome::Skipped { .. })),
        "exitCode": report.exit_code(),
        "seconds": seconds(report.duration),
        "unreferencedFiles": report.unreferenced.iter().map(|path| path.display().to_string()).collect::<Vec<_>>(),
        "tapes": report.results.iter().map(tape).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn tape(result: &TapeResult) -> Value {
    json!({
        "tape": result.tape.display().to_string(),
        "size": format!("{}x{}", result.size.0, result.size.1),
        "outcome": result.outcome.word(),
        "message": result.outcome.message(),
        "seconds": seconds(result.duration),
        "screens": result.screens.iter().map(screen).collect::<Vec<_>>(),
        "unreferencedScreens": result.unreferenced,
        "lastCalls": result.last_calls,
        "cast": result.recording.as_ref().map(|files| files.cast.display().to_string()),
        "trace": result.recording.as_ref().map(|files| files.trace.display().to_string()),
    })
}

fn screen(screen: &ScreenResult) -> Value {
    let row = |(text, styles): &(String, String)| json!({"text": text, "styles": styles});
    let status = match (&screen.expected, screen.is_same()) {
        (_, true) => "same",
        (None, _) => "missing",
        _ => "different",
    };
    json!({
        "name": screen.name,
        "place": screen.place.to_string(),
        "status": status,
        "problem": screen.problem,
        "changes": screen.changes.iter().map(|change| {
            json!({"row": change.row + 1, "expected": row(&change.expected), "actual": row(&change.actual)})
        }).collect::<Vec<_>>(),
    })
}

fn seconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
