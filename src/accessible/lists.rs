//! Lists key stores and keys, and shows one key.

use super::connect::describe;
use super::{NoAnswer, Reply, Session};
use crate::aws::kms::{KeyManagerType, Origin, key_identifier};
use crate::create_key::key_summary::KeySummary;
use crate::error_remedies;
use crate::listing::keys::{key_type, regionality, usage_label};
use crate::text::plural;
use crate::text::time;
use crate::tui::effect::{Call, CallFailure, Response};
use crate::tui::pages::key_stores::external_key_stores;

/// The number of keys that are listed before a question.
const PAGE_SIZE: usize = 25;
const LIST_HELP: &str = "Press Enter for more keys, or enter < for the main menu.";
const KEY_HELP: &str = "Enter the alias of a key, with or without alias/, its key ID, or its ARN.";

/// Returns a description of one or more lines. The first line says how many there are.
pub(super) fn description_lines(description: &str) -> Vec<String> {
    let lines: Vec<&str> = description.split('\n').collect();
    match lines.as_slice() {
        [""] => vec!["Description: none".to_owned()],
        [line] => vec![format!("Description: {line}")],
        lines => {
            let first = format!("Description in {} lines:", lines.len());
            std::iter::once(first).chain(lines.iter().map(|line| (*line).to_owned())).collect()
        }
    }
}

impl Session<'_> {
    /// Lists the external key stores.
    pub(super) fn list_key_stores(&mut self) -> Reply<()> {
        self.load_key_stores()?;
        if self.account.key_stores.ready().is_none() {
            return Ok(());
        }
        let stores: Vec<_> = external_key_stores(&self.account).into_iter().cloned().collect();
        self.prompter.say(&format!("{}.", plural(stores.len(), "external key store", "external key stores")))?;
        for (index, store) in stores.iter().enumerate() {
            let proxy = store
                .xks_proxy_configuration
                .as_ref()
                .map(|proxy| format!(". {}, {}{}", proxy.connectivity.label(), proxy.uri_endpoint, proxy.uri_path));
            self.prompter.say(&format!("{}. {}{}", index + 1, describe(store), proxy.unwrap_or_default()))?;
            if let Some(code) = &store.connection_error_code {
                let remedy = error_remedies::for_connection_error(code);
                self.prompter.say(&format!("The connection failed: {code}. {}", remedy.meaning))?;
            }
        }
        Ok(())
    }

    /// Lists the customer managed keys, page by page.
    pub(super) fn list_keys(&mut self) -> Reply<()> {
        self.load_key_stores()?;
        self.load_aliases()?;
        let (mut marker, mut number): (Option<String>, usize) = (None, 0);
        loop {
            let (page, next) = match self.call(&Call::Keys(marker))? {
                Ok(Response::Keys { page, next }) => (page, next),
                Ok(_) => return Ok(()),
                Err(failure) => return Ok(self.say_failure("Couldn't list the keys", &failure)?),
            };
            for key in page.iter().filter(|key| key.key_manager != KeyManagerType::Aws) {
                if number > 0 && number.is_multiple_of(PAGE_SIZE) {
                    self.prompter.ask("Enter for more keys, or < for the main menu", LIST_HELP)?;
                }
                number += 1;
                let line = self.describe_key(key);
                self.prompter.say(&format!("{number}. {line}"))?;
            }
            marker = next;
            if marker.is_none() {
                return Ok(self.prompter.say(&format!("{} in total.", plural(number, "key", "keys")))?);
            }
        }
    }

    /// Describes a key in a line.
    fn describe_key(&self, key: &KeySummary) -> String {
        let aliases = self.account.aliases_of(key.key_id());
        let name = if aliases.is_empty() { "No alias".to_owned() } else { aliases.join(", ") };
        let store = key.custom_key_store_id.as_deref().map(|id| self.key_store_name(id));
        let place =
            store.map_or_else(|| format!("origin {}", key.origin.label()), |store| format!("key store {store}"));
        format!("{name}, {}, {place}, key ID {}", key.key_state.label().to_lowercase(), key.key_id())
    }

    fn key_store_name(&self, id: &str) -> String {
        self.account.key_store(id).map_or(id, |store| &store.custom_key_store_name).to_owned()
    }

    /// Asks for a key, and shows it.
    pub(super) fn ask_and_show_key(&mut self) -> Reply<()> {
        let name = self.prompter.ask("Alias, key ID, or ARN", KEY_HELP)?;
        if name.is_empty() {
            return Err(NoAnswer::Back);
        }
        self.load_key_stores()?;
        self.load_aliases()?;
        match self.call(&Call::Key(key_identifier(&name)))? {
            Ok(Response::Key(key)) => self.say_key(&key),
            Ok(_) => Ok(()),
            Err(failure) => Ok(self.say_failure("Couldn't show the key", &failure)?),
        }
    }

    /// Shows the key or the key store called `name`.
    pub(super) fn show(&mut self, name: &str) -> Reply<()> {
        self.load_key_stores()?;
        let is_meant = |store: &&crate::aws::kms::CustomKeyStore| {
            [&store.custom_key_store_id, &store.custom_key_store_name].contains(&&name.to_owned())
        };
        if let Some(store) = self.account.key_stores.ready().into_iter().flatten().find(is_meant) {
            let line = format!("External key store {}.", describe(store));
            return Ok(self.prompter.say(&line)?);
        }
        self.load_aliases()?;
        match self.call(&Call::Key(key_identifier(name)))? {
            Ok(Response::Key(key)) => self.say_key(&key),
            Ok(_) => Ok(()),
            Err(failure) => Ok(self.say_failure(&format!("Couldn't find \"{name}\""), &failure)?),
        }
    }

    fn say_key(&mut self, key: &KeySummary) -> Reply<()> {
        let aliases = self.account.aliases_of(key.key_id());
        let mut lines = vec![
            format!("Alias: {}", if aliases.is_empty() { "none".to_owned() } else { aliases.join(", ") }),
            format!("Key ID: {}", key.key_id()),
            format!("ARN: {}", key.arn),
            format!("Status: {}", key.key_state.label()),
            format!("Creation date: {}", time::to_minute(key.creation_date.0)),
        ];
        if let Some(date) = key.deletion_date {
            lines.push(format!("Deletion date: {}", time::to_minute(date.0)));
        }
        lines.extend(description_lines(&key.description));
        lines.extend([
            format!("Key type: {}", key_type(key)),
            format!("Key spec: {}", key.key_spec),
            format!("Key usage: {}", usage_label(&key.key_usage)),
            format!("Origin: {}", key.origin.label()),
            format!("Regionality: {}", regionality(key)),
        ]);
        if let Some(id) = &key.custom_key_store_id {
            lines.push(format!("Custom key store: {}, ID {id}", self.key_store_name(id)));
        }
        if let Some(problem) = &key.problem {
            lines.push(format!("This version of xks-console can't read a part of the response: {problem}."));
        }
        self.prompter.say_lines(&lines)?;
        if key.origin == Origin::ExternalKeyStore { self.say_external_key(key) } else { Ok(()) }
    }

    /// Shows the external key. Only the bundled AWS knows more than its ID.
    fn say_external_key(&mut self, key: &KeySummary) -> Reply<()> {
        let (Some(store), Some(id)) = (&key.custom_key_store_id, &key.xks_key_id) else { return Ok(()) };
        self.prompter.say(&format!("External key ID: {id}"))?;
        let call = Call::ExternalKey { custom_key_store_id: store.to_string(), xks_key_id: id.to_string() };
        let line = match self.call(&call)? {
            Ok(Response::ExternalKey(external)) => {
                let lines = [
                    format!("External key status: {}", external.key_status),
                    format!("External key usage: {}", external.key_usage.join(", ")),
                    format!("External key spec: {}", external.key_spec),
                ];
                return Ok(self.prompter.say_lines(&lines)?);
            }
            Err(CallFailure { code, .. }) if code == CallFailure::NOT_AVAILABLE => {
                "External key status: not available from the API".to_owned()
            }
            Err(failure) => format!("External key status: {}. {}", failure.code, failure.message),
            Ok(_) => return Ok(()),
        };
        Ok(self.prompter.say(&line)?)
    }
}
