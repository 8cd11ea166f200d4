//! The report of a suite as one HTML file.

use std::fmt::Write as _;

use super::text::describe_calls;
use super::{Outcome, Report, ScreenResult, TapeResult};
use crate::flow::golden::Screen;
use crate::flow::screenshot::{ImageStyle, svg};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem;background:#f6f7f9;color:#16191f}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.5rem}h3{font-size:1rem}\
table{border-collapse:collapse}td,th{padding:.25rem .75rem;border-bottom:1px solid #d5dbdb;text-align:left}\
.passed{color:#037f0c}.failed{color:#b10000;font-weight:600}.skipped{color:#5f6b7a}\
.pair{display:flex;flex-wrap:wrap;gap:1rem}.pair figure{margin:0;flex:1 1 30rem}.pair svg{width:100%;height:auto}\
pre{background:#fff;border:1px solid #d5dbdb;padding:.75rem;overflow:auto;font-size:13px}\
.old{color:#b10000}.new{color:#037f0c}";

/// Returns the report as an HTML document that needs no other file: a table of all tapes, and for each failure the
/// expected screen beside the actual one, the changed rows, and the last API calls.
pub fn html(report: &Report) -> String {
    let mut out = String::new();
    let passed = report.count(|outcome| *outcome == Outcome::Passed);
    let failed = report.count(Outcome::is_failure);
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{failed} of {} tapes failed</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<h1>xks-console test</h1>\n<p>{passed} passed, {failed} failed, {} skipped \
         in {:.2} s</p>\n<table>\n<tr><th>Tape</th><th>Size</th><th>Result</th><th>Time</th></tr>\n",
        report.results.len(),
        report.count(|outcome| matches!(outcome, Outcome::Skipped { .. })),
        report.duration.as_secs_f64(),
    );
    for (index, result) in report.results.iter().enumerate() {
        let class = match result.outcome {
            Outcome::Passed => "passed",
            Outcome::Skipped { .. } => "skipped",
            _ => "failed",
        };
        let tape = escape(&result.tape.display().to_string());
        let tape = if class == "failed" { format!("<a href=\"#result-{index}\">{tape}</a>") } else { tape };
        let _ = writeln!(
            out,
            "<tr><td>{tape}</td><td>{}x{}</td><td class=\"{class}\">{}</td><td>{:.3} s</td></tr>",
            result.size.0,
            result.size.1,
            result.outcome.word(),
            result.duration.as_secs_f64(),
        );
    }
    out.push_str("</table>\n");
    for path in report.unreferenced.iter().filter(|_| !report.accepted) {
        let path = escape(&path.display().to_string());
        let _ = writeln!(out, "<p class=\"failed\">No tape takes the screens of the golden file {path}.</p>");
    }
    for (index, result) in report.results.iter().enumerate().filter(|(_, result)| result.outcome.is_failure()) {
        write_result(&mut out, index, result);
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn write_result(out: &mut String, index: usize, result: &TapeResult) {
    let (width, height) = result.size;
    let tape = escape(&result.tape.display().to_string());
    let _ = writeln!(out, "<h2 id=\"result-{index}\">{tape} at {width}x{height}: {}</h2>", result.outcome.word());
    if let Some(message) = result.outcome.message() {
        let _ = writeln!(out, "<pre>{}</pre>", escape(message));
    }
    for screen in result.screens.iter().filter(|screen| !screen.is_same()) {
        write_screen(out, screen, result.size);
    }
    for name in &result.unreferenced {
        let _ = writeln!(out, "<p>The tape doesn't take the screen {} of its golden file.</p>", escape(name));
    }
    if !result.last_calls.is_empty() {
        let calls = describe_calls(&result.last_calls);
        let _ = writeln!(out, "<h3>The last API calls of the console</h3>\n<pre>{}</pre>", escape(&calls.join("\n")));
    }
    if let Some(problem) = &result.recording_problem {
        let _ = writeln!(out, "<p>There is no recording: {}</p>", escape(problem));
    }
    if let Some(files) = &result.recording {
        let (cast, trace) = (files.cast.display().to_string(), files.trace.display().to_string());
        let _ =
            writeln!(out, "<p>Recording: <code>{}</code>, trace: <code>{}</code></p>", escape(&cast), escape(&trace));
    }
}

fn write_screen(out: &mut String, screen: &ScreenResult, size: (u16, u16)) {
    let _ = writeln!(out, "<h3>{} ({})</h3>", escape(&screen.name), escape(&screen.place.to_string()));
    if let Some(problem) = &screen.problem {
        let _ = writeln!(out, "<p class=\"failed\">{}</p>", escape(problem));
    }
    out.push_str("<div class=\"pair\">\n");
    let mut figure = |caption: &str, screen: Option<&Screen>| {
        let picture = screen.map_or_else(
            || "<p>The golden file has no such screen.</p>".to_owned(),
            |screen| svg(&screen.to_buffer(size), caption, &ImageStyle::default()),
        );
        let _ = writeln!(out, "<figure><figcaption>{caption}</figcaption>\n{picture}</figure>");
    };
    figure("Expected", screen.expected.as_ref());
    figure("Actual", Some(&screen.actual));
    out.push_str("</div>\n");
    if screen.changes.is_empty() {
        return;
    }
    out.push_str("<pre>");
    for change in &screen.changes {
        for (class, sign, (text, styles)) in [("old", '-', &change.expected), ("new", '+', &change.actual)] {
            let row = change.row + 1;
            let _ = writeln!(out, "<span class=\"{class}\">{row:>3} {sign} |{}</span>", escape(text));
            if change.expected.1 != change.actual.1 {
                let _ = writeln!(out, "<span class=\"{class}\">{row:>3} {sign} @{}</span>", escape(styles));
            }
        }
    }
    out.push_str("</pre>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
