//! Writes frames to the terminal.

use std::io::{self, Write};

use crossterm::{cursor, queue};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Size};

use super::device::{self, device};

/// Draws on the terminal. It moves the cursor after each grapheme whose width differs between terminals, so that the
/// following cells are always drawn in place.
#[derive(Debug)]
pub(super) struct TerminalBackend(CrosstermBackend<FrameWriter>);

impl TerminalBackend {
    pub(super) fn new() -> Self {
        Self(CrosstermBackend::new(FrameWriter::default()))
    }
}

impl Backend for TerminalBackend {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let cells: Vec<_> = content.collect();
        // Each draw call starts by moving the cursor.
        cells
            .split_inclusive(|(_, _, cell)| is_width_uncertain(cell.symbol()))
            .try_for_each(|run| self.0.draw(run.iter().copied()))
    }

    // The cursor is part of the frame, so it is written with it.
    fn hide_cursor(&mut self) -> io::Result<()> {
        queue!(self.0, cursor::Hide)
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        queue!(self.0, cursor::Show)
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let Position { x, y } = position.into();
        queue!(self.0, cursor::MoveTo(x, y))
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }

    fn clear_region(&mut self, region: ClearType) -> io::Result<()> {
        self.0.clear_region(region)
    }

    fn size(&self) -> io::Result<Size> {
        device::size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.0.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.0)
    }
}

/// Returns whether a frame has graphemes whose width differs between terminals.
pub(super) fn has_uncertain_widths(frame: &Buffer) -> bool {
    frame.content.iter().any(|cell| is_width_uncertain(cell.symbol()))
}

/// Returns whether the width of a grapheme differs between terminals: emoji sequences, flags, and syllables of Indic
/// scripts. A letter with combining accents (U+0300 to U+036F) has the width of the letter everywhere.
fn is_width_uncertain(grapheme: &str) -> bool {
    let mut others = grapheme.chars().skip(1);
    !grapheme.is_ascii() && others.any(|character| !('\u{300}'..='\u{36f}').contains(&character))
}

/// Buffers a frame and writes it to the terminal at once. The terminal never shows a partial frame, and a frame that a
/// panic interrupts is never written.
#[derive(Debug, Default)]
struct FrameWriter(Vec<u8>);

impl Write for FrameWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut out = device();
        out.write_all(&self.0)?;
        self.0.clear();
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_graphemes_and_emoji_variants_have_uncertain_width() {
        for grapheme in ["👩‍👩‍👧", "☺️", "🇩🇪", "👍🏽", "नि"] {
            assert!(is_width_uncertain(grapheme), "{grapheme}");
        }
        for grapheme in ["a", "é", "e\u{301}", "日", "😀", "✓", " "] {
            assert!(!is_width_uncertain(grapheme), "{grapheme}");
        }
    }
}
