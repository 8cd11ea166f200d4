//! What *Finish* will create, as text: AWS CLI commands, the key policy, who gets access, and Terraform.

pub mod access;
pub mod changes;
mod commands;
pub mod terraform;

pub use commands::{aws_cli_commands, create_alias_command, remaining_commands, shell_script};

use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::submission::Submission;
use crate::text::highlight::Language;

/// What *Finish* will create, or what is left to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The sections, in the order in which they are shown.
    pub sections: Vec<PreviewSection>,
}

/// A part of a preview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewSection {
    /// The heading.
    pub title: &'static str,
    /// The language of the text.
    pub language: Language,
    /// The text, without a line break at the end.
    pub text: String,
}

impl Preview {
    /// Creates the preview of a draft. It does no I/O, and is fast enough to be created for each frame.
    pub fn new(draft: &KeyDraft, account: &AccountState, submission: &Submission) -> Self {
        let draft = &with_placeholders(draft);
        let policy = draft.policy_json(account);
        let section =
            |title, language, text: &str| PreviewSection { title, language, text: text.trim_end().to_owned() };
        let sections = vec![
            section("AWS CLI commands", Language::Shell, &shell_text(draft, account, submission)),
            section("Key policy", Language::Json, &policy),
            section("Access", Language::Words, &access::describe(&policy, &account.account_id).join("\n")),
            section("Terraform", Language::Hcl, &terraform::for_draft(draft, account, submission)),
        ];
        Self { sections }
    }
}

/// Returns a draft in which what is required and still missing is named in angle brackets.
fn with_placeholders(draft: &KeyDraft) -> KeyDraft {
    let mut draft = draft.clone();
    if draft.alias.is_empty() {
        "<alias>".clone_into(&mut draft.alias);
    }
    if draft.is_external() {
        if draft.xks_key_id.is_empty() {
            "<external key ID>".clone_into(&mut draft.xks_key_id);
        }
        draft.custom_key_store_id.get_or_insert_with(|| "<custom key store ID>".to_owned());
    }
    draft
}

/// Returns the remaining commands, or a comment that says why there are none.
fn shell_text(draft: &KeyDraft, account: &AccountState, submission: &Submission) -> String {
    match submission {
        Submission::Done { .. } => "# The key and its alias were created.".to_owned(),
        Submission::Unknown { key: None, .. } | Submission::Sending { key: None, .. } => {
            "# It isn't known yet whether the key was created. Commands could create a second key.".to_owned()
        }
        _ => remaining_commands(draft, account, submission).join("\n\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::submission::{SentRequest, Stage};
    use crate::create_key::testing::{account_state, draft, key};

    fn preview(submission: &Submission) -> Preview {
        Preview::new(&draft(), &account_state(), submission)
    }

    #[test]
    fn sections_are_in_order_and_show_the_draft() {
        let preview = preview(&Submission::NotSent);
        let outline: Vec<_> = preview.sections.iter().map(|section| (section.title, section.language)).collect();
        assert_eq!(
            outline,
            [
                ("AWS CLI commands", Language::Shell),
                ("Key policy", Language::Json),
                ("Access", Language::Words),
                ("Terraform", Language::Hcl),
            ]
        );
        for (section, words) in preview.sections.iter().zip([
            "--xks-key-id payments-2026",
            "\"Sid\": \"Allow use of the key\"",
            "The role App can encrypt, decrypt, and re-encrypt data with this key",
            "xks_key_id          = \"payments-2026\"",
        ]) {
            assert!(section.text.contains(words), "{}", section.text);
        }
    }

    #[test]
    fn missing_values_are_named() {
        let empty = KeyDraft { alias: String::new(), xks_key_id: String::new(), ..draft() };
        let preview = Preview::new(&empty, &account_state(), &Submission::NotSent);
        for (section, words) in [
            (0, "--xks-key-id '<external key ID>'"),
            (0, "--alias-name 'alias/<alias>'"),
            (3, "xks_key_id          = \"<external key ID>\""),
        ] {
            assert!(preview.sections[section].text.contains(words), "{}", preview.sections[section].text);
        }
    }

    #[test]
    fn commands_never_create_a_second_key() {
        let created = || Box::new(key("1111aaaa", "payments-2026"));
        let sending =
            |key| Submission::Sending { stage: Stage::CreateKey, key, sent: Box::new(SentRequest::default()) };
        for (submission, has_alias) in
            [(Submission::Done { key: created() }, false), (sending(None), false), (sending(Some(created())), true)]
        {
            let text = &preview(&submission).sections[0].text;
            assert!(!text.contains("create-key"), "{text}");
            assert_eq!(text.contains("create-alias"), has_alias, "{text}");
        }
    }

    #[test]
    fn invalid_policy_keeps_all_sections() {
        let draft = KeyDraft { edited_policy: Some("{ \"Version\": ".to_owned()), ..draft() };
        let preview = Preview::new(&draft, &account_state(), &Submission::NotSent);
        assert!(preview.sections.iter().all(|section| !section.text.is_empty()), "{preview:?}");
        assert!(preview.sections[2].text.contains("isn't valid JSON"));
    }
}
