//! Recordings of the console: the frames that it showed, with their times.

use std::borrow::Cow;

use jiff::SignedDuration;
use ratatui::buffer::{Buffer, CellWidth as _};
use ratatui::layout::Rect;

/// The frames and markers of a console session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The title.
    pub title: String,
    /// The columns and rows of the screen.
    pub size: (u16, u16),
    /// The frames and markers, in the order of their times.
    pub events: Vec<RecordedEvent>,
    end: SignedDuration,
}

/// Something that happened at a point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedEvent {
    /// The time since the start of the recording.
    pub at: SignedDuration,
    /// What happened.
    pub kind: EventKind,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The screen changed to this frame.
    Frame(Buffer),
    /// A section with this title starts.
    Marker(String),
}

impl Recording {
    /// Creates an empty recording of a screen of `size` columns and rows.
    pub fn new(title: impl Into<String>, size: (u16, u16)) -> Self {
        Self { title: title.into(), size, events: Vec::new(), end: SignedDuration::ZERO }
    }

    /// Adds a frame that is shown from the time `at`. A frame that equals the last one is dropped.
    ///
    /// A time before the end of the recording counts as the end. A frame of another size is cropped or filled with
    /// blank cells.
    pub fn frame(&mut self, at: SignedDuration, frame: Buffer) {
        let fitted = match self.fit(&frame) {
            Cow::Borrowed(_) => None,
            Cow::Owned(fitted) => Some(fitted),
        };
        let frame = fitted.unwrap_or(frame);
        self.finish(at);
        let last = self.events.iter().rev().find_map(|event| match &event.kind {
            EventKind::Frame(last) => Some(last),
            EventKind::Marker(_) => None,
        });
        if last != Some(&frame) {
            self.events.push(RecordedEvent { at: self.end, kind: EventKind::Frame(frame) });
        }
    }

    /// Adds a marker: a section with this title starts at the time `at`.
    ///
    /// A time before the end of the recording counts as the end.
    pub fn marker(&mut self, at: SignedDuration, title: impl Into<String>) {
        self.finish(at);
        self.events.push(RecordedEvent { at: self.end, kind: EventKind::Marker(title.into()) });
    }

    /// Extends the recording to the time `at`. The last frame is shown until then.
    pub fn finish(&mut self, at: SignedDuration) {
        self.end = self.end.max(at);
    }

    /// Returns the time from the start to the end of the recording.
    pub fn duration(&self) -> SignedDuration {
        self.events.last().map_or(self.end, |last| self.end.max(last.at))
    }

    /// Returns `frame` in the size of the recording, cropped or filled with blank cells.
    pub(super) fn fit<'a>(&self, frame: &'a Buffer) -> Cow<'a, Buffer> {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        if frame.area == area {
            return Cow::Borrowed(frame);
        }
        let mut fitted = Buffer::empty(area);
        for row in 0..area.height.min(frame.area.height) {
            for column in 0..area.width.min(frame.area.width) {
                let cell = frame.cell((frame.area.x + column, frame.area.y + row));
                if let Some((cell, target)) = cell.zip(fitted.cell_mut((column, row))) {
                    *target = cell.clone();
                    if cell.symbol().cell_width() > area.width - column {
                        target.set_symbol(" ");
                    }
                }
            }
        }
        Cow::Owned(fitted)
    }
}

/// Returns `value` divided by 10 to the power of `digits` as a decimal number without trailing zeros.
pub(super) fn format_decimal(value: u128, digits: u32) -> String {
    let divisor = 10_u128.pow(digits);
    let (whole, rest) = (value / divisor, value % divisor);
    if rest == 0 {
        return whole.to_string();
    }
    let fraction = format!("{rest:0width$}", width = digits as usize);
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> SignedDuration {
        SignedDuration::from_millis(milliseconds)
    }

    #[test]
    fn frame_that_equals_the_last_frame_is_dropped() {
        let mut recording = Recording::new("t", (2, 1));
        recording.frame(at(0), Buffer::with_lines(["ab"]));
        recording.marker(at(10), "section");
        recording.frame(at(20), Buffer::with_lines(["ab"]));
        recording.frame(at(30), Buffer::with_lines(["ac"]));
        let times: Vec<_> = recording.events.iter().map(|event| event.at).collect();
        assert_eq!(times, [at(0), at(10), at(30)]);
    }

    #[test]
    fn times_never_decrease() {
        let mut recording = Recording::new("t", (1, 1));
        recording.frame(at(50), Buffer::with_lines(["a"]));
        recording.frame(at(20), Buffer::with_lines(["b"]));
        recording.finish(at(10));
        assert_eq!(recording.events[1].at, at(50));
        assert_eq!(recording.duration(), at(50));
        recording.finish(at(90));
        assert_eq!(recording.duration(), at(90));
    }

    #[test]
    fn frame_of_another_size_is_cropped_and_filled() {
        let mut recording = Recording::new("t", (3, 2));
        recording.frame(at(0), Buffer::with_lines(["ab日本"]));
        assert_eq!(recording.events[0].kind, EventKind::Frame(Buffer::with_lines(["ab ", "   "])));
    }

    #[test]
    fn decimals_have_no_trailing_zeros() {
        assert_eq!(format_decimal(0, 3), "0");
        assert_eq!(format_decimal(50, 3), "0.05");
        assert_eq!(format_decimal(12_000, 3), "12");
        assert_eq!(format_decimal(12_345, 3), "12.345");
    }
}
