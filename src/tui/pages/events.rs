//! *Event history*: what happened in the account, as CloudTrail tells it.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Location, Wish};
use crate::aws::cloudtrail::Event;
use crate::aws::mend::UNREADABLE;
use crate::aws::scalar::EpochSeconds;
use crate::create_key::known::Loadable;
use crate::tui::effect::{Call, Failure};
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::table::{Choice, Column, Pressed, Rows, Table};

const COLUMNS: [Column; 5] = [
    Column { title: "Event time", least: 21, weight: 0 },
    Column { title: "Event name", least: 16, weight: 2 },
    Column { title: "User name", least: 10, weight: 1 },
    Column { title: "Resource name", least: 16, weight: 2 },
    Column { title: "Error code", least: 12, weight: 1 },
];

/// The events told so far, and where the person is among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Events {
    /// The newest first.
    told: Loadable<Vec<Event>>,
    /// What the next page of older ones is asked by.
    next: Option<String>,
    table: Table,
}

impl Default for Events {
    fn default() -> Self {
        Self { told: Loadable::Idle, next: None, table: Table::newest_first() }
    }
}

/// A member of an event that CloudTrail gives only as JSON.
fn error_code(event: &Event) -> Option<String> {
    // Most events have none: what is not there needs no parsing.
    if !event.cloud_trail_event.contains("\"errorCode\"") {
        return None;
    }
    let record: serde_json::Value = serde_json::from_str(&event.cloud_trail_event).ok()?;
    record["errorCode"].as_str().map(str::to_owned)
}

/// Whether nobody knows when it was.
pub(super) fn is_undated(event: &Event) -> bool {
    event.problem.is_some() && event.event_time == EpochSeconds::default()
}

fn cell(event: &Event, column: usize) -> String {
    match column {
        0 if is_undated(event) => UNREADABLE.to_owned(),
        0 => event.event_time.0.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        1 => event.event_name.clone(),
        2 => event.username.clone().unwrap_or_else(|| "-".to_owned()),
        3 => {
            let name = event.resources.first().and_then(|resource| resource.resource_name.as_deref());
            name.map_or("-", |arn| arn.rsplit('/').next().unwrap_or(arn)).to_owned()
        }
        _ => error_code(event).unwrap_or_else(|| "-".to_owned()),
    }
}

impl Events {
    fn list(&self) -> &[Event] {
        self.told.ready().map_or(&[], Vec::as_slice)
    }

    /// The event with this ID, if it was told.
    pub fn event(&self, id: &str) -> Option<&Event> {
        self.list().iter().find(|event| event.event_id == id)
    }

    /// The newest events are being asked for.
    pub fn asked(&mut self) {
        if self.told.ready().is_none() {
            self.told = Loadable::Loading;
        }
    }

    /// A page was told: the newest, or the one that follows what is there.
    pub fn told(&mut self, is_first: bool, page: Vec<Event>, next: Option<String>) {
        let here = self.table.current().and_then(|row| self.list().get(row)).map(|event| event.event_id.clone());
        match &mut self.told {
            Loadable::Ready(events) if !is_first => events.extend(page),
            events => *events = Loadable::Ready(page),
        }
        self.next = next;
        self.arrange();
        if let Some(row) = here.and_then(|id| self.list().iter().position(|event| event.event_id == id)) {
            self.table.select(row);
        }
    }

    /// Events could not be had. Whether the person has to be told elsewhere, because others are shown.
    pub fn failed(&mut self, failure: &Failure) -> bool {
        if self.told.ready().is_some() {
            return true;
        }
        self.told = Loadable::Failed(format!("{}: {}", failure.code, failure.message));
        false
    }

    fn arrange(&mut self) {
        let events = self.told.ready().map_or(&[][..], Vec::as_slice);
        self.table.arrange(events.len(), &COLUMNS, &|row, column| cell(&events[row], column));
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
                let event = self.list().get(row);
                return event.map(|event| Wish::Go(Location::Event(event.event_id.clone()))).into_iter().collect();
            }
            Pressed::Sorted => self.arrange(),
            Pressed::Taken if self.table.is_at_end() => {
                // Whoever has come to the end wants to see what is further back.
                let more = self.next.take().map(|token| Wish::Ask(Call::Events(Some(token))));
                return more.into_iter().collect();
            }
            Pressed::Taken | Pressed::Toggle(_) | Pressed::ToggleAll => {}
            Pressed::Ignored => {
                if keymap::action(&[Context::Asked], key) == Some(Action::Refresh) {
                    return vec![Wish::Ask(Call::Events(None))];
                }
            }
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, is_focused: bool, frame: &mut Frame, area: Rect) {
        let mut paper = Paper::new(area.width);
        let events = self.list();
        let more = if self.next.is_some() { "…" } else { "" };
        let count = self.told.ready().map(|_| format!(" ({}{more})", events.len())).unwrap_or_default();
        paper.heading(&format!("Event history{count}"));
        if super::write_loading(&mut paper, "events", &self.told) {
            if events.is_empty() {
                paper.heading("  No events");
                paper.prose("Every call to AWS leaves one. Press r to look again.", 2, theme::TEXT);
            } else {
                let rows = Rows {
                    total: events.len(),
                    cell: &|row, column| cell(&events[row], column),
                    choice: Choice::None,
                    is_chosen: &|_| false,
                };
                self.table.write(&mut paper, &COLUMNS, usize::from(area.height).saturating_sub(1), is_focused, &rows);
            }
        }
        paper.draw(frame, area);
    }
}
