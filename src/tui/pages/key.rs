//! The page of one KMS key: general configuration, and tabs for policy, cryptography, tags and aliases.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::keys::{aliases_of, key_type, regionality, usage_label};
use super::{Location, Wish};
use crate::aws::kms::{KeyManagerType, KeyState, Origin, Tag};
use crate::aws::mend::UNREADABLE;
use crate::aws::policy::{self, ConsolePolicy};
use crate::aws::xks_console::DescribeExternalKeyOutput;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::known::{AccountState, Loadable};
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::tasks::{FormKind, Menu, key_name};
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::state_style;

const TABS: [&str; 5] = ["Key policy", "Cryptographic configuration", "Tags", "Aliases", "Encrypt / Decrypt"];
const SHORT_TABS: [&str; 5] = ["Policy", "Cryptography", "Tags", "Aliases", "Use"];

/// What is shown of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyPage {
    /// The key shown.
    pub key_id: String,
    /// Its policy.
    pub policy: Loadable<String>,
    /// Its tags.
    pub tags: Loadable<Vec<Tag>>,
    /// Its external key, where the bundled AWS can tell.
    pub external_key: Loadable<DescribeExternalKeyOutput>,
    tab: usize,
    scroll: Scroll,
}

impl KeyPage {
    /// The page of a key, nothing of it loaded yet.
    pub fn new(key_id: String) -> Self {
        // Without the key ID there is nothing to ask AWS for.
        fn told<T>(key_id: &str) -> Loadable<T> {
            if key_id == UNREADABLE {
                Loadable::Failed("This version can't read the key ID.".to_owned())
            } else {
                Loadable::Loading
            }
        }
        Self {
            policy: told(&key_id),
            tags: told(&key_id),
            external_key: told(&key_id),
            key_id,
            tab: 1,
            scroll: Scroll::default(),
        }
    }

    /// The key, once it is known.
    pub fn key<'a>(&self, known: &'a AccountState) -> Option<&'a KeySummary> {
        known.keys.ready()?.iter().chain(&known.aws_managed_keys).find(|key| key.key_id() == self.key_id)
    }

    /// What must be asked to show the page.
    pub fn questions(&self, known: &AccountState) -> Vec<Call> {
        if self.key_id == UNREADABLE {
            return Vec::new();
        }
        let mut calls = vec![
            Call::Key(self.key_id.clone()),
            Call::KeyPolicy(self.key_id.clone()),
            Call::KeyTags(self.key_id.clone()),
        ];
        if let Some(key) = self.key(known)
            && let (Some(store), Some(external)) = (&key.custom_key_store_id, &key.xks_key_id)
        {
            calls.push(Call::ExternalKey { custom_key_store_id: store.to_string(), xks_key_id: external.to_string() });
        }
        calls
    }

    /// How far it is scrolled.
    pub fn scroll(&self) -> &Scroll {
        &self.scroll
    }

    /// Whether Enter leads on to the key store.
    pub fn can_activate(&self, known: &AccountState) -> bool {
        self.tab == 1 && self.key(known).is_some_and(|key| key.custom_key_store_id.is_some())
    }

    fn show_tab(&mut self, tab: usize) {
        self.tab = tab;
        self.scroll.reset();
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, known: &AccountState) -> Vec<Wish> {
        match key.code {
            KeyCode::Right | KeyCode::Tab => self.show_tab((self.tab + 1) % TABS.len()),
            KeyCode::Left | KeyCode::BackTab => self.show_tab((self.tab + TABS.len() - 1) % TABS.len()),
            code if self.scroll.press(code) => {}
            KeyCode::Char(letter @ ('e' | 'd')) if self.tab == 4 && key.modifiers.is_empty() => {
                let ours = self.key(known).filter(|key| key.key_manager != KeyManagerType::Aws);
                let name = ours.map(|key| key_name(key, known));
                let task =
                    name.map(|name| if letter == 'e' { FormKind::Encrypt(name) } else { FormKind::Decrypt(name) });
                return task.map(Wish::Begin).into_iter().collect();
            }
            KeyCode::Enter => {
                let store = self.key(known).and_then(|key| key.custom_key_store_id.clone());
                return store
                    .filter(|_| self.tab == 1)
                    .map(|id| Wish::Go(Location::KeyStore(id.into())))
                    .into_iter()
                    .collect();
            }
            _ => match keymap::action(&[Context::Key, Context::Asked], key) {
                Some(Action::Actions) => {
                    let (tags, policy) =
                        (self.tags.ready().map(Vec::as_slice), self.policy.ready().map(String::as_str));
                    let menu = |key| Wish::Menu(Menu::for_keys(&[key], tags, policy, known));
                    return self.key(known).map(menu).into_iter().collect();
                }
                Some(Action::CopyId) => {
                    return self.key(known).map(|key| Wish::Copy("Key ARN", key.arn.to_string())).into_iter().collect();
                }
                Some(Action::Refresh) => {
                    let mut wishes =
                        vec![Wish::Ask(Call::Keys(None)), Wish::Ask(Call::Aliases), Wish::Ask(Call::KeyStores)];
                    wishes.extend(self.questions(known).into_iter().map(Wish::Ask));
                    return wishes;
                }
                _ => {}
            },
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, known: &AccountState, frame: &mut Frame, area: Rect) {
        let mut paper = Paper::new(area.width);
        if super::write_loading(&mut paper, "the KMS key", &known.keys) {
            if let Some(key) = self.key(known) {
                self.write(&mut paper, key, known);
            } else {
                paper.heading("No such KMS key");
                paper.prose(&format!("{} does not exist in this account and Region.", self.key_id), 2, theme::TEXT);
            }
        }
        paper.draw_scrolled(frame, area, &self.scroll);
    }

    fn write(&self, paper: &mut Paper, key: &KeySummary, known: &AccountState) {
        let aliases = aliases_of(key.key_id(), known);
        paper.heading(aliases.first().map_or_else(|| key.key_id(), String::as_str));
        super::write_problem(paper, "KMS key", key.problem.as_deref());
        paper.heading("General configuration");
        paper.pair("Alias", aliases.first().map_or("-", String::as_str), theme::TEXT);
        paper.pair("ARN", &key.arn, theme::TEXT);
        paper.pair("Status", key.key_state.label(), state_style(key.key_state.label()));
        if let Some(gone) = &key.deletion_date {
            paper.pair("Deletion date", &super::date(gone.0), theme::WARNING);
        }
        paper.pair("Creation date", &super::date_of(key.creation_date, key.problem.as_deref()), theme::TEXT);
        paper.pair("Description", &key.description, theme::TEXT);
        paper.gap();
        let titles = if paper.width >= 100 { TABS } else { SHORT_TABS };
        let mut spans = vec![Span::raw("  ")];
        for (index, title) in titles.iter().enumerate() {
            let (mark, style) = if index == self.tab { ("▸", theme::FOCUS) } else { (" ", theme::ACCENT) };
            spans.push(Span::styled(format!("{mark}{title} "), style));
            spans.push(Span::raw("  "));
        }
        paper.line(Line::from(spans));
        paper.gap();
        match self.tab {
            0 => self.write_policy(paper),
            1 => self.write_cryptography(paper, key, known),
            2 => self.write_tags(paper),
            3 => write_aliases(paper, aliases, known),
            _ => write_use(paper, key),
        }
    }

    fn write_policy(&self, paper: &mut Paper) {
        if !super::write_loading(paper, "the key policy", &self.policy) {
            return;
        }
        let text = self.policy.ready().map_or("", String::as_str);
        if let Some(console) = ConsolePolicy::parse(text) {
            write_default_view(paper, &console);
        }
        if let Ok(document) = policy::check(text) {
            for sentence in document.describe() {
                paper.prose(&format!("• {sentence}"), 2, theme::TEXT);
            }
            paper.gap();
        }
        let pretty = serde_json::from_str::<serde_json::Value>(text)
            .and_then(|value| serde_json::to_string_pretty(&value))
            .unwrap_or_else(|_| text.to_owned());
        paper.prose(&pretty, 2, theme::QUIET);
    }

    fn write_cryptography(&self, paper: &mut Paper, key: &KeySummary, known: &AccountState) {
        paper.pair("Key type", key_type(key), theme::TEXT);
        paper.pair("Origin", key.origin.label(), theme::TEXT);
        paper.pair("Key spec", &key.key_spec, theme::TEXT);
        paper.pair("Key usage", usage_label(&key.key_usage), theme::TEXT);
        paper.pair("Regionality", regionality(key), theme::TEXT);
        if key.origin != Origin::ExternalKeyStore {
            return;
        }
        paper.heading("Custom key store");
        let id = key.custom_key_store_id.as_deref().unwrap_or_default();
        let stores = known.key_stores.ready().map_or(&[][..], Vec::as_slice);
        let store = stores.iter().find(|store| store.custom_key_store_id == id);
        paper.pair("Custom key store ID", id, theme::ACCENT);
        if let Some(store) = store {
            paper.pair("Custom key store name", &store.custom_key_store_name, theme::TEXT);
            paper.pair("Custom key store type", store.custom_key_store_type.label(), theme::TEXT);
            paper.pair("Creation date", &super::date(store.creation_date.0), theme::TEXT);
            let state = store.connection_state.label();
            paper.pair("Connection state", state, state_style(state));
        }
        paper.heading("External key");
        let external = key.xks_key_id.as_deref().unwrap_or("-");
        paper.pair("External key ID", external, theme::TEXT);
        match &self.external_key {
            Loadable::Ready(external) => {
                paper.pair("External key status", &external.key_status, theme::TEXT);
                paper.pair("External key usage", &external.key_usage.join(", "), theme::TEXT);
                paper.pair("External key spec", &external.key_spec, theme::TEXT);
            }
            Loadable::Failed(reason) => {
                paper.pair("External key status", reason, theme::WARNING);
                paper.pair("External key usage", reason, theme::WARNING);
            }
            Loadable::Idle | Loadable::Loading => {
                paper.pair("External key status", "… asking the proxy", theme::QUIET);
            }
        }
    }

    fn write_tags(&self, paper: &mut Paper) {
        if !super::write_loading(paper, "the tags", &self.tags) {
            return;
        }
        let tags = self.tags.ready().map_or(&[][..], Vec::as_slice);
        if tags.is_empty() {
            paper.prose("No tags.", 2, theme::QUIET);
        }
        for tag in tags {
            paper.pair(&crate::tui::widgets::text::escape_controls(&tag.tag_key), &tag.tag_value, theme::TEXT);
        }
    }
}

/// Who the console's statements are about, as the web page's default view shows it.
fn write_default_view(paper: &mut Paper, policy: &ConsolePolicy) {
    let list = |paper: &mut Paper, title: &'static str, names: &[String]| {
        for (row, name) in names.iter().enumerate() {
            paper.pair(if row == 0 { title } else { "" }, name, theme::TEXT);
        }
        if names.is_empty() {
            paper.pair(title, "-", theme::TEXT);
        }
    };
    list(paper, "Key administrators", &policy.administrators);
    let deletion = match (policy.administrators.is_empty(), policy.administrators_may_delete) {
        (true, _) => "-",
        (_, true) => "Allowed to key administrators",
        (_, false) => "Not allowed to them",
    };
    paper.pair("Key deletion", deletion, theme::TEXT);
    list(paper, "Key users", &policy.users);
    list(paper, "Other AWS accounts", &policy.other_accounts);
    paper.gap();
}

/// The tab from which a key is tried out.
fn write_use(paper: &mut Paper, key: &KeySummary) {
    if key.key_manager == KeyManagerType::Aws {
        paper.prose("AWS services use this key for you.", 2, theme::TEXT);
        return;
    }
    paper.prose("Encrypt up to 4,096 bytes of text or of a file, or decrypt what was encrypted.", 2, theme::TEXT);
    paper.gap();
    for (letter, words) in [("e", "Encrypt"), ("d", "Decrypt")] {
        paper.line(Line::from(vec![
            Span::raw("  "),
            Span::styled(letter, theme::ACCENT),
            Span::raw(format!("  {words} under this key")),
        ]));
    }
    if !key.key_state.is_known() {
        paper.gap();
        let state = crate::text::escape_controls(key.key_state.label());
        let words = format!(
            "The key state \"{state}\" is newer than this version. AWS KMS decides whether you can use the key."
        );
        paper.prose(&words, 2, theme::WARNING);
    } else if key.key_state != KeyState::Enabled {
        paper.gap();
        let words = format!("The key is {}: AWS KMS refuses both.", key.key_state.label().to_lowercase());
        paper.prose(&words, 2, theme::WARNING);
    }
}

fn write_aliases(paper: &mut Paper, aliases: &[String], known: &AccountState) {
    if !super::write_loading(paper, "the aliases", &known.aliases) {
        return;
    }
    if aliases.is_empty() {
        paper.prose("No aliases.", 2, theme::QUIET);
    }
    let entries = known.aliases.ready().map_or(&[][..], Vec::as_slice);
    for name in aliases {
        let entry = entries.iter().find(|entry| entry.alias_name.strip_prefix("alias/") == Some(name));
        paper.pair(name, entry.map_or("-", |entry| entry.alias_arn.as_str()), theme::TEXT);
    }
}
