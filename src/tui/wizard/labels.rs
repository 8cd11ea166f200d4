//! Step *Alias and description*.

use super::Wizard;
use crate::create_key::field::Field;
use crate::create_key::validate::FieldError;
use crate::tui::theme;
use crate::tui::widgets::area::{TextArea, write_area};
use crate::tui::widgets::paper::Paper;

impl Wizard {
    pub(super) fn write_labels(&self, paper: &mut Paper, errors: &[FieldError]) {
        paper.prose(self.step.intro(), 2, theme::QUIET);
        paper.gap();
        self.write_text_field(paper, Field::Alias, errors, "payments-key");
        if self.submission.key().is_some() {
            return;
        }
        paper.gap();
        self.write_field(paper, Field::Description, errors, |paper, is_focused| {
            let still = TextArea::new(&self.draft.description);
            let area = if is_focused { self.editors.area(Field::Description) } else { None }.unwrap_or(&still);
            write_area(paper, area, is_focused, 4, 3);
        });
    }
}
