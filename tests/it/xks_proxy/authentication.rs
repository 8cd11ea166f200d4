//! Who may call: Signature Version 4.

use jiff::SignedDuration;
use serde_json::Value;

use super::client::{Ask, credential_in, encrypt_body, over_both};

const REFUSED: &str = "AuthenticationFailedException";

#[tokio::test]
async fn signature_must_cover_host_date_path_and_body() {
    over_both(async |proxy| {
        let signed = |names: &[&'static str]| Ask::health().but(|ask| ask.signed = Some(names.to_vec()));
        for (requirement, ask, is_good) in [
            ("KMS signs host and x-amz-date", Ask::health(), true),
            ("SignedHeaders says what is covered", signed(&["content-type", "host", "x-amz-date"]), true),
            ("any Region", Ask::health().but(|ask| ask.region = "eu-central-1"), true),
            ("host is signed", signed(&["x-amz-date"]), false),
            ("x-amz-date is signed", signed(&["host"]), false),
            ("something is signed", signed(&[]), false),
            ("a signed header is there", signed(&["host", "x-amz-date", "x-more"]), false),
            ("the service is kms-xks-proxy", Ask::health().but(|ask| ask.service = "kms"), false),
            ("there is a signature", Ask::health().but(|ask| ask.signed = None), false),
            ("a signature is of a credential", Ask::health().with_junk_signature(), false),
        ] {
            let answer = proxy.send(&ask).await;
            answer.must_be(if is_good { 200 } else { 401 }, if is_good { "" } else { REFUSED }, requirement);
            let (given, expected) = (&answer.text, proxy.credential.secret_access_key.expose());
            assert!(!given.contains(expected) && !given.contains("Expected"), "an answer helps nobody to sign");
        }
        let junk = Ask::health().with_junk_signature();
        for authorization in
            ["", "Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=é"]
        {
            let ask = junk.clone().but(|ask| {
                ask.headers.retain(|(name, _)| *name != "authorization");
                ask.headers.push(("authorization", authorization.to_owned()));
            });
            proxy.send(&ask).await.must_be(401, REFUSED, "a header that is no signature");
        }
        // Signed, and changed on the way.
        let head = Ask::health().head(&proxy.credential, proxy.clock.now());
        let kept = Ask::health().but(|ask| {
            ask.signed = None;
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            for (name, value) in lines {
                let name = match name {
                    "authorization" => "authorization",
                    "x-amz-date" => "x-amz-date",
                    _ => continue,
                };
                ask.headers.push((name, value.to_owned()));
            }
        });
        proxy.send(&kept).await.must_be(200, "", "the same request again, within five minutes");
        let body = kept.clone().but(|ask| ask.body.push(b' '));
        proxy.send(&body).await.must_be(401, REFUSED, "the body is covered");
        let path = kept.clone().but(|ask| ask.target = ask.target.replace("/health", "/keys/good/metadata"));
        proxy.send(&path).await.must_be(401, REFUSED, "the path is covered");
        let oslo = kept.clone().but(|ask| ask.target = ask.target.replace("/lab/", "/oslo/"));
        proxy.send(&oslo).await.must_be(401, REFUSED, "a credential is for one partition");
    })
    .await;
}

#[tokio::test]
async fn request_is_valid_for_five_minutes() {
    over_both(async |proxy| {
        for (seconds, status) in [(0, 200), (299, 200), (-299, 200), (301, 401), (-301, 401), (86_400, 401)] {
            let ask = Ask::health().but(|ask| ask.ahead = SignedDuration::from_secs(seconds));
            let name = if status == 200 { "" } else { REFUSED };
            proxy.send(&ask).await.must_be(status, name, "more than five minutes past or future is refused");
        }
    })
    .await;
}

#[tokio::test]
async fn signature_is_checked_before_the_body() {
    over_both(async |proxy| {
        for (requirement, api, body) in [
            ("then the JSON", "/keys/good/encrypt", Value::Null),
            ("then the key", "/keys/none/encrypt", encrypt_body()),
            ("then its state", "/keys/off/encrypt", encrypt_body()),
        ] {
            proxy.send(&Ask::new(api, &body).with_junk_signature()).await.must_be(401, REFUSED, requirement);
        }
        let answer = proxy.call("/keys/none/encrypt", &Value::Null).await;
        answer.must_be(400, "ValidationException", "the JSON comes before the key");
    })
    .await;
}

#[tokio::test]
async fn credentials_can_be_added_and_revoked_without_a_restart() {
    over_both(async |proxy| {
        let mut stream = proxy.connect().await;
        let old = Ask::health();
        proxy.send_on(&mut stream, &old).await.must_be(200, "", "the first credential");
        let credential = credential_in(&proxy.aws.proxy_configuration("lab").unwrap());
        let new = Ask::health().but(|ask| ask.credential = Some(credential.clone()));
        proxy.send_on(&mut stream, &new).await.must_be(200, "", "a credential counts at once");
        proxy.send_on(&mut stream, &old).await.must_be(200, "", "two credentials are good at a time");
        assert!(proxy.aws.key_manager().remove_credential("lab", &proxy.credential.access_key_id).unwrap());
        proxy.send_on(&mut stream, &old).await.must_be(401, REFUSED, "a credential is revoked at once");
        proxy.send_on(&mut stream, &new).await.must_be(200, "", "the other one stays");
    })
    .await;
}
