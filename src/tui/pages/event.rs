//! The page of one event of CloudTrail, with what the external key store proxy was asked for it.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use serde_json::Value;

use super::Wish;
use super::events::is_undated;
use crate::aws::cloudtrail::Event;
use crate::aws::mend::UNREADABLE;
use crate::aws::xks_console::ProxyRequest;
use crate::create_key::known::Loadable;
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::text;

/// What is shown of one event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventPage {
    event: Option<Event>,
    record: Value,
    /// What the proxy was asked for the sake of the request, where the bundled AWS can tell.
    pub requests: Loadable<Vec<ProxyRequest>>,
    scroll: Scroll,
}

impl EventPage {
    /// The page of an event.
    pub fn new(event: Option<Event>) -> Self {
        let record = event.as_ref().and_then(|event| serde_json::from_str(&event.cloud_trail_event).ok());
        Self { event, record: record.unwrap_or_default(), requests: Loadable::Loading, scroll: Scroll::default() }
    }

    /// What must be asked to show the page.
    pub fn questions(&self) -> Vec<Call> {
        let id = self.record["requestID"].as_str();
        id.map(|id| Call::ProxyRequests(id.to_owned())).into_iter().collect()
    }

    /// How far it is scrolled.
    pub fn scroll(&self) -> &Scroll {
        &self.scroll
    }

    /// Whether there is an event to show.
    pub fn has_event(&self) -> bool {
        self.event.is_some()
    }

    fn pretty(&self) -> String {
        serde_json::to_string_pretty(&self.record).unwrap_or_default()
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Vec<Wish> {
        match key.code {
            code if self.scroll.press(code) => {}
            _ if keymap::action(&[Context::Event], key) == Some(Action::CopyId) => {
                return vec![Wish::Copy("event", self.pretty())];
            }
            _ => {}
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, frame: &mut Frame, area: Rect) {
        let mut paper = Paper::new(area.width);
        self.write(&mut paper);
        paper.draw_scrolled(frame, area, &self.scroll);
    }

    fn write(&self, paper: &mut Paper) {
        let Some(event) = &self.event else {
            paper.heading("No such event");
            paper.prose("It was not among those that were told. Esc leads back to the list.", 2, theme::TEXT);
            return;
        };
        let member = |name: &str| self.record[name].as_str().unwrap_or_default().to_owned();
        paper.heading(&text::escape_controls(&event.event_name));
        super::write_problem(paper, "event", event.problem.as_deref());
        let time = if is_undated(event) { UNREADABLE.to_owned() } else { event.event_time.0.to_string() };
        paper.pair("Event time", &time, theme::TEXT);
        paper.pair("User name", event.username.as_deref().unwrap_or_default(), theme::TEXT);
        paper.pair("Event source", &event.event_source, theme::TEXT);
        paper.pair("Source IP address", &member("sourceIPAddress"), theme::TEXT);
        paper.pair("Request ID", &member("requestID"), theme::TEXT);
        for resource in &event.resources {
            paper.pair("Resource", resource.resource_name.as_deref().unwrap_or_default(), theme::TEXT);
        }
        if let Some(code) = self.record["errorCode"].as_str() {
            paper.pair("Error code", &format!("✗ {code}"), theme::BAD);
            paper.pair("Error message", &member("errorMessage"), theme::TEXT);
        }
        self.write_requests(paper);
        paper.heading("Event record");
        paper.prose(&self.pretty(), 2, theme::TEXT);
    }

    fn write_requests(&self, paper: &mut Paper) {
        paper.heading("At the external key store proxy");
        match &self.requests {
            Loadable::Idle | Loadable::Loading => drop(paper.prose("… Looking into the proxy's log", 2, theme::QUIET)),
            Loadable::Failed(reason) => drop(paper.prose(reason, 2, theme::QUIET)),
            Loadable::Ready(requests) if requests.is_empty() => {
                paper.prose("The proxy's log has no request with this kmsRequestId.", 2, theme::QUIET);
            }
            Loadable::Ready(requests) => {
                for request in requests.iter().rev() {
                    write_request(paper, request);
                }
            }
        }
    }
}

/// Writes one request: what, on which key, what came of it and how fast.
fn write_request(paper: &mut Paper, request: &ProxyRequest) {
    let (mark, style) = if request.status == 200 { ("✓", theme::GOOD) } else { ("✗", theme::BAD) };
    let error = request.error_name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let milliseconds = format!("{}.{} ms", request.microseconds / 1000, request.microseconds / 100 % 10);
    paper.line(Line::from(vec![
        Span::styled(format!("  {mark} {} {}{error}", request.operation, request.status), style),
        Span::styled(format!("  {milliseconds}"), theme::TEXT),
    ]));
    paper.pair("  External key ID", request.external_key_id.as_deref().unwrap_or_default(), theme::TEXT);
    paper.pair("  Signed by", request.access_key_id.as_deref().unwrap_or_default(), theme::TEXT);
    paper.pair("  Partition", &request.partition, theme::TEXT);
    if let Some(rule) = &request.denied_by {
        paper.pair("  Denied by", rule, theme::BAD);
    }
}
