//! The colors of terminal cells in screenshots.

use ratatui::buffer::Cell;
use ratatui::style::Modifier;

use crate::tui::theme::Palette;
pub(super) use crate::tui::theme::Rgb;

/// The colors of images. The program doesn't know the colors of the user's terminal.
const PALETTE: Palette = Palette::IMAGE_DARK;
/// The default text color.
pub(super) const FOREGROUND: Rgb = PALETTE.foreground;
/// The default background color.
pub(super) const BACKGROUND: Rgb = PALETTE.background;

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
        let (mut foreground, mut background) =
            (PALETTE.resolve(cell.fg, FOREGROUND), PALETTE.resolve(cell.bg, BACKGROUND));
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
            underline: has(Modifier::UNDERLINED).then(|| PALETTE.resolve(cell.underline_color, foreground)),
            crossed_out: has(Modifier::CROSSED_OUT),
            bold: has(Modifier::BOLD),
            italic: has(Modifier::ITALIC),
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
        assert_eq!((style.foreground, style.background), (PALETTE.ansi[4], PALETTE.ansi[4]));
    }
}
