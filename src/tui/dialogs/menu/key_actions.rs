//! The entries of *Key actions* for a single key.

use super::{MenuAction, MenuEntry, form_entry};
use crate::aws::cli_command::command;
use crate::aws::kms::{DescribeKey, KeyState, Origin, Tag};
use crate::aws::policy::ConsolePolicy;
use crate::create_key::account_state::{AccountState, Loadable};
use crate::create_key::draft::KeyDraft;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::preview::remaining_commands;
use crate::create_key::preview::terraform::{self, ExistingKey};
use crate::create_key::similar_key::similar_key;
use crate::create_key::submission::Submission;
use crate::tui::dialogs::cli_commands;
use crate::tui::dialogs::form_kind::{FormKind, KeyName, key_name};

/// Returns the entry for the default view of a key policy, which needs a policy with only the console's statements.
fn edit_permissions_entry(
    key: &KeyName,
    policy: KeyDetail<'_, str>,
    aws_managed_reason: Option<&'static str>,
) -> MenuEntry {
    let label = "Edit administrators and users";
    let read = policy.and_then(|text| {
        let console = ConsolePolicy::parse(text).ok_or("Policy customized.")?;
        Ok(FormKind::EditPermissions(key.clone(), text.to_owned(), Box::new(console)))
    });
    let action = aws_managed_reason.map_or(read, Err).map(|kind| MenuAction::OpenForm(Box::new(kind)));
    MenuEntry { label, action }
}

/// What a menu needs of a key besides its metadata, or the reason why it isn't loaded.
pub(super) type KeyDetail<'a, T> = Result<&'a T, &'static str>;

/// Returns a detail of a key.
pub(super) fn detail<T>(loaded: &Loadable<T>) -> KeyDetail<'_, T> {
    match loaded {
        Loadable::Ready(value) => Ok(value),
        Loadable::Failed(_) => Err("Couldn't be loaded."),
        Loadable::Idle | Loadable::Loading => Err("Still loading."),
    }
}

/// Returns the actions for a single key. `aws_managed_reason` and `pending` are reasons why some are not available.
pub(super) fn single_key_entries(
    key: &KeySummary,
    (tags, policy): (KeyDetail<'_, [Tag]>, KeyDetail<'_, str>),
    account: &AccountState,
    aws_managed_reason: Option<&'static str>,
    pending: Option<&'static str>,
) -> Vec<MenuEntry> {
    let name = key_name(key, account);
    let aliases = account.aliases_of(key.key_id()).to_vec();
    let is_unusable = key.key_state.is_known() && key.key_state != KeyState::Enabled;
    let usable = aws_managed_reason.or(is_unusable.then_some("The key is not enabled."));
    let none = aws_managed_reason.or(aliases.is_empty().then_some("The key has no alias."));
    let asymmetric = (key.key_spec != "SYMMETRIC_DEFAULT").then_some("Not a symmetric encryption key.");
    vec![
        form_entry("Edit description", FormKind::EditDescription(name.clone(), key.description.to_string()), pending),
        form_entry(
            "Add or edit tags",
            FormKind::EditTags(name.clone(), tags.unwrap_or_default().to_vec()),
            pending.or(tags.err()),
        ),
        form_entry("Create alias", FormKind::CreateAlias(name.clone()), pending),
        form_entry("Move alias to another key", FormKind::MoveAlias(name.clone(), aliases.clone()), none),
        form_entry("Delete alias", FormKind::DeleteAlias(name.clone(), aliases), none),
        form_entry(
            "Edit key policy",
            FormKind::EditPolicy(name.clone(), policy.unwrap_or_default().to_owned()),
            aws_managed_reason.or(policy.err()),
        ),
        edit_permissions_entry(&name, policy, aws_managed_reason),
        form_entry("Encrypt", FormKind::Encrypt(name.clone()), usable),
        form_entry("Decrypt", FormKind::Decrypt(name.clone()), usable),
        MenuEntry { label: "Try it", action: usable.or(asymmetric).map_or(Ok(MenuAction::TryKey(name)), Err) },
    ]
}

/// Returns the entries that use a key as a template: for another key, or for other tools.
pub(super) fn template_entries(
    key: &KeySummary,
    (tags, policy): (KeyDetail<'_, [Tag]>, KeyDetail<'_, str>),
    account: &AccountState,
    nameless: Option<&'static str>,
) -> Vec<MenuEntry> {
    let similar = match (nameless, tags, policy) {
        (None, Ok(tags), Ok(policy)) => similar_key(key, (tags, policy), account),
        (Some(reason), ..) | (None, Err(reason), _) | (None, _, Err(reason)) => Err(reason),
    };
    let aliases = account.aliases_of(key.key_id());
    let existing = ExistingKey { key, aliases, tags: tags.ok(), policy: policy.ok(), rotation_period_in_days: None };
    // The console doesn't load the rotation status, which Terraform would reset.
    let rotation_note = if key.origin == Origin::AwsKms {
        "# If automatic key rotation is enabled, add enable_key_rotation = true. Terraform disables it otherwise.\n"
    } else {
        ""
    };
    let terraform = terraform::for_key(&existing, account).ok_or("AWS manages this key.");
    let terraform = terraform.map(|code| format!("{rotation_note}{code}"));
    let copied = |what, text: String| MenuAction::Copy(what, text);
    let commands = match &similar {
        Ok((_, draft)) => creation_commands(key, draft, account),
        // The console can't tell how to create the key, but it can tell how to see it.
        Err(_) => command(&DescribeKey::new(key.key_id().to_owned()), account.command_target(), &[]),
    };
    let source = key_name(key, account).name;
    vec![
        MenuEntry {
            label: "Create another like this",
            action: similar.map(|(method, draft)| MenuAction::CreateSimilar { source, method, draft: Box::new(draft) }),
        },
        MenuEntry {
            label: "Copy as AWS CLI commands",
            action: nameless.map_or(Ok(copied(cli_commands::CLIPBOARD_NAME, commands)), Err),
        },
        MenuEntry {
            label: "Copy as Terraform",
            action: nameless.map_or(terraform, Err).map(|text| copied("Terraform code", text)),
        },
    ]
}

/// Returns the AWS CLI commands that create a key like `similar` with the name, description, and external key of `key`.
fn creation_commands(key: &KeySummary, similar: &KeyDraft, account: &AccountState) -> String {
    let draft = KeyDraft {
        alias: account.aliases_of(key.key_id()).first().cloned().unwrap_or_default(),
        description: key.description.to_string(),
        xks_key_id: key.xks_key_id.as_deref().unwrap_or_default().to_owned(),
        ..similar.clone()
    };
    let mut commands = remaining_commands(&draft, account, &Submission::NotSent);
    if draft.alias.is_empty() {
        // Without an alias, the first command is all.
        commands.truncate(1);
    }
    commands.join("\n\n")
}
