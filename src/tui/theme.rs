//! Colours and emphasis by role. Only ANSI colours, so that the terminal's own palette and background decide.

use ratatui::style::{Color, Modifier, Style};

/// Body text.
pub const TEXT: Style = Style::new();
/// What explains, and is read second.
pub const MUTED: Style = Style::new().add_modifier(Modifier::DIM);
/// Headings of pages and sections.
pub const HEADING: Style = Style::new().add_modifier(Modifier::BOLD);
/// What has the focus.
pub const FOCUS: Style = Style::new().add_modifier(Modifier::REVERSED);
/// Links, keys and the step one is at.
pub const ACCENT: Style = Style::new().fg(Color::Cyan);
/// Done, connected, enabled.
pub const SUCCESS: Style = Style::new().fg(Color::Green);
/// Wants attention.
pub const WARNING: Style = Style::new().fg(Color::Yellow);
/// Failed, refused, wrong.
pub const ERROR: Style = Style::new().fg(Color::Red);
