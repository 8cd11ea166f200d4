//! Conformance tests for external key store proxies: `xks-console proxy check`.
//!
//! Each check is an entry in one of the tables in [`checks`]. It consists of a requirement of the specification and a
//! function that sends requests to the proxy through a [`Probe`] and returns the result. [`run`] runs all checks in
//! sequence.
//!
//! Source: *External Key Store Proxy API Specification* 1.0.3. Each check names its section by the heading there.

pub mod checks;
pub mod connection;
pub mod latency;
pub mod probe;
pub mod report;
pub mod request;
pub mod response;
pub mod target;

use futures_util::future::BoxFuture;

use self::connection::ConnectError;
use self::probe::{Exchange, Probe};
use self::response::{CheckError, skip};

/// The requirement level of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// AWS KMS relies on this behavior.
    Must,
    /// A proxy can have valid reasons to behave differently.
    Should,
}

impl Level {
    /// Returns the RFC 2119 keyword.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        }
    }
}

/// The result of a check: `Ok` if the check passed.
pub type CheckResult = Result<(), CheckError>;
/// The function that runs a check.
pub type CheckFn = for<'a> fn(&'a mut Probe) -> BoxFuture<'a, CheckResult>;

/// A requirement and the function that checks it.
#[derive(Debug)]
pub struct Check {
    /// The unique ID.
    pub id: &'static str,
    /// The requirement level.
    pub level: Level,
    /// The heading of the section in the specification.
    pub section: &'static str,
    /// The requirement, as one sentence.
    pub requirement: &'static str,
    run: CheckFn,
}

/// Creates a check of a [`Level::Must`] requirement.
pub const fn must(id: &'static str, section: &'static str, requirement: &'static str, run: CheckFn) -> Check {
    Check { id, level: Level::Must, section, requirement, run }
}

/// Creates a check of a [`Level::Should`] requirement.
pub const fn should(id: &'static str, section: &'static str, requirement: &'static str, run: CheckFn) -> Check {
    Check { id, level: Level::Should, section, requirement, run }
}

/// A completed check and its result.
#[derive(Debug)]
pub struct CompletedCheck<'a> {
    /// The name of the group that contains the check.
    pub group: &'static str,
    /// The check.
    pub check: &'static Check,
    /// The result.
    pub result: CheckResult,
    /// Additional information for the report.
    pub notes: Vec<String>,
    /// The requests that the check sent, with their responses.
    pub exchanges: &'a [Exchange],
}

/// Runs all checks and passes each to `on_completed` as it completes.
///
/// # Errors
/// [`ConnectError`] if the proxy doesn't respond at all, so nothing can be checked.
pub async fn run(
    probe: &mut Probe,
    keys: &[String],
    on_completed: &mut impl FnMut(&CompletedCheck<'_>),
) -> Result<(), ConnectError> {
    probe.check_reachable().await?;
    probe.load_keys(keys).await;
    for group in checks::GROUPS {
        for check in group.checks {
            let start = probe.start_check();
            let result = if group.needs_credential && !probe.is_credential_accepted {
                skip("the proxy rejects signatures made with this credential; see auth-accepted")
            } else {
                (check.run)(probe).await
            };
            let notes = std::mem::take(&mut probe.notes);
            let exchanges = probe.exchanges.get(start..).unwrap_or_default();
            on_completed(&CompletedCheck { group: group.name, check, result, notes, exchanges });
        }
    }
    Ok(())
}
