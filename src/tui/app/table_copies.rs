//! Copies the table of a page as CSV, JSON, or Markdown.

use super::{App, Dialog};
use crate::listing::table::TextTable;
use crate::tui::dialogs::Menu;
use crate::tui::dialogs::menu::TableFormat;
use crate::tui::effect::Effect;
use crate::tui::pages::Location;

impl App {
    /// Opens the menu with the formats.
    pub(super) fn open_copy_table_menu(&mut self) -> Vec<Effect> {
        self.dialog = Some(Dialog::Menu(Menu::for_table()));
        Vec::new()
    }

    /// Copies the rows that match the search, in their order, with the columns of the page.
    pub(super) fn copy_table(&mut self, format: TableFormat) -> Vec<Effect> {
        let Some(table) = self.text_table() else { return Vec::new() };
        let (what, text) = match format {
            TableFormat::Csv => ("CSV table", written(|out| table.write_csv(out))),
            TableFormat::Markdown => ("Markdown table", written(|out| table.write_markdown(out))),
            TableFormat::Json => ("JSON table", self.table_as_json(&table)),
        };
        self.copy_rows(what, table.rows.len(), text)
    }

    /// Returns the rows of the page that match the search.
    fn text_table(&self) -> Option<TextTable> {
        let account = &self.account;
        Some(match self.location {
            Location::KeyStores => self.key_stores.text_table(account),
            Location::Keys => self.keys.text_table(account),
            Location::AwsKeys => self.aws_keys.text_table(account),
            Location::ExternalKeys => self.external_keys.text_table(account),
            Location::ProxyFaults => self.proxy_fault_list.text_table(),
            Location::Workloads => self.workloads.text_table(),
            Location::Events => self.events.text_table(),
            Location::ApiCalls => self.api_calls.text_table(),
            Location::Xray => self.flows.text_table(account),
            _ => return None,
        })
    }

    /// Returns an array of objects. Keys and key stores have the members of the lists of the command line.
    fn table_as_json(&self, table: &TextTable) -> String {
        let rows = match self.location {
            Location::KeyStores => self.key_stores.documents(&self.account),
            Location::Keys => self.keys.documents(&self.account),
            Location::AwsKeys => self.aws_keys.documents(&self.account),
            _ => table.to_json(),
        };
        format!("{:#}\n", serde_json::Value::from(rows))
    }
}

/// Returns what `write` writes.
fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut out = Vec::new();
    // Writing to memory can't fail.
    let _ = write(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}
