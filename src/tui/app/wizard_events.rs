//! Opens and leaves the wizard, and handles its events and the responses to its submission.

use super::drafts::{not_sent_failure, then_refresh};
use super::navigation::CANCELED;
use super::{App, Dialog};
use crate::aws::kms::ConnectionState;
use crate::create_key::account_state::Loadable;
use crate::create_key::draft::KeyDraft;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::method::Method;
use crate::create_key::submission::{self, Submission, SubmissionResponse};
use crate::tui::dialogs::FormKind;
use crate::tui::dialogs::connect::AfterConnect;
use crate::tui::effect::{Call, CallFailure, Effect, Response};
use crate::tui::flash::{Flash, Link};
use crate::tui::keymap::Action;
use crate::tui::pages::Location;
use crate::tui::preferences::SavedChange;
use crate::tui::widgets::scroll::ScrollState;
use crate::tui::wizard::{self, Wizard};

impl App {
    /// Opens the wizard for a key store. A disconnected key store is connected first.
    pub(super) fn start_create_key(&mut self, store_id: String) -> Vec<Effect> {
        let stores = self.account.key_stores.ready().map_or(&[][..], Vec::as_slice);
        let is_connected = stores
            .iter()
            .any(|store| store.custom_key_store_id == store_id && store.connection_state == ConnectionState::Connected);
        if !is_connected {
            return self.open_connect_dialog(&store_id, AfterConnect::CreateKey);
        }
        self.open_wizard(Method::FromKeyStore { custom_key_store_id: store_id })
    }

    /// Opens the wizard at its first step. If there are drafts to resume, offers those first.
    pub(super) fn open_wizard(&mut self, method: Method) -> Vec<Effect> {
        // Return to a wizard that the user left through navigation while it was sending or not saved.
        if self.wizard.is_some() && self.drafts.target.is_some() {
            self.location = Location::CreateKey;
            return Vec::new();
        }
        if self.drafts.resumable(&self.account).is_empty() {
            return self.show_wizard(Wizard::new(method, &self.account));
        }
        self.show_drafts(Some(method))
    }

    /// Opens the wizard with a draft that is like the KMS key `source`.
    pub(super) fn open_filled_in_wizard(&mut self, method: Method, draft: KeyDraft, source: &str) -> Vec<Effect> {
        // A wizard that the user left through navigation while it was sending or not saved isn't replaced.
        let is_sending = self.wizard.as_ref().is_some_and(|wizard| wizard.submission.is_sending());
        if self.wizard.is_some() && (is_sending || !self.drafts.is_saved() || self.single_key_session.is_some()) {
            self.location = Location::CreateKey;
            self.show_error(
                "Finish this KMS key first",
                "Its request is being sent, or its draft isn't saved. Finish or leave the wizard, then try again.",
            );
            return Vec::new();
        }
        let close = then_refresh(self.drafts.close());
        let wizard = Wizard::filled_in(method, draft, &self.account);
        let effects = close.into_iter().chain(self.show_wizard(wizard)).collect();
        let text = format!("This draft copies the settings of {source}. Review them, and enter the missing values.");
        self.flashes.push(Flash::success("Filled in", text));
        effects
    }

    /// Shows a wizard.
    pub(super) fn show_wizard(&mut self, mut wizard: Wizard) -> Vec<Effect> {
        self.flashes.clear();
        wizard.set_used_external_key_ids(self.used_external_key_ids.clone());
        self.wizard = Some(wizard);
        self.location = Location::CreateKey;
        let mut fresh = if self.keys_stay_current() { Vec::new() } else { vec![Call::Aliases, Call::Keys(None)] };
        fresh.extend([Call::Users(None), Call::Roles(None)]);
        fresh.into_iter().map(|call| self.request(call)).collect()
    }

    pub(super) fn handle_wizard_event(&mut self, event: wizard::WizardEvent) -> Vec<Effect> {
        match event {
            wizard::WizardEvent::Request(Call::Submission(call)) => {
                let used = self.add_used_external_key_id(&call);
                self.submit(call).into_iter().chain(used).collect()
            }
            wizard::WizardEvent::Request(Call::Identity) => self.request_missing_identity().into_iter().collect(),
            wizard::WizardEvent::Request(call) => vec![self.request(call)],
            wizard::WizardEvent::Connect(store_id, afterwards) => self.open_connect_dialog(&store_id, afterwards),
            wizard::WizardEvent::Copy(what, text) => self.copy(what, text),
            wizard::WizardEvent::CreateKeyStore => self.open_task(FormKind::CreateKeyStore),
            wizard::WizardEvent::ShowHelp(field) => {
                let bindings = self.bindings().filter(|binding| binding.action == Action::EditText).collect();
                self.dialog = Some(Dialog::FieldHelp { field, bindings, scroll: ScrollState::default() });
                Vec::new()
            }
            wizard::WizardEvent::StopWaiting => self.cancel_submission(),
            wizard::WizardEvent::Leave { has_unsaved_changes: true } if !self.has_unsaved_changes() => {
                self.defer_wizard()
            }
            wizard::WizardEvent::Leave { has_unsaved_changes: true } => {
                self.dialog = Some(Dialog::ConfirmDiscard { is_confirm_focused: false, quits: false, form: None });
                Vec::new()
            }
            wizard::WizardEvent::Leave { has_unsaved_changes: false } => self.leave_wizard(),
            wizard::WizardEvent::Finished => self.on_key_created(),
        }
    }

    /// Remembers the external key ID of a CreateKey request, and returns the effect that saves it.
    fn add_used_external_key_id(&mut self, call: &submission::SubmissionRequest) -> Option<Effect> {
        let submission::SubmissionRequest::CreateKey(request) = call else { return None };
        let (custom_key_store_id, xks_key_id) = (request.custom_key_store_id.clone()?, request.xks_key_id.clone()?);
        let mut used = std::mem::take(&mut self.used_external_key_ids);
        used.add(&custom_key_store_id, &xks_key_id);
        self.set_used_external_key_ids(used);
        Some(Effect::Save(SavedChange::UsedExternalKeyId { custom_key_store_id, xks_key_id }))
    }

    /// Cancels the current stage of creating a key. A late response is ignored.
    fn cancel_submission(&mut self) -> Vec<Effect> {
        self.pending_calls.retain(|_, call| !matches!(call, Call::Submission(_)));
        let failure = match self.drafts.deferred_request.take() {
            Some(_) => not_sent_failure(
                submission::SubmissionFailure::NOT_SAVED,
                "You canceled the request before the draft was saved.",
            ),
            None => submission::SubmissionFailure { outcome_unknown: true, ..not_sent_failure("Canceled", CANCELED) },
        };
        self.apply_submission_response(SubmissionResponse::Failed(failure))
    }

    /// Returns whether leaving the wizard would lose changes that aren't saved in a draft.
    pub(super) fn has_unsaved_changes(&self) -> bool {
        !self.drafts.is_saved() && self.wizard.as_ref().is_some_and(Wizard::has_unsaved_changes)
    }

    pub(super) fn leave_wizard(&mut self) -> Vec<Effect> {
        if let Some(end) = self.end_single_key_session() {
            return end;
        }
        match self.wizard.take().map(|wizard| wizard.method) {
            Some(Method::FromKeyStore { custom_key_store_id }) => {
                self.navigate(Location::KeyStore(custom_key_store_id))
            }
            _ => self.navigate(Location::Keys),
        }
    }

    pub(super) fn on_submission_response(&mut self, result: Result<Response, CallFailure>) -> Vec<Effect> {
        let answer = match result {
            Ok(Response::Submission(answer)) => answer,
            Ok(_) => return Vec::new(),
            Err(failure) => SubmissionResponse::Failed(submission::SubmissionFailure {
                code: failure.code,
                message: failure.message,
                request_id: failure.request_id,
                outcome_unknown: true,
            }),
        };
        let is_refused = self.wizard.is_some()
            && matches!(&answer, SubmissionResponse::Failed(failure) if failure.code != CallFailure::NO_CREDENTIALS);
        let mut effects = self.apply_submission_response(answer);
        if is_refused {
            // The data that the draft was validated against is outdated, or AWS would have accepted the request. Reload
            // it.
            effects.extend([Call::KeyStores, Call::Keys(None), Call::Aliases].map(|call| self.request(call)));
        }
        effects
    }

    /// Passes a response to the wizard.
    pub(super) fn apply_submission_response(&mut self, answer: SubmissionResponse) -> Vec<Effect> {
        let events =
            self.wizard.as_mut().map(|wizard| wizard.on_submission_response(answer, &self.account)).unwrap_or_default();
        events.into_iter().flat_map(|event| self.handle_wizard_event(event)).collect()
    }

    /// Shows the created key in *Customer managed keys*, with a success message.
    pub(super) fn on_key_created(&mut self) -> Vec<Effect> {
        let mut effects = then_refresh(self.drafts.discard());
        if let Some(end) = self.end_single_key_session() {
            effects.extend(end);
            return effects;
        }
        let Some(wizard) = self.wizard.take() else { return Vec::new() };
        let Submission::Done { key } = wizard.submission else { return Vec::new() };
        let text = format!("Your AWS KMS key was created with alias {} and key ID {}.", wizard.draft.alias, key.key_id);
        let view = Link::Page("View key", Location::Key(key.key_id.clone()));
        let trial = Link::TryKey("Try it", key.key_id.clone());
        self.flashes = vec![Flash::success("Success", text).with_link(view).with_link(trial)];
        let key_id = key.key_id.clone();
        if let Loadable::Ready(keys) = &mut self.account.keys {
            let listed: Vec<usize> = keys.row_of(&key_id).into_iter().collect();
            keys.remove_rows(&listed);
            keys.extend([KeySummary::from(*key)]);
        } else {
            self.account.keys = Loadable::Ready([KeySummary::from(*key)].into_iter().collect());
        }
        effects.extend(self.navigate(Location::Keys));
        self.keys.update_rows(&self.account);
        self.keys.move_cursor_to(&key_id, &self.account);
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::CreateKey;
    use crate::tui::target::Target;

    fn request(xks_key_id: Option<&str>) -> wizard::WizardEvent {
        let request = CreateKey {
            custom_key_store_id: xks_key_id.map(|_| "cks-1".to_owned()),
            xks_key_id: xks_key_id.map(str::to_owned),
            ..CreateKey::default()
        };
        wizard::WizardEvent::Request(Call::Submission(submission::SubmissionRequest::CreateKey(Box::new(request))))
    }

    #[test]
    fn external_key_id_is_saved_when_a_kms_key_is_requested_with_it() {
        let (mut app, _) = App::new(Target::Aws, "us-west-2");
        let effects = app.handle_wizard_event(request(Some("payments-2026")));
        let saved = Effect::Save(SavedChange::UsedExternalKeyId {
            custom_key_store_id: "cks-1".to_owned(),
            xks_key_id: "payments-2026".to_owned(),
        });
        assert_eq!(effects.last(), Some(&saved));
        assert_eq!(app.used_external_key_ids.of("cks-1"), ["payments-2026"]);
        let effects = app.handle_wizard_event(request(None));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Save(_))));
    }

    #[test]
    fn identity_is_requested_again_only_if_it_is_missing_and_not_on_its_way() {
        let (mut app, _) = App::new(Target::Aws, "us-west-2");
        let request = |app: &mut App| app.handle_wizard_event(wizard::WizardEvent::Request(Call::Identity));
        assert_eq!(request(&mut app), [], "the first request is on its way");
        app.pending_calls.clear();
        assert!(matches!(request(&mut app)[..], [Effect::Call(_, Call::Identity)]));
        assert_eq!(request(&mut app), [], "an impatient second Enter sends nothing");
        app.pending_calls.clear();
        app.account.account_id = "111122223333".to_owned();
        assert_eq!(request(&mut app), []);
    }

    #[test]
    fn wizard_shows_no_error_if_external_keys_cannot_be_listed() {
        let (mut app, _) = App::new(Target::Aws, "us-west-2");
        app.show_wizard(Wizard::new(Method::FromCustomerManagedKeys, &app.account));
        let failure =
            CallFailure { code: "NotAvailable".to_owned(), message: String::new(), request_id: String::new() };
        app.on_response(Call::ExternalKeys, Err(failure));
        assert!(app.flashes.is_empty() && app.last_error.is_none());
    }
}
