//! Simulated failures of requests to external key store proxies, for training, demonstrations, and tests.
//!
//! A fault is written in words, such as `xks:Encrypt timeout 2 times partition frankfurt`. Tapes, scenarios, the command
//! `proxy fault`, and the page *Proxy faults* use the same words: [`parse`] reads them, and [`ProxyFault`] displays
//! them.
//!
//! A fault takes the path of the failure that it simulates. The client damages a request or a response on its way,
//! waits, or doesn't connect, and the bundled proxy returns the errors of the proxy API itself.

mod description;
mod kinds;
mod parse;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::SignedDuration;

pub use kinds::{KINDS, KindInfo, all_kinds};
pub use parse::{FaultError, parse, split_words};
pub use state::{FaultState, Faults, InjectedFault};

use super::failure::TlsProblem;
use super::wire::{API_PATH, ErrorName};
use crate::clock_step;

/// The operations of the External Key Store Proxy API.
pub const OPERATIONS: [&str; 4] = ["GetHealthStatus", "GetKeyMetadata", "Encrypt", "Decrypt"];

/// A simulated failure of requests to a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyFault {
    /// The operation that fails, one of [`OPERATIONS`], or `None` for all that the failure applies to.
    pub operation: Option<&'static str>,
    /// How the requests fail.
    pub kind: FaultKind,
    /// The proxies whose requests fail.
    pub scope: FaultScope,
    /// When the requests fail.
    pub schedule: Schedule,
}

/// The proxies whose requests fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FaultScope {
    /// All proxies.
    #[default]
    All,
    /// The proxies whose URI path begins with this partition.
    Partition(String),
    /// The proxy of the key store with this ID or name.
    KeyStore(String),
}

/// How requests fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The response is late. If it is later than 250 ms, KMS doesn't wait for it.
    Latency(Latency),
    /// There is no response.
    Timeout,
    /// The connection is refused.
    Unreachable,
    /// The TLS handshake fails.
    Tls(TlsProblem),
    /// The request arrives with a wrong signature.
    WrongSignature,
    /// The proxy doesn't know the credential of the key store.
    RevokedCredential,
    /// The response isn't valid JSON.
    Malformed,
    /// The authentication tag is changed on its way: in the response of Encrypt, or in the request of Decrypt.
    WrongTag,
    /// The integrity value in the response of Encrypt is wrong.
    WrongIntegrityValue,
    /// The ciphertext is changed on its way: in the response of Encrypt, or in the request of Decrypt.
    Damaged,
    /// The external key managers are unhealthy, but still serve requests.
    ManagerDegraded,
    /// No external key manager can serve requests.
    ManagerUnavailable,
    /// The external key is disabled.
    KeyDisabled,
    /// The external key doesn't exist.
    KeyDeleted,
    /// The proxy returns this error.
    Error(ErrorName),
}

/// How late a response is. All times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Latency {
    /// A time, plus or minus a random part of up to `jitter`.
    Fixed {
        /// The time.
        millis: u32,
        /// The largest difference from it.
        jitter: u32,
    },
    /// Pairs of a percentage from 1 to 100 and the time that this share of the responses doesn't exceed, both in
    /// ascending order. Times between them are interpolated.
    Percentiles(Vec<(u8, u32)>),
}

/// When requests fail. Only requests that the fault applies to are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// How many requests fail, or `None` if all do.
    pub count: Option<u32>,
    /// How many requests succeed first.
    pub after: u32,
    /// The share of the requests that fail, from 1 to 100, or `None` if all do.
    pub percent: Option<u8>,
    /// The seed of the random choices.
    pub seed: u64,
    /// How long the fault is active, in whole seconds, or `None` if it is until it is removed.
    pub duration: Option<SignedDuration>,
}

/// A request to a proxy that a fault may apply to.
#[derive(Clone, Copy, Debug)]
pub struct ProxyCall<'a> {
    /// The operation, one of [`OPERATIONS`].
    pub operation: &'a str,
    /// The URI path of the proxy, such as `/frankfurt/kms/xks/v1`.
    pub uri_path: &'a str,
    /// The ID of the key store, or empty if the key store doesn't exist yet.
    pub key_store_id: &'a str,
    /// The name of the key store.
    pub key_store_name: &'a str,
}

impl FaultScope {
    fn includes(&self, call: &ProxyCall) -> bool {
        match self {
            Self::All => true,
            Self::Partition(name) => is_in_partition(call.uri_path, name),
            Self::KeyStore(name) => name == call.key_store_id || name == call.key_store_name,
        }
    }
}

/// Returns whether a URI path, such as `/frankfurt/kms/xks/v1`, begins with the path of a partition.
pub fn is_in_partition(uri_path: &str, partition: &str) -> bool {
    let rest = uri_path.strip_prefix('/').and_then(|path| path.strip_prefix(partition));
    rest.is_some_and(|rest| rest.starts_with('/')) || (partition.is_empty() && uri_path == API_PATH)
}

impl FaultKind {
    /// Returns whether requests of an operation can fail in this way.
    pub fn applies_to(&self, operation: &str) -> bool {
        match self {
            Self::WrongIntegrityValue => operation == "Encrypt",
            Self::WrongTag | Self::Damaged => matches!(operation, "Encrypt" | "Decrypt"),
            Self::ManagerDegraded | Self::ManagerUnavailable => operation == "GetHealthStatus",
            Self::KeyDisabled | Self::KeyDeleted => operation != "GetHealthStatus",
            _ => true,
        }
    }

    /// Returns the error that a proxy returns in this situation for an operation, if it does.
    pub fn proxy_error(&self, operation: &str) -> Option<ErrorName> {
        match self {
            Self::Error(name) => Some(*name),
            Self::RevokedCredential => Some(ErrorName::AuthenticationFailedException),
            Self::KeyDeleted => Some(ErrorName::KeyNotFoundException),
            Self::KeyDisabled if operation != "GetKeyMetadata" => Some(ErrorName::InvalidStateException),
            _ => None,
        }
    }
}

impl ProxyFault {
    /// Returns whether the fault applies to a request, apart from its schedule.
    pub fn applies_to(&self, call: &ProxyCall) -> bool {
        self.operation.is_none_or(|name| name == call.operation)
            && self.kind.applies_to(call.operation)
            && self.scope.includes(call)
    }
}

/// Returns the ending of a noun.
fn plural(count: u32) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Writes a name, in quotes if it has spaces.
fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if name.contains(char::is_whitespace) { write!(f, "\"{name}\"") } else { f.write_str(name) }
}

impl fmt::Display for ProxyFault {
    /// Writes the words that [`parse`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "xks:{} {}", self.operation.unwrap_or("*"), self.kind)?;
        match &self.scope {
            FaultScope::All => {}
            FaultScope::Partition(name) => {
                f.write_str(" partition ")?;
                write_name(f, name)?;
            }
            FaultScope::KeyStore(name) => {
                f.write_str(" key-store ")?;
                write_name(f, name)?;
            }
        }
        let Schedule { count, after, percent, seed, duration } = &self.schedule;
        if let Some(count) = count {
            write!(f, " {count} time{}", plural(*count))?;
        }
        if *after > 0 {
            write!(f, " after {after} request{}", plural(*after))?;
        }
        if let Some(percent) = percent {
            write!(f, " {percent} percent")?;
        }
        if *seed > 0 {
            write!(f, " seed {seed}")?;
        }
        if let Some(duration) = duration {
            write!(f, " for {}", clock_step::format(*duration).replace(' ', ""))?;
        }
        Ok(())
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Latency(Latency::Fixed { millis, jitter }) => {
                write!(f, " {millis}ms")?;
                if *jitter > 0 { write!(f, " jitter {jitter}ms") } else { Ok(()) }
            }
            Self::Latency(Latency::Percentiles(pairs)) => {
                pairs.iter().try_for_each(|(percent, millis)| write!(f, " p{percent}={millis}ms"))
            }
            _ => Ok(()),
        }
    }
}
