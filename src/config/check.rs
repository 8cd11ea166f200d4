//! Finding all problems of a configuration.

use std::fmt::{self, Write as _};
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
    #[error("Couldn't read {}: {source}. Make sure that it is a file that you can read.", path.display())]
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
            let count = plural(problems.len(), "problem", "problems");
            let mut text = format!("The configuration has {count}. Correct these settings, then try again.");
            for problem in problems {
                let _ = write!(text, "\n  {problem}");
            }
            text
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
        _ => {
            let mut problems: Vec<Problem> = Vec::new();
            for problem in errors.iter().map(syntax_problem) {
                // The parser reports some problems more than once.
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
            return Err(problems);
        }
    };
    let mut leaves = Vec::new();
    collect_leaves(text, table.get_ref(), &values, &mut Vec::new(), &mut leaves);
    leaves.sort_by_key(|leaf| leaf.line);
    let mut problems: Vec<Problem> = leaves.iter().filter_map(|leaf| problem(leaf, origin(leaf.line))).collect();
    // Each value in an unknown table has the same problem.
    problems.dedup_by(|next, previous| next.message == previous.message && top_level(next) == top_level(previous));
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
    let key = line.trim_start_matches([' ', '\t', '[']);
    // The first `profile` is a name, and the second one a table, or the other way around.
    if ["duplicate key", "cannot extend"].iter().any(|conflict| message.starts_with(conflict))
        && key.starts_with("profile")
    {
        return "A file can't contain both `profile = …` and [profile.NAME]. Write [profiles.NAME] instead.".to_owned();
    }
    sentence(&message)
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

/// Returns the first part of the key.
fn top_level(problem: &Problem) -> Option<&str> {
    problem.key.as_deref().and_then(|key| key.split('.').next())
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
        let is_top_level = path.first().is_some_and(|key| key == word);
        let what = if is_top_level { "a setting" } else { "a setting of a profile" };
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
    sentence(message)
}

/// Returns `message` with a capital letter at the start and a period at the end.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if message.ends_with(['.', '?']) { "" } else { "." };
    format!("{first}{}{end}", characters.as_str())
}

/// Returns the word that serde doesn't know, and those that it knows.
fn unknown_word<'a>(message: &'a str, prefix: &str) -> Option<(&'a str, Vec<&'a str>)> {
    let (word, expected) = message.strip_prefix(prefix)?.rsplit_once("`, expected ")?;
    Some((word, expected.split('`').skip(1).step_by(2).collect()))
}

fn suggestion(word: &str, known: &[&str]) -> String {
    let longer = || known.iter().copied().find(|known| word.len() > 2 && known.starts_with(word));
    match nearest(word, known.iter().copied()).or_else(longer) {
        Some(meant) => format!("Did you mean \"{meant}\"?"),
        None => format!("Use {}.", choices(known.iter().map(|word| format!("\"{word}\"")))),
    }
}

/// Returns the values with commas and "or".
pub(super) fn choices(values: impl IntoIterator<Item = impl ToString>) -> String {
    let values: Vec<String> = values.into_iter().map(|value| value.to_string()).collect();
    match values.as_slice() {
        [one, other] => format!("{one} or {other}"),
        [rest @ .., last] if !rest.is_empty() => format!("{}, or {last}", rest.join(", ")),
        values => values.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let problems = parse(text, Path::new("config.toml")).unwrap_err();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_problem_is_reported_with_its_line_key_and_remedy() {
        let text = r#"
theme = "drak"
themes = "dark"
mouse = "yes"
read_only = true
page-size = 30
columns = ["alias", "key-id"]
target = "bundeld"
data-dir = "x"
region = "Oregon"
profile = 3
symbols = ["ascii"]
[profiles.work]
readonly = true
read-only = 3
[keys]
hlep = "F1"
quit = "Ctrl-C"
refresh = ["F5", "Entr"]
search = 3
copy = []
back = "Ctrl-M"
[colors]
[colours]
dark = 1
light = 2
"#;
        let expected = [
            "line 2: theme: \"drak\" is not a valid value. Did you mean \"dark\"?",
            "line 3: themes: \"themes\" is not a setting. Did you mean \"theme\"?",
            "line 4: mouse: Expected true or false, but found string \"yes\".",
            "line 5: read_only: \"read_only\" is not a setting. Did you mean \"read-only\"?",
            "line 6: page-size: 30 is not an available page size. Use 10, 20, or 50.",
            "line 7: columns: \"alias\" is not a valid value. Did you mean \"aliases\"?",
            "line 8: target: \"bundeld\" is not a target. Did you mean \"bundled\"?",
            "line 9: data-dir: \"x\" is not an absolute path. Start the path with / or ~/.",
            "line 10: region: \"Oregon\" is not a valid Region. Example: us-west-2.",
            "line 11: profile: Expected a string, but found integer `3`.",
            "line 12: symbols: ",
            "line 14: profiles.work.readonly: \"readonly\" is not a setting of a profile. Did you mean \"read-only\"?",
            "line 15: profiles.work.read-only: Expected true or false, but found integer `3`.",
            "line 17: keys.hlep: \"hlep\" is not an action. Did you mean \"help\"?",
            "line 18: keys.quit: Ctrl-C always quits, so it can't be assigned. Choose another key.",
            "line 19: keys.refresh: \"Entr\" is not a key. Did you mean \"Enter\"?",
            "line 20: keys.search: Expected a key such as \"n\", or a list of keys, but found another value.",
            "line 21: keys.copy: The list is empty. Name at least one key, or remove the line.",
            "line 22: keys.back: Terminals can't send \"Ctrl-M\". They send Enter for it.",
            "line 23: colors: \"colors\" is not a setting. Use \"theme\", ",
            "line 25: colours.dark: \"colours\" is not a setting. Use \"theme\", ",
        ];
        let found = problems(text);
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(&format!("config.toml, {expected}")), "{found}\n{expected}");
        }
    }

    #[test]
    fn syntax_errors_are_reported_alone_and_once() {
        for (text, expected) in [
            ("# all\nread-only = tru\ntheme = 3\n", vec![2]),
            ("a = [\n", vec![1]),
            ("theme = 'dark'\ntheme = 'light'\n", vec![2]),
            ("theme = \n\nmouse = ?\n", vec![1, 3]),
        ] {
            let found = parse(text, Path::new("config.toml")).unwrap_err();
            let lines: Vec<usize> = found
                .iter()
                .map(|problem| match problem.origin {
                    Origin::File { line, .. } => line,
                    _ => 0,
                })
                .collect();
            assert!(expected.iter().all(|line| lines.contains(line)), "{text}: {found:#?}");
            assert!(found.iter().all(|problem| problem.key.is_none()), "{text}: {found:#?}");
        }
    }

    #[test]
    fn problems_contain_no_password_and_no_control_character() {
        let found = problems("target = 'https://ada:hunter2@kms.example.com'\n\"the\\u001bme\" = 1\n");
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found.iter().all(|problem| !problem.contains("hunter2") && !problem.contains('\u{1b}')), "{found:#?}");
    }

    #[test]
    fn table_of_a_profile_must_be_a_table() {
        assert_eq!(
            problems("[profile]\nprod = true\n"),
            ["config.toml, line 2: profile.prod: Expected a table such as [profile.prod], but found boolean `true`."]
        );
    }

    #[test]
    fn several_problems_are_counted() {
        let error = ConfigurationError::Invalid(parse("a = 1\nb = 2\n", Path::new("c")).unwrap_err()).to_string();
        assert!(
            error.starts_with(
                "The configuration has 2 problems. Correct these settings, then try again.\n  c, line 1: "
            )
        );
    }
}
