//! The progress of a list: a progress bar if standard error is a terminal, otherwise a line for each row.

use std::io::{self, IsTerminal as _, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::jobs::Job;

/// The template of the progress bar, which adapts to the width of the terminal.
const TEMPLATE: &str = "{pos}/{len} {wide_bar} {msg}";

pub(super) struct BatchProgress {
    bar: Option<ProgressBar>,
}

impl BatchProgress {
    pub fn new(jobs: &[Job]) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(jobs.len() as u64), ProgressDrawTarget::stderr());
            ProgressStyle::with_template(TEMPLATE).map_or(bar.clone(), |style| bar.with_style(style))
        });
        Self { bar }
    }

    /// Shows the row that starts.
    pub fn start_row(&self, job: &Job) {
        if let Some(bar) = &self.bar {
            bar.set_message(job.draft.alias.clone());
        }
    }

    /// Reports a row that succeeded or failed.
    ///
    /// # Errors
    /// `notes` can't be written.
    pub fn finish_row(&self, job: &Job, failure: Option<&str>, notes: &mut impl Write) -> io::Result<()> {
        let message = failure.unwrap_or("created");
        let line = format!("line {}, {}: {message}", job.line, job.draft.alias);
        match &self.bar {
            None => writeln!(notes, "{line}")?,
            Some(bar) => {
                if failure.is_some() {
                    bar.suspend(|| writeln!(notes, "{line}"))?;
                }
                bar.inc(1);
            }
        }
        Ok(())
    }

    /// Stops the progress bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.abandon_with_message("");
        }
    }
}
