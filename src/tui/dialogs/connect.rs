//! The dialog that connects an external key store and shows its progress. It disconnects a failed key store first.

use crossterm::event::{KeyCode, KeyEvent};

use super::cli_commands;
use crate::aws::kms::{ConnectionState, CustomKeyStore};
use crate::create_key::account_state::AccountState;
use crate::error_remedies;
use crate::tui::effect::{Call, CallFailure};
use crate::tui::theme;
use crate::tui::widgets::canvas::Click;
use crate::tui::widgets::scroll_view::ScrollView;

/// What happens to a key store whose last connection attempt failed.
const RECONNECTING: &str = "AWS KMS disconnects the key store, then connects it again.";

/// The action after the key store is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterConnect {
    /// Nothing.
    Stay,
    /// Creates a KMS key in it.
    CreateKey,
    /// Selects it in the open wizard.
    SelectInWizard,
}

/// The progress of connecting the key store.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectProgress {
    /// Not started. The dialog asks for confirmation.
    NotStarted,
    /// Disconnecting, before it connects again.
    Disconnecting,
    /// Waiting for AWS KMS to connect the key store.
    Connecting,
    /// The connection failed with this connection error code.
    Failed(String),
    /// A request failed.
    RequestFailed(CallFailure),
    /// Connected.
    Connected,
}

/// The dialog that connects a key store.
#[derive(Clone, Debug, PartialEq)]
pub struct ConnectDialog {
    /// The ID of the key store.
    pub store_id: String,
    /// The name of the key store.
    pub name: String,
    /// The action after it is connected.
    pub after_connect: AfterConnect,
    /// The progress.
    pub progress: ConnectProgress,
    previous_error: Option<String>,
    /// The connection state, if this version doesn't know it.
    unknown_state: Option<&'static str>,
    polls: u32,
    /// The index of the button that has the focus.
    focused_button: usize,
    /// The commands that a read-only console shows instead.
    commands: Option<String>,
}

/// A request of the dialog to the console.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectEvent {
    /// Nothing.
    Nothing,
    /// Closes the dialog.
    Close,
    /// Sends a request to AWS.
    Request(Call),
    /// Checks the connection state again in a second.
    PollLater,
    /// The key store is connected. Continues with [`AfterConnect`].
    Connected,
    /// Copies these commands to the clipboard.
    Copy(String),
    /// Opens the form for a new proxy credential, then returns to the dialog.
    UpdateCredential,
}

/// The buttons of the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectButton {
    /// Connects, hides, or copies, depending on the progress.
    Primary(&'static str),
    /// Opens the form for a new proxy credential.
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
    /// Creates the dialog for `store`.
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
            // The last button is the primary one.
            focused_button: usize::MAX,
            commands: None,
        }
    }

    /// Makes the dialog show the commands that connect the key store instead of connecting it.
    pub fn set_read_only(&mut self, account: &AccountState) {
        self.commands = Some(cli_commands::connect(&self.store_id, self.previous_error.is_some(), account));
    }

    /// Starts polling if the key store is already connecting or disconnecting.
    pub fn on_open(&self) -> ConnectEvent {
        if matches!(self.progress, ConnectProgress::Connecting | ConnectProgress::Disconnecting) {
            ConnectEvent::PollLater
        } else {
            ConnectEvent::Nothing
        }
    }

    /// Whether AWS KMS is connecting or disconnecting the key store.
    pub fn is_busy(&self) -> bool {
        matches!(self.progress, ConnectProgress::Connecting | ConnectProgress::Disconnecting)
    }

    /// Whether the last connection attempt failed.
    fn has_failed(&self) -> bool {
        match self.progress {
            ConnectProgress::Failed(_) => true,
            ConnectProgress::NotStarted => self.previous_error.is_some(),
            _ => false,
        }
    }

    fn buttons(&self) -> Vec<ConnectButton> {
        let primary = match &self.progress {
            ConnectProgress::NotStarted if self.commands.is_some() => cli_commands::COPY_LABEL,
            ConnectProgress::NotStarted if self.has_failed() => "Disconnect and connect again",
            ConnectProgress::NotStarted => "Connect",
            ConnectProgress::Disconnecting | ConnectProgress::Connecting => "Hide",
            ConnectProgress::Failed(_) => "Disconnect and connect again",
            ConnectProgress::RequestFailed(_) => "Retry",
            ConnectProgress::Connected => "Continue",
        };
        let update = (self.has_failed() && self.commands.is_none()).then_some(ConnectButton::UpdateCredential);
        let cancel = (!self.is_busy()).then_some(ConnectButton::Cancel);
        [cancel, update, Some(ConnectButton::Primary(primary))].into_iter().flatten().collect()
    }

    /// Handles a key press.
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

    /// Moves the focus to a clicked button, and returns the key that presses it.
    pub fn on_click(&mut self, click: &Click) -> Option<KeyEvent> {
        let Click::Button(button) = *click else { return None };
        self.focused_button = button;
        Some(KeyCode::Enter.into())
    }

    /// Starts connecting, or starts again after a failure.
    pub fn start(&mut self) -> ConnectEvent {
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

    /// Handles a successful response to a request of this dialog.
    pub fn on_accepted(&self) -> ConnectEvent {
        if self.is_busy() { ConnectEvent::PollLater } else { ConnectEvent::Nothing }
    }

    /// Handles the failure of a request of this dialog.
    pub fn on_request_failed(&mut self, failure: CallFailure) {
        self.progress = ConnectProgress::RequestFailed(failure);
        self.focused_button = usize::MAX;
    }

    /// Handles a new state of the key store, or its absence.
    pub fn on_store_loaded(&mut self, store: Option<&CustomKeyStore>) -> ConnectEvent {
        if !self.is_busy() {
            return ConnectEvent::Nothing;
        }
        self.polls += 1;
        let Some(store) = store else {
            self.on_request_failed(CallFailure {
                code: "CustomKeyStoreNotFoundException".to_owned(),
                message: "The external key store doesn't exist. It might have been deleted.".to_owned(),
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

    /// Returns the dialog title.
    pub fn title(&self) -> &'static str {
        "Connect external key store"
    }

    /// Writes the dialog.
    pub fn write(&self, view: &mut ScrollView) {
        view.key_value("External key store", &self.name, theme::TEXT);
        view.key_value("Custom key store ID", &self.store_id, theme::TEXT);
        view.blank_line();
        match &self.progress {
            ConnectProgress::NotStarted => self.write_confirmation(view),
            ConnectProgress::Disconnecting => {
                self.write_progress(view, "Disconnecting", RECONNECTING);
            }
            ConnectProgress::Connecting => {
                self.write_progress(view, "Connecting", "AWS KMS checks the health of the external key store proxy.");
            }
            ConnectProgress::Failed(code) => write_connection_error(view, code, 0),
            ConnectProgress::RequestFailed(failure) => {
                view.push_line(ratatui::text::Line::styled(format!("✗ {}", failure.code), theme::ERROR));
                view.error(&failure.message, 2, theme::TEXT);
            }
            ConnectProgress::Connected => {}
        }
        view.blank_line();
        let buttons = self.buttons();
        let words: Vec<Option<&str>> = buttons.iter().map(|button| Some(button.label())).collect();
        // On a small screen, the command matters more than the text above it.
        view.focused(self.commands.is_some(), |view| {
            crate::tui::widgets::button_row(view, &words, self.focused_button.min(buttons.len() - 1));
        });
    }

    fn write_confirmation(&self, view: &mut ScrollView) {
        match (&self.previous_error, &self.commands) {
            (Some(code), Some(_)) => {
                view.paragraph(
                    &format!(
                        "The last connection attempt failed: {code}. Disconnect the key store, then connect it again."
                    ),
                    0,
                    theme::TEXT,
                );
            }
            (Some(code), None) => {
                view.paragraph("The last connection attempt failed.", 0, theme::TEXT);
                write_connection_error(view, code, 0);
                view.paragraph(RECONNECTING, 0, theme::TEXT);
            }
            (None, _) if self.unknown_state.is_some() => {
                let state = self.unknown_state.unwrap_or_default();
                let words = format!(
                    "This version of xks-console doesn't recognize the connection state \"{state}\". AWS KMS decides \
                     whether you can connect the key store."
                );
                view.paragraph(&words, 0, theme::TEXT);
            }
            (None, _) => {
                let words = "This key store is not connected to its external key store proxy.";
                view.paragraph(words, 0, theme::TEXT);
            }
        }
        if self.after_connect == AfterConnect::CreateKey {
            let rest = if self.commands.is_some() { "" } else { " The wizard opens when the key store is connected." };
            view.paragraph(&format!("You can create KMS keys only in a connected key store.{rest}"), 0, theme::TEXT);
        }
        if let Some(commands) = &self.commands {
            cli_commands::write_read_only_commands(view, commands);
        }
    }

    fn write_progress(&self, view: &mut ScrollView, stage: &str, what: &str) {
        let line = if self.polls == 0 { format!("… {stage}") } else { format!("… {stage} ({} s)", self.polls) };
        view.push_line(ratatui::text::Line::styled(line, theme::WARNING));
        view.paragraph(what, 2, theme::SECONDARY);
        view.paragraph("If you hide this dialog, the operation continues.", 2, theme::SECONDARY);
    }
}

/// Writes a connection error code with its meaning and remedy.
pub fn write_connection_error(view: &mut ScrollView, code: &str, indent: usize) {
    let guide = error_remedies::for_connection_error(code);
    view.paragraph(&format!("✗ {code}"), indent, theme::ERROR);
    view.paragraph(guide.meaning, indent + 2, theme::TEXT);
    view.paragraph(&format!("What to do: {}", guide.action), indent + 2, theme::TEXT);
}
