//! What pages are made of. Everything becomes lines of text, so that any page can be cut and scrolled at any size.

pub mod area;
pub mod editing;
pub mod field;
pub mod form;
pub mod history;
pub mod paper;
pub mod picker;
pub mod scroll;
pub mod secret;
pub mod table;

use ratatui::text::{Line, Span};

pub use crate::text;

use self::paper::Paper;
use super::theme;

/// Writes buttons in a row, the one at `focused` marked; `None` leaves one out.
pub fn button_row(paper: &mut Paper, buttons: &[Option<&str>], focused: usize) {
    let mut spans = vec![Span::raw("  ")];
    for (index, button) in buttons.iter().enumerate() {
        if let Some(button) = button {
            spans.extend(self::button(button, index == focused));
            spans.push(Span::raw("  "));
        }
    }
    paper.line(Line::from(spans));
}

/// A button: `[ words ]`, turned round and marked when it has the focus.
pub fn button(words: &str, is_focused: bool) -> [Span<'static>; 2] {
    let (mark, style) = if is_focused { ("▸", theme::FOCUS) } else { (" ", theme::ACCENT) };
    [Span::styled(mark, theme::ACCENT), Span::styled(format!("[ {words} ]"), style)]
}
