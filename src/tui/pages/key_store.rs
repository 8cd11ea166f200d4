//! The page of one external key store: its configuration, why it is not connected, the KMS keys in it, its figures.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Location, Wish};
use crate::aws::kms::{ConnectionState, CustomKeyStore};
use crate::aws::mend::UNREADABLE;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::known::{AccountState, Loadable};
use crate::tui::connect::{self, Afterwards};
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::monitoring::{self, Monitoring, TimeRange};
use crate::tui::pages::keys::aliases_of;
use crate::tui::tasks::FormKind;
use crate::tui::theme;
use crate::tui::widgets::paper::Paper;
use crate::tui::widgets::scroll::Scroll;
use crate::tui::widgets::table::state_style;
use crate::tui::widgets::{button, text};

/// Where the person is on the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyStorePage {
    /// The store shown.
    pub store_id: String,
    /// Its figures.
    pub monitoring: Loadable<Monitoring>,
    range: TimeRange,
    spot: usize,
    scroll: Scroll,
}

/// The buttons at the top; the keys of the store come after them in the order of Tab, then the figures.
const BUTTONS: [(&str, Action); 4] = [
    ("Create a KMS key in this key store", Action::CreateKey),
    ("Connect", Action::Connect),
    ("Key store actions", Action::Actions),
    ("Copy ID", Action::CopyId),
];

fn keys_in<'a>(store_id: &str, known: &'a AccountState) -> Vec<&'a KeySummary> {
    let keys = known.keys.ready().map_or(&[][..], Vec::as_slice);
    // Keys and stores whose IDs can't be read have nothing to do with each other.
    let is_here = |key: &&KeySummary| store_id != UNREADABLE && key.custom_key_store_id.as_deref() == Some(store_id);
    keys.iter().filter(is_here).collect()
}

impl KeyStorePage {
    /// The page of a store, the focus on *Create a KMS key in this key store*.
    pub fn new(store_id: String) -> Self {
        Self { store_id, ..Self::default() }
    }

    /// What must be asked to show the figures.
    pub fn question(&self) -> Call {
        Call::Metrics { custom_key_store_id: self.store_id.clone(), range: self.range }
    }

    /// The figures of this time are being asked for. Those of another are not shown meanwhile: their axis is another.
    pub fn asked(&mut self, range: TimeRange) {
        if self.monitoring.ready().is_none_or(|shown| shown.range != range) {
            self.monitoring = Loadable::Loading;
        }
    }

    fn look_at_next_range(&mut self) -> Vec<Wish> {
        self.range = self.range.next();
        vec![Wish::Ask(self.question())]
    }

    /// The store, once it is known.
    pub fn store<'a>(&self, known: &'a AccountState) -> Option<&'a CustomKeyStore> {
        known.key_stores.ready()?.iter().find(|store| store.custom_key_store_id == self.store_id)
    }

    pub fn is_enabled(action: Action, store: &CustomKeyStore) -> bool {
        match action {
            Action::CreateKey | Action::Connect | Action::Disconnect | Action::CopyId
                if store.custom_key_store_id == UNREADABLE =>
            {
                false
            }
            Action::Connect => store.connection_state != ConnectionState::Connected,
            Action::Disconnect => {
                !matches!(store.connection_state, ConnectionState::Disconnected | ConnectionState::Disconnecting)
            }
            _ => true,
        }
    }

    fn perform(&self, action: Action, known: &AccountState) -> Vec<Wish> {
        let Some(store) = self.store(known) else { return Vec::new() };
        let id = store.custom_key_store_id.clone();
        match action {
            // The menu says why nothing can be done with it.
            Action::CreateKey | Action::Connect | Action::Disconnect | Action::CopyId if id == UNREADABLE => {
                super::store_menu(&id, known).into_iter().collect()
            }
            Action::CreateKey => vec![Wish::CreateKey(id)],
            Action::Connect if Self::is_enabled(action, store) => vec![Wish::Connect(id, Afterwards::Stay)],
            Action::Disconnect if Self::is_enabled(action, store) => vec![Wish::Disconnect(id)],
            Action::CreateKeyStore => vec![Wish::Begin(FormKind::CreateKeyStore)],
            Action::Actions => super::store_menu(&id, known).into_iter().collect(),
            Action::CopyId => vec![Wish::Copy("Custom key store ID", id)],
            Action::Refresh => vec![Wish::Ask(Call::KeyStores), Wish::Ask(Call::Keys(None)), Wish::Ask(Call::Aliases)],
            _ => Vec::new(),
        }
    }

    /// How far it is scrolled.
    pub fn scroll(&self) -> &Scroll {
        &self.scroll
    }

    /// Whether what has the focus does something.
    pub fn can_activate(&self, known: &AccountState) -> bool {
        let button = BUTTONS.get(self.spot);
        self.store(known).is_some_and(|store| button.is_none_or(|(_, action)| Self::is_enabled(*action, store)))
    }

    fn focus(&mut self, spot: usize) {
        self.spot = spot;
        self.scroll.reset();
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, known: &AccountState) -> Vec<Wish> {
        let keys = keys_in(&self.store_id, known);
        let spots = BUTTONS.len() + keys.len() + 1;
        match key.code {
            KeyCode::Tab | KeyCode::Down | KeyCode::Right => self.focus((self.spot + 1) % spots),
            KeyCode::BackTab | KeyCode::Up | KeyCode::Left => self.focus((self.spot + spots - 1) % spots),
            KeyCode::PageDown | KeyCode::PageUp => {
                self.scroll.press_page(key.code);
            }
            KeyCode::Home => self.focus(0),
            KeyCode::End => self.focus(spots - 1),
            KeyCode::Enter | KeyCode::Char(' ') => {
                return match self.spot.checked_sub(BUTTONS.len()) {
                    None => self.perform(BUTTONS[self.spot].1, known),
                    Some(row) if row == keys.len() => self.look_at_next_range(),
                    Some(row) => {
                        keys.get(row).map(|key| Wish::Go(Location::Key(key.key_id().to_owned()))).into_iter().collect()
                    }
                };
            }
            _ => {
                let contexts = [Context::KeyStore, Context::Monitoring, Context::Key, Context::Asked];
                return match keymap::action(&contexts, key) {
                    Some(Action::TimeRange) => self.look_at_next_range(),
                    Some(action) => self.perform(action, known),
                    None => Vec::new(),
                };
            }
        }
        Vec::new()
    }

    /// Draws the page.
    pub fn draw(&self, known: &AccountState, frame: &mut Frame, area: Rect) {
        let mut paper = Paper::new(area.width);
        if super::write_loading(&mut paper, "the external key store", &known.key_stores) {
            if let Some(store) = self.store(known) {
                self.write(&mut paper, store, known);
            } else {
                paper.heading("No such external key store");
                paper.prose(&format!("{} does not exist in this account and Region.", self.store_id), 2, theme::TEXT);
            }
        }
        paper.draw_scrolled(frame, area, &self.scroll);
    }

    fn write(&self, paper: &mut Paper, store: &CustomKeyStore, known: &AccountState) {
        paper.heading(&text::escape_controls(&store.custom_key_store_name));
        self.write_buttons(paper, store);
        super::write_problem(paper, "key store", store.problem.as_deref());
        paper.heading("General configuration");
        paper.pair("Custom key store name", &store.custom_key_store_name, theme::TEXT);
        paper.pair("Custom key store ID", &store.custom_key_store_id, theme::TEXT);
        let state = store.connection_state.label();
        paper.pair("Connection state", state, state_style(state));
        if let Some(code) = &store.connection_error_code {
            connect::write_connection_error(paper, code);
            paper.gap();
        }
        paper.pair("Custom key store type", store.custom_key_store_type.label(), theme::TEXT);
        paper.pair("Creation date", &super::date_of(store.creation_date, store.problem.as_deref()), theme::TEXT);
        if let Some(proxy) = &store.xks_proxy_configuration {
            paper.heading("External key store proxy configuration");
            paper.pair("Proxy connectivity", proxy.connectivity.label(), theme::TEXT);
            paper.pair("Proxy URI endpoint", &proxy.uri_endpoint, theme::TEXT);
            paper.pair("Proxy URI path", &proxy.uri_path, theme::TEXT);
            paper.pair("Credential: Access key ID", proxy.access_key_id.as_deref().unwrap_or("-"), theme::TEXT);
            if let Some(service) = &proxy.vpc_endpoint_service_name {
                paper.pair("VPC endpoint service name", service, theme::TEXT);
            }
            if let Some(owner) = &proxy.vpc_endpoint_service_owner {
                paper.pair("VPC endpoint service owner", owner, theme::TEXT);
            }
        }
        self.write_keys(paper, known);
        let here = self.spot == BUTTONS.len() + keys_in(&self.store_id, known).len();
        paper.focused(here, |paper| self.write_monitoring(paper, here));
    }

    fn write_monitoring(&self, paper: &mut Paper, is_focused: bool) {
        paper.heading("Monitoring");
        monitoring::write_range(paper, self.range, is_focused);
        if super::write_loading(paper, "the metrics", &self.monitoring)
            && let Some(shown) = self.monitoring.ready()
        {
            monitoring::write(paper, shown);
        }
    }

    fn write_buttons(&self, paper: &mut Paper, store: &CustomKeyStore) {
        let mut spans = vec![Span::raw(" ")];
        let mut used = 1;
        for (index, (words, action)) in BUTTONS.iter().enumerate() {
            let wide = text::width(words) + 6;
            if used + wide > paper.width && used > 1 {
                paper.line(Line::from(std::mem::replace(&mut spans, vec![Span::raw(" ")])));
                used = 1;
            }
            let mut shown = button(words, self.spot == index);
            if !Self::is_enabled(*action, store) && self.spot != index {
                shown[1].style = theme::QUIET;
            }
            spans.extend(shown);
            spans.push(Span::raw(" "));
            used += wide;
        }
        paper.focused(self.spot < BUTTONS.len(), |paper| {
            paper.line(Line::from(spans));
        });
    }

    fn write_keys(&self, paper: &mut Paper, known: &AccountState) {
        let keys = keys_in(&self.store_id, known);
        paper.heading(&format!("KMS keys in this key store ({})", keys.len()));
        if !super::write_loading(paper, "KMS keys", &known.keys) {
            return;
        }
        if keys.is_empty() {
            paper.prose("No KMS key lives in this store yet.", 2, theme::QUIET);
        }
        for (row, key) in keys.iter().enumerate() {
            let here = self.spot == BUTTONS.len() + row;
            let external = key.xks_key_id.as_deref().unwrap_or("-");
            let name = aliases_of(key.key_id(), known).first().map_or_else(|| key.key_id(), String::as_str);
            let third = paper.width.saturating_sub(18) / 2;
            let style = if here { theme::FOCUS } else { theme::TEXT };
            let line = Line::from(vec![
                Span::styled(if here { "▸ " } else { "  " }, theme::ACCENT),
                Span::styled(text::fit(&text::escape_controls(name), third), style),
                Span::styled(
                    format!(" {} ", text::fit(&text::escape_controls(external), third.saturating_sub(2))),
                    style,
                ),
                Span::styled(
                    key.key_state.label().to_owned(),
                    if here { style } else { state_style(key.key_state.label()) },
                ),
            ]);
            paper.focused(here, |paper| {
                paper.line(line);
            });
        }
    }
}
