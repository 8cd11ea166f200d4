//! Clicks on a table, and the wheel.

use crossterm::event::{KeyCode, KeyEvent};

use super::Table;
use crate::tui::widgets::canvas::Click;

impl Table {
    /// Moves the cursor to what was clicked, and returns the key that activates it. `open` is the key for a row.
    pub fn on_click(&mut self, click: &Click, open: KeyCode) -> Option<KeyEvent> {
        if let Click::Text { column, .. } = click {
            if self.is_searching {
                self.search.move_cursor_to_column(*column);
            }
            return None;
        }
        self.end_search();
        match *click {
            Click::Row(position) if position < self.matching.len() => {
                self.cursor = position;
                Some(open.into())
            }
            Click::SelectRow(position) if position < self.matching.len() => {
                self.cursor = position;
                Some(KeyCode::Char(' ').into())
            }
            Click::Sort(column) if column == self.sort_column => Some(KeyCode::Char('S').into()),
            Click::Sort(column) => {
                self.clicked_heading = Some(column);
                Some(KeyCode::Char('s').into())
            }
            Click::PageKey(key) => Some(key),
            _ => None,
        }
    }

    /// Closes the search field. Its text still filters the rows.
    pub fn end_search(&mut self) {
        self.is_searching = false;
    }

    /// Moves the cursor by this number of rows. Returns whether it moved.
    pub fn move_cursor_by(&mut self, rows: isize) -> bool {
        let last = self.matching.len().saturating_sub(1);
        let before = self.cursor;
        self.cursor = before.saturating_add_signed(rows).min(last);
        self.cursor != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widgets::table::{Column, TableEvent};

    const COLUMNS: [Column; 3] = [Column::new("Name", 5, 1), Column::new("State", 5, 1), Column::new("Path", 5, 1)];

    fn table() -> Table {
        let mut table = Table::default();
        table.update_rows(4, &COLUMNS, &|row, column| format!("{column}{row}"));
        table
    }

    #[test]
    fn click_on_a_heading_sorts_and_another_one_reverses() {
        let mut table = table();
        for (column, sorted) in [(2, (2, false)), (2, (2, true)), (2, (2, false)), (0, (0, false)), (1, (1, false))] {
            let key = table.on_click(&Click::Sort(column), KeyCode::Enter).unwrap();
            assert_eq!(table.handle_key(key, COLUMNS.len()), TableEvent::SortChanged);
            assert_eq!((table.sort_column, table.is_descending), sorted);
        }
        // The key goes on from there.
        table.handle_key(KeyCode::Char('s').into(), COLUMNS.len());
        assert_eq!(table.sort_column, 2);
    }

    #[test]
    fn click_on_a_row_ends_the_search_and_opens_or_selects_the_row() {
        let mut table = table();
        table.handle_key(KeyCode::Char('/').into(), COLUMNS.len());
        let key = table.on_click(&Click::Row(2), KeyCode::Enter).unwrap();
        assert!(!table.is_searching());
        assert_eq!(table.handle_key(key, COLUMNS.len()), TableEvent::Open(2));
        let key = table.on_click(&Click::SelectRow(1), KeyCode::Enter).unwrap();
        assert_eq!(table.handle_key(key, COLUMNS.len()), TableEvent::Toggle(1));
        assert_eq!(table.on_click(&Click::Row(9), KeyCode::Enter), None);
    }

    #[test]
    fn wheel_stops_at_the_first_and_the_last_row() {
        let mut table = table();
        let moved: Vec<(bool, usize)> = [3, 3, -3, -3].map(|rows| (table.move_cursor_by(rows), table.cursor)).to_vec();
        assert_eq!(moved, [(true, 3), (false, 3), (true, 0), (false, 0)]);
        assert!(!Table::default().move_cursor_by(3));
    }
}
