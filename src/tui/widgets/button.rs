//! Buttons.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::canvas::{Canvas, Click};
use super::text;
use crate::tui::theme;

/// How much a button stands out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ButtonKind {
    /// A button that does nothing at the moment.
    Disabled,
    /// A normal button.
    #[default]
    Normal,
    /// The one button that most users press next. It is filled.
    Primary,
}

/// A button.
#[derive(Clone, Debug, PartialEq)]
pub struct Button {
    /// The text on the button.
    pub label: String,
    /// How much the button stands out.
    pub kind: ButtonKind,
    /// Whether the button has the focus.
    pub is_focused: bool,
    /// The effect of a click on the button.
    pub click: Option<Click>,
}

impl Button {
    /// Creates a normal button.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), kind: ButtonKind::Normal, is_focused: false, click: None }
    }

    /// Creates the primary button.
    pub fn primary(label: impl Into<String>) -> Self {
        Self { kind: ButtonKind::Primary, ..Self::new(label) }
    }

    /// Sets whether the button has the focus.
    #[must_use]
    pub fn focused(self, is_focused: bool) -> Self {
        Self { is_focused, ..self }
    }

    /// Sets the effect of a click.
    #[must_use]
    pub fn on_click(self, click: Click) -> Self {
        Self { click: Some(click), ..self }
    }

    /// Returns the width in columns, with the mark of the focus.
    pub fn width(&self) -> usize {
        text::width(&self.label) + 5
    }

    /// Returns the button as text: the mark of the focus, and `[ label ]`.
    pub fn spans(&self) -> [Span<'static>; 2] {
        let style = match self.kind {
            ButtonKind::Primary => theme::PRIMARY,
            ButtonKind::Normal if self.is_focused => theme::FOCUS,
            ButtonKind::Normal => Style::new(),
            ButtonKind::Disabled => theme::SECONDARY,
        };
        let mark = if self.is_focused { "▸" } else { " " };
        [Span::styled(mark, theme::ACCENT), Span::styled(format!("[ {} ]", self.label), style)]
    }

    /// Draws the button at a position.
    pub fn draw(&self, canvas: &mut Canvas, (x, y): (u16, u16)) {
        let width = u16::try_from(self.width()).unwrap_or(u16::MAX);
        let area = Rect { x, y, width, height: 1 };
        canvas.line(&Line::from(self.spans().to_vec()), area);
        if let Some(click) = &self.click {
            canvas.on_click(area, click.clone());
        }
    }
}
