//! The settings of a run: for each of them the value that applies, and where it comes from.
//!
//! An option of the command line takes precedence over an environment variable, and that over `config.toml`. There are
//! two exceptions. Read-only mode is on if any source turns it on. The preferences that the user saved in the console
//! take precedence over the file, but not over the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::check::ConfigurationError;
use super::file::{CONFIG_FILE, Configuration};
use super::layer::{Layer, Origin};
use super::values::TargetSetting;
use super::{config_directory, data_directory, environment, file, saved_preferences};
use crate::client::{ReadOnly, profile};
use crate::tui::key_press::KeyPress;
use crate::tui::keymap::Action;
use crate::tui::preferences::{KeyColumn, Preferences};
use crate::tui::theme_name::{SymbolSet, ThemeName};

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub origin: Origin,
}

impl<T> Resolved<T> {
    /// Whether the value comes from an option of the command line.
    pub fn is_from_option(&self) -> bool {
        matches!(self.origin, Origin::Option(_))
    }
}

impl Resolved<Option<String>> {
    /// Returns the value, unless it comes from a variable of the AWS CLI, which the client reads itself.
    fn without_aws_variables(&self) -> Option<String> {
        let is_aws_variable = matches!(self.origin, Origin::Variable(name) if name.starts_with("AWS_"));
        self.value.clone().filter(|_| !is_aws_variable)
    }
}

/// The settings of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The colors of the console.
    pub theme: Resolved<ThemeName>,
    /// The characters for borders, marks, and charts.
    pub symbols: Resolved<SymbolSet>,
    /// Whether the console responds to the mouse.
    pub mouse: Resolved<bool>,
    /// Whether the console is adapted to screen readers.
    pub accessible: Resolved<bool>,
    /// The visible columns of *Customer managed keys*.
    pub columns: Resolved<Vec<KeyColumn>>,
    /// The maximum number of rows per page. Without it, a page has as many rows as fit.
    pub page_size: Resolved<Option<usize>>,
    /// The AWS to use.
    pub target: Resolved<TargetSetting>,
    /// The profile to use with AWS or an endpoint.
    pub profile: Resolved<Option<String>>,
    /// The Region to use with AWS or an endpoint.
    pub region: Resolved<Option<String>>,
    /// Whether every console is read-only.
    pub read_only: Resolved<bool>,
    /// The directory of the bundled AWS. `None` if no option or variable determines it.
    pub data_dir: Resolved<Option<PathBuf>>,
    /// Whether the consoles of a profile are read-only, by the name of the profile.
    pub profiles: BTreeMap<String, Resolved<bool>>,
    /// The keys of each action that the file names.
    pub keys: BTreeMap<Action, Resolved<Vec<KeyPress>>>,
    /// Whether the user chose to wrap lines.
    wraps_lines: bool,
}

/// The data directory of the bundled AWS can't be determined.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Couldn't find a directory for the bundled AWS: neither XDG_DATA_HOME nor HOME is set to an absolute path. \
     Specify a directory with `--data-dir DIR`."
)]
pub struct DataDirError;

/// The sources in the order of their precedence.
struct Sources<'a>([&'a Layer; 3]);

impl Sources<'_> {
    /// Returns the value that applies. `get` returns that of one source.
    fn pick<T>(&self, key: &str, default: T, get: impl Fn(&Configuration) -> Option<T>) -> Resolved<T> {
        let found = self.0.iter().find_map(|layer| Some((get(&layer.values)?, layer.origin(key))));
        let (value, origin) = found.unwrap_or((default, Origin::Default));
        Resolved { value, origin }
    }

    /// Returns true if any source says so.
    fn pick_read_only(&self) -> Resolved<bool> {
        let on = self.pick("read-only", false, |values| values.read_only.filter(|read_only| *read_only));
        if on.value { on } else { self.pick("read-only", false, |values| values.read_only) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let none = Layer::default();
        Self::resolve(&Sources([&none; 3]), &|_| None)
    }
}

impl Settings {
    /// Reads all sources. `options` are the values of the command line, and `environment` looks up a variable.
    ///
    /// # Errors
    /// [`ConfigurationError`] with the problems of the file and the environment.
    pub fn load(options: &Layer, environment: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigurationError> {
        let directory = config_directory(&environment);
        let path = directory.as_ref().map(|directory| directory.join(CONFIG_FILE));
        let file = path.as_deref().map_or(Ok(None), file::read);
        let variables = environment::read(&environment);
        let (file, variables) = match (file, variables) {
            (Ok(file), Ok(variables)) => (file.unwrap_or_default(), variables),
            (Err(ConfigurationError::Invalid(mut problems)), Err(more)) => {
                problems.extend(more);
                return Err(ConfigurationError::Invalid(problems));
            }
            (Err(error), _) => return Err(error),
            (Ok(_), Err(problems)) => return Err(ConfigurationError::Invalid(problems)),
        };
        let saved = directory.and_then(|directory| saved_preferences(&directory));
        let mut settings = Self::resolve(&Sources([options, &variables, &file]), &environment);
        if let Some((path, preferences)) = saved {
            settings.apply_preferences(&path, preferences);
        }
        Ok(settings)
    }

    fn resolve(sources: &Sources<'_>, environment: &impl Fn(&str) -> Option<OsString>) -> Self {
        let Preferences { key_columns, page_size, wrap_lines } = Preferences::default();
        let home = environment("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        let Sources([.., file]) = sources;
        let profiles = file.values.profiles.iter().map(|(name, profile)| {
            let origin = file.origin(&format!("profiles.{name}.read-only"));
            (name.clone(), Resolved { value: profile.read_only, origin })
        });
        let keys = file.values.keys().into_iter().map(|(action, keys)| {
            (action, Resolved { value: keys, origin: file.origin(&format!("keys.{}", action_name(action))) })
        });
        Self {
            theme: sources.pick("theme", ThemeName::Auto, |values| values.theme),
            symbols: sources.pick("symbols", SymbolSet::Auto, |values| values.symbols),
            mouse: sources.pick("mouse", true, |values| values.mouse),
            accessible: sources.pick("accessible", false, |values| values.accessible),
            columns: sources.pick("columns", key_columns, |values| Some(values.columns.clone()?.0)),
            page_size: sources.pick("page-size", page_size, |values| Some(Some(values.page_size?.0))),
            target: sources.pick("target", TargetSetting::Bundled, |values| values.target.clone()),
            profile: sources.pick("profile", None, |values| Some(Some(values.profile.clone()?))),
            region: sources.pick("region", None, |values| Some(Some(values.region.clone()?.0))),
            read_only: sources.pick_read_only(),
            data_dir: sources.pick("data-dir", data_directory(environment), |values| {
                Some(Some(values.data_dir.as_ref()?.expand(home.as_deref())))
            }),
            profiles: profiles.collect(),
            keys: keys.collect(),
            wraps_lines: wrap_lines,
        }
    }

    /// Applies the preferences that the user saved in the file at `path`.
    fn apply_preferences(&mut self, path: &Path, saved: Preferences) {
        let is_weaker = |origin: &Origin| matches!(origin, Origin::Default | Origin::File { .. });
        let origin = || Origin::Preferences(path.to_owned());
        if is_weaker(&self.columns.origin) {
            self.columns = Resolved { value: saved.key_columns, origin: origin() };
        }
        if is_weaker(&self.page_size.origin) {
            self.page_size = Resolved { value: saved.page_size, origin: origin() };
        }
        self.wraps_lines = saved.wrap_lines;
    }

    /// Returns the preferences that the console starts with.
    pub fn preferences(&self) -> Preferences {
        Preferences {
            key_columns: self.columns.value.clone(),
            page_size: self.page_size.value,
            wrap_lines: self.wraps_lines,
        }
    }

    /// Returns the consoles that are read-only.
    pub fn read_only(&self) -> ReadOnly {
        let profiles = self.profiles.iter().filter(|(_, read_only)| read_only.value).map(|(name, _)| name.clone());
        ReadOnly { all: self.read_only.value, profiles: profiles.collect() }
    }

    /// Returns the settings to connect to an AWS on the network, or `None` for the bundled AWS. `environment` looks up
    /// a variable.
    pub fn client_settings(&self, environment: impl Fn(&str) -> Option<OsString>) -> Option<profile::Settings> {
        let endpoint_url = match &self.target.value {
            TargetSetting::Bundled => return None,
            TargetSetting::Aws => None,
            TargetSetting::Endpoint(url) => Some(url.clone()),
        };
        Some(profile::Settings {
            endpoint_url,
            profile: self.profile.without_aws_variables(),
            region: self.region.without_aws_variables(),
            ca_bundle: environment("AWS_CA_BUNDLE").filter(|path| !path.is_empty()).map(PathBuf::from),
            files: None,
        })
    }

    /// Returns the data directory of the bundled AWS.
    ///
    /// # Errors
    /// [`DataDirError`] if no option or variable determines the directory.
    pub fn data_dir(&self) -> Result<PathBuf, DataDirError> {
        self.data_dir.value.clone().ok_or(DataDirError)
    }

    /// Returns the keys of each action that the file names.
    pub fn keys(&self) -> BTreeMap<Action, Vec<KeyPress>> {
        self.keys.iter().map(|(action, keys)| (*action, keys.value.clone())).collect()
    }
}

/// Returns the name of an action in `config.toml`.
pub(super) fn action_name(action: Action) -> String {
    serde_json::to_value(action).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
