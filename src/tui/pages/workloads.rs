//! *Workloads*: the applications of the bundled AWS that use its keys, and whether they work.

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use ratatui::layout::Rect;

use super::PageEvent;
use crate::aws::xks_console::Workload;
use crate::create_key::account_state::Loadable;
use crate::listing::table::TextTable;
use crate::text::time;
use crate::tui::effect::{Call, CallFailure};
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, Table, TableEvent};

const COLUMNS: [Column; 8] = [
    Column::new("Name", 14, 2),
    Column::status("Status", 10),
    Column::new("KMS key", 14, 2),
    Column::new("Request", 16, 1).with_ideal_width(26),
    Column::new("Failed", 12, 0),
    Column::new("Since", 20, 1),
    Column::new("Role", 14, 2),
    Column::new("Error", 24, 4),
];

/// The workloads and the state of their table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkloadList {
    workloads: Loadable<Vec<Workload>>,
    table: Table,
    is_unavailable: bool,
}

/// Returns an interval in its largest whole unit, such as `15 min`.
fn interval(seconds: i64) -> String {
    match seconds {
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn status(workload: &Workload) -> &'static str {
    match workload {
        Workload { failing_since: Some(_), .. } => "Failing",
        Workload { last_run: None, .. } => "Waiting",
        _ => "Working",
    }
}

/// Returns since when a workload fails, or until when it works without AWS KMS.
fn since(workload: &Workload) -> String {
    let minute = |at: Timestamp| time::to_minute(at);
    match (workload.failing_since, workload.cached_until) {
        (Some(since), _) => minute(since.0),
        (None, Some(until)) => format!("cached until {}", minute(until.0)),
        (None, None) => String::new(),
    }
}

fn cell(workload: &Workload, column: usize) -> String {
    match column {
        0 => workload.name.clone(),
        1 => status(workload).to_owned(),
        2 => workload.key_id.trim_start_matches("alias/").to_owned(),
        3 => format!("{} every {}", workload.operation, interval(workload.interval_seconds)),
        4 => format!("{} of {}", workload.failures, workload.requests),
        5 => since(workload),
        6 => workload.role_arn.rsplit('/').next().unwrap_or_default().to_owned(),
        _ => match (&workload.error_code, &workload.error_message) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            _ => String::new(),
        },
    }
}

impl WorkloadList {
    fn list(&self) -> &[Workload] {
        self.workloads.ready().map_or(&[], Vec::as_slice)
    }

    /// Marks the list as loading, unless it already shows workloads.
    pub fn start_loading(&mut self) {
        if self.workloads.ready().is_none() {
            self.workloads = Loadable::Loading;
        }
    }

    /// Stores the loaded workloads.
    pub fn on_loaded(&mut self, workloads: Vec<Workload>) {
        self.is_unavailable = false;
        self.workloads = Loadable::Ready(workloads);
        self.update_rows();
    }

    /// Stores the reason why the workloads couldn't be loaded.
    pub fn on_load_failed(&mut self, failure: &CallFailure) {
        self.is_unavailable = failure.code == CallFailure::NOT_AVAILABLE;
        self.workloads = Loadable::Failed(format!("{}: {}", failure.code, failure.message));
    }

    fn update_rows(&mut self) {
        let workloads = self.workloads.ready().map_or(&[][..], Vec::as_slice);
        self.table.update_rows(workloads.len(), &COLUMNS, &|row, column| cell(&workloads[row], column));
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
        let workloads = self.list();
        self.table.text_table(&COLUMNS, &|row, column| cell(&workloads[row], column))
    }

    /// Inserts pasted text into the search field.
    pub fn handle_paste(&mut self, text: &str) {
        self.table.handle_paste(text);
        self.update_rows();
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent) -> Vec<PageEvent> {
        match self.table.handle_key(key, COLUMNS.len()) {
            TableEvent::Open(row) => {
                let key = self.list().get(row).map(|workload| workload.key_id.clone());
                return key.map(PageEvent::Find).into_iter().collect();
            }
            TableEvent::SortChanged => self.update_rows(),
            TableEvent::Handled | TableEvent::Toggle(_) | TableEvent::ToggleAll => {}
            TableEvent::Ignored => {
                if keymap::action(&[Context::Refreshable], key) == Some(Action::Refresh) {
                    return vec![PageEvent::Request(Call::Workloads)];
                }
            }
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, is_focused: bool, canvas: &mut Canvas, area: Rect) {
        let workloads = self.list();
        let count = self.workloads.ready().map(|_| format!(" ({})", workloads.len())).unwrap_or_default();
        let area = Container::new(format!("Workloads{count}")).draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if self.is_unavailable {
            view.paragraph("Only in the bundled AWS", 2, theme::HEADING);
            let words = "Workloads are the sample applications of a scenario. They run only in the bundled AWS.";
            view.paragraph(words, 2, theme::TEXT);
        } else if super::write_load_state(&mut view, "workloads", &self.workloads) {
            if workloads.is_empty() {
                let hint = "This account has no applications that use its keys. The scenario training has some: close \
                            the console, and start it with --ephemeral --scenario training.";
                super::write_empty_list(&mut view, "No workloads", hint);
            } else {
                let rows = Rows {
                    total: workloads.len(),
                    noun: ["workload", "workloads"],
                    cell: &|row, column| cell(&workloads[row], column),
                    selection_mode: SelectionMode::None,
                    is_selected: &|_| false,
                };
                self.table.write(&mut view, &COLUMNS, usize::from(area.height), is_focused, &rows);
            }
        }
        view.draw(canvas, area);
    }
}
