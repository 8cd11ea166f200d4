//! The event loop of the console: draws the state, waits for the next event, and performs effects.

use std::error::Error;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crossterm::event::Event;
use futures_util::FutureExt as _;
use futures_util::stream::{Stream, StreamExt as _};
use ratatui::layout::Size;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use super::app::App;
use super::effect::{Call, CallId, CopyResult, Effect, Msg, TimerId};
use super::preferences::SavedChange;
use super::runtime::perform;
use super::screen;
use super::terminal::signals::{Signal, Signals};
use super::terminal::{self, ClipboardEnvironment, Terminal, TerminalEvent, TerminalGuard, TerminalInput};
use super::theme_name::{SymbolSet, ThemeName};
use crate::client::Client;
use crate::client::log::ApiCall;
use crate::drafts::DraftWriter;
use crate::lessons::engine::LessonTask;
use crate::lessons::state::LessonState;
use crate::storage::changes::Changes;

/// The minimum time between frames that show only that API calls have finished: 60 frames a second. Everything else is shown at
/// once.
const FINISHED_CALLS_INTERVAL: Duration = Duration::from_millis(16);

/// An event of the event loop.
enum LoopEvent {
    Msg(Box<Msg>),
    Suspend,
    Resume,
    Exit(ExitCode),
    Ignored,
    /// API calls have finished since the last frame.
    CallsFinished,
}

/// The API calls that have finished since the last frame. A list of many keys takes many, so that not each one can wake the
/// event loop.
#[derive(Default)]
struct FinishedCalls {
    calls: Mutex<Vec<ApiCall>>,
    arrived: Notify,
}

impl FinishedCalls {
    fn lock(&self) -> MutexGuard<'_, Vec<ApiCall>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, call: ApiCall) {
        let mut calls = self.lock();
        if calls.is_empty() {
            self.arrived.notify_one();
        }
        calls.push(call);
    }

    /// Passes on the calls to the console.
    fn deliver(&self, app: &mut App) -> Vec<Effect> {
        let calls = std::mem::take(&mut *self.lock());
        calls.into_iter().flat_map(|call| app.update(Msg::ApiCallCompleted(Box::new(call)))).collect()
    }
}

/// When the next frame is due.
struct FrameSchedule {
    last: Instant,
    /// `None` if there is nothing new to show.
    next: Option<Instant>,
}

impl FrameSchedule {
    /// Creates a schedule that begins with a frame.
    fn new() -> Self {
        let now = Instant::now();
        Self { last: now, next: Some(now) }
    }

    fn is_due(&self) -> bool {
        self.next.is_some_and(|due| due <= Instant::now())
    }

    fn on_drawn(&mut self) {
        (self.last, self.next) = (Instant::now(), None);
    }

    /// Schedules a frame after an event.
    fn on_event(&mut self, event: &LoopEvent) {
        match event {
            LoopEvent::CallsFinished => self.next = self.next.or(Some(self.last + FINISHED_CALLS_INTERVAL)),
            _ => self.show_now(),
        }
    }

    fn show_now(&mut self) {
        self.next = Some(Instant::now());
    }

    /// Waits until a frame is due. Waits forever if there is nothing new to show.
    async fn until_due(&self) {
        match self.next {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}

/// The AWS of a console, when it is open.
pub struct Connection<C, F> {
    /// The client of its API.
    pub client: Client,
    /// Yields what changed in it.
    pub changes: C,
    /// Tells the console about it, and returns the effects.
    pub on_open: F,
}

impl<C, F: FnOnce(&mut App) -> Vec<Effect>> Connection<C, F> {
    /// Tells the console that the AWS is open, and returns the client, which reports its calls, and the changes.
    fn use_in(self, app: &mut App, finished: &Arc<FinishedCalls>, effects: &mut Vec<Effect>) -> (Client, C) {
        effects.extend((self.on_open)(app));
        (with_call_observer(self.client, finished), self.changes)
    }
}

/// Runs the console in this terminal, in this theme and with these symbols, until the user quits or a signal ends it.
/// `app` keeps its last state.
///
/// The console is on the screen while `connecting` opens the AWS. Calls wait until it is open. `drafts` saves the drafts,
/// `lesson` is the open lesson, if any, and `save` saves a change for the next run.
///
/// # Errors
/// If the AWS can't be opened, or if the terminal can't be set up, read, or written.
pub async fn run<C: Stream<Item = Changes> + Unpin, F: FnOnce(&mut App) -> Vec<Effect>>(
    connecting: impl Future<Output = Result<Connection<C, F>, Box<dyn Error>>>,
    app: &mut App,
    first: Vec<Effect>,
    (theme, symbols): (ThemeName, SymbolSet),
    (drafts, mut lesson): (&mut DraftWriter, Option<LessonTask>),
    save: impl Fn(&SavedChange) -> std::io::Result<()>,
) -> Result<ExitCode, Box<dyn Error>> {
    let mut signals = Signals::listen()?;
    let mut screen = Terminal::enter()?;
    screen.set_appearance(theme, symbols);
    screen.set_mouse(app.is_mouse_on())?;
    let mut input = TerminalInput::open()?;
    // While the program is stopped, the terminal belongs to the shell.
    let mut is_suspended = false;
    let mut connecting = pin!(connecting);
    let mut aws: Option<(Client, C)> = None;
    let (sender, mut inbox) = mpsc::unbounded_channel();
    let (clipboard, mut clipboard_results) = mpsc::unbounded_channel();
    let mut waiting_calls = Vec::new();
    let finished_calls = Arc::new(FinishedCalls::default());
    let mut frames = FrameSchedule::new();
    let mut effects = first;
    if let LoopEvent::Msg(size) = current_size() {
        effects.extend(app.update(*size));
    }
    // The first key must find an AWS that is open already.
    if let Some(connection) = connecting.as_mut().now_or_never() {
        aws = Some(connection?.use_in(app, &finished_calls, &mut effects));
    }
    loop {
        let is_frame_due = frames.is_due();
        if is_frame_due {
            effects.extend(finished_calls.deliver(app));
        }
        for effect in effects.drain(..) {
            match effect {
                Effect::Quit => return Ok(ExitCode::SUCCESS),
                Effect::SetMouse(is_on) => screen.set_mouse(is_on)?,
                Effect::SetTheme(name) => screen.set_theme(name),
                Effect::Copy(text) => spawn_copy(text, clipboard.clone()),
                Effect::Draft(request) => drafts.delay(request),
                Effect::Lesson(request) => {
                    if let Some(lesson) = &lesson {
                        lesson.send(request);
                    }
                }
                // It was derived from the previous client and has the same observer.
                Effect::SwitchClient(next) => aws = aws.map(|(_, changes)| (next, changes)),
                Effect::Redraw => screen.force_redraw()?,
                Effect::Suspend => {
                    is_suspended = true;
                    screen.suspend()?;
                }
                Effect::Save(change) => show_save_failure(app, &change, save(&change)),
                Effect::StartTimer(timer, milliseconds) => spawn_timer(timer, milliseconds, sender.clone()),
                Effect::Call(id, call) => match &aws {
                    Some((client, _)) => spawn_call(client.clone(), id, call, sender.clone()),
                    None => waiting_calls.push(Effect::Call(id, call)),
                },
            }
        }
        if is_frame_due && !is_suspended {
            frames.on_drawn();
            let Size { width, height } = screen.draw(|frame| screen::draw(app, frame))?;
            // A frame has the new size before the signal of the change is handled. Keys act on what the frame shows.
            if (width, height) != app.screen_size() {
                effects.extend(app.update(Msg::Resize { width, height }));
                frames.show_now();
                continue;
            }
        }
        drafts.flush();
        let happened = tokio::select! {
            event = input.next() => translate_input(event, &mut screen),
            Some(msg) = inbox.recv() => LoopEvent::Msg(Box::new(msg)),
            () = finished_calls.arrived.notified() => LoopEvent::CallsFinished,
            () = frames.until_due(), if !is_suspended => LoopEvent::Ignored,
            Some((text, copied)) = clipboard_results.recv() => {
                let what = copied.map_or_else(|| screen.copy(&text), Ok)?;
                LoopEvent::Msg(Box::new(Msg::Copied(what)))
            }
            Some(response) = drafts.next_response() => LoopEvent::Msg(Box::new(Msg::Draft(response))),
            connection = &mut connecting, if aws.is_none() => {
                effects.append(&mut waiting_calls);
                aws = Some(connection?.use_in(app, &finished_calls, &mut effects));
                LoopEvent::Ignored
            }
            Some(changes) = next_changes(&mut aws) => LoopEvent::Msg(Box::new(Msg::DataChanged(changes))),
            Some(state) = next_state(&mut lesson) => LoopEvent::Msg(Box::new(Msg::Lesson(Box::new(state)))),
            signal = signals.next() => translate_signal(signal),
        };
        frames.on_event(&happened);
        match happened {
            LoopEvent::Msg(msg) => effects.extend(app.update(*msg)),
            LoopEvent::Suspend => effects.push(Effect::Suspend),
            LoopEvent::Resume => {
                screen.resume()?;
                is_suspended = false;
            }
            LoopEvent::Exit(code) => return Ok(code),
            LoopEvent::Ignored | LoopEvent::CallsFinished => {}
        }
        // Handle all pending messages before the next frame, so that a burst of messages draws once.
        while let Ok(msg) = inbox.try_recv() {
            effects.extend(app.update(msg));
            frames.show_now();
        }
    }
}

/// Waits for the next changes of data in AWS.
async fn next_changes<C: Stream<Item = Changes> + Unpin>(aws: &mut Option<(Client, C)>) -> Option<Changes> {
    match aws {
        Some((_, changes)) => changes.next().await,
        None => std::future::pending().await,
    }
}

/// Waits for the next state of the lesson. Without a lesson, there is none.
async fn next_state(lesson: &mut Option<LessonTask>) -> Option<LessonState> {
    match lesson {
        Some(lesson) => lesson.next_state().await,
        None => std::future::pending().await,
    }
}

/// Returns the client with an observer that reports its calls to the console.
fn with_call_observer(client: Client, finished: &Arc<FinishedCalls>) -> Client {
    let finished = Arc::clone(finished);
    client.with_observer(Arc::new(move |call: &ApiCall| finished.push(call.clone())))
}

/// Returns what to say if a change can't be saved. What the console remembers on its own is lost without a message.
fn save_failure(change: &SavedChange) -> Option<(&'static str, &'static str)> {
    Some(match change {
        SavedChange::Preferences(_) => ("Couldn't save preferences", "Your preferences apply to this session only"),
        SavedChange::Theme(_) => ("Couldn't save the theme", "The theme applies to this session only"),
        SavedChange::UsedExternalKeyId { .. } => {
            ("Couldn't save the external key ID", "The console offers the ID again in this session only")
        }
        SavedChange::RecentKey { .. } => return None,
    })
}

/// Shows that a change couldn't be saved, unless it was or the user needn't know.
fn show_save_failure(app: &mut App, change: &SavedChange, saved: std::io::Result<()>) {
    if let (Err(error), Some((title, consequence))) = (saved, save_failure(change)) {
        app.show_error(title, &format!("{consequence}: {error}."));
    }
}

/// Handles what the terminal reports of itself. Without an event, it is closed.
fn translate_input(event: Option<TerminalEvent>, screen: &mut TerminalGuard) -> LoopEvent {
    match event {
        Some(TerminalEvent::Input(event)) => translate(event),
        Some(TerminalEvent::Color(report)) => {
            screen.set_color(report);
            LoopEvent::Ignored
        }
        None => LoopEvent::Exit(ExitCode::from(129)),
    }
}

fn translate(event: Event) -> LoopEvent {
    match event {
        Event::Key(key) => LoopEvent::Msg(Box::new(Msg::Key(key))),
        Event::Mouse(event) => LoopEvent::Msg(Box::new(Msg::Mouse(event))),
        Event::Paste(text) => LoopEvent::Msg(Box::new(Msg::Paste(text))),
        Event::Resize(..) | Event::FocusGained | Event::FocusLost => LoopEvent::Ignored,
    }
}

fn translate_signal(signal: Signal) -> LoopEvent {
    match signal {
        Signal::End { exit_code } => LoopEvent::Exit(ExitCode::from(exit_code)),
        Signal::Suspend => LoopEvent::Suspend,
        Signal::Resume => LoopEvent::Resume,
        Signal::Resize => current_size(),
    }
}

/// Returns the size of the terminal, if it is known.
fn current_size() -> LoopEvent {
    terminal::size()
        .map_or(LoopEvent::Ignored, |Size { width, height }| LoopEvent::Msg(Box::new(Msg::Resize { width, height })))
}

/// Copies a text with a program, and sends the text and the result: `None` if no program accepted it.
fn spawn_copy(text: String, sender: mpsc::UnboundedSender<(String, Option<CopyResult>)>) {
    tokio::spawn(async move {
        let copied = ClipboardEnvironment::from_env().copy(&text).await;
        // The receiver is gone when the console is closing.
        let _ = sender.send((text, copied));
    });
}

fn spawn_call(client: Client, id: CallId, call: Call, sender: mpsc::UnboundedSender<Msg>) {
    tokio::spawn(async move {
        let response = perform(&client, call).await;
        // The receiver is gone when the console is closing.
        let _ = sender.send(Msg::CallCompleted(id, response));
    });
}

fn spawn_timer(timer: TimerId, milliseconds: u64, sender: mpsc::UnboundedSender<Msg>) {
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        let _ = sender.send(Msg::TimerElapsed(timer));
    });
}
