//! Renders a request as an AWS CLI command for a POSIX shell.
//!
//! The AWS CLI generates its commands from the same API model as our requests, so an operation maps to a command and
//! each member to an option. Blobs are read from files, because the AWS CLI versions interpret inline blobs
//! differently.

use serde_json::Value;

use super::operation::Operation;

/// The Region and endpoint of a command.
///
/// The command names them because the user's shell may default to another Region or endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandTarget<'a> {
    /// The Region.
    pub region: &'a str,
    /// The KMS endpoint, if it isn't the default AWS endpoint.
    pub endpoint_url: Option<&'a str>,
}

impl CommandTarget<'_> {
    /// Returns the target as command-line options.
    pub fn options(&self) -> Vec<String> {
        let endpoint = self.endpoint_url.map(|url| option("endpoint-url", url));
        endpoint.into_iter().chain([option("region", self.region)]).collect()
    }
}

/// Returns the AWS CLI command that sends `request` to `target`.
///
/// Every user of the machine can read the arguments of a command, so confidential values are read from files: each
/// entry in `files` is a member name and its source, such as `fileb://plaintext`.
pub fn command<O: Operation>(request: &O, target: CommandTarget, files: &[(&str, String)]) -> String {
    let request = serde_json::to_value(request).unwrap_or_default();
    let members = request.as_object().into_iter().flatten();
    let members = members.filter(|(member, _)| files.iter().all(|(file, _)| file != member));
    let mut words = vec![format!("aws {} {}", O::SERVICE.signing_name(), to_kebab_case(O::NAME))];
    words.extend(target.options());
    words.extend(members.map(|(member, value)| member_option(&to_kebab_case(member), value)));
    words.extend(files.iter().map(|(member, file)| format!("--{} {}", to_kebab_case(member), shell_quote(file))));
    words.join(" \\\n  ")
}

fn member_option(name: &str, value: &Value) -> String {
    match value {
        Value::Bool(true) => format!("--{name}"),
        Value::Bool(false) => format!("--no-{name}"),
        Value::String(text) => option(name, text),
        // Numbers are printed as they are. Lists and structures are printed as JSON.
        other => option(name, &other.to_string()),
    }
}

/// Returns an AWS CLI option with its value.
///
/// The AWS CLI treats a value that starts with a hyphen as an option unless `=` joins the two. It reads `file://…` and
/// `fileb://…` values from a file, except inside a JSON string, where both are plain text.
pub fn option(name: &str, value: &str) -> String {
    if value.starts_with("file://") || value.starts_with("fileb://") {
        let members = serde_json::Map::from_iter([(to_pascal_case(name), Value::from(value))]);
        return format!("--cli-input-json {}", shell_quote(&Value::Object(members).to_string()));
    }
    let separator = if value.starts_with('-') { '=' } else { ' ' };
    format!("--{name}{separator}{}", shell_quote(value))
}

/// Converts `KeyId` to `key-id`.
fn to_kebab_case(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

/// Converts `key-id` to `KeyId`.
fn to_pascal_case(option: &str) -> String {
    option.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect()
}

/// Quotes `text` as one word of a POSIX shell command.
pub fn shell_quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '=' | '@' | '+');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::kms::{PutKeyPolicy, ScheduleKeyDeletion, Tag, TagResource, UntagResource, UpdateKeyDescription};

    const TARGET: CommandTarget = CommandTarget { region: "us-west-2", endpoint_url: None };

    /// Splits a command into words, as a shell does.
    fn shell_words(command: &str) -> Vec<String> {
        let script = format!("aws() {{ printf '%s\\0' \"$@\"; }}\n{command}");
        let output = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn operation_becomes_a_command_and_each_member_an_option() {
        let key_id = || "1111aaaa".to_owned();
        let delete = ScheduleKeyDeletion { key_id: key_id(), pending_window_in_days: Some(7) };
        let target = CommandTarget { region: "eu-west-1", endpoint_url: Some("https://kms.example.com") };
        let actual = shell_words(&command(&delete, target, &[]));
        let expected = "kms schedule-key-deletion --endpoint-url https://kms.example.com --region eu-west-1 \
                      --key-id 1111aaaa --pending-window-in-days 7";
        assert_eq!(actual.join(" "), expected);
        let tag = Tag { tag_key: "team".to_owned(), tag_value: "it's ours".to_owned() };
        let actual = shell_words(&command(&TagResource { key_id: key_id(), tags: vec![tag] }, TARGET, &[]));
        assert_eq!(actual[6..], ["--tags", r#"[{"TagKey":"team","TagValue":"it's ours"}]"#]);
        let actual =
            shell_words(&command(&UntagResource { key_id: key_id(), tag_keys: vec!["-a".to_owned()] }, TARGET, &[]));
        assert_eq!(actual[6..], ["--tag-keys", r#"["-a"]"#]);
        let bypass = PutKeyPolicy {
            key_id: key_id(),
            policy: "{}".to_owned(),
            bypass_policy_lockout_safety_check: Some(false),
            ..PutKeyPolicy::default()
        };
        let actual = shell_words(&command(&bypass, TARGET, &[]));
        assert!(actual.contains(&"--no-bypass-policy-lockout-safety-check".to_owned()), "{actual:?}");
    }

    #[test]
    fn user_input_stays_a_single_shell_argument() {
        for text in ["-rf", "$(id) `id` \"x\" 'y' \\", "two\nlines\u{1b}[2J", "file:///etc/passwd", "", "日本 語"] {
            let request = UpdateKeyDescription { key_id: "k".to_owned(), description: text.to_owned() };
            let actual = shell_words(&command(&request, TARGET, &[]));
            let is_value = actual.iter().any(|word| word == text || *word == format!("--description={text}"));
            let in_json = serde_json::json!({ "Description": text }).to_string();
            assert_eq!((is_value, actual.contains(&in_json)), (!text.starts_with("file"), text.starts_with("file")));
        }
    }

    #[test]
    fn file_contents_never_appear_in_the_arguments() {
        let request = UpdateKeyDescription { key_id: "k".to_owned(), description: "secret".to_owned() };
        let actual = command(&request, TARGET, &[("Description", "file://a b".to_owned())]);
        assert!(actual.ends_with("--description 'file://a b'") && !actual.contains("secret"), "{actual}");
    }
}
