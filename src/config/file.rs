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
    #[schemars(with = "String")]
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
