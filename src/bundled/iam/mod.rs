//! IAM operations that create and delete users, roles, their inline policies, and access keys.
//!
//! A key policy, grant, or trust policy that names a user or role refers to that one principal. When the principal is
//! deleted, its unique ID replaces its ARN there, so a new principal with the same name doesn't get its permissions.
//! Source: *AWS JSON policy elements: Principal*.

pub(super) mod credential_error;
pub(super) mod mfa;
pub(super) mod principals;
pub(super) mod sessions;
mod simulation;

use rusqlite::{OptionalExtension as _, Transaction, params};
use serde::de::DeserializeOwned;

use self::principals::{no_such_entity, url_encode};
use super::pagination::paginate;
use super::{ApiResult, Call};
use crate::aws::error::ServiceError;
use crate::aws::iam::{
    AccessKey, AccessKeyMetadata, CreateAccessKey, CreateAccessKeyOutput, CreateRole, CreateUser, DeleteAccessKey,
    DeleteRole, DeleteRolePolicy, DeleteUser, DeleteUserPolicy, GetRoleOutput, GetRolePolicy, GetUserOutput,
    GetUserPolicy, ListAccessKeys, ListAccessKeysOutput, ListRolePolicies, ListUserPolicies, PolicyNames,
    PutRolePolicy, PutUserPolicy, Role, RolePolicy, Tag, User, UserPolicy,
};
use crate::aws::kms::GrantListEntry;
use crate::aws::limits;
use crate::aws::member_list::MemberList;
use crate::aws::operation::Empty;
use crate::aws::policy::{PolicyDocument, Statement, replace_principal};
use crate::aws::scalar::SecretString;

/// The maximum length of the name of a user or role. Source: *IAM and AWS STS quotas*.
const MAX_NAME_LENGTH: usize = 64;
/// The maximum length of the name of an inline policy.
const MAX_POLICY_NAME_LENGTH: usize = 128;
/// The maximum number of access keys of a user.
const MAX_ACCESS_KEYS: u32 = 2;
/// The maximum number of tags of a principal or session.
const MAX_TAGS: usize = 50;
/// The maximum total length of all inline policies of a user or role, in characters other than white space.
const MAX_INLINE_POLICY_CHARS: [(&str, usize); 2] = [("user", 2048), ("role", 10_240)];

fn validation_error(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationError", message)
}

fn malformed_policy(message: impl Into<String>) -> ServiceError {
    ServiceError::new("MalformedPolicyDocument", message)
}

/// Checks the tags of a principal or session: their number, their lengths, and that their keys are unique.
///
/// # Errors
/// `ValidationError` if a limit is exceeded, or `InvalidParameterValue` for duplicate and reserved keys.
pub fn check_tags(tags: &[Tag]) -> Result<(), ServiceError> {
    let constraint = |what: String| validation_error(format!("1 validation error detected: {what}"));
    if tags.len() > MAX_TAGS {
        return Err(constraint(format!(
            "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to {MAX_TAGS}"
        )));
    }
    for (index, tag) in tags.iter().enumerate() {
        for (member, text, min, max) in [("key", &tag.key, 1, 128), ("value", &tag.value, 0, 256)] {
            if !(min..=max).contains(&text.chars().count()) {
                let place = format!("tags.{}.member.{member}", index + 1);
                return Err(constraint(format!(
                    "Value at '{place}' failed to satisfy constraint: Member must have length between {min} and {max}"
                )));
            }
        }
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(ServiceError::new("InvalidParameterValue", "Tag keys that start with aws: are reserved."));
        }
        if tags[..index].iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key)) {
            let message = "Duplicate tag keys found. Tag keys are not case sensitive.";
            return Err(ServiceError::new("InvalidParameterValue", message));
        }
    }
    Ok(())
}

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

impl Call<'_> {
    fn now_iso8601(&self) -> String {
        self.store().environment().clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Returns the ARN of a user or role, for authorization, and the principal itself if it exists.
    fn resolve_principal<T: DeserializeOwned>(
        &self,
        kind: &str,
        name: &str,
        arn: impl Fn(&T) -> &String,
    ) -> ApiResult<(String, Option<T>)> {
        let found = self.find_principal_by_name::<T>(kind, name)?;
        Ok((found.as_ref().map_or_else(|| self.iam_arn(kind, name), |principal| arn(principal).clone()), found))
    }

    fn resolve_principal_arn(&self, kind: &str, name: &str) -> ApiResult<(String, bool)> {
        let (arn, found) = self.resolve_principal::<serde_json::Value>(kind, name, |_| &EMPTY_ARN)?;
        let existing = found.and_then(|found| found["Arn"].as_str().map(ToOwned::to_owned));
        Ok((existing.clone().unwrap_or(arn), existing.is_some()))
    }

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
            user_id: format!("AIDA{}", principals::unique_id_suffix(&self.store().environment().random)?),
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
            role_id: format!("AROA{}", principals::unique_id_suffix(&self.store().environment().random)?),
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

    pub fn delete_user(&self, request: &DeleteUser) -> ApiResult<Empty> {
        let name = &request.user_name;
        let (arn, user) = self.resolve_principal::<User>("user", name, |user| &user.arn)?;
        self.authorize("iam:DeleteUser", &arn)?;
        let user = user.ok_or_else(|| no_such_entity("user", name))?;
        self.commit_with_event(|tx| {
            let query = "SELECT EXISTS (SELECT 1 FROM access_keys WHERE arn = ?1)";
            if tx.query_row(query, [&arn], |row| row.get(0))? {
                let message = "Cannot delete entity, must delete access keys first.";
                return Err(ServiceError::new("DeleteConflict", message).into());
            }
            self.delete_principal(tx, "user", name, &arn, &user.user_id)
        })
    }

    pub fn delete_role(&self, request: &DeleteRole) -> ApiResult<Empty> {
        let name = &request.role_name;
        let (arn, role) = self.resolve_principal::<Role>("role", name, |role| &role.arn)?;
        self.authorize("iam:DeleteRole", &arn)?;
        let role = role.ok_or_else(|| no_such_entity("role", name))?;
        self.commit_with_event(|tx| {
            tx.execute("DELETE FROM sessions WHERE role_arn = ?1", [&arn])?;
            self.delete_principal(tx, "role", name, &arn, &role.role_id)
        })
    }

    fn delete_principal(
        &self,
        tx: &Transaction,
        kind: &str,
        name: &str,
        arn: &str,
        unique_id: &str,
    ) -> ApiResult<Empty> {
        let key = [self.caller.account.as_str(), kind, name];
        let query =
            "SELECT EXISTS (SELECT 1 FROM principal_policies WHERE account = ?1 AND kind = ?2 AND principal = ?3)";
        if tx.query_row(query, key, |row| row.get(0))? {
            let message = "Cannot delete entity, must delete policies first.";
            return Err(ServiceError::new("DeleteConflict", message).into());
        }
        tx.execute("DELETE FROM mfa_devices WHERE user_arn = ?1", [arn])?;
        tx.execute("DELETE FROM principals WHERE account = ?1 AND kind = ?2 AND name = ?3", key)?;
        replace_in_key_policies(tx, arn, unique_id)?;
        replace_in_grants(tx, arn, unique_id)?;
        replace_in_trust_policies(tx, arn, unique_id)?;
        Ok(Empty {})
    }

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
        self.store().read(|tx| principals::policies_of(tx, &arn))
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

    /// Returns the user whose access keys a request is about: the named user, or else the caller.
    fn access_key_user(&self, action: &'static str, name: Option<&str>) -> ApiResult<User> {
        let Some(name) = name.or(self.caller.user_name()) else {
            return Err(validation_error("Must specify userName when calling with non-User credentials").into());
        };
        let (arn, user) = self.resolve_principal::<User>("user", name, |user| &user.arn)?;
        self.authorize(action, &arn)?;
        Ok(user.ok_or_else(|| no_such_entity("user", name))?)
    }

    pub fn create_access_key(&self, request: &CreateAccessKey) -> ApiResult<CreateAccessKeyOutput> {
        let user = self.access_key_user("iam:CreateAccessKey", request.user_name.as_deref())?;
        let environment = self.store().environment();
        let id = format!("AKIA{}", principals::unique_id_suffix(&environment.random)?);
        let secret = zeroize::Zeroizing::new(environment.random.hex::<20>()?);
        let sealed = self.store().seal(&["access_keys", &id], secret.as_bytes())?;
        let created = self.now_iso8601();
        self.commit_with_event(|tx| {
            let count: u32 =
                tx.query_row("SELECT count(*) FROM access_keys WHERE arn = ?1", [&user.arn], |row| row.get(0))?;
            if count >= MAX_ACCESS_KEYS {
                let message = format!("Cannot exceed quota for AccessKeysPerUser: {MAX_ACCESS_KEYS}");
                return Err(ServiceError::new("LimitExceeded", message).into());
            }
            tx.execute(
                "INSERT INTO access_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![id, self.caller.account, user.arn, user.user_id, sealed, created],
            )?;
            Ok(CreateAccessKeyOutput {
                access_key: AccessKey {
                    user_name: user.user_name.clone(),
                    access_key_id: id.clone(),
                    status: STATUS_ACTIVE.to_owned(),
                    secret_access_key: SecretString::new(secret.to_string()),
                    create_date: created.clone(),
                },
            })
        })
    }

    pub fn list_access_keys(&self, request: &ListAccessKeys) -> ApiResult<ListAccessKeysOutput> {
        let user = self.access_key_user("iam:ListAccessKeys", request.user_name.as_deref())?;
        let keys = self.store().read(|tx| -> ApiResult<Vec<AccessKeyMetadata>> {
            let mut query = tx.prepare("SELECT id, created FROM access_keys WHERE arn = ?1 ORDER BY id")?;
            let rows = query.query_map([&user.arn], |row| {
                Ok(AccessKeyMetadata {
                    user_name: user.user_name.clone(),
                    access_key_id: row.get(0)?,
                    status: STATUS_ACTIVE.to_owned(),
                    create_date: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<Result<_, rusqlite::Error>>()?)
        })?;
        let page = paginate(keys, |key| &key.access_key_id, request.max_items, 100, 1000, request.marker.as_deref())?;
        Ok(ListAccessKeysOutput {
            access_key_metadata: MemberList { member: page.items },
            is_truncated: page.next_marker.is_some(),
            marker: page.next_marker,
        })
    }

    pub fn delete_access_key(&self, request: &DeleteAccessKey) -> ApiResult<Empty> {
        let user = self.access_key_user("iam:DeleteAccessKey", request.user_name.as_deref())?;
        if request.access_key_id == self.aws.credentials.access_key_id {
            let message = "The console signs its requests with this access key, so it can't be deleted.";
            return Err(ServiceError::new("DeleteConflict", message).into());
        }
        self.commit_with_event(|tx| {
            let owner: Option<String> = tx
                .query_row("SELECT arn FROM access_keys WHERE id = ?1", [&request.access_key_id], |row| row.get(0))
                .optional()?;
            if owner.as_ref() != Some(&user.arn) {
                return Err(no_such_entity("Access Key", &request.access_key_id).into());
            }
            tx.execute("DELETE FROM access_keys WHERE id = ?1", [&request.access_key_id])?;
            Ok(Empty {})
        })
    }
}

/// The status of every access key. The bundled AWS doesn't support inactive ones.
const STATUS_ACTIVE: &str = "Active";
/// The placeholder ARN of principals that are read as plain JSON.
static EMPTY_ARN: String = String::new();

fn authorization_with_tags(action: &'static str, tags: &MemberList<Tag>) -> super::authorization::AuthorizationRequest {
    super::authorization::AuthorizationRequest::from(action)
        .with_tags(tags.member.iter().map(|tag| (&*tag.key, Some(&*tag.value))))
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

/// Runs a query with `part` as its parameter, and returns rows of three text columns.
fn rows_containing(tx: &Transaction, query: &str, part: &str) -> ApiResult<Vec<[String; 3]>> {
    let mut query = tx.prepare(query)?;
    let rows = query.query_map([part], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
    Ok(rows.collect::<Result<_, rusqlite::Error>>()?)
}

fn replace_in_key_policies(tx: &Transaction, arn: &str, unique_id: &str) -> ApiResult<()> {
    let query = "SELECT world, id, policy FROM keys WHERE instr(policy, ?1)";
    for [account_region, id, policy] in rows_containing(tx, query, arn)? {
        if let Some(policy) = replace_principal(&policy, arn, unique_id) {
            tx.execute("UPDATE keys SET policy = ?3 WHERE world = ?1 AND id = ?2", [account_region, id, policy])?;
        }
    }
    Ok(())
}

fn replace_in_grants(tx: &Transaction, arn: &str, unique_id: &str) -> ApiResult<()> {
    let query = "SELECT token, id, document FROM grants WHERE instr(document, ?1)";
    for [token, _, document] in rows_containing(tx, query, arn)? {
        let mut grant: GrantListEntry = serde_json::from_str(&document)?;
        for principal in [&mut grant.grantee_principal, &mut grant.retiring_principal] {
            if principal.as_deref() == Some(arn) {
                *principal = Some(unique_id.to_owned());
            }
        }
        tx.execute("UPDATE grants SET document = ?2 WHERE token = ?1", [token, serde_json::to_string(&grant)?])?;
    }
    Ok(())
}

fn replace_in_trust_policies(tx: &Transaction, arn: &str, unique_id: &str) -> ApiResult<()> {
    let query = "SELECT account, name, document FROM principals WHERE kind = 'role' AND instr(document, ?1)";
    for [account, name, document] in rows_containing(tx, query, arn)? {
        let mut role: Role = serde_json::from_str(&document)?;
        let trust = role.assume_role_policy_document.as_deref();
        if let Some(trust) = trust.and_then(|trust| replace_principal(trust, arn, unique_id)) {
            role.assume_role_policy_document = Some(trust);
            let update = "UPDATE principals SET document = ?3 WHERE account = ?1 AND kind = 'role' AND name = ?2";
            tx.execute(update, [account, name, serde_json::to_string(&role)?])?;
        }
    }
    Ok(())
}
