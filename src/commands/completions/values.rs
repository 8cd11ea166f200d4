//! The values of options and names: profiles, Regions, scenarios, and the names in the bundled account.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter as _};

use crate::aws::limits::ALIAS_PREFIX;
use crate::aws::regions;
use crate::bundled::{BundledAws, Names, scenario_names};
use crate::client::profile::{self, Settings};
use crate::config::data_directory;
use crate::lessons;

/// Where the values come from, according to the words of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Values {
    /// The data directory of the bundled AWS. `None` for another AWS, which is never called for completions.
    data_dir: Option<PathBuf>,
    region: String,
    /// Whether values with characters that are special in a shell need backslashes. Other shells add them themselves.
    adds_backslashes: bool,
}

impl Values {
    /// Finds the data directory and the Region in the words of a command line, which may be incomplete. `environment`
    /// looks up a variable.
    pub(super) fn from_words(
        words: &[OsString],
        adds_backslashes: bool,
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        // The first `--` separates the command line from the program that the shell runs.
        let words: Vec<&str> =
            words.iter().skip_while(|word| *word != "--").skip(1).filter_map(|word| word.to_str()).collect();
        let words = words.split(|word| *word == "--").next().unwrap_or_default();
        let is_remote = words
            .iter()
            .any(|word| *word == "--aws" || *word == "--endpoint-url" || word.starts_with("--endpoint-url="));
        let data_dir = option_value(words, "--data-dir").map(PathBuf::from).or_else(|| data_directory(environment));
        Self {
            data_dir: data_dir.filter(|_| !is_remote),
            region: option_value(words, "--region").unwrap_or(BundledAws::REGION).to_owned(),
            adds_backslashes,
        }
    }

    /// Returns the profiles that start with `word`.
    pub(super) fn profiles(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let profiles = runtime.ok().and_then(|runtime| runtime.block_on(profile::list(&Settings::default())).ok());
        let profiles = profiles.unwrap_or_default().into_iter();
        self.matching(
            word,
            profiles.map(|profile| (profile.name, [profile.kind, profile.region.as_deref().unwrap_or("")].join(" "))),
        )
    }

    /// Returns the Regions that start with `word`.
    pub(super) fn regions(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        let all = regions::PARTITIONS.into_iter().flat_map(regions::in_partition);
        self.matching(word, all.map(|(code, place)| ((*code).to_owned(), (*place).to_owned())))
    }

    /// Returns the scenarios that start with `word`.
    pub(super) fn scenarios(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        self.matching(word, scenario_names().into_iter().map(|name| (name.to_owned(), String::new())))
    }

    /// Returns the lessons of this program that start with `word`, and the files with lessons.
    pub(super) fn lessons(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        let title = |name: &str| lessons::built_in(name).map(|lesson| lesson.title).unwrap_or_default();
        let mut candidates = self.matching(word, lessons::names().map(|name| (name.to_owned(), title(name))));
        candidates.extend(
            PathCompleter::file().filter(|path| path.extension().is_some_and(|end| end == "toml")).complete(word),
        );
        candidates
    }

    /// Returns the names and IDs of key stores that start with `word`.
    pub(super) fn key_stores(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        self.matching(word, key_store_names(&self.names()))
    }

    /// Returns the aliases and key IDs that start with `word`.
    pub(super) fn keys(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        self.matching(word, key_names(&self.names(), word))
    }

    /// Returns the aliases, key IDs, and the names and IDs of key stores that start with `word`.
    pub(super) fn keys_and_key_stores(&self, word: &OsStr) -> Vec<CompletionCandidate> {
        let names = self.names();
        self.matching(word, key_names(&names, word).chain(key_store_names(&names)))
    }

    /// Reads the names in the bundled account. An account that can't be read has none.
    fn names(&self) -> Names {
        self.data_dir.as_ref().and_then(|dir| Names::read(dir, &self.region).ok()).unwrap_or_default()
    }

    /// Returns the candidates that start with `word`, from values and their descriptions.
    fn matching(&self, word: &OsStr, values: impl Iterator<Item = (String, String)>) -> Vec<CompletionCandidate> {
        let Some(word) = word.to_str() else { return Vec::new() };
        let candidate = |(value, help): (String, String)| {
            if value.contains(char::is_control) {
                return None;
            }
            let written = if self.adds_backslashes { with_backslashes(&value) } else { value };
            let help = help.trim().to_owned();
            let candidate = || CompletionCandidate::new(&written).help((!help.is_empty()).then(|| help.into()));
            written.starts_with(word).then(candidate)
        };
        values.filter_map(candidate).collect()
    }
}

/// Returns the value of an option in `words`.
fn option_value<'a>(words: &[&'a str], option: &str) -> Option<&'a str> {
    let after = |index: usize, word: &'a str| match word.strip_prefix(option)? {
        "" => words.get(index + 1).copied(),
        value => value.strip_prefix('='),
    };
    words.iter().enumerate().find_map(|(index, word)| after(index, word)).filter(|value| !value.is_empty())
}

/// Returns the aliases with the IDs of their keys, then the key IDs with an alias. Aliases have their prefix only if
/// `word` has a part of it, so that no alias is shown twice.
fn key_names(names: &Names, word: &OsStr) -> impl Iterator<Item = (String, String)> {
    let has_prefix = word.to_str().is_some_and(|word| word.starts_with(ALIAS_PREFIX));
    let aliases = names.aliases.iter().map(move |(alias, key_id)| {
        let name = if has_prefix { alias } else { alias.strip_prefix(ALIAS_PREFIX).unwrap_or(alias) };
        (name.to_owned(), key_id.clone())
    });
    let alias_of: HashMap<&str, &str> =
        names.aliases.iter().map(|(alias, key_id)| (key_id.as_str(), alias.as_str())).collect();
    let description = move |key_id: &str| alias_of.get(key_id).copied().unwrap_or_default().to_owned();
    aliases.chain(names.key_ids.iter().map(move |key_id| (key_id.clone(), description(key_id))))
}

/// Returns the names of key stores with their IDs, then the IDs with their names.
fn key_store_names(names: &Names) -> impl Iterator<Item = (String, String)> {
    let by_name = names.key_stores.iter().map(|(id, name)| (name.clone(), id.clone()));
    by_name.chain(names.key_stores.iter().cloned())
}

/// Returns `value` as a word of bash, without quotation marks.
fn with_backslashes(value: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || !letter.is_ascii() || "-_./:=@%+,".contains(letter);
    value.chars().flat_map(|letter| (!is_plain(letter)).then_some('\\').into_iter().chain([letter])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(line: &str, adds_backslashes: bool) -> Values {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        Values::from_words(&words, adds_backslashes, |name| (name == "HOME").then(|| "/h".into()))
    }

    fn texts(candidates: Vec<CompletionCandidate>) -> Vec<String> {
        candidates.into_iter().map(|candidate| candidate.get_value().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn words_select_the_account() {
        let places = |line: &str| {
            let values = values(&format!("xks-console -- xks-console {line}"), false);
            (values.data_dir, values.region)
        };
        let default = Some(PathBuf::from("/h/.local/share/xks-console"));
        assert_eq!(places("open "), (default.clone(), "us-west-2".to_owned()));
        assert_eq!(places("open --data-dir d --region eu-west-1"), (Some("d".into()), "eu-west-1".to_owned()));
        assert_eq!(places("--region=a --data-dir=/d open "), (Some("/d".into()), "a".to_owned()));
        for line in ["--aws open ", "open --endpoint-url http://h ", "--endpoint-url=http://h open "] {
            assert_eq!(places(line).0, None, "{line}");
        }
        assert_eq!(places("serve -- x --aws --data-dir d").0, default);
    }

    #[test]
    fn names_come_from_the_account_on_disk() {
        let dir = tempfile::tempdir().unwrap();
        let line = format!("xks-console -- xks-console open --data-dir {}", dir.path().display());
        let plain = values(&line, false);
        assert_eq!(texts(plain.keys_and_key_stores("".as_ref())), [""; 0]);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "no account is created");
        drop(BundledAws::open(dir.path(), None).unwrap());
        assert_eq!(texts(plain.keys("cust".as_ref())), ["customer-db"]);
        assert_eq!(texts(plain.keys("alias/cust".as_ref())), ["alias/customer-db"]);
        assert_eq!(texts(plain.key_stores("Fra".as_ref())), ["Frankfurt HSM"]);
        assert_eq!(texts(plain.keys_and_key_stores("Fra".as_ref())), ["Frankfurt HSM"]);
        assert_eq!(texts(plain.keys("Fra".as_ref())), [""; 0]);
        assert_eq!(texts(values(&line, true).key_stores("Fra".as_ref())), ["Frankfurt\\ HSM"]);
        let ids = texts(plain.key_stores("cks-".as_ref()));
        assert_eq!(ids.len(), 4);
        let keys = texts(plain.keys("".as_ref()));
        assert_eq!(keys.iter().filter(|key| uuid::Uuid::try_parse(key).is_ok()).count(), 8);
    }

    #[test]
    fn regions_and_scenarios_are_completed() {
        let values = values("xks-console -- xks-console", false);
        assert_eq!(texts(values.regions("eu-central".as_ref())), ["eu-central-1", "eu-central-2"]);
        assert_eq!(texts(values.regions("us-gov-w".as_ref())), ["us-gov-west-1"]);
        assert_eq!(texts(values.scenarios("e".as_ref())), ["empty"]);
        assert_eq!(texts(values.lessons("first-key-m".as_ref())), ["first-key-method-2"]);
    }
}
