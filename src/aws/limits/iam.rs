//! The limits of IAM and AWS STS: names, sessions, and MFA codes.

use super::violation::{Violation, check_length, check_pattern, check_range};

/// Validates a role session name: 2 to 64 characters of `[\w+=,.@-]*` (STS, `roleSessionNameType`).
pub fn role_session_name(name: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_length("roleSessionName", "Role session name", name, 2, 64)?;
    check_pattern(
        "roleSessionName",
        "Role session name",
        name,
        allowed,
        "letters, digits, and _ + = , . @ -",
        "[\\w+=,.@-]*",
    )
}

/// Validates a source identity: 2 to 64 characters of `[\w+=,.@-]*` (STS, `sourceIdentityType`).
pub fn source_identity(name: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_length("sourceIdentity", "Source identity", name, 2, 64)?;
    check_pattern(
        "sourceIdentity",
        "Source identity",
        name,
        allowed,
        "letters, digits, and _ + = , . @ -",
        "[\\w+=,.@-]*",
    )
}

/// Validates the name of an IAM user, role, or inline policy: 1 to `max` characters of `[\w+=,.@-]+` (IAM,
/// `userNameType`).
pub fn iam_name(field: &'static str, name: &str, max: usize) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    check_length(field, "The name", name, 1, max)?;
    check_pattern(field, "The name", name, allowed, "letters, digits, and _ + = , . @ -", "[\\w+=,.@-]+")
}

/// Validates a role session duration: 900 to 43,200 seconds (STS, `roleDurationSecondsType`).
pub fn session_duration(seconds: u32) -> Result<(), Violation> {
    check_range("durationSeconds", "Session duration (in seconds)", seconds.into(), 900, 43_200)
}

/// Validates the serial number or ARN of an MFA device: 9 to 256 characters of `[\w+=/:,.@-]*` (STS,
/// `serialNumberType`).
pub fn mfa_serial(serial: &str) -> Result<(), Violation> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=/:,.@-".contains(c);
    check_length("serialNumber", "The serial number", serial, 9, 256)?;
    check_pattern(
        "serialNumber",
        "The serial number",
        serial,
        allowed,
        "letters, digits, and _ + = / : , . @ -",
        "[\\w+=/:,.@-]*",
    )
}

/// Validates an MFA code: 6 characters of `[\d]*` (STS, `tokenCodeType`).
pub fn mfa_code(code: &str) -> Result<(), Violation> {
    check_length("tokenCode", "The code", code, 6, 6)?;
    check_pattern("tokenCode", "The code", code, |c| c.is_ascii_digit(), "digits", "[\\d]*")
}
