//! Loads what the wizard and the lists need.

use std::io;

use super::{Reply, Session};
use crate::aws::kms::KeyManagerType;
use crate::create_key::account_state::Loadable;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::principals::{ListProgress, PrincipalKind, Principals};
use crate::tui::effect::{Call, CallFailure, Response};

/// The number of keys to load on real AWS, where each key takes a request. AWS KMS reports conflicts with other keys.
const MAX_KEYS: usize = 500;

impl Session<'_> {
    /// Says which AWS the session uses.
    pub(super) fn welcome(&mut self) -> Reply<()> {
        self.prompter.say("xks-console in accessible mode.")?;
        match self.call(&Call::Identity)? {
            Ok(Response::Identity { caller, account_alias }) => {
                self.account.set_caller(caller);
                let alias = account_alias.map(|alias| format!(", alias {alias}")).unwrap_or_default();
                let (account, region) = (&self.account.account_id, &self.account.region);
                let aws = match (&self.account.endpoint_url, self.client.is_bundled()) {
                    (_, true) => "the bundled AWS".to_owned(),
                    (Some(url), false) => format!("the endpoint {url}"),
                    (None, false) => "AWS".to_owned(),
                };
                self.prompter.say(&format!("You use {aws}, account {account}{alias}, Region {region}."))?;
            }
            Ok(_) => {}
            Err(failure) => self.say_failure("Couldn't find out who you are", &failure)?,
        }
        if self.account.is_read_only {
            self.prompter.say("This console is read-only. It shows AWS CLI commands instead of making changes.")?;
        }
        Ok(self.prompter.say("At every question, ? explains, < goes back, and quit leaves.")?)
    }

    /// Loads the key stores, and says why if that fails.
    pub(super) fn load_key_stores(&mut self) -> Reply<()> {
        match self.call(&Call::KeyStores)? {
            Ok(Response::KeyStores(stores)) => self.account.key_stores = Loadable::Ready(stores),
            Ok(_) => {}
            Err(failure) => {
                self.account.key_stores = Loadable::Failed(failure.message.clone());
                self.say_failure("Couldn't load the key stores", &failure)?;
            }
        }
        Ok(())
    }

    /// Loads the data that the wizard validates against, and says what can't be loaded.
    pub(super) fn load_for_wizard(&mut self) -> Reply<()> {
        self.load_key_stores()?;
        self.load_aliases()?;
        self.load_keys()
    }

    pub(super) fn load_aliases(&mut self) -> Reply<()> {
        match self.call(&Call::Aliases)? {
            Ok(Response::Aliases(aliases)) => self.account.aliases = Loadable::Ready(aliases),
            Ok(_) => {}
            Err(failure) => {
                self.say_not_loaded("aliases", &failure)?;
                self.account.aliases = Loadable::Failed(failure.message);
            }
        }
        self.account.index_aliases();
        Ok(())
    }

    fn load_keys(&mut self) -> Reply<()> {
        let (mut keys, mut marker): (Vec<KeySummary>, Option<String>) = (Vec::new(), None);
        self.account.has_all_keys = false;
        loop {
            match self.call(&Call::Keys(marker.take()))? {
                Ok(Response::Keys { page, next }) => {
                    keys.extend(page);
                    marker = next;
                }
                Ok(_) => {}
                Err(failure) => {
                    self.say_not_loaded("keys", &failure)?;
                    self.account.keys = Loadable::Failed(failure.message);
                    return Ok(());
                }
            }
            let is_enough = keys.len() >= MAX_KEYS && !self.client.is_bundled();
            if marker.is_none() || is_enough {
                break;
            }
        }
        self.account.has_all_keys = marker.is_none();
        let (aws, ours) = keys.into_iter().partition(|key| key.key_manager == KeyManagerType::Aws);
        self.account.aws_managed_keys = aws;
        self.account.keys = Loadable::Ready(ours);
        Ok(())
    }

    /// Lists the IDs of all keys, which tell a new key apart from older ones.
    pub(super) fn load_key_ids(&mut self) {
        // Without permission to list keys, the user can't search for the new key either.
        let keys = self.runtime.block_on(self.client.collect_keys()).ok();
        self.account.key_ids = keys.map(|keys| keys.into_iter().map(|key| key.key_id).collect());
    }

    fn say_not_loaded(&mut self, what: &str, failure: &CallFailure) -> io::Result<()> {
        self.prompter.say(&format!(
            "Couldn't load your {what} ({}). AWS KMS still checks what you enter when it creates the key.",
            failure.code
        ))
    }

    /// Loads the first page of the IAM users and roles or, to search, all pages.
    pub(super) fn load_principals(&mut self, needs_all: bool) -> Reply<()> {
        for kind in Principals::KINDS {
            loop {
                let marker = match self.account.principals.progress(kind) {
                    ListProgress::Idle | ListProgress::Loading => None,
                    ListProgress::More(marker) if needs_all => Some(marker.clone()),
                    ListProgress::More(_) | ListProgress::Complete | ListProgress::Failed { .. } => break,
                };
                self.load_principals_page(kind, marker)?;
            }
        }
        Ok(())
    }

    fn load_principals_page(&mut self, kind: PrincipalKind, marker: Option<String>) -> Reply<()> {
        let call = match kind {
            PrincipalKind::User => Call::Users(marker.clone()),
            PrincipalKind::Role => Call::Roles(marker.clone()),
        };
        match self.call(&call)? {
            Ok(Response::Principals { page, next }) => {
                self.account.principals.on_page_loaded(kind, marker.is_none(), page, next);
            }
            Ok(_) => self.account.principals.on_page_failed(kind, marker, String::new()),
            Err(failure) => {
                let what = match kind {
                    PrincipalKind::User => "IAM users",
                    PrincipalKind::Role => "IAM roles",
                };
                self.account.principals.on_page_failed(kind, marker, failure.message.clone());
                let (code, message) = (failure.code, failure.message);
                self.prompter.say(&format!("Couldn't list {what}: {code}. {message} You can still enter ARNs."))?;
            }
        }
        Ok(())
    }
}
