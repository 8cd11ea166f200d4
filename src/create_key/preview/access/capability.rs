//! What the actions of a statement let a principal do.
//!
//! Source: *Actions, resources, and condition keys for AWS Key Management Service*.

use crate::aws::policy::{Statement, wildcard_match_ignore_case};

/// Something that a principal can do with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Call every operation.
    Everything,
    /// Call every operation except these, which can have wildcards (`NotAction`).
    EverythingExcept(Vec<String>),
    /// Encrypt data.
    Encrypt,
    /// Decrypt data.
    Decrypt,
    /// Encrypt data again under this key or another one.
    ReEncrypt,
    /// Generate data keys.
    GenerateDataKeys,
    /// Sign messages.
    Sign,
    /// Verify signatures.
    VerifySignatures,
    /// Generate message authentication codes.
    GenerateMacs,
    /// Verify message authentication codes.
    VerifyMacs,
    /// Change everything about the key except its deletion.
    Administer,
    /// Change the key policy.
    ChangePolicy,
    /// Schedule and cancel the deletion of the key.
    Delete,
    /// Create grants, which give others permissions.
    CreateGrants,
    /// View the properties of the key.
    View,
    /// Call the operations of an action as written. It can have wildcards.
    Action(String),
}

/// The actions that make up a capability, without `kms:`.
struct Rule {
    capability: Capability,
    /// The actions that the capability consists of.
    required: &'static [&'static str],
    /// Further actions that the capability includes for a reader.
    included: &'static [&'static str],
}

const fn rule(capability: Capability, required: &'static [&'static str], included: &'static [&'static str]) -> Rule {
    Rule { capability, required, included }
}

/// The capabilities in the order of a sentence. One whose actions are all included in earlier ones isn't named.
static RULES: [Rule; 13] = [
    rule(Capability::Encrypt, &["Encrypt"], &["DescribeKey"]),
    rule(Capability::Decrypt, &["Decrypt"], &["DescribeKey"]),
    rule(Capability::ReEncrypt, &["ReEncryptFrom", "ReEncryptTo"], &["DescribeKey"]),
    rule(
        Capability::GenerateDataKeys,
        &["GenerateDataKey"],
        &[
            "GenerateDataKeyWithoutPlaintext",
            "GenerateDataKeyPair",
            "GenerateDataKeyPairWithoutPlaintext",
            "DescribeKey",
        ],
    ),
    rule(Capability::Sign, &["Sign"], &["DescribeKey"]),
    rule(Capability::VerifySignatures, &["Verify"], &["DescribeKey", "GetPublicKey"]),
    rule(Capability::GenerateMacs, &["GenerateMac"], &["DescribeKey"]),
    rule(Capability::VerifyMacs, &["VerifyMac"], &["DescribeKey"]),
    rule(
        Capability::Administer,
        &[
            "PutKeyPolicy",
            "GetKeyPolicy",
            "EnableKey",
            "DisableKey",
            "UpdateKeyDescription",
            "CreateAlias",
            "DeleteAlias",
            "TagResource",
            "UntagResource",
            "RevokeGrant",
        ],
        &[
            "DeleteImportedKeyMaterial",
            "DescribeKey",
            "DisableKeyRotation",
            "EnableKeyRotation",
            "GetKeyRotationStatus",
            "GetParametersForImport",
            "GetPublicKey",
            "ListGrants",
            "ListKeyPolicies",
            "ListKeyRotations",
            "ListResourceTags",
            "RotateKeyOnDemand",
            "UpdateAlias",
            "UpdatePrimaryRegion",
        ],
    ),
    rule(Capability::ChangePolicy, &["PutKeyPolicy"], &["GetKeyPolicy", "ListKeyPolicies"]),
    rule(Capability::Delete, &["ScheduleKeyDeletion"], &["CancelKeyDeletion"]),
    rule(Capability::CreateGrants, &["CreateGrant"], &["ListGrants", "RevokeGrant", "RetireGrant"]),
    rule(Capability::View, &["DescribeKey"], &[]),
];

/// Actions on a key that belong to no capability.
const FURTHER_ACTIONS: [&str; 4] =
    ["DeriveSharedSecret", "ImportKeyMaterial", "ReplicateKey", "SynchronizeMultiRegionKey"];

/// Returns what a statement allows or denies. Actions that no capability includes are named as written.
pub(super) fn of_statement(statement: &Statement) -> Vec<Capability> {
    let Some(patterns) = &statement.action else {
        let excluded = statement.not_action.as_ref().map(|actions| actions.as_slice().to_vec());
        return excluded.map(Capability::EverythingExcept).into_iter().collect();
    };
    let patterns = patterns.as_slice();
    if patterns.iter().any(|pattern| pattern == "*" || pattern.eq_ignore_ascii_case("kms:*")) {
        return vec![Capability::Everything];
    }
    let parsed: Vec<Pattern> = patterns.iter().map(|pattern| Pattern::parse(pattern)).collect();
    let is_matched = |action: &str| parsed.iter().any(|pattern| pattern.matches(action));
    let mut described: Vec<&str> = Vec::new();
    let mut capabilities = Vec::new();
    for rule in &RULES {
        let is_new = rule.required.iter().any(|action| !described.contains(action));
        if is_new && rule.required.iter().all(|action| is_matched(action)) {
            described.extend(rule.required.iter().chain(rule.included));
            capabilities.push(rule.capability.clone());
        }
    }
    let known = || RULES.iter().flat_map(|rule| rule.required.iter().chain(rule.included)).chain(&FURTHER_ACTIONS);
    for (pattern, text) in parsed.iter().zip(patterns) {
        let mut actions = known().filter(|action| pattern.matches(action)).peekable();
        let is_described = actions.peek().is_some() && actions.all(|action| described.contains(action));
        let action = Capability::Action(text.clone());
        if !is_described && !capabilities.contains(&action) {
            capabilities.push(action);
        }
    }
    capabilities
}

/// A pattern for actions, such as `kms:Get*`. Almost all are names or prefixes, which are compared much faster.
enum Pattern<'a> {
    Name(&'a str),
    Prefix(&'a str),
    /// A pattern with other wildcards, or for another service.
    Other(&'a str),
}

impl<'a> Pattern<'a> {
    fn parse(text: &'a str) -> Self {
        match text.split_once(':') {
            Some((service, name)) if service.eq_ignore_ascii_case("kms") => match name.find(['*', '?']) {
                None => Self::Name(name),
                Some(end) if name[end..] == *"*" => Self::Prefix(&name[..end]),
                Some(_) => Self::Other(text),
            },
            _ => Self::Other(text),
        }
    }

    /// Whether the pattern matches an action, which is without `kms:`.
    fn matches(&self, action: &str) -> bool {
        match self {
            Self::Name(name) => name.eq_ignore_ascii_case(action),
            Self::Prefix(prefix) => action.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)),
            Self::Other(pattern) => wildcard_match_ignore_case(pattern, &format!("kms:{action}")),
        }
    }
}
