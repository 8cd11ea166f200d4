use crossterm::event::KeyModifiers;

use super::*;
use crate::lessons::state::{AnswerState, GoalState, QuestionState};

fn state() -> LessonState {
    LessonState {
        title: "Keys".to_owned(),
        step: 1,
        step_count: 2,
        step_title: "Disable a key".to_owned(),
        goals: vec![GoalState { text: "The key is disabled".to_owned(), is_met: false }],
        next_step: Some("Enable it".to_owned()),
        ..LessonState::default()
    }
}

fn view(state: LessonState) -> LessonView {
    let mut view = LessonView::default();
    view.set_state(state);
    view.set_focused(true);
    view
}

fn press(view: &mut LessonView, code: KeyCode) -> LessonEvent {
    view.handle_key(KeyEvent::new(code, KeyModifiers::NONE))
}

#[test]
fn enter_closes_a_step_that_is_not_done_and_begins_the_next_one_after_it() {
    let mut open = view(state());
    assert_eq!((open.enter_title(), press(&mut open, KeyCode::Enter)), ("Close", LessonEvent::Handled));
    assert!(!open.is_focused());
    let mut done = view(LessonState { is_step_done: true, ..state() });
    assert_eq!(done.enter_title(), "Next step");
    assert_eq!(press(&mut done, KeyCode::Enter), LessonEvent::Request(LessonRequest::NextStep));
}

#[test]
fn answer_is_typed_and_sent_with_enter_until_it_is_right() {
    let question = |answer| Some(QuestionState { text: "Who?".to_owned(), answer });
    let mut asked = view(LessonState { question: question(AnswerState::Missing), ..state() });
    assert_eq!(press(&mut asked, KeyCode::Enter), LessonEvent::Handled);
    for letter in " Bob ".chars() {
        press(&mut asked, KeyCode::Char(letter));
    }
    assert_eq!(press(&mut asked, KeyCode::Enter), LessonEvent::Request(LessonRequest::Answer("Bob".to_owned())));
    asked.set_state(LessonState { question: question(AnswerState::Right), ..state() });
    assert!(!asked.is_typing());
}

#[test]
fn panel_needs_120_columns() {
    assert_eq!([80, 119, 120, 150, 200].map(panel_width), [0, 0, 40, 50, 60]);
}
