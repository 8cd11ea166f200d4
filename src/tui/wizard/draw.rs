//! Drawing the wizard: the rail, the step, and what fields on every step share.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::spots::Spot;
use super::{Wizard, outcome};
use crate::create_key::field::Field;
use crate::create_key::known::{Known, Loaded};
use crate::create_key::method::Step;
use crate::create_key::submission::Submission;
use crate::create_key::validate::FieldError;
use crate::tui::theme;
use crate::tui::widgets::field::TextField;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::{button_row, text};

/// Longer lines are hard to read.
const MOST_COLUMNS: u16 = 116;

impl Wizard {
    /// The error to show at a field: only once the person has left it or tried to go on.
    pub(super) fn error_at(&self, field: Field, errors: &[FieldError]) -> Option<String> {
        let shown = self.left.contains(&field) && !(Some(field) == self.field_here() && self.is_empty(field));
        let live =
            matches!(field, Field::Alias | Field::KeyPolicy) || matches!(field, Field::TagKey(_) | Field::TagValue(_));
        let typed = !self.is_empty(field);
        errors
            .iter()
            .find(|error| error.field == field && (shown || (live && typed)))
            .map(|error| error.message.clone())
    }

    pub(super) fn is_empty(&self, field: Field) -> bool {
        self.text_of(field).is_some_and(|text| text.is_empty())
    }

    /// Draws rail and step.
    pub fn draw(&self, known: &Known, frame: &mut Frame, area: Rect) {
        let rail = if area.width >= 76 { 24 } else { 0 };
        let mut body = Rect { x: area.x + rail, width: area.width - rail, ..area };
        if rail > 0 {
            self.draw_rail(known, frame, Rect { width: rail, ..area });
        }
        body.width = body.width.min(MOST_COLUMNS);
        // The title stays where it is when the page is scrolled. Without a rail it tells how far one is.
        let lead = format!("Step {} of {} · ", self.place() + 1, self.method.steps(self.draft.origin).len());
        let title = format!("{}{}", if rail == 0 { &lead } else { "" }, self.step.title());
        let title = Line::styled(text::truncate(&title, body.width.into()), theme::HEADING);
        frame.render_widget(title, Rect { height: 1.min(body.height), ..body });
        body = Rect { y: body.y.saturating_add(1), height: body.height.saturating_sub(1), ..body };
        let mut paper = Paper::new(body.width);
        self.write(&mut paper, usize::from(body.height), known);
        paper.draw_scrolled(frame, body, &self.scroll);
    }

    pub(super) fn draw_rail(&self, known: &Known, frame: &mut Frame, area: Rect) {
        let mut paper = Paper::new(area.width);
        paper.heading("Create key");
        paper.gap();
        for (place, step) in self.method.steps(self.draft.origin).iter().enumerate() {
            let here = place == self.place();
            let wrong = self.visited.contains(&place)
                && !here
                && *step != Step::Review
                && !self.errors_of(*step, known).is_empty();
            let (mark, style) = match (here, wrong, self.visited.contains(&place)) {
                (true, ..) => ("▸", theme::ACCENT),
                (_, true, _) => ("!", theme::WARNING),
                (_, _, true) => ("✓", theme::GOOD),
                _ => ("·", theme::QUIET),
            };
            let words = text::wrap(step.rail(), usize::from(area.width).saturating_sub(5));
            for (row, words) in words.into_iter().enumerate() {
                let lead = if row == 0 { format!("{mark} {} ", place + 1) } else { "    ".to_owned() };
                let body = if here { theme::HEADING } else { style };
                paper.line(Line::from(vec![Span::styled(lead, style), Span::styled(words, body)]));
            }
            if step.is_optional() {
                paper.line(Line::styled("    optional", theme::QUIET));
            }
        }
        paper.draw(frame, area);
    }

    pub(super) fn write(&self, paper: &mut Paper, height: usize, known: &Known) {
        let errors = self.errors_of(self.step, known);
        if !matches!(self.submission, Submission::NotSent) && self.step == Step::Review {
            self.write_outcome(paper);
        }
        match self.step {
            Step::ConfigureKey => self.write_configure(paper, height, known, &errors),
            Step::ChooseExternalKey => self.write_external_key(paper, height, known, &errors),
            Step::AliasAndDescription => self.write_labels(paper, &errors),
            Step::Tags => self.write_tags(paper, &errors),
            Step::Administrators => self.write_administrators(paper, height, known, &errors),
            Step::Users => self.write_users(paper, height, known, &errors),
            Step::KeyPolicy => self.write_policy(paper, height, known, &errors),
            Step::Review => {
                self.write_permissions(paper);
                self.write_review(paper, known);
            }
        }
        self.write_buttons(paper, known);
    }

    pub(super) fn write_buttons(&self, paper: &mut Paper, known: &Known) {
        let here = self.here();
        let has_previous = self.spots().contains(&Spot::Previous);
        let next = match self.step {
            Step::Review if known.is_read_only => "Copy the commands",
            Step::Review => outcome::finish_words(&self.submission),
            _ => "Next",
        };
        paper.gap();
        let focused = match here {
            Spot::Cancel => 0,
            Spot::Previous => 1,
            Spot::Next => 2,
            _ => usize::MAX,
        };
        paper.focused(focused != usize::MAX, |paper| {
            button_row(paper, &[Some("Cancel"), has_previous.then_some("Previous"), Some(next)], focused);
        });
    }

    /// Writes a field: label, the error or the hint, and whatever `write` makes of it.
    pub(super) fn write_field(
        &self,
        paper: &mut Paper,
        field: Field,
        errors: &[FieldError],
        write: impl FnOnce(&mut Paper, bool),
    ) {
        let is_focused = self.field_here() == Some(field);
        let error = self.error_at(field, errors);
        paper.focused(is_focused, |paper| {
            let mark = if is_focused { "▸ " } else { "  " };
            paper
                .line(Line::from(vec![Span::styled(mark, theme::ACCENT), Span::styled(field.label(), theme::HEADING)]));
            write(paper, is_focused);
            match error {
                Some(error) => paper.prose(&format!("✗ {error}"), 2, theme::BAD),
                None => paper.prose(field.hint(), 2, theme::QUIET),
            };
        });
    }

    pub(super) fn write_text_field(&self, paper: &mut Paper, field: Field, errors: &[FieldError], placeholder: &str) {
        self.write_field(paper, field, errors, |paper, is_focused| {
            self.write_editor(paper, field, 2, 56, is_focused, placeholder);
        });
    }

    /// Writes the one-line editor of a field, with the cursor when it has the focus.
    pub(super) fn write_editor(
        &self,
        paper: &mut Paper,
        field: Field,
        indent: usize,
        most: usize,
        is_focused: bool,
        placeholder: &str,
    ) {
        let columns = paper.width.saturating_sub(indent + 1).min(most);
        let still = TextField::new(&self.text_of(field).unwrap_or_default());
        let shown = if is_focused { self.editors.line(field) } else { None }.unwrap_or(&still);
        shown.write(paper, indent, columns, is_focused, placeholder);
    }

    pub(super) fn loaded_note<T>(paper: &mut Paper, what: &str, loaded: &Loaded<T>) -> bool {
        crate::tui::pages::write_loading(paper, what, loaded)
    }
}
