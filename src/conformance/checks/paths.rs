//! URI paths and methods.

use futures_util::FutureExt as _;
use http::Method;

use super::section::{NONE, OPERATIONS, SIGV4};
use crate::conformance::answer::fail;
use crate::conformance::ask::Ask;
use crate::conformance::probe::Probe;
use crate::conformance::{Check, Verdict, must, should};
use crate::xks::wire::ErrorName::{InvalidUriPathException, KeyNotFoundException, ValidationException};

pub const CHECKS: &[Check] = &[
    must(
        "path-unknown",
        OPERATIONS,
        "A URI path that there isn't is refused with 404 InvalidUriPathException.",
        |probe| unknown(probe).boxed(),
    ),
    must(
        "path-key-id",
        OPERATIONS,
        "An external key ID may have 128 characters of a-z A-Z 0-9 - _ and dot.",
        |probe| key_id(probe).boxed(),
    ),
    must(
        "method-get",
        OPERATIONS,
        "GET of each of the four URIs is refused with 405, without a signature too.",
        |probe| get(probe, false).boxed(),
    ),
    must(
        "method-get-signed",
        OPERATIONS,
        "GET of each of the four URIs is refused with 405 when it is signed.",
        |probe| get(probe, true).boxed(),
    ),
    should("method-others", NONE, "PUT, PATCH and DELETE are refused with 405, 401 or 501.", |probe| {
        others(probe).boxed()
    }),
    should("path-query", SIGV4, "A query string, which KMS never sends, is refused.", |probe| query(probe).boxed()),
];

async fn unknown(probe: &mut Probe) -> Verdict {
    let key = probe.keys.first().map_or("none", |key| key.id.as_str());
    let rests = ["", "/nothing", "/keys", &format!("/keys/{key}"), &format!("/keys/{key}/sign")];
    let mut paths: Vec<String> = rests.iter().map(|rest| probe.path(rest)).collect();
    paths.push(format!("/there-is-no-such-prefix{}/health", probe.target.uri_path));
    for path in paths {
        let ask = probe.health().but(|ask| ask.target.clone_from(&path));
        probe.send(&ask).await?.refused(&[InvalidUriPathException]).map_err(|stop| stop.at(&path))?;
    }
    Ok(())
}

async fn key_id(probe: &mut Probe) -> Verdict {
    for id in ["k".repeat(128), "No.such-key_0".to_owned()] {
        let ask = probe.metadata(&id);
        probe.send(&ask).await?.refused(&[KeyNotFoundException])?;
    }
    Ok(())
}

/// The URIs of the four operations.
fn uris(probe: &Probe) -> [String; 4] {
    let key = probe.keys.first().map_or("none", |key| key.id.as_str());
    [
        probe.path("/health"),
        probe.path(&format!("/keys/{key}/metadata")),
        probe.path(&format!("/keys/{key}/encrypt")),
        probe.path(&format!("/keys/{key}/decrypt")),
    ]
}

fn without_body(path: String, method: Method) -> Ask {
    Ask::new(path, serde_json::Value::Null).but(|ask| {
        ask.method = method;
        ask.raw = Some(Vec::new());
        ask.is_of_kms = false;
    })
}

async fn get(probe: &mut Probe, is_signed: bool) -> Verdict {
    for path in uris(probe) {
        let ask = without_body(path, Method::GET);
        let ask = if is_signed { ask } else { ask.unsigned() };
        let answer = probe.send(&ask).await?;
        if answer.status != http::StatusCode::METHOD_NOT_ALLOWED {
            return fail(format!("{}: expected 405, got {}", ask.target, answer.outcome()));
        }
    }
    Ok(())
}

async fn others(probe: &mut Probe) -> Verdict {
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let ask = without_body(probe.path("/health"), method);
        let answer = probe.send(&ask).await?;
        if !matches!(answer.status.as_u16(), 401 | 405 | 501) {
            return fail(format!("{}: got {}", ask.method, answer.outcome()));
        }
    }
    Ok(())
}

async fn query(probe: &mut Probe) -> Verdict {
    let ask = probe.health().but(|ask| ask.target += "?a=b");
    probe.send(&ask).await?.refused(&[ValidationException, InvalidUriPathException])
}
