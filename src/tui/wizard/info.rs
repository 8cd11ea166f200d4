//! The pane at the right of wide screens: help for the focused field.

use ratatui::layout::Rect;

use super::Wizard;
use crate::create_key::account_state::AccountState;
use crate::tui::theme;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;

impl Wizard {
    /// Draws the help of the focused field, or the introduction of the step.
    pub(super) fn draw_info(&self, _account: &AccountState, canvas: &mut Canvas, area: Rect) {
        let inner = Container::new("Info").draw(canvas, area);
        let mut view = ScrollView::new(inner.width);
        match self.focused_field() {
            Some(field) => {
                view.paragraph(field.short_label(), 1, theme::HEADING);
                view.blank_line();
                view.paragraph(field.help(), 1, theme::TEXT);
                view.blank_line();
                view.paragraph(field.hint(), 1, theme::SECONDARY);
            }
            None => {
                view.paragraph(self.step.title(), 1, theme::HEADING);
                view.blank_line();
                view.paragraph(self.step.intro(), 1, theme::TEXT);
            }
        }
        view.draw(canvas, inner);
    }
}
