//! What the person has written down, and what is remembered between runs, in the place that the XDG Base Directory
//! Specification gives.

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

/// What the person has written into `config.toml`. The program never writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Configuration {
    /// Whether every console is read-only.
    read_only: bool,
    /// What holds for one profile of the AWS CLI.
    profile: BTreeMap<String, ProfileConfiguration>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table such as [profile.prod]")]
struct ProfileConfiguration {
    read_only: bool,
}

/// Why it is not known what the person has written. Nothing is opened then: it may have been *read-only*.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file is there but can't be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// The file says something else than it may.
    #[error("{}, line {line}: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Configuration {
    /// Reads `config.toml` in `directory`; without one nothing is said.
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

    /// Who may only look.
    pub fn read_only(&self) -> ReadOnly {
        let profiles = self.profile.iter().filter(|(_, profile)| profile.read_only).map(|(name, _)| name.clone());
        ReadOnly { all: self.read_only, profiles: profiles.collect() }
    }
}

/// The file name of the preferences.
const PREFERENCES_FILE: &str = "preferences.toml";

/// `$XDG_CONFIG_HOME/xks-console`, else `~/.config/xks-console`. `environment` looks up a variable; one that is empty or
/// relative counts as unset.
pub fn config_directory(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    xdg_directory(environment, "XDG_CONFIG_HOME", ".config")
}

/// `$XDG_STATE_HOME/xks-console/drafts`, else `~/.local/state/xks-console/drafts`: where drafts of KMS keys are.
pub fn drafts_directory(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    xdg_directory(environment, "XDG_STATE_HOME", ".local/state").map(|state| state.join("drafts"))
}

fn xdg_directory(environment: impl Fn(&str) -> Option<OsString>, variable: &str, usual: &str) -> Option<PathBuf> {
    let absolute = |variable: &str| environment(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable)
        .or_else(|| absolute("HOME").map(|home| home.join(usual)))
        .map(|directory| directory.join("xks-console"))
}

/// The preferences of the last run; the usual ones when there are none that can be read.
pub fn load_preferences(directory: &Path) -> Preferences {
    let text = std::fs::read_to_string(directory.join(PREFERENCES_FILE)).unwrap_or_default();
    toml::from_str(&text).unwrap_or_default()
}

/// Keeps the preferences for the next run. A run that is cut off leaves the old ones.
///
/// # Errors
/// When the directory or the file can't be written.
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
        let place = dir.path().join("new");
        assert_eq!(load_preferences(&place), Preferences::default());
        let chosen = Preferences {
            key_columns: vec![KeyColumn::KeyId, KeyColumn::Origin],
            page_size: Some(20),
            wrap_lines: true,
        };
        save_preferences(&place, &chosen).unwrap();
        assert_eq!(load_preferences(&place), chosen);
        std::fs::write(place.join(PREFERENCES_FILE), "key-columns = 7").unwrap();
        assert_eq!(load_preferences(&place), Preferences::default());
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1);
    }

    fn read(text: &str) -> Result<Configuration, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(CONFIG_FILE), text).unwrap();
        let place = format!("{}/", dir.path().display());
        Configuration::read(dir.path()).map_err(|error| error.to_string().replace(&place, ""))
    }

    #[test]
    fn read_only_applies_to_all_or_one_profile() {
        let none = Configuration::read(Path::new("/nowhere")).unwrap().read_only();
        assert!(!none.applies_to(None) && !none.applies_to(Some("prod")));
        let one = read("[profile.prod]\nread-only = true\n[profile.'dev 2']\nread-only = false\n").unwrap().read_only();
        assert!(one.applies_to(Some("prod")));
        assert!(!one.applies_to(Some("dev 2")) && !one.applies_to(Some("default")) && !one.applies_to(None));
        // Some editors of Windows put a byte order mark in front.
        assert!(read("\u{feff}read-only = true\n").unwrap().read_only().applies_to(None));
        // A profile does not undo what holds for all.
        let all = read("read-only = true\n[profile.dev]\nread-only = false\n").unwrap().read_only();
        assert!(all.applies_to(Some("dev")) && all.applies_to(None));
    }

    #[test]
    fn configuration_error_names_file_and_line() {
        for (text, told) in [
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
            assert_eq!(read(text).unwrap_err(), told);
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
