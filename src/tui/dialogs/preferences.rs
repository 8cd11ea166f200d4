//! The *Preferences* dialog: the columns, page size, and line wrapping of *Customer managed keys*.

use super::events::InputError;
use crate::tui::preferences::{KeyColumn, Preferences};
use crate::tui::widgets::form::{Form, FormField, FormInput};

const PAGE_SIZE: &str = "page-size";
const WRAP_LINES: &str = "wrap-lines";
const COLUMN_INPUTS: [&str; 13] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];

/// Returns the form, filled in with the current preferences.
pub fn form(current: &Preferences) -> Form {
    let sizes = Preferences::PAGE_SIZES.map(|size| size.map_or("As many as fit".to_owned(), |size| size.to_string()));
    let chosen = Preferences::PAGE_SIZES.iter().position(|size| *size == current.page_size).unwrap_or(0);
    let mut rows: Vec<FormField> = KeyColumn::ALL
        .into_iter()
        .zip(COLUMN_INPUTS)
        .map(|(column, name)| FormField {
            name,
            label: column.column().title,
            hint: String::new(),
            input: FormInput::Checkbox(current.key_columns.contains(&column)),
        })
        .collect();
    let input = FormInput::Radio(sizes.to_vec(), chosen);
    rows.push(FormField { name: PAGE_SIZE, label: "Page size", hint: String::new(), input });
    let (hint, input) = ("If cleared, long values end in …".to_owned(), FormInput::Checkbox(current.wrap_lines));
    rows.push(FormField { name: WRAP_LINES, label: "Wrap lines", hint, input });
    Form::new(rows, "Confirm", false)
}

/// Returns the preferences that the form contains.
pub fn from_form(form: &Form) -> Preferences {
    let ticked = KeyColumn::ALL.into_iter().zip(COLUMN_INPUTS).filter(|(_, name)| form.is_checked(name));
    Preferences {
        key_columns: ticked.map(|(column, _)| column).collect(),
        page_size: Preferences::PAGE_SIZES.get(form.selected_option(PAGE_SIZE)).copied().flatten(),
        wrap_lines: form.is_checked(WRAP_LINES),
    }
}

/// Returns the errors of the form.
pub fn validate(form: &Form) -> Vec<InputError> {
    let none = from_form(form).key_columns.is_empty();
    none.then(|| (COLUMN_INPUTS[0], "Select at least one column.".to_owned())).into_iter().collect()
}
