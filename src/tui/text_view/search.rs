//! The search of a text: the search line, and the hits.

use std::ops::Range;

use crossterm::event::{KeyCode, KeyEvent};

use super::{TextView, page_height, row_of};
use crate::text::escape_controls;
use crate::tui::widgets::text_field::TextField;

/// A search, which stays until it is cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TextSearch {
    pub(super) field: TextField,
    /// Whether the search line is open.
    pub(super) is_typing: bool,
    /// The first row on the screen when the search line was opened.
    first_row: usize,
    /// The number of the current hit, from 0.
    current: usize,
}

/// A place where the text has what is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// The number of the line, from 0.
    pub(super) line: usize,
    /// The bytes of the line, with its control characters escaped.
    pub(super) bytes: Range<usize>,
}

impl TextView {
    /// Returns whether typed letters go into the search line.
    pub fn is_typing(&self) -> bool {
        self.search.as_ref().is_some_and(|search| search.is_typing)
    }

    /// Opens the search line, with what it had before.
    pub(super) fn open_search(&mut self) {
        let first_row = self.top_row;
        let search = self.search.get_or_insert_default();
        (search.is_typing, search.first_row) = (true, first_row);
    }

    pub(super) fn handle_search_key(&mut self, key: KeyEvent, size: (u16, u16)) {
        let Some(search) = &mut self.search else { return };
        match key.code {
            KeyCode::Esc => self.search = None,
            KeyCode::Enter if search.field.value().is_empty() => self.search = None,
            KeyCode::Enter => search.is_typing = false,
            KeyCode::Down => self.move_to_hit(true, size),
            KeyCode::Up => self.move_to_hit(false, size),
            _ => self.edit_search(size, |field| {
                field.handle_key(key);
            }),
        }
    }

    /// Inserts pasted text into the search line, if it is open.
    pub fn handle_paste(&mut self, text: &str, size: (u16, u16)) {
        if self.is_typing() {
            self.edit_search(size, |field| field.paste(text));
        }
    }

    /// Places the cursor of the search line.
    pub fn move_search_cursor(&mut self, column: usize) {
        if let Some(search) = self.search.as_mut().filter(|search| search.is_typing) {
            search.field.move_cursor_to_column(column);
        }
    }

    /// Edits the searched text, and goes to the first hit from where the search began.
    fn edit_search(&mut self, (width, height): (u16, u16), edit: impl FnOnce(&mut TextField)) {
        let Some(search) = &mut self.search else { return };
        let before = search.field.value().to_owned();
        edit(&mut search.field);
        if search.field.value() == before {
            return;
        }
        self.top_row = search.first_row;
        let rows = self.rows(width, &[]);
        let hits = self.hits();
        let Some(first) = rows.get(self.top_row) else { return };
        let start = (first.line, first.bytes.start);
        let next = hits.partition_point(|hit| (hit.line, hit.bytes.start) < start);
        self.show_hit(&hits, if next < hits.len() { next } else { 0 }, (width, height));
    }

    /// Goes to the next hit, or to the previous one if `is_forward` is false. After the last one comes the first one.
    pub(super) fn move_to_hit(&mut self, is_forward: bool, size: (u16, u16)) {
        let hits = self.hits();
        let (Some(current), count) = (self.current_hit(), hits.len()) else { return };
        if count > 0 {
            let step = if is_forward { 1 } else { count - 1 };
            self.show_hit(&hits, (current + step) % count, size);
        }
    }

    /// Makes a hit the current one, and scrolls to it unless it is on the screen.
    fn show_hit(&mut self, hits: &[Hit], index: usize, (width, height): (u16, u16)) {
        let Some(search) = &mut self.search else { return };
        search.current = index;
        let Some(hit) = hits.get(index) else { return };
        let (rows, page) = (self.rows(width, &[]), page_height(height));
        let row = row_of(&rows, hit.line, hit.bytes.start);
        let last = rows.len().saturating_sub(page);
        if !(self.top_row.min(last)..self.top_row.min(last) + page).contains(&row) {
            self.top_row = row.saturating_sub(page / 3);
        }
        self.top_row = self.top_row.min(last);
    }

    /// Returns the number of the current hit, from 0, if there is a search.
    pub(super) fn current_hit(&self) -> Option<usize> {
        self.search.as_ref().map(|search| search.current)
    }

    /// Returns the hits of the search, in the order of the text.
    pub(super) fn hits(&self) -> Vec<Hit> {
        let Some(search) = &self.search else { return Vec::new() };
        let typed = search.field.value();
        if typed.is_empty() {
            return Vec::new();
        }
        let lines = self.text().lines().enumerate();
        let hits = lines.flat_map(|(line, text)| {
            find(typed, &escape_controls(text)).into_iter().map(move |bytes| Hit { line, bytes })
        });
        hits.collect()
    }

    /// Returns which hit is the current one, and how many there are, if something is searched.
    pub(super) fn search_status(&self, count: usize) -> Option<String> {
        let search = self.search.as_ref().filter(|search| !search.field.value().is_empty())?;
        Some(if count == 0 { "No matches".to_owned() } else { format!("Match {} of {count}", search.current + 1) })
    }
}

/// Returns the hits of a line.
pub(super) fn hits_in_line(hits: &[Hit], line: usize) -> &[Hit] {
    let (start, end) = (hits.partition_point(|hit| hit.line < line), hits.partition_point(|hit| hit.line <= line));
    &hits[start..end]
}

/// Returns the places of `typed` in `line`, which don't overlap. The case counts if `typed` has a capital letter.
fn find(typed: &str, line: &str) -> Vec<Range<usize>> {
    let has_case = typed.chars().any(char::is_uppercase);
    let fold = |letter: char| -> Vec<char> { if has_case { vec![letter] } else { letter.to_lowercase().collect() } };
    let typed: Vec<char> = typed.chars().flat_map(fold).collect();
    let letters = line.char_indices().flat_map(|(start, letter)| {
        let bytes = start..start + letter.len_utf8();
        fold(letter).into_iter().map(move |folded| (folded, bytes.clone()))
    });
    let letters: Vec<(char, Range<usize>)> = letters.collect();
    let (mut found, mut position) = (Vec::new(), 0);
    while let Some(part) = letters.get(position..position + typed.len()).filter(|part| !part.is_empty()) {
        if part.iter().map(|(letter, _)| letter).eq(&typed) {
            found.push(part[0].1.start..part[part.len() - 1].1.end);
            position += typed.len();
        } else {
            position += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_counts_only_if_the_typed_text_has_a_capital_letter() {
        assert_eq!(find("sid", "\"Sid\": \"sid\""), [1..4, 8..11]);
        assert_eq!(find("Sid", "\"Sid\": \"sid\""), vec![1..4]);
        assert_eq!(find("größe", "GRÖSSE Größe GRÖẞE"), [8..15, 16..24]);
    }

    #[test]
    fn hits_do_not_overlap() {
        assert_eq!(find("aa", "aaaaa"), [0..2, 2..4]);
        assert_eq!(find("日本", "日日本"), vec![3..9]);
        assert!(find("abc", "ab").is_empty());
    }

    proptest! {
        #[test]
        fn hits_are_parts_of_the_line_in_order(typed in ".{1,3}", line in ".{0,40}") {
            let mut end = 0;
            for hit in find(&typed, &line) {
                prop_assert!(hit.start >= end && !hit.is_empty() && line.get(hit.clone()).is_some());
                end = hit.end;
            }
            if !typed.chars().any(char::is_uppercase) {
                let count = line.match_indices(&typed).count();
                prop_assert!(find(&typed, &line).len() >= count);
            }
        }
    }
}
