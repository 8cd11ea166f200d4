//! A form: labelled inputs, what is wrong with each, and the buttons below. What it is for is somebody else's business.

use std::collections::BTreeSet;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

use super::scroll_view::ScrollView;
use super::secret_field::SecretField;
use super::text_area::{TextArea, write_text_area};
use super::text_field::TextField;
use super::{button_row, text};
use crate::tui::theme;

/// Bytes that a secret has at most.
const SECRET_CAPACITY: usize = 512;

/// What a person fills in.
#[derive(Clone)]
pub enum FormInput {
    /// One line of text.
    Line(TextField),
    /// One line that is masked unless it is to be shown.
    Secret(SecretField),
    /// Several lines of text, and how many of them are shown at most.
    Text(Box<TextArea>, usize),
    /// A checkbox.
    Checkbox(bool),
    /// Radio buttons, and which is on.
    Radio(Vec<String>, usize),
}

impl FormInput {
    /// One line of text.
    pub fn line(value: &str) -> Self {
        Self::Line(TextField::new(value))
    }

    /// An empty secret.
    pub fn secret() -> Self {
        Self::Secret(SecretField::with_capacity(SECRET_CAPACITY))
    }

    /// Several lines of text, of which at most `most` are shown; the cursor behind them.
    pub fn text(value: &str, most: usize) -> Self {
        Self::Text(Box::new(TextArea::new(value).with_cursor_at_end()), most)
    }

    /// Several lines of text that leave no trace, of which at most `most` are shown.
    pub fn text_without_history(most: usize) -> Self {
        Self::Text(Box::new(TextArea::without_history()), most)
    }

    fn end_undo_group(&mut self) {
        match self {
            Self::Line(field) => field.end_undo_group(),
            Self::Text(area, _) => area.end_undo_group(),
            Self::Secret(_) | Self::Checkbox(_) | Self::Radio(..) => {}
        }
    }
}

/// A labelled input.
#[derive(Clone)]
pub struct FormField {
    /// What the form's owner calls it.
    pub name: &'static str,
    /// What the person sees.
    pub label: &'static str,
    /// A line on what may stand in it.
    pub hint: String,
    /// What is filled in.
    pub input: FormInput,
}

/// What a key did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormEvent {
    /// It moved the focus or changed something.
    Handled,
    /// Enter on a line: the owner may do something with it.
    EnterPressed(&'static str),
    /// Leave.
    Cancel,
    /// Do it.
    Submit,
}

/// Inputs, and where the person is among them.
#[derive(Clone)]
pub struct Form {
    /// The inputs in order.
    pub fields: Vec<FormField>,
    /// The words of the button that does it.
    pub submit_label: &'static str,
    /// Names of rows that are not shown now.
    pub hidden: Vec<&'static str>,
    /// Whether secrets are shown.
    pub shows_secrets: bool,
    focus: usize,
    visited: BTreeSet<&'static str>,
    is_modified: bool,
}

// What stands in a form may be a plaintext or a secret.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form").field("go", &self.submit_label).field("rows", &self.fields.len()).finish_non_exhaustive()
    }
}

impl Form {
    /// A form with the focus on its first input; on *Cancel* when `is_grave`, for what can't be undone.
    pub fn new(rows: Vec<FormField>, go: &'static str, is_destructive: bool) -> Self {
        let focus = if is_destructive { rows.len() } else { 0 };
        let (hidden, left) = (Vec::new(), BTreeSet::new());
        Self { fields: rows, submit_label: go, hidden, shows_secrets: false, focus, visited: left, is_modified: false }
    }

    fn input(&self, name: &str) -> Option<&FormInput> {
        self.fields.iter().find(|row| row.name == name).map(|row| &row.input)
    }

    /// The text of an input, without blanks around it; empty when it is hidden or has none.
    pub fn text(&self, name: &str) -> String {
        if self.hidden.contains(&name) {
            return String::new();
        }
        match self.input(name) {
            Some(FormInput::Line(field)) => field.value().trim().to_owned(),
            Some(FormInput::Text(area, _)) => area.value(),
            _ => String::new(),
        }
    }

    /// A secret.
    pub fn secret(&self, name: &str) -> &str {
        if let Some(FormInput::Secret(secret)) = self.input(name) { secret.expose() } else { "" }
    }

    /// Whether a checkbox is ticked.
    pub fn is_checked(&self, name: &str) -> bool {
        !self.hidden.contains(&name) && matches!(self.input(name), Some(FormInput::Checkbox(true)))
    }

    /// Which radio button is on, from 0.
    pub fn selected_option(&self, name: &str) -> usize {
        if let Some(FormInput::Radio(_, chosen)) = self.input(name) { *chosen } else { 0 }
    }

    /// Puts a text or secret into an input.
    pub fn set_value(&mut self, name: &str, value: &str) {
        self.is_modified = true;
        match self.fields.iter_mut().find(|row| row.name == name).map(|row| &mut row.input) {
            Some(FormInput::Line(field)) => *field = TextField::new(value),
            Some(FormInput::Secret(secret)) => secret.set(value),
            _ => {}
        }
    }

    /// Whether something was changed since it was opened.
    pub fn is_modified(&self) -> bool {
        self.is_modified
    }

    /// Moves the focus to an input and lets its error be seen; to the button that does it when the input is hidden.
    pub fn focus_field(&mut self, name: &'static str) {
        match self.fields.iter().position(|row| row.name == name).filter(|index| !self.is_hidden(*index)) {
            Some(index) => self.focus = index,
            None => self.focus_submit(),
        }
        self.visited.insert(name);
    }

    fn is_hidden(&self, index: usize) -> bool {
        self.fields.get(index).is_some_and(|row| self.hidden.contains(&row.name))
    }

    fn move_focus(&mut self, forward: bool) {
        if let Some(row) = self.fields.get_mut(self.focus) {
            row.input.end_undo_group();
            self.visited.insert(row.name);
        }
        let spots = self.fields.len() + 2;
        for _ in 0..spots {
            self.focus = (self.focus + if forward { 1 } else { spots - 1 }) % spots;
            if !self.is_hidden(self.focus) {
                return;
            }
        }
    }

    /// Whether Space ticks a box or presses a button.
    pub fn can_toggle(&self) -> bool {
        self.fields.get(self.focus).is_none_or(|row| matches!(row.input, FormInput::Checkbox(_)))
    }

    /// Whether letters go into a text.
    pub fn is_typing(&self) -> bool {
        let input = self.fields.get(self.focus).map(|row| &row.input);
        matches!(input, Some(FormInput::Line(_) | FormInput::Secret(_) | FormInput::Text(..)))
    }

    /// Whether a text of many lines has the focus, which turns its own pages.
    pub fn is_in_text_area(&self) -> bool {
        self.fields.get(self.focus).is_some_and(|row| matches!(row.input, FormInput::Text(..)))
    }

    /// Takes a key.
    pub fn handle_key(&mut self, key: KeyEvent) -> FormEvent {
        match key.code {
            KeyCode::Esc => return FormEvent::Cancel,
            KeyCode::Tab => self.move_focus(true),
            KeyCode::BackTab => self.move_focus(false),
            KeyCode::Char('n') if key.modifiers == KeyModifiers::CONTROL => return FormEvent::Submit,
            _ => return self.handle_field_key(key),
        }
        FormEvent::Handled
    }

    fn handle_field_key(&mut self, key: KeyEvent) -> FormEvent {
        let is_only = self.fields.len() == 1;
        let count = self.fields.len();
        let enters = matches!(key.code, KeyCode::Enter | KeyCode::Char(' '));
        let Some(row) = self.fields.get_mut(self.focus) else {
            match key.code {
                KeyCode::Left | KeyCode::Up => self.move_focus(false),
                KeyCode::Right | KeyCode::Down => self.move_focus(true),
                _ if enters => return if self.focus == count { FormEvent::Cancel } else { FormEvent::Submit },
                _ => {}
            }
            return FormEvent::Handled;
        };
        let moves = match (&mut row.input, key.code) {
            (FormInput::Text(area, _), _) => {
                self.is_modified |= area.handle_key(key);
                None
            }
            (FormInput::Line(_) | FormInput::Secret(_), KeyCode::Enter) if is_only => return FormEvent::Submit,
            (FormInput::Line(_), KeyCode::Enter) => return FormEvent::EnterPressed(row.name),
            (FormInput::Radio(labels, chosen), KeyCode::Down | KeyCode::Right) if *chosen + 1 < labels.len() => {
                *chosen += 1;
                self.is_modified = true;
                None
            }
            (FormInput::Radio(_, chosen), KeyCode::Up | KeyCode::Left) if *chosen > 0 => {
                *chosen -= 1;
                self.is_modified = true;
                None
            }
            (FormInput::Checkbox(ticked), _) if enters => {
                *ticked = !*ticked;
                self.is_modified = true;
                None
            }
            (_, KeyCode::Enter | KeyCode::Down) => Some(true),
            (_, KeyCode::Up) => Some(false),
            (FormInput::Line(field), _) => {
                self.is_modified |= field.handle_key(key);
                None
            }
            (FormInput::Secret(secret), _) => {
                self.is_modified |= secret.handle_key(key);
                None
            }
            _ => None,
        };
        if let Some(forward) = moves {
            self.move_focus(forward);
        }
        FormEvent::Handled
    }

    /// Moves on from the input that has the focus.
    pub fn focus_next(&mut self) {
        self.move_focus(true);
    }

    /// Takes pasted text into the input that has the focus.
    pub fn paste(&mut self, pasted: &str) {
        self.is_modified = true;
        match self.fields.get_mut(self.focus).map(|row| &mut row.input) {
            Some(FormInput::Line(field)) => field.paste(pasted),
            Some(FormInput::Secret(secret)) => secret.paste(pasted.trim()),
            Some(FormInput::Text(area, _)) => area.paste(pasted),
            _ => {}
        }
    }

    /// The input that has the focus.
    pub fn focused_field(&self) -> Option<&'static str> {
        self.fields.get(self.focus).map(|row| row.name)
    }

    /// Puts the focus on the first input that is shown, or on the button that does it when there is none.
    pub fn focus_first(&mut self) {
        self.focus = (0..self.fields.len()).find(|index| !self.is_hidden(*index)).unwrap_or(self.fields.len() + 1);
    }

    /// Moves the focus to the button that does it.
    pub fn focus_submit(&mut self) {
        self.focus = self.fields.len() + 1;
    }

    /// Writes all inputs that are shown, with what is wrong with those that were left. What `below` writes stands below
    /// the input that has the focus.
    pub fn write(&self, view: &mut ScrollView, errors: &[(&'static str, String)], below: impl Fn(&mut ScrollView)) {
        for (index, row) in self.fields.iter().enumerate().filter(|(index, _)| !self.is_hidden(*index)) {
            let is_focused = index == self.focus;
            let is_live = self.is_modified && matches!(row.input, FormInput::Text(..));
            let error = errors.iter().find(|(name, _)| *name == row.name && (is_live || self.visited.contains(name)));
            view.focused(is_focused, |view| {
                self.write_field(view, row, is_focused);
                match error {
                    Some((_, error)) => view.paragraph(&format!("✗ {error}"), 2, theme::ERROR),
                    None if row.hint.is_empty() => view,
                    None => view.paragraph(&row.hint, 2, theme::MUTED),
                };
                if is_focused {
                    below(view);
                }
            });
            let is_tick = |row: Option<&FormField>| matches!(row.map(|row| &row.input), Some(FormInput::Checkbox(_)));
            if !(is_tick(Some(row)) && is_tick(self.fields.get(index + 1))) {
                view.blank_line();
            }
        }
    }

    /// Writes the buttons, with what `above` writes when one of them has the focus.
    pub fn write_buttons(&self, view: &mut ScrollView, above: impl Fn(&mut ScrollView)) {
        let focused = self.focus.checked_sub(self.fields.len()).unwrap_or(usize::MAX);
        view.focused(focused != usize::MAX, |view| {
            if focused != usize::MAX {
                above(view);
            }
            button_row(view, &[Some("Cancel"), Some(self.submit_label)], focused);
        });
    }

    fn write_field(&self, view: &mut ScrollView, row: &FormField, is_focused: bool) {
        let mark = Span::styled(if is_focused { "▸ " } else { "  " }, theme::ACCENT);
        if let FormInput::Checkbox(ticked) = row.input {
            let style = if is_focused { theme::FOCUS } else { theme::TEXT };
            for (index, words) in text::wrap(row.label, view.width.saturating_sub(5)).into_iter().enumerate() {
                let lead = match (index, ticked) {
                    (0, true) => "☑ ",
                    (0, false) => "☐ ",
                    _ => "  ",
                };
                let mark = if index == 0 { mark.clone() } else { Span::raw("  ") };
                view.push_line(Line::from(vec![mark, Span::styled(lead, theme::ACCENT), Span::styled(words, style)]));
            }
            return;
        }
        view.push_line(Line::from(vec![mark, Span::styled(row.label, theme::HEADING)]));
        let columns = view.width.saturating_sub(3).min(72);
        match &row.input {
            FormInput::Line(field) => field.write(view, 2, columns, is_focused, ""),
            FormInput::Secret(secret) => {
                let shown = secret.expose();
                let column = secret.column();
                let field = if self.shows_secrets {
                    TextField::with_cursor(shown, shown.graphemes(true).take(column).flat_map(str::chars).count())
                } else {
                    TextField::with_cursor(&"•".repeat(shown.graphemes(true).count()), column)
                };
                field.write(view, 2, columns, is_focused, "");
            }
            FormInput::Text(area, most) => write_text_area(view, area, is_focused, *most, 3),
            FormInput::Radio(labels, chosen) => {
                for (index, label) in labels.iter().enumerate() {
                    let on = index == *chosen;
                    let style = if on && is_focused { theme::FOCUS } else { theme::TEXT };
                    let mark =
                        Span::styled(if on { "  ◉ " } else { "  ○ " }, if on { theme::ACCENT } else { theme::TEXT });
                    view.push_line(Line::from(vec![mark, Span::styled(text::escape_controls(label), style)]));
                }
            }
            FormInput::Checkbox(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let row = |name, input| FormField { name, label: name, hint: String::new(), input };
        Form::new(
            vec![row("a", FormInput::line("")), row("b", FormInput::secret()), row("c", FormInput::Checkbox(false))],
            "Go",
            false,
        )
    }

    fn key(code: KeyCode) -> KeyEvent {
        KeyEvent::new(code, KeyModifiers::NONE)
    }

    #[test]
    fn focus_wraps_around_and_skips_hidden_fields() {
        let mut form = form();
        form.hidden = vec!["b"];
        form.handle_key(key(KeyCode::Tab));
        form.handle_key(key(KeyCode::Char(' ')));
        assert!(form.is_checked("c"));
        form.handle_key(key(KeyCode::Tab));
        assert_eq!(form.handle_key(key(KeyCode::Enter)), FormEvent::Cancel);
        form.handle_key(key(KeyCode::Tab));
        assert_eq!(form.handle_key(key(KeyCode::Enter)), FormEvent::Submit);
        form.handle_key(key(KeyCode::Tab));
        form.handle_key(key(KeyCode::Char('x')));
        assert_eq!(form.text("a"), "x");
    }

    #[test]
    fn secrets_are_masked_and_absent_from_debug_output() {
        let mut form = form();
        form.handle_key(key(KeyCode::Tab));
        form.paste(" hunter2hunter2\n");
        assert_eq!(form.secret("b"), "hunter2hunter2");
        let mut view = ScrollView::new(60);
        form.write(&mut view, &[], |_| {});
        assert!(!format!("{form:?} {view:?}").contains("hunter2"));
        form.shows_secrets = true;
        let mut view = ScrollView::new(60);
        form.write(&mut view, &[], |_| {});
        assert!(format!("{view:?}").contains("hunter2"));
    }
}
