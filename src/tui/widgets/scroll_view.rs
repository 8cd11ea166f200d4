//! A scrollable page of styled lines with a focused region.

use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::button::Button;
use super::canvas::{Canvas, Click};
use super::key_value_grid::KeyValueGrid;
use super::scroll::ScrollState;
use super::{status, text};
use crate::tui::theme;

/// The maximum width of text, in columns. Longer lines are hard to read.
const MAX_TEXT_WIDTH: usize = 110;

/// The lines of a page, the focused lines, the position of the terminal cursor, and what reacts to clicks.
#[derive(Clone, Debug, Default)]
pub struct ScrollView {
    /// The width of the page, in columns.
    pub width: usize,
    lines: Vec<Line<'static>>,
    focus: Option<Range<usize>>,
    /// The line of the focus that stays visible if the focus is taller than the screen.
    chosen_line: Option<usize>,
    cursor: Option<(usize, usize)>,
    /// The lines and columns that react to clicks.
    clicks: Vec<(Range<usize>, Range<usize>, Click)>,
    /// The number of the element in focus order that is being written.
    control: usize,
    /// The key-value pairs at the end of the page, with the number of the first line that they take.
    grid: Option<(usize, KeyValueGrid)>,
}

impl ScrollView {
    /// Creates an empty page with `width` columns.
    pub fn new(width: u16) -> Self {
        Self { width: usize::from(width), ..Self::default() }
    }

    fn text_width(&self) -> usize {
        self.width.min(MAX_TEXT_WIDTH)
    }

    /// Returns the number of lines.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Removes the lines after the first `length` ones.
    pub fn truncate(&mut self, length: usize) -> &mut Self {
        self.grid = None;
        self.lines.truncate(length);
        self
    }

    /// Returns the lines.
    pub fn lines(&self) -> &[Line<'static>] {
        &self.lines
    }

    /// Returns whether the page has no lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Writes a line without wrapping. The frame clips long lines.
    pub fn push_line(&mut self, line: impl Into<Line<'static>>) -> &mut Self {
        self.grid = None;
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
        self.grid = None;
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
        self
    }

    /// Writes `words`, wrapped and indented by `indent` columns. A success, warning, or error starts with its symbol.
    pub fn paragraph(&mut self, words: &str, indent: usize, style: Style) -> &mut Self {
        let words = status::with_symbol(words, style);
        for row in text::wrap(&text::escape_controls_in_lines(&words), self.text_width().saturating_sub(indent + 1)) {
            self.push_line(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(row, style)]));
        }
        self
    }

    /// Writes a warning.
    pub fn warning(&mut self, words: &str, indent: usize) -> &mut Self {
        self.paragraph(words, indent, theme::WARNING)
    }

    /// Writes an error message in at most three lines. F4 shows the full text.
    pub fn error(&mut self, words: &str, indent: usize, style: Style) -> &mut Self {
        const MAX_LINES: usize = 3;
        let columns = self.text_width().saturating_sub(indent + 1);
        for row in text::wrap_truncated(&text::escape_controls_in_lines(words), columns, MAX_LINES, "… F4 shows all")
        {
            self.push_line(Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(row, style)]));
        }
        self
    }

    /// Writes a heading after a blank line, with a rule up to the right edge.
    pub fn heading(&mut self, words: &str) -> &mut Self {
        self.heading_with_buttons(words, Vec::new())
    }

    /// Writes a heading after a blank line, with a rule and buttons up to the right edge.
    pub fn heading_with_buttons(&mut self, words: &str, buttons: Vec<Button>) -> &mut Self {
        self.blank_line();
        let columns: usize = buttons.iter().map(|button| button.width() + 1).sum();
        let title = text::truncate(words, self.width.saturating_sub(columns + 1));
        let rule = self.width.saturating_sub(text::width(&title) + columns + 2);
        self.push_line(Line::from(vec![
            Span::styled(title, theme::HEADING),
            Span::raw(" "),
            Span::styled("─".repeat(rule), theme::SECONDARY),
        ]));
        for button in buttons {
            self.append_span(Span::raw(" "));
            self.append_button(&button);
        }
        self
    }

    /// Writes a label and its value. Consecutive pairs form a grid with as many columns as fit.
    pub fn key_value(&mut self, label: &str, value: &str, style: Style) -> &mut Self {
        let (first, mut grid) = self.grid.take().unwrap_or_else(|| (self.lines.len(), KeyValueGrid::default()));
        let value = if value.is_empty() { "-" } else { value };
        grid.push(label, text::escape_controls_in_lines(&status::with_symbol(value, style)), style);
        self.lines.truncate(first);
        self.lines.extend(grid.lines(self.text_width()));
        self.grid = Some((first, grid));
        self
    }

    /// Appends a button to the last line.
    pub fn append_button(&mut self, button: &Button) -> &mut Self {
        let start = self.lines.last().map_or(0, Line::width);
        for span in button.spans() {
            self.append_span(span);
        }
        if let Some(click) = &button.click {
            self.clickable_columns(start..start + button.width(), click.clone());
        }
        if button.is_focused {
            self.focus_last_line();
        }
        self
    }

    /// Appends a span that reacts to clicks to the last line.
    pub fn append_clickable(&mut self, span: Span<'static>, click: Click) -> &mut Self {
        let start = self.lines.last().map_or(0, Line::width);
        self.clickable_columns(start..start + span.width(), click);
        self.append_span(span)
    }

    /// Makes the lines that `write` writes react to clicks.
    pub fn clickable(&mut self, click: Click, write: impl FnOnce(&mut Self)) -> &mut Self {
        let start = self.lines.len();
        // Buttons and rows within these lines come later in the list, so they take precedence.
        let place = self.clicks.len();
        write(self);
        self.clicks.insert(place, (start..self.lines.len(), 0..self.width, click));
        self
    }

    /// Makes the lines that `write` writes react to clicks as the element with this number in focus order.
    pub fn control(&mut self, number: usize, write: impl FnOnce(&mut Self)) -> &mut Self {
        let outer = std::mem::replace(&mut self.control, number);
        self.clickable(Click::Focus(number), write);
        self.control = outer;
        self
    }

    /// Writes two parts side by side, each with half of the width.
    pub fn two_columns(&mut self, left: impl FnOnce(&mut Self), right: impl FnOnce(&mut Self)) -> &mut Self {
        self.grid = None;
        let columns = self.text_width() / 2;
        let half = || Self { width: columns, control: self.control, ..Self::default() };
        let (mut one, mut other) = (half(), half());
        left(&mut one);
        right(&mut other);
        let first = self.lines.len();
        for row in 0..one.lines.len().max(other.lines.len()) {
            let mut line = one.lines.get(row).cloned().unwrap_or_default();
            let padding = columns.saturating_sub(line.width());
            line.push_span(Span::raw(" ".repeat(padding)));
            line.spans.extend(other.lines.get(row).cloned().unwrap_or_default().spans);
            self.lines.push(line);
        }
        for (part, indent) in [(one, 0), (other, columns)] {
            self.clicks.extend(part.clicks.into_iter().map(|(lines, columns, click)| {
                let lines = lines.start + first..lines.end + first;
                (lines, columns.start + indent..columns.end + indent, click)
            }));
            if let Some(focus) = part.focus {
                self.focus = Some(focus.start + first..focus.end + first);
            }
            if let Some((line, column)) = part.cursor {
                self.cursor = Some((line + first, column + indent));
            }
        }
        self
    }

    /// Returns the number of the element that is being written, in focus order.
    pub fn current_control(&self) -> usize {
        self.control
    }

    /// Makes columns of a line react to clicks.
    pub fn clickable_at(&mut self, line: usize, columns: Range<usize>, click: Click) -> &mut Self {
        self.clicks.push((line..line + 1, columns, click));
        self
    }

    /// Makes columns of the last line react to clicks.
    pub fn clickable_columns(&mut self, columns: Range<usize>, click: Click) -> &mut Self {
        self.clickable_at(self.lines.len().saturating_sub(1), columns, click)
    }

    /// Makes columns of the last line a text in which a click places the cursor. `row` is the line of the text, and
    /// `first` the column of the text that is shown first.
    pub fn clickable_text(&mut self, columns: Range<usize>, row: usize, first: usize) -> &mut Self {
        self.clickable_columns(columns, Click::Text { control: self.control, row, column: first })
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

    /// Keeps the last line visible, even if the part with the focus is taller than the screen.
    pub fn choose_last_line(&mut self) -> &mut Self {
        self.chosen_line = Some(self.lines.len().saturating_sub(1));
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
        let first = focus.start.saturating_sub(lead);
        // The line below it stays visible, too.
        let chosen = self.chosen_line.map_or(0, |line| (line + 2).saturating_sub(height));
        first.max(chosen).min(most)
    }

    /// Draws the lines around the focus, with marks for more lines above and below.
    pub fn draw(&self, canvas: &mut Canvas, area: Rect) {
        self.draw_from(canvas, area, self.first_visible_line(usize::from(area.height)));
    }

    /// Draws the lines around the focus, moved by the scroll offset.
    pub fn draw_scrolled(&self, canvas: &mut Canvas, area: Rect, scroll: &ScrollState) {
        let height = usize::from(area.height);
        let top = scroll.update_viewport(self.first_visible_line(height), self.lines.len(), height);
        self.draw_from(canvas, area, top);
    }

    /// Draws the lines from `top`, or the last lines if there are fewer.
    fn draw_from(&self, canvas: &mut Canvas, area: Rect, top: usize) {
        let area = area.intersection(canvas.area());
        if area.is_empty() {
            return;
        }
        let height = usize::from(area.height);
        let top = top.min(self.lines.len().saturating_sub(height));
        for (row, line) in (area.y..area.bottom()).zip(self.lines.iter().skip(top)) {
            canvas.line(line, Rect { y: row, height: 1, ..area });
        }
        self.register_clicks(canvas, area, top);
        let right = area.right().saturating_sub(1);
        let mark = |canvas: &mut Canvas, row: u16, symbol: &'static str| {
            canvas.render(Span::styled(symbol, theme::ACCENT), Rect { x: right, y: row, width: 1, height: 1 });
        };
        if top > 0 {
            mark(canvas, area.y, "↑");
        }
        if top + height < self.lines.len() {
            mark(canvas, area.bottom() - 1, "↓");
        }
        if let Some((line, column)) = self.cursor
            && (top..top + height).contains(&line)
        {
            let x = area.x.saturating_add(u16::try_from(column).unwrap_or(u16::MAX));
            let y = area.y.saturating_add(u16::try_from(line - top).unwrap_or(u16::MAX));
            if x < area.right() {
                canvas.set_cursor(x, y);
            }
        }
    }

    /// Registers the visible parts that react to clicks.
    fn register_clicks(&self, canvas: &mut Canvas, area: Rect, top: usize) {
        let position = |value: usize| u16::try_from(value).unwrap_or(u16::MAX);
        for (lines, columns, click) in &self.clicks {
            let (first, last) = (lines.start.max(top), lines.end.min(top + usize::from(area.height)));
            if first >= last {
                continue;
            }
            let place = Rect {
                x: area.x.saturating_add(position(columns.start)),
                y: area.y + position(first - top),
                width: position(columns.len()),
                height: position(last - first),
            };
            let place = place.intersection(area);
            if !place.is_empty() {
                canvas.on_click(place, click.clone());
            }
        }
    }
}
