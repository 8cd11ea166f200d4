//! What the person has said.

use serde::{Deserialize, Serialize};

use super::account_state::AccountState;
use super::method::Method;
use crate::aws::kms::{Origin, Tag};
use crate::aws::policy::ConsolePolicy;

/// Everything the wizard collects. Where the person is in it is somebody else's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDraft {
    /// Where the key material comes from.
    pub origin: Origin,
    /// The external key store.
    pub custom_key_store_id: Option<String>,
    /// The external key ID, as the proxy calls the key.
    pub xks_key_id: String,
    /// Whether the consequences of an external key store are accepted.
    pub acknowledged: bool,
    /// As typed, without `alias/`.
    pub alias: String,
    /// May have several lines.
    pub description: String,
    /// In the order added.
    pub tags: Vec<Tag>,
    /// ARNs, in the order chosen.
    pub administrators: Vec<String>,
    /// Whether they may delete the key; starts allowed.
    pub administrators_may_delete: bool,
    /// ARNs, in the order chosen.
    pub users: Vec<String>,
    /// What is typed to be an administrator and not added yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub administrator_to_add: String,
    /// What is typed to be a user and not added yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_to_add: String,
    /// IDs of other accounts.
    pub other_accounts: Vec<String>,
    /// The person's own policy, instead of the generated one.
    pub edited_policy: Option<String>,
}

impl KeyDraft {
    /// An empty draft for a key in an external key store.
    pub fn in_key_store(custom_key_store_id: String) -> Self {
        Self {
            origin: Origin::ExternalKeyStore,
            custom_key_store_id: Some(custom_key_store_id),
            xks_key_id: String::new(),
            acknowledged: false,
            alias: String::new(),
            description: String::new(),
            tags: Vec::new(),
            administrators: Vec::new(),
            administrators_may_delete: true,
            users: Vec::new(),
            administrator_to_add: String::new(),
            user_to_add: String::new(),
            other_accounts: Vec::new(),
            edited_policy: None,
        }
    }

    /// The draft that a method starts with.
    pub fn new(method: &Method) -> Self {
        match method {
            Method::FromKeyStore { custom_key_store_id } => Self::in_key_store(custom_key_store_id.clone()),
            Method::FromCustomerManagedKeys => {
                Self { origin: Origin::AwsKms, custom_key_store_id: None, ..Self::in_key_store(String::new()) }
            }
        }
    }

    /// Whether nothing would be lost by leaving.
    pub fn is_unchanged(&self, method: &Method) -> bool {
        let start = Self::new(method);
        *self == Self { custom_key_store_id: self.custom_key_store_id.clone(), origin: self.origin, ..start }
    }

    /// Whether the key will live in an external key store.
    pub fn is_external(&self) -> bool {
        self.origin == Origin::ExternalKeyStore
    }

    /// The full alias name, with `alias/`.
    pub fn alias_name(&self) -> String {
        format!("{}{}", crate::aws::limits::ALIAS_PREFIX, self.alias)
    }

    /// The policy that the choices make.
    pub fn generated_policy(&self, account: &AccountState) -> String {
        ConsolePolicy {
            partition: account.partition.clone(),
            account: account.account_id.clone(),
            administrators: self.administrators.clone(),
            administrators_may_delete: self.administrators_may_delete,
            users: self.users.clone(),
            other_accounts: self.other_accounts.clone(),
        }
        .to_json()
    }

    /// The policy the key will get: the person's own, or the generated one.
    pub fn policy_json(&self, account: &AccountState) -> String {
        self.edited_policy.clone().unwrap_or_else(|| self.generated_policy(account))
    }
}
