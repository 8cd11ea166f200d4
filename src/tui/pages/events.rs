//! *Event history*: the CloudTrail events of the account.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use super::{Location, PageEvent};
use crate::aws::cloudtrail::Event;
use crate::aws::lenient::UNREADABLE;
use crate::aws::scalar::EpochSeconds;
use crate::create_key::account_state::Loadable;
use crate::listing::table::TextTable;
use crate::text::time;
use crate::tui::effect::{Call, CallFailure};
use crate::tui::keymap::{self, Action, Context};
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, Table, TableEvent};

const COLUMNS: [Column; 5] = [
    Column::new("Event time", 24, 0),
    Column::new("Event name", 16, 2),
    Column::new("User name", 10, 1),
    Column::new("Resource name", 16, 2),
    Column::new("Error code", 12, 1),
];

/// The events loaded so far and the state of their table.
#[derive(Clone, Debug, PartialEq)]
pub struct EventList {
    /// The events, newest first.
    events: Loadable<Vec<Event>>,
    /// The token for the next page of older events.
    next_token: Option<String>,
    table: Table,
}

impl Default for EventList {
    fn default() -> Self {
        Self { events: Loadable::Idle, next_token: None, table: Table::newest_first() }
    }
}

/// Returns the error code, which CloudTrail returns only in the JSON record of the event.
fn error_code(event: &Event) -> Option<String> {
    // Most events have no error code, so skip parsing them.
    if !event.cloud_trail_event.contains("\"errorCode\"") {
        return None;
    }
    let record: serde_json::Value = serde_json::from_str(&event.cloud_trail_event).ok()?;
    record["errorCode"].as_str().map(str::to_owned)
}

/// Returns whether the event time couldn't be read.
pub(super) fn has_unreadable_time(event: &Event) -> bool {
    event.problem.is_some() && event.event_time == EpochSeconds::default()
}

fn cell(event: &Event, column: usize) -> String {
    match column {
        0 if has_unreadable_time(event) => UNREADABLE.to_owned(),
        0 => time::to_second(event.event_time.0),
        1 => event.event_name.clone(),
        2 => event.username.clone().unwrap_or_else(|| "-".to_owned()),
        3 => {
            let name = event.resources.first().and_then(|resource| resource.resource_name.as_deref());
            name.map_or("-", |arn| arn.rsplit('/').next().unwrap_or(arn)).to_owned()
        }
        _ => error_code(event).unwrap_or_else(|| "-".to_owned()),
    }
}

impl EventList {
    fn list(&self) -> &[Event] {
        self.events.ready().map_or(&[], Vec::as_slice)
    }

    /// Returns the event with this ID, if it is loaded.
    pub fn event(&self, id: &str) -> Option<&Event> {
        self.list().iter().find(|event| event.event_id == id)
    }

    /// Marks the list as loading, unless it already shows events.
    pub fn start_loading(&mut self) {
        if self.events.ready().is_none() {
            self.events = Loadable::Loading;
        }
    }

    /// Stores a page of events: the newest ones if `is_first`, or older ones that continue the list.
    pub fn on_events_loaded(&mut self, is_first: bool, page: Vec<Event>, next: Option<String>) {
        let here = self.table.current().and_then(|row| self.list().get(row)).map(|event| event.event_id.clone());
        match &mut self.events {
            Loadable::Ready(events) if !is_first => events.extend(page),
            events => *events = Loadable::Ready(page),
        }
        self.next_token = next;
        self.update_rows();
        if let Some(row) = here.and_then(|id| self.list().iter().position(|event| event.event_id == id)) {
            self.table.move_cursor_to(row);
        }
    }

    /// Handles a failed load. Returns true if the list keeps its events, so the caller has to show the failure.
    pub fn on_load_failed(&mut self, failure: &CallFailure) -> bool {
        if self.events.ready().is_some() {
            return true;
        }
        self.events = Loadable::Failed(format!("{}: {}", failure.code, failure.message));
        false
    }

    fn update_rows(&mut self) {
        let events = self.events.ready().map_or(&[][..], Vec::as_slice);
        self.table.update_rows(events.len(), &COLUMNS, &|row, column| cell(&events[row], column));
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
        let events = self.list();
        self.table.text_table(&COLUMNS, &|row, column| cell(&events[row], column))
    }

    /// Inserts pasted text into the search field.
    pub fn handle_paste(&mut self, text: &str) {
        self.table.handle_paste(text);
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent) -> Vec<PageEvent> {
        match self.table.handle_key(key, COLUMNS.len()) {
            TableEvent::Open(row) => {
                let event = self.list().get(row);
                return event
                    .map(|event| PageEvent::Navigate(Location::Event(event.event_id.clone())))
                    .into_iter()
                    .collect();
            }
            TableEvent::SortChanged => self.update_rows(),
            TableEvent::Handled if self.table.is_at_end() => {
                // At the last row, load older events.
                let more = self.next_token.take().map(|token| PageEvent::Request(Call::Events(Some(token))));
                return more.into_iter().collect();
            }
            TableEvent::Handled | TableEvent::Toggle(_) | TableEvent::ToggleAll => {}
            TableEvent::Ignored => {
                if keymap::action(&[Context::Refreshable], key) == Some(Action::Refresh) {
                    return vec![PageEvent::Request(Call::Events(None))];
                }
            }
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, is_focused: bool, buttons: Vec<Button>, canvas: &mut Canvas, area: Rect) {
        let events = self.list();
        let more = if self.next_token.is_some() { "+" } else { "" };
        let count = self.events.ready().map(|_| format!(" ({}{more})", events.len())).unwrap_or_default();
        let container = Container::new(format!("Event history{count}")).with_buttons(buttons);
        let area = container.draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if super::write_load_state(&mut view, "events", &self.events) {
            if events.is_empty() {
                let hint = "CloudTrail records each AWS API call as an event. Press r to refresh.";
                super::write_empty_list(&mut view, "No events", hint);
            } else {
                let rows = Rows {
                    total: events.len(),
                    noun: ["event", "events"],
                    cell: &|row, column| cell(&events[row], column),
                    selection_mode: SelectionMode::None,
                    is_selected: &|_| false,
                };
                self.table.write(&mut view, &COLUMNS, usize::from(area.height), is_focused, &rows);
            }
        }
        view.draw(canvas, area);
    }
}
