//! The surface that a page is drawn on: the frame, and what a click on each part of it does.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;

use crate::tui::pages::Location;

/// The effect of a click.
#[derive(Clone, Debug, PartialEq)]
pub enum Click {
    /// Presses a key.
    Key(KeyEvent),
    /// Opens a page.
    Navigate(Location),
    /// Presses a button in the row of buttons at the end, by its number.
    Button(usize),
    /// Moves the focus to an element, by its number in focus order, and activates it if it is a button.
    Focus(usize),
    /// Chooses an option of the element with this number in focus order.
    Choose(usize, usize),
    /// Moves the cursor of the table to a row, by its number on the screen, and opens or selects it.
    Row(usize),
    /// Sorts the table by a column.
    Sort(usize),
    /// Goes to a wizard step, by its number.
    Step(usize),
    /// Shows a tab, by its number.
    Tab(usize),
}

/// The parts of a frame that react to clicks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClickMap(Vec<(Rect, Click)>);

impl ClickMap {
    /// Returns what a click at this position does. Parts drawn later cover earlier ones.
    pub fn at(&self, column: u16, row: u16) -> Option<&Click> {
        let is_there = |(area, _): &&(Rect, Click)| area.contains(Position { x: column, y: row });
        self.0.iter().rev().find(is_there).map(|(_, click)| click)
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
    clicks: ClickMap,
}

impl<'a, 'b> Canvas<'a, 'b> {
    /// Creates the surface for a frame.
    pub fn new(frame: &'a mut Frame<'b>) -> Self {
        Self { frame, clicks: ClickMap::default() }
    }

    /// Returns the area of the whole screen.
    pub fn area(&self) -> Rect {
        self.frame.area()
    }

    /// Draws a widget.
    pub fn render(&mut self, widget: impl Widget, area: Rect) {
        self.frame.render_widget(widget, area.intersection(self.frame.area()));
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
