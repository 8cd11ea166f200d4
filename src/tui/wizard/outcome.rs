//! The outcome of Finish: its stages, and the next action after a failure.

use std::cmp::Ordering;

use ratatui::text::Line;

use super::Wizard;
use super::focus::FocusTarget;
use crate::create_key::outcome::{
    ALIAS_NOT_CREATED, KEY_NOT_CREATED, MAX_SUSPECTS, NextAction, OUTCOME_UNKNOWN, finish_label, next_action,
};
use crate::create_key::submission::{Stage, Submission, SubmissionFailure};
use crate::error_remedies;
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;

impl Wizard {
    /// Returns the next action after a failure: correcting a field, or retrying.
    pub(super) fn next_target(&self) -> Option<FocusTarget> {
        Some(match next_action(&self.submission, &self.suspects)? {
            NextAction::FixField(field) => FocusTarget::FixField(field),
            NextAction::Retry => FocusTarget::Retry,
        })
    }

    pub(super) fn write_outcome(&self, view: &mut ScrollView) {
        view.blank_line();
        match &self.submission {
            Submission::Sending { stage, .. } => write_stages(view, *stage),
            Submission::KeyWithoutAlias { key, .. } => {
                let [created, no_alias] = ALIAS_NOT_CREATED;
                view.paragraph(&format!("✓ {created}"), 2, theme::SUCCESS);
                view.key_value("Key ID", &key.key_id, theme::TEXT);
                view.paragraph(&format!("✗ {no_alias}"), 2, theme::ERROR);
            }
            Submission::Unknown { .. } => {
                let [unknown, check_again] = OUTCOME_UNKNOWN;
                view.warning(unknown, 2);
                view.paragraph(check_again, 2, theme::TEXT);
            }
            Submission::Failed { .. } => {
                view.paragraph(&format!("✗ {KEY_NOT_CREATED}"), 2, theme::ERROR);
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
        if self.draft != self.failed_draft {
            view.paragraph("You have changed the draft since then.", 2, theme::TEXT);
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
