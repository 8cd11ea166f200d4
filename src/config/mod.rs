//! The configuration, and the preferences that are saved between runs. The directories follow the XDG Base Directory
//! Specification.
//!
//! Each source is a [`Layer`]: the command line, the environment, and the file. [`Settings`] combines them. The fields
//! of [`Configuration`] are the only list of the settings; the JSON schema is made from them.

pub mod check;
mod environment;
mod file;
mod layer;
mod print;
mod schema;
mod settings;
mod values;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use check::{ConfigurationError, Problem};
pub use file::{CONFIG_FILE, Configuration, ProfileConfiguration, read};
pub use layer::{Layer, Origin};
pub use print::print;
pub use schema::schema;
pub use settings::{DataDirError, Resolved, Settings};
pub use values::{Columns, DirectoryPath, InvalidTarget, KeyBinding, PageSize, RegionName, TargetSetting};

use crate::storage::atomic_file::replace;
use crate::tui::preferences::{Preferences, RememberedIds, SavedChange};
use crate::tui::theme_name::ThemeName;

/// The file name of the preferences.
const PREFERENCES_FILE: &str = "preferences.toml";
/// The visible columns in the file of the preferences. Saved preferences always have them.
const KEY_COLUMNS: &str = "key-columns";
/// The theme in the file of the preferences.
const THEME: &str = "theme";
/// The table of the external key IDs used before, in the file of the preferences.
const EXTERNAL_KEY_IDS: &str = "external-key-ids";
/// The table of the keys whose pages were opened, in the file of the preferences.
const RECENT_KEYS: &str = "recent-keys";

/// Returns the directory of the configuration: `$XDG_CONFIG_HOME/xks-console`, or else `~/.config/xks-console`.
///
/// `environment` looks up a variable. A variable that is empty or holds a relative path counts as unset. The result is
/// `None` if `HOME` is also unset.
pub fn config_directory(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    xdg_directory(environment, "XDG_CONFIG_HOME", ".config")
}

/// Returns the default directory of the bundled AWS: `$XDG_DATA_HOME/xks-console`, or else `~/.local/share/xks-console`.
pub fn data_directory(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    xdg_directory(environment, "XDG_DATA_HOME", ".local/share")
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

/// Reads the preferences that the user saved in `directory`, and returns them with the path of their file. Returns
/// `None` if there are none, or if they can't be read.
pub fn saved_preferences(directory: &Path) -> Option<(PathBuf, Preferences)> {
    let path = directory.join(PREFERENCES_FILE);
    let table = read_table(&path)?;
    // The file can exist without them: it also has what the console remembers on its own.
    table.get(KEY_COLUMNS)?;
    table.try_into().ok().map(|preferences| (path, preferences))
}

/// Reads the theme that the user chose in the console, and returns it with the path of its file.
pub fn saved_theme(directory: &Path) -> Option<(PathBuf, ThemeName)> {
    let path = directory.join(PREFERENCES_FILE);
    let theme = read_table(&path)?.remove(THEME)?.try_into().ok()?;
    Some((path, theme))
}

/// Reads the external key IDs that the user tried earlier. Returns none if they can't be read.
pub fn used_external_key_ids(directory: &Path) -> RememberedIds {
    read_remembered(directory, EXTERNAL_KEY_IDS)
}

/// Reads the IDs of the keys whose pages the user opened, by account and Region. Returns none if they can't be read.
pub fn recent_keys(directory: &Path) -> RememberedIds {
    read_remembered(directory, RECENT_KEYS)
}

fn read_remembered(directory: &Path, section: &str) -> RememberedIds {
    let ids = read_table(&directory.join(PREFERENCES_FILE)).and_then(|mut table| table.remove(section));
    ids.and_then(|ids| ids.try_into().ok()).unwrap_or_default()
}

fn read_table(path: &Path) -> Option<toml::Table> {
    std::fs::read_to_string(path).ok()?.parse().ok()
}

/// Saves a change for the next run, and keeps everything else that is saved. The file is written atomically.
///
/// # Errors
/// The directory or the file can't be written.
pub fn save(directory: &Path, change: &SavedChange) -> std::io::Result<()> {
    let path = directory.join(PREFERENCES_FILE);
    // A file that can't be read isn't replaced: it can have preferences that the user wants to keep.
    let mut table: toml::Table = match std::fs::read_to_string(&path) {
        Ok(text) => text.parse().map_err(|error| std::io::Error::other(format!("{}: {error}", path.display())))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => toml::Table::new(),
        Err(error) => return Err(error),
    };
    let mut remember = |section: &str, group: &str, id: &str| {
        let mut ids = read_remembered(directory, section);
        ids.add(group, id);
        toml::Value::try_from(ids).map(|ids| table.insert(section.to_owned(), ids)).map_err(std::io::Error::other)
    };
    match change {
        SavedChange::Preferences(preferences) => {
            // Without a value, a preference has no line. The earlier one must not stay.
            let known = toml::Table::try_from(Preferences { page_size: Some(1), ..Preferences::default() });
            for name in known.map_err(std::io::Error::other)?.keys() {
                table.remove(name);
            }
            table.extend(toml::Table::try_from(preferences).map_err(std::io::Error::other)?);
        }
        SavedChange::Theme(theme) => {
            table.insert(THEME.to_owned(), toml::Value::try_from(theme).map_err(std::io::Error::other)?);
        }
        SavedChange::UsedExternalKeyId { custom_key_store_id, xks_key_id } => {
            remember(EXTERNAL_KEY_IDS, custom_key_store_id, xks_key_id)?;
        }
        SavedChange::RecentKey { account_and_region, key_id } => {
            remember(RECENT_KEYS, account_and_region, key_id)?;
        }
    }
    write_table(directory, &table)
}

fn write_table(directory: &Path, table: &toml::Table) -> std::io::Result<()> {
    let text = toml::to_string(table).map_err(std::io::Error::other)?;
    std::fs::create_dir_all(directory)?;
    replace(&directory.join(PREFERENCES_FILE), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::preferences::KeyColumn;

    #[test]
    fn preferences_round_trip_and_an_invalid_file_counts_as_missing() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("new");
        assert_eq!(saved_preferences(&directory), None);
        let chosen = Preferences {
            key_columns: vec![KeyColumn::KeyId, KeyColumn::Origin],
            page_size: Some(20),
            wrap_lines: true,
        };
        save(&directory, &SavedChange::Preferences(chosen.clone())).unwrap();
        assert_eq!(saved_preferences(&directory), Some((directory.join(PREFERENCES_FILE), chosen)));
        std::fs::write(directory.join(PREFERENCES_FILE), "key-columns = 7").unwrap();
        assert_eq!(saved_preferences(&directory), None);
        std::fs::write(directory.join(PREFERENCES_FILE), "key-columns = [").unwrap();
        assert!(save(&directory, &SavedChange::Theme(ThemeName::Light)).is_err());
        assert_eq!(std::fs::read_to_string(directory.join(PREFERENCES_FILE)).unwrap(), "key-columns = [");
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[test]
    fn everything_in_the_file_is_saved_independently() {
        let dir = tempfile::tempdir().unwrap();
        let save = |change: SavedChange| save(dir.path(), &change).unwrap();
        let used = |store: &str, id: &str| SavedChange::UsedExternalKeyId {
            custom_key_store_id: store.to_owned(),
            xks_key_id: id.to_owned(),
        };
        save(used("cks-1", "payments-2026"));
        save(SavedChange::Theme(ThemeName::Light));
        assert_eq!(saved_preferences(dir.path()), None, "the file must not override config.toml");
        let wrapped = Preferences { page_size: Some(20), wrap_lines: true, ..Preferences::default() };
        save(SavedChange::Preferences(wrapped));
        let chosen = Preferences::default();
        save(SavedChange::Preferences(chosen.clone()));
        save(SavedChange::RecentKey { account_and_region: "1 us-west-2".to_owned(), key_id: "k1".to_owned() });
        save(used("cks-2", "ledger"));
        assert_eq!(saved_preferences(dir.path()).unwrap().1, chosen);
        assert_eq!(saved_theme(dir.path()).unwrap().1, ThemeName::Light);
        assert_eq!(recent_keys(dir.path()).of("1 us-west-2"), ["k1"]);
        let ids = used_external_key_ids(dir.path());
        assert_eq!((ids.of("cks-1"), ids.of("cks-2")), (&["payments-2026".to_owned()][..], &["ledger".to_owned()][..]));
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
        let data = |name: &str| (name == "XDG_DATA_HOME").then(|| "/x".into());
        assert_eq!(data_directory(data), Some("/x/xks-console".into()));
        assert_eq!(data_directory(home), Some("/h/.local/share/xks-console".into()));
        assert_eq!(data_directory(|name| (name == "HOME").then(OsString::new)), None);
    }
}
