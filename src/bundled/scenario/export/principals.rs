//! The users, roles, and IAM policies of an account.

use std::collections::BTreeMap;

use rusqlite::OptionalExtension as _;

use super::{Exporter, LeftOut};
use crate::aws::arn::Arn;
use crate::aws::iam::{Role, User};
use crate::bundled::scenario::definition::{Account, IamPolicy, OtherAccount, Scenario, TrustPolicy};
use crate::bundled::store::OpenError;
use crate::text::plural;

/// The users and roles of one account, as paths with names.
#[derive(Default)]
struct Principals {
    users: Vec<String>,
    roles: Vec<String>,
    access_keys: Vec<String>,
}

impl Exporter<'_> {
    /// Adds all principals to the scenario, except those of the account itself, which are in the result.
    pub(super) fn principals(
        &self,
        console_user: &Arn,
        scenario: &mut Scenario,
        left_out: &mut LeftOut,
    ) -> Result<Account, OpenError> {
        let mut accounts: BTreeMap<String, Principals> = BTreeMap::new();
        let mut trust_policies: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (mut tagged, mut described) = (0, 0);
        let mut query =
            self.tx.prepare("SELECT account, kind, document FROM principals ORDER BY document ->> '$.Arn'")?;
        let rows = query
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
        for row in rows {
            let (account, kind, document) = row?;
            let principals = accounts.entry(account).or_default();
            if kind == "user" {
                let user: User = serde_json::from_str(&document)?;
                tagged += usize::from(!user.tags.is_empty());
                principals.users.push(user.path + &user.user_name);
            } else {
                let role: Role = serde_json::from_str(&document)?;
                tagged += usize::from(!role.tags.is_empty());
                described += usize::from(role.description.is_some() || role.max_session_duration.is_some());
                if let Some(policy) = role.assume_role_policy_document {
                    trust_policies.entry(policy).or_default().push(role.arn);
                }
                principals.roles.push(role.path + &role.role_name);
            }
        }
        left_out.add(tagged, || format!("the tags of {}", plural(tagged, "user or role", "users and roles")));
        left_out.add(described, || {
            format!("the description and the maximum session duration of {}", plural(described, "role", "roles"))
        });
        self.access_keys(&mut accounts)?;
        scenario.iam_policy = self.iam_policies()?;
        scenario.trust_policy =
            trust_policies.into_iter().map(|(document, roles)| TrustPolicy { document, roles }).collect();
        let own = accounts.remove(self.account).unwrap_or_default();
        scenario.other_account = accounts
            .into_iter()
            .map(|(id, Principals { users, roles, access_keys })| OtherAccount { id, users, roles, access_keys })
            .collect();
        let alias = format!("account-alias/{}", self.account);
        let query = "SELECT CAST(value AS TEXT) FROM meta WHERE name = ?1";
        let alias: Option<String> = self.tx.query_row(query, [alias], |row| row.get(0)).optional()?;
        Ok(Account {
            id: self.account.to_owned(),
            alias: alias.unwrap_or_default(),
            region: self.region.to_owned(),
            console_user: path_with_name(console_user),
            users: own.users,
            roles: own.roles,
            access_keys: own.access_keys,
        })
    }

    /// Adds the users that have an access key, once for each. The console's own key isn't one of them.
    fn access_keys(&self, accounts: &mut BTreeMap<String, Principals>) -> Result<(), OpenError> {
        let mut query = self.tx.prepare(
            "SELECT account, arn FROM access_keys
             WHERE CAST(id AS BLOB) <> (SELECT value FROM meta WHERE name = 'console-access-key') ORDER BY arn",
        )?;
        for row in query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))? {
            let (account, arn) = row?;
            if let Ok(arn) = arn.parse() {
                accounts.entry(account).or_default().access_keys.push(path_with_name(&arn));
            }
        }
        Ok(())
    }

    /// Returns the IAM policies, each with the principals that have it.
    fn iam_policies(&self) -> Result<Vec<IamPolicy>, OpenError> {
        let mut query = self.tx.prepare(
            "SELECT policies.name, policies.document, principals.document ->> '$.Arn' FROM principal_policies policies
             JOIN principals ON principals.account = policies.account AND principals.kind = policies.kind
             AND principals.name = policies.principal ORDER BY 1, 2, 3",
        )?;
        let mut policies: Vec<IamPolicy> = Vec::new();
        for row in query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
            let (name, document, arn): (String, String, String) = row?;
            match policies.last_mut().filter(|last| last.name == name && last.document == document) {
                Some(policy) => policy.attached_to.push(arn),
                None => policies.push(IamPolicy { name, document, attached_to: vec![arn] }),
            }
        }
        Ok(policies)
    }
}

/// Returns the path and the name of a user: `/security/alice` for `user/security/alice`.
fn path_with_name(arn: &Arn) -> String {
    arn.resource.find('/').and_then(|index| arn.resource.get(index..)).unwrap_or_default().to_owned()
}
