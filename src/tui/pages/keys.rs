//! *Customer managed keys* and *AWS managed keys*: the lists.

use std::collections::BTreeSet;

use crossterm::event::KeyEvent;
use ratatui::Frame;
use ratatui::layout::Rect;

use super::{Location, Wish};
use crate::aws::kms::KeyManagerType;
use crate::aws::mend::UNREADABLE;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::known::{AccountState, Loadable};
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::preferences::{KeyColumn, Preferences};
use crate::tui::tasks::{FormKind, Menu};
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::table::{Choice, Column, Pressed, Rows, Table};

/// Where the person is in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Keys {
    manager: KeyManagerType,
    shown: Vec<KeyColumn>,
    table: Table,
    chosen: BTreeSet<String>,
}

/// The aliases of a key, without `alias/`, in order.
pub fn aliases_of<'a>(key_id: &str, known: &'a AccountState) -> &'a [String] {
    known.alias_names.get(key_id).map_or(&[], Vec::as_slice)
}

/// `ENCRYPT_DECRYPT` in the console's words.
pub fn usage_label(usage: &str) -> &str {
    match usage {
        "ENCRYPT_DECRYPT" => "Encrypt and decrypt",
        "SIGN_VERIFY" => "Sign and verify",
        "GENERATE_VERIFY_MAC" => "Generate and verify MAC",
        "KEY_AGREEMENT" => "Key agreement",
        other => other,
    }
}

fn cell(key: &KeySummary, column: KeyColumn, known: &AccountState) -> String {
    let or_dash = |value: Option<&str>| value.unwrap_or("-").to_owned();
    match column {
        KeyColumn::Aliases => match aliases_of(key.key_id(), known) {
            [] => "-".to_owned(),
            [one] => one.clone(),
            [one, more @ ..] => format!("{one} (+{} more)", more.len()),
        },
        KeyColumn::KeyId => key.key_id().to_owned(),
        KeyColumn::Status if key.problem.is_some() && key.key_state.as_str() != UNREADABLE => {
            format!("{} (partly readable)", key.key_state.label())
        }
        KeyColumn::Status => key.key_state.label().to_owned(),
        KeyColumn::Origin => key.origin.label().to_owned(),
        KeyColumn::CustomKeyStoreName => {
            let id = key.custom_key_store_id.as_deref().filter(|id| *id != UNREADABLE);
            let store = id.and_then(|id| known.key_store(id));
            or_dash(store.map(|store| store.custom_key_store_name.as_str()))
        }
        KeyColumn::ExternalKeyId => or_dash(key.xks_key_id.as_deref()),
        // In the order of time when it is sorted as text.
        KeyColumn::CreationDate if super::is_undated(key.creation_date, key.problem.as_deref()) => {
            UNREADABLE.to_owned()
        }
        KeyColumn::CreationDate => key.creation_date.0.strftime("%Y-%m-%d %H:%M").to_string(),
        KeyColumn::KeyType => key_type(key).to_owned(),
        KeyColumn::KeySpec => key.key_spec.to_string(),
        KeyColumn::KeyUsage => usage_label(&key.key_usage).to_owned(),
        KeyColumn::CustomKeyStoreId => or_dash(key.custom_key_store_id.as_deref()),
        KeyColumn::Regionality => regionality(key).to_owned(),
        KeyColumn::Description => key.description.to_string(),
    }
}

/// `key=value` for each tag, as far as tags have been asked for.
fn tags(key: &KeySummary, known: &AccountState) -> String {
    let tags = known.tags.ready().and_then(|all| all.get(key.key_id())).map_or(&[][..], Vec::as_slice);
    let mut words = String::new();
    for tag in tags {
        words.push_str(&tag.tag_key);
        words.push('=');
        words.push_str(&tag.tag_value);
        words.push(' ');
    }
    words
}

/// Symmetric or not, in the console's words.
pub fn key_type(key: &KeySummary) -> &'static str {
    const ASYMMETRIC: [&str; 4] = ["RSA_", "ECC_", "ML_DSA_", "SM2"];
    if key.key_spec == "SYMMETRIC_DEFAULT" || key.key_spec.starts_with("HMAC_") {
        "Symmetric"
    } else if ASYMMETRIC.iter().any(|family| key.key_spec.starts_with(family)) {
        "Asymmetric"
    } else {
        // A key spec that AWS has added since.
        "-"
    }
}

/// In one Region or several, in the console's words.
pub fn regionality(key: &KeySummary) -> &'static str {
    match key.is_multi_region {
        true => "Multi-Region key",
        false if key.key_id() == UNREADABLE => UNREADABLE,
        false => "Single-Region key",
    }
}

impl Keys {
    /// The list of the keys that this one manages.
    pub fn new(manager: KeyManagerType) -> Self {
        let (shown, chosen) = (Preferences::default().key_columns, BTreeSet::new());
        Self { manager, shown, table: Table::default(), chosen }
    }

    /// Shows the columns and as many rows as the person prefers.
    pub fn prefer(&mut self, preferences: &Preferences, known: &AccountState) {
        self.shown = KeyColumn::ALL.into_iter().filter(|one| preferences.key_columns.contains(one)).collect();
        self.table.page_size = preferences.page_size;
        self.table.wraps = preferences.wrap_lines;
        self.arrange(known);
    }

    fn columns(&self) -> Vec<Column> {
        self.shown.iter().map(|one| one.column()).collect()
    }

    fn list<'a>(&self, known: &'a AccountState) -> &'a [KeySummary] {
        match self.manager {
            KeyManagerType::Aws => &known.aws_managed_keys,
            _ => known.keys.ready().map_or(&[][..], Vec::as_slice),
        }
    }

    /// Arranges the table anew after the keys, the aliases or the search changed.
    pub fn arrange(&mut self, known: &AccountState) {
        let (keys, mut columns) = (self.list(known), self.columns());
        // Tags stand in no column, but a search finds them.
        columns.push(Column { title: "Tag", least: 0, weight: 0 });
        let shown = &self.shown;
        self.table.arrange(keys.len(), &columns, &|row, column| match shown.get(column) {
            Some(column) => cell(&keys[row], *column, known),
            None => tags(&keys[row], known),
        });
    }

    /// The table that the page is.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The ID of the key that the cursor is on.
    pub fn current(&self, known: &AccountState) -> Option<String> {
        self.list(known).get(self.table.current()?).map(|key| key.key_id().to_owned())
    }

    /// The keys that an action is about: those that are chosen, else the one that the cursor is on.
    fn meant<'a>(&self, known: &'a AccountState) -> Vec<&'a KeySummary> {
        let keys = self.list(known);
        if self.chosen.is_empty() {
            return self.table.current().and_then(|row| keys.get(row)).into_iter().collect();
        }
        keys.iter().filter(|key| self.chosen.contains(key.key_id())).collect()
    }

    /// Lets go of all keys that were chosen.
    pub fn forget_choice(&mut self) {
        self.chosen.clear();
    }

    /// Puts the cursor on a key.
    pub fn select(&mut self, key_id: &str, known: &AccountState) {
        let keys = self.list(known);
        if let Some(row) = keys.iter().position(|key| key.key_id() == key_id) {
            self.table.select(row);
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str, known: &AccountState) {
        self.table.paste(text);
        self.arrange(known);
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, known: &AccountState) -> Vec<Wish> {
        let keys = self.list(known);
        match self.table.press(key, self.shown.len()) {
            Pressed::Open(row) => {
                return keys.get(row).map(|key| Wish::Go(Location::Key(key.key_id().to_owned()))).into_iter().collect();
            }
            Pressed::Toggle(_) | Pressed::ToggleAll if self.manager == KeyManagerType::Aws => return Vec::new(),
            Pressed::Toggle(row) => {
                if let Some(key) = keys.get(row)
                    && !self.chosen.remove(key.key_id())
                {
                    self.chosen.insert(key.key_id().to_owned());
                }
                return Vec::new();
            }
            Pressed::ToggleAll => {
                let shown: Vec<String> = self
                    .table
                    .shown()
                    .iter()
                    .filter_map(|row| keys.get(*row))
                    .map(|key| key.key_id().to_owned())
                    .collect();
                let all = shown.iter().all(|id| self.chosen.contains(id));
                for id in shown {
                    if all {
                        self.chosen.remove(&id)
                    } else {
                        self.chosen.insert(id)
                    };
                }
                return Vec::new();
            }
            Pressed::Sorted => {
                self.arrange(known);
                return Vec::new();
            }
            Pressed::Taken => {
                let wants_tags = self.table.is_searching() && self.table.search().contains("tag:");
                return if wants_tags && known.tags == Loadable::Idle {
                    vec![Wish::Ask(Call::AllTags(keys.iter().map(|key| key.key_id().to_owned()).collect()))]
                } else {
                    Vec::new()
                };
            }
            Pressed::Ignored => {}
        }
        let is_ours = self.manager == KeyManagerType::Customer;
        match keymap::action(&[Context::KeyList, Context::Asked], key)
            .filter(|action| is_ours || *action == Action::Refresh)
        {
            Some(Action::CreateKey) => vec![Wish::OpenWizard],
            Some(Action::Preferences) => vec![Wish::Begin(FormKind::Preferences)],
            Some(Action::Actions) => {
                let meant = self.meant(known);
                let menu = (!meant.is_empty()).then(|| Wish::Menu(Menu::for_keys(&meant, None, None, known)));
                menu.into_iter().collect()
            }
            Some(Action::Refresh) => vec![Wish::Ask(Call::Keys(None)), Wish::Ask(Call::Aliases)],
            _ => Vec::new(),
        }
    }

    /// Draws the page.
    pub fn draw(&self, known: &AccountState, is_focused: bool, frame: &mut Frame, area: Rect) {
        let mut paper = Paper::new(area.width);
        let keys = self.list(known);
        let chosen = if self.chosen.is_empty() { String::new() } else { format!(" · {} chosen", self.chosen.len()) };
        let more = if known.has_more_keys { " so far…" } else { "" };
        let count = known.keys.ready().map(|_| format!(" ({}{more}){chosen}", keys.len())).unwrap_or_default();
        let (title, empty, hint, choice) = match self.manager {
            KeyManagerType::Aws => {
                let hint = "AWS services make them when they first encrypt something for you.";
                ("AWS managed keys", "No AWS managed keys", hint, Choice::None)
            }
            _ => ("Customer managed keys", "No customer managed keys", "Press n to create the first.", Choice::Many),
        };
        paper.heading(&format!("{title}{count}"));
        if super::write_loading(&mut paper, "the keys", &known.keys) {
            if keys.is_empty() {
                paper.heading(&format!("  {empty}"));
                paper.prose(hint, 2, theme::TEXT);
            } else {
                let rows = Rows {
                    total: keys.len(),
                    cell: &|row, column| cell(&keys[row], self.shown[column], known),
                    choice,
                    is_chosen: &|row| self.chosen.contains(keys[row].key_id()),
                };
                let height = usize::from(area.height).saturating_sub(1);
                self.table.write(&mut paper, &self.columns(), height, is_focused, &rows);
            }
        }
        paper.draw(frame, area);
    }
}
