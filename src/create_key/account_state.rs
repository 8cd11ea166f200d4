//! What AWS has told, each part idle, loading, ready or failed.

use std::collections::{BTreeSet, HashMap};

use super::key_summary::KeySummary;
use super::principals::Principals;
use crate::aws::arn::Arn;
use crate::aws::cli_command::CommandTarget;
use crate::aws::kms::{AliasListEntry, CustomKeyStore, Tag};
use crate::aws::sts::CallerIdentity;

/// Something that AWS tells, and how far the telling is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Loadable<T> {
    /// Not asked yet.
    #[default]
    Idle,
    /// Asked.
    Loading,
    /// Told.
    Ready(T),
    /// Refused or lost, and why.
    Failed(String),
}

impl<T> Loadable<T> {
    /// What was told.
    pub fn ready(&self) -> Option<&T> {
        if let Self::Ready(value) = self { Some(value) } else { None }
    }

    /// Why it was not told.
    pub fn error(&self) -> Option<&str> {
        if let Self::Failed(reason) = self { Some(reason) } else { None }
    }
}

/// What AWS has told so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountState {
    /// `aws`, `aws-cn` ...
    pub partition: String,
    /// The account of the caller; empty until it is known.
    pub account_id: String,
    /// The Region asked.
    pub region: String,
    /// The caller.
    pub caller_arn: String,
    /// Where KMS is asked, when it is not where AWS has it.
    pub endpoint_url: Option<String>,
    /// Whether the console may only look: what would change something is told as a command instead.
    pub is_read_only: bool,
    /// The custom key stores.
    pub key_stores: Loadable<Vec<CustomKeyStore>>,
    /// The aliases.
    pub aliases: Loadable<Vec<AliasListEntry>>,
    /// The names of each key without `alias/`, in order, by its ID: what [`aliases`](Self::aliases) say.
    pub alias_names: HashMap<String, Vec<String>>,
    /// The tags of each key by its ID, once a search asked for them.
    pub tags: Loadable<HashMap<String, Vec<Tag>>>,
    /// Whether the list of keys was whole once. Later it is exchanged as a whole.
    pub has_all_keys: bool,
    /// Whether more of the keys are on their way.
    pub has_more_keys: bool,
    /// The customer managed keys.
    pub keys: Loadable<Vec<KeySummary>>,
    /// The IDs of all keys, where they were listed and not described.
    pub key_ids: Option<BTreeSet<String>>,
    /// The AWS managed keys, told together with them.
    pub aws_managed_keys: Vec<KeySummary>,
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
            aws_managed_keys: Vec::new(),
            principals: Principals::default(),
        }
    }
}

impl AccountState {
    /// Returns the aliases of a key in alphabetical order, without `alias/`.
    pub fn aliases_of(&self, key_id: &str) -> &[String] {
        self.alias_names.get(key_id).map_or(&[], Vec::as_slice)
    }

    /// Takes who is calling: the account, and the partition that the ARN names.
    pub fn set_caller(&mut self, caller: CallerIdentity) {
        if let Ok(arn) = caller.arn.parse::<Arn>() {
            self.partition = arn.partition;
        }
        self.account_id = caller.account;
        self.caller_arn = caller.arn;
    }

    /// Finds the names of each key after the aliases were told.
    pub fn index_aliases(&mut self) {
        self.alias_names.clear();
        for alias in self.aliases.ready().into_iter().flatten() {
            if let Some(key) = &alias.target_key_id {
                let name = alias.alias_name.strip_prefix(crate::aws::limits::ALIAS_PREFIX).unwrap_or(&alias.alias_name);
                self.alias_names.entry(key.clone()).or_default().push(name.to_owned());
            }
        }
        self.alias_names.values_mut().for_each(|names| names.sort_unstable());
    }

    /// Where a command has to go to do what the console would do.
    pub fn command_target(&self) -> CommandTarget<'_> {
        CommandTarget { region: &self.region, endpoint_url: self.endpoint_url.as_deref() }
    }

    /// The IDs of all keys that there are; nothing when some may be missing.
    pub fn all_key_ids(&self) -> Option<BTreeSet<String>> {
        let described = || {
            let keys = self.keys.ready().filter(|_| self.has_all_keys)?;
            Some(keys.iter().map(|key| key.key_id().to_owned()).collect())
        };
        self.key_ids.clone().or_else(described)
    }

    /// The store with this ID, if it is known.
    pub fn key_store(&self, id: &str) -> Option<&CustomKeyStore> {
        self.key_stores.ready()?.iter().find(|store| store.custom_key_store_id == id)
    }
}
