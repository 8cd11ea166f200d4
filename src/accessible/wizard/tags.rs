//! The step *Add tags*, and the rows that it shares with *Other AWS accounts*.

use super::super::Reply;
use super::Wizard;
use super::fields::Presence;
use crate::aws::kms::Tag;
use crate::aws::limits;
use crate::create_key::field::Field;

/// What the user does with the rows of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RowAction {
    Change(usize),
    Remove(usize),
}

/// Parses "change 2" or "remove 2", with a number up to `count`.
fn parse_row_action(answer: &str, count: usize) -> Option<Result<RowAction, String>> {
    let (word, number) = answer.split_once(' ').unwrap_or((answer, ""));
    let action = match word.to_lowercase().as_str() {
        "change" => RowAction::Change,
        "remove" => RowAction::Remove,
        _ => return None,
    };
    let row = number.trim().parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    Some(match row.filter(|row| *row < count) {
        Some(row) => Ok(action(row)),
        None if count == 0 => Err("There is nothing to change or remove yet.".to_owned()),
        None => Err(format!("Enter a number from 1 to {count} after {}.", word.to_lowercase())),
    })
}

impl Wizard<'_, '_> {
    pub(super) fn ask_tags(&mut self) -> Reply<()> {
        self.say(Field::AddTag.prompt_hint())?;
        loop {
            self.say_tags()?;
            for error in self.errors(super::Step::Tags) {
                self.say_error(&error)?;
            }
            let count = self.state.draft.tags.len();
            let question = match count {
                0 => "Tag key of a new tag, or Enter to continue",
                _ => "Tag key of a new tag, change or remove and a number, or Enter to continue",
            };
            let answer = self.ask(question, Field::TagKey(count))?;
            match parse_row_action(&answer, count) {
                _ if answer.is_empty() => return Ok(()),
                Some(Ok(RowAction::Remove(row))) => drop(self.state.draft.tags.remove(row)),
                Some(Ok(RowAction::Change(row))) => {
                    self.ask_value(Field::TagKey(row), Presence::Required)?;
                    self.ask_value(Field::TagValue(row), Presence::Optional)?;
                }
                Some(Err(message)) => self.say(&message)?,
                None if count == limits::MAX_TAGS => self.say(Field::AddTag.prompt_hint())?,
                None => self.add_tag(answer)?,
            }
        }
    }

    fn say_tags(&mut self) -> Reply<()> {
        let tags = self.state.draft.tags.clone();
        self.say(&match tags.len() {
            0 => "No tags yet.".to_owned(),
            count => format!("{count} of {} tags:", limits::MAX_TAGS),
        })?;
        Ok(self.say_numbered(&tags.iter().map(describe_tag).collect::<Vec<_>>())?)
    }

    /// Adds a tag with this key, if the key is valid, and asks for its value.
    fn add_tag(&mut self, tag_key: String) -> Reply<()> {
        let row = self.state.draft.tags.len();
        self.state.draft.tags.push(Tag { tag_key, tag_value: String::new() });
        if self.say_field_error(Field::TagKey(row))? {
            self.state.draft.tags.pop();
            return Ok(());
        }
        self.ask_value(Field::TagValue(row), Presence::Optional)
    }

    /// Asks for the IDs of other AWS accounts.
    pub(super) fn ask_other_accounts(&mut self) -> Reply<()> {
        self.introduce(Field::AddOtherAccount)?;
        loop {
            let accounts = self.state.draft.other_accounts.clone();
            self.say_numbered(&accounts)?;
            for error in self.errors(super::Step::Users) {
                self.say_error(&error)?;
            }
            let count = accounts.len();
            let question = match count {
                0 => "ID of another AWS account, or Enter to continue",
                _ => "ID of another AWS account, change or remove and a number, or Enter to continue",
            };
            let answer = self.ask(question, Field::OtherAccount(count))?;
            match parse_row_action(&answer, count) {
                _ if answer.is_empty() => return Ok(()),
                Some(Ok(RowAction::Remove(row))) => drop(self.state.draft.other_accounts.remove(row)),
                Some(Ok(RowAction::Change(row))) => self.ask_value(Field::OtherAccount(row), Presence::Required)?,
                Some(Err(message)) => self.say(&message)?,
                None => {
                    self.state.draft.other_accounts.push(answer);
                    if self.say_field_error(Field::OtherAccount(count))? {
                        self.state.draft.other_accounts.pop();
                    }
                }
            }
        }
    }
}

/// Describes a tag in words.
pub(super) fn describe_tag(tag: &Tag) -> String {
    let value = if tag.tag_value.is_empty() { "no value" } else { &tag.tag_value };
    format!("{}: {value}", tag.tag_key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_changed_and_removed_by_number() {
        assert_eq!(parse_row_action("team", 2), None);
        assert_eq!(parse_row_action("remove 2", 2), Some(Ok(RowAction::Remove(1))));
        assert_eq!(parse_row_action("CHANGE  1", 2), Some(Ok(RowAction::Change(0))));
        for (answer, count) in [("remove 0", 2), ("remove 3", 2), ("remove", 2), ("change x", 1), ("remove 1", 0)] {
            assert!(matches!(parse_row_action(answer, count), Some(Err(_))), "{answer}");
        }
    }
}
