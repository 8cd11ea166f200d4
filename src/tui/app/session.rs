//! Switches the profile or Region, and handles signing in again.

use super::{App, Dialog, Flash};
use crate::client::Client;
use crate::client::credentials::LoadCredentialsError;
use crate::client::profile::SwitchTarget;
use crate::create_key::submission::{self, Submission, SubmissionResponse};
use crate::tui::dialogs::login::{self, LoginDialog};
use crate::tui::dialogs::switcher::{self, Switcher};
use crate::tui::effect::{Call, CallFailure, Effect, Response};
use crate::tui::target::Target;
use crate::tui::wizard::Wizard;

/// The warning that switching discards the wizard.
const DISCARD_WARNING: &str = "Your new KMS key belongs to this account and Region. If you switch, you lose \
    everything that you entered for it.";

impl Target {
    /// Returns the target that a client connects to.
    pub fn from_client(client: &Client) -> Self {
        match client.endpoints().kms_host() {
            _ if client.is_bundled() => Self::Bundled,
            Some(host) => Self::Endpoint(host),
            None => Self::Aws,
        }
    }
}

impl App {
    /// Opens the dialog that switches the Region or profile, or shows why switching isn't possible now.
    pub(super) fn open_switcher(&mut self) -> Vec<Effect> {
        if let Some(why) = self.switch_blocker() {
            self.show_error("Couldn't switch", why);
            return Vec::new();
        }
        let current = SwitchTarget { profile: self.profile.clone(), region: self.account.region.clone() };
        let has_profiles = current.profile.is_some();
        let loses_draft = self.wizard.as_ref().is_some_and(Wizard::has_unsaved_changes) && !self.drafts.is_saved();
        let warning = loses_draft.then_some(DISCARD_WARNING);
        self.dialog = Some(Dialog::Switcher(Box::new(Switcher::new(current, warning))));
        has_profiles.then(|| self.request(Call::Profiles)).into_iter().collect()
    }

    /// Returns why the account and Region can't be switched now.
    fn switch_blocker(&self) -> Option<&'static str> {
        let is_changing = |call: &Call| {
            matches!(call, Call::Change(_) | Call::Connect(_) | Call::Disconnect(_) | Call::Submission(_))
        };
        match self.wizard.as_ref().map(|wizard| &wizard.submission) {
            _ if self.single_key_session.is_some() => {
                Some("The create-key command creates the key in the account and Region where you started it.")
            }
            Some(Submission::Sending { .. }) => Some("AWS KMS is creating the KMS key. Wait for the response."),
            Some(Submission::Unknown { .. }) => {
                Some("The KMS key might have been created. Choose Check again in the wizard first.")
            }
            Some(Submission::KeyWithoutAlias { .. }) => {
                Some("The KMS key has no alias yet. Create the alias in the wizard first, or leave the wizard.")
            }
            _ if self.pending_calls.values().any(is_changing) => {
                Some("A change is in progress. Wait for the response.")
            }
            _ => None,
        }
    }

    pub(super) fn handle_switcher_event(&mut self, event: switcher::SwitcherEvent) -> Vec<Effect> {
        match event {
            switcher::SwitcherEvent::Nothing => Vec::new(),
            switcher::SwitcherEvent::Close => {
                self.pending_calls.retain(|_, call| !matches!(call, Call::OpenClient(_) | Call::Profiles));
                self.dialog = None;
                Vec::new()
            }
            switcher::SwitcherEvent::Request(call) => vec![self.request(call)],
        }
    }

    pub(super) fn on_switcher_response(&mut self, result: Result<Response, CallFailure>) -> Vec<Effect> {
        let Some(Dialog::Switcher(switcher)) = &mut self.dialog else { return Vec::new() };
        match result {
            Ok(Response::ClientOpened(client)) => return self.switch_client(client),
            Ok(Response::Profiles(profiles)) => switcher.on_profiles_loaded(Ok(profiles)),
            Err(failure) if switcher.is_opening() => switcher.on_open_failed(failure),
            Err(failure) => switcher.on_profiles_loaded(Err(failure)),
            Ok(_) => {}
        }
        Vec::new()
    }

    /// Restarts the console with another client. Drops the loaded data and ignores pending responses, but keeps the
    /// preferences, the API calls, and the drafts.
    fn switch_client(&mut self, client: Client) -> Vec<Effect> {
        let mut app = Self::empty(Target::from_client(&client), client.region());
        app.set_client(&client);
        app.last_id = self.last_id;
        app.apply_preferences(self.preferences.clone());
        app.used_external_key_ids = std::mem::take(&mut self.used_external_key_ids);
        app.recent_keys = std::mem::take(&mut self.recent_keys);
        app.keymap = std::mem::take(&mut self.keymap);
        app.is_mouse_on = self.is_mouse_on;
        app.follows_changes = self.follows_changes;
        app.api_calls = std::mem::take(&mut self.api_calls);
        app.drafts = std::mem::take(&mut self.drafts);
        app.drafts.set_target(&app.target);
        if app.drafts.is_saved() && self.wizard.as_ref().is_some_and(Wizard::has_unsaved_changes) {
            let text = format!("Your draft is saved in {} · {}.", self.account.account_id, self.account.region);
            app.flashes.push(Flash::success("Draft saved", text));
        }
        *self = app;
        std::iter::once(Effect::SwitchClient(client)).chain(self.initial_requests()).collect()
    }

    /// Defers a call that was not sent because there are no credentials, and opens the sign-in dialog.
    pub(super) fn on_logged_out(&mut self, call: Call, error: LoadCredentialsError) {
        match (&mut self.login, call) {
            (Some(login), Call::LogIn(_)) => login.on_log_in_failed(error),
            (_, Call::LogIn(_)) => {}
            (login, call) => login.get_or_insert_with(|| LoginDialog::new(error)).defer(call),
        }
    }

    /// Sends the deferred calls after a successful sign-in.
    pub(super) fn on_logged_in(&mut self) -> Vec<Effect> {
        let deferred = self.login.take().map(|mut login| std::mem::take(&mut login.deferred_calls));
        deferred.into_iter().flatten().map(|call| self.request(call)).collect()
    }

    pub(super) fn handle_login_event(&mut self, event: login::LoginEvent) -> Vec<Effect> {
        match event {
            login::LoginEvent::Nothing => Vec::new(),
            login::LoginEvent::Request(call) => vec![self.request(call)],
            login::LoginEvent::Close => self.cancel_login(),
        }
    }

    /// Closes the sign-in dialog. The deferred calls fail; none of them was sent.
    pub(super) fn cancel_login(&mut self) -> Vec<Effect> {
        let Some(mut login) = self.login.take() else { return Vec::new() };
        self.pending_calls.retain(|_, call| !matches!(call, Call::LogIn(_)));
        let failure = CallFailure::from(&login.credentials_error);
        let mut effects = Vec::new();
        for call in std::mem::take(&mut login.deferred_calls) {
            let answer = match call {
                Call::Submission(_) => {
                    Ok(Response::Submission(SubmissionResponse::Failed(submission::SubmissionFailure {
                        code: failure.code.clone(),
                        message: failure.message.clone(),
                        request_id: String::new(),
                        outcome_unknown: false,
                    })))
                }
                _ => Err(failure.clone()),
            };
            effects.extend(self.on_response(call, answer));
        }
        effects
    }
}
