//! The key as Terraform configuration for the provider `hashicorp/aws`.
//!
//! Source: the documentation and the schemas of `aws_kms_key`, `aws_kms_external_key`, `aws_kms_alias`, and
//! `aws_kms_key_policy`.

mod hcl;

use std::collections::HashSet;

use hcl::{Expression, write_block};

use crate::aws::kms::{KeyManagerType, KeyState, Origin, Tag};
use crate::aws::limits::{self, ALIAS_PREFIX};
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::key_summary::KeySummary;
use crate::create_key::submission::Submission;

/// The first version of the provider whose `aws_kms_key` has `xks_key_id`.
const XKS_PROVIDER_VERSION: &str = "5.32";
/// The first version of Terraform with `import` blocks.
const IMPORT_VERSION: &str = "1.5";

/// A KMS key that exists, and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct ExistingKey<'a> {
    /// The properties of the key.
    pub key: &'a KeySummary,
    /// The aliases, without `alias/`.
    pub aliases: &'a [String],
    /// The tags, or `None` if they aren't known.
    pub tags: Option<&'a [Tag]>,
    /// The key policy, or `None` if it isn't known.
    pub policy: Option<&'a str>,
    /// The rotation period in days, if automatic key rotation is enabled.
    pub rotation_period_in_days: Option<u32>,
}

/// Returns the Terraform configuration that creates the key of a draft.
///
/// The configuration imports what `submission` has created, so that Terraform creates no second key.
pub fn for_draft(draft: &KeyDraft, account: &AccountState, submission: &Submission) -> String {
    let created = submission.key();
    let has_alias = matches!(submission, Submission::Done { .. });
    let request = crate::create_key::requests::create_key_request(draft, account);
    let mut arguments = Vec::new();
    push_text(&mut arguments, "description", &draft.description);
    push_text(&mut arguments, "custom_key_store_id", request.custom_key_store_id.as_deref().unwrap_or_default());
    push_text(&mut arguments, "xks_key_id", request.xks_key_id.as_deref().unwrap_or_default());
    push_tags(&mut arguments, &draft.tags);
    let policy = draft.policy_json(account);
    let resources = Resources {
        key_type: "aws_kms_key",
        name: resource_name(&draft.alias),
        arguments,
        aliases: if draft.alias.is_empty() { &[] } else { std::slice::from_ref(&draft.alias) },
        policy: Some(&policy),
        key_id: created.map(|key| key.key_id.as_str()),
        imports_aliases: has_alias,
    };
    resources.write(&comments(account, draft.is_external(), created.is_some()))
}

/// Returns the Terraform configuration that imports an existing key.
///
/// Returns `None` for an AWS managed key, because its AWS service manages it.
pub fn for_key(existing: &ExistingKey, account: &AccountState) -> Option<String> {
    let key = existing.key;
    if key.key_manager == KeyManagerType::Aws {
        return None;
    }
    let mut comments = comments(account, key.origin == Origin::ExternalKeyStore, true);
    comments.extend(import_notes(existing));
    let default_name = format!("key_{}", key.key_id());
    let resources = Resources {
        key_type: if key.origin == Origin::External { "aws_kms_external_key" } else { "aws_kms_key" },
        name: resource_name(existing.aliases.first().unwrap_or(&default_name)),
        arguments: key_arguments(existing),
        aliases: existing.aliases,
        policy: existing.policy,
        key_id: Some(key.key_id()),
        imports_aliases: true,
    };
    Some(resources.write(&comments))
}

/// Returns comments about what Terraform can't know or would change.
fn import_notes(existing: &ExistingKey) -> Vec<String> {
    let key = existing.key;
    let mut notes = Vec::new();
    if matches!(key.key_state, KeyState::PendingDeletion | KeyState::PendingReplicaDeletion) {
        notes.push("The key is pending deletion. Cancel key deletion before you import the key.".to_owned());
    }
    if key.is_multi_region {
        notes.push("If the key is a multi-Region replica key, use aws_kms_replica_key instead.".to_owned());
    }
    if existing.tags.is_none() {
        notes.push("The tags of the key aren't known. Add them, because Terraform removes all other tags.".to_owned());
    }
    if existing.policy.is_none() {
        notes.push("The key policy isn't known. Terraform doesn't change it.".to_owned());
    }
    notes
}

fn key_arguments(existing: &ExistingKey) -> Vec<(&'static str, Expression)> {
    let key = existing.key;
    let is_imported = key.origin == Origin::External;
    let mut arguments = Vec::new();
    push_text(&mut arguments, "description", &key.description);
    push_text(&mut arguments, "custom_key_store_id", key.custom_key_store_id.as_deref().unwrap_or_default());
    push_text(&mut arguments, "xks_key_id", key.xks_key_id.as_deref().unwrap_or_default());
    if key.key_usage != "ENCRYPT_DECRYPT" && !is_imported {
        push_text(&mut arguments, "key_usage", &key.key_usage);
    }
    if key.key_spec != "SYMMETRIC_DEFAULT" && !is_imported {
        push_text(&mut arguments, "customer_master_key_spec", &key.key_spec);
    }
    if key.is_multi_region {
        arguments.push(("multi_region", Expression::verbatim("true")));
    }
    if key.key_state == KeyState::Disabled {
        arguments.push((if is_imported { "enabled" } else { "is_enabled" }, Expression::verbatim("false")));
    }
    if let Some(days) = existing.rotation_period_in_days.filter(|_| !is_imported) {
        arguments.push(("enable_key_rotation", Expression::verbatim("true")));
        arguments.push(("rotation_period_in_days", Expression::verbatim(days.to_string())));
    }
    push_tags(&mut arguments, existing.tags.unwrap_or_default());
    arguments
}

fn push_text(arguments: &mut Vec<(&'static str, Expression)>, name: &'static str, value: &str) {
    if !value.is_empty() {
        arguments.push((name, Expression::text(value)));
    }
}

fn push_tags(arguments: &mut Vec<(&'static str, Expression)>, tags: &[Tag]) {
    let own = tags.iter().filter(|tag| !limits::is_reserved_tag(&tag.tag_key));
    let tags: Vec<_> = own.map(|tag| (tag.tag_key.clone(), Expression::text(&tag.tag_value))).collect();
    if !tags.is_empty() {
        arguments.push(("tags", Expression::Object(tags)));
    }
}

fn comments(account: &AccountState, is_external: bool, imports: bool) -> Vec<String> {
    let mut comments = Vec::new();
    if is_external {
        comments.push(format!("Requires version {XKS_PROVIDER_VERSION} or later of the provider hashicorp/aws."));
    }
    if imports {
        comments.push(format!("Requires version {IMPORT_VERSION} or later of Terraform."));
    }
    let mut target = Vec::new();
    for (what, value) in [
        ("account", account.account_id.as_str()),
        ("Region", account.region.as_str()),
        ("the KMS endpoint", account.endpoint_url.as_deref().unwrap_or_default()),
    ] {
        if !value.is_empty() {
            target.push(format!("{what} {}", crate::text::escape_controls(value)));
        }
    }
    if !target.is_empty() {
        comments.push(format!("Configure the provider for {}.", target.join(", ")));
    }
    comments
}

/// The resources of one key.
struct Resources<'a> {
    key_type: &'static str,
    name: String,
    arguments: Vec<(&'static str, Expression)>,
    aliases: &'a [String],
    policy: Option<&'a str>,
    /// The key ID, if the key exists and is imported.
    key_id: Option<&'a str>,
    imports_aliases: bool,
}

impl Resources<'_> {
    fn write(&self, comments: &[String]) -> String {
        let mut out = String::new();
        for comment in comments {
            out.extend(["# ", comment, "\n"]);
        }
        let key = format!("{}.{}", self.key_type, self.name);
        let key_id = Expression::verbatim(format!("{key}.id"));
        self.write_resource(&mut out, &key, &self.arguments, self.key_id);
        let mut names = HashSet::new();
        for alias in self.aliases {
            let address = format!("aws_kms_alias.{}", unique_name(&resource_name(alias), &mut names));
            let name = format!("{ALIAS_PREFIX}{alias}");
            let arguments = [("name", Expression::text(&name)), ("target_key_id", key_id.clone())];
            self.write_resource(&mut out, &address, &arguments, self.imports_aliases.then_some(&name));
        }
        if let Some(policy) = self.policy {
            let document = serde_json::from_str(policy);
            if document.is_err() {
                out.push_str("\n# The key policy isn't valid JSON. Correct it before you apply this configuration.");
            }
            let document = document.map_or_else(
                |_| Expression::text(policy),
                |value: serde_json::Value| Expression::JsonEncode(Box::new(Expression::from(&value))),
            );
            let address = format!("aws_kms_key_policy.{}", self.name);
            self.write_resource(&mut out, &address, &[("key_id", key_id), ("policy", document)], self.key_id);
        }
        out
    }

    /// Writes a resource, and the block that imports it if it exists.
    fn write_resource(
        &self,
        out: &mut String,
        address: &str,
        arguments: &[(&str, Expression)],
        import_id: Option<&(impl AsRef<str> + ?Sized)>,
    ) {
        if let Some(id) = import_id {
            out.push('\n');
            let target = Expression::verbatim(address);
            write_block(out, "import", &[("to", target), ("id", Expression::text(id.as_ref()))]);
        }
        out.push('\n');
        let (kind, name) = address.split_once('.').unwrap_or((self.key_type, address));
        write_block(out, &format!("resource \"{kind}\" \"{name}\""), arguments);
    }
}

/// Returns a valid resource name made from an alias.
fn resource_name(alias: &str) -> String {
    let mut name = alias.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    if !name.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        name.insert_str(0, "key_");
    }
    if name == "key_" { "key".to_owned() } else { name }
}

/// Returns `name`, with a number if it's taken.
fn unique_name(name: &str, taken: &mut HashSet<String>) -> String {
    let mut unique = name.to_owned();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{name}_{number}");
        number += 1;
    }
    unique
}

#[cfg(test)]
mod tests;
