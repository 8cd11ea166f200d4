//! DeleteUser and DeleteRole.
//!
//! A key policy, grant, or trust policy that names a user or role refers to that one principal. When the principal is
//! deleted, its unique ID replaces its ARN there, so a new principal with the same name doesn't get its permissions.
//! Source: *AWS JSON policy elements: Principal*.

use rusqlite::Transaction;

use super::principals::no_such_entity;
use crate::aws::error::ServiceError;
use crate::aws::iam::{DeleteRole, DeleteUser, Role, User};
use crate::aws::kms::GrantListEntry;
use crate::aws::operation::Empty;
use crate::aws::policy::replace_principal;
use crate::bundled::{ApiResult, Call};

impl Call<'_> {
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
