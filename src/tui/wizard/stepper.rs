//! The list of steps: a pane at the left, or one line on narrow screens.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Wizard;
use crate::create_key::account_state::AccountState;
use crate::create_key::method::Step;
use crate::tui::theme;
use crate::tui::widgets::canvas::{Canvas, Click};
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text;

impl Wizard {
    /// Returns the symbol of a step and its style: current, with errors, visited, or not visited.
    fn step_mark(&self, index: usize, step: Step, account: &AccountState) -> (&'static str, Style) {
        let is_visited = self.visited.contains(&index);
        if index == self.step_index() {
            ("●", theme::ACCENT)
        } else if is_visited && step != Step::Review && !self.step_errors(step, account).is_empty() {
            ("▲", theme::WARNING)
        } else if is_visited {
            ("✓", theme::SUCCESS)
        } else {
            ("○", theme::SECONDARY)
        }
    }

    fn steps(&self) -> &'static [Step] {
        self.method.steps(self.draft.origin)
    }

    /// Draws the steps as a pane.
    pub(super) fn draw_step_list(&self, account: &AccountState, canvas: &mut Canvas, area: Rect) {
        let inner = Container::new("Create key").draw(canvas, area);
        let mut view = ScrollView::new(inner.width);
        for (index, step) in self.steps().iter().enumerate() {
            let is_here = index == self.step_index();
            let (mark, style) = self.step_mark(index, *step, account);
            let title = match (is_here, self.visited.contains(&index)) {
                (true, _) => theme::HEADING,
                (false, true) => theme::TEXT,
                (false, false) => theme::SECONDARY,
            };
            let line = Line::from(vec![
                Span::styled(if is_here { "▌" } else { " " }, theme::ACCENT),
                Span::styled(format!("{mark} "), style),
                Span::styled(format!("{} {}", index + 1, step.short_title()), title),
            ]);
            view.clickable(Click::Step(index), |view| {
                view.push_line(line);
            });
        }
        view.draw(canvas, inner);
    }

    /// Draws the steps as one line: the number and title of the current step, and a symbol for each step.
    pub(super) fn draw_stepper(&self, account: &AccountState, canvas: &mut Canvas, area: Rect) {
        let steps = self.steps();
        let lead = format!(" Step {} of {} · ", self.step_index() + 1, steps.len());
        let optional = if self.step.is_optional() { " - optional" } else { "" };
        let title = self.step.title();
        let (with_note, marks_width) = (format!("{title}{optional}"), steps.len() * 2);
        let room = usize::from(area.width).saturating_sub(text::width(&lead) + 2);
        // The title matters most. The marks of the steps are shown if there is room.
        let choices = [(with_note.as_str(), true), (title, true), (with_note.as_str(), false), (title, false)];
        let fits =
            |(title, has_marks): &(&str, bool)| text::width(title) + if *has_marks { marks_width } else { 0 } <= room;
        let (title, has_marks) = choices.into_iter().find(fits).unwrap_or((title, false));
        let title = text::truncate(title, room);
        let padding = room.saturating_sub(text::width(&title) + marks_width);
        let mut line = Line::from(vec![
            Span::styled(lead, theme::SECONDARY),
            Span::styled(title, theme::HEADING),
            Span::raw(" ".repeat(padding + 1)),
        ]);
        for (index, step) in steps.iter().enumerate().filter(|_| has_marks) {
            let (mark, style) = self.step_mark(index, *step, account);
            let x = area.x.saturating_add(u16::try_from(line.width()).unwrap_or(u16::MAX));
            canvas.on_click(Rect { x, width: 2, ..area }, Click::Step(index));
            line.push_span(Span::styled(format!("{mark} "), style));
        }
        canvas.line(&line, area);
    }
}
