//! The IAM operations that the console needs: listing principals and simulating their permissions.

mod principals;
mod simulation;

pub use principals::*;
pub use simulation::{
    ContextEntry, Decision, EvaluationResult, MatchedStatement, PermissionsBoundaryDecisionDetail, Position,
    ResourceSpecificResult, SimulatePolicyOutput, SimulatePrincipalPolicy,
};

use serde::{Deserialize, Serialize};

use super::member_list::MemberList;
use crate::aws::lenient::Identified;
use crate::aws::operation::{Empty, Service, operations};

operations! { Service::Iam;
    ListUsers => ListUsersOutput, "ListUsers" read_only;
    ListRoles => ListRolesOutput, "ListRoles" read_only;
    ListAccountAliases => ListAccountAliasesOutput, "ListAccountAliases" read_only;
    GetUser => GetUserOutput, "GetUser" read_only;
    GetRole => GetRoleOutput, "GetRole" read_only;
    SimulatePrincipalPolicy => SimulatePolicyOutput, "SimulatePrincipalPolicy" read_only;
    CreateUser => GetUserOutput, "CreateUser" not_idempotent;
    DeleteUser => Empty, "DeleteUser";
    CreateRole => GetRoleOutput, "CreateRole" not_idempotent;
    DeleteRole => Empty, "DeleteRole";
    PutUserPolicy => Empty, "PutUserPolicy";
    GetUserPolicy => UserPolicy, "GetUserPolicy" read_only;
    ListUserPolicies => PolicyNames, "ListUserPolicies" read_only;
    DeleteUserPolicy => Empty, "DeleteUserPolicy";
    PutRolePolicy => Empty, "PutRolePolicy";
    GetRolePolicy => RolePolicy, "GetRolePolicy" read_only;
    ListRolePolicies => PolicyNames, "ListRolePolicies" read_only;
    DeleteRolePolicy => Empty, "DeleteRolePolicy";
    CreateAccessKey => CreateAccessKeyOutput, "CreateAccessKey" not_idempotent;
    ListAccessKeys => ListAccessKeysOutput, "ListAccessKeys" read_only;
    DeleteAccessKey => Empty, "DeleteAccessKey";
}

/// A `ListUsers` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListUsers {
    /// The path prefix for filtering the results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// The `Marker` from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The maximum number of users per page: 1 to 1,000. The default is 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// One page of ListUsers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListUsersOutput {
    /// The users.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub users: MemberList<User>,
    /// Whether more results are available.
    #[serde(default)]
    pub is_truncated: bool,
    /// The marker to send for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// An IAM user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    /// The path, such as `/` or `/division/team/`.
    pub path: String,
    /// The user name.
    pub user_name: String,
    /// The unique ID, `AIDA…`.
    pub user_id: String,
    /// The ARN of the user.
    pub arn: String,
    /// The creation date and time, in ISO 8601 format.
    pub create_date: String,
    /// The tags of the user. ListUsers omits them.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub tags: MemberList<Tag>,
}

impl Identified for User {
    const ID: &'static str = "UserName";
}

/// A `ListRoles` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRoles {
    /// The path prefix for filtering the results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// The `Marker` from the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// The maximum number of roles per page: 1 to 1,000. The default is 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// One page of ListRoles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRolesOutput {
    /// The roles.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub roles: MemberList<Role>,
    /// Whether more results are available.
    #[serde(default)]
    pub is_truncated: bool,
    /// The marker to send for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// An IAM role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Role {
    /// The path, such as `/` or `/division/team/`.
    pub path: String,
    /// The role name.
    pub role_name: String,
    /// The unique ID, `AROA…`.
    pub role_id: String,
    /// The ARN of the role.
    pub arn: String,
    /// The creation date and time, in ISO 8601 format.
    pub create_date: String,
    /// The trust policy, as URL-encoded JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role_policy_document: Option<String>,
    /// The description of the role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The maximum session duration in seconds: 3,600 to 43,200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_session_duration: Option<u32>,
    /// The tags of the role. ListRoles omits them.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub tags: MemberList<Tag>,
}

impl Identified for Role {
    const ID: &'static str = "RoleName";
}

/// A `ListAccountAliases` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccountAliases {}

/// A `ListAccountAliases` response. An account has at most one alias.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccountAliasesOutput {
    /// The account alias.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub account_aliases: MemberList<String>,
    /// Whether more results are available.
    #[serde(default)]
    pub is_truncated: bool,
}

/// A `GetUser` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetUser {
    /// The user name without the path. The default is the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
}

/// A `GetUser` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetUserOutput {
    /// The user.
    #[serde(deserialize_with = "crate::aws::lenient::identified")]
    pub user: User,
}

/// A `GetRole` request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRole {
    /// The role name without the path.
    pub role_name: String,
}

/// A `GetRole` response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRoleOutput {
    /// The role.
    #[serde(deserialize_with = "crate::aws::lenient::identified")]
    pub role: Role,
}
