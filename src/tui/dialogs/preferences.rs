//! *Preferences*, the gear of the web page: columns and rows of *Customer managed keys*.

use super::InputError;
use crate::tui::preferences::{KeyColumn, Preferences};
use crate::tui::widgets::form::{Form, FormField, FormInput};

const PAGE_SIZE: &str = "page-size";
const WRAP_LINES: &str = "wrap-lines";
const COLUMN_INPUTS: [&str; 13] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];

/// The form, as the person has it now.
pub fn form(now: &Preferences) -> Form {
    let sizes = Preferences::PAGE_SIZES.map(|size| size.map_or("As many as fit".to_owned(), |size| size.to_string()));
    let chosen = Preferences::PAGE_SIZES.iter().position(|size| *size == now.page_size).unwrap_or(0);
    let mut rows: Vec<FormField> = KeyColumn::ALL
        .into_iter()
        .zip(COLUMN_INPUTS)
        .map(|(column, name)| FormField {
            name,
            label: column.column().title,
            hint: String::new(),
            input: FormInput::Checkbox(now.key_columns.contains(&column)),
        })
        .collect();
    let input = FormInput::Radio(sizes.to_vec(), chosen);
    rows.push(FormField { name: PAGE_SIZE, label: "Page size", hint: String::new(), input });
    let (hint, input) = ("Off: what is too long ends in …".to_owned(), FormInput::Checkbox(now.wrap_lines));
    rows.push(FormField { name: WRAP_LINES, label: "Wrap lines", hint, input });
    Form::new(rows, "Confirm", false)
}

/// What the form says.
pub fn from_form(form: &Form) -> Preferences {
    let ticked = KeyColumn::ALL.into_iter().zip(COLUMN_INPUTS).filter(|(_, name)| form.is_checked(name));
    Preferences {
        key_columns: ticked.map(|(column, _)| column).collect(),
        page_size: Preferences::PAGE_SIZES.get(form.selected_option(PAGE_SIZE)).copied().flatten(),
        wrap_lines: form.is_checked(WRAP_LINES),
    }
}

/// What is wrong with the form.
pub fn validate(form: &Form) -> Vec<InputError> {
    let none = from_form(form).key_columns.is_empty();
    none.then(|| (COLUMN_INPUTS[0], "Choose at least one column.".to_owned())).into_iter().collect()
}
