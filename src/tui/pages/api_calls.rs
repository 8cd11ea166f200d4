//! *API calls*: what this console has asked AWS, and what came of it.

use std::collections::VecDeque;

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Location, PageEvent};
use crate::client::log::ApiCall;
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, Table, TableEvent};

/// Calls that are kept; the file of `--log` has all.
const MAX_CALLS: usize = 1000;

const COLUMNS: [Column; 6] = [
    Column { title: "Time", min_width: 21, weight: 0 },
    Column { title: "Operation", min_width: 22, weight: 1 },
    Column { title: "Result", min_width: 12, weight: 1 },
    Column { title: "Duration", min_width: 11, weight: 0 },
    Column { title: "Attempts", min_width: 9, weight: 0 },
    Column { title: "Request ID", min_width: 36, weight: 0 },
];

/// The latest calls, and where the person is among them.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiCallList {
    /// The newest first.
    calls: VecDeque<ApiCall>,
    /// How many there were.
    total_count: u64,
    /// How many there were when the table was arranged.
    displayed_count: u64,
    table: Table,
}

impl Default for ApiCallList {
    fn default() -> Self {
        Self { calls: VecDeque::new(), total_count: 0, displayed_count: 0, table: Table::newest_first() }
    }
}

/// What came of a call, in a word or two.
pub(super) fn result(call: &ApiCall) -> String {
    match (&call.error_code, call.status) {
        (Some(code), _) => format!("✗ {code}"),
        (None, Some(status)) => format!("✓ {status}"),
        (None, None) => "✓".to_owned(),
    }
}

fn cell(call: &ApiCall, column: usize) -> String {
    match column {
        0 => call.time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        1 => format!("{} {}", call.service, call.operation),
        2 => result(call),
        3 => format!("{:>6} ms", call.duration_milliseconds),
        4 => format!("{:>2}", call.attempts),
        _ => call.request_id.clone().unwrap_or_else(|| "-".to_owned()),
    }
}

impl ApiCallList {
    /// A call is over. The table is arranged when it is looked at.
    pub fn push(&mut self, call: ApiCall) {
        self.calls.push_front(call);
        self.calls.truncate(MAX_CALLS);
        self.total_count += 1;
    }

    /// The call of this number, from 0, if it is kept still.
    pub fn call(&self, number: u64) -> Option<&ApiCall> {
        let row = self.total_count.checked_sub(number + 1)?;
        self.calls.get(usize::try_from(row).ok()?)
    }

    /// Sorts and filters anew. The cursor stays with its call; on the newest it stays with the newest.
    pub fn update_rows(&mut self) {
        let here = self.table.current().filter(|row| *row > 0);
        let arrived = usize::try_from(self.total_count - self.displayed_count).unwrap_or(usize::MAX);
        self.displayed_count = self.total_count;
        self.table.update_rows(self.calls.len(), &COLUMNS, &|row, column| cell(&self.calls[row], column));
        self.table.move_cursor_to(here.map_or(0, |row| row.saturating_add(arrived)));
    }

    /// The table that the page is.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Takes pasted text.
    pub fn handle_paste(&mut self, text: &str) {
        self.table.handle_paste(text);
    }

    /// Takes a key.
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
    pub fn draw(&self, is_focused: bool, frame: &mut Frame, area: Rect) {
        let mut view = ScrollView::new(area.width);
        let kept = if self.total_count > self.calls.len() as u64 {
            format!(", the latest {MAX_CALLS}")
        } else {
            String::new()
        };
        view.heading(&format!("API calls ({}{kept})", self.total_count));
        if self.calls.is_empty() {
            view.paragraph("Nothing was asked yet, or nothing was answered.", 2, theme::TEXT);
        } else {
            let rows = Rows {
                total: self.calls.len(),
                cell: &|row, column| cell(&self.calls[row], column),
                selection_mode: SelectionMode::None,
                is_selected: &|_| false,
            };
            self.table.write(&mut view, &COLUMNS, usize::from(area.height).saturating_sub(1), is_focused, &rows);
        }
        view.draw(frame, area);
    }
}
