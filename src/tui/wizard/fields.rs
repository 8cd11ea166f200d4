//! The parts that all fields of the wizard share: label, control, and error or hint.

use ratatui::text::{Line, Span};

use super::Wizard;
use super::focus::FocusTarget;
use crate::create_key::account_state::Loadable;
use crate::create_key::field::Field;
use crate::create_key::validate::FieldError;
use crate::tui::theme;
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::text_field::TextField;

impl Wizard {
    /// Returns the click that moves the focus to a control and activates it.
    pub(super) fn click_on(&self, target: FocusTarget) -> Click {
        Click::Focus(self.place(target))
    }

    /// Returns the number of a control in focus order.
    pub(super) fn place(&self, target: FocusTarget) -> usize {
        self.focus_targets().iter().position(|other| *other == target).unwrap_or(usize::MAX)
    }

    /// Makes the lines that `write` writes react to clicks as a field.
    pub(super) fn write_control(&self, view: &mut ScrollView, field: Field, write: impl FnOnce(&mut ScrollView)) {
        view.control(self.place(FocusTarget::Field(field)), write);
    }

    /// Returns the button of a control.
    pub(super) fn button(&self, target: FocusTarget, label: &str) -> Button {
        Button::new(label).focused(self.focused() == target).on_click(self.click_on(target))
    }

    /// Returns the error to show at a field.
    ///
    /// Most errors are shown only after the user left the field or tried to continue. Those of the external key ID, the
    /// alias, the tags, and the key policy are shown while the user types.
    pub(super) fn visible_error(&self, field: Field, errors: &[FieldError]) -> Option<String> {
        let is_begun = Some(field) == self.focused_field() && self.is_empty(field) && !self.is_refused;
        let shown = self.touched.contains(&field) && !is_begun;
        let live = matches!(field, Field::ExternalKeyId | Field::Alias | Field::KeyPolicy)
            || matches!(field, Field::TagKey(_) | Field::TagValue(_));
        let typed = !self.is_empty(field);
        errors
            .iter()
            .find(|error| error.field == field && (shown || (live && typed)))
            .map(|error| error.message.clone())
    }

    pub(super) fn is_empty(&self, field: Field) -> bool {
        self.text_value(field).is_some_and(|text| text.is_empty())
    }

    /// Writes a field: its label, its content by `write`, and its error or hint.
    pub(super) fn write_field(
        &self,
        view: &mut ScrollView,
        field: Field,
        errors: &[FieldError],
        write: impl FnOnce(&mut ScrollView, bool),
    ) {
        self.write_field_with_hint(view, field, field.hint(), errors, write);
    }

    /// Writes a field as [`write_field`](Self::write_field) does, with another hint.
    pub(super) fn write_field_with_hint(
        &self,
        view: &mut ScrollView,
        field: Field,
        hint: &str,
        errors: &[FieldError],
        write: impl FnOnce(&mut ScrollView, bool),
    ) {
        let is_focused = self.focused_field() == Some(field);
        let error = self.visible_error(field, errors);
        view.focused(is_focused, |view| {
            let mark = if is_focused { "▸ " } else { "  " };
            self.write_control(view, field, |view| {
                view.push_line(Line::from(vec![
                    Span::styled(mark, theme::ACCENT),
                    Span::styled(field.label(), theme::HEADING),
                ]));
                write(view, is_focused);
            });
            match error {
                Some(error) => view.paragraph(&format!("✗ {error}"), 2, theme::ERROR),
                None => view.paragraph(hint, 2, theme::SECONDARY),
            };
        });
    }

    pub(super) fn write_text_field(
        &self,
        view: &mut ScrollView,
        field: Field,
        errors: &[FieldError],
        placeholder: &str,
    ) {
        self.write_field(view, field, errors, |view, is_focused| {
            self.write_editor(view, field, 2, 56, is_focused, placeholder);
        });
    }

    /// Writes the one-line editor of a field, with the cursor if the field has the focus.
    pub(super) fn write_editor(
        &self,
        view: &mut ScrollView,
        field: Field,
        indent: usize,
        most: usize,
        is_focused: bool,
        placeholder: &str,
    ) {
        let columns = view.width.saturating_sub(indent + 1).min(most);
        let still = TextField::new(&self.text_value(field).unwrap_or_default());
        let shown = if is_focused { self.editors.text_field(field) } else { None }.unwrap_or(&still);
        shown.write(view, indent, columns, is_focused, placeholder);
    }

    pub(super) fn write_loading<T>(view: &mut ScrollView, what: &str, loaded: &Loadable<T>) -> bool {
        crate::tui::pages::write_load_state(view, what, loaded)
    }
}
