//! Plays one tape at one size.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use regex_lite::Regex;

use super::trace::{Trace, TraceLine};
use super::{Case, LAST_CALLS, Outcome, ScreenCheck, ScreenResult, TapeResult};
use crate::flow::golden::{GoldenFile, Screen};
use crate::flow::ids::{ACCOUNT_ID, GENERATED_IDS};
use crate::flow::player::Player;
use crate::flow::pty::PtyConsole;
use crate::flow::recorder::Recorder;
use crate::flow::tape::{BoxError, ConsoleDriver, PlayObserver, TapeError, TapeLine, play_observed};

/// How long a screen may take to become the expected one, on consoles that aren't repeatable.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// How screens are compared.
#[derive(Clone, Copy)]
pub(super) struct CompareOptions<'a> {
    /// Whether each run shows the same times and IDs. If not, they aren't compared.
    pub is_repeatable: bool,
    /// Whether the account isn't the one that the golden file was written for.
    pub is_other_account: bool,
    /// Whether the screens are to be accepted.
    pub accepts: bool,
    pub check: Option<&'a ScreenCheck>,
}

/// What differs between two runs on a console that isn't repeatable: IDs, dates, and times.
static CHANGING: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let others = [
        // The end of an ID that continues in the next row.
        "\\b[0-9a-f]{0,8}(-[0-9a-f]{4}){1,3}-[0-9a-f]{12}\\b",
        "[A-Z][a-z]{2} [0-9]{1,2}, [0-9]{4}",
        "[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "\\b[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?\\b",
        "[0-9]+ ms",
    ];
    GENERATED_IDS.into_iter().chain(others).filter_map(|pattern| Regex::new(pattern).ok()).collect()
});

/// Plays the case on `console` and compares its screens with `golden`. Also returns the screens as a golden file, and what
/// each line of the tape did.
pub(super) fn play_case<D: ConsoleDriver + CheckedConsole>(
    case: &Case,
    console: &mut D,
    golden: &GoldenFile,
    options: CompareOptions<'_>,
) -> (TapeResult, GoldenFile, Vec<TraceLine>) {
    let mut masks = case.tape.header().masks.clone();
    if !options.is_repeatable {
        masks.extend(CHANGING.iter().cloned());
    }
    if options.is_other_account {
        masks.extend(Regex::new(ACCOUNT_ID));
    }
    let mut observer = Observer { golden, options, masks, screens: Vec::new(), trace: Trace::default() };
    let played = play_observed(&case.tape, console, &mut observer);
    let mut result = TapeResult::new(&case.path, case.size);
    result.screens = std::mem::take(&mut observer.screens);
    let calls = console.api_calls();
    result.last_calls = calls[calls.len().saturating_sub(LAST_CALLS)..].to_vec();
    let taken = GoldenFile {
        screens: result.screens.iter().map(|screen| (screen.name.clone(), screen.actual.clone())).collect(),
    };
    result.outcome = match played {
        Ok(()) => {
            let left_over = golden.screens.iter().filter(|(name, _)| taken.screen(name).is_none());
            result.unreferenced = left_over.map(|(name, _)| name.clone()).collect();
            let is_same = result.screens.iter().all(ScreenResult::is_same) && result.unreferenced.is_empty();
            let has_problem = result.screens.iter().any(|screen| screen.problem.is_some());
            if is_same || options.accepts && !has_problem { Outcome::Passed } else { Outcome::Differs }
        }
        Err(error @ TapeError::WaitFailed { .. }) => Outcome::WaitFailed { message: error.to_string() },
        Err(error @ TapeError::ExpectationFailed { .. }) => Outcome::NotMet { message: error.to_string() },
        Err(error) => Outcome::Invalid { message: error.to_string() },
    };
    (result, taken, observer.trace.lines)
}

/// A console of a suite.
pub(super) trait CheckedConsole {
    /// Returns the console whose state a [check](super::Suite::checking) can look at, if there is one.
    fn player(&self) -> Option<&Player>;

    /// Whether what each line does is to be remembered.
    fn is_traced(&self) -> bool {
        false
    }

    /// Stays on the current screen in a recording.
    fn look(&mut self) {}

    /// Starts a step in a recording.
    fn mark(&mut self, _title: &str) {}
}

impl CheckedConsole for PtyConsole {
    fn player(&self) -> Option<&Player> {
        None
    }
}

impl CheckedConsole for Player {
    fn player(&self) -> Option<&Player> {
        Some(self)
    }
}

impl<D: ConsoleDriver + CheckedConsole> CheckedConsole for Recorder<'_, D> {
    fn player(&self) -> Option<&Player> {
        self.console().player()
    }

    fn is_traced(&self) -> bool {
        true
    }

    fn look(&mut self) {
        Recorder::look(self);
    }

    fn mark(&mut self, title: &str) {
        Recorder::mark(self, title);
    }
}

struct Observer<'a> {
    golden: &'a GoldenFile,
    options: CompareOptions<'a>,
    masks: Vec<Regex>,
    screens: Vec<ScreenResult>,
    trace: Trace,
}

impl Observer<'_> {
    fn compare(&self, name: &str, place: &TapeLine, console: &impl ConsoleDriver) -> ScreenResult {
        let actual = Screen::from_buffer(&console.frame(), &self.masks);
        let expected = self
            .golden
            .screen(name)
            .map(|expected| if self.options.is_repeatable { expected.clone() } else { expected.masked(&self.masks) });
        let mut changes = expected.as_ref().map(|expected| expected.changes(&actual)).unwrap_or_default();
        if self.options.is_other_account {
            // The first row names the AWS, the account, and the user.
            changes.retain(|change| change.row > 0);
        }
        ScreenResult { name: name.to_owned(), place: place.clone(), actual, expected, changes, problem: None }
    }
}

impl<D: ConsoleDriver + CheckedConsole> PlayObserver<D> for Observer<'_> {
    fn screenshot(&mut self, name: &str, place: &TapeLine, console: &mut D) -> Result<(), BoxError> {
        let mut screen = self.compare(name, place, console);
        if !self.options.is_repeatable && !self.options.accepts && screen.expected.is_some() {
            // The console might still be drawing.
            let since = Instant::now();
            while !screen.is_same() && since.elapsed() < MAX_DELAY {
                console.advance(SignedDuration::from_millis(50));
                console.settle();
                screen = self.compare(name, place, console);
            }
        }
        if let (Some(check), Some(player)) = (self.options.check, console.player()) {
            screen.problem = check(name, player).err();
        }
        self.screens.push(screen);
        console.look();
        Ok(())
    }

    fn step(&mut self, title: &str, console: &mut D) {
        console.mark(title);
    }

    fn command_played(&mut self, place: &TapeLine, console: &mut D) {
        if console.is_traced() {
            self.trace.add(place, console);
        }
    }
}
