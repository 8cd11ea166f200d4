//! The key policy that the console generates, and the default key policy of the API.

use serde_json::{Value, json};

/// The choices that define a console policy. Source of the Sids, actions, and order: policies from the AWS console.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsolePolicy {
    /// The partition, such as `aws` or `aws-cn`.
    pub partition: String,
    /// The account that owns the key.
    pub account: String,
    /// The ARNs of the key administrators.
    pub administrators: Vec<String>,
    /// Whether the key administrators can schedule and cancel key deletion.
    pub administrators_may_delete: bool,
    /// The ARNs of the key users.
    pub users: Vec<String>,
    /// The IDs of other accounts that can use the key.
    pub other_accounts: Vec<String>,
}

const ADMINISTRATOR_ACTIONS: [&str; 12] = [
    "kms:Create*",
    "kms:Describe*",
    "kms:Enable*",
    "kms:List*",
    "kms:Put*",
    "kms:Update*",
    "kms:Revoke*",
    "kms:Disable*",
    "kms:Get*",
    "kms:Delete*",
    "kms:TagResource",
    "kms:UntagResource",
];
const DELETION_ACTIONS: [&str; 2] = ["kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion"];
const ROTATION_ACTIONS: [&str; 1] = ["kms:RotateKeyOnDemand"];
const USER_ACTIONS: [&str; 5] =
    ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"];
const GRANT_ACTIONS: [&str; 3] = ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"];

/// The Sids that identify the console's statements (*Default key policy*, KMS developer guide).
const ROOT_SID: &str = "Enable IAM User Permissions";
const ADMINISTRATORS_SID: &str = "Allow access for Key Administrators";
const USERS_SID: &str = "Allow use of the key";
const GRANTS_SID: &str = "Allow attachment of persistent resources";

/// Returns a string for one name, or an array for several.
fn one_or_many(mut names: Vec<String>) -> Value {
    if names.len() == 1 { Value::String(names.remove(0)) } else { json!(names) }
}

fn statement(sid: &str, principals: Vec<String>, actions: &Value) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": { "AWS": one_or_many(principals) },
        "Action": actions,
        "Resource": "*"
    })
}

fn root_arn(partition: &str, account: &str) -> String {
    format!("arn:{partition}:iam::{account}:root")
}

impl ConsolePolicy {
    /// Parses the choices that define a policy, as the console's default view shows them. Returns `None` if the console
    /// didn't generate the statements: a different effect, a condition, or principals other than users, roles, and
    /// accounts.
    pub fn parse(text: &str) -> Option<Self> {
        let document = super::check(text).ok()?;
        let mut policy = Self { administrators_may_delete: true, ..Self::default() };
        for statement in document.statements() {
            let names = || statement.principal.as_ref().map(|principals| principals.of_kind("AWS")).unwrap_or_default();
            let is_plain = statement.effect == super::Effect::Allow && statement.condition.is_none();
            match statement.sid.as_deref() {
                Some(ROOT_SID) => {
                    let arn: crate::aws::arn::Arn = names().first()?.parse().ok()?;
                    (policy.partition, policy.account) = (arn.partition, arn.account);
                }
                Some(ADMINISTRATORS_SID) if is_plain => {
                    policy.administrators = names().into_iter().map(str::to_owned).collect();
                    policy.administrators_may_delete = statement.matches_action("kms:ScheduleKeyDeletion");
                }
                Some(USERS_SID) if is_plain => {
                    for name in names() {
                        let other = name.strip_suffix(":root").and_then(|head| head.rsplit(':').next());
                        match other {
                            Some(account) => policy.other_accounts.push(account.to_owned()),
                            None => policy.users.push(name.to_owned()),
                        }
                    }
                }
                Some(ADMINISTRATORS_SID | USERS_SID) => return None,
                _ => {}
            }
        }
        (!policy.account.is_empty()).then_some(policy)
    }

    /// Applies these choices to `text`: the console's statements are changed, added, or removed, and all others are
    /// kept.
    pub fn apply_to(&self, text: &str) -> Option<String> {
        let mut document: Value = serde_json::from_str(text).ok()?;
        let generated: Value = serde_json::from_str(&self.to_json()).ok()?;
        let generated = generated.get("Statement")?.as_array()?;
        let statements = document.get_mut("Statement")?;
        if statements.is_object() {
            *statements = Value::Array(vec![statements.take()]);
        }
        let statements = statements.as_array_mut()?;
        for sid in [ROOT_SID, ADMINISTRATORS_SID, USERS_SID, GRANTS_SID] {
            let is_it = |statement: &Value| statement.get("Sid").and_then(Value::as_str) == Some(sid);
            match (statements.iter().position(is_it), generated.iter().find(|new| is_it(new))) {
                // The root statement is never changed: the user may have edited it.
                (Some(_), _) if sid == ROOT_SID => {}
                (Some(place), Some(new)) => statements[place] = new.clone(),
                (Some(place), None) => drop(statements.remove(place)),
                (None, Some(new)) => statements.push(new.clone()),
                (None, None) => {}
            }
        }
        Some(to_pretty_json(&document))
    }

    /// Returns the policy document as indented JSON. Its members are in the console's order.
    pub fn to_json(&self) -> String {
        let mut statements = vec![statement(ROOT_SID, vec![root_arn(&self.partition, &self.account)], &json!("kms:*"))];
        if !self.administrators.is_empty() {
            let mut actions = ADMINISTRATOR_ACTIONS.to_vec();
            if self.administrators_may_delete {
                actions.extend(DELETION_ACTIONS);
            }
            actions.extend(ROTATION_ACTIONS);
            let administrators = self.administrators.clone();
            statements.push(statement(ADMINISTRATORS_SID, administrators, &json!(actions)));
        }
        let mut users = self.users.clone();
        users.extend(self.other_accounts.iter().map(|account| root_arn(&self.partition, account)));
        if !users.is_empty() {
            statements.push(statement(USERS_SID, users.clone(), &json!(USER_ACTIONS)));
            let mut grants = statement(GRANTS_SID, users, &json!(GRANT_ACTIONS));
            grants["Condition"] = json!({ "Bool": { "kms:GrantIsForAWSResource": "true" } });
            statements.push(grants);
        }
        to_pretty_json(&json!({ "Id": "key-consolepolicy-3", "Version": "2012-10-17", "Statement": statements }))
    }
}

/// Returns the key policy that CreateKey attaches by default.
pub fn default_policy(partition: &str, account: &str) -> String {
    let all = statement(ROOT_SID, vec![root_arn(partition, account)], &json!("kms:*"));
    to_pretty_json(&json!({ "Version": "2012-10-17", "Id": "key-default-1", "Statement": [all] }))
}

fn to_pretty_json(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::policy::check;
    use proptest::prelude::*;

    fn policy() -> ConsolePolicy {
        ConsolePolicy {
            partition: "aws".to_owned(),
            account: "111122223333".to_owned(),
            administrators: vec![
                "arn:aws:iam::111122223333:role/AdminA".to_owned(),
                "arn:aws:iam::111122223333:user/AdminB".to_owned(),
            ],
            administrators_may_delete: true,
            users: vec!["arn:aws:iam::111122223333:role/UserA".to_owned()],
            other_accounts: vec!["444455556666".to_owned()],
        }
    }

    fn sids(text: &str) -> Vec<String> {
        let document: Value = serde_json::from_str(text).unwrap();
        document["Statement"].as_array().unwrap().iter().map(|one| one["Sid"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn statements_are_in_the_consoles_order() {
        assert_eq!(
            sids(&policy().to_json()),
            [
                "Enable IAM User Permissions",
                "Allow access for Key Administrators",
                "Allow use of the key",
                "Allow attachment of persistent resources"
            ]
        );
        let nobody = ConsolePolicy { administrators: vec![], users: vec![], other_accounts: vec![], ..policy() };
        assert_eq!(sids(&nobody.to_json()), ["Enable IAM User Permissions"]);
    }

    #[test]
    fn members_are_in_the_consoles_order() {
        let text = policy().to_json();
        let place = |word: &str| text.find(word).unwrap();
        assert!(place("\"Id\"") < place("\"Version\"") && place("\"Version\"") < place("\"Statement\""));
        assert!(place("\"Sid\"") < place("\"Effect\"") && place("\"Effect\"") < place("\"Principal\""));
    }

    #[test]
    fn disallowing_deletion_removes_exactly_two_actions() {
        let actions = |may_delete| {
            let policy = ConsolePolicy { administrators_may_delete: may_delete, ..policy() };
            let document: Value = serde_json::from_str(&policy.to_json()).unwrap();
            document["Statement"][1]["Action"].as_array().unwrap().clone()
        };
        let mut with = actions(true);
        with.retain(|action| action != "kms:ScheduleKeyDeletion" && action != "kms:CancelKeyDeletion");
        assert_eq!(with, actions(false));
        assert_eq!((actions(true).len(), actions(false).len()), (15, 13));
    }

    #[test]
    fn other_accounts_follow_the_users_and_a_single_principal_is_a_string() {
        let document: Value = serde_json::from_str(&policy().to_json()).unwrap();
        assert_eq!(
            document["Statement"][2]["Principal"]["AWS"],
            json!(["arn:aws:iam::111122223333:role/UserA", "arn:aws:iam::444455556666:root"])
        );
        assert_eq!(document["Statement"][0]["Principal"]["AWS"], json!("arn:aws:iam::111122223333:root"));
        assert_eq!(document["Statement"][3]["Condition"]["Bool"]["kms:GrantIsForAWSResource"], json!("true"));
    }

    #[test]
    fn policy_round_trips_and_is_changed_in_place() {
        let made = policy();
        assert_eq!(ConsolePolicy::parse(&made.to_json()).unwrap(), made);
        let own = made.to_json().replacen(
            "\"Statement\": [",
            "\"Statement\": [{\"Sid\":\"mine\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"kms:Sign\",\"Resource\":\"*\"},",
            1,
        );
        let fewer = ConsolePolicy { administrators: Vec::new(), administrators_may_delete: true, ..made.clone() };
        let changed = fewer.apply_to(&own).unwrap();
        assert_eq!(ConsolePolicy::parse(&changed).unwrap(), fewer);
        assert!(changed.contains("\"mine\"") && !changed.contains(ADMINISTRATORS_SID), "{changed}");
        assert_eq!(made.apply_to(&changed).map(|text| ConsolePolicy::parse(&text)), Some(Some(made)));
    }

    #[test]
    fn policy_not_written_by_the_console_has_no_default_view() {
        let text = policy().to_json();
        let denied = text.replacen("\"Effect\": \"Allow\"", "\"Effect\": \"Deny\"", 2);
        assert_eq!(ConsolePolicy::parse(&denied), None);
        assert!(ConsolePolicy::parse(&default_policy("aws", "111122223333")).unwrap().administrators.is_empty());
    }

    proptest! {
        #[test]
        fn console_policy_always_passes_the_check(
            names in prop::collection::vec("[A-Za-z0-9+=,.@_-]{1,20}", 0..8),
            accounts in prop::collection::vec("[0-9]{12}", 0..4),
            may_delete: bool,
        ) {
            let arns: Vec<String> = names.iter().map(|name| format!("arn:aws:iam::111122223333:role/{name}")).collect();
            let policy = ConsolePolicy {
                administrators: arns.clone(),
                administrators_may_delete: may_delete,
                users: arns,
                other_accounts: accounts,
                ..policy()
            };
            let document = check(&policy.to_json()).unwrap();
            prop_assert!(document.passes_lockout_safety_check("arn:aws:iam::111122223333:user/Admin", "111122223333"));
        }
    }
}
