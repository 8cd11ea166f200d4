//! The boxes over the page: what keys do in them, and what they want.

use crossterm::event::{KeyCode, KeyEvent};

use super::drafts::and_look;
use super::{App, Dialog};
use crate::aws::kms::ConnectionState;
use crate::tui::connect::{self, Afterwards, Connecting};
use crate::tui::effect::{Call, Effect};
use crate::tui::flash::Flash;
use crate::tui::pages;
use crate::tui::tasks::menu::{self, MenuAction};
use crate::tui::tasks::{self, FormKind, commands, stores};

impl App {
    pub(super) fn press_dialog(&mut self, key: KeyEvent) -> Vec<Effect> {
        let escape = key.code == KeyCode::Esc;
        let moves = matches!(key.code, KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right);
        let enters = matches!(key.code, KeyCode::Enter | KeyCode::Char(' '));
        match &mut self.dialog {
            Some(Dialog::Menu(_)) => return self.press_menu(key),
            Some(Dialog::Drafts(_)) => return self.press_drafts(key),
            Some(Dialog::Unsaved { .. }) => return self.press_unsaved(key),
            Some(Dialog::Task(task)) => {
                let wishes = task.handle_key(key, &self.known);
                return wishes.into_iter().flat_map(|wish| self.grant_task(wish)).collect();
            }
            Some(Dialog::Switch(switcher)) => {
                let wish = switcher.press(key);
                return self.grant_switcher(wish);
            }
            Some(Dialog::Connect(connecting)) => {
                let wish = connecting.press(key);
                return self.grant_connect(wish);
            }
            Some(Dialog::Disconnect { on_do, .. } | Dialog::Discard { on_do, .. }) if moves => *on_do = !*on_do,
            Some(Dialog::Disconnect { store_id, on_do: true, .. }) if enters => {
                let told = self.known.is_read_only.then(|| commands::disconnect(store_id, &self.known));
                let call = Call::Disconnect(store_id.clone());
                self.dialog = None;
                if let Some(command) = told {
                    return self.copy(commands::CLIPBOARD_NAME, command);
                }
                return vec![self.ask(call)];
            }
            Some(Dialog::Discard { on_do: true, quits, .. }) if enters => {
                let quits = *quits;
                self.dialog = None;
                if quits {
                    return vec![Effect::Quit];
                }
                let discard = and_look(self.drafts.discard());
                return discard.into_iter().chain(self.leave_wizard()).collect();
            }
            Some(Dialog::Disconnect { .. } | Dialog::Discard { .. }) if enters || escape => self.dialog = None,
            Some(Dialog::FieldHelp { scroll, .. } | Dialog::Keys { scroll, .. }) => match key.code {
                code if scroll.press(code) => {}
                KeyCode::Esc | KeyCode::Enter | KeyCode::F(1) | KeyCode::Char('?' | 'q' | ' ') => self.dialog = None,
                _ => {}
            },
            _ => {}
        }
        Vec::new()
    }

    /// Opens the form of a task.
    pub(super) fn begin(&mut self, task: FormKind) -> Vec<Effect> {
        let mut dialog = tasks::FormDialog::new(task, &self.preferences, &self.world);
        if self.known.is_read_only {
            dialog.set_read_only();
        }
        self.dialog = Some(Dialog::Task(Box::new(dialog)));
        Vec::new()
    }

    fn press_menu(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(Dialog::Menu(menu)) = &mut self.dialog else { return Vec::new() };
        let pressed = menu.handle_key(key);
        if pressed != menu::MenuEvent::Handled {
            self.dialog = None;
        }
        match pressed {
            menu::MenuEvent::Handled | menu::MenuEvent::Close => Vec::new(),
            menu::MenuEvent::Activate(MenuAction::OpenForm(task)) => self.begin(*task),
            menu::MenuEvent::Activate(MenuAction::Connect(store)) => self.connect(&store, Afterwards::Stay),
            menu::MenuEvent::Activate(MenuAction::Disconnect(store)) => self.grant(pages::Wish::Disconnect(store)),
        }
    }

    pub(super) fn grant_task(&mut self, wish: tasks::DialogEvent) -> Vec<Effect> {
        match wish {
            tasks::DialogEvent::Request(call) => vec![self.ask(call)],
            tasks::DialogEvent::Copy(what, text) => self.copy(what, text),
            tasks::DialogEvent::Close => {
                self.dialog = None;
                self.return_to_connecting()
            }
            tasks::DialogEvent::SetPreferences(preferences) => {
                self.dialog = None;
                self.prefer(preferences.clone());
                vec![Effect::Remember(preferences)]
            }
            tasks::DialogEvent::Done(text) => {
                self.dialog = None;
                let effects = self.changed(text);
                effects.into_iter().chain(self.return_to_connecting()).collect()
            }
        }
    }

    /// Goes back to the dialog that a task was begun from, if it was that one.
    fn return_to_connecting(&mut self) -> Vec<Effect> {
        let Some((store_id, afterwards)) = self.returns_to.take() else { return Vec::new() };
        self.connect(&store_id, afterwards)
    }

    pub(super) fn connect(&mut self, store_id: &str, afterwards: Afterwards) -> Vec<Effect> {
        let stores = self.known.key_stores.ready().map_or(&[][..], Vec::as_slice);
        let Some(store) = stores.iter().find(|store| store.custom_key_store_id == store_id) else {
            return Vec::new();
        };
        if store.connection_state == ConnectionState::Connected {
            return Vec::new();
        }
        let mut connecting = Connecting::new(store, afterwards);
        if self.known.is_read_only {
            connecting.only_tell(&self.known);
        }
        let wish = connecting.opened();
        self.dialog = Some(Dialog::Connect(connecting));
        self.grant_connect(wish)
    }

    pub(super) fn grant_connect(&mut self, wish: connect::Wish) -> Vec<Effect> {
        match wish {
            connect::Wish::Nothing => Vec::new(),
            connect::Wish::Close => {
                self.dialog = None;
                Vec::new()
            }
            connect::Wish::Ask(call) => vec![self.ask(call)],
            connect::Wish::LookLater => self.look_later(),
            connect::Wish::Copy(commands) => {
                self.dialog = None;
                self.copy(commands::CLIPBOARD_NAME, commands)
            }
            connect::Wish::UpdateCredential => {
                let Some(Dialog::Connect(Connecting { store_id, afterwards, .. })) = self.dialog.take() else {
                    return Vec::new();
                };
                let Some(store) = self.known.key_store(&store_id).cloned() else { return Vec::new() };
                self.returns_to = Some((store_id, afterwards));
                let effects = self.begin(FormKind::EditKeyStore(Box::new(store)));
                if let Some(Dialog::Task(task)) = &mut self.dialog {
                    task.focus_input(stores::CREDENTIAL_INPUTS[0]);
                }
                effects
            }
            connect::Wish::GoOn => {
                let Some(Dialog::Connect(connecting)) = self.dialog.take() else { return Vec::new() };
                if let (Afterwards::Choose, Some(wizard)) = (connecting.afterwards, &mut self.wizard) {
                    wizard.choose_store(connecting.store_id.clone(), &self.known);
                }
                match connecting.afterwards {
                    Afterwards::CreateKey => self.create_key(connecting.store_id),
                    Afterwards::Stay | Afterwards::Choose => {
                        let text = format!("The external key store {} is connected.", connecting.name);
                        self.flashes.push(Flash::success("Connected", text));
                        Vec::new()
                    }
                }
            }
        }
    }
}
