//! The step *Add alias and description*.

use super::Wizard;
use crate::create_key::field::Field;
use crate::create_key::validate::FieldError;
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text_area::{TextArea, write_text_area};

impl Wizard {
    pub(super) fn write_alias_and_description(&self, view: &mut ScrollView, errors: &[FieldError]) {
        view.paragraph(self.step.intro(), 2, theme::SECONDARY);
        view.blank_line();
        self.write_text_field(view, Field::Alias, errors, "Example: payments-key");
        if self.submission.key().is_some() {
            return;
        }
        view.blank_line();
        self.write_field(view, Field::Description, errors, |view, is_focused| {
            let still = TextArea::new(&self.draft.description);
            let area = if is_focused { self.editors.text_area(Field::Description) } else { None }.unwrap_or(&still);
            write_text_area(view, area, is_focused, 4, 3);
        });
    }
}
