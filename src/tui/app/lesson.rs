//! The lesson beside the console.

use crossterm::event::KeyEvent;

use super::App;
use crate::lessons::state::{LessonRequest, LessonState};
use crate::tui::effect::Effect;
use crate::tui::keymap::Action;
use crate::tui::lesson::{LessonEvent, LessonView, panel_width};

impl App {
    /// Opens a lesson beside the console, and returns the effect that begins it.
    pub fn begin_lesson(&mut self) -> Vec<Effect> {
        self.lesson = Some(LessonView::default());
        vec![Effect::Lesson(LessonRequest::Begin)]
    }

    /// Returns the lesson, if one is open.
    pub fn lesson(&self) -> Option<&LessonView> {
        self.lesson.as_ref()
    }

    /// Returns the width of the panel with the lesson. It is 0 without a panel.
    pub fn lesson_panel_width(&self) -> u16 {
        if self.lesson.is_some() { panel_width(self.screen_size.0) } else { 0 }
    }

    /// Returns the columns and rows that pages, dialogs, and texts have.
    pub(super) fn content_size(&self) -> (u16, u16) {
        (self.screen_size.0 - self.lesson_panel_width(), self.screen_size.1)
    }

    /// Whether the keys go to the lesson.
    pub(super) fn is_lesson_focused(&self) -> bool {
        self.text_view.is_none() && self.lesson.as_ref().is_some_and(LessonView::is_focused)
    }

    /// Whether the lesson covers the page.
    pub fn is_lesson_in_front(&self) -> bool {
        self.is_lesson_focused() && self.lesson_panel_width() == 0
    }

    /// Returns the effect that checks the goals, unless the step is done.
    pub(super) fn check_lesson(&self) -> Option<Effect> {
        let is_open = self.lesson.as_ref().is_some_and(|lesson| !lesson.state().is_step_done);
        is_open.then_some(Effect::Lesson(LessonRequest::Check))
    }

    /// Shows the new state of the lesson. On a screen without a panel, a new step is shown in front of the page.
    pub(super) fn on_lesson_state(&mut self, state: LessonState) {
        let has_panel = self.lesson_panel_width() > 0;
        if let Some(lesson) = &mut self.lesson
            && lesson.set_state(state)
        {
            lesson.set_focused(!has_panel || lesson.state().wants_answer() && lesson.is_focused());
        }
    }

    /// Returns the step in a few words for screens without a panel, and whether it is done.
    pub fn lesson_badge(&self) -> Option<(String, bool)> {
        let state = self.lesson.as_ref().filter(|_| self.lesson_panel_width() == 0)?.state();
        let key = self.keymap.label_of(Action::Lesson);
        let words = if state.is_finished() {
            "✓ Lesson finished".to_owned()
        } else if state.is_step_done {
            "✓ Step done".to_owned()
        } else {
            format!("Step {} of {}", state.step, state.step_count)
        };
        (state.step_count > 0).then(|| (format!(" {words} [{key}] "), state.is_step_done))
    }

    /// Handles the keys that always go to the lesson, and all keys while it has the focus. Returns `None` for other keys.
    pub(super) fn handle_lesson_key(&mut self, action: Option<Action>, key: KeyEvent) -> Option<Vec<Effect>> {
        let has_panel = self.lesson_panel_width() > 0;
        let lesson = self.lesson.as_mut()?;
        match action {
            Some(Action::Lesson) if lesson.can_begin_next() => {
                return Some(vec![Effect::Lesson(LessonRequest::NextStep)]);
            }
            Some(Action::Lesson) => {
                lesson.set_focused(!lesson.is_focused());
                return Some(Vec::new());
            }
            Some(Action::Hint) => {
                if !has_panel {
                    lesson.set_focused(true);
                }
                return Some(vec![Effect::Lesson(LessonRequest::ShowHint)]);
            }
            _ if lesson.is_focused() => {}
            _ => return None,
        }
        Some(match lesson.handle_key(key) {
            LessonEvent::Handled => Vec::new(),
            LessonEvent::Request(request) => vec![Effect::Lesson(request)],
        })
    }

    /// Returns whether an action is available while the lesson has the focus.
    pub(super) fn is_available_in_lesson(&self, action: Action) -> bool {
        match action {
            Action::Scroll => self.lesson.as_ref().is_some_and(LessonView::has_more_below),
            Action::EditText => self.is_typing(),
            Action::Hint => self.has_hint(),
            Action::Activate => self.lesson.as_ref().is_some_and(LessonView::can_activate),
            _ => matches!(
                action,
                Action::Lesson | Action::Back | Action::Quit | Action::ToggleMouse | Action::Redraw | Action::Suspend
            ),
        }
    }

    /// Whether there are hints that are not shown yet.
    pub(super) fn has_hint(&self) -> bool {
        let lesson = self.lesson.as_ref().map(LessonView::state);
        lesson.is_some_and(|state| state.hints_left > 0 && !state.is_step_done)
    }

    /// Returns what F7 does, in a word or two.
    pub(super) fn lesson_title(&self) -> &'static str {
        match &self.lesson {
            Some(lesson) if lesson.can_begin_next() => "Next step",
            Some(lesson) if lesson.is_focused() => "Close",
            _ => "Lesson",
        }
    }
}
