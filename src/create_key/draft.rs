//! The values entered in the wizard.

use serde::{Deserialize, Serialize};

use super::account_state::AccountState;
use super::method::Method;
use crate::aws::kms::{Origin, Tag};
use crate::aws::policy::ConsolePolicy;

/// Everything that the wizard collects. It doesn't include the position in the wizard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDraft {
    /// Where the key material comes from.
    pub origin: Origin,
    /// The ID of the external key store.
    pub custom_key_store_id: Option<String>,
    /// The ID that the external key store proxy uses for the external key.
    pub xks_key_id: String,
    /// Whether the risks of an external key store are acknowledged.
    pub acknowledged: bool,
    /// The alias as typed, without `alias/`.
    pub alias: String,
    /// The description, which may have several lines.
    pub description: String,
    /// The tags, in the order in which they were added.
    pub tags: Vec<Tag>,
    /// The ARNs of the key administrators, in the order in which they were selected.
    pub administrators: Vec<String>,
    /// Whether key administrators can delete the key; true by default.
    pub administrators_may_delete: bool,
    /// The ARNs of the key users, in the order in which they were selected.
    pub users: Vec<String>,
    /// The ARN typed for a key administrator but not added yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub administrator_to_add: String,
    /// The ARN typed for a key user but not added yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub user_to_add: String,
    /// The IDs of other AWS accounts that can use the key.
    pub other_accounts: Vec<String>,
    /// The edited key policy, which replaces the generated one.
    pub edited_policy: Option<String>,
}

impl KeyDraft {
    /// Creates an empty draft for a key in an external key store.
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

    /// Creates the draft that a method starts with.
    pub fn new(method: &Method) -> Self {
        match method {
            Method::FromKeyStore { custom_key_store_id } => Self::in_key_store(custom_key_store_id.clone()),
            Method::FromCustomerManagedKeys => {
                Self { origin: Origin::AwsKms, custom_key_store_id: None, ..Self::in_key_store(String::new()) }
            }
        }
    }

    /// Whether nothing was entered, so that nothing is lost by leaving the wizard.
    pub fn is_unchanged(&self, method: &Method) -> bool {
        let start = Self::new(method);
        *self == Self { custom_key_store_id: self.custom_key_store_id.clone(), origin: self.origin, ..start }
    }

    /// Whether the key is created in an external key store.
    pub fn is_external(&self) -> bool {
        self.origin == Origin::ExternalKeyStore
    }

    /// Returns the full alias name, with `alias/`.
    pub fn alias_name(&self) -> String {
        format!("{}{}", crate::aws::limits::ALIAS_PREFIX, self.alias)
    }

    /// Returns the key policy generated from the administrators, users, and accounts.
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

    /// Returns the key policy that the key gets: the edited one, or else the generated one.
    pub fn policy_json(&self, account: &AccountState) -> String {
        self.edited_policy.clone().unwrap_or_else(|| self.generated_policy(account))
    }
}
