//! The step *Review*: all choices with their Edit buttons, the key policy, and the AWS CLI commands.

use ratatui::text::{Line, Span};

use super::Wizard;
use super::focus::FocusTarget;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::method::{Method, Step};
use crate::create_key::preview;
use crate::create_key::submission::Submission;
use crate::tui::dialogs::cli_commands;
use crate::tui::theme;
use crate::tui::widgets::button;
use crate::tui::widgets::scroll_view::ScrollView;

impl Wizard {
    pub(super) fn write_review(&self, view: &mut ScrollView, account: &AccountState) {
        if account.is_read_only {
            let words = if matches!(self.submission, Submission::Unknown { .. }) {
                "This console can't create KMS keys, but it can check whether a key was created."
            } else {
                "This console can't create KMS keys. Run the commands at the end of this page with other credentials, \
                 or give them to someone who has the permissions."
            };
            cli_commands::write_read_only_notice(view, words);
        } else if matches!(self.submission, Submission::NotSent | Submission::Failed { .. }) {
            view.paragraph("You can still go back and change all settings.", 2, theme::MUTED);
        }
        for step in self.method.review_steps(self.draft.origin) {
            self.write_section(view, step, account);
        }
        self.write_heading_with_button(view, "Key policy (JSON)", FocusTarget::CopyKeyPolicy, "Copy");
        view.paragraph(&self.draft.policy_json(account), 2, theme::MUTED);
        let commands = preview::remaining_commands(&self.draft, account, &self.submission);
        if commands.is_empty() {
            return;
        }
        let (title, style) = if account.is_read_only {
            ("AWS CLI commands", theme::TEXT)
        } else {
            ("Equivalent AWS CLI commands", theme::MUTED)
        };
        self.write_heading_with_button(view, title, FocusTarget::CopyCommands, "Copy");
        if account.is_read_only {
            let is_focused = self.focused() == FocusTarget::SaveCommands;
            for span in button("Save to file", is_focused) {
                view.append_span(span);
            }
            if is_focused {
                view.focus_last_line();
            }
        }
        for command in &commands {
            view.paragraph(command, 2, style);
            view.blank_line();
        }
    }

    pub(super) fn write_heading_with_button(
        &self,
        view: &mut ScrollView,
        title: &str,
        target: FocusTarget,
        words: &str,
    ) {
        let is_focused = self.focused() == target;
        view.blank_line();
        view.focused(is_focused, |view| {
            let mut spans = vec![Span::styled(title.to_owned(), theme::HEADING), Span::raw("  ")];
            spans.extend(button(words, is_focused));
            view.push_line(Line::from(spans));
        });
    }

    fn write_section(&self, view: &mut ScrollView, step: Step, account: &AccountState) {
        let draft = &self.draft;
        if self.submission.key().is_some() {
            view.heading(step.section_title());
        } else {
            self.write_heading_with_button(view, step.section_title(), FocusTarget::EditStep(step), "Edit");
        }
        match step {
            Step::ConfigureKey => self.write_configuration_section(view, account),
            Step::ChooseExternalKey => write_external_key_summary(view, draft, account),
            Step::AliasAndDescription => {
                view.key_value("Alias", &draft.alias, theme::TEXT);
                view.key_value("Description", &draft.description, theme::TEXT);
            }
            Step::Tags => {
                for tag in &draft.tags {
                    let key = crate::tui::widgets::text::escape_controls(&tag.tag_key);
                    view.key_value(&key, &tag.tag_value, theme::TEXT);
                }
                if draft.tags.is_empty() {
                    view.paragraph("No tags", 2, theme::MUTED);
                }
            }
            Step::Administrators => {
                write_principal_list(view, &draft.administrators);
                let deletion = if draft.administrators_may_delete { "Allowed" } else { "Not allowed" };
                view.key_value("Key deletion", deletion, theme::TEXT);
            }
            Step::Users => {
                write_principal_list(view, &draft.users);
                for account in &draft.other_accounts {
                    view.key_value("Other AWS account", account, theme::TEXT);
                }
            }
            Step::KeyPolicy => {
                let source = if draft.edited_policy.is_some() { "Edited by you" } else { "Generated" };
                view.key_value("Policy document", source, theme::TEXT);
                for sentence in preview::policy_summary(draft, account) {
                    view.paragraph(&format!("• {sentence}"), 2, theme::TEXT);
                }
            }
            Step::Review => {}
        }
        for error in self.step_errors(step, account) {
            view.paragraph(&format!("✗ {}: {}", error.field.label(), error.message), 2, theme::ERROR);
        }
    }

    fn write_configuration_section(&self, view: &mut ScrollView, account: &AccountState) {
        view.key_value("Key type", "Symmetric", theme::TEXT);
        view.key_value("Key spec", "SYMMETRIC_DEFAULT", theme::TEXT);
        view.key_value("Key usage", "Encrypt and decrypt", theme::TEXT);
        view.key_value("Origin", self.draft.origin.label(), theme::TEXT);
        view.key_value("Regionality", "Single-Region key", theme::TEXT);
        if matches!(self.method, Method::FromKeyStore { .. }) {
            write_external_key_summary(view, &self.draft, account);
        }
        if self.submission.key().is_none() {
            view.paragraph("You can't change the key configuration after the key is created.", 2, theme::WARNING);
        }
    }
}

fn write_external_key_summary(view: &mut ScrollView, draft: &KeyDraft, account: &AccountState) {
    let id = draft.custom_key_store_id.clone().unwrap_or_default();
    let name = account.key_store(&id).map_or("-", |store| &store.custom_key_store_name);
    view.key_value("Custom key store", name, theme::TEXT);
    view.key_value("Custom key store ID", &id, theme::TEXT);
    view.key_value("External key ID", &draft.xks_key_id, theme::TEXT);
}

fn write_principal_list(view: &mut ScrollView, arns: &[String]) {
    if arns.is_empty() {
        view.paragraph("None selected", 2, theme::MUTED);
    }
    for arn in arns {
        view.paragraph(arn, 2, theme::TEXT);
    }
}
