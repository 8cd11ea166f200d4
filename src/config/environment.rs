//! The settings in environment variables.

use std::collections::BTreeMap;
use std::ffi::OsString;

use serde::Deserialize as _;
use toml::{Table, Value};

use super::check::{Problem, check_value};
use super::file::Configuration;
use super::layer::{Layer, Origin};
use super::values::{DirectoryPath, RegionName};
use crate::tui::theme_name::ThemeName;

/// How the text of a variable is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    /// `true` or `1`, `false` or `0`.
    Boolean,
    Number,
    /// Words with commas.
    List,
    Path,
}

/// The settings that have a variable of their own.
const VARIABLES: [(&str, &str, Form); 11] = [
    ("theme", "XKS_CONSOLE_THEME", Form::Text),
    ("symbols", "XKS_CONSOLE_SYMBOLS", Form::Text),
    ("mouse", "XKS_CONSOLE_MOUSE", Form::Boolean),
    ("accessible", "XKS_CONSOLE_ACCESSIBLE", Form::Boolean),
    ("columns", "XKS_CONSOLE_COLUMNS", Form::List),
    ("page-size", "XKS_CONSOLE_PAGE_SIZE", Form::Number),
    ("target", "XKS_CONSOLE_TARGET", Form::Text),
    ("profile", "XKS_CONSOLE_PROFILE", Form::Text),
    ("region", "XKS_CONSOLE_REGION", Form::Text),
    ("read-only", "XKS_CONSOLE_READ_ONLY", Form::Boolean),
    ("data-dir", DATA_DIR_VARIABLE, Form::Path),
];
const DATA_DIR_VARIABLE: &str = "XKS_CONSOLE_DATA_DIR";
/// The variables of the AWS CLI for the profile, in the order in which they apply.
const PROFILE_VARIABLES: [&str; 2] = ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"];
/// The variables of the AWS CLI for the Region, in the order in which they apply.
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Reads the settings. `environment` looks up a variable; an empty one counts as unset.
///
/// # Errors
/// All problems.
pub fn read(environment: &impl Fn(&str) -> Option<OsString>) -> Result<Layer, Vec<Problem>> {
    let set = |variable: &'static str| environment(variable).filter(|text| !text.is_empty());
    let (mut values, mut origins, mut problems) = (Table::new(), BTreeMap::new(), Vec::new());
    for (key, variable, form) in VARIABLES.into_iter().filter(|(.., form)| *form != Form::Path) {
        let Some(text) = set(variable) else { continue };
        match parse(&text, form).and_then(|value| check_value(&[key.to_owned()], &value).map(|()| value)) {
            Ok(value) => {
                values.insert(key.to_owned(), value);
                origins.insert(key.to_owned(), Origin::Variable(variable));
            }
            Err(message) => {
                let (origin, key) = (Origin::Variable(variable), Some(key.to_owned()));
                problems.push(Problem { origin, key, message });
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut values = Configuration::deserialize(values).unwrap_or_default();
    if let Some(path) = set(DATA_DIR_VARIABLE) {
        // As with the option, a path may be relative to the current directory.
        values.data_dir = Some(DirectoryPath(path.into()));
        origins.insert("data-dir".to_owned(), Origin::Variable(DATA_DIR_VARIABLE));
    }
    add_conventions(&set, &mut values, &mut origins);
    Ok(Layer::new(values, origins))
}

/// Adds the settings in variables that many programs share. Those of this program take precedence. A value that can't
/// be used isn't a problem of the configuration: the part of the program that uses it reports it.
fn add_conventions(
    set: &impl Fn(&'static str) -> Option<OsString>,
    values: &mut Configuration,
    origins: &mut BTreeMap<String, Origin>,
) {
    let mut note = |key: &str, variable| origins.insert(key.to_owned(), Origin::Variable(variable));
    if values.theme.is_none() && set("NO_COLOR").is_some() {
        values.theme = Some(ThemeName::Mono);
        note("theme", "NO_COLOR");
    }
    if values.accessible.is_none()
        && let Some(text) = set("ACCESSIBLE")
    {
        values.accessible = Some(!["0", "false"].iter().any(|no| text.eq_ignore_ascii_case(no)));
        note("accessible", "ACCESSIBLE");
    }
    let first = |variables: [&'static str; 2]| {
        variables.into_iter().find_map(|variable| Some((variable, set(variable)?.into_string().ok()?)))
    };
    if values.profile.is_none()
        && let Some((variable, name)) = first(PROFILE_VARIABLES)
    {
        values.profile = Some(name);
        note("profile", variable);
    }
    if values.region.is_none()
        && let Some((variable, name)) = first(REGION_VARIABLES)
    {
        values.region = Some(RegionName(name));
        note("region", variable);
    }
}

/// Turns the text of a variable into the value that `config.toml` would have.
fn parse(text: &OsString, form: Form) -> Result<Value, String> {
    let text = text.to_str().ok_or("The value is not valid UTF-8.")?;
    Ok(match (form, text.to_ascii_lowercase().as_str()) {
        (Form::Boolean, "1" | "true") => Value::Boolean(true),
        (Form::Boolean, "0" | "false") => Value::Boolean(false),
        (Form::Number, _) => text.parse().map_or_else(|_| text.into(), Value::Integer),
        (Form::List, _) => Value::Array(text.split(',').map(|word| word.trim().into()).collect()),
        _ => text.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values::{Columns, PageSize, TargetSetting};
    use crate::tui::preferences::KeyColumn;
    use crate::tui::theme_name::SymbolSet;

    fn read_all(variables: &[(&str, &str)]) -> Result<Layer, Vec<String>> {
        let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        read(&find).map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_setting_is_read_from_its_variable() {
        let layer = read_all(&[
            ("XKS_CONSOLE_THEME", "high-contrast"),
            ("XKS_CONSOLE_SYMBOLS", "ascii"),
            ("XKS_CONSOLE_MOUSE", "0"),
            ("XKS_CONSOLE_ACCESSIBLE", "TRUE"),
            ("XKS_CONSOLE_COLUMNS", "aliases, key-id"),
            ("XKS_CONSOLE_PAGE_SIZE", "20"),
            ("XKS_CONSOLE_TARGET", "http://127.0.0.1:4599"),
            ("XKS_CONSOLE_PROFILE", "work"),
            ("XKS_CONSOLE_REGION", "eu-west-1"),
            ("XKS_CONSOLE_READ_ONLY", "1"),
            ("XKS_CONSOLE_DATA_DIR", "here"),
            ("NO_COLOR", "1"),
            ("ACCESSIBLE", "0"),
            ("AWS_PROFILE", "other"),
            ("AWS_REGION", "us-east-1"),
        ])
        .unwrap();
        let expected = Configuration {
            theme: Some(ThemeName::HighContrast),
            symbols: Some(SymbolSet::Ascii),
            mouse: Some(false),
            accessible: Some(true),
            columns: Some(Columns(vec![KeyColumn::Aliases, KeyColumn::KeyId])),
            page_size: Some(PageSize(20)),
            target: Some(TargetSetting::Endpoint("http://127.0.0.1:4599".to_owned())),
            profile: Some("work".to_owned()),
            region: Some(RegionName("eu-west-1".to_owned())),
            read_only: Some(true),
            data_dir: Some(DirectoryPath("here".into())),
            ..Configuration::default()
        };
        assert_eq!(layer.values, expected);
        for (key, variable, _) in VARIABLES {
            assert_eq!(layer.origin(key), Origin::Variable(variable));
            assert_eq!(variable, format!("XKS_CONSOLE_{}", key.to_uppercase().replace('-', "_")));
        }
    }

    #[test]
    fn variables_of_other_programs_count_unless_they_are_empty() {
        let shared =
            [("NO_COLOR", "0"), ("ACCESSIBLE", "1"), ("AWS_PROFILE", "work"), ("AWS_DEFAULT_REGION", "NOT VALID")];
        let layer = read_all(&shared).unwrap();
        assert_eq!((layer.values.theme, layer.origin("theme")), (Some(ThemeName::Mono), Origin::Variable("NO_COLOR")));
        assert_eq!((layer.values.accessible, layer.values.profile.as_deref()), (Some(true), Some("work")));
        assert_eq!(layer.values.region, Some(RegionName("NOT VALID".to_owned())));
        assert_eq!(read_all(&shared.map(|(name, _)| (name, ""))), Ok(Layer::default()));
        assert_eq!(read_all(&[("ACCESSIBLE", "false")]).unwrap().values.accessible, Some(false));
    }

    #[test]
    fn every_problem_is_reported_with_its_variable() {
        let problems = read_all(&[
            ("XKS_CONSOLE_THEME", "drak"),
            ("XKS_CONSOLE_MOUSE", "maybe"),
            ("XKS_CONSOLE_COLUMNS", "alias,key-id"),
            ("XKS_CONSOLE_PAGE_SIZE", "many"),
            ("XKS_CONSOLE_TARGET", "https://ada:hunter2@kms.example.com"),
            ("XKS_CONSOLE_REGION", "EU"),
        ])
        .unwrap_err();
        assert_eq!(problems.len(), 6, "{problems:#?}");
        for (problem, part) in problems.iter().zip([
            "XKS_CONSOLE_THEME: \"drak\" is not a valid value. Did you mean \"dark\"?",
            "XKS_CONSOLE_MOUSE: Expected true or false, but found string \"maybe\".",
            "XKS_CONSOLE_COLUMNS: \"alias\" is not a valid value. Did you mean \"aliases\"?",
            "XKS_CONSOLE_PAGE_SIZE: Expected ",
            "XKS_CONSOLE_TARGET: The URL contains a user name or password.",
            "XKS_CONSOLE_REGION: \"EU\" is not a valid Region.",
        ]) {
            assert!(problem.starts_with(part), "{problem}");
            assert!(!problem.contains("hunter2"), "{problem}");
        }
    }
}
