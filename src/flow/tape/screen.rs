//! The text of a screen, and where a text is on it.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Position;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr as _;

/// Returns the text of a row, and the column of each of its bytes.
fn row_text(frame: &Buffer, y: u16) -> (String, Vec<u16>) {
    let (mut text, mut columns) = (String::new(), Vec::new());
    let mut x = frame.area.left();
    while x < frame.area.right() {
        let Some(cell) = frame.cell((x, y)) else { break };
        text.push_str(cell.symbol());
        columns.resize(text.len(), x);
        // A wide character also occupies the next cell.
        x += u16::try_from(cell.symbol().width()).unwrap_or(1).max(1);
    }
    (text, columns)
}

/// Returns the text of a screen, row by row, without trailing spaces.
pub fn screen_text(frame: &Buffer) -> String {
    let mut text = String::new();
    for y in frame.area.top()..frame.area.bottom() {
        text.push_str(row_text(frame, y).0.trim_end());
        text.push('\n');
    }
    text
}

/// Returns the last line with text.
pub(super) fn last_line(text: &str) -> &str {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default()
}

/// Returns the position of each place at which `text` is on the screen, in reading order.
pub fn find_text(frame: &Buffer, text: &str) -> Vec<Position> {
    let mut found = Vec::new();
    for y in frame.area.top()..frame.area.bottom() {
        let (row, columns) = row_text(frame, y);
        found.extend(row.match_indices(text).map(|(at, _)| Position { x: columns[at], y }));
    }
    found
}

/// Returns the styles of the cells of each place at which `text` is on the screen.
pub(super) fn styles_of(frame: &Buffer, text: &str) -> Vec<Vec<Style>> {
    let mut found = Vec::new();
    for y in frame.area.top()..frame.area.bottom() {
        let (row, columns) = row_text(frame, y);
        let style = |x: &u16| frame.cell((*x, y)).map(Cell::style).unwrap_or_default();
        let matches = row.match_indices(text);
        found.extend(matches.map(|(at, _)| columns[at..at + text.len()].iter().map(style).collect()));
    }
    found
}
