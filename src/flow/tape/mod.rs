//! Tapes: scripts in the commands of [VHS](https://github.com/charmbracelet/vhs) that drive the console.
//!
//! ```text
//! # Open the first key store.
//! Type "/prod"
//! Enter
//! Wait+Screen@30s /CONNECTED/
//! Screenshot key-store.png
//! ```
//!
//! The same tape is used for tests, screenshots, and demos. The caller sets the screen size in cells, so the VHS
//! settings `Width` and `Height`, which are in pixels, are ignored, like all settings for the look of a video. Commands
//! between `Hide` and `Show` start the program in VHS and are skipped here. Tapes use a manual clock: `Sleep` advances
//! it, and `Wait` advances it from one deadline to the next until the pattern matches.
//!
//! | command | meaning |
//! | --- | --- |
//! | `Type[@time] "text"` | presses a key for each character, in any of the quotes `"`, `'` and `` ` `` |
//! | `Enter[@time] [count]` | presses a key; also `Tab`, `Space`, `Up`, `Down`, `Left`, `Right`, `Backspace`, `Delete`, `Insert`, `Escape`, `PageUp`, `PageDown`, `Home`, `End`, and `F1` to `F12` |
//! | `Ctrl+X`, `Alt+X`, `Shift+Tab` | presses a key with modifiers, which can be combined: `Ctrl+Alt+X` |
//! | `Copy "text"`, `Paste` | copies text to the tape's clipboard; pastes it |
//! | `Sleep time` | advances the clock; `500ms`, `2s`, `1m`, or a number of seconds |
//! | `Wait[+Screen\|+Line][@time] /regex/` | waits until the screen, or its last line with text, matches; 15 seconds by default |
//! | `Screenshot name.png` | takes a screenshot with this name |
//! | `Hide`, `Show` | skips the commands in between |
//! | `Set name value` | sets `TypingSpeed` (0 by default), `WaitTimeout`, or `WaitPattern`; other settings are ignored |
//! | `Output`, `Require`, `Env` | ignored |
//! | `# ...` | a comment |

mod key_names;
mod parse;
mod play;

use crossterm::event::KeyEvent;
use jiff::SignedDuration;
use regex_lite::Regex;

pub use play::{BoxError, ConsoleDriver, play, screen_text};

/// The default timeout of `Wait`, as in VHS.
const WAIT_TIMEOUT: SignedDuration = SignedDuration::from_secs(15);

/// A parsed tape.
#[derive(Clone, Debug)]
pub struct Tape {
    name: String,
    commands: Vec<(usize, Command)>,
}

impl Tape {
    /// Parses the tape `text`. Errors show its `name`, such as `method-1.tape`.
    ///
    /// # Errors
    /// Returns [`TapeError::Parse`] with the line of the first error.
    pub fn parse(name: &str, text: &str) -> Result<Self, TapeError> {
        parse::parse_tape(name, text)
    }

    /// Returns the name that errors show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the names of the screenshots in order, such as `review.png`.
    pub fn screenshots(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().filter_map(|(_, command)| match command {
            Command::Screenshot(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// A command of a tape, with the settings at that point applied.
#[derive(Clone, Debug)]
enum Command {
    /// Presses keys, with a `pause` after each. If `settle_each`, the console also settles after each key.
    Press { keys: Vec<KeyEvent>, pause: SignedDuration, settle_each: bool },
    /// Pastes a text.
    Paste(String),
    /// Advances the clock.
    Sleep(SignedDuration),
    /// Advances the clock until the pattern matches.
    Wait { scope: Scope, timeout: SignedDuration, pattern: Regex },
    /// Takes a screenshot.
    Screenshot(String),
}

/// The part of the screen that a `Wait` searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Screen,
    Line,
}

/// An error in a tape, or while playing it.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// A line of the tape is not valid.
    #[error("{tape}, line {line}: {problem}")]
    Parse {
        /// The name of the tape.
        tape: String,
        /// The line number, starting at 1.
        line: usize,
        /// What is wrong, and how to correct it.
        problem: String,
    },
    /// The pattern of a `Wait` never matched.
    #[error(
        "{tape}, line {line}: Wait /{pattern}/ never matched: {reason}. \
         Correct the tape or the console. The screen was:\n{screen}"
    )]
    WaitFailed {
        /// The name of the tape.
        tape: String,
        /// The line number, starting at 1.
        line: usize,
        /// The regular expression.
        pattern: String,
        /// Why the wait ended.
        reason: String,
        /// The text of the screen, row by row.
        screen: String,
    },
    /// Taking a screenshot failed.
    #[error("{tape}, line {line}: couldn't take the screenshot {name}: {source}")]
    Screenshot {
        /// The name of the tape.
        tape: String,
        /// The line number, starting at 1.
        line: usize,
        /// The name of the screenshot.
        name: String,
        /// The cause.
        source: BoxError,
    },
}
