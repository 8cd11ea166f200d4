//! The operations of IAM that create and delete users, roles, their inline policies and access keys.
//!
//! Source: the IAM API Reference. A parameter that is not listed here is refused, never ignored.

use serde::{Deserialize, Deserializer, Serialize};

use super::MemberList;
use crate::aws::scalar::SecretString;

/// A tag of a user, a role, or a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// 1 to 128 characters; not case sensitive.
    pub key: String,
    /// Up to 256 characters.
    pub value: String,
}

/// Reads the tags of a request, in which no member may be that is not known.
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

/// The request of CreateUser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateUser {
    /// `/` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// 1 to 64 of `A-Za-z0-9_+=,.@-`, unique in the account without regard to case.
    pub user_name: String,
    /// At most 50.
    #[serde(default, skip_serializing_if = "MemberList::is_empty", deserialize_with = "requested_tags")]
    pub tags: MemberList<Tag>,
}

/// The request of DeleteUser. The user must have no policies and no access keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteUser {
    /// The user.
    pub user_name: String,
}

/// The request of CreateRole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateRole {
    /// `/` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// 1 to 64 of `A-Za-z0-9_+=,.@-`, unique in the account without regard to case.
    pub role_name: String,
    /// The trust policy: JSON.
    pub assume_role_policy_document: String,
    /// Up to 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The longest session, in seconds: 3,600 to 43,200; 3,600 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_session_duration: Option<u32>,
    /// At most 50.
    #[serde(default, skip_serializing_if = "MemberList::is_empty", deserialize_with = "requested_tags")]
    pub tags: MemberList<Tag>,
}

/// The request of DeleteRole. The role must have no policies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteRole {
    /// The role.
    pub role_name: String,
}

/// The request of PutUserPolicy, which creates or replaces an inline policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutUserPolicy {
    /// The user.
    pub user_name: String,
    /// The policy.
    pub policy_name: String,
    /// A policy document: JSON.
    pub policy_document: String,
}

/// The request of GetUserPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetUserPolicy {
    /// The user.
    pub user_name: String,
    /// The policy.
    pub policy_name: String,
}

/// The request of ListUserPolicies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListUserPolicies {
    /// The user.
    pub user_name: String,
    /// `Marker` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// 1 to 1,000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// The request of DeleteUserPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteUserPolicy {
    /// The user.
    pub user_name: String,
    /// The policy.
    pub policy_name: String,
}

/// The response of GetUserPolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserPolicy {
    /// The user.
    pub user_name: String,
    /// The policy.
    pub policy_name: String,
    /// URL-encoded JSON.
    pub policy_document: String,
}

/// The request of PutRolePolicy, which creates or replaces an inline policy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct PutRolePolicy {
    /// The role.
    pub role_name: String,
    /// The policy.
    pub policy_name: String,
    /// A policy document: JSON.
    pub policy_document: String,
}

/// The request of GetRolePolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetRolePolicy {
    /// The role.
    pub role_name: String,
    /// The policy.
    pub policy_name: String,
}

/// The request of ListRolePolicies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListRolePolicies {
    /// The role.
    pub role_name: String,
    /// `Marker` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// 1 to 1,000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// The request of DeleteRolePolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteRolePolicy {
    /// The role.
    pub role_name: String,
    /// The policy.
    pub policy_name: String,
}

/// The response of GetRolePolicy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RolePolicy {
    /// The role.
    pub role_name: String,
    /// The policy.
    pub policy_name: String,
    /// URL-encoded JSON.
    pub policy_document: String,
}

/// The response of ListUserPolicies and ListRolePolicies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyNames {
    /// The page.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub policy_names: MemberList<String>,
    /// Whether there are more.
    #[serde(default)]
    pub is_truncated: bool,
    /// Where the next page starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// The request of CreateAccessKey.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateAccessKey {
    /// The user; the caller when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
}

/// The response of CreateAccessKey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateAccessKeyOutput {
    /// The access key.
    pub access_key: AccessKey,
}

/// An access key with its secret, which IAM shows once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKey {
    /// The user.
    pub user_name: String,
    /// `AKIA…`.
    pub access_key_id: String,
    /// `Active`.
    pub status: String,
    /// The secret.
    pub secret_access_key: SecretString,
    /// ISO 8601.
    pub create_date: String,
}

/// The request of ListAccessKeys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListAccessKeys {
    /// The user; the caller when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// `Marker` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// 1 to 1,000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// The response of ListAccessKeys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccessKeysOutput {
    /// The access keys.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub access_key_metadata: MemberList<AccessKeyMetadata>,
    /// Whether there are more.
    #[serde(default)]
    pub is_truncated: bool,
    /// Where the next page starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// An access key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AccessKeyMetadata {
    /// The user.
    pub user_name: String,
    /// `AKIA…`.
    pub access_key_id: String,
    /// `Active`.
    pub status: String,
    /// ISO 8601.
    pub create_date: String,
}

/// The request of DeleteAccessKey.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DeleteAccessKey {
    /// The user; the caller when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The access key.
    pub access_key_id: String,
}
