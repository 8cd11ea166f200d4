//! The text editors of the wizard, with their cursors and undo histories.

use std::collections::HashMap;

use crate::create_key::field::Field;
use crate::tui::widgets::text_area::TextArea;
use crate::tui::widgets::text_field::TextField;

/// The editors of the text fields that had the focus. The values themselves are in the draft.
#[derive(Clone, Debug, Default)]
pub struct Editors {
    text_fields: HashMap<Field, TextField>,
    text_areas: HashMap<Field, TextArea>,
}

impl Editors {
    /// Returns the editor of a one-line text field, if the field had the focus.
    pub fn text_field(&self, field: Field) -> Option<&TextField> {
        self.text_fields.get(&field)
    }

    /// Returns the editor of a multi-line text field, if the field had the focus.
    pub fn text_area(&self, field: Field) -> Option<&TextArea> {
        self.text_areas.get(&field)
    }

    /// Opens the editor of a one-line text field in its last state, or a new one if the value changed elsewhere.
    pub fn open_text_field(&mut self, field: Field, value: &str) -> &mut TextField {
        let line = self.text_fields.entry(field).or_default();
        if line.value() != value {
            *line = TextField::new(value);
        }
        line
    }

    /// Opens the editor of a multi-line text field in its last state, or a new one if the value changed elsewhere.
    ///
    /// In a new editor, the cursor is at the end of the text, or at the start of a key policy.
    pub fn open_text_area(&mut self, field: Field, value: &str) -> &mut TextArea {
        let area = self.text_areas.entry(field).or_insert_with(|| TextArea::new(""));
        if area.value() != value {
            *area = TextArea::new(value);
            if field != Field::KeyPolicy {
                *area = std::mem::replace(area, TextArea::new("")).with_cursor_at_end();
            }
        }
        area
    }

    /// Returns the line and column of a field's cursor, in characters from 0.
    pub fn cursor(&self, field: Field) -> (usize, usize) {
        let line = self.text_fields.get(&field).map(|line| (0, line.cursor()));
        line.or_else(|| self.text_areas.get(&field).map(TextArea::cursor)).unwrap_or_default()
    }

    /// Moves the cursor of an open field to a line and column, or to the nearest position in the text.
    pub fn set_cursor(&mut self, field: Field, cursor: (usize, usize)) {
        if let Some(line) = self.text_fields.get_mut(&field) {
            *line = TextField::with_cursor(line.value(), cursor.1.min(line.value().chars().count()));
        } else if let Some(area) = self.text_areas.get_mut(&field) {
            area.set_cursor(cursor);
        }
    }

    /// Starts a new undo step in all editors.
    pub fn end_undo_steps(&mut self) {
        self.text_fields.values_mut().for_each(TextField::end_undo_group);
        self.text_areas.values_mut().for_each(TextArea::end_undo_group);
    }

    /// Removes the editors of fields that were removed or renumbered.
    pub fn remove_matching(&mut self, is_gone: impl Fn(&Field) -> bool) {
        self.text_fields.retain(|field, _| !is_gone(field));
        self.text_areas.retain(|field, _| !is_gone(field));
    }
}
