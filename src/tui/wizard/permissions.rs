//! On *Review*: whether AWS may refuse what Finish does, and what an administrator has to allow. It never stands in the
//! way: only the real request knows everything that decides.

use super::Wizard;
use super::focus::FocusTarget;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::method::Step;
use crate::create_key::permissions::{self, DenialReason, MissingPermission, PolicySource};
use crate::create_key::submission::{self, Submission};
use crate::tui::effect::{Call, CallFailure};
use crate::tui::theme;
use crate::tui::widgets::scroll_view::ScrollView;

impl Wizard {
    /// The question to ask on *Review*, unless it was asked for a draft that leads to the same calls.
    pub fn permission_request(&mut self, account: &AccountState) -> Option<Call> {
        let is_open = matches!(self.submission, Submission::NotSent | Submission::Failed { .. });
        if self.step != Step::Review || !is_open || !self.step_errors(Step::Review, account).is_empty() {
            return None;
        }
        let check = permissions::permission_check(&self.draft, account);
        if check == self.permission_check {
            return None;
        }
        self.permission_check.clone_from(&check);
        self.permissions = Loadable::Idle;
        let check = check?;
        if check.source == PolicySource::Unknown {
            self.permissions = Loadable::Failed("AWS simulates the policies of users and roles only".to_owned());
            return None;
        }
        self.permissions = Loadable::Loading;
        Some(Call::Permissions(Box::new(check)))
    }

    /// What IAM says no to, or why it could not be asked.
    pub fn on_permissions_loaded(&mut self, told: Result<Vec<MissingPermission>, CallFailure>) {
        let here = self.focused();
        self.permissions = match told {
            Ok(missing) => Loadable::Ready(missing),
            Err(failure) => Loadable::Failed(failure.code),
        };
        // Who has not moved yet sees what is new on top; everybody else stays.
        if self.focus_index > 0
            && let Some(place) = self.focus_targets().iter().position(|spot| *spot == here)
        {
            self.focus_index = place;
        }
    }

    /// The refusal that the submission stands at, if the caller may not do what it does.
    fn access_denied(&self) -> Option<&submission::SubmissionFailure> {
        self.submission.failure().filter(|failure| failure.code.starts_with("AccessDenied"))
    }

    /// What AWS has refused, and what IAM says no to.
    fn missing_permissions(&self) -> Vec<MissingPermission> {
        let failure = self.access_denied();
        let stage: &[&str] = match self.submission {
            Submission::Failed { .. } => &["kms:CreateKey", "kms:TagResource"],
            _ => &["kms:CreateAlias"],
        };
        let refused = failure
            .and_then(|failure| Some(self.permission_check.as_ref()?.missing_from_error(&failure.message, stage)));
        let mut missing = refused.unwrap_or_default();
        if matches!(self.submission, Submission::NotSent | Submission::Failed { .. }) {
            let others = self.permissions.ready().into_iter().flatten();
            let others: Vec<MissingPermission> = others
                .filter(|other| missing.iter().all(|permission| permission.permission != other.permission))
                .cloned()
                .collect();
            missing.extend(others);
        }
        missing
    }

    /// The policy for an administrator.
    pub(super) fn missing_permissions_policy(&self) -> Option<String> {
        permissions::iam_policy(&self.missing_permissions())
    }

    pub(super) fn write_permissions(&self, view: &mut ScrollView) {
        let missing = self.missing_permissions();
        if !missing.is_empty() {
            self.write_missing_permissions(view, &missing);
            return;
        }
        if self.submission != Submission::NotSent {
            return;
        }
        match &self.permissions {
            Loadable::Idle => {}
            Loadable::Loading => {
                view.paragraph("… Looking whether your IAM policies allow what Finish does.", 2, theme::MUTED);
            }
            Loadable::Ready(_) => {
                view.paragraph("✓ Your IAM policies allow what Finish does.", 2, theme::SUCCESS);
            }
            Loadable::Failed(reason) => {
                let words = format!("Whether your IAM policies allow what Finish does can't be checked ({reason}).");
                view.paragraph(&words, 2, theme::MUTED);
            }
        }
    }

    fn write_missing_permissions(&self, view: &mut ScrollView, missing: &[MissingPermission]) {
        view.blank_line();
        let is_refused = self.access_denied().is_some();
        let lead = if is_refused { "!" } else { "! AWS may refuse this." };
        view.paragraph(&format!("{lead} What is not allowed to you:"), 2, theme::WARNING);
        for permission in missing {
            view.paragraph(
                &format!("• {} on {}", permission.permission.action, permission.permission.resource),
                4,
                theme::TEXT,
            );
            match permission.reason {
                DenialReason::ImplicitDeny => {}
                DenialReason::ExplicitDeny => {
                    view.paragraph("A statement denies it: no other can allow it.", 6, theme::TEXT);
                }
                DenialReason::KeyPolicy => {
                    view.paragraph("The key policy does not let you.", 6, theme::TEXT);
                }
            }
            if !permission.missing_context_keys.is_empty() {
                view.paragraph(
                    &format!("It may depend on {}.", permission.missing_context_keys.join(", ")),
                    6,
                    theme::MUTED,
                );
            }
        }
        if !is_refused {
            let words =
                "An estimate: other kinds of policies and the request itself decide too. Finish is open all the same.";
            view.paragraph(words, 2, theme::MUTED);
        }
        if let Some(statement) = self.missing_permissions_policy() {
            self.write_heading_with_button(
                view,
                "Policy to give to an administrator (JSON)",
                FocusTarget::CopyIamPolicy,
                "Copy",
            );
            view.paragraph(&statement, 2, theme::MUTED);
        }
    }
}
