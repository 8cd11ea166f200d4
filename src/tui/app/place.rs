//! Whose AWS it is, and where: going on with another profile or in another Region, and logging in anew.

use super::{App, Dialog, Flash, World};
use crate::client::Client;
use crate::client::credentials::LoadCredentialsError;
use crate::client::profile::SwitchTarget;
use crate::create_key::submission::{self, Submission, SubmissionResponse};
use crate::tui::effect::{Call, Effect, Failure, Reply};
use crate::tui::login::{self, Login};
use crate::tui::switcher::{self, Switcher};
use crate::tui::wizard::Wizard;

/// What a wizard with something in it loses.
const LOSES: &str = "The new KMS key that you are describing belongs to this account and Region. What you have typed and \
    chosen for it would be lost: nothing of it is carried over.";

impl World {
    /// The AWS that a client speaks to.
    pub fn of(client: &Client) -> Self {
        match client.endpoints().kms_host() {
            _ if client.is_bundled() => Self::Bundled,
            Some(host) => Self::Endpoint(host),
            None => Self::Aws,
        }
    }
}

impl App {
    /// Offers other places; says why not where something would be left half done.
    pub(super) fn open_switcher(&mut self) -> Vec<Effect> {
        if let Some(why) = self.is_bound() {
            self.tell("Not switched", why);
            return Vec::new();
        }
        let here = SwitchTarget { profile: self.profile.clone(), region: self.known.region.clone() };
        let has_profiles = here.profile.is_some();
        let would_lose = self.wizard.as_ref().is_some_and(Wizard::has_unsaved_changes) && !self.drafts.is_saved();
        let loses = would_lose.then_some(LOSES);
        self.dialog = Some(Dialog::Switch(Box::new(Switcher::new(here, loses))));
        has_profiles.then(|| self.ask(Call::Profiles)).into_iter().collect()
    }

    /// Why account and Region can't be left now.
    fn is_bound(&self) -> Option<&'static str> {
        let is_changing = |call: &Call| {
            matches!(call, Call::Change(_) | Call::Connect(_) | Call::Disconnect(_) | Call::Submission(_))
        };
        match self.wizard.as_ref().map(|wizard| &wizard.submission) {
            _ if self.errand.is_some() => {
                Some("`create-key` makes its key in the account and Region that it was begun in.")
            }
            Some(Submission::Sending { .. }) => Some("The KMS key is being created. Wait for the answer."),
            Some(Submission::Unknown { .. }) => {
                Some("Whether the KMS key was created is not known. Look again in the wizard first.")
            }
            Some(Submission::KeyWithoutAlias { .. }) => {
                Some("The KMS key has no alias yet. Create the alias in the wizard first, or leave the wizard.")
            }
            _ if self.waiting.values().any(is_changing) => Some("A change is under way. Wait for its answer."),
            _ => None,
        }
    }

    pub(super) fn grant_switcher(&mut self, wish: switcher::Wish) -> Vec<Effect> {
        match wish {
            switcher::Wish::Nothing => Vec::new(),
            switcher::Wish::Close => {
                self.waiting.retain(|_, call| !matches!(call, Call::Open(_) | Call::Profiles));
                self.dialog = None;
                Vec::new()
            }
            switcher::Wish::Ask(call) => vec![self.ask(call)],
        }
    }

    pub(super) fn switcher_answered(&mut self, result: Result<Reply, Failure>) -> Vec<Effect> {
        let Some(Dialog::Switch(switcher)) = &mut self.dialog else { return Vec::new() };
        match result {
            Ok(Reply::Opened(client)) => return self.arrive(client),
            Ok(Reply::Profiles(profiles)) => switcher.told(Ok(profiles)),
            Err(failure) if switcher.is_opening() => switcher.refused(failure),
            Err(failure) => switcher.told(Err(failure)),
            Ok(_) => {}
        }
        Vec::new()
    }

    /// Begins anew by another client. All that is known of the place before goes, and answers still under way find nobody
    /// who waits for them; what the person prefers and the calls so far stay.
    fn arrive(&mut self, client: Client) -> Vec<Effect> {
        let mut app = Self::blank(World::of(&client), client.region());
        app.answered_by(&client);
        app.last_id = self.last_id;
        app.prefer(self.preferences.clone());
        app.api_calls = std::mem::take(&mut self.api_calls);
        app.drafts = std::mem::take(&mut self.drafts);
        app.drafts.set_target(&app.world);
        if app.drafts.is_saved() && self.wizard.as_ref().is_some_and(Wizard::has_unsaved_changes) {
            let text = format!("Your draft of the KMS key waits in {} · {}.", self.known.account_id, self.known.region);
            app.flashes.push(Flash::success("Draft kept", text));
        }
        *self = app;
        std::iter::once(Effect::Use(client)).chain(self.first_questions()).collect()
    }

    /// A call was not made for want of credentials: it waits until there are some.
    pub(super) fn logged_out(&mut self, call: Call, none: LoadCredentialsError) {
        match (&mut self.login, call) {
            (Some(login), Call::LogIn(_)) => login.refused(none),
            (_, Call::LogIn(_)) => {}
            (login, call) => login.get_or_insert_with(|| Login::new(none)).wait(call),
        }
    }

    /// There are credentials: what waits is asked.
    pub(super) fn logged_in(&mut self) -> Vec<Effect> {
        let unasked = self.login.take().map(|mut login| std::mem::take(&mut login.unasked));
        unasked.into_iter().flatten().map(|call| self.ask(call)).collect()
    }

    pub(super) fn grant_login(&mut self, wish: login::Wish) -> Vec<Effect> {
        match wish {
            login::Wish::Nothing => Vec::new(),
            login::Wish::Ask(call) => vec![self.ask(call)],
            login::Wish::Close => self.give_up_login(),
        }
    }

    /// What waits has failed, and nothing of it was sent.
    pub(super) fn give_up_login(&mut self) -> Vec<Effect> {
        let Some(mut login) = self.login.take() else { return Vec::new() };
        self.waiting.retain(|_, call| !matches!(call, Call::LogIn(_)));
        let failure = Failure::from(&login.none);
        let mut effects = Vec::new();
        for call in std::mem::take(&mut login.unasked) {
            let answer = match call {
                Call::Submission(_) => {
                    Ok(Reply::Submission(SubmissionResponse::Failed(submission::SubmissionFailure {
                        code: failure.code.clone(),
                        message: failure.message.clone(),
                        request_id: String::new(),
                        outcome_unknown: false,
                    })))
                }
                _ => Err(failure.clone()),
            };
            effects.extend(self.answered(call, answer));
        }
        effects
    }
}
