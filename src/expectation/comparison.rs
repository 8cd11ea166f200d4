//! Comparisons of a value in the output of an operation.

use std::cmp::Ordering;
use std::fmt;

use regex_lite::Regex;
use serde_json::Value;

use super::variables::{UndefinedVariable, Variables, names_in, names_in_value};

/// A comparison, such as `== true`.
#[derive(Clone, Debug)]
pub(super) enum Comparison {
    Equal(Value),
    NotEqual(Value),
    /// The operator as written, the orderings that it accepts, and the value.
    Ordered(&'static str, &'static [Ordering], Value),
    Contains(Value),
    Matches(String),
    Exists,
    Absent,
}

impl PartialEq for Comparison {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Comparison {
    /// Whether the comparison is true for `value`, which is `None` if there is no value.
    pub(super) fn is_true(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Exists | Self::NotEqual(Value::Null), value) => value.is_some(),
            (Self::Absent | Self::Equal(Value::Null), value) => value.is_none(),
            // A path that is misspelt must not be true.
            (Self::NotEqual(expected), Some(value)) => !is_equal(value, expected),
            (Self::Equal(expected), Some(value)) => is_equal(value, expected),
            (Self::Ordered(_, accepted, expected), Some(value)) => {
                compare(value, expected).is_some_and(|ordering| accepted.contains(&ordering))
            }
            (Self::Contains(Value::String(part)), Some(Value::String(text))) => text.contains(part.as_str()),
            (Self::Contains(element), Some(Value::Array(items))) => items.iter().any(|item| is_equal(item, element)),
            (Self::Matches(pattern), Some(Value::String(text))) => {
                Regex::new(pattern).is_ok_and(|regex| regex.is_match(text))
            }
            _ => false,
        }
    }

    /// Returns the comparison with variables replaced.
    pub(super) fn expand(&self, variables: &Variables) -> Result<Self, UndefinedVariable> {
        Ok(match self {
            Self::Equal(value) => Self::Equal(variables.expand_value(value)?),
            Self::NotEqual(value) => Self::NotEqual(variables.expand_value(value)?),
            Self::Ordered(operator, accepted, value) => {
                Self::Ordered(operator, accepted, variables.expand_value(value)?)
            }
            Self::Contains(value) => Self::Contains(variables.expand_value(value)?),
            Self::Matches(pattern) => Self::Matches(variables.expand_with(pattern, regex_lite::escape)?),
            Self::Exists => Self::Exists,
            Self::Absent => Self::Absent,
        })
    }

    /// Returns the names of the variables in the comparison.
    pub(super) fn variable_names(&self) -> Vec<String> {
        match self {
            Self::Equal(value) | Self::NotEqual(value) | Self::Ordered(_, _, value) | Self::Contains(value) => {
                names_in_value(value)
            }
            Self::Matches(pattern) => names_in(pattern),
            Self::Exists | Self::Absent => Vec::new(),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(value) => write!(f, "== {value}"),
            Self::NotEqual(value) => write!(f, "!= {value}"),
            Self::Ordered(operator, _, value) => write!(f, "{operator} {value}"),
            Self::Contains(value) => write!(f, "contains {value}"),
            Self::Matches(pattern) => write!(f, "matches /{pattern}/"),
            Self::Exists => f.write_str("exists"),
            Self::Absent => f.write_str("absent"),
        }
    }
}

/// Whether two values are equal. Numbers are equal if their values are: 1 and 1.0.
fn is_equal(one: &Value, other: &Value) -> bool {
    one == other || one.is_number() && compare(one, other) == Some(Ordering::Equal)
}

fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64()?.partial_cmp(&other.as_f64()?),
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        _ => None,
    }
}
