//! What keys and pasted text do in the wizard, and what it sends.

use crossterm::event::{KeyCode, KeyEvent};

use super::spots::Spot;
use super::{Wish, Wizard};
use crate::aws::scalar::SecretString;
use crate::create_key::field::Field;
use crate::create_key::guide;
use crate::create_key::known::Known;
use crate::create_key::method::Step;
use crate::create_key::preview;
use crate::create_key::submission::{Answer, Submission};
use crate::create_key::validate::FieldError;
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::widgets::area::TextArea;
use crate::tui::widgets::field::TextField;

impl Wizard {
    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, known: &Known) -> Vec<Wish> {
        if matches!(self.submission, Submission::Sending { .. }) {
            return if key.code == KeyCode::Esc { vec![Wish::StopWaiting] } else { Vec::new() };
        }
        if let Some(number) = keymap::step_number(key) {
            self.jump(number - 1);
            return Vec::new();
        }
        let action = keymap::action(&[Context::Wizard, Context::Steps, Context::Row, Context::Fields], key);
        match action {
            Some(Action::NextStep) => {
                if self.step == Step::Review {
                    return self.finish(known);
                }
                self.next(known);
            }
            Some(Action::PreviousStep) => self.step_by(-1),
            Some(Action::NextField) => self.step_focus(1),
            Some(Action::PreviousField) => self.step_focus(-1),
            Some(Action::Help) => return self.field_here().map(Wish::Help).into_iter().collect(),
            Some(Action::Remove) if self.here_removes().is_some() => self.remove(),
            _ => return self.press_here(key, known),
        }
        Vec::new()
    }

    pub(super) fn step_focus(&mut self, by: isize) {
        if let Some(field) = self.field_here() {
            self.left.push(field);
        }
        let spots = self.spots().len();
        self.spot = self.spot.min(spots.saturating_sub(1));
        self.spot = (self.spot + spots).saturating_add_signed(by) % spots.max(1);
        self.load_editor();
    }

    /// Whether lists and texts of many lines have the focus, which turn their own pages.
    fn turns_pages(&self) -> bool {
        match self.here() {
            Spot::Field(Field::CustomKeyStore | Field::Administrators | Field::Users | Field::Description) => true,
            Spot::Field(Field::KeyPolicy) => self.draft.edited_policy.is_some(),
            _ => false,
        }
    }

    /// Whether `PgDn` looks further down.
    pub fn can_scroll(&self) -> bool {
        !self.turns_pages() && self.scroll.has_more()
    }

    fn press_here(&mut self, key: KeyEvent, known: &Known) -> Vec<Wish> {
        if !self.turns_pages() && self.scroll.press_page(key.code) {
            return Vec::new();
        }
        match self.here() {
            Spot::Field(Field::CustomKeyStore) => self.press_stores(key, known),
            Spot::Field(field @ (Field::KeyType | Field::KeyUsage | Field::Origin)) => self.press_options(field, key),
            Spot::Field(Field::Administrators | Field::Users) => self.press_principals(key, known),
            Spot::Field(field @ (Field::Description | Field::KeyPolicy)) => self.press_area(field, key, known),
            Spot::Field(field @ (Field::AddAdministrator | Field::AddUser))
                if key.code == KeyCode::Enter && !self.is_empty(field) =>
            {
                self.left.push(field);
                self.add_typed(known);
                Vec::new()
            }
            Spot::Field(field) if self.text_of(field).is_some() => self.press_text(field, key),
            spot => match key.code {
                KeyCode::Enter | KeyCode::Char(' ') => self.activate(spot, known),
                KeyCode::Down | KeyCode::Right => {
                    self.step_focus(1);
                    Vec::new()
                }
                KeyCode::Up | KeyCode::Left => {
                    self.step_focus(-1);
                    Vec::new()
                }
                KeyCode::Esc => self.leave(),
                _ => Vec::new(),
            },
        }
    }

    pub(super) fn leave(&mut self) -> Vec<Wish> {
        vec![Wish::Leave { loses_something: self.would_lose() }]
    }

    fn press_text(&mut self, field: Field, key: KeyEvent) -> Vec<Wish> {
        match key.code {
            KeyCode::Esc => return self.leave(),
            KeyCode::Enter | KeyCode::Down => self.step_focus(1),
            KeyCode::Up => self.step_focus(-1),
            _ => self.edit_text(field, |editor| {
                editor.press(key);
            }),
        }
        Vec::new()
    }

    fn press_area(&mut self, field: Field, key: KeyEvent, known: &Known) -> Vec<Wish> {
        if key.code == KeyCode::Esc {
            return self.leave();
        }
        if field == Field::KeyPolicy && self.draft.edited_policy.is_none() {
            return match key.code {
                KeyCode::Enter => self.activate(Spot::Field(field), known),
                KeyCode::Down => {
                    self.step_focus(1);
                    Vec::new()
                }
                KeyCode::Up => {
                    self.step_focus(-1);
                    Vec::new()
                }
                _ => Vec::new(),
            };
        }
        self.edit_area(field, |area| {
            area.press(key);
        });
        Vec::new()
    }

    /// Edits a one-line text field, and takes its value over into the draft.
    fn edit_text(&mut self, field: Field, edit: impl FnOnce(&mut TextField)) {
        let Some(value) = self.text_of(field) else { return };
        let editor = self.editors.open_line(field, &value);
        edit(editor);
        let value = editor.value().to_owned();
        self.set_text(field, value);
    }

    /// Edits a text field of several lines likewise.
    fn edit_area(&mut self, field: Field, edit: impl FnOnce(&mut TextArea)) {
        let value = self.area_of(field);
        let area = self.editors.open_area(field, &value);
        edit(area);
        let text = area.value();
        if field == Field::Description {
            self.draft.description = text;
        } else {
            self.draft.edited_policy = Some(text);
        }
    }

    /// Takes pasted text into the field that has the focus.
    pub fn paste(&mut self, pasted: &str, known: &Known) {
        match self.here() {
            Spot::Field(Field::CustomKeyStore) => self.stores.paste(pasted),
            Spot::Field(Field::Administrators) => self.administrators.paste(pasted),
            Spot::Field(Field::Users) => self.users.paste(pasted),
            Spot::Field(field @ (Field::Description | Field::KeyPolicy))
                if (field == Field::Description || self.draft.edited_policy.is_some()) =>
            {
                self.edit_area(field, |area| area.paste(pasted));
            }
            Spot::Field(field) => self.edit_text(field, |editor| editor.paste(pasted)),
            _ => {}
        }
        self.arrange(known);
    }

    fn activate(&mut self, spot: Spot, known: &Known) -> Vec<Wish> {
        match spot {
            Spot::Field(Field::Acknowledgement) => self.draft.acknowledged = !self.draft.acknowledged,
            Spot::Field(Field::AdministratorsMayDelete) => {
                self.draft.administrators_may_delete = !self.draft.administrators_may_delete;
            }
            Spot::AdvancedOptions => {
                self.shows_origins = !self.shows_origins;
                if self.shows_origins {
                    self.focus(Spot::Field(Field::Origin));
                }
            }
            Spot::CreateKeyStore => return vec![Wish::CreateKeyStore],
            Spot::Field(Field::AddTag) => self.add_tag(),
            Spot::Field(Field::AddOtherAccount) => self.add_account(),
            Spot::Field(Field::KeyPolicy) if !known.account.is_empty() => {
                self.draft.edited_policy = Some(self.draft.policy_json(known));
                self.load_editor();
            }
            Spot::RemoveTag(_) | Spot::RemoveAccount(_) => self.remove(),
            Spot::RestorePolicy => {
                self.draft.edited_policy = None;
                self.focus(Spot::Field(Field::KeyPolicy));
            }
            Spot::Edit(step) => self.go(step),
            Spot::CopyCommands => {
                let commands = preview::commands_left(&self.draft, known, &self.submission).join("\n\n");
                return vec![Wish::Copy("AWS CLI commands", commands)];
            }
            Spot::SaveCommands if !self.shows_wrong(known) => {
                let commands = preview::commands_left(&self.draft, known, &self.submission);
                let (name, text) = preview::script(&self.draft, &commands);
                let (name, text) = (format!("{name}.sh"), SecretString::new(text));
                return vec![Wish::Ask(Call::WriteFile { name, text })];
            }
            Spot::CopyStatement => {
                return self.statement().map(|text| Wish::Copy("policy", text)).into_iter().collect();
            }
            Spot::CopyPolicy => return vec![Wish::Copy("key policy", self.draft.policy_json(known))],
            Spot::Mend(field) => {
                self.left.push(field);
                self.focus_field(field);
            }
            Spot::Cancel => return self.leave(),
            Spot::Previous => self.step_by(-1),
            Spot::Retry => return self.finish(known),
            Spot::Next if self.step == Step::Review => return self.finish(known),
            Spot::Next => self.next(known),
            Spot::Field(_) | Spot::SaveCommands => {}
        }
        Vec::new()
    }

    /// Sends what the person has said, unless something is not right: then the focus goes there. A read-only console
    /// gives the commands that do it instead; it looks up what is in doubt.
    fn finish(&mut self, known: &Known) -> Vec<Wish> {
        if self.shows_wrong(known) {
            return Vec::new();
        }
        if known.is_read_only && !self.submission.is_in_doubt() {
            return self.activate(Spot::CopyCommands, known);
        }
        let call = self.submission.start(&self.draft, known);
        call.map(|call| Wish::Ask(Call::Submission(call))).into_iter().collect()
    }

    /// Moves the focus to what is not right, if anything is not.
    fn shows_wrong(&mut self, known: &Known) -> bool {
        let errors = self.errors_of(Step::Review, known);
        let Some(FieldError { field, .. }) = errors.first() else { return false };
        self.left.push(*field);
        self.focus_field(*field);
        true
    }

    /// A stage of creating the key was answered.
    pub fn answered(&mut self, answer: Answer, known: &Known) -> Vec<Wish> {
        let next = self.submission.answer(answer, &self.draft, known);
        if let Some(call) = next {
            return vec![Wish::Ask(Call::Submission(call))];
        }
        if matches!(self.submission, Submission::Done { .. }) {
            return vec![Wish::Finished];
        }
        self.suspects = self
            .submission
            .failure()
            .map(|failure| guide::invalid_principals(&failure.code, &failure.message, &self.draft, known))
            .unwrap_or_default();
        self.go(Step::Review);
        self.focus(self.way_on().unwrap_or(Spot::Next));
        Vec::new()
    }
}
