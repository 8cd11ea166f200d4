//! *External key manager*: the external keys of the bundled external key manager and the KMS keys that use them.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use super::PageEvent;
use crate::aws::xks_console::{ExternalKey, Partition};
use crate::create_key::account_state::{AccountState, Loadable};
use crate::listing::table::TextTable;
use crate::tui::dialogs::Menu;
use crate::tui::effect::{Call, CallFailure};
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, Table, TableEvent};

const COLUMNS: [Column; 8] = [
    Column::new("External key ID", 22, 2),
    Column::status("Status", 12),
    Column::new("Partition", 12, 1),
    Column::new("KMS key", 16, 2),
    Column::new("Key usage", 18, 0),
    Column::new("Key spec", 10, 0),
    Column::new("Version", 9, 0),
    Column::new("Callers", 16, 1),
];

/// The external keys and the state of their table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExternalKeyList {
    partitions: Loadable<Vec<Partition>>,
    table: Table,
    is_unavailable: bool,
}

/// Returns the alias or key ID of the KMS key that uses an external key.
fn kms_key_name(partition: &Partition, key: &ExternalKey, account: &AccountState) -> Option<String> {
    let is_here = |path: &str| path == partition.uri_path;
    let stores = account.key_stores.ready()?.iter();
    let mut stores = stores.filter(|store| {
        store.xks_proxy_configuration.as_ref().is_some_and(|configuration| is_here(&configuration.uri_path))
    });
    let kms_key = stores.find_map(|store| {
        account.keys.ready()?.iter().find(|kms_key| {
            kms_key.xks_key_id.as_deref() == Some(&key.id)
                && kms_key.custom_key_store_id.as_deref() == Some(&store.custom_key_store_id)
        })
    })?;
    let names = account.aliases_of(kms_key.key_id());
    Some(names.first().map_or_else(|| kms_key.key_id().to_owned(), Clone::clone))
}

fn cell(partition: &Partition, key: &ExternalKey, column: usize, account: &AccountState) -> String {
    match column {
        0 => key.id.clone(),
        1 => if key.enabled { "Enabled" } else { "Disabled" }.to_owned(),
        2 => partition.name.clone(),
        3 => kms_key_name(partition, key, account).unwrap_or_else(|| "-".to_owned()),
        4 if key.usage.is_empty() => "-".to_owned(),
        4 => key.usage.join(", "),
        5 => key.spec.clone(),
        6 => key.version.to_string(),
        _ if key.callers.is_empty() => "Everyone".to_owned(),
        _ => key.callers.join(", "),
    }
}

impl ExternalKeyList {
    fn list(&self) -> Vec<(&Partition, &ExternalKey)> {
        let partitions = self.partitions.ready().into_iter().flatten();
        partitions.flat_map(|partition| partition.keys.iter().map(move |key| (partition, key))).collect()
    }

    fn current(&self) -> Option<(String, String)> {
        let (partition, key) = *self.list().get(self.table.current()?)?;
        Some((partition.name.clone(), key.id.clone()))
    }

    /// Marks the list as loading, unless it already shows keys.
    pub fn start_loading(&mut self) {
        if self.partitions.ready().is_none() {
            self.partitions = Loadable::Loading;
        }
    }

    /// Stores the loaded keys. The cursor stays on its key.
    pub fn on_external_keys_loaded(&mut self, partitions: Vec<Partition>, account: &AccountState) {
        let here = self.current();
        self.is_unavailable = false;
        self.partitions = Loadable::Ready(partitions);
        self.update_rows(account);
        let names = |(partition, key): &(&Partition, &ExternalKey)| Some((partition.name.clone(), key.id.clone()));
        if let (Some(row), true) = (self.list().iter().position(|key| names(key) == here), here.is_some()) {
            self.table.move_cursor_to(row);
        }
    }

    /// Stores the reason why the keys couldn't be loaded.
    pub fn on_load_failed(&mut self, failure: &CallFailure) {
        self.is_unavailable = failure.code == CallFailure::NOT_AVAILABLE;
        self.partitions = Loadable::Failed(format!("{}: {}", failure.code, failure.message));
    }

    /// Updates the table after the external keys or the KMS keys changed.
    pub fn update_rows(&mut self, account: &AccountState) {
        let cells = {
            let keys = self.list();
            let row = |(partition, key): &(&Partition, &ExternalKey)| {
                std::array::from_fn::<String, { COLUMNS.len() }, _>(|column| cell(partition, key, column, account))
            };
            keys.iter().map(row).collect::<Vec<_>>()
        };
        self.table.update_rows(cells.len(), &COLUMNS, &|row, column| cells[row][column].clone());
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
        let keys = self.list();
        self.table.text_table(&COLUMNS, &|row, column| cell(keys[row].0, keys[row].1, column, account))
    }

    /// Inserts pasted text into the search field.
    pub fn handle_paste(&mut self, text: &str) {
        self.table.handle_paste(text);
    }

    /// Returns whether the keys are loaded.
    pub fn is_ready(&self) -> bool {
        self.partitions.ready().is_some()
    }

    fn actions_menu(&self, account: &AccountState) -> Option<PageEvent> {
        let keys = self.list();
        let here = self.table.current().and_then(|row| keys.get(row).copied());
        let used = here.and_then(|(partition, key)| kms_key_name(partition, key, account));
        self.partitions.ready().map(|partitions| PageEvent::OpenMenu(Menu::for_external_key(partitions, here, used)))
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<PageEvent> {
        match self.table.handle_key(key, COLUMNS.len()) {
            TableEvent::Open(_) => return self.actions_menu(account).into_iter().collect(),
            TableEvent::SortChanged => self.update_rows(account),
            TableEvent::Handled | TableEvent::Toggle(_) | TableEvent::ToggleAll => {}
            TableEvent::Ignored => match keymap::action(&[Context::ExternalKeys, Context::Refreshable], key) {
                Some(Action::OpenActionsMenu) => return self.actions_menu(account).into_iter().collect(),
                Some(Action::Refresh) => {
                    return [Call::ExternalKeys, Call::KeyStores, Call::Keys(None)].map(PageEvent::Request).to_vec();
                }
                _ => {}
            },
        }
        Vec::new()
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
        let keys = self.list();
        let count = self.partitions.ready().map(|_| format!(" ({})", keys.len())).unwrap_or_default();
        let title = format!("External key manager: external keys{count}");
        let area = Container::new(title).with_buttons(buttons).draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if self.is_unavailable {
            view.paragraph("Not available from the API", 2, theme::HEADING);
            let words = "AWS stores only the external key ID of each KMS key. To view and manage external keys, use \
                         your external key manager and its tools.";
            view.paragraph(words, 2, theme::TEXT);
        } else if super::write_load_state(&mut view, "external keys", &self.partitions) {
            if keys.is_empty() {
                let hint = "Press m to create a partition or an external key.";
                super::write_empty_list(&mut view, "No external keys", hint);
            } else {
                let rows = Rows {
                    total: keys.len(),
                    noun: ["external key", "external keys"],
                    cell: &|row, column| cell(keys[row].0, keys[row].1, column, account),
                    selection_mode: SelectionMode::None,
                    is_selected: &|_| false,
                };
                self.table.write(&mut view, &COLUMNS, usize::from(area.height), is_focused, &rows);
            }
        }
        view.draw(canvas, area);
    }
}
