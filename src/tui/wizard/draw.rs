//! Drawing the wizard: the list of steps, the current step, and the parts that all fields share.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Wizard;
use super::focus::FocusTarget;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::field::Field;
use crate::create_key::method::Step;
use crate::create_key::outcome::finish_label;
use crate::create_key::submission::Submission;
use crate::create_key::validate::FieldError;
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text_field::TextField;
use crate::tui::widgets::{button_row, text};

/// The maximum width of a step, in columns. Longer lines are hard to read.
const MAX_WIDTH: u16 = 116;

impl Wizard {
    /// Returns the error to show at a field.
    ///
    /// Most errors are shown only after the user left the field or tried to continue. Those of the alias, the tags, and
    /// the key policy are shown while the user types.
    pub(super) fn visible_error(&self, field: Field, errors: &[FieldError]) -> Option<String> {
        let shown = self.touched.contains(&field) && !(Some(field) == self.focused_field() && self.is_empty(field));
        let live =
            matches!(field, Field::Alias | Field::KeyPolicy) || matches!(field, Field::TagKey(_) | Field::TagValue(_));
        let typed = !self.is_empty(field);
        errors
            .iter()
            .find(|error| error.field == field && (shown || (live && typed)))
            .map(|error| error.message.clone())
    }

    pub(super) fn is_empty(&self, field: Field) -> bool {
        self.text_value(field).is_some_and(|text| text.is_empty())
    }

    /// Draws the list of steps and the current step.
    pub fn draw(&self, account: &AccountState, frame: &mut Frame, area: Rect) {
        let step_list_width = if area.width >= 76 { 24 } else { 0 };
        let mut body = Rect { x: area.x + step_list_width, width: area.width - step_list_width, ..area };
        if step_list_width > 0 {
            self.draw_step_list(account, frame, Rect { width: step_list_width, ..area });
        }
        body.width = body.width.min(MAX_WIDTH);
        // The title doesn't scroll with the page. Without the list of steps, it also shows the step number.
        let lead = format!("Step {} of {} · ", self.step_index() + 1, self.method.steps(self.draft.origin).len());
        let title = format!("{}{}", if step_list_width == 0 { &lead } else { "" }, self.step.title());
        let title = Line::styled(text::truncate(&title, body.width.into()), theme::HEADING);
        frame.render_widget(title, Rect { height: 1.min(body.height), ..body });
        body = Rect { y: body.y.saturating_add(1), height: body.height.saturating_sub(1), ..body };
        let mut view = ScrollView::new(body.width);
        self.write(&mut view, usize::from(body.height), account);
        view.draw_scrolled(frame, body, &self.scroll);
    }

    pub(super) fn draw_step_list(&self, account: &AccountState, frame: &mut Frame, area: Rect) {
        let mut view = ScrollView::new(area.width);
        view.heading("Create key");
        view.blank_line();
        for (place, step) in self.method.steps(self.draft.origin).iter().enumerate() {
            let here = place == self.step_index();
            let wrong = self.visited.contains(&place)
                && !here
                && *step != Step::Review
                && !self.step_errors(*step, account).is_empty();
            let (mark, style) = match (here, wrong, self.visited.contains(&place)) {
                (true, ..) => ("▸", theme::ACCENT),
                (_, true, _) => ("!", theme::WARNING),
                (_, _, true) => ("✓", theme::SUCCESS),
                _ => ("·", theme::MUTED),
            };
            let words = text::wrap(step.title(), usize::from(area.width).saturating_sub(5));
            for (row, words) in words.into_iter().enumerate() {
                let lead = if row == 0 { format!("{mark} {} ", place + 1) } else { "    ".to_owned() };
                let body = if here { theme::HEADING } else { style };
                view.push_line(Line::from(vec![Span::styled(lead, style), Span::styled(words, body)]));
            }
            if step.is_optional() {
                view.push_line(Line::styled("    optional", theme::MUTED));
            }
        }
        view.draw(frame, area);
    }

    pub(super) fn write(&self, view: &mut ScrollView, height: usize, account: &AccountState) {
        let errors = self.step_errors(self.step, account);
        if !matches!(self.submission, Submission::NotSent) && self.step == Step::Review {
            self.write_outcome(view);
        }
        match self.step {
            Step::ConfigureKey => self.write_configure_key(view, height, account, &errors),
            Step::ChooseExternalKey => self.write_external_key(view, height, account, &errors),
            Step::AliasAndDescription => self.write_alias_and_description(view, &errors),
            Step::Tags => self.write_tags(view, &errors),
            Step::Administrators => self.write_administrators(view, height, account, &errors),
            Step::Users => self.write_users(view, height, account, &errors),
            Step::KeyPolicy => self.write_policy(view, height, account, &errors),
            Step::Review => {
                self.write_permissions(view);
                self.write_review(view, account);
            }
        }
        self.write_buttons(view, account);
    }

    pub(super) fn write_buttons(&self, view: &mut ScrollView, account: &AccountState) {
        let here = self.focused();
        let has_previous = self.focus_targets().contains(&FocusTarget::Previous);
        let next = match self.step {
            Step::Review if account.is_read_only => "Copy commands",
            Step::Review => finish_label(&self.submission),
            _ => "Next",
        };
        view.blank_line();
        let focused = match here {
            FocusTarget::Cancel => 0,
            FocusTarget::Previous => 1,
            FocusTarget::Next => 2,
            _ => usize::MAX,
        };
        view.focused(focused != usize::MAX, |view| {
            button_row(view, &[Some("Cancel"), has_previous.then_some("Previous"), Some(next)], focused);
        });
    }

    /// Writes a field: its label, its content by `write`, and its error or hint.
    pub(super) fn write_field(
        &self,
        view: &mut ScrollView,
        field: Field,
        errors: &[FieldError],
        write: impl FnOnce(&mut ScrollView, bool),
    ) {
        let is_focused = self.focused_field() == Some(field);
        let error = self.visible_error(field, errors);
        view.focused(is_focused, |view| {
            let mark = if is_focused { "▸ " } else { "  " };
            view.push_line(Line::from(vec![
                Span::styled(mark, theme::ACCENT),
                Span::styled(field.label(), theme::HEADING),
            ]));
            write(view, is_focused);
            match error {
                Some(error) => view.paragraph(&format!("✗ {error}"), 2, theme::ERROR),
                None => view.paragraph(field.hint(), 2, theme::MUTED),
            };
        });
    }

    pub(super) fn write_text_field(
        &self,
        view: &mut ScrollView,
        field: Field,
        errors: &[FieldError],
        placeholder: &str,
    ) {
        self.write_field(view, field, errors, |view, is_focused| {
            self.write_editor(view, field, 2, 56, is_focused, placeholder);
        });
    }

    /// Writes the one-line editor of a field, with the cursor if the field has the focus.
    pub(super) fn write_editor(
        &self,
        view: &mut ScrollView,
        field: Field,
        indent: usize,
        most: usize,
        is_focused: bool,
        placeholder: &str,
    ) {
        let columns = view.width.saturating_sub(indent + 1).min(most);
        let still = TextField::new(&self.text_value(field).unwrap_or_default());
        let shown = if is_focused { self.editors.text_field(field) } else { None }.unwrap_or(&still);
        shown.write(view, indent, columns, is_focused, placeholder);
    }

    pub(super) fn write_loading<T>(view: &mut ScrollView, what: &str, loaded: &Loadable<T>) -> bool {
        crate::tui::pages::write_load_state(view, what, loaded)
    }
}
