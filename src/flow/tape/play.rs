//! Plays a tape on a console.

use std::error::Error;

use crossterm::event::KeyEvent;
use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr as _;

use super::{Command, Scope, Tape, TapeError};

/// A console with a manual clock that a tape can be played on.
pub trait ConsoleDriver {
    /// Presses a key.
    fn press(&mut self, key: KeyEvent);
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
}

/// The error of a screenshot callback.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Plays `tape` on `console` and calls `on_screenshot` for each screenshot.
///
/// The console settles after each command, and after each press of a named key.
///
/// # Errors
/// Returns [`TapeError::WaitFailed`] if a `Wait` times out or no timer is left to wait for, and
/// [`TapeError::Screenshot`] if `on_screenshot` fails.
pub fn play<S: ConsoleDriver>(
    tape: &Tape,
    console: &mut S,
    on_screenshot: &mut dyn FnMut(&str, &S) -> Result<(), BoxError>,
) -> Result<(), TapeError> {
    console.settle();
    for (line, command) in &tape.commands {
        match command {
            Command::Press { keys, pause, settle_each } => {
                for key in keys {
                    console.press(*key);
                    if *settle_each {
                        console.settle();
                    }
                    if !pause.is_zero() {
                        advance_through_deadlines(console, *pause);
                    }
                }
            }
            Command::Paste(text) => console.paste(text),
            Command::Sleep(time) => advance_through_deadlines(console, *time),
            Command::Wait { scope, timeout, pattern } => {
                let matches = |frame: &Buffer| match scope {
                    Scope::Screen => pattern.is_match(&screen_text(frame)),
                    Scope::Line => pattern.is_match(last_line(&screen_text(frame))),
                };
                wait_for(console, *timeout, &matches).map_err(|reason| TapeError::WaitFailed {
                    tape: tape.name.clone(),
                    line: *line,
                    pattern: pattern.as_str().to_owned(),
                    reason,
                    screen: screen_text(&console.frame()),
                })?;
            }
            Command::Screenshot(name) => {
                on_screenshot(name, console).map_err(|source| TapeError::Screenshot {
                    tape: tape.name.clone(),
                    line: *line,
                    name: name.clone(),
                    source,
                })?;
            }
        }
        console.settle();
    }
    Ok(())
}

/// Advances the clock by `time` and stops at each deadline, because the work done there might start other timers.
fn advance_through_deadlines(console: &mut dyn ConsoleDriver, time: SignedDuration) {
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
    console: &mut dyn ConsoleDriver,
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
            return Err("the console is idle and no timer is pending".into());
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

/// Returns the text of a screen, row by row, without trailing spaces.
pub fn screen_text(frame: &Buffer) -> String {
    let mut text = String::new();
    for row in 0..frame.area.height {
        let mut column = 0;
        let mut line = String::new();
        while let Some(cell) = frame.cell((frame.area.x + column, frame.area.y + row)) {
            line.push_str(cell.symbol());
            // A wide character also occupies the next cell.
            column += u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
            if column >= frame.area.width {
                break;
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::event::KeyCode;

    /// Shows the typed text. Enter starts a job with two stages of one second each.
    #[derive(Default)]
    struct FakeConsole {
        typed: String,
        now: SignedDuration,
        due: Vec<(SignedDuration, &'static str)>,
        status: &'static str,
        unsettled: bool,
        ticking: bool,
    }

    impl ConsoleDriver for FakeConsole {
        fn press(&mut self, key: KeyEvent) {
            match key.code {
                KeyCode::Char(character) => self.typed.push(character),
                KeyCode::Enter => self.due.push((self.now + SignedDuration::from_secs(1), "half")),
                _ => {}
            }
            self.unsettled = true;
        }
        fn paste(&mut self, text: &str) {
            self.typed.push_str(text);
        }
        fn advance(&mut self, by: SignedDuration) {
            self.now += by;
            let now = self.now;
            if let Some(index) = self.due.iter().position(|(at, _)| *at <= now) {
                let (at, status) = self.due.remove(index);
                self.status = status;
                if status == "half" {
                    self.due.push((at + SignedDuration::from_secs(1), "done"));
                }
            }
        }
        fn settle(&mut self) {
            self.unsettled = false;
        }
        fn frame(&self) -> Buffer {
            assert!(!self.unsettled, "a frame was taken before the console had settled");
            Buffer::with_lines([format!("{}日", self.typed), format!("said {}", self.status), String::new()])
        }
        fn next_deadline(&self) -> Option<SignedDuration> {
            let next = self.due.iter().map(|(at, _)| *at - self.now).min();
            next.or(self.ticking.then(|| SignedDuration::from_millis(100)))
        }
    }

    fn run(text: &str, console: &mut FakeConsole) -> Result<Vec<(String, String)>, TapeError> {
        let mut shots = Vec::new();
        play(&Tape::parse("toy.tape", text).unwrap(), console, &mut |name, console| {
            shots.push((name.to_owned(), screen_text(&console.frame())));
            Ok(())
        })?;
        Ok(shots)
    }

    #[test]
    fn keys_and_pastes_reach_the_console_and_screenshots_are_taken() {
        let shots = run("Type 'ab'\nSpace\nCopy 'cd'\nPaste\nScreenshot x.png", &mut FakeConsole::default()).unwrap();
        assert_eq!(shots, [("x.png".to_owned(), "ab cd日\nsaid\n\n".to_owned())]);
    }

    #[test]
    fn sleep_advances_exactly_that_long_and_fires_chained_deadlines() {
        let mut console = FakeConsole::default();
        run("Enter\nSleep 1999ms", &mut console).unwrap();
        assert_eq!(console.status, "half");
        run("Sleep 1ms", &mut console).unwrap();
        assert_eq!((console.status, console.now.as_millis()), ("done", 2000));
    }

    #[test]
    fn wait_advances_from_deadline_to_deadline() {
        let mut console = FakeConsole::default();
        run("Enter\nWait+Screen /done/\nWait+Line /^said done$/", &mut console).unwrap();
        assert_eq!(console.now.as_secs(), 2);
    }

    #[test]
    fn wait_fails_immediately_when_nothing_is_due() {
        let error = run("Type 'a'\nWait+Screen /never/", &mut FakeConsole::default()).unwrap_err().to_string();
        assert!(error.starts_with("toy.tape, line 2: Wait /never/ never matched: the console is idle"), "{error}");
        assert!(error.ends_with("The screen was:\na日\nsaid\n\n"), "{error}");
    }

    #[test]
    fn wait_fails_after_its_timeout() {
        let mut console = FakeConsole { ticking: true, ..FakeConsole::default() };
        let error = run("Wait+Screen@2s /never/", &mut console).unwrap_err().to_string();
        assert!(error.contains("it timed out after 2s"), "{error}");
        assert_eq!(console.now.as_secs(), 2);
    }

    #[test]
    fn failed_screenshot_is_named_in_the_error() {
        let tape = Tape::parse("toy.tape", "Screenshot x.png").unwrap();
        let error = play(&tape, &mut FakeConsole::default(), &mut |_, _| Err("disk full".into())).unwrap_err();
        assert_eq!(error.to_string(), "toy.tape, line 1: couldn't take the screenshot x.png: disk full");
    }
}
