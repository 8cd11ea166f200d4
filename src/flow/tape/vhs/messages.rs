//! What is wrong with a token, in words.

use super::super::key_names;
use super::Problem;
use super::grammar::{COMMANDS, SYNONYMS, setting};
use super::lexer::{Kind, Token};
use super::regexp;
use crate::text::nearest;

/// Returns an example of the string that `command` takes.
pub(super) fn example_of(command: &str) -> &'static str {
    match command {
        "Output" => "\"demo.gif\"",
        "Require" => "bash",
        "Screenshot" => "\"name.png\"",
        "Source" => "\"name.tape\"",
        _ => "\"text\"",
    }
}

/// Describes a word that isn't a command, if it is similar to one.
pub(super) fn describe_unknown_word(word: &str) -> Option<String> {
    if matches!(key_names::parse_key(word), Some(Ok(_))) {
        return Some(format!("VHS has no command `{word}`; write the line `#: key {word}`"));
    }
    if let Some((command, pattern)) = word.split_once('/')
        && command == "Wait"
    {
        return Some(format!("write a space between Wait and the regular expression: Wait /{pattern}"));
    }
    if setting(word).is_some() {
        return Some(format!("{word} is a setting; write Set {word} and its value"));
    }
    let synonym = SYNONYMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, command)| *command);
    let similar = synonym.or_else(|| nearest(word, COMMANDS.map(|(name, _)| name)))?;
    Some(format!("VHS has no command `{word}`; did you mean {similar}?"))
}

/// Describes a token without its closing delimiter.
pub(super) fn describe_unclosed(token: Token<'_>) -> String {
    match token.kind {
        Kind::Json => "the JSON object has no closing }".into(),
        Kind::Pattern => "the regular expression has no closing /".into(),
        _ => format!("the text has no closing {}; it ends on the line on which it starts", &token.raw[..1]),
    }
}

pub(super) fn check_pattern(pattern: Token<'_>) -> Result<Token<'_>, Problem<'_>> {
    match regexp::check(pattern.value) {
        Ok(()) => Ok(pattern),
        Err(problem) => Err(Problem::new(pattern, format!("the regular expression isn't valid: {problem}"))),
    }
}

/// Returns whether Go's `time.ParseDuration` accepts the time, and it is at least a nanosecond.
pub(super) fn is_positive_duration(number: &str, unit: &str) -> bool {
    let nanoseconds = match unit {
        "ms" => 1e6,
        "m" => 60e9,
        _ => 1e9,
    };
    // The maximum is that of 64 bits, about 292 years.
    number.parse::<f64>().is_ok_and(|number| (1.0..9.223_372_036_854_775e18).contains(&(number * nanoseconds)))
}
