//! KMS key operations: create, describe, list, enable, disable, and delete.

use serde::{Deserialize, Serialize};

use super::Tag;
use crate::aws::lenient::Identified;
use crate::aws::open_enum::open_enum;
use crate::aws::scalar::EpochSeconds;

/// A `CreateKey` request. `None` omits a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateKey {
    /// The key policy. If it is absent, KMS attaches a default key policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// The description: 0 to 8,192 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The cryptographic operations that the key can be used for: `ENCRYPT_DECRYPT` for a symmetric encryption key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_usage: Option<String>,
    /// The deprecated name of `key_spec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_master_key_spec: Option<String>,
    /// The type of KMS key. In a custom key store, it must be `SYMMETRIC_DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_spec: Option<String>,
    /// The source of the key material.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The custom key store to create the key in, `cks-…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// Whether to skip the key policy lockout safety check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_policy_lockout_safety_check: Option<bool>,
    /// The tags to assign, up to 50.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<Tag>>,
    /// Whether to create a multi-Region key, which isn't possible in a custom key store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multi_region: Option<bool>,
    /// The external key ID: the ID that the external key store proxy uses for the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xks_key_id: Option<String>,
}

/// A `CreateKey` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateKeyOutput {
    /// The new KMS key.
    #[serde(deserialize_with = "crate::aws::lenient::identified")]
    pub key_metadata: KeyMetadata,
}

open_enum! {
    /// The source of the key material (`OriginType`).
    pub enum Origin {
        /// KMS generated the key material.
        AwsKms = "AWS_KMS",
        /// The customer imported the key material.
        External = "EXTERNAL",
        /// The key material is in a CloudHSM key store.
        AwsCloudHsm = "AWS_CLOUDHSM",
        /// The key material is in an external key manager.
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

impl Origin {
    /// All origins, in the order of the console's radio buttons.
    pub const ALL: [Self; 4] = [Self::AwsKms, Self::External, Self::AwsCloudHsm, Self::ExternalKeyStore];

    /// Returns the console's label. For an unknown value, returns the value.
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
    /// The state of a KMS key (`KeyState`).
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
    /// Returns the console's label. For an unknown value, returns the value.
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
    /// The manager of a KMS key (`KeyManagerType`).
    pub enum KeyManagerType {
        /// An AWS managed key.
        Aws = "AWS",
        /// A customer managed key.
        Customer = "CUSTOMER",
    }
}

/// Metadata about a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyMetadata {
    /// The account that owns the KMS key.
    #[serde(rename = "AWSAccountId")]
    pub aws_account_id: String,
    /// The key ID, a UUID.
    pub key_id: String,
    /// The ARN of the KMS key.
    pub arn: String,
    /// The date and time that the KMS key was created.
    pub creation_date: EpochSeconds,
    /// Whether the KMS key is enabled. True only when the key state is `Enabled`.
    pub enabled: bool,
    /// The description, which may be empty.
    #[serde(default)]
    pub description: String,
    /// The cryptographic operations that the key can be used for, such as `ENCRYPT_DECRYPT`. Empty if absent.
    #[serde(default)]
    pub key_usage: String,
    /// The state of the KMS key.
    pub key_state: KeyState,
    /// The date and time after which KMS deletes the key. Present only when the key is pending deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_date: Option<EpochSeconds>,
    /// The source of the key material.
    pub origin: Origin,
    /// The custom key store that contains the KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_key_store_id: Option<String>,
    /// The manager of the KMS key.
    pub key_manager: KeyManagerType,
    /// The deprecated name of `key_spec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_master_key_spec: Option<String>,
    /// The type of the key material, such as `SYMMETRIC_DEFAULT`.
    #[serde(default)]
    pub key_spec: String,
    /// The encryption algorithms that the key supports: `SYMMETRIC_DEFAULT` for a symmetric encryption key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[serde(deserialize_with = "crate::aws::lenient::optional_list")]
    pub encryption_algorithms: Option<Vec<String>>,
    /// Whether the KMS key is a multi-Region key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_region: Option<bool>,
    /// The external key. Present only for a KMS key in an external key store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xks_key_configuration: Option<XksKeyConfiguration>,
    /// The ID of the current key material, 64 hexadecimal digits. Present only for the origin `AWS_KMS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_key_material_id: Option<String>,
    /// The members that this version couldn't read. Not part of the API.
    #[serde(default, rename = "XksConsoleProblem", skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Identified for KeyMetadata {
    const ID: &'static str = "KeyId";
}

/// The external key of a KMS key in an external key store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct XksKeyConfiguration {
    /// The external key ID: the ID that the external key store proxy uses for the key.
    pub id: String,
}

/// A `DescribeKey` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeKey {
    /// The key ID, key ARN, alias name, or alias ARN.
    pub key_id: String,
    /// Grant tokens for grants that might not be eventually consistent yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_tokens: Option<Vec<String>>,
}

impl DescribeKey {
    /// Creates a request without grant tokens.
    pub fn new(key_id: String) -> Self {
        Self { key_id, grant_tokens: None }
    }
}

/// A `DescribeKey` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeKeyOutput {
    /// The KMS key.
    #[serde(deserialize_with = "crate::aws::lenient::identified")]
    pub key_metadata: KeyMetadata,
}

/// A `ListKeys` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeys {
    /// The maximum number of keys per page: 1 to 1,000. The default is 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `NextMarker` from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The owners of the keys to list: `SELF` (the default), `OTHER_ACCOUNTS_VIA_RAM` (keys shared through AWS RAM), or
    /// both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_owners: Option<Vec<String>>,
}

/// One page of ListKeys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeysOutput {
    /// The KMS keys.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub keys: Vec<KeyListEntry>,
    /// The marker to send for the next page. Present only when `truncated` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether more results are available.
    #[serde(default)]
    pub truncated: bool,
}

/// A KMS key in a `ListKeys` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyListEntry {
    /// The key ID, a UUID.
    pub key_id: String,
    /// The ARN of the KMS key.
    pub key_arn: String,
}

/// Declares requests whose only member is a key ID or key ARN.
macro_rules! key_id_requests {
    ($($name:ident)+) => {
        $(
            #[doc = concat!("A `", stringify!($name), "` request.")]
            #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(rename_all = "PascalCase")]
            pub struct $name {
                /// The key ID or key ARN.
                pub key_id: String,
            }
        )+
    };
}
key_id_requests! {
    EnableKey DisableKey CancelKeyDeletion GetKeyRotationStatus DisableKeyRotation RotateKeyOnDemand GetKeyLastUsage
}

/// A `UpdateKeyDescription` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UpdateKeyDescription {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The new description: 0 to 8,192 characters.
    pub description: String,
}

/// A `ScheduleKeyDeletion` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduleKeyDeletion {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The waiting period in days: 7 to 30. The default is 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_window_in_days: Option<u32>,
}

/// A `ScheduleKeyDeletion` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduleKeyDeletionOutput {
    /// The ARN of the KMS key.
    pub key_id: String,
    /// The date and time after which KMS deletes the key.
    pub deletion_date: EpochSeconds,
    /// The new key state: `PendingDeletion`.
    pub key_state: KeyState,
    /// The waiting period in days.
    pub pending_window_in_days: u32,
}

/// A `CancelKeyDeletion` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CancelKeyDeletionOutput {
    /// The ARN of the KMS key.
    pub key_id: String,
}
