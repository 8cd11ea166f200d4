//! Saves the draft of the wizard to disk and resumes saved drafts.

use crossterm::event::{KeyCode, KeyEvent};

use super::{App, Dialog, Flash};
use crate::create_key::method::Method;
use crate::create_key::submission::{self, SubmissionFailure, SubmissionResponse};
use crate::drafts::{DraftRequest, DraftResponse, DraftTarget, SavedDraft};
use crate::tui::drafts::{DraftList, DraftListEvent};
use crate::tui::effect::{Call, Effect};
use crate::tui::keymap::Action;
use crate::tui::pages::Location;
use crate::tui::wizard::Wizard;

impl App {
    /// Enables saving drafts, and saves what the wizard already contains. `session` is the prefix of new draft names and
    /// must be unique to this console.
    pub fn enable_drafts(&mut self, target: DraftTarget, session: String) -> Vec<Effect> {
        self.drafts.target = Some((target, session));
        let mut effects = self.sync_draft();
        effects.push(Effect::Draft(DraftRequest::List));
        effects
    }

    /// Returns the effects that save the current state of the wizard.
    pub(super) fn sync_draft(&mut self) -> Vec<Effect> {
        let is_sending = self.wizard.as_ref().is_some_and(|wizard| wizard.submission.is_sending());
        if shows_drafts(&self.location) && self.drafts.is_saved() && !is_sending && self.single_key_session.is_none() {
            // The user left the wizard through navigation, for example by way of *API calls*. The wizard of a
            // single-key session stays, because its end reports the result.
            self.wizard = None;
        }
        match &self.wizard {
            Some(wizard) if wizard.has_unsaved_changes() => {
                let save = self.drafts.save(wizard, &self.account, None);
                save.map(Effect::Draft).into_iter().collect()
            }
            Some(_) => then_refresh(self.drafts.discard()),
            None => then_refresh(self.drafts.close()),
        }
    }

    /// Sends a stage of creating a key. A request that must not be sent twice waits until the draft records that it is
    /// sent.
    pub(super) fn submit(&mut self, call: submission::SubmissionRequest) -> Vec<Effect> {
        let is_once =
            matches!(call, submission::SubmissionRequest::CreateKey(_) | submission::SubmissionRequest::CreateAlias(_));
        let ticket = self.last_id + 1;
        let wizard = self.wizard.as_ref().filter(|_| is_once && !self.drafts.allow_unsaved);
        let Some(request) = wizard.and_then(|wizard| self.drafts.save(wizard, &self.account, Some(ticket))) else {
            return vec![self.request(Call::Submission(call))];
        };
        self.last_id = ticket;
        self.drafts.deferred_request = Some((ticket, call));
        vec![Effect::Draft(request)]
    }

    /// Handles a response about the drafts.
    pub(super) fn on_draft_response(&mut self, response: DraftResponse) -> Vec<Effect> {
        match response {
            DraftResponse::Listed(Ok(list)) => self.drafts.list = list,
            DraftResponse::Listed(Err(reason)) => {
                self.show_error(
                    "Couldn't read drafts",
                    &format!("The console can't list your saved drafts: {reason}."),
                );
            }
            DraftResponse::Saved { ticket: Some(ticket), result } => return self.on_draft_saved(ticket, result),
            DraftResponse::Saved { ticket: None, result } => self.report_save_result(result),
            DraftResponse::Opened(name, Ok(saved)) => return self.resume_draft(name, *saved),
            DraftResponse::Opened(name, Err(reason)) => {
                if self.is_opening_draft(&name) {
                    self.dialog = None;
                }
                self.show_error("Couldn't open draft", &reason);
                return vec![Effect::Draft(DraftRequest::List)];
            }
            DraftResponse::DiscardFailed(reason) => self.show_error("Couldn't discard draft", &reason),
        }
        Vec::new()
    }

    /// Shows a save failure once, until saving succeeds again.
    fn report_save_result(&mut self, result: Result<(), String>) {
        match result {
            Ok(()) => self.drafts.save_failure = None,
            Err(reason) if self.drafts.save_failure.is_none() => {
                self.show_error(
                    "Couldn't save draft",
                    &format!("The console couldn't save your entries: {reason}. If you quit now, you lose them."),
                );
                self.drafts.save_failure = Some(reason);
            }
            Err(_) => {}
        }
    }

    /// Sends the deferred request after its draft is saved. If saving failed, asks the user before sending CreateKey.
    fn on_draft_saved(&mut self, ticket: u64, result: Result<(), String>) -> Vec<Effect> {
        let Some((_, call)) = self.drafts.deferred_request.take_if(|(held, _)| *held == ticket) else {
            return Vec::new();
        };
        match (&call, result) {
            (submission::SubmissionRequest::CreateKey(_), Err(reason)) => {
                self.drafts.save_failure = Some(reason.clone());
                self.drafts.deferred_request = Some((ticket, call));
                self.dialog = Some(Dialog::ConfirmUnsaved { reason, is_confirm_focused: false });
                Vec::new()
            }
            (_, result) => {
                self.report_save_result(result);
                vec![self.request(Call::Submission(call))]
            }
        }
    }

    pub(super) fn handle_unsaved_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(Dialog::ConfirmUnsaved { reason, is_confirm_focused }) = &mut self.dialog else { return Vec::new() };
        match key.code {
            KeyCode::Tab | KeyCode::BackTab | KeyCode::Left | KeyCode::Right => {
                *is_confirm_focused = !*is_confirm_focused;
            }
            KeyCode::Enter | KeyCode::Char(' ') if *is_confirm_focused => {
                self.dialog = None;
                let held = self.drafts.deferred_request.take();
                // A saved draft would claim that nothing was sent, so discard it.
                let mut effects = then_refresh(self.drafts.discard());
                self.drafts.allow_unsaved = true;
                effects.extend(held.map(|(_, call)| self.request(Call::Submission(call))));
                return effects;
            }
            KeyCode::Enter | KeyCode::Char(' ') | KeyCode::Esc => {
                let failure = not_sent_failure(SubmissionFailure::NOT_SAVED, reason);
                self.dialog = None;
                self.drafts.deferred_request = None;
                return self.apply_submission_response(SubmissionResponse::Failed(failure));
            }
            _ => {}
        }
        Vec::new()
    }

    /// Leaves the wizard and keeps its saved draft.
    pub(super) fn defer_wizard(&mut self) -> Vec<Effect> {
        // A single-key session ends with the wizard, so its draft stays open.
        if let Some(end) = self.end_single_key_session() {
            return end;
        }
        let name = self.wizard.as_ref().map(|wizard| wizard.draft.alias.clone()).filter(|alias| !alias.is_empty());
        let mut effects = then_refresh(self.drafts.close());
        effects.extend(self.leave_wizard());
        let name = name.map(|name| format!(" for {name}")).unwrap_or_default();
        let key = self.keymap.label_of(Action::Drafts);
        let text = format!("Your draft{name} is saved. Press {key} to resume or discard it.");
        self.flashes.push(Flash::success("Draft saved", text));
        effects
    }

    /// Shows the list of drafts. `begin` also offers to start a new wizard.
    pub(super) fn show_drafts(&mut self, begin: Option<Method>) -> Vec<Effect> {
        self.dialog = Some(Dialog::Drafts(DraftList::new(begin)));
        vec![Effect::Draft(DraftRequest::List)]
    }

    pub(super) fn handle_drafts_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let Some(Dialog::Drafts(list)) = &mut self.dialog else { return Vec::new() };
        match list.handle_key(key, &self.drafts, &self.account) {
            DraftListEvent::Handled => Vec::new(),
            DraftListEvent::Close => {
                self.dialog = None;
                Vec::new()
            }
            DraftListEvent::CreateNew(method) => {
                self.dialog = None;
                self.show_wizard(Wizard::new(method, &self.account))
            }
            DraftListEvent::Open(_) if self.wizard.is_some() => {
                // The current wizard is still sending, so return to it.
                self.dialog = None;
                self.location = Location::CreateKey;
                Vec::new()
            }
            DraftListEvent::Open(name) => vec![Effect::Draft(DraftRequest::Open(name))],
            DraftListEvent::Discard(name) => then_refresh(Some(DraftRequest::Discard(name))),
        }
    }

    /// Returns whether the user is waiting for this draft to open. The list may be closed by now.
    fn is_opening_draft(&self, name: &str) -> bool {
        matches!(&self.dialog, Some(Dialog::Drafts(list)) if list.opening.as_deref() == Some(name))
    }

    /// Resumes a draft in the wizard.
    fn resume_draft(&mut self, name: String, saved: SavedDraft) -> Vec<Effect> {
        let is_here = self.drafts.scope(&self.account).is_some_and(|here| saved.place.is_available_in(&here));
        if !is_here || !self.is_opening_draft(&name) {
            return then_refresh(Some(DraftRequest::Close(name)));
        }
        self.dialog = None;
        let wizard = Wizard::from_saved(&saved, &self.account);
        let effects = self.show_wizard(wizard);
        self.drafts.on_opened(name, saved);
        effects
    }
}

/// Returns the effects for a request, followed by a reload of the list of drafts.
pub(super) fn then_refresh(request: Option<DraftRequest>) -> Vec<Effect> {
    request.map(|request| [request, DraftRequest::List].map(Effect::Draft).to_vec()).unwrap_or_default()
}

/// Returns the failure of a stage that was not sent.
pub(super) fn not_sent_failure(code: &str, reason: &str) -> submission::SubmissionFailure {
    let (code, message) = (code.to_owned(), reason.to_owned());
    submission::SubmissionFailure { code, message, request_id: String::new(), outcome_unknown: false }
}

/// Returns whether a page shows drafts. These are the pages that can start a wizard.
pub fn shows_drafts(location: &Location) -> bool {
    matches!(location, Location::KeyStores | Location::KeyStore(_) | Location::Keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::draft::KeyDraft;
    use crate::tui::effect::Msg;
    use crate::tui::target::Target;

    fn empty_draft() -> KeyDraft {
        KeyDraft::new(&Method::FromCustomerManagedKeys)
    }

    #[test]
    fn prefilled_wizard_is_saved_as_soon_as_drafts_are_enabled() {
        let (mut app, _) = App::new(Target::Bundled, "eu-central-1");
        app.start_single_key_session(KeyDraft { alias: "payments".to_owned(), ..empty_draft() }, None);
        let effects = app.enable_drafts(DraftTarget::Bundled("/data".to_owned()), "a".to_owned());
        let Some(Effect::Draft(DraftRequest::Save { saved, .. })) = effects.first() else { panic!("{effects:?}") };
        assert_eq!(saved.draft.alias, "payments");
        // Leaving is the first thing that happens, so nothing else would have saved it.
        assert_eq!(app.update(Msg::Key(KeyCode::Esc.into())), [Effect::Quit]);
    }

    #[test]
    fn unchanged_wizard_is_not_saved() {
        let (mut app, _) = App::new(Target::Bundled, "eu-central-1");
        app.start_single_key_session(empty_draft(), None);
        let effects = app.enable_drafts(DraftTarget::Bundled("/data".to_owned()), "a".to_owned());
        assert_eq!(effects, [Effect::Draft(DraftRequest::List)]);
    }
}
