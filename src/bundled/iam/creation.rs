//! CreateUser and CreateRole.

use rusqlite::Transaction;

use super::principals::{unique_id_suffix, url_encode};
use super::{check_tags, malformed_policy, validation_error};
use crate::aws::error::ServiceError;
use crate::aws::iam::{CreateRole, CreateUser, GetRoleOutput, GetUserOutput, Role, Tag, User};
use crate::aws::limits;
use crate::aws::member_list::MemberList;
use crate::aws::policy::{PolicyDocument, Statement};
use crate::bundled::authorization::AuthorizationRequest;
use crate::bundled::{ApiResult, Call};

/// The maximum length of the name of a user or role. Source: *IAM and AWS STS quotas*.
const MAX_NAME_LENGTH: usize = 64;

/// Validates the path of a user or role, such as `/` or `/division/team/`, and returns it.
fn validate_path(path: Option<&str>) -> Result<&str, ServiceError> {
    let path = path.unwrap_or("/");
    let is_path = path.len() <= 512
        && path.starts_with('/')
        && path.ends_with('/')
        && !path.contains("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic());
    if is_path {
        return Ok(path);
    }
    let message =
        "The specified value for path is invalid. It must begin and end with / and contain only ASCII characters.";
    Err(validation_error(message))
}

fn authorization_with_tags(action: &'static str, tags: &MemberList<Tag>) -> AuthorizationRequest {
    AuthorizationRequest::from(action).with_tags(tags.member.iter().map(|tag| (&*tag.key, Some(&*tag.value))))
}

impl Call<'_> {
    fn insert_principal(&self, tx: &Transaction, kind: &str, name: &str, document: &str) -> ApiResult<()> {
        let account = &self.caller.account;
        let query =
            "SELECT EXISTS (SELECT 1 FROM principals WHERE account = ?1 AND kind = ?2 AND lower(name) = lower(?3))";
        if tx.query_row(query, [account, kind, name], |row| row.get(0))? {
            let kind = if kind == "user" { "User" } else { "Role" };
            let message = format!("{kind} with name {name} already exists.");
            return Err(ServiceError::new("EntityAlreadyExists", message).into());
        }
        tx.execute("INSERT INTO principals VALUES (?1, ?2, ?3, ?4)", [account, kind, name, document])?;
        Ok(())
    }

    pub fn create_user(&self, request: &CreateUser) -> ApiResult<GetUserOutput> {
        let name = &request.user_name;
        limits::iam_name("userName", name, MAX_NAME_LENGTH).map_err(|violation| violation.to_query_error(name))?;
        let path = validate_path(request.path.as_deref())?;
        check_tags(&request.tags.member)?;
        let arn = format!("arn:{}:iam::{}:user{path}{name}", self.partition(), self.caller.account);
        self.authorize(authorization_with_tags("iam:CreateUser", &request.tags), &arn)?;
        if !request.tags.is_empty() {
            self.authorize(authorization_with_tags("iam:TagUser", &request.tags), &arn)?;
        }
        let user = User {
            path: path.to_owned(),
            user_name: name.clone(),
            user_id: format!("AIDA{}", unique_id_suffix(&self.store().environment().random)?),
            arn,
            create_date: self.now_iso8601(),
            tags: request.tags.clone(),
        };
        self.commit_with_event(|tx| {
            self.insert_principal(tx, "user", name, &serde_json::to_string(&user)?)?;
            Ok(GetUserOutput { user })
        })
    }

    pub fn create_role(&self, request: &CreateRole) -> ApiResult<GetRoleOutput> {
        let name = &request.role_name;
        limits::iam_name("roleName", name, MAX_NAME_LENGTH).map_err(|violation| violation.to_query_error(name))?;
        let path = validate_path(request.path.as_deref())?;
        check_tags(&request.tags.member)?;
        if request.max_session_duration.is_some_and(|seconds| !(3600..=43_200).contains(&seconds)) {
            return Err(validation_error("MaxSessionDuration must be from 3600 to 43200 seconds.").into());
        }
        let arn = format!("arn:{}:iam::{}:role{path}{name}", self.partition(), self.caller.account);
        self.authorize(authorization_with_tags("iam:CreateRole", &request.tags), &arn)?;
        if !request.tags.is_empty() {
            self.authorize(authorization_with_tags("iam:TagRole", &request.tags), &arn)?;
        }
        self.check_trust_policy(&request.assume_role_policy_document)?;
        let role = Role {
            path: path.to_owned(),
            role_name: name.clone(),
            role_id: format!("AROA{}", unique_id_suffix(&self.store().environment().random)?),
            arn,
            create_date: self.now_iso8601(),
            assume_role_policy_document: Some(request.assume_role_policy_document.clone()),
            description: request.description.clone(),
            max_session_duration: request.max_session_duration,
            tags: request.tags.clone(),
        };
        self.commit_with_event(|tx| {
            self.insert_principal(tx, "role", name, &serde_json::to_string(&role)?)?;
            let policy = role.assume_role_policy_document.as_deref().map(url_encode);
            Ok(GetRoleOutput { role: Role { assume_role_policy_document: policy, ..role } })
        })
    }

    /// Checks a trust policy: it must have existing principals and actions of STS, but no resources.
    fn check_trust_policy(&self, text: &str) -> ApiResult<()> {
        let document: PolicyDocument =
            serde_json::from_str(text).map_err(|_| malformed_policy("Syntax errors in policy."))?;
        let has_resource = |statement: &Statement| statement.resource.is_some() || statement.not_resource.is_some();
        if document.statements().iter().any(has_resource) {
            return Err(malformed_policy("Has prohibited field Resource").into());
        }
        for statement in document.statements() {
            if statement.principal.is_none() && statement.not_principal.is_none() {
                return Err(malformed_policy("Missing required field Principal").into());
            }
            let actions = statement.action.as_ref().map_or(&[][..], |actions| actions.as_slice());
            if actions.is_empty() || !actions.iter().all(|action| action.to_ascii_lowercase().starts_with("sts:")) {
                return Err(malformed_policy("AssumeRole policy may only specify STS AssumeRole actions.").into());
            }
        }
        for name in document.principal_names() {
            if !self.principal_exists(name)? {
                return Err(malformed_policy(format!("Invalid principal in policy: \"AWS\":\"{name}\"")).into());
            }
        }
        Ok(())
    }
}
