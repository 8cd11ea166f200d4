//! Compares the requests that the client sends with a table of signatures. `tests/clients/signatures.py` compares the
//! same table with botocore.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use serde_json::{Value, json};
use xks_console::aws::cloudtrail::LookupEvents;
use xks_console::aws::cloudwatch::ListMetrics;
use xks_console::aws::iam::ListUsers;
use xks_console::aws::kms::{CreateAlias, CreateKey, DescribeKey, Origin, Tag};
use xks_console::aws::operation::Operation;
use xks_console::aws::scalar::SecretString;
use xks_console::aws::sigv4::Credentials;
use xks_console::aws::sts::{AssumeRole, GetCallerIdentity};
use xks_console::client::endpoints::Endpoints;
use xks_console::client::{Client, Transport, TransportError};
use xks_console::environment::Clock;

use super::account::block_on;

/// The table of requests and their signatures.
const TABLE: &str = include_str!("../clients/signatures.json");

/// Captures the request and returns an empty error response.
#[derive(Default)]
struct CapturingTransport(Mutex<Option<Request<Bytes>>>);

impl Transport for CapturingTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        *self.0.lock().unwrap() = Some(request);
        Box::pin(async { Ok(Response::builder().status(400).body(Bytes::new()).unwrap()) })
    }
}

/// The settings that a request is signed with.
struct SigningContext {
    region: &'static str,
    endpoint: Option<&'static str>,
    token: Option<&'static str>,
    time: &'static str,
}

const DEFAULT_CONTEXT: SigningContext =
    SigningContext { region: "eu-central-1", endpoint: None, token: None, time: "2026-01-02T03:04:05Z" };
const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLXdlc3QtMiJIMEYCIQD+session/token==";

/// Returns the request that the client sends for an operation, in the format of the table.
fn signed_request<O: Operation>(name: &str, context: &SigningContext, operation: &O) -> Value {
    let transport = Arc::new(CapturingTransport::default());
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: SecretString::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        session_token: context.token.map(|token| SecretString::new(token.to_owned())),
    };
    let clock = Clock::manual(context.time.parse().unwrap());
    let client = Client::new(Arc::clone(&transport) as Arc<dyn Transport>, credentials, context.region, clock)
        .with_endpoints(context.endpoint.map(Endpoints::from_url).unwrap_or_default());
    assert!(block_on(client.call(operation)).is_err());
    let request = transport.0.lock().unwrap().take().unwrap();
    let mut headers: Vec<(&str, &str)> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    headers.sort_unstable();
    json!({
        "name": name,
        "url": request.uri().to_string(),
        "headers": headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect::<serde_json::Map<_, _>>(),
        "body": std::str::from_utf8(request.body()).unwrap(),
    })
}

fn requests() -> Vec<Value> {
    let create_key = CreateKey {
        origin: Some(Origin::ExternalKeyStore),
        custom_key_store_id: Some("cks-1234567890abcdef0".to_owned()),
        xks_key_id: Some("payments-2026".to_owned()),
        description: Some("Zahlungen für Müller & Söhne, \"quoted\" 日本 \u{7f}".to_owned()),
        tags: Some(vec![Tag { tag_key: "team".to_owned(), tag_value: "a/b+c=d@e".to_owned() }]),
        ..CreateKey::default()
    };
    let create_alias = CreateAlias { alias_name: "alias/a_b-c/d".to_owned(), target_key_id: "k".to_owned() };
    let assume_role = AssumeRole {
        role_arn: "arn:aws:iam::111122223333:role/Key Admin+x".to_owned(),
        role_session_name: "a=b,c.d@e-f".to_owned(),
        policy: Some("{\"Statement\": [~*!'()]}".to_owned()),
        duration_seconds: Some(900),
        external_id: Some("x/y:z".to_owned()),
        ..AssumeRole::default()
    };
    let users = ListUsers { marker: Some("AAA/b+c==".to_owned()), max_items: Some(1000), ..ListUsers::default() };
    let session = SigningContext { token: Some(TOKEN), ..DEFAULT_CONTEXT };
    let with_port = SigningContext { endpoint: Some("http://127.0.0.1:4599"), token: Some(TOKEN), ..DEFAULT_CONTEXT };
    vec![
        signed_request("KMS, non-ASCII JSON", &DEFAULT_CONTEXT, &create_key),
        signed_request("KMS, session token", &session, &create_alias),
        signed_request("KMS, port", &with_port, &DescribeKey::new("alias/payments".to_owned())),
        signed_request(
            "KMS, port and path",
            &SigningContext { endpoint: Some("https://kms.example.com:8443/tenant%201/~a+b"), ..DEFAULT_CONTEXT },
            &DescribeKey::new("k".to_owned()),
        ),
        signed_request(
            "KMS, default port",
            &SigningContext { endpoint: Some("https://kms.example.com:443"), ..DEFAULT_CONTEXT },
            &DescribeKey::new("k".to_owned()),
        ),
        signed_request(
            "KMS, GovCloud, end of day",
            &SigningContext { region: "us-gov-west-1", time: "2024-02-29T23:59:59Z", ..DEFAULT_CONTEXT },
            &DescribeKey::new("k".to_owned()),
        ),
        signed_request("IAM, global endpoint", &DEFAULT_CONTEXT, &users),
        signed_request(
            "IAM, China, session token",
            &SigningContext { region: "cn-northwest-1", token: Some(TOKEN), ..DEFAULT_CONTEXT },
            &users,
        ),
        signed_request("STS", &DEFAULT_CONTEXT, &GetCallerIdentity {}),
        signed_request("STS, special characters", &session, &assume_role),
        signed_request(
            "CloudTrail",
            &DEFAULT_CONTEXT,
            &LookupEvents { next_token: Some("t".to_owned()), ..LookupEvents::default() },
        ),
        signed_request(
            "CloudWatch, session token",
            &session,
            &ListMetrics { namespace: Some("AWS/KMS".to_owned()), ..ListMetrics::default() },
        ),
    ]
}

/// If `XKS_CONSOLE_WRITE_SIGNATURES` is set, rewrites the table instead. `tests/clients/signatures.py` then verifies it
/// with botocore.
#[test]
fn requests_and_signatures_match_the_table() {
    let requests = requests();
    if std::env::var_os("XKS_CONSOLE_WRITE_SIGNATURES").is_some() {
        let text = serde_json::to_string_pretty(&requests).unwrap() + "\n";
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/signatures.json"), text).unwrap();
        return;
    }
    let table: Vec<Value> = serde_json::from_str(TABLE).unwrap();
    for (request, expected) in requests.iter().zip(&table) {
        assert_eq!(request, expected, "{}", expected["name"]);
    }
    assert_eq!(requests.len(), table.len());
}
