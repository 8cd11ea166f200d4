//! The colors of terminal cells in screenshots.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;

pub(super) use crate::tui::theme::Rgb;
use crate::tui::theme::{Palette, Theme};
use crate::tui::theme_name::ThemeName;

/// The theme and the colors of an image. The program doesn't know the colors of the user's terminal.
#[derive(Clone, Debug)]
pub struct ImageStyle {
    theme: Theme,
    /// The colors of the imaginary terminal.
    pub(super) palette: Palette,
}

impl Default for ImageStyle {
    fn default() -> Self {
        Self::new(ThemeName::Dark)
    }
}

impl ImageStyle {
    /// Returns the style of images in this theme: the light theme on a light background, and every other one on a dark
    /// background.
    pub fn new(theme: ThemeName) -> Self {
        let palette = if theme == ThemeName::Light { Palette::IMAGE_LIGHT } else { Palette::IMAGE_DARK };
        Self { theme: Theme::new(theme, &palette), palette }
    }

    /// Returns a frame in the colors of the theme.
    pub(in crate::flow) fn themed(&self, frame: &Buffer) -> Buffer {
        let mut frame = frame.clone();
        self.theme.apply(&mut frame);
        frame
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
    /// Returns the style of `cell` in a terminal with these colors.
    pub(super) fn from_cell(cell: &Cell, palette: &Palette) -> Self {
        let has = |modifier| cell.modifier.contains(modifier);
        let (mut foreground, mut background) =
            (palette.resolve(cell.fg, palette.foreground), palette.resolve(cell.bg, palette.background));
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
            underline: has(Modifier::UNDERLINED).then(|| palette.resolve(cell.underline_color, foreground)),
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

    const PALETTE: Palette = Palette::IMAGE_DARK;

    fn cell_style(style: Style) -> CellStyle {
        let mut cell = Cell::new("x");
        cell.set_style(style);
        CellStyle::from_cell(&cell, &PALETTE)
    }

    #[test]
    fn reverse_swaps_the_default_colors() {
        let style = cell_style(Style::new().reversed());
        assert_eq!((style.foreground, style.background), (PALETTE.background, PALETTE.foreground));
    }

    #[test]
    fn dim_text_is_between_foreground_and_background() {
        let dim = cell_style(Style::new().dim()).foreground;
        assert!(dim.0 > PALETTE.background.0 && dim.0 < PALETTE.foreground.0);
    }

    #[test]
    fn hidden_text_has_the_background_color() {
        let style = cell_style(Style::new().red().on_blue().hidden());
        assert_eq!((style.foreground, style.background), (PALETTE.ansi[4], PALETTE.ansi[4]));
    }
}
