//! Plays a tape on a console.

use std::error::Error;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use regex_lite::Regex;

use super::fault::Fault;
use super::key_names::key_for_char;
use super::mouse::{click_event, locate, wheel_event};
use super::screen::{last_line, screen_text, styles_of};
use super::{Command, PlacedCommand, Scope, Tape, TapeError, TapeLine, VariableSource};
use crate::client::Client;
use crate::client::log::ApiCall;
use crate::expectation::{ExpectationError, Variables};
use crate::flow::style_words;
use crate::lessons::progress::Progress;

/// A console that a tape can be played on. Its clock is manual or the real one.
pub trait ConsoleDriver {
    /// Presses a key.
    fn press(&mut self, key: KeyEvent);
    /// Presses a mouse button or turns the wheel, unless the mouse is off.
    ///
    /// # Errors
    /// [`Unsupported`] if the console has no mouse.
    fn mouse(&mut self, _event: MouseEvent) -> Result<(), Unsupported> {
        Err(Unsupported("this console has no mouse".to_owned()))
    }
    /// Pastes text, as a terminal with bracketed paste does.
    fn paste(&mut self, text: &str);
    /// Advances the clock and fires the timers that have become due.
    fn advance(&mut self, by: SignedDuration);
    /// Runs everything that doesn't need time to pass, until nothing is left to do.
    fn settle(&mut self);
    /// Returns the current screen.
    fn frame(&self) -> Buffer;
    /// Returns the time until the next timer becomes due, or `None` if there is none.
    fn next_deadline(&self) -> Option<SignedDuration>;

    /// Returns the API calls that the console has completed, oldest first.
    fn api_calls(&self) -> &[ApiCall] {
        &[]
    }

    /// Advances the clock at once, without stops at deadlines in between.
    ///
    /// # Errors
    /// [`Unsupported`] if the clock can't be advanced.
    fn jump(&mut self, by: SignedDuration) -> Result<(), Unsupported> {
        self.advance(by);
        Ok(())
    }

    /// Returns the access to the AWS of the console that expectations need, or `None` if there is none.
    fn aws(&self) -> Option<AwsAccess<'_>> {
        None
    }

    /// Returns the progress of the lesson, or `None` if the console plays none.
    fn lesson(&self) -> Option<&Progress> {
        None
    }

    /// Starts a fault, or ends all faults if `None`.
    ///
    /// # Errors
    /// [`Unsupported`] if this AWS can't simulate faults.
    fn set_fault(&mut self, _fault: Option<&Fault>) -> Result<(), Unsupported> {
        Err(Unsupported("faults can be simulated only with an account in memory".to_owned()))
    }
}

/// A client that isn't the console's, and the runtime on which it sends its requests.
#[derive(Clone, Copy, Debug)]
pub struct AwsAccess<'a> {
    /// The client.
    pub client: &'a Client,
    /// The runtime.
    pub runtime: &'a tokio::runtime::Runtime,
}

/// A console can't do what a tape asks for. The text says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unsupported(pub String);

/// The error of a screenshot callback.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Observes how a tape is played.
pub trait PlayObserver<D> {
    /// Is called for each screenshot.
    ///
    /// # Errors
    /// An error ends the tape.
    fn screenshot(&mut self, name: &str, place: &TapeLine, console: &mut D) -> Result<(), BoxError>;

    /// Is called when a step begins.
    fn step(&mut self, _title: &str, _console: &mut D) {}

    /// Is called after each command, when the console has settled.
    fn command_played(&mut self, _place: &TapeLine, _console: &mut D) {}
}

/// Passes screenshots to a function.
struct ScreenshotFunction<'a, D>(&'a mut dyn FnMut(&str, &D) -> Result<(), BoxError>);

impl<D> PlayObserver<D> for ScreenshotFunction<'_, D> {
    fn screenshot(&mut self, name: &str, _: &TapeLine, console: &mut D) -> Result<(), BoxError> {
        (self.0)(name, console)
    }
}

/// Plays `tape` on `console` and calls `on_screenshot` for each screenshot.
///
/// The console settles after each command, and after each press of a named key.
///
/// # Errors
/// Returns a [`TapeError`] if a `Wait` never matches, an expectation isn't met, a line can't be played, or
/// `on_screenshot` fails.
pub fn play<D: ConsoleDriver>(
    tape: &Tape,
    console: &mut D,
    on_screenshot: &mut dyn FnMut(&str, &D) -> Result<(), BoxError>,
) -> Result<(), TapeError> {
    play_observed(tape, console, &mut ScreenshotFunction(on_screenshot))
}

/// Plays `tape` on `console`, like [`play`], and tells `observer` about it.
///
/// # Errors
/// As [`play`].
pub fn play_observed<D: ConsoleDriver>(
    tape: &Tape,
    console: &mut D,
    observer: &mut dyn PlayObserver<D>,
) -> Result<(), TapeError> {
    console.settle();
    let mut playback =
        Playback { variables: Variables::default(), first_call: console.api_calls().len(), pointer: None };
    for step in &tape.commands {
        playback.play_step(step, console, observer).map_err(|error| error.redacted(&playback.variables))?;
        console.settle();
        observer.command_played(&step.place, console);
    }
    Ok(())
}

/// What playing a tape needs to remember.
struct Playback {
    variables: Variables,
    /// The number of API calls before the tape.
    first_call: usize,
    /// The place of the last click.
    pointer: Option<Position>,
}

impl Playback {
    fn play_step<D: ConsoleDriver>(
        &mut self,
        step: &PlacedCommand,
        console: &mut D,
        observer: &mut dyn PlayObserver<D>,
    ) -> Result<(), TapeError> {
        let place = &step.place;
        let cannot_play = |problem: String| TapeError::CannotPlay { place: place.clone(), problem };
        let expand = |text: &str| self.variables.expand(text).map_err(|error| cannot_play(error.to_string()));
        match &step.command {
            Command::Press { key, count, pause } => {
                for _ in 0..*count {
                    console.press(*key);
                    console.settle();
                    advance_through_deadlines(console, *pause);
                }
            }
            Command::Type { text, pause } => {
                for character in expand(text)?.chars() {
                    console.press(key_for_char(character));
                    advance_through_deadlines(console, *pause);
                }
            }
            Command::Click { button, text, occurrence } => {
                let frame = console.frame();
                let at = locate(&frame, &expand(text)?, *occurrence).map_err(|reason| {
                    TapeError::ExpectationFailed { place: place.clone(), reason, screen: screen_text(&frame) }
                })?;
                self.pointer = Some(at);
                console.mouse(click_event(*button, at)).map_err(|error| cannot_play(error.to_string()))?;
            }
            Command::Wheel { is_down, count } => {
                for _ in 0..*count {
                    let event = wheel_event(*is_down, self.pointer, &console.frame());
                    console.mouse(event).map_err(|error| cannot_play(error.to_string()))?;
                    console.settle();
                }
            }
            Command::Paste(text) => console.paste(&expand(text)?),
            Command::Sleep(time) => advance_through_deadlines(console, *time),
            Command::AdvanceClock(time) => console.jump(*time).map_err(|error| cannot_play(error.to_string()))?,
            Command::Wait { scope, timeout, pattern } => {
                let regex = pattern.resolve(&self.variables).map_err(cannot_play)?;
                let matches = |frame: &Buffer| is_match(&regex, *scope, frame);
                wait_for(console, *timeout, &matches).map_err(|reason| TapeError::WaitFailed {
                    place: place.clone(),
                    pattern: regex.as_str().to_owned(),
                    reason,
                    screen: screen_text(&console.frame()),
                })?;
            }
            Command::Screenshot(name) => {
                observer.screenshot(name, place, console).map_err(|source| TapeError::Screenshot {
                    place: place.clone(),
                    name: name.clone(),
                    source,
                })?;
            }
            Command::Step(title) => observer.step(title, console),
            Command::Let { name, value: VariableSource::Environment(variable) } => {
                let value = std::env::var(variable).map_err(|_| {
                    cannot_play(format!("the environment variable {variable} isn't set, or isn't text; set it"))
                })?;
                self.variables.set_secret(name, value);
            }
            Command::Let { name, value } => {
                let value = match value {
                    VariableSource::Text(text) => expand(text)?,
                    VariableSource::Environment(_) => return Ok(()),
                    VariableSource::Query(query) => {
                        let access = access(console).map_err(cannot_play)?;
                        let found = access.runtime.block_on(query.evaluate(access.client, &self.variables));
                        match found.map_err(|error| cannot_play(error.to_string()))? {
                            serde_json::Value::String(text) => text,
                            other => other.to_string(),
                        }
                    }
                };
                self.variables.set(name, value);
            }
            Command::Call(request) => {
                let access = access(console).map_err(cannot_play)?;
                let sent = access.runtime.block_on(request.send(access.client, &self.variables));
                sent.map_err(|error| cannot_play(error.to_string()))?;
            }
            Command::Fault(fault) => {
                console.set_fault(fault.as_ref()).map_err(|error| cannot_play(error.to_string()))?;
            }
            expectation => self.check(expectation, console).map_err(|failure| match failure {
                Failure::CannotCheck(problem) => cannot_play(problem),
                Failure::NotMet(reason) => {
                    TapeError::ExpectationFailed { place: place.clone(), reason, screen: screen_text(&console.frame()) }
                }
            })?,
        }
        Ok(())
    }

    /// Checks an expectation, or the step of the lesson. Other commands are not expected here, and pass.
    fn check(&self, expectation: &Command, console: &impl ConsoleDriver) -> Result<(), Failure> {
        match expectation {
            Command::LessonStep(number) => {
                let lesson = console.lesson();
                let lesson = lesson.ok_or_else(|| Failure::CannotCheck("this console plays no lesson".to_owned()))?;
                let current = lesson.steps.len();
                if current != *number {
                    return Err(Failure::NotMet(format!("the lesson is at step {current}; expected: step {number}")));
                }
                if lesson.steps.last().is_some_and(|step| step.done.is_some()) {
                    let reason =
                        format!("step {number} of the lesson is done when its part begins; expected: something to do");
                    return Err(Failure::NotMet(reason));
                }
                Ok(())
            }
            Command::ExpectScreen { pattern, is_expected } => {
                let regex = pattern.resolve(&self.variables).map_err(Failure::CannotCheck)?;
                if regex.is_match(&screen_text(&console.frame())) == *is_expected {
                    return Ok(());
                }
                let problem = if *is_expected { "doesn't match" } else { "matches" };
                Err(Failure::NotMet(format!("the screen {problem} /{}/", regex.as_str())))
            }
            Command::ExpectStyle { text, style } => {
                let text = self.variables.expand(text).map_err(|error| Failure::CannotCheck(error.to_string()))?;
                let found = styles_of(&console.frame(), &text);
                if found.iter().any(|styles| styles.iter().all(|actual| style_words::contains(*actual, *style))) {
                    return Ok(());
                }
                let expected = style_words::describe(*style);
                Err(Failure::NotMet(match found.first().and_then(|styles| styles.first()) {
                    Some(actual) => {
                        let actual = Some(style_words::describe(*actual)).filter(|words| !words.is_empty());
                        let actual = actual.unwrap_or_else(|| "in the default style".to_owned());
                        format!("\"{text}\" is {actual}; expected: {expected}")
                    }
                    None => format!("\"{text}\" is not on the screen"),
                }))
            }
            Command::ExpectCalls { operation, count } => {
                let calls = console.api_calls().get(self.first_call..).unwrap_or_default();
                let is_counted = |call: &&ApiCall| {
                    call.operation == operation.name() && call.service == operation.service().signing_name()
                };
                let actual = calls.iter().filter(is_counted).count();
                if actual == *count {
                    return Ok(());
                }
                Err(Failure::NotMet(format!("the console called {operation} {actual} times; expected: {count}")))
            }
            Command::ExpectState(expectation) => {
                let access = access(console).map_err(Failure::CannotCheck)?;
                let checked = access.runtime.block_on(expectation.evaluate(access.client, &self.variables));
                checked.map_err(|error| match error {
                    ExpectationError::NotMet(reason) => Failure::NotMet(reason),
                    other => Failure::CannotCheck(other.to_string()),
                })
            }
            _ => Ok(()),
        }
    }
}

/// Why an expectation isn't met.
enum Failure {
    NotMet(String),
    CannotCheck(String),
}

fn access(console: &impl ConsoleDriver) -> Result<AwsAccess<'_>, String> {
    console.aws().ok_or_else(|| "this console has no AWS that a tape can call".to_owned())
}

fn is_match(regex: &Regex, scope: Scope, frame: &Buffer) -> bool {
    match scope {
        Scope::Screen => regex.is_match(&screen_text(frame)),
        Scope::Line => regex.is_match(last_line(&screen_text(frame))),
    }
}

/// Advances the clock by `time` and stops at each deadline, because the work done there might start other timers.
fn advance_through_deadlines(console: &mut impl ConsoleDriver, time: SignedDuration) {
    if time.is_zero() {
        return;
    }
    console.settle();
    let mut remaining = time;
    while let Some(due) = console.next_deadline().map(at_least_a_millisecond)
        && due <= remaining
    {
        console.advance(due);
        console.settle();
        remaining -= due;
    }
    if remaining.is_positive() {
        console.advance(remaining);
        console.settle();
    }
}

/// Waits until the frame matches.
///
/// # Errors
/// Returns the reason why the wait ended without a match.
fn wait_for(
    console: &mut impl ConsoleDriver,
    timeout: SignedDuration,
    matches: &dyn Fn(&Buffer) -> bool,
) -> Result<(), String> {
    let mut waited = SignedDuration::ZERO;
    loop {
        console.settle();
        if matches(&console.frame()) {
            return Ok(());
        }
        let Some(due) = console.next_deadline().map(at_least_a_millisecond) else {
            return Err("the console is idle, and nothing is left to wait for".into());
        };
        waited = waited.saturating_add(due);
        if waited > timeout {
            return Err(format!("it timed out after {timeout:#}"));
        }
        console.advance(due);
    }
}

/// Ensures that the clock advances even if something is always due immediately.
fn at_least_a_millisecond(due: SignedDuration) -> SignedDuration {
    due.max(SignedDuration::from_millis(1))
}

#[cfg(test)]
mod tests;
