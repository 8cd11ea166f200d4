//! The footer of the view: its keys, or the search line, and where the view is in the text.

use crossterm::event::KeyCode;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::TextView;
use crate::tui::keymap::{self, Action, Binding, Context, Keymap};
use crate::tui::theme;
use crate::tui::widgets::canvas::{Canvas, Click};
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;

/// The maximum width of the search field, in columns.
const MAX_FIELD_WIDTH: u16 = 40;

/// A key in the footer, with its title.
struct Hint {
    label: String,
    title: &'static str,
    click: Click,
    /// Whether the hint is shown before others.
    is_kept: bool,
}

impl Hint {
    fn new(binding: &Binding, title: &'static str, keymap: &Keymap) -> Self {
        let click = Click::Key(binding.key_event());
        Self { label: keymap.label(binding), title, click, is_kept: false }
    }

    /// Returns the width of the hint, with the gap after it.
    fn width(&self) -> usize {
        text::width(&self.label) + 1 + text::width(self.title) + 2
    }

    fn write(self, view: &mut ScrollView) {
        let line = Line::from(vec![
            Span::styled(self.label, theme::ACCENT),
            Span::styled(format!(" {}", self.title), theme::SECONDARY),
        ]);
        let start = view.lines().last().map_or(0, Line::width);
        view.clickable_columns(start..start + line.width(), self.click);
        for span in line.spans {
            view.append_span(span);
        }
        view.append_span(Span::raw("  "));
    }
}

impl TextView {
    /// Draws the footer. A click on a key presses it.
    pub(super) fn draw_footer(&self, canvas: &mut Canvas, area: Rect, status: &str, keymap: &Keymap) {
        let mut view = ScrollView::new(area.width);
        let hints = match self.search.as_ref().filter(|search| search.is_typing) {
            Some(search) => {
                let columns = (area.width / 3).min(MAX_FIELD_WIDTH);
                search.field.write(&mut view, 1, usize::from(columns), true, "");
                view.append_span(Span::raw("  "));
                let hint = |code: KeyCode, label: &str, title| Hint {
                    label: label.to_owned(),
                    title,
                    click: Click::Key(code.into()),
                    is_kept: false,
                };
                vec![hint(KeyCode::Enter, "Enter", "Keep"), hint(KeyCode::Esc, "Esc", "Clear")]
            }
            None => {
                view.push_line(Line::raw(" "));
                self.hints(keymap)
            }
        };
        let status = if status.is_empty() { String::new() } else { format!("{status}  ") };
        let mut room = view.width.saturating_sub(view.lines().last().map_or(0, Line::width) + text::width(&status));
        if self.is_typing() {
            view.append_span(Span::styled(status.clone(), theme::SECONDARY));
        }
        for hint in fitting(hints, &mut room) {
            hint.write(&mut view);
        }
        if !self.is_typing() {
            view.append_span(Span::styled(status, theme::SECONDARY));
        }
        view.draw(canvas, area);
    }

    /// Returns the keys of the view. Esc is the last one.
    fn hints(&self, keymap: &Keymap) -> Vec<Hint> {
        let is_shown = |binding: &&Binding| {
            self.is_available(binding.action)
                && (binding.context == Context::TextView || binding.action == Action::Back)
        };
        let (back, own): (Vec<&Binding>, Vec<&Binding>) = keymap::bindings(vec![Context::TextView])
            .filter(is_shown)
            .partition(|binding| binding.action == Action::Back);
        let title = if self.search.is_some() { "Clear search" } else { "Close" };
        let own = own.into_iter().map(|binding| Hint::new(binding, binding.title, keymap));
        let back = back.into_iter().map(|binding| Hint { is_kept: true, ..Hint::new(binding, title, keymap) });
        own.chain(back).collect()
    }
}

/// Returns the hints for which there is room, in their order.
fn fitting(hints: Vec<Hint>, room: &mut usize) -> Vec<Hint> {
    let kept: usize = hints.iter().filter(|hint| hint.is_kept).map(Hint::width).sum();
    *room = room.saturating_sub(kept);
    let has_room = |hint: &Hint| {
        let fits = hint.is_kept || hint.width() <= *room;
        if fits && !hint.is_kept {
            *room -= hint.width();
        }
        fits
    };
    hints.into_iter().filter(has_room).collect()
}
