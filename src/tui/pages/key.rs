//! The page of one KMS key: general configuration, and tabs for key policy, cryptographic configuration, tags, aliases,
//! and encryption.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Location, PageEvent};
use crate::aws::kms::{KeyManagerType, KeyState, Origin, Tag};
use crate::aws::lenient::UNREADABLE;
use crate::aws::policy::{self, ConsolePolicy};
use crate::aws::xks_console::DescribeExternalKeyOutput;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::key_summary::KeySummary;
use crate::create_key::preview::access;
use crate::listing::keys::{key_type, regionality, usage_label};
use crate::text::highlight::Language;
use crate::text::time;
use crate::tui::dialogs::{FormKind, Menu, key_name};
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::theme;
use crate::tui::widgets::button::Button;
use crate::tui::widgets::canvas::{Canvas, Click};
use crate::tui::widgets::code_view::CodeView;
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::{status, tabs, text};

const TABS: [&str; 5] = ["Key policy", "Cryptographic configuration", "Tags", "Aliases", "Encrypt / Decrypt"];
const SHORT_TABS: [&str; 5] = ["Policy", "Cryptography", "Tags", "Aliases", "Use"];

/// The data and the state of the page of one KMS key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyPage {
    /// The ID of the key.
    pub key_id: String,
    /// The key policy.
    pub policy: Loadable<String>,
    /// The tags of the key.
    pub tags: Loadable<Vec<Tag>>,
    /// The external key. Only the bundled AWS has it.
    pub external_key: Loadable<DescribeExternalKeyOutput>,
    tab: usize,
    scroll: ScrollState,
}

impl KeyPage {
    /// Creates the page of a key, with nothing loaded yet.
    pub fn new(key_id: String) -> Self {
        // Without the key ID, nothing can be requested.
        fn initial_state<T>(key_id: &str) -> Loadable<T> {
            if key_id == UNREADABLE {
                Loadable::Failed("This version of xks-console can't read the key ID.".to_owned())
            } else {
                Loadable::Loading
            }
        }
        Self {
            policy: initial_state(&key_id),
            tags: initial_state(&key_id),
            external_key: initial_state(&key_id),
            key_id,
            tab: 1,
            scroll: ScrollState::default(),
        }
    }

    /// Returns the key, if it is loaded.
    pub fn key<'a>(&self, account: &'a AccountState) -> Option<&'a KeySummary> {
        account.key(&self.key_id)
    }

    /// Returns the calls that load the data of the page.
    pub fn required_calls(&self, account: &AccountState) -> Vec<Call> {
        if self.key_id == UNREADABLE {
            return Vec::new();
        }
        let mut calls = vec![Call::Key(self.key_id.clone())];
        calls.extend(self.menu_calls());
        if let Some(key) = self.key(account)
            && let (Some(store), Some(external)) = (&key.custom_key_store_id, &key.xks_key_id)
        {
            calls.push(Call::ExternalKey { custom_key_store_id: store.to_string(), xks_key_id: external.to_string() });
        }
        calls
    }

    /// Returns the calls that load what the actions menu needs. Without the key ID, nothing can be requested.
    pub fn menu_calls(&self) -> Vec<Call> {
        if self.key_id == UNREADABLE {
            return Vec::new();
        }
        vec![Call::KeyPolicy(self.key_id.clone()), Call::KeyTags(self.key_id.clone())]
    }

    /// Returns whether the key uses this external key.
    pub fn has_external_key(&self, custom_key_store_id: &str, xks_key_id: &str, account: &AccountState) -> bool {
        self.key(account).is_some_and(|key| {
            key.custom_key_store_id.as_deref() == Some(custom_key_store_id)
                && key.xks_key_id.as_deref() == Some(xks_key_id)
        })
    }

    /// Returns the scroll position.
    pub fn scroll(&self) -> &ScrollState {
        &self.scroll
    }

    /// Returns whether Enter opens the key store.
    pub fn can_activate(&self, account: &AccountState) -> bool {
        self.tab == 1 && self.key(account).is_some_and(|key| key.custom_key_store_id.is_some())
    }

    /// Returns whether the tab that encrypts and decrypts is shown.
    pub fn shows_encrypt_and_decrypt(&self) -> bool {
        self.tab == 4
    }

    /// Whether the tab is shown that encrypts and decrypts, and the key can be used.
    pub fn can_encrypt(&self, account: &AccountState) -> bool {
        self.shows_encrypt_and_decrypt() && self.key(account).is_some_and(|key| key.key_manager != KeyManagerType::Aws)
    }

    /// Returns the actions of the key, with the reasons why some aren't available.
    pub fn actions_menu(&self, account: &AccountState) -> Option<Menu> {
        Some(Menu::for_key(self.key(account)?, &self.tags, &self.policy, account))
    }

    /// Returns the key policy as indented JSON, if its tab is shown.
    pub fn shown_policy(&self) -> Option<String> {
        let text = self.policy.ready().filter(|_| self.tab == 0)?;
        Some(policy::indented_or_unchanged(text))
    }

    fn show_tab(&mut self, tab: usize) {
        self.tab = tab;
        self.scroll.reset();
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<PageEvent> {
        match key.code {
            KeyCode::Right | KeyCode::Tab => self.show_tab((self.tab + 1) % TABS.len()),
            KeyCode::Left | KeyCode::BackTab => self.show_tab((self.tab + TABS.len() - 1) % TABS.len()),
            code if self.scroll.handle_key(code) => {}
            KeyCode::Enter => {
                let store = self.key(account).and_then(|key| key.custom_key_store_id.clone());
                return store
                    .filter(|_| self.tab == 1)
                    .map(|id| PageEvent::Navigate(Location::KeyStore(id.into())))
                    .into_iter()
                    .collect();
            }
            _ => match keymap::action(&[Context::Key, Context::EncryptAndDecrypt, Context::Refreshable], key) {
                Some(action @ (Action::Encrypt | Action::Decrypt)) if self.can_encrypt(account) => {
                    let name = self.key(account).map(|key| key_name(key, account));
                    let form = |name| {
                        if action == Action::Encrypt { FormKind::Encrypt(name) } else { FormKind::Decrypt(name) }
                    };
                    return name.map(form).map(PageEvent::OpenTask).into_iter().collect();
                }
                Some(Action::OpenActionsMenu) => {
                    return self.actions_menu(account).map(PageEvent::OpenMenu).into_iter().collect();
                }
                Some(action @ (Action::Copy | Action::CopyArn)) => {
                    return self.key(account).map(|key| super::copy_key(key, action)).into_iter().collect();
                }
                Some(Action::Refresh) => {
                    let mut events = vec![
                        PageEvent::Request(Call::Keys(None)),
                        PageEvent::Request(Call::Aliases),
                        PageEvent::Request(Call::KeyStores),
                    ];
                    events.extend(self.required_calls(account).into_iter().map(PageEvent::Request));
                    return events;
                }
                _ => {}
            },
        }
        Vec::new()
    }

    /// Shows a clicked tab, or returns the key that was clicked.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        match *click {
            Click::Tab(tab) if tab < TABS.len() => {
                self.show_tab(tab);
                None
            }
            Click::PageKey(key) => Some(key),
            _ => None,
        }
    }

    /// Scrolls by this number of lines: down, or up if it is negative.
    pub fn scroll_by(&mut self, lines: isize) {
        self.scroll.scroll_by(lines);
    }

    /// Draws the page.
    pub fn draw(&self, account: &AccountState, buttons: Vec<Button>, canvas: &mut Canvas, area: Rect) {
        let title = match self.key(account) {
            Some(key) => account.aliases_of(key.key_id()).first().map_or_else(|| key.key_id(), String::as_str),
            None if account.keys.ready().is_some() => "KMS key not found",
            None => "KMS key",
        };
        let area = Container::new(text::escape_controls(title)).with_buttons(buttons).draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if super::write_load_state(&mut view, "the KMS key", &account.keys) {
            if let Some(key) = self.key(account) {
                self.write(&mut view, key, account);
            } else {
                view.paragraph(
                    &format!("KMS key {} doesn't exist in this account and Region.", self.key_id),
                    2,
                    theme::TEXT,
                );
            }
        }
        view.draw_scrolled(canvas, area, &self.scroll);
    }

    fn write(&self, view: &mut ScrollView, key: &KeySummary, account: &AccountState) {
        let aliases = account.aliases_of(key.key_id());
        super::write_problem(view, "KMS key", key.problem.as_deref());
        view.heading("General configuration");
        view.key_value("Alias", aliases.first().map_or("-", String::as_str), theme::TEXT);
        view.key_value("ARN", &key.arn, theme::TEXT);
        let state = status::indicator(key.key_state.label());
        view.key_value("Status", &state, status::style(&state));
        if let Some(gone) = &key.deletion_date {
            view.key_value("Deletion date", &time::to_minute(gone.0), theme::WARNING);
        }
        view.key_value(
            "Creation date",
            &super::format_date_or_unreadable(key.creation_date, key.problem.as_deref()),
            theme::TEXT,
        );
        view.key_value("Description", &key.description, theme::TEXT);
        view.blank_line();
        tabs::write(view, if view.width >= 84 { &TABS } else { &SHORT_TABS }, self.tab, false);
        view.blank_line();
        match self.tab {
            0 => self.write_policy(view, &account.account_id),
            1 => self.write_cryptography(view, key, account),
            2 => self.write_tags(view),
            3 => write_aliases(view, aliases, account),
            _ => write_encrypt_decrypt(view, key),
        }
    }

    fn write_policy(&self, view: &mut ScrollView, account_id: &str) {
        if !super::write_load_state(view, "the key policy", &self.policy) {
            return;
        }
        let text = self.policy.ready().map_or("", String::as_str);
        if let Some(console) = ConsolePolicy::parse(text) {
            write_default_view(view, &console);
        }
        view.heading("Access");
        for sentence in access::describe(text, account_id) {
            view.paragraph(&format!("• {sentence}"), 2, theme::TEXT);
        }
        view.heading("Key policy (JSON)");
        CodeView::new(Language::Json, &policy::indented_or_unchanged(text)).with_line_numbers().write(view);
    }

    fn write_cryptography(&self, view: &mut ScrollView, key: &KeySummary, account: &AccountState) {
        view.key_value("Key type", key_type(key), theme::TEXT);
        view.key_value("Origin", key.origin.label(), theme::TEXT);
        view.key_value("Key spec", &key.key_spec, theme::TEXT);
        view.key_value("Key usage", usage_label(&key.key_usage), theme::TEXT);
        view.key_value("Regionality", regionality(key), theme::TEXT);
        if key.origin != Origin::ExternalKeyStore {
            return;
        }
        view.clickable(Click::PageKey(KeyCode::Enter.into()), |view| write_key_store(view, key, account));
        self.write_external_key(view, key);
    }

    fn write_external_key(&self, view: &mut ScrollView, key: &KeySummary) {
        view.heading("External key");
        let external = key.xks_key_id.as_deref().unwrap_or("-");
        view.key_value("External key ID", external, theme::TEXT);
        match &self.external_key {
            Loadable::Ready(external) => {
                view.key_value("External key status", &external.key_status, theme::TEXT);
                view.key_value("External key usage", &external.key_usage.join(", "), theme::TEXT);
                view.key_value("External key spec", &external.key_spec, theme::TEXT);
            }
            Loadable::Failed(reason) => {
                view.key_value("External key status", reason, theme::WARNING);
                view.key_value("External key usage", reason, theme::WARNING);
            }
            Loadable::Idle | Loadable::Loading => {
                view.key_value("External key status", "… Loading from the proxy", theme::SECONDARY);
            }
        }
    }

    fn write_tags(&self, view: &mut ScrollView) {
        if !super::write_load_state(view, "the tags", &self.tags) {
            return;
        }
        let tags = self.tags.ready().map_or(&[][..], Vec::as_slice);
        if tags.is_empty() {
            view.paragraph("No tags.", 2, theme::SECONDARY);
        }
        for tag in tags {
            view.key_value(&text::escape_controls(&tag.tag_key), &tag.tag_value, theme::TEXT);
        }
    }
}

/// Writes the key store of a key. Enter opens its page.
fn write_key_store(view: &mut ScrollView, key: &KeySummary, account: &AccountState) {
    view.heading("Custom key store");
    let id = key.custom_key_store_id.as_deref().unwrap_or_default();
    let stores = account.key_stores.ready().map_or(&[][..], Vec::as_slice);
    let store = stores.iter().find(|store| store.custom_key_store_id == id);
    view.key_value("Custom key store ID", id, theme::ACCENT);
    if let Some(store) = store {
        view.key_value("Custom key store name", &store.custom_key_store_name, theme::TEXT);
        view.key_value("Custom key store type", store.custom_key_store_type.label(), theme::TEXT);
        view.key_value("Creation date", &time::to_minute(store.creation_date.0), theme::TEXT);
        let state = status::indicator(store.connection_state.label());
        view.key_value("Connection state", &state, status::style(&state));
    }
}

/// Writes the principals of the console's policy statements, as the default view of the AWS console shows them.
fn write_default_view(view: &mut ScrollView, policy: &ConsolePolicy) {
    let list = |view: &mut ScrollView, title: &'static str, names: &[String]| {
        for (row, name) in names.iter().enumerate() {
            view.key_value(if row == 0 { title } else { "" }, name, theme::TEXT);
        }
        if names.is_empty() {
            view.key_value(title, "-", theme::TEXT);
        }
    };
    list(view, "Key administrators", &policy.administrators);
    let deletion = match (policy.administrators.is_empty(), policy.administrators_may_delete) {
        (true, _) => "-",
        (_, true) => "Key administrators can delete this key",
        (_, false) => "Key administrators can't delete this key",
    };
    view.key_value("Key deletion", deletion, theme::TEXT);
    list(view, "Key users", &policy.users);
    list(view, "Other AWS accounts", &policy.other_accounts);
    view.blank_line();
}

/// Writes the tab *Encrypt / Decrypt*.
fn write_encrypt_decrypt(view: &mut ScrollView, key: &KeySummary) {
    if key.key_manager == KeyManagerType::Aws {
        view.paragraph("Only AWS services can use this key, on your behalf.", 2, theme::TEXT);
        return;
    }
    view.paragraph("Encrypt text or a file of up to 4,096 bytes, or decrypt ciphertext.", 2, theme::TEXT);
    view.blank_line();
    for (letter, words) in [('e', "Encrypt"), ('d', "Decrypt")] {
        let key = KeyCode::Char(letter);
        view.clickable(Click::PageKey(key.into()), |view| {
            view.push_line(Line::from(vec![
                Span::raw("  "),
                Span::styled(letter.to_string(), theme::ACCENT),
                Span::raw(format!("  {words} with this key")),
            ]));
        });
    }
    if !key.key_state.is_known() {
        view.blank_line();
        let state = crate::text::escape_controls(key.key_state.label());
        let words = format!(
            "This version of xks-console doesn't recognize the key state \"{state}\". AWS KMS decides whether you can \
             use the key."
        );
        view.warning(&words, 2);
    } else if key.key_state != KeyState::Enabled {
        view.blank_line();
        let words = format!("The key is {}, so AWS KMS rejects both operations.", key.key_state.label().to_lowercase());
        view.warning(&words, 2);
    }
}

fn write_aliases(view: &mut ScrollView, aliases: &[String], account: &AccountState) {
    if !super::write_load_state(view, "the aliases", &account.aliases) {
        return;
    }
    if aliases.is_empty() {
        view.paragraph("No aliases.", 2, theme::SECONDARY);
    }
    let entries = account.aliases.ready().map_or(&[][..], Vec::as_slice);
    for name in aliases {
        let entry = entries.iter().find(|entry| entry.alias_name.strip_prefix("alias/") == Some(name));
        view.key_value(name, entry.map_or("-", |entry| entry.alias_arn.as_str()), theme::TEXT);
    }
}
