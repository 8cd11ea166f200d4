//! The settings of a run: for each of them the value that applies, and where it comes from.
//!
//! An option of the command line takes precedence over an environment variable, and that over `config.toml`. There are
//! two exceptions. Read-only mode is on if any source turns it on. The preferences and the theme that the user chose in
//! the console take precedence over the file, but not over the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::check::ConfigurationError;
use super::file::{CONFIG_FILE, Configuration};
use super::layer::{Layer, Origin};
use super::values::TargetSetting;
use super::{config_directory, data_directory, environment, file, saved_preferences, saved_theme};
use crate::client::{ReadOnly, profile};
use crate::tui::key_press::KeyPress;
use crate::tui::keymap::Action;
use crate::tui::preferences::{KeyColumn, Preferences};
use crate::tui::theme_name::{Appearance, SymbolSet, ThemeName};

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
        let mut settings = Self::resolve(&Sources([options, &variables, &file]), &environment);
        if let Some((path, preferences)) = directory.as_deref().and_then(saved_preferences) {
            settings.apply_preferences(&path, preferences);
        }
        if let Some((path, theme)) = directory.as_deref().and_then(saved_theme)
            && is_below_preferences(&settings.theme.origin)
        {
            settings.theme = Resolved { value: theme, origin: Origin::Preferences(path) };
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
        let origin = || Origin::Preferences(path.to_owned());
        if is_below_preferences(&self.columns.origin) {
            self.columns = Resolved { value: saved.key_columns, origin: origin() };
        }
        if is_below_preferences(&self.page_size.origin) {
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

    /// Returns the theme and the symbols.
    pub fn appearance(&self) -> Appearance {
        (self.theme.value, self.symbols.value)
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

    /// Returns the Region to use with the bundled AWS, if the command line names one. That of the file and the environment
    /// is a Region of AWS.
    pub fn region_of_bundled(&self) -> Option<&str> {
        self.region.value.as_deref().filter(|_| self.region.is_from_option())
    }

    /// Returns the keys of each action that the file names.
    pub fn keys(&self) -> BTreeMap<Action, Vec<KeyPress>> {
        self.keys.iter().map(|(action, keys)| (*action, keys.value.clone())).collect()
    }
}

/// Whether what the user chose in the console takes precedence over a source.
fn is_below_preferences(origin: &Origin) -> bool {
    matches!(origin, Origin::Default | Origin::File { .. })
}

/// Returns the name of an action in `config.toml`.
pub(super) fn action_name(action: Action) -> String {
    serde_json::to_value(action).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::save;
    use crate::config::values::{Columns, PageSize, RegionName};
    use crate::tui::preferences::SavedChange;

    /// A home directory with this `config.toml`.
    struct Home(tempfile::TempDir);

    impl Home {
        fn with(text: &str) -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            std::fs::create_dir_all(home.config()).unwrap();
            std::fs::write(home.config().join(CONFIG_FILE), text).unwrap();
            home
        }

        fn config(&self) -> PathBuf {
            self.0.path().join(".config/xks-console")
        }

        fn load(&self, options: &Layer, variables: &[(&str, &str)]) -> Result<Settings, ConfigurationError> {
            Settings::load(options, |name| match name {
                "HOME" => Some(self.0.path().into()),
                name => variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()),
            })
        }

        fn line(&self, line: usize) -> Origin {
            Origin::File { path: self.config().join(CONFIG_FILE), line }
        }
    }

    fn options(values: Configuration, origins: &[(&str, &'static str)]) -> Layer {
        let mut layer = Layer::new(values, BTreeMap::new());
        for (key, option) in origins {
            layer.set_option(key, option);
        }
        layer
    }

    #[test]
    fn option_precedes_variable_precedes_file_precedes_default() {
        let home = Home::with("theme = 'dark'\nsymbols = 'ascii'\nmouse = false\ntarget = 'aws'\n");
        let theme = Configuration { theme: Some(ThemeName::Mono), ..Configuration::default() };
        let options = options(theme, &[("theme", "--theme")]);
        let variables = [("XKS_CONSOLE_THEME", "light"), ("XKS_CONSOLE_SYMBOLS", "unicode")];
        let settings = home.load(&options, &variables).unwrap();
        assert_eq!(settings.theme, Resolved { value: ThemeName::Mono, origin: Origin::Option("--theme") });
        let from_variable = Origin::Variable("XKS_CONSOLE_SYMBOLS");
        assert_eq!(settings.symbols, Resolved { value: SymbolSet::Unicode, origin: from_variable });
        assert_eq!(settings.mouse, Resolved { value: false, origin: home.line(3) });
        assert_eq!(settings.target, Resolved { value: TargetSetting::Aws, origin: home.line(4) });
        assert_eq!(settings.accessible, Resolved { value: false, origin: Origin::Default });
    }

    #[test]
    fn any_source_turns_on_read_only_mode_and_none_turns_it_off() {
        let home = Home::with("read-only = true\n[profiles.prod]\nread-only = true\n");
        let settings = home.load(&Layer::default(), &[("XKS_CONSOLE_READ_ONLY", "0")]).unwrap();
        assert_eq!(settings.read_only, Resolved { value: true, origin: home.line(1) });
        assert_eq!(settings.profiles["prod"], Resolved { value: true, origin: home.line(3) });
        let home = Home::with("read-only = false\n[profile.prod]\nread-only = true\n");
        let settings = home.load(&Layer::default(), &[]).unwrap();
        assert_eq!(settings.read_only, Resolved { value: false, origin: home.line(1) });
        let read_only = settings.read_only();
        assert!(
            read_only.applies_to(Some("prod")) && !read_only.applies_to(Some("dev")) && !read_only.applies_to(None)
        );
        let variable = home.load(&Layer::default(), &[("XKS_CONSOLE_READ_ONLY", "1")]).unwrap();
        assert!(variable.read_only().applies_to(None));
        let on = Configuration { read_only: Some(true), ..Configuration::default() };
        let option =
            home.load(&options(on, &[("read-only", "--read-only")]), &[("XKS_CONSOLE_READ_ONLY", "0")]).unwrap();
        assert_eq!(option.read_only, Resolved { value: true, origin: Origin::Option("--read-only") });
    }

    #[test]
    fn saved_preferences_precede_the_file_but_not_the_environment() {
        let home = Home::with("columns = ['status']\npage-size = 10\n");
        let before = home.load(&Layer::default(), &[]).unwrap().preferences();
        assert_eq!((before.key_columns, before.page_size), (vec![KeyColumn::Status], Some(10)));
        let saved = Preferences { key_columns: vec![KeyColumn::KeyId], page_size: None, wrap_lines: true };
        save(&home.config(), &SavedChange::Preferences(saved.clone())).unwrap();
        save(&home.config(), &SavedChange::Theme(ThemeName::Light)).unwrap();
        let after = home.load(&Layer::default(), &[]).unwrap();
        assert_eq!(after.preferences(), saved);
        let origin = Origin::Preferences(home.config().join("preferences.toml"));
        assert_eq!((&after.columns.origin, &after.page_size.origin), (&origin, &origin));
        assert_eq!(after.theme, Resolved { value: ThemeName::Light, origin });
        let variables = [("XKS_CONSOLE_COLUMNS", "origin"), ("XKS_CONSOLE_PAGE_SIZE", "50")];
        let mono = home.load(&Layer::default(), &[("XKS_CONSOLE_THEME", "mono")]).unwrap();
        assert_eq!(mono.theme.value, ThemeName::Mono);
        let with_variables = home.load(&Layer::default(), &variables).unwrap().preferences();
        let expected = Preferences { key_columns: vec![KeyColumn::Origin], page_size: Some(50), wrap_lines: true };
        assert_eq!(with_variables, expected);
    }

    #[test]
    fn data_directory_is_the_default_or_below_the_home_directory() {
        let home = Home::with("");
        let load = |home: &Home, variables: &[(&str, &str)]| home.load(&Layer::default(), variables).unwrap();
        assert_eq!(load(&home, &[]).data_dir(), Ok(home.0.path().join(".local/share/xks-console")));
        assert_eq!(load(&home, &[("XDG_DATA_HOME", "/x")]).data_dir(), Ok("/x/xks-console".into()));
        assert_eq!(load(&home, &[("XDG_DATA_HOME", "x")]).data_dir(), load(&home, &[]).data_dir());
        let home = Home::with("data-dir = '~/keys'\n");
        assert_eq!(load(&home, &[("XDG_DATA_HOME", "/x")]).data_dir(), Ok(home.0.path().join("keys")));
        assert_eq!(load(&home, &[("XKS_CONSOLE_DATA_DIR", "here")]).data_dir(), Ok("here".into()));
        assert_eq!(Settings::default().data_dir(), Err(DataDirError));
    }

    #[test]
    fn client_reads_the_variables_of_the_aws_cli_itself() {
        let home = Home::with("target = 'aws'\nprofile = 'work'\nregion = 'eu-west-1'\n");
        let connect = |variables: &[(&str, &str)]| {
            let settings = home.load(&Layer::default(), variables).unwrap();
            settings.client_settings(|name| (name == "AWS_CA_BUNDLE").then(|| "/ca.pem".into())).unwrap()
        };
        let all = connect(&[]);
        assert_eq!(
            (all.endpoint_url, all.profile.as_deref(), all.region.as_deref()),
            (None, Some("work"), Some("eu-west-1"))
        );
        assert_eq!(all.ca_bundle, Some("/ca.pem".into()));
        let aws = connect(&[("AWS_PROFILE", "other"), ("AWS_REGION", "us-east-1")]);
        assert_eq!((aws.profile, aws.region), (None, None));
        let own = [("AWS_PROFILE", "other"), ("XKS_CONSOLE_PROFILE", "mine"), ("XKS_CONSOLE_REGION", "us-east-2")];
        let own = connect(&[&own[..], &[("XKS_CONSOLE_TARGET", "http://127.0.0.1:1")]].concat());
        assert_eq!((own.profile.as_deref(), own.region.as_deref()), (Some("mine"), Some("us-east-2")));
        assert_eq!(own.endpoint_url.as_deref(), Some("http://127.0.0.1:1"));
        let bundled = home.load(&Layer::default(), &[("XKS_CONSOLE_TARGET", "bundled")]).unwrap();
        assert_eq!(bundled.client_settings(|_| None), None);
    }

    #[test]
    fn problems_of_the_file_and_the_environment_are_reported_together() {
        let home = Home::with("theme = 3\n");
        let error = home.load(&Layer::default(), &[("XKS_CONSOLE_MOUSE", "?")]).unwrap_err().to_string();
        assert!(error.contains("2 problems") && error.contains("line 1: theme: "), "{error}");
        assert!(error.contains("XKS_CONSOLE_MOUSE: "), "{error}");
    }

    #[test]
    fn options_apply_to_every_setting() {
        let values = Configuration {
            columns: Some(Columns(vec![KeyColumn::Status])),
            page_size: Some(PageSize(50)),
            region: Some(RegionName("eu-west-1".to_owned())),
            ..Configuration::default()
        };
        let settings = Settings::load(&options(values, &[("columns", "--c")]), |_| None).unwrap();
        assert_eq!(settings.columns, Resolved { value: vec![KeyColumn::Status], origin: Origin::Option("--c") });
        assert_eq!((settings.page_size.value, settings.region.value.as_deref()), (Some(50), Some("eu-west-1")));
    }
}
