//! A policy in plain words.

use super::{Effect, PolicyDocument, Principals, Statement};

impl PolicyDocument {
    /// Who may do what, a sentence for each statement.
    pub fn in_words(&self) -> Vec<String> {
        self.statements().iter().map(Statement::in_words).collect()
    }
}

impl Statement {
    fn in_words(&self) -> String {
        let who = match (&self.principal, &self.not_principal) {
            (Some(principals), _) => name(principals),
            (None, Some(principals)) => format!("Everybody but {}", name(principals)),
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
        format!("{who} {may} {}{condition}.", self.deeds())
    }

    fn deeds(&self) -> String {
        if self.covers("kms:*") && self.principal.as_ref().is_some_and(is_root) {
            return "do everything that IAM policies of the account allow".to_owned();
        }
        let mut deeds = Vec::new();
        for (action, words) in [
            ("kms:PutKeyPolicy", "administer the key"),
            ("kms:ScheduleKeyDeletion", "delete the key"),
            ("kms:Encrypt", "encrypt"),
            ("kms:Decrypt", "decrypt"),
            ("kms:GenerateDataKey", "make data keys"),
            ("kms:CreateGrant", "grant its use"),
        ] {
            if self.covers(action) {
                deeds.push(words);
            }
        }
        if self.covers("kms:PutKeyPolicy") && !self.covers("kms:ScheduleKeyDeletion") && self.effect == Effect::Allow {
            deeds.push("but not delete it");
        }
        match deeds.as_slice() {
            [] => match &self.action {
                Some(actions) => format!("do {}", actions.as_slice().join(", ")),
                None => "do what is not listed".to_owned(),
            },
            _ => deeds.join(", "),
        }
    }
}

fn is_root(principals: &Principals) -> bool {
    let names = principals.of_kind("AWS");
    !names.is_empty() && names.iter().all(|name| name.ends_with(":root"))
}

fn name(principals: &Principals) -> String {
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
    fn the_consoles_policy_reads_as_sentences() {
        let policy = ConsolePolicy {
            partition: "aws".to_owned(),
            account: "111122223333".to_owned(),
            administrators: vec!["arn:aws:iam::111122223333:role/ops/KeyAdmin".to_owned()],
            administrators_may_delete: false,
            users: vec!["arn:aws:iam::111122223333:user/ada".to_owned()],
            other_accounts: vec!["444455556666".to_owned()],
        };
        assert_eq!(
            check(&policy.to_json()).unwrap().in_words(),
            [
                "Account 111122223333 may do everything that IAM policies of the account allow.",
                "Role KeyAdmin may administer the key, grant its use, but not delete it.",
                "User ada, account 444455556666 may encrypt, decrypt, make data keys.",
                "User ada, account 444455556666 may grant its use, for AWS services that act on their behalf.",
            ]
        );
    }
}
