//! A complete console with an in-memory account and a manual clock, driven by a tape, for tests and screenshots.

use std::sync::{Arc, mpsc};

use crossterm::event::{KeyCode, KeyEvent};
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::bundled::{BundledAws, OpenError};
use crate::client::Client;
use crate::client::log::ApiCall;
use crate::create_key::draft::KeyDraft;
use crate::drafts::{self, DraftStore};
use crate::environment::{Clock, Environment};
use crate::flow::tape::ConsoleDriver;
use crate::in_process;
use crate::tui::app::App;
use crate::tui::effect::{CopyResult, Effect, Msg, TimerId};
use crate::tui::runtime;
use crate::tui::screen;
use crate::tui::target::Target;

/// The time at which every player starts.
const START_TIME: &str = "2026-03-02T10:15:00Z";
/// The seed for keys and IDs.
const SEED: u64 = 20_260_302;

/// The reason why a player can't start.
#[derive(Debug, thiserror::Error)]
pub enum PlayerError {
    /// The in-memory account couldn't be created.
    #[error(transparent)]
    Account(#[from] OpenError),
    /// The runtime couldn't be created.
    #[error("couldn't create the runtime of the player: {0}")]
    Runtime(#[from] std::io::Error),
}

/// A console, its bundled AWS, and its pending timers.
pub struct Player {
    app: App,
    client: Client,
    bundled: BundledAws,
    clock: Clock,
    runtime: tokio::runtime::Runtime,
    effects: Vec<Effect>,
    timers: Vec<(Timestamp, TimerId)>,
    copied: Vec<String>,
    drafts: Option<DraftStore>,
    has_quit: bool,
    size: (u16, u16),
}

impl Player {
    /// Creates a console of `size` columns and rows that shows its first page, with a new account.
    ///
    /// # Errors
    /// Returns a [`PlayerError`] if the account or the runtime can't be created.
    pub fn start(size: (u16, u16)) -> Result<Self, PlayerError> {
        let start = START_TIME.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let world = Environment::replayable(start, SEED);
        let bundled = BundledAws::in_memory("default", world.clone())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = in_process::client(&bundled, world.clock.clone());
        Ok(Self::with_client(size, bundled, client, Target::Bundled, world.clock, runtime))
    }

    /// Creates a console that sends its requests with `client` to the AWS `target`, which is served by `bundled`.
    ///
    /// The requests run on `runtime`. `clock` is the clock of the console.
    pub fn with_client(
        size: (u16, u16),
        bundled: BundledAws,
        client: Client,
        target: Target,
        clock: Clock,
        runtime: tokio::runtime::Runtime,
    ) -> Self {
        let (mut app, effects) = App::new(target, client.region());
        app.set_client(&client);
        let (timers, copied) = (Vec::new(), Vec::new());
        Self { app, client, bundled, clock, runtime, effects, timers, copied, drafts: None, has_quit: false, size }
    }

    /// Opens the console for a single key, as with [`App::start_single_key_session`].
    #[must_use]
    pub fn for_single_key(mut self, draft: KeyDraft, requested_store: Option<String>) -> Self {
        self.app.start_single_key_session(draft, requested_store);
        self
    }

    /// Returns the state of the console.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Returns the bundled AWS.
    pub fn bundled(&self) -> &BundledAws {
        &self.bundled
    }

    /// Returns the client of the console.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Enables drafts, which are saved in `store`. For `session`, see [`App::enable_drafts`].
    pub fn keep_drafts(&mut self, store: DraftStore, world: drafts::DraftTarget, session: &str) {
        self.drafts = Some(store);
        let effects = self.app.enable_drafts(world, session.to_owned());
        self.effects.extend(effects);
    }

    /// Makes the console use another client.
    pub fn use_client(&mut self, client: Client) {
        self.app.set_client(&client);
        self.client = client;
    }

    /// Returns the texts that were copied to the clipboard, newest last.
    pub fn copied(&self) -> &[String] {
        &self.copied
    }

    /// Whether the user has quit the console.
    pub fn has_quit(&self) -> bool {
        self.has_quit
    }

    /// Resizes the console to `size` columns and rows.
    pub fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.dispatch(Msg::Resize { width: size.0, height: size.1 });
    }

    fn dispatch(&mut self, msg: Msg) {
        let effects = self.app.update(msg);
        self.effects.extend(effects);
    }

    fn fire_due_timers(&mut self) {
        let now = self.clock.now();
        self.timers.sort_unstable();
        while let Some((due, timer)) = self.timers.first().copied()
            && due <= now
        {
            self.timers.remove(0);
            self.dispatch(Msg::TimerElapsed(timer));
            self.settle();
        }
    }
}

impl ConsoleDriver for Player {
    fn press(&mut self, key: KeyEvent) {
        // These keys depend on the layout of the last frame, so it must be up to date.
        let depends_on_frame = matches!(
            key.code,
            KeyCode::Up
                | KeyCode::Down
                | KeyCode::Left
                | KeyCode::Right
                | KeyCode::PageUp
                | KeyCode::PageDown
                | KeyCode::Home
                | KeyCode::End
        );
        if depends_on_frame {
            self.frame();
        }
        self.dispatch(Msg::Key(key));
    }

    fn paste(&mut self, text: &str) {
        self.dispatch(Msg::Paste(text.to_owned()));
    }

    fn advance(&mut self, by: SignedDuration) {
        self.clock.advance(by);
        self.fire_due_timers();
    }

    fn settle(&mut self) {
        while !self.effects.is_empty() {
            for effect in std::mem::take(&mut self.effects) {
                match effect {
                    Effect::Call(id, call) => {
                        let (sender, calls) = mpsc::channel();
                        let client = self.client.clone().with_observer(Arc::new(move |call: &ApiCall| {
                            let _ = sender.send(Msg::ApiCallCompleted(Box::new(call.clone())));
                        }));
                        let response = self.runtime.block_on(runtime::perform(&client, call));
                        for msg in calls.try_iter() {
                            self.dispatch(msg);
                        }
                        self.dispatch(Msg::CallCompleted(id, response));
                    }
                    Effect::StartTimer(timer, milliseconds) => {
                        let after = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
                        let due = self.clock.now().saturating_add(after).unwrap_or(Timestamp::MAX);
                        self.timers.push((due, timer));
                    }
                    Effect::Copy(text) => {
                        self.copied.push(text);
                        self.dispatch(Msg::Copied(CopyResult::Sent));
                    }
                    Effect::Draft(request) => {
                        if let Some(response) = self.drafts.as_mut().and_then(|drafts| drafts.handle(request)) {
                            self.dispatch(Msg::Draft(response));
                        }
                    }
                    Effect::SwitchClient(client) => self.client = client,
                    Effect::SavePreferences(_) => {}
                    Effect::Quit => {
                        self.has_quit = true;
                        return self.effects.clear();
                    }
                }
            }
        }
    }

    fn frame(&self) -> Buffer {
        let (width, height) = self.size;
        let Ok(mut terminal) = Terminal::new(TestBackend::new(width, height));
        let Ok(frame) = terminal.draw(|frame| screen::draw(&self.app, frame));
        frame.buffer.clone()
    }

    fn next_deadline(&self) -> Option<SignedDuration> {
        let due = self.timers.iter().map(|(due, _)| *due).min()?;
        Some(due.duration_since(self.clock.now()).max(SignedDuration::ZERO))
    }
}
