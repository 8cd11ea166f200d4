//! Whether an external key store proxy keeps to its specification: `xks-console proxy check`.
//!
//! A check is one entry in one of the tables in [`checks`]: what the specification asks, and a function that talks to
//! the proxy through a [`Probe`] and says what it saw. [`run`] makes them all, one after the other.
//!
//! Source: *External Key Store Proxy API Specification* 1.0.3, by whose headings the checks name their section.

pub mod checks;
pub mod command;
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

/// How much the specification asks for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// KMS relies on it.
    Must,
    /// There may be reasons against it.
    Should,
}

impl Level {
    /// The word of RFC 2119.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        }
    }
}

/// What a check says: nothing when all is well.
pub type CheckResult = Result<(), CheckError>;
/// Makes a check.
pub type CheckFn = for<'a> fn(&'a mut Probe) -> BoxFuture<'a, CheckResult>;

/// One requirement, and how it is checked.
#[derive(Debug)]
pub struct Check {
    /// What it is called; no other check is called so.
    pub id: &'static str,
    /// How much it is asked for.
    pub level: Level,
    /// The heading it stands under in the specification.
    pub section: &'static str,
    /// The requirement, in one sentence.
    pub requirement: &'static str,
    run: CheckFn,
}

/// Something that a proxy must do or be.
pub const fn must(id: &'static str, section: &'static str, requirement: &'static str, run: CheckFn) -> Check {
    Check { id, level: Level::Must, section, requirement, run }
}

/// Something that a proxy should do or be.
pub const fn should(id: &'static str, section: &'static str, requirement: &'static str, run: CheckFn) -> Check {
    Check { id, level: Level::Should, section, requirement, run }
}

/// A check that was made.
#[derive(Debug)]
pub struct CompletedCheck<'a> {
    /// The group it is in.
    pub group: &'static str,
    /// What was checked.
    pub check: &'static Check,
    /// What came of it.
    pub result: CheckResult,
    /// What else there is to tell.
    pub notes: Vec<String>,
    /// What was said.
    pub exchanges: &'a [Exchange],
}

/// Makes all checks and tells each as it is made.
///
/// # Errors
/// [`Unreachable`] when the proxy gives no answer of any kind, so that nothing can be checked.
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
                skip("the proxy takes no signature of this credential; see auth-accepted")
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
