//! Who may call: Signature Version 4.

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use jiff::SignedDuration;

use super::section::{AUTHENTICATION, SIGV4};
use super::told;
use crate::aws::limits;
use crate::conformance::answer::{fail, skip};
use crate::conformance::ask::{Ask, CURL_COVERS, reauthorize, signature_of};
use crate::conformance::probe::Probe;
use crate::conformance::{Check, Verdict, must, should};
use crate::xks::wire::ErrorName::AuthenticationFailedException;

/// An access key ID that no proxy knows.
const ANOTHER_KEY: &str = "ANOTHERACCESSKEYIDAA";

/// What is right.
pub const CREDENTIAL: &[Check] = &[
    must(
        "auth-credential",
        AUTHENTICATION,
        "The access key ID is 20 to 30 of A-Z 2-7, the secret 43 to 64 of A-Z a-z 0-9 / + =.",
        |probe| told(credential(probe)),
    ),
    must(
        "auth-accepted",
        AUTHENTICATION,
        "A request that is signed as KMS signs, over host and x-amz-date, is accepted.",
        |probe| accepted(probe, |ask| ask).boxed(),
    ),
];

/// What is wrong, and looks right.
pub const CHECKS: &[Check] = &[
    must(
        "auth-more-headers",
        SIGV4,
        "A signature over more headers is accepted: SignedHeaders says over which.",
        |probe| accepted(probe, |ask| ask.but(|ask| ask.covers = CURL_COVERS)).boxed(),
    ),
    must(
        "auth-none",
        AUTHENTICATION,
        "A request without a signature is refused with 401 AuthenticationFailedException.",
        |probe| refused(probe, Ask::unsigned).boxed(),
    ),
    must(
        "auth-malformed",
        AUTHENTICATION,
        "An Authorization header that is no signature is refused with 401.",
        |probe| malformed(probe).boxed(),
    ),
    must("auth-signature", AUTHENTICATION, "A signature in which one digit is wrong is refused.", |probe| {
        refused(probe, with_a_wrong_digit).boxed()
    }),
    must("auth-unknown-key", AUTHENTICATION, "An access key ID that the proxy doesn't know is refused.", |probe| {
        refused(probe, with_another_key).boxed()
    }),
    should(
        "auth-alike",
        AUTHENTICATION,
        "An unknown access key ID and a wrong signature are refused in the same words.",
        |probe| alike(probe).boxed(),
    ),
    must(
        "auth-no-hint",
        AUTHENTICATION,
        "A refusal doesn't tell the signature that would have been right, nor the secret.",
        |probe| no_hint(probe).boxed(),
    ),
    must("auth-host", SIGV4, "A signature that doesn't cover host is refused.", |probe| {
        refused(probe, |ask| ask.but(|ask| ask.covers = &["x-amz-date"])).boxed()
    }),
    must("auth-date", SIGV4, "A signature that doesn't cover x-amz-date is refused.", |probe| {
        refused(probe, |ask| ask.but(|ask| ask.covers = &["host"])).boxed()
    }),
    must("auth-service", SIGV4, "A signature for another service than kms-xks-proxy is refused.", |probe| {
        refused(probe, |ask| ask.but(|ask| ask.service = "kms")).boxed()
    }),
    must("auth-region", SIGV4, "A credential scope whose Region was changed after signing is refused.", |probe| {
        refused(probe, in_another_region).boxed()
    }),
    must("auth-fresh", SIGV4, "The time of a request is checked: a request of yesterday is refused.", |probe| {
        refused(probe, |ask| ask.but(|ask| ask.ahead = SignedDuration::from_hours(-24))).boxed()
    }),
    should("auth-past", SIGV4, "A request that is six minutes old is refused.", |probe| {
        refused(probe, |ask| ask.but(|ask| ask.ahead = SignedDuration::from_mins(-6))).boxed()
    }),
    should("auth-future", SIGV4, "A request from six minutes ahead is refused.", |probe| {
        refused(probe, |ask| ask.but(|ask| ask.ahead = SignedDuration::from_mins(6))).boxed()
    }),
    should("auth-skew", SIGV4, "Clocks may differ by four minutes, either way.", |probe| skew(probe).boxed()),
    must("auth-body", SIGV4, "A body that was changed after signing is refused.", |probe| {
        refused(probe, |ask| ask.then("the body changed", |request| *request.body_mut() = longer(request.body())))
            .boxed()
    }),
    must("auth-whole-body", SIGV4, "The signature covers the body to its last byte, also a long one.", |probe| {
        whole_body(probe).boxed()
    }),
    must("auth-path", SIGV4, "A signature for another path is refused.", |probe| {
        refused(probe, for_another_path).boxed()
    }),
];

fn credential(probe: &Probe) -> Verdict {
    let target = &probe.target;
    limits::xks_proxy_access_key_id(&target.access_key_id).or_else(|violation| fail(violation.reason))?;
    limits::xks_proxy_secret_access_key(target.secret_access_key.expose()).or_else(|violation| fail(violation.reason))
}

async fn accepted(probe: &mut Probe, how: fn(Ask) -> Ask) -> Verdict {
    let ask = how(probe.health());
    let answer = probe.send(&ask).await?;
    let date = answer.headers.get("date").and_then(|value| value.to_str().ok()).unwrap_or("no Date").to_owned();
    answer.success().map(drop).or_else(|stop| {
        fail(format!("{}; check the credential and the clocks: the proxy's answer has the Date {date}", stop.reason()))
    })
}

async fn refused(probe: &mut Probe, how: fn(Ask) -> Ask) -> Verdict {
    let ask = how(probe.health());
    probe.send(&ask).await?.refused(&[AuthenticationFailedException])
}

fn with_a_wrong_digit(ask: Ask) -> Ask {
    ask.then("the last digit of the signature changed", |request| {
        reauthorize(request, |text| {
            let (start, last) = text.split_at(text.len().saturating_sub(1));
            format!("{start}{}", if last == "0" { "1" } else { "0" })
        });
    })
}

fn with_another_key(ask: Ask) -> Ask {
    ask.then("the access key ID replaced by another", |request| {
        reauthorize(request, |text| match text.split_once("Credential=").zip(text.split_once('/')) {
            Some(((start, _), (_, scope))) => format!("{start}Credential={ANOTHER_KEY}/{scope}"),
            None => String::new(),
        });
    })
}

fn in_another_region(ask: Ask) -> Ask {
    ask.then("the Region of the scope replaced by mars-north-1", |request| {
        reauthorize(request, |text| {
            let mut parts: Vec<&str> = text.split('/').collect();
            if let Some(region) = parts.get_mut(2) {
                *region = "mars-north-1";
            }
            parts.join("/")
        });
    })
}

fn for_another_path(ask: Ask) -> Ask {
    ask.but(|ask| ask.target = ask.target.replace("/health", "/keys/none/metadata")).then(
        "sent to /health",
        |request| {
            let uri = request.uri().to_string().replace("/keys/none/metadata", "/health");
            if let Ok(uri) = uri.parse() {
                *request.uri_mut() = uri;
            }
        },
    )
}

fn longer(body: &Bytes) -> Bytes {
    [body, b" ".as_slice()].concat().into()
}

async fn malformed(probe: &mut Probe) -> Verdict {
    const TEXTS: [fn(&mut Request<Bytes>); 4] = [
        |request| replace(request, ""),
        |request| replace(request, "Bearer x"),
        |request| replace(request, "AWS4-HMAC-SHA256"),
        |request| replace(request, "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=z"),
    ];
    for tampering in TEXTS {
        let ask = probe.health().then("the Authorization header replaced by one that is no signature", tampering);
        probe.send(&ask).await?.refused(&[AuthenticationFailedException])?;
    }
    Ok(())
}

fn replace(request: &mut Request<Bytes>, text: &'static str) {
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static(text));
}

async fn alike(probe: &mut Probe) -> Verdict {
    let mut said = Vec::new();
    for how in [with_another_key, with_a_wrong_digit] {
        let ask = how(probe.health());
        let answer = probe.send(&ask).await?;
        let message = answer.json().and_then(|body| body["errorMessage"].as_str().map(str::to_owned));
        // A proxy may say back which access key it was shown.
        let message = message.unwrap_or_default().replace(ANOTHER_KEY, &probe.target.access_key_id);
        // ... and which request that was, or when.
        let words = message.split_whitespace().filter(|word| !word.contains(|it: char| it.is_ascii_digit()));
        said.push((answer.outcome(), words.collect::<Vec<_>>().join(" ")));
    }
    if said.first() == said.last() { Ok(()) } else { fail("who tries out access key IDs learns which ones there are") }
}

async fn no_hint(probe: &mut Probe) -> Verdict {
    let right = probe.health();
    let wrong = with_a_wrong_digit(right.clone());
    let signed = probe.signed(&right)?;
    let answer = probe.send(&wrong).await?;
    // A second may have passed in between, and with it the signature.
    let again = probe.signed(&right)?;
    let headers = answer.headers.values().map(HeaderValue::as_bytes);
    let said: Vec<String> = headers.chain([&*answer.body]).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    for signature in [&signed, &again].into_iter().filter_map(|request| signature_of(request)) {
        if said.iter().any(|text| text.contains(signature)) {
            return fail("the answer tells the signature that would have been right: whoever asks can sign");
        }
    }
    if said.iter().any(|text| text.contains(probe.target.secret_access_key.expose())) {
        return fail("the answer tells the secret access key");
    }
    Ok(())
}

async fn skew(probe: &mut Probe) -> Verdict {
    for minutes in [-4, 4] {
        let ask = probe.health().but(|ask| ask.ahead = SignedDuration::from_mins(minutes));
        probe.send(&ask).await?.success()?;
    }
    Ok(())
}

async fn whole_body(probe: &mut Probe) -> Verdict {
    let Some(key) = probe.keys.first().map(|key| key.id.clone()) else { return skip("no --key was given") };
    let long = probe.encrypt(&key).with_bytes("/additionalAuthenticatedData", &[0; 8192]);
    let ask = long
        .then("a blank put after the last byte of the body", |request| *request.body_mut() = longer(request.body()));
    probe.send(&ask).await?.refused(&[AuthenticationFailedException])
}
