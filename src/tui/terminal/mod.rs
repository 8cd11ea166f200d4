//! The terminal: set up when the console starts, and restored when it ends, for whatever reason.
//!
//! No other module writes to the terminal. It is restored once, by the first of these: dropping [`TerminalGuard`] (quit
//! or error), a panic (before its message is printed, so that it is readable), or a signal, which the runtime receives
//! from
//! [`Signals`](signals::Signals) and handles by dropping the guard.

mod backend;
mod capabilities;
mod clipboard;
mod colors;
mod decoder;
mod device;
mod input;
mod prompt;
pub mod signals;

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::Print;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use ratatui::Frame;
use ratatui::backend::{Backend as _, ClearType};
use ratatui::layout::Size;

use backend::{TerminalBackend, has_uncertain_widths};
pub use capabilities::Capabilities;
pub use clipboard::ClipboardEnvironment;
pub use colors::{ColorReport, ColorSlot};
pub use decoder::TerminalEvent;
use device::device;
pub use device::size;
pub use input::TerminalInput;
pub use prompt::prompt;

use super::effect::CopyResult;
use super::theme::{Palette, Theme};
use super::theme_name::{SymbolSet, ThemeName};

/// Whether the console holds the terminal. It is static because a panic in any thread needs it.
static IN_USE: AtomicBool = AtomicBool::new(false);

/// Makes the terminal report presses of mouse buttons and the wheel, but no motion. The second mode is the format.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1006h";
/// Ends these reports, so that the terminal selects text with the mouse.
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1000l";

/// How long a terminal takes to tell its colors after it was set up, at most, if it tells them at all.
const REPLY_TIME: Duration = Duration::from_millis(100);

/// The console can't run in this environment.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TerminalError {
    /// Standard input or output is not a terminal.
    #[error(
        "the console needs a terminal, but its standard {missing}. \
         Start it in a terminal without pipes; over SSH, use `ssh -t`. For commands that don't need a terminal, \
         run `xks-console --help`"
    )]
    Missing {
        /// Which streams are not a terminal.
        missing: &'static str,
    },
    /// The terminal can't move its cursor.
    #[error(
        "the console needs a full-screen terminal, but TERM is \"dumb\". Start it in another terminal. \
         `create-key --yes`, `serve`, and `proxy` also work in this one: see `xks-console --help`"
    )]
    Dumb,
}

impl TerminalError {
    /// The exit code of the program.
    pub const EXIT_CODE: u8 = 2;
}

/// Checks that the program can read keys from a terminal and draw on one.
///
/// # Errors
/// [`TerminalError::Missing`] if standard input or output is a pipe, a file, or closed. [`TerminalError::Dumb`] if the
/// terminal can't move its cursor.
pub fn require() -> Result<(), TerminalError> {
    check(io::stdin().is_terminal(), io::stdout().is_terminal())
}

/// Checks the same, but accepts the controlling terminal if standard input or output is redirected.
///
/// # Errors
/// The same as for [`require`].
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
        (false, true) => Some("input is not a terminal"),
        (true, false) => Some("output is not a terminal"),
        (false, false) => Some("input and output are not terminals"),
    }
}

/// Creates a [`TerminalGuard`].
#[derive(Debug)]
pub struct Terminal;

impl Terminal {
    /// Sets up the terminal: raw mode, alternate screen, bracketed paste, and hidden cursor.
    ///
    /// # Errors
    /// If the terminal can't be set up, in which case it is restored, or if another guard holds it.
    pub fn enter() -> io::Result<TerminalGuard> {
        install_panic_hook();
        if IN_USE.load(Ordering::SeqCst) {
            return Err(io::Error::other("the terminal is already in use; only one guard can exist at a time"));
        }
        // From here on, dropping the guard restores the terminal, even after a partial setup.
        let mut guard = TerminalGuard {
            screen: new_screen()?,
            capabilities: Capabilities::from_env(),
            theme_name: ThemeName::Auto,
            theme: Theme::default(),
            reports: Vec::new(),
            needs_full_redraw: false,
            is_mouse_on: false,
            entered: Instant::now(),
        };
        guard.update_theme();
        acquire()?;
        Ok(guard)
    }
}

/// Holds the terminal, draws on it, and restores it when dropped.
#[derive(Debug)]
pub struct TerminalGuard {
    screen: ratatui::Terminal<TerminalBackend>,
    capabilities: Capabilities,
    /// The theme that was chosen.
    theme_name: ThemeName,
    /// The theme for this terminal.
    theme: Theme,
    /// The colors that the terminal reported.
    reports: Vec<ColorReport>,
    /// Whether the terminal may have drawn a part of the last frame in the wrong place.
    needs_full_redraw: bool,
    /// Whether the terminal reports the mouse.
    is_mouse_on: bool,
    /// When the terminal was set up.
    entered: Instant,
}

/// Creates a screen with unknown content.
fn new_screen() -> io::Result<ratatui::Terminal<TerminalBackend>> {
    ratatui::Terminal::new(TerminalBackend::new())
}

impl TerminalGuard {
    /// Draws a frame, and returns its size in cells.
    ///
    /// # Errors
    /// If the terminal can't be written to, or if it was restored after a panic in another thread.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<Size> {
        if !IN_USE.load(Ordering::SeqCst) {
            return Err(io::Error::other(
                "the terminal was restored because another thread panicked; see the message above",
            ));
        }
        if self.needs_full_redraw {
            self.force_redraw()?;
        }
        let (capabilities, theme) = (self.capabilities, self.theme);
        let drawn = self.screen.draw(|frame| {
            draw(frame);
            theme.apply(frame.buffer_mut());
            capabilities.adapt(frame.buffer_mut());
        })?;
        self.needs_full_redraw = has_uncertain_widths(drawn.buffer);
        Ok(drawn.area.as_size())
    }

    /// Draws with this theme and these symbols from the next frame on.
    pub fn set_appearance(&mut self, theme: ThemeName, symbols: SymbolSet) {
        self.set_theme(theme);
        self.capabilities = Capabilities::from_env().with_symbols(symbols);
    }

    /// Draws with this theme from the next frame on.
    pub fn set_theme(&mut self, theme: ThemeName) {
        self.theme_name = theme;
        self.update_theme();
    }

    /// Adapts the theme to the colors of the terminal.
    fn update_theme(&mut self) {
        let name = if self.capabilities.has_color { self.theme_name } else { ThemeName::Mono };
        let mut palette = match name {
            ThemeName::Light => Palette::XTERM_LIGHT,
            ThemeName::Dark => Palette::XTERM_DARK,
            _ => colors::assumed_palette(std::env::var("COLORFGBG").ok().as_deref()),
        };
        self.reports.iter().for_each(|report| report.store_in(&mut palette));
        self.theme = Theme::new(name, &palette);
    }

    /// Stores a color that the terminal reported, which may change the theme.
    pub fn set_color(&mut self, report: ColorReport) {
        self.reports.retain(|earlier| earlier.slot != report.slot);
        self.reports.push(report);
        self.update_theme();
    }

    /// Turns reports of the mouse on or off.
    ///
    /// # Errors
    /// If the terminal can't be written to.
    pub fn set_mouse(&mut self, is_on: bool) -> io::Result<()> {
        self.is_mouse_on = is_on;
        execute!(device(), Print(if is_on { MOUSE_ON } else { MOUSE_OFF }))
    }

    /// Clears the terminal, so that the next frame is drawn in full.
    ///
    /// # Errors
    /// If the terminal can't be written to.
    pub fn force_redraw(&mut self) -> io::Result<()> {
        // `clear` would query the cursor position, and the input thread would read the reply.
        self.screen = new_screen()?;
        self.screen.backend_mut().clear_region(ClearType::All)
    }

    /// Sends `text` to the clipboard of the user's terminal, which also works over SSH.
    ///
    /// # Errors
    /// If the terminal can't be written to.
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

    /// Restores the terminal and stops the process group, as Ctrl-Z does. When the program continues,
    /// [`Signals`](signals::Signals) returns [`Signal::Resume`](signals::Signal::Resume), and [`TerminalGuard::resume`]
    /// sets up the terminal again.
    ///
    /// # Errors
    /// If the program can't be stopped, in which case the terminal is set up again.
    pub fn suspend(&mut self) -> io::Result<()> {
        restore();
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP).or_else(|error| {
            self.resume()?;
            Err(error.into())
        })
    }

    /// Sets up the terminal again and clears it, so that the next frame is drawn in full.
    ///
    /// # Errors
    /// If the terminal can't be set up.
    pub fn resume(&mut self) -> io::Result<()> {
        // The shell may have changed the modes, so set them again even if the guard still holds the terminal.
        acquire()?;
        if self.is_mouse_on {
            self.set_mouse(true)?;
        }
        self.force_redraw()
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        if self.capabilities.reports_colors && self.reports.is_empty() {
            // Until the program ends, its input thread reads the replies. After that, the shell would.
            std::thread::sleep(REPLY_TIME.saturating_sub(self.entered.elapsed()));
        }
        restore();
    }
}

fn acquire() -> io::Result<()> {
    IN_USE.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(device(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
    if Capabilities::from_env().reports_colors {
        let mut out = device();
        out.write_all(colors::query().as_bytes())?;
        out.flush()?;
    }
    Ok(())
}

/// Restores the terminal, unless that was done before. Errors are ignored because the terminal may be closed.
fn restore() {
    if IN_USE.swap(false, Ordering::SeqCst) {
        let _ = execute!(device(), Print(MOUSE_OFF), DisableBracketedPaste, cursor::Show, LeaveAlternateScreen);
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
