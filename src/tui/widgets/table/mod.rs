//! A table with search, sorting, a cursor, and row selection. It builds only the visible rows.

mod cells;
mod draw;
mod mouse;
mod rows;
mod search;

use std::cell::Cell;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::text_field::TextField;
use crate::listing::search::{Precision, Search};
use crate::listing::table::{TextColumn, TextTable};

/// A column: its heading and its width.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The heading.
    pub title: &'static str,
    /// The minimum width, in screen columns.
    pub min_width: usize,
    /// The width at which all usual values fit.
    pub ideal_width: usize,
    /// The share of the remaining width, relative to the other columns.
    pub weight: usize,
    /// Whether the values are states, which are shown with their symbol.
    pub is_status: bool,
}

impl Column {
    /// Creates a column.
    pub const fn new(title: &'static str, min_width: usize, weight: usize) -> Self {
        Self { title, min_width, ideal_width: min_width, weight, is_status: false }
    }

    /// Creates a column of states. The width has room for their symbols.
    pub const fn status(title: &'static str, min_width: usize) -> Self {
        Self { is_status: true, ..Self::new(title, min_width, 0) }
    }

    /// Sets the width at which all usual values fit. The column gets it before the remaining width is shared.
    #[must_use]
    pub const fn with_ideal_width(self, ideal_width: usize) -> Self {
        Self { ideal_width, ..self }
    }
}

/// How rows can be selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectionMode {
    /// Rows can't be selected.
    None,
    /// One row can be selected.
    Single,
    /// Any number of rows can be selected.
    Multiple,
}

/// The result of a key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableEvent {
    /// The table doesn't use the key.
    Ignored,
    /// The table handled the key.
    Handled,
    /// The sort order changed. The caller has to call [`Table::sort`] or [`Table::update_rows`].
    SortChanged,
    /// Space was pressed on this row.
    Toggle(usize),
    /// Enter was pressed on this row.
    Open(usize),
    /// Select all matching rows, or clear them if all are selected.
    ToggleAll,
}

/// The rows of a table: their number, cells, and selection.
pub struct Rows<'a> {
    /// The number of rows before any search.
    pub total: usize,
    /// What a row is, as singular and plural, for example "key store" and "key stores".
    pub noun: [&'static str; 2],
    /// Returns the text of a cell, by row and column.
    pub cell: &'a dyn Fn(usize, usize) -> String,
    /// How rows can be selected.
    pub selection_mode: SelectionMode,
    /// Returns whether a row is selected.
    pub is_selected: &'a dyn Fn(usize) -> bool,
}

/// Whether a table has all rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// All rows are loaded.
    #[default]
    Complete,
    /// More rows can be loaded.
    Partial,
}

/// The part of a table that the last frame showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct TableViewport {
    /// The number of visible rows.
    rows: usize,
    /// The number of columns scrolled past, after the first column.
    column_offset: usize,
    /// Whether columns on the right are hidden.
    has_columns_right: bool,
}

/// The state of a table: search, sort order, and cursor. The owner of the table has the rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    search: TextField,
    is_searching: bool,
    sort_column: usize,
    is_descending: bool,
    cursor: usize,
    /// The column to sort by next, if its heading was clicked.
    clicked_heading: Option<usize>,
    /// The number of columns scrolled past, after the first column. `None` scrolls only as far as the sort column
    /// needs.
    column_offset: Option<usize>,
    /// The viewport of the last frame.
    viewport: Cell<TableViewport>,
    /// The maximum number of rows per page. `None` shows as many rows as fit.
    pub page_size: Option<usize>,
    /// Whether the table has all rows.
    pub completeness: Completeness,
    /// Whether text that is wider than its cell is wrapped.
    pub wraps_text: bool,
    /// The headings of all columns, also of those that are only searched.
    titles: Vec<&'static str>,
    /// The column names for searches such as `status:enabled`.
    properties: Vec<String>,
    /// All rows, sorted.
    sorted: Vec<usize>,
    /// The searchable text of each row, by row index.
    haystack: Vec<Box<str>>,
    /// The parsed text of the search.
    terms: Search,
    /// How the rows match the search.
    precision: Precision,
    /// The rows that match the search, sorted.
    matching: Vec<usize>,
    /// The columns in which the search found something.
    matching_columns: Vec<usize>,
}

impl Table {
    /// Creates a table that is sorted by its first column, a time, in descending order.
    pub fn newest_first() -> Self {
        Self { is_descending: true, ..Self::default() }
    }

    /// Returns whether the cursor is on the last row and no search hides rows.
    pub fn is_at_end(&self) -> bool {
        self.cursor + 1 >= self.matching.len() && self.matching.len() == self.sorted.len() && !self.is_searching
    }

    /// Returns the row at the cursor.
    pub fn current(&self) -> Option<usize> {
        self.matching.get(self.cursor).copied()
    }

    /// Moves the cursor to a row, if it matches the search.
    pub fn move_cursor_to(&mut self, row: usize) {
        if let Some(position) = self.matching.iter().position(|&other| other == row) {
            self.cursor = position;
        }
    }

    /// Returns the rows that match the search, in order.
    pub fn matching_rows(&self) -> &[usize] {
        &self.matching
    }

    /// Returns the text of the rows that match the search, in order and uncut. The hyphen of a cell without a value is left
    /// out.
    pub fn text_table(&self, columns: &[Column], cell: &dyn Fn(usize, usize) -> String) -> TextTable {
        let text = |row: usize, column: usize| match cell(row, column).trim() {
            "-" => String::new(),
            text => text.to_owned(),
        };
        TextTable {
            columns: columns.iter().map(|column| TextColumn { title: column.title, can_shorten: false }).collect(),
            rows: self
                .matching
                .iter()
                .map(|row| (0..columns.len()).map(|column| text(*row, column)).collect())
                .collect(),
        }
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, columns: usize) -> TableEvent {
        let seen = self.viewport.get();
        let page = seen.rows.max(1);
        if self.is_searching {
            return self.handle_search_key(key);
        }
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return TableEvent::Ignored;
        }
        let last = self.matching.len().saturating_sub(1);
        match key.code {
            KeyCode::Up => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Down => self.cursor = (self.cursor + 1).min(last),
            KeyCode::PageUp => self.cursor = self.cursor.saturating_sub(page),
            KeyCode::PageDown => self.cursor = (self.cursor + page).min(last),
            KeyCode::Right if seen.has_columns_right => self.column_offset = Some(seen.column_offset + 1),
            KeyCode::Left if self.has_columns_left() => self.column_offset = Some(seen.column_offset - 1),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = last,
            KeyCode::Char('/') if self.has_rows() => self.is_searching = true,
            KeyCode::Char('s') => {
                let next = self.clicked_heading.take().unwrap_or(self.sort_column + 1);
                self.sort_column = next % columns.max(1);
                self.column_offset = None;
                return TableEvent::SortChanged;
            }
            KeyCode::Char('S') => {
                self.is_descending = !self.is_descending;
                return TableEvent::SortChanged;
            }
            KeyCode::Char('a') => return TableEvent::ToggleAll,
            KeyCode::Esc if self.handles_escape() => {
                self.search = TextField::default();
                self.filter();
            }
            KeyCode::Char(' ') => return self.current().map_or(TableEvent::Handled, TableEvent::Toggle),
            KeyCode::Enter => return self.current().map_or(TableEvent::Handled, TableEvent::Open),
            _ => return TableEvent::Ignored,
        }
        TableEvent::Handled
    }

    /// Returns whether columns on the left are hidden.
    pub fn has_columns_left(&self) -> bool {
        self.viewport.get().column_offset > 0
    }

    /// Returns whether any columns are hidden.
    pub fn has_hidden_columns(&self) -> bool {
        self.has_columns_left() || self.viewport.get().has_columns_right
    }

    /// Returns whether the table has rows, matching or not.
    pub fn has_rows(&self) -> bool {
        !self.sorted.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: Column = Column::new("Fruit word", 5, 1);

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    fn table(words: &[&str]) -> Table {
        let mut table = Table::default();
        table.update_rows(words.len(), &[WORD], &|row, _| words[row].to_owned());
        table
    }

    #[test]
    fn rows_are_sorted_and_searched_case_insensitively() {
        let words = ["pear", "Apple", "plum"];
        let mut table = table(&words);
        assert_eq!(table.matching_rows(), [1, 0, 2]);
        for code in [KeyCode::Char('/'), KeyCode::Char('P'), KeyCode::Char('L')] {
            assert_eq!(table.handle_key(key(code), 1), TableEvent::Handled);
        }
        assert_eq!(table.matching_rows(), [1, 2]);
        table.handle_key(key(KeyCode::Esc), 1);
        assert_eq!(table.matching_rows().len(), 3);
    }

    #[test]
    fn cursor_stays_on_its_row_when_the_sort_order_is_reversed() {
        let words = ["a", "b", "c"];
        let mut table = table(&words);
        assert_eq!(table.handle_key(key(KeyCode::Char('S')), 1), TableEvent::SortChanged);
        table.update_rows(3, &[WORD], &|row, _| words[row].to_owned());
        assert_eq!((table.matching_rows(), table.current()), (&[2, 1, 0][..], Some(0)));
    }
}
