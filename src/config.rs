//! What is remembered between runs, in the place that the XDG Base Directory Specification gives.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::tui::preferences::Preferences;

/// The file name of the preferences.
const FILE: &str = "preferences.toml";

/// `$XDG_CONFIG_HOME/xks-console`, else `~/.config/xks-console`. `environment` looks up a variable; one that is empty or
/// relative counts as unset.
pub fn directory(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    base(environment, "XDG_CONFIG_HOME", ".config")
}

/// `$XDG_STATE_HOME/xks-console/drafts`, else `~/.local/state/xks-console/drafts`: where drafts of KMS keys are.
pub fn drafts(environment: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    base(environment, "XDG_STATE_HOME", ".local/state").map(|state| state.join("drafts"))
}

fn base(environment: impl Fn(&str) -> Option<OsString>, variable: &str, usual: &str) -> Option<PathBuf> {
    let absolute = |variable: &str| environment(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute(variable)
        .or_else(|| absolute("HOME").map(|home| home.join(usual)))
        .map(|directory| directory.join("xks-console"))
}

/// The preferences of the last run; the usual ones when there are none that can be read.
pub fn load(directory: &Path) -> Preferences {
    let text = std::fs::read_to_string(directory.join(FILE)).unwrap_or_default();
    toml::from_str(&text).unwrap_or_default()
}

/// Keeps the preferences for the next run. A run that is cut off leaves the old ones.
///
/// # Errors
/// When the directory or the file can't be written.
pub fn save(directory: &Path, preferences: &Preferences) -> std::io::Result<()> {
    let text = toml::to_string(preferences).map_err(std::io::Error::other)?;
    std::fs::create_dir_all(directory)?;
    let new = directory.join(format!("{FILE}.{}", std::process::id()));
    std::fs::File::create(&new)?.write_all(text.as_bytes())?;
    std::fs::rename(&new, directory.join(FILE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::preferences::KeyColumn;

    #[test]
    fn what_was_saved_is_loaded_and_rubbish_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("new");
        assert_eq!(load(&place), Preferences::default());
        let chosen = Preferences {
            key_columns: vec![KeyColumn::KeyId, KeyColumn::Origin],
            page_size: Some(20),
            wrap_lines: true,
        };
        save(&place, &chosen).unwrap();
        assert_eq!(load(&place), chosen);
        std::fs::write(place.join(FILE), "key-columns = 7").unwrap();
        assert_eq!(load(&place), Preferences::default());
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 1);
    }

    #[test]
    fn the_directory_follows_the_xdg_specification() {
        let find = |variables: &'static [(&str, &str)]| {
            directory(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into()))
        };
        assert_eq!(find(&[("XDG_CONFIG_HOME", "/c"), ("HOME", "/h")]), Some("/c/xks-console".into()));
        assert_eq!(find(&[("XDG_CONFIG_HOME", "c"), ("HOME", "/h")]), Some("/h/.config/xks-console".into()));
        assert_eq!(find(&[]), None);
        let state = |name: &str| (name == "XDG_STATE_HOME").then(|| "/s".into());
        assert_eq!(drafts(state), Some("/s/xks-console/drafts".into()));
        let home = |name: &str| (name == "HOME").then(|| "/h".into());
        assert_eq!(drafts(home), Some("/h/.local/state/xks-console/drafts".into()));
    }
}
