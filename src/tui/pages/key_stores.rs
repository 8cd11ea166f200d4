//! *External key stores*: the list.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Location, Wish};
use crate::aws::kms::{CustomKeyStore, CustomKeyStoreType};
use crate::aws::mend::UNREADABLE;
use crate::create_key::known::AccountState;
use crate::tui::connect::Afterwards;
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::tasks::FormKind;
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::table::{Choice, Column, Pressed, Rows, Table};

const COLUMNS: [Column; 5] = [
    Column { title: "Custom key store name", least: 18, weight: 3 },
    Column { title: "Connection state", least: 14, weight: 1 },
    Column { title: "Custom key store ID", least: 22, weight: 1 },
    Column { title: "Proxy connectivity", least: 17, weight: 1 },
    Column { title: "Proxy URI path", least: 20, weight: 2 },
];

/// Where the person is in the list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyStores {
    table: Table,
}

/// The external ones of the custom key stores.
pub fn external(known: &AccountState) -> Vec<&CustomKeyStore> {
    let stores = known.key_stores.ready().map_or(&[][..], Vec::as_slice);
    let mut external: Vec<&CustomKeyStore> = stores.iter().filter(|store| is_external(store)).collect();
    external.sort_by_cached_key(|store| store.custom_key_store_name.to_lowercase());
    external
}

fn is_external(store: &CustomKeyStore) -> bool {
    // A type that AWS has added since has no page of its own.
    store.custom_key_store_type != CustomKeyStoreType::AwsCloudHsm
}

/// The text of a cell of the table of stores.
pub fn cell(store: &CustomKeyStore, column: usize) -> String {
    let proxy = store.xks_proxy_configuration.as_ref();
    match column {
        0 => store.custom_key_store_name.clone(),
        1 if store.problem.is_some() && store.connection_state.as_str() != UNREADABLE => {
            format!("{} (partly readable)", store.connection_state.label())
        }
        1 => store.connection_state.label().to_owned(),
        2 => store.custom_key_store_id.clone(),
        3 => proxy.map(|proxy| proxy.connectivity.label().to_owned()).unwrap_or_default(),
        _ => proxy.map(|proxy| proxy.uri_path.clone()).unwrap_or_default(),
    }
}

impl KeyStores {
    /// Arranges the table anew after the stores or the search changed.
    pub fn arrange(&mut self, known: &AccountState) {
        let stores = external(known);
        self.table.arrange(stores.len(), &COLUMNS, &|row, column| cell(stores[row], column));
    }

    /// The ID of the store that the cursor is on.
    pub fn current(&self, known: &AccountState) -> Option<String> {
        external(known).get(self.table.current()?).map(|store| store.custom_key_store_id.clone())
    }

    /// Puts the cursor on a store.
    pub fn select(&mut self, store_id: &str, known: &AccountState) {
        if let Some(row) = external(known).iter().position(|store| store.custom_key_store_id == store_id) {
            self.table.select(row);
        }
    }

    /// The table that the page is.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str, known: &AccountState) {
        self.table.paste(text);
        self.arrange(known);
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, known: &AccountState) -> Vec<Wish> {
        let stores = external(known);
        match self.table.press(key, COLUMNS.len()) {
            Pressed::Open(row) => {
                return vec![Wish::Go(Location::KeyStore(stores[row].custom_key_store_id.clone()))];
            }
            Pressed::Sorted => {
                self.arrange(known);
                return Vec::new();
            }
            Pressed::Taken | Pressed::Toggle(_) | Pressed::ToggleAll => return Vec::new(),
            Pressed::Ignored => {}
        }
        let here = self.table.current().and_then(|row| stores.get(row)).map(|store| store.custom_key_store_id.clone());
        match (keymap::action(&[Context::KeyStore, Context::Asked], key), here) {
            (Some(Action::Refresh), _) => vec![Wish::Ask(Call::KeyStores)],
            (Some(Action::CreateKeyStore), _) => vec![Wish::Begin(FormKind::CreateKeyStore)],
            (Some(Action::Actions), Some(store)) => super::store_menu(&store, known).into_iter().collect(),
            // The menu says why nothing can be done with it.
            (Some(Action::CreateKey | Action::Connect | Action::Disconnect), Some(store)) if store == UNREADABLE => {
                super::store_menu(&store, known).into_iter().collect()
            }
            (Some(Action::CreateKey), Some(store)) => vec![Wish::CreateKey(store)],
            // The other wizard has a way to create a store, and to a key without one.
            (Some(Action::CreateKey), None) if known.key_stores.ready().is_some() => vec![Wish::OpenWizard],
            (Some(Action::Connect), Some(store)) => vec![Wish::Connect(store, Afterwards::Stay)],
            (Some(Action::Disconnect), Some(store)) => vec![Wish::Disconnect(store)],
            _ => Vec::new(),
        }
    }

    /// Draws the page.
    pub fn draw(&self, known: &AccountState, is_focused: bool, frame: &mut Frame, area: Rect) {
        let mut paper = Paper::new(area.width);
        let stores = external(known);
        let count = known.key_stores.ready().map(|_| format!(" ({})", stores.len())).unwrap_or_default();
        paper.heading(&format!("External key stores{count}"));
        if super::write_loading(&mut paper, "external key stores", &known.key_stores) {
            if stores.is_empty() {
                paper.heading("  No external key stores");
                paper.prose(
                    "Unable to find any external key stores in this account and Region. Press C to create one.",
                    2,
                    theme::TEXT,
                );
            } else {
                let rows = Rows {
                    total: stores.len(),
                    cell: &|row, column| cell(stores[row], column),
                    choice: Choice::None,
                    is_chosen: &|_| false,
                };
                self.table.write(&mut paper, &COLUMNS, usize::from(area.height).saturating_sub(1), is_focused, &rows);
            }
        }
        paper.draw(frame, area);
    }
}
