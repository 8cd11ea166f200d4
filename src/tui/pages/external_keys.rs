//! *External key manager*: the external keys behind the bundled proxy, and the KMS keys that use them.

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::Wish;
use crate::aws::xks_console::{ExternalKey, Partition};
use crate::create_key::known::{AccountState, Loadable};
use crate::tui::effect::{Call, Failure};
use crate::tui::keymap::{self, Action, Context};
use crate::tui::pages::keys::aliases_of;
use crate::tui::tasks::Menu;
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::table::{Choice, Column, Pressed, Rows, Table};

const COLUMNS: [Column; 8] = [
    Column { title: "External key ID", least: 22, weight: 2 },
    Column { title: "Status", least: 10, weight: 0 },
    Column { title: "Partition", least: 12, weight: 1 },
    Column { title: "KMS key", least: 16, weight: 2 },
    Column { title: "Key usage", least: 18, weight: 0 },
    Column { title: "Key spec", least: 10, weight: 0 },
    Column { title: "Version", least: 9, weight: 0 },
    Column { title: "Callers", least: 16, weight: 1 },
];

/// What is in the external key manager, and where the person is in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExternalKeys {
    partitions: Loadable<Vec<Partition>>,
    table: Table,
    is_not_available: bool,
}

/// The name of the KMS key that an external key stands behind.
fn used_by(partition: &Partition, key: &ExternalKey, known: &AccountState) -> Option<String> {
    let is_here = |path: &str| path == partition.uri_path;
    let stores = known.key_stores.ready()?.iter();
    let mut stores = stores.filter(|store| {
        store.xks_proxy_configuration.as_ref().is_some_and(|configuration| is_here(&configuration.uri_path))
    });
    let kms_key = stores.find_map(|store| {
        known.keys.ready()?.iter().find(|kms_key| {
            kms_key.xks_key_id.as_deref() == Some(&key.id)
                && kms_key.custom_key_store_id.as_deref() == Some(&store.custom_key_store_id)
        })
    })?;
    let names = aliases_of(kms_key.key_id(), known);
    Some(names.first().map_or_else(|| kms_key.key_id().to_owned(), Clone::clone))
}

fn cell(partition: &Partition, key: &ExternalKey, column: usize, known: &AccountState) -> String {
    match column {
        0 => key.id.clone(),
        1 => if key.enabled { "Enabled" } else { "Disabled" }.to_owned(),
        2 => partition.name.clone(),
        3 => used_by(partition, key, known).unwrap_or_else(|| "-".to_owned()),
        4 if key.usage.is_empty() => "-".to_owned(),
        4 => key.usage.join(", "),
        5 => key.spec.clone(),
        6 => key.version.to_string(),
        _ if key.callers.is_empty() => "Everybody".to_owned(),
        _ => key.callers.join(", "),
    }
}

impl ExternalKeys {
    fn list(&self) -> Vec<(&Partition, &ExternalKey)> {
        let partitions = self.partitions.ready().into_iter().flatten();
        partitions.flat_map(|partition| partition.keys.iter().map(move |key| (partition, key))).collect()
    }

    fn current(&self) -> Option<(String, String)> {
        let (partition, key) = *self.list().get(self.table.current()?)?;
        Some((partition.name.clone(), key.id.clone()))
    }

    /// The keys are being asked for.
    pub fn asked(&mut self) {
        if self.partitions.ready().is_none() {
            self.partitions = Loadable::Loading;
        }
    }

    /// The keys were told. The cursor stays with its key.
    pub fn told(&mut self, partitions: Vec<Partition>, known: &AccountState) {
        let here = self.current();
        self.is_not_available = false;
        self.partitions = Loadable::Ready(partitions);
        self.arrange(known);
        let names = |(partition, key): &(&Partition, &ExternalKey)| Some((partition.name.clone(), key.id.clone()));
        if let (Some(row), true) = (self.list().iter().position(|key| names(key) == here), here.is_some()) {
            self.table.select(row);
        }
    }

    /// The keys could not be had.
    pub fn failed(&mut self, failure: &Failure) {
        self.is_not_available = failure.code == Failure::NOT_AVAILABLE;
        self.partitions = Loadable::Failed(format!("{}: {}", failure.code, failure.message));
    }

    /// Arranges the table anew after the keys, or the KMS keys on them, changed.
    pub fn arrange(&mut self, known: &AccountState) {
        let cells = {
            let keys = self.list();
            let row = |(partition, key): &(&Partition, &ExternalKey)| {
                std::array::from_fn::<String, { COLUMNS.len() }, _>(|column| cell(partition, key, column, known))
            };
            keys.iter().map(row).collect::<Vec<_>>()
        };
        self.table.arrange(cells.len(), &COLUMNS, &|row, column| cells[row][column].clone());
    }

    /// The table that the page is.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str) {
        self.table.paste(text);
    }

    /// Whether the proxy has told what it has.
    pub fn is_ready(&self) -> bool {
        self.partitions.ready().is_some()
    }

    fn menu(&self, known: &AccountState) -> Option<Wish> {
        let keys = self.list();
        let here = self.table.current().and_then(|row| keys.get(row).copied());
        let used = here.and_then(|(partition, key)| used_by(partition, key, known));
        self.partitions.ready().map(|partitions| Wish::Menu(Menu::for_external_key(partitions, here, used)))
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, known: &AccountState) -> Vec<Wish> {
        match self.table.press(key, COLUMNS.len()) {
            Pressed::Open(_) => return self.menu(known).into_iter().collect(),
            Pressed::Sorted => self.arrange(known),
            Pressed::Taken | Pressed::Toggle(_) | Pressed::ToggleAll => {}
            Pressed::Ignored => match keymap::action(&[Context::ExternalKeys, Context::Asked], key) {
                Some(Action::Actions) => return self.menu(known).into_iter().collect(),
                Some(Action::Refresh) => {
                    return [Call::ExternalKeys, Call::KeyStores, Call::Keys(None)].map(Wish::Ask).to_vec();
                }
                _ => {}
            },
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, known: &AccountState, is_focused: bool, frame: &mut Frame, area: Rect) {
        let mut paper = Paper::new(area.width);
        let keys = self.list();
        let count = self.partitions.ready().map(|_| format!(" ({})", keys.len())).unwrap_or_default();
        paper.heading(&format!("External key manager: external keys{count}"));
        if self.is_not_available {
            paper.heading("  Not available from the API");
            let words = "AWS knows of external keys only what their KMS keys name. Your external key manager, and the \
                         tools that came with it, have the rest.";
            paper.prose(words, 2, theme::TEXT);
        } else if super::write_loading(&mut paper, "external keys", &self.partitions) {
            if keys.is_empty() {
                paper.heading("  No external keys");
                paper.prose("Press m to make a partition for an external key store, and keys in it.", 2, theme::TEXT);
            } else {
                let rows = Rows {
                    total: keys.len(),
                    cell: &|row, column| cell(keys[row].0, keys[row].1, column, known),
                    choice: Choice::None,
                    is_chosen: &|_| false,
                };
                self.table.write(&mut paper, &COLUMNS, usize::from(area.height).saturating_sub(1), is_focused, &rows);
            }
        }
        paper.draw(frame, area);
    }
}
