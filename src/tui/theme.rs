//! Styles by role. Only ANSI colors, so that the palette and background of the terminal apply.

use ratatui::style::{Color, Modifier, Style};

/// Body text.
pub const TEXT: Style = Style::new();
/// Secondary text, such as labels and hints.
pub const MUTED: Style = Style::new().add_modifier(Modifier::DIM);
/// Headings of pages and sections.
pub const HEADING: Style = Style::new().add_modifier(Modifier::BOLD);
/// The focused item.
pub const FOCUS: Style = Style::new().add_modifier(Modifier::REVERSED);
/// Links, keys, and the current step.
pub const ACCENT: Style = Style::new().fg(Color::Cyan);
/// Success states, such as connected or enabled.
pub const SUCCESS: Style = Style::new().fg(Color::Green);
/// Warnings.
pub const WARNING: Style = Style::new().fg(Color::Yellow);
/// Errors and failed states.
pub const ERROR: Style = Style::new().fg(Color::Red);
