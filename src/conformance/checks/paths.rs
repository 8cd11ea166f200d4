//! URI paths and methods.

use futures_util::FutureExt as _;
use http::Method;

use super::section::{NONE, OPERATIONS, SIGV4};
use crate::conformance::probe::Probe;
use crate::conformance::request::ProbeRequest;
use crate::conformance::response::fail;
use crate::conformance::{Check, CheckResult, must, should};
use crate::xks::wire::ErrorName::{InvalidUriPathException, KeyNotFoundException, ValidationException};

pub const CHECKS: &[Check] = &[
    must(
        "path-unknown",
        OPERATIONS,
        "The proxy rejects an unknown URI path with 404 InvalidUriPathException.",
        |probe| unknown_path(probe).boxed(),
    ),
    must(
        "path-key-id",
        OPERATIONS,
        "The proxy accepts external key IDs of up to 128 characters from a-z, A-Z, 0-9, -, _, and . (dot).",
        |probe| key_id(probe).boxed(),
    ),
    must(
        "method-get",
        OPERATIONS,
        "The proxy rejects GET on each of the four URIs with 405, even without a signature.",
        |probe| get_method(probe, false).boxed(),
    ),
    must(
        "method-get-signed",
        OPERATIONS,
        "The proxy rejects a signed GET on each of the four URIs with 405.",
        |probe| get_method(probe, true).boxed(),
    ),
    should("method-others", NONE, "The proxy rejects PUT, PATCH, and DELETE with 401, 405, or 501.", |probe| {
        other_methods(probe).boxed()
    }),
    should("path-query", SIGV4, "The proxy rejects a query string, which AWS KMS never sends.", |probe| {
        query_string(probe).boxed()
    }),
];

async fn unknown_path(probe: &mut Probe) -> CheckResult {
    let key = probe.keys.first().map_or("none", |key| key.id.as_str());
    let rests = ["", "/nothing", "/keys", &format!("/keys/{key}"), &format!("/keys/{key}/sign")];
    let mut paths: Vec<String> = rests.iter().map(|rest| probe.path(rest)).collect();
    paths.push(format!("/there-is-no-such-prefix{}/health", probe.target.uri_path));
    for path in paths {
        let request = probe.health_request().modify(|request| request.path_and_query.clone_from(&path));
        probe
            .send(&request)
            .await?
            .ensure_error(&[InvalidUriPathException])
            .map_err(|error| error.with_context(&path))?;
    }
    Ok(())
}

async fn key_id(probe: &mut Probe) -> CheckResult {
    for id in ["k".repeat(128), "No.such-key_0".to_owned()] {
        let request = probe.key_metadata_request(&id);
        probe.send(&request).await?.ensure_error(&[KeyNotFoundException])?;
    }
    Ok(())
}

/// Returns the URI paths of the four operations.
fn operation_paths(probe: &Probe) -> [String; 4] {
    let key = probe.keys.first().map_or("none", |key| key.id.as_str());
    [
        probe.path("/health"),
        probe.path(&format!("/keys/{key}/metadata")),
        probe.path(&format!("/keys/{key}/encrypt")),
        probe.path(&format!("/keys/{key}/decrypt")),
    ]
}

fn bodyless_request(path: String, method: Method) -> ProbeRequest {
    ProbeRequest::new(path, serde_json::Value::Null).modify(|request| {
        request.method = method;
        request.raw_body = Some(Vec::new());
        request.is_valid_for_kms = false;
    })
}

async fn get_method(probe: &mut Probe, is_signed: bool) -> CheckResult {
    for path in operation_paths(probe) {
        let request = bodyless_request(path, Method::GET);
        let request = if is_signed { request } else { request.unsigned() };
        let response = probe.send(&request).await?;
        if response.status != http::StatusCode::METHOD_NOT_ALLOWED {
            return fail(format!("{}: expected 405, got {}", request.path_and_query, response.outcome()));
        }
    }
    Ok(())
}

async fn other_methods(probe: &mut Probe) -> CheckResult {
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let request = bodyless_request(probe.path("/health"), method);
        let response = probe.send(&request).await?;
        if !matches!(response.status.as_u16(), 401 | 405 | 501) {
            return fail(format!("{}: got {}", request.method, response.outcome()));
        }
    }
    Ok(())
}

async fn query_string(probe: &mut Probe) -> CheckResult {
    let request = probe.health_request().modify(|request| request.path_and_query += "?a=b");
    probe.send(&request).await?.ensure_error(&[ValidationException, InvalidUriPathException])
}
