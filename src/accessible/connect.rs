//! Chooses and connects external key stores.

use std::time::Duration;

use super::prompt::find_choice;
use super::{Reply, Session};
use crate::aws::kms::{ConnectionState, CustomKeyStore};
use crate::error_remedies;
use crate::tui::dialogs::cli_commands;
use crate::tui::dialogs::connect::{AfterConnect, ConnectDialog, ConnectEvent, ConnectProgress};
use crate::tui::effect::CallFailure;
use crate::tui::pages::key_stores::external_key_stores;

/// How often the connection state is checked.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// After how many checks the console says that it is still waiting.
const POLLS_PER_NOTICE: u32 = 30;
/// After how many checks the console stops waiting. AWS KMS takes about five minutes at most.
const MAX_POLLS: u32 = 600;
const HELP: &str = "Enter the number of a key store, or the start of its name.";

/// Describes a key store in a line.
pub(super) fn describe(store: &CustomKeyStore) -> String {
    let state = store.connection_state.label().to_lowercase();
    format!("{}, {state}, ID {}", store.custom_key_store_name, store.custom_key_store_id)
}

fn is_connected(store: &CustomKeyStore) -> bool {
    store.connection_state == ConnectionState::Connected
}

impl Session<'_> {
    /// Asks for an external key store. Returns its ID, or `None` if there are none. Lists them, unless one of them is
    /// the default and connected.
    pub(super) fn ask_key_store(&mut self, default: Option<&str>, help: &str) -> Reply<Option<String>> {
        let stores: Vec<CustomKeyStore> = external_key_stores(&self.account).into_iter().cloned().collect();
        if stores.is_empty() {
            if self.account.key_stores.ready().is_some() {
                self.prompter.say(
                    "There are no external key stores in this account and Region. To create one, run aws kms \
                     create-custom-key-store, or use the console without --accessible.",
                )?;
            }
            return Ok(None);
        }
        let default = stores.iter().position(|store| Some(store.custom_key_store_id.as_str()) == default);
        let help = if help.is_empty() { HELP } else { help };
        let names: Vec<String> = stores.iter().map(|store| store.custom_key_store_name.clone()).collect();
        let connected = default.and_then(|index| stores.get(index)).filter(|store| is_connected(store));
        if let Some(store) = connected {
            let question = format!(
                "{} is selected. Press Enter to keep it, or enter list to choose another one",
                store.custom_key_store_name
            );
            let answer = self.prompter.ask(&question, help)?;
            let chosen = find_choice(&answer, &names).and_then(|index| stores.get(index));
            if let Some(store) = Some(store).filter(|_| answer.is_empty()).or(chosen) {
                return Ok(Some(store.custom_key_store_id.clone()));
            }
        }
        self.prompter.say_numbered(&stores.iter().map(describe).collect::<Vec<_>>())?;
        let index = self.prompter.ask_choice("Key store", &names, default, help)?;
        Ok(stores.get(index).map(|store| store.custom_key_store_id.clone()))
    }

    /// Offers to connect a key store that isn't connected. Returns whether it is connected.
    pub(super) fn offer_to_connect(&mut self, store_id: &str) -> Reply<bool> {
        let Some(store) = self.account.key_store(store_id).cloned() else { return Ok(false) };
        let name = &store.custom_key_store_name;
        if is_connected(&store) {
            return Ok(true);
        }
        let has_failed = store.connection_state == ConnectionState::Failed;
        if has_failed {
            self.prompter.say(&format!("{name} is not connected."))?;
            self.say_connection_error(store.connection_error_code.as_deref().unwrap_or_default())?;
        } else {
            self.prompter.say(&format!("{name} is {}.", store.connection_state.label().to_lowercase()))?;
        }
        if self.account.is_read_only {
            let commands = cli_commands::connect(store_id, has_failed, &self.account);
            self.prompter.say("To connect it, run these commands with other credentials:")?;
            self.prompter.say_text(&commands)?;
            return Ok(false);
        }
        let question = match has_failed {
            true => "Disconnect it, then connect it again?",
            false if store.connection_state.is_transient() => "Wait for it?",
            false => "Connect it now?",
        };
        let help = "You can create KMS keys only in a connected key store.";
        if !self.prompter.ask_yes_no(question, Some(true), help)? {
            return Ok(false);
        }
        self.connect(&store)
    }

    fn say_connection_error(&mut self, code: &str) -> Reply<()> {
        let remedy = error_remedies::for_connection_error(code);
        self.prompter.say(&format!("The last connection attempt failed: {code}. {}", remedy.meaning))?;
        Ok(self.prompter.say(&format!("What to do: {}", remedy.action))?)
    }

    /// Connects a key store, and waits until it is connected.
    fn connect(&mut self, store: &CustomKeyStore) -> Reply<bool> {
        let name = &store.custom_key_store_name;
        let mut dialog = ConnectDialog::new(store, AfterConnect::Stay);
        let mut event = if dialog.is_busy() { dialog.on_open() } else { dialog.start() };
        let mut said = None;
        let mut polls = 0;
        loop {
            let words = match dialog.progress {
                ConnectProgress::Disconnecting => Some("Disconnecting"),
                ConnectProgress::Connecting => Some("Connecting"),
                _ => None,
            };
            if words.is_some() && said != words {
                said = words;
                self.prompter.say(&format!("{} {name}…", words.unwrap_or_default()))?;
            }
            event = match event {
                ConnectEvent::Request(call) => match self.call(&call)? {
                    Ok(_) => dialog.on_accepted(),
                    Err(failure) => {
                        dialog.on_request_failed(failure);
                        ConnectEvent::Nothing
                    }
                },
                ConnectEvent::PollLater if polls < MAX_POLLS => {
                    polls += 1;
                    if polls % POLLS_PER_NOTICE == 0 {
                        self.prompter.say(&format!("Still waiting after {polls} seconds."))?;
                    }
                    self.pause(POLL_INTERVAL);
                    self.load_key_stores()?;
                    dialog.on_store_loaded(self.account.key_store(&store.custom_key_store_id))
                }
                _ => break,
            };
        }
        self.say_connect_result(name, &dialog.progress)
    }

    fn say_connect_result(&mut self, name: &str, progress: &ConnectProgress) -> Reply<bool> {
        match progress {
            ConnectProgress::Connected => self.prompter.say(&format!("{name} is connected."))?,
            ConnectProgress::Failed(code) => self.say_connection_error(code)?,
            ConnectProgress::RequestFailed(failure) => {
                let failure: &CallFailure = failure;
                self.say_failure("Couldn't connect the key store", failure)?;
            }
            ConnectProgress::NotStarted => self.prompter.say(&format!("{name} is not connected."))?,
            ConnectProgress::Connecting | ConnectProgress::Disconnecting => {
                self.prompter.say(&format!("{name} is still not connected. Check it again later."))?;
            }
        }
        Ok(matches!(progress, ConnectProgress::Connected))
    }
}
