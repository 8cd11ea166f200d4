//! The form of errors. Nothing is sent: what was answered to the checks before is looked at.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use super::section::{CONTENT_TYPE as SECTION, ERRORS};
use super::told;
use crate::conformance::answer::{Answer, fail, skip};
use crate::conformance::probe::{Exchange, Probe};
use crate::conformance::{Check, Verdict, must};
use crate::xks::wire::ErrorName;

pub const CHECKS: &[Check] = &[
    must(
        "errors-json",
        ERRORS,
        "Each error has a JSON body with errorName; KMS can't tell what another one means.",
        |probe| {
            told(each(probe, |answer| {
                let is_json = answer.json().is_some_and(|body| body["errorName"].is_string());
                (!is_json).then(|| format!("{} without errorName in a JSON body", answer.status.as_u16()))
            }))
        },
    ),
    must("errors-content-type", SECTION, "Each error has the Content-Type application/json.", |probe| {
        told(each(probe, |answer| {
            let found = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
            let is_json = found.to_ascii_lowercase().starts_with("application/json");
            (!is_json).then(|| format!("{} with the Content-Type {found}", answer.outcome()))
        }))
    }),
    must("errors-names", ERRORS, "Each errorName is one of the twelve of the API.", |probe| {
        told(each(probe, |answer| {
            let name = answer.error_name()?;
            ErrorName::parse(&name).is_none().then(|| format!("errorName {name}"))
        }))
    }),
    must("errors-status", ERRORS, "Each errorName comes with its HTTP status.", |probe| {
        told(each(probe, |answer| {
            let expected = ErrorName::parse(&answer.error_name()?)?.status();
            (answer.status.as_u16() != expected).then(|| format!("{} instead of {expected}", answer.outcome()))
        }))
    }),
    must(
        "errors-message",
        ERRORS,
        "`errorMessage`, if there is one, has less than 512 characters of printable ASCII.",
        |probe| {
            told(each(probe, |answer| match answer.json()?.get("errorMessage")? {
                Value::Null => None,
                Value::String(text) if text.len() < 512 && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => {
                    None
                }
                Value::String(text) => {
                    Some(format!("{}: {} characters, or not of ASCII", answer.outcome(), text.len()))
                }
                _ => Some("errorMessage is no string".to_owned()),
            }))
        },
    ),
    must(
        "errors-internal",
        ERRORS,
        "No request of these checks is one that makes a proxy fail: there was no 500.",
        |probe| told(each(probe, |answer| (answer.status.as_u16() == 500).then(|| answer.outcome()))),
    ),
];

fn error(exchange: &Exchange) -> Option<&Answer> {
    let answer = exchange.outcome.as_ref().ok()?;
    (exchange.is_of_kms && answer.status != http::StatusCode::OK).then_some(answer)
}

/// Looks at each error that KMS may meet; `fault` tells what is wrong with one. Each fault is told once, and shown.
fn each(probe: &mut Probe, fault: fn(&Answer) -> Option<String>) -> Verdict {
    let errors: Vec<(&Exchange, &Answer)> =
        probe.exchanges.iter().filter_map(|exchange| Some((exchange, error(exchange)?))).collect();
    if errors.is_empty() {
        return skip("the proxy has answered no error yet");
    }
    let mut faults: Vec<(String, Exchange)> = Vec::new();
    for (exchange, answer) in errors {
        if let Some(fault) = fault(answer)
            && !faults.iter().any(|(known, _)| *known == fault)
        {
            faults.push((fault, exchange.clone()));
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    let (faults, exchanges): (Vec<String>, Vec<Exchange>) = faults.into_iter().unzip();
    probe.exchanges.extend(exchanges);
    fail(faults.join("; "))
}
