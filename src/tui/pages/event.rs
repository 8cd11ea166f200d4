//! The detail page of one CloudTrail event, with the requests to the external key store proxy that belong to it.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use serde_json::Value;

use super::PageEvent;
use super::events::has_unreadable_time;
use crate::aws::cloudtrail::Event;
use crate::aws::lenient::UNREADABLE;
use crate::aws::xks_console::ProxyRequest;
use crate::create_key::account_state::Loadable;
use crate::text::highlight::Language;
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::code_view::CodeView;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;

/// The data and the scroll position of the page of one event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventPage {
    event: Option<Event>,
    record: Value,
    /// The proxy requests that the KMS request caused. Only the bundled AWS has them.
    pub proxy_requests: Loadable<Vec<ProxyRequest>>,
    scroll: ScrollState,
}

impl EventPage {
    /// Creates the page of an event.
    pub fn new(event: Option<Event>) -> Self {
        let record = event.as_ref().and_then(|event| serde_json::from_str(&event.cloud_trail_event).ok());
        Self {
            event,
            record: record.unwrap_or_default(),
            proxy_requests: Loadable::Loading,
            scroll: ScrollState::default(),
        }
    }

    /// Returns the calls that load the data of the page.
    pub fn required_calls(&self) -> Vec<Call> {
        let id = self.record["requestID"].as_str();
        id.map(|id| Call::ProxyRequests(id.to_owned())).into_iter().collect()
    }

    /// Returns the scroll position.
    pub fn scroll(&self) -> &ScrollState {
        &self.scroll
    }

    /// Returns whether the event was found.
    pub fn has_event(&self) -> bool {
        self.event.is_some()
    }

    /// Returns the record as indented JSON.
    pub fn pretty_record(&self) -> String {
        serde_json::to_string_pretty(&self.record).unwrap_or_default()
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent) -> Vec<PageEvent> {
        match key.code {
            code if self.scroll.handle_key(code) => {}
            _ if keymap::action(&[Context::Event], key) == Some(Action::Copy) => {
                return vec![PageEvent::Copy("event", self.pretty_record())];
            }
            _ => {}
        }
        Vec::new()
    }

    /// Scrolls by this number of lines: down, or up if it is negative.
    pub fn scroll_by(&mut self, lines: isize) {
        self.scroll.scroll_by(lines);
    }

    /// Draws the page.
    pub fn draw(&self, buttons: Vec<Button>, canvas: &mut Canvas, area: Rect) {
        let title = self.event.as_ref().map_or("Event not found", |event| &event.event_name);
        let area = Container::new(text::escape_controls(title)).with_buttons(buttons).draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        self.write(&mut view);
        view.draw_scrolled(canvas, area, &self.scroll);
    }

    fn write(&self, view: &mut ScrollView) {
        let Some(event) = &self.event else {
            view.paragraph(
                "The event isn't in the loaded event history. Press Esc to return to the list.",
                2,
                theme::TEXT,
            );
            return;
        };
        let member = |name: &str| self.record[name].as_str().unwrap_or_default().to_owned();
        super::write_problem(view, "event", event.problem.as_deref());
        let time = if has_unreadable_time(event) { UNREADABLE.to_owned() } else { event.event_time.0.to_string() };
        view.key_value("Event time", &time, theme::TEXT);
        view.key_value("User name", event.username.as_deref().unwrap_or_default(), theme::TEXT);
        view.key_value("Event source", &event.event_source, theme::TEXT);
        view.key_value("Source IP address", &member("sourceIPAddress"), theme::TEXT);
        view.key_value("Request ID", &member("requestID"), theme::TEXT);
        for resource in &event.resources {
            view.key_value("Resource", resource.resource_name.as_deref().unwrap_or_default(), theme::TEXT);
        }
        if let Some(code) = self.record["errorCode"].as_str() {
            view.key_value("Error code", &format!("✗ {code}"), theme::ERROR);
            view.key_value("Error message", &member("errorMessage"), theme::TEXT);
        }
        self.write_requests(view);
        view.heading("Event record");
        CodeView::new(Language::Json, &self.pretty_record()).with_line_numbers().write(view);
    }

    fn write_requests(&self, view: &mut ScrollView) {
        view.heading("External key store proxy requests");
        match &self.proxy_requests {
            Loadable::Idle | Loadable::Loading => {
                view.paragraph("… Loading the proxy log", 2, theme::SECONDARY);
            }
            Loadable::Failed(reason) => drop(view.paragraph(reason, 2, theme::SECONDARY)),
            Loadable::Ready(requests) if requests.is_empty() => {
                view.paragraph("The proxy log has no request with this kmsRequestId.", 2, theme::SECONDARY);
            }
            Loadable::Ready(requests) => {
                for request in requests.iter().rev() {
                    write_request(view, request);
                }
            }
        }
    }
}

/// Writes one proxy request: operation, status, duration, external key, and access key.
fn write_request(view: &mut ScrollView, request: &ProxyRequest) {
    let (mark, style) = if request.status == 200 { ("✓", theme::SUCCESS) } else { ("✗", theme::ERROR) };
    let error = request.error_name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let milliseconds = format!("{}.{} ms", request.microseconds / 1000, request.microseconds / 100 % 10);
    view.push_line(Line::from(vec![
        Span::styled(format!("  {mark} {} {}{error}", request.operation, request.status), style),
        Span::styled(format!("  {milliseconds}"), theme::TEXT),
    ]));
    view.key_value("  External key ID", request.external_key_id.as_deref().unwrap_or_default(), theme::TEXT);
    view.key_value("  Access key ID", request.access_key_id.as_deref().unwrap_or_default(), theme::TEXT);
    view.key_value("  Partition", &request.partition, theme::TEXT);
    if let Some(rule) = &request.denied_by {
        view.key_value("  Denied by", rule, theme::ERROR);
    }
}
