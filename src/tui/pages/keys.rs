//! *Customer managed keys* and *AWS managed keys*: the list pages.

use std::collections::BTreeSet;

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;
use serde_json::Value;

use super::{Location, PageEvent};
use crate::aws::kms::KeyManagerType;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::changed_keys::RowChanges;
use crate::create_key::key_summary::KeySummary;
use crate::listing::filter::full_cell;
use crate::listing::json;
use crate::listing::keys::{cell, tag_search_text};
use crate::listing::table::TextTable;
use crate::tui::dialogs::{FormKind, Menu};
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::preferences::{KeyColumn, Preferences};
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, Table, TableEvent};

/// Returns the text of the cells that a search finds: those of the columns, and the tags.
fn searched_cell<'a>(
    columns: &'a [KeyColumn],
    keys: &'a [KeySummary],
    account: &'a AccountState,
) -> impl Fn(usize, usize) -> String + 'a {
    move |row, column| match columns.get(column) {
        Some(column) => cell(&keys[row], *column, account),
        None => tag_search_text(&keys[row], account),
    }
}

/// The state of the list page.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyList {
    key_manager: KeyManagerType,
    visible_columns: Vec<KeyColumn>,
    table: Table,
    selected: BTreeSet<String>,
}

impl KeyList {
    /// Creates the list of the keys that `manager` manages.
    pub fn new(manager: KeyManagerType) -> Self {
        let visible_columns = Preferences::default().key_columns;
        Self { key_manager: manager, visible_columns, table: Table::default(), selected: BTreeSet::new() }
    }

    /// Applies the preferences: columns, page size, and wrapping.
    pub fn apply_preferences(&mut self, preferences: &Preferences, account: &AccountState) {
        self.visible_columns = KeyColumn::ALL.into_iter().filter(|one| preferences.key_columns.contains(one)).collect();
        self.table.page_size = preferences.page_size;
        self.table.wraps_text = preferences.wrap_lines;
        self.update_rows(account);
    }

    fn columns(&self) -> Vec<Column> {
        self.visible_columns.iter().map(|one| one.column()).collect()
    }

    fn list<'a>(&self, account: &'a AccountState) -> &'a [KeySummary] {
        match self.key_manager {
            KeyManagerType::Aws => &account.aws_managed_keys,
            _ => account.customer_managed_keys(),
        }
    }

    /// Updates the table after the keys, the aliases, or the columns changed.
    pub fn update_rows(&mut self, account: &AccountState) {
        let keys = self.list(account);
        let mut columns = self.columns();
        // Tags have no column, but a search finds them.
        columns.push(Column::new("Tag", 0, 0));
        self.table.update_rows(keys.len(), &columns, &searched_cell(&self.visible_columns, keys, account));
    }

    /// Updates the table after keys were added at the end of the list.
    pub fn append_rows(&mut self, account: &AccountState) {
        self.update_changed_rows(&RowChanges::default(), account);
    }

    /// Updates the table after some of the keys changed.
    pub fn update_changed_rows(&mut self, changes: &RowChanges, account: &AccountState) {
        let keys = self.list(account);
        self.table.update_changed_rows(changes, keys.len(), &searched_cell(&self.visible_columns, keys, account));
    }

    /// Returns the table of the page.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Returns the table of the page, to move its cursor.
    pub fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// Returns the ID of the key at the cursor.
    pub fn current(&self, account: &AccountState) -> Option<String> {
        self.list(account).get(self.table.current()?).map(|key| key.key_id().to_owned())
    }

    /// Returns the keys that an action applies to: the selected keys, or the key at the cursor.
    fn action_targets<'a>(&self, account: &'a AccountState) -> Vec<&'a KeySummary> {
        let keys = self.list(account);
        if self.selected.is_empty() {
            return self.table.current().and_then(|row| keys.get(row)).into_iter().collect();
        }
        keys.iter().filter(|key| self.selected.contains(key.key_id())).collect()
    }

    /// Clears the selection.
    pub fn clear_selection(&mut self) {
        self.selected.clear();
    }

    /// Moves the cursor to a key.
    pub fn move_cursor_to(&mut self, key_id: &str, account: &AccountState) {
        let keys = self.list(account);
        if let Some(row) = keys.iter().position(|key| key.key_id() == key_id) {
            self.table.move_cursor_to(row);
        }
    }

    /// Returns the rows that match the search, with their full text.
    pub fn text_table(&self, account: &AccountState) -> TextTable {
        let (keys, shown) = (self.list(account), &self.visible_columns);
        self.table.text_table(&self.columns(), &|row, column| full_cell(&keys[row], shown[column], account))
    }

    /// Returns the keys that match the search as JSON, as `list-keys --json` does.
    pub fn documents(&self, account: &AccountState) -> Vec<Value> {
        let keys = self.list(account);
        self.table.matching_rows().iter().filter_map(|row| keys.get(*row)).map(|key| json::key(key, account)).collect()
    }

    /// Inserts pasted text into the search field.
    pub fn handle_paste(&mut self, text: &str) {
        self.table.handle_paste(text);
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<PageEvent> {
        let keys = self.list(account);
        match self.table.handle_key(key, self.visible_columns.len()) {
            TableEvent::Open(row) => {
                let open = keys.get(row).map(|key| PageEvent::Navigate(Location::Key(key.key_id().to_owned())));
                open.into_iter().collect()
            }
            TableEvent::Toggle(_) | TableEvent::ToggleAll if self.key_manager == KeyManagerType::Aws => Vec::new(),
            TableEvent::Toggle(row) => {
                if let Some(key) = keys.get(row)
                    && !self.selected.remove(key.key_id())
                {
                    self.selected.insert(key.key_id().to_owned());
                }
                Vec::new()
            }
            TableEvent::ToggleAll => {
                let shown = self.table.matching_rows().iter().filter_map(|row| keys.get(*row));
                self.toggle_all(shown.map(|key| key.key_id().to_owned()).collect());
                Vec::new()
            }
            TableEvent::SortChanged => {
                self.table.sort();
                Vec::new()
            }
            TableEvent::Handled => {
                let wants_tags = self.table.is_searching() && self.table.search().contains("tag:");
                if wants_tags && account.tags == Loadable::Idle {
                    vec![PageEvent::Request(Call::AllTags(keys.iter().map(|key| key.key_id().to_owned()).collect()))]
                } else {
                    Vec::new()
                }
            }
            TableEvent::Ignored => self.handle_action(key, account),
        }
    }

    /// Selects these keys, or clears them if all are selected.
    fn toggle_all(&mut self, shown: Vec<String>) {
        let all = shown.iter().all(|id| self.selected.contains(id));
        for id in shown {
            if all {
                self.selected.remove(&id)
            } else {
                self.selected.insert(id)
            };
        }
    }

    /// Handles a key press that the table doesn't use.
    fn handle_action(&self, key: KeyEvent, account: &AccountState) -> Vec<PageEvent> {
        let is_ours = self.key_manager == KeyManagerType::Customer;
        let is_for_all = |action: &Action| matches!(action, Action::Refresh | Action::Copy | Action::CopyArn);
        match keymap::action(&[Context::KeyList, Context::KeyRows, Context::Refreshable], key)
            .filter(|action| is_ours || is_for_all(action))
        {
            Some(Action::CreateKey) => vec![PageEvent::OpenWizard],
            Some(Action::Preferences) => vec![PageEvent::OpenTask(FormKind::Preferences)],
            Some(Action::OpenActionsMenu) => {
                let targets = self.action_targets(account);
                match &*targets {
                    [] => Vec::new(),
                    [key] => vec![PageEvent::OpenKeyMenu(key.key_id().to_owned())],
                    keys => vec![PageEvent::OpenMenu(Menu::for_keys(keys, account))],
                }
            }
            Some(action @ (Action::Copy | Action::CopyArn)) => {
                let current = self.table.current().and_then(|row| self.list(account).get(row));
                current.map(|key| super::copy_key(key, action)).into_iter().collect()
            }
            Some(Action::Refresh) => vec![PageEvent::Request(Call::Keys(None)), PageEvent::Request(Call::Aliases)],
            _ => Vec::new(),
        }
    }

    /// Draws the page.
    pub fn draw(
        &self,
        account: &AccountState,
        is_focused: bool,
        buttons: Vec<Button>,
        canvas: &mut Canvas,
        area: Rect,
    ) {
        let keys = self.list(account);
        let selected =
            if self.selected.is_empty() { String::new() } else { format!(" · {} selected", self.selected.len()) };
        let more = if account.has_more_keys { " so far" } else { "" };
        let count = account.keys.ready().map(|_| format!(" ({}{more}){selected}", keys.len())).unwrap_or_default();
        let (title, empty, hint, selection_mode) = match self.key_manager {
            KeyManagerType::Aws => {
                let hint = "AWS services create AWS managed keys when they first encrypt data for you.";
                ("AWS managed keys", "No AWS managed keys", hint, SelectionMode::None)
            }
            _ => {
                ("Customer managed keys", "No customer managed keys", "Press n to create one.", SelectionMode::Multiple)
            }
        };
        let container = Container::new(format!("{title}{count}")).with_buttons(buttons);
        let area = container.draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if super::write_load_state(&mut view, "KMS keys", &account.keys) {
            if keys.is_empty() {
                super::write_empty_list(&mut view, empty, hint);
            } else {
                let rows = Rows {
                    total: keys.len(),
                    noun: ["KMS key", "KMS keys"],
                    cell: &|row, column| cell(&keys[row], self.visible_columns[column], account),
                    selection_mode,
                    is_selected: &|row| self.selected.contains(keys[row].key_id()),
                };
                self.table.write(&mut view, &self.columns(), usize::from(area.height), is_focused, &rows);
            }
        }
        view.draw(canvas, area);
    }
}
