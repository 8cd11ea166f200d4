//! Clicks on the wizard, and the wheel.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::Wizard;
use super::draw::BUTTONS;
use super::focus::{FocusTarget, ReviewTab};
use crate::create_key::field::Field;
use crate::create_key::submission::Submission;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::table::Table;

impl Wizard {
    /// Moves the focus to what was clicked, and returns the key that activates it, if it isn't a text.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        if matches!(self.submission, Submission::Sending { .. }) {
            return None;
        }
        match *click {
            Click::Step(index) => step_key(index),
            Click::Tab(tab) => {
                self.show_review_tab(*ReviewTab::ALL.get(tab)?);
                None
            }
            Click::Button(button) => {
                self.focus_clicked(*BUTTONS.get(button)?);
                Some(KeyCode::Enter.into())
            }
            Click::Focus(place) => {
                let target = *self.focus_targets().get(place)?;
                self.focus_clicked(target);
                self.is_activated_by_click(target).then(|| KeyCode::Enter.into())
            }
            Click::Choose(place, option) => {
                let target = *self.focus_targets().get(place)?;
                self.focus_clicked(target);
                self.option_index = option;
                Some(KeyCode::Char(' ').into())
            }
            Click::Text { control, row, column } => {
                let target = *self.focus_targets().get(control)?;
                self.focus_clicked(target);
                self.move_text_cursor(target, click, (row, column));
                None
            }
            Click::Row(_) | Click::SelectRow(_) | Click::Sort(_) | Click::PageKey(_) => {
                let field = self.table_field()?;
                self.focus_clicked(FocusTarget::Field(field));
                self.table_of(field)?.on_click(click, KeyCode::Char(' '))
            }
            Click::Key(_) | Click::Navigate(_) | Click::OpenLink(_) | Click::CloseMessage => None,
        }
    }

    /// Moves the focus, as Tab does.
    fn focus_clicked(&mut self, target: FocusTarget) {
        if self.focused() != target {
            self.touched.extend(self.focused_field());
            self.set_focus(target);
        }
    }

    /// Returns whether a click on a control does more than moving the focus.
    fn is_activated_by_click(&self, target: FocusTarget) -> bool {
        match target {
            FocusTarget::Field(Field::KeyPolicy) => self.draft.edited_policy.is_none(),
            FocusTarget::Field(field) => matches!(
                field,
                Field::Acknowledgement | Field::AdministratorsMayDelete | Field::AddTag | Field::AddOtherAccount
            ),
            // Its tabs are what can be clicked.
            FocusTarget::ReviewTabs => false,
            _ => true,
        }
    }

    fn move_text_cursor(&mut self, target: FocusTarget, click: &Click, (row, column): (usize, usize)) {
        let FocusTarget::Field(field) = target else { return };
        match field {
            Field::Description => self.edit_text_area(field, |area| area.move_cursor_to_column(row, column)),
            Field::KeyPolicy if self.draft.edited_policy.is_some() => {
                self.edit_text_area(field, |area| area.move_cursor_to_column(row, column));
            }
            _ => match self.table_of(field) {
                Some(table) => drop(table.on_click(click, KeyCode::Enter)),
                None => self.edit_text_field(field, |editor| editor.move_cursor_to_column(column)),
            },
        }
    }

    /// Returns the field of this step that is a table.
    fn table_field(&self) -> Option<Field> {
        let is_table = |field: &Field| matches!(field, Field::CustomKeyStore | Field::Administrators | Field::Users);
        self.focus_targets().into_iter().find_map(|target| match target {
            FocusTarget::Field(field) => Some(field).filter(is_table),
            _ => None,
        })
    }

    fn table_of(&mut self, field: Field) -> Option<&mut Table> {
        match field {
            Field::CustomKeyStore => Some(&mut self.stores),
            Field::Administrators => Some(&mut self.administrators),
            Field::Users => Some(&mut self.users),
            _ => None,
        }
    }

    /// Scrolls the step by this number of lines, or moves the cursor of the table if the pointer is on it.
    pub fn scroll_by(&mut self, lines: isize, is_on_table: bool) {
        if matches!(self.submission, Submission::Sending { .. }) {
            return;
        }
        let field = self.table_field().filter(|_| is_on_table);
        let has_moved = field.and_then(|field| self.table_of(field)).is_some_and(|table| table.move_cursor_by(lines));
        if !has_moved {
            self.scroll.scroll_by(lines);
        }
    }
}

/// Returns the key that goes to a step, by its number from 0.
fn step_key(index: usize) -> Option<KeyEvent> {
    let digit = char::from_digit(u32::try_from(index + 1).ok()?, 10)?;
    Some(KeyEvent::new(KeyCode::Char(digit), KeyModifiers::ALT))
}
