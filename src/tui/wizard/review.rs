//! Step *Review*: every choice with the way back to it, the policy in words and as JSON, the commands.

use ratatui::text::{Line, Span};

use super::Wizard;
use super::spots::{Spot, reviewed};
use crate::create_key::draft::KeyDraft;
use crate::create_key::known::Known;
use crate::create_key::method::{Method, Step};
use crate::create_key::preview;
use crate::create_key::submission::Submission;
use crate::tui::tasks::commands;
use crate::tui::theme;
use crate::tui::widgets::button;
use crate::tui::widgets::paper::Paper;

impl Wizard {
    pub(super) fn write_review(&self, paper: &mut Paper, known: &Known) {
        if known.is_read_only {
            let words = if matches!(self.submission, Submission::Unknown { .. }) {
                "nothing is made from here. What is not known yet can be looked up all the same."
            } else {
                "no key is made from here. The commands at the end of this page make it: run them yourself with other \
                 credentials, or give them to somebody who may."
            };
            commands::write_heading(paper, words);
        }
        for step in reviewed(&self.method, self.draft.origin) {
            self.write_section(paper, step, known);
        }
        self.write_heading(paper, "Key policy (JSON)", Spot::CopyPolicy, "Copy");
        paper.prose(&self.draft.policy_json(known), 2, theme::QUIET);
        let commands = preview::commands_left(&self.draft, known, &self.submission);
        if commands.is_empty() {
            return;
        }
        let (title, style) = if known.is_read_only {
            ("AWS CLI commands", theme::TEXT)
        } else {
            ("The same with the AWS CLI", theme::QUIET)
        };
        self.write_heading(paper, title, Spot::CopyCommands, "Copy");
        if known.is_read_only {
            let is_focused = self.here() == Spot::SaveCommands;
            for span in button("Save as a file", is_focused) {
                paper.append(span);
            }
            if is_focused {
                paper.focus_here();
            }
        }
        for command in &commands {
            paper.prose(command, 2, style);
            paper.gap();
        }
    }

    pub(super) fn write_heading(&self, paper: &mut Paper, title: &str, spot: Spot, words: &str) {
        let is_focused = self.here() == spot;
        paper.gap();
        paper.focused(is_focused, |paper| {
            let mut spans = vec![Span::styled(title.to_owned(), theme::HEADING), Span::raw("  ")];
            spans.extend(button(words, is_focused));
            paper.line(Line::from(spans));
        });
    }

    fn write_section(&self, paper: &mut Paper, step: Step, known: &Known) {
        let draft = &self.draft;
        if self.submission.key().is_some() {
            paper.heading(step.title());
        } else {
            self.write_heading(paper, step.title(), Spot::Edit(step), "Edit");
        }
        match step {
            Step::ConfigureKey => {
                paper.pair("Key type", "Symmetric", theme::TEXT);
                paper.pair("Key spec", "SYMMETRIC_DEFAULT", theme::TEXT);
                paper.pair("Key usage", "Encrypt and decrypt", theme::TEXT);
                paper.pair("Origin", draft.origin.label(), theme::TEXT);
                paper.pair("Regionality", "Single-Region key", theme::TEXT);
                if matches!(self.method, Method::FromKeyStore { .. }) {
                    write_external(paper, draft, known);
                }
                if self.submission.key().is_none() {
                    paper.prose("You cannot change the key configuration after the key is created.", 2, theme::WARNING);
                }
            }
            Step::ChooseExternalKey => write_external(paper, draft, known),
            Step::AliasAndDescription => {
                paper.pair("Alias", &draft.alias, theme::TEXT);
                paper.pair("Description", &draft.description, theme::TEXT);
            }
            Step::Tags => {
                for tag in &draft.tags {
                    let key = crate::tui::widgets::text::escape_controls(&tag.tag_key);
                    paper.pair(&key, &tag.tag_value, theme::TEXT);
                }
                if draft.tags.is_empty() {
                    paper.prose("None", 2, theme::QUIET);
                }
            }
            Step::Administrators => {
                write_list(paper, &draft.administrators);
                let may = if draft.administrators_may_delete { "Yes" } else { "No" };
                paper.pair("May delete this key", may, theme::TEXT);
            }
            Step::Users => {
                write_list(paper, &draft.users);
                for account in &draft.other_accounts {
                    paper.pair("Other AWS account", account, theme::TEXT);
                }
            }
            Step::KeyPolicy => {
                let words = if draft.edited_policy.is_some() { "Edited by you" } else { "Generated" };
                paper.pair("Document", words, theme::TEXT);
                for sentence in preview::policy_in_words(draft, known) {
                    paper.prose(&format!("• {sentence}"), 2, theme::TEXT);
                }
            }
            Step::Review => {}
        }
        for error in self.errors_of(step, known) {
            paper.prose(&format!("✗ {}: {}", error.field.label(), error.message), 2, theme::BAD);
        }
    }
}

fn write_external(paper: &mut Paper, draft: &KeyDraft, known: &Known) {
    let id = draft.custom_key_store_id.clone().unwrap_or_default();
    let name = known.key_store(&id).map_or("-", |store| &store.custom_key_store_name);
    paper.pair("Custom key store", name, theme::TEXT);
    paper.pair("Custom key store ID", &id, theme::TEXT);
    paper.pair("External key ID", &draft.xks_key_id, theme::TEXT);
}

fn write_list(paper: &mut Paper, arns: &[String]) {
    if arns.is_empty() {
        paper.prose("None chosen", 2, theme::QUIET);
    }
    for arn in arns {
        paper.prose(arn, 2, theme::TEXT);
    }
}
