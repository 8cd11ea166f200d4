//! Key policy operations: get, put, and list.

use serde::{Deserialize, Serialize};

/// The only valid name of a key policy.
pub const DEFAULT_POLICY_NAME: &str = "default";

/// A `GetKeyPolicy` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyPolicy {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The policy name. The only valid value is `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
}

impl GetKeyPolicy {
    /// Creates a request that names the policy. KMS doesn't require the name, but KMS-compatible services might.
    pub fn new(key_id: String) -> Self {
        Self { key_id, policy_name: Some(DEFAULT_POLICY_NAME.to_owned()) }
    }
}

/// A `GetKeyPolicy` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetKeyPolicyOutput {
    /// The key policy document.
    pub policy: String,
    /// The policy name: `default`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
}

/// A `ListKeyPolicies` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyPolicies {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The maximum number of policy names per page: 1 to 1,000. The default is 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `NextMarker` from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// One page of ListKeyPolicies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListKeyPoliciesOutput {
    /// The policy names. The only value is `default`.
    #[serde(deserialize_with = "crate::aws::lenient::list")]
    pub policy_names: Vec<String>,
    /// The marker to send for the next page. Present only when `truncated` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_marker: Option<String>,
    /// Whether more results are available.
    #[serde(default)]
    pub truncated: bool,
}

/// A `PutKeyPolicy` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutKeyPolicy {
    /// The key ID or key ARN.
    pub key_id: String,
    /// The policy name. The only valid value is `default`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    /// The key policy document: up to 32 KB.
    pub policy: String,
    /// Whether to skip the key policy lockout safety check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_policy_lockout_safety_check: Option<bool>,
}

impl PutKeyPolicy {
    /// Creates a request that names the policy, as [`GetKeyPolicy::new`] does.
    pub fn new(key_id: String, policy: String) -> Self {
        Self {
            key_id,
            policy_name: Some(DEFAULT_POLICY_NAME.to_owned()),
            policy,
            bypass_policy_lockout_safety_check: None,
        }
    }
}
