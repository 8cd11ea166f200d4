//! Who can do what with a key, from its key policy: as data and in sentences.
//!
//! Each statement is described on its own. What a statement denies isn't subtracted from what others allow.

mod capability;
mod condition;
mod principal;
mod sentences;
#[cfg(test)]
mod tests;

pub use capability::Capability;
pub use principal::AccessPrincipal;
pub use sentences::sentences;

use crate::aws::policy::{self, Effect, PolicyProblem, Statement};

/// What one statement of a key policy says about one principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessEntry {
    /// Who gets or loses access.
    pub principal: AccessPrincipal,
    /// Whether the statement allows or denies access.
    pub effect: Effect,
    /// What the principal can do, or can't do. Empty if the statement has no effect on the key.
    pub capabilities: Vec<Capability>,
    /// The conditions of the statement as clauses, such as `the source IP address is in 192.0.2.0/24`. All of them must
    /// be met.
    pub conditions: Vec<String>,
    /// The Sid of the statement.
    pub sid: Option<String>,
    /// The index of the statement in the policy.
    pub statement: usize,
}

/// Returns the entries of a key policy, in the order of its statements and principals.
///
/// `account_id` is the account that owns the key.
///
/// # Errors
/// The problems of a policy that isn't valid.
pub fn entries(policy: &str, account_id: &str) -> Result<Vec<AccessEntry>, Vec<PolicyProblem>> {
    let document = policy::check(policy)?;
    let statements = document.statements().iter().enumerate();
    Ok(statements.flat_map(|(index, statement)| statement_entries(index, statement, account_id)).collect())
}

/// Returns sentences that describe who can do what, or the problems of a policy that isn't valid.
pub fn describe(policy: &str, account_id: &str) -> Vec<String> {
    match entries(policy, account_id) {
        Ok(entries) => sentences(&entries),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn statement_entries(index: usize, statement: &Statement, account_id: &str) -> Vec<AccessEntry> {
    let capabilities = if statement.matches_key() { capability::of_statement(statement) } else { Vec::new() };
    let conditions = statement.condition.as_ref().map(condition::clauses).unwrap_or_default();
    let principals = principal::of_statement(statement, account_id);
    let entries = principals.into_iter().map(|principal| AccessEntry {
        principal,
        effect: statement.effect,
        capabilities: capabilities.clone(),
        conditions: conditions.clone(),
        sid: statement.sid.clone().filter(|sid| !sid.is_empty()),
        statement: index,
    });
    entries.collect()
}
