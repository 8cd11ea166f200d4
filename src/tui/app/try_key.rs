//! Opens the *Try it* dialog and handles its responses.

use super::{App, Dialog};
use crate::aws::kms::Origin;
use crate::tui::dialogs::{KeyName, TryKeyDialog, key_name};
use crate::tui::effect::{Call, CallFailure, Effect, Response, Trial};

impl App {
    /// Opens the *Try it* dialog of a key.
    pub(super) fn open_try_key(&mut self, key: KeyName) -> Vec<Effect> {
        let is_external = self.account.key(&key.id).is_some_and(|key| key.origin == Origin::ExternalKeyStore);
        let dialog = TryKeyDialog::new(key, is_external, self.account.is_read_only);
        self.dialog = Some(Dialog::TryKey(Box::new(dialog)));
        Vec::new()
    }

    /// Opens the *Try it* dialog of the key with this ID, if it is loaded.
    pub(super) fn try_key(&mut self, key_id: &str) -> Vec<Effect> {
        let key = self.account.key(key_id).map(|key| key_name(key, &self.account));
        key.map(|key| self.open_try_key(key)).unwrap_or_default()
    }

    /// Handles the response to a request of the dialog. Without the dialog, the response is ignored: nothing changed.
    pub(super) fn on_key_tried(&mut self, result: Result<Response, CallFailure>) -> Vec<Effect> {
        let trial: Result<Trial, CallFailure> = match result {
            Ok(Response::KeyTried(trial)) => Ok(*trial),
            Ok(_) => return Vec::new(),
            Err(failure) => Err(failure),
        };
        match &mut self.dialog {
            Some(Dialog::TryKey(dialog)) if dialog.is_sending() => {
                let events = dialog.on_response(trial);
                events.into_iter().flat_map(|event| self.handle_dialog_event(event)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Ignores the response to a request of the dialog.
    pub(super) fn cancel_trial(&mut self) {
        self.pending_calls.retain(|_, call| !matches!(call, Call::TryKey(_)));
    }
}
