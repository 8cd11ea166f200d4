//! The configuration, and the preferences that are saved between runs. The directories follow the XDG Base Directory
//! Specification.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::client::ReadOnly;
use crate::storage::atomic_file::replace;
use crate::tui::preferences::Preferences;

/// The file name of the configuration.
const CONFIG_FILE: &str = "config.toml";

/// The contents of `config.toml`. The program never writes this file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Configuration {
    /// Whether every console is read-only.
    read_only: bool,
    /// The settings for individual profiles of the AWS CLI.
    profile: BTreeMap<String, ProfileConfiguration>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table such as [profile.prod]")]
struct ProfileConfiguration {
    read_only: bool,
}

/// The reasons that the configuration can't be used. The program doesn't start then, because the configuration may turn
/// on read-only mode.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file exists but can't be read.
    #[error("Couldn't read {}: {source}", path.display())]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file contains an invalid setting.
    #[error("{}, line {line}: {reason}. Correct the file, then try again.", path.display())]
    Invalid {
        /// The path of the file.
        path: PathBuf,
        /// The line number, counted from 1.
        line: usize,
        /// The error of the parser.
        reason: String,
    },
}

impl Configuration {
    /// Reads `config.toml` in `directory`. Returns the defaults if the file doesn't exist.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn read(directory: &Path) -> Result<Self, ConfigurationError> {
        let path = directory.join(CONFIG_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(source) => return Err(ConfigurationError::Unreadable { path, source }),
        };
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let (line, reason) = (before.matches('\n').count() + 1, error.message().trim().replace('\n', "; "));
            ConfigurationError::Invalid { path, line, reason }
        })
    }

    /// Returns the consoles that are read-only.
    pub fn read_only(&self) -> ReadOnly {
        let profiles = self.profile.iter().filter(|(_, profile)| profile.read_only).map(|(name, _)| name.clone());
        ReadOnly { all: self.read_only, profiles: profiles.collect() }
    }
}

/// The file name of the preferences.
const PREFERENCES_FILE: &str = "preferences.toml";

/// Returns the directory of the configuration: `$XDG_CONFIG_HOME/xks-console`, or else `~/.config/xks-console`.
///
/// `environment` looks up a variable. A variable that is empty or holds a relative path counts as unset. The result is
/// `None` if `HOME` is also unset.
pub fn config_directory(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    xdg_directory(environment, "XDG_CONFIG_HOME", ".config")
}

/// Returns the directory of the drafts of KMS keys: `$XDG_STATE_HOME/xks-console/drafts`, or else
/// `~/.local/state/xks-console/drafts`.
pub fn drafts_directory(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    xdg_directory(environment, "XDG_STATE_HOME", ".local/state").map(|state| state.join("drafts"))
}

fn xdg_directory(environment: impl Fn(&str) -> Option<OsString>, variable: &str, default: &str) -> Option<PathBuf> {
    let absolute = |variable: &str| environment(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable)
        .or_else(|| absolute("HOME").map(|home| home.join(default)))
        .map(|directory| directory.join("xks-console"))
}

/// Loads the preferences of the last run. Returns the defaults if they can't be read.
pub fn load_preferences(directory: &Path) -> Preferences {
    let text = std::fs::read_to_string(directory.join(PREFERENCES_FILE)).unwrap_or_default();
    toml::from_str(&text).unwrap_or_default()
}

/// Saves the preferences for the next run. The file is written atomically.
///
/// # Errors
/// The directory or the file can't be written.
pub fn save_preferences(directory: &Path, preferences: &Preferences) -> std::io::Result<()> {
    let text = toml::to_string(preferences).map_err(std::io::Error::other)?;
    std::fs::create_dir_all(directory)?;
    replace(&directory.join(PREFERENCES_FILE), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::preferences::KeyColumn;

    #[test]
    fn preferences_round_trip_and_invalid_file_loads_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("new");
        assert_eq!(load_preferences(&directory), Preferences::default());
        let chosen = Preferences {
            key_columns: vec![KeyColumn::KeyId, KeyColumn::Origin],
            page_size: Some(20),
            wrap_lines: true,
        };
        save_preferences(&directory, &chosen).unwrap();
        assert_eq!(load_preferences(&directory), chosen);
        std::fs::write(directory.join(PREFERENCES_FILE), "key-columns = 7").unwrap();
        assert_eq!(load_preferences(&directory), Preferences::default());
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    }

    fn read(text: &str) -> Result<Configuration, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(CONFIG_FILE), text).unwrap();
        let prefix = format!("{}/", dir.path().display());
        Configuration::read(dir.path()).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    #[test]
    fn read_only_applies_to_all_or_one_profile() {
        let none = Configuration::read(Path::new("/nowhere")).unwrap().read_only();
        assert!(!none.applies_to(None) && !none.applies_to(Some("prod")));
        let one = read("[profile.prod]\nread-only = true\n[profile.'dev 2']\nread-only = false\n").unwrap().read_only();
        assert!(one.applies_to(Some("prod")));
        assert!(!one.applies_to(Some("dev 2")) && !one.applies_to(Some("default")) && !one.applies_to(None));
        // Some Windows editors add a byte order mark.
        assert!(read("\u{feff}read-only = true\n").unwrap().read_only().applies_to(None));
        // A profile can't turn off read-only mode for every console.
        let all = read("read-only = true\n[profile.dev]\nread-only = false\n").unwrap().read_only();
        assert!(all.applies_to(Some("dev")) && all.applies_to(None));
    }

    #[test]
    fn configuration_error_names_file_and_line() {
        for (text, expected) in [
            (
                "\nread_only = true\n",
                "config.toml, line 2: unknown field `read_only`, expected `read-only` or `profile`",
            ),
            ("[profile.prod]\nreadonly = true", "config.toml, line 2: unknown field `readonly`, expected `read-only`"),
            ("read-only = \"yes\"", "config.toml, line 1: invalid type: string \"yes\", expected a boolean"),
            (
                "[profile]\nprod = true\n",
                "config.toml, line 2: invalid type: boolean `true`, expected a table such as [profile.prod]",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), format!("{expected}. Correct the file, then try again."));
        }
        assert!(read("# all\nread-only = tru\n").unwrap_err().starts_with("config.toml, line 2: "));
        assert!(read("a = [\n").unwrap_err().starts_with("config.toml, line "));
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(CONFIG_FILE)).unwrap();
        let unreadable = Configuration::read(dir.path()).unwrap_err();
        assert!(unreadable.to_string().contains("config.toml: Is a directory"), "{unreadable}");
    }

    #[test]
    fn directories_follow_the_xdg_specification() {
        let find = |variables: &'static [(&str, &str)]| {
            config_directory(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
        };
        assert_eq!(find(&[("XDG_CONFIG_HOME", "/c"), ("HOME", "/h")]), Some("/c/xks-console".into()));
        assert_eq!(find(&[("XDG_CONFIG_HOME", "c"), ("HOME", "/h")]), Some("/h/.config/xks-console".into()));
        assert_eq!(find(&[]), None);
        let state = |name: &str| (name == "XDG_STATE_HOME").then(|| "/s".into());
        assert_eq!(drafts_directory(state), Some("/s/xks-console/drafts".into()));
        let home = |name: &str| (name == "HOME").then(|| "/h".into());
        assert_eq!(drafts_directory(home), Some("/h/.local/state/xks-console/drafts".into()));
    }
}
