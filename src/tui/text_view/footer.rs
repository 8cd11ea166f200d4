//! The footer of the view: its keys, or the search line, and where the view is in the text.

use crossterm::event::{KeyCode, KeyEvent};
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
    key: KeyEvent,
    /// Whether the hint is shown before others.
    is_required: bool,
}

impl Hint {
    fn new(binding: &Binding, title: &'static str, keymap: &Keymap) -> Self {
        Self { label: keymap.label(binding), title, key: binding.key_event(), is_required: false }
    }

    /// Creates the hint of a key of the search line, which can't be assigned.
    fn of_search(code: KeyCode, label: &str, title: &'static str) -> Self {
        Self { label: label.to_owned(), title, key: code.into(), is_required: false }
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
        view.clickable_columns(start..start + line.width(), Click::Key(self.key));
        for span in line.spans {
            view.append_span(span);
        }
        view.append_span(Span::raw("  "));
    }
}

impl TextView {
    /// Draws the footer: the search line if it is open, else the keys. A click on a key presses it.
    pub(super) fn draw_footer(&self, canvas: &mut Canvas, area: Rect, status: &str, keymap: &Keymap) {
        let mut view = ScrollView::new(area.width);
        if let Some(search) = self.search.as_ref().filter(|search| search.is_typing) {
            let columns = (area.width / 4).min(MAX_FIELD_WIDTH);
            search.field.write(&mut view, 1, usize::from(columns), true, "");
            if !status.is_empty() {
                view.append_span(Span::styled(format!("  {status}"), theme::SECONDARY));
            }
            view.append_span(Span::raw("  "));
            write_hints(
                &mut view,
                vec![Hint::of_search(KeyCode::Enter, "Enter", "Keep"), Hint::of_search(KeyCode::Esc, "Esc", "Clear")],
                0,
            );
        } else {
            view.push_line(Line::raw(" "));
            write_hints(&mut view, self.hints(keymap), text::width(status));
            view.append_span(Span::styled(status.to_owned(), theme::SECONDARY));
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
        let back = back.into_iter().map(|binding| Hint { is_required: true, ..Hint::new(binding, title, keymap) });
        own.chain(back).collect()
    }
}

/// Writes the hints for which there is room, in their order. `reserved` columns stay free.
fn write_hints(view: &mut ScrollView, hints: Vec<Hint>, reserved: usize) {
    let used = view.lines().last().map_or(0, Line::width);
    let kept: usize = hints.iter().filter(|hint| hint.is_required).map(Hint::width).sum();
    let mut room = view.width.saturating_sub(used + kept + reserved);
    for hint in hints {
        if !hint.is_required {
            if hint.width() > room {
                continue;
            }
            room -= hint.width();
        }
        hint.write(view);
    }
}
