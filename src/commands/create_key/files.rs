//! Reads the files that options name.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::aws::limits::MAX_POLICY_BYTES;
use crate::create_key::answers::Answers;

/// The longest file of answers, in bytes.
const MOST_ANSWERS: usize = 256 * 1024;

/// What the options say, over what stands in the file of answers.
///
/// # Errors
/// When that can't be read, or standard input is asked for where it can't be had: twice, or, unless `is_silent`, beside the
/// wizard, whose keys come from it.
pub fn all_answers(options: &Answers, file: Option<&String>, is_silent: bool) -> Result<Answers, String> {
    const TAKEN: &str =
        "a file named - is standard input, where the keys for the wizard come from. Name a file, or add --yes";
    if is_standard_input(file) && !is_silent {
        return Err(TAKEN.to_owned());
    }
    let below = file.map(|name| answers(name)).transpose()?.unwrap_or_default();
    let all = options.clone().over(&below);
    match (is_standard_input(all.policy.as_ref()), is_standard_input(file)) {
        (true, true) => Err("--answers - and --policy -: standard input can be one of them".to_owned()),
        (true, false) if !is_silent => Err(TAKEN.to_owned()),
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
pub fn answers(name: &str) -> Result<Answers, String> {
    let text = read(name, MOST_ANSWERS).map_err(|error| format!("--answers: {name}: {error}"))?;
    let is_toml = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let answers: Result<Answers, String> = if is_toml {
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
pub fn policy(name: Option<&String>) -> Result<Option<String>, String> {
    let read = |name| read(name, MAX_POLICY_BYTES).map_err(|error| format!("--policy: {name}: {error}"));
    name.map(|name| read(name)).transpose()
}

fn read(name: &str, most: usize) -> std::io::Result<String> {
    let mut text = String::new();
    let limit = most as u64 + 1;
    if name == "-" {
        std::io::stdin().lock().take(limit).read_to_string(&mut text)?;
    } else {
        File::open(name)?.take(limit).read_to_string(&mut text)?;
    }
    if text.len() > most {
        return Err(std::io::Error::other(format!("it is longer than {most} bytes")));
    }
    Ok(crate::text::strip_byte_order_mark(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_is_used_once_and_never_with_the_wizard() {
        let dash = "-".to_owned();
        let with = |policy: Option<&String>| Answers { policy: policy.cloned(), ..Answers::default() };
        for (policy, file) in [(None, Some(&dash)), (Some(&dash), None)] {
            assert!(all_answers(&with(policy), file, false).unwrap_err().contains("--yes"));
        }
        assert_eq!(all_answers(&with(Some(&dash)), None, true), Ok(with(Some(&dash))));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.json").to_str().unwrap().to_owned();
        std::fs::write(&file, r#"{ "policy": "-" }"#).unwrap();
        assert!(all_answers(&with(None), Some(&file), false).unwrap_err().contains("--yes"));
        assert_eq!(all_answers(&with(None), Some(&file), true), Ok(with(Some(&dash))));
    }

    #[test]
    fn answers_file_is_json_or_toml_and_unknown_members_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            answers(path.to_str().unwrap())
        };
        let json = file("a.json", r#"{ "alias": "payments", "tag": ["a=b"] }"#).unwrap();
        assert_eq!(json, file("a.toml", "alias = \"payments\"\ntag = [\"a=b\"]").unwrap());
        for wrong in [file("b.json", r#"{ "key-id": 1 }"#), file("b.toml", "key-id = 1")] {
            let wrong = wrong.unwrap_err();
            assert!(wrong.contains("--answers: ") && wrong.contains("unknown field `key-id`"), "{wrong}");
        }
        assert!(file("c.json", &" ".repeat(MOST_ANSWERS + 1)).unwrap_err().contains("longer than"));
        assert!(policy(Some(&"/nowhere/p.json".to_owned())).unwrap_err().contains("--policy: /nowhere/p.json: "));
    }
}
