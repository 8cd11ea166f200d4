//! Reads the files that options name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::aws::limits::MAX_POLICY_BYTES;
use crate::create_key::key_options::KeyOptions;

/// The maximum size of a file of answers, in bytes.
const MAX_ANSWERS_BYTES: usize = 256 * 1024;

/// Returns the options, with missing values from the file of answers.
///
/// # Errors
/// The message for a file that can't be read, or for both files on standard input. Unless `is_unattended`, a file on
/// standard input is also an error, because the wizard needs standard input for the keyboard.
pub fn merge_answers(options: &KeyOptions, file: Option<&String>, is_unattended: bool) -> Result<KeyOptions, String> {
    const STDIN_IN_USE: &str = "Couldn't read a file from standard input (-): the wizard uses it for the keyboard. \
                                Specify a file, or add --yes.";
    if is_standard_input(file) && !is_unattended {
        return Err(STDIN_IN_USE.to_owned());
    }
    let defaults = file.map(|name| read_answers(name)).transpose()?.unwrap_or_default();
    let all = options.clone().with_defaults(&defaults);
    match (is_standard_input(all.policy.as_ref()), is_standard_input(file)) {
        (true, true) => Err(
            "--answers - and --policy -: only one of them can read standard input. Specify a file for the other one."
                .to_owned(),
        ),
        (true, false) if !is_unattended => Err(STDIN_IN_USE.to_owned()),
        _ => Ok(all),
    }
}

/// Whether a file name stands for standard input.
pub fn is_standard_input(name: Option<&String>) -> bool {
    name.is_some_and(|name| name == "-")
}

/// Reads a file of answers: TOML if its name ends in `.toml`, otherwise JSON.
///
/// # Errors
/// The message for a file that can't be read or parsed, which names an unknown member.
pub fn read_answers(name: &str) -> Result<KeyOptions, String> {
    let text = read_limited(name, MAX_ANSWERS_BYTES).map_err(|error| format!("--answers: {name}: {error}"))?;
    let is_toml = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let answers: Result<KeyOptions, String> = if is_toml {
        toml::from_str(&text).map_err(|error| error.message().to_owned())
    } else {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    };
    answers.map_err(|error| format!("--answers: {name}: {error}"))
}

/// Reads the key policy in a file, without validating it.
///
/// # Errors
/// The message for a file that can't be read.
pub fn read_policy(name: Option<&String>) -> Result<Option<String>, String> {
    let read = |name| read_limited(name, MAX_POLICY_BYTES).map_err(|error| format!("--policy: {name}: {error}"));
    name.map(|name| read(name)).transpose()
}

fn read_limited(name: &str, max_bytes: usize) -> std::io::Result<String> {
    let mut text = String::new();
    let limit = max_bytes as u64 + 1;
    if name == "-" {
        std::io::stdin().lock().take(limit).read_to_string(&mut text)?;
    } else {
        File::open(name)?.take(limit).read_to_string(&mut text)?;
    }
    if text.len() > max_bytes {
        return Err(std::io::Error::other(format!("the file is larger than {max_bytes} bytes")));
    }
    Ok(crate::text::strip_byte_order_mark(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_used_once_and_never_with_the_wizard() {
        let dash = "-".to_owned();
        let with = |policy: Option<&String>| KeyOptions { policy: policy.cloned(), ..KeyOptions::default() };
        for (policy, file) in [(None, Some(&dash)), (Some(&dash), None)] {
            assert!(merge_answers(&with(policy), file, false).unwrap_err().contains("--yes"));
        }
        assert_eq!(merge_answers(&with(Some(&dash)), None, true), Ok(with(Some(&dash))));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.json").to_str().unwrap().to_owned();
        std::fs::write(&file, r#"{ "policy": "-" }"#).unwrap();
        assert!(merge_answers(&with(None), Some(&file), false).unwrap_err().contains("--yes"));
        assert_eq!(merge_answers(&with(None), Some(&file), true), Ok(with(Some(&dash))));
    }

    #[test]
    fn answers_file_is_json_or_toml_and_unknown_members_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            read_answers(path.to_str().unwrap())
        };
        let json = file("a.json", r#"{ "alias": "payments", "tag": ["a=b"] }"#).unwrap();
        assert_eq!(json, file("a.toml", "alias = \"payments\"\ntag = [\"a=b\"]").unwrap());
        for error in [file("b.json", r#"{ "key-id": 1 }"#), file("b.toml", "key-id = 1")] {
            let error = error.unwrap_err();
            assert!(error.contains("--answers: ") && error.contains("unknown field `key-id`"), "{error}");
        }
        assert!(file("c.json", &" ".repeat(MAX_ANSWERS_BYTES + 1)).unwrap_err().contains("larger than"));
        assert!(read_policy(Some(&"/nowhere/p.json".to_owned())).unwrap_err().contains("--policy: /nowhere/p.json: "));
    }
}
