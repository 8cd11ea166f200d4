//! IAM operations that create and delete users, roles, their inline policies, and access keys.

mod access_keys;
mod creation;
pub(super) mod credential_error;
mod deletion;
mod inline_policies;
pub(super) mod mfa;
pub(super) mod principals;
pub(super) mod sessions;
mod simulation;

use serde::de::DeserializeOwned;

use super::{ApiResult, Call};
use crate::aws::error::ServiceError;
use crate::aws::iam::Tag;

/// The maximum number of tags of a principal or session.
const MAX_TAGS: usize = 50;

fn validation_error(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationError", message)
}

fn malformed_policy(message: impl Into<String>) -> ServiceError {
    ServiceError::new("MalformedPolicyDocument", message)
}

/// Checks the tags of a principal or session: their number, their lengths, and that their keys are unique.
///
/// # Errors
/// `ValidationError` if a limit is exceeded, or `InvalidParameterValue` for duplicate and reserved keys.
pub fn check_tags(tags: &[Tag]) -> Result<(), ServiceError> {
    let constraint = |what: String| validation_error(format!("1 validation error detected: {what}"));
    if tags.len() > MAX_TAGS {
        return Err(constraint(format!(
            "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to {MAX_TAGS}"
        )));
    }
    for (index, tag) in tags.iter().enumerate() {
        for (member, text, min, max) in [("key", &tag.key, 1, 128), ("value", &tag.value, 0, 256)] {
            if !(min..=max).contains(&text.chars().count()) {
                let place = format!("tags.{}.member.{member}", index + 1);
                return Err(constraint(format!(
                    "Value at '{place}' failed to satisfy constraint: Member must have length between {min} and {max}"
                )));
            }
        }
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(ServiceError::new("InvalidParameterValue", "Tag keys that start with aws: are reserved."));
        }
        if tags[..index].iter().any(|other| other.key.eq_ignore_ascii_case(&tag.key)) {
            let message = "Duplicate tag keys found. Tag keys are not case sensitive.";
            return Err(ServiceError::new("InvalidParameterValue", message));
        }
    }
    Ok(())
}

impl Call<'_> {
    fn now_iso8601(&self) -> String {
        self.store().environment().clock.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// Returns the ARN of a user or role, for authorization, and the principal itself if it exists.
    fn resolve_principal<T: DeserializeOwned>(
        &self,
        kind: &str,
        name: &str,
        arn: impl Fn(&T) -> &String,
    ) -> ApiResult<(String, Option<T>)> {
        let found = self.find_principal_by_name::<T>(kind, name)?;
        Ok((found.as_ref().map_or_else(|| self.iam_arn(kind, name), |principal| arn(principal).clone()), found))
    }

    fn resolve_principal_arn(&self, kind: &str, name: &str) -> ApiResult<(String, bool)> {
        let (arn, found) = self.resolve_principal::<serde_json::Value>(kind, name, |_| &EMPTY_ARN)?;
        let existing = found.and_then(|found| found["Arn"].as_str().map(ToOwned::to_owned));
        Ok((existing.clone().unwrap_or(arn), existing.is_some()))
    }
}

/// The placeholder ARN of principals that are read as plain JSON.
static EMPTY_ARN: String = String::new();
