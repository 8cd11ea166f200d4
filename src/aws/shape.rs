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
    Text {
        /// Characters at least.
        least: usize,
        /// Characters at most.
        most: usize,
        /// What the whole of it must look like.
        pattern: Option<&'static str>,
        /// Whether no message may show it.
        is_secret: bool,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number, from and to.
    Whole(i64, i64),
    /// True or false.
    Truth,
    /// Seconds since 1970.
    Moment,
    /// Bytes as Base64, so many of them at least and at most. No message shows them.
    Bytes(usize, usize),
    /// Texts under names that the caller chooses.
    Texts,
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
pub const fn text(least: usize, most: usize) -> Shape {
    Shape::Text { least, most, pattern: None, is_secret: false }
}

/// A text of any length.
pub const ANY_TEXT: Shape = text(0, usize::MAX);

impl Shape {
    /// A text that looks like this regular expression.
    #[must_use]
    pub const fn like(self, regex: &'static str) -> Self {
        match self {
            Self::Text { least, most, is_secret, .. } => Self::Text { least, most, pattern: Some(regex), is_secret },
            other => other,
        }
    }

    /// A text that no message may show.
    #[must_use]
    pub const fn secret(self) -> Self {
        match self {
            Self::Text { least, most, pattern, .. } => Self::Text { least, most, pattern, is_secret: true },
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
    fn limits(&self, value: &str) -> Vec<(String, bool)> {
        match self {
            Self::Text { least, most, pattern, .. } => {
                let length = value.chars().count();
                let mut limits = Vec::new();
                if *most < usize::MAX {
                    limits.push((at_most("length", most), length <= *most));
                    limits.push((at_least("length", least), length >= *least));
                }
                if let Some(regex) = pattern {
                    let words = format!("Member must satisfy regular expression pattern: {regex}");
                    limits.push((words, pattern::fits(regex, value)));
                }
                limits
            }
            Self::Word(words) => {
                let limit = format!("Member must satisfy enum value set: [{}]", words.join(", "));
                vec![(limit, words.contains(&value))]
            }
            _ => Vec::new(),
        }
    }

    /// Whether a text keeps all limits.
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Text { least, most, pattern, .. } => {
                // A character has four bytes at most: most texts need not be counted.
                let is_within = value.len() <= *most && value.len() >= least.saturating_mul(4);
                (is_within || (*least..=*most).contains(&value.chars().count()))
                    && pattern.is_none_or(|regex| pattern::fits(regex, value))
            }
            Self::Word(words) => words.contains(&value),
            _ => true,
        }
    }

    /// As in what AWS says of a value that can't be turned into it.
    const fn called(&self) -> &'static str {
        match self {
            Self::Text { .. } | Self::Word(_) => "a String",
            Self::Whole(..) => "an Integer",
            Self::Truth => "a Boolean",
            Self::Moment => "milliseconds since epoch",
            Self::Bytes(..) => "a Blob",
            Self::Texts => "a Map",
            Self::List(..) => "a List",
            Self::Structure(_) => "a Structure",
        }
    }
}

fn at_least(what: &str, least: &impl std::fmt::Display) -> String {
    format!("Member must have {what} greater than or equal to {least}")
}

fn at_most(what: &str, most: &impl std::fmt::Display) -> String {
    format!("Member must have {what} less than or equal to {most}")
}

/// Holds a JSON body against the members of a request; an empty body has none.
///
/// # Errors
/// `SerializationException` for what is no JSON or of a wrong type, `ValidationException` for what breaks a limit or is
/// missing.
pub fn check(members: &'static [Member], body: &[u8]) -> Result<(), ServiceError> {
    let broken = body::look(members, if body.is_empty() { b"{}" } else { body })?;
    match broken.len() {
        0 => Ok(()),
        1 => Err(ServiceError::validation(format!("1 validation error detected: {}", broken[0]))),
        count => Err(ServiceError::validation(format!("{count} validation errors detected: {}", broken.join("; ")))),
    }
}

#[cfg(test)]
mod tests;
