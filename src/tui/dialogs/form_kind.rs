//! The tasks with a form, and the KMS keys that they apply to.

use super::{external_keys, proxy_faults};
use crate::aws::kms::{CustomKeyStore, Tag};
use crate::aws::policy::ConsolePolicy;
use crate::create_key::account_state::AccountState;
use crate::create_key::key_summary::KeySummary;

/// A KMS key with its display name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyName {
    /// The key ID.
    pub id: String,
    /// The first alias, or the key ID if it has none.
    pub name: String,
}

/// Returns a KMS key with its display name.
pub fn key_name(key: &KeySummary, account: &AccountState) -> KeyName {
    let aliases = account.aliases_of(key.key_id());
    let id = key.key_id().to_owned();
    KeyName { name: aliases.first().unwrap_or(&id).clone(), id }
}

/// A task, with the resources it applies to.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum FormKind {
    CreateKeyStore,
    EditKeyStore(Box<CustomKeyStore>),
    DeleteKeyStore {
        id: String,
        name: String,
        keys: usize,
    },
    Enable(Vec<KeyName>),
    Disable(Vec<KeyName>),
    ScheduleDeletion(Vec<KeyName>),
    CancelDeletion(Vec<KeyName>),
    EditDescription(KeyName, String),
    EditTags(KeyName, Vec<Tag>),
    EditPolicy(KeyName, String),
    EditPermissions(KeyName, String, Box<ConsolePolicy>),
    CreateAlias(KeyName),
    MoveAlias(KeyName, Vec<String>),
    DeleteAlias(KeyName, Vec<String>),
    Encrypt(KeyName),
    Decrypt(KeyName),
    /// A task in the external key manager.
    ExternalKey(external_keys::ExternalKeyForm),
    /// A task on the page *Proxy faults*.
    ProxyFault(proxy_faults::ProxyFaultForm),
    /// Moves the clock of the account.
    MoveClock,
    Preferences,
}

impl FormKind {
    /// Returns the dialog title.
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::CreateKeyStore => "Create external key store",
            Self::EditKeyStore(_) => "Edit external key store",
            Self::DeleteKeyStore { .. } => "Delete external key store?",
            Self::Enable(_) => "Enable KMS keys",
            Self::Disable(_) => "Disable KMS keys?",
            Self::ScheduleDeletion(_) => "Schedule key deletion?",
            Self::CancelDeletion(_) => "Cancel key deletion",
            Self::EditDescription(..) => "Edit description",
            Self::EditTags(..) => "Add or edit tags",
            Self::EditPolicy(..) => "Edit key policy",
            Self::EditPermissions(..) => "Edit administrators and users",
            Self::CreateAlias(_) => "Create alias",
            Self::MoveAlias(..) => "Move alias",
            Self::DeleteAlias(..) => "Delete alias?",
            Self::Encrypt(_) => "Encrypt",
            Self::Decrypt(_) => "Decrypt",
            Self::ExternalKey(form_kind) => form_kind.title(),
            Self::ProxyFault(form_kind) => form_kind.title(),
            Self::MoveClock => "Move the clock",
            Self::Preferences => "Preferences",
        }
    }
}
