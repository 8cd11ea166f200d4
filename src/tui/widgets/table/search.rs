//! The search of a table: the search field, the search terms, and the rows that match them.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::Span;

use super::{Completeness, Rows, Table, TableEvent};
use crate::listing::search::{Precision, Search};
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::fuzzy::{self, Matching};
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;
use crate::tui::widgets::text_field::TextField;

/// The maximum number of matching rows whose columns are named. Finding the columns of more rows would delay typing.
const MAX_ROWS_WITH_COLUMNS: usize = 10_000;

impl Table {
    /// Filters the rows with the [`Search`]. If no row contains every term, rows that contain their characters in order
    /// match.
    pub(super) fn filter(&mut self) {
        self.filter_from(self.current());
    }

    /// Filters the rows as [`filter`](Self::filter) does, and moves the cursor to the row `kept`. If it doesn't match, the cursor
    /// stays where it is.
    pub(super) fn filter_from(&mut self, kept: Option<usize>) {
        self.terms = Search::parse(self.search.value(), &self.properties);
        self.precision = Precision::Exact;
        self.matching = self.rows_with(self.precision);
        if self.matching.is_empty() {
            let similar = self.rows_with(Precision::Fuzzy);
            if !similar.is_empty() {
                (self.matching, self.precision) = (similar, Precision::Fuzzy);
            }
        }
        self.matching_columns = if self.matching.len() > MAX_ROWS_WITH_COLUMNS {
            Vec::new()
        } else {
            let rows = self.matching.iter().filter_map(|row| self.haystack.get(*row)).map(|row| &**row);
            self.terms.matching_columns(rows, self.titles.len(), self.precision)
        };
        let position = kept.and_then(|row| self.matching.iter().position(|&other| other == row));
        self.cursor = position.unwrap_or(self.cursor).min(self.matching.len().saturating_sub(1));
    }

    /// Returns the rows that match the search with this precision, in order.
    fn rows_with(&self, precision: Precision) -> Vec<usize> {
        if self.terms.is_empty() {
            return self.sorted.clone();
        }
        let is_match =
            |row: &usize| self.haystack.get(*row).is_some_and(|line| self.terms.matches_with(line, precision));
        self.sorted.iter().copied().filter(is_match).collect()
    }

    /// Returns the positions of the characters of a cell, as it is displayed, that the search found, in bytes.
    pub(super) fn hits(&self, row: usize, column: usize, displayed: &str) -> BTreeSet<usize> {
        let line = self.haystack.get(row).map_or("", |line| line);
        let positions = |(term, precision)| {
            let matching = match precision {
                Precision::Exact => Matching::Substring,
                Precision::Fuzzy => Matching::Fuzzy,
            };
            fuzzy::positions(term, displayed, matching)
        };
        self.terms.hits(line, column, self.precision).into_iter().flat_map(positions).collect()
    }

    /// Returns the completion of a column name, with its colon, if the cursor is at the end of a partial name.
    fn completion(&self) -> Option<String> {
        if !self.search.is_at_end() {
            return None;
        }
        let search = self.search.value().to_lowercase();
        let word = search.rsplit(char::is_whitespace).next().filter(|word| !word.is_empty() && !word.contains(':'))?;
        let rest = self.properties.iter().find_map(|property| property.strip_prefix(word))?;
        Some(format!("{rest}:"))
    }

    /// Shows all rows again.
    pub fn clear_search(&mut self) {
        self.is_searching = false;
        self.search = TextField::default();
        self.filter();
    }

    /// Returns whether the search field is open.
    pub fn is_searching(&self) -> bool {
        self.is_searching
    }

    /// Returns the search text.
    pub fn search(&self) -> &str {
        self.search.value()
    }

    /// Returns whether Esc ends or clears a search.
    pub fn handles_escape(&self) -> bool {
        self.is_searching || !self.search.value().is_empty()
    }

    /// Handles a key press in the open search field.
    pub(super) fn handle_search_key(&mut self, key: KeyEvent) -> TableEvent {
        match key.code {
            KeyCode::Enter | KeyCode::Down => self.is_searching = false,
            KeyCode::Esc => self.clear_search(),
            KeyCode::Right if key.modifiers.is_empty() && self.completion().is_some() => {
                let rest = self.completion().unwrap_or_default();
                self.search.paste(&rest);
                self.filter();
            }
            KeyCode::Tab | KeyCode::BackTab => {
                self.is_searching = false;
                return TableEvent::Ignored;
            }
            _ => {
                let before = self.search.value().to_owned();
                if !self.search.handle_key(key) {
                    return TableEvent::Ignored;
                }
                if self.search.value() != before {
                    self.filter();
                }
            }
        }
        TableEvent::Handled
    }

    /// Inserts pasted text into the search field, if it is open.
    pub fn handle_paste(&mut self, pasted: &str) {
        if self.is_searching {
            self.search.paste(pasted);
            self.filter();
        }
    }

    pub(super) fn write_search(&self, view: &mut ScrollView, rows: &Rows, is_focused: bool) {
        if self.is_searching {
            let columns = view.width.saturating_sub(30).clamp(6, 48);
            self.search.write(view, 2, columns, is_focused, "");
            let rest = self.completion().map(|rest| format!(" · → {rest}")).unwrap_or_default();
            let room = view.width.saturating_sub(columns + 6 + text::width(&rest));
            let hint = format!("  {}{rest}", self.count(rows, room));
            view.append_span(Span::styled(hint, theme::SECONDARY));
            return;
        }
        let (lead, style) = if self.search.value().is_empty() {
            ("/ Search".to_owned(), theme::SECONDARY)
        } else {
            (format!("Search: {}", text::escape_controls(self.search.value())), theme::TEXT)
        };
        let count = self.count(rows, view.width.saturating_sub(text::width(&lead) + 4));
        let room = view.width.saturating_sub(text::width(&count) + 4);
        view.push_line("  ");
        view.append_clickable(Span::styled(text::fit(&lead, room), style), Click::PageKey(KeyCode::Char('/').into()));
        view.append_span(Span::styled(format!(" {count}"), theme::SECONDARY));
    }

    /// Returns how many rows match and in which columns. If that is wider than `room`, leaves the columns out.
    fn count(&self, rows: &Rows, room: usize) -> String {
        let (shown, total) = (self.matching.len(), rows.total);
        let noun = rows.noun[usize::from(total != 1)];
        if self.terms.is_empty() {
            return match self.completeness {
                Completeness::Complete => format!("{total} {noun}"),
                Completeness::Partial => format!("{total} {noun} so far"),
            };
        }
        let loaded = if self.completeness == Completeness::Partial { " loaded" } else { "" };
        let count = format!("{shown} of {total}{loaded} match");
        let mark = if self.precision == Precision::Fuzzy { " · fuzzy" } else { "" };
        let titles = self.matching_columns.iter().filter_map(|column| self.titles.get(*column).copied());
        let titles = titles.collect::<Vec<_>>().join(", ");
        let full = format!("{count} in {titles}{mark}");
        if titles.is_empty() || text::width(&full) > room { format!("{count}{mark}") } else { full }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Modifier;

    use super::*;
    use crate::tui::widgets::table::{Column, SelectionMode};

    const WORDS: [[&str; 2]; 4] = [
        ["payments-database", "12ab"],
        ["paid-bills", "dba0"],
        ["ledger of the year", "34cd"],
        ["Größe\u{1b}[31m", "dead"],
    ];
    const COLUMNS: [Column; 2] = [Column::new("Alias", 12, 0), Column::new("Key ID", 6, 0)];

    fn typed(text: &str) -> Table {
        let mut table = Table::default();
        table.update_rows(WORDS.len(), &COLUMNS, &|row, column| WORDS[row][column].to_owned());
        table.handle_key(KeyCode::Char('/').into(), 2);
        table.handle_paste(text);
        table
    }

    /// Returns the lines of the table, with everything that is underlined in brackets.
    fn drawn(table: &Table, width: u16) -> Vec<String> {
        let rows = Rows {
            total: WORDS.len(),
            noun: ["key", "keys"],
            cell: &|row, column| WORDS[row][column].to_owned(),
            selection_mode: SelectionMode::None,
            is_selected: &|_| false,
        };
        let mut view = ScrollView::new(width);
        table.write(&mut view, &COLUMNS, 10, true, &rows);
        let mark = |span: &Span| {
            let is_hit = span.style.add_modifier.contains(Modifier::UNDERLINED | Modifier::BOLD);
            if is_hit { format!("[{}]", span.content) } else { span.content.to_string() }
        };
        view.lines().iter().map(|line| line.spans.iter().map(mark).collect::<String>().trim_end().to_owned()).collect()
    }

    #[test]
    fn fuzzy_matches_are_shown_only_if_nothing_matches_exactly() {
        // Row 0 has these characters in order, but row 1 contains them.
        assert_eq!(typed("db").matching_rows(), [1]);
        assert_eq!(typed("pdt").matching_rows(), [0]);
        assert_eq!(typed("pb").matching_rows(), [1, 0], "in the order of the table");
        assert!(typed("alias:pdt").matching_rows().is_empty());
        let mut table = typed("pdt");
        table.handle_key(KeyCode::Esc.into(), 2);
        assert_eq!((table.matching_rows().len(), table.precision), (4, Precision::Exact));
    }

    #[test]
    fn found_characters_are_highlighted_and_the_count_names_their_columns() {
        let lines = drawn(&typed("db"), 100);
        assert!(lines[0].ends_with("1 of 4 match in Key ID"), "{lines:?}");
        assert!(lines[2].ends_with("  paid-bills  [db]a0"), "{lines:?}");
        let lines = drawn(&typed("pdb 2"), 100);
        assert!(lines[0].ends_with("1 of 4 match in Alias, Key ID · fuzzy"), "{lines:?}");
        assert!(lines[2].contains("[p]ayments-[d…] 1[2]ab"), "{lines:?}");
        let lines = drawn(&typed("grö"), 80);
        assert!(lines[2].contains("[Grö]ße\\u{1b…"), "{lines:?}");
        assert!(drawn(&typed("pdb 2"), 42)[0].ends_with("1 of 4 match · fuzzy"));
        let mut table = typed("e");
        table.handle_key(KeyCode::Enter.into(), 2);
        assert!(drawn(&table, 60)[0].ends_with("3 of 4 match in Alias, Key ID"), "{:?}", drawn(&table, 60));
        assert!(drawn(&table, 30)[0].ends_with("3 of 4 match"), "{:?}", drawn(&table, 30));
    }

    proptest! {
        #[test]
        fn every_shown_row_has_the_characters_of_each_term_in_order(
            rows in prop::collection::vec(["[a-dé]{0,6}", "[a-d ]{0,6}"], 0..12),
            terms in prop::collection::vec("[a-dA-Dé]{1,3}", 0..3),
        ) {
            let mut table = Table::default();
            table.update_rows(rows.len(), &COLUMNS, &|row, column| rows[row][column].clone());
            table.handle_key(KeyCode::Char('/').into(), 2);
            table.handle_paste(&terms.join(" "));
            let is_in_order = |cell: &str, term: &str| {
                let mut rest = cell.chars();
                term.to_lowercase().chars().all(|character| rest.any(|other| other == character))
            };
            let matches = |row: &[String; 2], is_in: &dyn Fn(&str, &str) -> bool| {
                terms.iter().all(|term| row.iter().any(|cell| is_in(cell, term)))
            };
            let exact = |cell: &str, term: &str| cell.contains(&term.to_lowercase());
            let is_exact = rows.iter().any(|row| matches(row, &exact));
            for (index, row) in rows.iter().enumerate() {
                let expected = if is_exact { matches(row, &exact) } else { matches(row, &is_in_order) };
                prop_assert_eq!(table.matching_rows().contains(&index), expected);
            }
            let order = |rows: &[usize]| rows.is_sorted_by_key(|row| table.sorted.iter().position(|other| other == row));
            prop_assert!(order(table.matching_rows()));
        }
    }

    #[test]
    fn search_term_can_name_a_column_and_the_column_name_is_completed() {
        let rows = [["disabled", "enabled-later"], ["enabled", "x"]];
        let columns = [Column::new("Status", 5, 1), Column::new("Other name", 5, 1)];
        let mut table = Table::default();
        table.update_rows(2, &columns, &|row, column| rows[row][column].to_owned());
        let mut search = |text: &str| {
            table.handle_key(KeyCode::Char('/').into(), 2);
            for letter in text.chars() {
                table.handle_key(KeyCode::Char(letter).into(), 2);
            }
            table.handle_key(KeyCode::Right.into(), 2);
            let shown = table.matching_rows().to_vec();
            table.handle_key(KeyCode::Esc.into(), 2);
            shown
        };
        assert_eq!(search("enabled"), [0, 1]);
        assert_eq!(search("other-name:enabled"), [0]);
        assert_eq!(search("sta:enabled x"), [1]);
        // The arrow key completes it to `status:`, which matches every row.
        assert_eq!(search("stat"), [0, 1]);
        assert!(search("nothing:x").is_empty());
    }
}
