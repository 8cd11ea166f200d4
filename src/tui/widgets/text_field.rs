//! A one-line text field.

use crossterm::event::KeyEvent;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use tui_input::Input;
use unicode_segmentation::UnicodeSegmentation as _;

use super::editing::{self, Edit};
use super::history::{EditKind, History};
use super::scroll_view::ScrollView;
use super::text;
use crate::tui::theme;

/// The text of a field, its cursor, and its undo history.
#[derive(Clone, Debug, Default)]
pub struct TextField {
    input: Input,
    history: History,
    cut_text: String,
}

impl PartialEq for TextField {
    fn eq(&self, other: &Self) -> bool {
        self.input.value() == other.input.value() && self.input.cursor() == other.input.cursor()
    }
}

impl Eq for TextField {}

impl TextField {
    /// Creates a field with `value` and the cursor at its end.
    pub fn new(value: &str) -> Self {
        Self { input: Input::new(value.to_owned()), ..Self::default() }
    }

    /// Creates a field with `value` and `cursor` characters before the cursor.
    pub fn with_cursor(value: &str, cursor: usize) -> Self {
        Self { input: Input::new(value.to_owned()).with_cursor(cursor), ..Self::default() }
    }

    /// Returns the text.
    pub fn value(&self) -> &str {
        self.input.value()
    }

    /// Returns the number of characters before the cursor.
    pub fn cursor(&self) -> usize {
        self.input.cursor()
    }

    /// Moves the cursor to the character at a screen column, from the start of the text.
    pub fn move_cursor_to_column(&mut self, column: usize) {
        let cursor = editing::character_at_column(self.value(), column);
        self.input = std::mem::take(&mut self.input).with_cursor(cursor);
        self.history.end_undo_group();
    }

    /// Returns whether the cursor is at the end of the text.
    pub fn is_at_end(&self) -> bool {
        editing::cursor_byte(&self.input) == self.value().len()
    }

    /// Handles a key press. Returns whether the text or the cursor changed.
    pub fn handle_key(&mut self, key: KeyEvent) -> bool {
        Edit::from_key(key).is_some_and(|edit| self.edit(edit))
    }

    fn edit(&mut self, edit: Edit) -> bool {
        let now = self.input.value();
        let restored = match edit {
            Edit::Undo => self.history.undo(now),
            Edit::Redo => self.history.redo(now),
            _ => {
                return self.change(edit.kind(), |input, cut| {
                    if edit == Edit::Yank {
                        return editing::insert(input, cut);
                    }
                    let deleted = editing::apply(input, edit);
                    if matches!(edit, Edit::Cut(_)) && !deleted.is_empty() {
                        *cut = deleted;
                    }
                });
            }
        };
        let Some((text, (_, cursor))) = restored else { return false };
        self.input = std::mem::take(&mut self.input).with_value(text).with_cursor(cursor);
        true
    }

    /// Applies a change and records it in the history. Returns whether the text or the cursor changed.
    fn change(&mut self, step: EditKind, change: impl FnOnce(&mut Input, &mut String)) -> bool {
        let (text, cursor) = (self.input.value().to_owned(), self.input.cursor());
        change(&mut self.input, &mut self.cut_text);
        let (now, after) = (self.input.value(), self.input.cursor());
        if now == text {
            self.history.end_undo_group();
            return after != cursor;
        }
        self.history.record(step, &text, (0, cursor), (0, after));
        true
    }

    /// Ends the current undo step.
    pub fn end_undo_group(&mut self) {
        self.history.end_undo_group();
    }

    /// Inserts pasted text. Consecutive line breaks become one space, each tab becomes a space, and other control
    /// characters are dropped.
    pub fn paste(&mut self, pasted: &str) {
        let lines: Vec<&str> = pasted.split(['\r', '\n']).filter(|line| !line.is_empty()).collect();
        let mut clean = lines.join(" ").replace('\t', " ");
        clean.retain(|letter| !letter.is_control());
        self.change(EditKind::Standalone, |input, _| editing::insert(input, &clean));
    }

    /// Replaces the text, in one undo step.
    pub fn replace(&mut self, text: &str) {
        self.change(EditKind::Standalone, |input, _| *input = Input::new(text.to_owned()));
    }

    /// Writes the field as one line of at most `columns` columns that shows the cursor.
    pub fn write(&self, view: &mut ScrollView, indent: usize, columns: usize, is_focused: bool, placeholder: &str) {
        let inner = columns.saturating_sub(2).max(1);
        let scroll = self.input.visual_scroll(inner.saturating_sub(1).max(1));
        let value = text::escape_controls(self.value());
        let mut shown = String::new();
        let (mut passed, mut first) = (0, 0);
        for grapheme in value.graphemes(true) {
            let wide = text::width(grapheme);
            if passed >= scroll && text::width(&shown) + wide <= inner {
                first = if shown.is_empty() { passed } else { first };
                shown.push_str(grapheme);
            }
            passed += wide;
        }
        let (shown, style) = if value.is_empty() && !is_focused {
            (text::truncate(placeholder, inner), theme::SECONDARY)
        } else {
            (shown, Style::new())
        };
        let edge = if is_focused { theme::ACCENT } else { theme::SECONDARY };
        let (left, right) = if is_focused { ("▌", "▐") } else { ("▏", "▕") };
        view.push_line(Line::from(vec![
            Span::raw(" ".repeat(indent)),
            Span::styled(left, edge),
            Span::styled(text::fit(&shown, inner), style.patch(ratatui::style::Modifier::UNDERLINED)),
            Span::styled(right, edge),
        ]));
        view.clickable_text(indent + 1..indent + 1 + inner, 0, first);
        if is_focused {
            view.set_cursor_column(indent + 1 + self.input.visual_cursor().saturating_sub(scroll).min(inner));
        }
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};
    use proptest::prelude::*;

    use super::*;

    const UNDO: Edit = Edit::Undo;

    fn typed(field: &mut TextField, text: &str) {
        for letter in text.chars() {
            field.edit(Edit::Insert(letter));
        }
    }

    fn key(letter: char, modifiers: KeyModifiers) -> KeyEvent {
        KeyEvent::new(KeyCode::Char(letter), modifiers)
    }

    #[test]
    fn each_word_and_each_paste_is_one_undo_step() {
        let mut field = TextField::default();
        typed(&mut field, "one two");
        field.paste("three\nfour");
        let undone: Vec<String> = (0..4).map(|_| (field.edit(UNDO), field.value().to_owned()).1).collect();
        assert_eq!(undone, ["one two", "one", "", ""]);
        assert!(!field.edit(UNDO));
        for value in ["one", "one two", "one twothree four"] {
            assert!(field.edit(Edit::Redo));
            assert_eq!((field.value(), field.is_at_end()), (value, true));
        }
        assert!(!field.edit(Edit::Redo));
    }

    #[test]
    fn moving_the_cursor_ends_the_undo_step() {
        let mut field = TextField::default();
        typed(&mut field, "ab");
        assert!(field.handle_key(key('b', KeyModifiers::CONTROL)));
        typed(&mut field, "c");
        assert_eq!(field.value(), "acb");
        field.handle_key(key('u', KeyModifiers::ALT));
        assert_eq!((field.value(), field.input.cursor()), ("ab", 1));
        typed(&mut field, "d");
        assert!(!field.handle_key(key('r', KeyModifiers::CONTROL)), "typing clears the redo steps");
        assert_eq!(field.value(), "adb");
    }

    #[test]
    fn yank_inserts_the_last_cut_text() {
        let mut field = TextField::new("one two");
        field.handle_key(key('w', KeyModifiers::CONTROL));
        field.handle_key(key('k', KeyModifiers::ALT));
        field.handle_key(key('a', KeyModifiers::CONTROL));
        field.handle_key(key('y', KeyModifiers::CONTROL));
        assert_eq!((field.value(), field.input.cursor()), ("twoone ", 3));
        field.handle_key(key('u', KeyModifiers::CONTROL));
        assert_eq!(field.value(), "one ");
    }

    fn edits() -> impl Strategy<Value = Edit> {
        use crate::tui::widgets::editing::Motion::{Left, LineEnd, LineStart, Right, WordLeft, WordRight};
        let letters: Vec<char> = "ab c-\u{301}\u{200d}\u{1f469}\u{1f1e9}\u{4e2d}\u{fe0f}\u{600}".chars().collect();
        let motions = || prop::sample::select(vec![Left, Right, WordLeft, WordRight, LineStart, LineEnd]);
        prop_oneof![
            6 => prop::sample::select(letters).prop_map(Edit::Insert),
            2 => motions().prop_map(Edit::Move),
            1 => motions().prop_map(Edit::Delete),
            1 => motions().prop_map(Edit::Cut),
            1 => Just(Edit::Yank),
            1 => Just(Edit::Undo),
            1 => Just(Edit::Redo),
        ]
    }

    fn is_between_graphemes(field: &TextField) -> bool {
        let at = editing::cursor_byte(&field.input);
        at == field.value().len() || field.value().grapheme_indices(true).any(|(start, _)| start == at)
    }

    proptest! {
        #[test]
        fn undo_restores_the_first_value_and_redo_the_last(
            first in "[a \u{1f469}\u{200d}]{0,6}",
            edits in proptest::collection::vec(edits(), 0..60),
        ) {
            let mut field = TextField::new(&first);
            for edit in edits {
                field.edit(edit);
                prop_assert!(is_between_graphemes(&field), "{edit:?} left {field:?}");
            }
            while field.edit(Edit::Redo) {}
            let last = field.value().to_owned();
            while field.edit(UNDO) {
                prop_assert!(is_between_graphemes(&field));
            }
            prop_assert_eq!(field.value(), first);
            while field.edit(Edit::Redo) {}
            prop_assert_eq!(field.value(), last);
        }
    }
}
