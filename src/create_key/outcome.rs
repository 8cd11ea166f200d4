//! The outcome of Finish: what it means, what is still to correct, and the next action.

use super::account_state::AccountState;
use super::draft::KeyDraft;
use super::field::Field;
use super::method::{Method, Step};
use super::permissions::{MissingPermission, PermissionCheck};
use super::submission::{Submission, SubmissionFailure};
use super::validate::{FieldError, validate};
use crate::error_remedies;

/// The maximum number of possibly invalid principals to list.
pub const MAX_SUSPECTS: usize = 5;

/// The outcome if the key was created, but not its alias.
pub const ALIAS_NOT_CREATED: [&str; 2] = [
    "The KMS key was created.",
    "Couldn't create the alias. Correct the alias, then choose Create alias. The console won't create a second KMS key.",
];
/// The outcome if no response shows whether the request succeeded.
pub const OUTCOME_UNKNOWN: [&str; 2] = [
    "Outcome unknown: the request might have succeeded.",
    "Choose Check again. The console first checks what was created, so you never get two keys.",
];
/// The outcome if no key was created.
pub const KEY_NOT_CREATED: &str = "The KMS key was not created. Nothing in your account changed.";

/// The next action after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextAction {
    /// Goes to the field that has to be corrected.
    FixField(Field),
    /// Finishes again, because no field can correct the failure.
    Retry,
}

/// Returns the label of the button that finishes, or that resumes after a failure.
pub const fn finish_label(submission: &Submission) -> &'static str {
    match submission {
        Submission::KeyWithoutAlias { .. } => "Create alias",
        Submission::Unknown { .. } => "Check again",
        Submission::Failed { .. } => "Retry",
        Submission::NotSent | Submission::Sending { .. } | Submission::Done { .. } => "Finish",
    }
}

/// Returns the next action after a failure. `suspects` are the principals that might be invalid, with their fields.
pub fn next_action(submission: &Submission, suspects: &[(Field, String)]) -> Option<NextAction> {
    let failure = submission.failure()?;
    let field_to_fix = error_remedies::for_error(&failure.code, &failure.message).field;
    let suspect = suspects.first().map(|(field, _)| *field);
    Some(suspect.or(field_to_fix).map_or(NextAction::Retry, NextAction::FixField))
}

/// Returns the errors of a step that still have to be corrected.
///
/// There are none while the outcome of a request is unknown, because the draft's own key or alias might already exist
/// and would be reported as a conflict.
pub fn step_errors(
    method: &Method,
    step: Step,
    draft: &KeyDraft,
    submission: &Submission,
    account: &AccountState,
) -> Vec<FieldError> {
    match submission {
        Submission::NotSent | Submission::Failed { .. } => validate(method, step, draft, account),
        Submission::KeyWithoutAlias { .. } if matches!(step, Step::AliasAndDescription | Step::Review) => {
            validate(method, Step::AliasAndDescription, draft, account)
        }
        _ => Vec::new(),
    }
}

/// Returns the failure of the submission, if it is an access denied error.
pub fn access_denied(submission: &Submission) -> Option<&SubmissionFailure> {
    submission.failure().filter(|failure| failure.code.starts_with("AccessDenied"))
}

/// Returns the permissions that AWS denied, then those in `found` that the permission check found missing.
pub fn missing_permissions(
    submission: &Submission,
    check: Option<&PermissionCheck>,
    found: Option<&Vec<MissingPermission>>,
) -> Vec<MissingPermission> {
    let stage: &[&str] = match submission {
        Submission::Failed { .. } => &["kms:CreateKey", "kms:TagResource"],
        _ => &["kms:CreateAlias"],
    };
    let denied = access_denied(submission).and_then(|failure| Some(check?.missing_from_error(&failure.message, stage)));
    let mut missing = denied.unwrap_or_default();
    if matches!(submission, Submission::NotSent | Submission::Failed { .. }) {
        let is_new = |other: &&MissingPermission| missing.iter().all(|one| one.permission != other.permission);
        let others: Vec<MissingPermission> = found.into_iter().flatten().filter(is_new).cloned().collect();
        missing.extend(others);
    }
    missing
}
