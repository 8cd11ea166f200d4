//! The lesson beside the console.

use crossterm::event::KeyEvent;

use super::App;
use crate::lessons::state::{LessonRequest, LessonState};
use crate::tui::effect::Effect;
use crate::tui::flash::Flash;
use crate::tui::keymap::Action;
use crate::tui::lesson::{LessonEvent, LessonView, panel_width};

/// The titles of the messages about the lesson.
const LESSON_TITLES: [&str; 2] = ["Step done", "Lesson finished"];

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

    /// Shows the new state of the lesson. A new step is shown at once, and that a step is done with a message.
    pub(super) fn on_lesson_state(&mut self, state: LessonState) {
        let has_panel = self.lesson_panel_width() > 0;
        let key = self.keymap.label_of(Action::Lesson);
        let Some(lesson) = &mut self.lesson else { return };
        let was_done = lesson.state().is_step_done;
        let is_done = state.is_step_done;
        let next = state.next_step.clone();
        let is_resumed = lesson.state().step_count == 0;
        if lesson.set_state(state) {
            lesson.set_focused(!has_panel);
            self.flashes.retain(|flash| !LESSON_TITLES.contains(&&*flash.title));
        } else if is_done && !was_done && !is_resumed && !has_panel && !lesson.is_focused() {
            let (title, text) = match next {
                Some(next) => (LESSON_TITLES[0], format!("Next: {next}. Press {key} for the lesson.")),
                None => (LESSON_TITLES[1], format!("All steps are done. Press {key} for the lesson.")),
            };
            self.flashes.push(Flash::success(title, text));
        }
    }

    /// Handles the keys that always go to the lesson, and all keys while it has the focus. Returns `None` for other keys.
    pub(super) fn handle_lesson_key(&mut self, action: Option<Action>, key: KeyEvent) -> Option<Vec<Effect>> {
        let has_panel = self.lesson_panel_width() > 0;
        let lesson = self.lesson.as_mut()?;
        match action {
            Some(Action::Lesson) if has_panel && lesson.can_begin_next() => {
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
                lesson.show_end();
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
            _ => matches!(
                action,
                Action::Lesson
                    | Action::Activate
                    | Action::Back
                    | Action::Quit
                    | Action::ToggleMouse
                    | Action::Redraw
                    | Action::Suspend
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
            Some(lesson) if self.lesson_panel_width() > 0 && lesson.can_begin_next() => "Next step",
            Some(lesson) if lesson.is_focused() => "Close",
            _ => "Lesson",
        }
    }
}
