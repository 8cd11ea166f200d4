//! Handles keys: the dialog has priority, then the navigation, then the page.

use crossterm::event::{KeyCode, KeyEvent};

use super::drafts::not_sent_failure;
use super::{App, Dialog};
use crate::aws::kms::ConnectionState;
use crate::create_key::account_state::Loadable;
use crate::create_key::method::Method;
use crate::create_key::submission::{self, SubmissionResponse};
use crate::tui::dialogs::FormKind;
use crate::tui::dialogs::connect::AfterConnect;
use crate::tui::effect::{Call, CopyResult, Effect};
use crate::tui::flash::{Flash, Link};
use crate::tui::keymap::{self, Action, Binding, Context};
use crate::tui::pages::{self, Location};
use crate::tui::text_view::{self, TextView};
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::widgets::table::Table;
use crate::tui::wizard::{self, Wizard};

/// The entries of the navigation.
pub const NAVIGATION: [(&str, Location); 7] = [
    ("AWS managed keys", Location::AwsKeys),
    ("Customer managed keys", Location::Keys),
    ("AWS CloudHSM key stores", Location::CloudHsm),
    ("External key stores", Location::KeyStores),
    ("External key manager", Location::ExternalKeys),
    ("Event history", Location::Events),
    ("API calls", Location::ApiCalls),
];

/// Keys that only view something. Any other key is an action that closes success messages.
const KEYS_KEEPING_SUCCESS: [KeyCode; 7] = [
    KeyCode::Char('v'),
    KeyCode::Char('?'),
    KeyCode::Esc,
    KeyCode::F(1),
    KeyCode::F(4),
    KeyCode::PageDown,
    KeyCode::PageUp,
];

impl App {
    pub(super) fn handle_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let action = keymap::action(&[], key);
        if action == Some(Action::Quit) {
            return self.quit();
        }
        if let Some(view) = &mut self.text_view {
            let event = view.handle_key(key, self.screen_size);
            return self.handle_text_view_event(event);
        }
        if !KEYS_KEEPING_SUCCESS.contains(&key.code) {
            self.flashes.retain(|flash| !flash.is_success);
        }
        if action == Some(Action::ShowError)
            && let Some(failure) = &self.last_error
        {
            self.text_view = Some(failure.clone());
            return Vec::new();
        }
        if let Some(login) = &mut self.login {
            if action == Some(Action::SwitchProfileOrRegion) && self.dialog.is_none() {
                let given_up = self.cancel_login();
                return given_up.into_iter().chain(self.open_switcher()).collect();
            }
            let event = login.handle_key(key);
            return self.handle_login_event(event);
        }
        if self.dialog.is_some() {
            return self.handle_dialog_key(key);
        }
        if action == Some(Action::SwitchProfileOrRegion) {
            return self.open_switcher();
        }
        if action == Some(Action::KeyboardHelp) && !self.is_typing()
            || action == Some(Action::Help) && self.is_outside_wizard()
        {
            self.dialog =
                Some(Dialog::KeyboardHelp { bindings: self.bindings().collect(), scroll: ScrollState::default() });
            return Vec::new();
        }
        if action == Some(Action::ApiCalls) {
            return self.show_api_calls();
        }
        if self.navigation_focus.is_some() {
            return self.handle_navigation_key(key);
        }
        self.handle_page_key(key)
    }

    fn handle_text_view_event(&mut self, event: text_view::TextViewEvent) -> Vec<Effect> {
        match event {
            text_view::TextViewEvent::Handled => Vec::new(),
            text_view::TextViewEvent::Close => {
                self.text_view = None;
                Vec::new()
            }
            text_view::TextViewEvent::Copy(what, text) => {
                self.text_view = None;
                self.copy(what, text)
            }
            text_view::TextViewEvent::Save(call) => vec![self.request(call)],
        }
    }

    /// Opens the link of a message. A page closes the message; a text doesn't, so that it can be opened again.
    fn open_link(&mut self, link: Link) -> Vec<Effect> {
        match link {
            Link::Page(_, location) => {
                self.flashes.pop();
                self.navigate(location)
            }
            Link::Text(_, view) => {
                self.text_view = Some(view);
                Vec::new()
            }
        }
    }

    /// Shows the API calls and remembers the current page, to return to it.
    fn show_api_calls(&mut self) -> Vec<Effect> {
        if !matches!(self.location, Location::ApiCalls | Location::ApiCall(_)) {
            self.previous_location = Some(self.location.clone());
        }
        self.navigate(Location::ApiCalls)
    }

    fn is_outside_wizard(&self) -> bool {
        self.location != Location::CreateKey
    }

    /// Returns the table of the page, if it has one.
    pub(super) fn table(&self) -> Option<&Table> {
        match self.location {
            Location::KeyStores => Some(self.key_stores.table()),
            Location::Keys => Some(self.keys.table()),
            Location::AwsKeys => Some(self.aws_keys.table()),
            Location::ExternalKeys => Some(self.external_keys.table()),
            Location::Events => Some(self.events.table()),
            Location::ApiCalls => Some(self.api_calls.table()),
            Location::CreateKey
            | Location::KeyStore(_)
            | Location::Key(_)
            | Location::CloudHsm
            | Location::Event(_)
            | Location::ApiCall(_) => None,
        }
    }

    /// Returns the current contexts.
    pub fn contexts(&self) -> Vec<Context> {
        if self.login.is_some() {
            return vec![Context::Dialog];
        }
        match &self.dialog {
            Some(Dialog::Task(task)) if !task.has_form() => return vec![Context::Dialog],
            Some(Dialog::Connect(connecting)) if connecting.is_busy() => return vec![Context::Dialog],
            Some(Dialog::Switcher(switcher)) if !switcher.has_form() => return vec![Context::Dialog, Context::Fields],
            Some(Dialog::Task(_) | Dialog::Switcher(_)) => {
                return vec![Context::Dialog, Context::Fields, Context::Form];
            }
            Some(Dialog::FieldHelp { .. } | Dialog::KeyboardHelp { .. } | Dialog::Menu(_) | Dialog::Drafts(_)) => {
                return vec![Context::Dialog];
            }
            Some(_) => return vec![Context::Dialog, Context::Fields],
            None => {}
        }
        if self.navigation_focus.is_some() {
            return vec![Context::Navigation];
        }
        let has_drafts = super::shows_drafts(&self.location) && !self.drafts.list.is_empty();
        let mut contexts = match self.location {
            Location::CreateKey => {
                self.wizard.as_ref().map(|wizard| wizard.contexts(&self.account)).unwrap_or_default()
            }
            Location::KeyStores => vec![Context::KeyStore, Context::Table, Context::Refreshable, Context::List],
            Location::KeyStore(_) => {
                vec![Context::KeyStore, Context::Fields, Context::Monitoring, Context::Scrollable, Context::Refreshable]
            }
            Location::Keys => vec![Context::KeyList, Context::Table, Context::Refreshable, Context::List],
            Location::AwsKeys | Location::Events => vec![Context::Table, Context::Refreshable, Context::List],
            Location::ApiCalls => vec![Context::Table, Context::List],
            Location::CloudHsm => vec![Context::List],
            Location::ExternalKeys => vec![Context::ExternalKeys, Context::Table, Context::Refreshable, Context::List],
            Location::Event(_) => vec![Context::Event, Context::Scrollable],
            Location::ApiCall(_) => vec![Context::ApiCall],
            Location::Key(_) => vec![Context::Key, Context::Scrollable, Context::Refreshable],
        };
        contexts.extend(has_drafts.then_some(Context::Drafts));
        contexts
    }

    /// Returns whether the page should handle a key: it is not bound to an action, or its action is available.
    fn accepts_key(&self, key: KeyEvent) -> bool {
        // Lists and long texts handle the page keys themselves.
        let is_accepted = |binding: &Binding| binding.action == Action::Scroll || self.is_available(binding);
        self.is_typing() || keymap::binding(&self.contexts(), key).is_none_or(is_accepted)
    }

    fn quit(&mut self) -> Vec<Effect> {
        let loses = self.has_unsaved_changes()
            || matches!(&self.dialog, Some(Dialog::Task(task)) if task.has_unsaved_changes());
        let is_confirming = matches!(self.dialog, Some(Dialog::ConfirmDiscard { quits: true, .. }));
        if loses && !is_confirming {
            let given_up = self.cancel_login();
            self.dialog = Some(Dialog::ConfirmDiscard { is_confirm_focused: false, quits: true });
            return given_up;
        }
        vec![Effect::Quit]
    }

    /// Returns whether leaving the wizard would lose changes that aren't saved in a draft.
    fn has_unsaved_changes(&self) -> bool {
        !self.drafts.is_saved() && self.wizard.as_ref().is_some_and(Wizard::has_unsaved_changes)
    }

    fn handle_navigation_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let last = NAVIGATION.len() - 1;
        let index = self.navigation_focus.unwrap_or(0);
        match key.code {
            KeyCode::Up => self.navigation_focus = Some(index.saturating_sub(1)),
            KeyCode::Down => self.navigation_focus = Some((index + 1).min(last)),
            KeyCode::Home => self.navigation_focus = Some(0),
            KeyCode::End => self.navigation_focus = Some(last),
            KeyCode::Enter | KeyCode::Char(' ') | KeyCode::Right => return self.navigate(NAVIGATION[index].1.clone()),
            KeyCode::Tab | KeyCode::BackTab | KeyCode::Esc => self.navigation_focus = None,
            _ => {}
        }
        Vec::new()
    }

    fn focus_navigation(&mut self) -> Vec<Effect> {
        let here = NAVIGATION.iter().position(|(_, location)| *location == self.location);
        self.navigation_focus = Some(here.unwrap_or(0));
        Vec::new()
    }

    fn handle_page_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let on_list = self.is_on_navigation_page();
        let shows_columns = key.code == KeyCode::Left && self.table().is_some_and(Table::has_columns_left);
        if on_list
            && !self.is_typing()
            && !shows_columns
            && matches!(key.code, KeyCode::Tab | KeyCode::BackTab | KeyCode::Left)
        {
            return self.focus_navigation();
        }
        if key.code == KeyCode::Char('v')
            && !self.is_typing()
            && let Some(link) = self.flashes.last().and_then(|flash| flash.link.clone())
        {
            return self.open_link(link);
        }
        // The message at the top says that Esc closes it, also in the wizard.
        if key.code == KeyCode::Esc && !self.is_outside_wizard() && self.flashes.pop().is_some() {
            return Vec::new();
        }
        if key.code == KeyCode::Esc && self.is_outside_wizard() && !self.table().is_some_and(Table::handles_escape) {
            return self.go_back();
        }
        if self.contexts().contains(&Context::Drafts)
            && !self.is_typing()
            && keymap::action(&[Context::Drafts], key) == Some(Action::Drafts)
        {
            return self.show_drafts(None);
        }
        if !self.accepts_key(key) {
            return Vec::new();
        }
        let events = match self.location {
            Location::KeyStores => self.key_stores.handle_key(key, &self.account),
            Location::KeyStore(_) => self.key_store.handle_key(key, &self.account),
            Location::Keys => self.keys.handle_key(key, &self.account),
            Location::AwsKeys => self.aws_keys.handle_key(key, &self.account),
            Location::CloudHsm => Vec::new(),
            Location::Key(_) => self.key.handle_key(key, &self.account),
            Location::ExternalKeys => self.external_keys.handle_key(key, &self.account),
            Location::Events => self.events.handle_key(key),
            Location::Event(_) => self.event.handle_key(key),
            Location::ApiCalls => self.api_calls.handle_key(key),
            Location::ApiCall(number) => pages::api_call::handle_key(self.api_calls.call(number), key),
            Location::CreateKey => {
                let events =
                    self.wizard.as_mut().map(|wizard| wizard.handle_key(key, &self.account)).unwrap_or_default();
                return events.into_iter().flat_map(|event| self.handle_wizard_event(event)).collect();
            }
        };
        events.into_iter().flat_map(|event| self.handle_page_event(event)).collect()
    }

    /// Cancels the current stage of creating a key. A late response is ignored.
    fn cancel_submission(&mut self) -> Vec<Effect> {
        self.pending_calls.retain(|_, call| !matches!(call, Call::Submission(_)));
        let failure = match self.drafts.deferred_request.take() {
            Some(_) => {
                not_sent_failure(submission::SubmissionFailure::NOT_SAVED, "You canceled before the draft was saved.")
            }
            None => submission::SubmissionFailure {
                outcome_unknown: true,
                ..not_sent_failure("Canceled", "You canceled before a response arrived.")
            },
        };
        self.apply_submission_response(SubmissionResponse::Failed(failure))
    }

    /// Cancels the loading of a list. Returns whether one was loading.
    fn cancel_loading(&mut self) -> bool {
        const MESSAGE: &str = "You canceled before a response arrived.";
        match self.location {
            Location::KeyStores if self.account.key_stores == Loadable::Loading => {
                self.pending_calls.retain(|_, call| *call != Call::KeyStores);
                self.account.key_stores = Loadable::Failed(MESSAGE.to_owned());
            }
            Location::Keys | Location::AwsKeys
                if self.account.keys == Loadable::Loading || self.account.has_more_keys =>
            {
                self.pending_calls.retain(|_, call| !matches!(call, Call::Keys(_)));
                self.account.has_more_keys = false;
                if self.account.keys == Loadable::Loading {
                    self.account.keys = Loadable::Failed(MESSAGE.to_owned());
                }
            }
            _ => return false,
        }
        true
    }

    /// Closes the top message, cancels loading, or goes up one level.
    fn go_back(&mut self) -> Vec<Effect> {
        if self.flashes.pop().is_some() || self.cancel_loading() {
            return Vec::new();
        }
        match self.location {
            Location::KeyStore(_) => self.navigate(Location::KeyStores),
            Location::Event(_) => self.navigate(Location::Events),
            Location::ApiCall(_) => self.navigate(Location::ApiCalls),
            Location::ApiCalls if self.previous_location.is_some() => {
                self.location = self.previous_location.take().unwrap_or(Location::KeyStores);
                Vec::new()
            }
            Location::Key(ref id) => {
                let is_aws = self.account.aws_managed_keys.iter().any(|key| key.key_id() == id);
                self.navigate(if is_aws { Location::AwsKeys } else { Location::Keys })
            }
            _ => self.focus_navigation(),
        }
    }

    pub(super) fn handle_page_event(&mut self, event: pages::PageEvent) -> Vec<Effect> {
        match event {
            pages::PageEvent::Navigate(location) => self.navigate(location),
            pages::PageEvent::Request(call) => vec![self.request(call)],
            pages::PageEvent::Copy(what, text) => self.copy(what, text),
            pages::PageEvent::CreateKey(store_id) => self.start_create_key(store_id),
            pages::PageEvent::OpenMenu(menu) => {
                self.dialog = Some(Dialog::Menu(menu));
                Vec::new()
            }
            pages::PageEvent::OpenTask(task) => self.open_task(task),
            pages::PageEvent::OpenWizard => self.open_wizard(Method::FromCustomerManagedKeys),
            pages::PageEvent::Connect(store_id, afterwards) => self.open_connect_dialog(&store_id, afterwards),
            pages::PageEvent::ConfirmDisconnect(store_id) => {
                let stores = self.account.key_stores.ready().map_or(&[][..], Vec::as_slice);
                let keys = self.account.keys.ready().map_or(&[][..], Vec::as_slice);
                if let Some(store) = stores.iter().find(|store| store.custom_key_store_id == store_id) {
                    self.dialog = Some(Dialog::ConfirmDisconnect {
                        name: store.custom_key_store_name.clone(),
                        key_count: keys
                            .iter()
                            .filter(|key| key.custom_key_store_id.as_deref() == Some(&store_id))
                            .count(),
                        store_id,
                        is_confirm_focused: false,
                    });
                }
                Vec::new()
            }
        }
    }

    pub(super) fn handle_wizard_event(&mut self, event: wizard::WizardEvent) -> Vec<Effect> {
        match event {
            wizard::WizardEvent::Request(Call::Submission(call)) => self.submit(call),
            wizard::WizardEvent::Request(call) => vec![self.request(call)],
            wizard::WizardEvent::Connect(store_id, afterwards) => self.open_connect_dialog(&store_id, afterwards),
            wizard::WizardEvent::Copy(what, text) => self.copy(what, text),
            wizard::WizardEvent::CreateKeyStore => self.open_task(FormKind::CreateKeyStore),
            wizard::WizardEvent::ShowHelp(field) => {
                let bindings = self.bindings().filter(|binding| binding.action == Action::EditText).collect();
                self.dialog = Some(Dialog::FieldHelp { field, bindings, scroll: ScrollState::default() });
                Vec::new()
            }
            wizard::WizardEvent::StopWaiting => self.cancel_submission(),
            wizard::WizardEvent::Leave { has_unsaved_changes: true } if !self.has_unsaved_changes() => {
                self.defer_wizard()
            }
            wizard::WizardEvent::Leave { has_unsaved_changes: true } => {
                self.dialog = Some(Dialog::ConfirmDiscard { is_confirm_focused: false, quits: false });
                Vec::new()
            }
            wizard::WizardEvent::Leave { has_unsaved_changes: false } => self.leave_wizard(),
            wizard::WizardEvent::Finished => self.on_key_created(),
        }
    }

    /// Shows the success of a change and reloads everything that it may have affected.
    pub(super) fn on_change_succeeded(&mut self, text: String) -> Vec<Effect> {
        self.flashes.push(Flash::success("Success", text));
        self.keys.clear_selection();
        // Tags may have changed. The next search for a tag loads them again.
        self.account.tags = Loadable::Idle;
        let mut calls = vec![Call::KeyStores, Call::Keys(None), Call::Aliases];
        match self.location {
            Location::Key(_) => calls.extend(self.key.required_calls(&self.account)),
            Location::ExternalKeys => calls.push(Call::ExternalKeys),
            _ => {}
        }
        calls.into_iter().map(|call| self.request(call)).collect()
    }

    pub(super) fn copy(&mut self, what: &'static str, text: String) -> Vec<Effect> {
        self.pending_copy = Some((what, TextView::new(what, text.clone())));
        vec![Effect::Copy(text)]
    }

    /// Shows the result of copying a text.
    pub(super) fn on_copied(&mut self, copied: CopyResult) {
        let Some((what, view)) = self.pending_copy.take() else { return };
        let (is, was) = if what.ends_with('s') { ("are", "were") } else { ("is", "was") };
        let flash = match copied {
            CopyResult::Clipboard => Flash::success("Copied", format!("The {what} {is} on the clipboard.")),
            CopyResult::Tmux => {
                let rest = "sent to the terminal's clipboard. To paste, press the tmux prefix, then ].";
                Flash::success("Copied", format!("The {what} {is} in tmux's paste buffer and {was} {rest}"))
            }
            CopyResult::Sent => {
                let rest = "Terminals don't confirm this. Press v to view the text or save it to a file.";
                Flash::success("Sent", format!("The {what} {was} sent to the terminal's clipboard. {rest}"))
            }
            CopyResult::TooLong { bytes, max_bytes: most } => {
                let rest = "Press v to view the text or save it to a file.";
                let text =
                    format!("The {what} {is} {bytes} bytes long, but terminals accept at most {most} bytes. {rest}");
                Flash::failure("Too long to copy", &text)
            }
        };
        let link = Link::Text("Show all", view);
        self.flashes.retain(|flash| !matches!(&*flash.title, "Copied" | "Sent"));
        self.flashes.push(flash.with_link(link));
    }

    pub(super) fn leave_wizard(&mut self) -> Vec<Effect> {
        if let Some(end) = self.end_single_key_session() {
            return end;
        }
        match self.wizard.take().map(|wizard| wizard.method) {
            Some(Method::FromKeyStore { custom_key_store_id }) => {
                self.navigate(Location::KeyStore(custom_key_store_id))
            }
            _ => self.navigate(Location::Keys),
        }
    }

    /// Opens the wizard for a key store. A disconnected key store is connected first.
    pub(super) fn start_create_key(&mut self, store_id: String) -> Vec<Effect> {
        let stores = self.account.key_stores.ready().map_or(&[][..], Vec::as_slice);
        let is_connected = stores
            .iter()
            .any(|store| store.custom_key_store_id == store_id && store.connection_state == ConnectionState::Connected);
        if !is_connected {
            return self.open_connect_dialog(&store_id, AfterConnect::CreateKey);
        }
        self.open_wizard(Method::FromKeyStore { custom_key_store_id: store_id })
    }

    /// Opens the wizard at its first step. If there are drafts to resume, offers those first.
    pub(super) fn open_wizard(&mut self, method: Method) -> Vec<Effect> {
        // Return to a wizard that the user left through navigation while it was sending or not saved.
        if self.wizard.is_some() && self.drafts.target.is_some() {
            self.location = Location::CreateKey;
            return Vec::new();
        }
        if self.drafts.resumable(&self.account).is_empty() {
            return self.show_wizard(Wizard::new(method, &self.account));
        }
        self.show_drafts(Some(method))
    }

    /// Shows a wizard.
    pub(super) fn show_wizard(&mut self, wizard: Wizard) -> Vec<Effect> {
        self.flashes.clear();
        self.wizard = Some(wizard);
        self.location = Location::CreateKey;
        let fresh = [Call::Aliases, Call::Keys(None), Call::Users(None), Call::Roles(None)];
        fresh.map(|call| self.request(call)).to_vec()
    }
}
