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
    DescribeKey => DescribeKeyOutput, "DescribeKey" reads;
    ListKeys => ListKeysOutput, "ListKeys" reads;
    EnableKey => Empty, "EnableKey";
    DisableKey => Empty, "DisableKey";
    UpdateKeyDescription => Empty, "UpdateKeyDescription";
    ScheduleKeyDeletion => ScheduleKeyDeletionOutput, "ScheduleKeyDeletion" once;
    CancelKeyDeletion => CancelKeyDeletionOutput, "CancelKeyDeletion" once;
    GetKeyRotationStatus => GetKeyRotationStatusOutput, "GetKeyRotationStatus" reads;
    EnableKeyRotation => Empty, "EnableKeyRotation";
    DisableKeyRotation => Empty, "DisableKeyRotation";
    ListKeyRotations => ListKeyRotationsOutput, "ListKeyRotations" reads;
    RotateKeyOnDemand => RotateKeyOnDemandOutput, "RotateKeyOnDemand" once;
    GetKeyLastUsage => GetKeyLastUsageOutput, "GetKeyLastUsage" reads;
    CreateAlias => Empty, "CreateAlias" once;
    UpdateAlias => Empty, "UpdateAlias";
    DeleteAlias => Empty, "DeleteAlias" once;
    ListAliases => ListAliasesOutput, "ListAliases" reads;
    TagResource => Empty, "TagResource";
    UntagResource => Empty, "UntagResource";
    ListResourceTags => ListResourceTagsOutput, "ListResourceTags" reads;
    GetKeyPolicy => GetKeyPolicyOutput, "GetKeyPolicy" reads;
    PutKeyPolicy => Empty, "PutKeyPolicy";
    ListKeyPolicies => ListKeyPoliciesOutput, "ListKeyPolicies" reads;
    Encrypt => EncryptOutput, "Encrypt" tries;
    Decrypt => DecryptOutput, "Decrypt" tries;
    ReEncrypt => ReEncryptOutput, "ReEncrypt" tries;
    GenerateDataKey => GenerateDataKeyOutput, "GenerateDataKey" tries;
    GenerateDataKeyWithoutPlaintext => GenerateDataKeyWithoutPlaintextOutput, "GenerateDataKeyWithoutPlaintext";
    CreateGrant => CreateGrantOutput, "CreateGrant" tries once;
    ListGrants => ListGrantsOutput, "ListGrants" reads;
    ListRetirableGrants => ListGrantsOutput, "ListRetirableGrants" reads;
    RevokeGrant => Empty, "RevokeGrant" tries once;
    RetireGrant => Empty, "RetireGrant" tries once;
    GenerateRandom => GenerateRandomOutput, "GenerateRandom";
    CreateCustomKeyStore => CreateCustomKeyStoreOutput, "CreateCustomKeyStore" once;
    UpdateCustomKeyStore => Empty, "UpdateCustomKeyStore";
    DeleteCustomKeyStore => Empty, "DeleteCustomKeyStore" once;
    DescribeCustomKeyStores => DescribeCustomKeyStoresOutput, "DescribeCustomKeyStores" reads;
    ConnectCustomKeyStore => Empty, "ConnectCustomKeyStore" once;
    DisconnectCustomKeyStore => Empty, "DisconnectCustomKeyStore" once;
}
