//! The bytes that a terminal sends for keys and pastes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

pub(super) const ESCAPE: u8 = 0x1b;

/// Returns the bytes that xterm sends for a key, in its default modes. A key that it doesn't have sends nothing.
pub(super) fn key_bytes(key: KeyEvent) -> Vec<u8> {
    let has = |modifier| key.modifiers.contains(modifier);
    let character = match key.code {
        KeyCode::Char(character) if has(KeyModifiers::CONTROL) => with_control(character),
        KeyCode::Char(character) => character,
        KeyCode::Enter => '\r',
        KeyCode::Tab => '\t',
        KeyCode::Backspace if has(KeyModifiers::CONTROL) => '\x08',
        KeyCode::Backspace => '\x7f',
        KeyCode::Esc => char::from(ESCAPE),
        _ => return escape_sequence(key).into_bytes(),
    };
    let mut bytes = Vec::new();
    if has(KeyModifiers::ALT) {
        bytes.push(ESCAPE);
    }
    bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
    bytes
}

/// Returns the report of a mouse event in the SGR format. A button is pressed and released.
pub(super) fn mouse_report(event: MouseEvent) -> String {
    let number = match event.kind {
        MouseEventKind::Down(MouseButton::Left) => 0,
        MouseEventKind::Down(MouseButton::Middle) => 1,
        MouseEventKind::Down(MouseButton::Right) => 2,
        MouseEventKind::ScrollUp => 64,
        MouseEventKind::ScrollDown => 65,
        _ => return String::new(),
    };
    let report = format!("\x1b[<{number};{};{}", event.column + 1, event.row + 1);
    let release = if number < 64 { format!("{report}m") } else { String::new() };
    format!("{report}M{release}")
}

/// Returns the character that Ctrl and `character` produce.
fn with_control(character: char) -> char {
    match character {
        ' ' | '2' => '\0',
        '3' => '\x1b',
        '4' => '\x1c',
        '5' => '\x1d',
        '6' => '\x1e',
        '7' | '/' => '\x1f',
        '8' | '?' => '\x7f',
        '@'..='_' | 'a'..='z' => char::from(u8::try_from(character).unwrap_or_default() & 0x1f),
        _ => character,
    }
}

/// Returns the escape sequence of a key that has one.
fn escape_sequence(key: KeyEvent) -> String {
    // The parameter for the modifiers is 1 without any.
    let values = [(KeyModifiers::SHIFT, 1), (KeyModifiers::ALT, 2), (KeyModifiers::CONTROL, 4)];
    let modifiers: u8 =
        1 + values.iter().filter(|(modifier, _)| key.modifiers.contains(*modifier)).map(|(_, v)| v).sum::<u8>();
    let with_letter = |unmodified: &str, letter: char| match modifiers {
        1 => format!("\x1b{unmodified}{letter}"),
        _ => format!("\x1b[1;{modifiers}{letter}"),
    };
    let with_number = |number: u8| match modifiers {
        1 => format!("\x1b[{number}~"),
        _ => format!("\x1b[{number};{modifiers}~"),
    };
    match key.code {
        KeyCode::Up => with_letter("[", 'A'),
        KeyCode::Down => with_letter("[", 'B'),
        KeyCode::Right => with_letter("[", 'C'),
        KeyCode::Left => with_letter("[", 'D'),
        KeyCode::End => with_letter("[", 'F'),
        KeyCode::Home => with_letter("[", 'H'),
        KeyCode::BackTab => "\x1b[Z".to_owned(),
        KeyCode::Insert => with_number(2),
        KeyCode::Delete => with_number(3),
        KeyCode::PageUp => with_number(5),
        KeyCode::PageDown => with_number(6),
        KeyCode::F(number @ 1..=4) => with_letter("O", char::from(b'P' + number - 1)),
        KeyCode::F(5) => with_number(15),
        KeyCode::F(number @ 6..=10) => with_number(number + 11),
        KeyCode::F(number @ 11..=12) => with_number(number + 12),
        _ => String::new(),
    }
}

/// Returns what a terminal sends when `text` is pasted. It is marked as pasted if the program has asked for that.
pub(super) fn paste_bytes(text: &str, is_bracketed: bool) -> String {
    // An escape sequence in the text could end the paste.
    let text = text.replace("\r\n", "\r").replace('\n', "\r").replace('\x1b', "");
    if is_bracketed { format!("\x1b[200~{text}\x1b[201~") } else { text }
}
