//! The rows of a table: their searchable texts, and their order. Both are kept up to date without sorting all rows when a few
//! of them change.

use std::cmp::Ordering;

use super::{Column, Table};
use crate::create_key::changed_keys::RowChanges;
use crate::listing::search::{search_name, searchable_cell, searchable_row};

impl Table {
    /// Reads all rows, and sorts and filters them. Call it when the rows or the columns changed. The cursor stays on its row.
    pub fn update_rows(&mut self, rows: usize, columns: &[Column], cell: &dyn Fn(usize, usize) -> String) {
        self.titles = columns.iter().map(|column| column.title).collect();
        self.properties = columns.iter().map(|column| search_name(column.title)).collect();
        self.sort_column = self.sort_column.min(columns.len().saturating_sub(1));
        self.haystack = (0..rows).map(|row| self.searchable_text(row, cell)).collect();
        self.sort();
    }

    /// Sorts and filters the rows. Call it when the sort order changed. The cursor stays on its row.
    pub fn sort(&mut self) {
        let rows = 0..self.haystack.len();
        let mut keyed: Vec<(&str, usize)> = rows.map(|row| (self.sort_key(row), row)).collect();
        keyed.sort_unstable_by(|one, other| self.compare(*one, *other));
        self.sorted = keyed.into_iter().map(|(_, row)| row).collect();
        self.filter();
    }

    /// Reads the rows that changed, and those that were added at the end, and moves them to their places in the order. The
    /// cursor stays on its row.
    ///
    /// The order is the same as after [`update_rows`](Self::update_rows).
    pub fn update_changed_rows(&mut self, changes: &RowChanges, rows: usize, cell: &dyn Fn(usize, usize) -> String) {
        if *changes == RowChanges::default() && rows == self.haystack.len() {
            return;
        }
        let mut here = self.current();
        if !changes.removed.is_empty() {
            let position_after = |row: usize| {
                let before = changes.removed.binary_search(&row);
                before.err().map(|removed_before| row - removed_before)
            };
            here = here.and_then(position_after);
            self.sorted = self.sorted.iter().filter_map(|row| position_after(*row)).collect();
            let mut row = 0;
            self.haystack.retain(|_| {
                row += 1;
                changes.removed.binary_search(&(row - 1)).is_err()
            });
        }
        if !changes.replaced.is_empty() {
            self.sorted.retain(|row| changes.replaced.binary_search(row).is_err());
        }
        for row in &changes.replaced {
            self.haystack[*row] = self.searchable_text(*row, cell);
        }
        let added = self.haystack.len()..rows;
        for row in added.clone() {
            let text = self.searchable_text(row, cell);
            self.haystack.push(text);
        }
        self.insert_sorted(changes.replaced.iter().copied().chain(added).collect());
        self.filter_from(here);
    }

    fn searchable_text(&self, row: usize, cell: &dyn Fn(usize, usize) -> String) -> Box<str> {
        searchable_row(self.titles.len(), |column| cell(row, column))
    }

    /// Returns the text by which a row is sorted.
    fn sort_key(&self, row: usize) -> &str {
        self.haystack.get(row).map_or("", |text| searchable_cell(text, self.sort_column))
    }

    /// Compares rows by their sort keys, and equal ones by their positions.
    fn compare(&self, (one, row): (&str, usize), (other, position): (&str, usize)) -> Ordering {
        let order = if self.is_descending { other.cmp(one) } else { one.cmp(other) };
        order.then(row.cmp(&position))
    }

    /// Inserts rows that aren't in the order yet.
    fn insert_sorted(&mut self, mut rows: Vec<usize>) {
        let compare = |one: usize, other: usize| self.compare((self.sort_key(one), one), (self.sort_key(other), other));
        rows.sort_unstable_by(|one, other| compare(*one, *other));
        let mut merged = Vec::with_capacity(self.sorted.len() + rows.len());
        let mut rest = &self.sorted[..];
        for row in rows {
            let (before, after) = rest.split_at(rest.partition_point(|other| compare(*other, row).is_lt()));
            merged.extend_from_slice(before);
            merged.push(row);
            rest = after;
        }
        merged.extend_from_slice(rest);
        self.sorted = merged;
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyCode;
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: [Column; 2] = [Column::new("Name", 5, 1), Column::new("State", 5, 1)];

    /// A change of a list: the rows to remove and to replace, by any number, and the rows to add.
    type Step = (Vec<usize>, Vec<(usize, [String; 2])>, Vec<[String; 2]>);

    fn cells() -> impl Strategy<Value = [String; 2]> {
        ["[a-cA-C-é]{0,2}", "[ab\u{1}]{0,2}"]
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let numbers = prop::collection::vec(any::<usize>(), 0..3);
        let replaced = prop::collection::vec((any::<usize>(), cells()), 0..3);
        prop::collection::vec((numbers, replaced, prop::collection::vec(cells(), 0..8)), 1..8)
    }

    proptest! {
        #[test]
        fn order_after_changes_is_that_of_a_full_sort(
            steps in steps(), column in 0..2usize, is_descending: bool, search in "[ab]{0,2}", cursor in 0..9usize,
        ) {
            let start = Table { sort_column: column, is_descending, ..Table::default() };
            let (mut table, mut list): (Table, Vec<[String; 2]>) = (start.clone(), Vec::new());
            table.update_rows(0, &COLUMNS, &|_, _| String::new());
            table.is_searching = true;
            table.handle_paste(&search);
            for (removed, replaced, added) in steps {
                table.move_cursor_by(isize::try_from(cursor).unwrap());
                let before = table.current().map(|row| list[row].clone());
                let removed = removed.iter().filter_map(|number| number.checked_rem(list.len())).collect();
                let mut changes = RowChanges { removed, replaced: Vec::new() };
                changes.removed.sort_unstable();
                changes.removed.dedup();
                for row in changes.removed.iter().rev() {
                    list.remove(*row);
                }
                for (number, cells) in replaced {
                    let Some(row) = number.checked_rem(list.len()) else { break };
                    list[row] = cells;
                    changes.replaced.push(row);
                }
                changes.replaced.sort_unstable();
                changes.replaced.dedup();
                list.extend(added);
                let cell = |row: usize, column: usize| list[row][column].clone();
                table.update_changed_rows(&changes, list.len(), &cell);
                let mut expected = start.clone();
                expected.is_searching = true;
                expected.update_rows(list.len(), &COLUMNS, &cell);
                expected.handle_paste(&search);
                prop_assert_eq!(&table.sorted, &expected.sorted);
                prop_assert_eq!(&table.haystack, &expected.haystack);
                prop_assert_eq!(table.matching_rows(), expected.matching_rows());
                // The cursor stays on its row, unless that was removed or replaced.
                if changes.removed.is_empty() && changes.replaced.is_empty() && before.is_some() && search.is_empty() {
                    prop_assert_eq!(table.current().map(|row| list[row].clone()), before);
                }
            }
        }
    }

    #[test]
    fn added_and_removed_rows_keep_the_cursor_on_its_row() {
        let mut table = Table::default();
        let list = ["b", "d", "f"];
        table.update_rows(3, &COLUMNS, &|row, _| list[row].to_owned());
        table.handle_key(KeyCode::Down.into(), 2);
        let list = ["d", "f", "a", "c"];
        table
            .update_changed_rows(&RowChanges { removed: vec![0], replaced: vec![] }, 4, &|row, _| list[row].to_owned());
        assert_eq!((table.matching_rows(), table.current()), (&[2, 3, 0, 1][..], Some(0)));
        let list = ["f", "a", "c"];
        table
            .update_changed_rows(&RowChanges { removed: vec![0], replaced: vec![] }, 3, &|row, _| list[row].to_owned());
        assert_eq!((table.matching_rows(), table.current()), (&[1, 2, 0][..], Some(0)), "the next row follows");
    }
}
