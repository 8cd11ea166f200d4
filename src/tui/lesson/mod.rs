//! The lesson beside the console: a panel on wide screens, and a view in front of the page on others.

mod draw;
#[cfg(test)]
mod tests;

use crossterm::event::{KeyCode, KeyEvent};

use super::keymap::{self, Action};
use super::widgets::scroll::ScrollState;
use super::widgets::text_field::TextField;
use crate::lessons::state::{LessonRequest, LessonState};

/// The minimum width of a screen on which the lesson is in a panel beside the page, in columns.
pub const MIN_PANEL_SCREEN_WIDTH: u16 = 120;
/// The smallest and the greatest width of the panel, in columns.
const PANEL_WIDTH: (u16, u16) = (40, 60);

/// Returns the width of the panel on a screen of `width` columns. It is 0 if there is no room for a panel.
pub fn panel_width(width: u16) -> u16 {
    if width < MIN_PANEL_SCREEN_WIDTH { 0 } else { (width / 3).clamp(PANEL_WIDTH.0, PANEL_WIDTH.1) }
}

/// The open lesson.
#[derive(Clone, Debug, Default)]
pub struct LessonView {
    state: LessonState,
    /// Whether the keys go to the lesson. On screens without a panel, only then the lesson is visible.
    is_focused: bool,
    scroll: ScrollState,
    answer: TextField,
    /// Whether the answer is kept on the screen, because the user types it.
    follows_answer: bool,
}

/// What the lesson asks of the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LessonEvent {
    /// The key was handled.
    Handled,
    /// Pass this request on.
    Request(LessonRequest),
}

impl LessonView {
    /// Returns the state of the lesson.
    pub fn state(&self) -> &LessonState {
        &self.state
    }

    /// Whether the keys go to the lesson.
    pub fn is_focused(&self) -> bool {
        self.is_focused
    }

    /// Moves the focus to the lesson, or away from it.
    pub fn set_focused(&mut self, is_focused: bool) {
        self.is_focused = is_focused;
    }

    /// Whether typed letters go into the answer.
    pub fn is_typing(&self) -> bool {
        self.is_focused && self.state.wants_answer()
    }

    /// Whether there are more lines below.
    pub fn has_more_below(&self) -> bool {
        self.scroll.has_more_below()
    }

    /// Whether there is a step after this one, which can begin.
    pub fn can_begin_next(&self) -> bool {
        self.state.is_step_done && self.state.next_step.is_some()
    }

    /// Takes the new state. Returns whether a step has begun.
    pub fn set_state(&mut self, state: LessonState) -> bool {
        let is_new_step = state.step != self.state.step;
        if is_new_step || state.is_step_done && !self.state.is_step_done {
            self.scroll.reset();
        } else if state.hints.len() > self.state.hints.len() {
            // Hints are at the end.
            self.scroll.scroll_to_end();
        }
        if is_new_step || !state.wants_answer() {
            self.answer = TextField::default();
            self.follows_answer = false;
        }
        self.state = state;
        is_new_step
    }

    /// Whether Enter does something: the answer to a question must not be empty.
    pub fn can_activate(&self) -> bool {
        !self.is_typing() || !self.answer.value().trim().is_empty()
    }

    /// Returns what Enter does, in a word or two.
    pub fn enter_title(&self) -> &'static str {
        if self.is_typing() {
            "Answer"
        } else if self.can_begin_next() {
            "Next step"
        } else {
            "Close"
        }
    }

    /// Handles a key while the lesson has the focus.
    pub fn handle_key(&mut self, key: KeyEvent) -> LessonEvent {
        match keymap::action(&[], key) {
            Some(Action::Back) => self.is_focused = false,
            Some(Action::Activate) => return self.activate(),
            _ if self.is_typing() && !matches!(key.code, KeyCode::Up | KeyCode::Down) => {
                if self.scroll.handle_page_key(key.code) {
                    return LessonEvent::Handled;
                }
                self.answer.handle_key(key);
                self.follow_answer();
            }
            _ => {
                self.scroll.handle_key(key.code);
            }
        }
        LessonEvent::Handled
    }

    fn follow_answer(&mut self) {
        self.follows_answer = true;
        self.scroll.reset();
    }

    /// Answers the question, begins the next step, or returns to the page.
    fn activate(&mut self) -> LessonEvent {
        if self.is_typing() {
            let answer = self.answer.value().trim().to_owned();
            return if answer.is_empty() {
                LessonEvent::Handled
            } else {
                LessonEvent::Request(LessonRequest::Answer(answer))
            };
        }
        if self.can_begin_next() {
            return LessonEvent::Request(LessonRequest::NextStep);
        }
        self.is_focused = false;
        LessonEvent::Handled
    }

    /// Inserts pasted text into the answer.
    pub fn handle_paste(&mut self, text: &str) {
        if self.is_typing() {
            self.answer.paste(text);
            self.follow_answer();
        }
    }

    /// Scrolls by this number of lines: down, or up if it is negative.
    pub fn scroll_by(&mut self, lines: isize) {
        self.scroll.scroll_by(lines);
    }
}
