//! Authentication of callers by Signature Version 4.

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
        for (requirement, request, is_accepted) in [
            ("KMS signs host and x-amz-date", RawRequest::health(), true),
            ("SignedHeaders lists the covered headers", signed(&["content-type", "host", "x-amz-date"]), true),
            ("any Region", RawRequest::health().modified(|request| request.region = "eu-central-1"), true),
            ("host must be signed", signed(&["x-amz-date"]), false),
            ("x-amz-date must be signed", signed(&["host"]), false),
            ("SignedHeaders must not be empty", signed(&[]), false),
            ("every signed header must be present", signed(&["host", "x-amz-date", "x-more"]), false),
            (
                "the service must be kms-xks-proxy",
                RawRequest::health().modified(|request| request.service = "kms"),
                false,
            ),
            ("a signature is required", RawRequest::health().modified(|request| request.signed_headers = None), false),
            ("the access key must exist", RawRequest::health().with_invalid_signature(), false),
        ] {
            let response = proxy.send(&request).await;
            response.assert_outcome(
                if is_accepted { 200 } else { 401 },
                if is_accepted { "" } else { AUTHENTICATION_FAILED },
                requirement,
            );
            let (text, expected) = (&response.text, proxy.credential.secret_access_key.expose());
            assert!(
                !text.contains(expected) && !text.contains("Expected"),
                "the response must not reveal the signature"
            );
        }
        let invalid = RawRequest::health().with_invalid_signature();
        for authorization in
            ["", "Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=é"]
        {
            let request = invalid.clone().modified(|request| {
                request.headers.retain(|(name, _)| *name != "authorization");
                request.headers.push(("authorization", authorization.to_owned()));
            });
            proxy.send(&request).await.assert_outcome(
                401,
                AUTHENTICATION_FAILED,
                "an Authorization header without a signature",
            );
        }
        // Requests that are changed after they are signed.
        let head = RawRequest::health().head(&proxy.credential, proxy.clock.now());
        let signed_request = RawRequest::health().modified(|request| {
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
        proxy.send(&signed_request).await.assert_outcome(200, "", "a request can be repeated within five minutes");
        let body = signed_request.clone().modified(|request| request.body.push(b' '));
        proxy.send(&body).await.assert_outcome(401, AUTHENTICATION_FAILED, "the signature covers the body");
        let path = signed_request
            .clone()
            .modified(|request| request.target = request.target.replace("/health", "/keys/good/metadata"));
        proxy.send(&path).await.assert_outcome(401, AUTHENTICATION_FAILED, "the signature covers the path");
        let oslo =
            signed_request.clone().modified(|request| request.target = request.target.replace("/lab/", "/oslo/"));
        proxy.send(&oslo).await.assert_outcome(401, AUTHENTICATION_FAILED, "a credential is valid for one partition");
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
            proxy.send(&request).await.assert_outcome(
                status,
                name,
                "requests are valid for five minutes before and after their date",
            );
        }
    })
    .await;
}

#[tokio::test]
async fn signature_is_checked_before_the_body() {
    over_http_and_tls(async |proxy| {
        for (requirement, api, body) in [
            ("the signature is checked before the JSON", "/keys/good/encrypt", Value::Null),
            ("the signature is checked before the key", "/keys/none/encrypt", encrypt_body()),
            ("the signature is checked before the key state", "/keys/off/encrypt", encrypt_body()),
        ] {
            proxy.send(&RawRequest::new(api, &body).with_invalid_signature()).await.assert_outcome(
                401,
                AUTHENTICATION_FAILED,
                requirement,
            );
        }
        let response = proxy.call("/keys/none/encrypt", &Value::Null).await;
        response.assert_outcome(400, "ValidationException", "the JSON is checked before the key");
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
        proxy.send_on(&mut stream, &new).await.assert_outcome(200, "", "a new credential is valid immediately");
        proxy.send_on(&mut stream, &old).await.assert_outcome(200, "", "two credentials can be valid at the same time");
        assert!(proxy.aws.key_manager().remove_credential("lab", &proxy.credential.access_key_id).unwrap());
        proxy.send_on(&mut stream, &old).await.assert_outcome(
            401,
            AUTHENTICATION_FAILED,
            "revoking a credential takes effect immediately",
        );
        proxy.send_on(&mut stream, &new).await.assert_outcome(200, "", "the other credential stays valid");
    })
    .await;
}
