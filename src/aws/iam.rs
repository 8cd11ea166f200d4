//! The operations of IAM that the console needs: to list principals, and to see what one may do.

mod principals;
mod simulation;

pub use principals::*;
pub use simulation::{
    ContextEntry, Decision, EvaluationResult, MatchedStatement, PermissionsBoundaryDecisionDetail, Position,
    ResourceSpecificResult, SimulatePolicyOutput, SimulatePrincipalPolicy,
};

use super::member_list::MemberList;
use serde::{Deserialize, Serialize};

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

/// The request of ListUsers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListUsers {
    /// Only below this path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// `Marker` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// 1 to 1,000; 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// One page of ListUsers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListUsersOutput {
    /// The page.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub users: MemberList<User>,
    /// Whether there is more.
    #[serde(default)]
    pub is_truncated: bool,
    /// Where the next page starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// An IAM user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct User {
    /// `/` or `/division/team/`.
    pub path: String,
    /// The name.
    pub user_name: String,
    /// `AIDA…`.
    pub user_id: String,
    /// The ARN.
    pub arn: String,
    /// ISO 8601.
    pub create_date: String,
    /// Its tags; lists of users leave them out.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub tags: MemberList<Tag>,
}

impl Identified for User {
    const ID: &'static str = "UserName";
}

/// The request of ListRoles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRoles {
    /// Only below this path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// `Marker` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    /// 1 to 1,000; 100 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<u32>,
}

/// One page of ListRoles.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRolesOutput {
    /// The page.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub roles: MemberList<Role>,
    /// Whether there is more.
    #[serde(default)]
    pub is_truncated: bool,
    /// Where the next page starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// An IAM role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Role {
    /// `/` or `/division/team/`.
    pub path: String,
    /// The name.
    pub role_name: String,
    /// `AROA…`.
    pub role_id: String,
    /// The ARN.
    pub arn: String,
    /// ISO 8601.
    pub create_date: String,
    /// The trust policy, URL-encoded JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assume_role_policy_document: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The longest session, in seconds: 3,600 to 43,200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_session_duration: Option<u32>,
    /// Its tags; lists of roles leave them out.
    #[serde(default, skip_serializing_if = "MemberList::is_empty")]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub tags: MemberList<Tag>,
}

impl Identified for Role {
    const ID: &'static str = "RoleName";
}

/// The request of ListAccountAliases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccountAliases {}

/// What ListAccountAliases answers: an account has one alias or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccountAliasesOutput {
    /// The alias.
    #[serde(default)]
    #[serde(deserialize_with = "crate::aws::lenient::member_list")]
    pub account_aliases: MemberList<String>,
    /// Whether there is more.
    #[serde(default)]
    pub is_truncated: bool,
}

/// The request of GetUser.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetUser {
    /// The name without the path; the caller when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
}

/// What GetUser answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetUserOutput {
    /// The user.
    #[serde(deserialize_with = "crate::aws::lenient::identified")]
    pub user: User,
}

/// The request of GetRole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRole {
    /// The name without the path.
    pub role_name: String,
}

/// What GetRole answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetRoleOutput {
    /// The role.
    #[serde(deserialize_with = "crate::aws::lenient::identified")]
    pub role: Role,
}
