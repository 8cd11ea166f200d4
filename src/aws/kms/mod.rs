//! The operations of AWS KMS, grouped by topic, and the table of all operations.
//!
//! Source: the public API model of KMS (AWS JSON 1.1, target prefix `TrentService`).

mod aliases;
mod cryptography;
mod grants;
mod key_stores;
mod keys;
pub mod metrics;
mod policies;
mod request_shapes;
mod rotation;
mod tags;

pub use aliases::*;
pub use cryptography::*;
pub use grants::*;
pub use key_stores::*;
pub use keys::*;
pub use policies::*;
pub use request_shapes::request_members;
pub use rotation::*;
pub use tags::*;

use crate::aws::operation::{Empty, Service, operations};

operations! { Service::Kms;
    CreateKey => CreateKeyOutput, "CreateKey" not_idempotent;
    DescribeKey => DescribeKeyOutput, "DescribeKey" read_only;
    ListKeys => ListKeysOutput, "ListKeys" read_only;
    EnableKey => Empty, "EnableKey";
    DisableKey => Empty, "DisableKey";
    UpdateKeyDescription => Empty, "UpdateKeyDescription";
    ScheduleKeyDeletion => ScheduleKeyDeletionOutput, "ScheduleKeyDeletion" not_idempotent;
    CancelKeyDeletion => CancelKeyDeletionOutput, "CancelKeyDeletion" not_idempotent;
    GetKeyRotationStatus => GetKeyRotationStatusOutput, "GetKeyRotationStatus" read_only;
    EnableKeyRotation => Empty, "EnableKeyRotation";
    DisableKeyRotation => Empty, "DisableKeyRotation";
    ListKeyRotations => ListKeyRotationsOutput, "ListKeyRotations" read_only;
    RotateKeyOnDemand => RotateKeyOnDemandOutput, "RotateKeyOnDemand" not_idempotent;
    GetKeyLastUsage => GetKeyLastUsageOutput, "GetKeyLastUsage" read_only;
    CreateAlias => Empty, "CreateAlias" not_idempotent;
    UpdateAlias => Empty, "UpdateAlias";
    DeleteAlias => Empty, "DeleteAlias" not_idempotent;
    ListAliases => ListAliasesOutput, "ListAliases" read_only;
    TagResource => Empty, "TagResource";
    UntagResource => Empty, "UntagResource";
    ListResourceTags => ListResourceTagsOutput, "ListResourceTags" read_only;
    GetKeyPolicy => GetKeyPolicyOutput, "GetKeyPolicy" read_only;
    PutKeyPolicy => Empty, "PutKeyPolicy";
    ListKeyPolicies => ListKeyPoliciesOutput, "ListKeyPolicies" read_only;
    Encrypt => EncryptOutput, "Encrypt" dry_run;
    Decrypt => DecryptOutput, "Decrypt" dry_run;
    ReEncrypt => ReEncryptOutput, "ReEncrypt" dry_run;
    GenerateDataKey => GenerateDataKeyOutput, "GenerateDataKey" dry_run;
    GenerateDataKeyWithoutPlaintext => GenerateDataKeyWithoutPlaintextOutput, "GenerateDataKeyWithoutPlaintext";
    CreateGrant => CreateGrantOutput, "CreateGrant" dry_run not_idempotent;
    ListGrants => ListGrantsOutput, "ListGrants" read_only;
    ListRetirableGrants => ListGrantsOutput, "ListRetirableGrants" read_only;
    RevokeGrant => Empty, "RevokeGrant" dry_run not_idempotent;
    RetireGrant => Empty, "RetireGrant" dry_run not_idempotent;
    GenerateRandom => GenerateRandomOutput, "GenerateRandom";
    CreateCustomKeyStore => CreateCustomKeyStoreOutput, "CreateCustomKeyStore" not_idempotent;
    UpdateCustomKeyStore => Empty, "UpdateCustomKeyStore";
    DeleteCustomKeyStore => Empty, "DeleteCustomKeyStore" not_idempotent;
    DescribeCustomKeyStores => DescribeCustomKeyStoresOutput, "DescribeCustomKeyStores" read_only;
    ConnectCustomKeyStore => Empty, "ConnectCustomKeyStore" not_idempotent;
    DisconnectCustomKeyStore => Empty, "DisconnectCustomKeyStore" not_idempotent;
}
