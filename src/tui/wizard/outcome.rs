//! What came of Finish: its stages, and what can be done when one fails.

use std::cmp::Ordering;

use ratatui::text::{Line, Span};

use super::Wizard;
use super::focus::FocusTarget;
use crate::create_key::remedy;
use crate::create_key::submission::{Stage, Submission, SubmissionFailure};
use crate::tui::theme;
use crate::tui::widgets::button;
use crate::tui::widgets::scroll_view::ScrollView;

/// How many principals that may not exist are named.
const MAX_SUSPECTS: usize = 5;

/// The words of the button that finishes, or goes on where it stopped.
pub(super) fn finish_label(submission: &Submission) -> &'static str {
    match submission {
        Submission::KeyWithoutAlias { .. } => "Create the alias",
        Submission::Unknown { .. } => "Look again",
        Submission::Failed { .. } => "Try again",
        Submission::NotSent | Submission::Sending { .. } | Submission::Done { .. } => "Finish",
    }
}

impl Wizard {
    /// What leads on from a failure: the field that mends it, else trying again.
    pub(super) fn next_target(&self) -> Option<FocusTarget> {
        let failure = self.submission.failure()?;
        let mended_by = remedy::for_error(&failure.code, &failure.message).field;
        let suspect = self.suspects.first().map(|(field, _)| *field);
        Some(suspect.or(mended_by).map_or(FocusTarget::Retry, FocusTarget::FixField))
    }

    pub(super) fn write_outcome(&self, view: &mut ScrollView) {
        view.blank_line();
        match &self.submission {
            Submission::Sending { stage, .. } => write_stages(view, *stage),
            Submission::KeyWithoutAlias { key, .. } => {
                view.paragraph("✓ The KMS key was created.", 2, theme::SUCCESS);
                view.key_value("Key ID", &key.key_id, theme::TEXT);
                view.paragraph(
                    "✗ Its alias was not. Mend the alias and go on: no second key will be made.",
                    2,
                    theme::ERROR,
                );
            }
            Submission::Unknown { .. } => {
                view.paragraph("? No answer came. Whether it was done is not known.", 2, theme::WARNING);
                view.paragraph("Look again: the console first looks whether it was done.", 2, theme::TEXT);
            }
            Submission::Failed { .. } => {
                view.paragraph("✗ The KMS key was not created. Nothing was left behind.", 2, theme::ERROR);
            }
            Submission::NotSent | Submission::Done { .. } => {}
        }
        if let Some(failure) = self.submission.failure() {
            self.write_failure(view, failure);
        }
    }

    fn write_failure(&self, view: &mut ScrollView, failure: &SubmissionFailure) {
        let remedy = remedy::for_error(&failure.code, &failure.message);
        view.blank_line();
        view.paragraph(&failure.code, 2, theme::HEADING);
        if !failure.message.is_empty() {
            view.error(&failure.message, 4, theme::TEXT);
        }
        view.paragraph(remedy.meaning, 4, theme::TEXT);
        view.paragraph(&format!("What to do: {}", remedy.action), 4, theme::TEXT);
        for (field, name) in self.suspects.iter().take(MAX_SUSPECTS) {
            view.paragraph(&format!("Perhaps {name} ({})", field.label()), 4, theme::TEXT);
        }
        if let Some(more) = self.suspects.len().checked_sub(MAX_SUSPECTS).filter(|more| *more > 0) {
            view.paragraph(&format!("... or one of {more} others"), 4, theme::TEXT);
        }
        if !failure.request_id.is_empty() {
            view.paragraph(&format!("Request ID: {}", failure.request_id), 4, theme::MUTED);
        }
        if let Some(spot) = self.next_target() {
            let words = match spot {
                FocusTarget::FixField(field) => format!("Go to {}", field.label()),
                _ => finish_label(&self.submission).to_owned(),
            };
            let is_focused = self.focused() == spot;
            view.focused(is_focused, |view| {
                let mut spans = vec![Span::raw("   ")];
                spans.extend(button(&words, is_focused));
                view.push_line(Line::from(spans));
            });
        }
    }
}

fn write_stages(view: &mut ScrollView, now: Stage) {
    for (stage, words) in [
        (Stage::CreateKey, "Create the KMS key"),
        (Stage::CreateAlias, "Create its alias"),
        (Stage::DescribeKey, "Look at the result"),
    ] {
        let (mark, style) = match stage.cmp(&now) {
            Ordering::Less => ("✓", theme::SUCCESS),
            Ordering::Equal => ("…", theme::WARNING),
            Ordering::Greater => ("·", theme::MUTED),
        };
        view.push_line(Line::styled(format!("  {mark} {words}"), style));
    }
    view.blank_line();
    view.paragraph(
        "Esc stops waiting; whether it was done is looked up before anything is tried again.",
        2,
        theme::MUTED,
    );
}
