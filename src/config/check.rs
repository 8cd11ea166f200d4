//! Finding all problems of a configuration.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::file::Configuration;
use super::layer::{Layer, Origin};
use crate::text::{escape_controls, nearest, plural};

/// A problem of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line of the file, or the variable.
    pub origin: Origin,
    /// The key, such as `theme` or `keys.refresh`. `None` if the line can't be read.
    pub key: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if let (Some(key), Origin::File { .. }) = (&self.key, &self.origin) {
            write!(f, "{}: ", escape_controls(key))?;
        }
        f.write_str(&escape_controls(&self.message))
    }
}

/// The reasons that the configuration can't be used. The program doesn't start then, because the configuration may turn
/// on read-only mode.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file exists but can't be read.
    #[error("Couldn't read {}: {source}", path.display())]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The file or a variable contains invalid settings.
    #[error("{}", describe(.0))]
    Invalid(Vec<Problem>),
}

fn describe(problems: &[Problem]) -> String {
    match problems {
        [problem] => format!("{problem} Correct this setting, then try again."),
        problems => {
            let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
            let count = plural(problems.len(), "problem", "problems");
            format!("The configuration has {count}. Correct these settings, then try again.{lines}")
        }
    }
}

/// A value that isn't a table, or an empty table.
struct Leaf {
    path: Vec<String>,
    line: usize,
    value: Value,
}

/// Parses the text of `config.toml` at `path`.
///
/// # Errors
/// All problems, by line.
pub fn parse(text: &str, path: &Path) -> Result<Layer, Vec<Problem>> {
    let origin = |line| Origin::File { path: path.to_owned(), line };
    let syntax_problem = |error: &toml::de::Error| Problem {
        origin: origin(error.span().map_or(1, |span| line_at(text, span.start))),
        key: None,
        message: describe_syntax_error(text, error),
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    let values: Table = match toml::from_str(text) {
        Ok(values) if errors.is_empty() => values,
        Err(error) if errors.is_empty() => return Err(vec![syntax_problem(&error)]),
        _ => return Err(errors.iter().map(syntax_problem).collect()),
    };
    let mut leaves = Vec::new();
    collect_leaves(text, table.get_ref(), &values, &mut Vec::new(), &mut leaves);
    leaves.sort_by_key(|leaf| leaf.line);
    let problems: Vec<Problem> = leaves.iter().filter_map(|leaf| problem(leaf, origin(leaf.line))).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let origins = leaves.iter().map(|leaf| (settings_path(&leaf.path).join("."), origin(leaf.line)));
    match Configuration::deserialize(with_profiles(values)) {
        Ok(values) => Ok(Layer::new(values, origins.collect())),
        Err(error) => Err(vec![syntax_problem(&error)]),
    }
}

/// Returns the line at `offset`, counted from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

fn describe_syntax_error(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim().replace('\n', "; ");
    let line = error.span().and_then(|span| text.lines().nth(line_at(text, span.start) - 1)).unwrap_or_default();
    let is_profile = line.trim_start().trim_start_matches('[').trim_start().starts_with("profile");
    if message.starts_with("duplicate key") && is_profile {
        return format!("{message}. If the file sets `profile`, write [profiles.NAME] instead of [profile.NAME].");
    }
    format!("{message}.")
}

fn collect_leaves(text: &str, table: &DeTable<'_>, values: &Table, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    for (key, value) in table {
        path.push(key.get_ref().to_string());
        match (value.get_ref(), values.get(key.get_ref().as_ref())) {
            (DeValue::Table(inner), Some(Value::Table(values))) if !values.is_empty() => {
                collect_leaves(text, inner, values, path, leaves);
            }
            (_, Some(value)) => {
                leaves.push(Leaf {
                    path: path.clone(),
                    line: line_at(text, Spanned::span(key).start),
                    value: value.clone(),
                });
            }
            (_, None) => {}
        }
        path.pop();
    }
}

fn problem(leaf: &Leaf, origin: Origin) -> Option<Problem> {
    let message = check_value(&leaf.path, &leaf.value).err()?;
    Some(Problem { origin, key: Some(leaf.path.join(".")), message })
}

/// Checks one value without the others.
///
/// # Errors
/// What is wrong, and what to do.
pub(super) fn check_value(path: &[String], value: &Value) -> Result<(), String> {
    let table = |key: &String, value| Table::from_iter([(key.clone(), value)]);
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let inner = rest.iter().rev().fold(value.clone(), |value, key| Value::Table(table(key, value)));
    match Configuration::deserialize(with_profiles(table(first, inner))) {
        Ok(_) => Ok(()),
        Err(error) => Err(explain(path, error.message().trim())),
    }
}

/// Returns `table` with the tables of `profile` as a part of `profiles`.
fn with_profiles(mut table: Table) -> Table {
    let Some(Value::Table(settings)) = table.get("profile").cloned() else { return table };
    table.remove("profile");
    if let Value::Table(profiles) = table.entry("profiles").or_insert_with(|| Value::Table(Table::new())) {
        for (name, value) in settings {
            profiles.entry(name).or_insert(value);
        }
    }
    table
}

/// Returns `path` with `profiles` for the tables of `profile`.
fn settings_path(path: &[String]) -> Vec<String> {
    let mut path = path.to_vec();
    if path.len() > 1 && path[0] == "profile" {
        "profiles".clone_into(&mut path[0]);
    }
    path
}

/// Turns a message of serde into one that says what to do.
fn explain(path: &[String], message: &str) -> String {
    if let Some((word, known)) = unknown_word(message, "unknown field `") {
        let what = if path.len() > 1 { "a setting of a profile" } else { "a setting" };
        return format!("\"{word}\" is not {what}. {}", suggestion(word, &known));
    }
    if let Some((word, known)) = unknown_word(message, "unknown variant `") {
        let what = if path.first().is_some_and(|key| key == "keys") { "an action" } else { "a valid value" };
        return format!("\"{word}\" is not {what}. {}", suggestion(word, &known));
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        let expected = if expected == "a boolean" { "true or false" } else { expected };
        return format!("Expected {expected}, but found {found}.");
    }
    let mut characters = message.chars();
    let capitalized = characters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if message.ends_with(['.', '?']) { "" } else { "." };
    format!("{capitalized}{}{end}", characters.as_str())
}

/// Returns the word that serde doesn't know, and those that it knows.
fn unknown_word<'a>(message: &'a str, prefix: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let (word, expected) = message.strip_prefix(prefix)?.rsplit_once("`, expected ")?;
    Some((word, expected.split('`').skip(1).step_by(2).collect()))
}

fn suggestion(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(nearest) => format!("Did you mean \"{nearest}\"?"),
        None => format!("Use {}.", choices(known)),
    }
}

/// Returns the words with commas and "or".
fn choices(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match words.as_slice() {
        [one, other] => format!("{one} or {other}"),
        [rest @ .., last] if !rest.is_empty() => format!("{}, or {last}", rest.join(", ")),
        words => words.concat(),
    }
}
