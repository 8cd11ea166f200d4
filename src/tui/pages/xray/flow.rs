//! The page of one flow: its legs from top to bottom.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use super::actions;
use super::legs::Legs;
use crate::aws::cloudtrail::Event;
use crate::aws::xks_console::ProxyRequest;
use crate::aws::xray::Flow;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::tui::dialogs::Menu;
use crate::tui::effect::{Call, CallFailure};
use crate::tui::keymap::{self, Action, Context};
use crate::tui::pages::{Location, PageEvent};
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;

/// The name of a copied flow in messages.
pub const NAME: &str = "request record";

/// A flow, with everything else that is recorded about its request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowDetails {
    /// The flow.
    pub flow: Flow,
    /// The CloudTrail event, if it was found.
    pub event: Option<Event>,
    /// The entries of the log of the bundled proxy, in the order of the requests.
    pub proxy_requests: Vec<ProxyRequest>,
}

/// The data and the scroll position of the page of one flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowPage {
    /// The ID of the flow.
    pub flow_id: String,
    details: Loadable<Box<FlowDetails>>,
    scroll: ScrollState,
    /// The ID of the event that was opened from this page, to return from it.
    pub opened_event: Option<String>,
}

impl FlowPage {
    /// Creates the page of the flow with this ID.
    pub fn new(flow_id: String) -> Self {
        Self { flow_id, details: Loadable::Loading, ..Self::default() }
    }

    /// Stores the loaded flow, or why it couldn't be loaded.
    pub fn on_loaded(&mut self, result: Result<Box<FlowDetails>, CallFailure>) {
        self.details = match result {
            Ok(details) => Loadable::Ready(details),
            Err(failure) if failure.code == CallFailure::NOT_AVAILABLE => {
                Loadable::Failed("X-ray shows requests to the bundled AWS only.".to_owned())
            }
            Err(failure) => Loadable::Failed(failure.message),
        };
    }

    /// Returns the flow, if it is loaded.
    pub fn details(&self) -> Option<&FlowDetails> {
        self.details.ready().map(AsRef::as_ref)
    }

    /// Returns the CloudTrail event of the flow, if it has this ID.
    pub fn event(&self, id: &str) -> Option<&Event> {
        self.details()?.event.as_ref().filter(|event| event.event_id == id)
    }

    /// Returns the flow as indented JSON.
    pub fn pretty_json(&self) -> Option<String> {
        self.details().and_then(|details| serde_json::to_string_pretty(&details.flow).ok())
    }

    /// Returns the actions menu, if the flow is loaded.
    pub fn actions_menu(&self, account: &AccountState) -> Option<Menu> {
        self.details().map(|details| Menu::for_flow(actions::entries(details, account)))
    }

    /// Returns the scroll position.
    pub fn scroll(&self) -> &ScrollState {
        &self.scroll
    }

    /// Scrolls by this number of lines: down, or up if it is negative.
    pub fn scroll_by(&mut self, lines: isize) {
        self.scroll.scroll_by(lines);
    }

    /// Returns whether Enter opens the CloudTrail event.
    pub fn can_open_event(&self) -> bool {
        self.details().is_some_and(|details| details.event.is_some())
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<PageEvent> {
        match key.code {
            code if self.scroll.handle_key(code) => {}
            KeyCode::Enter => {
                let event = self.details().and_then(|details| details.event.as_ref());
                return event
                    .map(|event| PageEvent::Navigate(Location::Event(event.event_id.clone())))
                    .into_iter()
                    .collect();
            }
            _ => match keymap::action(&[Context::XrayFlow, Context::Refreshable], key) {
                Some(Action::Refresh) => return vec![PageEvent::Request(Call::Flow(self.flow_id.clone()))],
                Some(Action::OpenActionsMenu) => {
                    return self.actions_menu(account).map(PageEvent::OpenMenu).into_iter().collect();
                }
                Some(Action::Copy) => {
                    return self.pretty_json().map(|text| PageEvent::Copy(NAME, text)).into_iter().collect();
                }
                _ => {}
            },
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, account: &AccountState, buttons: Vec<Button>, canvas: &mut Canvas, area: Rect) {
        let title = match self.details() {
            Some(details) => {
                let summary = &details.flow.summary;
                let name = super::key_name(summary.key_arn.as_deref(), account);
                if name == "-" { summary.operation.clone() } else { format!("{}: {name}", summary.operation) }
            }
            None => "Request".to_owned(),
        };
        let area = Container::new(text::escape_controls(&title)).with_buttons(buttons).draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if super::super::write_load_state(&mut view, "the request", &self.details)
            && let Some(details) = self.details()
        {
            Legs::new(details, account).write(&mut view);
        }
        view.draw_scrolled(canvas, area, &self.scroll);
    }
}
