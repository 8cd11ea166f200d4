//! What the client sends, against what botocore signs: `tests/clients/signatures.py` holds the same table against botocore.

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

use super::account::wait;

/// The table of requests and their signatures.
const TABLE: &str = include_str!("../clients/signatures.json");

/// Keeps what is sent, and answers nothing.
#[derive(Default)]
struct Kept(Mutex<Option<Request<Bytes>>>);

impl Transport for Kept {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        *self.0.lock().unwrap() = Some(request);
        Box::pin(async { Ok(Response::builder().status(400).body(Bytes::new()).unwrap()) })
    }
}

/// How a request is sent.
struct How {
    region: &'static str,
    endpoint: Option<&'static str>,
    token: Option<&'static str>,
    time: &'static str,
}

const USUAL: How = How { region: "eu-central-1", endpoint: None, token: None, time: "2026-01-02T03:04:05Z" };
const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLXdlc3QtMiJIMEYCIQD+session/token==";

/// What the client sends of an operation, as the table has it.
fn sent<O: Operation>(name: &str, how: &How, operation: &O) -> Value {
    let kept = Arc::new(Kept::default());
    let credentials = Credentials {
        access_key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_access_key: SecretString::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        session_token: how.token.map(|token| SecretString::new(token.to_owned())),
    };
    let clock = Clock::manual(how.time.parse().unwrap());
    let client = Client::new(Arc::clone(&kept) as Arc<dyn Transport>, credentials, how.region, clock)
        .with_endpoints(how.endpoint.map(Endpoints::from_url).unwrap_or_default());
    assert!(wait(client.call(operation)).is_err());
    let request = kept.0.lock().unwrap().take().unwrap();
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
    let session = How { token: Some(TOKEN), ..USUAL };
    let with_port = How { endpoint: Some("http://127.0.0.1:4599"), token: Some(TOKEN), ..USUAL };
    vec![
        sent("KMS, JSON beyond ASCII", &USUAL, &create_key),
        sent("KMS, session token", &session, &create_alias),
        sent("KMS, a port", &with_port, &DescribeKey::new("alias/payments".to_owned())),
        sent(
            "KMS, a port and a path",
            &How { endpoint: Some("https://kms.example.com:8443/tenant%201/~a+b"), ..USUAL },
            &DescribeKey::new("k".to_owned()),
        ),
        sent(
            "KMS, the usual port",
            &How { endpoint: Some("https://kms.example.com:443"), ..USUAL },
            &DescribeKey::new("k".to_owned()),
        ),
        sent(
            "KMS, GovCloud at the end of a day",
            &How { region: "us-gov-west-1", time: "2024-02-29T23:59:59Z", ..USUAL },
            &DescribeKey::new("k".to_owned()),
        ),
        sent("IAM, one Region for all", &USUAL, &users),
        sent("IAM, China, session token", &How { region: "cn-northwest-1", token: Some(TOKEN), ..USUAL }, &users),
        sent("STS", &USUAL, &GetCallerIdentity {}),
        sent("STS, a form of all sorts", &session, &assume_role),
        sent("CloudTrail", &USUAL, &LookupEvents { next_token: Some("t".to_owned()), ..LookupEvents::default() }),
        sent(
            "CloudWatch, session token",
            &session,
            &ListMetrics { namespace: Some("AWS/KMS".to_owned()), ..ListMetrics::default() },
        ),
    ]
}

/// With XKS_CONSOLE_WRITE_SIGNATURES set the table is written anew; what botocore thinks of it is for botocore to say.
#[test]
fn requests_and_signatures_match_the_table() {
    let requests = requests();
    if std::env::var_os("XKS_CONSOLE_WRITE_SIGNATURES").is_some() {
        let text = serde_json::to_string_pretty(&requests).unwrap() + "\n";
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/signatures.json"), text).unwrap();
        return;
    }
    let table: Vec<Value> = serde_json::from_str(TABLE).unwrap();
    for (ours, theirs) in requests.iter().zip(&table) {
        assert_eq!(ours, theirs, "{}", theirs["name"]);
    }
    assert_eq!(requests.len(), table.len());
}
