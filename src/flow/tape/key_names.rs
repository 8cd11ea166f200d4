//! Converts the keys of a tape to the events that a terminal sends.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Parses a key with its modifiers, such as `Enter`, `Ctrl+N`, or `Shift+Tab`.
///
/// Returns `None` if `word` is not a key.
///
/// # Errors
/// Returns a message if `word` has modifiers but no valid key.
pub(super) fn parse_key(word: &str) -> Option<Result<KeyEvent, String>> {
    let mut modifiers = KeyModifiers::NONE;
    let mut rest = word;
    while let Some((modifier, tail)) = rest.split_once('+').and_then(|(head, tail)| Some((modifier(head)?, tail))) {
        modifiers |= modifier;
        rest = tail;
    }
    if let Some(code) = key_code(rest) {
        return Some(Ok(key_event(code, modifiers)));
    }
    if modifiers.is_empty() {
        return None;
    }
    let mut characters = rest.chars();
    Some(match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(key_event(KeyCode::Char(character), modifiers)),
        _ => Err(format!("`{word}` is not a key; after Ctrl+, Alt+, or Shift+, write a character or a key name")),
    })
}

/// Returns the name of a key as a tape writes it, such as `Enter`, `Ctrl+N`, or `a`.
pub fn key_label(key: KeyEvent) -> String {
    let mut label = String::new();
    let is_character = matches!(key.code, KeyCode::Char(character) if character != ' ');
    for (name, modifier) in
        [("Ctrl+", KeyModifiers::CONTROL), ("Alt+", KeyModifiers::ALT), ("Shift+", KeyModifiers::SHIFT)]
    {
        // A character already is upper case with Shift.
        let is_implied = modifier == KeyModifiers::SHIFT && (is_character || key.code == KeyCode::BackTab);
        if key.modifiers.contains(modifier) && !is_implied {
            label.push_str(name);
        }
    }
    match key.code {
        KeyCode::Char(' ') => label.push_str("Space"),
        KeyCode::Char(character) if key.modifiers.contains(KeyModifiers::CONTROL) => {
            label.extend(character.to_uppercase());
        }
        KeyCode::Char(character) => label.push(character),
        KeyCode::F(number) => label.extend(["F", &number.to_string()]),
        KeyCode::BackTab => label.push_str("Shift+Tab"),
        code => label.push_str(KEY_NAMES.iter().find(|(_, known)| *known == code).map_or("?", |(name, _)| name)),
    }
    label
}

/// Returns the key event that types `character`.
pub(super) fn key_for_char(character: char) -> KeyEvent {
    match character {
        '\t' => KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE),
        _ if character.is_uppercase() => KeyEvent::new(KeyCode::Char(character), KeyModifiers::SHIFT),
        _ => KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE),
    }
}

fn modifier(word: &str) -> Option<KeyModifiers> {
    match word {
        "Ctrl" => Some(KeyModifiers::CONTROL),
        "Alt" => Some(KeyModifiers::ALT),
        "Shift" => Some(KeyModifiers::SHIFT),
        _ => None,
    }
}

const KEY_NAMES: [(&str, KeyCode); 15] = [
    ("Enter", KeyCode::Enter),
    ("Tab", KeyCode::Tab),
    ("Space", KeyCode::Char(' ')),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Escape", KeyCode::Esc),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
];

fn key_code(word: &str) -> Option<KeyCode> {
    if let Some((_, code)) = KEY_NAMES.into_iter().find(|(name, _)| *name == word) {
        return Some(code);
    }
    let number = word.strip_prefix('F')?.parse().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

/// Returns the event that crossterm reports for a key with modifiers.
///
/// A terminal sends the same byte for Ctrl and a letter with or without Shift. It also sends the same byte for Tab and
/// Ctrl+I, for Enter and Ctrl+M, and for Escape and Ctrl+[.
fn key_event(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
    let control = modifiers.contains(KeyModifiers::CONTROL);
    let (code, modifiers) = match code {
        KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => (KeyCode::BackTab, modifiers),
        KeyCode::Char(character) if control => {
            let without = modifiers - KeyModifiers::CONTROL - KeyModifiers::SHIFT;
            match character.to_ascii_lowercase() {
                'i' => (KeyCode::Tab, without),
                'm' => (KeyCode::Enter, without),
                '[' => (KeyCode::Esc, without),
                '_' => (KeyCode::Char('7'), modifiers),
                lower => (KeyCode::Char(lower), modifiers - KeyModifiers::SHIFT),
            }
        }
        KeyCode::Char(character) if modifiers.contains(KeyModifiers::SHIFT) => {
            (KeyCode::Char(character.to_ascii_uppercase()), modifiers)
        }
        _ => (code, modifiers),
    };
    KeyEvent::new(code, modifiers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(word: &str) -> (KeyCode, KeyModifiers) {
        let key = parse_key(word).unwrap().unwrap();
        (key.code, key.modifiers)
    }

    #[test]
    fn key_names_parse_to_terminal_key_events() {
        assert_eq!(key("Escape"), (KeyCode::Esc, KeyModifiers::NONE));
        assert_eq!(key("F12"), (KeyCode::F(12), KeyModifiers::NONE));
        assert_eq!(key("Shift+Tab"), (KeyCode::BackTab, KeyModifiers::SHIFT));
        assert_eq!(key("Ctrl+N"), (KeyCode::Char('n'), KeyModifiers::CONTROL));
        assert_eq!(key("Ctrl+Alt+Right"), (KeyCode::Right, KeyModifiers::CONTROL | KeyModifiers::ALT));
        assert_eq!(key("Alt++"), (KeyCode::Char('+'), KeyModifiers::ALT));
        assert_eq!(key("Ctrl+M"), (KeyCode::Enter, KeyModifiers::NONE));
    }

    #[test]
    fn unknown_key_names_are_rejected() {
        assert!(parse_key("F13").is_none());
        assert!(parse_key("Slep").is_none());
        assert!(parse_key("a").is_none());
        assert!(parse_key("Ctrl+Foo").unwrap().unwrap_err().contains("`Ctrl+Foo`"));
    }

    #[test]
    fn uppercase_characters_are_typed_with_shift() {
        assert_eq!(key_for_char('A').modifiers, KeyModifiers::SHIFT);
        assert_eq!(key_for_char('a').modifiers, KeyModifiers::NONE);
    }
}
