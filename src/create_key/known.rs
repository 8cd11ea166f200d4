//! What AWS has told, each part idle, loading, ready or failed.

use std::collections::HashMap;

use super::key_summary::KeySummary;
use crate::aws::arn::Arn;
use crate::aws::kms::{AliasListEntry, CustomKeyStore, Tag};
use crate::aws::sts::CallerIdentity;

/// Something that AWS tells, and how far the telling is.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Loaded<T> {
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

impl<T> Loaded<T> {
    /// What was told.
    pub fn ready(&self) -> Option<&T> {
        if let Self::Ready(value) = self { Some(value) } else { None }
    }

    /// Why it was not told.
    pub fn failure(&self) -> Option<&str> {
        if let Self::Failed(reason) = self { Some(reason) } else { None }
    }
}

/// Whether a principal is a user or a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum PrincipalKind {
    User,
    Role,
}

/// An IAM user or role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its name without the path.
    pub name: String,
    /// `/` or `/division/team/`.
    pub path: String,
    /// User or role.
    pub kind: PrincipalKind,
    /// Its ARN.
    pub arn: String,
}

/// What AWS has told so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// `aws`, `aws-cn` ...
    pub partition: String,
    /// The account of the caller; empty until it is known.
    pub account: String,
    /// The Region asked.
    pub region: String,
    /// The caller.
    pub caller_arn: String,
    /// The custom key stores.
    pub key_stores: Loaded<Vec<CustomKeyStore>>,
    /// The aliases.
    pub aliases: Loaded<Vec<AliasListEntry>>,
    /// The names of each key without `alias/`, in order, by its ID: what [`aliases`](Self::aliases) say.
    pub names: HashMap<String, Vec<String>>,
    /// The tags of each key by its ID, once a search asked for them.
    pub tags: Loaded<HashMap<String, Vec<Tag>>>,
    /// Whether more of the keys are on their way.
    pub more_keys: bool,
    /// The customer managed keys.
    pub keys: Loaded<Vec<KeySummary>>,
    /// The AWS managed keys, told together with them.
    pub aws_keys: Vec<KeySummary>,
    /// The IAM users and roles.
    pub principals: Loaded<Vec<Principal>>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            partition: "aws".to_owned(),
            account: String::new(),
            region: String::new(),
            caller_arn: String::new(),
            key_stores: Loaded::Idle,
            aliases: Loaded::Idle,
            names: HashMap::new(),
            tags: Loaded::Idle,
            more_keys: false,
            keys: Loaded::Idle,
            aws_keys: Vec::new(),
            principals: Loaded::Idle,
        }
    }
}

impl Known {
    /// Takes who is calling: the account, and the partition that the ARN names.
    pub fn identify(&mut self, caller: CallerIdentity) {
        if let Ok(arn) = caller.arn.parse::<Arn>() {
            self.partition = arn.partition;
        }
        self.account = caller.account;
        self.caller_arn = caller.arn;
    }

    /// Finds the names of each key after the aliases were told.
    pub fn index_aliases(&mut self) {
        self.names.clear();
        for alias in self.aliases.ready().into_iter().flatten() {
            if let Some(key) = &alias.target_key_id {
                let name = alias.alias_name.strip_prefix(crate::aws::limits::ALIAS_PREFIX).unwrap_or(&alias.alias_name);
                self.names.entry(key.clone()).or_default().push(name.to_owned());
            }
        }
        self.names.values_mut().for_each(|names| names.sort_unstable());
    }

    /// The store with this ID, if it is known.
    pub fn key_store(&self, id: &str) -> Option<&CustomKeyStore> {
        self.key_stores.ready()?.iter().find(|store| store.custom_key_store_id == id)
    }
}
