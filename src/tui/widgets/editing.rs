//! The editing keys of text fields and their effects on a line.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

use super::history::EditKind;
use super::text;

/// A target for moving the cursor or deleting text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Motion {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    Up,
    Down,
    PageUp,
    PageDown,
    TextStart,
    TextEnd,
}

/// An edit of a text field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Inserts a character.
    Insert(char),
    /// Inserts a line break.
    Newline,
    /// Moves the cursor.
    Move(Motion),
    /// Deletes the text up to a target.
    Delete(Motion),
    /// Deletes the text up to a target and keeps it for [`Edit::Yank`].
    Cut(Motion),
    /// Inserts the cut text.
    Yank,
    /// Undoes the last step.
    Undo,
    /// Redoes the last undone step.
    Redo,
}

impl Edit {
    /// Returns the edit for a key. Supports the keys of readline and Emacs and the common keys of other editors.
    pub fn from_key(key: KeyEvent) -> Option<Self> {
        let modifiers = key.modifiers - KeyModifiers::SHIFT;
        let by_word = modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        Some(match key.code {
            KeyCode::Char(letter) => return Self::from_char(letter, modifiers),
            KeyCode::Enter => Self::Newline,
            KeyCode::Backspace if by_word => Self::Cut(Motion::WordLeft),
            KeyCode::Backspace => Self::Delete(Motion::Left),
            KeyCode::Delete if by_word => Self::Cut(Motion::WordRight),
            KeyCode::Delete => Self::Delete(Motion::Right),
            KeyCode::Left if by_word => Self::Move(Motion::WordLeft),
            KeyCode::Left => Self::Move(Motion::Left),
            KeyCode::Right if by_word => Self::Move(Motion::WordRight),
            KeyCode::Right => Self::Move(Motion::Right),
            KeyCode::Home if by_word => Self::Move(Motion::TextStart),
            KeyCode::Home => Self::Move(Motion::LineStart),
            KeyCode::End if by_word => Self::Move(Motion::TextEnd),
            KeyCode::End => Self::Move(Motion::LineEnd),
            KeyCode::Up => Self::Move(Motion::Up),
            KeyCode::Down => Self::Move(Motion::Down),
            KeyCode::PageUp => Self::Move(Motion::PageUp),
            KeyCode::PageDown => Self::Move(Motion::PageDown),
            _ => return None,
        })
    }

    fn from_char(letter: char, modifiers: KeyModifiers) -> Option<Self> {
        const CONTROL: KeyModifiers = KeyModifiers::CONTROL;
        const ALT: KeyModifiers = KeyModifiers::ALT;
        if modifiers.is_empty() {
            return (!letter.is_control()).then_some(Self::Insert(letter));
        }
        Some(match (letter.to_ascii_lowercase(), modifiers) {
            ('a', CONTROL) => Self::Move(Motion::LineStart),
            ('e', CONTROL) => Self::Move(Motion::LineEnd),
            ('b', CONTROL) => Self::Move(Motion::Left),
            ('f', CONTROL) => Self::Move(Motion::Right),
            ('b', ALT) => Self::Move(Motion::WordLeft),
            ('f', ALT) => Self::Move(Motion::WordRight),
            ('<', ALT) => Self::Move(Motion::TextStart),
            ('>', ALT) => Self::Move(Motion::TextEnd),
            ('h', CONTROL) => Self::Delete(Motion::Left),
            ('d', CONTROL) => Self::Delete(Motion::Right),
            ('w', CONTROL) => Self::Cut(Motion::WordLeft),
            ('d', ALT) => Self::Cut(Motion::WordRight),
            ('u', CONTROL) => Self::Cut(Motion::LineStart),
            ('k', ALT) => Self::Cut(Motion::LineEnd),
            ('y', CONTROL) => Self::Yank,
            // Terminals send the byte 0x1f for Ctrl-_, Ctrl-/, and Ctrl-7. The decoder reports all three as Ctrl-7.
            ('7' | '_' | '/', CONTROL) | ('u', ALT) => Self::Undo,
            ('r', CONTROL) | ('e', ALT) => Self::Redo,
            _ => return None,
        })
    }

    /// Returns how a [`History`](super::history::History) groups the edit.
    pub fn kind(self) -> EditKind {
        match self {
            Self::Insert(letter) => EditKind::Typed(letter),
            Self::Newline => EditKind::Typed('\n'),
            Self::Delete(Motion::Left) => EditKind::DeletedLeft,
            Self::Delete(Motion::Right) => EditKind::DeletedRight,
            _ => EditKind::Standalone,
        }
    }
}

/// Applies an edit within a line and returns the deleted text. Ignores edits that affect other lines.
pub fn apply(line: &mut Input, edit: Edit) -> String {
    let before = line.value().to_owned();
    let request = match edit {
        Edit::Insert(letter) => InputRequest::InsertChar(letter),
        Edit::Move(motion) => match motion {
            Motion::Left => InputRequest::GoToPrevChar,
            Motion::Right => InputRequest::GoToNextChar,
            Motion::WordLeft => InputRequest::GoToPrevWord,
            Motion::WordRight => {
                InputRequest::SetCursor(before[..word_end(&before, cursor_byte(line))].chars().count())
            }
            Motion::LineStart | Motion::TextStart => InputRequest::GoToStart,
            Motion::LineEnd | Motion::TextEnd => InputRequest::GoToEnd,
            Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown => return String::new(),
        },
        Edit::Delete(motion) | Edit::Cut(motion) => match motion {
            Motion::Left => InputRequest::DeletePrevChar,
            Motion::Right => InputRequest::DeleteNextChar,
            Motion::WordLeft => InputRequest::DeletePrevWord,
            Motion::WordRight => {
                let range = cursor_byte(line)..word_end(&before, cursor_byte(line));
                replace(line, range.clone(), "");
                return before[range].to_owned();
            }
            Motion::LineStart => InputRequest::DeleteFromStart,
            Motion::LineEnd => InputRequest::DeleteTillEnd,
            _ => return String::new(),
        },
        Edit::Newline | Edit::Yank | Edit::Undo | Edit::Redo => return String::new(),
    };
    line.handle(request);
    let start = cursor_byte(line);
    let deleted = before.len().saturating_sub(line.value().len());
    let is_leftward = matches!(edit, Edit::Move(Motion::Left | Motion::WordLeft));
    let place = grapheme_boundary(line.value(), start, is_leftward);
    if place != start {
        let cursor = line.value()[..place].chars().count();
        line.handle(InputRequest::SetCursor(cursor));
    }
    before.get(start..start + deleted).unwrap_or_default().to_owned()
}

/// Inserts text at the cursor.
pub fn insert(line: &mut Input, text: &str) {
    replace(line, cursor_byte(line)..cursor_byte(line), text);
}

/// Replaces a byte range with `text` and moves the cursor after it.
fn replace(line: &mut Input, range: Range<usize>, text: &str) {
    let mut value = line.value().to_owned();
    let end = range.start + text.len();
    value.replace_range(range, text);
    let cursor = value[..grapheme_boundary(&value, end, false)].chars().count();
    *line = std::mem::take(line).with_value(value).with_cursor(cursor);
}

/// Returns the byte index of the cursor.
pub fn cursor_byte(line: &Input) -> usize {
    byte_index(line.value(), line.cursor())
}

/// Returns the byte index of a character.
pub fn byte_index(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(byte, _)| byte)
}

/// Returns the number of characters before a screen column. A wide grapheme counts from its last column on.
pub fn character_at_column(line: &str, column: usize) -> usize {
    let (mut width, mut characters) = (0, 0);
    for grapheme in line.graphemes(true) {
        width += text::width(&text::escape_controls(grapheme));
        if width > column {
            break;
        }
        characters += grapheme.chars().count();
    }
    characters
}

/// Returns `byte` if it is a grapheme boundary, or else the nearest boundary on the given side.
pub fn grapheme_boundary(text: &str, byte: usize, is_leftward: bool) -> usize {
    let mut cursor = GraphemeCursor::new(byte, text.len(), true);
    if cursor.is_boundary(text, 0).unwrap_or(true) {
        return byte;
    }
    if is_leftward { prev_grapheme_boundary(text, byte) } else { next_grapheme_boundary(text, byte) }
}

/// Returns the start of the grapheme before `byte`.
pub fn prev_grapheme_boundary(text: &str, byte: usize) -> usize {
    GraphemeCursor::new(byte, text.len(), true).prev_boundary(text, 0).ok().flatten().unwrap_or(0)
}

/// Returns the end of the grapheme after `byte`.
pub fn next_grapheme_boundary(text: &str, byte: usize) -> usize {
    GraphemeCursor::new(byte, text.len(), true).next_boundary(text, 0).ok().flatten().unwrap_or(text.len())
}

/// Returns the end of the word at `byte`, or of the next word. Words are defined as in tui-input.
fn word_end(text: &str, byte: usize) -> usize {
    let is_word = |word: &str| word.chars().any(|letter| !letter.is_whitespace() && !letter.is_ascii_punctuation());
    text.split_word_bound_indices()
        .map(|(start, word)| (start + word.len(), word))
        .find(|(end, word)| *end > byte && is_word(word))
        .map_or(text.len(), |(end, _)| grapheme_boundary(text, end, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(text: &str, cursor: usize, edit: Edit) -> (String, usize, String) {
        let mut line = Input::new(text.to_owned()).with_cursor(cursor);
        let deleted = apply(&mut line, edit);
        (line.value().to_owned(), line.cursor(), deleted)
    }

    #[test]
    fn word_motions_match_readline() {
        let moved = |cursor, motion| edited("one two-three", cursor, Edit::Move(motion)).1;
        assert_eq!([0, 1, 3, 7, 13].map(|cursor| moved(cursor, Motion::WordRight)), [3, 3, 7, 13, 13]);
        assert_eq!([13, 8, 5, 4, 0].map(|cursor| moved(cursor, Motion::WordLeft)), [8, 4, 4, 0, 0]);
        let cut = |cursor, motion| edited("one two-three", cursor, Edit::Cut(motion));
        assert_eq!(cut(3, Motion::WordRight), ("one-three".to_owned(), 3, " two".to_owned()));
        assert_eq!(cut(8, Motion::WordLeft), ("one three".to_owned(), 4, "two-".to_owned()));
    }

    #[test]
    fn delete_removes_whole_graphemes() {
        let family = "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        let text = format!("a{family}e\u{301}z");
        assert_eq!(edited(&text, 6, Edit::Delete(Motion::Left)), ("ae\u{301}z".to_owned(), 1, family.to_owned()));
        assert_eq!(edited(&text, 1, Edit::Delete(Motion::Right)), ("ae\u{301}z".to_owned(), 1, family.to_owned()));
        assert_eq!(edited(&text, 8, Edit::Move(Motion::Left)).1, 6);
    }

    #[test]
    fn cut_removes_text_to_the_start_or_end_of_the_line() {
        let cut = |motion| edited("one two", 3, Edit::Cut(motion));
        assert_eq!(cut(Motion::LineStart), (" two".to_owned(), 0, "one".to_owned()));
        assert_eq!(cut(Motion::LineEnd), ("one".to_owned(), 3, " two".to_owned()));
    }

    #[test]
    fn undo_and_redo_keys_are_recognized_as_terminals_send_them() {
        let edit = |code, modifiers| Edit::from_key(KeyEvent::new(KeyCode::Char(code), modifiers));
        assert_eq!(edit('7', KeyModifiers::CONTROL), Some(Edit::Undo));
        assert_eq!(edit('u', KeyModifiers::ALT), Some(Edit::Undo));
        assert_eq!(edit('r', KeyModifiers::CONTROL), Some(Edit::Redo));
        assert_eq!(edit('e', KeyModifiers::ALT), Some(Edit::Redo));
        assert_eq!(edit('E', KeyModifiers::ALT | KeyModifiers::SHIFT), Some(Edit::Redo));
        assert_eq!(edit('x', KeyModifiers::CONTROL), None);
        assert_eq!(edit('x', KeyModifiers::CONTROL | KeyModifiers::ALT), None);
        assert_eq!(edit('A', KeyModifiers::SHIFT), Some(Edit::Insert('A')));
    }
}
