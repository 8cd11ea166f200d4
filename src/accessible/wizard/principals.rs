//! The steps *Define key administrative permissions* and *Define key usage permissions*: a numbered list of users and roles.

use super::super::Reply;
use super::Wizard;
use crate::create_key::account_state::AccountState;
use crate::create_key::field::Field;
use crate::create_key::principals::PrincipalKind;
use crate::create_key::validate::{FieldError, principal_error};
use crate::text::plural;

/// The number of users and roles on a page.
const PAGE_SIZE: usize = 10;
const QUESTION: &str = "Numbers, an ARN, a slash and text to search, next, previous, or Enter to continue";

/// A user or role in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    arn: String,
    words: String,
}

/// Returns the users and roles that AWS lists, then the ARNs that the user entered, if they contain `search`.
fn rows(account: &AccountState, selected: &[String], search: &str) -> Vec<Row> {
    let listed = account.principals.list().iter().map(|one| {
        let kind = match one.kind {
            PrincipalKind::User => "user",
            PrincipalKind::Role => "role",
        };
        let path = if one.path == "/" { String::new() } else { format!(", path {}", one.path) };
        Row { arn: one.arn.clone(), words: format!("{}, {kind}{path}", one.name) }
    });
    let entered = selected.iter().filter(|arn| !account.principals.contains(arn));
    let entered = entered.map(|arn| Row { arn: arn.clone(), words: format!("{arn}, entered") });
    let search = search.to_lowercase();
    listed.chain(entered).filter(|row| row.words.to_lowercase().contains(&search)).collect()
}

/// Parses numbers and ranges such as "1, 3 5-7", all of them from 1 to `count`, and returns indexes.
fn parse_numbers(answer: &str, count: usize) -> Option<Vec<usize>> {
    let mut indexes = Vec::new();
    for part in answer.split([',', ' ']).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        if first == 0 || last > count || first > last {
            return None;
        }
        indexes.extend(first - 1..last);
    }
    Some(indexes)
}

impl Wizard<'_, '_> {
    pub(super) fn ask_administrators(&mut self) -> Reply<()> {
        self.ask_principals(Field::Administrators)?;
        let field = Field::AdministratorsMayDelete;
        self.say(field.prompt_hint())?;
        let allowed = self.state.draft.administrators_may_delete;
        let question = format!("{}?", field.label());
        self.state.draft.administrators_may_delete = self.ask_yes_no(&question, Some(allowed), field)?;
        Ok(())
    }

    pub(super) fn ask_users(&mut self) -> Reply<()> {
        self.ask_principals(Field::Users)?;
        self.ask_other_accounts()
    }

    fn selected(&mut self, field: Field) -> &mut Vec<String> {
        match field {
            Field::Administrators => &mut self.state.draft.administrators,
            _ => &mut self.state.draft.users,
        }
    }

    /// Asks which users and roles are selected, until Enter.
    fn ask_principals(&mut self, field: Field) -> Reply<()> {
        self.introduce(field)?;
        self.session.load_principals(false)?;
        self.add_typed_principal(field)?;
        let (mut search, mut first, mut shows_page) = (String::new(), 0, true);
        loop {
            let selected = self.selected(field).clone();
            let mut all = rows(&self.session.account, &selected, &search);
            if first + PAGE_SIZE >= all.len() && !self.session.account.principals.is_complete() {
                self.session.load_principals(true)?;
                all = rows(&self.session.account, &selected, &search);
            }
            if shows_page {
                self.say_page(&all, first, &selected, &search)?;
            }
            shows_page = true;
            let answer = self.ask(QUESTION, field)?;
            match answer.to_lowercase().as_str() {
                "" => return Ok(()),
                "next" | "n" if first + PAGE_SIZE < all.len() => first += PAGE_SIZE,
                "next" | "n" => {
                    self.say("This is the last page.")?;
                    shows_page = false;
                }
                "previous" | "p" => first = first.saturating_sub(PAGE_SIZE),
                _ => {
                    if let Some(text) = answer.strip_prefix('/') {
                        text.trim().clone_into(&mut search);
                        first = 0;
                        self.session.load_principals(true)?;
                    } else {
                        self.select(field, &answer, &all)?;
                        shows_page = false;
                    }
                }
            }
        }
    }

    /// Adds the ARN that the user typed on the screen of the console without adding it, or says why it is dropped.
    fn add_typed_principal(&mut self, field: Field) -> Reply<()> {
        let draft = &mut self.state.draft;
        let (typed, list) = match field {
            Field::Administrators => (&mut draft.administrator_to_add, &mut draft.administrators),
            _ => (&mut draft.user_to_add, &mut draft.users),
        };
        let arn = std::mem::take(typed).trim().to_owned();
        if arn.is_empty() {
            return Ok(());
        }
        if let Some(message) = principal_error(&arn, list, &self.session.account) {
            return Ok(self.say(&format!("{arn} was not added. {message}"))?);
        }
        list.push(arn);
        Ok(())
    }

    fn say_page(&mut self, all: &[Row], first: usize, selected: &[String], search: &str) -> Reply<()> {
        let matching = if search.is_empty() { String::new() } else { format!(" that match \"{search}\"") };
        let count = format!("{}{matching}", plural(all.len(), "user or role", "users and roles"));
        let last = all.len().min(first + PAGE_SIZE);
        self.say(&match all.len() {
            0 => format!("No users or roles{matching}. {} selected.", selected.len()),
            _ => format!("{} to {last} of {count}. {} selected.", first + 1, selected.len()),
        })?;
        for (index, row) in all.iter().enumerate().take(last).skip(first) {
            let mark = if selected.contains(&row.arn) { ", selected" } else { "" };
            self.say(&format!("{}. {}{mark}", index + 1, row.words))?;
        }
        Ok(())
    }

    /// Selects or clears the rows with these numbers, or selects an ARN.
    fn select(&mut self, field: Field, answer: &str, all: &[Row]) -> Reply<()> {
        let Some(indexes) = parse_numbers(answer, all.len()) else {
            return self.select_arn(field, answer, all.len());
        };
        for row in indexes.iter().filter_map(|index| all.get(*index)) {
            let selected = self.selected(field);
            let was_selected = selected.contains(&row.arn);
            if was_selected {
                selected.retain(|arn| *arn != row.arn);
            } else {
                selected.push(row.arn.clone());
            }
            let done = if was_selected { "Cleared" } else { "Selected" };
            self.say(&format!("{done} {}.", row.words))?;
        }
        self.say_count(field)
    }

    fn select_arn(&mut self, field: Field, answer: &str, count: usize) -> Reply<()> {
        if answer.starts_with(|character: char| character.is_ascii_digit()) {
            return Ok(self.say(&format!("Enter numbers from 1 to {count}."))?);
        }
        let selected = self.selected(field).clone();
        if let Some(message) = principal_error(answer, &selected, &self.session.account) {
            let add = if field == Field::Administrators { Field::AddAdministrator } else { Field::AddUser };
            return Ok(self.say_error(&FieldError { field: add, message })?);
        }
        self.selected(field).push(answer.to_owned());
        self.say(&format!("Selected {answer}."))?;
        self.say_count(field)
    }

    fn say_count(&mut self, field: Field) -> Reply<()> {
        let count = self.selected(field).len();
        Ok(self.say(&format!("{count} selected."))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_are_parsed() {
        assert_eq!(parse_numbers("1, 3 5-7", 7), Some(vec![0, 2, 4, 5, 6]));
        for answer in ["0", "8", "3-2", "1-8", "x", "1-", "arn:aws:iam::111122223333:role/A"] {
            assert_eq!(parse_numbers(answer, 7), None, "{answer}");
        }
    }
}
