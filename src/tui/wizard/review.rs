//! The step *Review*: all choices with their Edit buttons, the key policy, and the AWS CLI commands.

use super::Wizard;
use super::focus::{FocusTarget, ReviewTab};
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::method::{Method, Step};
use crate::create_key::preview;
use crate::create_key::preview::changes::{GENERATED_POLICY, PolicyChanges};
use crate::create_key::submission::Submission;
use crate::text::highlight::Language;
use crate::tui::dialogs::cli_commands;
use crate::tui::text_view::TextView;
use crate::tui::theme;
use crate::tui::widgets::code_view::CodeView;
use crate::tui::widgets::diff_view::DiffView;
use crate::tui::widgets::scroll_view::ScrollView;
use crate::tui::widgets::tabs;

impl Wizard {
    pub(super) fn write_review(&self, view: &mut ScrollView, account: &AccountState) {
        if account.is_read_only {
            let words = if matches!(self.submission, Submission::Unknown { .. }) {
                "This console can't create KMS keys, but it can check whether a key was created."
            } else {
                "This console can't create KMS keys. Run the commands on the Commands tab with other credentials, or \
                 give them to someone who has the permissions."
            };
            cli_commands::write_read_only_notice(view, words);
        } else if matches!(self.submission, Submission::NotSent | Submission::Failed { .. }) {
            view.paragraph("You can still go back and change all settings.", 2, theme::SECONDARY);
        }
        view.blank_line();
        view.focused(self.focused() == FocusTarget::ReviewTabs, |view| {
            let is_focused = self.focused() == FocusTarget::ReviewTabs;
            tabs::write(view, &ReviewTab::TITLES, self.review_tab.index(), is_focused);
        });
        match self.review_tab {
            ReviewTab::Summary => {
                for step in self.method.review_steps(self.draft.origin) {
                    self.write_section(view, step, account);
                }
            }
            ReviewTab::KeyPolicy => self.write_key_policy(view, account),
            ReviewTab::Commands => self.write_commands(view, account),
        }
    }

    fn write_key_policy(&self, view: &mut ScrollView, account: &AccountState) {
        let copy = self.button(FocusTarget::CopyKeyPolicy, "Copy");
        let changes = PolicyChanges::of_draft(&self.draft, account);
        if let Some(changes) = &changes {
            view.heading_with_buttons("Key policy (JSON), edited by you", vec![self.changes_button(), copy]);
            view.paragraph(&format!("{}.", changes.summary(GENERATED_POLICY)), 2, theme::SECONDARY);
        } else {
            view.heading_with_buttons("Key policy (JSON)", vec![copy]);
        }
        match changes.filter(|_| self.shows_changes()) {
            Some(changes) => DiffView::new(&changes).write(view),
            None => {
                CodeView::new(Language::Json, &self.draft.policy_json(account)).with_line_numbers().write(view);
            }
        }
    }

    /// Whether a key shows the code of the page on the whole screen.
    pub(super) fn shows_code(&self) -> bool {
        self.step == Step::Review && self.review_tab != ReviewTab::Summary
    }

    /// Returns the code of the page, to show it on the whole screen.
    pub fn shown_code(&self, account: &AccountState) -> Option<TextView> {
        if !self.shows_code() {
            return None;
        }
        Some(match self.review_tab {
            ReviewTab::Commands => {
                let commands = preview::remaining_commands(&self.draft, account, &self.submission).join("\n\n");
                let terraform = self.terraform(account);
                let sections =
                    [("AWS CLI commands", Language::Shell, &*commands), ("Terraform", Language::Hcl, &*terraform)];
                TextView::of_sections("commands", sections)
            }
            _ => match PolicyChanges::of_draft(&self.draft, account).filter(|_| self.shows_changes()) {
                Some(changes) => TextView::of_changes("key policy changes", changes.report(GENERATED_POLICY)),
                None => TextView::new("key policy", self.draft.policy_json(account)),
            },
        })
    }

    fn write_commands(&self, view: &mut ScrollView, account: &AccountState) {
        let commands = preview::remaining_commands(&self.draft, account, &self.submission);
        let title = if account.is_read_only { "AWS CLI commands" } else { "Equivalent AWS CLI commands" };
        let mut buttons = vec![self.button(FocusTarget::CopyCommands, "Copy")];
        if account.is_read_only {
            buttons.push(self.button(FocusTarget::SaveCommands, "Save to file"));
        }
        view.heading_with_buttons(title, buttons);
        if commands.is_empty() {
            view.paragraph("No commands are left to run.", 2, theme::SECONDARY);
        }
        CodeView::new(Language::Shell, &commands.join("\n\n")).write(view);
        view.heading_with_buttons("Terraform", vec![self.button(FocusTarget::CopyTerraform, "Copy")]);
        CodeView::new(Language::Hcl, self.terraform(account).trim_end()).write(view);
    }

    /// Returns the draft as Terraform.
    pub(super) fn terraform(&self, account: &AccountState) -> String {
        preview::terraform::for_draft(&self.draft, account, &self.submission)
    }

    /// Writes the heading of a section with its button at the right edge.
    pub(super) fn write_heading_with_button(
        &self,
        view: &mut ScrollView,
        title: &str,
        target: FocusTarget,
        label: &str,
    ) {
        view.heading_with_buttons(title, vec![self.button(target, label)]);
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
                    view.paragraph("No tags", 2, theme::SECONDARY);
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
                let policy = draft.policy_json(account);
                let entries = preview::access::entries(&policy, &account.account_id).unwrap_or_default();
                for sentence in preview::access::sentences(&entries) {
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
            view.warning("You can't change the key configuration after the key is created.", 2);
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
        view.paragraph("None selected", 2, theme::SECONDARY);
    }
    for arn in arns {
        view.paragraph(arn, 2, theme::TEXT);
    }
}
