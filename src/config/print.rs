//! The settings as the text of a `config.toml`, with comments.

use std::fmt::Write as _;

use serde::Serialize;
use toml::{Table, Value};

use super::layer::Origin;
use super::schema::{description, schema};
use super::settings::{Resolved, Settings, action_name};
use crate::text::escape_controls;
use crate::tui::key_press::KeyPress;
use crate::tui::keymap::{Action, BINDINGS};

/// Returns the settings as the text of a `config.toml`. The comment on each line is what the setting means, and where its
/// value comes from.
pub fn print(settings: &Settings) -> String {
    let schema = schema();
    let mut text = String::new();
    for (key, value, origin) in values(settings) {
        let meaning = description(&schema, key);
        match value {
            Some(value) => write_line(&mut text, &format!("{key} = {value}"), &meaning, Some(origin)),
            None => write_line(&mut text, "", &format!("{key} is not set. {meaning}"), Some(origin)),
        }
    }
    for (name, read_only) in &settings.profiles {
        let inner = Table::from_iter([("read-only".to_owned(), Value::Boolean(read_only.value))]);
        let profile = Table::from_iter([(name.clone(), Value::Table(inner))]);
        let table = Table::from_iter([("profiles".to_owned(), Value::Table(profile))]).to_string();
        for line in table.lines().filter(|line| !line.is_empty()) {
            let origin = (!line.starts_with('[')).then_some(&read_only.origin);
            let meaning = if origin.is_some() {
                "Whether consoles with this profile are read-only."
            } else {
                "The settings for one profile."
            };
            write_line(&mut text, line, meaning, origin);
        }
    }
    write_line(&mut text, "[keys]", &description(&schema, "keys"), None);
    for (action, keys) in &settings.keys {
        write_line(
            &mut text,
            &format!("{} = {}", action_name(*action), key_value(&keys.value)),
            help(*action),
            Some(&keys.origin),
        );
    }
    text
}

fn write_line(text: &mut String, line: &str, meaning: &str, origin: Option<&Origin>) {
    let origin = match origin {
        None => String::new(),
        Some(Origin::Default) => " This is the default.".to_owned(),
        Some(origin @ Origin::File { .. }) => format!(" Set in {origin}."),
        Some(Origin::Preferences(path)) => format!(" Saved in {}.", path.display()),
        Some(origin @ (Origin::Variable(_) | Origin::Option(_))) => format!(" Set by {origin}."),
    };
    let space = if line.is_empty() { "" } else { "  " };
    let _ = writeln!(text, "{line}{space}# {}", escape_controls(&format!("{meaning}{origin}")));
}

/// Returns the settings that have one value, in the order of the file, with the value as it is written in TOML.
pub(super) fn values(settings: &Settings) -> [(&'static str, Option<Value>, &Origin); 11] {
    fn row<'a, T: Serialize>(key: &'static str, setting: &'a Resolved<T>) -> (&'static str, Option<Value>, &'a Origin) {
        (key, Value::try_from(&setting.value).ok(), &setting.origin)
    }
    let Settings { theme, symbols, mouse, accessible, columns, page_size, .. } = settings;
    let Settings { target, profile, region, read_only, data_dir, .. } = settings;
    [
        row("theme", theme),
        row("symbols", symbols),
        row("mouse", mouse),
        row("accessible", accessible),
        row("columns", columns),
        row("page-size", page_size),
        ("target", Some(target.value.as_str().into()), &target.origin),
        row("profile", profile),
        row("region", region),
        row("read-only", read_only),
        row("data-dir", data_dir),
    ]
}

fn key_value(keys: &[KeyPress]) -> Value {
    match keys {
        [key] => key.to_string().into(),
        keys => Value::Array(keys.iter().map(|key| key.to_string().into()).collect()),
    }
}

fn help(action: Action) -> &'static str {
    BINDINGS.iter().find(|binding| binding.action == action).map_or("", |binding| binding.help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check::parse;
    use crate::config::{CONFIG_FILE, Layer};

    fn load(text: &str) -> Settings {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("xks-console");
        std::fs::create_dir(&config).unwrap();
        std::fs::write(config.join(CONFIG_FILE), text).unwrap();
        Settings::load(&Layer::default(), |name| (name == "XDG_CONFIG_HOME").then(|| dir.path().into())).unwrap()
    }

    #[test]
    fn printed_settings_are_a_configuration_with_the_same_values() {
        let text = r#"
theme = "high-contrast"
symbols = "ascii"
mouse = false
accessible = true
columns = ["key-id", "status"]
page-size = 20
target = "http://127.0.0.1:4599"
profile = "it's \"work\" # 1\t"
region = "eu-west-1"
read-only = true
data-dir = "/tmp/a # b"
[profiles."a.b # \" c"]
read-only = true
[profiles.prod]
read-only = false
[keys]
refresh = ["F5", "Ctrl-\\"]
search = '#'
line-numbers = 'l'
"#;
        let settings = load(text);
        let printed = print(&settings);
        assert!(printed.lines().all(|line| line.contains("# ")), "{printed}");
        let again = load(&printed);
        for ((key, one, _), (_, other, _)) in values(&settings).into_iter().zip(values(&again)) {
            assert!(one.is_some() && one == other, "{key}: {one:?} {other:?}");
        }
        assert_eq!(settings.keys(), again.keys());
        let read_only = |settings: &Settings| -> Vec<(String, bool)> {
            settings.profiles.iter().map(|(name, read_only)| (name.clone(), read_only.value)).collect()
        };
        assert_eq!(read_only(&settings), read_only(&again));
        assert_eq!(read_only(&settings), [("a.b # \" c".to_owned(), true), ("prod".to_owned(), false)]);
    }

    #[test]
    fn each_line_has_the_meaning_and_the_origin() {
        let printed = print(&Settings::default());
        parse(&printed, "printed".as_ref()).unwrap();
        for line in [
            "theme = \"auto\"  # The colors of the console. This is the default.",
            "# region is not set. The Region to use with AWS or an endpoint. This is the default.",
            "[keys]  # The keys of actions. Ctrl-C always quits.",
        ] {
            assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
        }
        let printed = print(&load("\nmouse = false\n[keys]\nrefresh = 'F5'\n"));
        assert!(printed.contains("mouse = false  # Whether the console responds to the mouse. Set in /"), "{printed}");
        assert!(printed.contains("xks-console/config.toml, line 2.\n"), "{printed}");
        assert!(printed.contains("refresh = \"F5\"  # Reload the data from AWS. Set in /"), "{printed}");
    }
}
