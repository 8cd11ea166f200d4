//! Step *Add tags*, and what tags and other accounts share: rows that come and go.

use ratatui::text::{Line, Span};

use super::Wizard;
use super::spots::Spot;
use crate::aws::kms::Tag;
use crate::aws::limits;
use crate::create_key::field::Field;
use crate::create_key::validate::FieldError;
use crate::tui::theme;
use crate::tui::widgets::button;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::paper::Paper;

impl Wizard {
    pub(super) fn add_tag(&mut self) {
        if self.draft.tags.len() < limits::MAX_TAGS {
            self.draft.tags.push(Tag::default());
            self.focus(Spot::Field(Field::TagKey(self.draft.tags.len() - 1)));
        }
    }

    pub(super) fn add_account(&mut self) {
        self.draft.other_accounts.push(String::new());
        self.focus(Spot::Field(Field::OtherAccount(self.draft.other_accounts.len() - 1)));
    }

    /// The row that has the focus and can be removed.
    pub(super) fn here_removes(&self) -> Option<Spot> {
        match self.here() {
            Spot::Field(Field::TagKey(row) | Field::TagValue(row)) | Spot::RemoveTag(row) => Some(Spot::RemoveTag(row)),
            Spot::Field(Field::OtherAccount(row)) | Spot::RemoveAccount(row) => Some(Spot::RemoveAccount(row)),
            _ => None,
        }
    }

    pub(super) fn remove(&mut self) {
        match self.here_removes() {
            Some(Spot::RemoveTag(row)) if row < self.draft.tags.len() => {
                self.draft.tags.remove(row);
                self.left.retain(|field| !matches!(field, Field::TagKey(_) | Field::TagValue(_)));
                self.editors.forget(|field| matches!(field, Field::TagKey(_) | Field::TagValue(_)));
                self.focus(Spot::Field(Field::AddTag));
            }
            Some(Spot::RemoveAccount(row)) if row < self.draft.other_accounts.len() => {
                self.draft.other_accounts.remove(row);
                self.left.retain(|field| !matches!(field, Field::OtherAccount(_)));
                self.editors.forget(|field| matches!(field, Field::OtherAccount(_)));
                self.focus(Spot::Field(Field::AddOtherAccount));
            }
            _ => {}
        }
    }

    pub(super) fn write_tags(&self, paper: &mut Paper, errors: &[FieldError]) {
        paper.prose(self.step.intro(), 2, theme::QUIET);
        paper.gap();
        if self.draft.tags.is_empty() {
            paper.prose("No tags yet.", 2, theme::TEXT);
        }
        for row in 0..self.draft.tags.len() {
            self.write_tag(paper, row, errors);
        }
        paper.gap();
        let count = format!("  {} of {} tags", self.draft.tags.len(), limits::MAX_TAGS);
        let is_focused = self.here() == Spot::Field(Field::AddTag);
        paper.focused(is_focused, |paper| {
            let mut spans = vec![Span::raw(" ")];
            spans.extend(button("Add tag", is_focused));
            spans.push(Span::styled(count, theme::QUIET));
            paper.line(Line::from(spans));
        });
    }

    fn write_tag(&self, paper: &mut Paper, row: usize, errors: &[FieldError]) {
        let spots = [Spot::Field(Field::TagKey(row)), Spot::Field(Field::TagValue(row)), Spot::RemoveTag(row)];
        paper.focused(spots.contains(&self.here()), |paper| {
            for (field, note) in [(Field::TagKey(row), ""), (Field::TagValue(row), " - optional")] {
                let is_focused = self.here() == Spot::Field(field);
                let mut spans = vec![
                    Span::styled(if is_focused { "▸ " } else { "  " }, theme::ACCENT),
                    Span::styled(
                        format!("{} {}{note}", if note.is_empty() { "Key" } else { "Value" }, row + 1),
                        theme::HEADING,
                    ),
                ];
                if field == Field::TagKey(row) {
                    spans.push(Span::raw("   "));
                    spans.extend(button("Remove", self.here() == Spot::RemoveTag(row)));
                }
                paper.line(Line::from(spans));
                self.write_editor(paper, field, 2, 44, is_focused, "");
                if let Some(error) = self.error_at(field, errors) {
                    paper.prose(&format!("✗ {error}"), 2, theme::BAD);
                }
            }
        });
    }

    pub(super) fn write_accounts(&self, paper: &mut Paper, errors: &[FieldError]) {
        paper.heading("Other AWS accounts");
        paper.prose(Field::AddOtherAccount.hint(), 2, theme::QUIET);
        for row in 0..self.draft.other_accounts.len() {
            let field = Field::OtherAccount(row);
            let is_focused = self.here() == Spot::Field(field);
            let value = TextField::new(&self.draft.other_accounts[row]);
            let error = self.error_at(field, errors);
            paper.focused(is_focused || self.here() == Spot::RemoveAccount(row), |paper| {
                let mut spans = vec![
                    Span::styled(if is_focused { "▸ " } else { "  " }, theme::ACCENT),
                    Span::styled(format!("Account ID {}", row + 1), theme::HEADING),
                    Span::raw("   "),
                ];
                spans.extend(button("Remove", self.here() == Spot::RemoveAccount(row)));
                paper.line(Line::from(spans));
                let shown = if is_focused { self.editors.line(field) } else { None }.unwrap_or(&value);
                shown.write(paper, 2, 20, is_focused, "444455556666");
                if let Some(error) = error {
                    paper.prose(&format!("✗ {error}"), 2, theme::BAD);
                }
            });
        }
        let is_focused = self.here() == Spot::Field(Field::AddOtherAccount);
        paper.focused(is_focused, |paper| {
            super::super::widgets::button_row(
                paper,
                &[Some("Add another AWS account")],
                if is_focused { 0 } else { usize::MAX },
            );
        });
    }
}
