//! Undo and redo of a text field.

use std::collections::VecDeque;
use std::mem;

/// The steps that are kept at most.
const MAX_STEPS: usize = 200;
/// The bytes of text that are kept at most, unless the last step alone has more.
const MAX_BYTES: usize = 1 << 20;

/// Where the cursor is: its line, and the characters before it in that line.
pub type Cursor = (usize, usize);

/// How an edit counts: several may be one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditKind {
    /// A character was typed. Characters up to the end of a word are one step.
    Typed(char),
    /// A character before the cursor was deleted. Those in a row are one step.
    DeletedLeft,
    /// A character behind the cursor was deleted. Those in a row are one step.
    DeletedRight,
    /// Anything else, such as a paste, is a step of its own.
    Standalone,
}

impl EditKind {
    fn coalesces_with(self, before: Self) -> bool {
        match (before, self) {
            (Self::Typed(before), Self::Typed(now)) => before.is_whitespace() || !now.is_whitespace(),
            (Self::DeletedLeft, Self::DeletedLeft) | (Self::DeletedRight, Self::DeletedRight) => true,
            _ => false,
        }
    }
}

/// A step: the text on its other side, and the cursor on both.
#[derive(Clone, Debug)]
struct UndoStep {
    text: String,
    before: Cursor,
    after: Cursor,
}

/// What was done to a text and what was undone.
#[derive(Clone, Debug, Default)]
pub struct History {
    undo_stack: VecDeque<UndoStep>,
    redo_stack: Vec<UndoStep>,
    /// The last edit, while the next may belong to the same step.
    open_kind: Option<EditKind>,
}

impl History {
    /// Takes down an edit: the text before it, and the cursor before and after it.
    pub fn record(&mut self, step: EditKind, text: &str, before: Cursor, after: Cursor) {
        self.redo_stack.clear();
        let continues = self.open_kind.is_some_and(|open| step.coalesces_with(open));
        self.open_kind = Some(step);
        match self.undo_stack.back_mut() {
            Some(last) if continues => last.after = after,
            _ => self.undo_stack.push_back(UndoStep { text: text.to_owned(), before, after }),
        }
        let mut bytes: usize = self.undo_stack.iter().map(|change| change.text.len()).sum();
        while self.undo_stack.len() > 1 && (self.undo_stack.len() > MAX_STEPS || bytes > MAX_BYTES) {
            bytes -= self.undo_stack.pop_front().map_or(0, |change| change.text.len());
        }
    }

    /// Lets the next edit be a step of its own.
    pub fn end_undo_group(&mut self) {
        self.open_kind = None;
    }

    /// Takes back the last step of what led to `text`; returns the text and the cursor before it.
    pub fn undo(&mut self, text: &str) -> Option<(String, Cursor)> {
        self.open_kind = None;
        let mut change = self.undo_stack.pop_back()?;
        let (text, cursor) = (mem::replace(&mut change.text, text.to_owned()), change.before);
        self.redo_stack.push(change);
        Some((text, cursor))
    }

    /// Does again what was undone last; returns the text and the cursor after it.
    pub fn redo(&mut self, text: &str) -> Option<(String, Cursor)> {
        self.open_kind = None;
        let mut change = self.redo_stack.pop()?;
        let (text, cursor) = (mem::replace(&mut change.text, text.to_owned()), change.after);
        self.undo_stack.push_back(change);
        Some((text, cursor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_steps_are_dropped_when_the_history_exceeds_its_limits() {
        let mut history = History::default();
        for step in 0..MAX_STEPS + 50 {
            history.record(EditKind::Standalone, &step.to_string(), (0, 0), (0, 1));
        }
        assert_eq!((history.undo_stack.len(), &*history.undo_stack[0].text), (MAX_STEPS, "50"));
        let long = "x".repeat(MAX_BYTES);
        history.record(EditKind::Standalone, &long, (0, 0), (0, 1));
        assert_eq!(history.undo("").map(|(text, _)| text), Some(long));
        assert_eq!(history.undo(""), None);
    }
}
