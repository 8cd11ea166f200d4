//! Connecting an external key store, followed to its end: a failed store is disconnected first.

use crossterm::event::{KeyCode, KeyEvent};

use super::cli_commands;
use crate::aws::kms::{ConnectionState, CustomKeyStore};
use crate::create_key::account_state::AccountState;
use crate::create_key::remedy;
use crate::tui::effect::{Call, CallFailure};
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;

/// What the person wants once the store is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterConnect {
    /// Nothing more.
    Stay,
    /// Create a KMS key in it.
    CreateKey,
    /// Choose it in the wizard that is open.
    SelectInWizard,
}

/// What is being done to the store.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectProgress {
    /// Asked, not begun.
    NotStarted,
    /// Disconnecting, to connect again afterwards.
    Disconnecting,
    /// Waiting for KMS to reach the proxy.
    Connecting,
    /// KMS could not connect; the code it gave.
    Failed(String),
    /// A request was refused.
    RequestFailed(CallFailure),
    /// Connected.
    Connected,
}

/// The dialog that connects a store.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectDialog {
    /// The store.
    pub store_id: String,
    /// Its name.
    pub name: String,
    /// What happens once it is connected.
    pub after_connect: AfterConnect,
    /// How far it is.
    pub progress: ConnectProgress,
    previous_error: Option<String>,
    /// A state that is newer than this version.
    unknown_state: Option<&'static str>,
    polls: u32,
    /// Which of the buttons has the focus.
    focused_button: usize,
    /// What a read-only console gives instead.
    commands: Option<String>,
}

/// What the dialog wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectEvent {
    /// Nothing.
    Nothing,
    /// Close it.
    Close,
    /// Ask AWS.
    Request(Call),
    /// Look again in a second.
    PollLater,
    /// The store is connected: go on.
    Connected,
    /// Put these commands on the clipboard.
    Copy(String),
    /// Enter another proxy credential, and come back.
    UpdateCredential,
}

/// The buttons of the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectButton {
    /// Goes on: connects, hides, copies.
    Primary(&'static str),
    /// Enters another proxy credential.
    UpdateCredential,
    /// Closes the dialog.
    Cancel,
}

impl ConnectButton {
    fn label(self) -> &'static str {
        match self {
            Self::Primary(words) => words,
            Self::UpdateCredential => "Update proxy credential",
            Self::Cancel => "Cancel",
        }
    }
}

impl ConnectDialog {
    /// Offers to connect `store`.
    pub fn new(store: &CustomKeyStore, after_connect: AfterConnect) -> Self {
        Self {
            store_id: store.custom_key_store_id.clone(),
            name: store.custom_key_store_name.clone(),
            after_connect,
            progress: match store.connection_state {
                ConnectionState::Connecting => ConnectProgress::Connecting,
                ConnectionState::Disconnecting => ConnectProgress::Disconnecting,
                _ => ConnectProgress::NotStarted,
            },
            previous_error: (store.connection_state == ConnectionState::Failed)
                .then(|| store.connection_error_code.clone().unwrap_or_default()),
            unknown_state: (!store.connection_state.is_known()).then_some(store.connection_state.as_str()),
            polls: 0,
            focused_button: 0,
            commands: None,
        }
    }

    /// Lets the dialog give the commands that would connect the store, and do nothing.
    pub fn set_read_only(&mut self, account: &AccountState) {
        self.commands = Some(cli_commands::connect(&self.store_id, self.previous_error.is_some(), account));
    }

    /// What to do when the dialog opens: a store that is on its way is watched.
    pub fn on_open(&self) -> ConnectEvent {
        if matches!(self.progress, ConnectProgress::Connecting | ConnectProgress::Disconnecting) {
            ConnectEvent::PollLater
        } else {
            ConnectEvent::Nothing
        }
    }

    /// Whether AWS is at work, which is waited for.
    pub fn is_busy(&self) -> bool {
        matches!(self.progress, ConnectProgress::Connecting | ConnectProgress::Disconnecting)
    }

    /// Whether the last attempt to connect failed.
    fn has_failed(&self) -> bool {
        match self.progress {
            ConnectProgress::Failed(_) => true,
            ConnectProgress::NotStarted => self.previous_error.is_some(),
            _ => false,
        }
    }

    fn buttons(&self) -> Vec<ConnectButton> {
        let go = match &self.progress {
            ConnectProgress::NotStarted if self.commands.is_some() => cli_commands::COPY_LABEL,
            ConnectProgress::NotStarted if self.has_failed() => "Disconnect and connect again",
            ConnectProgress::NotStarted => "Connect",
            ConnectProgress::Disconnecting | ConnectProgress::Connecting => "Hide",
            ConnectProgress::Failed(_) => "Disconnect and connect again",
            ConnectProgress::RequestFailed(_) => "Try again",
            ConnectProgress::Connected => "Go on",
        };
        let update = (self.has_failed() && self.commands.is_none()).then_some(ConnectButton::UpdateCredential);
        let cancel = (!self.is_busy()).then_some(ConnectButton::Cancel);
        [Some(ConnectButton::Primary(go)), update, cancel].into_iter().flatten().collect()
    }

    /// Takes a key.
    pub fn handle_key(&mut self, key: KeyEvent) -> ConnectEvent {
        let buttons = self.buttons();
        let here = self.focused_button.min(buttons.len() - 1);
        match key.code {
            KeyCode::Esc => return ConnectEvent::Close,
            KeyCode::Tab | KeyCode::Right => self.focused_button = (here + 1) % buttons.len(),
            KeyCode::BackTab | KeyCode::Left => self.focused_button = (here + buttons.len() - 1) % buttons.len(),
            KeyCode::Enter | KeyCode::Char(' ') => {
                return match buttons[here] {
                    ConnectButton::Primary(_) if self.is_busy() => ConnectEvent::Close,
                    ConnectButton::Primary(_) => self.start(),
                    ConnectButton::UpdateCredential => ConnectEvent::UpdateCredential,
                    ConnectButton::Cancel => ConnectEvent::Close,
                };
            }
            _ => {}
        }
        ConnectEvent::Nothing
    }

    fn start(&mut self) -> ConnectEvent {
        self.polls = 0;
        if let Some(commands) = &self.commands {
            self.progress = ConnectProgress::NotStarted;
            return ConnectEvent::Copy(commands.clone());
        }
        let failed = matches!(self.progress, ConnectProgress::Failed(_)) || self.previous_error.is_some();
        if failed {
            self.previous_error = None;
            self.progress = ConnectProgress::Disconnecting;
            ConnectEvent::Request(Call::Disconnect(self.store_id.clone()))
        } else {
            self.progress = ConnectProgress::Connecting;
            ConnectEvent::Request(Call::Connect(self.store_id.clone()))
        }
    }

    /// A request of this dialog was answered.
    pub fn on_accepted(&self) -> ConnectEvent {
        if self.is_busy() { ConnectEvent::PollLater } else { ConnectEvent::Nothing }
    }

    /// A request of this dialog was refused.
    pub fn on_request_failed(&mut self, failure: CallFailure) {
        self.progress = ConnectProgress::RequestFailed(failure);
        self.focused_button = 0;
    }

    /// The state of the store is known anew.
    pub fn on_store_loaded(&mut self, store: Option<&CustomKeyStore>) -> ConnectEvent {
        if !self.is_busy() {
            return ConnectEvent::Nothing;
        }
        self.polls += 1;
        let Some(store) = store else {
            self.on_request_failed(CallFailure {
                code: "CustomKeyStoreNotFoundException".to_owned(),
                message: "The external key store is gone.".to_owned(),
                request_id: String::new(),
            });
            return ConnectEvent::Nothing;
        };
        match (&self.progress, store.connection_state) {
            (_, ConnectionState::Connected) => {
                self.progress = ConnectProgress::Connected;
                ConnectEvent::Connected
            }
            (ConnectProgress::Disconnecting, ConnectionState::Disconnected) if self.commands.is_some() => {
                self.progress = ConnectProgress::NotStarted;
                ConnectEvent::Nothing
            }
            (ConnectProgress::Disconnecting, ConnectionState::Disconnected) => self.start(),
            (ConnectProgress::Connecting, ConnectionState::Failed) => {
                self.progress = ConnectProgress::Failed(store.connection_error_code.clone().unwrap_or_default());
                ConnectEvent::Nothing
            }
            (ConnectProgress::Connecting, ConnectionState::Disconnected) => {
                self.progress = ConnectProgress::NotStarted;
                ConnectEvent::Nothing
            }
            _ => ConnectEvent::PollLater,
        }
    }

    /// The dialog's title.
    pub fn title(&self) -> &'static str {
        "Connect external key store"
    }

    /// Writes what the person should know and can do.
    pub fn write(&self, view: &mut ScrollView) {
        view.key_value("External key store", &self.name, theme::TEXT);
        view.key_value("Custom key store ID", &self.store_id, theme::TEXT);
        view.blank_line();
        match &self.progress {
            ConnectProgress::NotStarted => self.write_confirmation(view),
            ConnectProgress::Disconnecting => {
                self.write_progress(view, "Disconnecting", "The store is disconnected first, then connected.");
            }
            ConnectProgress::Connecting => {
                self.write_progress(
                    view,
                    "Connecting",
                    "AWS KMS asks the external key store proxy whether it is well.",
                );
            }
            ConnectProgress::Failed(code) => write_connection_error(view, code),
            ConnectProgress::RequestFailed(failure) => {
                view.push_line(ratatui::text::Line::styled(format!("✗ {}", failure.code), theme::ERROR));
                view.error(&failure.message, 2, theme::TEXT);
            }
            ConnectProgress::Connected => {}
        }
        view.blank_line();
        let buttons = self.buttons();
        let words: Vec<Option<&str>> = buttons.iter().map(|button| Some(button.label())).collect();
        // On a small screen the command matters more than what leads to it.
        view.focused(self.commands.is_some(), |view| {
            crate::tui::widgets::button_row(view, &words, self.focused_button.min(buttons.len() - 1));
        });
    }

    fn write_confirmation(&self, view: &mut ScrollView) {
        const DISCONNECTED_FIRST: &str = "A failed store is disconnected first, then connected.";
        match (&self.previous_error, &self.commands) {
            (Some(code), Some(_)) => {
                view.paragraph(
                    &format!("The last attempt to connect it failed: {code}. {DISCONNECTED_FIRST}"),
                    0,
                    theme::TEXT,
                );
            }
            (Some(code), None) => {
                view.paragraph("The last attempt to connect this store failed.", 0, theme::TEXT);
                write_connection_error(view, code);
                view.paragraph(&format!("{DISCONNECTED_FIRST} Both happen here."), 0, theme::TEXT);
            }
            (None, _) if self.unknown_state.is_some() => {
                let state = self.unknown_state.unwrap_or_default();
                let words = format!(
                    "The connection state \"{state}\" is newer than this version. AWS KMS decides whether you can \
                     connect the key store."
                );
                view.paragraph(&words, 0, theme::TEXT);
            }
            (None, _) => {
                let words = "This external key store is not connected to its external key store proxy.";
                view.paragraph(words, 0, theme::TEXT);
            }
        }
        if self.after_connect == AfterConnect::CreateKey {
            let rest = if self.commands.is_some() { "" } else { " Once it is connected, the wizard opens by itself." };
            view.paragraph(&format!("A KMS key can be created only in a connected store.{rest}"), 0, theme::TEXT);
        }
        if let Some(commands) = &self.commands {
            cli_commands::write_read_only_commands(view, commands);
        }
    }

    fn write_progress(&self, view: &mut ScrollView, stage: &str, what: &str) {
        let line = if self.polls == 0 { format!("… {stage}") } else { format!("… {stage} ({} s)", self.polls) };
        view.push_line(ratatui::text::Line::styled(line, theme::WARNING));
        view.paragraph(what, 2, theme::MUTED);
        view.paragraph("It goes on when this is hidden.", 2, theme::MUTED);
    }
}

/// Writes a connection error code with its meaning and remedy.
pub fn write_connection_error(view: &mut ScrollView, code: &str) {
    let guide = remedy::for_connection_error(code);
    view.push_line(ratatui::text::Line::styled(format!("✗ {code}"), theme::ERROR));
    view.paragraph(guide.meaning, 2, theme::TEXT);
    view.paragraph(&format!("What to do: {}", guide.action), 2, theme::TEXT);
}
