//! Lists of lessons with the progress of the learner.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use serde::Serialize;

use crate::lessons::directory::all_progress;
use crate::lessons::progress::Progress;
use crate::lessons::{self, Lesson};
use crate::text::{escape_controls, fit, plural, width, wrap};

/// The width of the list of lessons, in columns.
const LIST_WIDTH: usize = 80;

/// A lesson with its progress.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// The name, or the path of a file.
    lesson: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes: Option<u16>,
    step_count: usize,
    steps_done: usize,
    is_finished: bool,
    steps: Vec<StepEntry>,
}

/// A step that has begun.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepEntry {
    step: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    began: Timestamp,
    done: Option<Timestamp>,
    hints: usize,
}

impl Entry {
    fn new(name: String, lesson: Option<&Lesson>, progress: &Progress) -> Self {
        let step = |(index, step): (usize, &crate::lessons::progress::StepProgress)| StepEntry {
            step: index + 1,
            title: lesson.and_then(|lesson| lesson.steps.get(index)).map(|step| step.title.clone()),
            began: step.began,
            done: step.done,
            hints: step.hints,
        };
        Self {
            lesson: name,
            title: progress.title.clone(),
            summary: lesson.map(|lesson| lesson.summary.clone()),
            minutes: lesson.map(|lesson| lesson.minutes),
            step_count: progress.step_count,
            steps_done: progress.done_count(),
            is_finished: progress.is_finished(),
            steps: progress.steps.iter().enumerate().map(step).collect(),
        }
    }

    /// Returns the progress as a symbol and words.
    fn progress(&self) -> String {
        match (self.is_finished, self.steps.is_empty()) {
            (true, _) => "✓ Finished".to_owned(),
            (false, true) => "◌ Not started".to_owned(),
            (false, false) => format!("● {} of {} steps done", self.steps_done, self.step_count),
        }
    }
}

/// Returns the lessons of this program in their order, then those in files that have begun.
fn entries(data_dir: &Path) -> Result<Vec<Entry>, Box<dyn Error>> {
    let mut begun: BTreeMap<String, Progress> = all_progress(data_dir)?.into_iter().collect();
    let mut entries = Vec::new();
    for name in lessons::names() {
        let lesson = lessons::built_in(name)?;
        let mut progress = begun.remove(name).unwrap_or_default();
        progress.describe(&lesson);
        entries.push(Entry::new(name.to_owned(), Some(&lesson), &progress));
    }
    for progress in begun.into_values() {
        let Some(path) = progress.path.clone() else { continue };
        // A file that was moved or edited still has its progress.
        let lesson = lessons::read(&path).ok();
        entries.push(Entry::new(path.display().to_string(), lesson.as_ref(), &progress));
    }
    Ok(entries)
}

/// Prints the lessons with the progress.
pub(super) fn print_list(data_dir: &Path, is_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let entries = entries(data_dir)?;
    if is_json {
        return print_json(&entries);
    }
    let mut out = std::io::stdout();
    let columns = entries.iter().map(|entry| width(&entry.lesson)).max().unwrap_or(0) + 2;
    for entry in &entries {
        let minutes = entry.minutes.map(|minutes| format!(" ({minutes} min)")).unwrap_or_default();
        writeln!(out, "{}{}{minutes}", fit(&escape_controls(&entry.lesson), columns), entry.title)?;
        let indent = " ".repeat(columns);
        if let Some(summary) = &entry.summary {
            for row in wrap(summary, LIST_WIDTH.saturating_sub(columns)) {
                writeln!(out, "{indent}{row}")?;
            }
        }
        writeln!(out, "{indent}{}", entry.progress())?;
    }
    writeln!(out, "\nTo begin or resume a lesson, run `xks-console learn LESSON`.")?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the steps of each lesson that has begun.
pub(super) fn print_report(data_dir: &Path, is_json: bool) -> Result<ExitCode, Box<dyn Error>> {
    let entries = entries(data_dir)?;
    if is_json {
        return print_json(&entries);
    }
    let mut out = std::io::stdout();
    for entry in &entries {
        writeln!(out, "{}: {}", escape_controls(&entry.lesson), entry.progress())?;
        for step in &entry.steps {
            let title = step.title.as_ref().map(|title| format!(" {title}")).unwrap_or_default();
            let state = match step.done {
                Some(done) => format!("✓ Done {}", shown_time(done)),
                None => format!("● Begun {}", shown_time(step.began)),
            };
            let hints =
                if step.hints > 0 { format!(", {}", plural(step.hints, "hint", "hints")) } else { String::new() };
            writeln!(out, "  {}.{title}: {state}{hints}", step.step)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_json(entries: &[Entry]) -> Result<ExitCode, Box<dyn Error>> {
    let json = serde_json::to_string_pretty(&serde_json::json!({ "lessons": entries }))?;
    writeln!(std::io::stdout(), "{json}")?;
    Ok(ExitCode::SUCCESS)
}

/// Returns a time in UTC, to the second.
fn shown_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
