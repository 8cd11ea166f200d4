//! Styles by role, and the themes that turn roles into the colors of a terminal.
//!
//! Pages draw with the role constants below. Each role has an ANSI color or modifier that no other role has, so that a
//! [`Theme`] can replace it in the finished frame. The terminal's own background always stays, except in the theme for
//! projectors.

mod palette;
mod scheme;

use ratatui::style::{Color, Modifier, Style};

pub use palette::{Palette, Rgb, contrast};
pub use scheme::Theme;

/// Body text.
pub const TEXT: Style = Style::new();
/// Secondary text, such as labels and hints.
pub const SECONDARY: Style = Style::new().add_modifier(Modifier::DIM);
/// Headings of pages and sections, and selected rows.
pub const HEADING: Style = Style::new().add_modifier(Modifier::BOLD);
/// The row at the cursor of a list. The underline color marks it for themes that reverse such rows.
pub const SELECTED: Style = HEADING.underline_color(Color::Cyan);
/// The focused button or option.
pub const FOCUS: Style = Style::new().add_modifier(Modifier::REVERSED);
/// Links, keys, the focus bar, and the current step.
pub const ACCENT: Style = Style::new().fg(Color::Cyan);
/// The primary button of a page or dialog.
pub const PRIMARY: Style = ACCENT.add_modifier(Modifier::REVERSED).add_modifier(Modifier::BOLD);
/// Success states, such as connected or enabled.
pub const SUCCESS: Style = Style::new().fg(Color::Green);
/// Warnings.
pub const WARNING: Style = Style::new().fg(Color::Yellow);
/// Errors and failed states.
pub const ERROR: Style = Style::new().fg(Color::Red);
/// Neutral information, such as notes.
pub const INFO: Style = Style::new().fg(Color::Blue);
/// Numbers and keywords in code.
pub const VALUE: Style = Style::new().fg(Color::Magenta);
