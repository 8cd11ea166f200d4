//! The shapes of requests: which members there are, of which types and within which limits, and the check of a JSON body
//! against them.
//!
//! What is of a wrong type is a `SerializationException`; all that breaks a limit is told in one `ValidationException`, in
//! AWS's words. Members that a shape lacks are passed over, as AWS does. The body is read in one go and nothing of it is
//! kept but what the refusal shows.

mod body;
mod pattern;

use super::error::ServiceError;

/// A type and its limits.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A text.
    String {
        /// Characters at least.
        min: usize,
        /// Characters at most.
        max: usize,
        /// What the whole of it must look like.
        pattern: Option<&'static str>,
        /// Whether no message may show it.
        is_sensitive: bool,
    },
    /// One of these words.
    Enum(&'static [&'static str]),
    /// A whole number, from and to.
    Integer(i64, i64),
    /// True or false.
    Boolean,
    /// Seconds since 1970.
    Timestamp,
    /// Bytes as Base64, so many of them at least and at most. No message shows them.
    Blob(usize, usize),
    /// Texts under names that the caller chooses.
    Map,
    /// So many elements of a shape, at least and at most.
    List(&'static Shape, usize, usize),
    /// Members by name.
    Structure(&'static [Member]),
}

/// A member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// As it is spelled on the wire.
    pub name: &'static str,
    /// What it can be.
    pub shape: Shape,
    /// Whether it must be there.
    pub is_required: bool,
}

/// A text of `least` to `most` characters.
pub const fn string(min: usize, max: usize) -> Shape {
    Shape::String { min, max, pattern: None, is_sensitive: false }
}

/// A text of any length.
pub const ANY_STRING: Shape = string(0, usize::MAX);

impl Shape {
    /// A text that looks like this regular expression.
    #[must_use]
    pub const fn with_pattern(self, regex: &'static str) -> Self {
        match self {
            Self::String { min, max, is_sensitive: is_secret, .. } => {
                Self::String { min, max, pattern: Some(regex), is_sensitive: is_secret }
            }
            other => other,
        }
    }

    /// A text that no message may show.
    #[must_use]
    pub const fn sensitive(self) -> Self {
        match self {
            Self::String { min, max, pattern, .. } => Self::String { min, max, pattern, is_sensitive: true },
            other => other,
        }
    }

    /// A member that must be there.
    pub const fn required(self, name: &'static str) -> Member {
        Member { name, shape: self, is_required: true }
    }

    /// A member that may be there.
    pub const fn optional(self, name: &'static str) -> Member {
        Member { name, shape: self, is_required: false }
    }

    /// The limits of a text, each in AWS's words, and whether `text` keeps it.
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
                    let words = format!("Member must satisfy regular expression pattern: {regex}");
                    limits.push((words, pattern::is_match(regex, value)));
                }
                limits
            }
            Self::Enum(words) => {
                let limit = format!("Member must satisfy enum value set: [{}]", words.join(", "));
                vec![(limit, words.contains(&value))]
            }
            _ => Vec::new(),
        }
    }

    /// Whether a text keeps all limits.
    fn accepts(&self, value: &str) -> bool {
        match self {
            Self::String { min, max, pattern, .. } => {
                // A character has four bytes at most: most texts need not be counted.
                let is_within = value.len() <= *max && value.len() >= min.saturating_mul(4);
                (is_within || (*min..=*max).contains(&value.chars().count()))
                    && pattern.is_none_or(|regex| pattern::is_match(regex, value))
            }
            Self::Enum(words) => words.contains(&value),
            _ => true,
        }
    }

    /// As in what AWS says of a value that can't be turned into it.
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

/// Holds a JSON body against the members of a request; an empty body has none.
///
/// # Errors
/// `SerializationException` for what is no JSON or of a wrong type, `ValidationException` for what breaks a limit or is
/// missing.
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
