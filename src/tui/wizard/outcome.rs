//! What came of Finish: its stages, and what can be done when one fails.

use std::cmp::Ordering;

use ratatui::text::{Line, Span};

use super::Wizard;
use super::spots::Spot;
use crate::create_key::guide;
use crate::create_key::submission::{Failure, Stage, Submission};
use crate::tui::theme;
use crate::tui::widgets::button;
use crate::tui::widgets::paper::Paper;

/// How many principals that may not exist are named.
const MOST_SUSPECTS: usize = 5;

/// The words of the button that finishes, or goes on where it stopped.
pub(super) fn finish_words(submission: &Submission) -> &'static str {
    match submission {
        Submission::KeyWithoutAlias { .. } => "Create the alias",
        Submission::Unknown { .. } => "Look again",
        Submission::Failed { .. } => "Try again",
        Submission::NotSent | Submission::Sending { .. } | Submission::Done { .. } => "Finish",
    }
}

impl Wizard {
    /// What leads on from a failure: the field that mends it, else trying again.
    pub(super) fn way_on(&self) -> Option<Spot> {
        let failure = self.submission.failure()?;
        let mended_by = guide::for_error(&failure.code, &failure.message).mended_by;
        let suspect = self.suspects.first().map(|(field, _)| *field);
        Some(suspect.or(mended_by).map_or(Spot::Retry, Spot::Mend))
    }

    pub(super) fn write_outcome(&self, paper: &mut Paper) {
        paper.gap();
        match &self.submission {
            Submission::Sending { stage, .. } => write_stages(paper, *stage),
            Submission::KeyWithoutAlias { key, .. } => {
                paper.prose("✓ The KMS key was created.", 2, theme::GOOD);
                paper.pair("Key ID", &key.key_id, theme::TEXT);
                paper.prose(
                    "✗ Its alias was not. Mend the alias and go on: no second key will be made.",
                    2,
                    theme::BAD,
                );
            }
            Submission::Unknown { .. } => {
                paper.prose("? No answer came. Whether it was done is not known.", 2, theme::WARNING);
                paper.prose("Look again: the console first looks whether it was done.", 2, theme::TEXT);
            }
            Submission::Failed { .. } => {
                paper.prose("✗ The KMS key was not created. Nothing was left behind.", 2, theme::BAD);
            }
            Submission::NotSent | Submission::Done { .. } => {}
        }
        if let Some(failure) = self.submission.failure() {
            self.write_failure(paper, failure);
        }
    }

    fn write_failure(&self, paper: &mut Paper, failure: &Failure) {
        let guide = guide::for_error(&failure.code, &failure.message);
        paper.gap();
        paper.prose(&failure.code, 2, theme::HEADING);
        if !failure.message.is_empty() {
            paper.error(&failure.message, 4, theme::TEXT);
        }
        paper.prose(guide.meaning, 4, theme::TEXT);
        paper.prose(&format!("What to do: {}", guide.remedy), 4, theme::TEXT);
        for (field, name) in self.suspects.iter().take(MOST_SUSPECTS) {
            paper.prose(&format!("Perhaps {name} ({})", field.label()), 4, theme::TEXT);
        }
        if let Some(more) = self.suspects.len().checked_sub(MOST_SUSPECTS).filter(|more| *more > 0) {
            paper.prose(&format!("... or one of {more} others"), 4, theme::TEXT);
        }
        if !failure.request_id.is_empty() {
            paper.prose(&format!("Request ID: {}", failure.request_id), 4, theme::QUIET);
        }
        if let Some(spot) = self.way_on() {
            let words = match spot {
                Spot::Mend(field) => format!("Go to {}", field.label()),
                _ => finish_words(&self.submission).to_owned(),
            };
            let is_focused = self.here() == spot;
            paper.focused(is_focused, |paper| {
                let mut spans = vec![Span::raw("   ")];
                spans.extend(button(&words, is_focused));
                paper.line(Line::from(spans));
            });
        }
    }
}

fn write_stages(paper: &mut Paper, now: Stage) {
    for (stage, words) in [
        (Stage::CreateKey, "Create the KMS key"),
        (Stage::CreateAlias, "Create its alias"),
        (Stage::DescribeKey, "Look at the result"),
    ] {
        let (mark, style) = match stage.cmp(&now) {
            Ordering::Less => ("✓", theme::GOOD),
            Ordering::Equal => ("…", theme::WARNING),
            Ordering::Greater => ("·", theme::QUIET),
        };
        paper.line(Line::styled(format!("  {mark} {words}"), style));
    }
    paper.gap();
    paper.prose("Esc stops waiting; whether it was done is looked up before anything is tried again.", 2, theme::QUIET);
}
