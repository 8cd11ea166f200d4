//! *External key stores*: the list page.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;
use serde_json::Value;

use super::{KEY_STORE_ID, Location, PageEvent};
use crate::aws::lenient::UNREADABLE;
use crate::create_key::account_state::AccountState;
use crate::listing::json;
use crate::listing::key_stores::TITLES;
pub use crate::listing::key_stores::{cell, external_key_stores};
use crate::listing::table::TextTable;
use crate::tui::dialogs::FormKind;
use crate::tui::dialogs::connect::AfterConnect;
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, Table, TableEvent};

const COLUMNS: [Column; 5] = [
    Column::new(TITLES[0], 18, 3),
    Column::status(TITLES[1], 18),
    Column::new(TITLES[2], 22, 1),
    Column::new(TITLES[3], 17, 1),
    Column::new(TITLES[4], 20, 2),
];

/// The state of the list page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyStoreList {
    table: Table,
}

impl KeyStoreList {
    /// Updates the table after the key stores or the search changed.
    pub fn update_rows(&mut self, account: &AccountState) {
        let stores = external_key_stores(account);
        self.table.update_rows(stores.len(), &COLUMNS, &|row, column| cell(stores[row], column));
    }

    /// Returns the ID of the key store at the cursor.
    pub fn current(&self, account: &AccountState) -> Option<String> {
        external_key_stores(account).get(self.table.current()?).map(|store| store.custom_key_store_id.clone())
    }

    /// Moves the cursor to a key store.
    pub fn move_cursor_to(&mut self, store_id: &str, account: &AccountState) {
        if let Some(row) = external_key_stores(account).iter().position(|store| store.custom_key_store_id == store_id) {
            self.table.move_cursor_to(row);
        }
    }

    /// Returns the table of the page.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Returns the table of the page, to move its cursor.
    pub fn table_mut(&mut self) -> &mut Table {
        &mut self.table
    }

    /// Returns the rows that match the search, with their full text.
    pub fn text_table(&self, account: &AccountState) -> TextTable {
        let stores = external_key_stores(account);
        self.table.text_table(&COLUMNS, &|row, column| cell(stores[row], column))
    }

    /// Returns the key stores that match the search as JSON, as `list-stores --json` does.
    pub fn documents(&self, account: &AccountState) -> Vec<Value> {
        let stores = external_key_stores(account);
        let shown = self.table.matching_rows().iter().filter_map(|row| stores.get(*row));
        shown.map(|store| json::key_store(store)).collect()
    }

    /// Inserts pasted text into the search field.
    pub fn handle_paste(&mut self, text: &str, account: &AccountState) {
        self.table.handle_paste(text);
        self.update_rows(account);
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<PageEvent> {
        let stores = external_key_stores(account);
        match self.table.handle_key(key, COLUMNS.len()) {
            TableEvent::Open(row) => {
                return vec![PageEvent::Navigate(Location::KeyStore(stores[row].custom_key_store_id.clone()))];
            }
            TableEvent::SortChanged => {
                self.update_rows(account);
                return Vec::new();
            }
            TableEvent::Handled | TableEvent::Toggle(_) | TableEvent::ToggleAll => return Vec::new(),
            TableEvent::Ignored => {}
        }
        let here = self.table.current().and_then(|row| stores.get(row)).map(|store| store.custom_key_store_id.clone());
        match (keymap::action(&[Context::KeyStore, Context::Refreshable], key), here) {
            (Some(Action::Refresh), _) => vec![PageEvent::Request(Call::KeyStores)],
            (Some(Action::CreateKeyStore), _) => vec![PageEvent::OpenTask(FormKind::CreateKeyStore)],
            (Some(Action::OpenActionsMenu), Some(store)) => {
                super::key_store_actions_menu(&store, account).into_iter().collect()
            }
            // The menu explains why no action is available.
            (Some(Action::CreateKey | Action::Connect | Action::Disconnect | Action::Copy), Some(store))
                if store == UNREADABLE =>
            {
                super::key_store_actions_menu(&store, account).into_iter().collect()
            }
            (Some(Action::CreateKey), Some(store)) => vec![PageEvent::CreateKey(store)],
            // Without a key store, Method 2 can create one, or a KMS key outside of key stores.
            (Some(Action::CreateKey), None) if account.key_stores.ready().is_some() => vec![PageEvent::OpenWizard],
            (Some(Action::Copy), Some(store)) => vec![PageEvent::Copy(KEY_STORE_ID, store)],
            (Some(Action::Connect), Some(store)) => vec![PageEvent::Connect(store, AfterConnect::Stay)],
            (Some(Action::Disconnect), Some(store)) => vec![PageEvent::ConfirmDisconnect(store)],
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
        let stores = external_key_stores(account);
        let count = account.key_stores.ready().map(|_| format!(" ({})", stores.len())).unwrap_or_default();
        let container = Container::new(format!("External key stores{count}")).with_buttons(buttons);
        let area = container.draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if super::write_load_state(&mut view, "external key stores", &account.key_stores) {
            if stores.is_empty() {
                let hint = "Unable to find any external key stores in this account and Region. Press C to create one.";
                super::write_empty_list(&mut view, "No external key stores", hint);
            } else {
                let rows = Rows {
                    total: stores.len(),
                    noun: ["key store", "key stores"],
                    cell: &|row, column| cell(stores[row], column),
                    selection_mode: SelectionMode::None,
                    is_selected: &|_| false,
                };
                self.table.write(&mut view, &COLUMNS, usize::from(area.height), is_focused, &rows);
            }
        }
        view.draw(canvas, area);
    }
}
