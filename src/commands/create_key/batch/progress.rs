//! How far a list is: a bar where standard error is a terminal, else a line a row.

use std::io::{self, IsTerminal as _, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::jobs::Job;

/// One line, whatever the width.
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

    /// A row is begun.
    pub fn start_row(&self, job: &Job) {
        if let Some(bar) = &self.bar {
            bar.set_message(job.draft.alias.clone());
        }
    }

    /// A row is over, well or with a failure.
    ///
    /// # Errors
    /// When `notes` can't be written to.
    pub fn finish_row(&self, job: &Job, failure: Option<&str>, notes: &mut impl Write) -> io::Result<()> {
        let message = failure.unwrap_or("made");
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

    /// Nothing more is to come.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.abandon_with_message("");
        }
    }
}
