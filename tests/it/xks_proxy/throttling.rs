//! The request quota of each partition.

use std::num::NonZeroU32;

use jiff::SignedDuration;

use super::client::{Protocol, RawRequest, ServedProxy, encrypt_body, parse_credential};

const THROTTLED: &str = "ThrottlingException";

#[tokio::test]
async fn requests_above_the_rate_of_a_partition_are_throttled() {
    for protocol in [Protocol::Http, Protocol::Tls] {
        let rate = NonZeroU32::new(3).unwrap();
        let proxy = ServedProxy::start_with(protocol, |server| server.with_proxy_rate(rate)).await;
        let encrypt = RawRequest::new("/keys/good/encrypt", &encrypt_body());
        for _ in 0..5 {
            let response = proxy.send(&encrypt.clone().with_invalid_signature()).await;
            response.assert_outcome(401, "AuthenticationFailedException", "unauthenticated requests don't count");
        }
        proxy.send(&encrypt).await.assert_outcome(200, "", "the first request");
        proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "the second request");
        proxy.call("/keys/none/encrypt", &encrypt_body()).await.assert_outcome(
            404,
            "KeyNotFoundException",
            "the third request",
        );
        for request in [&encrypt, &RawRequest::health()] {
            proxy.send(request).await.assert_outcome(429, THROTTLED, "the fourth request, including health");
        }
        let response = proxy.send(&encrypt.clone().with_invalid_signature()).await;
        response.assert_outcome(401, "AuthenticationFailedException", "the signature is checked first");
        let credential = parse_credential(&proxy.aws.proxy_configuration("oslo").unwrap());
        let other_partition = RawRequest::health().modified(|request| {
            request.target = request.target.replace("/lab/", "/oslo/");
            request.credential = Some(credential);
        });
        proxy.send(&other_partition).await.assert_outcome(200, "", "each partition has its own quota");
        proxy.clock.advance(SignedDuration::from_millis(334));
        proxy.send(&encrypt).await.assert_outcome(200, "", "one request is allowed after a third of a second");
        proxy.send(&encrypt).await.assert_outcome(429, THROTTLED, "only one request is allowed");
    }
}

#[tokio::test]
async fn requests_are_not_throttled_by_default() {
    let proxy = ServedProxy::start(Protocol::Http).await;
    for _ in 0..50 {
        proxy.send(&RawRequest::health()).await.assert_outcome(200, "", "no rate limit is set");
    }
}
