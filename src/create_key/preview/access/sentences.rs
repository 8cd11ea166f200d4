//! The entries in English.

use super::{AccessEntry, AccessPrincipal, Capability};
use crate::aws::policy::Effect;

/// Returns sentences for the entries. Principals that a statement treats in the same way share a sentence.
pub fn sentences(entries: &[AccessEntry]) -> Vec<String> {
    let groups = entries.chunk_by(|one, other| one.statement == other.statement && Role::of(one) == Role::of(other));
    groups.filter_map(|group| Some(sentence(group.first()?, group))).collect()
}

/// How a principal takes part in a sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It gets access from the key policy alone.
    Direct,
    /// It gets access if the IAM policies of its account allow it, too.
    OtherAccount,
    /// Its IAM policies decide.
    OwnAccount,
    /// An account whose principals need permission by its IAM policies, too.
    WholeOtherAccount,
    Everyone,
}

impl Role {
    fn of(entry: &AccessEntry) -> Self {
        match &entry.principal {
            AccessPrincipal::Everyone | AccessPrincipal::EveryoneExcept(_) => Self::Everyone,
            AccessPrincipal::Account { owns_key: true, .. } => Self::OwnAccount,
            AccessPrincipal::Account { .. } => Self::WholeOtherAccount,
            AccessPrincipal::Identity { in_own_account: false, .. } => Self::OtherAccount,
            _ => Self::Direct,
        }
    }
}

fn sentence(entry: &AccessEntry, group: &[AccessEntry]) -> String {
    if entry.capabilities.is_empty() {
        let statement = match &entry.sid {
            Some(sid) => format!("The statement \"{sid}\""),
            None => format!("Statement {}", entry.statement + 1),
        };
        return format!("{statement} has no effect, because it has no Action or no Resource for this key.");
    }
    let mut conditions = Vec::new();
    let main = match entry.effect {
        Effect::Allow => allow(entry, group, &mut conditions),
        Effect::Deny => deny(entry, group),
    };
    conditions.extend(entry.conditions.iter().cloned());
    let comma = if main.contains(',') { "," } else { "" };
    let condition =
        if conditions.is_empty() { String::new() } else { format!("{comma} if {}", join(&conditions, "and")) };
    format!("{}{condition}.", capitalize(&main))
}

fn allow(entry: &AccessEntry, group: &[AccessEntry], conditions: &mut Vec<String>) -> String {
    let names = names(group);
    let is_one = group.len() == 1;
    let actions = actions(&entry.capabilities, "and", "everything");
    match Role::of(entry) {
        Role::OwnAccount if entry.capabilities == [Capability::Everything] => {
            format!("IAM policies of {names} can grant access to this key")
        }
        Role::OwnAccount => format!("IAM policies of {names} can allow users and roles to {actions}"),
        Role::WholeOtherAccount => {
            let its = if is_one { "its" } else { "their" };
            conditions.push(format!("{its} IAM policies also allow it"));
            format!("{names} can {actions}")
        }
        Role::OtherAccount => {
            let account = if is_one { "its account" } else { "their accounts" };
            conditions.push(format!("the IAM policies of {account} also allow it"));
            format!("{names} can {actions}")
        }
        Role::Everyone => format!("{names}, in any AWS account, can {actions}"),
        Role::Direct => format!("{names} can {actions}"),
    }
}

fn deny(entry: &AccessEntry, group: &[AccessEntry]) -> String {
    let actions = actions(&entry.capabilities, "or", "anything");
    match (&entry.principal, Role::of(entry)) {
        (AccessPrincipal::EveryoneExcept(_), _) => {
            format!("{} can {actions}", names(group).replacen("everyone", "no one", 1))
        }
        (AccessPrincipal::Everyone, _) => format!("no one can {actions}"),
        (_, Role::OwnAccount | Role::WholeOtherAccount) => format!("no principal of {} can {actions}", names(group)),
        _ => format!("{} can never {actions}", names(group)),
    }
}

fn names(group: &[AccessEntry]) -> String {
    let names: Vec<String> = group.iter().map(|entry| entry.principal.describe()).collect();
    join(&names, "and")
}

/// Returns what capabilities let someone do, such as `encrypt data with this key and create grants for it`.
fn actions(capabilities: &[Capability], conjunction: &str, all: &str) -> String {
    let (mut data, mut calls, mut phrases) = (Vec::new(), Vec::new(), Vec::new());
    for capability in capabilities {
        let phrase = match capability {
            Capability::Encrypt => {
                data.push("encrypt".to_owned());
                continue;
            }
            Capability::Decrypt => {
                data.push("decrypt".to_owned());
                continue;
            }
            Capability::ReEncrypt => {
                data.push("re-encrypt".to_owned());
                continue;
            }
            Capability::Action(action) => {
                calls.push(action.clone());
                continue;
            }
            Capability::Everything => format!("do {all} with {{key}}"),
            Capability::EverythingExcept(excluded) => {
                format!("do {all} with {{key}} except call {}", join(excluded, "and"))
            }
            Capability::GenerateDataKeys => "generate data keys with {key}".to_owned(),
            Capability::Sign => "sign messages with {key}".to_owned(),
            Capability::VerifySignatures => "verify signatures with {key}".to_owned(),
            Capability::GenerateMacs => "generate MACs with {key}".to_owned(),
            Capability::VerifyMacs => "verify MACs with {key}".to_owned(),
            Capability::Administer => "administer {key}".to_owned(),
            Capability::ChangePolicy => "change the key policy of {key}".to_owned(),
            Capability::Delete => "delete {key}".to_owned(),
            Capability::CreateGrants => "create grants for {key}".to_owned(),
            Capability::View => "view the details of {key}".to_owned(),
        };
        phrases.push(phrase);
    }
    if !data.is_empty() {
        phrases.insert(0, format!("{} data with {{key}}", join(&data, conjunction)));
    }
    if !calls.is_empty() {
        phrases.push(format!("call {}", join(&calls, conjunction)));
    }
    let has = |capability| capabilities.contains(&capability);
    let is_without_deletion = conjunction == "and" && has(Capability::Administer) && !has(Capability::Delete);
    let exception = if is_without_deletion { ", but not delete {key}" } else { "" };
    let text = format!("{}{exception}", join(&phrases, conjunction));
    text.replacen("{key}", "this key", 1).replace("{key}", "it")
}

/// Joins items as in `a, b, and c`.
pub(super) fn join(items: &[String], conjunction: &str) -> String {
    match items {
        [first, second] if first.contains(',') => format!("{first}, {conjunction} {second}"),
        [first, second] => format!("{first} {conjunction} {second}"),
        [start @ .., last] if !start.is_empty() => format!("{}, {conjunction} {last}", start.join(", ")),
        _ => items.concat(),
    }
}

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
