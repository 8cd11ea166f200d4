//! The step *Add tags*, and the rows that tags and other accounts share.

use ratatui::text::{Line, Span};

use super::Wizard;
use super::focus::FocusTarget;
use crate::aws::kms::Tag;
use crate::aws::limits;
use crate::create_key::field::Field;
use crate::create_key::validate::FieldError;
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text_field::TextField;

/// The minimum width at which the key and the value of a tag are side by side, in columns.
const MIN_TWO_COLUMN_WIDTH: usize = 80;

impl Wizard {
    pub(super) fn add_tag(&mut self) {
        if self.draft.tags.len() < limits::MAX_TAGS {
            self.draft.tags.push(Tag::default());
            self.set_focus(FocusTarget::Field(Field::TagKey(self.draft.tags.len() - 1)));
        }
    }

    pub(super) fn add_other_account(&mut self) {
        self.draft.other_accounts.push(String::new());
        self.set_focus(FocusTarget::Field(Field::OtherAccount(self.draft.other_accounts.len() - 1)));
    }

    /// Returns the row that has the focus, if it can be removed.
    pub(super) fn removable_row(&self) -> Option<FocusTarget> {
        match self.focused() {
            FocusTarget::Field(Field::TagKey(row) | Field::TagValue(row)) | FocusTarget::RemoveTag(row) => {
                Some(FocusTarget::RemoveTag(row))
            }
            FocusTarget::Field(Field::OtherAccount(row)) | FocusTarget::RemoveAccount(row) => {
                Some(FocusTarget::RemoveAccount(row))
            }
            _ => None,
        }
    }

    pub(super) fn remove_row(&mut self) {
        match self.removable_row() {
            Some(FocusTarget::RemoveTag(row)) if row < self.draft.tags.len() => {
                self.draft.tags.remove(row);
                self.touched.retain(|field| !matches!(field, Field::TagKey(_) | Field::TagValue(_)));
                self.editors.remove_matching(|field| matches!(field, Field::TagKey(_) | Field::TagValue(_)));
                self.set_focus(FocusTarget::Field(Field::AddTag));
            }
            Some(FocusTarget::RemoveAccount(row)) if row < self.draft.other_accounts.len() => {
                self.draft.other_accounts.remove(row);
                self.touched.retain(|field| !matches!(field, Field::OtherAccount(_)));
                self.editors.remove_matching(|field| matches!(field, Field::OtherAccount(_)));
                self.set_focus(FocusTarget::Field(Field::AddOtherAccount));
            }
            _ => {}
        }
    }

    pub(super) fn write_tags(&self, view: &mut ScrollView, errors: &[FieldError]) {
        view.paragraph(self.step.intro(), 2, theme::SECONDARY);
        view.blank_line();
        if self.draft.tags.is_empty() {
            view.paragraph("No tags yet.", 2, theme::TEXT);
        }
        for row in 0..self.draft.tags.len() {
            self.write_tag(view, row, errors);
        }
        view.blank_line();
        let count = format!("  {} of {} tags", self.draft.tags.len(), limits::MAX_TAGS);
        view.push_line(Line::raw(" "));
        view.append_button(&self.button(FocusTarget::Field(Field::AddTag), "Add tag"));
        view.append_span(Span::styled(count, theme::SECONDARY));
    }

    fn write_tag(&self, view: &mut ScrollView, row: usize, errors: &[FieldError]) {
        let targets = [
            FocusTarget::Field(Field::TagKey(row)),
            FocusTarget::Field(Field::TagValue(row)),
            FocusTarget::RemoveTag(row),
        ];
        view.focused(targets.contains(&self.focused()), |view| {
            let (key, value) = (Field::TagKey(row), Field::TagValue(row));
            if view.width < MIN_TWO_COLUMN_WIDTH {
                self.write_tag_field(view, key, row, true, errors);
                self.write_tag_field(view, value, row, false, errors);
                return;
            }
            view.two_columns(
                |left| self.write_tag_field(left, key, row, false, errors),
                |right| self.write_tag_field(right, value, row, true, errors),
            );
        });
    }

    /// Writes a field of a tag. The button that removes the tag is beside the label of one of them.
    fn write_tag_field(
        &self,
        view: &mut ScrollView,
        field: Field,
        row: usize,
        has_button: bool,
        errors: &[FieldError],
    ) {
        let is_focused = self.focused() == FocusTarget::Field(field);
        let number = row + 1;
        let label = match field {
            Field::TagValue(_) => format!("Value {number} - optional"),
            _ => format!("Key {number}"),
        };
        self.write_control(view, field, |view| {
            view.push_line(Line::from(vec![
                Span::styled(if is_focused { "▸ " } else { "  " }, theme::ACCENT),
                Span::styled(label, theme::HEADING),
            ]));
            if has_button {
                view.append_span(Span::raw("  "));
                view.append_button(&self.button(FocusTarget::RemoveTag(row), "Remove"));
            }
            self.write_editor(view, field, 2, 44, is_focused, "");
        });
        if let Some(error) = self.visible_error(field, errors) {
            view.paragraph(&format!("✗ {error}"), 2, theme::ERROR);
        }
    }

    pub(super) fn write_other_accounts(&self, view: &mut ScrollView, errors: &[FieldError]) {
        view.heading("Other AWS accounts");
        view.paragraph(Field::AddOtherAccount.hint(), 2, theme::SECONDARY);
        for row in 0..self.draft.other_accounts.len() {
            let field = Field::OtherAccount(row);
            let is_focused = self.focused() == FocusTarget::Field(field);
            let value = TextField::new(&self.draft.other_accounts[row]);
            let error = self.visible_error(field, errors);
            view.focused(is_focused || self.focused() == FocusTarget::RemoveAccount(row), |view| {
                self.write_control(view, field, |view| {
                    view.push_line(Line::from(vec![
                        Span::styled(if is_focused { "▸ " } else { "  " }, theme::ACCENT),
                        Span::styled(format!("Account ID {}", row + 1), theme::HEADING),
                        Span::raw("  "),
                    ]));
                    view.append_button(&self.button(FocusTarget::RemoveAccount(row), "Remove"));
                    let shown = if is_focused { self.editors.text_field(field) } else { None }.unwrap_or(&value);
                    shown.write(view, 2, 20, is_focused, "444455556666");
                });
                if let Some(error) = error {
                    view.paragraph(&format!("✗ {error}"), 2, theme::ERROR);
                }
            });
        }
        view.push_line(Line::raw(" "));
        view.append_button(&self.button(FocusTarget::Field(Field::AddOtherAccount), "Add another AWS account"));
    }
}
