//! Handles responses.

use super::{App, Dialog};
use crate::aws::kms::KeyManagerType;
use crate::aws::scalar::SecretString;
use crate::create_key::account_state::Loadable;
use crate::create_key::changed_keys::RowChanges;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::loaded_keys::LoadedKeys;
use crate::create_key::principals::PrincipalKind;
use crate::create_key::submission::{self, SubmissionResponse};
use crate::tui::effect::{Call, CallFailure, ChangeOutcome, Effect, Response};
use crate::tui::error_report::ErrorDetails;
use crate::tui::flash::Flash;
use crate::tui::monitoring::Monitoring;
use crate::tui::pages::Location;
use crate::tui::text_view::TextView;

/// Stores the result of a call. Returns the failure if the previous value stays, so that the failure is shown as a
/// message.
fn store_result<T>(result: Result<T, CallFailure>, current: &mut Loadable<T>) -> Option<CallFailure> {
    match result {
        Ok(value) => {
            *current = Loadable::Ready(value);
            None
        }
        Err(failure) if current.ready().is_some() => Some(failure),
        Err(failure) => {
            *current = Loadable::Failed(format!("{}: {}", failure.code, failure.message));
            None
        }
    }
}

impl App {
    pub(super) fn on_response(&mut self, call: Call, result: Result<Response, CallFailure>) -> Vec<Effect> {
        // The wizard works without the list of external keys, so it shows no error.
        if call != Call::ExternalKeys || self.location == Location::ExternalKeys {
            self.remember_failure(&result);
        }
        let mut effects = Vec::new();
        let stale = match (call, result) {
            (call, Ok(Response::NoCredentials(none))) => {
                self.on_logged_out(call, none);
                return Vec::new();
            }
            (_, Ok(Response::PageFound(found))) => return self.on_page_found(*found),
            (Call::FindPage(name), Err(failure)) => {
                if self.takes_lookup() {
                    self.show_error(&format!("Couldn't open {name}"), &failure.message);
                }
                return Vec::new();
            }
            (Call::LogIn(_), _) => return self.on_logged_in(),
            (Call::OpenClient(_) | Call::Profiles, result) => return self.on_switcher_response(result),
            (Call::Submission(_), result) => return self.on_submission_response(result),
            (Call::Users(marker), result) => return self.on_principals_loaded(PrincipalKind::User, marker, result),
            (Call::Roles(marker), result) => return self.on_principals_loaded(PrincipalKind::Role, marker, result),
            (Call::Permissions(_), result) => return self.permissions_answered(result),
            (Call::Connect(_) | Call::Disconnect(_), result) => return self.on_connection_response(result),
            (Call::Change(_), result) => return self.on_change_response(result),
            (Call::TryKey(_), result) => return self.on_key_tried(result),
            (call @ (Call::Flows(_) | Call::Flow(_) | Call::Replay(_)), result) => {
                return self.on_xray_response(&call, result);
            }
            (_, Ok(Response::CurrentTime(time))) => {
                self.on_report_time(time);
                return Vec::new();
            }
            (Call::ReadFile(_), result) => return self.on_file_read(result),
            (Call::WriteFile { .. }, result) => return self.on_file_written(result),
            (_, Ok(Response::Identity { caller, account_alias })) => {
                self.account.set_caller(caller);
                self.account_alias = account_alias;
                effects.extend(self.remember_key());
                None
            }
            (Call::Identity | Call::Key(_), Err(failure)) => Some(failure),
            (_, Ok(Response::KeyStores(stores))) => return self.on_key_stores_received(stores),
            (Call::KeyStores, Err(failure)) => {
                let stale = store_result(Err(failure), &mut self.account.key_stores);
                if let (Some(Dialog::Connect(connecting)), Some(failure)) = (&mut self.dialog, &stale) {
                    connecting.on_request_failed(failure.clone());
                }
                stale
            }
            (_, Ok(Response::Aliases(aliases))) => {
                self.account.aliases = Loadable::Ready(aliases);
                self.account.index_aliases();
                self.update_key_rows();
                None
            }
            (Call::Aliases, Err(failure)) => store_result(Err(failure), &mut self.account.aliases),
            (call, Ok(Response::Keys { page, next })) => return self.on_keys_loaded(&call, page, next),
            (Call::Keys(_), Err(failure)) => {
                self.account.has_more_keys = false;
                store_result(Err(failure), &mut self.account.keys)
            }
            (_, Ok(Response::Key(received))) => {
                let changes = self.account.replace_key(*received);
                self.update_changed_key_rows(&changes);
                None
            }
            (_, Ok(Response::ChangedKeys(changed))) => {
                self.on_changed_keys_loaded(changed);
                None
            }
            (Call::ChangedKeys { .. }, Err(failure)) => {
                self.on_changed_keys_failed();
                Some(failure)
            }
            (_, Ok(Response::AllTags(tags))) => {
                self.account.tags = Loadable::Ready(tags);
                self.update_key_rows();
                None
            }
            (Call::AllTags(_), Err(failure)) => store_result(Err(failure), &mut self.account.tags),
            (call, result) => self.on_page_response(call, result),
        };
        self.update_key_menu();
        if self.location == Location::Xray {
            self.flows.update_rows(&self.account);
        }
        if self.location == Location::ExternalKeys {
            self.external_keys.update_rows(&self.account);
        }
        if let Some(wizard) = &mut self.wizard {
            wizard.refresh_tables(&self.account);
        }
        if let Some(failure) = stale {
            self.show_failure(&failure);
        }
        effects
    }

    /// Remembers the details of a failure, so that the user can view them.
    fn remember_failure(&mut self, result: &Result<Response, CallFailure>) {
        let result = match result {
            Ok(Response::KeyTried(trial)) => trial.outcome.as_ref().map(|_| None),
            Ok(other) => Ok(Some(other)),
            Err(failure) => Err(failure),
        };
        match result {
            Err(CallFailure { code, message, request_id })
            | Ok(Some(Response::Submission(SubmissionResponse::Failed(submission::SubmissionFailure {
                code,
                message,
                request_id,
                ..
            })))) => {
                let (code, message, request_id) = (code.clone(), message.clone(), request_id.clone());
                self.last_error = Some(TextView::of_error(ErrorDetails { code, message, request_id }));
            }
            Ok(_) => {}
        }
    }

    fn on_file_read(&mut self, result: Result<Response, CallFailure>) -> Vec<Effect> {
        let file =
            result.map(|response| if let Response::FileRead(text) = response { text } else { SecretString::default() });
        if let Some(Dialog::Task(dialog)) = &mut self.dialog {
            dialog.on_file_loaded(&file);
        }
        Vec::new()
    }

    fn on_file_written(&mut self, result: Result<Response, CallFailure>) -> Vec<Effect> {
        // The text view would cover the message.
        self.text_view = None;
        match result {
            Ok(Response::FileWritten(path)) => {
                self.flashes.push(Flash::success("Saved", format!("Saved to {path}.")));
            }
            Ok(_) => {}
            Err(failure) => self.show_failure(&failure),
        }
        Vec::new()
    }

    fn permissions_answered(&mut self, result: Result<Response, CallFailure>) -> Vec<Effect> {
        let missing = result.map(|reply| if let Response::Permissions(missing) = reply { missing } else { Vec::new() });
        if let Some(wizard) = &mut self.wizard {
            wizard.on_permissions_loaded(missing);
        }
        Vec::new()
    }

    /// Handles a response for the current page. Returns the failure if the page keeps its data, so that it is shown as
    /// a message.
    fn on_page_response(&mut self, call: Call, result: Result<Response, CallFailure>) -> Option<CallFailure> {
        match (call, result) {
            (Call::KeyPolicy(id), result) if id == self.key.key_id => {
                let text = result.map(|reply| if let Response::KeyPolicy(text) = reply { text } else { String::new() });
                store_result(text, &mut self.key.policy)
            }
            (Call::KeyTags(id), result) if id == self.key.key_id => {
                let tags = result.map(|reply| if let Response::KeyTags(tags) = reply { tags } else { Vec::new() });
                store_result(tags, &mut self.key.tags)
            }
            (Call::ExternalKey { custom_key_store_id, xks_key_id }, result)
                if self.key.has_external_key(&custom_key_store_id, &xks_key_id, &self.account) =>
            {
                self.key.external_key = match result {
                    Ok(Response::ExternalKey(external)) => Loadable::Ready(external),
                    Ok(_) => Loadable::Idle,
                    Err(failure) => Loadable::Failed(failure.message),
                };
                None
            }
            (_, Ok(Response::ExternalKeys(partitions))) => {
                if let Some(wizard) = &mut self.wizard {
                    wizard.on_external_keys_loaded(Ok(partitions.clone()));
                }
                self.external_keys.on_external_keys_loaded(partitions, &self.account);
                None
            }
            (Call::ExternalKeys, Err(failure)) => {
                if let Some(wizard) = &mut self.wizard {
                    wizard.on_external_keys_loaded(Err(failure.code.clone()));
                }
                self.external_keys.on_load_failed(&failure);
                None
            }
            (_, Ok(Response::Workloads(workloads))) => {
                self.workloads.on_loaded(workloads);
                None
            }
            (Call::Workloads, Err(failure)) => {
                self.workloads.on_load_failed(&failure);
                None
            }
            (_, Ok(Response::ProxyFaults(faults))) => {
                self.proxy_fault_list.on_loaded(faults);
                None
            }
            (Call::ProxyFaults, Err(failure)) => {
                self.proxy_fault_list.on_load_failed(&failure);
                None
            }
            (call, Ok(Response::Events { page, next })) => {
                self.events.on_events_loaded(call == Call::Events(None), page, next);
                None
            }
            (Call::Events(_), Err(failure)) => self.events.on_load_failed(&failure).then_some(failure),
            (Call::Metrics { custom_key_store_id: id, .. }, result) if id == self.key_store.store_id => {
                let received =
                    result.map(
                        |reply| if let Response::Metrics(received) = reply { *received } else { Monitoring::default() },
                    );
                store_result(received, &mut self.key_store.monitoring)
            }
            (_, Ok(Response::ProxyRequests(requests))) => {
                self.event.proxy_requests = Loadable::Ready(requests);
                None
            }
            (Call::ProxyRequests(_), Err(failure)) => {
                self.event.proxy_requests = Loadable::Failed(failure.message);
                None
            }
            _ => None,
        }
    }

    /// Updates all rows of the lists of keys.
    fn update_key_rows(&mut self) {
        self.keys.update_rows(&self.account);
        self.aws_keys.update_rows(&self.account);
    }

    /// Updates the rows of keys that were replaced, removed, or added.
    pub(super) fn update_changed_key_rows(&mut self, [customer_managed, aws_managed]: &[RowChanges; 2]) {
        self.keys.update_changed_rows(customer_managed, &self.account);
        self.aws_keys.update_changed_rows(aws_managed, &self.account);
    }

    /// Handles a page of keys. The first load shows each page as it arrives. A reload keeps the old list until the new
    /// one is complete.
    fn on_keys_loaded(&mut self, call: &Call, page: Vec<KeySummary>, next: Option<String>) -> Vec<Effect> {
        if *call == Call::Keys(None) {
            self.incoming_keys.clear();
        }
        self.incoming_keys.extend(page);
        let is_complete = next.is_none();
        if is_complete || !self.account.has_all_keys {
            let here = self.keys.current(&self.account);
            let is_first = self.account.keys.ready().is_none();
            let received: Vec<KeySummary> = std::mem::take(&mut self.incoming_keys);
            let (aws, ours): (LoadedKeys, LoadedKeys) =
                received.into_iter().partition(|key| key.key_manager == KeyManagerType::Aws);
            match &mut self.account.keys {
                Loadable::Ready(keys) if !self.account.has_all_keys && *call != Call::Keys(None) => {
                    keys.extend(ours);
                    self.account.aws_managed_keys.extend(aws);
                    self.keys.append_rows(&self.account);
                    self.aws_keys.append_rows(&self.account);
                }
                keys => {
                    (*keys, self.account.aws_managed_keys) = (Loadable::Ready(ours), aws);
                    self.update_key_rows();
                    if let Some(here) = here {
                        self.keys.move_cursor_to(&here, &self.account);
                    }
                }
            }
            if let (true, Loadable::Ready(keys)) = (is_complete, &mut self.account.keys) {
                keys.shrink_to_fit();
            }
            self.account.has_all_keys |= is_complete;
            if let (true, Location::Key(id)) = (is_first, self.location.clone()) {
                return self.navigate(Location::Key(id));
            }
        }
        self.account.has_more_keys = !is_complete;
        next.map(|marker| self.request(Call::Keys(Some(marker)))).into_iter().collect()
    }

    /// Handles a page of users or roles. A failure is shown in the list.
    fn on_principals_loaded(
        &mut self,
        kind: PrincipalKind,
        marker: Option<String>,
        result: Result<Response, CallFailure>,
    ) -> Vec<Effect> {
        let here = self.wizard.as_ref().map(|wizard| wizard.principals_at_cursor(&self.account));
        match result {
            Ok(Response::Principals { page, next }) => {
                self.account.principals.on_page_loaded(kind, marker.is_none(), page, next);
            }
            Ok(_) => {}
            Err(failure) => {
                self.account.principals.on_page_failed(kind, marker, format!("{}: {}", failure.code, failure.message));
            }
        }
        if let (Some(wizard), Some(here)) = (&mut self.wizard, here) {
            wizard.refresh_tables_keeping_cursors(&here, &self.account);
        }
        Vec::new()
    }

    pub(super) fn show_failure(&mut self, failure: &CallFailure) {
        self.show_error(&failure.code, &failure.message);
    }

    /// Handles the response to a change. If its dialog is closed, a message shows the result.
    fn on_change_response(&mut self, result: Result<Response, CallFailure>) -> Vec<Effect> {
        let outcome =
            result.map(|reply| if let Response::Changed(outcome) = reply { outcome } else { ChangeOutcome::Done });
        match (&mut self.dialog, outcome) {
            (Some(Dialog::Task(task)), outcome) if task.is_sending() => {
                let events = task.on_response(outcome);
                events.into_iter().flat_map(|event| self.handle_dialog_event(event)).collect()
            }
            (_, Ok(_)) => self.on_change_succeeded("The change is complete.".to_owned()),
            (_, Err(failure)) => {
                self.show_failure(&failure);
                Vec::new()
            }
        }
    }
}
