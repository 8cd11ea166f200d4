//! *API calls*: the AWS API calls that this console made, and their results.

use std::collections::VecDeque;

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use super::{Location, PageEvent};
use crate::client::log::ApiCall;
use crate::listing::table::TextTable;
use crate::text::time;
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, Table, TableEvent};

/// The number of calls that the list keeps. The `--log` file has all of them.
const MAX_CALLS: usize = 1000;

const COLUMNS: [Column; 6] = [
    Column::new("Time", 24, 0),
    Column::new("Operation", 22, 1),
    Column::new("Result", 12, 1),
    Column::new("Duration", 11, 0),
    Column::new("Attempts", 9, 0),
    Column::new("Request ID", 36, 0),
];

/// The latest API calls and the state of their table.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiCallList {
    /// The calls, newest first.
    calls: VecDeque<ApiCall>,
    /// The number of calls since the console started.
    total_count: u64,
    /// The number of calls when the table was last updated.
    displayed_count: u64,
    table: Table,
}

impl Default for ApiCallList {
    fn default() -> Self {
        Self { calls: VecDeque::new(), total_count: 0, displayed_count: 0, table: Table::newest_first() }
    }
}

/// Returns the result of a call: a symbol and its error code or HTTP status.
pub(super) fn result(call: &ApiCall) -> String {
    match (&call.error_code, call.status) {
        (Some(code), _) => format!("✗ {code}"),
        (None, Some(status)) => format!("✓ {status}"),
        (None, None) => "✓".to_owned(),
    }
}

fn cell(call: &ApiCall, column: usize) -> String {
    match column {
        0 => time::to_second(call.time),
        1 => format!("{} {}", call.service, call.operation),
        2 => result(call),
        3 => format!("{:>6} ms", call.duration_milliseconds),
        4 => format!("{:>2}", call.attempts),
        _ => call.request_id.clone().unwrap_or_else(|| "-".to_owned()),
    }
}

impl ApiCallList {
    /// Adds a completed call. [`Self::update_rows`] updates the table when the page is shown.
    pub fn push(&mut self, call: ApiCall) {
        self.calls.push_front(call);
        self.calls.truncate(MAX_CALLS);
        self.total_count += 1;
    }

    /// Returns the calls that the list keeps, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &ApiCall> {
        self.calls.iter()
    }

    /// Returns the call with this number, counted from 0, if the list still has it.
    pub fn call(&self, number: u64) -> Option<&ApiCall> {
        let row = self.total_count.checked_sub(number + 1)?;
        self.calls.get(usize::try_from(row).ok()?)
    }

    /// Updates the rows. The cursor stays on its call, or on the newest call if it was there.
    pub fn update_rows(&mut self) {
        let here = self.table.current().filter(|row| *row > 0);
        let arrived = usize::try_from(self.total_count - self.displayed_count).unwrap_or(usize::MAX);
        self.displayed_count = self.total_count;
        self.table.update_rows(self.calls.len(), &COLUMNS, &|row, column| cell(&self.calls[row], column));
        self.table.move_cursor_to(here.map_or(0, |row| row.saturating_add(arrived)));
    }

    /// Returns the table of the page.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Returns the table of the page, to move its cursor.
    pub fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// Returns the rows that match the search, with their full text.
    pub fn text_table(&self) -> TextTable {
        self.table.text_table(&COLUMNS, &|row, column| cell(&self.calls[row], column))
    }

    /// Inserts pasted text into the search field.
    pub fn handle_paste(&mut self, text: &str) {
        self.table.handle_paste(text);
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent) -> Vec<PageEvent> {
        match self.table.handle_key(key, COLUMNS.len()) {
            TableEvent::Open(row) => {
                let number = u64::try_from(row).ok().and_then(|row| self.total_count.checked_sub(row + 1));
                return number.map(|number| PageEvent::Navigate(Location::ApiCall(number))).into_iter().collect();
            }
            TableEvent::SortChanged => self.update_rows(),
            TableEvent::Handled | TableEvent::Toggle(_) | TableEvent::ToggleAll | TableEvent::Ignored => {}
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, is_focused: bool, buttons: Vec<Button>, canvas: &mut Canvas, area: Rect) {
        let kept = if self.total_count > self.calls.len() as u64 {
            format!(", latest {MAX_CALLS} shown")
        } else {
            String::new()
        };
        let title = format!("API calls ({}{kept})", self.total_count);
        let area = Container::new(title).with_buttons(buttons).draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if self.calls.is_empty() {
            super::write_empty_list(&mut view, "No API calls", "The console lists an API call here when it completes.");
        } else {
            let rows = Rows {
                total: self.calls.len(),
                noun: ["API call", "API calls"],
                cell: &|row, column| cell(&self.calls[row], column),
                selection_mode: SelectionMode::None,
                is_selected: &|_| false,
            };
            self.table.write(&mut view, &COLUMNS, usize::from(area.height), is_focused, &rows);
        }
        view.draw(canvas, area);
    }
}
