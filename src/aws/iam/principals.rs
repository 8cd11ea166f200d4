//! The IAM operations that create and delete users, roles, inline policies, and access keys.
//!
//! Source: the IAM API Reference. A request with a parameter that isn't listed here is rejected.

use serde::{Deserialize, Deserializer, Serialize};

use super::MemberList;
use crate::aws::scalar::SecretString;

/// A tag of a user, role, or role session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The tag key: 1 to 128 characters, not case-sensitive.
    pub key: String,
    /// The tag value: up to 256 characters.
    pub value: String,
}

/// Deserializes the tags of a request. Unknown members are rejected.
pub(in crate::aws) fn requested_tags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MemberList<Tag>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct RequestedTag {
        key: String,
        value: String,
    }
    let tags = MemberList::<RequestedTag>::deserialize(deserializer)?;
    Ok(tags.member.into_iter().map(|tag| Tag { key: tag.key, value: tag.value }).collect())
}

/// A `CreateUser` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateUser {
    /// The path. The default is `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The user name: 1 to 64 characters of `A-Za-z0-9_+=,.@-`, unique in the account regardless of case.
    pub user_name: String,
    /// The tags to attach, up to 50.
    #[serde(default, skip_serializing_if = "MemberList::is_empty", deserialize_with = "requested_tags")]
    pub tags: MemberList<Tag>,
}

/// A `DeleteUser` request. The user must have no policies and no access keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteUser {
    /// The user name.
    pub user_name: String,
}

/// A `CreateRole` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateRole {
    /// The path. The default is `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The role name: 1 to 64 characters of `A-Za-z0-9_+=,.@-`, unique in the account regardless of case.
    pub role_name: String,
    /// The trust policy, as JSON.
    pub assume_role_policy_document: String,
    /// The description: up to 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The maximum session duration in seconds: 3,600 to 43,200. The default is 3,600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_session_duration: Option<u32>,
    /// The tags to attach, up to 50.
    #[serde(default, skip_serializing_if = "MemberList::is_empty", deserialize_with = "requested_tags")]
    pub tags: MemberList<Tag>,
}

/// A `DeleteRole` request. The role must have no policies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteRole {
    /// The role name.
    pub role_name: String,
}

/// A `PutUserPolicy` request, which creates or replaces an inline policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutUserPolicy {
    /// The user name.
    pub user_name: String,
    /// The policy name.
    pub policy_name: String,
    /// The policy document, as JSON.
    pub policy_document: String,
}

/// A `GetUserPolicy` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetUserPolicy {
    /// The user name.
    pub user_name: String,
    /// The policy name.
    pub policy_name: String,
}

/// A `ListUserPolicies` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListUserPolicies {
    /// The user name.
    pub user_name: String,
    /// The `Marker` from the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The maximum number of policy names per page: 1 to 1,000. The default is 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// A `DeleteUserPolicy` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteUserPolicy {
    /// The user name.
    pub user_name: String,
    /// The policy name.
    pub policy_name: String,
}

/// A `GetUserPolicy` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserPolicy {
    /// The user name.
    pub user_name: String,
    /// The policy name.
    pub policy_name: String,
    /// The policy document, as URL-encoded JSON.
    pub policy_document: String,
}

/// A `PutRolePolicy` request, which creates or replaces an inline policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutRolePolicy {
    /// The role name.
    pub role_name: String,
    /// The policy name.
    pub policy_name: String,
    /// The policy document, as JSON.
    pub policy_document: String,
}

/// A `GetRolePolicy` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetRolePolicy {
    /// The role name.
    pub role_name: String,
    /// The policy name.
    pub policy_name: String,
}

/// A `ListRolePolicies` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListRolePolicies {
    /// The role name.
    pub role_name: String,
    /// The `Marker` from the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The maximum number of policy names per page: 1 to 1,000. The default is 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// A `DeleteRolePolicy` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteRolePolicy {
    /// The role name.
    pub role_name: String,
    /// The policy name.
    pub policy_name: String,
}

/// A `GetRolePolicy` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RolePolicy {
    /// The role name.
    pub role_name: String,
    /// The policy name.
    pub policy_name: String,
    /// The policy document, as URL-encoded JSON.
    pub policy_document: String,
}

/// A `ListUserPolicies` or `ListRolePolicies` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyNames {
    /// The policy names.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub policy_names: MemberList<String>,
    /// Whether more results are available.
    #[serde(default)]
    pub is_truncated: bool,
    /// The marker to send for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// A `CreateAccessKey` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateAccessKey {
    /// The user name. The default is the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
}

/// A `CreateAccessKey` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAccessKeyOutput {
    /// The access key.
    pub access_key: AccessKey,
}

/// An access key with its secret access key, which IAM returns only once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKey {
    /// The user name.
    pub user_name: String,
    /// The access key ID, `AKIA…`.
    pub access_key_id: String,
    /// The status: `Active`.
    pub status: String,
    /// The secret access key.
    pub secret_access_key: SecretString,
    /// The creation date and time, in ISO 8601 format.
    pub create_date: String,
}

/// A `ListAccessKeys` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListAccessKeys {
    /// The user name. The default is the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The `Marker` from the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The maximum number of access keys per page: 1 to 1,000. The default is 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// A `ListAccessKeys` response.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccessKeysOutput {
    /// The access keys.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub access_key_metadata: MemberList<AccessKeyMetadata>,
    /// Whether more results are available.
    #[serde(default)]
    pub is_truncated: bool,
    /// The marker to send for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// An access key without its secret access key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKeyMetadata {
    /// The user name.
    pub user_name: String,
    /// The access key ID, `AKIA…`.
    pub access_key_id: String,
    /// The status: `Active`.
    pub status: String,
    /// The creation date and time, in ISO 8601 format.
    pub create_date: String,
}

/// A `DeleteAccessKey` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteAccessKey {
    /// The user name. The default is the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The access key ID.
    pub access_key_id: String,
}
