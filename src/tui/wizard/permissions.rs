//! The permission check on *Review*: the permissions that Finish needs, and an IAM policy for those that are missing.
//!
//! The check is an estimate and never blocks Finish, because only the real request is subject to all policies.

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
    /// Returns the permission check to run on *Review*, unless it already ran for the same requests.
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
            self.permissions = Loadable::Failed("AWS simulates policies only for users and roles".to_owned());
            return None;
        }
        self.permissions = Loadable::Loading;
        Some(Call::Permissions(Box::new(check)))
    }

    /// Handles the result of the permission check.
    pub fn on_permissions_loaded(&mut self, result: Result<Vec<MissingPermission>, CallFailure>) {
        let here = self.focused();
        self.permissions = match result {
            Ok(missing) => Loadable::Ready(missing),
            Err(failure) => Loadable::Failed(failure.code),
        };
        // If the focus is still on the first target, it stays there, so that the new result at the top is visible.
        if self.focus_index > 0
            && let Some(index) = self.focus_targets().iter().position(|target| *target == here)
        {
            self.focus_index = index;
        }
    }

    /// Returns the failure of the submission, if it is an access denied error.
    fn access_denied(&self) -> Option<&submission::SubmissionFailure> {
        self.submission.failure().filter(|failure| failure.code.starts_with("AccessDenied"))
    }

    /// Returns the permissions that AWS denied, then those that the permission check found missing.
    fn missing_permissions(&self) -> Vec<MissingPermission> {
        let failure = self.access_denied();
        let stage: &[&str] = match self.submission {
            Submission::Failed { .. } => &["kms:CreateKey", "kms:TagResource"],
            _ => &["kms:CreateAlias"],
        };
        let denied = failure
            .and_then(|failure| Some(self.permission_check.as_ref()?.missing_from_error(&failure.message, stage)));
        let mut missing = denied.unwrap_or_default();
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

    /// Returns an IAM policy that grants the missing permissions, for an administrator to attach.
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
                view.paragraph("… Checking your permissions", 2, theme::SECONDARY);
            }
            Loadable::Ready(_) => {
                view.paragraph("✓ You have the permissions that Finish needs.", 2, theme::SUCCESS);
            }
            Loadable::Failed(reason) => {
                let words = format!("Couldn't check your permissions ({reason}). You can still choose Finish.");
                view.paragraph(&words, 2, theme::SECONDARY);
            }
        }
    }

    fn write_missing_permissions(&self, view: &mut ScrollView, missing: &[MissingPermission]) {
        view.blank_line();
        let is_denied = self.access_denied().is_some();
        let lead = if is_denied { "▲" } else { "▲ AWS might deny this request." };
        view.warning(&format!("{lead} You don't have these permissions:"), 2);
        for permission in missing {
            view.paragraph(
                &format!("• {} on {}", permission.permission.action, permission.permission.resource),
                4,
                theme::TEXT,
            );
            match permission.reason {
                DenialReason::ImplicitDeny => {}
                DenialReason::ExplicitDeny => {
                    view.paragraph("An explicit deny overrides every allow statement.", 6, theme::TEXT);
                }
                DenialReason::KeyPolicy => {
                    view.paragraph("The key policy doesn't allow it.", 6, theme::TEXT);
                }
            }
            if !permission.missing_context_keys.is_empty() {
                view.paragraph(
                    &format!("The result might depend on {}.", permission.missing_context_keys.join(", ")),
                    6,
                    theme::SECONDARY,
                );
            }
        }
        if !is_denied {
            let words = "This is an estimate. Other policy types and the request itself can change the result. You can \
                         still choose Finish.";
            view.paragraph(words, 2, theme::SECONDARY);
        }
        if let Some(statement) = self.missing_permissions_policy() {
            self.write_heading_with_button(
                view,
                "IAM policy to send to your administrator (JSON)",
                FocusTarget::CopyIamPolicy,
                "Copy",
            );
            view.paragraph(&statement, 2, theme::SECONDARY);
        }
    }
}
