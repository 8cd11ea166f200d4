//! A policy in plain words.

use super::{Effect, PolicyDocument, PrincipalElement, Statement, wildcard_match};

impl PolicyDocument {
    /// Who may do what, a sentence for each statement.
    pub fn describe(&self) -> Vec<String> {
        self.statements().iter().map(Statement::describe).collect()
    }
}

impl Statement {
    fn describe(&self) -> String {
        let who = match (&self.principal, &self.not_principal) {
            (Some(principals), _) => describe_principals(principals),
            (None, Some(principals)) => format!("Everybody but {}", describe_principals(principals)),
            (None, None) => "Nobody".to_owned(),
        };
        let may = match self.effect {
            Effect::Allow => "may",
            Effect::Deny => "may never",
        };
        let condition = match &self.condition {
            Some(condition) if condition.values().any(|keys| keys.get("kms:GrantIsForAWSResource").is_some()) => {
                ", for AWS services that act on their behalf"
            }
            Some(condition) if !condition.is_empty() => ", under conditions",
            _ => "",
        };
        format!("{who} {may} {}{condition}.", self.describe_actions())
    }

    fn describe_actions(&self) -> String {
        let Some(actions) = &self.action else {
            let but = self.not_action.as_ref().map_or(String::new(), |actions| actions.as_slice().join(", "));
            return format!("do everything but {but}");
        };
        if actions.as_slice().iter().any(|action| action == "*" || action.eq_ignore_ascii_case("kms:*")) {
            let by_iam = self.principal.as_ref().is_some_and(is_account_root);
            let all = if by_iam {
                "do everything that IAM policies of the account allow"
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
        if self.matches_action("kms:PutKeyPolicy")
            && !self.matches_action("kms:ScheduleKeyDeletion")
            && self.effect == Effect::Allow
        {
            phrases.push("but not delete it");
        }
        // What has no words of its own is named, so that nothing is kept back.
        let implied: Vec<&str> = IMPLIED_ACTIONS
            .iter()
            .filter(|(deed, _)| phrases.contains(deed))
            .flat_map(|(_, all)| *all)
            .copied()
            .collect();
        let is_told = |pattern: &str| {
            let mut known = ACTION_PHRASES.iter().map(|(action, _)| *action).chain(implied.iter().copied());
            known.any(|action| wildcard_match(pattern, action))
        };
        phrases.extend(actions.as_slice().iter().map(String::as_str).filter(|pattern| !is_told(pattern)));
        phrases.join(", ")
    }
}

/// Telling actions, and what a person calls them.
const ACTION_PHRASES: [(&str, &str); 9] = [
    ("kms:PutKeyPolicy", "administer the key"),
    ("kms:ScheduleKeyDeletion", "delete the key"),
    ("kms:CancelKeyDeletion", "delete the key"),
    ("kms:Encrypt", "encrypt"),
    ("kms:Decrypt", "decrypt"),
    ("kms:ReEncryptFrom", "re-encrypt"),
    ("kms:ReEncryptTo", "re-encrypt"),
    ("kms:GenerateDataKey", "make data keys"),
    ("kms:CreateGrant", "grant its use"),
];

/// What some of these words stand for as well.
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
    ("grant its use", &["kms:ListGrants", "kms:RevokeGrant"]),
];

fn is_account_root(principals: &PrincipalElement) -> bool {
    let names = principals.of_kind("AWS");
    !names.is_empty() && names.iter().all(|name| name.ends_with(":root"))
}

fn describe_principals(principals: &PrincipalElement) -> String {
    let mut names = Vec::new();
    for arn in principals.of_kind("AWS") {
        names.push(match arn.rsplit_once(':') {
            _ if arn == "*" => "Everybody".to_owned(),
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
    let mut text = names.join(", ");
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
                "Account 111122223333 may do everything that IAM policies of the account allow.",
                "Role KeyAdmin may administer the key, grant its use, but not delete it.",
                "User ada, account 444455556666 may encrypt, decrypt, re-encrypt, make data keys.",
                "User ada, account 444455556666 may grant its use, for AWS services that act on their behalf.",
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
        assert_eq!(words(r#""Action":["kms:Encrypt","kms:GenerateMac"]"#), "User ada may encrypt, kms:GenerateMac.");
        assert_eq!(words(r#""Action":"kms:DescribeKey""#), "User ada may kms:DescribeKey.");
        assert_eq!(words(r#""Action":"kms:*""#), "User ada may do everything with the key.");
        assert_eq!(words(r#""NotAction":"kms:Decrypt""#), "User ada may do everything but kms:Decrypt.");
    }
}
