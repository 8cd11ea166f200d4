//! A multiline text field.

use std::mem;

use crossterm::event::KeyEvent;
use ratatui::text::{Line, Span};
use tui_input::Input;
use unicode_segmentation::UnicodeSegmentation as _;
use zeroize::Zeroize as _;

use super::editing::{self, Edit, Motion};
use super::history::{Cursor, EditKind, History};
use super::scroll_view::ScrollView;
use super::text;
use crate::tui::theme;

/// A tab as the screen shows it.
const TAB: &str = "  ";
/// The number of lines that Page Up and Page Down move the cursor.
const PAGE_LINES: usize = 8;

/// A multiline text, its cursor, and its undo history. The text is wiped when dropped.
#[derive(Clone, Debug)]
pub struct TextArea {
    /// At least one line.
    lines: Vec<String>,
    /// The line of the cursor.
    row: usize,
    /// The number of characters before the cursor in its line.
    column: usize,
    /// `None` if the text must leave no copies in memory.
    history: Option<History>,
    cut_text: String,
}

impl Drop for TextArea {
    fn drop(&mut self) {
        self.lines.zeroize();
    }
}

impl TextArea {
    /// Creates a field with `value` and the cursor at its start.
    pub fn new(value: &str) -> Self {
        let lines = value.split('\n').map(str::to_owned).collect();
        Self { lines, row: 0, column: 0, history: Some(History::default()), cut_text: String::new() }
    }

    /// Creates an empty field without undo history and cut buffer.
    pub fn without_history() -> Self {
        let mut area = Self::new("");
        area.history = None;
        area
    }

    /// Whether the field keeps no copies of its text, because it can be a secret.
    pub fn is_without_history(&self) -> bool {
        self.history.is_none()
    }

    /// Whether the field has no text.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(String::is_empty) && self.lines.len() < 2
    }

    /// Moves the cursor to the end of the text.
    #[must_use]
    pub fn with_cursor_at_end(mut self) -> Self {
        self.move_to_end();
        self
    }

    /// Returns the text.
    pub fn value(&self) -> String {
        self.lines.join("\n")
    }

    /// Handles a key press. Returns whether the text or the cursor changed.
    pub fn handle_key(&mut self, key: KeyEvent) -> bool {
        Edit::from_key(key).is_some_and(|edit| self.edit(edit))
    }

    /// Inserts pasted text. Line breaks and tabs are kept; other control characters are dropped.
    pub fn paste(&mut self, pasted: &str) {
        let mut clean = pasted.replace("\r\n", "\n").replace('\r', "\n");
        clean.retain(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'));
        self.change(EditKind::Standalone, |area| area.insert(&clean));
        clean.zeroize();
    }

    /// Ends the current undo step.
    pub fn end_undo_group(&mut self) {
        self.history.iter_mut().for_each(History::end_undo_group);
    }

    fn edit(&mut self, edit: Edit) -> bool {
        let restored = match (edit, &mut self.history) {
            (Edit::Undo, Some(history)) => history.undo(&self.lines.join("\n")),
            (Edit::Redo, Some(history)) => history.redo(&self.lines.join("\n")),
            (Edit::Undo | Edit::Redo, None) => None,
            _ => return self.change(edit.kind(), |area| area.apply(edit)),
        };
        let Some((text, cursor)) = restored else { return false };
        self.lines = text.split('\n').map(str::to_owned).collect();
        (self.row, self.column) = cursor;
        true
    }

    /// Applies a change and records it in the history. Returns whether the text or the cursor changed.
    fn change(&mut self, step: EditKind, change: impl FnOnce(&mut Self)) -> bool {
        let (mut text, cursor) = (self.value(), self.cursor());
        change(self);
        let is_same = self.lines.iter().map(String::as_str).eq(text.split('\n'));
        let after = self.cursor();
        if let Some(history) = &mut self.history {
            if is_same {
                history.end_undo_group();
            } else {
                history.record(step, &text, cursor, after);
            }
        }
        text.zeroize();
        !is_same || after != cursor
    }

    /// Returns the line of the cursor and the number of characters before it in that line.
    pub fn cursor(&self) -> Cursor {
        (self.row, self.column)
    }

    /// Moves the cursor to a position, limited to the text.
    pub fn set_cursor(&mut self, (row, column): Cursor) {
        self.row = row.min(self.lines.len() - 1);
        self.column = column.min(self.line().chars().count());
    }

    /// Moves the cursor to a line and to the character at a screen column of it.
    pub fn move_cursor_to_column(&mut self, row: usize, column: usize) {
        self.end_undo_group();
        self.row = row.min(self.lines.len() - 1);
        self.column = editing::character_at_column(&self.line().replace('\t', TAB), column);
        // The screen shows a tab as spaces, which are more characters.
        let (mut characters, mut shown) = (0, 0);
        for letter in self.line().chars() {
            shown += if letter == '\t' { TAB.len() } else { 1 };
            if shown > self.column {
                break;
            }
            characters += 1;
        }
        self.column = characters;
    }

    fn line(&self) -> &str {
        &self.lines[self.row]
    }

    /// Applies `act` to the line of the cursor.
    fn edit_line<R>(&mut self, act: impl FnOnce(&mut Input) -> R) -> R {
        let mut line = Input::new(mem::take(&mut self.lines[self.row])).with_cursor(self.column);
        let done = act(&mut line);
        self.column = line.cursor();
        self.lines[self.row] = line.into();
        done
    }

    fn apply(&mut self, edit: Edit) {
        let at = editing::byte_index(self.line(), self.column);
        let is_below_another = at == 0 && self.row > 0;
        let is_above_another = at == self.line().len() && self.row + 1 < self.lines.len();
        let mut deleted = match edit {
            Edit::Newline => return self.insert("\n"),
            Edit::Yank => return self.insert(&self.cut_text.clone()),
            Edit::Move(Motion::Up) => return self.move_to_row(self.row.saturating_sub(1)),
            Edit::Move(Motion::Down) => return self.move_to_row(self.row + 1),
            Edit::Move(Motion::PageUp) => return self.move_to_row(self.row.saturating_sub(PAGE_LINES)),
            Edit::Move(Motion::PageDown) => return self.move_to_row(self.row + PAGE_LINES),
            Edit::Move(Motion::TextStart) => return (self.row, self.column) = (0, 0),
            Edit::Move(Motion::TextEnd) => return self.move_to_end(),
            Edit::Move(Motion::Left | Motion::WordLeft) if is_below_another => {
                self.row -= 1;
                return self.column = self.line().chars().count();
            }
            Edit::Move(Motion::Right | Motion::WordRight) if is_above_another => {
                return (self.row, self.column) = (self.row + 1, 0);
            }
            Edit::Delete(Motion::Left) | Edit::Cut(Motion::WordLeft) if is_below_another => {
                self.row -= 1;
                self.join_next_line()
            }
            Edit::Delete(Motion::Right) | Edit::Cut(Motion::WordRight | Motion::LineEnd) if is_above_another => {
                self.join_next_line()
            }
            _ => self.edit_line(|line| editing::apply(line, edit)),
        };
        if self.history.is_some() && matches!(edit, Edit::Cut(_)) && !deleted.is_empty() {
            self.cut_text = deleted;
        } else {
            deleted.zeroize();
        }
    }

    /// Joins the line of the cursor with the next line and moves the cursor between them.
    fn join_next_line(&mut self) -> String {
        let mut next = self.lines.remove(self.row + 1);
        let line = &mut self.lines[self.row];
        let end = line.len();
        line.push_str(&next);
        next.zeroize();
        self.column = line[..editing::grapheme_boundary(line, end, false)].chars().count();
        "\n".to_owned()
    }

    fn insert(&mut self, text: &str) {
        let (first, rest) = text.split_once('\n').map_or((text, None), |(first, rest)| (first, Some(rest)));
        let Some(rest) = rest else { return self.edit_line(|line| editing::insert(line, first)) };
        let at = editing::byte_index(self.line(), self.column);
        let mut behind = self.lines[self.row].split_off(at);
        self.lines[self.row].push_str(first);
        let mut added: Vec<String> = rest.split('\n').map(str::to_owned).collect();
        let number = added.len();
        if let Some(last) = added.last_mut() {
            let end = last.len();
            last.push_str(&behind);
            self.column = last[..editing::grapheme_boundary(last, end, false)].chars().count();
        }
        behind.zeroize();
        let below = self.row + 1;
        drop(self.lines.splice(below..below, added));
        self.row += number;
    }

    fn move_to_end(&mut self) {
        self.row = self.lines.len() - 1;
        self.column = self.line().chars().count();
    }

    /// Moves the cursor to another line and keeps its screen column if possible.
    fn move_to_row(&mut self, row: usize) {
        let before = text::width(&self.line()[..editing::byte_index(self.line(), self.column)]);
        self.row = row.min(self.lines.len() - 1);
        let (mut width, mut column) = (0, 0);
        for grapheme in self.line().graphemes(true) {
            width += text::width(grapheme);
            if width > before {
                break;
            }
            column += grapheme.chars().count();
        }
        self.column = column;
    }
}

/// Writes the lines around the cursor: at least `least` lines and at most `most`.
pub fn write_text_area(view: &mut ScrollView, area: &TextArea, is_focused: bool, most: usize, least: usize) {
    let shown = most.max(1);
    let top = area.row.saturating_sub(shown / 2).min(area.lines.len().saturating_sub(shown));
    let inner = view.width.saturating_sub(5).max(4);
    let edge = if is_focused { theme::ACCENT } else { theme::SECONDARY };
    let number_of_rows = area.lines.len().clamp(least, shown.max(least));
    let bottom = top + number_of_rows - 1;
    for index in top..=bottom {
        let line = area.lines.get(index).map(String::as_str).unwrap_or_default();
        let is_here = is_focused && index == area.row;
        let before = text::width(&displayed_line(&line[..editing::byte_index(line, area.column)]));
        let skip = if is_here { before.saturating_sub(inner - 1) } else { 0 };
        let mut passed = 0;
        let mut kept = String::new();
        for grapheme in displayed_line(line).graphemes(true) {
            if passed >= skip {
                kept.push_str(grapheme);
            }
            passed += text::width(grapheme);
        }
        view.push_line(Line::from(vec![
            Span::raw("  "),
            Span::styled(if is_focused { "▌" } else { "▏" }, edge),
            Span::raw(text::fit(&kept, inner)),
            Span::styled(
                match (is_focused, index) {
                    (_, index) if index == top && top > 0 => "↑",
                    (_, index) if index == bottom && bottom + 1 < area.lines.len() => "↓",
                    (true, _) => "▐",
                    (false, _) => "▕",
                },
                edge,
            ),
        ]));
        view.clickable_text(3..3 + inner, index, skip);
        if is_here {
            view.set_cursor_column(3 + before - skip);
        }
    }
}

/// Returns a line as the screen shows it.
fn displayed_line(line: &str) -> String {
    text::escape_controls(&line.replace('\t', TAB))
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyModifiers};
    use proptest::prelude::*;

    use super::*;

    fn area(text: &str, row: usize, column: usize) -> TextArea {
        let mut area = TextArea::new(text);
        (area.row, area.column) = (row, column);
        area
    }

    fn edited(text: &str, row: usize, column: usize, edit: Edit) -> (String, Cursor) {
        let mut area = area(text, row, column);
        area.edit(edit);
        (area.value(), area.cursor())
    }

    #[test]
    fn edits_at_line_boundaries_join_or_cross_lines() {
        let text = "one\ntwo";
        assert_eq!(edited(text, 1, 0, Edit::Delete(Motion::Left)), ("onetwo".to_owned(), (0, 3)));
        assert_eq!(edited(text, 0, 3, Edit::Delete(Motion::Right)), ("onetwo".to_owned(), (0, 3)));
        assert_eq!(edited(text, 0, 3, Edit::Cut(Motion::LineEnd)), ("onetwo".to_owned(), (0, 3)));
        assert_eq!(edited(text, 1, 0, Edit::Move(Motion::Left)).1, (0, 3));
        assert_eq!(edited(text, 0, 3, Edit::Move(Motion::WordRight)).1, (1, 0));
        assert_eq!(edited(text, 1, 2, Edit::Cut(Motion::LineStart)), ("one\no".to_owned(), (1, 0)));
        assert_eq!(edited(text, 1, 0, Edit::Cut(Motion::LineStart)), (text.to_owned(), (1, 0)));
        assert_eq!(edited(text, 0, 1, Edit::Newline), ("o\nne\ntwo".to_owned(), (1, 0)));
    }

    #[test]
    fn moving_up_or_down_keeps_the_screen_column() {
        let text = "\u{4e2d}\u{4e2d}\u{4e2d}\nabcdef\n\nx";
        assert_eq!(edited(text, 0, 2, Edit::Move(Motion::Down)).1, (1, 4));
        assert_eq!(edited(text, 1, 5, Edit::Move(Motion::Up)).1, (0, 2));
        assert_eq!(edited(text, 1, 5, Edit::Move(Motion::Down)).1, (2, 0));
        assert_eq!(edited(text, 0, 1, Edit::Move(Motion::PageDown)).1, (3, 1));
        assert_eq!(edited(text, 3, 0, Edit::Move(Motion::Down)).1, (3, 0));
    }

    #[test]
    fn multiline_paste_is_one_undo_step() {
        let mut area = area("ab", 0, 1);
        area.paste("1\r\n2\r3\u{1b}");
        assert_eq!((&*area.value(), area.cursor()), ("a1\n2\n3b", (2, 1)));
        assert!(area.edit(Edit::Undo));
        assert_eq!((&*area.value(), area.cursor()), ("ab", (0, 1)));
        assert!(area.edit(Edit::Redo));
        assert_eq!((&*area.value(), area.cursor()), ("a1\n2\n3b", (2, 1)));
    }

    #[test]
    fn text_area_without_history_does_not_undo_or_yank() {
        let mut area = TextArea::without_history();
        area.paste("secret\ntext");
        area.handle_key(KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL));
        assert_eq!(area.value(), "secret\n");
        for letter in ['7', 'r', 'y'] {
            assert!(!area.handle_key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)));
        }
        assert_eq!((area.value(), area.cut_text.as_str()), ("secret\n".to_owned(), ""));
    }

    fn edits() -> impl Strategy<Value = Edit> {
        use Motion::{Down, Left, LineEnd, LineStart, Right, TextEnd, TextStart, Up, WordLeft, WordRight};
        let letters: Vec<char> = "ab c-\u{301}\u{200d}\u{1f469}\u{1f1e9}\u{4e2d}".chars().collect();
        let within = || prop::sample::select(vec![Left, Right, WordLeft, WordRight, LineStart, LineEnd]);
        prop_oneof![
            6 => prop::sample::select(letters).prop_map(Edit::Insert),
            2 => Just(Edit::Newline),
            2 => within().prop_map(Edit::Move),
            2 => prop::sample::select(vec![Up, Down, TextStart, TextEnd]).prop_map(Edit::Move),
            2 => within().prop_map(Edit::Delete),
            1 => within().prop_map(Edit::Cut),
            1 => Just(Edit::Yank),
            1 => Just(Edit::Undo),
            1 => Just(Edit::Redo),
        ]
    }

    fn is_between_graphemes(area: &TextArea) -> bool {
        let at = editing::byte_index(area.line(), area.column);
        at == area.line().len() || area.line().grapheme_indices(true).any(|(start, _)| start == at)
    }

    proptest! {
        #[test]
        fn undo_restores_the_first_value_and_redo_the_last(
            first in "[a \n\u{1f469}\u{200d}]{0,8}",
            edits in proptest::collection::vec(edits(), 0..60),
        ) {
            let mut area = TextArea::new(&first).with_cursor_at_end();
            for edit in edits {
                area.edit(edit);
                prop_assert!(is_between_graphemes(&area), "{edit:?} left {area:?}");
            }
            while area.edit(Edit::Redo) {}
            let last = area.value();
            while area.edit(Edit::Undo) {
                prop_assert!(is_between_graphemes(&area));
            }
            prop_assert_eq!(area.value(), first);
            while area.edit(Edit::Redo) {}
            prop_assert_eq!(area.value(), last);
        }
    }
}
