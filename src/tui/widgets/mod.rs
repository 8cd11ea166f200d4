//! The building blocks of pages. Everything is written as lines of text, so that every page can be clipped and
//! scrolled.

pub mod editing;
pub mod form;
pub mod history;
pub mod picker;
pub mod scroll;
pub mod scroll_view;
pub mod secret_field;
pub mod table;
pub mod text_area;
pub mod text_field;

use ratatui::text::{Line, Span};

pub use crate::text;

use self::scroll_view::ScrollView;
use super::theme;

/// Writes buttons in a row, wrapped if they don't fit. Marks the button at `focused` and skips `None`.
pub fn button_row(view: &mut ScrollView, buttons: &[Option<&str>], focused: usize) {
    let mut row = Line::raw("  ");
    for (index, button) in buttons.iter().enumerate() {
        let Some(button) = button else { continue };
        let button = self::button(button, index == focused);
        let columns: usize = button.iter().map(Span::width).sum();
        if row.spans.len() > 1 && row.width() + columns > view.width {
            view.push_line(std::mem::replace(&mut row, Line::raw("  ")));
        }
        row.spans.extend(button);
        row.push_span(Span::raw("  "));
    }
    view.push_line(row);
}

/// Returns a button: `[ words ]`, marked and in reverse video if it is focused.
pub fn button(words: &str, is_focused: bool) -> [Span<'static>; 2] {
    let (mark, style) = if is_focused { ("▸", theme::FOCUS) } else { (" ", theme::ACCENT) };
    [Span::styled(mark, theme::ACCENT), Span::styled(format!("[ {words} ]"), style)]
}
