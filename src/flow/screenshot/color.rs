//! The colors of terminal cells in screenshots.

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// The 16 ANSI colors. The program doesn't know the colors of the user's terminal, so screenshots use these.
const ANSI: [Rgb; 16] = [
    Rgb(0x1b, 0x21, 0x2b),
    Rgb(0xf0, 0x6a, 0x6a),
    Rgb(0x6c, 0xc6, 0x7a),
    Rgb(0xe3, 0xb3, 0x41),
    Rgb(0x5a, 0xa9, 0xf5),
    Rgb(0xc7, 0x8d, 0xee),
    Rgb(0x4f, 0xc4, 0xcf),
    Rgb(0xc3, 0xca, 0xd4),
    Rgb(0x76, 0x80, 0x90),
    Rgb(0xff, 0x8f, 0x8a),
    Rgb(0x8f, 0xe0, 0x9a),
    Rgb(0xf7, 0xce, 0x6b),
    Rgb(0x8a, 0xc4, 0xff),
    Rgb(0xdc, 0xb3, 0xff),
    Rgb(0x80, 0xe2, 0xea),
    Rgb(0xf5, 0xf7, 0xfa),
];

/// The default text color.
pub(super) const FOREGROUND: Rgb = Rgb(0xd5, 0xda, 0xe2);
/// The default background color.
pub(super) const BACKGROUND: Rgb = Rgb(0x12, 0x17, 0x20);

/// An RGB color.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    /// Returns the color that is `percent` of the way from `background` to this color.
    pub(super) fn blend(self, background: Self, percent: u16) -> Self {
        let mix = |top: u8, bottom: u8| {
            let sum = u16::from(top) * percent + u16::from(bottom) * (100 - percent);
            u8::try_from(sum / 100).unwrap_or(u8::MAX)
        };
        Self(mix(self.0, background.0), mix(self.1, background.1), mix(self.2, background.2))
    }
}

impl std::fmt::Display for Rgb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The style of a cell, with reverse, dim, and hidden applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CellStyle {
    /// The text color.
    pub foreground: Rgb,
    /// The background color.
    pub background: Rgb,
    /// The color of the underline, if there is one.
    pub underline: Option<Rgb>,
    /// Whether the text is crossed out.
    pub crossed_out: bool,
    /// Whether the text is bold.
    pub bold: bool,
    /// Whether the text is italic.
    pub italic: bool,
}

impl CellStyle {
    /// Returns the style of `cell`.
    pub(super) fn from_cell(cell: &Cell) -> Self {
        let has = |modifier| cell.modifier.contains(modifier);
        let (mut foreground, mut background) = (resolve_color(cell.fg, FOREGROUND), resolve_color(cell.bg, BACKGROUND));
        if has(Modifier::REVERSED) {
            (foreground, background) = (background, foreground);
        }
        if has(Modifier::DIM) {
            foreground = foreground.blend(background, 60);
        }
        if has(Modifier::HIDDEN) {
            foreground = background;
        }
        Self {
            foreground,
            background,
            underline: has(Modifier::UNDERLINED).then(|| resolve_color(cell.underline_color, foreground)),
            crossed_out: has(Modifier::CROSSED_OUT),
            bold: has(Modifier::BOLD),
            italic: has(Modifier::ITALIC),
        }
    }
}

/// Returns the RGB value of a terminal color. `default` is the value of [`Color::Reset`].
fn resolve_color(color: Color, default: Rgb) -> Rgb {
    match color {
        Color::Reset => default,
        Color::Black => ANSI[0],
        Color::Red => ANSI[1],
        Color::Green => ANSI[2],
        Color::Yellow => ANSI[3],
        Color::Blue => ANSI[4],
        Color::Magenta => ANSI[5],
        Color::Cyan => ANSI[6],
        Color::Gray => ANSI[7],
        Color::DarkGray => ANSI[8],
        Color::LightRed => ANSI[9],
        Color::LightGreen => ANSI[10],
        Color::LightYellow => ANSI[11],
        Color::LightBlue => ANSI[12],
        Color::LightMagenta => ANSI[13],
        Color::LightCyan => ANSI[14],
        Color::White => ANSI[15],
        Color::Rgb(red, green, blue) => Rgb(red, green, blue),
        Color::Indexed(index) => indexed_color(index),
    }
}

/// Returns a color of the xterm palette: 16 ANSI colors, a 6x6x6 color cube, and 24 shades of gray.
fn indexed_color(index: u8) -> Rgb {
    match index {
        0..=15 => ANSI[usize::from(index)],
        16..=231 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = index - 16;
            Rgb(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        232..=255 => {
            let gray = 8 + 10 * (index - 232);
            Rgb(gray, gray, gray)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::style::Style;

    fn cell_style(style: Style) -> CellStyle {
        let mut cell = Cell::new("x");
        cell.set_style(style);
        CellStyle::from_cell(&cell)
    }

    #[test]
    fn reverse_swaps_the_default_colors() {
        let style = cell_style(Style::new().reversed());
        assert_eq!((style.foreground, style.background), (BACKGROUND, FOREGROUND));
    }

    #[test]
    fn dim_text_is_between_foreground_and_background() {
        let dim = cell_style(Style::new().dim()).foreground;
        assert!(dim.0 > BACKGROUND.0 && dim.0 < FOREGROUND.0);
    }

    #[test]
    fn hidden_text_has_the_background_color() {
        let style = cell_style(Style::new().red().on_blue().hidden());
        assert_eq!((style.foreground, style.background), (ANSI[4], ANSI[4]));
    }

    #[test]
    fn indexed_colors_match_the_xterm_palette() {
        assert_eq!(indexed_color(16), Rgb(0, 0, 0));
        assert_eq!(indexed_color(208), Rgb(255, 135, 0));
        assert_eq!(indexed_color(231), Rgb(255, 255, 255));
        assert_eq!(indexed_color(255), Rgb(238, 238, 238));
    }
}
