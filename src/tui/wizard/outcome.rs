//! The outcome of Finish: its stages, and the next action after a failure.

use std::cmp::Ordering;

use ratatui::text::Line;

use super::Wizard;
use super::focus::FocusTarget;
use crate::create_key::submission::{Stage, Submission, SubmissionFailure};
use crate::error_remedies;
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;

/// The maximum number of possibly invalid principals to list.
const MAX_SUSPECTS: usize = 5;

/// Returns the label of the button that finishes, or that resumes after a failure.
pub(super) fn finish_label(submission: &Submission) -> &'static str {
    match submission {
        Submission::KeyWithoutAlias { .. } => "Create alias",
        Submission::Unknown { .. } => "Check again",
        Submission::Failed { .. } => "Retry",
        Submission::NotSent | Submission::Sending { .. } | Submission::Done { .. } => "Finish",
    }
}

impl Wizard {
    /// Returns the next action after a failure: correcting a field, or retrying.
    pub(super) fn next_target(&self) -> Option<FocusTarget> {
        let failure = self.submission.failure()?;
        let field_to_fix = error_remedies::for_error(&failure.code, &failure.message).field;
        let suspect = self.suspects.first().map(|(field, _)| *field);
        Some(suspect.or(field_to_fix).map_or(FocusTarget::Retry, FocusTarget::FixField))
    }

    pub(super) fn write_outcome(&self, view: &mut ScrollView) {
        view.blank_line();
        match &self.submission {
            Submission::Sending { stage, .. } => write_stages(view, *stage),
            Submission::KeyWithoutAlias { key, .. } => {
                view.paragraph("✓ The KMS key was created.", 2, theme::SUCCESS);
                view.key_value("Key ID", &key.key_id, theme::TEXT);
                view.paragraph(
                    "✗ Couldn't create the alias. Correct the alias, then choose Create alias. The console won't \
                     create a second KMS key.",
                    2,
                    theme::ERROR,
                );
            }
            Submission::Unknown { .. } => {
                view.warning("Outcome unknown: the request might have succeeded.", 2);
                let words = "Choose Check again. The console first checks what was created, so you never get two keys.";
                view.paragraph(words, 2, theme::TEXT);
            }
            Submission::Failed { .. } => {
                view.paragraph("✗ The KMS key was not created. Nothing in your account changed.", 2, theme::ERROR);
            }
            Submission::NotSent | Submission::Done { .. } => {}
        }
        if let Some(failure) = self.submission.failure() {
            self.write_failure(view, failure);
        }
    }

    fn write_failure(&self, view: &mut ScrollView, failure: &SubmissionFailure) {
        let remedy = error_remedies::for_error(&failure.code, &failure.message);
        view.blank_line();
        view.paragraph(&failure.code, 2, theme::HEADING);
        if !failure.message.is_empty() {
            view.error(&failure.message, 4, theme::TEXT);
        }
        view.paragraph(remedy.meaning, 4, theme::TEXT);
        view.paragraph(&format!("What to do: {}", remedy.action), 4, theme::TEXT);
        for (field, name) in self.suspects.iter().take(MAX_SUSPECTS) {
            view.paragraph(&format!("Possible cause: {name} ({})", field.label()), 4, theme::TEXT);
        }
        if let Some(more) = self.suspects.len().checked_sub(MAX_SUSPECTS).filter(|more| *more > 0) {
            view.paragraph(&format!("… and {more} more"), 4, theme::TEXT);
        }
        if !failure.request_id.is_empty() {
            view.paragraph(&format!("Request ID: {}", failure.request_id), 4, theme::SECONDARY);
        }
        if let Some(target) = self.next_target() {
            let words = match target {
                FocusTarget::FixField(field) => format!("Go to {}", field.label()),
                _ => finish_label(&self.submission).to_owned(),
            };
            view.push_line(Line::raw("   "));
            view.append_button(&self.button(target, &words));
        }
    }
}

fn write_stages(view: &mut ScrollView, now: Stage) {
    for (stage, words) in [
        (Stage::CreateKey, "Create the KMS key"),
        (Stage::CreateAlias, "Create the alias"),
        (Stage::DescribeKey, "Load the KMS key"),
    ] {
        let (mark, style) = match stage.cmp(&now) {
            Ordering::Less => ("✓", theme::SUCCESS),
            Ordering::Equal => ("…", theme::WARNING),
            Ordering::Greater => ("·", theme::SECONDARY),
        };
        view.push_line(Line::styled(format!("  {mark} {words}"), style));
    }
    view.blank_line();
    view.paragraph(
        "Press Esc to stop waiting. The console checks what was created before it retries.",
        2,
        theme::SECONDARY,
    );
}
