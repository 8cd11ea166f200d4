//! The dialogs of KMS keys: state, deletion, description, tags, aliases, and key policy.

use super::events::InputError;
use super::form_kind::{FormKind, KeyName};
use crate::aws::kms::{
    CancelKeyDeletion, CreateAlias, DeleteAlias, DisableKey, EnableKey, PutKeyPolicy, ScheduleKeyDeletion, Tag,
    TagResource, UntagResource, UpdateAlias, UpdateKeyDescription,
};
use crate::aws::{limits, policy};
use crate::create_key::account_state::AccountState;
use crate::create_key::validate::{POLICY_LOCKOUT, alias_in_use};
use crate::tui::effect::Change;
use crate::tui::theme;
use crate::tui::widgets::form::{Form, FormField, FormInput};
use crate::tui::widgets::scroll_view::ScrollView;

pub(super) const TEXT: &str = "text";
const DAYS: &str = "days";
const CONFIRM: &str = "confirm";
const ALIAS: &str = "alias";
const TARGET: &str = "target";

fn row(name: &'static str, label: &'static str, hint: &str, input: FormInput) -> FormField {
    FormField { name, label, hint: hint.to_owned(), input }
}

/// Returns the text that confirms the deletion of keys.
fn confirmation_text(keys: &[KeyName]) -> String {
    match keys {
        [key] => key.name.clone(),
        keys => format!("delete {} keys", keys.len()),
    }
}

/// Returns the row in which the user confirms the deletion of keys.
fn confirmation_row(keys: &[KeyName]) -> FormField {
    let label = match keys {
        [key] if key.name == key.id => "Type the key ID to confirm",
        [_] => "Type the alias to confirm",
        _ => "Type the text below to confirm",
    };
    let hint = if keys.len() == 1 { String::new() } else { confirmation_text(keys) };
    row(CONFIRM, label, &hint, FormInput::line(""))
}

/// Returns the form of a task on KMS keys.
pub fn form(kind: &FormKind) -> Form {
    let options = |aliases: &[String]| FormInput::Radio(aliases.to_vec(), 0);
    match kind {
        FormKind::Enable(_) => Form::new(Vec::new(), "Enable", false),
        FormKind::Disable(_) => Form::new(Vec::new(), "Disable", true),
        FormKind::CancelDeletion(_) => Form::new(Vec::new(), "Cancel key deletion", false),
        FormKind::ScheduleDeletion(keys) => Form::new(
            vec![
                row(
                    DAYS,
                    "Waiting period (in days)",
                    "7 to 30. You can cancel the deletion until the waiting period ends.",
                    FormInput::line("30"),
                ),
                confirmation_row(keys),
            ],
            "Schedule deletion",
            true,
        ),
        FormKind::EditDescription(_, before) => {
            let hint =
                "Up to 8,192 characters. Don't include confidential information: it may appear in CloudTrail logs.";
            Form::new(vec![row(TEXT, "Description", hint, FormInput::text(before, 6))], "Save changes", false)
        }
        FormKind::EditTags(_, before) => {
            let hint = "One key = value pair per line, up to 50. Delete a line to remove its tag. Don't include \
                        confidential information.";
            let lines: Vec<String> = before.iter().map(|tag| format!("{} = {}", tag.tag_key, tag.tag_value)).collect();
            Form::new(vec![row(TEXT, "Tags", hint, FormInput::text(&lines.join("\n"), 12))], "Save changes", false)
        }
        FormKind::EditPolicy(_, before) => {
            let hint = "JSON, up to 32,768 bytes. The policy must allow you to change it later.";
            Form::new(
                vec![row(TEXT, "Key policy", hint, FormInput::document(&policy::indented_or_unchanged(before), 14))],
                "Save changes",
                false,
            )
        }
        FormKind::CreateAlias(_) => {
            let hint = "Up to 250 letters, digits, slashes, underscores, and hyphens. Don't include the prefix alias/.";
            Form::new(vec![row(ALIAS, "Alias", hint, FormInput::line(""))], "Create alias", false)
        }
        FormKind::MoveAlias(_, aliases) => Form::new(
            vec![
                row(ALIAS, "Alias", "", options(aliases)),
                row(TARGET, "Key ID, ARN, or alias of the new target key", "", FormInput::line("")),
            ],
            "Move alias",
            false,
        ),
        FormKind::DeleteAlias(_, aliases) => {
            Form::new(vec![row(ALIAS, "Alias", "", options(aliases))], "Delete alias", true)
        }
        _ => Form::new(Vec::new(), "Continue", false),
    }
}

/// Writes the introduction of the dialog.
pub fn write_intro(kind: &FormKind, view: &mut ScrollView) {
    let (keys, words, style) = match kind {
        FormKind::Enable(keys) => (&keys[..], "You can use enabled keys to encrypt and decrypt.", theme::TEXT),
        FormKind::Disable(keys) => (
            &keys[..],
            "You can't use a disabled key to encrypt or decrypt until you enable it. Its external key is not affected.",
            theme::WARNING,
        ),
        FormKind::ScheduleDeletion(keys) => (
            &keys[..],
            "Deleting a KMS key is destructive and irreversible. Data encrypted under the key can never be decrypted. \
             You can't recreate a KMS key in an external key store, even with the same external key. The external key \
             itself is not affected. Consider disabling the key instead.",
            theme::WARNING,
        ),
        FormKind::CancelDeletion(keys) => {
            (&keys[..], "The keys will be disabled. To use them, enable them.", theme::TEXT)
        }
        FormKind::DeleteAlias(key, _) => (
            std::slice::from_ref(key),
            "Applications that use this alias will stop working. The KMS key itself is not affected.",
            theme::WARNING,
        ),
        FormKind::MoveAlias(key, _) => (
            std::slice::from_ref(key),
            "Applications that use this alias will use the new target key. You can still decrypt existing data, \
             because a ciphertext identifies its KMS key.",
            theme::TEXT,
        ),
        FormKind::EditDescription(key, _)
        | FormKind::EditTags(key, _)
        | FormKind::EditPolicy(key, _)
        | FormKind::EditPermissions(key, ..)
        | FormKind::CreateAlias(key) => (std::slice::from_ref(key), "", theme::TEXT),
        _ => return,
    };
    for key in keys.iter().take(8) {
        let label = if key.name == key.id { "KMS key" } else { key.name.as_str() };
        view.key_value(&crate::tui::widgets::text::escape_controls(label), &key.id, theme::TEXT);
    }
    if keys.len() > 8 {
        view.paragraph(&format!("and {} more", keys.len() - 8), 2, theme::TEXT);
    }
    if !words.is_empty() {
        view.blank_line();
        view.paragraph(words, 0, style);
    }
    view.blank_line();
}

/// Parses tags from a text with one tag per line.
///
/// # Errors
/// A message about the first invalid line, or about too many tags.
pub fn parse_tags(text: &str) -> Result<Vec<Tag>, String> {
    let mut tags = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (key, value) = line.split_once(" = ").or(line.split_once('=')).unwrap_or((line, ""));
        let (tag_key, tag_value) = (key.trim().to_owned(), value.trim().to_owned());
        let at = |reason: String| format!("Line {}: {reason}", number + 1);
        limits::tag_key(&tag_key).map_err(|violation| at(violation.reason))?;
        limits::tag_value(&tag_value).map_err(|violation| at(violation.reason))?;
        if tags.iter().any(|tag: &Tag| tag.tag_key == tag_key) {
            return Err(at(format!("duplicate tag key \"{tag_key}\". Tag keys must be unique.")));
        }
        tags.push(Tag { tag_key, tag_value });
    }
    if tags.len() > limits::MAX_TAGS {
        return Err(format!("A KMS key can have up to {} tags. You entered {}.", limits::MAX_TAGS, tags.len()));
    }
    Ok(tags)
}

fn selected_alias_name(form: &Form, aliases: &[String]) -> String {
    format!("{}{}", limits::ALIAS_PREFIX, aliases.get(form.selected_option(ALIAS)).map_or("", String::as_str))
}

/// Returns the key ID for a key ID, key ARN, or alias name, if the key exists.
pub fn find_key_id(text: &str, account: &AccountState) -> Option<String> {
    let keys = account.customer_managed_keys();
    if let Some(key) = keys.iter().find(|key| key.key_id() == text || *key.arn == *text) {
        return Some(key.key_id().to_owned());
    }
    let name = format!("{}{}", limits::ALIAS_PREFIX, text.trim_start_matches(limits::ALIAS_PREFIX));
    let aliases = account.aliases.ready().map_or(&[][..], Vec::as_slice);
    aliases.iter().find(|alias| alias.alias_name == name)?.target_key_id.clone()
}

/// Returns the errors of the form of a task on KMS keys.
pub fn validate(kind: &FormKind, form: &Form, account: &AccountState) -> Vec<InputError> {
    let one = |name: &'static str, wrong: Option<String>| wrong.map(|wrong| (name, wrong)).into_iter().collect();
    match kind {
        FormKind::ScheduleDeletion(keys) => {
            let days = form.text(DAYS).parse::<u32>().ok().filter(|days| limits::pending_window_in_days(*days).is_ok());
            let wrong = days.is_none().then(|| "The waiting period must be a number of days from 7 to 30.".to_owned());
            let mut errors: Vec<InputError> = one(DAYS, wrong);
            let name = confirmation_text(keys);
            let is_confirmed = form.text(CONFIRM) == name;
            errors.extend((!is_confirmed).then(|| (CONFIRM, format!("Type \"{name}\" to confirm."))));
            errors
        }
        FormKind::EditDescription(..) => {
            one(TEXT, limits::description(&form.text(TEXT)).err().map(|violation| violation.reason))
        }
        FormKind::EditTags(..) => one(TEXT, parse_tags(&form.text(TEXT)).err()),
        FormKind::EditPolicy(..) => match policy::check(&form.text(TEXT)) {
            Err(problems) => problems.iter().map(|problem| (TEXT, problem.to_string())).collect(),
            Ok(document) => {
                let mut errors: Vec<InputError> =
                    policy::warnings(&document).iter().map(|problem| (TEXT, problem.to_string())).collect();
                if !document.passes_lockout_safety_check(&account.caller_arn, &account.account_id) {
                    errors.push((TEXT, POLICY_LOCKOUT.to_owned()));
                }
                errors
            }
        },
        FormKind::CreateAlias(_) => {
            let name = format!("{}{}", limits::ALIAS_PREFIX, form.text(ALIAS));
            let taken = || {
                let aliases = account.aliases.ready().map_or(&[][..], Vec::as_slice);
                let alias = aliases.iter().find(|alias| alias.alias_name == name)?;
                let key = alias.target_key_id.as_deref().unwrap_or("-");
                Some(alias_in_use(&form.text(ALIAS), key))
            };
            one(ALIAS, limits::alias_name(&name).err().map(|violation| violation.reason).or_else(taken))
        }
        FormKind::MoveAlias(key, _) => {
            let wrong = match find_key_id(&form.text(TARGET), account) {
                None => Some("Enter the key ID, ARN, or alias of a KMS key in this account and Region.".to_owned()),
                Some(id) if id == key.id => Some("The alias already points to this key.".to_owned()),
                Some(_) => None,
            };
            one(TARGET, wrong)
        }
        _ => Vec::new(),
    }
}

/// Returns the changes that a form requests, in order.
pub fn changes(kind: &FormKind, form: &Form) -> Vec<Change> {
    let each = |keys: &[KeyName], change: &dyn Fn(String) -> Change| {
        keys.iter().map(|key| change(key.id.clone())).collect::<Vec<_>>()
    };
    match kind {
        FormKind::Enable(keys) => each(keys, &|key_id| Change::Enable(EnableKey { key_id })),
        FormKind::Disable(keys) => each(keys, &|key_id| Change::Disable(DisableKey { key_id })),
        FormKind::CancelDeletion(keys) => each(keys, &|key_id| Change::CancelDeletion(CancelKeyDeletion { key_id })),
        FormKind::ScheduleDeletion(keys) => {
            let pending_window_in_days = form.text(DAYS).parse().ok();
            each(keys, &|key_id| Change::ScheduleDeletion(ScheduleKeyDeletion { key_id, pending_window_in_days }))
        }
        FormKind::EditDescription(key, _) => {
            let description = form.text(TEXT);
            vec![Change::UpdateDescription(UpdateKeyDescription { key_id: key.id.clone(), description })]
        }
        FormKind::EditTags(key, before) => tag_changes(key, before, &parse_tags(&form.text(TEXT)).unwrap_or_default()),
        FormKind::EditPolicy(key, _) => {
            vec![Change::PutPolicy(PutKeyPolicy::new(key.id.clone(), form.text(TEXT)))]
        }
        FormKind::CreateAlias(key) => {
            let alias_name = format!("{}{}", limits::ALIAS_PREFIX, form.text(ALIAS));
            vec![Change::CreateAlias(CreateAlias { alias_name, target_key_id: key.id.clone() })]
        }
        FormKind::MoveAlias(_, aliases) => {
            // AWS KMS accepts only key IDs and ARNs here. The runtime resolves an alias before it sends the request.
            let (alias_name, target_key_id) = (selected_alias_name(form, aliases), form.text(TARGET));
            vec![Change::UpdateAlias(UpdateAlias { alias_name, target_key_id })]
        }
        FormKind::DeleteAlias(_, aliases) => {
            vec![Change::DeleteAlias(DeleteAlias { alias_name: selected_alias_name(form, aliases) })]
        }
        _ => Vec::new(),
    }
}

fn tag_changes(key: &KeyName, before: &[Tag], after: &[Tag]) -> Vec<Change> {
    let tags: Vec<Tag> = after.iter().filter(|tag| !before.contains(tag)).cloned().collect();
    let removed = before.iter().filter(|old| !after.iter().any(|new| new.tag_key == old.tag_key));
    let tag_keys: Vec<String> = removed.map(|tag| tag.tag_key.clone()).collect();
    let mut changes = Vec::new();
    // Tags are removed first, so that the new ones stay within the limit.
    if !tag_keys.is_empty() {
        changes.push(Change::Untag(UntagResource { key_id: key.id.clone(), tag_keys }));
    }
    if !tags.is_empty() {
        changes.push(Change::Tag(TagResource { key_id: key.id.clone(), tags }));
    }
    changes
}

/// Returns the message for the flash bar.
pub fn success_message(kind: &FormKind, form: &Form) -> String {
    let these = |keys: &[KeyName]| match keys {
        [key] => format!("The KMS key {} is", key.name),
        keys => format!("{} KMS keys are", keys.len()),
    };
    match kind {
        FormKind::Enable(keys) => format!("{} enabled.", these(keys)),
        FormKind::Disable(keys) => format!("{} disabled.", these(keys)),
        FormKind::ScheduleDeletion(keys) => {
            format!("{} scheduled for deletion in {} days.", these(keys), form.text(DAYS))
        }
        FormKind::CancelDeletion(keys) => format!("{} disabled and no longer pending deletion.", these(keys)),
        FormKind::EditDescription(key, _) => format!("The description of {} was saved.", key.name),
        FormKind::EditTags(key, _) => format!("The tags of {} were saved.", key.name),
        FormKind::EditPolicy(key, _) | FormKind::EditPermissions(key, ..) => {
            format!("The key policy of {} was saved.", key.name)
        }
        FormKind::CreateAlias(key) => format!("The alias {} was created for {}.", form.text(ALIAS), key.id),
        FormKind::MoveAlias(_, aliases) => format!("The alias {} was moved.", selected_alias(form, aliases)),
        FormKind::DeleteAlias(_, aliases) => format!("The alias {} was deleted.", selected_alias(form, aliases)),
        _ => "Done.".to_owned(),
    }
}

fn selected_alias(form: &Form, aliases: &[String]) -> String {
    aliases.get(form.selected_option(ALIAS)).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(key: &str, value: &str) -> Tag {
        Tag { tag_key: key.to_owned(), tag_value: value.to_owned() }
    }

    #[test]
    fn tags_are_parsed_line_by_line() {
        let text = "team = payments\n\n a=b = c \nalone\n";
        assert_eq!(parse_tags(text).unwrap(), [tag("team", "payments"), tag("a=b", "c"), tag("alone", "")]);
        assert!(parse_tags("a = 1\na = 2").unwrap_err().starts_with("Line 2: duplicate tag key \"a\""));
        assert!(parse_tags("aws:x = 1").unwrap_err().starts_with("Line 1: "));
    }

    #[test]
    fn only_changed_tags_are_sent() {
        let key = KeyName { id: "k1".to_owned(), name: "k1".to_owned() };
        let before = [tag("a", "1"), tag("b", "2"), tag("c", "3")];
        let changes = tag_changes(&key, &before, &[tag("a", "1"), tag("b", "4")]);
        let [Change::Untag(removed), Change::Tag(new)] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!((&removed.tag_keys[..], &new.tags[..]), (&["c".to_owned()][..], &[tag("b", "4")][..]));
        assert_eq!(tag_changes(&key, &before, &before), []);
    }
}
