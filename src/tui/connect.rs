//! Connecting an external key store, followed to its end: a failed store is disconnected first.

use crossterm::event::{KeyCode, KeyEvent};

use super::effect::{Call, Failure};
use super::tasks::commands;
use super::theme;
use super::widgets::paper::Paper;
use crate::aws::kms::{ConnectionState, CustomKeyStore};
use crate::create_key::guide;
use crate::create_key::known::AccountState;

/// What the person wants once the store is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// Nothing more.
    Stay,
    /// Create a KMS key in it.
    CreateKey,
    /// Choose it in the wizard that is open.
    Choose,
}

/// What is being done to the store.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Asked, not begun.
    Offered,
    /// Disconnecting, to connect again afterwards.
    Disconnecting,
    /// Waiting for KMS to reach the proxy.
    Connecting,
    /// KMS could not connect; the code it gave.
    Failed(String),
    /// A request was refused.
    Refused(Failure),
    /// Connected.
    Connected,
}

/// The dialog that connects a store.
#[derive(Clone, Debug, PartialEq)]
pub struct Connecting {
    /// The store.
    pub store_id: String,
    /// Its name.
    pub name: String,
    /// What happens once it is connected.
    pub afterwards: Afterwards,
    /// How far it is.
    pub progress: Progress,
    was_failed: Option<String>,
    /// A state that is newer than this version.
    unknown_state: Option<&'static str>,
    polls: u32,
    /// Which of the buttons has the focus.
    button: usize,
    /// What a read-only console gives instead.
    commands: Option<String>,
}

/// What the dialog wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// Nothing.
    Nothing,
    /// Close it.
    Close,
    /// Ask AWS.
    Ask(Call),
    /// Look again in a second.
    LookLater,
    /// The store is connected: go on.
    GoOn,
    /// Put these commands on the clipboard.
    Copy(String),
    /// Enter another proxy credential, and come back.
    UpdateCredential,
}

/// The buttons of the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Button {
    /// Goes on: connects, hides, copies.
    Go(&'static str),
    /// Enters another proxy credential.
    UpdateCredential,
    /// Closes the dialog.
    Cancel,
}

impl Button {
    fn words(self) -> &'static str {
        match self {
            Self::Go(words) => words,
            Self::UpdateCredential => "Update proxy credential",
            Self::Cancel => "Cancel",
        }
    }
}

impl Connecting {
    /// Offers to connect `store`.
    pub fn new(store: &CustomKeyStore, afterwards: Afterwards) -> Self {
        Self {
            store_id: store.custom_key_store_id.clone(),
            name: store.custom_key_store_name.clone(),
            afterwards,
            progress: match store.connection_state {
                ConnectionState::Connecting => Progress::Connecting,
                ConnectionState::Disconnecting => Progress::Disconnecting,
                _ => Progress::Offered,
            },
            was_failed: (store.connection_state == ConnectionState::Failed)
                .then(|| store.connection_error_code.clone().unwrap_or_default()),
            unknown_state: (!store.connection_state.is_known()).then_some(store.connection_state.as_str()),
            polls: 0,
            button: 0,
            commands: None,
        }
    }

    /// Lets the dialog give the commands that would connect the store, and do nothing.
    pub fn only_tell(&mut self, known: &AccountState) {
        self.commands = Some(commands::connect(&self.store_id, self.was_failed.is_some(), known));
    }

    /// What to do when the dialog opens: a store that is on its way is watched.
    pub fn opened(&self) -> Wish {
        if matches!(self.progress, Progress::Connecting | Progress::Disconnecting) {
            Wish::LookLater
        } else {
            Wish::Nothing
        }
    }

    /// Whether AWS is at work, which is waited for.
    pub fn is_busy(&self) -> bool {
        matches!(self.progress, Progress::Connecting | Progress::Disconnecting)
    }

    /// Whether the last attempt to connect failed.
    fn has_failed(&self) -> bool {
        match self.progress {
            Progress::Failed(_) => true,
            Progress::Offered => self.was_failed.is_some(),
            _ => false,
        }
    }

    fn buttons(&self) -> Vec<Button> {
        let go = match &self.progress {
            Progress::Offered if self.commands.is_some() => commands::COPY_LABEL,
            Progress::Offered if self.has_failed() => "Disconnect and connect again",
            Progress::Offered => "Connect",
            Progress::Disconnecting | Progress::Connecting => "Hide",
            Progress::Failed(_) => "Disconnect and connect again",
            Progress::Refused(_) => "Try again",
            Progress::Connected => "Go on",
        };
        let update = (self.has_failed() && self.commands.is_none()).then_some(Button::UpdateCredential);
        let cancel = (!self.is_busy()).then_some(Button::Cancel);
        [Some(Button::Go(go)), update, cancel].into_iter().flatten().collect()
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Wish {
        let buttons = self.buttons();
        let here = self.button.min(buttons.len() - 1);
        match key.code {
            KeyCode::Esc => return Wish::Close,
            KeyCode::Tab | KeyCode::Right => self.button = (here + 1) % buttons.len(),
            KeyCode::BackTab | KeyCode::Left => self.button = (here + buttons.len() - 1) % buttons.len(),
            KeyCode::Enter | KeyCode::Char(' ') => {
                return match buttons[here] {
                    Button::Go(_) if self.is_busy() => Wish::Close,
                    Button::Go(_) => self.begin(),
                    Button::UpdateCredential => Wish::UpdateCredential,
                    Button::Cancel => Wish::Close,
                };
            }
            _ => {}
        }
        Wish::Nothing
    }

    fn begin(&mut self) -> Wish {
        self.polls = 0;
        if let Some(commands) = &self.commands {
            self.progress = Progress::Offered;
            return Wish::Copy(commands.clone());
        }
        let failed = matches!(self.progress, Progress::Failed(_)) || self.was_failed.is_some();
        if failed {
            self.was_failed = None;
            self.progress = Progress::Disconnecting;
            Wish::Ask(Call::Disconnect(self.store_id.clone()))
        } else {
            self.progress = Progress::Connecting;
            Wish::Ask(Call::Connect(self.store_id.clone()))
        }
    }

    /// A request of this dialog was answered.
    pub fn accepted(&self) -> Wish {
        if self.is_busy() { Wish::LookLater } else { Wish::Nothing }
    }

    /// A request of this dialog was refused.
    pub fn refused(&mut self, failure: Failure) {
        self.progress = Progress::Refused(failure);
        self.button = 0;
    }

    /// The state of the store is known anew.
    pub fn looked(&mut self, store: Option<&CustomKeyStore>) -> Wish {
        if !self.is_busy() {
            return Wish::Nothing;
        }
        self.polls += 1;
        let Some(store) = store else {
            self.refused(Failure {
                code: "CustomKeyStoreNotFoundException".to_owned(),
                message: "The external key store is gone.".to_owned(),
                request_id: String::new(),
            });
            return Wish::Nothing;
        };
        match (&self.progress, store.connection_state) {
            (_, ConnectionState::Connected) => {
                self.progress = Progress::Connected;
                Wish::GoOn
            }
            (Progress::Disconnecting, ConnectionState::Disconnected) if self.commands.is_some() => {
                self.progress = Progress::Offered;
                Wish::Nothing
            }
            (Progress::Disconnecting, ConnectionState::Disconnected) => self.begin(),
            (Progress::Connecting, ConnectionState::Failed) => {
                self.progress = Progress::Failed(store.connection_error_code.clone().unwrap_or_default());
                Wish::Nothing
            }
            (Progress::Connecting, ConnectionState::Disconnected) => {
                self.progress = Progress::Offered;
                Wish::Nothing
            }
            _ => Wish::LookLater,
        }
    }

    /// The dialog's title.
    pub fn title(&self) -> &'static str {
        "Connect external key store"
    }

    /// Writes what the person should know and can do.
    pub fn write(&self, paper: &mut Paper) {
        paper.pair("External key store", &self.name, theme::TEXT);
        paper.pair("Custom key store ID", &self.store_id, theme::TEXT);
        paper.gap();
        match &self.progress {
            Progress::Offered => self.write_offer(paper),
            Progress::Disconnecting => {
                self.write_stage(paper, "Disconnecting", "The store is disconnected first, then connected.");
            }
            Progress::Connecting => {
                self.write_stage(paper, "Connecting", "AWS KMS asks the external key store proxy whether it is well.");
            }
            Progress::Failed(code) => write_connection_error(paper, code),
            Progress::Refused(failure) => {
                paper.line(ratatui::text::Line::styled(format!("✗ {}", failure.code), theme::BAD));
                paper.error(&failure.message, 2, theme::TEXT);
            }
            Progress::Connected => {}
        }
        paper.gap();
        let buttons = self.buttons();
        let words: Vec<Option<&str>> = buttons.iter().map(|button| Some(button.words())).collect();
        // On a small screen the command matters more than what leads to it.
        paper.focused(self.commands.is_some(), |paper| {
            super::widgets::button_row(paper, &words, self.button.min(buttons.len() - 1));
        });
    }

    fn write_offer(&self, paper: &mut Paper) {
        const FIRST: &str = "A failed store is disconnected first, then connected.";
        match (&self.was_failed, &self.commands) {
            (Some(code), Some(_)) => {
                paper.prose(&format!("The last attempt to connect it failed: {code}. {FIRST}"), 0, theme::TEXT);
            }
            (Some(code), None) => {
                paper.prose("The last attempt to connect this store failed.", 0, theme::TEXT);
                write_connection_error(paper, code);
                paper.prose(&format!("{FIRST} Both happen here."), 0, theme::TEXT);
            }
            (None, _) if self.unknown_state.is_some() => {
                let state = self.unknown_state.unwrap_or_default();
                let words = format!(
                    "The connection state \"{state}\" is newer than this version. AWS KMS decides whether you can \
                     connect the key store."
                );
                paper.prose(&words, 0, theme::TEXT);
            }
            (None, _) => {
                let words = "This external key store is not connected to its external key store proxy.";
                paper.prose(words, 0, theme::TEXT);
            }
        }
        if self.afterwards == Afterwards::CreateKey {
            let rest = if self.commands.is_some() { "" } else { " Once it is connected, the wizard opens by itself." };
            paper.prose(&format!("A KMS key can be created only in a connected store.{rest}"), 0, theme::TEXT);
        }
        if let Some(commands) = &self.commands {
            commands::write_read_only_commands(paper, commands);
        }
    }

    fn write_stage(&self, paper: &mut Paper, stage: &str, what: &str) {
        let line = if self.polls == 0 { format!("… {stage}") } else { format!("… {stage} ({} s)", self.polls) };
        paper.line(ratatui::text::Line::styled(line, theme::WARNING));
        paper.prose(what, 2, theme::QUIET);
        paper.prose("It goes on when this is hidden.", 2, theme::QUIET);
    }
}

/// Writes a connection error code with its meaning and remedy.
pub fn write_connection_error(paper: &mut Paper, code: &str) {
    let guide = guide::for_connection_error(code);
    paper.line(ratatui::text::Line::styled(format!("✗ {code}"), theme::BAD));
    paper.prose(guide.meaning, 2, theme::TEXT);
    paper.prose(&format!("What to do: {}", guide.action), 2, theme::TEXT);
}
