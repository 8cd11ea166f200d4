//! A simulated user who creates a KMS key and retries after errors.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::SignedDuration;

use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};

pub const DESCRIPTION: &str = "created despite faults";
/// The console's message for a request whose outcome is unknown.
pub const UNKNOWN_OUTCOME: &str = "the request might have succeeded";

/// How the user creates the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Method1,
    Method2,
    /// Method 2 for a key with KMS origin. Only the console prevents a duplicate key here.
    Method2InKms,
}

/// A step of a flow: the text that the screen shows, and the keys that lead to the next step.
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

/// The results of a flow.
pub struct SimulatedUser {
    /// Whether the console reported success.
    pub succeeded: bool,
    /// The error messages that the console showed.
    pub errors: Vec<String>,
    /// The text of the last screen.
    pub last_screen: String,
}

/// How often the user retries a step.
const MAX_RETRIES: usize = 5;

impl SimulatedUser {
    pub fn run_flow(player: &mut Player, flow: Flow) -> Self {
        let (first, second): (&[FlowStep], &[FlowStep]) = match flow {
            Flow::Method1 => (OPEN_FROM_KEY_STORE, &[]),
            Flow::Method2 => (OPEN_FROM_KEYS, CHOOSE_KEY_STORE),
            Flow::Method2InKms => (OPEN_FROM_KEYS, CHOOSE_KMS_ORIGIN),
        };
        let mut user = Self { succeeded: false, errors: Vec::new(), last_screen: String::new() };
        user.succeeded = [first, second, COMMON_STEPS].concat().iter().all(|step| user.complete_step(player, *step));
        user
    }

    /// Resumes the flow at the current step of the wizard.
    pub fn resume_flow(player: &mut Player) -> Self {
        let mut user = Self { succeeded: false, errors: Vec::new(), last_screen: String::new() };
        user.read_screen(player);
        let title = user.last_screen.lines().nth(2).unwrap_or_default();
        // After an error on Review, only the success screen is left.
        let is_stuck =
            user.last_screen.contains(UNKNOWN_OUTCOME) || user.last_screen.contains("Couldn't create the alias");
        let current =
            COMMON_STEPS.iter().position(|(seen, _)| if is_stuck { *seen == "Success" } else { title.contains(seen) });
        let current = current.unwrap_or_else(|| panic!("{}", user.last_screen));
        user.succeeded = COMMON_STEPS[current..].iter().all(|step| user.complete_step(player, *step));
        user
    }

    /// Waits for a step, retries after errors, and presses the step's keys. Returns whether it succeeded.
    fn complete_step(&mut self, player: &mut Player, (seen, keys): FlowStep) -> bool {
        let mut tries = 0;
        loop {
            self.read_screen(player);
            if let Some(retry_key) = self.record_error() {
                tries += 1;
                if tries > MAX_RETRIES {
                    return false;
                }
                press(player, retry_key);
            } else if self.last_screen.contains(seen) {
                keys.iter().for_each(|key| press(player, key));
                return true;
            } else if let Some(deadline) = player.next_deadline().filter(|deadline| deadline.as_secs() < 60) {
                player.advance(deadline.max(SignedDuration::from_millis(1)));
            } else {
                return false;
            }
        }
    }

    fn read_screen(&mut self, player: &mut Player) {
        player.settle();
        self.last_screen = tape::screen_text(&player.frame());
    }

    /// Records the error on the screen, if any, and returns the key that retries or dismisses it.
    fn record_error(&mut self) -> Option<&'static str> {
        let last = &self.last_screen;
        let (message, retry_key) = if last.contains(UNKNOWN_OUTCOME) {
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
        self.errors.push(message);
        Some(retry_key)
    }
}

fn press(player: &mut Player, key: &str) {
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
                player.press(KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE));
            }
            return player.settle();
        }
    };
    let modifiers = if key == "next" { KeyModifiers::CONTROL } else { KeyModifiers::NONE };
    player.press(KeyEvent::new(code, modifiers));
    player.settle();
}

/// Returns the screen of *API calls*, filtered by failed calls.
pub fn failed_calls(player: &mut Player) -> String {
    player.resize((180, 30));
    player.press(KeyEvent::new(KeyCode::F(2), KeyModifiers::NONE));
    press(player, "/result:✗");
    tape::screen_text(&player.frame())
}
