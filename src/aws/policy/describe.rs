//! Descriptions of policies in plain English.

use super::{Effect, PolicyDocument, PrincipalElement, Statement, wildcard_match};

impl PolicyDocument {
    /// Describes who can do what, in one sentence per statement.
    pub fn describe(&self) -> Vec<String> {
        self.statements().iter().map(Statement::describe).collect()
    }
}

impl Statement {
    fn describe(&self) -> String {
        let who = match (&self.principal, &self.not_principal) {
            (Some(principals), _) => describe_principals(principals),
            (None, Some(principals)) => format!("Everyone except {}", describe_principals(principals)),
            (None, None) => "No one".to_owned(),
        };
        let can = match self.effect {
            Effect::Allow => "can",
            Effect::Deny => "can never",
        };
        let condition = match &self.condition {
            Some(condition) if condition.values().any(|keys| keys.get("kms:GrantIsForAWSResource").is_some()) => {
                ", but only for AWS services that act on their behalf"
            }
            Some(condition) if !condition.is_empty() => ", under certain conditions",
            _ => "",
        };
        format!("{who} {can} {}{condition}.", self.describe_actions())
    }

    fn describe_actions(&self) -> String {
        let Some(actions) = &self.action else {
            let excluded = self.not_action.as_ref().map_or(String::new(), |actions| join_with_and(actions.as_slice()));
            return format!("do everything except {excluded}");
        };
        if actions.as_slice().iter().any(|action| action == "*" || action.eq_ignore_ascii_case("kms:*")) {
            let by_iam = self.principal.as_ref().is_some_and(is_account_root);
            let all = if by_iam {
                "do everything that the account's IAM policies allow"
            } else {
                "do everything with the key"
            };
            return all.to_owned();
        }
        let mut phrases: Vec<&str> = Vec::new();
        for (action, words) in ACTION_PHRASES {
            if self.matches_action(action) && !phrases.contains(&words) {
                phrases.push(words);
            }
        }
        // Actions without a phrase are listed by name, so that the description is complete.
        let implied: Vec<&str> = IMPLIED_ACTIONS
            .iter()
            .filter(|(phrase, _)| phrases.contains(phrase))
            .flat_map(|(_, all)| *all)
            .copied()
            .collect();
        let is_described = |pattern: &str| {
            let mut known = ACTION_PHRASES.iter().map(|(action, _)| *action).chain(implied.iter().copied());
            known.any(|action| wildcard_match(pattern, action))
        };
        let others = actions.as_slice().iter().filter(|pattern| !is_described(pattern));
        let calls: Vec<String> = others.map(|pattern| format!("call {pattern}")).collect();
        phrases.extend(calls.iter().map(String::as_str));
        let is_without_deletion =
            self.matches_action("kms:PutKeyPolicy") && !self.matches_action("kms:ScheduleKeyDeletion");
        let exception =
            if is_without_deletion && self.effect == Effect::Allow { ", but not delete the key" } else { "" };
        format!("{}{exception}", join_with_and(&phrases))
    }
}

/// Characteristic actions, and the phrases that describe them.
const ACTION_PHRASES: [(&str, &str); 9] = [
    ("kms:PutKeyPolicy", "administer the key"),
    ("kms:ScheduleKeyDeletion", "delete the key"),
    ("kms:CancelKeyDeletion", "delete the key"),
    ("kms:Encrypt", "encrypt"),
    ("kms:Decrypt", "decrypt"),
    ("kms:ReEncryptFrom", "re-encrypt"),
    ("kms:ReEncryptTo", "re-encrypt"),
    ("kms:GenerateDataKey", "generate data keys"),
    ("kms:CreateGrant", "create grants"),
];

/// Further actions that some phrases cover.
const IMPLIED_ACTIONS: [(&str, &[&str]); 4] = [
    (
        "administer the key",
        &[
            "kms:CreateAlias",
            "kms:DescribeKey",
            "kms:EnableKey",
            "kms:ListKeyPolicies",
            "kms:UpdateKeyDescription",
            "kms:RevokeGrant",
            "kms:DisableKey",
            "kms:GetKeyPolicy",
            "kms:DeleteAlias",
            "kms:TagResource",
            "kms:UntagResource",
            "kms:RotateKeyOnDemand",
        ],
    ),
    ("encrypt", &["kms:DescribeKey"]),
    ("decrypt", &["kms:DescribeKey"]),
    ("create grants", &["kms:ListGrants", "kms:RevokeGrant"]),
];

/// Joins items as in "a, b, and c".
fn join_with_and<T: AsRef<str>>(items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.as_slice() {
        [first, second] => format!("{first} and {second}"),
        [start @ .., last] if !start.is_empty() => format!("{}, and {last}", start.join(", ")),
        _ => items.concat(),
    }
}

fn is_account_root(principals: &PrincipalElement) -> bool {
    let names = principals.of_kind("AWS");
    !names.is_empty() && names.iter().all(|name| name.ends_with(":root"))
}

fn describe_principals(principals: &PrincipalElement) -> String {
    let mut names = Vec::new();
    for arn in principals.of_kind("AWS") {
        names.push(match arn.rsplit_once(':') {
            _ if arn == "*" => "Everyone".to_owned(),
            Some((head, "root")) => format!("account {}", head.rsplit(':').next().unwrap_or(head)),
            Some((_, resource)) => match resource.split_once('/') {
                Some((kind, path)) => format!("{kind} {}", path.rsplit('/').next().unwrap_or(path)),
                None => resource.to_owned(),
            },
            None => format!("account {arn}"),
        });
    }
    for kind in ["Service", "Federated"] {
        names.extend(principals.of_kind(kind).into_iter().map(|name| format!("service {name}")));
    }
    let mut text = join_with_and(&names);
    if let Some(first) = text.get(..1) {
        let upper = first.to_uppercase();
        text.replace_range(..1, &upper);
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::aws::policy::{ConsolePolicy, check};

    #[test]
    fn console_policy_is_described_in_sentences() {
        let policy = ConsolePolicy {
            partition: "aws".to_owned(),
            account: "111122223333".to_owned(),
            administrators: vec!["arn:aws:iam::111122223333:role/ops/KeyAdmin".to_owned()],
            administrators_may_delete: false,
            users: vec!["arn:aws:iam::111122223333:user/ada".to_owned()],
            other_accounts: vec!["444455556666".to_owned()],
        };
        assert_eq!(
            check(&policy.to_json()).unwrap().describe(),
            [
                "Account 111122223333 can do everything that the account's IAM policies allow.",
                "Role KeyAdmin can administer the key and create grants, but not delete the key.",
                "User ada and account 444455556666 can encrypt, decrypt, re-encrypt, and generate data keys.",
                "User ada and account 444455556666 can create grants, but only for AWS services that act on \
                 their behalf.",
            ]
        );
    }

    #[test]
    fn description_includes_every_action() {
        let words = |action: &str| {
            let text = format!(
                r#"{{"Statement":{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:user/ada"}},
                {action},"Resource":"*"}}}}"#
            );
            check(&text).unwrap().describe().remove(0)
        };
        assert_eq!(
            words(r#""Action":["kms:Encrypt","kms:GenerateMac"]"#),
            "User ada can encrypt and call kms:GenerateMac."
        );
        assert_eq!(words(r#""Action":"kms:DescribeKey""#), "User ada can call kms:DescribeKey.");
        assert_eq!(words(r#""Action":"kms:*""#), "User ada can do everything with the key.");
        assert_eq!(words(r#""NotAction":"kms:Decrypt""#), "User ada can do everything except kms:Decrypt.");
    }
}
