//! The quota of each partition.

use std::num::NonZeroU32;

use jiff::SignedDuration;

use super::client::{Ask, Proxy, Wire, credential_in, encrypt_body};

const THROTTLED: &str = "ThrottlingException";

#[tokio::test]
async fn requests_above_the_rate_of_a_partition_are_throttled() {
    for wire in [Wire::Http, Wire::Tls] {
        let rate = NonZeroU32::new(3).unwrap();
        let proxy = Proxy::start_as(wire, |server| server.with_proxy_rate(rate)).await;
        let encrypt = Ask::new("/keys/good/encrypt", &encrypt_body());
        for _ in 0..5 {
            let junk = proxy.send(&encrypt.clone().with_junk_signature()).await;
            junk.must_be(401, "AuthenticationFailedException", "strangers take nothing out of the bucket");
        }
        proxy.send(&encrypt).await.must_be(200, "", "the first");
        proxy.send(&Ask::health()).await.must_be(200, "", "the second");
        proxy.call("/keys/none/encrypt", &encrypt_body()).await.must_be(404, "KeyNotFoundException", "the third");
        for ask in [&encrypt, &Ask::health()] {
            proxy.send(ask).await.must_be(429, THROTTLED, "the fourth, health too");
        }
        let junk = proxy.send(&encrypt.clone().with_junk_signature()).await;
        junk.must_be(401, "AuthenticationFailedException", "the signature comes first");
        let credential = credential_in(&proxy.aws.proxy_configuration("oslo").unwrap());
        let elsewhere = Ask::health().but(|ask| {
            ask.target = ask.target.replace("/lab/", "/oslo/");
            ask.credential = Some(credential);
        });
        proxy.send(&elsewhere).await.must_be(200, "", "another partition has its own");
        proxy.clock.advance(SignedDuration::from_millis(334));
        proxy.send(&encrypt).await.must_be(200, "", "one is back after a third of a second");
        proxy.send(&encrypt).await.must_be(429, THROTTLED, "one and no more");
    }
}

#[tokio::test]
async fn requests_are_not_throttled_by_default() {
    let proxy = Proxy::start(Wire::Http).await;
    for _ in 0..50 {
        proxy.send(&Ask::health()).await.must_be(200, "", "no rate is set");
    }
}
