//! Clicks on a form.

use crossterm::event::{KeyCode, KeyEvent};

use super::{Form, FormInput};
use crate::tui::widgets::canvas::Click;

impl Form {
    /// Moves the focus to what was clicked, and returns the key that activates it, if it isn't a text.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        match *click {
            Click::Button(button) if button < 2 => {
                self.focus_clicked(self.fields.len() + button);
                Some(KeyCode::Enter.into())
            }
            Click::Focus(index) => {
                self.focus_clicked_input(index)?;
                matches!(self.fields[index].input, FormInput::Checkbox(_)).then(|| KeyCode::Char(' ').into())
            }
            Click::Choose(index, option) => {
                self.focus_clicked_input(index)?;
                self.choose(index, option);
                None
            }
            Click::Text { control, row, column } => {
                self.focus_clicked_input(control)?;
                self.move_cursor(control, row, column);
                None
            }
            _ => None,
        }
    }

    /// Moves the focus to an input, unless it is hidden.
    fn focus_clicked_input(&mut self, index: usize) -> Option<()> {
        (index < self.fields.len() && !self.is_hidden(index)).then(|| self.focus_clicked(index))
    }

    /// Moves the focus, as Tab does.
    fn focus_clicked(&mut self, index: usize) {
        if index != self.focus {
            self.leave_field();
            self.focus = index;
        }
    }

    fn move_cursor(&mut self, index: usize, row: usize, column: usize) {
        match &mut self.fields[index].input {
            FormInput::Line(field) => field.move_cursor_to_column(column),
            FormInput::Secret(secret) if self.shows_secrets => secret.move_cursor_to_column(column),
            FormInput::Secret(secret) => secret.move_cursor_to(column),
            FormInput::Text(area, _) => area.move_cursor_to_column(row, column),
            FormInput::Checkbox(_) | FormInput::Radio(..) => {}
        }
    }
}
