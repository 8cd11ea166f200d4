//! The principals of a statement.

use crate::aws::policy::{PrincipalElement, Statement};

/// A principal that a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessPrincipal {
    /// Every principal of every account.
    Everyone,
    /// Every principal except these (`NotPrincipal`).
    EveryoneExcept(Vec<AccessPrincipal>),
    /// An account: its root user, and the principals that its IAM policies allow.
    Account {
        /// The account ID.
        id: String,
        /// Whether the account owns the key.
        owns_key: bool,
    },
    /// A user, a role, or a session of one.
    Identity {
        /// The ARN.
        arn: String,
        /// Whether the account of the identity owns the key.
        in_own_account: bool,
    },
    /// An AWS service.
    Service(String),
    /// The users of an identity provider.
    Federated(String),
    /// A user or role that was deleted. AWS replaces its ARN with its unique ID.
    Deleted(String),
    /// A principal of another type, as written.
    Other(String),
}

/// Returns the principals that a statement applies to.
pub(super) fn of_statement(statement: &Statement, account_id: &str) -> Vec<AccessPrincipal> {
    match (&statement.principal, &statement.not_principal) {
        (Some(principals), _) => of_element(principals, account_id),
        (None, Some(principals)) => vec![AccessPrincipal::EveryoneExcept(of_element(principals, account_id))],
        (None, None) => Vec::new(),
    }
}

fn of_element(element: &PrincipalElement, account_id: &str) -> Vec<AccessPrincipal> {
    let owned = |kind: &str| element.of_kind(kind).into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut principals: Vec<_> = element.of_kind("AWS").into_iter().map(|name| of_aws(name, account_id)).collect();
    principals.extend(owned("Service").into_iter().map(AccessPrincipal::Service));
    principals.extend(owned("Federated").into_iter().map(AccessPrincipal::Federated));
    principals.extend(owned("CanonicalUser").into_iter().map(AccessPrincipal::Other));
    principals
}

fn of_aws(name: &str, account_id: &str) -> AccessPrincipal {
    let is_own = |account: &str| account_id.is_empty() || account == account_id;
    let account = |id: &str| AccessPrincipal::Account { id: id.to_owned(), owns_key: is_own(id) };
    if name == "*" {
        return AccessPrincipal::Everyone;
    }
    if name.len() == 12 && name.bytes().all(|digit| digit.is_ascii_digit()) {
        return account(name);
    }
    let is_unique_id = name.len() >= 16 && name.bytes().all(|letter| letter.is_ascii_alphanumeric());
    if is_unique_id && (name.starts_with("AIDA") || name.starts_with("AROA")) {
        return AccessPrincipal::Deleted(name.to_owned());
    }
    match parts(name) {
        Some((id, "root")) => account(id),
        Some((id, _)) => AccessPrincipal::Identity { arn: name.to_owned(), in_own_account: is_own(id) },
        None => AccessPrincipal::Other(name.to_owned()),
    }
}

/// Returns the account and the resource of an ARN. The account of a preview is empty until it is known.
fn parts(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let is_principal = parts.next() == Some("arn") && matches!(parts.nth(1), Some("iam" | "sts"));
    let (account, resource) = (parts.nth(1)?, parts.next()?);
    is_principal.then_some((account, resource))
}

impl AccessPrincipal {
    /// Returns the principal as a noun phrase, such as `the role KeyAdmin`.
    pub fn describe(&self) -> String {
        match self {
            Self::Everyone => "everyone".to_owned(),
            Self::EveryoneExcept(principals) => {
                let names: Vec<String> = principals.iter().map(Self::describe).collect();
                format!("everyone except {}", super::sentences::join(&names, "and"))
            }
            Self::Account { id, .. } if id.is_empty() => "this account".to_owned(),
            Self::Account { id, .. } => format!("account {id}"),
            Self::Identity { arn, in_own_account } => describe_identity(arn, *in_own_account),
            Self::Service(name) => format!("the AWS service {name}"),
            Self::Federated(provider) => format!("users of the identity provider {provider}"),
            Self::Deleted(id) => format!("the deleted user or role {id}"),
            Self::Other(name) => format!("the principal {name}"),
        }
    }
}

fn describe_identity(arn: &str, in_own_account: bool) -> String {
    let Some((account, resource)) = parts(arn) else { return arn.to_owned() };
    let (kind, name) = resource.split_once('/').unwrap_or(("principal", resource));
    let mut words = match (kind, name.split_once('/')) {
        ("assumed-role", Some((role, session))) => format!("the session {session} of the role {role}"),
        ("federated-user", _) => format!("the federated user {name}"),
        ("user" | "role", _) => format!("the {kind} {name}"),
        _ => return format!("the principal {arn}"),
    };
    if !in_own_account {
        words.extend([" of account ", account]);
    }
    words
}
