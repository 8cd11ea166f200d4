//! A text field with a list below it. Typed text filters the list, and is the value itself if no entry matches.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::canvas::Click;
use super::fuzzy::{self, Matching};
use super::scroll_view::ScrollView;
use super::text;
use super::text_field::TextField;
use crate::tui::theme;

/// The number of visible rows of the list.
const VISIBLE_ROWS: usize = 6;

/// An entry of the list: its value and a note.
pub type Entry = (String, String);

/// A text field and its list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picker {
    input: TextField,
    entries: Vec<Entry>,
    cursor: usize,
}

impl Picker {
    /// Creates a picker with the cursor on `current`, which is added at the top if it isn't an entry.
    pub fn new(mut entries: Vec<Entry>, current: &str) -> Self {
        if !current.is_empty() && !entries.iter().any(|(value, _)| value == current) {
            entries.insert(0, (current.to_owned(), String::new()));
        }
        let cursor = entries.iter().position(|(value, _)| value == current).unwrap_or(0);
        Self { input: TextField::default(), entries, cursor }
    }

    /// Returns the entries that match the typed text.
    fn matching_entries(&self) -> Vec<&Entry> {
        let typed = self.input.value().trim().to_lowercase();
        let is_like = |(value, note): &&Entry| {
            typed.is_empty() || value.to_lowercase().contains(&typed) || note.to_lowercase().contains(&typed)
        };
        self.entries.iter().filter(is_like).collect()
    }

    /// Returns the picked value, or the typed text if no entry matches.
    pub fn value(&self) -> &str {
        self.matching_entries().get(self.cursor).map_or(self.input.value().trim(), |(value, _)| value)
    }

    /// Handles a key press and returns whether the picker used it.
    pub fn handle_key(&mut self, key: KeyEvent) -> bool {
        let last = self.matching_entries().len().saturating_sub(1);
        match key.code {
            KeyCode::Up => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down => self.cursor = (self.cursor + 1).min(last),
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(VISIBLE_ROWS),
            KeyCode::PageDown => self.cursor = (self.cursor + VISIBLE_ROWS).min(last),
            _ => {
                let before = self.input.value().to_owned();
                if !self.input.handle_key(key) {
                    return false;
                }
                if self.input.value() != before {
                    self.cursor = 0;
                }
            }
        }
        true
    }

    /// Moves the cursor to a clicked entry, or the text cursor to a clicked column. Returns whether the value changed.
    pub fn on_click(&mut self, click: &Click) -> bool {
        let before = self.cursor;
        match *click {
            Click::Choose(_, row) if row < self.matching_entries().len() => self.cursor = row,
            Click::Text { column, .. } => self.input.move_cursor_to_column(column),
            _ => {}
        }
        self.cursor != before
    }

    /// Inserts pasted text.
    pub fn handle_paste(&mut self, pasted: &str) {
        self.input.paste(pasted);
        self.cursor = 0;
    }

    /// Writes the label and the picked value. If focused, writes the text field and the list around the cursor instead.
    pub fn write(&self, view: &mut ScrollView, label: &'static str, is_focused: bool) {
        view.focused(is_focused, |view| {
            let mark = if is_focused { "▸ " } else { "  " };
            view.push_line(Line::from(vec![Span::styled(mark, theme::ACCENT), Span::styled(label, theme::HEADING)]));
            if !is_focused {
                let value = text::truncate(&text::escape_controls(self.value()), view.width.saturating_sub(3));
                view.push_line(Line::raw(format!("  {value}")));
                return;
            }
            let columns = view.width.saturating_sub(3).min(48);
            self.input.write(view, 2, columns, true, "");
            self.write_list(view);
        });
    }

    fn write_list(&self, view: &mut ScrollView) {
        let matches = self.matching_entries();
        let typed = self.input.value().trim().to_lowercase();
        let highlight = |text: &str, style| {
            let hits = fuzzy::positions(&typed, text, Matching::Substring);
            fuzzy::highlight(text, &hits, style)
        };
        let top = self.cursor.saturating_sub(VISIBLE_ROWS / 2).min(matches.len().saturating_sub(VISIBLE_ROWS));
        for (row, (value, note)) in matches.iter().enumerate().skip(top).take(VISIBLE_ROWS) {
            let is_here = row == self.cursor;
            let (mark, style) = if is_here { ("  ◉ ", theme::SELECTED) } else { ("  ○ ", theme::TEXT) };
            let value = text::truncate(&text::escape_controls(value), view.width.saturating_sub(5));
            let note = text::truncate(&text::escape_controls(note), view.width.saturating_sub(7 + text::width(&value)));
            view.clickable(Click::Choose(view.current_control(), row), |view| {
                let mut spans = vec![Span::styled(mark, theme::ACCENT)];
                spans.extend(highlight(&value, style));
                spans.push(Span::styled("  ", theme::SECONDARY));
                spans.extend(highlight(&note, theme::SECONDARY));
                view.push_line(Line::from(spans));
            });
        }
        let more = matches.len().saturating_sub(VISIBLE_ROWS);
        if !typed.is_empty() {
            let count = format!("    {} of {} match", matches.len(), self.entries.len());
            view.push_line(Line::styled(count, theme::SECONDARY));
        } else if more > 0 {
            view.push_line(Line::styled(format!("    {more} more. Type to find them."), theme::SECONDARY));
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Modifier;

    use super::*;

    fn picker() -> Picker {
        let entries = [("us-east-1", "N. Virginia"), ("us-west-2", "Oregon"), ("eu-west-1", "Ireland")];
        Picker::new(entries.map(|(value, note)| (value.to_owned(), note.to_owned())).to_vec(), "us-west-2")
    }

    #[test]
    fn cursor_starts_on_the_current_value_and_stays_within_the_list() {
        let mut picker = picker();
        assert_eq!(picker.value(), "us-west-2");
        for (code, value) in [(KeyCode::Down, "eu-west-1"), (KeyCode::Down, "eu-west-1"), (KeyCode::Up, "us-west-2")] {
            assert!(picker.handle_key(code.into()));
            assert_eq!(picker.value(), value);
        }
        assert_eq!(Picker::new(Vec::new(), "xx-new-1").value(), "xx-new-1");
        assert_eq!(Picker::default().value(), "");
    }

    #[test]
    fn typed_text_is_highlighted_and_its_matches_are_counted() {
        let mut picker = picker();
        picker.handle_paste("IRE");
        let mut view = ScrollView::new(60);
        picker.write(&mut view, "Region", true);
        let is_hit = |span: &&Span| span.style.add_modifier.contains(Modifier::UNDERLINED);
        let hits: Vec<&str> =
            view.lines()[2..].iter().flat_map(|line| line.iter().filter(is_hit)).map(|span| &*span.content).collect();
        assert_eq!(hits, ["Ire"]);
        assert_eq!(view.lines().last().unwrap().to_string(), "    1 of 3 match");
    }

    #[test]
    fn typed_text_selects_a_matching_entry_or_is_the_value_itself() {
        let mut picker = picker();
        picker.handle_paste("IRE");
        assert_eq!(picker.value(), "eu-west-1");
        picker.handle_paste("x");
        assert_eq!(picker.value(), "IREx");
        picker.handle_key(KeyCode::Down.into());
        assert_eq!(picker.value(), "IREx");
        assert!(!picker.handle_key(KeyCode::Enter.into()));
    }
}
