//! The options of `serve` for a class.

use std::path::PathBuf;

use clap::{ValueHint, value_parser};

/// The options of `serve` for a class.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct ClassOptions {
    /// Serve N separate accounts, one for each student of a class
    ///
    /// Each account has its own directory in the data directory, such as student-01, and its own port. The page with the
    /// progress of all students is on the port of --listen, and the accounts are on the ports after it.
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=200))]
    #[arg(conflicts_with_all = ["detach", "stop", "ready_file", "access_log", "access_key_id", "command"])]
    pub accounts: Option<u16>,
    /// What the names of the accounts begin with
    #[arg(long, value_name = "PREFIX", default_value = "student", value_parser = parse_prefix)]
    pub account_prefix: String,
    /// Write the students' profiles and shell commands to this directory instead of the data directory
    #[arg(long, value_name = "DIR", requires = "accounts", value_hint = ValueHint::DirPath)]
    pub class_dir: Option<PathBuf>,
    /// Print the progress of the class that is served on the port of --listen
    ///
    /// Add --json for one JSON document.
    #[arg(long, conflicts_with_all = ["accounts", "detach", "stop", "ready_file", "access_log", "access_key_id", "command"])]
    pub progress: bool,
}

impl Default for ClassOptions {
    fn default() -> Self {
        Self { accounts: None, account_prefix: "student".to_owned(), class_dir: None, progress: false }
    }
}

impl ClassOptions {
    /// Returns whether a directory for the files of a class is missing if there is no data directory.
    pub fn needs_class_dir(&self) -> bool {
        self.accounts.is_some() && self.class_dir.is_none()
    }

    /// Returns the names of the accounts, such as `student-01`.
    pub fn names(&self) -> Vec<String> {
        let names = 1..=self.accounts.unwrap_or(0);
        names.map(|number| format!("{}-{number:02}", self.account_prefix)).collect()
    }
}

/// Parses a prefix. With it, a name can be that of a directory, a profile, and a file in a shell.
fn parse_prefix(text: &str) -> Result<String, &'static str> {
    let is_valid = (1..=32).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if is_valid {
        Ok(text.to_owned())
    } else {
        Err(
            "it can't be the start of a name. Enter 1 to 32 letters, digits, hyphens, and underscores, with a letter or digit first",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_the_same_for_a_larger_class() {
        let names = |count| ClassOptions { accounts: Some(count), ..ClassOptions::default() }.names();
        assert_eq!(names(2), ["student-01", "student-02"]);
        let large = names(200);
        assert_eq!((large.len(), large[98].as_str(), large[99].as_str()), (200, "student-99", "student-100"));
        assert_eq!(large[..2], names(2));
    }

    #[test]
    fn prefix_is_a_name_without_special_characters() {
        for text in ["ada", "team_A-", "7"] {
            assert_eq!(parse_prefix(text).as_deref(), Ok(text));
        }
        for text in ["", "-x", "../x", "a b", "a/b", ".", "ä", &"a".repeat(33)] {
            assert!(parse_prefix(text).is_err(), "{text}");
        }
    }
}
