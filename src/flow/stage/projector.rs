//! Screens for an audience: without IDs, and in strong contrast.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use crate::flow::ids::IdHider;
use crate::flow::recording::{EventKind, RecordedEvent, Recording};

/// Returns the recording for a projector: each frame without IDs and in strong contrast.
#[must_use]
pub fn for_projector(recording: &Recording) -> Recording {
    let mut projector = Projector::default();
    let mut result = Recording::new(recording.title.clone(), recording.size);
    for RecordedEvent { at, kind } in &recording.events {
        match kind {
            EventKind::Frame(frame) => result.frame(*at, projector.show(frame)),
            EventKind::Marker(title) => result.marker(*at, title.clone()),
        }
    }
    result.finish(recording.duration());
    result
}

/// Prepares screens for a projector.
#[derive(Debug, Default)]
pub(super) struct Projector {
    ids: IdHider,
}

impl Projector {
    /// Returns a frame without IDs and in strong contrast.
    pub(super) fn show(&mut self, frame: &Buffer) -> Buffer {
        let mut frame = frame.clone();
        let height = frame.area.height;
        self.hide_ids(&mut frame, 0..height);
        for cell in &mut frame.content {
            cell.fg = match cell.fg {
                Color::Reset | Color::Gray | Color::DarkGray => Color::White,
                Color::Red => Color::LightRed,
                Color::Green => Color::LightGreen,
                Color::Yellow => Color::LightYellow,
                Color::Blue => Color::LightBlue,
                Color::Magenta => Color::LightMagenta,
                Color::Cyan => Color::LightCyan,
                other => other,
            };
            if cell.bg == Color::Reset {
                cell.bg = Color::Black;
            }
            cell.modifier.remove(Modifier::DIM);
        }
        frame
    }

    /// Replaces the characters of IDs in some rows of a frame with `•`. Rows start at 0.
    pub(super) fn hide_ids(&mut self, frame: &mut Buffer, rows: Range<u16>) {
        self.ids.hide(frame, rows);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::flow::tape::screen_text;

    #[test]
    fn ids_of_earlier_frames_are_hidden_in_later_ones() {
        let mut recording = Recording::new("a".to_owned(), (60, 1));
        for (second, text) in [(0, "key/1234abcd-12ab-34cd-56ef-1234567890ab"), (1, "34cd-56ef-1234567890ab")] {
            let mut frame = Buffer::empty(Rect::new(0, 0, 60, 1));
            frame.set_string(0, 0, text, Style::new());
            recording.frame(SignedDuration::from_secs(second), frame);
        }
        let frames = for_projector(&recording).events.into_iter().filter_map(|event| match event.kind {
            EventKind::Frame(frame) => Some(screen_text(&frame)),
            EventKind::Marker(_) => None,
        });
        let expected = [format!("key/{}\n", "•".repeat(36)), format!("{}\n", "•".repeat(22))];
        assert_eq!(frames.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn dim_text_becomes_bright() {
        let mut frame = Buffer::empty(Rect::new(0, 0, 4, 1));
        frame.set_string(0, 0, "help", Style::new().fg(Color::DarkGray).add_modifier(Modifier::DIM));
        let shown = Projector::default().show(&frame);
        assert_eq!(
            (shown[(0, 0)].fg, shown[(0, 0)].bg, shown[(0, 0)].modifier),
            (Color::White, Color::Black, Modifier::empty())
        );
    }
}
