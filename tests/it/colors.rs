//! Checks of the colors of a screen: contrast in every theme, and no state that is told by color alone.

use std::collections::HashSet;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;
use xks_console::tui::theme::{Palette, Theme, contrast};
use xks_console::tui::theme_name::ThemeName;

const THEMES: [ThemeName; 5] =
    [ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast, ThemeName::Mono, ThemeName::Projector];
/// The minimum contrast of text.
const MIN_CONTRAST: f64 = 4.5;
/// Rounding of the contrast of two colors.
const TOLERANCE: f64 = 0.005;
/// The colors that stand for a state while a page is drawn.
const STATE_COLORS: [Color; 3] = [Color::Green, Color::Yellow, Color::Red];

/// The symbols of states.
const STATE_SYMBOLS: [char; 5] = ['✓', '✗', '▲', '◌', '⊘'];

/// Checks every style on the screen.
pub fn check_colors(frame: &Buffer) -> Result<(), String> {
    check_contrast(frame)?;
    check_states(frame)
}

/// Checks that each style keeps the minimum contrast in every theme and reference palette, or the contrast of the
/// terminal's own text if that is lower.
fn check_contrast(frame: &Buffer) -> Result<(), String> {
    let mut styles = HashSet::new();
    let mut samples: Vec<Cell> = Vec::new();
    for cell in frame.content.iter().filter(|cell| cell.symbol() != " ") {
        if styles.insert((cell.fg, cell.bg, cell.modifier, cell.underline_color)) {
            samples.push(cell.clone());
        }
    }
    for (palette_name, palette) in Palette::REFERENCES {
        let least = contrast(palette.foreground, palette.background).min(MIN_CONTRAST) - TOLERANCE;
        for name in THEMES {
            let mut row = Buffer::empty(ratatui::layout::Rect::new(0, 0, u16::try_from(samples.len()).unwrap(), 1));
            row.content.clone_from(&samples);
            Theme::new(name, &palette).apply(&mut row);
            for cell in &row.content {
                let ratio = palette.contrast_of(cell);
                if ratio < least {
                    return Err(format!("contrast {ratio:.2} of {cell:?} in {palette_name}, {name:?}"));
                }
                if name == ThemeName::Mono && (cell.fg, cell.bg) != (Color::Reset, Color::Reset) {
                    return Err(format!("the mono theme has a color: {cell:?}"));
                }
            }
        }
    }
    Ok(())
}

/// Checks that each text in the color of a state has a symbol, or continues such a text of the row above.
fn check_states(frame: &Buffer) -> Result<(), String> {
    for y in 0..frame.area.height {
        let mut x = 0;
        while x < frame.area.width {
            let color = frame[(x, y)].fg;
            let start = x;
            while x < frame.area.width && frame[(x, y)].fg == color {
                x += 1;
            }
            if !STATE_COLORS.contains(&color) {
                continue;
            }
            let text: String = (start..x).map(|column| frame[(column, y)].symbol()).collect();
            let starts_with_symbol = text.trim_start().chars().next().is_none_or(|first| !first.is_alphanumeric());
            let is_marked = starts_with_symbol || text.contains(STATE_SYMBOLS);
            let is_continued = y > 0 && (start..x).any(|column| frame[(column, y - 1)].fg == color);
            // The first line can be above the visible part of the page.
            let is_scrolled = (0..frame.area.width).any(|column| frame[(column, y)].symbol() == "↑");
            if !(is_marked || is_continued || is_scrolled) {
                return Err(format!("only the color tells the state of {text:?} in row {y}"));
            }
        }
    }
    Ok(())
}

#[test]
fn state_that_only_its_color_tells_is_found() {
    let mut frame = Buffer::with_lines(["✓ Connected", "  Failed   "]);
    frame.set_style(ratatui::layout::Rect::new(0, 0, 11, 1), ratatui::style::Style::new().fg(Color::Green));
    assert_eq!(check_colors(&frame), Ok(()));
    frame.set_style(ratatui::layout::Rect::new(2, 1, 6, 1), ratatui::style::Style::new().fg(Color::Red));
    assert!(check_colors(&frame).unwrap_err().contains("Failed"));
}

#[test]
fn illegible_color_is_found() {
    let mut frame = Buffer::with_lines(["text"]);
    frame.set_style(frame.area, ratatui::style::Style::new().fg(Color::DarkGray));
    assert!(check_colors(&frame).unwrap_err().contains("DarkGray"));
}
