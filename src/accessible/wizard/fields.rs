//! The questions for text, and the step *Add alias and description*.

use super::super::Reply;
use super::super::prompt::{CLEAR, Lines, is_clear, literal};
use super::{Wizard, name};
use crate::create_key::field::Field;

/// Whether a value can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

impl Wizard<'_, '_> {
    /// Says the label and the hint of a field.
    pub(super) fn introduce(&mut self, field: Field) -> std::io::Result<()> {
        let label = field.label().trim_end_matches('.');
        self.say(&format!("{label}. {}", field.prompt_hint()))
    }

    /// Saves the draft, then asks.
    pub(super) fn ask(&mut self, question: &str, field: Field) -> Reply<String> {
        self.save()?;
        self.session.prompter.ask(question, field.prompt_help())
    }

    /// Saves the draft, then asks for yes or no.
    pub(super) fn ask_yes_no(&mut self, question: &str, default: Option<bool>, field: Field) -> Reply<bool> {
        self.save()?;
        self.session.prompter.ask_yes_no(question, default, field.prompt_help())
    }

    /// Saves the draft, then asks for one of `choices`.
    pub(super) fn ask_choice(
        &mut self,
        question: &str,
        choices: &[String],
        default: Option<usize>,
        help: &str,
    ) -> Reply<usize> {
        self.save()?;
        self.session.prompter.ask_choice(question, choices, default, help)
    }

    /// Returns the error of a field in the present draft.
    pub(super) fn field_error(&self, field: Field) -> Option<crate::create_key::validate::FieldError> {
        self.errors(field.step(&self.state.method)).into_iter().find(|error| error.field == field)
    }

    /// Says the error of a field. Returns whether it has one.
    pub(super) fn say_field_error(&mut self, field: Field) -> Reply<bool> {
        let error = self.field_error(field);
        if let Some(error) = &error {
            self.say_error(error)?;
        }
        Ok(error.is_some())
    }

    /// Asks for the value of a field until it is valid. Enter keeps the present value.
    pub(super) fn ask_text(&mut self, field: Field, presence: Presence) -> Reply<()> {
        self.introduce(field)?;
        self.ask_value(field, presence)
    }

    /// Like [`ask_text`](Self::ask_text), without the label and the hint.
    pub(super) fn ask_value(&mut self, field: Field, presence: Presence) -> Reply<()> {
        loop {
            let question = self.question(field, presence);
            let answer = self.ask(&question, field)?;
            if presence == Presence::Optional && is_clear(&answer) {
                self.set_value(field, String::new());
            } else if !answer.is_empty() {
                self.set_value(field, literal(&answer).to_owned());
            }
            if !self.say_field_error(field)? {
                return Ok(());
            }
        }
    }

    fn question(&self, field: Field, presence: Presence) -> String {
        let (name, value) = (name(field), self.value(field));
        match (value.as_str(), presence) {
            ("", Presence::Required) => name.to_owned(),
            ("", Presence::Optional) => format!("{name}, or Enter for none"),
            (value, Presence::Required) => format!("{name}, or Enter to keep {value}"),
            (value, Presence::Optional) => format!("{name}, Enter to keep {value}, or {CLEAR} to remove it"),
        }
    }

    fn value(&self, field: Field) -> String {
        let draft = &self.state.draft;
        let tag = |row: usize| draft.tags.get(row).cloned().unwrap_or_default();
        match field {
            Field::ExternalKeyId => draft.xks_key_id.clone(),
            Field::Alias => draft.alias.clone(),
            Field::TagKey(row) => tag(row).tag_key,
            Field::TagValue(row) => tag(row).tag_value,
            Field::OtherAccount(row) => draft.other_accounts.get(row).cloned().unwrap_or_default(),
            _ => String::new(),
        }
    }

    fn set_value(&mut self, field: Field, value: String) {
        let draft = &mut self.state.draft;
        let place = match field {
            Field::ExternalKeyId => Some(&mut draft.xks_key_id),
            Field::Alias => Some(&mut draft.alias),
            Field::TagKey(row) => draft.tags.get_mut(row).map(|tag| &mut tag.tag_key),
            Field::TagValue(row) => draft.tags.get_mut(row).map(|tag| &mut tag.tag_value),
            Field::OtherAccount(row) => draft.other_accounts.get_mut(row),
            _ => None,
        };
        if let Some(place) = place {
            *place = value;
        }
    }

    pub(super) fn ask_alias_and_description(&mut self) -> Reply<()> {
        self.ask_text(Field::Alias, Presence::Required)?;
        // The KMS key already has its description.
        if self.state.submission.key().is_some() {
            return Ok(());
        }
        self.ask_description()
    }

    fn ask_description(&mut self) -> Reply<()> {
        let field = Field::Description;
        self.introduce(field)?;
        loop {
            let description = &self.state.draft.description;
            let question = if description.is_empty() {
                "Enter the description, then a line with only a period. Or press Enter for none.".to_owned()
            } else {
                format!(
                    "The description is: {description}\nEnter another one, then a line with only a period. Or press \
                     Enter to keep it, or enter {CLEAR} to remove it."
                )
            };
            self.save()?;
            match self.session.prompter.ask_lines(&question, field.prompt_help())? {
                Lines::Clear => self.state.draft.description.clear(),
                Lines::Text(text) => self.state.draft.description = text,
                Lines::Empty => {}
            }
            if !self.say_field_error(field)? {
                return Ok(());
            }
        }
    }
}
