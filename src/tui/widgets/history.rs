//! The undo and redo history of a text field.

use std::collections::VecDeque;
use std::mem;

/// The maximum number of steps.
const MAX_STEPS: usize = 200;
/// The maximum size of the saved texts, in bytes. The last step is kept even if it is larger.
const MAX_BYTES: usize = 1 << 20;

/// A cursor position: the line and the number of characters before the cursor in that line.
pub type Cursor = (usize, usize);

/// How an edit is grouped with other edits into one undo step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EditKind {
    /// A typed character. The characters of a word form one step.
    Typed(char),
    /// A deleted character before the cursor. Consecutive deletions form one step.
    DeletedLeft,
    /// A deleted character after the cursor. Consecutive deletions form one step.
    DeletedRight,
    /// Any other edit, such as a paste. It forms its own step.
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

/// An undo or redo step: the text to restore and the cursor before and after the edit.
#[derive(Clone, Debug)]
struct UndoStep {
    text: String,
    before: Cursor,
    after: Cursor,
}

/// The undo and redo steps of a text.
#[derive(Clone, Debug, Default)]
pub struct History {
    undo_stack: VecDeque<UndoStep>,
    redo_stack: Vec<UndoStep>,
    /// The last edit, if the next edit can still join its step.
    open_kind: Option<EditKind>,
}

impl History {
    /// Records an edit: the text before it and the cursor before and after it.
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

    /// Ends the current undo step, so that the next edit starts a new one.
    pub fn end_undo_group(&mut self) {
        self.open_kind = None;
    }

    /// Undoes the last step of `text` and returns the text and the cursor before that step.
    pub fn undo(&mut self, text: &str) -> Option<(String, Cursor)> {
        self.open_kind = None;
        let mut change = self.undo_stack.pop_back()?;
        let (text, cursor) = (mem::replace(&mut change.text, text.to_owned()), change.before);
        self.redo_stack.push(change);
        Some((text, cursor))
    }

    /// Redoes the last undone step and returns the text and the cursor after it.
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
