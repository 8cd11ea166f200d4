//! Key policies: read, write, list.

use serde::{Deserialize, Serialize};

/// The name of the only policy that a key has.
pub const DEFAULT_POLICY_NAME: &str = "default";

/// The request of GetKeyPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyPolicy {
    /// Key ID or key ARN.
    pub key_id: String,
    /// Only `default` exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
}

impl GetKeyPolicy {
    /// Asks for the policy of a key, by its name: KMS needs none, what stands in for KMS elsewhere may.
    pub fn new(key_id: String) -> Self {
        Self { key_id, policy_name: Some(DEFAULT_POLICY_NAME.to_owned()) }
    }
}

/// What GetKeyPolicy answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyPolicyOutput {
    /// The policy document.
    pub policy: String,
    /// `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
}

/// The request of ListKeyPolicies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyPolicies {
    /// Key ID or key ARN.
    pub key_id: String,
    /// 1 to 1,000; 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `NextMarker` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// One page of ListKeyPolicies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyPoliciesOutput {
    /// `default` is the only name there is.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub policy_names: Vec<String>,
    /// Present only when `truncated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether there is more.
    #[serde(default)]
    pub truncated: bool,
}

/// The request of PutKeyPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutKeyPolicy {
    /// Key ID or key ARN.
    pub key_id: String,
    /// Only `default` exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    /// The document; at most 32 KB.
    pub policy: String,
    /// Skips the check that the caller can change the policy again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_policy_lockout_safety_check: Option<bool>,
}

impl PutKeyPolicy {
    /// Gives a key another policy, by its name as [`GetKeyPolicy::of`] does.
    pub fn new(key_id: String, policy: String) -> Self {
        Self {
            key_id,
            policy_name: Some(DEFAULT_POLICY_NAME.to_owned()),
            policy,
            bypass_policy_lockout_safety_check: None,
        }
    }
}
