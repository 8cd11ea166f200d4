//! AWS request quotas per account and Region.

use super::operation::Service;

/// Returns the requests-per-second quota of an operation, if it is so low that a single console can exceed it.
///
/// Source: *Request quotas* of the KMS Developer Guide; *LookupEvents* of the CloudTrail API Reference.
pub fn requests_per_second(service: Service, operation: &str) -> Option<usize> {
    match (service, operation) {
        (Service::CloudTrail, "LookupEvents") => Some(2),
        (
            Service::Kms,
            "CancelKeyDeletion"
            | "ConnectCustomKeyStore"
            | "CreateAlias"
            | "CreateCustomKeyStore"
            | "CreateKey"
            | "DeleteCustomKeyStore"
            | "DescribeCustomKeyStores"
            | "DisableKey"
            | "DisconnectCustomKeyStore"
            | "EnableKey"
            | "GetKeyLastUsage"
            | "UntagResource"
            | "UpdateAlias"
            | "UpdateCustomKeyStore"
            | "UpdateKeyDescription",
        ) => Some(5),
        (Service::Kms, "TagResource") => Some(10),
        (Service::Kms, "DeleteAlias" | "PutKeyPolicy" | "ScheduleKeyDeletion") => Some(15),
        _ => None,
    }
}
