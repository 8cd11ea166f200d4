//! The console opened for one key: the wizard is there at once, filled in, and the console ends with it.

use super::App;
use crate::create_key::draft::KeyDraft;
use crate::create_key::submission::Submission;
use crate::create_key::wanted;
use crate::tui::effect::Effect;
use crate::tui::pages::Location;
use crate::tui::wizard::Wizard;

/// What the console was opened for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The ID or the name of the external key store.
    wanted: Option<String>,
    is_store_sought: bool,
}

impl App {
    /// Opens the wizard with what was said beforehand; a key for an external key store gets the one that has the ID or the name
    /// `wanted`, or the only one there is. The console ends when the wizard is left or the key is made.
    pub fn create_one_key(&mut self, draft: KeyDraft, wanted: Option<String>) {
        let is_store_sought = draft.is_external();
        self.wizard = Some(Wizard::prefilled(draft, &self.known));
        self.location = Location::CreateKey;
        self.errand = Some(Errand { wanted, is_store_sought });
    }

    /// How far the key is made that the wizard is for.
    pub fn submission(&self) -> Option<&Submission> {
        self.wizard.as_ref().map(|wizard| &wizard.submission)
    }

    /// The stores are known: the one that is wanted is chosen, unless the person has chosen meanwhile.
    pub(super) fn seek_store(&mut self) {
        let (Some(errand), Some(wizard)) = (&mut self.errand, &mut self.wizard) else { return };
        if !std::mem::take(&mut errand.is_store_sought) || wizard.draft.custom_key_store_id.is_some() {
            return;
        }
        match wanted::find_key_store(errand.wanted.as_deref(), &self.known) {
            Ok(store) => wizard.preselect_store(store.custom_key_store_id.clone(), &self.known),
            // With none named the person has yet to choose.
            Err(wanted::StoreLookupError::Ambiguous { .. }) => {}
            Err(error) => self.tell("--custom-key-store-id", &error.to_string()),
        }
    }

    /// The end of the console, when it was opened for what is over now.
    pub(super) fn end_of_errand(&self) -> Option<Vec<Effect>> {
        self.errand.is_some().then(|| vec![Effect::Quit])
    }
}
