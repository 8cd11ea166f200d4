//! A table with search, sorting, a cursor, and row selection. It builds only the visible rows.

use std::cell::Cell;
use std::collections::VecDeque;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::scroll_view::ScrollView;
use super::text;
use super::text_field::TextField;
use crate::tui::theme;

/// A column: its heading and its width.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The heading.
    pub title: &'static str,
    /// The minimum width, in screen columns.
    pub min_width: usize,
    /// The share of the remaining width, relative to the other columns.
    pub weight: usize,
}

/// The maximum number of lines of a wrapped row. A description can have 8,192 characters.
const MAX_ROW_LINES: usize = 4;

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
    /// The sort order changed. The caller has to call [`Table::update_rows`].
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
    /// The column names for searches such as `status:enabled`.
    properties: Vec<String>,
    /// All rows, sorted.
    sorted: Vec<usize>,
    /// The searchable text of each row, by row index.
    haystack: Vec<Box<str>>,
    /// The rows that match the search, sorted.
    matching: Vec<usize>,
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

    /// Sorts and filters the rows. Call it when the rows or the sort order changed. The cursor stays on its row.
    pub fn update_rows(&mut self, rows: usize, columns: &[Column], cell: &dyn Fn(usize, usize) -> String) {
        self.properties = columns.iter().map(|column| column.title.to_lowercase().replace(' ', "-")).collect();
        self.sort_column = self.sort_column.min(columns.len().saturating_sub(1));
        let mut line = String::new();
        self.haystack.clear();
        self.haystack.extend((0..rows).map(|row| {
            line.clear();
            for column in 0..columns.len() {
                line.push_str(&cell(row, column).to_lowercase());
                // A separator, so that a search term never matches across two cells.
                line.push('\u{1}');
            }
            Box::from(line.as_str())
        }));
        let mut sorted: Vec<(String, usize)> =
            (0..rows).map(|row| (cell(row, self.sort_column).to_lowercase(), row)).collect();
        sorted.sort_unstable_by(|(one, row), (other, position)| {
            let order = if self.is_descending { other.cmp(one) } else { one.cmp(other) };
            order.then(row.cmp(position))
        });
        self.sorted.clear();
        self.sorted.extend(sorted.into_iter().map(|(_, row)| row));
        self.filter();
    }

    /// Filters the rows. A row matches if it contains every search term. A term such as `status:disabled` has to be in
    /// the column that it names.
    fn filter(&mut self) {
        let kept = self.current();
        let search = self.search.value().to_lowercase();
        let terms: Vec<(Option<usize>, &str)> = search.split_whitespace().map(|word| self.term(word)).collect();
        let found = |row: &usize| {
            let Some(line) = self.haystack.get(*row) else { return false };
            terms.iter().all(|(column, word)| match column {
                Some(column) => line.split('\u{1}').nth(*column).is_some_and(|cell| cell.contains(word)),
                None => line.contains(word),
            })
        };
        self.matching = self.sorted.iter().copied().filter(found).collect();
        let position = kept.and_then(|row| self.matching.iter().position(|&other| other == row));
        self.cursor = position.unwrap_or(self.cursor).min(self.matching.len().saturating_sub(1));
    }

    /// Parses a search term: an optional column and the text to find.
    fn term<'a>(&self, word: &'a str) -> (Option<usize>, &'a str) {
        let named = word.split_once(':').and_then(|(name, value)| {
            let column = self.properties.iter().position(|property| !name.is_empty() && property.starts_with(name))?;
            Some((Some(column), value))
        });
        named.unwrap_or((None, word))
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

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, columns: usize) -> TableEvent {
        let seen = self.viewport.get();
        let page = seen.rows.max(1);
        if self.is_searching {
            match key.code {
                KeyCode::Enter | KeyCode::Down => self.is_searching = false,
                KeyCode::Esc => {
                    self.is_searching = false;
                    self.search = TextField::default();
                    self.filter();
                }
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
            return TableEvent::Handled;
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
                self.sort_column = (self.sort_column + 1) % columns.max(1);
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

    /// Inserts pasted text into the search field, if it is open.
    pub fn handle_paste(&mut self, pasted: &str) {
        if self.is_searching {
            self.search.paste(pasted);
            self.filter();
        }
    }

    /// Writes the search line, the headings, and as many rows as fit into `height` lines.
    ///
    /// With a page size, shows the page of the cursor.
    pub fn write(&self, view: &mut ScrollView, columns: &[Column], height: usize, is_focused: bool, rows: &Rows) {
        self.write_search(view, rows, is_focused);
        let lead = if rows.selection_mode == SelectionMode::None { 2 } else { 4 };
        let shown = self.visible_columns(columns, view.width.saturating_sub(lead + 1));
        let is_last_shown = shown.last().is_none_or(|(column, _)| column + 1 == columns.len());
        let is_second_shown = shown.get(1).is_none_or(|(column, _)| *column == 1);
        let mut headings = vec![Span::styled(text::fit(if is_second_shown { "" } else { "‹" }, lead), theme::ACCENT)];
        for (index, width) in &shown {
            let column = &columns[*index];
            let mark = match (*index == self.sort_column, self.is_descending) {
                (true, false) => " ▴",
                (true, true) => " ▾",
                _ => "",
            };
            let title = text::truncate(column.title, width.saturating_sub(text::width(mark) + 1));
            headings.push(Span::styled(text::fit(&format!("{title}{mark}"), *width), theme::HEADING));
        }
        headings.push(Span::styled(if is_last_shown { "" } else { "›" }, theme::ACCENT));
        view.push_line(Line::from(headings));
        let texts = |position: usize| self.row_lines(self.matching[position], &shown, rows);
        let visible = self.visible_rows(height.saturating_sub(2).max(1), &texts);
        let passed = shown.get(1).map_or(0, |(column, _)| column - 1);
        self.viewport.set(TableViewport {
            rows: visible.len(),
            column_offset: passed,
            has_columns_right: !is_last_shown,
        });
        for (position, texts) in visible {
            let here = is_focused && position == self.cursor && !self.is_searching;
            let picked = (rows.is_selected)(self.matching[position]);
            view.focused(here, |view| {
                for (index, cells) in texts.into_iter().enumerate() {
                    let mark = match (rows.selection_mode, picked) {
                        (SelectionMode::None, _) => "",
                        _ if index > 0 => "  ",
                        (SelectionMode::Single, true) => "◉ ",
                        (SelectionMode::Single, false) => "○ ",
                        (SelectionMode::Multiple, true) => "☑ ",
                        (SelectionMode::Multiple, false) => "☐ ",
                    };
                    let pointer = if here && index == 0 { "▸ " } else { "  " };
                    let mut spans = vec![
                        Span::styled(pointer, theme::ACCENT),
                        Span::styled(mark, if picked { theme::ACCENT } else { theme::TEXT }),
                    ];
                    spans.extend(cells.into_iter().zip(&shown).map(|(cell, (_, width))| {
                        let style = if here { theme::FOCUS } else { state_style(&cell) };
                        Span::styled(format!("{} ", text::fit(&cell, width.saturating_sub(1))), style)
                    }));
                    view.push_line(Line::from(spans));
                }
            });
        }
        if self.matching.is_empty() && rows.total > 0 {
            view.push_line(Line::styled("  No matches. Press Esc to clear the search.", theme::MUTED));
        }
    }

    /// Returns the visible columns and their widths: the first column, and the others from the scroll position.
    fn visible_columns(&self, columns: &[Column], width: usize) -> Vec<(usize, usize)> {
        let shown = |passed: usize| {
            let rest = columns.iter().enumerate().skip(1 + passed);
            let (places, columns): (Vec<usize>, Vec<Column>) = columns.iter().enumerate().take(1).chain(rest).unzip();
            places.into_iter().zip(distribute_width(&columns, width)).collect::<Vec<_>>()
        };
        let shows_last = |passed| shown(passed).last().is_none_or(|(column, _)| column + 1 == columns.len());
        // Don't scroll past the point where the last column is visible.
        let most = (0..columns.len()).find(|passed| shows_last(*passed)).unwrap_or(0);
        let shows_order = |passed: &usize| shown(*passed).iter().any(|(column, _)| *column == self.sort_column);
        shown(self.column_offset.or_else(|| (0..most).find(shows_order)).unwrap_or(most).min(most))
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

    /// Returns the text of a row: its lines, each with its cells.
    fn row_lines(&self, row: usize, shown: &[(usize, usize)], rows: &Rows) -> Vec<Vec<String>> {
        let cell = |column| text::escape_controls(&(rows.cell)(row, column));
        if !self.wraps_text {
            return vec![shown.iter().map(|(column, _)| cell(*column)).collect()];
        }
        let wrapped = |(column, width): &(usize, usize)| text::wrap(&cell(*column), width.saturating_sub(1));
        let cells: Vec<Vec<String>> = shown.iter().map(wrapped).collect();
        let highest = cells.iter().map(Vec::len).max().unwrap_or(1).min(MAX_ROW_LINES);
        let line = |index: usize| {
            let is_cut = |cell: &Vec<String>| index + 1 == MAX_ROW_LINES && cell.len() > MAX_ROW_LINES;
            let text = |cell: &Vec<String>| cell.get(index).cloned().unwrap_or_default();
            cells.iter().map(|cell| if is_cut(cell) { text(cell) + "…" } else { text(cell) }).collect()
        };
        (0..highest).map(line).collect()
    }

    /// Returns the rows around the cursor that fit into `room` lines, with their text. With a page size, only rows of
    /// the page of the cursor.
    fn visible_rows(
        &self,
        room: usize,
        texts: &dyn Fn(usize) -> Vec<Vec<String>>,
    ) -> VecDeque<(usize, Vec<Vec<String>>)> {
        let page = self.page_size.map_or(0..self.matching.len(), |size| {
            let first = self.cursor / size.clamp(1, room) * size.clamp(1, room);
            first..(first + size.clamp(1, room)).min(self.matching.len())
        });
        let mut visible = VecDeque::new();
        if page.is_empty() {
            return visible;
        }
        let (mut above, mut below) = (self.cursor, self.cursor + 1);
        visible.push_back((self.cursor, texts(self.cursor)));
        let mut used = visible[0].1.len();
        // Use at most half of the room for rows above the cursor, unless there are too few rows below.
        for (is_up, most) in [(true, room / 2 + used), (false, room), (true, room)] {
            while used < most && if is_up { above > page.start } else { below < page.end } {
                let position = if is_up { above - 1 } else { below };
                let lines = texts(position);
                used += lines.len();
                if used > most {
                    used -= lines.len();
                    break;
                }
                if is_up {
                    above = position;
                    visible.push_front((position, lines));
                } else {
                    below = position + 1;
                    visible.push_back((position, lines));
                }
            }
        }
        visible
    }

    fn write_search(&self, view: &mut ScrollView, rows: &Rows, is_focused: bool) {
        let (shown, total) = (self.matching.len(), rows.total);
        let noun = rows.noun[usize::from(total != 1)];
        let count = match (shown == total, self.completeness) {
            (true, Completeness::Complete) => format!("{total} {noun}"),
            (true, Completeness::Partial) => format!("{total} {noun} so far"),
            (false, Completeness::Complete) => format!("{shown} of {total} match"),
            (false, Completeness::Partial) => format!("{shown} of {total} loaded match"),
        };
        if self.is_searching {
            let columns = view.width.saturating_sub(30).clamp(6, 48);
            self.search.write(view, 2, columns, is_focused, "");
            let hint = self.completion().map_or_else(|| count.clone(), |rest| format!("{count} · → {rest}"));
            view.append_span(Span::styled(format!("  {hint}"), theme::MUTED));
            return;
        }
        let search = if self.search.value().is_empty() {
            Span::styled("/ search   ", theme::MUTED)
        } else {
            Span::raw(format!("Search: {}   ", text::escape_controls(self.search.value())))
        };
        view.push_line(Line::from(vec![Span::raw("  "), search, Span::styled(count, theme::MUTED)]));
    }
}

/// Returns the style of a state. The color only supports the word.
pub fn state_style(word: &str) -> Style {
    match word {
        "Connected" | "Enabled" => theme::SUCCESS,
        "Failed" | "Unavailable" => theme::ERROR,
        "Connecting" | "Disconnecting" | "Disconnected" | "Pending deletion" | "Disabled" => theme::WARNING,
        _ => theme::TEXT,
    }
}

/// Distributes `width` among the columns: the minimum widths first, the rest by weight. Drops the last columns if it is
/// too narrow.
fn distribute_width(columns: &[Column], width: usize) -> Vec<usize> {
    let mut shown = columns.len();
    while shown > 1 && columns.iter().take(shown).map(|column| column.min_width).sum::<usize>() > width {
        shown -= 1;
    }
    let least: usize = columns.iter().take(shown).map(|column| column.min_width).sum();
    let weights: usize = columns.iter().take(shown).map(|column| column.weight).sum::<usize>().max(1);
    let spare = width.saturating_sub(least);
    columns.iter().take(shown).map(|column| column.min_width.min(width) + spare * column.weight / weights).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORD: Column = Column { title: "Fruit word", min_width: 5, weight: 1 };

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
    fn hidden_columns_scroll_into_view_and_the_sort_column_stays_visible() {
        let columns = [Column { title: "Name", min_width: 10, weight: 0 }; 5];
        let mut table = Table::default();
        let shown =
            |table: &Table, width| table.visible_columns(&columns, width).iter().map(|one| one.0).collect::<Vec<_>>();
        let rows = Rows {
            total: 0,
            noun: ["row", "rows"],
            cell: &|_, _| String::new(),
            selection_mode: SelectionMode::None,
            is_selected: &|_| false,
        };
        let right = |table: &mut Table| {
            // Scrolling starts from the last drawn frame.
            table.write(&mut ScrollView::new(33), &columns, 10, true, &rows);
            table.handle_key(key(KeyCode::Right), 5);
        };
        assert_eq!(shown(&table, 30), [0, 1, 2]);
        right(&mut table);
        assert_eq!(shown(&table, 30), [0, 2, 3]);
        for _ in 0..9 {
            right(&mut table);
        }
        assert_eq!((shown(&table, 30), shown(&table, 50)), (vec![0, 3, 4], vec![0, 1, 2, 3, 4]));
        for _ in 0..3 {
            table.handle_key(key(KeyCode::Char('s')), 5);
        }
        assert_eq!((shown(&table, 30), shown(&table, 10)), (vec![0, 2, 3], vec![0]));
    }

    #[test]
    fn search_term_can_name_a_column_and_the_column_name_is_completed() {
        let rows = [["disabled", "enabled-later"], ["enabled", "x"]];
        let columns = [Column { title: "Status", ..WORD }, Column { title: "Other name", ..WORD }];
        let mut table = Table::default();
        table.update_rows(2, &columns, &|row, column| rows[row][column].to_owned());
        let mut search = |text: &str| {
            table.handle_key(key(KeyCode::Char('/')), 2);
            for letter in text.chars() {
                table.handle_key(key(KeyCode::Char(letter)), 2);
            }
            table.handle_key(key(KeyCode::Right), 2);
            let shown = table.matching_rows().to_vec();
            table.handle_key(key(KeyCode::Esc), 2);
            shown
        };
        assert_eq!(search("enabled"), [0, 1]);
        assert_eq!(search("other-name:enabled"), [0]);
        assert_eq!(search("sta:enabled x"), [1]);
        // The arrow key completes it to `status:`, which matches every row.
        assert_eq!(search("stat"), [0, 1]);
        assert!(search("nothing:x").is_empty());
    }

    #[test]
    fn cursor_stays_on_its_row_when_the_sort_order_is_reversed() {
        let words = ["a", "b", "c"];
        let mut table = table(&words);
        assert_eq!(table.handle_key(key(KeyCode::Char('S')), 1), TableEvent::SortChanged);
        table.update_rows(3, &[WORD], &|row, _| words[row].to_owned());
        assert_eq!((table.matching_rows(), table.current()), (&[2, 1, 0][..], Some(0)));
    }

    #[test]
    fn columns_share_the_width_and_the_last_ones_are_dropped_when_narrow() {
        let column = |least, weight| Column { title: "", min_width: least, weight };
        assert_eq!(distribute_width(&[column(10, 1), column(10, 3)], 40), [15, 25]);
        assert_eq!(distribute_width(&[column(10, 1), column(10, 3)], 12), [12]);
    }
}
