//! Handles responses about key stores, and polls key stores that change their connection state.

use super::{App, Dialog};
use crate::aws::kms::CustomKeyStore;
use crate::create_key::account_state::Loadable;
use crate::tui::effect::{Call, CallFailure, Effect, Response};
use crate::tui::pages::Location;

impl App {
    /// Stores the key stores. The cursor of the list stays on its key store.
    pub(super) fn on_key_stores_received(&mut self, stores: Vec<CustomKeyStore>) -> Vec<Effect> {
        let here = self.key_stores.current(&self.account);
        let names = self.key_store_names();
        self.account.key_stores = Loadable::Ready(stores);
        self.key_stores.update_rows(&self.account);
        if self.key_store_names() != names {
            // They are a column of the keys.
            self.keys.update_rows(&self.account);
        }
        if let Some(here) = here {
            self.key_stores.move_cursor_to(&here, &self.account);
        }
        if let Some(wizard) = &mut self.wizard {
            wizard.refresh_tables(&self.account);
        }
        self.select_requested_store();
        self.on_key_stores_loaded()
    }

    /// Returns the IDs and names of the key stores.
    fn key_store_names(&self) -> Vec<(String, String)> {
        let stores = self.account.key_stores.ready().into_iter().flatten();
        stores.map(|store| (store.custom_key_store_id.clone(), store.custom_key_store_name.clone())).collect()
    }

    /// Updates the connect dialog with the new connection states, and polls while a visible key store changes its
    /// state.
    fn on_key_stores_loaded(&mut self) -> Vec<Effect> {
        let stores = self.account.key_stores.ready().cloned().unwrap_or_default();
        let mut effects: Vec<Effect> = self.request_missing_identity().into_iter().collect();
        if let Some(Dialog::Connect(connecting)) = &mut self.dialog {
            let store = stores.iter().find(|store| store.custom_key_store_id == connecting.store_id);
            let event = connecting.on_store_loaded(store);
            effects.extend(self.handle_connect_event(event));
        }
        let is_moving = stores.iter().any(|store| store.connection_state.is_transient());
        if is_moving {
            if stores.iter().any(|store| store.connection_state.is_transient() && self.is_store_visible(store)) {
                effects.extend(self.poll_later());
            }
        } else if !self.follows_changes {
            effects.push(self.request(Call::Keys(None)));
        }
        // While a key store changes its state, the key stores are polled every second, but the metrics are not.
        if matches!(self.location, Location::KeyStore(_)) && (!is_moving || self.key_store.monitoring == Loadable::Idle)
        {
            effects.push(self.request(self.key_store.metrics_call()));
        }
        effects
    }

    /// Returns whether the state of a key store is visible on the screen.
    fn is_store_visible(&self, store: &CustomKeyStore) -> bool {
        let id = &store.custom_key_store_id;
        match (&self.dialog, &self.location) {
            (Some(Dialog::Connect(connecting)), _) if connecting.store_id == *id => true,
            (_, Location::KeyStore(shown)) => shown == id,
            (_, location) => matches!(location, Location::KeyStores | Location::CreateKey),
        }
    }

    pub(super) fn on_connection_response(&mut self, result: Result<Response, CallFailure>) -> Vec<Effect> {
        match (&mut self.dialog, result) {
            (Some(Dialog::Connect(connecting)), Ok(_)) => {
                let event = connecting.on_accepted();
                self.handle_connect_event(event)
            }
            (Some(Dialog::Connect(connecting)), Err(failure)) => {
                connecting.on_request_failed(failure);
                Vec::new()
            }
            (_, Ok(_)) => vec![self.request(Call::KeyStores)],
            (_, Err(failure)) => {
                self.show_failure(&failure);
                Vec::new()
            }
        }
    }
}
