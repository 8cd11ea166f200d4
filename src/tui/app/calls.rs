//! Starts calls and timers, and reloads the data of the page.

use super::App;
use crate::create_key::account_state::Loadable;
use crate::create_key::principals::PrincipalKind;
use crate::tui::effect::{Call, CallId, Effect, TimerId};
use crate::tui::flash::Flash;
use crate::tui::pages::Location;
use crate::tui::wizard::Wizard;

/// The delay before a refresh, so that several changes cause only one.
const REFRESH_DEBOUNCE_MILLISECONDS: u64 = 100;

impl App {
    /// Requests the caller's identity if it is missing and not on its way, because an earlier request failed, possibly
    /// without credentials.
    pub(super) fn request_missing_identity(&mut self) -> Option<Effect> {
        let is_pending = self.pending_calls.values().any(|call| *call == Call::Identity);
        (self.account.account_id.is_empty() && !is_pending).then(|| self.request(Call::Identity))
    }

    pub(super) fn initial_requests(&mut self) -> Vec<Effect> {
        [Call::Identity, Call::KeyStores, Call::Aliases, Call::Keys(None), Call::Users(None), Call::Roles(None)]
            .map(|call| self.request(call))
            .to_vec()
    }

    /// Returns whether no responses and timers are pending.
    pub fn is_idle(&self) -> bool {
        self.pending_calls.is_empty()
            && self.drafts.deferred_request.is_none()
            && self.poll_timer.is_none()
            && self.refresh_timer.is_none()
    }

    /// Starts a call. It replaces a pending call of the same kind, whose response is then ignored.
    pub(super) fn request(&mut self, call: Call) -> Effect {
        self.pending_calls.retain(|_, open| std::mem::discriminant(open) != std::mem::discriminant(&call));
        match &call {
            Call::KeyStores if self.account.key_stores.ready().is_none() => self.account.key_stores = Loadable::Loading,
            Call::AllTags(_) if self.account.tags.ready().is_none() => self.account.tags = Loadable::Loading,
            Call::Keys(_) if self.account.keys.ready().is_none() => self.account.keys = Loadable::Loading,
            Call::ExternalKeys => self.external_keys.start_loading(),
            Call::ProxyFaults => self.proxy_fault_list.start_loading(),
            Call::Workloads => self.workloads.start_loading(),
            Call::Events(_) => self.events.start_loading(),
            Call::Flows(_) => self.flows.start_loading(),
            Call::Metrics { range, .. } => self.key_store.start_loading(*range),
            Call::Aliases if self.account.aliases.ready().is_none() => self.account.aliases = Loadable::Loading,
            Call::Users(_) => self.account.principals.on_page_requested(PrincipalKind::User),
            Call::Roles(_) => self.account.principals.on_page_requested(PrincipalKind::Role),
            _ => {}
        }
        self.last_id += 1;
        let id = CallId(self.last_id);
        self.pending_calls.insert(id, call.clone());
        Effect::Call(id, call)
    }

    /// Reloads the key stores in one second.
    pub(super) fn poll_later(&mut self) -> Vec<Effect> {
        if self.poll_timer.is_some() {
            return Vec::new();
        }
        let timer = self.new_timer();
        self.poll_timer = Some(timer);
        vec![Effect::StartTimer(timer, 1000)]
    }

    pub(super) fn new_timer(&mut self) -> TimerId {
        self.last_id += 1;
        TimerId(self.last_id)
    }

    /// Schedules a refresh of the page. Changes in quick succession cause only one refresh.
    pub(super) fn schedule_refresh(&mut self) -> Vec<Effect> {
        if self.refresh_timer.is_some() {
            return Vec::new();
        }
        let timer = self.new_timer();
        self.refresh_timer = Some(timer);
        vec![Effect::StartTimer(timer, REFRESH_DEBOUNCE_MILLISECONDS)]
    }

    /// Reads what changed, and reloads the data of the page. Waits for keys that are still loading.
    pub(super) fn refresh(&mut self) -> Vec<Effect> {
        if self.pending_calls.values().any(|call| matches!(call, Call::Keys(_) | Call::ChangedKeys { .. })) {
            return self.schedule_refresh();
        }
        let mut calls = vec![Call::KeyStores];
        calls.extend(self.changed_keys_calls());
        match &self.location {
            Location::Key(_) => calls.extend(self.key.required_calls(&self.account)),
            Location::ExternalKeys => calls.push(Call::ExternalKeys),
            Location::ProxyFaults => calls.push(Call::ProxyFaults),
            Location::Workloads => calls.push(Call::Workloads),
            Location::Events => calls.push(Call::Events(None)),
            Location::Xray => calls.push(Call::Flows(None)),
            Location::CreateKey if self.wizard.as_ref().is_some_and(Wizard::has_external_keys) => {
                calls.push(Call::ExternalKeys);
            }
            _ => {}
        }
        calls.into_iter().map(|call| self.request(call)).collect()
    }

    /// Shows the success of a change and reloads everything that it may have affected.
    pub(super) fn on_change_succeeded(&mut self, text: String) -> Vec<Effect> {
        self.flashes.push(Flash::success("Success", text));
        self.keys.clear_selection();
        let mut effects = vec![self.request(Call::KeyStores)];
        if !self.follows_changes {
            // Tags may have changed. The next search for a tag loads them again.
            self.account.tags = Loadable::Idle;
        }
        effects.extend(self.reload_keys_if_needed());
        let mut calls = Vec::new();
        match self.location {
            Location::Key(_) => calls.extend(self.key.required_calls(&self.account)),
            Location::ExternalKeys => calls.push(Call::ExternalKeys),
            Location::ProxyFaults => calls.push(Call::ProxyFaults),
            _ => {}
        }
        effects.extend(calls.into_iter().map(|call| self.request(call)));
        effects
    }
}
