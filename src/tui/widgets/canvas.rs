//! The surface that a page is drawn on: the frame, and what a click on each part of it does.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::tui::pages::Location;

/// The effect of a click.
#[derive(Clone, Debug, PartialEq)]
pub enum Click {
    /// Presses a key.
    Key(KeyEvent),
    /// Presses a key of the page. Before that, the focus moves from the navigation or an open search to the page. In the
    /// wizard, it moves to the table.
    PageKey(KeyEvent),
    /// Opens a page.
    Navigate(Location),
    /// Presses a button in the row of buttons at the end, by its number.
    Button(usize),
    /// Moves the focus to an element, by its number in focus order, and activates it if it is a button.
    Focus(usize),
    /// Chooses an option of the element with this number in focus order.
    Choose(usize, usize),
    /// Places the cursor in a text.
    Text {
        /// The number of the element in focus order. The search field of a page has none, and is 0.
        control: usize,
        /// The line of the text.
        row: usize,
        /// The screen column in that line, from the start of the text.
        column: usize,
    },
    /// Moves the cursor of the table to a row, by its position, and opens or selects it.
    Row(usize),
    /// Moves the cursor of the table to a row, by its position, and selects or clears it.
    SelectRow(usize),
    /// Sorts the table by a column.
    Sort(usize),
    /// Goes to a wizard step, by its number.
    Step(usize),
    /// Shows a tab, by its number.
    Tab(usize),
    /// Opens a link of the newest message, by its number.
    OpenLink(usize),
    /// Closes the newest message.
    CloseMessage,
}

/// The parts of a frame that react to clicks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClickMap(Vec<(Rect, Click)>);

impl ClickMap {
    /// Returns what a click at this position does. Parts drawn later cover earlier ones. In a text, the result has the
    /// column of the position.
    pub fn at(&self, column: u16, row: u16) -> Option<Click> {
        let is_there = |(area, _): &&(Rect, Click)| area.contains(Position { x: column, y: row });
        self.0.iter().rev().find(is_there).map(|(area, click)| match click {
            Click::Text { control, row, column: first } => {
                Click::Text { control: *control, row: *row, column: first + usize::from(column - area.x) }
            }
            other => other.clone(),
        })
    }

    /// Returns all parts that react to clicks, in drawing order.
    pub fn iter(&self) -> impl Iterator<Item = &(Rect, Click)> {
        self.0.iter()
    }
}

/// The surface of one frame.
#[derive(Debug)]
pub struct Canvas<'a, 'b> {
    frame: &'a mut Frame<'b>,
    /// The area that pages and dialogs have.
    area: Rect,
    clicks: ClickMap,
}

impl<'a, 'b> Canvas<'a, 'b> {
    /// Creates the surface for a frame.
    pub fn new(frame: &'a mut Frame<'b>) -> Self {
        let area = frame.area();
        Self { frame, area, clicks: ClickMap::default() }
    }

    /// Returns the area for pages and dialogs: the whole screen, unless something is beside it.
    pub fn area(&self) -> Rect {
        self.area
    }

    /// Limits pages and dialogs to a part of the screen.
    pub fn set_area(&mut self, area: Rect) {
        self.area = area;
    }

    /// Draws a widget.
    pub fn render(&mut self, widget: impl Widget, area: Rect) {
        self.frame.render_widget(widget, area.intersection(self.frame.area()));
    }

    /// Draws a line of text.
    pub fn line(&mut self, line: &Line, area: Rect) {
        draw_line(line, area, self.frame.buffer_mut());
    }

    /// Places the terminal cursor.
    pub fn set_cursor(&mut self, column: u16, row: u16) {
        self.frame.set_cursor_position((column, row));
    }

    /// Makes an area react to clicks.
    pub fn on_click(&mut self, area: Rect, click: Click) {
        self.clicks.0.push((area, click));
    }

    /// Makes all areas drawn so far ignore clicks, because something covers the screen.
    pub fn cover(&mut self) {
        self.clicks.0.clear();
    }

    /// Returns the parts that react to clicks.
    pub fn into_clicks(self) -> ClickMap {
        self.clicks
    }
}

/// Draws a line as [`Line`] itself does, but without looking for graphemes in a span in which each character has a cell. Most of a
/// screen is such text, and most of the time of a frame would go there.
fn draw_line(line: &Line, area: Rect, buffer: &mut Buffer) {
    if line.spans.iter().all(|span| span.width() == 0) {
        return;
    }
    let area = Rect { height: area.height.min(1), ..area }.intersection(buffer.area);
    buffer.set_style(area, line.style);
    let mut rest = area;
    for span in &line.spans {
        if rest.is_empty() {
            return;
        }
        let columns = if is_cell_per_character(&span.content) {
            draw_characters(span, rest, buffer)
        } else {
            let columns = u16::try_from(span.width()).unwrap_or(u16::MAX).min(rest.width);
            if columns > 0 {
                span.render(rest, buffer);
            }
            columns
        };
        rest = Rect { x: rest.x + columns, width: rest.width - columns, ..rest };
    }
}

/// Draws a span with one cell for each character, and returns how many of them there was room for.
fn draw_characters(span: &Span, area: Rect, buffer: &mut Buffer) -> u16 {
    let mut x = area.x;
    for character in span.content.chars().take(area.width.into()) {
        buffer[(x, area.y)].set_char(character).set_style(span.style);
        x += 1;
    }
    x - area.x
}

/// Returns whether each character takes one cell: printable ASCII characters, and those that draw lines.
fn is_cell_per_character(words: &str) -> bool {
    words.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        || words.chars().all(|character| matches!(character, ' '..='~' | '\u{2500}'..='\u{257f}'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};

    use super::*;

    fn style() -> impl Strategy<Value = Style> {
        let color = prop::sample::select(vec![None, Some(Color::Red), Some(Color::Reset)]);
        let modifier = prop::sample::select(vec![Modifier::empty(), Modifier::BOLD, Modifier::REVERSED]);
        (color.clone(), color, modifier.clone(), modifier).prop_map(|(fg, bg, add_modifier, sub_modifier)| Style {
            fg,
            bg,
            add_modifier,
            sub_modifier,
            ..Style::default()
        })
    }

    proptest! {
        #[test]
        fn line_is_drawn_as_the_widget_draws_it(
            spans in prop::collection::vec(("[ -~]{0,9}|[─a│]{0,5}|[a鍵é\u{301}\u{200b}\u{1f469}\u{200d}─ ]{0,6}", style()), 0..5),
            style in style(), x in 0..12u16, width in 0..14u16, height in 0..3u16,
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(words, style)| Span::styled(words, style)).collect();
            let line = Line::from(spans).style(style);
            let area = Rect { x, y: 0, width, height };
            let mut expected = Buffer::filled(Rect::new(0, 0, 16, 2), ratatui::buffer::Cell::new("鍵"));
            let mut drawn = expected.clone();
            (&line).render(area.intersection(expected.area), &mut expected);
            draw_line(&line, area, &mut drawn);
            prop_assert_eq!(drawn, expected);
        }
    }
}
