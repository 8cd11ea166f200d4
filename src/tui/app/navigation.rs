//! Moves between pages: the navigation, its entries, and the way back.

use crossterm::event::{KeyCode, KeyEvent};

use super::App;
use super::drafts::shows_drafts;
use crate::create_key::account_state::Loadable;
use crate::drafts::DraftRequest;
use crate::tui::effect::{Call, Effect};
use crate::tui::pages::Location;
use crate::tui::pages::event::EventPage;
use crate::tui::pages::key::KeyPage;
use crate::tui::pages::key_store::KeyStorePage;
use crate::tui::pages::xray::flow::FlowPage;
use crate::tui::target::Target;

/// The message for a request that the person canceled.
pub(super) const CANCELED: &str = "You canceled the request before a response arrived.";

/// The entries of the navigation, with those of a bundled AWS.
const NAVIGATION: [(&str, Location); 10] = [
    ("AWS managed keys", Location::AwsKeys),
    ("Customer managed keys", Location::Keys),
    ("AWS CloudHSM key stores", Location::CloudHsm),
    ("External key stores", Location::KeyStores),
    ("External key manager", Location::ExternalKeys),
    ("Proxy faults", Location::ProxyFaults),
    ("Event history", Location::Events),
    ("API calls", Location::ApiCalls),
    ("Workloads", Location::Workloads),
    ("X-ray", Location::Xray),
];

impl App {
    /// Returns the entries of the navigation. AWS has no proxy faults, workloads, or X-ray; an endpoint can be a bundled
    /// AWS.
    pub fn navigation(&self) -> Vec<(&'static str, Location)> {
        let is_shown = |location: &Location| {
            self.target != Target::Aws
                || !matches!(location, Location::ProxyFaults | Location::Workloads | Location::Xray)
        };
        NAVIGATION.iter().filter(|(_, location)| is_shown(location)).cloned().collect()
    }

    /// Returns whether the page is an entry of the navigation.
    pub fn is_on_navigation_page(&self) -> bool {
        NAVIGATION.iter().any(|(_, location)| *location == self.location)
    }

    pub(super) fn handle_navigation_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let entries = self.navigation();
        let last = entries.len() - 1;
        let index = self.navigation_focus.unwrap_or(0);
        match key.code {
            KeyCode::Up => self.navigation_focus = Some(index.saturating_sub(1)),
            KeyCode::Down => self.navigation_focus = Some((index + 1).min(last)),
            KeyCode::Home => self.navigation_focus = Some(0),
            KeyCode::End => self.navigation_focus = Some(last),
            KeyCode::Enter | KeyCode::Char(' ') | KeyCode::Right => {
                return self.navigate(entries[index.min(last)].1.clone());
            }
            KeyCode::Tab | KeyCode::BackTab | KeyCode::Esc => self.navigation_focus = None,
            _ => {}
        }
        Vec::new()
    }

    pub(super) fn focus_navigation(&mut self) -> Vec<Effect> {
        let here = self.navigation().iter().position(|(_, location)| *location == self.location);
        self.navigation_focus = Some(here.unwrap_or(0));
        Vec::new()
    }

    /// Opens the console on a page instead of its first one. Returns the effects that load the data of the page.
    pub fn open(&mut self, location: Location) -> Vec<Effect> {
        self.navigate(location)
    }

    /// Shows another page and loads its data.
    pub(super) fn navigate(&mut self, location: Location) -> Vec<Effect> {
        self.navigation_focus = None;
        self.last_error = None;
        let mut effects = Vec::new();
        if shows_drafts(&location) && self.drafts.target.is_some() {
            // Another console may have saved or opened a draft.
            effects.push(Effect::Draft(DraftRequest::List));
        }
        match &location {
            Location::KeyStores => effects.push(self.request(Call::KeyStores)),
            Location::KeyStore(id) => {
                self.key_store = KeyStorePage::new(id.clone());
                effects.push(self.request(Call::KeyStores));
            }
            Location::Keys | Location::AwsKeys => {
                effects.extend(self.reload_keys_if_needed());
            }
            Location::Key(id) => {
                self.key = KeyPage::new(id.clone());
                effects.push(self.request(Call::Aliases));
                for call in self.key.required_calls(&self.account) {
                    effects.push(self.request(call));
                }
            }
            Location::ExternalKeys => effects.push(self.request(Call::ExternalKeys)),
            Location::ProxyFaults => effects.push(self.request(Call::ProxyFaults)),
            Location::Workloads => effects.push(self.request(Call::Workloads)),
            // When returning from an event, keep the list as it was.
            Location::Events if matches!(self.location, Location::Event(_)) => {}
            Location::Events => {
                self.flow.opened_event = None;
                effects.push(self.request(Call::Events(None)));
            }
            Location::Event(id) => {
                let is_from_flow = matches!(self.location, Location::XrayFlow(_));
                self.flow.opened_event = is_from_flow.then(|| id.clone());
                let event = self.flow.event(id).filter(|_| is_from_flow).or_else(|| self.events.event(id));
                self.event = EventPage::new(event.cloned());
                for call in self.event.required_calls() {
                    effects.push(self.request(call));
                }
            }
            Location::Xray => effects.push(self.request(Call::Flows(None))),
            // When returning from its event, keep the page as it was.
            Location::XrayFlow(id) if *id == self.flow.flow_id && matches!(self.location, Location::Event(_)) => {}
            Location::XrayFlow(id) => {
                self.flow = FlowPage::new(id.clone());
                effects.push(self.request(Call::Flow(id.clone())));
            }
            Location::ApiCalls => self.api_calls.update_rows(),
            Location::CreateKey | Location::CloudHsm | Location::ApiCall(_) => {}
        }
        self.update_trail(&location);
        self.location = location;
        effects.extend(self.remember_key());
        effects
    }

    /// Remembers the current page if it leads from one resource to another, such as from a key to its key store.
    fn update_trail(&mut self, next: &Location) {
        let is_resource = |location: &Location| matches!(location, Location::Key(_) | Location::KeyStore(_));
        match next {
            // They return to the page from which they were opened.
            Location::ApiCalls | Location::ApiCall(_) => {}
            _ if !is_resource(next) => self.trail.clear(),
            _ => {
                if is_resource(&self.location) && self.location != *next {
                    self.trail.push(self.location.clone());
                }
                // A page that is opened again is where the trail goes on.
                if let Some(place) = self.trail.iter().position(|earlier| earlier == next) {
                    self.trail.truncate(place);
                }
            }
        }
    }

    /// Returns to the page through which the user came to this one.
    fn follow_trail_back(&mut self, to: Location) -> Vec<Effect> {
        let trail = std::mem::take(&mut self.trail);
        let effects = self.navigate(to);
        self.trail = trail;
        effects
    }

    /// Shows the API calls and remembers the current page, to return to it.
    pub(super) fn show_api_calls(&mut self) -> Vec<Effect> {
        if !matches!(self.location, Location::ApiCalls | Location::ApiCall(_)) {
            self.previous_location = Some(self.location.clone());
        }
        self.navigate(Location::ApiCalls)
    }

    /// Closes the top message, cancels loading, or goes up one level.
    pub(super) fn go_back(&mut self) -> Vec<Effect> {
        if self.flashes.pop().is_some() || self.cancel_loading() {
            return Vec::new();
        }
        match self.location {
            Location::Key(_) | Location::KeyStore(_) if !self.trail.is_empty() => {
                let previous = self.trail.pop().unwrap_or(Location::Keys);
                self.follow_trail_back(previous)
            }
            Location::KeyStore(_) => self.navigate(Location::KeyStores),
            Location::Event(ref id) if self.flow.opened_event.as_ref() == Some(id) => {
                self.navigate(Location::XrayFlow(self.flow.flow_id.clone()))
            }
            Location::Event(_) => self.navigate(Location::Events),
            Location::XrayFlow(_) => self.navigate(Location::Xray),
            Location::ApiCall(_) => self.navigate(Location::ApiCalls),
            Location::ApiCalls if self.previous_location.is_some() => {
                self.location = self.previous_location.take().unwrap_or(Location::KeyStores);
                Vec::new()
            }
            Location::Key(ref id) => {
                let is_aws = self.account.aws_managed_keys.get(id).is_some();
                self.navigate(if is_aws { Location::AwsKeys } else { Location::Keys })
            }
            _ => self.focus_navigation(),
        }
    }

    /// Cancels the loading of a list. Returns whether one was loading.
    fn cancel_loading(&mut self) -> bool {
        match self.location {
            Location::KeyStores if self.account.key_stores == Loadable::Loading => {
                self.pending_calls.retain(|_, call| *call != Call::KeyStores);
                self.account.key_stores = Loadable::Failed(CANCELED.to_owned());
            }
            Location::Keys | Location::AwsKeys
                if self.account.keys == Loadable::Loading || self.account.has_more_keys =>
            {
                self.pending_calls.retain(|_, call| !matches!(call, Call::Keys(_)));
                self.account.has_more_keys = false;
                if self.account.keys == Loadable::Loading {
                    self.account.keys = Loadable::Failed(CANCELED.to_owned());
                }
            }
            _ => return false,
        }
        true
    }
}
