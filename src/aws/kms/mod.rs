//! The operations of AWS KMS by family, and the table of them all.
//!
//! Source: the public API model of KMS (AWS JSON 1.1, target prefix `TrentService`).

mod aliases;
mod cryptography;
mod key_stores;
mod keys;
mod policies;
mod tags;

pub use aliases::*;
pub use cryptography::*;
pub use key_stores::*;
pub use keys::*;
pub use policies::*;
pub use tags::*;

use crate::aws::operation::{Empty, Service, operations};

operations! { Service::Kms;
    CreateKey => CreateKeyOutput, "CreateKey";
    DescribeKey => DescribeKeyOutput, "DescribeKey";
    ListKeys => ListKeysOutput, "ListKeys";
    CreateAlias => Empty, "CreateAlias";
    ListAliases => ListAliasesOutput, "ListAliases";
    TagResource => Empty, "TagResource";
    ListResourceTags => ListResourceTagsOutput, "ListResourceTags";
    GetKeyPolicy => GetKeyPolicyOutput, "GetKeyPolicy";
    ListKeyPolicies => ListKeyPoliciesOutput, "ListKeyPolicies";
    Encrypt => EncryptOutput, "Encrypt";
    Decrypt => DecryptOutput, "Decrypt";
    GenerateDataKey => GenerateDataKeyOutput, "GenerateDataKey";
    DescribeCustomKeyStores => DescribeCustomKeyStoresOutput, "DescribeCustomKeyStores";
    ConnectCustomKeyStore => Empty, "ConnectCustomKeyStore";
    DisconnectCustomKeyStore => Empty, "DisconnectCustomKeyStore";
}
