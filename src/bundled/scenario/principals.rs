//! Adds the users and roles of a scenario, their policies, and their access keys.

use rusqlite::params;

use super::ScenarioWriter;
use crate::aws::arn::partition_of;
use crate::aws::iam::{Role, User};
use crate::aws::member_list::MemberList;
use crate::aws::policy::PolicyDocument;
use crate::bundled::iam::principals::unique_id_suffix;
use crate::bundled::store::OpenError;

/// The creation date of the principals in a scenario.
const PRINCIPAL_CREATE_DATE: &str = "2024-01-15T09:00:00Z";

/// Splits `/path/Name` into `/path/` and `Name`.
fn path_and_name(text: &str) -> (&str, &str) {
    text.split_at(text.rfind('/').map_or(0, |index| index + 1))
}

impl ScenarioWriter<'_> {
    /// Returns a unique ID in the format of IAM: a prefix of four letters, and 16 characters from A-Z and 2-7.
    fn unique_id(&self, prefix: &str) -> Result<String, OpenError> {
        Ok(format!("{prefix}{}", unique_id_suffix(&self.environment().random)?))
    }

    pub(super) fn insert_principals(&self) -> Result<(), OpenError> {
        let account = self.account;
        self.insert_account(&account.id, &account.users, &account.roles)?;
        let partition = partition_of(&account.region);
        let alias = format!("account-alias/{}", account.id);
        self.tx.execute("INSERT INTO meta VALUES (?1, ?2)", params![alias, account.alias.as_bytes()])?;
        for other in &self.scenario.other_account {
            self.insert_account(&other.id, &other.users, &other.roles)?;
        }
        for policy in &self.scenario.iam_policy {
            serde_json::from_str::<PolicyDocument>(&policy.document)?;
            for arn in &policy.attached_to {
                self.tx.execute(
                    "INSERT INTO principal_policies SELECT account, kind, name, ?3, ?2 FROM principals
                     WHERE document ->> '$.Arn' = ?1",
                    [arn, &policy.document, &policy.name],
                )?;
            }
        }
        for trust in &self.scenario.trust_policy {
            serde_json::from_str::<PolicyDocument>(&trust.document)?;
            for arn in &trust.roles {
                self.tx.execute(
                    "UPDATE principals SET document = json_set(document, '$.AssumeRolePolicyDocument', ?2)
                     WHERE document ->> '$.Arn' = ?1",
                    [arn, &trust.document],
                )?;
            }
        }
        let console =
            self.create_access_key(&format!("arn:{partition}:iam::{}:user{}", account.id, account.console_user))?;
        self.tx.execute("INSERT INTO meta VALUES ('console-access-key', ?1)", [console.as_bytes()])?;
        Ok(())
    }

    /// Creates the access keys of all users other than the console's user.
    pub(super) fn create_other_access_keys(&self) -> Result<(), OpenError> {
        let account = self.account;
        let partition = partition_of(&account.region);
        for user in &account.access_keys {
            self.create_access_key(&format!("arn:{partition}:iam::{}:user{user}", account.id))?;
        }
        for other in &self.scenario.other_account {
            for user in &other.access_keys {
                self.create_access_key(&format!("arn:{partition}:iam::{}:user{user}", other.id))?;
            }
        }
        Ok(())
    }

    fn insert_account(&self, account: &str, users: &[String], roles: &[String]) -> Result<(), OpenError> {
        let partition = partition_of(&self.account.region);
        let insert = |kind: &str, name: &str, document: String| {
            self.tx.execute("INSERT INTO principals VALUES (?1, ?2, ?3, ?4)", params![account, kind, name, document])
        };
        for user in users {
            let (path, name) = path_and_name(user);
            let document = serde_json::to_string(&User {
                path: path.to_owned(),
                user_name: name.to_owned(),
                user_id: self.unique_id("AIDA")?,
                arn: format!("arn:{partition}:iam::{account}:user{user}"),
                create_date: PRINCIPAL_CREATE_DATE.to_owned(),
                tags: MemberList::default(),
            })?;
            insert("user", name, document)?;
        }
        for role in roles {
            let (path, name) = path_and_name(role);
            let document = serde_json::to_string(&Role {
                path: path.to_owned(),
                role_name: name.to_owned(),
                role_id: self.unique_id("AROA")?,
                arn: format!("arn:{partition}:iam::{account}:role{role}"),
                create_date: PRINCIPAL_CREATE_DATE.to_owned(),
                assume_role_policy_document: None,
                description: None,
                max_session_duration: None,
                tags: MemberList::default(),
            })?;
            insert("role", name, document)?;
        }
        Ok(())
    }

    /// Creates a random access key for a user and returns its ID.
    fn create_access_key(&self, arn: &str) -> Result<String, OpenError> {
        let query = "SELECT account, document FROM principals WHERE document ->> '$.Arn' = ?1";
        let (account, document): (String, String) =
            self.tx.query_row(query, [arn], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let user: User = serde_json::from_str(&document)?;
        let id = self.unique_id("AKIA")?;
        let secret = zeroize::Zeroizing::new(self.environment().random.hex::<20>()?);
        let sealed = self.store.seal(&["access_keys", &id], secret.as_bytes())?;
        self.tx.execute(
            "INSERT INTO access_keys VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![id, account, user.arn, user.user_id, sealed, PRINCIPAL_CREATE_DATE],
        )?;
        Ok(id)
    }
}
