//! Decodes terminal input: separates keys and pastes of the user from replies of the terminal.
//!
//! A terminal sends replies to queries (colors, name, cursor position) on the same stream as the keys. A late reply can
//! reach a program that never sent the query. The decoder recognizes replies by their syntax, in 7-bit and 8-bit form
//! (ECMA-48, *XTerm Control Sequences*), however reads split them. It reports colors and drops all other replies.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::colors::ColorReport;

/// Something that the terminal sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// A key, a paste, or a mouse event.
    Input(Event),
    /// A color of the terminal.
    Color(ColorReport),
}

/// The timeout for the rest of a sequence, after which Esc is a key press.
const ESCAPE_TIMEOUT: Duration = Duration::from_millis(60);
/// The timeout for the rest of a reply, after which it is dropped.
const REPLY_TIMEOUT: Duration = Duration::from_secs(1);
/// The end of a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";
/// The maximum length of the parameters of a key sequence, in bytes. Longer sequences are not keys.
const MAX_PARAMETER_BYTES: usize = 32;

/// The maximum length of a reply that is read, in bytes. Longer replies are dropped.
const MAX_REPLY_BYTES: usize = 64;

/// The position in the current sequence.
#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    /// In a UTF-8 character, with its bytes so far and its modifiers.
    Utf8(Vec<u8>, KeyModifiers),
    Escape,
    /// After `ESC [`, with the parameters so far.
    Csi(Vec<u8>),
    /// After `ESC [ [`, which the Linux console sends.
    LinuxFunctionKey,
    /// After `ESC O`.
    Ss3,
    /// In OSC, DCS, APC, PM, or SOS, until the terminator. Tracks the remaining bytes of a UTF-8 character and whether
    /// the last byte was ESC.
    ControlString(ControlString),
    /// In a mouse report, with the number of remaining bytes.
    Mouse(u8),
    Paste(Vec<u8>),
}

/// A control string that has begun.
#[derive(Debug, Default)]
struct ControlString {
    /// The start of the text.
    text: Vec<u8>,
    remaining_utf8_bytes: u8,
    is_escaped: bool,
    /// Whether it is an operating system command, which can end with BEL.
    is_osc: bool,
}

impl ControlString {
    /// Returns the color that the complete control string reports.
    fn into_event(self) -> Option<TerminalEvent> {
        let is_short = self.is_osc && self.text.len() <= MAX_REPLY_BYTES;
        ColorReport::parse(&self.text).filter(|_| is_short).map(TerminalEvent::Color)
    }
}

/// Decodes bytes into events.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
}

impl Decoder {
    /// Decodes the next bytes and returns the completed events.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<TerminalEvent> {
        let mut events = Vec::new();
        for byte in bytes {
            self.push_byte(*byte, &mut events);
        }
        events
    }

    /// Returns how long to wait for more bytes before calling [`on_timeout`](Self::on_timeout), or `None` between
    /// sequences.
    pub fn timeout(&self) -> Option<Duration> {
        match self.state {
            State::Ground => None,
            State::Escape | State::Ss3 => Some(ESCAPE_TIMEOUT),
            _ => Some(REPLY_TIMEOUT),
        }
    }

    /// Ends the current sequence after [`timeout`](Self::timeout) without input.
    pub fn on_timeout(&mut self) -> Option<TerminalEvent> {
        match std::mem::take(&mut self.state) {
            State::Escape => Some(key_event(KeyCode::Esc, KeyModifiers::NONE)),
            State::Ss3 => Some(char_event('O', KeyModifiers::ALT)),
            State::Paste(bytes) => Some(paste_event(&bytes)),
            _ => None,
        }
    }

    fn push_byte(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        match std::mem::take(&mut self.state) {
            State::Ground => self.ground(byte, KeyModifiers::NONE, events),
            State::Utf8(bytes, modifiers) => self.continue_utf8(bytes, byte, modifiers, events),
            State::Escape => self.escape(byte, events),
            State::Csi(parameters) => self.csi(parameters, byte, events),
            State::LinuxFunctionKey => {
                if let Some(number) = byte.checked_sub(b'A').filter(|number| *number < 5) {
                    events.push(key_event(KeyCode::F(number + 1), KeyModifiers::NONE));
                }
            }
            State::Ss3 => events.extend(final_byte_key(byte).map(|code| key_event(code, KeyModifiers::NONE))),
            State::ControlString(string) => self.control_string(string, byte, events),
            State::Mouse(rest) => {
                if rest > 1 {
                    self.state = State::Mouse(rest - 1);
                }
            }
            State::Paste(mut bytes) => {
                bytes.push(byte);
                if bytes.ends_with(PASTE_END) {
                    bytes.truncate(bytes.len() - PASTE_END.len());
                    events.push(paste_event(&bytes));
                } else {
                    self.state = State::Paste(bytes);
                }
            }
        }
    }

    fn ground(&mut self, byte: u8, modifiers: KeyModifiers, events: &mut Vec<TerminalEvent>) {
        let control = modifiers | KeyModifiers::CONTROL;
        match byte {
            0x1b => self.state = State::Escape,
            b'\r' => events.push(key_event(KeyCode::Enter, modifiers)),
            b'\t' => events.push(key_event(KeyCode::Tab, modifiers)),
            0x7f => events.push(key_event(KeyCode::Backspace, modifiers)),
            0 => events.push(key_event(KeyCode::Char(' '), control)),
            0x01..=0x1a => events.push(key_event(KeyCode::Char(char::from(byte - 1 + b'a')), control)),
            0x1c..=0x1f => events.push(key_event(KeyCode::Char(char::from(byte - 0x1c + b'4')), control)),
            b' '..=b'~' => events.push(char_event(char::from(byte), modifiers)),
            0x8f => self.state = State::Ss3,
            0x9b => self.state = State::Csi(Vec::new()),
            0x90 | 0x98 | 0x9d..=0x9f => self.begin_control_string(byte == 0x9d),
            0xc2..=0xf4 => self.state = State::Utf8(vec![byte], modifiers),
            _ => {}
        }
    }

    fn begin_control_string(&mut self, is_osc: bool) {
        self.state = State::ControlString(ControlString { is_osc, ..ControlString::default() });
    }

    fn continue_utf8(
        &mut self,
        mut bytes: Vec<u8>,
        byte: u8,
        modifiers: KeyModifiers,
        events: &mut Vec<TerminalEvent>,
    ) {
        if byte & 0xc0 != 0x80 {
            // The bytes don't form a UTF-8 character.
            return self.ground(byte, KeyModifiers::NONE, events);
        }
        bytes.push(byte);
        match std::str::from_utf8(&bytes) {
            Ok(text) => events.extend(text.chars().map(|one| char_event(one, modifiers))),
            Err(error) if error.error_len().is_none() => self.state = State::Utf8(bytes, modifiers),
            Err(_) => {}
        }
    }

    fn escape(&mut self, byte: u8, events: &mut Vec<TerminalEvent>) {
        match byte {
            0x1b => {
                events.push(key_event(KeyCode::Esc, KeyModifiers::NONE));
                self.state = State::Escape;
            }
            b'[' => self.state = State::Csi(Vec::new()),
            b'O' => self.state = State::Ss3,
            b'P' | b'X' | b']' | b'^' | b'_' => self.begin_control_string(byte == b']'),
            byte => self.ground(byte, KeyModifiers::ALT, events),
        }
    }

    fn csi(&mut self, mut parameters: Vec<u8>, byte: u8, events: &mut Vec<TerminalEvent>) {
        match byte {
            b' '..=b'?' => {
                // Keep one byte more than a key can have, to detect that it is not a key.
                if parameters.len() <= MAX_PARAMETER_BYTES {
                    parameters.push(byte);
                }
                self.state = State::Csi(parameters);
            }
            b'[' if parameters.is_empty() => self.state = State::LinuxFunctionKey,
            b'M' if parameters.is_empty() => self.state = State::Mouse(3),
            b'~' if parameters == b"200" => self.state = State::Paste(Vec::new()),
            b'@'..=b'~' => events.extend(csi_event(&parameters, byte)),
            0x18 | 0x1a => {}
            byte => self.ground(byte, KeyModifiers::NONE, events),
        }
    }

    fn control_string(&mut self, mut string: ControlString, byte: u8, events: &mut Vec<TerminalEvent>) {
        let is_continued = string.remaining_utf8_bytes > 0 && byte & 0xc0 == 0x80;
        match byte {
            b'\\' if string.is_escaped => events.extend(string.into_event()),
            _ if string.is_escaped => self.escape(byte, events),
            0x07 if string.is_osc => events.extend(string.into_event()),
            0x18 | 0x1a => {}
            0x9c if !is_continued => events.extend(string.into_event()),
            byte => {
                string.remaining_utf8_bytes = match byte {
                    _ if is_continued => string.remaining_utf8_bytes - 1,
                    0xc2..=0xdf => 1,
                    0xe0..=0xef => 2,
                    0xf0..=0xf4 => 3,
                    _ => 0,
                };
                string.is_escaped = byte == 0x1b;
                // Keep one byte more than a reply can have, to detect that it is not one.
                if !string.is_escaped && string.text.len() <= MAX_REPLY_BYTES {
                    string.text.push(byte);
                }
                self.state = State::ControlString(string);
            }
        }
    }
}

fn key_event(code: KeyCode, modifiers: KeyModifiers) -> TerminalEvent {
    TerminalEvent::Input(Event::Key(KeyEvent::new(code, modifiers)))
}

fn paste_event(bytes: &[u8]) -> TerminalEvent {
    TerminalEvent::Input(Event::Paste(String::from_utf8_lossy(bytes).into_owned()))
}

/// Returns the event of a typed character. Uppercase letters get the Shift modifier.
fn char_event(letter: char, modifiers: KeyModifiers) -> TerminalEvent {
    let shift = if letter.is_uppercase() { KeyModifiers::SHIFT } else { KeyModifiers::NONE };
    key_event(KeyCode::Char(letter), modifiers | shift)
}

/// Returns the key whose sequence `ESC O` or `ESC [` ends with this byte.
fn final_byte_key(byte: u8) -> Option<KeyCode> {
    Some(match byte {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'M' => KeyCode::Enter,
        b'P'..=b'S' => KeyCode::F(byte - b'P' + 1),
        _ => return None,
    })
}

/// Returns the event of a mouse report in SGR form, such as `<0;12;3M`: a press of a button, or a turn of the wheel.
fn mouse_event(report: &[u8], last: u8) -> Option<TerminalEvent> {
    let mut numbers = std::str::from_utf8(report).ok()?.split(';').map(|number| number.parse::<u16>().ok());
    let (button, column, row) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let modifiers = [(4, KeyModifiers::SHIFT), (8, KeyModifiers::ALT), (16, KeyModifiers::CONTROL)];
    let kind = match (button & !0b1_1100, last) {
        (0, b'M') => MouseEventKind::Down(MouseButton::Left),
        (1, b'M') => MouseEventKind::Down(MouseButton::Middle),
        (2, b'M') => MouseEventKind::Down(MouseButton::Right),
        (64, b'M') => MouseEventKind::ScrollUp,
        (65, b'M') => MouseEventKind::ScrollDown,
        _ => return None,
    };
    let held = modifiers.into_iter().filter(|(bit, _)| button & bit != 0);
    Some(TerminalEvent::Input(Event::Mouse(MouseEvent {
        kind,
        column: column.checked_sub(1)?,
        row: row.checked_sub(1)?,
        modifiers: held.fold(KeyModifiers::NONE, |all, (_, modifier)| all | modifier),
    })))
}

/// Returns the key or mouse event of a control sequence, or `None` for a reply.
fn csi_event(parameters: &[u8], last: u8) -> Option<TerminalEvent> {
    if let Some(report) = parameters.strip_prefix(b"<") {
        return mouse_event(report, last);
    }
    let numbers: Option<Vec<u8>> = match parameters {
        b"" => Some(Vec::new()),
        text => std::str::from_utf8(text).ok()?.split(';').map(|number| number.parse().ok()).collect(),
    };
    let numbers = numbers?;
    let (first, modifiers) = match numbers[..] {
        [] => (1, KeyModifiers::NONE),
        [first] => (first, KeyModifiers::NONE),
        // Two numbers before R are a cursor position report.
        [first, modifiers] if last != b'R' && (2..=16).contains(&modifiers) => (first, decode_modifiers(modifiers - 1)),
        _ => return None,
    };
    match last {
        b'~' => tilde_key(first).map(|code| key_event(code, modifiers)),
        b'Z' => Some(key_event(KeyCode::BackTab, modifiers | KeyModifiers::SHIFT)),
        b'M' => None,
        last if first == 1 => final_byte_key(last).map(|code| key_event(code, modifiers)),
        _ => None,
    }
}

/// Decodes the modifier parameter of XTerm, minus one.
fn decode_modifiers(bits: u8) -> KeyModifiers {
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in
        [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL), (8, KeyModifiers::META)]
    {
        if bits & bit != 0 {
            modifiers |= modifier;
        }
    }
    modifiers
}

fn tilde_key(number: u8) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(number - 10),
        17..=21 => KeyCode::F(number - 11),
        23 | 24 => KeyCode::F(number - 12),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::colors::ColorSlot;
    use super::*;
    use crate::tui::theme::Rgb;

    /// Terminal replies in 7-bit and 8-bit form, with both terminators.
    const REPLIES: &[&[u8]] = &[
        b"\x1b]52;c;ZGRk\x1b\\",
        b"\x1b]l\xc3\x9c\xe4\xb8\x9c title\x1b\\",
        b"\x1bP>|tmux 3.4\x1b\\",
        b"\x1bP1+r5463=787465726d\x1b\\",
        b"\x90>|XTerm(390)\x9c",
        b"\x1bP!|00000000\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
        b"\x1b^hello\x1b\\",
        b"\x1bXhello d\x1b\\",
        b"\x1b[?64;1;2;6;9;15;18;21;22c",
        b"\x1b[>41;354;0c",
        b"\x9b?62;c",
        b"\x1b[0n",
        b"\x1b[24;80R",
        b"\x1b[1;2R",
        b"\x1b[?2026;2$y",
        b"\x1b[8;24;80t",
        b"\x1b[?0u",
        b"\x1b[?997;1n",
        b"\x1b[I",
        b"\x1b[O",
        b"\x1b[<35;10;10M",
        b"\x1b[M#ab",
        b"\x1b[1;1;1;1&w",
    ];

    fn color_event(slot: ColorSlot, gray: u8) -> TerminalEvent {
        TerminalEvent::Color(ColorReport { slot, color: Rgb(gray, gray, gray) })
    }

    fn click(kind: MouseEventKind, column: u16, row: u16, modifiers: KeyModifiers) -> TerminalEvent {
        TerminalEvent::Input(Event::Mouse(MouseEvent { kind, column, row, modifiers }))
    }

    /// Events with the bytes that terminals send for them.
    fn events() -> Vec<(&'static [u8], TerminalEvent)> {
        let none = KeyModifiers::NONE;
        vec![
            (b"a", char_event('a', none)),
            (b"A", key_event(KeyCode::Char('A'), KeyModifiers::SHIFT)),
            ("ü".as_bytes(), char_event('ü', none)),
            ("日".as_bytes(), char_event('日', none)),
            ("\u{1f600}".as_bytes(), char_event('\u{1f600}', none)),
            (b"\r", key_event(KeyCode::Enter, none)),
            (b"\x0e", key_event(KeyCode::Char('n'), KeyModifiers::CONTROL)),
            (b"\x1f", key_event(KeyCode::Char('7'), KeyModifiers::CONTROL)),
            (b"\x1b1", char_event('1', KeyModifiers::ALT)),
            (b"\x1bu", char_event('u', KeyModifiers::ALT)),
            (b"\x1b\x7f", key_event(KeyCode::Backspace, KeyModifiers::ALT)),
            (b"\x1b[A", key_event(KeyCode::Up, none)),
            (b"\x1bOB", key_event(KeyCode::Down, none)),
            (b"\x1b[1;5C", key_event(KeyCode::Right, KeyModifiers::CONTROL)),
            (b"\x1b[Z", key_event(KeyCode::BackTab, KeyModifiers::SHIFT)),
            (b"\x1b[3~", key_event(KeyCode::Delete, none)),
            (b"\x1b[5~", key_event(KeyCode::PageUp, none)),
            (b"\x1bOR", key_event(KeyCode::F(3), none)),
            (b"\x1b[24~", key_event(KeyCode::F(12), none)),
            (b"\x1b[[A", key_event(KeyCode::F(1), none)),
            (b"\x7f", key_event(KeyCode::Backspace, none)),
            (b"\x1b[200~x\r\ny\x1b[201~", paste_event(b"x\r\ny")),
            (b"\x1b]11;rgb:dcdc/dcdc/dcdc\x07", color_event(ColorSlot::Background, 0xdc)),
            (b"\x1b]10;rgb:1e1e/1e1e/1e1e\x1b\\", color_event(ColorSlot::Foreground, 0x1e)),
            (b"\x9d4;7;rgb:dcdc/dcdc/dcdc\x9c", color_event(ColorSlot::Ansi(7), 0xdc)),
            (b"\x1b[<0;12;3M", click(MouseEventKind::Down(MouseButton::Left), 11, 2, none)),
            (b"\x1b[<81;1;40M", click(MouseEventKind::ScrollDown, 0, 39, KeyModifiers::CONTROL)),
        ]
    }

    #[test]
    fn terminal_replies_produce_no_events_however_reads_split_them() {
        for reply in REPLIES {
            for cut in 0..reply.len() {
                let mut decoder = Decoder::default();
                let mut events = decoder.push(&reply[..cut]);
                events.extend(decoder.push(&reply[cut..]));
                assert_eq!((events, decoder.timeout()), (Vec::new(), None), "{reply:?} cut at {cut}");
            }
        }
        assert!(Decoder::default().push(b"\x1b[<35;10;10M\x1b[<0;10;10m\x1b[<0;0;1M").is_empty());
        let long = [b"\x1b]52;c;".as_slice(), &b"ZGRk".repeat(100_000), b"\x07"].concat();
        assert!(Decoder::default().push(&long).is_empty());
    }

    #[test]
    fn escape_is_a_key_when_the_sequence_times_out() {
        let mut decoder = Decoder::default();
        assert!(decoder.push(b"\x1b").is_empty());
        assert_eq!(decoder.timeout(), Some(ESCAPE_TIMEOUT));
        assert_eq!(decoder.on_timeout(), Some(key_event(KeyCode::Esc, KeyModifiers::NONE)));
        assert_eq!(decoder.push(b"x"), [char_event('x', KeyModifiers::NONE)]);
        assert_eq!(decoder.push(b"\x1b\x1b"), [key_event(KeyCode::Esc, KeyModifiers::NONE)]);
        assert!(decoder.on_timeout().is_some());
        // An unfinished reply is dropped. An unfinished paste is kept.
        decoder.push(b"\x1b]11;rgb");
        assert_eq!((decoder.on_timeout(), decoder.push(b"q").len()), (None, 1));
        decoder.push(b"\x1b[200~half");
        assert_eq!(decoder.on_timeout(), Some(paste_event(b"half")));
    }

    proptest! {
        #[test]
        fn replies_between_keys_are_dropped_and_keys_are_kept(
            picks in proptest::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..20),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let keys = events();
            let (mut bytes, mut expected) = (Vec::new(), Vec::new());
            for (is_key, pick) in picks {
                if is_key {
                    let (sent, event) = pick.get(&keys);
                    bytes.extend_from_slice(sent);
                    expected.push(event.clone());
                } else {
                    bytes.extend_from_slice(REPLIES[pick.index(REPLIES.len())]);
                }
            }
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.extend([0, bytes.len()]);
            places.sort_unstable();
            let mut decoder = Decoder::default();
            let events: Vec<TerminalEvent> = places.windows(2).flat_map(|pair| decoder.push(&bytes[pair[0]..pair[1]])).collect();
            prop_assert_eq!(events, expected);
        }

        #[test]
        fn decoder_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = Decoder::default();
            decoder.push(&bytes);
            decoder.on_timeout();
        }
    }
}
