//! What keys do: the dialog takes them first, then the navigation, then the page.

use crossterm::event::{KeyCode, KeyEvent};

use super::drafts::not_sent;
use super::{App, Dialog};
use crate::aws::kms::ConnectionState;
use crate::create_key::known::Loadable;
use crate::create_key::method::Method;
use crate::create_key::submission::{self, SubmissionResponse};
use crate::tui::connect::Afterwards;
use crate::tui::effect::{Call, Copied, Effect};
use crate::tui::flash::{Flash, Link};
use crate::tui::keymap::{self, Action, Binding, Context};
use crate::tui::pages::{self, Location};
use crate::tui::tasks::FormKind;
use crate::tui::text_view::{self, TextView};
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::Table;
use crate::tui::wizard::{self, Wizard};

/// The entries of the navigation on the left.
pub const NAVIGATION: [(&str, Location); 7] = [
    ("AWS managed keys", Location::AwsKeys),
    ("Customer managed keys", Location::Keys),
    ("AWS CloudHSM key stores", Location::CloudHsm),
    ("External key stores", Location::KeyStores),
    ("External key manager", Location::ExternalKeys),
    ("Event history", Location::Events),
    ("API calls", Location::ApiCalls),
];

/// Keys that look at what is there. Any other is the next action, with which a message of success goes.
const KEEPS_SUCCESS: [KeyCode; 7] = [
    KeyCode::Char('v'),
    KeyCode::Char('?'),
    KeyCode::Esc,
    KeyCode::F(1),
    KeyCode::F(4),
    KeyCode::PageDown,
    KeyCode::PageUp,
];

impl App {
    pub(super) fn press(&mut self, key: KeyEvent) -> Vec<Effect> {
        let action = keymap::action(&[], key);
        if action == Some(Action::Quit) {
            return self.quit();
        }
        if let Some(view) = &mut self.text {
            let event = view.press(key, self.size);
            return self.handle_text_view(event);
        }
        if !KEEPS_SUCCESS.contains(&key.code) {
            self.flashes.retain(|flash| !flash.is_good);
        }
        if action == Some(Action::ShowError)
            && let Some(failure) = &self.failure
        {
            self.text = Some(failure.clone());
            return Vec::new();
        }
        if let Some(login) = &mut self.login {
            if action == Some(Action::Switch) && self.dialog.is_none() {
                let given_up = self.give_up_login();
                return given_up.into_iter().chain(self.open_switcher()).collect();
            }
            let wish = login.press(key);
            return self.grant_login(wish);
        }
        if self.dialog.is_some() {
            return self.press_dialog(key);
        }
        if action == Some(Action::Switch) {
            return self.open_switcher();
        }
        if action == Some(Action::Keys) && !self.is_typing() || action == Some(Action::Help) && self.wizard_is_away() {
            self.dialog = Some(Dialog::Keys { bindings: self.bindings().collect(), scroll: Scroll::default() });
            return Vec::new();
        }
        if action == Some(Action::ApiCalls) {
            return self.show_api_calls();
        }
        if self.navigation.is_some() {
            return self.press_navigation(key);
        }
        self.press_page(key)
    }

    fn handle_text_view(&mut self, event: text_view::Event) -> Vec<Effect> {
        match event {
            text_view::Event::Handled => Vec::new(),
            text_view::Event::Close => {
                self.text = None;
                Vec::new()
            }
            text_view::Event::Copy(what, text) => {
                self.text = None;
                self.copy(what, text)
            }
            text_view::Event::Save(call) => vec![self.ask(call)],
        }
    }

    /// Shows more than a message does. A text can be looked at again; a page takes the message's place.
    fn follow(&mut self, link: Link) -> Vec<Effect> {
        match link {
            Link::Page(_, location) => {
                self.flashes.pop();
                self.go(location)
            }
            Link::Text(_, view) => {
                self.text = Some(view);
                Vec::new()
            }
        }
    }

    /// Shows the calls to AWS over whatever page is shown, which waits as it is.
    fn show_api_calls(&mut self) -> Vec<Effect> {
        if !matches!(self.location, Location::ApiCalls | Location::ApiCall(_)) {
            self.beneath = Some(self.location.clone());
        }
        self.go(Location::ApiCalls)
    }

    fn wizard_is_away(&self) -> bool {
        self.location != Location::CreateKey
    }

    /// The table that the page is, if it is one.
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

    /// The contexts whose keys work now.
    pub fn contexts(&self) -> Vec<Context> {
        if self.login.is_some() {
            return vec![Context::Dialog];
        }
        match &self.dialog {
            Some(Dialog::Task(task)) if !task.has_form() => return vec![Context::Dialog],
            Some(Dialog::Connect(connecting)) if connecting.is_busy() => return vec![Context::Dialog],
            Some(Dialog::Switch(switcher)) if !switcher.has_form() => return vec![Context::Dialog, Context::Fields],
            Some(Dialog::Task(_) | Dialog::Switch(_)) => return vec![Context::Dialog, Context::Fields, Context::Form],
            Some(Dialog::FieldHelp { .. } | Dialog::Keys { .. } | Dialog::Menu(_) | Dialog::Drafts(_)) => {
                return vec![Context::Dialog];
            }
            Some(_) => return vec![Context::Dialog, Context::Fields],
            None => {}
        }
        if self.navigation.is_some() {
            return vec![Context::Navigation];
        }
        let has_drafts = super::shows_drafts(&self.location) && !self.drafts.list.is_empty();
        let mut contexts = match self.location {
            Location::CreateKey => self.wizard.as_ref().map(|wizard| wizard.contexts(&self.known)).unwrap_or_default(),
            Location::KeyStores => vec![Context::KeyStore, Context::Table, Context::Asked, Context::List],
            Location::KeyStore(_) => {
                vec![Context::KeyStore, Context::Fields, Context::Monitoring, Context::Pages, Context::Asked]
            }
            Location::Keys => vec![Context::KeyList, Context::Table, Context::Asked, Context::List],
            Location::AwsKeys | Location::Events => vec![Context::Table, Context::Asked, Context::List],
            Location::ApiCalls => vec![Context::Table, Context::List],
            Location::CloudHsm => vec![Context::List],
            Location::ExternalKeys => vec![Context::ExternalKeys, Context::Table, Context::Asked, Context::List],
            Location::Event(_) => vec![Context::Event, Context::Pages],
            Location::ApiCall(_) => vec![Context::ApiCall],
            Location::Key(_) => vec![Context::Key, Context::Pages, Context::Asked],
        };
        contexts.extend(has_drafts.then_some(Context::Drafts));
        contexts
    }

    /// Whether a key is no action of the page, or one that does something now.
    fn takes(&self, key: KeyEvent) -> bool {
        // Lists and long texts turn their own pages.
        let is_free = |binding: &Binding| binding.action == Action::Scroll || self.is_available(binding);
        self.is_typing() || keymap::binding(&self.contexts(), key).is_none_or(is_free)
    }

    fn quit(&mut self) -> Vec<Effect> {
        let loses = self.would_lose() || matches!(&self.dialog, Some(Dialog::Task(task)) if task.has_unsaved_changes());
        let asked = matches!(self.dialog, Some(Dialog::Discard { quits: true, .. }));
        if loses && !asked {
            let given_up = self.give_up_login();
            self.dialog = Some(Dialog::Discard { on_do: false, quits: true });
            return given_up;
        }
        vec![Effect::Quit]
    }

    /// Whether leaving the wizard would lose something: what is on the disk is not lost.
    fn would_lose(&self) -> bool {
        !self.drafts.is_saved() && self.wizard.as_ref().is_some_and(Wizard::has_unsaved_changes)
    }

    fn press_navigation(&mut self, key: KeyEvent) -> Vec<Effect> {
        let last = NAVIGATION.len() - 1;
        let place = self.navigation.unwrap_or(0);
        match key.code {
            KeyCode::Up => self.navigation = Some(place.saturating_sub(1)),
            KeyCode::Down => self.navigation = Some((place + 1).min(last)),
            KeyCode::Home => self.navigation = Some(0),
            KeyCode::End => self.navigation = Some(last),
            KeyCode::Enter | KeyCode::Char(' ') | KeyCode::Right => return self.go(NAVIGATION[place].1.clone()),
            KeyCode::Tab | KeyCode::BackTab | KeyCode::Esc => self.navigation = None,
            _ => {}
        }
        Vec::new()
    }

    fn enter_navigation(&mut self) -> Vec<Effect> {
        let here = NAVIGATION.iter().position(|(_, location)| *location == self.location);
        self.navigation = Some(here.unwrap_or(0));
        Vec::new()
    }

    fn press_page(&mut self, key: KeyEvent) -> Vec<Effect> {
        let on_list = self.is_on_list();
        let shows_columns = key.code == KeyCode::Left && self.table().is_some_and(Table::has_columns_before);
        if on_list
            && !self.is_typing()
            && !shows_columns
            && matches!(key.code, KeyCode::Tab | KeyCode::BackTab | KeyCode::Left)
        {
            return self.enter_navigation();
        }
        if key.code == KeyCode::Char('v')
            && !self.is_typing()
            && let Some(link) = self.flashes.last().and_then(|flash| flash.link.clone())
        {
            return self.follow(link);
        }
        // The message on top says that Esc closes it, in the wizard too.
        if key.code == KeyCode::Esc && !self.wizard_is_away() && self.flashes.pop().is_some() {
            return Vec::new();
        }
        if key.code == KeyCode::Esc && self.wizard_is_away() && !self.table().is_some_and(Table::wants_escape) {
            return self.back();
        }
        if self.contexts().contains(&Context::Drafts)
            && !self.is_typing()
            && keymap::action(&[Context::Drafts], key) == Some(Action::Drafts)
        {
            return self.show_drafts(None);
        }
        if !self.takes(key) {
            return Vec::new();
        }
        let wishes = match self.location {
            Location::KeyStores => self.key_stores.press(key, &self.known),
            Location::KeyStore(_) => self.key_store.press(key, &self.known),
            Location::Keys => self.keys.press(key, &self.known),
            Location::AwsKeys => self.aws_keys.press(key, &self.known),
            Location::CloudHsm => Vec::new(),
            Location::Key(_) => self.key.press(key, &self.known),
            Location::ExternalKeys => self.external_keys.press(key, &self.known),
            Location::Events => self.events.press(key),
            Location::Event(_) => self.event.press(key),
            Location::ApiCalls => self.api_calls.press(key),
            Location::ApiCall(number) => pages::api_call::press(self.api_calls.call(number), key),
            Location::CreateKey => {
                let wishes = self.wizard.as_mut().map(|wizard| wizard.handle_key(key, &self.known)).unwrap_or_default();
                return wishes.into_iter().flat_map(|wish| self.grant_wizard(wish)).collect();
            }
        };
        wishes.into_iter().flat_map(|wish| self.grant(wish)).collect()
    }

    /// Gives up on the stage of creating a key that is under way: an answer that still comes is dropped.
    fn stop_waiting(&mut self) -> Vec<Effect> {
        self.waiting.retain(|_, call| !matches!(call, Call::Submission(_)));
        let failure = match self.drafts.deferred_request.take() {
            Some(_) => not_sent(
                submission::SubmissionFailure::NOT_SAVED,
                "You stopped waiting before the draft was on the disk.",
            ),
            None => submission::SubmissionFailure {
                outcome_unknown: true,
                ..not_sent("Cancelled", "You stopped waiting before an answer came.")
            },
        };
        self.stage_answered(SubmissionResponse::Failed(failure))
    }

    /// Gives up on a list that is still being loaded; whether there was one.
    fn stop_loading(&mut self) -> bool {
        const WORDS: &str = "Cancelled before an answer came.";
        match self.location {
            Location::KeyStores if self.known.key_stores == Loadable::Loading => {
                self.waiting.retain(|_, call| *call != Call::KeyStores);
                self.known.key_stores = Loadable::Failed(WORDS.to_owned());
            }
            Location::Keys | Location::AwsKeys if self.known.keys == Loadable::Loading || self.known.has_more_keys => {
                self.waiting.retain(|_, call| !matches!(call, Call::Keys(_)));
                self.known.has_more_keys = false;
                if self.known.keys == Loadable::Loading {
                    self.known.keys = Loadable::Failed(WORDS.to_owned());
                }
            }
            _ => return false,
        }
        true
    }

    /// Closes the message on top, stops what is being loaded, or goes a level up.
    fn back(&mut self) -> Vec<Effect> {
        if self.flashes.pop().is_some() || self.stop_loading() {
            return Vec::new();
        }
        match self.location {
            Location::KeyStore(_) => self.go(Location::KeyStores),
            Location::Event(_) => self.go(Location::Events),
            Location::ApiCall(_) => self.go(Location::ApiCalls),
            Location::ApiCalls if self.beneath.is_some() => {
                self.location = self.beneath.take().unwrap_or(Location::KeyStores);
                Vec::new()
            }
            Location::Key(ref id) => {
                let is_aws = self.known.aws_managed_keys.iter().any(|key| key.key_id() == id);
                self.go(if is_aws { Location::AwsKeys } else { Location::Keys })
            }
            _ => self.enter_navigation(),
        }
    }

    pub(super) fn grant(&mut self, wish: pages::Wish) -> Vec<Effect> {
        match wish {
            pages::Wish::Go(location) => self.go(location),
            pages::Wish::Ask(call) => vec![self.ask(call)],
            pages::Wish::Copy(what, text) => self.copy(what, text),
            pages::Wish::CreateKey(store_id) => self.create_key(store_id),
            pages::Wish::Menu(menu) => {
                self.dialog = Some(Dialog::Menu(menu));
                Vec::new()
            }
            pages::Wish::Begin(task) => self.begin(task),
            pages::Wish::OpenWizard => self.open_wizard(Method::FromCustomerManagedKeys),
            pages::Wish::Connect(store_id, afterwards) => self.connect(&store_id, afterwards),
            pages::Wish::Disconnect(store_id) => {
                let stores = self.known.key_stores.ready().map_or(&[][..], Vec::as_slice);
                let keys = self.known.keys.ready().map_or(&[][..], Vec::as_slice);
                if let Some(store) = stores.iter().find(|store| store.custom_key_store_id == store_id) {
                    self.dialog = Some(Dialog::Disconnect {
                        name: store.custom_key_store_name.clone(),
                        keys: keys.iter().filter(|key| key.custom_key_store_id.as_deref() == Some(&store_id)).count(),
                        store_id,
                        on_do: false,
                    });
                }
                Vec::new()
            }
        }
    }

    pub(super) fn grant_wizard(&mut self, wish: wizard::WizardEvent) -> Vec<Effect> {
        match wish {
            wizard::WizardEvent::Request(Call::Submission(call)) => self.submit(call),
            wizard::WizardEvent::Request(call) => vec![self.ask(call)],
            wizard::WizardEvent::Connect(store_id, afterwards) => self.connect(&store_id, afterwards),
            wizard::WizardEvent::Copy(what, text) => self.copy(what, text),
            wizard::WizardEvent::CreateKeyStore => self.begin(FormKind::CreateKeyStore),
            wizard::WizardEvent::ShowHelp(field) => {
                let bindings = self.bindings().filter(|binding| binding.action == Action::Edit).collect();
                self.dialog = Some(Dialog::FieldHelp { field, bindings, scroll: Scroll::default() });
                Vec::new()
            }
            wizard::WizardEvent::StopWaiting => self.stop_waiting(),
            wizard::WizardEvent::Leave { has_unsaved_changes: true } if !self.would_lose() => self.put_aside(),
            wizard::WizardEvent::Leave { has_unsaved_changes: true } => {
                self.dialog = Some(Dialog::Discard { on_do: false, quits: false });
                Vec::new()
            }
            wizard::WizardEvent::Leave { has_unsaved_changes: false } => self.leave_wizard(),
            wizard::WizardEvent::Finished => self.finished(),
        }
    }

    /// Something was changed: the good news, and everything that may look different now.
    pub(super) fn changed(&mut self, text: String) -> Vec<Effect> {
        self.flashes.push(Flash::success("Success", text));
        self.keys.forget_choice();
        // Tags may have changed; the next search for one asks again.
        self.known.tags = Loadable::Idle;
        let mut calls = vec![Call::KeyStores, Call::Keys(None), Call::Aliases];
        match self.location {
            Location::Key(_) => calls.extend(self.key.questions(&self.known)),
            Location::ExternalKeys => calls.push(Call::ExternalKeys),
            _ => {}
        }
        calls.into_iter().map(|call| self.ask(call)).collect()
    }

    pub(super) fn copy(&mut self, what: &'static str, text: String) -> Vec<Effect> {
        self.copying = Some((what, TextView::new(what, text.clone())));
        vec![Effect::Copy(text)]
    }

    /// Tells what came of a text that was to be copied, as far as anybody knows.
    pub(super) fn copied(&mut self, copied: Copied) {
        let Some((what, view)) = self.copying.take() else { return };
        let (is, was) = if what.ends_with('s') { ("are", "were") } else { ("is", "was") };
        let flash = match copied {
            Copied::Clipboard => Flash::success("Copied", format!("The {what} {is} on the clipboard.")),
            Copied::Tmux => {
                let rest = "sent to the terminal's clipboard. Paste with the tmux prefix and ].";
                Flash::success("Copied", format!("The {what} {is} in tmux's paste buffer and {was} {rest}"))
            }
            Copied::Sent => {
                let rest = "Terminals don't confirm that. Press v to see it, or to save it to a file.";
                Flash::success("Sent", format!("The {what} {was} sent to the terminal's clipboard. {rest}"))
            }
            Copied::TooLong { bytes, most } => {
                let rest = "Press v to see it, or to save it to a file.";
                let text = format!("The {what} {is} {bytes} bytes long; terminals take {most} at most. {rest}");
                Flash::failure("Too long to copy", &text)
            }
        };
        let link = Link::Text("Show all", view);
        self.flashes.retain(|flash| !matches!(&*flash.title, "Copied" | "Sent"));
        self.flashes.push(flash.with_link(link));
    }

    pub(super) fn leave_wizard(&mut self) -> Vec<Effect> {
        if let Some(end) = self.end_of_errand() {
            return end;
        }
        match self.wizard.take().map(|wizard| wizard.method) {
            Some(Method::FromKeyStore { custom_key_store_id }) => self.go(Location::KeyStore(custom_key_store_id)),
            _ => self.go(Location::Keys),
        }
    }

    /// Opens the wizard for a store; connects it first when it is not.
    pub(super) fn create_key(&mut self, store_id: String) -> Vec<Effect> {
        let stores = self.known.key_stores.ready().map_or(&[][..], Vec::as_slice);
        let is_connected = stores
            .iter()
            .any(|store| store.custom_key_store_id == store_id && store.connection_state == ConnectionState::Connected);
        if !is_connected {
            return self.connect(&store_id, Afterwards::CreateKey);
        }
        self.open_wizard(Method::FromKeyStore { custom_key_store_id: store_id })
    }

    /// Opens the wizard at its first step, unless something can be gone on with: that is offered before.
    pub(super) fn open_wizard(&mut self, method: Method) -> Vec<Effect> {
        // One that was left by another way than its own, and is still at work or not on the disk.
        if self.wizard.is_some() && self.drafts.target.is_some() {
            self.location = Location::CreateKey;
            return Vec::new();
        }
        if self.drafts.resumable(&self.known).is_empty() {
            return self.begin_wizard(Wizard::new(method, &self.known));
        }
        self.show_drafts(Some(method))
    }

    /// Shows a wizard.
    pub(super) fn begin_wizard(&mut self, wizard: Wizard) -> Vec<Effect> {
        self.flashes.clear();
        self.wizard = Some(wizard);
        self.location = Location::CreateKey;
        let fresh = [Call::Aliases, Call::Keys(None), Call::Users(None), Call::Roles(None)];
        fresh.map(|call| self.ask(call)).to_vec()
    }
}
