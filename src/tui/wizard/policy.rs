//! The step *Edit key policy*: the generated JSON, or the user's own, validated while the user types.

use ratatui::text::{Line, Span};

use super::Wizard;
use super::focus::{FocusTarget, PolicyView};
use crate::create_key::account_state::AccountState;
use crate::create_key::field::Field;
use crate::create_key::preview::changes::{GENERATED_POLICY, PolicyChanges};
use crate::create_key::validate::FieldError;
use crate::text::highlight::Language;
use crate::tui::theme;
use crate::tui::widgets::button::Button;
use crate::tui::widgets::code_view::CodeView;
use crate::tui::widgets::diff_view::DiffView;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text_area::{TextArea, write_text_area};

impl Wizard {
    pub(super) fn write_policy(
        &self,
        view: &mut ScrollView,
        height: usize,
        account: &AccountState,
        errors: &[FieldError],
    ) {
        view.paragraph(self.step.intro(), 2, theme::SECONDARY);
        view.blank_line();
        let is_focused = self.focused() == FocusTarget::Field(Field::KeyPolicy);
        if let Some(edited) = &self.draft.edited_policy {
            self.write_edited_policy(view, height, edited, is_focused, errors);
            if let Some(changes) = PolicyChanges::of_draft(&self.draft, account) {
                self.write_changes(view, &changes);
            }
            return;
        }
        view.focused(is_focused, |view| {
            view.push_line(Line::styled("  Generated from your choices", theme::HEADING));
            view.append_span(Span::raw("  "));
            view.append_button(&self.button(FocusTarget::Field(Field::KeyPolicy), "Edit"));
            write_policy_errors(view, errors);
        });
        view.blank_line();
        CodeView::new(Language::Json, &self.draft.policy_json(account)).with_line_numbers().write(view);
    }

    fn write_edited_policy(
        &self,
        view: &mut ScrollView,
        height: usize,
        edited: &str,
        is_focused: bool,
        errors: &[FieldError],
    ) {
        let is_on_button = matches!(self.focused(), FocusTarget::RestorePolicy | FocusTarget::ToggleChanges);
        view.focused(is_focused || is_on_button, |view| {
            view.push_line(Line::styled("  Edited by you", theme::HEADING));
            view.append_span(Span::raw("  "));
            let label = if self.policy_view == PolicyView::RestoreQuestion {
                "Discard my changes?"
            } else {
                "Restore generated policy"
            };
            view.append_button(&self.button(FocusTarget::RestorePolicy, label));
            let changes = self.changes_button();
            let used = view.lines().last().map_or(0, Line::width);
            if used + 1 + changes.width() > view.width {
                view.push_line(Line::raw(" "));
            }
            view.append_span(Span::raw(" "));
            view.append_button(&changes);
            if !write_policy_errors(view, errors) {
                view.push_line(Line::styled("  ✓ The key policy is valid.", theme::SUCCESS));
            }
            if self.shows_changes() {
                return;
            }
            let still = TextArea::new(edited);
            let area = if is_focused { self.editors.text_area(Field::KeyPolicy) } else { None }.unwrap_or(&still);
            self.write_control(view, Field::KeyPolicy, |view| {
                write_text_area(view, area, is_focused, height.saturating_sub(7).clamp(4, 40), 4);
            });
        });
    }

    /// Whether the changes of the key policy are shown in its place.
    pub(super) fn shows_changes(&self) -> bool {
        self.policy_view == PolicyView::Changes
    }

    /// Returns the button that shows how the edited key policy differs from the generated one.
    pub(super) fn changes_button(&self) -> Button {
        let label = if self.shows_changes() { "Show policy" } else { "Show changes" };
        self.button(FocusTarget::ToggleChanges, label)
    }

    /// Writes how the edited key policy differs from the generated one.
    fn write_changes(&self, view: &mut ScrollView, changes: &PolicyChanges) {
        view.paragraph(&format!("{}.", changes.summary(GENERATED_POLICY)), 2, theme::SECONDARY);
        if self.shows_changes() {
            DiffView::new(changes).write(view);
        }
    }
}

/// Writes the errors of the key policy. Returns whether there are any.
fn write_policy_errors(view: &mut ScrollView, errors: &[FieldError]) -> bool {
    let mut problems = errors.iter().filter(|error| error.field == Field::KeyPolicy).peekable();
    let some = problems.peek().is_some();
    for problem in problems {
        view.paragraph(&format!("✗ {}", problem.message), 2, theme::ERROR);
    }
    some
}
