//! The console opened for one key: the wizard is there at once, filled in, and the console ends with it.

use super::App;
use crate::create_key::draft::KeyDraft;
use crate::create_key::store_lookup;
use crate::create_key::submission::Submission;
use crate::tui::effect::Effect;
use crate::tui::pages::Location;
use crate::tui::wizard::Wizard;

/// What the console was opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SingleKeySession {
    /// The ID or the name of the external key store.
    requested_store: Option<String>,
    is_store_pending: bool,
}

impl App {
    /// Opens the wizard with what was said beforehand; a key for an external key store gets the one that has the ID or the name
    /// `wanted`, or the only one there is. The console ends when the wizard is left or the key is made.
    pub fn start_single_key_session(&mut self, draft: KeyDraft, wanted: Option<String>) {
        let is_store_sought = draft.is_external();
        self.wizard = Some(Wizard::prefilled(draft, &self.account));
        self.location = Location::CreateKey;
        self.single_key_session = Some(SingleKeySession { requested_store: wanted, is_store_pending: is_store_sought });
    }

    /// How far the key is made that the wizard is for.
    pub fn submission(&self) -> Option<&Submission> {
        self.wizard.as_ref().map(|wizard| &wizard.submission)
    }

    /// The stores are known: the one that is wanted is chosen, unless the person has chosen meanwhile.
    pub(super) fn select_requested_store(&mut self) {
        let (Some(session), Some(wizard)) = (&mut self.single_key_session, &mut self.wizard) else { return };
        if !std::mem::take(&mut session.is_store_pending) || wizard.draft.custom_key_store_id.is_some() {
            return;
        }
        match store_lookup::find_key_store(session.requested_store.as_deref(), &self.account) {
            Ok(store) => wizard.preselect_store(store.custom_key_store_id.clone(), &self.account),
            // With none named the person has yet to choose.
            Err(store_lookup::StoreLookupError::Ambiguous { .. }) => {}
            Err(error) => self.show_error("--custom-key-store-id", &error.to_string()),
        }
    }

    /// The end of the console, when it was opened for what is over now.
    pub(super) fn end_single_key_session(&self) -> Option<Vec<Effect>> {
        self.single_key_session.is_some().then(|| vec![Effect::Quit])
    }
}
