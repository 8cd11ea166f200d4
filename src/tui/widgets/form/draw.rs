//! Writes a form: its inputs, their errors or hints, and its buttons.

use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Form, FormField, FormInput};
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text_area::write_text_area;
use crate::tui::widgets::text_field::TextField;
use crate::tui::widgets::{button_row, text};

impl Form {
    /// Writes the visible inputs, with the errors of those that were visited. `below` writes below the focused input.
    pub fn write(&self, view: &mut ScrollView, errors: &[(&'static str, String)], below: impl Fn(&mut ScrollView)) {
        for (index, row) in self.fields.iter().enumerate().filter(|(index, _)| !self.is_hidden(*index)) {
            let is_focused = index == self.focus;
            let is_live = self.is_modified && matches!(row.input, FormInput::Text(..));
            let error = errors.iter().find(|(name, _)| *name == row.name && (is_live || self.visited.contains(name)));
            view.focused(is_focused, |view| {
                view.control(index, |view| self.write_field(view, row, is_focused));
                match error {
                    Some((_, error)) => view.paragraph(&format!("✗ {error}"), 2, theme::ERROR),
                    None if row.hint.is_empty() => view,
                    None => view.paragraph(&row.hint, 2, theme::SECONDARY),
                };
                if is_focused {
                    below(view);
                }
            });
            let is_tick = |row: Option<&FormField>| matches!(row.map(|row| &row.input), Some(FormInput::Checkbox(_)));
            if !(is_tick(Some(row)) && is_tick(self.fields.get(index + 1))) {
                view.blank_line();
            }
        }
    }

    /// Writes the buttons. If one of them has the focus, `above` writes above them.
    pub fn write_buttons(&self, view: &mut ScrollView, above: impl Fn(&mut ScrollView)) {
        let focused = self.focus.checked_sub(self.fields.len()).unwrap_or(usize::MAX);
        view.focused(focused != usize::MAX, |view| {
            if focused != usize::MAX {
                above(view);
            }
            button_row(view, &[Some("Cancel"), Some(self.submit_label)], focused);
        });
    }

    fn write_field(&self, view: &mut ScrollView, row: &FormField, is_focused: bool) {
        let mark = Span::styled(if is_focused { "▸ " } else { "  " }, theme::ACCENT);
        if let FormInput::Checkbox(ticked) = row.input {
            let style = if is_focused { theme::SELECTED } else { theme::TEXT };
            for (index, words) in text::wrap(row.label, view.width.saturating_sub(5)).into_iter().enumerate() {
                let lead = match (index, ticked) {
                    (0, true) => "☑ ",
                    (0, false) => "☐ ",
                    _ => "  ",
                };
                let mark = if index == 0 { mark.clone() } else { Span::raw("  ") };
                view.push_line(Line::from(vec![mark, Span::styled(lead, theme::ACCENT), Span::styled(words, style)]));
            }
            return;
        }
        view.push_line(Line::from(vec![mark, Span::styled(row.label, theme::HEADING)]));
        let columns = view.width.saturating_sub(3).min(72);
        match &row.input {
            FormInput::Line(field) => field.write(view, 2, columns, is_focused, ""),
            FormInput::Secret(secret) => {
                let shown = secret.expose();
                let column = secret.column();
                let field = if self.shows_secrets {
                    TextField::with_cursor(shown, shown.graphemes(true).take(column).flat_map(str::chars).count())
                } else {
                    TextField::with_cursor(&"•".repeat(shown.graphemes(true).count()), column)
                };
                field.write(view, 2, columns, is_focused, "");
            }
            FormInput::Text(area, most) => write_text_area(view, area, is_focused, *most, 3),
            FormInput::Radio(labels, chosen) => {
                for (index, label) in labels.iter().enumerate() {
                    let on = index == *chosen;
                    let style = if on && is_focused { theme::SELECTED } else { theme::TEXT };
                    let mark =
                        Span::styled(if on { "  ◉ " } else { "  ○ " }, if on { theme::ACCENT } else { theme::TEXT });
                    let choose = Click::Choose(view.current_control(), index);
                    view.clickable(choose, |view| {
                        let label = text::escape_controls(label);
                        for (row, words) in text::wrap(&label, view.width.saturating_sub(6)).into_iter().enumerate() {
                            let mark = if row == 0 { mark.clone() } else { Span::raw("    ") };
                            view.push_line(Line::from(vec![mark, Span::styled(words, style)]));
                        }
                    });
                    if on && is_focused {
                        view.choose_last_line();
                    }
                }
            }
            FormInput::Checkbox(_) => {}
        }
    }
}
