//! Undo and redo of a text field.

use std::collections::VecDeque;
use std::mem;

/// The steps that are kept at most.
const MOST_STEPS: usize = 200;
/// The bytes of text that are kept at most, unless the last step alone has more.
const MOST_BYTES: usize = 1 << 20;

/// Where the cursor is: its line, and the characters before it in that line.
pub type Cursor = (usize, usize);

/// How an edit counts: several may be one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A character was typed. Characters up to the end of a word are one step.
    Typed(char),
    /// A character before the cursor was deleted. Those in a row are one step.
    ErasedLeft,
    /// A character behind the cursor was deleted. Those in a row are one step.
    ErasedRight,
    /// Anything else, such as a paste, is a step of its own.
    Whole,
}

impl Step {
    fn continues(self, before: Self) -> bool {
        match (before, self) {
            (Self::Typed(before), Self::Typed(now)) => before.is_whitespace() || !now.is_whitespace(),
            (Self::ErasedLeft, Self::ErasedLeft) | (Self::ErasedRight, Self::ErasedRight) => true,
            _ => false,
        }
    }
}

/// A step: the text on its other side, and the cursor on both.
#[derive(Clone, Debug)]
struct Change {
    text: String,
    before: Cursor,
    after: Cursor,
}

/// What was done to a text and what was undone.
#[derive(Clone, Debug, Default)]
pub struct History {
    past: VecDeque<Change>,
    future: Vec<Change>,
    /// The last edit, while the next may belong to the same step.
    open: Option<Step>,
}

impl History {
    /// Takes down an edit: the text before it, and the cursor before and after it.
    pub fn record(&mut self, step: Step, text: &str, before: Cursor, after: Cursor) {
        self.future.clear();
        let continues = self.open.is_some_and(|open| step.continues(open));
        self.open = Some(step);
        match self.past.back_mut() {
            Some(last) if continues => last.after = after,
            _ => self.past.push_back(Change { text: text.to_owned(), before, after }),
        }
        let mut bytes: usize = self.past.iter().map(|change| change.text.len()).sum();
        while self.past.len() > 1 && (self.past.len() > MOST_STEPS || bytes > MOST_BYTES) {
            bytes -= self.past.pop_front().map_or(0, |change| change.text.len());
        }
    }

    /// Lets the next edit be a step of its own.
    pub fn end_step(&mut self) {
        self.open = None;
    }

    /// Takes back the last step of what led to `text`; returns the text and the cursor before it.
    pub fn undo(&mut self, text: &str) -> Option<(String, Cursor)> {
        self.open = None;
        let mut change = self.past.pop_back()?;
        let (text, cursor) = (mem::replace(&mut change.text, text.to_owned()), change.before);
        self.future.push(change);
        Some((text, cursor))
    }

    /// Does again what was undone last; returns the text and the cursor after it.
    pub fn redo(&mut self, text: &str) -> Option<(String, Cursor)> {
        self.open = None;
        let mut change = self.future.pop()?;
        let (text, cursor) = (mem::replace(&mut change.text, text.to_owned()), change.after);
        self.past.push_back(change);
        Some((text, cursor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_steps_are_dropped_when_the_history_exceeds_its_limits() {
        let mut history = History::default();
        for step in 0..MOST_STEPS + 50 {
            history.record(Step::Whole, &step.to_string(), (0, 0), (0, 1));
        }
        assert_eq!((history.past.len(), &*history.past[0].text), (MOST_STEPS, "50"));
        let long = "x".repeat(MOST_BYTES);
        history.record(Step::Whole, &long, (0, 0), (0, 1));
        assert_eq!(history.undo("").map(|(text, _)| text), Some(long));
        assert_eq!(history.undo(""), None);
    }
}
