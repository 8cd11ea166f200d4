//! Operations on the inline policies of users and roles.

use super::malformed_policy;
use super::principals::{no_such_entity, policies_of, url_encode};
use crate::aws::error::ServiceError;
use crate::aws::iam::{
    DeleteRolePolicy, DeleteUserPolicy, GetRolePolicy, GetUserPolicy, ListRolePolicies, ListUserPolicies, PolicyNames,
    PutRolePolicy, PutUserPolicy, RolePolicy, UserPolicy,
};
use crate::aws::limits;
use crate::aws::member_list::MemberList;
use crate::aws::operation::Empty;
use crate::aws::policy::PolicyDocument;
use crate::bundled::pagination::paginate;
use crate::bundled::{ApiResult, Call};

/// The maximum length of the name of an inline policy.
const MAX_POLICY_NAME_LENGTH: usize = 128;
/// The maximum total length of all inline policies of a user or role, in characters other than white space.
const MAX_INLINE_POLICY_CHARS: [(&str, usize); 2] = [("user", 2048), ("role", 10_240)];

/// Checks an identity-based policy: its statements must have actions and resources, but no principals.
fn check_identity_policy(text: &str) -> Result<(), ServiceError> {
    let document: PolicyDocument =
        serde_json::from_str(text).map_err(|_| malformed_policy("Syntax errors in policy."))?;
    for statement in document.statements() {
        if statement.principal.is_some() || statement.not_principal.is_some() {
            return Err(malformed_policy("Policy document should not specify a principal."));
        }
        if statement.action.is_none() && statement.not_action.is_none() {
            return Err(malformed_policy("Policy statement must contain actions."));
        }
        if statement.resource.is_none() && statement.not_resource.is_none() {
            return Err(malformed_policy("Policy statement must contain resources."));
        }
    }
    Ok(())
}

impl Call<'_> {
    fn put_inline_policy(
        &self,
        kind: &'static str,
        action: &'static str,
        name: &str,
        policy: &str,
        text: &str,
    ) -> ApiResult<Empty> {
        limits::iam_name("policyName", policy, MAX_POLICY_NAME_LENGTH)
            .map_err(|violation| violation.to_query_error(policy))?;
        let (arn, exists) = self.resolve_principal_arn(kind, name)?;
        self.authorize(action, &arn)?;
        if !exists {
            return Err(no_such_entity(kind, name).into());
        }
        check_identity_policy(text)?;
        self.commit_with_event(|tx| {
            let key = [self.caller.account.as_str(), kind, name];
            let mut query = tx.prepare(
                "SELECT document FROM principal_policies WHERE account = ?1 AND kind = ?2 AND principal = ?3 AND name <> ?4",
            )?;
            let others = query.query_map([key[0], key[1], key[2], policy], |row| row.get::<_, String>(0))?;
            let length = |text: &str| text.chars().filter(|char| !char.is_whitespace()).count();
            let mut total = length(text);
            for other in others {
                total += length(&other?);
            }
            let max = MAX_INLINE_POLICY_CHARS.iter().find(|(name, _)| *name == kind).map_or(0, |(_, max)| *max);
            if total > max {
                let message = format!("Maximum policy size of {max} bytes exceeded for {kind} {name}");
                return Err(ServiceError::new("LimitExceeded", message).into());
            }
            tx.execute(
                "INSERT INTO principal_policies VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (account, kind, principal, name) DO UPDATE SET document = excluded.document",
                [key[0], key[1], key[2], policy, text],
            )?;
            Ok(Empty {})
        })
    }

    pub fn put_user_policy(&self, request: &PutUserPolicy) -> ApiResult<Empty> {
        let PutUserPolicy { user_name, policy_name, policy_document } = request;
        self.put_inline_policy("user", "iam:PutUserPolicy", user_name, policy_name, policy_document)
    }

    pub fn put_role_policy(&self, request: &PutRolePolicy) -> ApiResult<Empty> {
        let PutRolePolicy { role_name, policy_name, policy_document } = request;
        self.put_inline_policy("role", "iam:PutRolePolicy", role_name, policy_name, policy_document)
    }

    /// Returns the inline policies of a user or role, sorted by name, after checking the permission.
    fn inline_policies(
        &self,
        kind: &'static str,
        action: &'static str,
        name: &str,
    ) -> ApiResult<Vec<(String, String)>> {
        let (arn, exists) = self.resolve_principal_arn(kind, name)?;
        self.authorize(action, &arn)?;
        if !exists {
            return Err(no_such_entity(kind, name).into());
        }
        self.store().read(|tx| policies_of(tx, &arn))
    }

    fn inline_policy(&self, kind: &'static str, action: &'static str, name: &str, policy: &str) -> ApiResult<String> {
        let all = self.inline_policies(kind, action, name)?;
        let found = all.into_iter().find(|(name, _)| name == policy).map(|(_, text)| url_encode(&text));
        Ok(found.ok_or_else(|| no_such_entity(&format!("{kind} policy"), policy))?)
    }

    pub fn get_user_policy(&self, request: &GetUserPolicy) -> ApiResult<UserPolicy> {
        let GetUserPolicy { user_name, policy_name } = request.clone();
        let policy_document = self.inline_policy("user", "iam:GetUserPolicy", &user_name, &policy_name)?;
        Ok(UserPolicy { user_name, policy_name, policy_document })
    }

    pub fn get_role_policy(&self, request: &GetRolePolicy) -> ApiResult<RolePolicy> {
        let GetRolePolicy { role_name, policy_name } = request.clone();
        let policy_document = self.inline_policy("role", "iam:GetRolePolicy", &role_name, &policy_name)?;
        Ok(RolePolicy { role_name, policy_name, policy_document })
    }

    pub fn list_user_policies(&self, request: &ListUserPolicies) -> ApiResult<PolicyNames> {
        let all = self.inline_policies("user", "iam:ListUserPolicies", &request.user_name)?;
        paginate_policy_names(all, request.max_items, request.marker.as_deref())
    }

    pub fn list_role_policies(&self, request: &ListRolePolicies) -> ApiResult<PolicyNames> {
        let all = self.inline_policies("role", "iam:ListRolePolicies", &request.role_name)?;
        paginate_policy_names(all, request.max_items, request.marker.as_deref())
    }

    fn delete_inline_policy(
        &self,
        kind: &'static str,
        action: &'static str,
        name: &str,
        policy: &str,
    ) -> ApiResult<Empty> {
        let (arn, exists) = self.resolve_principal_arn(kind, name)?;
        self.authorize(action, &arn)?;
        if !exists {
            return Err(no_such_entity(kind, name).into());
        }
        self.commit_with_event(|tx| {
            let deleted = tx.execute(
                "DELETE FROM principal_policies WHERE account = ?1 AND kind = ?2 AND principal = ?3 AND name = ?4",
                [self.caller.account.as_str(), kind, name, policy],
            )?;
            if deleted == 0 { Err(no_such_entity(&format!("{kind} policy"), policy).into()) } else { Ok(Empty {}) }
        })
    }

    pub fn delete_user_policy(&self, request: &DeleteUserPolicy) -> ApiResult<Empty> {
        self.delete_inline_policy("user", "iam:DeleteUserPolicy", &request.user_name, &request.policy_name)
    }

    pub fn delete_role_policy(&self, request: &DeleteRolePolicy) -> ApiResult<Empty> {
        self.delete_inline_policy("role", "iam:DeleteRolePolicy", &request.role_name, &request.policy_name)
    }
}

fn paginate_policy_names(
    all: Vec<(String, String)>,
    limit: Option<u32>,
    marker: Option<&str>,
) -> ApiResult<PolicyNames> {
    let names = all.into_iter().map(|(name, _)| name).collect();
    let page = paginate(names, |name: &String| name, limit, 100, 1000, marker)?;
    Ok(PolicyNames {
        policy_names: MemberList { member: page.items },
        is_truncated: page.next_marker.is_some(),
        marker: page.next_marker,
    })
}
