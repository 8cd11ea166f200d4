//! Reads the files that options name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::aws::limits::MAX_POLICY_BYTES;
use crate::create_key::key_options::KeyOptions;

/// The longest file of answers, in bytes.
const MAX_ANSWERS_BYTES: usize = 256 * 1024;

/// What the options say, over what stands in the file of answers.
///
/// # Errors
/// When that can't be read, or standard input is asked for where it can't be had: twice, or, unless `is_silent`, beside the
/// wizard, whose keys come from it.
pub fn merge_answers(options: &KeyOptions, file: Option<&String>, is_unattended: bool) -> Result<KeyOptions, String> {
    const STDIN_IN_USE: &str =
        "a file named - is standard input, where the keys for the wizard come from. Name a file, or add --yes";
    if is_standard_input(file) && !is_unattended {
        return Err(STDIN_IN_USE.to_owned());
    }
    let defaults = file.map(|name| read_answers(name)).transpose()?.unwrap_or_default();
    let all = options.clone().with_defaults(&defaults);
    match (is_standard_input(all.policy.as_ref()), is_standard_input(file)) {
        (true, true) => Err("--answers - and --policy -: standard input can be one of them".to_owned()),
        (true, false) if !is_unattended => Err(STDIN_IN_USE.to_owned()),
        _ => Ok(all),
    }
}

/// Whether a file is standard input.
pub fn is_standard_input(name: Option<&String>) -> bool {
    name.is_some_and(|name| name == "-")
}

/// The answers of a file: TOML when its name says so, else JSON.
///
/// # Errors
/// When it can't be read, with the reason, or holds something else, with the name of the member.
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

/// The key policy in a file. Whether it is one is for the rules to say.
///
/// # Errors
/// When it can't be read, with the reason.
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
        return Err(std::io::Error::other(format!("it is longer than {max_bytes} bytes")));
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
        for wrong in [file("b.json", r#"{ "key-id": 1 }"#), file("b.toml", "key-id = 1")] {
            let wrong = wrong.unwrap_err();
            assert!(wrong.contains("--answers: ") && wrong.contains("unknown field `key-id`"), "{wrong}");
        }
        assert!(file("c.json", &" ".repeat(MAX_ANSWERS_BYTES + 1)).unwrap_err().contains("longer than"));
        assert!(read_policy(Some(&"/nowhere/p.json".to_owned())).unwrap_err().contains("--policy: /nowhere/p.json: "));
    }
}
