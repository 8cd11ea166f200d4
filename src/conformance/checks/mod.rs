//! The checks, grouped by topic. To add a check, add an entry to a table.

mod authentication;
mod bodies;
mod decrypt;
mod encrypt;
mod errors;
mod health;
mod key_states;
mod latency;
mod metadata;
mod paths;
mod transport;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{Check, CheckResult};

/// A group of checks on one topic.
#[derive(Debug)]
pub struct Group {
    /// The name.
    pub name: &'static str,
    /// Whether the checks are skipped if the proxy rejects the credential.
    pub needs_credential: bool,
    /// The checks.
    pub checks: &'static [Check],
}

const fn group(name: &'static str, checks: &'static [Check]) -> Group {
    Group { name, needs_credential: true, checks }
}

/// All checks, in the order in which they run. The error checks inspect the responses to earlier checks.
pub const GROUPS: &[Group] = &[
    Group { name: "Transport", needs_credential: false, checks: transport::CHECKS },
    Group { name: "Credential", needs_credential: false, checks: authentication::CREDENTIAL_CHECKS },
    group("Authentication", authentication::CHECKS),
    group("URI paths and methods", paths::CHECKS),
    group("GetHealthStatus", health::CHECKS),
    group("GetKeyMetadata", metadata::CHECKS),
    group("Encrypt", encrypt::CHECKS),
    group("Decrypt", decrypt::CHECKS),
    group("Key states and usage", key_states::CHECKS),
    group("Oversized, malformed, and concurrent requests", bodies::CHECKS),
    group("Errors", errors::CHECKS),
    group("Latency", latency::CHECKS),
];

/// Returns the result of a check that doesn't need to wait for the proxy.
fn ready(result: CheckResult) -> BoxFuture<'static, CheckResult> {
    std::future::ready(result).boxed()
}

/// Headings in the specification.
mod section {
    pub const CONTENT_TYPE: &str = "API content type";
    pub const OPERATIONS: &str = "API operations";
    pub const METADATA: &str = "GetKeyMetadata";
    pub const ENCRYPT: &str = "Encrypt";
    pub const DECRYPT: &str = "Decrypt";
    pub const HEALTH: &str = "GetHealthStatus";
    pub const ERRORS: &str = "Error codes";
    pub const AUTHENTICATION: &str = "Authentication";
    pub const SIGV4: &str = "Appendix A";
    pub const CDIV: &str = "Appendix C";
    pub const FIELDS: &str = "Appendix B";
    /// The section of a check that the specification doesn't mention but that every proxy should pass.
    pub const NONE: &str = "not in the specification";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::GROUPS;

    #[test]
    fn check_ids_are_unique_and_requirements_are_sentences() {
        let mut ids = BTreeSet::new();
        for check in GROUPS.iter().flat_map(|group| group.checks) {
            assert!(ids.insert(check.id), "duplicate check ID {}", check.id);
            assert!(check.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
            let has_valid_start = check
                .requirement
                .starts_with(|first: char| first.is_ascii_uppercase() || first.is_ascii_digit() || first == '`');
            assert!(has_valid_start && check.requirement.ends_with('.'), "{}", check.requirement);
        }
        assert!(ids.len() > 80, "{}", ids.len());
    }
}
