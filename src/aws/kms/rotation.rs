//! Rotation of KMS-generated key material, and the last usage of a key.

use serde::{Deserialize, Serialize};

use crate::aws::scalar::EpochSeconds;

/// An `EnableKeyRotation` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnableKeyRotation {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The number of days between automatic rotations: 90 to 2,560. The default is 365.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_period_in_days: Option<u32>,
}

/// A `GetKeyRotationStatus` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyRotationStatusOutput {
    /// Whether automatic key rotation is enabled.
    #[serde(default)]
    pub key_rotation_enabled: bool,
    /// The ARN of the KMS key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The number of days between automatic rotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_period_in_days: Option<u32>,
    /// The date and time of the next automatic rotation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_rotation_date: Option<EpochSeconds>,
}

/// A `ListKeyRotations` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyRotations {
    /// The key ID or key ARN.
    pub key_id: String,
    /// `ROTATIONS_ONLY` (the default), or `ALL_KEY_MATERIAL` to include the first key material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_key_material: Option<String>,
    /// The maximum number of rotations per page: 1 to 1,000. The default is 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `NextMarker` from the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// A `ListKeyRotations` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyRotationsOutput {
    /// The completed rotations, oldest first.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub rotations: Vec<RotationsListEntry>,
    /// The marker to send for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether more results are available.
    #[serde(default)]
    pub truncated: bool,
}

/// A completed key material rotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotationsListEntry {
    /// The key ID.
    pub key_id: String,
    /// The ID of the key material that the rotation introduced: 64 hexadecimal digits.
    pub key_material_id: String,
    /// The key material state: `CURRENT` or `NON_CURRENT`.
    pub key_material_state: String,
    /// The date and time of the rotation. Absent for the first key material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_date: Option<EpochSeconds>,
    /// The rotation type: `AUTOMATIC` or `ON_DEMAND`. Absent for the first key material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_type: Option<String>,
}

/// A `RotateKeyOnDemand` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotateKeyOnDemandOutput {
    /// The key ID.
    pub key_id: String,
}

/// A `GetKeyLastUsage` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyLastUsageOutput {
    /// The ARN of the KMS key.
    pub key_id: String,
    /// The last successful cryptographic operation. Absent if there is none since tracking started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_last_usage: Option<KeyLastUsage>,
    /// The date and time that usage tracking started.
    pub tracking_start_date: EpochSeconds,
    /// The date and time that the KMS key was created.
    pub key_creation_date: EpochSeconds,
}

/// The last cryptographic operation that used a KMS key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyLastUsage {
    /// The name of the operation, such as `Encrypt` or `Decrypt`.
    pub operation: String,
    /// The date and time of the operation.
    pub timestamp: EpochSeconds,
    /// The ID of the CloudTrail event for the operation.
    pub cloud_trail_event_id: String,
    /// The ID of the KMS request.
    pub kms_request_id: String,
}
