//! Handles keys: the dialog has priority, then the navigation, then the page.

use crossterm::event::{KeyCode, KeyEvent};

use super::drafts::shows_drafts;
use super::{App, Dialog};
use crate::create_key::method::Method;
use crate::tui::dialogs::FormKind;
use crate::tui::effect::Effect;
use crate::tui::keymap::{self, Action, Binding, Context};
use crate::tui::pages::{self, Location};
use crate::tui::target::Target;
use crate::tui::text_view::TextView;
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::widgets::table::Table;
use crate::tui::widgets::text;
use crate::tui::wizard::Wizard;
use crate::tui::wizard::info::MIN_INFO_WIDTH;

/// Keys that only view something. Any other key is an action that closes success messages.
const KEYS_KEEPING_SUCCESS: [KeyCode; 7] = [
    KeyCode::Char('v'),
    KeyCode::Char('?'),
    KeyCode::Esc,
    KeyCode::F(1),
    KeyCode::F(4),
    KeyCode::PageDown,
    KeyCode::PageUp,
];

impl App {
    pub(super) fn handle_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let translated = self.keymap.translate(key, self.is_typing(), self.bindings());
        // The key of a link can't be assigned, so it works even if it is also one that was replaced.
        let is_on_page = self.text_view.is_none() && self.dialog.is_none();
        let translated = translated.or_else(|| self.link_at(key).filter(|_| is_on_page).map(|_| key));
        translated.map_or_else(Vec::new, |key| self.handle_translated_key(key))
    }

    /// Handles a key of the table of bindings, or one that has no binding.
    pub(super) fn handle_translated_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let action = keymap::action(&[], key);
        if action == Some(Action::Quit) {
            return self.quit();
        }
        match action {
            Some(Action::ToggleMouse) => return self.toggle_mouse(),
            Some(Action::Redraw) => return vec![Effect::Redraw],
            Some(Action::Suspend) => return vec![Effect::Suspend],
            _ => {}
        }
        let size = self.content_size();
        if let Some(view) = &mut self.text_view {
            let event = view.handle_key(key, size);
            return self.handle_text_view_event(event);
        }
        if let Some(effects) = self.handle_lesson_key(keymap::action(&[Context::Lesson], key), key) {
            return effects;
        }
        let is_on_page = self.dialog.is_none() && self.login.is_none();
        if is_on_page && !KEYS_KEEPING_SUCCESS.contains(&key.code) && self.link_at(key).is_none() {
            self.flashes.retain(|flash| !flash.is_success);
        }
        if action == Some(Action::ShowError)
            && let Some(failure) = &self.last_error
        {
            self.text_view = Some(failure.clone());
            return Vec::new();
        }
        if action == Some(Action::Help)
            && (self.login.is_some() || self.dialog.is_some())
            && self.has_action(Action::Help)
        {
            self.show_dialog_keys();
            return Vec::new();
        }
        if let Some(login) = &mut self.login {
            if action == Some(Action::SwitchProfileOrRegion) && self.dialog.is_none() {
                let given_up = self.cancel_login();
                return given_up.into_iter().chain(self.open_switcher()).collect();
            }
            let event = login.handle_key(key);
            return self.handle_login_event(event);
        }
        if action == Some(Action::Palette) && matches!(self.dialog, Some(Dialog::Menu(_) | Dialog::Drafts(_))) {
            self.dialog = None;
            self.open_palette();
            return Vec::new();
        }
        if self.dialog.is_some() {
            return self.handle_dialog_key(key);
        }
        if action == Some(Action::SwitchProfileOrRegion) {
            return self.open_switcher();
        }
        if action == Some(Action::KeyboardHelp) && !self.is_typing()
            || action == Some(Action::Help) && !self.wizard_explains_field()
        {
            self.open_shortcuts();
            return Vec::new();
        }
        if action == Some(Action::MoveClock) && !self.is_typing() && self.target != Target::Aws {
            return self.open_task(FormKind::MoveClock);
        }
        if action == Some(Action::Palette) {
            self.open_palette();
            return Vec::new();
        }
        if self.wizard.is_some()
            && !self.is_outside_wizard()
            && keymap::action(&[Context::Wizard], key) == Some(Action::Preview)
        {
            self.show_preview();
            return Vec::new();
        }
        if action == Some(Action::ApiCalls) {
            return self.show_api_calls();
        }
        if self.navigation_focus.is_some() {
            return self.handle_navigation_key(key);
        }
        self.handle_page_key(key)
    }

    fn has_action(&self, action: Action) -> bool {
        self.bindings().any(|binding| binding.action == action)
    }

    /// Shows the keys of the open dialog, in front of it.
    fn show_dialog_keys(&mut self) {
        let others = self.bindings().filter(|binding| binding.action != Action::Help);
        let keys: Vec<(String, &str)> = others.map(|binding| (self.keymap.label(binding), binding.help)).collect();
        let label_width = keys.iter().map(|(label, _)| text::width(label)).max().unwrap_or(0) + 2;
        let help_width = usize::from(self.content_size().0).saturating_sub(label_width + 1);
        let lines = keys.iter().flat_map(|(label, help)| {
            let rows = text::wrap(help, help_width).into_iter().enumerate();
            rows.map(move |(row, words)| {
                format!("{}{words}", text::fit(if row == 0 { label } else { "" }, label_width))
            })
        });
        self.text_view = Some(TextView::new("keyboard shortcuts", lines.collect::<Vec<_>>().join("\n")));
    }

    /// Shows the preview of the wizard: in its pane on wide screens, else as a dialog.
    fn show_preview(&mut self) {
        let has_pane = self.content_size().0 >= MIN_INFO_WIDTH;
        let is_in_pane = has_pane && self.wizard.as_mut().is_some_and(Wizard::toggle_preview);
        // In the pane, only what fits is visible. The key pressed again shows all of it.
        if !is_in_pane {
            self.dialog = Some(Dialog::Preview { scroll: ScrollState::default() });
        }
    }

    /// Returns whether F1 explains the focused field of the wizard. Elsewhere, it lists the keys.
    fn wizard_explains_field(&self) -> bool {
        self.location == Location::CreateKey && self.wizard.as_ref().is_some_and(Wizard::is_field_focused)
    }

    fn is_outside_wizard(&self) -> bool {
        self.location != Location::CreateKey
    }

    /// Returns the table of the page, if it has one.
    pub(super) fn table(&self) -> Option<&Table> {
        match self.location {
            Location::KeyStores => Some(self.key_stores.table()),
            Location::Keys => Some(self.keys.table()),
            Location::AwsKeys => Some(self.aws_keys.table()),
            Location::ExternalKeys => Some(self.external_keys.table()),
            Location::ProxyFaults => Some(self.proxy_fault_list.table()),
            Location::Workloads => Some(self.workloads.table()),
            Location::Events => Some(self.events.table()),
            Location::ApiCalls => Some(self.api_calls.table()),
            Location::Xray => Some(self.flows.table()),
            Location::CreateKey
            | Location::KeyStore(_)
            | Location::Key(_)
            | Location::CloudHsm
            | Location::Event(_)
            | Location::ApiCall(_)
            | Location::XrayFlow(_) => None,
        }
    }

    /// Returns the current contexts.
    pub fn contexts(&self) -> Vec<Context> {
        if self.is_lesson_focused() {
            return vec![Context::Lesson, Context::Dialog];
        }
        let mut contexts = self.contexts_without_lesson();
        contexts.extend(self.lesson.is_some().then_some(Context::Lesson));
        contexts
    }

    fn contexts_without_lesson(&self) -> Vec<Context> {
        if self.login.is_some() {
            return vec![Context::Dialog];
        }
        match &self.dialog {
            Some(Dialog::Task(task)) if task.has_result() => return vec![Context::Dialog, Context::Result],
            Some(Dialog::Task(task)) if !task.has_form() => return vec![Context::Dialog],
            Some(Dialog::TryKey(trial)) if trial.has_result() => return vec![Context::Dialog, Context::Trial],
            Some(Dialog::TryKey(trial)) if !trial.has_form() => return vec![Context::Dialog],
            Some(Dialog::Connect(connecting)) if connecting.is_busy() => return vec![Context::Dialog],
            Some(Dialog::Switcher(switcher)) if !switcher.has_form() => return vec![Context::Dialog, Context::Fields],
            Some(Dialog::Task(task)) if task.edits_policy() => {
                return vec![Context::Dialog, Context::Fields, Context::Form, Context::PolicyForm];
            }
            Some(Dialog::Task(_) | Dialog::TryKey(_) | Dialog::Switcher(_)) => {
                return vec![Context::Dialog, Context::Fields, Context::Form];
            }
            Some(Dialog::FieldHelp { .. } | Dialog::Palette(_) | Dialog::Menu(_) | Dialog::Drafts(_)) => {
                return vec![Context::Dialog];
            }
            Some(Dialog::Preview { .. }) => return vec![Context::Dialog, Context::Code],
            Some(_) => return vec![Context::Dialog, Context::Fields],
            None => {}
        }
        if self.navigation_focus.is_some() {
            return vec![Context::Navigation];
        }
        self.page_contexts()
    }

    /// Returns the contexts of the page, whatever covers it.
    pub(super) fn page_contexts(&self) -> Vec<Context> {
        let has_drafts = shows_drafts(&self.location) && !self.drafts.list.is_empty();
        let mut contexts = match self.location {
            Location::CreateKey => {
                self.wizard.as_ref().map(|wizard| wizard.contexts(&self.account)).unwrap_or_default()
            }
            Location::KeyStores => {
                vec![Context::KeyStore, Context::Table, Context::Refreshable, Context::List, Context::WebPage]
            }
            Location::KeyStore(_) => {
                vec![
                    Context::KeyStore,
                    Context::Fields,
                    Context::Monitoring,
                    Context::Scrollable,
                    Context::Refreshable,
                    Context::WebPage,
                ]
            }
            Location::Keys => vec![
                Context::KeyList,
                Context::KeyRows,
                Context::Table,
                Context::Refreshable,
                Context::List,
                Context::WebPage,
            ],
            Location::AwsKeys => {
                vec![Context::KeyRows, Context::Table, Context::Refreshable, Context::List, Context::WebPage]
            }
            Location::Events => vec![Context::Table, Context::Refreshable, Context::List, Context::WebPage],
            Location::ApiCalls => vec![Context::Table, Context::List],
            Location::CloudHsm => vec![Context::List],
            Location::ExternalKeys => vec![Context::ExternalKeys, Context::Table, Context::Refreshable, Context::List],
            Location::ProxyFaults => vec![Context::ProxyFaults, Context::Table, Context::Refreshable, Context::List],
            Location::Event(_) => vec![Context::Event, Context::Scrollable, Context::WebPage],
            Location::ApiCall(_) => vec![Context::ApiCall],
            Location::Xray | Location::Workloads => vec![Context::Table, Context::Refreshable, Context::List],
            Location::XrayFlow(_) => vec![Context::XrayFlow, Context::Scrollable, Context::Refreshable],
            Location::Key(_) => vec![Context::Key, Context::Scrollable, Context::Refreshable, Context::WebPage],
        };
        let can_encrypt = matches!(self.location, Location::Key(_)) && self.key.can_encrypt(&self.account);
        contexts.extend(can_encrypt.then_some(Context::EncryptAndDecrypt));
        let has_code = match &self.location {
            Location::Key(_) => self.key.shown_policy().is_some(),
            Location::Event(_) => self.event.has_event(),
            Location::ApiCall(number) => self.api_calls.call(*number).is_some(),
            Location::XrayFlow(_) => self.flow.details().is_some(),
            _ => false,
        };
        contexts.extend(has_code.then_some(Context::Code));
        contexts.extend(has_drafts.then_some(Context::Drafts));
        contexts.extend(self.shows_reportable_error().then_some(Context::ErrorMessage));
        contexts
    }

    /// Returns whether the page should handle a key: it is not bound to an action, or its action is available.
    fn accepts_key(&self, key: KeyEvent) -> bool {
        // Lists and long texts handle the page keys themselves.
        let is_accepted = |binding: &Binding| binding.action == Action::Scroll || self.is_available(binding);
        self.is_typing() || keymap::binding(&self.contexts(), key).is_none_or(is_accepted)
    }

    fn quit(&mut self) -> Vec<Effect> {
        let loses_form = matches!(&self.dialog, Some(Dialog::Task(task)) if task.has_unsaved_changes());
        let is_confirming = matches!(self.dialog, Some(Dialog::ConfirmDiscard { quits: true, .. }));
        if (loses_form || self.has_unsaved_changes()) && !is_confirming {
            let given_up = self.cancel_login();
            // It would cover the question.
            self.text_view = None;
            let form = match self.dialog.take() {
                Some(Dialog::Task(form)) if loses_form => Some(form),
                _ => None,
            };
            self.dialog = Some(Dialog::ConfirmDiscard { is_confirm_focused: false, quits: true, form });
            return given_up;
        }
        vec![Effect::Quit]
    }

    fn handle_page_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let on_list = self.is_on_navigation_page();
        let shows_columns = key.code == KeyCode::Left && self.table().is_some_and(Table::has_columns_left);
        if on_list
            && !self.is_typing()
            && !shows_columns
            && matches!(key.code, KeyCode::Tab | KeyCode::BackTab | KeyCode::Left)
        {
            return self.focus_navigation();
        }
        if let Some(link) = self.link_at(key) {
            return self.open_link(link);
        }
        // The message at the top says that Esc closes it, also in the wizard.
        if key.code == KeyCode::Esc && !self.is_outside_wizard() && self.flashes.pop().is_some() {
            return Vec::new();
        }
        if key.code == KeyCode::Esc && self.is_outside_wizard() && !self.table().is_some_and(Table::handles_escape) {
            return self.go_back();
        }
        if self.contexts().contains(&Context::Drafts)
            && !self.is_typing()
            && keymap::action(&[Context::Drafts], key) == Some(Action::Drafts)
        {
            return self.show_drafts(None);
        }
        if !self.accepts_key(key) {
            return Vec::new();
        }
        if !self.is_typing() {
            match keymap::action(&[Context::WebPage, Context::ErrorMessage, Context::List, Context::Code], key) {
                Some(Action::ViewText) if self.contexts().contains(&Context::Code) => return self.view_code(),
                Some(Action::CopyWebAddress) => return self.copy_web_address(),
                Some(Action::CopyTable) if on_list => return self.open_copy_table_menu(),
                Some(Action::ErrorReport) if self.shows_reportable_error() => return self.report_shown_error(),
                _ => {}
            }
        }
        let events = match self.location {
            Location::KeyStores => self.key_stores.handle_key(key, &self.account),
            Location::KeyStore(_) => self.key_store.handle_key(key, &self.account),
            Location::Keys => self.keys.handle_key(key, &self.account),
            Location::AwsKeys => self.aws_keys.handle_key(key, &self.account),
            Location::CloudHsm => Vec::new(),
            Location::Key(_) => self.key.handle_key(key, &self.account),
            Location::ExternalKeys => self.external_keys.handle_key(key, &self.account),
            Location::ProxyFaults => self.proxy_fault_list.handle_key(key, &self.account),
            Location::Workloads => self.workloads.handle_key(key),
            Location::Events => self.events.handle_key(key),
            Location::Event(_) => self.event.handle_key(key),
            Location::ApiCalls => self.api_calls.handle_key(key),
            Location::Xray => self.flows.handle_key(key, &self.account),
            Location::XrayFlow(_) => self.flow.handle_key(key, &self.account),
            Location::ApiCall(number) => pages::api_call::handle_key(self.api_calls.call(number), key),
            Location::CreateKey => {
                let events =
                    self.wizard.as_mut().map(|wizard| wizard.handle_key(key, &self.account)).unwrap_or_default();
                return events.into_iter().flat_map(|event| self.handle_wizard_event(event)).collect();
            }
        };
        events.into_iter().flat_map(|event| self.handle_page_event(event)).collect()
    }

    pub(super) fn handle_page_event(&mut self, event: pages::PageEvent) -> Vec<Effect> {
        match event {
            pages::PageEvent::Navigate(location) => self.navigate(location),
            pages::PageEvent::Request(call) => vec![self.request(call)],
            pages::PageEvent::Find(name) => self.find_page(name),
            pages::PageEvent::Copy(what, text) => self.copy(what, text),
            pages::PageEvent::CreateKey(store_id) => self.start_create_key(store_id),
            pages::PageEvent::OpenMenu(menu) => {
                self.dialog = Some(Dialog::Menu(menu));
                Vec::new()
            }
            pages::PageEvent::OpenKeyMenu(key_id) => self.open_key_menu(key_id),
            pages::PageEvent::OpenTask(task) => self.open_task(task),
            pages::PageEvent::OpenWizard => self.open_wizard(Method::FromCustomerManagedKeys),
            pages::PageEvent::Connect(store_id, afterwards) => self.open_connect_dialog(&store_id, afterwards),
            pages::PageEvent::ConfirmDisconnect(store_id) => {
                let stores = self.account.key_stores.ready().map_or(&[][..], Vec::as_slice);
                let keys = self.account.customer_managed_keys();
                if let Some(store) = stores.iter().find(|store| store.custom_key_store_id == store_id) {
                    self.dialog = Some(Dialog::ConfirmDisconnect {
                        name: store.custom_key_store_name.clone(),
                        key_count: keys
                            .iter()
                            .filter(|key| key.custom_key_store_id.as_deref() == Some(&store_id))
                            .count(),
                        store_id,
                        is_confirm_focused: false,
                    });
                }
                Vec::new()
            }
        }
    }
}
