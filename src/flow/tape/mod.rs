//! Tapes: scripts that drive the console, in the commands of [VHS](https://github.com/charmbracelet/vhs).
//!
//! ```text
//! #: world default
//! #: size 80x24 120x40
//!
//! #: step "Open a key store"
//! Wait+Screen /External key stores/
//! Type "/frank"
//! Enter 2
//! Wait+Screen@30s /General configuration/
//! Screenshot "key-store.png"
//! #: expect kms:DescribeCustomKeyStores .CustomKeyStores | length == 4
//! ```
//!
//! VHS accepts every tape that this module accepts, and ignores lines that begin with `#:`. Those lines hold what VHS
//! lacks.
//!
//! The screen size is in cells, so the VHS settings `Width` and `Height`, which are in pixels, are ignored, like all
//! settings for the look of a video. Commands between `Hide` and `Show` start the program in VHS and are skipped here.
//! Tapes use a manual clock: `Sleep` advances it, and `Wait` advances it from one deadline to the next until the pattern
//! matches.
//!
//! | command of VHS | meaning |
//! | --- | --- |
//! | `Type[@time] "text"` | presses a key for each character, in any of the quotes `"`, `'` and `` ` `` |
//! | `Enter[@time] [count]` | presses a key; also `Tab`, `Space`, `Up`, `Down`, `Left`, `Right`, `Backspace`, `Delete`, `Insert`, `Escape`, `PageUp`, and `PageDown` |
//! | `Ctrl+X`, `Alt+X`, `Shift+Tab` | presses a key with modifiers, which can be combined: `Ctrl+Alt+X` |
//! | `Copy "text"`, `Paste` | copies text to the tape's clipboard; pastes it |
//! | `Sleep time` | advances the clock; `500ms`, `2s`, `1m`, or a number of seconds |
//! | `Wait[+Screen\|+Line][@time] /regex/` | waits until the screen, or its last line with text, matches; 15 seconds by default |
//! | `Screenshot "name.png"` | names the screen, which is compared with its golden file or saved as a picture |
//! | `Source "part.tape"` | plays another tape here, without its settings; the path is relative to this tape's directory, and that tape can't source another one |
//! | `Hide`, `Show` | skips the commands in between |
//! | `Set name value` | sets `TypingSpeed` (0 by default), `WaitTimeout`, or `WaitPattern`; other settings are ignored |
//! | `Output`, `Require`, `Env` | ignored |
//! | `# ...` | a comment |
//!
//! | line of this program | meaning |
//! | --- | --- |
//! | `#: world empty` | the scenario of the account; `default` if it is left out |
//! | `#: lesson first-key` | in place of `#: world`: plays the lesson, one of this program or in a file, such as `a.toml` |
//! | `#: size 80x24 120x40` | the screen sizes that the tape is played at; 80x24 if it is left out |
//! | `#: clock 2026-03-02T10:15:00Z` | the time at the start; `now` for the time of the computer, which proxies over a network need |
//! | `#: mask /regex/` | replaces matches in golden files with `*`, and keeps their width |
//! | `#: step "text"` | starts a step: a caption, and a marker in recordings |
//! | `#: lesson-step 2` | begins the part of a step of the lesson: the console must be at this step |
//! | `#: key F2 [count]` | presses a key that VHS doesn't have, such as `Home`, `F2`, or `Alt+3` |
//! | `#: click "text" [2]` | clicks the first cell of a text on the screen, or of its second occurrence; `#: click right "text"` uses the right button |
//! | `#: wheel down [count]` | turns the wheel, at the place of the last click, or in the middle of the screen; also `up` |
//! | `#: paste "one\ntwo"` | pastes a text of several lines; the escapes are `\n`, `\t`, `\\`, and `\"` |
//! | `#: clock +8d` | advances the clock, without stops in between; `w`, `d`, `h`, `m`, `s` |
//! | `#: let name "text"` | sets a variable; `${name}` in later texts stands for its value |
//! | `#: let name $VARIABLE` | sets it to the value of an environment variable |
//! | `#: let name kms:ListKeys .Keys[0].KeyId` | sets it to a value in AWS |
//! | `#: call kms:DisableKey {"KeyId": "…"}` | sends a request to AWS that isn't the console's |
//! | `#: fault kms:CreateKey ThrottlingException [2 times]` | makes requests of the console fail: with an error of AWS, or `unreachable`, or `lost` (only the response is) |
//! | `#: fault xks:Encrypt timeout [partition paris] [2 times]` | makes requests to proxies fail; see [`faults`](crate::xks::faults) |
//! | `#: fault off` | ends all faults |
//! | `#: expect screen /regex/` | the screen matches; `#: expect no screen /regex/` |
//! | `#: expect style "Failed" red bold` | the text is on the screen in this [style](crate::flow::style_words) |
//! | `#: expect calls kms:CreateKey 1` | how often the console has called an operation since the tape began |
//! | `#: expect kms:DescribeKey {…} .KeyMetadata.Enabled == true` | the state of AWS; see [`expectation`](crate::expectation) |

mod directive;
mod error;
mod fault;
mod key_names;
mod mouse;
mod parse;
mod pattern;
mod play;
mod screen;
mod tokens;
mod vhs;

use std::path::Path;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseButton};
use jiff::{SignedDuration, Timestamp};
use ratatui::style::Style;
use regex_lite::Regex;

pub use error::TapeError;
pub use fault::{ApiFailure, Fault};
pub use key_names::key_label;
pub use mouse::{click_event, wheel_event};
pub use parse::parse_size;
pub use play::{AwsAccess, BoxError, ConsoleDriver, PlayObserver, Unsupported, play, play_observed};
pub use screen::{find_text, screen_text};
pub use vhs::VhsError;

pub use crate::text::file::read_text;

use self::pattern::Pattern;
use crate::client::named_call::NamedOperation;
use crate::expectation::{Expectation, Query, Request};
use crate::lessons::{self, Lesson};

/// The default timeout of `Wait`, as in VHS.
const WAIT_TIMEOUT: SignedDuration = SignedDuration::from_secs(15);
/// The screen size of tapes that set none, in columns and rows.
pub const DEFAULT_SIZE: (u16, u16) = (80, 24);

/// A parsed tape.
#[derive(Clone, Debug)]
pub struct Tape {
    name: String,
    header: Header,
    commands: Vec<PlacedCommand>,
}

/// The settings of a tape for the console that it is played on.
#[derive(Clone, Debug, Default)]
pub struct Header {
    /// The scenario of the account, if the tape sets one.
    pub world: Option<String>,
    /// The lesson, if the tape plays one.
    pub lesson: Option<Lesson>,
    /// The screen sizes in columns and rows. Empty if the tape sets none.
    pub sizes: Vec<(u16, u16)>,
    /// The time at the start, if the tape sets one.
    pub clock: Option<StartTime>,
    /// What changes from run to run, and so isn't compared.
    pub masks: Vec<Regex>,
}

/// The time at which a tape starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTime {
    /// The time of the computer.
    Now,
    /// Always the same time.
    At(Timestamp),
}

/// A command and its place.
#[derive(Clone, Debug)]
struct PlacedCommand {
    place: TapeLine,
    command: Command,
}

/// A line of a tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TapeLine {
    /// The name of the tape.
    pub tape: Arc<str>,
    /// The line number, starting at 1.
    pub line: usize,
    /// The text of the line.
    pub text: Arc<str>,
}

impl std::fmt::Display for TapeLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.tape, self.line)
    }
}

impl Tape {
    /// Parses the tape `text`. Errors show its `name`, such as `method-1.tape`. It can't source other tapes.
    ///
    /// # Errors
    /// Returns [`TapeError::Parse`] with the place of the first error.
    pub fn parse(name: &str, text: &str) -> Result<Self, TapeError> {
        let cannot_load = |_: &str| Err("only a tape in a file can source another tape".to_owned());
        parse::parse_tape(name, text, &cannot_load, &|lesson| load_lesson(lesson, Path::new("")))
    }

    /// Reads the tape at `path`, and the tapes that it sources.
    ///
    /// # Errors
    /// Returns [`TapeError::Read`] if the file can't be read, or [`TapeError::Parse`].
    pub fn read(path: &Path) -> Result<Self, TapeError> {
        let name = path.display().to_string();
        let text = read_text(path).map_err(|problem| TapeError::Read { tape: name.clone(), problem })?;
        let directory = path.parent().unwrap_or(Path::new(""));
        parse::parse_tape(
            &name,
            &text,
            &|source| {
                let path = directory.join(source);
                Ok((path.display().to_string(), read_text(&path)?))
            },
            &|lesson| load_lesson(lesson, directory),
        )
    }

    /// Returns the name that errors show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the title of recordings: the name without directories and extension.
    pub fn title(&self) -> &str {
        Path::new(&self.name).file_stem().and_then(|stem| stem.to_str()).unwrap_or(&self.name)
    }

    /// Returns the settings of the tape.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the screen sizes that the tape is played at: those that it sets, or [`DEFAULT_SIZE`].
    pub fn sizes(&self) -> Vec<(u16, u16)> {
        if self.header.sizes.is_empty() { vec![DEFAULT_SIZE] } else { self.header.sizes.clone() }
    }

    /// Returns the names of the screenshots in order, such as `review.png`.
    pub fn screenshots(&self) -> impl Iterator<Item = &str> {
        self.commands.iter().filter_map(|step| match &step.command {
            Command::Screenshot(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the first environment variable that the tape needs and that isn't set or is empty.
    pub fn unset_environment_variable(&self) -> Option<&str> {
        let needed = self.commands.iter().filter_map(|step| match &step.command {
            Command::Let { value: VariableSource::Environment(variable), .. } => Some(variable.as_str()),
            _ => None,
        });
        let is_set = |variable: &str| std::env::var(variable).is_ok_and(|value| !value.is_empty());
        needed.into_iter().find(|variable| !is_set(variable))
    }

    /// Returns the tape without the part of step `number` of its lesson and without what follows.
    #[must_use]
    pub fn before_lesson_step(&self, number: usize) -> Self {
        let is_part = |step: &PlacedCommand| matches!(step.command, Command::LessonStep(step) if step == number);
        let end = self.commands.iter().position(is_part).unwrap_or(self.commands.len());
        Self { commands: self.commands[..end].to_vec(), ..self.clone() }
    }

    /// Returns why the tape can be played only on a [player](super::player), if so.
    pub fn needs_player(&self) -> Option<&'static str> {
        let counts_calls = |step: &PlacedCommand| matches!(step.command, Command::ExpectCalls { .. });
        let counts = self.commands.iter().any(counts_calls);
        let counts = counts.then_some("it counts API calls, which only a console in this process allows");
        let lesson =
            self.header.lesson.as_ref().map(|_| "it plays a lesson, which only a console in this process allows");
        self.needs_simulation().or(counts).or(lesson)
    }

    fn needs_simulation(&self) -> Option<&'static str> {
        let has = |is: fn(&Command) -> bool| self.commands.iter().any(|step| is(&step.command));
        if has(|command| matches!(command, Command::AdvanceClock(_))) {
            Some("it advances the clock, which only an account in memory allows")
        } else if has(|command| matches!(command, Command::Fault(_))) {
            Some("it starts a fault, which only an account in memory allows")
        } else {
            None
        }
    }

    /// Returns why the tape can't be played on an account that exists already, if so.
    pub fn needs_new_account(&self) -> Option<&'static str> {
        let world = self.header.world.as_ref().map(|_| "it sets a world, and this account exists already");
        let lesson = self.header.lesson.as_ref().map(|_| "it plays a lesson, and this account exists already");
        world.or(lesson).or_else(|| self.needs_simulation())
    }

    /// Returns the places that VHS doesn't accept in a tape. Tapes that [`Tape::parse`] accepts have none.
    pub fn check_vhs(text: &str) -> Vec<VhsError> {
        vhs::check(text)
    }
}

/// Returns the lesson with a name, or at a path that is relative to `directory`.
fn load_lesson(lesson: &str, directory: &Path) -> Result<Lesson, String> {
    lessons::find(lesson, directory).map_err(|error| error.to_string())
}

/// A command of a tape, with the settings at that point applied. Texts and patterns can contain variables.
#[derive(Clone, Debug)]
enum Command {
    /// Presses a key several times, with a pause after each. The console settles after each.
    Press { key: KeyEvent, count: usize, pause: SignedDuration },
    /// Presses a key for each character, with a pause after each.
    Type { text: String, pause: SignedDuration },
    /// Presses a mouse button at an occurrence of a text, counted from 1.
    Click { button: MouseButton, text: String, occurrence: usize },
    /// Turns the wheel.
    Wheel { is_down: bool, count: usize },
    /// Pastes a text.
    Paste(String),
    /// Advances the clock and stops at each deadline.
    Sleep(SignedDuration),
    /// Advances the clock at once.
    AdvanceClock(SignedDuration),
    /// Advances the clock until the pattern matches.
    Wait { scope: Scope, timeout: SignedDuration, pattern: Pattern },
    /// Takes a screenshot.
    Screenshot(String),
    /// Starts a step.
    Step(String),
    /// Begins the part of a step of the lesson.
    LessonStep(usize),
    /// Sets a variable.
    Let { name: String, value: VariableSource },
    /// Sends a request that isn't the console's.
    Call(Request),
    /// Starts a fault, or ends all if `None`.
    Fault(Option<Fault>),
    /// Checks the screen.
    ExpectScreen { pattern: Pattern, is_expected: bool },
    /// Checks the style of a text on the screen.
    ExpectStyle { text: String, style: Style },
    /// Checks how often the console called an operation.
    ExpectCalls { operation: NamedOperation, count: usize },
    /// Checks the state of AWS.
    ExpectState(Expectation),
}

/// Where the value of a variable comes from.
#[derive(Clone, Debug)]
enum VariableSource {
    Text(String),
    Environment(String),
    Query(Query),
}

/// The part of the screen that a `Wait` searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Screen,
    Line,
}
