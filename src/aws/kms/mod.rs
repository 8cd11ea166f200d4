//! The operations of AWS KMS by family, and the table of them all.
//!
//! Source: the public API model of KMS (AWS JSON 1.1, target prefix `TrentService`).

mod aliases;
mod cryptography;
mod grants;
mod key_stores;
mod keys;
pub mod metrics;
mod policies;
mod requests;
mod rotation;
mod tags;

pub use aliases::*;
pub use cryptography::*;
pub use grants::*;
pub use key_stores::*;
pub use keys::*;
pub use policies::*;
pub use requests::members_of;
pub use rotation::*;
pub use tags::*;

use crate::aws::operation::{Empty, Service, operations};

operations! { Service::Kms;
    CreateKey => CreateKeyOutput, "CreateKey" once;
    DescribeKey => DescribeKeyOutput, "DescribeKey";
    ListKeys => ListKeysOutput, "ListKeys";
    EnableKey => Empty, "EnableKey";
    DisableKey => Empty, "DisableKey";
    UpdateKeyDescription => Empty, "UpdateKeyDescription";
    ScheduleKeyDeletion => ScheduleKeyDeletionOutput, "ScheduleKeyDeletion" once;
    CancelKeyDeletion => CancelKeyDeletionOutput, "CancelKeyDeletion" once;
    GetKeyRotationStatus => GetKeyRotationStatusOutput, "GetKeyRotationStatus";
    EnableKeyRotation => Empty, "EnableKeyRotation";
    DisableKeyRotation => Empty, "DisableKeyRotation";
    ListKeyRotations => ListKeyRotationsOutput, "ListKeyRotations";
    RotateKeyOnDemand => RotateKeyOnDemandOutput, "RotateKeyOnDemand" once;
    GetKeyLastUsage => GetKeyLastUsageOutput, "GetKeyLastUsage";
    CreateAlias => Empty, "CreateAlias" once;
    UpdateAlias => Empty, "UpdateAlias";
    DeleteAlias => Empty, "DeleteAlias" once;
    ListAliases => ListAliasesOutput, "ListAliases";
    TagResource => Empty, "TagResource";
    UntagResource => Empty, "UntagResource";
    ListResourceTags => ListResourceTagsOutput, "ListResourceTags";
    GetKeyPolicy => GetKeyPolicyOutput, "GetKeyPolicy";
    PutKeyPolicy => Empty, "PutKeyPolicy";
    ListKeyPolicies => ListKeyPoliciesOutput, "ListKeyPolicies";
    Encrypt => EncryptOutput, "Encrypt";
    Decrypt => DecryptOutput, "Decrypt";
    ReEncrypt => ReEncryptOutput, "ReEncrypt";
    GenerateDataKey => GenerateDataKeyOutput, "GenerateDataKey";
    GenerateDataKeyWithoutPlaintext => GenerateDataKeyWithoutPlaintextOutput, "GenerateDataKeyWithoutPlaintext";
    CreateGrant => CreateGrantOutput, "CreateGrant" once;
    ListGrants => ListGrantsOutput, "ListGrants";
    ListRetirableGrants => ListGrantsOutput, "ListRetirableGrants";
    RevokeGrant => Empty, "RevokeGrant" once;
    RetireGrant => Empty, "RetireGrant" once;
    GenerateRandom => GenerateRandomOutput, "GenerateRandom";
    CreateCustomKeyStore => CreateCustomKeyStoreOutput, "CreateCustomKeyStore" once;
    UpdateCustomKeyStore => Empty, "UpdateCustomKeyStore";
    DeleteCustomKeyStore => Empty, "DeleteCustomKeyStore" once;
    DescribeCustomKeyStores => DescribeCustomKeyStoresOutput, "DescribeCustomKeyStores";
    ConnectCustomKeyStore => Empty, "ConnectCustomKeyStore" once;
    DisconnectCustomKeyStore => Empty, "DisconnectCustomKeyStore" once;
}
