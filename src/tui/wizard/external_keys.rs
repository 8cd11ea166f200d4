//! The list of external keys below the field *External key ID*.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::focus::FocusTarget;
use super::{Wizard, WizardEvent};
use crate::aws::xks_console::Partition;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::external_keys::{ExternalKeyOption, external_key_options};
use crate::create_key::field::Field;
use crate::create_key::validate::FieldError;
use crate::tui::effect::Call;
use crate::tui::preferences::RememberedIds;
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::{fuzzy, status, text};

/// The maximum width of the field, in columns.
const MAX_FIELD_WIDTH: usize = 56;
/// The width of the status, in columns.
const STATUS_WIDTH: usize = 11;
/// The columns after the status, with their minimum widths. Those that don't fit aren't shown.
const DETAIL_COLUMNS: [(&str, usize); 3] = [("Key usage", 16), ("Key spec", 8), ("KMS key", 10)];
/// The gap between columns.
const GAP: &str = "  ";

/// The external keys to choose from, and whether their list is open.
#[derive(Clone, Debug, Default)]
pub struct ExternalKeyDropDown {
    partitions: Loadable<Vec<Partition>>,
    used_before: RememberedIds,
    visibility: Visibility,
    /// The text of the field when the list was opened. Until it changes, it doesn't filter the list if it is an ID of
    /// the list.
    opened_with: String,
}

/// Whether the list is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Visibility {
    /// Down opens the list.
    #[default]
    Closed,
    /// The list is shown.
    Open,
    /// The user closed the list or chose from it. Down moves to the next field until the text changes.
    Dismissed,
}

impl ExternalKeyDropDown {
    /// Closes the list after the focus moved.
    pub fn reset(&mut self) {
        self.visibility = Visibility::Closed;
    }
}

/// A row of the list.
struct ListedKey {
    option: ExternalKeyOption,
    /// The positions of the matching characters in the ID, in bytes.
    hits: BTreeSet<usize>,
}

impl Wizard {
    /// Returns the request for the external keys when their step is shown for the first time.
    pub fn external_key_request(&mut self) -> Option<Call> {
        let is_shown = Field::ExternalKeyId.step(&self.method) == self.step;
        if !is_shown || self.external_keys.partitions != Loadable::Idle {
            return None;
        }
        self.external_keys.partitions = Loadable::Loading;
        Some(Call::ExternalKeys)
    }

    /// Stores the loaded external keys, or the error code if they aren't available.
    pub fn on_external_keys_loaded(&mut self, result: Result<Vec<Partition>, String>) {
        match result {
            Ok(partitions) => self.external_keys.partitions = Loadable::Ready(partitions),
            // After a failed refresh, the earlier list stays.
            Err(_) if self.has_external_keys() => {}
            Err(code) => self.external_keys.partitions = Loadable::Failed(code),
        }
    }

    /// Returns whether the external keys are loaded, so that a refresh reloads them.
    pub fn has_external_keys(&self) -> bool {
        self.external_keys.partitions.ready().is_some()
    }

    /// Sets the external key IDs that are offered as used before.
    pub fn set_used_external_key_ids(&mut self, used: RememberedIds) {
        self.external_keys.used_before = used;
    }

    fn external_key_options(&self, account: &AccountState) -> Vec<ExternalKeyOption> {
        let Some(store_id) = &self.draft.custom_key_store_id else { return Vec::new() };
        let partitions = self.external_keys.partitions.ready().map_or(&[][..], Vec::as_slice);
        external_key_options(store_id, partitions, self.external_keys.used_before.of(store_id), account)
    }

    /// Returns the external keys that match the typed text. Those that can't be used are last.
    fn listed_external_keys(&self, account: &AccountState) -> Vec<ListedKey> {
        let options = self.external_key_options(account);
        let typed = self.draft.xks_key_id.trim();
        let ids: Vec<String> = options.iter().map(|option| option.id.clone()).collect();
        let is_unchanged = self.is_external_key_list_open() && self.external_keys.opened_with == typed;
        let filter = if is_unchanged && ids.iter().any(|id| id == typed) { "" } else { typed };
        let found = fuzzy::search(filter, &ids).into_iter();
        let mut listed: Vec<ListedKey> = found
            .filter_map(|found| Some(ListedKey { option: options.get(found.index)?.clone(), hits: found.bytes }))
            .collect();
        let is_other = |key: &ListedKey| !filter.is_empty() && key.option.id != typed;
        listed.sort_by_key(|key| (key.option.unavailable_reason.is_some(), is_other(key)));
        listed
    }

    pub(super) fn is_external_key_list_open(&self) -> bool {
        self.external_keys.visibility == Visibility::Open
    }

    /// Updates the list after the text of the field changed.
    pub(super) fn on_external_key_id_edited(&mut self) {
        self.option_index = 0;
        if self.external_keys.visibility == Visibility::Dismissed {
            self.external_keys.visibility = Visibility::Closed;
        }
    }

    /// Handles a key in the field *External key ID*.
    pub(super) fn handle_external_key_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<WizardEvent> {
        let listed = self.listed_external_keys(account);
        let last = listed.len().saturating_sub(1);
        match (self.external_keys.visibility, key.code) {
            (Visibility::Closed, KeyCode::Down) if !listed.is_empty() => self.open_external_key_list(account),
            (Visibility::Open, KeyCode::Esc) => self.external_keys.visibility = Visibility::Dismissed,
            (Visibility::Open, KeyCode::Up) if self.option_index == 0 && !listed.is_empty() => {
                self.external_keys.visibility = Visibility::Closed;
            }
            (Visibility::Open, KeyCode::Up) if !listed.is_empty() => {
                self.option_index = (self.option_index - 1).min(last);
            }
            (Visibility::Open, KeyCode::Down) if !listed.is_empty() => {
                self.option_index = (self.option_index + 1).min(last);
            }
            (Visibility::Open, KeyCode::Enter | KeyCode::Char(' ')) if !listed.is_empty() => {
                self.choose_external_key(&listed[self.option_index.min(last)].option);
            }
            _ => return self.handle_text_field_key(Field::ExternalKeyId, key),
        }
        Vec::new()
    }

    /// Opens the list with the cursor on the external key that is in the field.
    fn open_external_key_list(&mut self, account: &AccountState) {
        self.external_keys.visibility = Visibility::Open;
        self.draft.xks_key_id.trim().clone_into(&mut self.external_keys.opened_with);
        let listed = self.listed_external_keys(account);
        self.option_index = listed.iter().position(|key| key.option.id == self.external_keys.opened_with).unwrap_or(0);
    }

    /// Enters the external key in the field and closes the list. One that can't be used is not entered.
    fn choose_external_key(&mut self, option: &ExternalKeyOption) {
        if option.unavailable_reason.is_none() {
            self.edit_text_field(Field::ExternalKeyId, |editor| editor.replace(&option.id));
            self.external_keys.visibility = Visibility::Dismissed;
        }
    }

    /// Returns the note at the right of the field: how many external keys its list offers, or how many match.
    fn external_key_note(&self, account: &AccountState) -> Option<String> {
        let options = self.external_key_options(account);
        let usable = options.iter().filter(|option| option.unavailable_reason.is_none());
        let count = usable.count();
        let words = if self.has_external_keys() { "available" } else { "used before" };
        let listed = self.listed_external_keys(account).len();
        if self.is_external_key_list_open() && listed < options.len() {
            return Some(format!("▴ {listed} of {} match", options.len()));
        }
        let mark = if self.is_external_key_list_open() { "▴" } else { "▾" };
        (!options.is_empty()).then(|| format!("{mark} {count} {words}"))
    }

    /// Returns why AWS KMS will refuse the external key in the field, as far as the external key manager tells it.
    fn typed_key_problem(&self, errors: &[FieldError], account: &AccountState) -> Option<String> {
        let typed = self.draft.xks_key_id.trim();
        if typed.is_empty() || errors.iter().any(|error| error.field == Field::ExternalKeyId) {
            return None;
        }
        let option = self.external_key_options(account).into_iter().find(|option| option.id == typed)?;
        option.unavailable_reason.map(|reason| format!("You can't use this external key. {reason}."))
    }

    fn external_key_hint(&self, has_options: bool) -> String {
        let keys = match self.external_keys.visibility {
            Visibility::Open => return "Press Enter to choose an external key, or Esc to close the list.".to_owned(),
            Visibility::Closed if has_options => " Press Down to choose from a list.",
            Visibility::Closed | Visibility::Dismissed => "",
        };
        format!("{}{keys}", Field::ExternalKeyId.hint())
    }

    /// Writes the field *External key ID* with its list.
    pub(super) fn write_external_key_field(
        &self,
        view: &mut ScrollView,
        height: usize,
        account: &AccountState,
        errors: &[FieldError],
    ) {
        let field = Field::ExternalKeyId;
        let note = self.external_key_note(account);
        let hint = self.external_key_hint(note.is_some());
        self.write_field_with_hint(view, field, &hint, errors, |view, is_focused| {
            let note_width = note.as_ref().map_or(0, |note| text::width(note) + GAP.len());
            let most = view.width.saturating_sub(3 + note_width).min(MAX_FIELD_WIDTH);
            self.write_editor(view, field, 2, most, is_focused, "Example: bb8562717f809024");
            let Some(note) = note else { return };
            view.append_span(Span::raw(GAP));
            let note = Span::styled(note, theme::SECONDARY);
            if is_focused {
                let key = if self.is_external_key_list_open() { KeyCode::Esc } else { KeyCode::Down };
                view.append_clickable(note, Click::Key(key.into()));
            } else {
                view.append_span(note);
            }
            if is_focused && self.is_external_key_list_open() {
                self.write_external_key_list(view, height.saturating_sub(9).clamp(3, 10), account);
            } else if let Some(reason) = self.typed_key_problem(errors, account) {
                view.warning(&reason, 2);
            }
        });
    }

    /// Writes the rows of the list around the cursor, at most `most`.
    fn write_external_key_list(&self, view: &mut ScrollView, most: usize, account: &AccountState) {
        let listed = self.listed_external_keys(account);
        if listed.is_empty() {
            view.paragraph("No external key in the list matches.", 4, theme::SECONDARY);
            return;
        }
        let layout = RowLayout::new(view.width, &listed);
        let cursor = self.option_index.min(listed.len() - 1);
        let top = cursor.saturating_sub(most / 2).min(listed.len().saturating_sub(most));
        let heading = layout.heading();
        view.push_line(Line::styled(format!("    {heading}"), theme::SECONDARY));
        for (row, key) in listed.iter().enumerate().skip(top).take(most) {
            let choose = match self.click_on(FocusTarget::Field(Field::ExternalKeyId)) {
                Click::Focus(place) => Click::Choose(place, row),
                other => other,
            };
            view.clickable(choose, |view| {
                view.push_line(layout.line(key, row == cursor));
            });
        }
        let more = listed.len().saturating_sub(most);
        if more > 0 {
            view.push_line(Line::styled(format!("    {more} more. Type to find them."), theme::SECONDARY));
        }
        if let Some(reason) = &listed[cursor].option.unavailable_reason {
            view.warning(&format!("You can't use this external key. {reason}."), 4);
        }
    }
}

/// The widths of the columns of the list.
struct RowLayout {
    /// The width of the external key ID.
    id: usize,
    /// The width of everything after the status.
    details: usize,
    /// The number of columns after the status.
    shown_details: usize,
}

impl RowLayout {
    fn new(width: usize, listed: &[ListedKey]) -> Self {
        let room = width.saturating_sub(5);
        let longest = listed.iter().map(|key| text::width(&key.option.id)).max().unwrap_or(0);
        let id = longest.clamp("External key ID".len(), (room * 2 / 5).max("External key ID".len()));
        let details = room.saturating_sub(id + STATUS_WIDTH + 2 * GAP.len());
        let mut used = 0;
        let fits = |(_, width): &&(&str, usize)| {
            used += width + GAP.len();
            used <= details + GAP.len()
        };
        // Only the IDs are known of external keys that were used before.
        let has_details = listed.iter().any(|key| key.option.spec != "-");
        let shown_details = if has_details { DETAIL_COLUMNS.iter().take_while(fits).count() } else { 0 };
        Self { id, details, shown_details }
    }

    fn heading(&self) -> String {
        let titles = self.details_line(DETAIL_COLUMNS.map(|(title, _)| title));
        format!("{}{GAP}{}{GAP}{titles}", text::fit("External key ID", self.id), text::fit("Status", STATUS_WIDTH))
    }

    /// Returns the cells of the columns after the status. The last one gets the remaining width.
    fn details_line(&self, cells: [&str; 3]) -> String {
        let mut line = String::new();
        let mut left = self.details;
        for (index, (cell, (_, width))) in cells.into_iter().zip(DETAIL_COLUMNS).take(self.shown_details).enumerate() {
            if index > 0 {
                line.push_str(GAP);
                left = left.saturating_sub(GAP.len());
            }
            let width = if index + 1 == self.shown_details { left } else { width };
            line.push_str(&text::fit(cell, width));
            left = left.saturating_sub(width);
        }
        line
    }

    fn line(&self, key: &ListedKey, is_here: bool) -> Line<'static> {
        let option = &key.option;
        let style = match (is_here, &option.unavailable_reason) {
            (true, _) => theme::SELECTED,
            (false, Some(_)) => theme::SECONDARY,
            (false, None) => theme::TEXT,
        };
        let indicator = text::fit(&status::indicator(option.status), STATUS_WIDTH);
        let status_style = if option.unavailable_reason.is_none() { status::style(&indicator) } else { style };
        let details = match &option.unavailable_reason {
            Some(reason) => text::fit(&text::escape_controls(reason), self.details),
            None => self.details_line([&option.usage, &option.spec, &option.kms_key].map(String::as_str)),
        };
        let mut spans = vec![Span::styled(if is_here { "  ▌ " } else { "    " }, theme::ACCENT)];
        spans.extend(self.id_spans(key, style));
        spans.extend([
            Span::raw(GAP),
            Span::styled(indicator, status_style),
            Span::raw(GAP),
            Span::styled(details, style),
        ]);
        Line::from(spans)
    }

    fn id_spans(&self, key: &ListedKey, style: Style) -> Vec<Span<'static>> {
        let id = text::truncate(&text::escape_controls(&key.option.id), self.id);
        let mut spans = fuzzy::highlight(&id, &key.hits, style);
        spans.push(Span::raw(" ".repeat(self.id.saturating_sub(text::width(&id)))));
        spans
    }
}

#[cfg(test)]
mod tests;
