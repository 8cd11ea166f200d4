//! Converts a recording to an [asciicast](https://docs.asciinema.org/manual/asciicast/v3/), the format of asciinema.

use std::fmt::Write as _;

use anstyle::{Ansi256Color, AnsiColor, Effects, RgbColor};
use jiff::SignedDuration;
use ratatui::buffer::{Buffer, Cell, CellWidth as _};
use ratatui::style::{Color, Modifier};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthChar as _;

use super::recording::{EventKind, Recording, format_decimal};

/// Enters the alternate screen, turns line wrapping off, hides the cursor, and clears the screen.
const SETUP: &str = "\x1b[?1049h\x1b[?7l\x1b[?25l\x1b[0m\x1b[2J\x1b[H";

/// Marks a cell of the last frame whose content on the terminal is unknown. It is a private-use character that no frame
/// contains, so the cell counts as changed.
const UNKNOWN: &str = "\u{10ffff}";

/// The modifiers that SGR sequences can express.
const EFFECTS: [(Modifier, Effects); 9] = [
    (Modifier::BOLD, Effects::BOLD),
    (Modifier::DIM, Effects::DIMMED),
    (Modifier::ITALIC, Effects::ITALIC),
    (Modifier::UNDERLINED, Effects::UNDERLINE),
    (Modifier::SLOW_BLINK, Effects::BLINK),
    (Modifier::RAPID_BLINK, Effects::BLINK),
    (Modifier::REVERSED, Effects::INVERT),
    (Modifier::HIDDEN, Effects::HIDDEN),
    (Modifier::CROSSED_OUT, Effects::STRIKETHROUGH),
];

/// A version of the asciicast format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CastVersion {
    /// Version 2, for asciinema 2 and later. The times count from the start.
    V2,
    /// Version 3, for asciinema 3 and later. The times count from the previous event.
    V3,
}

/// Returns `recording` as an asciicast file.
///
/// The file is identical, byte for byte, on every run and every machine. Times are rounded down to milliseconds.
pub fn cast(recording: &Recording, version: CastVersion) -> String {
    let (columns, rows) = recording.size;
    let mut header = match version {
        CastVersion::V2 => json!({ "version": 2, "width": columns, "height": rows }),
        CastVersion::V3 => json!({ "version": 3, "term": { "cols": columns, "rows": rows } }),
    };
    if !recording.title.is_empty() {
        header["title"] = Value::from(recording.title.as_str());
    }
    let mut events = EventWriter { out: format!("{header}\n"), version, last: 0 };
    let mut terminal = TerminalWriter::new(&recording.fit(&Buffer::default()));
    events.write(SignedDuration::ZERO, "o", SETUP);
    for event in &recording.events {
        match &event.kind {
            EventKind::Frame(frame) => {
                let output = terminal.draw(&recording.fit(frame));
                if !output.is_empty() {
                    events.write(event.at, "o", &output);
                }
            }
            EventKind::Marker(title) => events.write(event.at, "m", title),
        }
    }
    match version {
        // Version 2 has no exit event. Empty output keeps the last frame on the screen.
        CastVersion::V2 => events.write(recording.duration(), "o", ""),
        CastVersion::V3 => events.write(recording.duration(), "x", "0"),
    }
    events.out
}

/// Writes the event lines of an asciicast.
struct EventWriter {
    out: String,
    version: CastVersion,
    /// The time of the last event in milliseconds.
    last: u128,
}

impl EventWriter {
    fn write(&mut self, at: SignedDuration, code: &str, data: &str) {
        let now = u128::try_from(at.as_millis()).unwrap_or_default().max(self.last);
        let time = match self.version {
            CastVersion::V2 => now,
            CastVersion::V3 => now - self.last,
        };
        self.last = now;
        let _ = writeln!(self.out, "[{}, \"{code}\", {}]", format_decimal(time, 3), Value::from(data));
    }
}

/// Writes the output that changes a terminal from frame to frame.
struct TerminalWriter {
    /// The content of the screen.
    screen: Buffer,
    style: anstyle::Style,
}

impl TerminalWriter {
    /// Creates a writer for a cleared terminal, which shows `screen`.
    fn new(screen: &Buffer) -> Self {
        Self { screen: screen.clone(), style: anstyle::Style::new() }
    }

    /// Returns the output that shows `frame`.
    fn draw(&mut self, frame: &Buffer) -> String {
        let mut frame = frame.clone();
        for cell in frame.content.iter_mut().filter(|cell| !is_printable(cell.symbol())) {
            cell.set_symbol(" ");
        }
        // A terminal that doesn't combine the characters of a symbol draws over the cells to the right of it.
        for (column, row, symbol) in symbols(&frame).filter(|(_, _, symbol)| has_ambiguous_width(symbol)) {
            let end = column.saturating_add(character_widths(symbol)).min(frame.area.width);
            mark_unknown(&mut self.screen, row, column + symbol.cell_width()..end);
        }
        let mut out = String::new();
        let mut cursor = None;
        let mut covered = None;
        for (column, row, cell) in self.screen.diff(&frame) {
            let symbol = cell.symbol();
            let width = symbol.cell_width();
            if covered.is_some_and(|(covered_row, end)| row == covered_row && column < end) {
                continue;
            }
            if cursor != Some((column, row)) {
                let _ = write!(out, "\x1b[{};{}H", row + 1, column + 1);
            }
            let style = sgr_style(cell);
            if style != self.style {
                let _ = write!(out, "{}{style}", self.style.render_reset());
                self.style = style;
            }
            if has_ambiguous_width(symbol) {
                // The terminal might draw fewer cells than the symbol covers, so they are cleared first.
                let blanks = usize::from(width);
                let _ = write!(out, "{:blanks$}\x1b[{};{}H", "", row + 1, column + 1);
                cursor = None;
            } else {
                cursor = Some((column + width, row));
            }
            out.push_str(symbol);
            covered = Some((row, column + width));
        }
        self.screen.clone_from(&frame);
        // If something narrower replaces a wide symbol, the cells that it covered must be written.
        for (column, row, symbol) in symbols(&frame) {
            mark_unknown(&mut self.screen, row, column + 1..column + symbol.cell_width());
        }
        out
    }
}

/// Returns the symbols of `frame` that can be wide, which are all but ASCII, with their columns and rows.
fn symbols(frame: &Buffer) -> impl Iterator<Item = (u16, u16, &str)> {
    let cells = frame.content().iter().enumerate();
    cells.filter(|(_, cell)| cell.symbol().len() > 1).map(|(index, cell)| {
        let (column, row) = frame.pos_of(index);
        (column, row, cell.symbol())
    })
}

fn mark_unknown(screen: &mut Buffer, row: u16, columns: std::ops::Range<u16>) {
    for column in columns {
        if let Some(cell) = screen.cell_mut((column, row)) {
            cell.set_symbol(UNKNOWN);
        }
    }
}

/// Whether `symbol` contains no control characters and is visible.
fn is_printable(symbol: &str) -> bool {
    !symbol.chars().any(char::is_control) && symbol.cell_width() > 0
}

/// Whether terminals disagree about the width of `symbol`, as with some emoji.
fn has_ambiguous_width(symbol: &str) -> bool {
    symbol.len() > 1 && (symbol.contains('\u{fe0f}') || character_widths(symbol) != symbol.cell_width())
}

/// Returns the sum of the widths of the characters.
fn character_widths(symbol: &str) -> u16 {
    let width = symbol.chars().filter_map(char::width).sum::<usize>();
    u16::try_from(width).unwrap_or(u16::MAX)
}

/// Returns the style of `cell`. The color of underlines is left out, because not all players support it.
fn sgr_style(cell: &Cell) -> anstyle::Style {
    let effects = EFFECTS.iter().filter(|(modifier, _)| cell.modifier.contains(*modifier));
    anstyle::Style::new()
        .fg_color(sgr_color(cell.fg))
        .bg_color(sgr_color(cell.bg))
        .effects(effects.fold(Effects::new(), |effects, (_, effect)| effects | *effect))
}

/// Returns the color, or `None` for the default color of the terminal.
fn sgr_color(color: Color) -> Option<anstyle::Color> {
    let ansi = match color {
        Color::Reset => return None,
        Color::Indexed(index) => return Some(Ansi256Color(index).into()),
        Color::Rgb(red, green, blue) => return Some(RgbColor(red, green, blue).into()),
        Color::Black => AnsiColor::Black,
        Color::Red => AnsiColor::Red,
        Color::Green => AnsiColor::Green,
        Color::Yellow => AnsiColor::Yellow,
        Color::Blue => AnsiColor::Blue,
        Color::Magenta => AnsiColor::Magenta,
        Color::Cyan => AnsiColor::Cyan,
        Color::Gray => AnsiColor::White,
        Color::DarkGray => AnsiColor::BrightBlack,
        Color::LightRed => AnsiColor::BrightRed,
        Color::LightGreen => AnsiColor::BrightGreen,
        Color::LightYellow => AnsiColor::BrightYellow,
        Color::LightBlue => AnsiColor::BrightBlue,
        Color::LightMagenta => AnsiColor::BrightMagenta,
        Color::LightCyan => AnsiColor::BrightCyan,
        Color::White => AnsiColor::BrightWhite,
    };
    Some(ansi.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use std::num::NonZeroU16;

    const SIZE: (u16, u16) = (12, 3);

    fn at(milliseconds: i64) -> SignedDuration {
        SignedDuration::from_millis(milliseconds)
    }

    fn small_recording() -> Recording {
        let mut recording = Recording::new("Two \"frames\"", (3, 1));
        recording.frame(at(0), Buffer::with_lines(["ab"]));
        recording.marker(at(50), "Next");
        let mut frame = Buffer::with_lines(["ab"]);
        frame.set_string(1, 0, "é", Style::new().red().bold());
        recording.frame(at(1_250), frame);
        recording.finish(at(3_000));
        recording
    }

    #[test]
    fn small_cast_of_version_3_is_exact() {
        let expected = [
            r#"{"version":3,"term":{"cols":3,"rows":1},"title":"Two \"frames\""}"#,
            r#"[0, "o", "\u001b[?1049h\u001b[?7l\u001b[?25l\u001b[0m\u001b[2J\u001b[H"]"#,
            r#"[0, "o", "\u001b[1;1Hab"]"#,
            r#"[0.05, "m", "Next"]"#,
            r#"[1.2, "o", "\u001b[1;2H\u001b[1m\u001b[31mé"]"#,
            r#"[1.75, "x", "0"]"#,
        ];
        let text = cast(&small_recording(), CastVersion::V3);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert_eq!(text, cast(&small_recording(), CastVersion::V3));
    }

    #[test]
    fn small_cast_of_version_2_has_absolute_times() {
        let expected = [
            r#"{"version":2,"width":3,"height":1,"title":"Two \"frames\""}"#,
            r#"[0, "o", "\u001b[?1049h\u001b[?7l\u001b[?25l\u001b[0m\u001b[2J\u001b[H"]"#,
            r#"[0, "o", "\u001b[1;1Hab"]"#,
            r#"[0.05, "m", "Next"]"#,
            r#"[1.25, "o", "\u001b[1;2H\u001b[1m\u001b[31mé"]"#,
            r#"[3, "o", ""]"#,
        ];
        let text = cast(&small_recording(), CastVersion::V2);
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert_eq!(text, cast(&small_recording(), CastVersion::V2));
    }

    fn expected_color(color: Color) -> vt100::Color {
        match sgr_color(color) {
            None => vt100::Color::Default,
            Some(anstyle::Color::Ansi(color)) => vt100::Color::Idx(Ansi256Color::from(color).index()),
            Some(anstyle::Color::Ansi256(color)) => vt100::Color::Idx(color.index()),
            Some(anstyle::Color::Rgb(RgbColor(red, green, blue))) => vt100::Color::Rgb(red, green, blue),
        }
    }

    /// Compares the cells that the user sees, which are all but those covered by a wide symbol.
    fn assert_same(screen: &vt100::Screen, frame: &Buffer) {
        for row in 0..frame.area.height {
            let mut column = 0;
            while column < frame.area.width {
                let (cell, actual) = (&frame[(column, row)], screen.cell(row, column).unwrap());
                let place = format!("row {row}, column {column}");
                let text = if actual.has_contents() { actual.contents() } else { " " };
                assert_eq!(text, cell.symbol(), "{place}");
                let width = cell.symbol().cell_width();
                assert_eq!(actual.is_wide(), width > 1, "{place}");
                assert_eq!(actual.bgcolor(), expected_color(cell.bg), "{place}");
                let has = |modifier| cell.modifier.contains(modifier);
                assert_eq!(actual.fgcolor(), expected_color(cell.fg), "{place}");
                // vt100 knows either bold or dim.
                assert_eq!(actual.bold(), has(Modifier::BOLD) && !has(Modifier::DIM), "{place}");
                assert_eq!(actual.dim(), has(Modifier::DIM), "{place}");
                assert_eq!(actual.italic(), has(Modifier::ITALIC), "{place}");
                assert_eq!(actual.underline(), has(Modifier::UNDERLINED), "{place}");
                assert_eq!(actual.inverse(), has(Modifier::REVERSED), "{place}");
                column += width;
            }
        }
    }

    /// Replays the cast on a terminal and compares the screen after each frame.
    fn replay(recording: &Recording, version: CastVersion) {
        let size = |cells| NonZeroU16::new(cells).unwrap();
        let mut terminal = vt100::Parser::new(size(recording.size.1), size(recording.size.0), 0);
        let text = cast(recording, version);
        let mut outputs = text.lines().skip(1).filter_map(|line| {
            let (_, code, data): (f64, String, String) = serde_json::from_str(line).unwrap();
            (code == "o").then_some(data)
        });
        terminal.process(outputs.next().unwrap().as_bytes());
        assert!(terminal.screen().alternate_screen() && terminal.screen().hide_cursor());
        let mut last = recording.fit(&Buffer::default()).into_owned();
        for event in &recording.events {
            let EventKind::Frame(frame) = &event.kind else { continue };
            if *frame != last {
                terminal.process(outputs.next().unwrap().as_bytes());
            }
            assert_same(terminal.screen(), frame);
            last = frame.clone();
        }
    }

    fn replay_lines(frames: &[&str], style: Style) {
        let mut recording = Recording::new("", (8, 1));
        for (index, text) in (0..).zip(frames) {
            let mut frame = Buffer::empty(Rect::new(0, 0, 8, 1));
            frame.set_string(0, 0, text, style);
            recording.frame(at(index * 100), frame);
        }
        replay(&recording, CastVersion::V3);
    }

    #[test]
    fn wide_symbols_that_move_leave_nothing_behind() {
        let frames = ["a日本b", "日本", "日a本", "a", "⚠\u{fe0f}日x", "x⚠\u{fe0f}", "e\u{301}日", ""];
        replay_lines(&frames, Style::new().on_blue());
        replay_lines(&frames, Style::new().underlined().reversed());
    }

    #[test]
    fn unprintable_symbols_become_spaces() {
        let mut frame = Buffer::empty(Rect::new(0, 0, 3, 1));
        frame[(0, 0)].set_symbol("\u{9b}2J");
        frame[(1, 0)].set_symbol("\u{200b}");
        frame[(2, 0)].set_symbol("x");
        let mut recording = Recording::new("", (3, 1));
        recording.frame(at(0), frame);
        assert!(cast(&recording, CastVersion::V3).contains(r#"[0, "o", "\u001b[1;3Hx"]"#));
    }

    #[test]
    fn empty_recording_has_a_setup_and_an_exit_event() {
        assert_eq!(cast(&Recording::new("", (0, 0)), CastVersion::V3).lines().count(), 3);
    }

    fn any_color() -> impl Strategy<Value = Color> {
        let named = [
            Color::Reset,
            Color::Black,
            Color::Red,
            Color::Gray,
            Color::DarkGray,
            Color::LightCyan,
            Color::White,
            Color::Blue,
        ];
        prop_oneof![
            proptest::sample::select(named.to_vec()),
            any::<u8>().prop_map(Color::Indexed),
            any::<(u8, u8, u8)>().prop_map(|(red, green, blue)| Color::Rgb(red, green, blue)),
        ]
    }

    prop_compose! {
        fn any_style()(fg in any_color(), bg in any_color(), modifiers in any::<u16>()) -> Style {
            Style::new().fg(fg).bg(bg).add_modifier(Modifier::from_bits_truncate(modifiers))
        }
    }

    prop_compose! {
        fn any_frame()(
            texts in proptest::collection::vec(
                (0..SIZE.0, 0..SIZE.1, "([ab日本é🙂│ ]|⚠\u{fe0f}|e\u{301}){1,6}", any_style()),
                0..6,
            ),
        ) -> Buffer {
            let mut frame = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
            for (column, row, text, style) in texts {
                // Writing over half of a wide symbol would leave the other half.
                for cell in (0..SIZE.0).map(|column| (column, row)) {
                    frame[cell].reset();
                }
                frame.set_string(column, row, text, style);
            }
            frame
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn replayed_frames_equal_the_recorded_frames(
            frames in proptest::collection::vec((0_i64..5_000, any_frame()), 1..6),
        ) {
            let mut recording = Recording::new("random", SIZE);
            let mut now = 0;
            for (pause, frame) in frames {
                now += pause;
                recording.frame(at(now), frame);
            }
            replay(&recording, CastVersion::V2);
            replay(&recording, CastVersion::V3);
        }
    }
}
