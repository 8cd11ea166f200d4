//! The form of errors. Nothing is sent: what was answered to the checks before is looked at.

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
        "Each error has a JSON body with errorName; KMS can't tell what another one means.",
        |probe| {
            ready(check_each_error(probe, |response| {
                let is_json = response.json().is_some_and(|body| body["errorName"].is_string());
                (!is_json).then(|| format!("{} without errorName in a JSON body", response.status.as_u16()))
            }))
        },
    ),
    must("errors-content-type", SECTION, "Each error has the Content-Type application/json.", |probe| {
        ready(check_each_error(probe, |response| {
            let found = response.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
            let is_json = found.to_ascii_lowercase().starts_with("application/json");
            (!is_json).then(|| format!("{} with the Content-Type {found}", response.outcome()))
        }))
    }),
    must("errors-names", ERRORS, "Each errorName is one of the twelve of the API.", |probe| {
        ready(check_each_error(probe, |response| {
            let name = response.error_name()?;
            ErrorName::parse(&name).is_none().then(|| format!("errorName {name}"))
        }))
    }),
    must("errors-status", ERRORS, "Each errorName comes with its HTTP status.", |probe| {
        ready(check_each_error(probe, |response| {
            let expected = ErrorName::parse(&response.error_name()?)?.status();
            (response.status.as_u16() != expected).then(|| format!("{} instead of {expected}", response.outcome()))
        }))
    }),
    must(
        "errors-message",
        ERRORS,
        "`errorMessage`, if there is one, has less than 512 characters of printable ASCII.",
        |probe| {
            ready(check_each_error(probe, |response| match response.json()?.get("errorMessage")? {
                Value::Null => None,
                Value::String(text) if text.len() < 512 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
                    None
                }
                Value::String(text) => {
                    Some(format!("{}: {} characters, or not of ASCII", response.outcome(), text.len()))
                }
                _ => Some("errorMessage is no string".to_owned()),
            }))
        },
    ),
    must(
        "errors-internal",
        ERRORS,
        "No request of these checks is one that makes a proxy fail: there was no 500.",
        |probe| {
            ready(check_each_error(probe, |response| (response.status.as_u16() == 500).then(|| response.outcome())))
        },
    ),
];

fn kms_error(exchange: &Exchange) -> Option<&ProbeResponse> {
    let response = exchange.outcome.as_ref().ok()?;
    (exchange.is_valid_for_kms && response.status != http::StatusCode::OK).then_some(response)
}

/// Looks at each error that KMS may meet; `fault` tells what is wrong with one. Each fault is told once, and shown.
fn check_each_error(probe: &mut Probe, violation: fn(&ProbeResponse) -> Option<String>) -> CheckResult {
    let errors: Vec<(&Exchange, &ProbeResponse)> =
        probe.exchanges.iter().filter_map(|exchange| Some((exchange, kms_error(exchange)?))).collect();
    if errors.is_empty() {
        return skip("the proxy has answered no error yet");
    }
    let mut violations: Vec<(String, Exchange)> = Vec::new();
    for (exchange, response) in errors {
        if let Some(violation) = violation(response)
            && !violations.iter().any(|(known, _)| *known == violation)
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
