//! A review of the screens that a suite found to be different: a person looks at each of them in the
//! terminal, and accepts or rejects it.
//!
//! [`Review`] is the state, and [`Review::handle_key`] changes it. [`draw()`] draws it, and [`show`] does both in the
//! terminal. Only [`Review::write`] changes golden files.

mod diff;
mod draw;
mod item;
mod live;
mod summary;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::golden::GoldenError;
use super::suite::{self, Report, SuiteError};
use crate::tui::widgets::scroll::ScrollState;

pub use draw::draw;
pub use item::{Decision, ItemKind, ReviewItem};
pub use live::show;
pub use summary::Summary;

/// The columns by which a key scrolls to the side.
const COLUMN_STEP: usize = 8;

/// The items of a report, the decisions about them, and what the terminal shows.
#[derive(Clone, Debug)]
pub struct Review {
    items: Vec<ReviewItem>,
    current: usize,
    view: View,
    /// The position in the new and the old screen, so that switching between them shows the same rows.
    screen_position: Position,
    diff_position: Position,
}

/// A view of an item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The screen that was found.
    New,
    /// The screen in the golden file.
    Old,
    /// The rows that differ.
    #[default]
    Diff,
}

/// What is scrolled out of sight at the top and at the left.
#[derive(Clone, Debug, Default)]
struct Position {
    rows: ScrollState,
    columns: ScrollState,
}

/// The result of a key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewEvent {
    /// The review continues.
    Handled,
    /// The review ends, and the decisions are written.
    Finish,
    /// The review ends, and nothing is written.
    Cancel,
}

impl Review {
    /// Creates a review of a report, with no decisions.
    ///
    /// # Errors
    /// [`GoldenError`] if the golden file of a left-over screen can't be read any more.
    pub fn new(report: &Report) -> Result<Self, GoldenError> {
        let (screen_position, diff_position) = (Position::default(), Position::default());
        let items = ReviewItem::all(report)?;
        Ok(Self { items, current: 0, view: View::default(), screen_position, diff_position })
    }

    /// Returns the items in order.
    pub fn items(&self) -> &[ReviewItem] {
        &self.items
    }

    /// Returns the item that is shown, and its index.
    pub fn current(&self) -> Option<(usize, &ReviewItem)> {
        self.items.get(self.current).map(|item| (self.current, item))
    }

    /// Returns the view that is shown.
    pub fn view(&self) -> View {
        self.view
    }

    fn position(&self) -> &Position {
        if self.view == View::Diff { &self.diff_position } else { &self.screen_position }
    }

    /// Handles a key press. The review is finished when there is a decision about every item.
    pub fn handle_key(&mut self, key: KeyEvent) -> ReviewEvent {
        let modifiers = key.modifiers - KeyModifiers::SHIFT;
        if modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char('c') {
            return ReviewEvent::Cancel;
        }
        if !modifiers.is_empty() {
            return ReviewEvent::Handled;
        }
        let has_shift = key.modifiers.contains(KeyModifiers::SHIFT);
        match key.code {
            KeyCode::Char('a') => return self.decide(Decision::Accepted),
            KeyCode::Char('r') => return self.decide(Decision::Rejected),
            KeyCode::Char('A') => return self.accept_rest_of_tape(),
            KeyCode::Char('q') | KeyCode::Esc => return ReviewEvent::Finish,
            KeyCode::Char('<') => self.scroll_columns(KeyCode::Up),
            KeyCode::Char('>') => self.scroll_columns(KeyCode::Down),
            KeyCode::Left if has_shift => self.scroll_columns(KeyCode::Up),
            KeyCode::Right if has_shift => self.scroll_columns(KeyCode::Down),
            KeyCode::Right | KeyCode::Char('n') if self.current + 1 < self.items.len() => self.open(self.current + 1),
            KeyCode::Left | KeyCode::Char('p') if self.current > 0 => self.open(self.current - 1),
            KeyCode::Char('1') => self.view = View::New,
            KeyCode::Char('2') => self.view = View::Old,
            KeyCode::Char('3') => self.view = View::Diff,
            KeyCode::Tab => self.view = self.view.next(),
            KeyCode::BackTab => self.view = self.view.next().next(),
            other => {
                self.position_mut().rows.handle_key(other);
            }
        }
        ReviewEvent::Handled
    }

    fn position_mut(&mut self) -> &mut Position {
        if self.view == View::Diff { &mut self.diff_position } else { &mut self.screen_position }
    }

    fn scroll_columns(&mut self, direction: KeyCode) {
        for _ in 0..COLUMN_STEP {
            self.position_mut().columns.handle_key(direction);
        }
    }

    /// Shows another item from its top, in the view of the differences.
    fn open(&mut self, index: usize) {
        self.current = index;
        self.view = View::default();
        (self.screen_position, self.diff_position) = (Position::default(), Position::default());
    }

    fn decide(&mut self, decision: Decision) -> ReviewEvent {
        if let Some(item) = self.items.get_mut(self.current) {
            item.decision = Some(decision);
        }
        self.open_next_undecided()
    }

    fn accept_rest_of_tape(&mut self) -> ReviewEvent {
        let Some(current) = self.items.get(self.current).cloned() else { return ReviewEvent::Finish };
        let is_accepted = |item: &&mut ReviewItem| item.decision.is_none() && item.has_same_tape(&current);
        for item in self.items.iter_mut().filter(is_accepted) {
            item.decision = Some(Decision::Accepted);
        }
        self.open_next_undecided()
    }

    /// Shows the next item without a decision. After the last item, it continues with the first one.
    fn open_next_undecided(&mut self) -> ReviewEvent {
        let undecided = |index: &usize| self.items[*index].decision.is_none();
        match (self.current..self.items.len()).chain(0..self.current).find(undecided) {
            Some(next) => {
                self.open(next);
                ReviewEvent::Handled
            }
            None => ReviewEvent::Finish,
        }
    }

    /// Writes the accepted screens to their golden files, and removes the accepted left-over screens and golden files.
    ///
    /// # Errors
    /// [`SuiteError`] if a golden file can't be read, written, or removed.
    pub fn write(&self, report: &Report) -> Result<(), SuiteError> {
        let accepted = || self.items.iter().filter(|item| item.decision == Some(Decision::Accepted));
        for result in &report.results {
            let names: Vec<&str> =
                accepted().filter(|item| item.belongs_to(result)).map(|item| item.name.as_str()).collect();
            if !names.is_empty() {
                suite::accept_screens(result, |name| names.contains(&name))?;
            }
        }
        for item in accepted().filter(|item| item.kind == ItemKind::LeftOverFile) {
            suite::remove_golden_file(&item.path)?;
        }
        Ok(())
    }

    /// Returns the numbers of decisions, and the tapes of the report that the review leaves out.
    pub fn summary(&self, report: &Report) -> Summary {
        Summary::new(&self.items, report)
    }
}

impl View {
    /// All views, in the order of their keys `1`, `2`, and `3`.
    pub const ALL: [Self; 3] = [Self::New, Self::Old, Self::Diff];

    /// Returns the word for the view.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Old => "Old",
            Self::Diff => "Diff",
        }
    }

    fn next(self) -> Self {
        match self {
            Self::New => Self::Old,
            Self::Old => Self::Diff,
            Self::Diff => Self::New,
        }
    }
}

#[cfg(test)]
mod tests;
