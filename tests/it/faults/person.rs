//! Who wants a KMS key, and tries again when something went wrong.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::SignedDuration;
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};

pub const DESCRIPTION: &str = "made under faults";
/// What the console says when it doesn't know what became of a request.
pub const DOUBT: &str = "Whether it was done is not known";

/// How the person goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    Method1,
    Method2,
    /// Method 2 with a key whose material AWS KMS makes: nothing but the console keeps it from being made twice.
    Method2InKms,
}

/// A place on the way: what is seen there, and the keys that lead on.
type Place = (&'static str, &'static [&'static str]);

const TO_STORE: &[Place] = &[
    ("External key stores (4)", &["down", "enter"]),
    ("General configuration", &["enter"]),
    ("External key ID", &["payments-2026", "tab", "space", "next"]),
];
const TO_KEYS: &[Place] =
    &[("External key stores (4)", &["tab", "up", "up", "enter"]), ("Customer managed keys (6)", &["n"])];
const IN_STORE: &[Place] = &[
    ("Configure key", &["tab", "tab", "enter", "down", "down", "down", "space", "tab", "space", "next"]),
    ("Choose external key for this KMS key", &["/", "frank", "enter", "space", "tab", "payments-2026", "next"]),
];
const IN_KMS: &[Place] = &[("Configure key", &["next"])];
const THE_REST: &[Place] = &[
    ("Add alias and description", &["payments", "tab", DESCRIPTION, "next"]),
    ("Add tags", &["next"]),
    ("Define key administrative permissions", &["next"]),
    ("Define key usage permissions", &["next"]),
    ("Edit key policy", &["next"]),
    ("Review", &["next"]),
    ("Success", &[]),
];

/// What the person has gone through.
pub struct Person {
    /// Whether the console said so.
    pub succeeded: bool,
    /// What went wrong on the way, in the console's words.
    pub troubles: Vec<String>,
    /// The last screen.
    pub last: String,
}

/// How often the person tries again.
const PATIENCE: usize = 5;

impl Person {
    pub fn walk(journey: &mut Player, flow: Flow) -> Self {
        let (first, second): (&[Place], &[Place]) = match flow {
            Flow::Method1 => (TO_STORE, &[]),
            Flow::Method2 => (TO_KEYS, IN_STORE),
            Flow::Method2InKms => (TO_KEYS, IN_KMS),
        };
        let mut person = Self { succeeded: false, troubles: Vec::new(), last: String::new() };
        person.succeeded = [first, second, THE_REST].concat().iter().all(|place| person.pass(journey, *place));
        person
    }

    /// Goes on from wherever on the way the wizard stands.
    pub fn go_on(journey: &mut Player) -> Self {
        let mut person = Self { succeeded: false, troubles: Vec::new(), last: String::new() };
        person.look(journey);
        let title = person.last.lines().nth(2).unwrap_or_default();
        // Out of trouble there is nothing but success.
        let is_stuck = person.last.contains(DOUBT) || person.last.contains("Its alias was not");
        let here =
            THE_REST.iter().position(|(seen, _)| if is_stuck { *seen == "Success" } else { title.contains(seen) });
        let here = here.unwrap_or_else(|| panic!("{}", person.last));
        person.succeeded = THE_REST[here..].iter().all(|place| person.pass(journey, *place));
        person
    }

    /// Comes to a place and leads on from it; whether that went well.
    fn pass(&mut self, journey: &mut Player, (seen, keys): Place) -> bool {
        let mut tries = 0;
        loop {
            self.look(journey);
            if let Some(way_on) = self.trouble() {
                tries += 1;
                if tries > PATIENCE {
                    return false;
                }
                press(journey, way_on);
            } else if self.last.contains(seen) {
                keys.iter().for_each(|key| press(journey, key));
                return true;
            } else if let Some(due) = journey.next_deadline().filter(|due| due.as_secs() < 60) {
                journey.advance(due.max(SignedDuration::from_millis(1)));
            } else {
                return false;
            }
        }
    }

    fn look(&mut self, journey: &mut Player) {
        journey.settle();
        self.last = tape::screen_text(&journey.frame());
    }

    /// Notes what is wrong on the screen; the key that leads on from it.
    fn trouble(&mut self) -> Option<&'static str> {
        let last = &self.last;
        let (words, way_on) = if last.contains(DOUBT) {
            (DOUBT.to_owned(), "enter")
        } else if last.contains("was not created") || last.contains("Its alias was not") {
            (last.lines().find(|line| line.contains('✗'))?.to_owned(), "enter")
        } else if last.contains("Press r to try again") {
            (last.lines().find(|line| line.contains('✗'))?.to_owned(), "r")
        } else if let Some(flash) = last.lines().find(|line| line.contains('✗') && line.contains("[Esc] Close")) {
            (flash.to_owned(), "esc")
        } else {
            return None;
        };
        self.troubles.push(words);
        Some(way_on)
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
