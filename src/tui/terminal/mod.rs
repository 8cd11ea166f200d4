//! The terminal: taken over when the console starts, and given back as it was however the console ends.
//!
//! No other module writes to the terminal. It is given back once, whichever comes first: [`TerminalGuard`] is dropped
//! (quit, error), a panic (before its message is printed, so that it can be read), or a signal, which the runtime
//! hears of by [`Signals`](signals::Signals) and answers by dropping the guard.

mod backend;
mod capabilities;
mod clipboard;
mod decoder;
mod device;
mod input;
mod prompt;
pub mod signals;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use ratatui::Frame;
use ratatui::backend::{Backend as _, ClearType};

use backend::{TerminalBackend, has_uncertain_widths};
pub use capabilities::Capabilities;
pub use clipboard::ClipboardEnvironment;
use device::device;
pub use input::TerminalInput;
pub use prompt::prompt;

use super::effect::CopyResult;

/// Whether the terminal is ours now. Static, for a panic in any thread must find it.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// The console was started where it can't be shown.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TerminalError {
    /// Without a terminal.
    #[error(
        "xks-console needs a terminal, and its standard {missing}. \
         Start it from a terminal, without pipes; over ssh use `ssh -t`. `xks-console --help` shows what works without"
    )]
    Missing {
        /// What is no terminal.
        missing: &'static str,
    },
    /// In a terminal that can't move its cursor.
    #[error(
        "xks-console needs a full screen, which this terminal doesn't have (TERM is dumb). Start it in another terminal. \
         `create-key --yes`, `serve`, and `proxy` work in this one: see `xks-console --help`"
    )]
    Dumb,
}

impl TerminalError {
    /// What the program exits with.
    pub const EXIT_CODE: u8 = 2;
}

/// Checks that the program can read keys from a terminal and draw on one.
///
/// # Errors
/// [`NotATerminal`] when standard input or output is a pipe, a file or closed.
pub fn require() -> Result<(), TerminalError> {
    check(io::stdin().is_terminal(), io::stdout().is_terminal())
}

/// Checks the same where standard input and output may be pipes: then there is the terminal that the program was started from.
///
/// # Errors
/// [`NotATerminal`] when there is none.
pub fn require_any() -> Result<(), TerminalError> {
    let is_readable = io::stdin().is_terminal() || device::open_tty().is_some();
    check(is_readable, device::find().is_some())
}

fn check(input: bool, output: bool) -> Result<(), TerminalError> {
    match describe_missing(input, output) {
        Some(missing) => Err(TerminalError::Missing { missing }),
        None if !Capabilities::from_env().has_cursor => Err(TerminalError::Dumb),
        None => Ok(()),
    }
}

fn describe_missing(input: bool, output: bool) -> Option<&'static str> {
    match (input, output) {
        (true, true) => None,
        (false, true) => Some("input is not one"),
        (true, false) => Some("output is not one"),
        (false, false) => Some("input and output are not"),
    }
}

/// The way into [`TerminalGuard`].
#[derive(Debug)]
pub struct Terminal;

impl Terminal {
    /// Takes the terminal over: raw mode, the alternate screen, bracketed paste, no cursor.
    ///
    /// # Errors
    /// When the terminal can't be set up; it is as before then. Also when it is already taken.
    pub fn enter() -> io::Result<TerminalGuard> {
        install_panic_hook();
        if IN_USE.load(Ordering::SeqCst) {
            return Err(io::Error::other("the terminal is already taken; only one guard can be held at a time"));
        }
        // From here on a drop gives it back, also when only half of it has been set up.
        let guard =
            TerminalGuard { screen: new_screen()?, capabilities: Capabilities::from_env(), needs_full_redraw: false };
        acquire()?;
        Ok(guard)
    }
}

/// Holds the terminal, draws on it, and gives it back when dropped.
#[derive(Debug)]
pub struct TerminalGuard {
    screen: ratatui::Terminal<TerminalBackend>,
    capabilities: Capabilities,
    /// Whether the terminal may have drawn a part of the last frame elsewhere than it belongs.
    needs_full_redraw: bool,
}

/// A screen of which nothing is known yet.
fn new_screen() -> io::Result<ratatui::Terminal<TerminalBackend>> {
    ratatui::Terminal::new(TerminalBackend::new())
}

impl TerminalGuard {
    /// Draws a frame.
    ///
    /// # Errors
    /// When the terminal can't be written to, or when it has been given back, as it is after a panic in another thread.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if !IN_USE.load(Ordering::SeqCst) {
            return Err(io::Error::other("the terminal was given back, for a part of the program failed; see above"));
        }
        if self.needs_full_redraw {
            self.force_redraw()?;
        }
        let capabilities = self.capabilities;
        let drawn = self.screen.draw(|frame| {
            draw(frame);
            capabilities.adapt(frame.buffer_mut());
        })?;
        self.needs_full_redraw = has_uncertain_widths(drawn.buffer);
        Ok(())
    }

    /// Forgets what is on the terminal, so that the next frame is drawn in full.
    ///
    /// # Errors
    /// When the terminal can't be written to.
    pub fn force_redraw(&mut self) -> io::Result<()> {
        // Not `clear`: it asks the terminal where the cursor is, and the answer would go to whoever reads the keys.
        self.screen = new_screen()?;
        self.screen.backend_mut().clear_region(ClearType::All)
    }

    /// Sends `text` to the clipboard of whoever looks at the terminal, also over ssh.
    ///
    /// # Errors
    /// When the terminal can't be written to.
    pub fn copy(&mut self, text: &str) -> io::Result<CopyResult> {
        match ClipboardEnvironment::from_env().osc52_sequence(text) {
            Err(refused) => Ok(refused),
            Ok(sequence) => {
                let mut out = device();
                out.write_all(sequence.as_bytes())?;
                out.flush()?;
                Ok(CopyResult::Sent)
            }
        }
    }

    /// Gives the terminal back and stops the program with all that the shell started beside it, as Ctrl-Z does.
    /// When it goes on, [`Signals`](signals::Signals) says so and [`TerminalGuard::resume`] takes the terminal again.
    ///
    /// # Errors
    /// When the program can't be stopped; the terminal is taken again then.
    pub fn suspend(&mut self) -> io::Result<()> {
        restore();
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP).or_else(|error| {
            self.resume()?;
            Err(error.into())
        })
    }

    /// Takes the terminal again and forgets what was on it, so that the next frame is drawn in full.
    ///
    /// # Errors
    /// When the terminal can't be set up.
    pub fn resume(&mut self) -> io::Result<()> {
        // Whoever stopped the program may have changed the modes, so they are set again even when we still hold it.
        acquire()?;
        self.force_redraw()
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        restore();
    }
}

fn acquire() -> io::Result<()> {
    IN_USE.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(device(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
}

/// Gives the terminal back, unless that has been done. There is nobody to tell of an error: the terminal may be gone.
fn restore() {
    if IN_USE.swap(false, Ordering::SeqCst) {
        let _ = execute!(device(), DisableBracketedPaste, cursor::Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            print(panic);
        }));
    });
}

#[cfg(test)]
mod tests;
