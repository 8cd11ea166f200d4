//! The format of errors.
//!
//! These checks send no requests. They inspect the responses to the checks before them.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::ready;
use super::section::{CONTENT_TYPE as SECTION, ERRORS};
use crate::conformance::probe::{Exchange, Probe};
use crate::conformance::response::{ProbeResponse, fail, skip};
use crate::conformance::{Check, CheckResult, must};
use crate::xks::wire::ErrorName;

pub const CHECKS: &[Check] = &[
    must(
        "errors-json",
        ERRORS,
        "The proxy returns each error with errorName in a JSON body. AWS KMS can't interpret other errors.",
        |probe| {
            ready(check_each_error(probe, |response| {
                let is_json = response.json().is_some_and(|body| body["errorName"].is_string());
                (!is_json).then(|| format!("{} without errorName in a JSON body", response.status.as_u16()))
            }))
        },
    ),
    must(
        "errors-content-type",
        SECTION,
        "The proxy returns each error with the Content-Type application/json.",
        |probe| {
            ready(check_each_error(probe, |response| {
                let found = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
                let is_json = found.to_ascii_lowercase().starts_with("application/json");
                (!is_json).then(|| format!("{} with the Content-Type {found}", response.outcome()))
            }))
        },
    ),
    must("errors-names", ERRORS, "The proxy returns one of the 12 error names of the API as errorName.", |probe| {
        ready(check_each_error(probe, |response| {
            let name = response.error_name()?;
            ErrorName::parse(&name).is_none().then(|| format!("unknown errorName {name}"))
        }))
    }),
    must("errors-status", ERRORS, "The proxy returns each errorName with its HTTP status code.", |probe| {
        ready(check_each_error(probe, |response| {
            let expected = ErrorName::parse(&response.error_name()?)?.status();
            (response.status.as_u16() != expected).then(|| format!("{} instead of {expected}", response.outcome()))
        }))
    }),
    must(
        "errors-message",
        ERRORS,
        "The proxy returns errorMessage, if present, as fewer than 512 characters of printable ASCII.",
        |probe| {
            ready(check_each_error(probe, |response| match response.json()?.get("errorMessage")? {
                Value::Null => None,
                Value::String(text) if text.len() < 512 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
                    None
                }
                Value::String(text) => Some(format!(
                    "{}: errorMessage has {} bytes or isn't printable ASCII",
                    response.outcome(),
                    text.len()
                )),
                _ => Some("errorMessage isn't a string".to_owned()),
            }))
        },
    ),
    must("errors-internal", ERRORS, "The proxy doesn't return a 500 error for any request in these checks.", |probe| {
        ready(check_each_error(probe, |response| (response.status.as_u16() == 500).then(|| response.outcome())))
    }),
];

fn kms_error(exchange: &Exchange) -> Option<&ProbeResponse> {
    let response = exchange.outcome.as_ref().ok()?;
    (exchange.is_valid_for_kms && response.status != http::StatusCode::OK).then_some(response)
}

/// Checks each error response that AWS KMS could receive.
///
/// `violation` returns a description if a response violates the requirement. Each distinct description is reported
/// once, with its exchange.
fn check_each_error(probe: &mut Probe, violation: fn(&ProbeResponse) -> Option<String>) -> CheckResult {
    let errors: Vec<(&Exchange, &ProbeResponse)> =
        probe.exchanges.iter().filter_map(|exchange| Some((exchange, kms_error(exchange)?))).collect();
    if errors.is_empty() {
        return skip("the proxy hasn't returned an error yet");
    }
    let mut violations: Vec<(String, Exchange)> = Vec::new();
    for (exchange, response) in errors {
        if let Some(violation) = violation(response)
            && !violations.iter().any(|(reported, _)| *reported == violation)
        {
            violations.push((violation, exchange.clone()));
        }
    }
    if violations.is_empty() {
        return Ok(());
    }
    let (violations, exchanges): (Vec<String>, Vec<Exchange>) = violations.into_iter().unzip();
    probe.exchanges.extend(exchanges);
    fail(violations.join("; "))
}
