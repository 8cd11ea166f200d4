//! The contents of `config.toml`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::check::{self, ConfigurationError};
use super::layer::Layer;
use super::values::{Columns, DirectoryPath, KeyBinding, KeyOrKeys, PageSize, RegionName, TargetSetting};
use crate::client::ReadOnly;
use crate::tui::key_press::KeyPress;
use crate::tui::keymap::Action;
use crate::tui::theme_name::{SymbolSet, ThemeName};

/// The file name of the configuration.
pub const CONFIG_FILE: &str = "config.toml";

/// The contents of `config.toml`. The program never writes this file.
///
/// The documentation of each field describes the setting in `config print` and in the JSON schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "The configuration of xks-console", description = "The file config.toml.")]
pub struct Configuration {
    /// The colors of the console.
    #[schemars(with = "ThemeName")]
    pub theme: Option<ThemeName>,
    /// The characters for borders, marks, and charts.
    #[schemars(with = "SymbolSet")]
    pub symbols: Option<SymbolSet>,
    /// Whether the console responds to the mouse.
    #[schemars(with = "bool")]
    pub mouse: Option<bool>,
    /// Whether the console is adapted to screen readers.
    #[schemars(with = "bool")]
    pub accessible: Option<bool>,
    /// The visible columns of Customer managed keys, unless you choose them in the console.
    #[schemars(with = "Columns")]
    pub columns: Option<Columns>,
    /// The number of keys on a page of Customer managed keys, unless you choose it in the console.
    #[schemars(with = "PageSize")]
    pub page_size: Option<PageSize>,
    /// The AWS to use: "bundled", "aws", or the URL of an endpoint.
    #[schemars(with = "TargetSetting")]
    pub target: Option<TargetSetting>,
    /// The profile to use with AWS or an endpoint.
    #[schemars(with = "ProfileOrProfiles")]
    pub profile: Option<String>,
    /// The Region to use with AWS or an endpoint.
    #[schemars(with = "String", regex(pattern = "^[a-z0-9-]+$"))]
    pub region: Option<RegionName>,
    /// Whether every console is read-only.
    #[schemars(with = "bool")]
    pub read_only: Option<bool>,
    /// The directory of the bundled AWS.
    #[schemars(with = "String", regex(pattern = "^(/|~/)"))]
    pub data_dir: Option<DirectoryPath>,
    /// The settings for individual profiles.
    pub profiles: BTreeMap<String, ProfileConfiguration>,
    /// The keys of actions. Ctrl-C always quits.
    #[schemars(with = "BTreeMap<Action, KeyOrKeys>")]
    pub keys: BTreeMap<Action, KeyBinding>,
}

/// The settings for one profile of the AWS CLI.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case", expecting = "a table such as [profile.prod]")]
#[schemars(inline)]
pub struct ProfileConfiguration {
    /// Whether consoles with this profile are read-only.
    pub read_only: bool,
}

/// The two forms of `profile`. Before the file is read, the second one becomes a part of `profiles`.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[allow(dead_code, reason = "only the schema of the type is used")]
enum ProfileOrProfiles {
    /// The profile to use.
    Name(String),
    /// The settings for individual profiles.
    Settings(BTreeMap<String, ProfileConfiguration>),
}

impl Configuration {
    /// Reads `config.toml` in `directory`. Returns the defaults if the file doesn't exist.
    ///
    /// # Errors
    /// [`ConfigurationError`].
    pub fn read(directory: &Path) -> Result<Self, ConfigurationError> {
        read(&directory.join(CONFIG_FILE)).map(|layer| layer.unwrap_or_default().values)
    }

    /// Returns the consoles that are read-only.
    pub fn read_only(&self) -> ReadOnly {
        let profiles = self.profiles.iter().filter(|(_, profile)| profile.read_only).map(|(name, _)| name.clone());
        ReadOnly { all: self.read_only == Some(true), profiles: profiles.collect() }
    }

    /// Returns the keys of each action that the file names.
    pub fn keys(&self) -> BTreeMap<Action, Vec<KeyPress>> {
        self.keys.iter().map(|(action, binding)| (*action, binding.0.clone())).collect()
    }
}

/// Reads the file at `path`. Returns `None` if it doesn't exist.
///
/// # Errors
/// [`ConfigurationError`].
pub fn read(path: &Path) -> Result<Option<Layer>, ConfigurationError> {
    match std::fs::read_to_string(path) {
        Ok(text) => check::parse(&text, path).map(Some).map_err(ConfigurationError::Invalid),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(ConfigurationError::Unreadable { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Configuration, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(CONFIG_FILE), text).unwrap();
        let prefix = format!("{}/", dir.path().display());
        Configuration::read(dir.path()).map_err(|error| error.to_string().replace(&prefix, ""))
    }

    #[test]
    fn read_only_applies_to_all_or_one_profile() {
        let none = Configuration::read(Path::new("/nowhere")).unwrap().read_only();
        assert!(!none.applies_to(None) && !none.applies_to(Some("prod")));
        for spelling in ["profile", "profiles"] {
            let text = format!("[{spelling}.prod]\nread-only = true\n[{spelling}.'dev 2']\nread-only = false\n");
            let one = read_text(&text).unwrap().read_only();
            assert!(one.applies_to(Some("prod")));
            assert!(!one.applies_to(Some("dev 2")) && !one.applies_to(Some("default")) && !one.applies_to(None));
        }
        // Some Windows editors add a byte order mark.
        assert!(read_text("\u{feff}read-only = true\n").unwrap().read_only().applies_to(None));
        // A profile can't turn off read-only mode for every console.
        let all = read_text("read-only = true\n[profile.dev]\nread-only = false\n").unwrap().read_only();
        assert!(all.applies_to(Some("dev")) && all.applies_to(None));
    }

    #[test]
    fn profile_is_a_name_beside_the_settings_of_profiles() {
        let both = read_text("profile = 'work'\n[profiles.prod]\nread-only = true\n").unwrap();
        assert_eq!(both.profile.as_deref(), Some("work"));
        assert!(both.read_only().applies_to(Some("prod")) && !both.read_only().applies_to(Some("work")));
        for text in
            ["profile = 'work'\n[profile.prod]\nread-only = true\n", "[profile.prod]\n[profile]\nx = {}\nprofile = 1"]
        {
            let error = read_text(text);
            assert!(error.is_err(), "{error:?}");
        }
        let conflict = read_text("profile = 'work'\n[profile.prod]\nread-only = true\n").unwrap_err();
        assert_eq!(
            conflict,
            "config.toml, line 2: A file can't contain both `profile = …` and [profile.NAME]. Write [profiles.NAME] \
             instead. Correct this setting, then try again."
        );
        let merged = read_text("[profile.a]\nread-only = true\n[profiles.b]\nread-only = true\n").unwrap().read_only();
        assert!(merged.applies_to(Some("a")) && merged.applies_to(Some("b")));
    }

    #[test]
    fn keys_are_one_or_several() {
        let configuration =
            read_text("[keys]\nrefresh = 'F5'\ncreate-key = ['n', 'Alt-Right', 'ctrl-g']\nnext-field = ['Tab']")
                .unwrap();
        let keys = configuration.keys();
        let names = |action| keys[&action].iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(keys.len(), 3);
        assert_eq!(names(Action::Refresh), ["F5"]);
        assert_eq!(names(Action::CreateKey), ["n", "Alt-Right", "Ctrl-G"]);
        assert_eq!(names(Action::NextField), ["Tab"]);
    }

    #[test]
    fn unreadable_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(CONFIG_FILE)).unwrap();
        let unreadable = Configuration::read(dir.path()).unwrap_err();
        assert!(unreadable.to_string().contains("config.toml: Is a directory"), "{unreadable}");
    }
}
