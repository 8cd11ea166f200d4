//! A value that violates a constraint, and the checks of lengths, characters, and ranges that find one.

use crate::aws::error::ServiceError;

/// A value that violates a constraint of the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Violation {
    /// The request member, spelled as in AWS error messages.
    pub member: &'static str,
    /// The user-facing message: what is wrong, and what to do.
    pub reason: String,
    /// The constraint, in AWS's wording.
    pub constraint: String,
}

impl Violation {
    pub(super) fn new(member: &'static str, reason: impl Into<String>, constraint: impl Into<String>) -> Self {
        Self { member, reason: reason.into(), constraint: constraint.into() }
    }

    /// Returns the `ValidationError` of query protocol services.
    pub fn to_query_error(&self, value: &str) -> ServiceError {
        ServiceError::new("ValidationError", self.to_service_error(value).message)
    }

    /// Returns the `ValidationException` of AWS.
    pub fn to_service_error(&self, value: &str) -> ServiceError {
        let constraint = &self.constraint;
        if constraint.starts_with("Alias must") || constraint.contains("invalid characters for an alias") {
            return ServiceError::validation(constraint.clone());
        }
        ServiceError::validation(format!(
            "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {constraint}",
            self.member
        ))
    }
}

pub(super) fn check_length(
    member: &'static str,
    name: &str,
    text: &str,
    min: usize,
    max: usize,
) -> Result<(), Violation> {
    let count = text.chars().count();
    if count < min {
        let reason = if count == 0 {
            format!("{name} is required.")
        } else {
            format!("{name} must have at least {min} characters. You entered {count}.")
        };
        let constraint = format!("Member must have length greater than or equal to {min}");
        return Err(Violation::new(member, reason, constraint));
    }
    if count > max {
        return Err(Violation::new(
            member,
            format!("{name} can't have more than {max} characters. You entered {count}."),
            format!("Member must have length less than or equal to {max}"),
        ));
    }
    Ok(())
}

pub(super) fn check_pattern(
    member: &'static str,
    name: &str,
    text: &str,
    allowed: impl Fn(char) -> bool,
    valid_characters: &str,
    regex: &str,
) -> Result<(), Violation> {
    match text.chars().find(|character| !allowed(*character)) {
        None => Ok(()),
        Some(wrong) => Err(Violation::new(
            member,
            format!("{name} can't contain {}. Valid characters are {valid_characters}.", describe_character(wrong)),
            format!("Member must satisfy regular expression pattern: {regex}"),
        )),
    }
}

fn describe_character(character: char) -> String {
    match character {
        ' ' => "a space".to_owned(),
        other if other.is_control() => format!("the control character U+{:04X}", u32::from(other)),
        other => format!("\"{other}\""),
    }
}

pub(super) fn check_range(member: &'static str, name: &str, value: u64, min: u64, max: u64) -> Result<(), Violation> {
    let reason = || format!("{name} must be between {min} and {max}.");
    if value < min {
        let constraint = format!("Member must have value greater than or equal to {min}");
        return Err(Violation::new(member, reason(), constraint));
    }
    if value > max {
        let constraint = format!("Member must have value less than or equal to {max}");
        return Err(Violation::new(member, reason(), constraint));
    }
    Ok(())
}

pub(super) fn check_blob_length(member: &'static str, name: &str, bytes: &[u8], max: usize) -> Result<(), Violation> {
    if bytes.is_empty() {
        let constraint = "Member must have length greater than or equal to 1";
        return Err(Violation::new(member, format!("{name} is required."), constraint));
    }
    if bytes.len() > max {
        let reason = format!("{name} can't have more than {max} bytes. It has {}.", bytes.len());
        return Err(Violation::new(member, reason, format!("Member must have length less than or equal to {max}")));
    }
    Ok(())
}
