//! A console session that creates a single key: it starts in a prefilled wizard and ends with it.

use super::App;
use crate::create_key::draft::KeyDraft;
use crate::create_key::store_lookup;
use crate::create_key::submission::Submission;
use crate::tui::effect::Effect;
use crate::tui::pages::Location;
use crate::tui::wizard::Wizard;

/// The session that creates a single key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleKeySession {
    /// The ID or name of the requested external key store.
    requested_store: Option<String>,
    is_store_pending: bool,
}

impl App {
    /// Opens the wizard with a prefilled draft. If the key is for an external key store, selects the key store with the
    /// ID or name `requested_store`, or the only key store. The session ends when the user leaves the wizard or the key
    /// is created.
    pub fn start_single_key_session(&mut self, draft: KeyDraft, requested_store: Option<String>) {
        let is_store_pending = draft.is_external();
        self.wizard = Some(Wizard::prefilled(draft, &self.account));
        self.location = Location::CreateKey;
        self.single_key_session = Some(SingleKeySession { requested_store, is_store_pending });
    }

    /// Returns the progress of creating the key in the wizard.
    pub fn submission(&self) -> Option<&Submission> {
        self.wizard.as_ref().map(|wizard| &wizard.submission)
    }

    /// Selects the requested key store after the key stores are loaded, unless the user has already selected one.
    pub(super) fn select_requested_store(&mut self) {
        let (Some(session), Some(wizard)) = (&mut self.single_key_session, &mut self.wizard) else { return };
        if !std::mem::take(&mut session.is_store_pending) || wizard.draft.custom_key_store_id.is_some() {
            return;
        }
        match store_lookup::find_key_store(session.requested_store.as_deref(), &self.account) {
            Ok(store) => wizard.preselect_store(store.custom_key_store_id.clone(), &self.account),
            // Without a requested key store, the user chooses one.
            Err(store_lookup::StoreLookupError::Ambiguous { .. }) => {}
            Err(error) => self.show_error("--custom-key-store-id", &error.to_string()),
        }
    }

    /// Returns the effect that ends the console, if this is a single-key session.
    pub(super) fn end_single_key_session(&self) -> Option<Vec<Effect>> {
        self.single_key_session.is_some().then(|| vec![Effect::Quit])
    }
}
