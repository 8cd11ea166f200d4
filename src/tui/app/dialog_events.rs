//! Handles keys and events of dialogs.

use crossterm::event::{KeyCode, KeyEvent};

use super::drafts::then_refresh;
use super::{App, Dialog};
use crate::aws::kms::ConnectionState;
use crate::tui::dialogs::connect::{self, AfterConnect, ConnectDialog};
use crate::tui::dialogs::menu::{self, MenuAction};
use crate::tui::dialogs::{self, FormKind, cli_commands, stores};
use crate::tui::effect::{Call, Effect};
use crate::tui::flash::Flash;
use crate::tui::keymap::{self, Action, Context, PREVIEW_KEY};
use crate::tui::pages;
use crate::tui::pages::key::KeyPage;
use crate::tui::preferences::SavedChange;

impl App {
    pub(super) fn handle_dialog_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let escape = key.code == KeyCode::Esc;
        let moves = matches!(key.code, KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right);
        let enters = matches!(key.code, KeyCode::Enter | KeyCode::Char(' '));
        match &mut self.dialog {
            Some(Dialog::Preview { .. }) if keymap::action(&[Context::Code], key) == Some(Action::ViewText) => {
                return self.view_code();
            }
            Some(Dialog::Palette(_)) => return self.handle_palette_key(key),
            Some(Dialog::Menu(_)) => return self.handle_menu_key(key),
            Some(Dialog::Drafts(_)) => return self.handle_drafts_key(key),
            Some(Dialog::ConfirmUnsaved { .. }) => return self.handle_unsaved_key(key),
            Some(Dialog::Task(task)) => {
                let events = task.handle_key(key, &self.account);
                return events.into_iter().flat_map(|event| self.handle_dialog_event(event)).collect();
            }
            Some(Dialog::TryKey(trial)) => {
                let events = trial.handle_key(key, &self.account);
                return events.into_iter().flat_map(|event| self.handle_dialog_event(event)).collect();
            }
            Some(Dialog::Switcher(switcher)) => {
                let event = switcher.handle_key(key);
                return self.handle_switcher_event(event);
            }
            Some(Dialog::Connect(connecting)) => {
                let event = connecting.handle_key(key);
                return self.handle_connect_event(event);
            }
            Some(
                Dialog::ConfirmDisconnect { is_confirm_focused, .. }
                | Dialog::ConfirmDiscard { is_confirm_focused, .. },
            ) if moves => *is_confirm_focused = !*is_confirm_focused,
            Some(Dialog::ConfirmDisconnect { store_id, is_confirm_focused: true, .. }) if enters => {
                let command = self.account.is_read_only.then(|| cli_commands::disconnect(store_id, &self.account));
                let call = Call::Disconnect(store_id.clone());
                self.dialog = None;
                if let Some(command) = command {
                    return self.copy(cli_commands::CLIPBOARD_NAME, command);
                }
                return vec![self.request(call)];
            }
            Some(Dialog::ConfirmDiscard { is_confirm_focused: true, quits, .. }) if enters => {
                let quits = *quits;
                self.dialog = None;
                if quits {
                    return vec![Effect::Quit];
                }
                let discard = then_refresh(self.drafts.discard());
                return discard.into_iter().chain(self.leave_wizard()).collect();
            }
            Some(Dialog::ConfirmDiscard { form, .. }) if enters || escape => {
                self.dialog = form.take().map(Dialog::Task);
            }
            Some(Dialog::ConfirmDisconnect { .. }) if enters || escape => self.dialog = None,
            Some(Dialog::FieldHelp { scroll, .. } | Dialog::Preview { scroll }) => match key.code {
                code if scroll.handle_key(code) => {}
                KeyCode::Esc | KeyCode::Enter | PREVIEW_KEY | KeyCode::F(1) | KeyCode::Char('?' | 'q' | ' ') => {
                    self.dialog = None;
                }
                _ => {}
            },
            _ => {}
        }
        Vec::new()
    }

    /// Opens a form.
    pub(super) fn open_task(&mut self, task: FormKind) -> Vec<Effect> {
        let mut dialog = dialogs::FormDialog::new(task, &self.preferences, &self.target);
        if self.account.is_read_only {
            dialog.set_read_only();
        }
        self.dialog = Some(Dialog::Task(Box::new(dialog)));
        Vec::new()
    }

    /// Opens the actions menu of a key from a list of keys, and loads what the menu needs.
    pub(super) fn open_key_menu(&mut self, key_id: String) -> Vec<Effect> {
        self.key = KeyPage::new(key_id);
        self.dialog = self.key.actions_menu(&self.account).map(Dialog::Menu);
        self.key.menu_calls().into_iter().map(|call| self.request(call)).collect()
    }

    /// Updates the actions menu of the key whose tags or policy arrived.
    pub(super) fn update_key_menu(&mut self) {
        if let Some(Dialog::Menu(menu)) = &mut self.dialog
            && menu.key_id() == Some(&*self.key.key_id)
            && let Some(updated) = self.key.actions_menu(&self.account)
        {
            menu.update(updated);
        }
    }

    fn handle_menu_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(Dialog::Menu(menu)) = &mut self.dialog else { return Vec::new() };
        let pressed = menu.handle_key(key);
        if pressed != menu::MenuEvent::Handled {
            self.dialog = None;
        }
        match pressed {
            menu::MenuEvent::Handled | menu::MenuEvent::Close => Vec::new(),
            menu::MenuEvent::Activate(action) => self.run_menu_action(action),
        }
    }

    /// Runs an action of an actions menu.
    pub(super) fn run_menu_action(&mut self, action: MenuAction) -> Vec<Effect> {
        match action {
            MenuAction::OpenForm(task) => self.open_task(*task),
            MenuAction::Connect(store) => self.open_connect_dialog(&store, AfterConnect::Stay),
            MenuAction::Disconnect(store) => self.handle_page_event(pages::PageEvent::ConfirmDisconnect(store)),
            MenuAction::TryKey(key) => self.open_try_key(key),
            MenuAction::CreateSimilar { source, method, draft } => self.open_filled_in_wizard(method, *draft, &source),
            MenuAction::Copy(what, text) => self.copy(what, text),
            MenuAction::Replay(request) => self.replay(request),
            MenuAction::Open(location) => self.navigate(location),
            MenuAction::CopyTable(format) => self.copy_table(format),
        }
    }

    pub(super) fn handle_dialog_event(&mut self, event: dialogs::DialogEvent) -> Vec<Effect> {
        match event {
            dialogs::DialogEvent::Request(call) => vec![self.request(call)],
            dialogs::DialogEvent::Copy(what, text) => self.copy(what, text),
            dialogs::DialogEvent::View(view) => {
                self.text_view = Some(*view);
                Vec::new()
            }
            dialogs::DialogEvent::Close => {
                self.dialog = None;
                self.cancel_trial();
                self.reopen_connect_dialog()
            }
            dialogs::DialogEvent::SetPreferences(preferences) => {
                self.dialog = None;
                self.apply_preferences(preferences.clone());
                vec![Effect::Save(SavedChange::Preferences(preferences))]
            }
            dialogs::DialogEvent::Done(text) => {
                self.dialog = None;
                let effects = self.on_change_succeeded(text);
                effects.into_iter().chain(self.reopen_connect_dialog()).collect()
            }
        }
    }

    /// Reopens the connect dialog if the form was opened from it.
    fn reopen_connect_dialog(&mut self) -> Vec<Effect> {
        let Some((store_id, afterwards)) = self.resume_connect.take() else { return Vec::new() };
        self.open_connect_dialog(&store_id, afterwards)
    }

    pub(super) fn open_connect_dialog(&mut self, store_id: &str, afterwards: AfterConnect) -> Vec<Effect> {
        let stores = self.account.key_stores.ready().map_or(&[][..], Vec::as_slice);
        let Some(store) = stores.iter().find(|store| store.custom_key_store_id == store_id) else {
            return Vec::new();
        };
        if store.connection_state == ConnectionState::Connected {
            return Vec::new();
        }
        let mut connecting = ConnectDialog::new(store, afterwards);
        if self.account.is_read_only {
            connecting.set_read_only(&self.account);
        }
        let event = connecting.on_open();
        self.dialog = Some(Dialog::Connect(connecting));
        self.handle_connect_event(event)
    }

    pub(super) fn handle_connect_event(&mut self, event: connect::ConnectEvent) -> Vec<Effect> {
        match event {
            connect::ConnectEvent::Nothing => Vec::new(),
            connect::ConnectEvent::Close => {
                self.dialog = None;
                Vec::new()
            }
            connect::ConnectEvent::Request(call) => vec![self.request(call)],
            connect::ConnectEvent::PollLater => self.poll_later(),
            connect::ConnectEvent::Copy(commands) => {
                self.dialog = None;
                self.copy(cli_commands::CLIPBOARD_NAME, commands)
            }
            connect::ConnectEvent::UpdateCredential => {
                let Some(Dialog::Connect(ConnectDialog { store_id, after_connect: afterwards, .. })) =
                    self.dialog.take()
                else {
                    return Vec::new();
                };
                let Some(store) = self.account.key_store(&store_id).cloned() else { return Vec::new() };
                self.resume_connect = Some((store_id, afterwards));
                let effects = self.open_task(FormKind::EditKeyStore(Box::new(store)));
                if let Some(Dialog::Task(task)) = &mut self.dialog {
                    task.focus_input(stores::CREDENTIAL_INPUTS[0]);
                }
                effects
            }
            connect::ConnectEvent::Connected => {
                let Some(Dialog::Connect(connecting)) = self.dialog.take() else { return Vec::new() };
                if let (AfterConnect::SelectInWizard, Some(wizard)) = (connecting.after_connect, &mut self.wizard) {
                    wizard.choose_store(connecting.store_id.clone(), &self.account);
                }
                match connecting.after_connect {
                    AfterConnect::CreateKey => self.start_create_key(connecting.store_id),
                    AfterConnect::Stay | AfterConnect::SelectInWizard => {
                        let text = format!("The external key store {} is connected.", connecting.name);
                        self.flashes.push(Flash::success("Connected", text));
                        Vec::new()
                    }
                }
            }
        }
    }
}
