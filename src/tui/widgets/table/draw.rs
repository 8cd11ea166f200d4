//! Draws a table: its headings, the columns that fit, and the rows around the cursor.

use std::collections::VecDeque;

use crossterm::event::KeyCode;
use ratatui::text::{Line, Span};

use super::cells::TableCell;
use super::{Column, Rows, SelectionMode, Table, TableViewport};
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::{status, text};

/// The maximum number of lines of a wrapped row. A description can have 8,192 characters.
const MAX_ROW_LINES: usize = 4;

impl Table {
    /// Writes the search line, the headings, and as many rows as fit into `height` lines.
    ///
    /// With a page size, shows the page of the cursor.
    pub fn write(&self, view: &mut ScrollView, columns: &[Column], height: usize, is_focused: bool, rows: &Rows) {
        self.write_search(view, rows, is_focused);
        let lead = if rows.selection_mode == SelectionMode::None { 2 } else { 4 };
        let shown = self.visible_columns(columns, view.width.saturating_sub(lead + 1));
        let is_last_shown = shown.last().is_none_or(|(column, _)| column + 1 == columns.len());
        let is_second_shown = shown.get(1).is_none_or(|(column, _)| *column == 1);
        view.push_line(Line::default());
        let left = Span::styled(text::fit(if is_second_shown { "" } else { "‹" }, lead), theme::ACCENT);
        if is_second_shown {
            view.append_span(left);
        } else {
            view.append_clickable(left, Click::PageKey(KeyCode::Left.into()));
        }
        for (index, width) in &shown {
            let column = &columns[*index];
            let mark = match (*index == self.sort_column, self.is_descending) {
                (true, false) => " ▴",
                (true, true) => " ▾",
                _ => "",
            };
            let title = text::truncate(column.title, width.saturating_sub(text::width(mark) + 1));
            let heading = Span::styled(text::fit(&format!("{title}{mark}"), *width), theme::HEADING);
            view.append_clickable(heading, Click::Sort(*index));
        }
        if !is_last_shown {
            view.append_clickable(Span::styled("›", theme::ACCENT), Click::PageKey(KeyCode::Right.into()));
        }
        let texts = |position: usize| self.row_lines(self.matching[position], columns, &shown, rows);
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
                view.clickable(Click::Row(position), |view| {
                    for (index, cells) in texts.into_iter().enumerate() {
                        let mark = match (rows.selection_mode, picked) {
                            (SelectionMode::None, _) => "",
                            _ if index > 0 => "  ",
                            (SelectionMode::Single, true) => "◉ ",
                            (SelectionMode::Single, false) => "○ ",
                            (SelectionMode::Multiple, true) => "☑ ",
                            (SelectionMode::Multiple, false) => "☐ ",
                        };
                        let pointer = if here { "▌ " } else { "  " };
                        let mut spans = vec![
                            Span::styled(pointer, theme::ACCENT),
                            Span::styled(mark, if picked { theme::ACCENT } else { theme::TEXT }),
                        ];
                        spans.extend(cells.into_iter().zip(&shown).flat_map(|(cell, (_, width))| {
                            let style = status::style(&cell.text);
                            let style = if here { style.patch(theme::SELECTED) } else { style };
                            cell.spans(*width, style)
                        }));
                        view.push_line(Line::from(spans));
                        if index == 0 && rows.selection_mode == SelectionMode::Multiple {
                            view.clickable_columns(0..lead, Click::SelectRow(position));
                        }
                    }
                });
            });
        }
        if self.matching.is_empty() && rows.total > 0 {
            view.push_line(Line::styled("  No matches. Press Esc to clear the search.", theme::SECONDARY));
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

    /// Returns the text of a row: its lines, each with its cells.
    fn row_lines(&self, row: usize, columns: &[Column], shown: &[(usize, usize)], rows: &Rows) -> Vec<Vec<TableCell>> {
        let cell = |column: usize| {
            let text = text::escape_controls(&(rows.cell)(row, column));
            let text = if columns[column].is_status { status::indicator(&text) } else { text };
            TableCell { hits: self.hits(row, column, &text), text }
        };
        if !self.wraps_text {
            return vec![shown.iter().map(|(column, _)| cell(*column)).collect()];
        }
        let wrapped = |(column, width): &(usize, usize)| cell(*column).wrap(width.saturating_sub(1), MAX_ROW_LINES);
        let cells: Vec<Vec<TableCell>> = shown.iter().map(wrapped).collect();
        let highest = cells.iter().map(Vec::len).max().unwrap_or(1);
        let line = |index: usize| cells.iter().map(|cell| cell.get(index).cloned().unwrap_or_default()).collect();
        (0..highest).map(line).collect()
    }

    /// Returns the rows around the cursor that fit into `room` lines, with their text. With a page size, only rows of
    /// the page of the cursor.
    fn visible_rows(
        &self,
        room: usize,
        texts: &dyn Fn(usize) -> Vec<Vec<TableCell>>,
    ) -> VecDeque<(usize, Vec<Vec<TableCell>>)> {
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
}

/// Distributes `width` among the columns: the minimum widths first, then the ideal widths from left to right, the rest by
/// weight. Drops the last columns if it is too narrow.
fn distribute_width(columns: &[Column], width: usize) -> Vec<usize> {
    let mut shown = columns.len();
    while shown > 1 && columns.iter().take(shown).map(|column| column.min_width).sum::<usize>() > width {
        shown -= 1;
    }
    let columns = &columns[..shown];
    let mut widths: Vec<usize> = columns.iter().map(|column| column.min_width.min(width)).collect();
    let mut spare = width.saturating_sub(widths.iter().sum());
    for (column, current) in columns.iter().zip(&mut widths) {
        let growth = column.ideal_width.saturating_sub(*current).min(spare);
        *current += growth;
        spare -= growth;
    }
    let weights: usize = columns.iter().map(|column| column.weight).sum::<usize>().max(1);
    columns.iter().zip(widths).map(|(column, current)| current + spare * column.weight / weights).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_rows_on_the_screen_are_computed() {
        let columns = [Column::new("Name", 10, 1), Column::new("Status", 10, 1)];
        let mut table = Table::default();
        table.update_rows(5_000, &columns, &|row, _| format!("{row:04}"));
        table.move_cursor_to(2_500);
        let computed = std::cell::Cell::new(0);
        let cell = |row: usize, _: usize| {
            computed.set(computed.get() + 1);
            format!("{row:04}")
        };
        let rows = Rows {
            total: 5_000,
            noun: ["row", "rows"],
            cell: &cell,
            selection_mode: SelectionMode::None,
            is_selected: &|_| false,
        };
        let mut view = ScrollView::new(60);
        table.write(&mut view, &columns, 20, true, &rows);
        assert!(view.lines().iter().any(|line| line.to_string().contains("2500")));
        assert!(computed.get() <= 20 * columns.len(), "{}", computed.get());
    }

    #[test]
    fn hidden_columns_scroll_into_view_and_the_sort_column_stays_visible() {
        let columns = [Column::new("Name", 10, 0); 5];
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
            table.handle_key(KeyCode::Right.into(), 5);
        };
        assert_eq!(shown(&table, 30), [0, 1, 2]);
        right(&mut table);
        assert_eq!(shown(&table, 30), [0, 2, 3]);
        for _ in 0..9 {
            right(&mut table);
        }
        assert_eq!((shown(&table, 30), shown(&table, 50)), (vec![0, 3, 4], vec![0, 1, 2, 3, 4]));
        for _ in 0..3 {
            table.handle_key(KeyCode::Char('s').into(), 5);
        }
        assert_eq!((shown(&table, 30), shown(&table, 10)), (vec![0, 2, 3], vec![0]));
    }

    #[test]
    fn columns_share_the_width_and_the_last_ones_are_dropped_when_narrow() {
        let column = |least, weight| Column::new("", least, weight);
        assert_eq!(distribute_width(&[column(10, 1), column(10, 3)], 40), [15, 25]);
        assert_eq!(distribute_width(&[column(10, 1), column(10, 3)], 12), [12]);
        let columns = [column(10, 1), column(10, 0).with_ideal_width(20)];
        assert_eq!(distribute_width(&columns, 26), [10, 16]);
        assert_eq!(distribute_width(&columns, 40), [20, 20]);
    }
}
