//! *API calls*: what this console has asked AWS, and what came of it.

use std::collections::VecDeque;

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Location, Wish};
use crate::client::log::ApiCall;
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::table::{Choice, Column, Pressed, Rows, Table};

/// Calls that are kept; the file of `--log` has all.
const MOST: usize = 1000;

const COLUMNS: [Column; 6] = [
    Column { title: "Time", least: 21, weight: 0 },
    Column { title: "Operation", least: 22, weight: 1 },
    Column { title: "Result", least: 12, weight: 1 },
    Column { title: "Duration", least: 11, weight: 0 },
    Column { title: "Attempts", least: 9, weight: 0 },
    Column { title: "Request ID", least: 36, weight: 0 },
];

/// The latest calls, and where the person is among them.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiCalls {
    /// The newest first.
    told: VecDeque<ApiCall>,
    /// How many there were.
    count: u64,
    /// How many there were when the table was arranged.
    arranged: u64,
    table: Table,
}

impl Default for ApiCalls {
    fn default() -> Self {
        Self { told: VecDeque::new(), count: 0, arranged: 0, table: Table::newest_first() }
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

impl ApiCalls {
    /// A call is over. The table is arranged when it is looked at.
    pub fn told(&mut self, call: ApiCall) {
        self.told.push_front(call);
        self.told.truncate(MOST);
        self.count += 1;
    }

    /// The call of this number, from 0, if it is kept still.
    pub fn call(&self, number: u64) -> Option<&ApiCall> {
        let row = self.count.checked_sub(number + 1)?;
        self.told.get(usize::try_from(row).ok()?)
    }

    /// Sorts and filters anew. The cursor stays with its call; on the newest it stays with the newest.
    pub fn arrange(&mut self) {
        let here = self.table.current().filter(|row| *row > 0);
        let arrived = usize::try_from(self.count - self.arranged).unwrap_or(usize::MAX);
        self.arranged = self.count;
        self.table.arrange(self.told.len(), &COLUMNS, &|row, column| cell(&self.told[row], column));
        self.table.select(here.map_or(0, |row| row.saturating_add(arrived)));
    }

    /// The table that the page is.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.table.paste(text);
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Vec<Wish> {
        match self.table.press(key, COLUMNS.len()) {
            Pressed::Open(row) => {
                let number = u64::try_from(row).ok().and_then(|row| self.count.checked_sub(row + 1));
                return number.map(|number| Wish::Go(Location::ApiCall(number))).into_iter().collect();
            }
            Pressed::Sorted => self.arrange(),
            Pressed::Taken | Pressed::Toggle(_) | Pressed::ToggleAll | Pressed::Ignored => {}
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, is_focused: bool, frame: &mut Frame, area: Rect) {
        let mut paper = Paper::new(area.width);
        let kept = if self.count > self.told.len() as u64 { format!(", the latest {MOST}") } else { String::new() };
        paper.heading(&format!("API calls ({}{kept})", self.count));
        if self.told.is_empty() {
            paper.prose("Nothing was asked yet, or nothing was answered.", 2, theme::TEXT);
        } else {
            let rows = Rows {
                total: self.told.len(),
                cell: &|row, column| cell(&self.told[row], column),
                choice: Choice::None,
                is_chosen: &|_| false,
            };
            self.table.write(&mut paper, &COLUMNS, usize::from(area.height).saturating_sub(1), is_focused, &rows);
        }
        paper.draw(frame, area);
    }
}
