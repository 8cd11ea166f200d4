//! *Proxy faults*: the simulated failures of requests to external key store proxies, which only the bundled AWS has.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use super::PageEvent;
use crate::aws::xks_console::ProxyFault;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::listing::table::TextTable;
use crate::tui::dialogs::Menu;
use crate::tui::dialogs::proxy_faults::FaultPlace;
use crate::tui::effect::{Call, CallFailure};
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::table::{Column, Rows, SelectionMode, Table, TableEvent};

const COLUMNS: [Column; 7] = [
    Column::new("What fails", 14, 3).with_ideal_width(28),
    Column::status("Status", 10),
    Column::new("How", 13, 2).with_ideal_width(24),
    Column::new("Failed", 9, 0),
    Column::new("When", 14, 2),
    Column::new("ID", 4, 0),
    Column::new("What happens", 24, 4),
];

/// The proxy faults and the state of their table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProxyFaultList {
    faults: Loadable<Vec<ProxyFault>>,
    table: Table,
    is_unavailable: bool,
}

fn cell(fault: &ProxyFault, column: usize) -> String {
    match column {
        0 => fault.target.clone(),
        1 => if fault.is_active { "Active" } else { "Ended" }.to_owned(),
        2 => fault.failure.clone(),
        3 => format!("{} of {}", fault.failed_requests, fault.matched_requests),
        4 => fault.schedule.clone(),
        5 => fault.id.to_string(),
        _ => fault.effect.clone(),
    }
}

impl ProxyFaultList {
    fn list(&self) -> &[ProxyFault] {
        self.faults.ready().map_or(&[], Vec::as_slice)
    }

    /// Marks the list as loading, unless it already shows faults.
    pub fn start_loading(&mut self) {
        if self.faults.ready().is_none() {
            self.faults = Loadable::Loading;
        }
    }

    /// Stores the loaded faults. The cursor stays on its fault.
    pub fn on_loaded(&mut self, faults: Vec<ProxyFault>) {
        let here = self.table.current().and_then(|row| self.list().get(row)).map(|fault| fault.id);
        self.is_unavailable = false;
        self.faults = Loadable::Ready(faults);
        self.update_rows();
        if let Some(row) = self.list().iter().position(|fault| Some(fault.id) == here) {
            self.table.move_cursor_to(row);
        }
    }

    /// Stores the reason why the faults couldn't be loaded.
    pub fn on_load_failed(&mut self, failure: &CallFailure) {
        self.is_unavailable = failure.code == CallFailure::NOT_AVAILABLE;
        self.faults = Loadable::Failed(format!("{}: {}", failure.code, failure.message));
    }

    fn update_rows(&mut self) {
        let faults = self.faults.ready().map_or(&[][..], Vec::as_slice);
        self.table.update_rows(faults.len(), &COLUMNS, &|row, column| cell(&faults[row], column));
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
    pub fn text_table(&self) -> TextTable {
        let faults = self.list();
        self.table.text_table(&COLUMNS, &|row, column| cell(&faults[row], column))
    }

    /// Inserts pasted text into the search field.
    pub fn handle_paste(&mut self, text: &str) {
        self.table.handle_paste(text);
    }

    /// Returns whether the faults are loaded.
    pub fn is_ready(&self) -> bool {
        self.faults.ready().is_some()
    }

    fn actions_menu(&self, account: &AccountState) -> Option<PageEvent> {
        let faults = self.faults.ready()?;
        let here = self.table.current().and_then(|row| faults.get(row));
        let places = FaultPlace::all(account.key_stores.ready().map_or(&[], Vec::as_slice));
        Some(PageEvent::OpenMenu(Menu::for_proxy_faults(places, faults.len(), here)))
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<PageEvent> {
        match self.table.handle_key(key, COLUMNS.len()) {
            TableEvent::Open(_) => return self.actions_menu(account).into_iter().collect(),
            TableEvent::SortChanged => self.update_rows(),
            TableEvent::Handled | TableEvent::Toggle(_) | TableEvent::ToggleAll => {}
            TableEvent::Ignored => match keymap::action(&[Context::ProxyFaults, Context::Refreshable], key) {
                Some(Action::OpenActionsMenu) => return self.actions_menu(account).into_iter().collect(),
                Some(Action::Refresh) => return [Call::ProxyFaults, Call::KeyStores].map(PageEvent::Request).to_vec(),
                _ => {}
            },
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, is_focused: bool, buttons: Vec<Button>, canvas: &mut Canvas, area: Rect) {
        let faults = self.list();
        let count = self.faults.ready().map(|_| format!(" ({})", faults.len())).unwrap_or_default();
        let area = Container::new(format!("Proxy faults{count}")).with_buttons(buttons).draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if self.is_unavailable {
            view.paragraph("Only in the bundled AWS", 2, theme::HEADING);
            let words = "Proxy faults simulate failures of external key store proxies. AWS can't simulate them.";
            view.paragraph(words, 2, theme::TEXT);
        } else if super::write_load_state(&mut view, "proxy faults", &self.faults) {
            if faults.is_empty() {
                let hint = "Proxy faults make requests from AWS KMS to external key store proxies fail, so that you \
                            can practice troubleshooting. Press m, and choose Add fault.";
                super::write_empty_list(&mut view, "No proxy faults", hint);
            } else {
                let rows = Rows {
                    total: faults.len(),
                    noun: ["proxy fault", "proxy faults"],
                    cell: &|row, column| cell(&faults[row], column),
                    selection_mode: SelectionMode::None,
                    is_selected: &|_| false,
                };
                self.table.write(&mut view, &COLUMNS, usize::from(area.height), is_focused, &rows);
            }
        }
        view.draw(canvas, area);
    }
}
