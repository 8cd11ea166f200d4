//! Draws the lesson.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::LessonView;
use crate::lessons::state::{AnswerState, GoalState};
use crate::tui::keymap::{Action, BINDINGS, Binding, Keymap};
use crate::tui::theme;
use crate::tui::widgets::canvas::{Canvas, Click};
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;

/// The maximum width of the text, in columns.
const MAX_TEXT_WIDTH: usize = 100;
/// The columns beside the title of the frame that can't be used for it.
const TITLE_MARGIN: usize = 7;
/// The states of a goal, with as many columns each.
const DONE: &str = "✓ Done   ";
const TO_DO: &str = "◌ To do  ";

impl LessonView {
    /// Draws the lesson in `area`. Its keys are those of `keymap`.
    pub fn draw(&self, canvas: &mut Canvas, area: Rect, keymap: &Keymap) {
        canvas.render(Clear, area);
        if let Some(key) = keymap_event(Action::Lesson).filter(|_| !self.is_focused) {
            canvas.on_click(area, Click::Key(key));
        }
        let has_room = text::width(&self.state.title) + TITLE_MARGIN <= usize::from(area.width);
        let title = if has_room { self.state.title.as_str() } else { "Lesson" };
        let inner = Container::new(title).focused(self.is_focused).draw(canvas, area);
        self.lines(inner.width, !has_room, keymap).draw_scrolled(canvas, inner, &self.scroll);
    }

    fn lines(&self, width: u16, has_title: bool, keymap: &Keymap) -> ScrollView {
        let state = &self.state;
        let mut view = ScrollView::new(width);
        let columns = view.width.min(MAX_TEXT_WIDTH);
        if state.step_count == 0 {
            view.push_line(Line::styled(" Preparing the lesson…", theme::SECONDARY));
            return view;
        }
        if has_title {
            view.paragraph(&state.title, 1, theme::HEADING).blank_line();
        }
        let title = format!("Step {} of {} · {}", state.step, state.step_count, state.step_title);
        view.paragraph(&title, 1, theme::HEADING);
        if let Some(problem) = &state.problem {
            view.blank_line().paragraph(problem, 1, theme::ERROR);
        }
        if state.is_step_done {
            self.write_done(&mut view, keymap);
        }
        for paragraph in paragraphs(&state.text) {
            view.blank_line();
            write_code_text(&mut view, &paragraph, columns);
        }
        if !state.goals.is_empty() {
            view.blank_line().push_line(Line::styled(" Goals", theme::HEADING));
            for goal in &state.goals {
                write_goal(&mut view, goal, columns);
            }
        }
        self.write_question(&mut view, columns, keymap);
        for (index, hint) in state.hints.iter().enumerate() {
            let count = state.hints.len() + state.hints_left;
            view.blank_line().push_line(Line::styled(format!(" Hint {} of {count}", index + 1), theme::HEADING));
            for paragraph in paragraphs(hint) {
                write_code_text(&mut view, &paragraph, columns);
            }
        }
        if state.hints_left > 0 && !state.is_step_done {
            let another = if state.hints.is_empty() { "a hint" } else { "another hint" };
            let words = format!("Press {} for {another}.", keymap.label_of(Action::Hint));
            view.blank_line().paragraph(&words, 1, theme::SECONDARY);
        }
        view
    }

    /// Writes that the step is done, and what comes next.
    fn write_done(&self, view: &mut ScrollView, keymap: &Keymap) {
        let state = &self.state;
        view.blank_line();
        let Some(next) = &state.next_step else {
            view.paragraph("Lesson finished", 1, theme::SUCCESS);
            let quit = keymap.label_of(Action::Quit);
            let words =
                format!("All {} steps are done. Press {quit} to quit, or try more on this account.", state.step_count);
            view.paragraph(&words, 1, theme::TEXT);
            return;
        };
        view.paragraph("Step done", 1, theme::SUCCESS);
        let action = if self.is_focused { Action::Activate } else { Action::Lesson };
        let words = format!("Next: {next}. Press {} to begin it.", keymap.label_of(action));
        let press = |view: &mut ScrollView| {
            view.paragraph(&words, 1, theme::TEXT);
        };
        match keymap_event(action) {
            Some(key) => view.clickable(Click::Key(key), press),
            None => view,
        };
    }

    fn write_question(&self, view: &mut ScrollView, columns: usize, keymap: &Keymap) {
        let Some(question) = &self.state.question else { return };
        view.blank_line().push_line(Line::styled(" Question", theme::HEADING));
        write_code_text(view, &question.text, columns);
        match &question.answer {
            AnswerState::Right => {
                view.paragraph("✓ Correct", 1, theme::SUCCESS);
                return;
            }
            AnswerState::Wrong(answer) => {
                let words = format!("Incorrect: \"{answer}\". Try another answer.");
                view.paragraph(&words, 1, theme::ERROR);
            }
            AnswerState::Missing => {}
        }
        if self.is_focused {
            self.answer.write(view, 1, columns.saturating_sub(2), true, "");
            if self.follows_answer {
                view.focus_last_line();
            }
        } else {
            let words = format!("Press {} to answer.", keymap.label_of(Action::Lesson));
            view.paragraph(&words, 1, theme::SECONDARY);
        }
    }
}

/// Returns the key press that triggers an action.
fn keymap_event(action: Action) -> Option<KeyEvent> {
    BINDINGS.iter().find(|binding| binding.action == action).map(Binding::key_event)
}

/// Returns the paragraphs of a text, each in one line.
fn paragraphs(text: &str) -> Vec<String> {
    let joined = |lines: &[&str]| lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let lines: Vec<&str> = text.lines().collect();
    lines.split(|line| line.trim().is_empty()).filter(|lines| !lines.is_empty()).map(joined).collect()
}

fn write_goal(view: &mut ScrollView, goal: &GoalState, columns: usize) {
    let (mark, style) = if goal.is_met { (DONE, theme::SUCCESS) } else { (TO_DO, theme::SECONDARY) };
    let indent = text::width(mark) + 1;
    for (index, row) in text::wrap(&goal.text, columns.saturating_sub(indent + 1)).into_iter().enumerate() {
        let start = if index == 0 { Span::styled(format!(" {mark}"), style) } else { Span::raw(" ".repeat(indent)) };
        view.push_line(Line::from(vec![start, Span::raw(row)]));
    }
}

/// Writes a paragraph. What is in back quotes has another style.
fn write_code_text(view: &mut ScrollView, paragraph: &str, columns: usize) {
    let (mut plain, mut is_code) = (String::new(), Vec::new());
    let mut inside = false;
    for character in paragraph.chars() {
        if character == '`' {
            inside = !inside;
        } else {
            plain.push(character);
            is_code.push(inside);
        }
    }
    // Wrapping removes only spaces, so each row continues where the one above has ended.
    let mut rest = plain.chars().zip(is_code).peekable();
    for row in text::wrap(&plain, columns.saturating_sub(2)) {
        let mut spans: Vec<Span<'static>> = vec![Span::raw(" ")];
        let mut current = (String::new(), false);
        for character in row.chars() {
            while rest.next_if(|(next, _)| *next != character).is_some() {}
            let code = rest.next().is_some_and(|(_, code)| code);
            if code != current.1 && !current.0.is_empty() {
                spans.push(Span::styled(std::mem::take(&mut current.0), style_of(current.1)));
            }
            current.0.push(character);
            current.1 = code;
        }
        spans.push(Span::styled(current.0, style_of(current.1)));
        view.push_line(Line::from(spans));
    }
}

fn style_of(is_code: bool) -> Style {
    if is_code { theme::ACCENT } else { theme::TEXT }
}
