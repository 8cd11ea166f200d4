//! The console's state, and the only function that changes it.

mod answers;
mod available;
mod dialogs;
mod drafts;
mod errand;
mod keys;
mod place;

pub use drafts::shows_drafts;
pub use keys::NAVIGATION;

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use self::errand::Errand;
use super::connect::{Afterwards, Connecting};
use super::drafts::{DraftList, Drafts};
use super::effect::{Call, CallId, Effect, Msg, TimerId};
use super::flash::Flash;
use super::keymap::Binding;
use super::login::Login;
use super::pages::Location;
use super::pages::api_calls::ApiCalls;
use super::pages::event::EventPage;
use super::pages::events::Events;
use super::pages::external_keys::ExternalKeys;
use super::pages::key::KeyPage;
use super::pages::key_store::KeyStorePage;
use super::pages::key_stores::KeyStores;
use super::pages::keys::Keys;
use super::preferences::Preferences;
use super::switcher::Switcher;
use super::tasks::{self, Menu};
use super::text_view::TextView;
use super::widgets::scroll::Scroll;
use super::wizard::Wizard;
use crate::aws::kms::KeyManagerType;
use crate::aws::operation::Service;
use crate::client::Client;
use crate::client::log::ApiCall;
use crate::create_key::field::Field;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::known::{AccountState, Loadable};
use crate::create_key::principals::PrincipalKind;
use crate::drafts::DraftRequest;

/// How long changes are gathered before they are looked at.
const REFRESH_MILLISECONDS: u64 = 100;

/// Which AWS the console speaks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum World {
    /// The AWS inside this program.
    Bundled,
    /// An AWS at an address: its host and port.
    Endpoint(String),
    /// AWS itself.
    Aws,
}

/// Something that lies over the page.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// Connecting a store.
    Connect(Connecting),
    /// Whether to disconnect a store.
    Disconnect {
        /// The store.
        store_id: String,
        /// Its name.
        name: String,
        /// How many KMS keys become unavailable.
        keys: usize,
        /// Whether the focus is on *Disconnect*; it starts on *Cancel*.
        on_do: bool,
    },
    /// What can be done with what is chosen.
    Menu(Menu),
    /// A change: its form and what comes of it.
    Task(Box<tasks::FormDialog>),
    /// Where to go on.
    Switch(Box<Switcher>),
    /// Whether to leave the wizard.
    Discard {
        /// Whether the focus is on *Discard*; it starts on *Keep editing*.
        on_do: bool,
        /// Whether the whole program ends.
        quits: bool,
    },
    /// The drafts that are kept.
    Drafts(DraftList),
    /// Whether to send CreateKey though the draft can't be written.
    Unsaved {
        /// Why it can't.
        reason: String,
        /// Whether the focus is on sending; it starts on *Cancel*.
        on_do: bool,
    },
    /// The explanation of a field.
    FieldHelp {
        /// The field.
        field: Field,
        /// The keys that edit it.
        bindings: Vec<&'static Binding>,
        /// How far it is scrolled.
        scroll: Scroll,
    },
    /// The keys that work.
    Keys {
        /// Which, and what they do.
        bindings: Vec<&'static Binding>,
        /// How far it is scrolled.
        scroll: Scroll,
    },
}

/// Everything the console is.
#[derive(Clone, Debug)]
pub struct App {
    /// Which AWS it speaks to.
    pub world: World,
    /// The profile that the credentials come from; the bundled AWS has none.
    pub profile: Option<String>,
    /// What AWS has told.
    pub known: AccountState,
    /// The account's alias.
    pub account_alias: Option<String>,
    /// The page shown.
    pub location: Location,
    /// Messages on top, the newest last.
    pub flashes: Vec<Flash>,
    /// What lies over the page.
    pub dialog: Option<Dialog>,
    /// What lies over everything while there is nothing to sign with.
    pub login: Option<Login>,
    /// A text on the whole screen.
    pub text: Option<TextView>,
    /// What went wrong last on this page, whole.
    pub(super) failure: Option<TextView>,
    /// The store that is being connected, and for what, while its proxy credential is updated.
    returns_to: Option<(String, Afterwards)>,
    /// What is on its way to the clipboard.
    copying: Option<(&'static str, TextView)>,
    /// Whether the navigation on the left has the focus, and which entry.
    pub navigation: Option<usize>,
    /// The columns and rows of the screen.
    size: (u16, u16),
    /// The wizard, while one is open.
    pub wizard: Option<Wizard>,
    /// The drafts that are kept on disk.
    pub drafts: Drafts,
    /// What the person has chosen about the console itself.
    pub preferences: Preferences,
    pub(super) key_stores: KeyStores,
    pub(super) key_store: KeyStorePage,
    pub(super) keys: Keys,
    pub(super) aws_keys: Keys,
    pub(super) key: KeyPage,
    pub(super) external_keys: ExternalKeys,
    pub(super) events: Events,
    pub(super) event: EventPage,
    pub(super) api_calls: ApiCalls,
    /// The page that *API calls* was opened from, and leads back to.
    beneath: Option<Location>,
    /// The one key that the console was opened for.
    errand: Option<Errand>,
    incoming: Vec<KeySummary>,
    waiting: BTreeMap<CallId, Call>,
    watch: Option<TimerId>,
    refresh: Option<TimerId>,
    last_id: u64,
}

/// The smallest screen that the pages are made for, in columns and rows. On a smaller one nothing can be seen, so nothing
/// acts but Ctrl-C.
pub const LEAST_SIZE: (u16, u16) = (60, 20);

/// Whether a key quits on every page.
fn is_quit(key: KeyEvent) -> bool {
    key.code == KeyCode::Char('c') && key.modifiers == KeyModifiers::CONTROL
}

impl App {
    /// The console at its first page, and what it asks first.
    pub fn new(world: World, region: &str) -> (Self, Vec<Effect>) {
        let mut app = Self::blank(world, region);
        let effects = app.first_questions();
        (app, effects)
    }

    /// The console before anything is known or asked.
    fn blank(world: World, region: &str) -> Self {
        let known = AccountState { region: region.to_owned(), ..AccountState::default() };
        Self {
            world,
            profile: None,
            known,
            account_alias: None,
            location: Location::KeyStores,
            flashes: Vec::new(),
            dialog: None,
            login: None,
            text: None,
            failure: None,
            returns_to: None,
            copying: None,
            navigation: None,
            size: (80, 24),
            wizard: None,
            drafts: Drafts::default(),
            preferences: Preferences::default(),
            key_stores: KeyStores::default(),
            key_store: KeyStorePage::default(),
            keys: Keys::new(KeyManagerType::Customer),
            aws_keys: Keys::new(KeyManagerType::Aws),
            key: KeyPage::new(String::new()),
            external_keys: ExternalKeys::default(),
            events: Events::default(),
            event: EventPage::default(),
            api_calls: ApiCalls::default(),
            beneath: None,
            errand: None,
            incoming: Vec::new(),
            waiting: BTreeMap::new(),
            watch: None,
            refresh: None,
            last_id: 0,
        }
    }

    fn first_questions(&mut self) -> Vec<Effect> {
        [Call::Identity, Call::KeyStores, Call::Aliases, Call::Keys(None), Call::Users(None), Call::Roles(None)]
            .map(|call| self.ask(call))
            .to_vec()
    }

    /// Takes over from the client that answers as whom and where it asks, and whether it may only look.
    pub fn answered_by(&mut self, client: &Client) {
        self.profile = client.profile().map(str::to_owned);
        client.region().clone_into(&mut self.known.region);
        self.known.endpoint_url = client.endpoints().custom_url(Service::Kms).map(str::to_owned);
        self.known.is_read_only = client.is_read_only();
    }

    /// Tells on top of the page what did not go well.
    pub fn tell(&mut self, title: &str, text: &str) {
        let flash = Flash::failure(title, text);
        if !self.flashes.contains(&flash) {
            self.flashes.push(flash);
        }
    }

    /// Shows everything as the person prefers it.
    pub fn prefer(&mut self, preferences: Preferences) {
        self.keys.prefer(&preferences, &self.known);
        self.aws_keys.prefer(&preferences, &self.known);
        self.preferences = preferences;
    }

    /// Takes what happened; gives what is to be done.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        let mut effects = self.take(msg);
        if effects.contains(&Effect::Quit) {
            // What becomes of the draft is among them already.
            return effects;
        }
        if let Some(wizard) = self.wizard.as_mut().filter(|_| self.location == Location::CreateKey) {
            let mut calls = wizard.principal_requests(&self.known);
            calls.extend(wizard.permission_request(&self.known));
            effects.extend(calls.into_iter().map(|call| self.ask(call)));
        }
        let follow = self.follow_wizard();
        follow.into_iter().chain(effects).collect()
    }

    /// Whether the screen has no room for a page.
    fn is_too_small(&self) -> bool {
        self.size.0 < LEAST_SIZE.0 || self.size.1 < LEAST_SIZE.1
    }

    fn take(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Key(key) if key.kind == KeyEventKind::Release => Vec::new(),
            Msg::Key(key) if self.is_too_small() && !is_quit(key) => Vec::new(),
            Msg::Key(key) => self.press(key),
            Msg::Paste(_) if self.is_too_small() || self.text.is_some() => Vec::new(),
            Msg::Paste(text) => {
                self.paste(&text);
                Vec::new()
            }
            Msg::Answered(id, result) => match self.waiting.remove(&id) {
                Some(call) => self.answered(call, result),
                None => Vec::new(),
            },
            Msg::Called(call) => {
                self.called(*call);
                Vec::new()
            }
            Msg::Copied(copied) => {
                self.copied(copied);
                Vec::new()
            }
            Msg::Draft(told) => self.drafts_told(told),
            Msg::Elapsed(timer) if self.watch == Some(timer) => {
                self.watch = None;
                vec![self.ask(Call::KeyStores)]
            }
            Msg::Elapsed(timer) if self.refresh == Some(timer) => {
                self.refresh = None;
                self.look_again()
            }
            Msg::Changed => self.refresh_soon(),
            Msg::Resize { width, height } => {
                self.size = (width, height);
                Vec::new()
            }
            Msg::Elapsed(_) => Vec::new(),
        }
    }

    /// Whether nothing is waited for: no answer, no timer.
    pub fn is_quiet(&self) -> bool {
        self.waiting.is_empty()
            && self.drafts.deferred_request.is_none()
            && self.watch.is_none()
            && self.refresh.is_none()
    }

    /// Asks AWS. A question of the same kind that is still open is forgotten: the newer answer counts.
    fn ask(&mut self, call: Call) -> Effect {
        self.waiting.retain(|_, open| std::mem::discriminant(open) != std::mem::discriminant(&call));
        match &call {
            Call::KeyStores if self.known.key_stores.ready().is_none() => self.known.key_stores = Loadable::Loading,
            Call::AllTags(_) if self.known.tags.ready().is_none() => self.known.tags = Loadable::Loading,
            Call::Keys(_) if self.known.keys.ready().is_none() => self.known.keys = Loadable::Loading,
            Call::ExternalKeys => self.external_keys.asked(),
            Call::Events(_) => self.events.asked(),
            Call::Metrics { range, .. } => self.key_store.asked(*range),
            Call::Aliases if self.known.aliases.ready().is_none() => self.known.aliases = Loadable::Loading,
            Call::Users(_) => self.known.principals.on_page_requested(PrincipalKind::User),
            Call::Roles(_) => self.known.principals.on_page_requested(PrincipalKind::Role),
            _ => {}
        }
        self.last_id += 1;
        let id = CallId(self.last_id);
        self.waiting.insert(id, call.clone());
        Effect::Call(id, call)
    }

    /// Looks at the stores again in a second.
    fn look_later(&mut self) -> Vec<Effect> {
        if self.watch.is_some() {
            return Vec::new();
        }
        let timer = self.new_timer();
        self.watch = Some(timer);
        vec![Effect::After(timer, 1000)]
    }

    fn new_timer(&mut self) -> TimerId {
        self.last_id += 1;
        TimerId(self.last_id)
    }

    /// Looks at what is shown again in a moment: changes that come close together are seen together.
    fn refresh_soon(&mut self) -> Vec<Effect> {
        if self.refresh.is_some() {
            return Vec::new();
        }
        let timer = self.new_timer();
        self.refresh = Some(timer);
        vec![Effect::After(timer, REFRESH_MILLISECONDS)]
    }

    /// Asks anew for what the page shows, once the list of keys that is on its way is there.
    fn look_again(&mut self) -> Vec<Effect> {
        if self.waiting.values().any(|call| matches!(call, Call::Keys(_))) {
            return self.refresh_soon();
        }
        // The answer on the stores brings the keys.
        let mut calls = vec![Call::KeyStores, Call::Aliases];
        match &self.location {
            Location::Key(_) => calls.extend(self.key.questions(&self.known)),
            Location::ExternalKeys => calls.push(Call::ExternalKeys),
            Location::Events => calls.push(Call::Events(None)),
            _ => {}
        }
        calls.into_iter().map(|call| self.ask(call)).collect()
    }

    fn paste(&mut self, text: &str) {
        if let Some(login) = &mut self.login {
            return login.paste(text);
        }
        if let Some(Dialog::Switch(switcher)) = &mut self.dialog {
            switcher.paste(text);
        }
        if let Some(Dialog::Task(task)) = &mut self.dialog {
            task.handle_paste(text);
        }
        if self.dialog.is_some() || self.navigation.is_some() {
            return;
        }
        match self.location {
            Location::CreateKey => {
                if let Some(wizard) = &mut self.wizard {
                    wizard.handle_paste(text, &self.known);
                }
            }
            Location::KeyStores => self.key_stores.paste(text, &self.known),
            Location::Keys => self.keys.paste(text, &self.known),
            Location::AwsKeys => self.aws_keys.paste(text, &self.known),
            Location::ExternalKeys => self.external_keys.paste(text),
            Location::Events => self.events.paste(text),
            Location::ApiCalls => self.api_calls.paste(text),
            Location::KeyStore(_)
            | Location::Key(_)
            | Location::CloudHsm
            | Location::Event(_)
            | Location::ApiCall(_) => {}
        }
    }

    /// A call to AWS is over.
    fn called(&mut self, call: ApiCall) {
        if let Some(reason) = &call.observer_error {
            self.tell("Not logged", &format!("Calls to AWS are missing in the log: {reason}."));
        }
        self.api_calls.told(call);
        if self.location == Location::ApiCalls {
            self.api_calls.arrange();
        }
    }

    /// Whether the page is one that the navigation leads to.
    pub fn is_on_list(&self) -> bool {
        NAVIGATION.iter().any(|(_, location)| *location == self.location)
    }

    /// Shows another page.
    fn go(&mut self, location: Location) -> Vec<Effect> {
        self.navigation = None;
        self.failure = None;
        let mut effects = Vec::new();
        if shows_drafts(&location) && self.drafts.target.is_some() {
            // Another console may have left one, or taken one up.
            effects.push(Effect::Draft(DraftRequest::List));
        }
        match &location {
            Location::KeyStores => effects.push(self.ask(Call::KeyStores)),
            Location::KeyStore(id) => {
                self.key_store = KeyStorePage::new(id.clone());
                effects.push(self.ask(Call::KeyStores));
            }
            Location::Keys | Location::AwsKeys => effects.extend([self.ask(Call::Keys(None)), self.ask(Call::Aliases)]),
            Location::Key(id) => {
                self.key = KeyPage::new(id.clone());
                effects.push(self.ask(Call::Aliases));
                for call in self.key.questions(&self.known) {
                    effects.push(self.ask(call));
                }
            }
            Location::ExternalKeys => effects.push(self.ask(Call::ExternalKeys)),
            // Back from an event the list is as it was left.
            Location::Events if matches!(self.location, Location::Event(_)) => {}
            Location::Events => effects.push(self.ask(Call::Events(None))),
            Location::Event(id) => {
                self.event = EventPage::new(self.events.event(id).cloned());
                for call in self.event.questions() {
                    effects.push(self.ask(call));
                }
            }
            Location::ApiCalls => self.api_calls.arrange(),
            Location::CreateKey | Location::CloudHsm | Location::ApiCall(_) => {}
        }
        self.location = location;
        effects
    }
}
