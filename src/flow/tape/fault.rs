//! Faults that a tape starts: failures of requests to AWS and to external key store proxies.

use crate::aws::error::check_error_code;
use crate::client::named_call::NamedOperation;
use crate::text::nearest;
use crate::xks::faults as proxy;

/// A fault.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Requests of the console to AWS fail.
    Api {
        /// The operation that fails.
        operation: NamedOperation,
        /// How the requests fail.
        failure: ApiFailure,
        /// How many requests fail, or `None` if all do.
        count: Option<u32>,
    },
    /// Requests of AWS KMS to external key store proxies fail.
    Proxy(proxy::ProxyFault),
}

/// How a request to AWS fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiFailure {
    /// AWS returns an error with this code, and does nothing.
    Error(String),
    /// The request doesn't reach AWS.
    Unreachable,
    /// AWS carries out the request, but its response doesn't arrive.
    Lost,
}

const HOW_TO_WRITE: &str = "write what fails and how, such as kms:CreateKey ThrottlingException, xks:Encrypt timeout 2 \
                            times, or off";

/// Parses the words after `#: fault`. Returns `Ok(None)` for `off`.
///
/// # Errors
/// Returns the index of the wrong word, and a message.
pub(super) fn parse_fault(words: &[&str]) -> Result<Option<Fault>, (usize, String)> {
    let (target, how) = match words {
        ["off"] => return Ok(None),
        [target, how, ..] => (*target, *how),
        [word] if nearest(word, ["off"]).is_some() => {
            return Err((0, format!("`{word}` is not known here; did you mean off?")));
        }
        _ => return Err((0, HOW_TO_WRITE.to_owned())),
    };
    if target.starts_with("xks:") {
        let fault = proxy::parse(words).map_err(|error| (error.index, error.message))?;
        return Ok(Some(Fault::Proxy(fault)));
    }
    let count = parse_count(words)?;
    let operation = NamedOperation::find(target).map_err(|error| (0, error.to_string()))?;
    let failure = match how {
        "unreachable" => ApiFailure::Unreachable,
        "lost" => ApiFailure::Lost,
        code if code.starts_with(|first: char| first.is_ascii_uppercase()) => {
            check_error_code(code).map_err(|problem| (1, problem))?;
            ApiFailure::Error(code.to_owned())
        }
        _ => {
            let problem = format!("`{how}` is not a failure; write an error code, unreachable, or lost");
            return Err((1, problem));
        }
    };
    Ok(Some(Fault::Api { operation, failure, count }))
}

/// Parses the words after the failure of requests to AWS: how many requests fail.
fn parse_count(words: &[&str]) -> Result<Option<u32>, (usize, String)> {
    let (mut count, mut at) = (None, 2);
    while at < words.len() {
        match &words[at..] {
            [number, "times" | "time", ..] => {
                let parsed = number.parse().ok().filter(|count| *count > 0);
                count =
                    Some(parsed.ok_or_else(|| (at, format!("`{number}` is not a number of requests; write 2 times")))?);
            }
            ["partition", ..] => {
                return Err((at, "only faults of proxies have a partition, such as xks:Encrypt".to_owned()));
            }
            [word, ..] => {
                let hint = nearest(word, ["times"]).map_or_else(String::new, |near| format!("; did you mean {near}"));
                return Err((at, format!("`{word}` is not known here{hint}. Write `2 times`")));
            }
            [] => {}
        }
        at += 2;
    }
    Ok(count)
}
