//! Who may call: Signature Version 4.

use jiff::SignedDuration;
use serde_json::Value;

use super::client::{RawRequest, encrypt_body, over_http_and_tls, parse_credential};

const AUTHENTICATION_FAILED: &str = "AuthenticationFailedException";

#[tokio::test]
async fn signature_must_cover_host_date_path_and_body() {
    over_http_and_tls(async |proxy| {
        let signed = |names: &[&'static str]| {
            RawRequest::health().modified(|request| request.signed_headers = Some(names.to_vec()))
        };
        for (requirement, request, is_good) in [
            ("KMS signs host and x-amz-date", RawRequest::health(), true),
            ("SignedHeaders says what is covered", signed(&["content-type", "host", "x-amz-date"]), true),
            ("any Region", RawRequest::health().modified(|request| request.region = "eu-central-1"), true),
            ("host is signed", signed(&["x-amz-date"]), false),
            ("x-amz-date is signed", signed(&["host"]), false),
            ("something is signed", signed(&[]), false),
            ("a signed header is there", signed(&["host", "x-amz-date", "x-more"]), false),
            ("the service is kms-xks-proxy", RawRequest::health().modified(|request| request.service = "kms"), false),
            ("there is a signature", RawRequest::health().modified(|request| request.signed_headers = None), false),
            ("a signature is of a credential", RawRequest::health().with_invalid_signature(), false),
        ] {
            let response = proxy.send(&request).await;
            response.assert_outcome(
                if is_good { 200 } else { 401 },
                if is_good { "" } else { AUTHENTICATION_FAILED },
                requirement,
            );
            let (given, expected) = (&response.text, proxy.credential.secret_access_key.expose());
            assert!(!given.contains(expected) && !given.contains("Expected"), "an answer helps nobody to sign");
        }
        let junk = RawRequest::health().with_invalid_signature();
        for authorization in
            ["", "Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=é"]
        {
            let request = junk.clone().modified(|request| {
                request.headers.retain(|(name, _)| *name != "authorization");
                request.headers.push(("authorization", authorization.to_owned()));
            });
            proxy.send(&request).await.assert_outcome(401, AUTHENTICATION_FAILED, "a header that is no signature");
        }
        // Signed, and changed on the way.
        let head = RawRequest::health().head(&proxy.credential, proxy.clock.now());
        let kept = RawRequest::health().modified(|request| {
            request.signed_headers = None;
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            for (name, value) in lines {
                let name = match name {
                    "authorization" => "authorization",
                    "x-amz-date" => "x-amz-date",
                    _ => continue,
                };
                request.headers.push((name, value.to_owned()));
            }
        });
        proxy.send(&kept).await.assert_outcome(200, "", "the same request again, within five minutes");
        let body = kept.clone().modified(|request| request.body.push(b' '));
        proxy.send(&body).await.assert_outcome(401, AUTHENTICATION_FAILED, "the body is covered");
        let path =
            kept.clone().modified(|request| request.target = request.target.replace("/health", "/keys/good/metadata"));
        proxy.send(&path).await.assert_outcome(401, AUTHENTICATION_FAILED, "the path is covered");
        let oslo = kept.clone().modified(|request| request.target = request.target.replace("/lab/", "/oslo/"));
        proxy.send(&oslo).await.assert_outcome(401, AUTHENTICATION_FAILED, "a credential is for one partition");
    })
    .await;
}

#[tokio::test]
async fn request_is_valid_for_five_minutes() {
    over_http_and_tls(async |proxy| {
        for (seconds, status) in [(0, 200), (299, 200), (-299, 200), (301, 401), (-301, 401), (86_400, 401)] {
            let request =
                RawRequest::health().modified(|request| request.clock_offset = SignedDuration::from_secs(seconds));
            let name = if status == 200 { "" } else { AUTHENTICATION_FAILED };
            proxy.send(&request).await.assert_outcome(status, name, "more than five minutes past or future is refused");
        }
    })
    .await;
}

#[tokio::test]
async fn signature_is_checked_before_the_body() {
    over_http_and_tls(async |proxy| {
        for (requirement, api, body) in [
            ("then the JSON", "/keys/good/encrypt", Value::Null),
            ("then the key", "/keys/none/encrypt", encrypt_body()),
            ("then its state", "/keys/off/encrypt", encrypt_body()),
        ] {
            proxy.send(&RawRequest::new(api, &body).with_invalid_signature()).await.assert_outcome(
                401,
                AUTHENTICATION_FAILED,
                requirement,
            );
        }
        let response = proxy.call("/keys/none/encrypt", &Value::Null).await;
        response.assert_outcome(400, "ValidationException", "the JSON comes before the key");
    })
    .await;
}

#[tokio::test]
async fn credentials_can_be_added_and_revoked_without_a_restart() {
    over_http_and_tls(async |proxy| {
        let mut stream = proxy.connect().await;
        let old = RawRequest::health();
        proxy.send_on(&mut stream, &old).await.assert_outcome(200, "", "the first credential");
        let credential = parse_credential(&proxy.aws.proxy_configuration("lab").unwrap());
        let new = RawRequest::health().modified(|request| request.credential = Some(credential.clone()));
        proxy.send_on(&mut stream, &new).await.assert_outcome(200, "", "a credential counts at once");
        proxy.send_on(&mut stream, &old).await.assert_outcome(200, "", "two credentials are good at a time");
        assert!(proxy.aws.key_manager().remove_credential("lab", &proxy.credential.access_key_id).unwrap());
        proxy.send_on(&mut stream, &old).await.assert_outcome(
            401,
            AUTHENTICATION_FAILED,
            "a credential is revoked at once",
        );
        proxy.send_on(&mut stream, &new).await.assert_outcome(200, "", "the other one stays");
    })
    .await;
}
