use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::aws::operation::Service;

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn now() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

fn secret() -> SecretString {
    SecretString::new(SECRET.to_owned())
}

fn credentials(token: Option<&str>) -> Credentials {
    Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: secret(),
        session_token: token.map(|token| SecretString::new(token.to_owned())),
    }
}

fn unsigned_request(uri: &str, target: &str, body: &str) -> Request<Bytes> {
    Request::post(uri)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

fn signed_list_keys() -> Request<Bytes> {
    let mut request =
        unsigned_request("https://kms.us-east-1.amazonaws.com/", "TrentService.ListKeys", "{\"Limit\": 10}");
    sign(&mut request, &credentials(None), "us-east-1", "kms", now()).unwrap();
    request
}

fn verify_with(request: &Request<Bytes>, secret: &SecretString, now: Timestamp) -> Result<(), AuthError> {
    let signed_request = SignedRequest::parse(request)?;
    signed_request.verify(request, &SigningKey::derive(secret, signed_request.scope)?, now)
}

fn verify(request: &Request<Bytes>) -> Result<(), AuthError> {
    verify_with(request, &secret(), now())
}

fn authorization(request: &Request<Bytes>) -> String {
    request.headers()[AUTHORIZATION].to_str().unwrap().to_owned()
}

fn with_authorization(change: impl Fn(&str) -> String) -> Request<Bytes> {
    let mut request = signed_list_keys();
    let changed = change(&authorization(&request));
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_str(&changed).unwrap());
    request
}

/// URI, target, body, session token, signed headers, and signature.
type TestVector = (&'static str, &'static str, &'static str, Option<&'static str>, &'static str, &'static str);

/// Two requests with the signatures that botocore computes.
const BOTOCORE_VECTORS: [TestVector; 2] = [
    (
        "https://kms.us-east-1.amazonaws.com/",
        "TrentService.ListKeys",
        "{\"Limit\": 10}",
        None,
        "content-type;host;x-amz-date;x-amz-target",
        "7dc4596216bbfbed2e95d351cab950f595bd85a819b954e7a271d729fe33302f",
    ),
    (
        "http://127.0.0.1:8080/",
        "TrentService.DescribeKey",
        "{\"KeyId\": \"alias/x\"}",
        Some("TOKENEXAMPLE"),
        "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
        "b0a3345f1877455909ea3fe070b3eb85c3222e62c6015e44fa9c8cdd2254eef6",
    ),
];

fn botocore_authorization(signed_headers: &str, signature: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260102/us-east-1/kms/aws4_request, \
         SignedHeaders={signed_headers}, Signature={signature}"
    )
}

#[test]
fn sign_matches_botocore() {
    for (uri, target, body, token, signed_headers, signature) in BOTOCORE_VECTORS {
        let mut request = unsigned_request(uri, target, body);
        sign(&mut request, &credentials(token), "us-east-1", "kms", now()).unwrap();
        assert_eq!(authorization(&request), botocore_authorization(signed_headers, signature));
    }
}

#[test]
fn verify_accepts_botocore_signatures() {
    for (uri, target, body, token, signed_headers, signature) in BOTOCORE_VECTORS {
        let mut request = unsigned_request(uri, target, body);
        let host = request.uri().authority().unwrap().to_string();
        let headers = request.headers_mut();
        headers.insert("host", host.parse().unwrap());
        headers.insert("x-amz-date", HeaderValue::from_static("20260102T030405Z"));
        headers.insert(AUTHORIZATION, botocore_authorization(signed_headers, signature).parse().unwrap());
        // SDKs add headers after signing. They aren't x-amz-* headers and can be unsigned.
        headers.insert("amz-sdk-request", HeaderValue::from_static("attempt=1"));
        if let Some(token) = token {
            headers.insert("x-amz-security-token", token.parse().unwrap());
        }
        let signed_request = SignedRequest::parse(&request).unwrap();
        assert_eq!((signed_request.scope.region, signed_request.scope.service), ("us-east-1", "kms"));
        assert_eq!(signed_request.session_token.as_ref().map(SecretString::expose), token);
        assert_eq!(verify(&request), Ok(()));
    }
}

#[test]
fn signing_twice_replaces_the_signature() {
    let mut request = signed_list_keys();
    let later = now() + SignedDuration::from_mins(10);
    sign(&mut request, &credentials(None), "us-east-1", "kms", later).unwrap();
    assert_eq!(verify_with(&request, &secret(), later), Ok(()));
}

#[test]
fn sign_rejects_relative_uri() {
    let mut request = unsigned_request("/", "TrentService.ListKeys", "{}");
    assert!(sign(&mut request, &credentials(None), "us-east-1", "kms", now()).is_err());
}

#[test]
fn verify_rejects_tampered_request() {
    type Change = fn(&mut Request<Bytes>);
    let changes: [(&str, Change); 6] = [
        ("body", |request| *request.body_mut() = Bytes::from_static(b"{\"Limit\": 11}")),
        ("method", |request| *request.method_mut() = http::Method::PUT),
        ("path", |request| *request.uri_mut() = "https://kms.us-east-1.amazonaws.com/x".parse().unwrap()),
        ("query", |request| *request.uri_mut() = "https://kms.us-east-1.amazonaws.com/?a=b".parse().unwrap()),
        ("host", |request| _ = request.headers_mut().insert("host", HeaderValue::from_static("kms.example.com"))),
        ("target", |request| {
            request.headers_mut().insert("x-amz-target", HeaderValue::from_static("TrentService.CreateKey"));
        }),
    ];
    for (name, change) in changes {
        let mut request = signed_list_keys();
        change(&mut request);
        assert_eq!(verify(&request), Err(AuthError::Mismatch), "{name}");
    }
    let request = signed_list_keys();
    let other = SecretString::new("other".to_owned());
    assert_eq!(verify_with(&request, &other, now()), Err(AuthError::Mismatch));
}

#[test]
fn verify_rejects_wrong_scope_or_signature() {
    for (from, to) in [("us-east-1", "us-west-2"), ("/kms/", "/iam/"), ("Signature=7dc4", "Signature=7dc5")] {
        assert_eq!(verify(&with_authorization(|text| text.replace(from, to))), Err(AuthError::Mismatch), "{from}");
    }
}

#[test]
fn verify_rejects_incomplete_signature() {
    let changes = [
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        ("/20260102/", "/20260101/"),
        ("/20260102/", "/2026010/"),
        ("/aws4_request", ""),
        ("/aws4_request", "/aws4_request/more"),
        ("AKIAIOSFODNN7EXAMPLE", ""),
        ("host;", ""),
        ("x-amz-date;", ""),
        (";x-amz-target", ""),
        ("content-type;host", "host;content-type"),
        ("content-type;host", "content-type;host;host"),
        ("content-type;host", "Content-Type;host"),
        ("content-type;host", "content-length;content-type;host"),
        ("Signature=7dc4", "Signature=7DC4"),
        ("Signature=7dc4", "Signature=7dc"),
        ("Signature=7dc4", "Signature=+7dc"),
        (", Signature=", ", Signature=00, Signature="),
        (", Signature=", ", Extra=1, Signature="),
        (", SignedHeaders=", ", Headers="),
    ];
    for (from, to) in changes {
        let error = verify(&with_authorization(|text| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        }));
        assert!(matches!(error, Err(AuthError::Incomplete(_))), "{from} -> {to}: {error:?}");
    }
}

#[test]
fn verify_rejects_unsigned_or_duplicate_header() {
    for (name, value) in [
        ("x-amz-security-token", "smuggled"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-target", "TrentService.CreateKey"),
        ("host", "kms.example.com"),
        ("x-amz-date", "20260102T030405Z"),
        ("authorization", "again"),
    ] {
        let mut request = signed_list_keys();
        request.headers_mut().append(name, HeaderValue::from_static(value));
        assert!(matches!(verify(&request), Err(AuthError::Incomplete(_))), "{name}");
    }
}

#[test]
fn verify_rejects_content_hash_that_differs_from_the_body() {
    let signed_with = |hash: &str| {
        let mut request = unsigned_request("https://kms.us-east-1.amazonaws.com/", "TrentService.ListKeys", "{}");
        request.headers_mut().insert("x-amz-content-sha256", hash.parse().unwrap());
        sign(&mut request, &credentials(None), "us-east-1", "kms", now()).unwrap();
        verify(&request)
    };
    assert_eq!(signed_with("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"), Ok(()));
    assert_eq!(signed_with("UNSIGNED-PAYLOAD"), Err(AuthError::Mismatch));
    assert_eq!(signed_with(&"0".repeat(64)), Err(AuthError::Mismatch));
}

#[test]
fn parse_rejects_signature_in_query_string() {
    let mut request = signed_list_keys();
    *request.uri_mut() = "https://kms.us-east-1.amazonaws.com/?a=b&X-Amz-Signature=00".parse().unwrap();
    assert!(matches!(verify(&request), Err(AuthError::Incomplete(_))));
}

#[test]
fn verify_allows_at_most_five_minutes_of_clock_skew() {
    let request = signed_list_keys();
    for (seconds, accepted) in [(-301, false), (-300, true), (300, true), (301, false)] {
        let at = now() + SignedDuration::from_secs(seconds);
        let result = verify_with(&request, &secret(), at);
        assert_eq!(result.is_ok(), accepted, "{seconds}");
        assert!(accepted || matches!(result, Err(AuthError::Expired { .. })));
    }
}

#[test]
fn verify_rejects_malformed_date() {
    for time in ["2026-01-02T03:04:05Z", "20260102T030405", "20261302T030405Z", "20260102 030405Z", ""] {
        let mut request = signed_list_keys();
        request.headers_mut().insert("x-amz-date", time.parse().unwrap());
        assert!(matches!(verify(&request), Err(AuthError::Incomplete(_))), "{time}");
    }
}

#[test]
fn auth_errors_use_the_error_codes_of_the_protocol() {
    let error = |error: AuthError, service: Service| error.to_service_error(service.protocol());
    assert!(verify(&unsigned_request("https://a/", "b", "")) == Err(AuthError::MissingToken));
    assert_eq!(error(AuthError::Mismatch, Service::Kms).code, "InvalidSignatureException");
    assert_eq!(error(AuthError::Mismatch, Service::Iam).code, "SignatureDoesNotMatch");
    assert_eq!(error(AuthError::Mismatch, Service::Sts).status, 403);
}

#[test]
fn cached_key_matches_its_secret_and_scope() {
    let keys = SigningKeyCache::default();
    let scope = CredentialScope { date: "20260102", region: "us-east-1", service: "kms" };
    let other = SecretString::new("other".to_owned());
    let scopes = [
        scope,
        CredentialScope { date: "20260103", ..scope },
        CredentialScope { region: "us-west-2", ..scope },
        CredentialScope { service: "iam", ..scope },
    ];
    for _ in 0..2 {
        for (secret, scope) in scopes.iter().map(|scope| (&other, *scope)).chain([(&secret(), scope)]) {
            let (cached, derived) =
                (keys.get_or_derive("A", secret, scope).unwrap(), SigningKey::derive(secret, scope).unwrap());
            assert_eq!(cached.sign("text").unwrap(), derived.sign("text").unwrap(), "{scope}");
        }
    }
}

proptest! {
    #[test]
    fn cached_key_signs_like_aws_sigv4(
        segments in prop::collection::vec("[a-zA-Z0-9_~-][a-zA-Z0-9_~.-]{0,7}", 0..6),
        body in prop::collection::vec(any::<u8>(), 0..200),
        region in "[a-z]{2}-[a-z]{4,9}-[1-9]",
        seconds in 0i64..4_000_000_000,
    ) {
        let at = Timestamp::from_second(seconds).unwrap();
        let uri = format!("https://proxy.example.com/{}", segments.join("/"));
        let request = || Request::post(&uri).body(Bytes::from(body.clone())).unwrap();
        let (mut theirs, mut ours) = (request(), request());
        sign(&mut theirs, &credentials(None), &region, "kms-xks-proxy", at).unwrap();
        SigningKeyCache::default()
            .sign(&mut ours, "AKIAIOSFODNN7EXAMPLE", &secret(), &region, "kms-xks-proxy", at)
            .unwrap();
        prop_assert_eq!(ours.headers(), theirs.headers());
    }

    #[test]
    fn verify_accepts_aws_sigv4_signatures(
        segments in prop::collection::vec("[a-zA-Z0-9_~-]{1,8}(%20|%2F|%C3%A9)?[a-zA-Z0-9_~-]{0,3}", 0..4),
        query in prop::collection::vec(("[b-w]{1,4}(%20)?", "([a-zA-Z0-9~_-]|%20|%2F|%3D){0,6}"), 0..4),
        value in "[!-~]{1,5} {1,3}[!-~]{1,5}",
        token in prop::option::of("[a-zA-Z0-9/+=]{1,40}"),
        body in prop::collection::vec(any::<u8>(), 0..200),
        region in "[a-z]{2}-[a-z]{4,9}-[1-9]",
    ) {
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut uri = format!("https://proxy.example.com/{}", segments.join("/"));
        if !query.is_empty() {
            uri = format!("{uri}?{}", query.join("&"));
        }
        let mut request = Request::post(uri).header("x-amz-note", value).body(Bytes::from(body)).unwrap();
        sign(&mut request, &credentials(token.as_deref()), &region, "kms-xks-proxy", now()).unwrap();
        prop_assert_eq!(verify(&request), Ok(()));
        let mut longer = request.body().to_vec();
        longer.push(0);
        *request.body_mut() = Bytes::from(longer);
        prop_assert_eq!(verify(&request), Err(AuthError::Mismatch));
    }

    #[test]
    fn invalid_authorization_header_never_panics(text in "[ -~]{0,120}", tail in "[ -~]{0,60}") {
        let whole = with_authorization(|_| text.clone());
        prop_assert!(verify(&whole).is_err());
        let cut = with_authorization(|signed| format!("{}{tail}", &signed[..signed.len() / 2]));
        prop_assert!(verify(&cut).is_err());
    }
}
