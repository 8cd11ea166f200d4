//! The quota of each partition.

use std::num::NonZeroU32;

use jiff::SignedDuration;

use super::client::{Protocol, RawRequest, ServedProxy, encrypt_body, parse_credential};

const THROTTLED: &str = "ThrottlingException";

#[tokio::test]
async fn requests_above_the_rate_of_a_partition_are_throttled() {
    for wire in [Protocol::Http, Protocol::Tls] {
        let rate = NonZeroU32::new(3).unwrap();
        let proxy = ServedProxy::start_with(wire, |server| server.with_proxy_rate(rate)).await;
        let encrypt = RawRequest::new("/keys/good/encrypt", &encrypt_body());
        for _ in 0..5 {
            let junk = proxy.send(&encrypt.clone().with_invalid_signature()).await;
            junk.assert_outcome(401, "AuthenticationFailedException", "strangers take nothing out of the bucket");
        }
        proxy.send(&encrypt).await.assert_outcome(200, "", "the first");
        proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "the second");
        proxy.call("/keys/none/encrypt", &encrypt_body()).await.assert_outcome(
            404,
            "KeyNotFoundException",
            "the third",
        );
        for ask in [&encrypt, &RawRequest::health()] {
            proxy.send(ask).await.assert_outcome(429, THROTTLED, "the fourth, health too");
        }
        let junk = proxy.send(&encrypt.clone().with_invalid_signature()).await;
        junk.assert_outcome(401, "AuthenticationFailedException", "the signature comes first");
        let credential = parse_credential(&proxy.aws.proxy_configuration("oslo").unwrap());
        let other_partition = RawRequest::health().modified(|ask| {
            ask.target = ask.target.replace("/lab/", "/oslo/");
            ask.credential = Some(credential);
        });
        proxy.send(&other_partition).await.assert_outcome(200, "", "another partition has its own");
        proxy.clock.advance(SignedDuration::from_millis(334));
        proxy.send(&encrypt).await.assert_outcome(200, "", "one is back after a third of a second");
        proxy.send(&encrypt).await.assert_outcome(429, THROTTLED, "one and no more");
    }
}

#[tokio::test]
async fn requests_are_not_throttled_by_default() {
    let proxy = ServedProxy::start(Protocol::Http).await;
    for _ in 0..50 {
        proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "no rate is set");
    }
}
