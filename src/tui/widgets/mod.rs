//! The building blocks of pages. Everything is written as lines of text, so that every page can be clipped and
//! scrolled.

pub mod button;
pub mod canvas;
pub mod code_view;
pub mod container;
pub mod diff_view;
pub mod editing;
pub mod form;
pub mod fuzzy;
pub mod history;
pub mod key_value_grid;
pub mod picker;
pub mod scroll;
pub mod scroll_view;
pub mod secret_field;
pub mod status;
pub mod table;
pub mod tabs;
pub mod text_area;
pub mod text_field;

use ratatui::text::{Line, Span};

pub use crate::text;

use self::button::{Button, ButtonKind};
use self::canvas::Click;
use self::scroll_view::ScrollView;

/// Writes buttons in a row: the first one at the left, the others at the right edge, the last one as the primary one.
/// Marks the button at `focused` and skips `None`.
pub fn button_row(view: &mut ScrollView, buttons: &[Option<&str>], focused: usize) {
    let button = |(index, label): (usize, Option<&str>)| {
        label.map(|label| Button::new(label).focused(index == focused).on_click(Click::Button(index)))
    };
    let mut buttons: Vec<Button> = buttons.iter().copied().enumerate().filter_map(button).collect();
    if let Some(last) = buttons.last_mut() {
        last.kind = ButtonKind::Primary;
    }
    let Some((cancel, rest)) = buttons.split_first() else { return };
    view.push_line(Line::raw(" "));
    view.append_button(cancel);
    let columns: usize = rest.iter().map(|button| button.width() + 1).sum();
    let used = 1 + cancel.width();
    if used + columns > view.width {
        view.push_line(Line::raw(" "));
    } else {
        view.append_span(Span::raw(" ".repeat(view.width - used - columns)));
    }
    for button in rest {
        view.append_button(button).append_span(Span::raw(" "));
    }
}
