//! The text fields of the wizard: their cursors, and what can be undone in them.

use std::collections::HashMap;

use crate::create_key::field::Field;
use crate::tui::widgets::text_area::TextArea;
use crate::tui::widgets::text_field::TextField;

/// The text fields that the person has been in. The draft has their values.
#[derive(Clone, Debug, Default)]
pub struct Editors {
    text_fields: HashMap<Field, TextField>,
    text_areas: HashMap<Field, TextArea>,
}

impl Editors {
    /// Returns the one-line text field that the person has been in.
    pub fn text_field(&self, field: Field) -> Option<&TextField> {
        self.text_fields.get(&field)
    }

    /// Returns the text field of several lines that the person has been in.
    pub fn text_area(&self, field: Field) -> Option<&TextArea> {
        self.text_areas.get(&field)
    }

    /// Opens a one-line text field: as the person left it, unless its value is another now.
    pub fn open_text_field(&mut self, field: Field, value: &str) -> &mut TextField {
        let line = self.text_fields.entry(field).or_default();
        if line.value() != value {
            *line = TextField::new(value);
        }
        line
    }

    /// Opens a text field of several lines likewise. The cursor is first at the end, in a policy at the start.
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

    /// Returns the line that the cursor of a field is in, and the characters before it in that line.
    pub fn cursor(&self, field: Field) -> (usize, usize) {
        let line = self.text_fields.get(&field).map(|line| (0, line.cursor()));
        line.or_else(|| self.text_areas.get(&field).map(TextArea::cursor)).unwrap_or_default()
    }

    /// Puts the cursor of a field that is open there, or as near as the text lets it.
    pub fn set_cursor(&mut self, field: Field, cursor: (usize, usize)) {
        if let Some(line) = self.text_fields.get_mut(&field) {
            *line = TextField::with_cursor(line.value(), cursor.1.min(line.value().chars().count()));
        } else if let Some(area) = self.text_areas.get_mut(&field) {
            area.set_cursor(cursor);
        }
    }

    /// Lets what is typed next be undone by itself.
    pub fn end_undo_steps(&mut self) {
        self.text_fields.values_mut().for_each(TextField::end_undo_group);
        self.text_areas.values_mut().for_each(TextArea::end_undo_group);
    }

    /// Forgets fields that are gone or whose places others have taken.
    pub fn remove_matching(&mut self, is_gone: impl Fn(&Field) -> bool) {
        self.text_fields.retain(|field, _| !is_gone(field));
        self.text_areas.retain(|field, _| !is_gone(field));
    }
}
