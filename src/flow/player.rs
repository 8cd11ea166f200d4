//! A complete console with an in-memory account and a manual clock, driven by a tape, for tests and screenshots.

use std::sync::{Arc, mpsc};

use crossterm::event::{KeyCode, KeyEvent, MouseEvent};
use jiff::{SignedDuration, Timestamp};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use super::faulty_transport::{ApiFaults, FaultyTransport};
use crate::bundled::{BundledAws, OpenError};
use crate::client::Client;
use crate::client::log::ApiCall;
use crate::create_key::draft::KeyDraft;
use crate::drafts::{self, DraftStore};
use crate::environment::{Clock, Environment};
use crate::flow::tape::{AwsAccess, ConsoleDriver, Fault, StartTime, Tape, Unsupported};
use crate::in_process;
use crate::lessons::Lesson;
use crate::lessons::engine::LessonEngine;
use crate::lessons::progress::Progress;
use crate::tui::app::App;
use crate::tui::effect::{CopyResult, Effect, Msg, TimerId};
use crate::tui::runtime;
use crate::tui::screen;
use crate::tui::target::Target;
use crate::xks::network::Network;

/// The time at which a player starts, unless its settings say otherwise.
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

/// The console and the account that a player starts with.
#[derive(Debug)]
pub struct PlayerSettings {
    /// The columns and rows of the screen.
    pub size: (u16, u16),
    /// The scenario of the account.
    pub world: String,
    /// The lesson to play. Its scenario must be that of the account.
    pub lesson: Option<Lesson>,
    /// The time at the start.
    pub clock: StartTime,
    /// The network to proxies outside of the bundled AWS. Without it, only the bundled proxy can be reached.
    pub network: Option<Network>,
}

impl PlayerSettings {
    /// Returns the settings for a screen of `size` columns and rows, with the usual account and time.
    pub fn new(size: (u16, u16)) -> Self {
        Self { size, world: "default".to_owned(), lesson: None, clock: default_start(), network: None }
    }

    /// Returns the settings that `tape` asks for, for a screen of `size` columns and rows.
    pub fn for_tape(tape: &Tape, size: (u16, u16)) -> Self {
        let header = tape.header();
        let lesson = header.lesson.clone();
        let world = lesson.as_ref().map(|lesson| lesson.scenario.clone()).or_else(|| header.world.clone());
        let world = world.unwrap_or_else(|| "default".to_owned());
        Self { size, world, lesson, clock: header.clock.unwrap_or_else(default_start), network: None }
    }
}

fn default_start() -> StartTime {
    StartTime::At(START_TIME.parse().unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A console, its AWS, and its pending timers.
pub struct Player {
    app: App,
    client: Client,
    /// A client whose requests no fault concerns, and which no one observes.
    tape_client: Client,
    bundled: Option<BundledAws>,
    api_faults: ApiFaults,
    clock: Clock,
    runtime: tokio::runtime::Runtime,
    effects: Vec<Effect>,
    timers: Vec<(Timestamp, TimerId)>,
    calls: Vec<ApiCall>,
    copied: Vec<String>,
    drafts: Option<DraftStore>,
    lesson: Option<LessonEngine>,
    has_quit: bool,
    size: (u16, u16),
}

impl Player {
    /// Creates a console of `size` columns and rows that shows its first page, with a new account.
    ///
    /// # Errors
    /// Returns a [`PlayerError`] if the account or the runtime can't be created.
    pub fn start(size: (u16, u16)) -> Result<Self, PlayerError> {
        Self::start_with(PlayerSettings::new(size))
    }

    /// Creates a console that shows its first page, with a new account in memory.
    ///
    /// # Errors
    /// Returns a [`PlayerError`] if the account or the runtime can't be created.
    pub fn start_with(settings: PlayerSettings) -> Result<Self, PlayerError> {
        let start = match settings.clock {
            StartTime::Now => Timestamp::now(),
            StartTime::At(time) => time,
        };
        let environment = Environment::replayable(start, SEED);
        // The runtime runs only while the console waits for a response.
        let network = settings.network.map(Network::without_idle_connections);
        let bundled = BundledAws::in_memory_with_network(&settings.world, environment.clone(), network)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let client = in_process::client(&bundled, environment.clock.clone());
        let engine =
            settings.lesson.map(|lesson| LessonEngine::new(lesson, bundled.clone(), environment.clock.clone()));
        let mut player = Self::with_client(settings.size, bundled, client, Target::Bundled, environment.clock, runtime);
        if engine.is_some() {
            player.dispatch(Msg::Resize { width: settings.size.0, height: settings.size.1 });
            player.effects.extend(player.app.begin_lesson());
            player.lesson = engine;
        }
        Ok(player)
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
        Self { bundled: Some(bundled), ..Self::remote(size, client, target, clock, runtime) }
    }

    /// Creates a console that sends its requests with `client` to the AWS `target`, which runs elsewhere.
    pub fn remote(
        size: (u16, u16),
        client: Client,
        target: Target,
        clock: Clock,
        runtime: tokio::runtime::Runtime,
    ) -> Self {
        let api_faults = ApiFaults::default();
        let faulty_client = with_faults(&client, &api_faults);
        let (mut app, effects) = App::new(target, client.region());
        app.set_client(&faulty_client);
        Self {
            app,
            client: faulty_client,
            tape_client: client,
            bundled: None,
            api_faults,
            clock,
            runtime,
            effects,
            timers: Vec::new(),
            calls: Vec::new(),
            copied: Vec::new(),
            drafts: None,
            lesson: None,
            has_quit: false,
            size,
        }
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

    /// Returns the bundled AWS, unless the console uses another one.
    pub fn bundled(&self) -> Option<&BundledAws> {
        self.bundled.as_ref()
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
    pub fn use_client(&mut self, client: &Client) {
        self.app.set_client(client);
        self.client = with_faults(client, &self.api_faults);
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

fn with_faults(client: &Client, faults: &ApiFaults) -> Client {
    client.map_transport(|inner| Arc::new(FaultyTransport { inner, faults: faults.clone() }))
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

    fn mouse(&mut self, event: MouseEvent) -> Result<(), Unsupported> {
        // A click is on the last frame, so it must be up to date.
        self.frame();
        self.dispatch(Msg::Mouse(event));
        Ok(())
    }

    fn paste(&mut self, text: &str) {
        self.dispatch(Msg::Paste(text.to_owned()));
    }

    fn advance(&mut self, by: SignedDuration) {
        match self.clock {
            Clock::System => std::thread::sleep(by.unsigned_abs()),
            Clock::Manual(_) | Clock::Account(_) => match &self.bundled {
                Some(bundled) => self.runtime.block_on(bundled.advance_base_clock(by)),
                None => self.clock.advance(by),
            },
        }
        self.fire_due_timers();
    }

    fn jump(&mut self, by: SignedDuration) -> Result<(), Unsupported> {
        if matches!(self.clock, Clock::System) {
            return Err(Unsupported("the clock can be advanced only with an account in memory".to_owned()));
        }
        self.advance(by);
        Ok(())
    }

    fn api_calls(&self) -> &[ApiCall] {
        &self.calls
    }

    fn aws(&self) -> Option<AwsAccess<'_>> {
        Some(AwsAccess { client: &self.tape_client, runtime: &self.runtime })
    }

    fn lesson(&self) -> Option<&Progress> {
        self.lesson.as_ref().map(LessonEngine::progress)
    }

    fn set_fault(&mut self, fault: Option<&Fault>) -> Result<(), Unsupported> {
        let Some(bundled) = &self.bundled else {
            return Err(Unsupported("faults can be simulated only with an account in memory".to_owned()));
        };
        match fault {
            Some(Fault::Api { operation, failure, count }) => {
                self.api_faults.add(*operation, failure.clone(), *count);
            }
            Some(Fault::Proxy(fault)) => bundled.add_proxy_fault(fault.clone()),
            None => {
                self.api_faults.clear();
                bundled.clear_proxy_faults();
            }
        }
        Ok(())
    }

    fn settle(&mut self) {
        while !self.effects.is_empty() {
            for effect in std::mem::take(&mut self.effects) {
                match effect {
                    Effect::Call(id, call) => {
                        let (sender, calls) = mpsc::channel();
                        let client = self.client.clone().with_observer(Arc::new(move |call: &ApiCall| {
                            let _ = sender.send(call.clone());
                        }));
                        let response = self.runtime.block_on(runtime::perform(&client, call));
                        for call in calls.try_iter() {
                            self.calls.push(call.clone());
                            self.dispatch(Msg::ApiCallCompleted(Box::new(call)));
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
                    Effect::Lesson(request) => {
                        if let Some(lesson) = &mut self.lesson {
                            let state = self.runtime.block_on(lesson.handle(request));
                            self.dispatch(Msg::Lesson(Box::new(state)));
                        }
                    }
                    // It was derived from the current client, so faults concern it too.
                    Effect::SwitchClient(client) => self.client = client,
                    Effect::Save(_) | Effect::SetMouse(_) | Effect::SetTheme(_) | Effect::Redraw | Effect::Suspend => {}
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
