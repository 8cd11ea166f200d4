//! The shapes of requests (members, types, and constraints), and the validation of a JSON body against them.
//!
//! A value of the wrong type is a `SerializationException`. All violated constraints are reported in one
//! `ValidationException`, in AWS's wording. Unknown members are ignored, as in AWS. The body is validated in one pass,
//! and only the values that an error message quotes are copied.

mod body;
mod pattern;

use super::error::ServiceError;

/// A type and its constraints.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string.
    String {
        /// The minimum number of characters.
        min: usize,
        /// The maximum number of characters.
        max: usize,
        /// The regular expression that the whole string must match.
        pattern: Option<&'static str>,
        /// Whether the value must not appear in messages.
        is_sensitive: bool,
    },
    /// One of these strings.
    Enum(&'static [&'static str]),
    /// An integer between these bounds, inclusive.
    Integer(i64, i64),
    /// True or false.
    Boolean,
    /// A timestamp in epoch seconds.
    Timestamp,
    /// Base64-encoded bytes, with the minimum and maximum length. They never appear in messages.
    Blob(usize, usize),
    /// A map from arbitrary names to strings.
    Map,
    /// A list of a shape, with the minimum and maximum number of elements.
    List(&'static Shape, usize, usize),
    /// A structure with named members.
    Structure(&'static [Member]),
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name on the wire.
    pub name: &'static str,
    /// The shape of the value.
    pub shape: Shape,
    /// Whether the member is required.
    pub is_required: bool,
}

/// Returns the shape of a string with `min` to `max` characters.
pub const fn string(min: usize, max: usize) -> Shape {
    Shape::String { min, max, pattern: None, is_sensitive: false }
}

/// The shape of a string of any length.
pub const ANY_STRING: Shape = string(0, usize::MAX);

impl Shape {
    /// Adds a regular expression that the whole string must match.
    #[must_use]
    pub const fn with_pattern(self, regex: &'static str) -> Self {
        match self {
            Self::String { min, max, is_sensitive: is_secret, .. } => {
                Self::String { min, max, pattern: Some(regex), is_sensitive: is_secret }
            }
            other => other,
        }
    }

    /// Excludes the value from messages.
    #[must_use]
    pub const fn sensitive(self) -> Self {
        match self {
            Self::String { min, max, pattern, .. } => Self::String { min, max, pattern, is_sensitive: true },
            other => other,
        }
    }

    /// Returns a required member with this shape.
    pub const fn required(self, name: &'static str) -> Member {
        Member { name, shape: self, is_required: true }
    }

    /// Returns an optional member with this shape.
    pub const fn optional(self, name: &'static str) -> Member {
        Member { name, shape: self, is_required: false }
    }

    /// Returns the constraints of a string in AWS's wording, each with whether `value` satisfies it.
    fn constraints(&self, value: &str) -> Vec<(String, bool)> {
        match self {
            Self::String { min, max, pattern, .. } => {
                let length = value.chars().count();
                let mut limits = Vec::new();
                if *max < usize::MAX {
                    limits.push((at_most("length", max), length <= *max));
                    limits.push((at_least("length", min), length >= *min));
                }
                if let Some(regex) = pattern {
                    let constraint = format!("Member must satisfy regular expression pattern: {regex}");
                    limits.push((constraint, pattern::is_match(regex, value)));
                }
                limits
            }
            Self::Enum(values) => {
                let limit = format!("Member must satisfy enum value set: [{}]", values.join(", "));
                vec![(limit, values.contains(&value))]
            }
            _ => Vec::new(),
        }
    }

    /// Whether a string satisfies all constraints.
    fn accepts(&self, value: &str) -> bool {
        match self {
            Self::String { min, max, pattern, .. } => {
                // A character has at most 4 bytes, so most strings don't need to be counted.
                let is_within = value.len() <= *max && value.len() >= min.saturating_mul(4);
                (is_within || (*min..=*max).contains(&value.chars().count()))
                    && pattern.is_none_or(|regex| pattern::is_match(regex, value))
            }
            Self::Enum(values) => values.contains(&value),
            _ => true,
        }
    }

    /// Returns the type name in AWS's conversion errors.
    const fn type_name(&self) -> &'static str {
        match self {
            Self::String { .. } | Self::Enum(_) => "a String",
            Self::Integer(..) => "an Integer",
            Self::Boolean => "a Boolean",
            Self::Timestamp => "milliseconds since epoch",
            Self::Blob(..) => "a Blob",
            Self::Map => "a Map",
            Self::List(..) => "a List",
            Self::Structure(_) => "a Structure",
        }
    }
}

fn at_least(what: &str, min: &impl std::fmt::Display) -> String {
    format!("Member must have {what} greater than or equal to {min}")
}

fn at_most(what: &str, max: &impl std::fmt::Display) -> String {
    format!("Member must have {what} less than or equal to {max}")
}

/// Validates a JSON body against the members of a request. An empty body is a structure without members.
///
/// # Errors
/// `SerializationException` if the body isn't JSON or a value has the wrong type. `ValidationException` if a constraint
/// is violated or a required member is missing.
pub fn validate(members: &'static [Member], body: &[u8]) -> Result<(), ServiceError> {
    let violations = body::validate(members, if body.is_empty() { b"{}" } else { body })?;
    match violations.len() {
        0 => Ok(()),
        1 => Err(ServiceError::validation(format!("1 validation error detected: {}", violations[0]))),
        count => {
            Err(ServiceError::validation(format!("{count} validation errors detected: {}", violations.join("; "))))
        }
    }
}

#[cfg(test)]
mod tests;
