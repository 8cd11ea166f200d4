//! Who wants a KMS key, and tries again when something went wrong.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::SignedDuration;
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};

pub const DESCRIPTION: &str = "made under faults";
/// What the console says when it doesn't know what became of a request.
pub const UNKNOWN_OUTCOME: &str = "the request might have succeeded";

/// How the person goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Method1,
    Method2,
    /// Method 2 with a key whose material AWS KMS makes: nothing but the console keeps it from being made twice.
    Method2InKms,
}

/// A place on the way: what is seen there, and the keys that lead on.
type FlowStep = (&'static str, &'static [&'static str]);

const OPEN_FROM_KEY_STORE: &[FlowStep] = &[
    ("External key stores (4)", &["down", "enter"]),
    ("General configuration", &["enter"]),
    ("External key ID", &["payments-2026", "tab", "space", "next"]),
];
const OPEN_FROM_KEYS: &[FlowStep] =
    &[("External key stores (4)", &["tab", "up", "up", "enter"]), ("Customer managed keys (6)", &["n"])];
const CHOOSE_KEY_STORE: &[FlowStep] = &[
    ("Configure key", &["tab", "tab", "enter", "down", "down", "down", "space", "tab", "space", "next"]),
    ("Choose external key for this KMS key", &["/", "frank", "enter", "space", "tab", "payments-2026", "next"]),
];
const CHOOSE_KMS_ORIGIN: &[FlowStep] = &[("Configure key", &["next"])];
const COMMON_STEPS: &[FlowStep] = &[
    ("Add alias and description", &["payments", "tab", DESCRIPTION, "next"]),
    ("Add tags", &["next"]),
    ("Define key administrative permissions", &["next"]),
    ("Define key usage permissions", &["next"]),
    ("Edit key policy", &["next"]),
    ("Review", &["next"]),
    ("Success", &[]),
];

/// What the person has gone through.
pub struct SimulatedUser {
    /// Whether the console said so.
    pub succeeded: bool,
    /// What went wrong on the way, in the console's words.
    pub errors: Vec<String>,
    /// The last screen.
    pub last_screen: String,
}

/// How often the person tries again.
const MAX_RETRIES: usize = 5;

impl SimulatedUser {
    pub fn run_flow(journey: &mut Player, flow: Flow) -> Self {
        let (first, second): (&[FlowStep], &[FlowStep]) = match flow {
            Flow::Method1 => (OPEN_FROM_KEY_STORE, &[]),
            Flow::Method2 => (OPEN_FROM_KEYS, CHOOSE_KEY_STORE),
            Flow::Method2InKms => (OPEN_FROM_KEYS, CHOOSE_KMS_ORIGIN),
        };
        let mut user = Self { succeeded: false, errors: Vec::new(), last_screen: String::new() };
        user.succeeded = [first, second, COMMON_STEPS].concat().iter().all(|place| user.complete_step(journey, *place));
        user
    }

    /// Goes on from wherever on the way the wizard stands.
    pub fn resume_flow(journey: &mut Player) -> Self {
        let mut user = Self { succeeded: false, errors: Vec::new(), last_screen: String::new() };
        user.read_screen(journey);
        let title = user.last_screen.lines().nth(2).unwrap_or_default();
        // Out of trouble there is nothing but success.
        let is_stuck =
            user.last_screen.contains(UNKNOWN_OUTCOME) || user.last_screen.contains("Couldn't create the alias");
        let current =
            COMMON_STEPS.iter().position(|(seen, _)| if is_stuck { *seen == "Success" } else { title.contains(seen) });
        let current = current.unwrap_or_else(|| panic!("{}", user.last_screen));
        user.succeeded = COMMON_STEPS[current..].iter().all(|place| user.complete_step(journey, *place));
        user
    }

    /// Comes to a place and leads on from it; whether that went well.
    fn complete_step(&mut self, journey: &mut Player, (seen, keys): FlowStep) -> bool {
        let mut tries = 0;
        loop {
            self.read_screen(journey);
            if let Some(retry_key) = self.record_error() {
                tries += 1;
                if tries > MAX_RETRIES {
                    return false;
                }
                press(journey, retry_key);
            } else if self.last_screen.contains(seen) {
                keys.iter().for_each(|key| press(journey, key));
                return true;
            } else if let Some(due) = journey.next_deadline().filter(|due| due.as_secs() < 60) {
                journey.advance(due.max(SignedDuration::from_millis(1)));
            } else {
                return false;
            }
        }
    }

    fn read_screen(&mut self, journey: &mut Player) {
        journey.settle();
        self.last_screen = tape::screen_text(&journey.frame());
    }

    /// Notes what is wrong on the screen; the key that leads on from it.
    fn record_error(&mut self) -> Option<&'static str> {
        let last = &self.last_screen;
        let (words, retry_key) = if last.contains(UNKNOWN_OUTCOME) {
            (UNKNOWN_OUTCOME.to_owned(), "enter")
        } else if last.contains("was not created") || last.contains("Couldn't create the alias") {
            (last.lines().find(|line| line.contains('✗'))?.to_owned(), "enter")
        } else if last.contains("Press r to try again") {
            (last.lines().find(|line| line.contains('✗'))?.to_owned(), "r")
        } else if let Some(flash) = last.lines().find(|line| line.contains('✗') && line.contains("[Esc] Close")) {
            (flash.to_owned(), "esc")
        } else {
            return None;
        };
        self.errors.push(words);
        Some(retry_key)
    }
}

fn press(journey: &mut Player, key: &str) {
    let code = match key {
        "enter" => KeyCode::Enter,
        "tab" => KeyCode::Tab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "space" => KeyCode::Char(' '),
        "esc" => KeyCode::Esc,
        "next" => KeyCode::Char('n'),
        text => {
            for character in text.chars() {
                journey.press(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE));
            }
            return journey.settle();
        }
    };
    let modifiers = if key == "next" { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
    journey.press(KeyEvent::new(code, modifiers));
    journey.settle();
}

/// The page *API calls*, of those that failed.
pub fn failed_calls(journey: &mut Player) -> String {
    journey.resize((180, 30));
    journey.press(KeyEvent::new(KeyCode::F(2), KeyModifiers::NONE));
    press(journey, "/result:✗");
    tape::screen_text(&journey.frame())
}
