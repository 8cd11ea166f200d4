//! The outcome of the last attempt in words, and the permissions that are missing.

use std::io;

use super::super::Reply;
use super::{Step, Wizard};
use crate::create_key::account_state::Loadable;
use crate::create_key::field::Field;
use crate::create_key::outcome::{
    ALIAS_NOT_CREATED, KEY_NOT_CREATED, MAX_SUSPECTS, NextAction, OUTCOME_UNKNOWN, access_denied, finish_label,
    missing_permissions, next_action,
};
use crate::create_key::permissions::{MissingPermission, PolicySource, iam_policy, permission_check};
use crate::create_key::submission::Submission;
use crate::error_remedies;
use crate::tui::effect::{Call, Response};

/// Returns the outcome of the last attempt as sentences: what happened, the error, its meaning, and what to do.
fn lines(submission: &Submission, suspects: &[(Field, String)]) -> Vec<String> {
    let mut lines: Vec<String> = match submission {
        Submission::KeyWithoutAlias { key, .. } => {
            let [created, no_alias] = ALIAS_NOT_CREATED;
            vec![created.to_owned(), format!("Key ID: {}", key.key_id), no_alias.to_owned()]
        }
        Submission::Unknown { .. } => OUTCOME_UNKNOWN.map(str::to_owned).to_vec(),
        Submission::Failed { .. } => vec![KEY_NOT_CREATED.to_owned()],
        Submission::NotSent | Submission::Sending { .. } | Submission::Done { .. } => Vec::new(),
    };
    let Some(failure) = submission.failure() else { return lines };
    let remedy = error_remedies::for_error(&failure.code, &failure.message);
    lines.push(format!("Error: {}. {}", failure.code, failure.message));
    lines.push(format!("Meaning: {}", remedy.meaning));
    lines.push(format!("What to do: {}", remedy.action));
    for (field, principal) in suspects.iter().take(MAX_SUSPECTS) {
        lines.push(format!("Possible cause: {principal} in {}.", field.label()));
    }
    if let Some(more) = suspects.len().checked_sub(MAX_SUSPECTS).filter(|more| *more > 0) {
        lines.push(format!("And {more} more."));
    }
    if !failure.request_id.is_empty() {
        lines.push(format!("Request ID: {}", failure.request_id));
    }
    lines
}

/// Describes a missing permission in a line.
fn describe(missing: &MissingPermission) -> String {
    let mut line = format!("{} on {}.", missing.permission.action, missing.permission.resource);
    if let Some(explanation) = missing.reason.explanation() {
        line = format!("{line} {explanation}");
    }
    if !missing.missing_context_keys.is_empty() {
        line = format!("{line} The result might depend on {}.", missing.missing_context_keys.join(", "));
    }
    line
}

impl Wizard<'_, '_> {
    /// Says the outcome of the last attempt, its cause, and what to do.
    pub(super) fn say_outcome(&mut self) -> io::Result<()> {
        let (submission, suspects) = (&self.state.submission, &self.state.suspects);
        let mut lines = lines(submission, suspects);
        lines.extend(next_action(submission, suspects).map(|action| match action {
            NextAction::FixField(field) => {
                let step = self.state.step_name(field.step(&self.state.method));
                format!("To correct {}, go to {step}.", super::name(field))
            }
            NextAction::Retry => format!("To continue, choose {}.", finish_label(submission)),
        }));
        self.say_lines(&lines)
    }

    /// Checks the permissions that Finish needs, unless they were checked for the same requests.
    pub(super) fn check_permissions(&mut self) -> Reply<()> {
        let is_open = matches!(self.state.submission, Submission::NotSent | Submission::Failed { .. });
        if !is_open || !self.errors(Step::Review).is_empty() {
            return Ok(());
        }
        let check = permission_check(&self.state.draft, &self.session.account);
        if check == self.state.permission_check {
            return Ok(());
        }
        self.state.permission_check.clone_from(&check);
        self.state.permissions = match check {
            None => Loadable::Idle,
            Some(check) if check.source == PolicySource::Unknown => {
                Loadable::Failed("AWS simulates policies only for users and roles".to_owned())
            }
            Some(check) => match self.session.call(&Call::Permissions(Box::new(check)))? {
                Ok(Response::Permissions(missing)) => Loadable::Ready(missing),
                Ok(_) => Loadable::Idle,
                Err(failure) => Loadable::Failed(failure.code),
            },
        };
        Ok(())
    }

    /// Says which permissions are missing, and an IAM policy that grants them.
    pub(super) fn say_permissions(&mut self) -> Reply<()> {
        let submission = &self.state.submission;
        let missing =
            missing_permissions(submission, self.state.permission_check.as_ref(), self.state.permissions.ready());
        let is_denied = access_denied(submission).is_some();
        if missing.is_empty() {
            let line = match &self.state.permissions {
                _ if *submission != Submission::NotSent => return Ok(()),
                Loadable::Idle | Loadable::Loading => return Ok(()),
                Loadable::Ready(_) => "You have all permissions that are needed.".to_owned(),
                Loadable::Failed(reason) => {
                    format!("Couldn't check your permissions ({reason}). You can still create the key.")
                }
            };
            return Ok(self.say(&line)?);
        }
        let lead = if is_denied { "" } else { "AWS might deny this request. " };
        let mut lines = vec![format!("{lead}You don't have these permissions:")];
        lines.extend(missing.iter().map(describe));
        if !is_denied {
            lines.push(
                "This is an estimate. Other policy types and the request itself can change the result. You can still \
                 create the key."
                    .to_owned(),
            );
        }
        self.say_lines(&lines)?;
        if let Some(policy) = iam_policy(&missing) {
            self.say("IAM policy to send to your administrator (JSON):")?;
            self.say_text(&policy)?;
        }
        Ok(())
    }
}
