//! What can be chosen on the current step, as a list. The command palette offers it to those who don't move the focus.

use super::Wizard;
use super::focus::{FocusTarget, ReviewTab};
use super::principals::PrincipalRows;
use crate::create_key::account_state::AccountState;
use crate::create_key::configuration_options::radio_options;
use crate::create_key::field::Field;
use crate::tui::pages::key_stores::external_key_stores;
use crate::tui::widgets::canvas::Click;

/// Something to choose on a step.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What it is.
    pub title: String,
    /// The click that chooses it.
    pub click: Click,
}

impl Wizard {
    /// Returns the fields, options, rows, tabs, and buttons of the step. The rows are those that match the search.
    pub fn choices(&self, account: &AccountState) -> Vec<Choice> {
        let mut choices = Vec::new();
        for (place, target) in self.focus_targets().into_iter().enumerate() {
            match target {
                FocusTarget::ReviewTabs => choices.extend(tab_choices()),
                FocusTarget::Field(field) if !radio_options(field).is_empty() => {
                    choices.extend(radio_choices(place, field));
                }
                FocusTarget::Field(field @ (Field::CustomKeyStore | Field::Administrators | Field::Users)) => {
                    choices.extend(self.row_choices(field, account));
                }
                _ => {
                    let title = target_title(target);
                    choices.extend(title.map(|title| Choice { title, click: Click::Focus(place) }));
                }
            }
        }
        choices
    }

    fn row_choices(&self, field: Field, account: &AccountState) -> Vec<Choice> {
        let (table, selected) = match field {
            Field::Administrators => (&self.administrators, &self.draft.administrators[..]),
            Field::Users => (&self.users, &self.draft.users[..]),
            _ => (&self.stores, &[][..]),
        };
        let stores = external_key_stores(account);
        let principals = PrincipalRows::new(account, selected);
        let describe = |row: usize| {
            if field == Field::CustomKeyStore {
                stores.get(row).map(|store| store.custom_key_store_name.clone())
            } else {
                let is_selected = selected.iter().any(|arn| Some(&**arn) == principals.arn(row));
                let [name, path, kind] = [0, 1, 2].map(|column| principals.cell(row, column));
                Some(format!("{} {name}, {kind}, {path}", if is_selected { "clear" } else { "select" }))
            }
        };
        let label = field.short_label();
        let choice = |(position, row): (usize, &usize)| {
            Some(Choice { title: format!("{label}: {}", describe(*row)?), click: Click::Row(position) })
        };
        table.matching_rows().iter().enumerate().filter_map(choice).collect()
    }
}

fn tab_choices() -> impl Iterator<Item = Choice> {
    let choice = |(index, title)| Choice { title: format!("Tab: {title}"), click: Click::Tab(index) };
    ReviewTab::TITLES.into_iter().enumerate().map(choice)
}

fn radio_choices(place: usize, field: Field) -> impl Iterator<Item = Choice> {
    let options = radio_options(field).iter().enumerate().filter(|(_, option)| option.unavailable_reason.is_none());
    options.map(move |(index, option)| Choice {
        title: format!("{}: {}", field.short_label(), option.label),
        click: Click::Choose(place, index),
    })
}

/// Returns the name of a control, unless another key of the palette does the same.
fn target_title(target: FocusTarget) -> Option<String> {
    Some(match target {
        FocusTarget::Field(Field::TagKey(row)) => format!("Tag key {}", row + 1),
        FocusTarget::Field(Field::TagValue(row)) => format!("Tag value {}", row + 1),
        FocusTarget::Field(Field::OtherAccount(row)) => format!("AWS account ID {}", row + 1),
        FocusTarget::Field(field) => field.short_label().to_owned(),
        FocusTarget::AdvancedOptions => "Advanced options".to_owned(),
        FocusTarget::CreateKeyStore => "Create external key store".to_owned(),
        FocusTarget::RemoveTag(row) => format!("Remove tag {}", row + 1),
        FocusTarget::RemoveAccount(row) => format!("Remove account {}", row + 1),
        FocusTarget::RestorePolicy => "Restore generated policy".to_owned(),
        FocusTarget::ToggleChanges => "Show or hide changes".to_owned(),
        FocusTarget::EditStep(step) => format!("Edit: {}", step.section_title()),
        FocusTarget::CopyCommands => "Copy AWS CLI commands".to_owned(),
        FocusTarget::CopyTerraform => "Copy Terraform".to_owned(),
        FocusTarget::SaveCommands => "Save AWS CLI commands to a file".to_owned(),
        FocusTarget::CopyKeyPolicy => "Copy key policy".to_owned(),
        FocusTarget::CopyIamPolicy => "Copy IAM policy".to_owned(),
        FocusTarget::FixField(field) => format!("Correct: {}", field.short_label()),
        FocusTarget::Retry => "Retry".to_owned(),
        _ => return None,
    })
}
