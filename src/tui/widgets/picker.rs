//! A field with a list below it: what is typed narrows the list, and stands for itself when nothing in the list is like it.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::field::TextField;
use super::paper::Paper;
use super::text;
use crate::tui::theme;

/// Rows of the list that are shown at once.
const ROWS: usize = 6;

/// What can be picked: the value, and a word on it.
pub type Entry = (String, String);

/// A field and its list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picker {
    editor: TextField,
    entries: Vec<Entry>,
    cursor: usize,
}

impl Picker {
    /// A list with the cursor on `here`, which is put on top when it is not among the entries.
    pub fn new(mut entries: Vec<Entry>, here: &str) -> Self {
        if !here.is_empty() && !entries.iter().any(|(value, _)| value == here) {
            entries.insert(0, (here.to_owned(), String::new()));
        }
        let cursor = entries.iter().position(|(value, _)| value == here).unwrap_or(0);
        Self { editor: TextField::default(), entries, cursor }
    }

    /// The entries that are like what is typed.
    fn found(&self) -> Vec<&Entry> {
        let typed = self.editor.value().trim().to_lowercase();
        let is_like = |(value, note): &&Entry| {
            typed.is_empty() || value.to_lowercase().contains(&typed) || note.to_lowercase().contains(&typed)
        };
        self.entries.iter().filter(is_like).collect()
    }

    /// What is picked, or typed.
    pub fn value(&self) -> &str {
        self.found().get(self.cursor).map_or(self.editor.value().trim(), |(value, _)| value)
    }

    /// Takes a key; whether it was one for a field or its list.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let last = self.found().len().saturating_sub(1);
        match key.code {
            KeyCode::Up => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down => self.cursor = (self.cursor + 1).min(last),
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(ROWS),
            KeyCode::PageDown => self.cursor = (self.cursor + ROWS).min(last),
            _ => {
                let before = self.editor.value().to_owned();
                if !self.editor.press(key) {
                    return false;
                }
                if self.editor.value() != before {
                    self.cursor = 0;
                }
            }
        }
        true
    }

    /// Takes pasted text.
    pub fn paste(&mut self, pasted: &str) {
        self.editor.paste(pasted);
        self.cursor = 0;
    }

    /// Writes the label; with the focus also the field and the part of the list around the cursor, else what is picked.
    pub fn write(&self, paper: &mut Paper, label: &'static str, is_focused: bool) {
        paper.focused(is_focused, |paper| {
            let mark = if is_focused { "▸ " } else { "  " };
            paper.line(Line::from(vec![Span::styled(mark, theme::ACCENT), Span::styled(label, theme::HEADING)]));
            if !is_focused {
                let value = text::truncate(&text::escape_controls(self.value()), paper.width.saturating_sub(3));
                paper.line(Line::raw(format!("  {value}")));
                return;
            }
            let columns = paper.width.saturating_sub(3).min(48);
            self.editor.write(paper, 2, columns, true, "");
            self.write_list(paper);
        });
    }

    fn write_list(&self, paper: &mut Paper) {
        let found = self.found();
        let top = self.cursor.saturating_sub(ROWS / 2).min(found.len().saturating_sub(ROWS));
        for (row, (value, note)) in found.iter().enumerate().skip(top).take(ROWS) {
            let is_here = row == self.cursor;
            let (mark, style) = if is_here { ("  ◉ ", theme::FOCUS) } else { ("  ○ ", theme::TEXT) };
            let value = text::truncate(&text::escape_controls(value), paper.width.saturating_sub(5));
            let note =
                text::truncate(&text::escape_controls(note), paper.width.saturating_sub(7 + text::width(&value)));
            paper.line(Line::from(vec![
                Span::styled(mark, theme::ACCENT),
                Span::styled(value, style),
                Span::styled(format!("  {note}"), theme::QUIET),
            ]));
        }
        let more = found.len().saturating_sub(ROWS);
        if more > 0 {
            paper.line(Line::styled(format!("    {more} more: type to find them"), theme::QUIET));
        }
    }
}

#[cfg(test)]
mod tests {
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
            assert!(picker.press(code.into()));
            assert_eq!(picker.value(), value);
        }
        assert_eq!(Picker::new(Vec::new(), "xx-new-1").value(), "xx-new-1");
        assert_eq!(Picker::default().value(), "");
    }

    #[test]
    fn typed_text_selects_a_matching_entry_or_is_the_value_itself() {
        let mut picker = picker();
        picker.paste("IRE");
        assert_eq!(picker.value(), "eu-west-1");
        picker.paste("x");
        assert_eq!(picker.value(), "IREx");
        picker.press(KeyCode::Down.into());
        assert_eq!(picker.value(), "IREx");
        assert!(!picker.press(KeyCode::Enter.into()));
    }
}
