//! What the console has loaded from AWS. Each part is idle, loading, ready, or failed.

use std::collections::{BTreeSet, HashMap};

use super::key_summary::KeySummary;
use super::loaded_keys::LoadedKeys;
use super::principals::Principals;
use crate::aws::arn::Arn;
use crate::aws::cli_command::CommandTarget;
use crate::aws::kms::{AliasListEntry, CustomKeyStore, Tag};
use crate::aws::sts::CallerIdentity;

/// Data from AWS, with its loading state.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Loadable<T> {
    /// Not requested yet.
    #[default]
    Idle,
    /// Requested, and no response has arrived.
    Loading,
    /// Loaded.
    Ready(T),
    /// The request failed, with the reason.
    Failed(String),
}

impl<T> Loadable<T> {
    /// Returns the data once it is loaded.
    pub fn ready(&self) -> Option<&T> {
        if let Self::Ready(value) = self { Some(value) } else { None }
    }

    /// Returns the reason why loading failed.
    pub fn error(&self) -> Option<&str> {
        if let Self::Failed(reason) = self { Some(reason) } else { None }
    }
}

/// Everything that the console knows about the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// The AWS partition, such as `aws` or `aws-cn`.
    pub partition: String,
    /// The account ID of the caller; empty until it is known.
    pub account_id: String,
    /// The Region of all requests.
    pub region: String,
    /// The ARN of the caller; empty until it is known.
    pub caller_arn: String,
    /// The endpoint URL of KMS, if it isn't AWS's default.
    pub endpoint_url: Option<String>,
    /// Whether the console is read-only. It then shows AWS CLI commands instead of making changes.
    pub is_read_only: bool,
    /// The custom key stores.
    pub key_stores: Loadable<Vec<CustomKeyStore>>,
    /// The aliases.
    pub aliases: Loadable<Vec<AliasListEntry>>,
    /// The sorted alias names of each key, without `alias/`, by key ID. Derived from [`aliases`](Self::aliases).
    pub alias_names: HashMap<String, Vec<String>>,
    /// The tags of each key by key ID. Loaded when a search needs them.
    pub tags: Loadable<HashMap<String, Vec<Tag>>>,
    /// Whether the list of keys has been complete. From then on, a reload replaces it as a whole.
    pub has_all_keys: bool,
    /// Whether more keys are still loading.
    pub has_more_keys: bool,
    /// The customer managed keys.
    pub keys: Loadable<LoadedKeys>,
    /// The IDs of all keys, if they were listed but not described.
    pub key_ids: Option<BTreeSet<String>>,
    /// The AWS managed keys, loaded together with the customer managed keys.
    pub aws_managed_keys: LoadedKeys,
    /// The IAM users and roles.
    pub principals: Principals,
}

impl Default for AccountState {
    fn default() -> Self {
        Self {
            partition: "aws".to_owned(),
            account_id: String::new(),
            region: String::new(),
            caller_arn: String::new(),
            endpoint_url: None,
            is_read_only: false,
            key_stores: Loadable::Idle,
            aliases: Loadable::Idle,
            alias_names: HashMap::new(),
            tags: Loadable::Idle,
            has_all_keys: false,
            has_more_keys: false,
            keys: Loadable::Idle,
            key_ids: None,
            aws_managed_keys: LoadedKeys::default(),
            principals: Principals::default(),
        }
    }
}

impl AccountState {
    /// Returns the aliases of a key in alphabetical order, without `alias/`.
    pub fn aliases_of(&self, key_id: &str) -> &[String] {
        self.alias_names.get(key_id).map_or(&[], Vec::as_slice)
    }

    /// Sets the caller: the account, and the partition from the ARN.
    pub fn set_caller(&mut self, caller: CallerIdentity) {
        if let Ok(arn) = caller.arn.parse::<Arn>() {
            self.partition = arn.partition;
        }
        self.account_id = caller.account;
        self.caller_arn = caller.arn;
    }

    /// Rebuilds [`alias_names`](Self::alias_names) from the aliases.
    pub fn index_aliases(&mut self) {
        self.alias_names = alias_names_by_key(self.aliases.ready().into_iter().flatten());
    }

    /// Returns the Region and endpoint that an AWS CLI command needs to reach the same AWS.
    pub fn command_target(&self) -> CommandTarget<'_> {
        CommandTarget { region: &self.region, endpoint_url: self.endpoint_url.as_deref() }
    }

    /// Returns the IDs of all keys, or `None` if the list may be incomplete.
    pub fn all_key_ids(&self) -> Option<BTreeSet<String>> {
        let described = || {
            let keys = self.keys.ready().filter(|_| self.has_all_keys)?;
            Some(keys.iter().map(|key| key.key_id().to_owned()).collect())
        };
        self.key_ids.clone().or_else(described)
    }

    /// Returns the customer managed keys that are loaded.
    pub fn customer_managed_keys(&self) -> &[KeySummary] {
        self.keys.ready().map_or(&[], |keys| keys)
    }

    /// Returns the key with this ID, if the keys are loaded.
    pub fn key(&self, id: &str) -> Option<&KeySummary> {
        self.keys.ready()?.get(id).or_else(|| self.aws_managed_keys.get(id))
    }

    /// Returns the key store with this ID, if it is loaded.
    pub fn key_store(&self, id: &str) -> Option<&CustomKeyStore> {
        self.key_stores.ready()?.iter().find(|store| store.custom_key_store_id == id)
    }
}

/// Returns the sorted names of these aliases, without `alias/`, by the IDs of their keys.
pub fn alias_names_by_key<'a>(aliases: impl IntoIterator<Item = &'a AliasListEntry>) -> HashMap<String, Vec<String>> {
    let mut names: HashMap<String, Vec<String>> = HashMap::new();
    for alias in aliases {
        if let Some(key) = &alias.target_key_id {
            names.entry(key.clone()).or_default().push(alias.short_name().to_owned());
        }
    }
    for sorted in names.values_mut() {
        sorted.sort_unstable();
    }
    names
}
