//! KMS keys: create, describe, list, enable, disable, delete.

use serde::{Deserialize, Serialize};

use super::Tag;
use crate::aws::lenient::Identified;
use crate::aws::open_enum::open_enum;
use crate::aws::scalar::EpochSeconds;

/// The request of CreateKey. `None` leaves a member out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateKey {
    /// The key policy document; the service writes its default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// 0 to 8,192 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `ENCRYPT_DECRYPT` is what a symmetric encryption key can have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_usage: Option<String>,
    /// The deprecated name of `KeySpec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_master_key_spec: Option<String>,
    /// `SYMMETRIC_DEFAULT` in a custom key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_spec: Option<String>,
    /// Where the key material comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The custom key store of the key, `cks-…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// Skips the check that the caller can change the policy again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_policy_lockout_safety_check: Option<bool>,
    /// At most 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// Never in a custom key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_region: Option<bool>,
    /// The external key, as the external key store proxy calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_key_id: Option<String>,
}

/// What CreateKey answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateKeyOutput {
    /// The new key.
    #[serde(deserialize_with = "crate::aws::lenient::identified")]
    pub key_metadata: KeyMetadata,
}

open_enum! {
    /// Where key material comes from (`OriginType`).
    pub enum Origin {
        /// KMS made it.
        AwsKms = "AWS_KMS",
        /// The customer imported it.
        External = "EXTERNAL",
        /// It lives in a CloudHSM key store.
        AwsCloudHsm = "AWS_CLOUDHSM",
        /// It lives in an external key manager.
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

impl Origin {
    /// All origins, in the order of the console's radio buttons.
    pub const ALL: [Self; 4] = [Self::AwsKms, Self::External, Self::AwsCloudHsm, Self::ExternalKeyStore];

    /// The console's word; of an origin that is not known, AWS's own.
    pub const fn label(self) -> &'static str {
        match self {
            Self::AwsKms => "KMS",
            Self::External => "External (Import Key material)",
            Self::AwsCloudHsm => "AWS CloudHSM key store",
            Self::ExternalKeyStore => "External key store",
            Self::Other(text) => text,
        }
    }
}

open_enum! {
    /// `KeyState`.
    #[allow(missing_docs)]
    pub enum KeyState {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        PendingImport = "PendingImport",
        PendingReplicaDeletion = "PendingReplicaDeletion",
        Unavailable = "Unavailable",
        Updating = "Updating",
    }
}

impl KeyState {
    /// The console's word; of a state that is not known, AWS's own.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion => "Pending deletion",
            Self::PendingImport => "Pending import",
            Self::PendingReplicaDeletion => "Pending replica deletion",
            Self::Unavailable => "Unavailable",
            Self::Updating => "Updating",
            Self::Other(text) => text,
        }
    }
}

open_enum! {
    /// Who manages a KMS key.
    pub enum KeyManagerType {
        /// An AWS managed key.
        Aws = "AWS",
        /// A customer managed key.
        Customer = "CUSTOMER",
    }
}

/// Everything DescribeKey tells about a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyMetadata {
    /// The owning account.
    #[serde(rename = "AWSAccountId")]
    pub aws_account_id: String,
    /// The UUID.
    pub key_id: String,
    /// The key ARN.
    pub arn: String,
    /// When it was made.
    pub creation_date: EpochSeconds,
    /// True only in the state Enabled.
    pub enabled: bool,
    /// Empty when none was given.
    #[serde(default)]
    pub description: String,
    /// `ENCRYPT_DECRYPT` ...; empty when it is not told.
    #[serde(default)]
    pub key_usage: String,
    /// What can be done with it now.
    pub key_state: KeyState,
    /// When it will be gone, while its deletion is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_date: Option<EpochSeconds>,
    /// Where the key material comes from.
    pub origin: Origin,
    /// The custom key store it lives in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// Customer or AWS managed.
    pub key_manager: KeyManagerType,
    /// The deprecated twin of `key_spec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_master_key_spec: Option<String>,
    /// `SYMMETRIC_DEFAULT` ...
    #[serde(default)]
    pub key_spec: String,
    /// `SYMMETRIC_DEFAULT` for a symmetric encryption key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::aws::lenient::optional_list")]
    pub encryption_algorithms: Option<Vec<String>>,
    /// Whether it is a multi-Region key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_region: Option<bool>,
    /// The external key of a key in an external key store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xks_key_configuration: Option<XksKeyConfiguration>,
    /// The current key material of an `AWS_KMS` key: 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_key_material_id: Option<String>,
    /// What of it this version can't read; the API has no such member.
    #[serde(default, rename = "XksConsoleProblem", skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Identified for KeyMetadata {
    const ID: &'static str = "KeyId";
}

/// The external key of a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct XksKeyConfiguration {
    /// The external key ID, as the proxy calls the key.
    pub id: String,
}

/// The request of DescribeKey.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeKey {
    /// Key ID, key ARN, alias name or alias ARN.
    pub key_id: String,
    /// Tokens of grants that allow this call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
}

impl DescribeKey {
    /// Asks for a key with what the caller is allowed anyway.
    pub fn new(key_id: String) -> Self {
        Self { key_id, grant_tokens: None }
    }
}

/// What DescribeKey answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeKeyOutput {
    /// The key.
    #[serde(deserialize_with = "crate::aws::lenient::identified")]
    pub key_metadata: KeyMetadata,
}

/// The request of ListKeys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeys {
    /// 1 to 1,000; 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `NextMarker` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// `SELF`, as when absent, and `OTHER_ACCOUNTS_VIA_RAM`: keys that other accounts share through AWS RAM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_owners: Option<Vec<String>>,
}

/// One page of ListKeys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeysOutput {
    /// The page.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub keys: Vec<KeyListEntry>,
    /// Present only when `truncated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there is more.
    #[serde(default)]
    pub truncated: bool,
}

/// A key in ListKeys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyListEntry {
    /// The UUID.
    pub key_id: String,
    /// The key ARN.
    pub key_arn: String,
}

/// Declares requests that name a key by key ID or key ARN and say nothing else.
macro_rules! key_id_requests {
    ($($name:ident)+) => {
        $(
            #[doc = concat!("The request of ", stringify!($name), ".")]
            #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(rename_all = "PascalCase")]
            pub struct $name {
                /// Key ID or key ARN.
                pub key_id: String,
            }
        )+
    };
}
key_id_requests! {
    EnableKey DisableKey CancelKeyDeletion GetKeyRotationStatus DisableKeyRotation RotateKeyOnDemand GetKeyLastUsage
}

/// The request of UpdateKeyDescription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateKeyDescription {
    /// Key ID or key ARN.
    pub key_id: String,
    /// 0 to 8,192 characters.
    pub description: String,
}

/// The request of ScheduleKeyDeletion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduleKeyDeletion {
    /// Key ID or key ARN.
    pub key_id: String,
    /// 7 to 30; 30 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_window_in_days: Option<u32>,
}

/// What ScheduleKeyDeletion answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduleKeyDeletionOutput {
    /// The key ARN.
    pub key_id: String,
    /// When the key will be gone.
    pub deletion_date: EpochSeconds,
    /// `PendingDeletion`.
    pub key_state: KeyState,
    /// The days until then.
    pub pending_window_in_days: u32,
}

/// What CancelKeyDeletion answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CancelKeyDeletionOutput {
    /// The key ARN.
    pub key_id: String,
}
