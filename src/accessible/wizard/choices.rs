//! The steps *Configure key* and *Choose external key for this KMS key*.

use super::super::Reply;
use super::fields::Presence;
use super::{Wizard, name};
use crate::aws::kms::Origin;
use crate::create_key::configuration_options::{FIXED_CONFIGURATION, RadioOption, radio_options, selected_index};
use crate::create_key::external_keys::{ExternalKeyOption, external_key_options};
use crate::create_key::field::Field;
use crate::create_key::method::Method;
use crate::tui::effect::{Call, Response};

impl Wizard<'_, '_> {
    pub(super) fn ask_configuration(&mut self) -> Reply<()> {
        if self.state.method == Method::FromCustomerManagedKeys {
            self.ask_option(Field::KeyType)?;
            self.ask_option(Field::KeyUsage)?;
            self.ask_option(Field::Origin)?;
            return if self.state.draft.is_external() { self.ask_acknowledgement() } else { Ok(()) };
        }
        self.say("The key store sets the key configuration.")?;
        for (label, value) in FIXED_CONFIGURATION {
            self.say(&format!("{label}: {value}"))?;
        }
        self.ask_store()?;
        self.ask_external_key_id()?;
        self.ask_acknowledgement()
    }

    pub(super) fn ask_external_key(&mut self) -> Reply<()> {
        self.ask_store()?;
        self.ask_external_key_id()
    }

    /// Asks for the external key ID. Where the external keys can be listed, says which ones are available, and why the
    /// entered one can't be used.
    fn ask_external_key_id(&mut self) -> Reply<()> {
        let field = Field::ExternalKeyId;
        self.introduce(field)?;
        let options = self.external_key_options()?;
        let available: Vec<&str> = options
            .iter()
            .filter(|option| option.unavailable_reason.is_none())
            .map(|option| option.id.as_str())
            .collect();
        if !options.is_empty() {
            let words = if available.is_empty() { "none".to_owned() } else { available.join(", ") };
            self.say(&format!("External keys that are available: {words}."))?;
        }
        self.ask_value(field, Presence::Required)?;
        let entered = options.iter().find(|option| option.id == self.state.draft.xks_key_id);
        match entered.and_then(|option| option.unavailable_reason.as_ref()) {
            Some(reason) => self.say(&format!("You can't use this external key. {reason}."))?,
            None if entered.is_none() && !options.is_empty() => self.say("This external key isn't in the list.")?,
            None => {}
        }
        Ok(())
    }

    /// Returns the external keys of the key store, or none where they can't be listed.
    fn external_key_options(&mut self) -> Reply<Vec<ExternalKeyOption>> {
        let Some(store_id) = self.state.draft.custom_key_store_id.clone() else { return Ok(Vec::new()) };
        let Ok(Response::ExternalKeys(partitions)) = self.session.call(&Call::ExternalKeys)? else {
            return Ok(Vec::new());
        };
        Ok(external_key_options(&store_id, &partitions, &[], &self.session.account))
    }

    /// Asks for one of the options of a field. An unavailable option says why it is.
    fn ask_option(&mut self, field: Field) -> Reply<()> {
        self.introduce(field)?;
        let options = radio_options(field);
        let describe = |option: &RadioOption| {
            let note = option.unavailable_reason.map(|reason| format!(" Not available. {reason}")).unwrap_or_default();
            format!("{}. {}{note}", option.label, option.description)
        };
        self.say_numbered(&options.iter().map(describe).collect::<Vec<_>>())?;
        let labels: Vec<String> = options.iter().map(|option| option.label.to_owned()).collect();
        loop {
            let selected = selected_index(field, self.state.draft.origin);
            let index = self.ask_choice(name(field), &labels, Some(selected), field.prompt_help())?;
            let Some(reason) = options.get(index).and_then(|option| option.unavailable_reason) else {
                self.set_option(field, index);
                return Ok(());
            };
            self.say(&format!("{} is not available. {reason}", labels[index]))?;
        }
    }

    fn set_option(&mut self, field: Field, index: usize) {
        let origin = Origin::ALL.get(index).copied().filter(|_| field == Field::Origin);
        if let Some(origin) = origin.filter(|origin| *origin != self.state.draft.origin) {
            self.state.draft.origin = origin;
            // A different origin has different steps.
            self.state.visited = [0].into();
        }
    }

    fn ask_store(&mut self) -> Reply<()> {
        let field = Field::CustomKeyStore;
        self.introduce(field)?;
        if self.session.account.key_stores.ready().is_none() {
            self.session.load_key_stores()?;
        }
        loop {
            self.save()?;
            let chosen = self.state.draft.custom_key_store_id.clone();
            let Some(store_id) = self.session.ask_key_store(chosen.as_deref(), field.prompt_help())? else {
                // Without a key store, only the steps before this one can be changed.
                self.say_field_error(field)?;
                return Err(super::NoAnswer::Back);
            };
            self.state.draft.custom_key_store_id = Some(store_id.clone());
            self.session.offer_to_connect(&store_id)?;
            if !self.say_field_error(field)? {
                return Ok(());
            }
        }
    }

    fn ask_acknowledgement(&mut self) -> Reply<()> {
        let field = Field::Acknowledgement;
        self.introduce(field)?;
        loop {
            let default = self.state.draft.acknowledged.then_some(true);
            self.state.draft.acknowledged = self.ask_yes_no("Do you confirm this?", default, field)?;
            if !self.say_field_error(field)? {
                return Ok(());
            }
        }
    }
}
