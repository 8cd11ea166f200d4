//! Tapes: scripts in the commands of [VHS](https://github.com/charmbracelet/vhs) that drive the console.
//!
//! ```text
//! # The first key store, opened.
//! Type "/prod"
//! Enter
//! Wait+Screen@30s /CONNECTED/
//! Screenshot key-store.png
//! ```
//!
//! One tape serves tests, pictures and demos. A tape runs at every size in cells that it is asked for, so VHS's `Width`
//! and `Height`, which are pixels, are read and left aside, like all that is about the look of a video. What stands
//! between `Hide` and `Show` starts the program in VHS; here it is read and skipped. Time is the injected clock's:
//! `Sleep` moves it, and `Wait` moves it from one due moment to the next until the pattern shows.
//!
//! | command | meaning |
//! | --- | --- |
//! | `Type[@time] "text"` | presses a key for each character, in any of the quotes `"`, `'` and `` ` `` |
//! | `Enter[@time] [count]` | so too `Tab`, `Space`, `Up`, `Down`, `Left`, `Right`, `Backspace`, `Delete`, `Insert`, `Escape`, `PageUp`, `PageDown`, `Home`, `End`, `F1` to `F12` |
//! | `Ctrl+X`, `Alt+X`, `Shift+Tab` | a key with modifiers, which may be joined: `Ctrl+Alt+X` |
//! | `Copy "text"`, `Paste` | puts text on the tape's clipboard; pastes it |
//! | `Sleep time` | `500ms`, `2s`, `1m`; a bare number is in seconds |
//! | `Wait[+Screen\|+Line][@time] /regex/` | until the screen, or its last line with text, matches; 15 s of the tape's time unless told |
//! | `Screenshot name.png` | hands the screen over under this name |
//! | `Hide`, `Show` | what is between is skipped |
//! | `Set name value` | `TypingSpeed` (0 unless set), `WaitTimeout` and `WaitPattern` count; the rest is about video |
//! | `Output`, `Require`, `Env` | read and left aside |
//! | `# ...` | a comment |

mod keys;
mod parse;
mod play;

use crossterm::event::KeyEvent;
use jiff::SignedDuration;
use regex_lite::Regex;

pub use play::{BoxError, ConsoleDriver, play, screen_text};

/// What a tape's `Wait` allows unless it says otherwise. VHS's default.
const WAIT_TIMEOUT: SignedDuration = SignedDuration::from_secs(15);

/// A tape that has been read and found right.
#[derive(Clone, Debug)]
pub struct Tape {
    name: String,
    commands: Vec<(usize, Command)>,
}

impl Tape {
    /// Reads the tape `text`; `name` stands in errors, such as `method-1.tape`.
    ///
    /// # Errors
    /// [`TapeError::Unreadable`] with the line of the first thing that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, TapeError> {
        parse::parse_tape(name, text)
    }

    /// The name in errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of the tape's screenshots, in order, as written (`review.png`).
    pub fn screenshots(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().filter_map(|(_, command)| match command {
            Command::Screenshot(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// One command of a tape, with the settings that were in force worked in.
#[derive(Clone, Debug)]
enum Command {
    /// Presses these keys, waiting `pause` after each; the console settles after each when `settle_each`.
    Press { keys: Vec<KeyEvent>, pause: SignedDuration, settle_each: bool },
    /// Pastes this text.
    Paste(String),
    /// Lets time pass.
    Sleep(SignedDuration),
    /// Lets time pass until the pattern shows.
    Wait { scope: Scope, timeout: SignedDuration, pattern: Regex },
    /// Hands the screen over.
    Screenshot(String),
}

/// Where a `Wait` looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Screen,
    Line,
}

/// A tape could not be read or did not play to its end.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// A line of the tape is wrong.
    #[error("{tape}, line {line}: {problem}")]
    Parse {
        /// The tape's name.
        tape: String,
        /// Its line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// What a `Wait` waits for never came.
    #[error(
        "{tape}, line {line}: Wait /{pattern}/ never came true: {reason}. \
         Mend the tape or what it tests. The screen was:\n{screen}"
    )]
    WaitFailed {
        /// The tape's name.
        tape: String,
        /// Its line, from 1.
        line: usize,
        /// The regular expression.
        pattern: String,
        /// Why there is no use in waiting on.
        reason: String,
        /// The text of the screen, row by row.
        screen: String,
    },
    /// Whoever takes the screenshots failed.
    #[error("{tape}, line {line}: the screenshot {name} could not be taken: {source}")]
    Screenshot {
        /// The tape's name.
        tape: String,
        /// Its line, from 1.
        line: usize,
        /// The screenshot's name.
        name: String,
        /// What went wrong.
        source: BoxError,
    },
}
