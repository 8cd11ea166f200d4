//! Parses expectations.

use std::cmp::Ordering;

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::Request;
use super::comparison::Comparison;
use super::path::{Path, Segment};
use super::variables::names_in;
use crate::aws::error::check_error_code;
use crate::client::named_call::NamedOperation;

/// A problem in the text of an expectation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ParseError {
    /// The column in characters, starting at 1.
    pub column: usize,
    /// What is wrong, and how to correct it.
    pub problem: String,
}

/// How deeply comparisons in brackets can contain each other.
const MAX_DEPTH: usize = 16;

/// The comparisons with a JSON value, longest first.
const OPERATORS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];

const HOW_TO_COMPARE: &str =
    "write ==, !=, <, <=, >, >=, contains, matches, exists, or absent after the path, such as == true";

/// The text that remains to be parsed.
pub(super) struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    /// How many comparisons in brackets contain the current place.
    depth: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, rest: text, depth: 0 }
    }

    fn error<T>(&self, problem: impl Into<String>) -> Result<T, ParseError> {
        let column = self.text[..self.text.len() - self.rest.len()].chars().count() + 1;
        Err(ParseError { column, problem: problem.into() })
    }

    fn skip_spaces(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes `part` from the start of the rest.
    fn take(&mut self, part: &str) -> bool {
        match self.rest.strip_prefix(part) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes the longest start of the rest that consists of these characters.
    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !belongs(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Takes the word `word`, if it comes next.
    pub(super) fn word(&mut self, word: &str) -> bool {
        self.skip_spaces();
        let is_whole = self.rest.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
        is_whole && self.take(word)
    }

    /// Requires that nothing is left.
    pub(super) fn end(&mut self) -> Result<(), ParseError> {
        self.skip_spaces();
        if self.rest.is_empty() { Ok(()) } else { self.error(format!("remove `{}`", self.rest)) }
    }

    /// Parses an operation and its input.
    pub(super) fn request(&mut self) -> Result<Request, ParseError> {
        self.skip_spaces();
        let start = self.rest;
        let action = self.take_while(|character| !character.is_whitespace() && !"{.[".contains(character));
        let operation = match NamedOperation::find(action) {
            Ok(operation) => operation,
            Err(error) => {
                self.rest = start;
                return self.error(error.to_string());
            }
        };
        self.skip_spaces();
        let start = self.rest;
        let input = if start.starts_with('{') { self.json()? } else { Value::Object(Map::new()) };
        if let Err(error) = operation.check(&input) {
            self.rest = start;
            return self.error(error.to_string());
        }
        Ok(Request { operation, input })
    }

    /// Parses the code of an error.
    pub(super) fn error_code(&mut self) -> Result<String, ParseError> {
        self.skip_spaces();
        let code = self.take_while(|character| character.is_ascii_alphanumeric() || character == '.');
        if code.is_empty() {
            return self.error("write an error code after fails, such as NotFoundException");
        }
        if let Err(problem) = check_error_code(code) {
            self.rest = &self.text[self.text.len() - self.rest.len() - code.len()..];
            return self.error(problem);
        }
        Ok(code.to_owned())
    }

    /// Parses a path, which can be empty.
    pub(super) fn path(&mut self) -> Result<Path, ParseError> {
        let mut segments = Vec::new();
        loop {
            self.skip_spaces();
            if self.take(".") {
                let name = self.take_while(|character| character.is_ascii_alphanumeric() || "_-".contains(character));
                if name.is_empty() {
                    return self.error("write the name of a member after the dot, such as .KeyMetadata");
                }
                segments.push(Segment::Member(name.to_owned()));
            } else if self.take("[") {
                segments.push(self.element()?);
                self.skip_spaces();
                if !self.take("]") {
                    return self.error("there is no closing ]");
                }
            } else if self.take("|") {
                if !self.word("length") {
                    return self.error("write length after |");
                }
                segments.push(Segment::Length);
            } else {
                return Ok(Path(segments));
            }
        }
    }

    fn element(&mut self) -> Result<Segment, ParseError> {
        self.skip_spaces();
        if self.rest.starts_with('.') {
            if self.depth == MAX_DEPTH {
                return self.error(format!("comparisons in [ ] can contain each other {MAX_DEPTH} times at most"));
            }
            self.depth += 1;
            let segment = Segment::First(self.path()?, self.comparison()?);
            self.depth -= 1;
            return Ok(segment);
        }
        let start = self.rest;
        let number = self.take_while(|character| character.is_ascii_digit() || character == '-');
        if let Ok(index) = number.parse() {
            return Ok(Segment::Index(index));
        }
        self.rest = start;
        self.error("write a number or a comparison in [ ], such as [0] or [.AliasName == \"alias/a\"]")
    }

    /// Parses a comparison.
    pub(super) fn comparison(&mut self) -> Result<Comparison, ParseError> {
        if self.word("exists") {
            return Ok(Comparison::Exists);
        }
        if self.word("absent") {
            return Ok(Comparison::Absent);
        }
        if self.word("contains") {
            return Ok(Comparison::Contains(self.json()?));
        }
        if self.word("matches") {
            return Ok(Comparison::Matches(self.pattern()?));
        }
        self.skip_spaces();
        let Some(operator) = OPERATORS.into_iter().find(|operator| self.take(operator)) else {
            return self.error(HOW_TO_COMPARE);
        };
        let start = self.rest;
        let value = self.json()?;
        let accepted: &[Ordering] = match operator {
            "==" => return Ok(Comparison::Equal(value)),
            "!=" => return Ok(Comparison::NotEqual(value)),
            "<=" => &[Ordering::Less, Ordering::Equal],
            ">=" => &[Ordering::Greater, Ordering::Equal],
            "<" => &[Ordering::Less],
            _ => &[Ordering::Greater],
        };
        if !value.is_number() && !value.is_string() {
            self.rest = start;
            return self.error(format!("{operator} compares numbers and texts only"));
        }
        Ok(Comparison::Ordered(operator, accepted, value))
    }

    fn json(&mut self) -> Result<Value, ParseError> {
        self.skip_spaces();
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                self.rest = &self.rest[values.byte_offset()..];
                Ok(value)
            }
            Some(Err(error)) if !error.is_eof() => {
                // The column of serde_json counts bytes and starts at 1.
                let at = error.column().saturating_sub(1).min(self.rest.len());
                self.rest = self.rest.get(at..).unwrap_or(self.rest);
                self.error("this isn't valid JSON; put texts in double quotes, such as {\"KeyId\": \"alias/payments\"}")
            }
            _ => self.error("the JSON value is missing or incomplete; put texts in double quotes"),
        }
    }

    fn pattern(&mut self) -> Result<String, ParseError> {
        self.skip_spaces();
        let start = self.rest;
        let Some(inside) = self.rest.strip_prefix('/') else {
            return self.error("write a regular expression after matches, such as /^alias/");
        };
        let mut is_escaped = false;
        let end = inside.find(|character| {
            let closes = character == '/' && !is_escaped;
            is_escaped = character == '\\' && !is_escaped;
            closes
        });
        let Some(end) = end else { return self.error("the regular expression has no closing /") };
        self.rest = &inside[end + 1..];
        let pattern = inside[..end].replace("\\/", "/");
        if names_in(&pattern).is_empty()
            && let Err(error) = Regex::new(&pattern)
        {
            self.rest = start;
            return self.error(format!("/{pattern}/ is not a valid regular expression: {error}"));
        }
        Ok(pattern)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Expectation;

    #[test]
    fn problems_have_a_column_and_a_remedy() {
        for (text, column, part) in [
            ("kms:DescribKey {}", 1, "did you mean kms:DescribeKey?"),
            (r#"kms:DescribeKey {"KeyID": "a"} exists"#, 17, "KeyI"),
            (r#"kms:DescribeKey {"KeyId": a} exists"#, 27, "isn't valid JSON"),
            (r#"kms:DescribeKey {"KeyId": "a"#, 17, "missing or incomplete"),
            ("kms:ListKeys .Keys", 19, "write ==, !="),
            ("kms:ListKeys .Keys = 1", 20, "write ==, !="),
            ("kms:ListKeys .Keys == ", 23, "missing"),
            ("kms:ListKeys . == 1", 15, "name of a member"),
            ("kms:ListKeys .Keys[x] exists", 20, "a number or a comparison"),
            (&format!("kms:ListKeys {}", "[.a".repeat(1_000)), 63, "16 times at most"),
            ("kms:ListKeys .Keys[0 exists", 22, "no closing ]"),
            ("kms:ListKeys .Keys | size == 1", 22, "length"),
            ("kms:ListKeys .Keys > [1]", 21, "numbers and texts"),
            ("kms:ListKeys .Keys exists now", 27, "remove `now`"),
            ("kms:ListKeys fails", 19, "an error code"),
            ("kms:ListKeys fails NotFoundExcepton", 20, "did you mean NotFoundException?"),
            ("kms:ListKeys .a matches /(/", 25, "not a valid regular expression"),
        ] {
            let error = Expectation::parse(text).unwrap_err();
            assert!(error.problem.contains(part), "{text}: {}", error.problem);
            assert_eq!(error.column, column, "{text}: {}", error.problem);
        }
    }

    proptest! {
        #[test]
        fn parser_never_panics(text in "(kms:ListKeys )?[ -~é]{0,40}") {
            let _ = Expectation::parse(&text);
        }
    }
}
