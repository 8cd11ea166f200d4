//! A one-line text field for a secret.

use crossterm::event::KeyEvent;
use unicode_segmentation::UnicodeSegmentation as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::editing::{self, Edit, Motion};

/// A secret and the cursor in it. The secret is edited in place and wiped when dropped, without undo history or cut
/// buffer. Word keys treat the whole secret as one word, so that they reveal nothing about the masked text.
pub struct SecretField {
    text: Zeroizing<String>,
    /// The byte index of the cursor.
    cursor: usize,
}

impl Clone for SecretField {
    fn clone(&self) -> Self {
        let mut copy = Self::with_capacity(self.text.capacity());
        copy.text.push_str(&self.text);
        copy.cursor = self.cursor;
        copy
    }
}

impl SecretField {
    /// Creates an empty field with a fixed capacity. Text that doesn't fit is dropped, so that the buffer is never
    /// reallocated and leaves no copy behind.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: Zeroizing::new(String::with_capacity(bytes)), cursor: 0 }
    }

    /// Returns the secret.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns the number of graphemes before the cursor.
    pub fn column(&self) -> usize {
        self.text[..self.cursor].graphemes(true).count()
    }

    /// Moves the cursor before a grapheme, by its number. Each is one column wide while the secret is masked.
    pub fn move_cursor_to(&mut self, grapheme: usize) {
        let place = self.text.grapheme_indices(true).nth(grapheme).map(|(byte, _)| byte);
        self.cursor = place.unwrap_or(self.text.len());
    }

    /// Moves the cursor to the character at a screen column of the visible secret.
    pub fn move_cursor_to_column(&mut self, column: usize) {
        self.cursor = editing::byte_index(&self.text, editing::character_at_column(&self.text, column));
    }

    /// Wipes the secret.
    pub fn clear(&mut self) {
        self.text.zeroize();
        self.cursor = 0;
    }

    /// Replaces the secret.
    pub fn set(&mut self, secret: &str) {
        self.clear();
        self.paste(secret);
    }

    /// Inserts pasted text without control characters.
    pub fn paste(&mut self, text: &str) {
        for letter in text.chars() {
            self.insert(letter);
        }
    }

    /// Handles a key press. Returns whether the text or the cursor changed.
    pub fn handle_key(&mut self, key: KeyEvent) -> bool {
        Edit::from_key(key).is_some_and(|edit| self.edit(edit))
    }

    /// Applies an edit. Returns whether the text or the cursor changed.
    pub fn edit(&mut self, edit: Edit) -> bool {
        match edit {
            Edit::Insert(letter) => self.insert(letter),
            Edit::Move(motion) => {
                let before = self.cursor;
                self.cursor = self.motion_target(motion);
                self.cursor != before
            }
            Edit::Delete(motion) | Edit::Cut(motion) => {
                let target = self.motion_target(motion);
                let range = self.cursor.min(target)..self.cursor.max(target);
                self.cursor = range.start;
                let is_empty = range.is_empty();
                drop(self.text.drain(range));
                self.cursor = editing::grapheme_boundary(&self.text, self.cursor, false);
                !is_empty
            }
            Edit::Newline | Edit::Yank | Edit::Undo | Edit::Redo => false,
        }
    }

    fn insert(&mut self, letter: char) -> bool {
        if letter.is_control() || self.text.len() + letter.len_utf8() > self.text.capacity() {
            return false;
        }
        self.text.insert(self.cursor, letter);
        self.cursor = editing::grapheme_boundary(&self.text, self.cursor + letter.len_utf8(), false);
        true
    }

    fn motion_target(&self, motion: Motion) -> usize {
        match motion {
            Motion::Left => editing::prev_grapheme_boundary(&self.text, self.cursor),
            Motion::Right => editing::next_grapheme_boundary(&self.text, self.cursor),
            Motion::WordLeft | Motion::LineStart | Motion::TextStart => 0,
            Motion::WordRight | Motion::LineEnd | Motion::TextEnd => self.text.len(),
            Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown => self.cursor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_edited_at_the_cursor_without_reallocating() {
        let mut field = SecretField::with_capacity(8);
        let place = field.text.as_ptr();
        field.paste("a\u{1b}bc");
        for (edit, text, column) in [
            (Edit::Move(Motion::Left), "abc", 2),
            (Edit::Insert('x'), "abxc", 3),
            (Edit::Delete(Motion::Left), "abc", 2),
            (Edit::Delete(Motion::Right), "ab", 2),
            (Edit::Move(Motion::LineStart), "ab", 0),
            (Edit::Move(Motion::Right), "ab", 1),
            (Edit::Cut(Motion::WordLeft), "b", 0),
        ] {
            assert!(field.edit(edit));
            assert_eq!((field.expose(), field.column()), (text, column), "{edit:?}");
        }
        for edit in [Edit::Yank, Edit::Undo, Edit::Redo] {
            assert!(!field.edit(edit));
        }
        field.paste("0123456789");
        assert_eq!((field.expose(), field.text.as_ptr()), ("0123456b", place));
        assert_eq!(field.clone().text.capacity(), 8);
        field.edit(Edit::Move(Motion::LineEnd));
        field.edit(Edit::Cut(Motion::LineStart));
        assert_eq!(field.expose(), "");
    }
}
