//! Big, broken and many requests: the proxy lives on.

use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::section::{ERRORS, HEALTH, NONE};
use crate::conformance::answer::{THROTTLED, base64, fail, skip};
use crate::conformance::ask::Ask;
use crate::conformance::probe::Probe;
use crate::conformance::{Check, Verdict, must, should};
use crate::xks::wire::ErrorName::{UnsupportedOperationException, ValidationException};
use crate::xks::wire::MAX_BODY;

/// More than any request has, by far.
const HUGE: u64 = 256 * 1024 * 1024;
/// How long a request may stay half-sent.
const HALF_A_MINUTE: Duration = Duration::from_secs(30);
/// How many requests are made at once.
const AT_ONCE: usize = 16;

pub const CHECKS: &[Check] = &[
    should("body-huge", NONE, "A body that is announced with 256 MiB is refused before it is read.", |probe| {
        huge(probe).boxed()
    }),
    must(
        "body-aad-encrypt",
        ERRORS,
        "Encrypt with 65,536 bytes of AAD is served or refused, and the proxy lives on.",
        |probe| big_aad(probe, false).boxed(),
    ),
    must("body-aad-decrypt", ERRORS, "Decrypt with 65,536 bytes of AAD is refused, and the proxy lives on.", |probe| {
        big_aad(probe, true).boxed()
    }),
    must("body-deep", NONE, "60,000 nested arrays do no harm.", |probe| deep(probe).boxed()),
    must(
        "body-invalid",
        ERRORS,
        "A body that isn't the JSON of the operation is refused with 400 ValidationException.",
        |probe| invalid(probe).boxed(),
    ),
    should("body-invalid-health", HEALTH, "GetHealthStatus refuses a body that isn't its JSON with 400.", |probe| {
        invalid_health(probe).boxed()
    }),
    should(
        "request-half-sent",
        NONE,
        "A connection over which half a request comes is closed within 30 seconds.",
        |probe| half_sent(probe).boxed(),
    ),
    must(
        "requests-at-once",
        NONE,
        "Sixteen requests at once, each on a connection of its own, are all answered rightly.",
        |probe| at_once(probe).boxed(),
    ),
];

async fn lives_on(probe: &mut Probe) -> Verdict {
    probe.hang_up();
    let ask = probe.health();
    let answer = probe.send(&ask).await.and_then(|answer| answer.success());
    answer.map(drop).map_err(|stop| stop.at("afterwards GetHealthStatus fails"))
}

async fn huge(probe: &mut Probe) -> Verdict {
    let ask = probe.health().but(|ask| {
        ask.promises = Some(HUGE);
        ask.is_of_kms = false;
    });
    let waited = tokio::time::timeout(Duration::from_secs(2), probe.exchange(&ask)).await;
    let is_waited_for = waited.is_err();
    let outcome = waited.unwrap_or_else(|_| Err("no answer in two seconds".to_owned()));
    probe.record(&ask, outcome.clone());
    lives_on(probe).await?;
    match outcome {
        _ if is_waited_for => fail("the proxy waits for the body; who has no credential can fill its memory so"),
        Ok(answer) if answer.status.is_success() => fail("the proxy answers as if the body were there"),
        // The connection may be closed instead.
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn big_aad(probe: &mut Probe, is_decrypt: bool) -> Verdict {
    let (key, sealed) = probe.seal().await?;
    let ask = if is_decrypt { probe.decrypt(&key, &sealed) } else { probe.encrypt(&key) };
    let ask = ask.with_bytes("/additionalAuthenticatedData", &vec![7; 65_536]).but(|ask| ask.is_of_kms = false);
    let answer = probe.send(&ask).await;
    lives_on(probe).await?;
    match answer {
        Ok(answer) if matches!(answer.status.as_u16(), 400 | 413 | 501) => Ok(()),
        Ok(answer) if answer.status == http::StatusCode::OK && !is_decrypt => Ok(()),
        Ok(answer) => fail(format!("expected 501 UnsupportedOperationException, got {}", answer.outcome())),
        // Who refuses early may close while the rest is on its way; but one who dies closes too, and comes back.
        Err(_) => {
            probe.note("the connection was closed without an answer");
            Ok(())
        }
    }
}

async fn deep(probe: &mut Probe) -> Verdict {
    let ask = probe.health().but(|ask| {
        ask.raw = Some(vec![b'['; 60_000]);
        ask.is_of_kms = false;
    });
    let answer = probe.send(&ask).await;
    lives_on(probe).await?;
    answer?.refused(&[ValidationException, UnsupportedOperationException])
}

fn broken(ask: Ask, text: &str) -> Ask {
    ask.but(|ask| ask.raw = Some(text.as_bytes().to_vec()))
}

async fn invalid(probe: &mut Probe) -> Verdict {
    let (key, sealed) = probe.seal().await?;
    for text in ["", "{", "[]", "null", "{}", "{\"requestMetadata\":{\"kmsRequestId\":"] {
        for ask in [probe.encrypt(&key), probe.decrypt(&key, &sealed)] {
            let ask = broken(ask, text);
            let answer = probe.send(&ask).await?;
            answer.refused(&[ValidationException]).map_err(|stop| stop.at(&format!("{text:?} to {}", ask.target)))?;
        }
    }
    Ok(())
}

async fn invalid_health(probe: &mut Probe) -> Verdict {
    for text in ["{", "[]"] {
        let ask = broken(probe.health(), text);
        probe.send(&ask).await?.refused(&[ValidationException])?;
    }
    Ok(())
}

async fn at_once(probe: &mut Probe) -> Verdict {
    let key = probe.usable_key()?;
    // Each is a byte longer than the one before, and so must its answer be.
    let sizes = 20..20 + AT_ONCE;
    let asks = sizes.map(|size| probe.encrypt(&key).with_bytes("/plaintext", &vec![7; size])).collect();
    let mut lengths = Vec::with_capacity(AT_ONCE);
    for outcome in probe.at_once(asks).await {
        let answer = outcome.or_else(fail)?;
        if answer.status == http::StatusCode::TOO_MANY_REQUESTS {
            return skip(THROTTLED);
        }
        lengths.push(base64(&answer.success()?, "ciphertext")?.len());
    }
    if lengths.is_sorted_by(|one, next| one + 1 == *next) {
        Ok(())
    } else {
        fail("an answer belongs to another request")
    }
}

async fn half_sent(probe: &mut Probe) -> Verdict {
    if !probe.is_slow {
        return skip("it takes up to half a minute; say --slow");
    }
    let (mut stream, _) = probe.connector.stream().await.or_else(|error| fail(error.to_string()))?;
    let half =
        format!("POST {} HTTP/1.1\r\nhost: {}\r\nx-amz-da", probe.path("/health"), probe.target.endpoint.authority);
    let mut said = Vec::new();
    let closed = async {
        stream.write_all(half.as_bytes()).await?;
        stream.take(MAX_BODY as u64).read_to_end(&mut said).await
    };
    match tokio::time::timeout(HALF_A_MINUTE, closed).await {
        Ok(_) => Ok(()),
        Err(_) => fail("it stays open; who opens many of them shuts KMS out"),
    }
}
