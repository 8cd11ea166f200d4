//! The page of one external key store: configuration, connection error, KMS keys, and monitoring.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Location, PageEvent};
use crate::aws::kms::{ConnectionState, CustomKeyStore};
use crate::aws::lenient::UNREADABLE;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::key_summary::KeySummary;
use crate::tui::dialogs::FormKind;
use crate::tui::dialogs::connect::{self, AfterConnect};
use crate::tui::effect::Call;
use crate::tui::keymap::{self, Action, Context};
use crate::tui::monitoring::{self, Monitoring, TimeRange};
use crate::tui::theme;
use crate::tui::widgets::button::{Button, ButtonKind};
use crate::tui::widgets::canvas::{Canvas, Click};
use crate::tui::widgets::container::Container;
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::{status, text};

/// The data and the state of the page of one key store.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyStorePage {
    /// The ID of the key store.
    pub store_id: String,
    /// The metrics of the key store.
    pub monitoring: Loadable<Monitoring>,
    range: TimeRange,
    focus_index: usize,
    scroll: ScrollState,
}

/// The buttons at the top. In focus order, the KMS keys and the monitoring section follow them.
const BUTTONS: [(&str, Action); 4] = [
    ("Create a KMS key in this key store", Action::CreateKey),
    ("Connect", Action::Connect),
    ("Actions ▾", Action::OpenActionsMenu),
    ("Copy ID", Action::Copy),
];

fn keys_in_store<'a>(store_id: &str, account: &'a AccountState) -> Vec<&'a KeySummary> {
    let keys = account.customer_managed_keys();
    // A key and a key store whose IDs couldn't be read don't belong together.
    let is_here = |key: &&KeySummary| store_id != UNREADABLE && key.custom_key_store_id.as_deref() == Some(store_id);
    keys.iter().filter(is_here).collect()
}

impl KeyStorePage {
    /// Creates the page of a key store, with the focus on *Create a KMS key in this key store*.
    pub fn new(store_id: String) -> Self {
        Self { store_id, ..Self::default() }
    }

    /// Returns the call that loads the metrics.
    pub fn metrics_call(&self) -> Call {
        Call::Metrics { custom_key_store_id: self.store_id.clone(), range: self.range }
    }

    /// Marks the metrics of a time range as loading. Metrics of another time range are hidden, because their axis
    /// differs.
    pub fn start_loading(&mut self, range: TimeRange) {
        if self.monitoring.ready().is_none_or(|shown| shown.range != range) {
            self.monitoring = Loadable::Loading;
        }
    }

    fn show_next_range(&mut self) -> Vec<PageEvent> {
        self.range = self.range.next();
        vec![PageEvent::Request(self.metrics_call())]
    }

    /// Returns the key store, if it is loaded.
    pub fn store<'a>(&self, account: &'a AccountState) -> Option<&'a CustomKeyStore> {
        account.key_stores.ready()?.iter().find(|store| store.custom_key_store_id == self.store_id)
    }

    /// Returns whether an action is available for a key store in its current state.
    pub fn is_enabled(action: Action, store: &CustomKeyStore) -> bool {
        match action {
            Action::CreateKey | Action::Connect | Action::Disconnect | Action::Copy
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

    fn handle_action(&self, action: Action, account: &AccountState) -> Vec<PageEvent> {
        let Some(store) = self.store(account) else { return Vec::new() };
        let id = store.custom_key_store_id.clone();
        match action {
            // The menu explains why no action is available.
            Action::CreateKey | Action::Connect | Action::Disconnect | Action::Copy if id == UNREADABLE => {
                super::key_store_actions_menu(&id, account).into_iter().collect()
            }
            Action::CreateKey => vec![PageEvent::CreateKey(id)],
            Action::Connect if Self::is_enabled(action, store) => vec![PageEvent::Connect(id, AfterConnect::Stay)],
            Action::Disconnect if Self::is_enabled(action, store) => vec![PageEvent::ConfirmDisconnect(id)],
            Action::CreateKeyStore => vec![PageEvent::OpenTask(FormKind::CreateKeyStore)],
            Action::OpenActionsMenu => super::key_store_actions_menu(&id, account).into_iter().collect(),
            Action::Copy => vec![PageEvent::Copy(super::KEY_STORE_ID, id)],
            Action::Refresh => vec![
                PageEvent::Request(Call::KeyStores),
                PageEvent::Request(Call::Keys(None)),
                PageEvent::Request(Call::Aliases),
            ],
            _ => Vec::new(),
        }
    }

    /// Returns the scroll position.
    pub fn scroll(&self) -> &ScrollState {
        &self.scroll
    }

    /// Returns whether Enter does something on the focused item.
    pub fn can_activate(&self, account: &AccountState) -> bool {
        let button = BUTTONS.get(self.focus_index);
        self.store(account).is_some_and(|store| button.is_none_or(|(_, action)| Self::is_enabled(*action, store)))
    }

    /// Returns what Enter does on the focused item.
    pub fn enter_title(&self, account: &AccountState) -> &'static str {
        let keys = keys_in_store(&self.store_id, account).len();
        match self.focus_index.checked_sub(BUTTONS.len()) {
            None => "Press",
            Some(row) if row == keys => "Time range",
            Some(_) => "Open key",
        }
    }

    fn set_focus(&mut self, index: usize) {
        self.focus_index = index;
        self.scroll.reset();
    }

    /// Handles a key press.
    pub fn handle_key(&mut self, key: KeyEvent, account: &AccountState) -> Vec<PageEvent> {
        let keys = keys_in_store(&self.store_id, account);
        let focus_count = BUTTONS.len() + keys.len() + 1;
        match key.code {
            KeyCode::Tab | KeyCode::Down | KeyCode::Right => self.set_focus((self.focus_index + 1) % focus_count),
            KeyCode::BackTab | KeyCode::Up | KeyCode::Left => {
                self.set_focus((self.focus_index + focus_count - 1) % focus_count);
            }
            KeyCode::PageDown | KeyCode::PageUp => {
                self.scroll.handle_page_key(key.code);
            }
            KeyCode::Home => self.set_focus(0),
            KeyCode::End => self.set_focus(focus_count - 1),
            KeyCode::Enter | KeyCode::Char(' ') => {
                return match self.focus_index.checked_sub(BUTTONS.len()) {
                    None => self.handle_action(BUTTONS[self.focus_index].1, account),
                    Some(row) if row == keys.len() => self.show_next_range(),
                    Some(row) => keys
                        .get(row)
                        .map(|key| PageEvent::Navigate(Location::Key(key.key_id().to_owned())))
                        .into_iter()
                        .collect(),
                };
            }
            _ => {
                let contexts = [Context::KeyStore, Context::Monitoring, Context::Refreshable];
                return match keymap::action(&contexts, key) {
                    Some(Action::TimeRange) => self.show_next_range(),
                    Some(action) => self.handle_action(action, account),
                    None => Vec::new(),
                };
            }
        }
        Vec::new()
    }

    /// Moves the focus to what was clicked, and returns the key that activates it.
    pub fn on_click(&mut self, click: &Click, account: &AccountState) -> Option<KeyEvent> {
        let monitoring = BUTTONS.len() + keys_in_store(&self.store_id, account).len();
        match *click {
            Click::Focus(index) if index <= monitoring => self.set_focus(index),
            Click::Choose(index, range) if index == monitoring => {
                self.set_focus(index);
                // Enter shows the range after this one.
                self.range = TimeRange::ALL[(range + TimeRange::ALL.len() - 1) % TimeRange::ALL.len()];
            }
            Click::PageKey(key) => return Some(key),
            _ => return None,
        }
        Some(KeyCode::Enter.into())
    }

    /// Scrolls by this number of lines: down, or up if it is negative.
    pub fn scroll_by(&mut self, lines: isize) {
        self.scroll.scroll_by(lines);
    }

    /// Draws the page.
    pub fn draw(&self, account: &AccountState, canvas: &mut Canvas, area: Rect) {
        let title = match self.store(account) {
            Some(store) => text::escape_controls(&store.custom_key_store_name),
            None if account.key_stores.ready().is_some() => "External key store not found".to_owned(),
            None => "External key store".to_owned(),
        };
        let area = Container::new(title).draw(canvas, area);
        let mut view = ScrollView::new(area.width);
        if super::write_load_state(&mut view, "the external key store", &account.key_stores) {
            if let Some(store) = self.store(account) {
                self.write(&mut view, store, account);
            } else {
                view.paragraph(
                    &format!("Key store {} doesn't exist in this account and Region.", self.store_id),
                    2,
                    theme::TEXT,
                );
            }
        }
        view.draw_scrolled(canvas, area, &self.scroll);
    }

    fn write(&self, view: &mut ScrollView, store: &CustomKeyStore, account: &AccountState) {
        self.write_buttons(view, store);
        super::write_problem(view, "key store", store.problem.as_deref());
        view.heading("General configuration");
        view.key_value("Custom key store name", &store.custom_key_store_name, theme::TEXT);
        view.key_value("Custom key store ID", &store.custom_key_store_id, theme::TEXT);
        let state = status::indicator(store.connection_state.label());
        view.key_value("Connection state", &state, status::style(&state));
        if let Some(code) = &store.connection_error_code {
            connect::write_connection_error(view, code, 2);
            view.blank_line();
        }
        view.key_value("Custom key store type", store.custom_key_store_type.label(), theme::TEXT);
        view.key_value(
            "Creation date",
            &super::format_date_or_unreadable(store.creation_date, store.problem.as_deref()),
            theme::TEXT,
        );
        if let Some(proxy) = &store.xks_proxy_configuration {
            view.heading("External key store proxy configuration");
            view.key_value("Proxy connectivity", proxy.connectivity.label(), theme::TEXT);
            view.key_value("Proxy URI endpoint", &proxy.uri_endpoint, theme::TEXT);
            view.key_value("Proxy URI path", &proxy.uri_path, theme::TEXT);
            view.key_value("Access key ID", proxy.access_key_id.as_deref().unwrap_or("-"), theme::TEXT);
            if let Some(service) = &proxy.vpc_endpoint_service_name {
                view.key_value("VPC endpoint service name", service, theme::TEXT);
            }
            if let Some(owner) = &proxy.vpc_endpoint_service_owner {
                view.key_value("VPC endpoint service owner", owner, theme::TEXT);
            }
        }
        self.write_keys(view, account);
        let here = self.focus_index == BUTTONS.len() + keys_in_store(&self.store_id, account).len();
        view.focused(here, |view| self.write_monitoring(view, here, account));
    }

    fn write_monitoring(&self, view: &mut ScrollView, is_focused: bool, account: &AccountState) {
        view.heading("Monitoring");
        let place = BUTTONS.len() + keys_in_store(&self.store_id, account).len();
        view.control(place, |view| monitoring::write_range(view, self.range, is_focused));
        if super::write_load_state(view, "the metrics", &self.monitoring)
            && let Some(shown) = self.monitoring.ready()
        {
            monitoring::write(view, shown);
        }
    }

    fn write_buttons(&self, view: &mut ScrollView, store: &CustomKeyStore) {
        view.push_line(Line::raw(""));
        let mut used = 0;
        for (index, (label, action)) in BUTTONS.iter().enumerate() {
            let kind = match action {
                action if !Self::is_enabled(*action, store) => ButtonKind::Disabled,
                Action::CreateKey => ButtonKind::Primary,
                _ => ButtonKind::Normal,
            };
            let is_focused = self.focus_index == index;
            let button = Button { kind, ..Button::new(*label).focused(is_focused).on_click(Click::Focus(index)) };
            if used + button.width() > view.width && used > 0 {
                view.push_line(Line::raw(""));
                used = 0;
            }
            used += button.width() + 1;
            view.append_button(&button).append_span(Span::raw(" "));
        }
        if let Some((_, action)) = BUTTONS.get(self.focus_index).filter(|(_, action)| !Self::is_enabled(*action, store))
        {
            let reason = match action {
                Action::Connect => "The key store is already connected. To disconnect it, press d.",
                _ => "This version of xks-console can't read the ID of the key store.",
            };
            view.paragraph(reason, 2, theme::SECONDARY);
        }
    }

    fn write_keys(&self, view: &mut ScrollView, account: &AccountState) {
        let keys = keys_in_store(&self.store_id, account);
        view.heading(&format!("KMS keys in this key store ({})", keys.len()));
        if !super::write_load_state(view, "KMS keys", &account.keys) {
            return;
        }
        if keys.is_empty() {
            view.paragraph("No KMS keys in this key store yet. Press n to create one.", 2, theme::SECONDARY);
        }
        let column_width = view.width.saturating_sub(20) / 2;
        if !keys.is_empty() {
            let titles = [
                text::fit("Alias or key ID", column_width),
                text::fit("External key ID", column_width.saturating_sub(2)),
            ];
            view.push_line(Line::styled(format!("  {} {} Status", titles[0], titles[1]), theme::SECONDARY));
        }
        for (row, key) in keys.iter().enumerate() {
            let here = self.focus_index == BUTTONS.len() + row;
            let external = key.xks_key_id.as_deref().unwrap_or("-");
            let name = account.aliases_of(key.key_id()).first().map_or_else(|| key.key_id(), String::as_str);
            let state = status::indicator(key.key_state.label());
            let style = if here { theme::SELECTED } else { theme::TEXT };
            let line = Line::from(vec![
                Span::styled(if here { "▌ " } else { "  " }, theme::ACCENT),
                Span::styled(text::fit(&text::escape_controls(name), column_width), style),
                Span::styled(
                    format!(" {} ", text::fit(&text::escape_controls(external), column_width.saturating_sub(2))),
                    style,
                ),
                Span::styled(state.clone(), status::style(&state).patch(style)),
            ]);
            view.focused(here, |view| {
                view.clickable(Click::Focus(BUTTONS.len() + row), |view| {
                    view.push_line(line);
                });
            });
        }
    }
}
