//! What answers do.

use super::drafts::and_look;
use super::{App, Dialog};
use crate::aws::kms::{CustomKeyStore, KeyManagerType};
use crate::aws::scalar::SecretString;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::known::Loadable;
use crate::create_key::principals::PrincipalKind;
use crate::create_key::submission::{self, Submission, SubmissionResponse};
use crate::tui::effect::{Call, Effect, Failure, Outcome, Reply};
use crate::tui::flash::{Flash, Link, whole_failure};
use crate::tui::monitoring::Monitoring;
use crate::tui::pages::Location;

fn loaded<T>(result: Result<T, Failure>, before: &mut Loadable<T>) -> Option<Failure> {
    match result {
        Ok(value) => {
            *before = Loadable::Ready(value);
            None
        }
        // What was known stays on the screen; the failure is told beside it.
        Err(failure) if before.ready().is_some() => Some(failure),
        Err(failure) => {
            *before = Loadable::Failed(format!("{}: {}", failure.code, failure.message));
            None
        }
    }
}

impl App {
    pub(super) fn answered(&mut self, call: Call, result: Result<Reply, Failure>) -> Vec<Effect> {
        match &result {
            Err(Failure { code, message, request_id })
            | Ok(Reply::Submission(SubmissionResponse::Failed(submission::SubmissionFailure {
                code,
                message,
                request_id,
                ..
            }))) => {
                self.failure = Some(whole_failure(code, message, request_id));
            }
            Ok(_) => {}
        }
        let stale = match (call, result) {
            (call, Ok(Reply::NoCredentials(none))) => {
                self.logged_out(call, none);
                return Vec::new();
            }
            (Call::LogIn(_), _) => return self.logged_in(),
            (Call::Open(_) | Call::Profiles, result) => return self.switcher_answered(result),
            (Call::Submission(_), result) => return self.submitted(result),
            (Call::Users(marker), result) => return self.principals_told(PrincipalKind::User, marker, result),
            (Call::Roles(marker), result) => return self.principals_told(PrincipalKind::Role, marker, result),
            (Call::Permissions(_), result) => return self.permissions_answered(result),
            (Call::Connect(_) | Call::Disconnect(_), result) => return self.connection_answered(result),
            (Call::Change(_), result) => return self.change_answered(result),
            (Call::ReadFile(_), result) => {
                let file =
                    result.map(|reply| if let Reply::File(text) = reply { text } else { SecretString::default() });
                if let Some(Dialog::Task(task)) = &mut self.dialog {
                    task.on_file_loaded(&file);
                }
                return Vec::new();
            }
            (Call::WriteFile { .. }, Ok(Reply::Written(path))) => {
                self.text = None;
                self.flashes.push(Flash::success("Saved", format!("Saved to {path}.")));
                return Vec::new();
            }
            (_, Ok(Reply::Identity { caller, account_alias })) => {
                self.known.set_caller(caller);
                self.account_alias = account_alias;
                None
            }
            (Call::WriteFile { .. }, Err(failure)) => {
                // The text would cover the message.
                self.text = None;
                Some(failure)
            }
            (Call::Identity | Call::Key(_), Err(failure)) => Some(failure),
            (_, Ok(Reply::KeyStores(stores))) => {
                let here = self.key_stores.current(&self.known);
                self.known.key_stores = Loadable::Ready(stores);
                self.key_stores.arrange(&self.known);
                if let Some(here) = here {
                    self.key_stores.select(&here, &self.known);
                }
                if let Some(wizard) = &mut self.wizard {
                    wizard.refresh_tables(&self.known);
                }
                self.seek_store();
                return self.stores_seen();
            }
            (Call::KeyStores, Err(failure)) => {
                let stale = loaded(Err(failure), &mut self.known.key_stores);
                if let (Some(Dialog::Connect(connecting)), Some(failure)) = (&mut self.dialog, &stale) {
                    connecting.refused(failure.clone());
                }
                stale
            }
            (_, Ok(Reply::Aliases(aliases))) => {
                self.known.aliases = Loadable::Ready(aliases);
                self.known.index_aliases();
                None
            }
            (Call::Aliases, Err(failure)) => loaded(Err(failure), &mut self.known.aliases),
            (call, Ok(Reply::Keys { page, next })) => return self.keys_told(&call, page, next),
            (Call::Keys(_), Err(failure)) => {
                self.known.has_more_keys = false;
                loaded(Err(failure), &mut self.known.keys)
            }
            (_, Ok(Reply::Key(told))) => {
                let ours = if let Loadable::Ready(keys) = &mut self.known.keys { keys.as_mut_slice() } else { &mut [] };
                let known = ours.iter_mut().chain(&mut self.known.aws_managed_keys);
                known.filter(|key| key.key_id() == told.key_id()).for_each(|key| key.clone_from(&told));
                None
            }
            (_, Ok(Reply::AllTags(tags))) => loaded(Ok(tags), &mut self.known.tags),
            (Call::AllTags(_), Err(failure)) => loaded(Err(failure), &mut self.known.tags),
            (call, result) => self.page_answered(call, result),
        };
        self.keys.arrange(&self.known);
        self.aws_keys.arrange(&self.known);
        if self.location == Location::ExternalKeys {
            self.external_keys.arrange(&self.known);
        }
        if let Some(wizard) = &mut self.wizard {
            wizard.refresh_tables(&self.known);
        }
        if let Some(failure) = stale {
            self.flash_failure(&failure);
        }
        Vec::new()
    }

    fn permissions_answered(&mut self, result: Result<Reply, Failure>) -> Vec<Effect> {
        let missing = result.map(|reply| if let Reply::Permissions(missing) = reply { missing } else { Vec::new() });
        if let Some(wizard) = &mut self.wizard {
            wizard.on_permissions_loaded(missing);
        }
        Vec::new()
    }

    /// What only the page that is shown has asked for. The failure, when it has to be told beside what stays shown.
    fn page_answered(&mut self, call: Call, result: Result<Reply, Failure>) -> Option<Failure> {
        match (call, result) {
            (Call::KeyPolicy(id), result) if id == self.key.key_id => {
                let text = result.map(|reply| if let Reply::KeyPolicy(text) = reply { text } else { String::new() });
                loaded(text, &mut self.key.policy)
            }
            (Call::KeyTags(id), result) if id == self.key.key_id => {
                let tags = result.map(|reply| if let Reply::KeyTags(tags) = reply { tags } else { Vec::new() });
                loaded(tags, &mut self.key.tags)
            }
            (Call::ExternalKey { .. }, Ok(Reply::ExternalKey(external))) => {
                self.key.external_key = Loadable::Ready(external);
                None
            }
            (Call::ExternalKey { .. }, Err(failure)) => {
                self.key.external_key = Loadable::Failed(failure.message);
                None
            }
            (_, Ok(Reply::ExternalKeys(partitions))) => {
                self.external_keys.told(partitions, &self.known);
                None
            }
            (Call::ExternalKeys, Err(failure)) => {
                self.external_keys.failed(&failure);
                None
            }
            (call, Ok(Reply::Events { page, next })) => {
                self.events.told(call == Call::Events(None), page, next);
                None
            }
            (Call::Events(_), Err(failure)) => self.events.failed(&failure).then_some(failure),
            (Call::Metrics { custom_key_store_id: id, .. }, result) if id == self.key_store.store_id => {
                let told =
                    result.map(|reply| if let Reply::Metrics(told) = reply { *told } else { Monitoring::default() });
                loaded(told, &mut self.key_store.monitoring)
            }
            (_, Ok(Reply::ProxyRequests(requests))) => {
                self.event.requests = Loadable::Ready(requests);
                None
            }
            (Call::ProxyRequests(_), Err(failure)) => {
                self.event.requests = Loadable::Failed(failure.message);
                None
            }
            _ => None,
        }
    }

    /// A page of the keys. At first each page is shown as it comes; later the list that is there stays until the new one
    /// is whole.
    fn keys_told(&mut self, call: &Call, page: Vec<KeySummary>, next: Option<String>) -> Vec<Effect> {
        if *call == Call::Keys(None) {
            self.incoming.clear();
        }
        self.incoming.extend(page);
        let is_whole = next.is_none();
        if is_whole || !self.known.has_all_keys {
            let here = self.keys.current(&self.known);
            let is_first = self.known.keys.ready().is_none();
            let told: Vec<KeySummary> = std::mem::take(&mut self.incoming);
            let (aws, ours): (Vec<_>, Vec<_>) =
                told.into_iter().partition(|key| key.key_manager == KeyManagerType::Aws);
            match &mut self.known.keys {
                Loadable::Ready(keys) if !self.known.has_all_keys && *call != Call::Keys(None) => {
                    keys.extend(ours);
                    self.known.aws_managed_keys.extend(aws);
                }
                keys => (*keys, self.known.aws_managed_keys) = (Loadable::Ready(ours), aws),
            }
            if let (true, Loadable::Ready(keys)) = (is_whole, &mut self.known.keys) {
                keys.shrink_to_fit();
            }
            self.known.has_all_keys |= is_whole;
            self.keys.arrange(&self.known);
            self.aws_keys.arrange(&self.known);
            if let Some(here) = here {
                self.keys.select(&here, &self.known);
            }
            if let (true, Location::Key(id)) = (is_first, self.location.clone()) {
                return self.go(Location::Key(id));
            }
        }
        self.known.has_more_keys = !is_whole;
        next.map(|marker| self.ask(Call::Keys(Some(marker)))).into_iter().collect()
    }

    /// A page of the users or roles. What can't be had is told where it would stand.
    fn principals_told(
        &mut self,
        kind: PrincipalKind,
        marker: Option<String>,
        result: Result<Reply, Failure>,
    ) -> Vec<Effect> {
        let here = self.wizard.as_ref().map(|wizard| wizard.principals_at_cursor(&self.known));
        match result {
            Ok(Reply::Principals { page, next }) => {
                self.known.principals.on_page_loaded(kind, marker.is_none(), page, next)
            }
            Ok(_) => {}
            Err(failure) => {
                self.known.principals.on_page_failed(kind, marker, format!("{}: {}", failure.code, failure.message));
            }
        }
        if let (Some(wizard), Some(here)) = (&mut self.wizard, here) {
            wizard.refresh_tables_keeping_cursors(&here, &self.known);
        }
        Vec::new()
    }

    fn flash_failure(&mut self, failure: &Failure) {
        self.tell(&failure.code, &failure.message);
    }

    /// The states of the stores are known anew: the dialog that waits goes on, and what is on its way is watched.
    fn stores_seen(&mut self) -> Vec<Effect> {
        let stores = self.known.key_stores.ready().cloned().unwrap_or_default();
        let mut effects = Vec::new();
        if self.known.account_id.is_empty() && !self.waiting.values().any(|call| *call == Call::Identity) {
            // It could not be told before: perhaps there were no credentials.
            effects.push(self.ask(Call::Identity));
        }
        if let Some(Dialog::Connect(connecting)) = &mut self.dialog {
            let store = stores.iter().find(|store| store.custom_key_store_id == connecting.store_id);
            let wish = connecting.looked(store);
            effects.extend(self.grant_connect(wish));
        }
        let is_moving = stores.iter().any(|store| store.connection_state.is_transient());
        if is_moving {
            if stores.iter().any(|store| store.connection_state.is_transient() && self.shows(store)) {
                effects.extend(self.look_later());
            }
        } else {
            effects.push(self.ask(Call::Keys(None)));
        }
        // While stores move they are looked at each second; their figures don't change so fast.
        if matches!(self.location, Location::KeyStore(_)) && (!is_moving || self.key_store.monitoring == Loadable::Idle)
        {
            effects.push(self.ask(self.key_store.question()));
        }
        effects
    }

    /// Whether the state of a store is to be seen.
    fn shows(&self, store: &CustomKeyStore) -> bool {
        let id = &store.custom_key_store_id;
        match (&self.dialog, &self.location) {
            (Some(Dialog::Connect(connecting)), _) if connecting.store_id == *id => true,
            (_, Location::KeyStore(shown)) => shown == id,
            (_, location) => matches!(location, Location::KeyStores | Location::CreateKey),
        }
    }

    fn connection_answered(&mut self, result: Result<Reply, Failure>) -> Vec<Effect> {
        match (&mut self.dialog, result) {
            (Some(Dialog::Connect(connecting)), Ok(_)) => {
                let wish = connecting.accepted();
                self.grant_connect(wish)
            }
            (Some(Dialog::Connect(connecting)), Err(failure)) => {
                connecting.refused(failure);
                Vec::new()
            }
            (_, Ok(_)) => vec![self.ask(Call::KeyStores)],
            (_, Err(failure)) => {
                self.flash_failure(&failure);
                Vec::new()
            }
        }
    }

    /// A change was answered; when its dialog was left meanwhile, the flash bar tells.
    fn change_answered(&mut self, result: Result<Reply, Failure>) -> Vec<Effect> {
        let outcome = result.map(|reply| if let Reply::Changed(outcome) = reply { outcome } else { Outcome::Done });
        match (&mut self.dialog, outcome) {
            (Some(Dialog::Task(task)), outcome) if task.is_sending() => {
                let wishes = task.on_response(outcome);
                wishes.into_iter().flat_map(|wish| self.grant_task(wish)).collect()
            }
            (_, Ok(_)) => self.changed("The change was made.".to_owned()),
            (_, Err(failure)) => {
                self.flash_failure(&failure);
                Vec::new()
            }
        }
    }

    fn submitted(&mut self, result: Result<Reply, Failure>) -> Vec<Effect> {
        let answer = match result {
            Ok(Reply::Submission(answer)) => answer,
            Ok(_) => return Vec::new(),
            Err(failure) => SubmissionResponse::Failed(submission::SubmissionFailure {
                code: failure.code,
                message: failure.message,
                request_id: failure.request_id,
                outcome_unknown: true,
            }),
        };
        let is_refused = self.wizard.is_some()
            && matches!(&answer, SubmissionResponse::Failed(failure) if failure.code != Failure::NO_CREDENTIALS);
        let mut effects = self.stage_answered(answer);
        if is_refused {
            // What was known when the draft was checked has changed, or AWS would not have refused.
            effects.extend([Call::KeyStores, Call::Keys(None), Call::Aliases].map(|call| self.ask(call)));
        }
        effects
    }

    /// The wizard takes the answer to the stage of creating a key that is under way.
    pub(super) fn stage_answered(&mut self, answer: SubmissionResponse) -> Vec<Effect> {
        let wishes =
            self.wizard.as_mut().map(|wizard| wizard.on_submission_response(answer, &self.known)).unwrap_or_default();
        wishes.into_iter().flat_map(|wish| self.grant_wizard(wish)).collect()
    }

    /// The key is made: *Customer managed keys*, with the good news on top.
    pub(super) fn finished(&mut self) -> Vec<Effect> {
        let mut effects = and_look(self.drafts.discard());
        if let Some(end) = self.end_of_errand() {
            effects.extend(end);
            return effects;
        }
        let Some(wizard) = self.wizard.take() else { return Vec::new() };
        let Submission::Done { key } = wizard.submission else { return Vec::new() };
        let text = format!("Your AWS KMS key was created with alias {} and key ID {}.", wizard.draft.alias, key.key_id);
        let view = Link::Page("View key", Location::Key(key.key_id.clone()));
        self.flashes = vec![Flash::success("Success", text).with_link(view)];
        let key_id = key.key_id.clone();
        if let Loadable::Ready(keys) = &mut self.known.keys {
            keys.retain(|other| other.key_id() != key_id);
            keys.push(KeySummary::from(*key));
        } else {
            self.known.keys = Loadable::Ready(vec![KeySummary::from(*key)]);
        }
        effects.extend(self.go(Location::Keys));
        self.keys.arrange(&self.known);
        self.keys.select(&key_id, &self.known);
        effects
    }
}
