//! The draft as AWS CLI commands.

use crate::aws::cli_command::option;
use crate::create_key::account_state::AccountState;
use crate::create_key::draft::KeyDraft;
use crate::create_key::requests::create_key_request;
use crate::create_key::submission::Submission;

/// Returns the AWS CLI commands that do the same as Finish, for a POSIX shell.
pub fn aws_cli_commands(draft: &KeyDraft, account: &AccountState) -> Vec<String> {
    let request = create_key_request(draft, account);
    // The commands of a read-only console usually run on another machine, so they include the Region and endpoint.
    let target_options = if account.is_read_only { account.command_target().options() } else { Vec::new() };
    let mut options = target_options.clone();
    options.push(option("origin", draft.origin.as_str()));
    if let Some(store) = &request.custom_key_store_id {
        options.push(option("custom-key-store-id", store));
    }
    if let Some(external) = &request.xks_key_id {
        options.push(option("xks-key-id", external));
    }
    if let Some(description) = &request.description {
        options.push(option("description", description));
    }
    if let Some(tags) = &request.tags {
        options.push(option("tags", &serde_json::to_string(tags).unwrap_or_default()));
    }
    let policy = draft.policy_json(account);
    let compact = serde_json::from_str::<serde_json::Value>(&policy).map_or(policy, |value| value.to_string());
    options.push(option("policy", &compact));
    options.push("--query KeyMetadata.KeyId --output text".to_owned());
    let mut alias_options = target_options;
    alias_options.extend([option("alias-name", &draft.alias_name()), "--target-key-id \"$KEY_ID\"".to_owned()]);
    vec![
        format!("KEY_ID=$(aws kms create-key \\\n  {})", options.join(" \\\n  ")),
        format!("aws kms create-alias \\\n  {}", alias_options.join(" \\\n  ")),
    ]
}

/// Returns the AWS CLI command that creates the alias for an existing key.
pub fn create_alias_command(draft: &KeyDraft, account: &AccountState, key_id: &str) -> String {
    let mut parts = vec!["aws kms create-alias".to_owned()];
    parts.extend(account.command_target().options());
    parts.extend([option("alias-name", &draft.alias_name()), option("target-key-id", key_id)]);
    parts.join(" ")
}

/// Returns the AWS CLI commands for the remaining requests.
///
/// Returns none while it is unknown whether the key was created, because the commands could create a second key.
pub fn remaining_commands(draft: &KeyDraft, account: &AccountState, submission: &Submission) -> Vec<String> {
    match submission {
        Submission::Unknown { key: None, .. } => Vec::new(),
        _ => match submission.key() {
            Some(key) => vec![create_alias_command(draft, account, &key.key_id)],
            None => aws_cli_commands(draft, account),
        },
    }
}

/// Returns the commands as a shell script: the file name without extension, and the content.
pub fn shell_script(draft: &KeyDraft, commands: &[String]) -> (String, String) {
    let name = draft.alias.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    let commands = commands.join("\n\n");
    let text = format!(
        "#!/bin/sh\n# Creates a KMS key and its alias, or only what is still missing. Stops at the first error.\n\
         set -e\n\n{commands}\n"
    );
    (format!("create-key-{name}"), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create_key::testing::{account_state, draft};

    #[test]
    fn shell_parses_the_commands_as_intended() {
        let commands = aws_cli_commands(&draft(), &account_state()).join("\n");
        let script = format!("aws() {{ printf '<%s>\\n' \"$@\" >&2; echo KEY; }}\n{commands}");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let seen = String::from_utf8(output.stderr).unwrap();
        assert!(seen.contains("<--xks-key-id>\n<payments-2026>\n"), "{seen}");
        assert!(seen.contains("<[{\"TagKey\":\"team\",\"TagValue\":\"payments team\"}]>"), "{seen}");
        assert!(seen.contains("<--description>\n<What's paid by card>\n"), "{seen}");
        assert!(seen.contains("<--target-key-id>\n<KEY>"), "{seen}");
    }

    #[test]
    fn read_only_commands_include_endpoint_and_region() {
        let endpoint_url = Some("http://127.0.0.1:4599".to_owned());
        let account = AccountState { is_read_only: true, endpoint_url, ..account_state() };
        let target_options = "  --endpoint-url http://127.0.0.1:4599 \\\n  --region us-west-2 \\\n";
        let commands = aws_cli_commands(&draft(), &account);
        assert!(commands.iter().all(|command| command.contains(target_options)), "{commands:?}");
    }

    #[test]
    fn script_creates_no_alias_when_create_key_fails() {
        let (name, text) = shell_script(
            &KeyDraft { alias: "team/payments".to_owned(), ..draft() },
            &aws_cli_commands(&draft(), &account_state()),
        );
        assert_eq!(name, "create-key-team-payments");
        let failing = text.replace("set -e\n", "set -e\naws() { echo \"$2\" >&2; return 255; }\n");
        let output = std::process::Command::new("sh").args(["-c", &failing]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "create-key\n");
        assert!(!output.status.success());
    }

    #[test]
    fn values_are_not_parsed_as_options_or_files() {
        let draft = KeyDraft { xks_key_id: "-1".to_owned(), description: "file:///etc/passwd".to_owned(), ..draft() };
        let command = aws_cli_commands(&draft, &account_state()).remove(0);
        assert!(command.contains("--xks-key-id=-1 "), "{command}");
        assert!(command.contains(r#"--cli-input-json '{"Description":"file:///etc/passwd"}'"#), "{command}");
    }

    #[test]
    fn aws_kms_key_request_has_no_key_store() {
        let draft = KeyDraft { origin: crate::aws::kms::Origin::AwsKms, ..draft() };
        let request = create_key_request(&draft, &account_state());
        assert_eq!((request.custom_key_store_id, request.xks_key_id), (None, None));
        assert!(!aws_cli_commands(&draft, &account_state()).join(" ").contains("key-store"));
    }

    #[test]
    fn empty_members_are_omitted_from_the_request() {
        let draft = KeyDraft { description: String::new(), tags: vec![], ..draft() };
        let body = serde_json::to_value(create_key_request(&draft, &account_state())).unwrap();
        let members: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["Policy", "KeyUsage", "KeySpec", "Origin", "CustomKeyStoreId", "XksKeyId"]);
    }
}
