//! The state of the console and [`App::update`], the only function that changes it.

mod action_titles;
mod available_actions;
mod calls;
mod changes;
mod copying;
mod dialog;
mod dialog_events;
pub mod drafts;
mod error_reports;
mod key_store_responses;
mod keyboard;
mod lesson;
mod mouse;
pub mod navigation;
mod palette;
mod responses;
mod session;
mod single_key_session;
mod table_copies;
mod try_key;
mod wizard_events;
mod xray;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

use crossterm::event::{KeyEvent, KeyEventKind};

pub use self::dialog::Dialog;

use self::single_key_session::SingleKeySession;
use super::dialogs::connect::AfterConnect;
use super::dialogs::login::LoginDialog;
use super::drafts::Drafts;
use super::effect::{Call, CallId, Effect, Msg, TimerId};
use super::error_report::ErrorDetails;
use super::flash::Flash;
use super::keymap::{self, Action, Keymap};
use super::lesson::LessonView;
use super::pages::Location;
use super::pages::api_calls::ApiCallList;
use super::pages::event::EventPage;
use super::pages::events::EventList;
use super::pages::external_keys::ExternalKeyList;
use super::pages::key::KeyPage;
use super::pages::key_store::KeyStorePage;
use super::pages::key_stores::KeyStoreList;
use super::pages::keys::KeyList;
use super::pages::proxy_faults::ProxyFaultList;
use super::pages::workloads::WorkloadList;
use super::pages::xray::FlowList;
use super::pages::xray::flow::FlowPage;
use super::preferences::{Preferences, RememberedIds};
use super::target::Target;
use super::text_view::TextView;
use super::widgets::canvas::ClickMap;
use super::wizard::Wizard;
use crate::aws::active_proxy_faults::ActiveProxyFaults;
use crate::aws::kms::KeyManagerType;
use crate::aws::operation::{Operation as _, Service};
use crate::aws::xray::ListFlows;
use crate::client::Client;
use crate::client::log::ApiCall;
use crate::create_key::account_state::AccountState;
use crate::create_key::key_summary::KeySummary;
use crate::storage::changes::Changes;

/// The state of the console.
#[derive(Clone, Debug)]
pub struct App {
    /// The AWS endpoint that the console connects to.
    pub target: Target,
    /// The profile of the credentials. The bundled AWS has none.
    pub profile: Option<String>,
    /// The data loaded from AWS.
    pub account: AccountState,
    /// How many seconds the account of a bundled AWS is ahead of this machine.
    pub seconds_ahead: i64,
    /// The active proxy faults of a bundled AWS.
    pub active_proxy_faults: Option<ActiveProxyFaults>,
    /// The account alias.
    pub account_alias: Option<String>,
    /// The current page.
    pub location: Location,
    /// The messages at the top, newest last.
    pub flashes: Vec<Flash>,
    /// The open dialog.
    pub dialog: Option<Dialog>,
    /// The sign-in dialog, open while there are no credentials.
    pub login: Option<LoginDialog>,
    /// The open full-screen text.
    pub text_view: Option<TextView>,
    /// The open lesson.
    lesson: Option<LessonView>,
    /// The details of the last error on this page.
    pub(super) last_error: Option<TextView>,
    /// The connect dialog to reopen after its proxy credential is updated: the key store and what follows.
    resume_connect: Option<(String, AfterConnect)>,
    /// The error whose report is shown when the time is known.
    pending_report: Option<ErrorDetails>,
    /// The text that is being copied, with its name in the message.
    pending_copy: Option<(Cow<'static, str>, TextView)>,
    /// The focused entry of the navigation, if the navigation has the focus.
    pub navigation_focus: Option<usize>,
    /// The width and height of the screen.
    screen_size: (u16, u16),
    /// The open wizard.
    pub wizard: Option<Wizard>,
    /// The drafts saved on disk.
    pub drafts: Drafts,
    /// The preferences of the user.
    pub preferences: Preferences,
    /// The external key IDs with which the user tried to create KMS keys.
    used_external_key_ids: RememberedIds,
    /// The keys that the user assigned.
    pub keymap: Keymap,
    pub(super) key_stores: KeyStoreList,
    pub(super) key_store: KeyStorePage,
    pub(super) keys: KeyList,
    pub(super) aws_keys: KeyList,
    pub(super) key: KeyPage,
    pub(super) external_keys: ExternalKeyList,
    pub(super) proxy_fault_list: ProxyFaultList,
    pub(super) workloads: WorkloadList,
    pub(super) events: EventList,
    pub(super) event: EventPage,
    pub(super) api_calls: ApiCallList,
    pub(super) flows: FlowList,
    pub(super) flow: FlowPage,
    /// The page from which *API calls* was opened, to return to.
    previous_location: Option<Location>,
    /// The page on which the user asked to find another one, while that is looked up.
    lookup_from: Option<Location>,
    /// The pages of single resources through which the user came to this one, to return to.
    trail: Vec<Location>,
    /// The keys whose pages were opened, by account and Region.
    recent_keys: RememberedIds,
    /// The session that creates a single key, if the console was started for it.
    single_key_session: Option<SingleKeySession>,
    incoming_keys: Vec<KeySummary>,
    /// Whether each change of the account is announced with what it changes.
    follows_changes: bool,
    /// The changes that the next refresh reads.
    pending_changes: Changes,
    pending_calls: BTreeMap<CallId, Call>,
    /// The parts of the last frame that react to clicks.
    clicks: RefCell<ClickMap>,
    /// Whether the console reacts to the mouse.
    is_mouse_on: bool,
    poll_timer: Option<TimerId>,
    refresh_timer: Option<TimerId>,
    flow_timer: Option<TimerId>,
    last_id: u64,
}

/// The minimum screen size, in columns and rows. On a smaller screen, no page is drawn and only Ctrl-C works.
pub const MIN_SCREEN_SIZE: (u16, u16) = (60, 20);

/// Returns whether a key also works on a screen that is too small: Ctrl-C, Ctrl-Z, and Ctrl-L.
fn works_at_any_size(key: KeyEvent) -> bool {
    matches!(keymap::action(&[], key), Some(Action::Quit | Action::Suspend | Action::Redraw))
}

impl App {
    /// Creates the console at its first page, with the effects that load its data.
    pub fn new(target: Target, region: &str) -> (Self, Vec<Effect>) {
        let mut app = Self::empty(target, region);
        let effects = app.initial_requests();
        (app, effects)
    }

    /// Creates the console without any data or requests.
    fn empty(target: Target, region: &str) -> Self {
        let account = AccountState { region: region.to_owned(), ..AccountState::default() };
        Self {
            target,
            profile: None,
            account,
            account_alias: None,
            location: Location::KeyStores,
            flashes: Vec::new(),
            dialog: None,
            login: None,
            text_view: None,
            lesson: None,
            last_error: None,
            resume_connect: None,
            pending_report: None,
            pending_copy: None,
            navigation_focus: None,
            screen_size: (80, 24),
            wizard: None,
            drafts: Drafts::default(),
            preferences: Preferences::default(),
            used_external_key_ids: RememberedIds::default(),
            keymap: Keymap::default(),
            key_stores: KeyStoreList::default(),
            key_store: KeyStorePage::default(),
            keys: KeyList::new(KeyManagerType::Customer),
            aws_keys: KeyList::new(KeyManagerType::Aws),
            key: KeyPage::new(String::new()),
            external_keys: ExternalKeyList::default(),
            proxy_fault_list: ProxyFaultList::default(),
            workloads: WorkloadList::default(),
            events: EventList::default(),
            event: EventPage::default(),
            api_calls: ApiCallList::default(),
            flows: FlowList::default(),
            flow: FlowPage::default(),
            previous_location: None,
            lookup_from: None,
            trail: Vec::new(),
            recent_keys: RememberedIds::default(),
            single_key_session: None,
            incoming_keys: Vec::new(),
            follows_changes: false,
            pending_changes: Changes::default(),
            pending_calls: BTreeMap::new(),
            clicks: RefCell::default(),
            is_mouse_on: true,
            poll_timer: None,
            refresh_timer: None,
            flow_timer: None,
            seconds_ahead: 0,
            active_proxy_faults: None,
            last_id: 0,
        }
    }

    /// Copies the profile, Region, endpoint, and read-only mode from the client.
    pub fn set_client(&mut self, client: &Client) {
        self.profile = client.profile().map(str::to_owned);
        client.region().clone_into(&mut self.account.region);
        self.account.endpoint_url = client.endpoints().custom_url(Service::Kms).map(str::to_owned);
        self.account.is_read_only = client.is_read_only();
    }

    /// Shows a failure message at the top of the page, unless the same message is already shown.
    pub fn show_error(&mut self, title: &str, text: &str) {
        let flash = Flash::failure(title, text);
        if !self.flashes.contains(&flash) {
            self.flashes.push(flash);
        }
    }

    /// Applies the preferences.
    pub fn apply_preferences(&mut self, preferences: Preferences) {
        self.keys.apply_preferences(&preferences, &self.account);
        self.aws_keys.apply_preferences(&preferences, &self.account);
        self.preferences = preferences;
    }

    /// Sets the external key IDs that the wizard offers as used before.
    pub fn set_used_external_key_ids(&mut self, used: RememberedIds) {
        if let Some(wizard) = &mut self.wizard {
            wizard.set_used_external_key_ids(used.clone());
        }
        self.used_external_key_ids = used;
    }

    /// Sets the keys that the command palette offers as recently opened.
    pub fn set_recent_keys(&mut self, recent: RememberedIds) {
        self.recent_keys = recent;
    }

    /// Handles a message and returns the effects to perform.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let may_change_account = matches!(msg, Msg::CallCompleted(..) | Msg::DataChanged(_));
        let mut effects = self.handle_message(msg);
        if effects.contains(&Effect::Quit) {
            // The effects already include those for the draft.
            return effects;
        }
        if let Some(wizard) = self.wizard.as_mut().filter(|_| self.location == Location::CreateKey) {
            let mut calls = wizard.principal_requests(&self.account);
            calls.extend(wizard.permission_request(&self.account));
            calls.extend(wizard.external_key_request());
            effects.extend(calls.into_iter().map(|call| self.request(call)));
        }
        effects.extend(may_change_account.then(|| self.check_lesson()).flatten());
        let follow = self.sync_draft();
        follow.into_iter().chain(effects).collect()
    }

    /// Returns the size of the screen in columns and rows.
    pub fn screen_size(&self) -> (u16, u16) {
        self.screen_size
    }

    /// Remembers which parts of the frame react to clicks.
    pub(super) fn set_clicks(&self, clicks: ClickMap) {
        *self.clicks.borrow_mut() = clicks;
    }

    /// Returns whether the screen is smaller than [`MIN_SCREEN_SIZE`].
    fn is_too_small(&self) -> bool {
        self.screen_size.0 < MIN_SCREEN_SIZE.0 || self.screen_size.1 < MIN_SCREEN_SIZE.1
    }

    fn handle_message(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
            Msg::Key(key) if self.is_too_small() && !works_at_any_size(key) => Vec::new(),
            Msg::Key(key) => self.handle_key(key),
            Msg::Mouse(_) if self.is_too_small() || !self.is_mouse_on => Vec::new(),
            Msg::Mouse(event) => self.handle_mouse(event),
            Msg::Paste(_) if self.is_too_small() => Vec::new(),
            Msg::Paste(text) => {
                self.handle_paste(&text);
                Vec::new()
            }
            Msg::CallCompleted(id, result) => match self.pending_calls.remove(&id) {
                Some(call) => self.on_response(call, result),
                None => Vec::new(),
            },
            Msg::ApiCallCompleted(call) => {
                self.on_api_call(*call);
                Vec::new()
            }
            Msg::Copied(copied) => {
                self.on_copied(copied);
                Vec::new()
            }
            Msg::Lesson(state) => {
                self.on_lesson_state(*state);
                Vec::new()
            }
            Msg::Draft(response) => self.on_draft_response(response),
            Msg::TimerElapsed(timer) if self.poll_timer == Some(timer) => {
                self.poll_timer = None;
                vec![self.request(Call::KeyStores)]
            }
            Msg::TimerElapsed(timer) if self.refresh_timer == Some(timer) => {
                self.refresh_timer = None;
                self.refresh()
            }
            Msg::TimerElapsed(timer) if self.flow_timer == Some(timer) => self.on_flow_timer(),
            Msg::DataChanged(changes) => self.on_data_changed(changes),
            Msg::Resize { width, height } => {
                self.screen_size = (width, height);
                Vec::new()
            }
            Msg::TimerElapsed(_) => Vec::new(),
        }
    }

    fn handle_paste(&mut self, text: &str) {
        let size = self.content_size();
        if let Some(view) = &mut self.text_view {
            return view.handle_paste(text, size);
        }
        if let Some(lesson) = self.lesson.as_mut().filter(|lesson| lesson.is_focused()) {
            return lesson.handle_paste(text);
        }
        if let Some(login) = &mut self.login {
            return login.handle_paste(text);
        }
        if let Some(Dialog::Switcher(switcher)) = &mut self.dialog {
            switcher.handle_paste(text);
        }
        if let Some(Dialog::Task(task)) = &mut self.dialog {
            task.handle_paste(text);
        }
        if let Some(Dialog::TryKey(trial)) = &mut self.dialog {
            trial.handle_paste(text);
        }
        if let Some(Dialog::Palette(palette)) = &mut self.dialog {
            palette.handle_paste(text);
        }
        if self.dialog.is_some() || self.navigation_focus.is_some() {
            return;
        }
        match self.location {
            Location::CreateKey => {
                if let Some(wizard) = &mut self.wizard {
                    wizard.handle_paste(text, &self.account);
                }
            }
            Location::KeyStores => self.key_stores.handle_paste(text, &self.account),
            Location::Keys => self.keys.handle_paste(text),
            Location::AwsKeys => self.aws_keys.handle_paste(text),
            Location::ExternalKeys => self.external_keys.handle_paste(text),
            Location::ProxyFaults => self.proxy_fault_list.handle_paste(text),
            Location::Workloads => self.workloads.handle_paste(text),
            Location::Events => self.events.handle_paste(text),
            Location::ApiCalls => self.api_calls.handle_paste(text),
            Location::Xray => self.flows.handle_paste(text),
            Location::KeyStore(_)
            | Location::Key(_)
            | Location::CloudHsm
            | Location::Event(_)
            | Location::ApiCall(_)
            | Location::XrayFlow(_) => {}
        }
    }

    /// Adds a completed API call to the list.
    fn on_api_call(&mut self, call: ApiCall) {
        if let Some(reason) = &call.observer_error {
            self.show_error("Couldn't write the log", &format!("The log is missing API calls: {reason}."));
        }
        self.seconds_ahead = call.seconds_ahead;
        self.active_proxy_faults.clone_from(&call.proxy_faults);
        // X-ray repeats this call as long as it is shown. It isn't a call to AWS, and would hide those.
        if call.operation == ListFlows::NAME && call.error_code.is_none() {
            return;
        }
        self.api_calls.push(call);
        if self.location == Location::ApiCalls {
            self.api_calls.update_rows();
        }
    }
}
