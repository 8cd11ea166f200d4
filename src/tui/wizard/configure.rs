//! The steps *Configure key* and *Choose external key for this KMS key*.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::text::{Line, Span};

use super::focus::FocusTarget;
use super::{Wizard, WizardEvent};
use crate::aws::kms::{ConnectionState, Origin};
use crate::create_key::account_state::AccountState;
use crate::create_key::configuration_options::{FIXED_CONFIGURATION, radio_options, selected_index};
use crate::create_key::field::Field;
use crate::create_key::method::Method;
use crate::create_key::validate::FieldError;
use crate::tui::dialogs::connect::AfterConnect;
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::pages::key_stores::{cell, external_key_stores};
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, TableEvent};
use crate::tui::widgets::text;

/// The columns of the key store table, which are the first columns of the *External key stores* page.
pub(super) const KEY_STORE_COLUMNS: [Column; 4] = [
    Column::new("Custom key store name", 18, 3),
    Column::status("Connection state", 18),
    Column::new("Custom key store ID", 22, 1),
    Column::new("Proxy connectivity", 20, 1),
];

impl Wizard {
    pub(super) fn handle_key_store_table_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<WizardEvent> {
        let at = |end: Option<&usize>| self.stores.current() == end.copied();
        let (first, last) = (at(self.stores.matching_rows().first()), at(self.stores.matching_rows().last()));
        if !self.stores.is_searching() {
            match key.code {
                KeyCode::Up if first => {
                    self.move_focus(-1);
                    return Vec::new();
                }
                KeyCode::Down if last => {
                    self.move_focus(1);
                    return Vec::new();
                }
                _ => {}
            }
        }
        match self.stores.handle_key(key, KEY_STORE_COLUMNS.len()) {
            TableEvent::Toggle(row) | TableEvent::Open(row) => {
                if let Some(store) = external_key_stores(account).get(row) {
                    let id = store.custom_key_store_id.clone();
                    if store.connection_state != ConnectionState::Connected {
                        return vec![WizardEvent::Connect(id, AfterConnect::SelectInWizard)];
                    }
                    self.draft.custom_key_store_id = Some(id);
                    if key.code == KeyCode::Enter {
                        self.move_focus(1);
                    }
                }
            }
            TableEvent::SortChanged => self.refresh_tables(account),
            TableEvent::Handled | TableEvent::ToggleAll => {}
            TableEvent::Ignored if key.code == KeyCode::Esc => return self.leave(),
            TableEvent::Ignored => {
                if keymap::action(&[Context::Refreshable], key) == Some(Action::Refresh) {
                    return vec![WizardEvent::Request(Call::KeyStores)];
                }
            }
        }
        Vec::new()
    }

    /// Selects a key store, for example after it was connected from the wizard.
    pub fn choose_store(&mut self, store_id: String, account: &AccountState) {
        self.draft.custom_key_store_id = Some(store_id);
        self.refresh_tables(account);
        self.select_store(account);
    }

    /// Handles a key on radio buttons. Moving to an option selects it, if it is available.
    pub(super) fn handle_radio_key(&mut self, field: Field, key: KeyEvent) -> Vec<WizardEvent> {
        let last = radio_options(field).len().saturating_sub(1);
        match key.code {
            KeyCode::Up | KeyCode::Left if self.option_index > 0 => self.select_option(field, self.option_index - 1),
            KeyCode::Down | KeyCode::Right if self.option_index < last => {
                self.select_option(field, self.option_index + 1);
            }
            KeyCode::Up | KeyCode::Left => self.move_focus(-1),
            KeyCode::Down | KeyCode::Right => self.move_focus(1),
            KeyCode::Home => self.select_option(field, 0),
            KeyCode::End => self.select_option(field, last),
            KeyCode::Enter | KeyCode::Char(' ') => self.select_option(field, self.option_index),
            KeyCode::Esc => return self.leave(),
            _ => {}
        }
        Vec::new()
    }

    /// Moves the cursor to an option, and selects it if it is available.
    fn select_option(&mut self, field: Field, index: usize) {
        self.option_index = index;
        let is_available = radio_options(field).get(index).is_some_and(|option| option.unavailable_reason.is_none());
        let origin = Origin::ALL.get(index).copied().filter(|_| field == Field::Origin && is_available);
        if let Some(origin) = origin.filter(|origin| *origin != self.draft.origin) {
            self.draft.origin = origin;
            self.reset_visited();
        }
    }

    pub(super) fn write_configure_key(
        &self,
        view: &mut ScrollView,
        height: usize,
        account: &AccountState,
        errors: &[FieldError],
    ) {
        if self.method == Method::FromCustomerManagedKeys {
            self.write_key_configuration(view, errors);
            return;
        }
        view.paragraph(self.step.intro(), 2, theme::SECONDARY);
        view.heading("Key configuration (set by the key store)");
        if view.width >= 84 {
            for (label, value) in FIXED_CONFIGURATION {
                view.key_value(label, value, theme::TEXT);
            }
        } else {
            view.paragraph(&FIXED_CONFIGURATION.map(|(_, value)| value).join(" · "), 2, theme::TEXT);
        }
        view.blank_line();
        self.write_key_store_table(view, height, account, errors);
        view.blank_line();
        self.write_external_key_field(view, height, account, errors);
        view.blank_line();
        self.write_checkbox(view, Field::Acknowledgement, self.draft.acknowledged, errors);
    }

    /// Writes *Configure key* of Method 2: key type, key usage, and the origins under *Advanced options*.
    fn write_key_configuration(&self, view: &mut ScrollView, errors: &[FieldError]) {
        for field in [Field::KeyType, Field::KeyUsage] {
            self.write_radio_options(view, field, errors);
            view.blank_line();
        }
        let is_focused = self.focused() == FocusTarget::AdvancedOptions;
        let words = if self.shows_origins { "▾ Advanced options" } else { "▸ Advanced options" };
        view.focused(is_focused, |view| {
            view.push_line(Line::raw(" "));
            view.append_button(&self.button(FocusTarget::AdvancedOptions, words));
            let origin = format!("  Key material origin: {}", self.draft.origin.label());
            view.append_span(Span::styled(origin, theme::SECONDARY));
        });
        if self.shows_origins {
            view.blank_line();
            self.write_radio_options(view, Field::Origin, errors);
        }
        if self.draft.is_external() {
            view.blank_line();
            self.write_checkbox(view, Field::Acknowledgement, self.draft.acknowledged, errors);
        }
    }

    /// Writes radio buttons. The selected option and the one at the cursor show their descriptions.
    fn write_radio_options(&self, view: &mut ScrollView, field: Field, errors: &[FieldError]) {
        let on = selected_index(field, self.draft.origin);
        self.write_field(view, field, errors, |view, is_focused| {
            for (index, option) in radio_options(field).iter().enumerate() {
                let here = is_focused && index == self.option_index;
                let style = match (here, option.unavailable_reason) {
                    (true, _) => theme::SELECTED,
                    (false, Some(_)) => theme::SECONDARY,
                    (false, None) => theme::TEXT,
                };
                let mark = if index == on { "◉ " } else { "○ " };
                let choose = Click::Choose(self.place(FocusTarget::Field(field)), index);
                let line = Line::from(vec![
                    Span::styled(if here { "▌ " } else { "  " }, theme::ACCENT),
                    Span::styled(mark, if index == on { theme::ACCENT } else { theme::TEXT }),
                    Span::styled(option.label, style),
                    Span::styled(
                        if option.unavailable_reason.is_some() { "  (not available)" } else { "" },
                        theme::SECONDARY,
                    ),
                ]);
                view.clickable(choose, |view| {
                    view.push_line(line);
                });
                if here || index == on {
                    view.paragraph(option.description, 6, theme::SECONDARY);
                }
                if here && let Some(why) = option.unavailable_reason {
                    view.warning(why, 6);
                }
            }
        });
    }

    /// Writes the step *Choose external key for this KMS key*.
    pub(super) fn write_external_key(
        &self,
        view: &mut ScrollView,
        height: usize,
        account: &AccountState,
        errors: &[FieldError],
    ) {
        view.paragraph(self.step.intro(), 2, theme::SECONDARY);
        view.blank_line();
        self.write_key_store_table(view, height, account, errors);
        view.blank_line();
        self.write_external_key_field(view, height, account, errors);
        view.blank_line();
        view.push_line(Line::raw(" "));
        view.append_button(&self.button(FocusTarget::CreateKeyStore, "Create external key store"));
    }

    fn write_key_store_table(
        &self,
        view: &mut ScrollView,
        height: usize,
        account: &AccountState,
        errors: &[FieldError],
    ) {
        self.write_field(view, Field::CustomKeyStore, errors, |view, is_focused| {
            if !Self::write_loading(view, "external key stores", &account.key_stores) {
                return;
            }
            let stores = external_key_stores(account);
            if stores.is_empty() {
                view.paragraph("No external key stores yet. Create one first.", 2, theme::TEXT);
                return;
            }
            let rows = Rows {
                total: stores.len(),
                noun: ["key store", "key stores"],
                cell: &|row, column| cell(stores[row], column),
                selection_mode: SelectionMode::Single,
                is_selected: &|row| self.draft.custom_key_store_id.as_ref() == Some(&stores[row].custom_key_store_id),
            };
            // The name and connection state matter most. The other columns are shown if there is room.
            let columns = match view.width {
                ..64 => &KEY_STORE_COLUMNS[..2],
                64..90 => &KEY_STORE_COLUMNS[..3],
                _ => &KEY_STORE_COLUMNS,
            };
            let rows_shown = height.saturating_sub(14).clamp(4, 10);
            self.stores.write(view, columns, rows_shown + 2, is_focused, &rows);
        });
    }

    /// Writes a check box with its wrapped label.
    pub(super) fn write_checkbox(&self, view: &mut ScrollView, field: Field, ticked: bool, errors: &[FieldError]) {
        let is_focused = self.focused_field() == Some(field);
        let mark = if ticked { "☑" } else { "☐" };
        view.focused(is_focused, |view| {
            let rows = text::wrap(field.label(), view.width.saturating_sub(5));
            let style = if is_focused { theme::SELECTED } else { theme::TEXT };
            view.clickable(self.click_on(FocusTarget::Field(field)), |view| {
                for (index, words) in rows.into_iter().enumerate() {
                    let bar = if is_focused { "▌ " } else { "  " };
                    let lead = if index == 0 { format!("{bar}{mark} ") } else { format!("{bar}  ") };
                    view.push_line(Line::from(vec![Span::styled(lead, theme::ACCENT), Span::styled(words, style)]));
                }
            });
            match self.visible_error(field, errors) {
                Some(error) => view.paragraph(&format!("✗ {error}"), 4, theme::ERROR),
                // The hint is no longer needed.
                None if ticked && field == Field::Acknowledgement => view,
                None => view.paragraph(field.hint(), 4, theme::SECONDARY),
            };
        });
    }
}
