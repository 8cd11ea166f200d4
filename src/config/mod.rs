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
use crate::tui::preferences::{Preferences, UsedExternalKeyIds};

/// The file name of the preferences.
const PREFERENCES_FILE: &str = "preferences.toml";
/// The table of the external key IDs used before, in the file of the preferences.
const EXTERNAL_KEY_IDS: &str = "external-key-ids";

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
    let mut table = read_table(&path)?;
    table.remove(EXTERNAL_KEY_IDS);
    if table.is_empty() {
        return None;
    }
    table.try_into().ok().map(|preferences| (path, preferences))
}

/// Reads the external key IDs that the user tried earlier. Returns none if they can't be read.
pub fn used_external_key_ids(directory: &Path) -> UsedExternalKeyIds {
    let ids = read_table(&directory.join(PREFERENCES_FILE)).and_then(|mut table| table.remove(EXTERNAL_KEY_IDS));
    ids.and_then(|ids| ids.try_into().ok()).unwrap_or_default()
}

fn read_table(path: &Path) -> Option<toml::Table> {
    std::fs::read_to_string(path).ok()?.parse().ok()
}

/// Saves the preferences for the next run, and keeps the external key IDs. The file is written atomically.
///
/// # Errors
/// The directory or the file can't be written.
pub fn save_preferences(directory: &Path, preferences: &Preferences) -> std::io::Result<()> {
    let mut table = toml::Table::try_from(preferences).map_err(std::io::Error::other)?;
    let used = used_external_key_ids(directory);
    if !used.is_empty() {
        table.insert(EXTERNAL_KEY_IDS.to_owned(), toml::Value::try_from(used).map_err(std::io::Error::other)?);
    }
    write_table(directory, &table)
}

/// Saves an external key ID as the newest one of a key store, and keeps the other preferences. The file is written
/// atomically.
///
/// # Errors
/// The directory or the file can't be written.
pub fn add_used_external_key_id(directory: &Path, store_id: &str, xks_key_id: &str) -> std::io::Result<()> {
    let mut used = used_external_key_ids(directory);
    used.add(store_id, xks_key_id);
    let mut table = read_table(&directory.join(PREFERENCES_FILE)).unwrap_or_default();
    table.insert(EXTERNAL_KEY_IDS.to_owned(), toml::Value::try_from(used).map_err(std::io::Error::other)?);
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
        save_preferences(&directory, &chosen).unwrap();
        assert_eq!(saved_preferences(&directory), Some((directory.join(PREFERENCES_FILE), chosen)));
        std::fs::write(directory.join(PREFERENCES_FILE), "key-columns = 7").unwrap();
        assert_eq!(saved_preferences(&directory), None);
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 1);
    }

    #[test]
    fn external_key_ids_and_preferences_are_saved_independently() {
        let dir = tempfile::tempdir().unwrap();
        let mut used = UsedExternalKeyIds::default();
        used.add("cks-1", "payments-2026");
        add_used_external_key_id(dir.path(), "cks-1", "payments-2026").unwrap();
        assert_eq!(saved_preferences(dir.path()), None, "the file must not override config.toml");
        assert_eq!(used_external_key_ids(dir.path()), used);
        let chosen = Preferences { page_size: Some(20), ..Preferences::default() };
        save_preferences(dir.path(), &chosen).unwrap();
        assert_eq!(used_external_key_ids(dir.path()), used);
        used.add("cks-2", "ledger");
        add_used_external_key_id(dir.path(), "cks-2", "ledger").unwrap();
        assert_eq!(saved_preferences(dir.path()).unwrap().1, chosen);
        assert_eq!(used_external_key_ids(dir.path()), used);
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
