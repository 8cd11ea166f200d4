//! A key with its modifiers, written as the footer shows it, such as `n`, `Ctrl-N`, or `Shift-Tab`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde::{Deserialize, Serialize};

use crate::text;

/// The keys with a name. The first name of a key is the one that is displayed.
const NAMES: [(&str, KeyCode); 25] = [
    ("Space", KeyCode::Char(' ')),
    ("Enter", KeyCode::Enter),
    ("Tab", KeyCode::Tab),
    ("Esc", KeyCode::Esc),
    ("Backspace", KeyCode::Backspace),
    ("Insert", KeyCode::Insert),
    ("Delete", KeyCode::Delete),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Return", KeyCode::Enter),
    ("Escape", KeyCode::Esc),
    ("Ins", KeyCode::Insert),
    ("Del", KeyCode::Delete),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("↑", KeyCode::Up),
    ("↓", KeyCode::Down),
    ("←", KeyCode::Left),
    ("→", KeyCode::Right),
];
const MODIFIERS: [(&str, KeyModifiers); 3] =
    [("Ctrl-", KeyModifiers::CONTROL), ("Alt-", KeyModifiers::ALT), ("Shift-", KeyModifiers::SHIFT)];
/// The characters that terminals send like a digit with Ctrl.
const CONTROL_DIGITS: [(char, char); 4] = [('\\', '4'), (']', '5'), ('^', '6'), ('_', '7')];
/// The highest function key that terminals send.
const LAST_FUNCTION_KEY: u8 = 20;

/// A key with its modifiers, as a terminal can send it.
///
/// Two spellings of the same key are equal: the case of a letter with Ctrl doesn't matter, and Shift with a letter is
/// the uppercase letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPress {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a text isn't a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyError {
    /// No key has this name.
    #[error("\"{name}\" is not a key. {hint}")]
    Unknown {
        /// The text without its modifiers.
        name: String,
        /// What to write instead.
        hint: String,
    },
    /// Terminals don't send this key, or send another one for it.
    #[error("terminals can't send \"{key}\". {hint}")]
    NotSent {
        /// The text.
        key: String,
        /// What to write instead.
        hint: &'static str,
    },
}

impl KeyPress {
    /// Ctrl-C, which always quits.
    pub const INTERRUPT: Self = Self { code: KeyCode::Char('c'), modifiers: KeyModifiers::CONTROL };

    /// Returns the key press that a terminal sends for the key.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// Returns the key in its canonical form, or `None` if it has no name or terminals can't send it.
    pub fn new(code: KeyCode, modifiers: KeyModifiers) -> Option<Self> {
        let modifiers = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let (code, modifiers) = match code {
            KeyCode::Char(character) if modifiers.contains(KeyModifiers::CONTROL) => {
                (KeyCode::Char(with_control(character)?), modifiers - KeyModifiers::SHIFT)
            }
            KeyCode::Char(character) if character.is_control() => return None,
            KeyCode::Char(character) if modifiers.contains(KeyModifiers::SHIFT) => {
                (KeyCode::Char(character.to_ascii_uppercase()), modifiers - KeyModifiers::SHIFT)
            }
            KeyCode::BackTab => (code, modifiers | KeyModifiers::SHIFT),
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => (KeyCode::BackTab, modifiers),
            KeyCode::F(1..=LAST_FUNCTION_KEY) | KeyCode::Char(_) => (code, modifiers),
            code if NAMES.iter().any(|(_, named)| *named == code) => (code, modifiers),
            _ => return None,
        };
        Some(Self { code, modifiers })
    }

    /// Returns the key code, in the form of a key event.
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// Returns the modifiers, without Shift for characters.
    pub fn modifiers(self) -> KeyModifiers {
        self.modifiers
    }

    /// Whether `event` is this key.
    pub fn matches(self, event: KeyEvent) -> bool {
        Self::new(event.code, event.modifiers) == Some(self)
    }
}

/// Returns the character of a key event for `character` with Ctrl, or `None` if terminals send another key for it.
fn with_control(character: char) -> Option<char> {
    let digit = CONTROL_DIGITS.iter().find(|(symbol, _)| *symbol == character).map(|(_, digit)| *digit);
    match character.to_ascii_lowercase() {
        'i' | 'm' => None,
        character @ ('a'..='z' | ' ' | '4'..='7') => Some(character),
        '@' => Some(' '),
        _ => digit,
    }
}

impl fmt::Display for KeyPress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_shifted_letter = self.modifiers == KeyModifiers::ALT
            && matches!(self.code, KeyCode::Char(character) if character.is_ascii_uppercase());
        let shift = if is_shifted_letter { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
        for (name, modifier) in MODIFIERS {
            if (self.modifiers | shift).contains(modifier) {
                f.write_str(name)?;
            }
        }
        match self.code {
            KeyCode::BackTab => f.write_str("Tab"),
            KeyCode::F(number) => write!(f, "F{number}"),
            code => match (NAMES.iter().find(|(_, named)| *named == code), code) {
                (Some((name, _)), _) => f.write_str(name),
                (None, KeyCode::Char(character)) => write!(f, "{}", displayed(character, self.modifiers)),
                (None, _) => Err(fmt::Error),
            },
        }
    }
}

/// Returns `character` as it is displayed after the names of `modifiers`.
fn displayed(character: char, modifiers: KeyModifiers) -> char {
    let symbol = CONTROL_DIGITS.iter().find(|(_, digit)| *digit == character).map(|(symbol, _)| *symbol);
    match symbol {
        Some(symbol) if modifiers.contains(KeyModifiers::CONTROL) => symbol,
        _ if modifiers.is_empty() => character,
        _ => character.to_ascii_uppercase(),
    }
}

impl FromStr for KeyPress {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let (name, modifiers) = split_modifiers(text);
        let code = key_code(name).ok_or_else(|| unknown_key(name))?;
        let not_sent = |hint| ParseKeyError::NotSent { key: text.to_owned(), hint };
        let has = |modifier| modifiers.contains(modifier);
        let code = match code {
            KeyCode::Char(character) if has(KeyModifiers::SHIFT) && !character.is_ascii_alphabetic() => {
                return Err(not_sent("Write the character that the key types, such as \"?\"."));
            }
            KeyCode::Char(_) if has(KeyModifiers::SHIFT | KeyModifiers::CONTROL) => {
                return Err(not_sent("Leave out Shift: they send the same with and without it."));
            }
            // The letter of Alt-U is uppercase only for reading.
            KeyCode::Char(character) if has(KeyModifiers::ALT) => KeyCode::Char(character.to_ascii_lowercase()),
            code => code,
        };
        Self::new(code, modifiers).ok_or_else(|| {
            not_sent(match code {
                KeyCode::Char('i' | 'I') => "They send Tab for it.",
                KeyCode::Char('m' | 'M') => "They send Enter for it.",
                _ => "With Ctrl, use a letter, Space, \\, ], ^, or _.",
            })
        })
    }
}

/// Splits `Ctrl-Alt-X` into `X` and the modifiers.
fn split_modifiers(text: &str) -> (&str, KeyModifiers) {
    let (mut rest, mut modifiers) = (text, KeyModifiers::NONE);
    while let Some((found, modifier)) = MODIFIERS.iter().find(|(name, _)| {
        rest.len() > name.len() && rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    }) {
        rest = &rest[found.len()..];
        modifiers |= *modifier;
    }
    (rest, modifiers)
}

fn key_code(name: &str) -> Option<KeyCode> {
    let mut characters = name.chars();
    let named = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, code)| *code);
    match (named, characters.next(), characters.next()) {
        (Some(code), ..) => Some(code),
        (None, Some(character), None) if !character.is_control() => Some(KeyCode::Char(character)),
        (None, Some('F' | 'f'), Some('1'..='9')) => {
            let number = name[1..].parse().ok().filter(|number| *number <= LAST_FUNCTION_KEY)?;
            Some(KeyCode::F(number))
        }
        _ => None,
    }
}

fn unknown_key(name: &str) -> ParseKeyError {
    let known = NAMES.iter().map(|(name, _)| *name).filter(|name| name.is_ascii());
    let hint = text::nearest(name, known).map_or_else(
        || "Write a key such as \"n\", \"Ctrl-N\", \"F5\", \"Alt-Right\", \"Shift-Tab\", or \"Space\".".to_owned(),
        |nearest| format!("Did you mean \"{nearest}\"?"),
    );
    ParseKeyError::Unknown { name: name.to_owned(), hint }
}

impl TryFrom<String> for KeyPress {
    type Error = ParseKeyError;

    fn try_from(text: String) -> Result<Self, ParseKeyError> {
        text.parse()
    }
}

impl From<KeyPress> for String {
    fn from(key: KeyPress) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::keymap::BINDINGS;

    fn key_codes() -> impl Strategy<Value = KeyCode> {
        let named = NAMES.map(|(_, code)| code).to_vec();
        prop_oneof![
            any::<char>().prop_map(KeyCode::Char),
            proptest::char::range(' ', '~').prop_map(KeyCode::Char),
            any::<u8>().prop_map(KeyCode::F),
            Just(KeyCode::BackTab),
            Just(KeyCode::Menu),
            proptest::sample::select(named),
        ]
    }

    proptest! {
        #[test]
        fn keys_are_parsed_as_they_are_displayed(code in key_codes(), modifiers in 0u8..16) {
            let modifiers = KeyModifiers::from_bits_truncate(modifiers);
            if let Some(key) = KeyPress::new(code, modifiers) {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
                prop_assert_eq!(KeyPress::new(key.code(), key.modifiers()), Some(key));
                prop_assert!(key.matches(KeyEvent::new(code, modifiers)));
                let json = serde_json::to_string(&key).unwrap();
                prop_assert_eq!(serde_json::from_str::<KeyPress>(&json).unwrap(), key);
            }
        }

        #[test]
        fn any_text_is_a_key_or_an_error(text in "((Ctrl|alt|Shift)-){0,3}(.{0,3}|Tab|F[0-9]{1,3})") {
            if let Ok(key) = text.parse::<KeyPress>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }

    #[test]
    fn labels_of_the_footer_are_keys() {
        let labels = BINDINGS.iter().filter(|binding| !["Alt-1…", "←/→"].contains(&binding.label));
        for binding in labels {
            let key: KeyPress = binding.label.parse().unwrap();
            assert!(key.matches(KeyEvent::new(binding.code, binding.modifiers)), "{}", binding.label);
        }
    }

    #[test]
    fn spellings_of_the_same_key_are_equal() {
        for (spelling, displayed) in [
            ("n", "n"),
            ("N", "N"),
            ("shift-n", "N"),
            ("ctrl-n", "Ctrl-N"),
            ("CTRL-N", "Ctrl-N"),
            ("Alt-Ctrl-x", "Ctrl-Alt-X"),
            ("alt-u", "Alt-U"),
            ("Shift-Alt-u", "Alt-Shift-U"),
            ("Alt-Right", "Alt-Right"),
            ("Shift-Alt-→", "Alt-Shift-Right"),
            ("f5", "F5"),
            ("shift-TAB", "Shift-Tab"),
            ("space", "Space"),
            (" ", "Space"),
            ("Ctrl-@", "Ctrl-Space"),
            ("Ctrl-7", "Ctrl-_"),
            ("7", "7"),
            ("PageDown", "PgDn"),
            ("Alt--", "Alt--"),
            ("-", "-"),
            ("é", "é"),
        ] {
            assert_eq!(spelling.parse::<KeyPress>().map(|key| key.to_string()).as_deref(), Ok(displayed), "{spelling}");
        }
    }

    #[test]
    fn errors_say_what_to_write_instead() {
        for (text, part) in [
            ("Entr", "\"Entr\" is not a key. Did you mean \"Enter\"?"),
            ("Ctrl-Bakspace", "Did you mean \"Backspace\"?"),
            ("", "Write a key such as"),
            ("Ctrl-", "Write a key such as"),
            ("F21", "\"F21\" is not a key"),
            ("F99999999999", "is not a key"),
            ("nn", "Write a key such as"),
            ("\u{1b}", "is not a key"),
            ("Ctrl-I", "They send Tab for it."),
            ("ctrl-m", "They send Enter for it."),
            ("Ctrl-[", "With Ctrl, use a letter"),
            ("Ctrl-Shift-N", "Leave out Shift"),
            ("Shift-1", "the character that the key types"),
        ] {
            let error = text.parse::<KeyPress>().unwrap_err().to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
