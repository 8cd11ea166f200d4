//! A form: labeled inputs with their errors, and the buttons below. The owner of the form defines its meaning.

mod draw;
mod mouse;

use std::collections::BTreeSet;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::editing::{Edit, Motion};
use super::secret_field::SecretField;
use super::text_area::TextArea;
use super::text_field::TextField;

/// The maximum length of a secret, in bytes.
const SECRET_CAPACITY: usize = 512;

/// An input of a form.
#[derive(Clone)]
pub enum FormInput {
    /// One line of text.
    Line(TextField),
    /// One line of text that is masked unless the form shows secrets.
    Secret(SecretField),
    /// Multiline text and the maximum number of visible lines.
    Text(Box<TextArea>, usize),
    /// A check box.
    Checkbox(bool),
    /// Radio buttons and the index of the chosen one.
    Radio(Vec<String>, usize),
}

impl SecretInput {
    /// Whether a key edits the input or moves the cursor in it. Other keys leave the input or submit the form.
    pub fn is_edited_by(self, key: KeyEvent) -> bool {
        match Edit::from_key(key) {
            // These keys move to another input, or scroll.
            Some(Edit::Newline | Edit::Move(Motion::Up | Motion::Down | Motion::PageUp | Motion::PageDown)) => {
                self.kind == SecretKind::Text
            }
            Some(_) => true,
            None => false,
        }
    }
}

impl FormInput {
    /// Creates a one-line text input.
    pub fn line(value: &str) -> Self {
        Self::Line(TextField::new(value))
    }

    /// Creates an empty secret input.
    pub fn secret() -> Self {
        Self::Secret(SecretField::with_capacity(SECRET_CAPACITY))
    }

    /// Creates a multiline text input with at most `most` visible lines and the cursor at its end.
    pub fn text(value: &str, most: usize) -> Self {
        Self::Text(Box::new(TextArea::new(value).with_cursor_at_end()), most)
    }

    /// Creates an input for a document, which users read from its start, with at most `most` visible lines.
    pub fn document(value: &str, most: usize) -> Self {
        Self::Text(Box::new(TextArea::new(value)), most)
    }

    /// Creates a multiline text input without undo history and with at most `most` visible lines.
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

/// A labeled input.
#[derive(Clone)]
pub struct FormField {
    /// The internal name.
    pub name: &'static str,
    /// The label on the screen.
    pub label: &'static str,
    /// The hint below the input.
    pub hint: String,
    /// The input.
    pub input: FormInput,
}

/// An input that holds a secret, and that the user can edit now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretInput {
    /// The kind of the input.
    pub kind: SecretKind,
    /// Whether it has a text already.
    pub has_text: bool,
}

/// A kind of input that holds a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// One line of text.
    Line,
    /// Multiline text.
    Text,
    /// A pasted file, whose values go to other inputs.
    File,
}

/// The result of a key press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormEvent {
    /// The form handled the key.
    Handled,
    /// Enter was pressed in the named one-line input.
    EnterPressed(&'static str),
    /// Cancel the form.
    Cancel,
    /// Submit the form.
    Submit,
}

/// The inputs of a form and its focus.
#[derive(Clone)]
pub struct Form {
    /// The inputs, in order.
    pub fields: Vec<FormField>,
    /// The label of the submit button.
    pub submit_label: &'static str,
    /// The names of hidden inputs.
    pub hidden: Vec<&'static str>,
    /// Whether secrets are shown.
    pub shows_secrets: bool,
    focus: usize,
    visited: BTreeSet<&'static str>,
    is_modified: bool,
}

// The values can be plaintexts or secrets, so they are not printed.
impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Form")
            .field("submit_label", &self.submit_label)
            .field("fields", &self.fields.len())
            .finish_non_exhaustive()
    }
}

impl Form {
    /// Creates a form with the focus on its first input, or on *Cancel* if the action is destructive.
    pub fn new(fields: Vec<FormField>, submit_label: &'static str, is_destructive: bool) -> Self {
        let focus = if is_destructive { fields.len() } else { 0 };
        let (hidden, visited) = (Vec::new(), BTreeSet::new());
        Self { fields, submit_label, hidden, shows_secrets: false, focus, visited, is_modified: false }
    }

    fn input(&self, name: &str) -> Option<&FormInput> {
        self.fields.iter().find(|row| row.name == name).map(|row| &row.input)
    }

    /// Returns the text of an input without surrounding spaces. Empty if the input is hidden or has no text.
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

    /// Returns the value of a secret input.
    pub fn secret(&self, name: &str) -> &str {
        if let Some(FormInput::Secret(secret)) = self.input(name) { secret.expose() } else { "" }
    }

    /// Returns whether a check box is visible and selected.
    pub fn is_checked(&self, name: &str) -> bool {
        !self.hidden.contains(&name) && matches!(self.input(name), Some(FormInput::Checkbox(true)))
    }

    /// Returns the index of the chosen radio button.
    pub fn selected_option(&self, name: &str) -> usize {
        if let Some(FormInput::Radio(_, chosen)) = self.input(name) { *chosen } else { 0 }
    }

    /// Sets the text or secret of an input.
    pub fn set_value(&mut self, name: &str, value: &str) {
        self.is_modified = true;
        match self.fields.iter_mut().find(|row| row.name == name).map(|row| &mut row.input) {
            Some(FormInput::Line(field)) => *field = TextField::new(value),
            Some(FormInput::Secret(secret)) => secret.set(value),
            _ => {}
        }
    }

    /// Returns whether the user changed something.
    pub fn is_modified(&self) -> bool {
        self.is_modified
    }

    /// Moves the focus to an input and shows its error. If the input is hidden, focuses the submit button.
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

    /// Ends editing the focused input, so that its error is shown.
    fn leave_field(&mut self) {
        if let Some(row) = self.fields.get_mut(self.focus) {
            row.input.end_undo_group();
            self.visited.insert(row.name);
        }
    }

    /// Chooses a radio button.
    fn choose(&mut self, index: usize, option: usize) {
        if let Some(FormInput::Radio(labels, chosen)) = self.fields.get_mut(index).map(|row| &mut row.input)
            && option < labels.len()
            && option != *chosen
        {
            *chosen = option;
            self.is_modified = true;
        }
    }

    fn move_focus(&mut self, forward: bool) {
        self.leave_field();
        let count = self.fields.len() + 2;
        for _ in 0..count {
            self.focus = (self.focus + if forward { 1 } else { count - 1 }) % count;
            if !self.is_hidden(self.focus) {
                return;
            }
        }
    }

    /// Returns whether Space acts on a check box or a button.
    pub fn can_toggle(&self) -> bool {
        self.fields.get(self.focus).is_none_or(|row| matches!(row.input, FormInput::Checkbox(_)))
    }

    /// Returns the focused input if it holds a secret.
    pub fn secret_input(&self) -> Option<SecretInput> {
        match self.fields.get(self.focus).map(|row| &row.input) {
            Some(FormInput::Secret(secret)) => {
                Some(SecretInput { kind: SecretKind::Line, has_text: !secret.expose().is_empty() })
            }
            Some(FormInput::Text(area, _)) if area.is_without_history() => {
                Some(SecretInput { kind: SecretKind::Text, has_text: !area.is_empty() })
            }
            _ => None,
        }
    }

    /// Returns whether typed letters go into an input.
    pub fn is_typing(&self) -> bool {
        let input = self.fields.get(self.focus).map(|row| &row.input);
        matches!(input, Some(FormInput::Line(_) | FormInput::Secret(_) | FormInput::Text(..)))
    }

    /// Returns whether a multiline text has the focus, which handles the page keys itself.
    pub fn is_in_text_area(&self) -> bool {
        self.fields.get(self.focus).is_some_and(|row| matches!(row.input, FormInput::Text(..)))
    }

    /// Returns what Enter does at the focus.
    pub fn enter_title(&self) -> &'static str {
        match self.fields.get(self.focus).map(|row| &row.input) {
            None => "Press",
            Some(FormInput::Checkbox(_)) => "Select",
            Some(FormInput::Text(..)) => "New line",
            Some(FormInput::Line(_) | FormInput::Secret(_)) if self.fields.len() == 1 => self.submit_label,
            Some(FormInput::Line(_) | FormInput::Secret(_) | FormInput::Radio(..)) => "Next field",
        }
    }

    /// Handles a key press.
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
                let next = *chosen + 1;
                self.choose(self.focus, next);
                None
            }
            (FormInput::Radio(_, chosen), KeyCode::Up | KeyCode::Left) if *chosen > 0 => {
                let previous = *chosen - 1;
                self.choose(self.focus, previous);
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

    /// Moves the focus to the next input.
    pub fn focus_next(&mut self) {
        self.move_focus(true);
    }

    /// Inserts pasted text into the focused input.
    pub fn paste(&mut self, pasted: &str) {
        self.is_modified = true;
        match self.fields.get_mut(self.focus).map(|row| &mut row.input) {
            Some(FormInput::Line(field)) => field.paste(pasted),
            Some(FormInput::Secret(secret)) => secret.paste(pasted.trim()),
            Some(FormInput::Text(area, _)) => area.paste(pasted),
            _ => {}
        }
    }

    /// Returns the name of the focused input.
    pub fn focused_field(&self) -> Option<&'static str> {
        self.fields.get(self.focus).map(|row| row.name)
    }

    /// Moves the focus to the first visible input, or to the submit button if there is none.
    pub fn focus_first(&mut self) {
        self.focus = (0..self.fields.len()).find(|index| !self.is_hidden(*index)).unwrap_or(self.fields.len() + 1);
    }

    /// Moves the focus to the submit button.
    pub fn focus_submit(&mut self) {
        self.focus = self.fields.len() + 1;
    }
}

#[cfg(test)]
mod tests;
