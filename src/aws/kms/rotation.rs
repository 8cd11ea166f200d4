//! Rotation of the key material that KMS makes itself, and when a key was last used.

use serde::{Deserialize, Serialize};

use crate::aws::scalar::EpochSeconds;

/// The request of EnableKeyRotation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EnableKeyRotation {
    /// Key ID or key ARN.
    pub key_id: String,
    /// Days between two rotations, 90 to 2,560; 365 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_period_in_days: Option<u32>,
}

/// What GetKeyRotationStatus answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyRotationStatusOutput {
    /// Whether KMS rotates the key material by itself.
    #[serde(default)]
    pub key_rotation_enabled: bool,
    /// The key ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// Days between two rotations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_period_in_days: Option<u32>,
    /// When KMS rotates the next time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_rotation_date: Option<EpochSeconds>,
}

/// The request of ListKeyRotations.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyRotations {
    /// Key ID or key ARN.
    pub key_id: String,
    /// `ROTATIONS_ONLY`, as when absent, or `ALL_KEY_MATERIAL`: the first material, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_key_material: Option<String>,
    /// 1 to 1,000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where the last page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// What ListKeyRotations answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyRotationsOutput {
    /// The rotations, the oldest first.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub rotations: Vec<RotationsListEntry>,
    /// Where to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there are more.
    #[serde(default)]
    pub truncated: bool,
}

/// A rotation: one key material of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotationsListEntry {
    /// The key ID.
    pub key_id: String,
    /// The key material that it brought: 64 hexadecimal digits.
    pub key_material_id: String,
    /// `CURRENT` or `NON_CURRENT`.
    pub key_material_state: String,
    /// When it was; absent for the first material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_date: Option<EpochSeconds>,
    /// `AUTOMATIC` or `ON_DEMAND`; absent for the first material.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation_type: Option<String>,
}

/// What RotateKeyOnDemand answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RotateKeyOnDemandOutput {
    /// The key ID.
    pub key_id: String,
}

/// What GetKeyLastUsage answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyLastUsageOutput {
    /// The key ARN.
    pub key_id: String,
    /// The last cryptographic operation that went well; absent when there was none since tracking started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_last_usage: Option<KeyLastUsage>,
    /// Since when usage is tracked.
    pub tracking_start_date: EpochSeconds,
    /// When the key was made.
    pub key_creation_date: EpochSeconds,
}

/// A use of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct KeyLastUsage {
    /// `Encrypt`, `Decrypt` ...
    pub operation: String,
    /// When.
    pub timestamp: EpochSeconds,
    /// Its event in CloudTrail.
    pub cloud_trail_event_id: String,
    /// Its request.
    pub kms_request_id: String,
}
