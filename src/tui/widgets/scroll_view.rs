//! A scrollable page of styled lines with a focused region.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::scroll::ScrollState;
use super::text;
use crate::tui::theme;

/// The lines of a page, the focused lines, and the position of the terminal cursor.
#[derive(Clone, Debug, Default)]
pub struct ScrollView {
    /// The width of the page, in columns.
    pub width: usize,
    lines: Vec<Line<'static>>,
    focus: Option<std::ops::Range<usize>>,
    cursor: Option<(usize, usize)>,
}

impl ScrollView {
    /// Creates an empty page with `width` columns.
    pub fn new(width: u16) -> Self {
        Self { width: usize::from(width), ..Self::default() }
    }

    /// Returns the number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Returns whether the page has no lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Writes a line without wrapping. The frame clips long lines.
    pub fn push_line(&mut self, line: impl Into<Line<'static>>) -> &mut Self {
        self.lines.push(line.into());
        self
    }

    /// Appends a span to the last line.
    pub fn append_span(&mut self, span: Span<'static>) -> &mut Self {
        if let Some(line) = self.lines.last_mut() {
            line.push_span(span);
        }
        self
    }

    /// Writes a blank line, unless the line above is blank.
    pub fn blank_line(&mut self) -> &mut Self {
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
        self
    }

    /// Writes `words`, wrapped and indented by `indent` columns.
    pub fn paragraph(&mut self, words: &str, indent: usize, style: Style) -> &mut Self {
        for row in text::wrap(&text::escape_controls_in_lines(words), self.width.saturating_sub(indent + 1)) {
            self.lines.push(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(row, style)]));
        }
        self
    }

    /// Writes an error message in at most three lines. F4 shows the full text.
    pub fn error(&mut self, words: &str, indent: usize, style: Style) -> &mut Self {
        const MAX_LINES: usize = 3;
        let columns = self.width.saturating_sub(indent + 1);
        for row in text::wrap_truncated(&text::escape_controls_in_lines(words), columns, MAX_LINES, "… F4 shows all")
        {
            self.lines.push(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(row, style)]));
        }
        self
    }

    /// Writes a section heading after a blank line.
    pub fn heading(&mut self, words: &str) -> &mut Self {
        self.blank_line();
        self.lines.push(Line::styled(text::truncate(words, self.width), theme::HEADING));
        self
    }

    /// Writes a label and its value side by side. A long value is wrapped in its column.
    pub fn key_value(&mut self, label: &str, value: &str, style: Style) -> &mut Self {
        let column = if self.width >= 56 { 26 } else { 20.min(self.width / 2) };
        let value = if value.is_empty() { "-" } else { value };
        let rows = text::wrap(&text::escape_controls_in_lines(value), self.width.saturating_sub(column + 3).max(8));
        for (index, row) in rows.into_iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.lines.push(Line::from(vec![
                Span::raw("  "),
                Span::styled(text::fit(label, column), theme::SECONDARY),
                Span::styled(row, style),
            ]));
        }
        self
    }

    /// Marks the lines that `write` writes as focused if `is_focused` is true.
    pub fn focused(&mut self, is_focused: bool, write: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.lines.len();
        write(self);
        if is_focused {
            self.focus = Some(start..self.lines.len());
        }
        self
    }

    /// Marks the last line as focused, to keep the cursor of a long list visible.
    pub fn focus_last_line(&mut self) -> &mut Self {
        let last = self.lines.len().saturating_sub(1);
        self.focus = Some(last..last + 1);
        self
    }

    /// Places the terminal cursor in the last line, at `column`.
    pub fn set_cursor_column(&mut self, column: usize) -> &mut Self {
        self.cursor = Some((self.lines.len().saturating_sub(1), column));
        self
    }

    /// Returns the first line to show in `height` rows, so that the focus and some lines above it are visible.
    fn first_visible_line(&self, height: usize) -> usize {
        let most = self.lines.len().saturating_sub(height);
        let Some(focus) = &self.focus else { return 0 };
        if focus.end < height || most == 0 {
            return 0;
        }
        let lead = (height / 3).min(height.saturating_sub(focus.len() + 1));
        focus.start.saturating_sub(lead).min(most)
    }

    /// Draws the lines around the focus, with marks for more lines above and below.
    pub fn draw(&self, frame: &mut Frame, area: Rect) {
        self.draw_from(frame, area, self.first_visible_line(usize::from(area.height)));
    }

    /// Draws the lines around the focus, moved by the scroll offset.
    pub fn draw_scrolled(&self, frame: &mut Frame, area: Rect, scroll: &ScrollState) {
        let height = usize::from(area.height);
        self.draw_from(frame, area, scroll.update_viewport(self.first_visible_line(height), self.lines.len(), height));
    }

    /// Draws the lines from `top`, or the last lines if there are fewer.
    fn draw_from(&self, frame: &mut Frame, area: Rect, top: usize) {
        let area = area.intersection(frame.area());
        if area.is_empty() {
            return;
        }
        let height = usize::from(area.height);
        let top = top.min(self.lines.len().saturating_sub(height));
        for (row, line) in (area.y..area.bottom()).zip(self.lines.iter().skip(top)) {
            frame.render_widget(line, Rect { y: row, height: 1, ..area });
        }
        let mark = |frame: &mut Frame, row: u16, symbol: &'static str| {
            let at = Rect { x: area.right().saturating_sub(1), y: row, width: 1, height: 1 };
            frame.render_widget(Span::styled(symbol, theme::ACCENT), at);
        };
        if top > 0 {
            mark(frame, area.y, "▲");
        }
        if top + height < self.lines.len() {
            mark(frame, area.bottom() - 1, "▼");
        }
        if let Some((line, column)) = self.cursor
            && (top..top + height).contains(&line)
        {
            let x = area.x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX));
            let y = area.y.saturating_add(u16::try_from(line - top).unwrap_or(u16::MAX));
            if x < area.right() {
                frame.set_cursor_position((x, y));
            }
        }
    }
}
