//! A container: a title, its buttons at the right of the title line, and the area of the content.
//!
//! On wide screens, it has a border. On narrow ones, it has only its title line.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear};

use super::button::Button;
use super::canvas::Canvas;
use super::text;
use crate::tui::theme;

/// The minimum width of a screen on which containers have borders, in columns.
pub const MIN_BORDERED_WIDTH: u16 = 100;

/// A container.
#[derive(Clone, Debug, Default)]
pub struct Container {
    title: String,
    buttons: Vec<Button>,
    is_focused: bool,
}

impl Container {
    /// Creates a container with a title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    /// Adds buttons at the right of the title line. The last one is shown even if only one fits.
    #[must_use]
    pub fn with_buttons(self, buttons: Vec<Button>) -> Self {
        Self { buttons, ..self }
    }

    /// Marks the container as the pane that has the focus, among several.
    #[must_use]
    pub fn focused(self, is_focused: bool) -> Self {
        Self { is_focused, ..self }
    }

    /// Draws the container and returns the area of its content.
    pub fn draw(&self, canvas: &mut Canvas, area: Rect) -> Rect {
        let is_bordered = canvas.area().width >= MIN_BORDERED_WIDTH && area.width >= 12 && area.height >= 3;
        let title_area = if is_bordered {
            let style = if self.is_focused { theme::ACCENT } else { theme::SECONDARY };
            canvas.render(Block::bordered().border_type(BorderType::Rounded).border_style(style), area);
            Rect { x: area.x + 2, width: area.width.saturating_sub(4), height: 1, ..area }
        } else {
            Rect { height: area.height.min(1), ..area }
        };
        self.draw_title(canvas, title_area, is_bordered);
        if is_bordered {
            Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
        } else {
            Rect { y: area.y + title_area.height, height: area.height - title_area.height, ..area }
        }
    }

    fn draw_title(&self, canvas: &mut Canvas, area: Rect, is_bordered: bool) {
        let width = usize::from(area.width);
        let mut right = area.right();
        // The title comes first; buttons are dropped from the left if there is no room.
        let mut room = width.saturating_sub(text::width(&self.title) + 3);
        for button in self.buttons.iter().rev() {
            let columns = button.width() + 1;
            if columns > room {
                break;
            }
            room -= columns;
            right = right.saturating_sub(u16::try_from(columns).unwrap_or(u16::MAX));
            let place = Rect { x: right, width: u16::try_from(columns).unwrap_or(u16::MAX), height: 1, ..area };
            canvas.render(Clear, place);
            button.draw(canvas, (right, area.y));
        }
        let pad = if is_bordered { " " } else { "" };
        let most = usize::from(right.saturating_sub(area.x)).saturating_sub(2 * pad.len());
        let title = format!("{pad}{}{pad}", text::truncate(&self.title, most));
        let columns = u16::try_from(text::width(&title)).unwrap_or(u16::MAX).min(area.width);
        // The title covers the border, so it must not keep the style of the border.
        let line = Line::from(Span::styled(title, Style::reset().patch(theme::HEADING)));
        let x = if is_bordered { area.x } else { area.x + u16::from(area.width > 1) };
        canvas.line(&line, Rect { x, width: columns, ..area });
    }
}
