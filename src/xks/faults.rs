//! Simulated failures of requests to external key store proxies, for tests and demonstrations.

use std::sync::{Arc, Mutex, PoisonError};

use super::failure::XksFailure;
use super::wire::ErrorName;
use crate::text::nearest;

/// The operations of the External Key Store Proxy API.
pub const OPERATIONS: [&str; 4] = ["GetHealthStatus", "GetKeyMetadata", "Encrypt", "Decrypt"];

/// The words for failures other than the errors that a proxy returns.
const CONNECTION_FAILURES: [(&str, XksFailure); 5] = [
    ("unreachable", XksFailure::Unreachable),
    ("timeout", XksFailure::TimedOut),
    ("tls", XksFailure::Tls),
    ("malformed", XksFailure::InvalidResponse("the response isn't valid JSON for this operation")),
    ("damaged", XksFailure::DamagedCiphertext),
];

/// A simulated failure of requests to a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyFault {
    /// The operation that fails, or `None` for all of [`OPERATIONS`].
    pub operation: Option<String>,
    /// The partition whose requests fail: the first segment of the URI path. `None` stands for all.
    pub partition: Option<String>,
    /// How the requests fail.
    pub failure: XksFailure,
    /// How many requests fail, or `None` if all do.
    pub count: Option<u32>,
}

/// Parses how requests fail: the name of an error in the proxy API, or `unreachable`, `timeout`, `tls`, `malformed`,
/// or `damaged`.
///
/// # Errors
/// Returns a message with the nearest word, or with all of them.
pub fn parse_failure(word: &str) -> Result<XksFailure, String> {
    let connection = CONNECTION_FAILURES.into_iter().find(|(known, _)| *known == word).map(|(_, failure)| failure);
    if let Some(failure) = connection.or_else(|| ErrorName::parse(word).map(XksFailure::Refused)) {
        return Ok(failure);
    }
    let words =
        || CONNECTION_FAILURES.iter().map(|(word, _)| *word).chain(ErrorName::ALL.iter().map(|name| name.as_str()));
    Err(match nearest(word, words()) {
        Some(near) => format!("`{word}` is not a failure of a proxy; did you mean {near}?"),
        None => format!("`{word}` is not a failure of a proxy; use one of {}", words().collect::<Vec<_>>().join(", ")),
    })
}

/// The faults that are in effect. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<ProxyFault>>>);

impl Faults {
    /// Adds a fault. If several apply to a request, the one that was added first is used.
    pub fn add(&self, fault: ProxyFault) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    /// Removes all faults.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns the failure of the next request, and counts it.
    pub(super) fn next_failure(&self, operation: &str, uri_path: &str) -> Option<XksFailure> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let partition = uri_path.split('/').nth(1).unwrap_or_default();
        let applies = |fault: &&mut ProxyFault| {
            fault.operation.as_deref().is_none_or(|name| name == operation)
                && fault.partition.as_deref().is_none_or(|name| name == partition)
        };
        let fault = faults.iter_mut().find(applies)?;
        let failure = fault.failure.clone();
        fault.count = fault.count.map(|count| count.saturating_sub(1));
        faults.retain(|fault| fault.count != Some(0));
        Some(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(operation: Option<&str>, partition: Option<&str>, count: Option<u32>) -> ProxyFault {
        let owned = |text: &str| text.to_owned();
        let failure = XksFailure::TimedOut;
        ProxyFault { operation: operation.map(owned), partition: partition.map(owned), failure, count }
    }

    #[test]
    fn fault_applies_to_its_operation_and_partition_as_often_as_it_says() {
        let faults = Faults::default();
        faults.add(fault(Some("Encrypt"), Some("paris"), Some(2)));
        assert_eq!(faults.next_failure("Decrypt", "/paris/kms/xks/v1"), None);
        assert_eq!(faults.next_failure("Encrypt", "/oslo/kms/xks/v1"), None);
        for _ in 0..2 {
            assert_eq!(faults.next_failure("Encrypt", "/paris/kms/xks/v1"), Some(XksFailure::TimedOut));
        }
        assert_eq!(faults.next_failure("Encrypt", "/paris/kms/xks/v1"), None);
        faults.add(fault(None, None, None));
        assert!((0..5).all(|_| faults.next_failure("GetHealthStatus", "/x").is_some()));
        faults.clear();
        assert_eq!(faults.next_failure("GetHealthStatus", "/x"), None);
    }

    #[test]
    fn failures_are_parsed_or_the_nearest_word_is_named() {
        assert_eq!(parse_failure("tls"), Ok(XksFailure::Tls));
        assert_eq!(parse_failure("ThrottlingException"), Ok(XksFailure::Refused(ErrorName::ThrottlingException)));
        assert!(parse_failure("timout").unwrap_err().contains("did you mean timeout?"));
        assert!(parse_failure("broken-beyond").unwrap_err().contains("use one of unreachable"));
    }
}
