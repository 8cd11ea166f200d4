//! Paths into the output of an operation.

use std::fmt;

use serde_json::Value;

use super::comparison::Comparison;
use super::variables::{UndefinedVariable, Variables};

/// A path, such as `.Aliases[.AliasName == "alias/a"].TargetKeyId`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Path(pub(super) Vec<Segment>);

/// A part of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Segment {
    /// A member of an object.
    Member(String),
    /// An element of a list, counted from the end if it is negative.
    Index(i64),
    /// The first element of a list for which the comparison is true.
    First(Path, Comparison),
    /// The number of elements or characters.
    Length,
}

impl Path {
    /// Whether the path leads to the output as a whole.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value at the path. A `null` counts as no value.
    pub(super) fn find(&self, output: &Value) -> Option<Value> {
        let mut value = output.clone();
        for segment in &self.0 {
            value = match (segment, value) {
                (Segment::Member(name), Value::Object(mut members)) => members.remove(name)?,
                (Segment::Index(index), Value::Array(mut items)) => {
                    let index = if *index < 0 { i64::try_from(items.len()).ok()? + index } else { *index };
                    let index = usize::try_from(index).ok().filter(|index| *index < items.len())?;
                    items.swap_remove(index)
                }
                (Segment::First(path, comparison), Value::Array(items)) => {
                    items.into_iter().find(|item| comparison.is_true(path.find(item).as_ref()))?
                }
                (Segment::Length, Value::Array(items)) => Value::from(items.len()),
                (Segment::Length, Value::Object(members)) => Value::from(members.len()),
                (Segment::Length, Value::String(text)) => Value::from(text.chars().count()),
                _ => return None,
            };
        }
        Some(value).filter(|value| !value.is_null())
    }

    /// Returns the path with variables replaced.
    pub(super) fn expand(&self, variables: &Variables) -> Result<Self, UndefinedVariable> {
        let expand = |segment: &Segment| {
            Ok(match segment {
                Segment::First(path, comparison) => {
                    Segment::First(path.expand(variables)?, comparison.expand(variables)?)
                }
                other => other.clone(),
            })
        };
        self.0.iter().map(expand).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the names of the variables in the path.
    pub(super) fn variable_names(&self) -> Vec<String> {
        let names = |segment: &Segment| match segment {
            Segment::First(path, comparison) => {
                let mut names = path.variable_names();
                names.extend(comparison.variable_names());
                names
            }
            _ => Vec::new(),
        };
        self.0.iter().flat_map(names).collect()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|segment| match segment {
            Segment::Member(name) => write!(f, ".{name}"),
            Segment::Index(index) => write!(f, "[{index}]"),
            Segment::First(path, comparison) => write!(f, "[{path} {comparison}]"),
            Segment::Length => f.write_str(" | length"),
        })
    }
}
