//! The accessible mode: the wizards and lists of the console as questions and answers in lines of plain text, for screen
//! readers and pipes.
//!
//! It moves no cursor, draws no boxes, and uses no colors. Everything that a key is made of, such as the steps, their
//! fields, the rules, and the requests, is in [`create_key`](crate::create_key), which the full-screen console also uses.

mod connect;
mod drafts;
mod echo;
mod lists;
mod loading;
mod menu;
mod prompt;
mod wizard;

use std::io;
use std::time::Duration;

use tokio::runtime::Runtime;

pub use self::drafts::Drafts;
pub use self::echo::{HiddenInput, hide as hide_input, restore as restore_echo};
pub use self::prompt::{InputKind, NoAnswer, Prompter, Reply};
use self::wizard::{Wizard, WizardEnd, WizardState};
use crate::aws::limits;
use crate::aws::operation::Service;
use crate::aws::scalar::SecretString;
use crate::client::Client;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::store_lookup::{StoreLookupError, find_key_store};
use crate::create_key::submission::Submission;
use crate::environment::Clock;
use crate::tui::effect::{Call, CallFailure, Response};
use crate::tui::runtime::perform;

/// How many times an MFA code is requested.
const MAX_MFA_ATTEMPTS: usize = 3;

/// How a session ended.
#[derive(Clone, Debug, PartialEq)]
pub enum SessionEnd {
    /// The user quit.
    Quit,
    /// The input ended: in the wizard, with the progress of its key, or at another question.
    EndOfInput(Option<Box<Submission>>),
}

/// The result of a session that creates one key.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateKeyResult {
    /// The values entered in the wizard.
    pub draft: KeyDraft,
    /// The progress of creating the key.
    pub submission: Submission,
}

/// A session in accessible mode.
pub struct Session<'a> {
    prompter: Prompter<'a>,
    client: Client,
    runtime: &'a Runtime,
    clock: Clock,
    account: AccountState,
    drafts: Drafts,
    /// The state of the wizard that is open.
    wizard: Option<WizardState>,
}

impl<'a> Session<'a> {
    /// Creates a session that calls AWS with `client` on `runtime`, and waits with `clock`.
    pub fn new(prompter: Prompter<'a>, client: Client, runtime: &'a Runtime, clock: Clock, drafts: Drafts) -> Self {
        let account = AccountState {
            region: client.region().to_owned(),
            endpoint_url: client.endpoints().custom_url(Service::Kms).map(str::to_owned),
            is_read_only: client.is_read_only(),
            ..AccountState::default()
        };
        Self { prompter, client, runtime, clock, account, drafts, wizard: None }
    }

    /// Returns what is known about the account.
    pub fn account(&self) -> &AccountState {
        &self.account
    }

    /// Shows the key or key store called `name` if there is one, then the main menu until the user quits.
    ///
    /// # Errors
    /// The input or the output failed.
    pub fn run(&mut self, name: Option<&str>) -> io::Result<SessionEnd> {
        let ended = self.welcome().and_then(|()| name.map_or(Ok(()), |name| self.show(name)));
        let ended = ended.and_then(|()| self.run_menu());
        self.end(ended)
    }

    /// Creates one key in the wizard, which is filled in with `draft`. `key_store` is the ID or name of its external key
    /// store.
    ///
    /// # Errors
    /// The input or the output failed.
    pub fn create_key(&mut self, draft: KeyDraft, key_store: Option<&str>) -> io::Result<CreateKeyResult> {
        let ended = self.create_prefilled_key(draft.clone(), key_store);
        let end = self.end(ended.map(|()| SessionEnd::Quit))?;
        let state = self.wizard.take();
        Ok(match (state, end) {
            (Some(state), _) => CreateKeyResult { draft: state.draft, submission: state.submission },
            (None, _) => CreateKeyResult { draft, submission: Submission::NotSent },
        })
    }

    fn create_prefilled_key(&mut self, mut draft: KeyDraft, key_store: Option<&str>) -> Reply<()> {
        self.welcome()?;
        self.load_for_wizard()?;
        if draft.is_external() {
            match find_key_store(key_store, &self.account) {
                Ok(store) => draft.custom_key_store_id = Some(store.custom_key_store_id.clone()),
                // Without a requested key store, the user chooses one.
                Err(StoreLookupError::Ambiguous { .. }) => {}
                Err(error) => self.prompter.say(&format!("Key store: {error}."))?,
            }
        }
        self.open_wizard(WizardState::prefilled(draft)).map(|_| ())
    }

    /// Says what ended the session.
    fn end(&mut self, ended: Reply<SessionEnd>) -> io::Result<SessionEnd> {
        match ended {
            Ok(end) => Ok(end),
            Err(NoAnswer::Failed(error)) => Err(error),
            Err(NoAnswer::EndOfInput) => {
                let what = if self.drafts.is_saved() {
                    "The input ended. What you entered is saved as a draft, which you can resume from the main menu."
                } else {
                    "The input ended."
                };
                self.drafts.close();
                self.prompter.say(what)?;
                Ok(SessionEnd::EndOfInput(self.wizard.as_ref().map(|state| Box::new(state.submission.clone()))))
            }
            Err(NoAnswer::Back | NoAnswer::Review | NoAnswer::Quit) => Ok(SessionEnd::Quit),
        }
    }

    /// Runs the wizard until the user leaves it. The state remains in `self.wizard` if the input ends.
    fn open_wizard(&mut self, state: WizardState) -> Reply<WizardEnd> {
        self.wizard = None;
        let mut wizard = Wizard::new(self, state);
        let end = wizard.run();
        let state = wizard.into_state();
        self.wizard = Some(state);
        end
    }

    /// Performs a call. If an MFA code is needed, asks for it.
    fn call(&mut self, call: &Call) -> Reply<Result<Response, CallFailure>> {
        let mut response = self.runtime.block_on(perform(&self.client, call.clone()));
        // From before the first question until after the last one, so that no code is shown in between.
        let mut hidden = None;
        for _ in 0..MAX_MFA_ATTEMPTS {
            let Ok(Response::NoCredentials(none)) = &response else { break };
            let Some(serial) = none.mfa_serial.clone() else { break };
            hidden = hidden.or_else(|| self.prompter.hide_input());
            let question = format!("MFA code for {serial}, profile {}", none.profile);
            let line = self.prompter.ask_secret(&question)?;
            // Some authenticator apps show a space in the middle of the code.
            let code = SecretString::new(line.split_whitespace().collect());
            if let Err(violation) = limits::mfa_code(code.expose()) {
                self.prompter.say(&violation.reason)?;
                continue;
            }
            response = match self.runtime.block_on(self.client.log_in(Some(code))) {
                Ok(()) => self.runtime.block_on(perform(&self.client, call.clone())),
                Err(next) => {
                    self.prompter.say(&next.reason)?;
                    Ok(Response::NoCredentials(next))
                }
            };
        }
        drop(hidden);
        Ok(match response {
            Ok(Response::NoCredentials(none)) => Err(CallFailure::from(&none)),
            other => other,
        })
    }

    fn pause(&self, time: Duration) {
        self.runtime.block_on(self.clock.sleep(time));
    }

    /// Says that a request failed: what happened, what it means, and what to do.
    fn say_failure(&mut self, what: &str, failure: &CallFailure) -> io::Result<()> {
        let remedy = crate::error_remedies::for_error(&failure.code, &failure.message);
        let message = if failure.message.is_empty() { "No message." } else { &failure.message };
        self.prompter.say(&format!("{what}: {}. {message}", failure.code))?;
        self.prompter.say(remedy.meaning)?;
        self.prompter.say(&format!("What to do: {}", remedy.action))
    }
}
