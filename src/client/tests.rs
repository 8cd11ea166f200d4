use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};

use super::log::ApiCall;
use super::*;
use crate::aws::kms::{CreateAlias, Encrypt, ListKeysOutput};
use crate::aws::operation::{self, Operation, OperationVisitor};
use crate::aws::scalar::SecretString;
use crate::aws::xks_console::DescribeExternalKey;

fn client(respond: fn(Request<Bytes>) -> Response<Bytes>) -> Client {
    let handler = move |request| -> BoxFuture<'static, Response<Bytes>> { Box::pin(async move { respond(request) }) };
    let credentials = Credentials {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: SecretString::new("secret".to_owned()),
        session_token: None,
    };
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse().unwrap());
    Client::new(Arc::new(InProcess::new(handler)), credentials, "us-west-2", clock)
}

#[tokio::test]
async fn call_decodes_successful_response() {
    let client = client(|request| {
        assert_eq!(request.headers()["x-amz-target"], "TrentService.CreateAlias");
        assert!(request.headers().contains_key("authorization"));
        Response::new(Bytes::new())
    });
    assert!(client.call(&CreateAlias::default()).await.is_ok());
}

#[tokio::test]
async fn service_error_keeps_code_message_and_request_id() {
    let client = client(|_| {
        let body = Bytes::from_static(br#"{"__type":"NotFoundException","message":"no"}"#);
        Response::builder().status(400).header("x-amzn-RequestId", "r-7").body(body).unwrap()
    });
    let error = client.call(&ListKeys::default()).await.unwrap_err();
    assert!(!error.outcome_unknown());
    let CallError::Service(error) = error else { panic!("{error}") };
    assert_eq!((error.to_string(), error.request_id), ("NotFoundException: no".to_owned(), "r-7".to_owned()));
}

#[tokio::test]
async fn malformed_response_leaves_outcome_unknown() {
    let client = client(|_| Response::new(Bytes::from_static(b"<html>")));
    let error = client.call(&ListKeys::default()).await.unwrap_err();
    assert!(error.outcome_unknown() && error.to_string().starts_with("couldn't read the response to ListKeys"));
}

#[tokio::test]
async fn error_without_code_leaves_outcome_unknown() {
    let client = client(|_| Response::builder().status(403).body(Bytes::from_static(b"<html>")).unwrap());
    assert!(client.call(&ListKeys::default()).await.unwrap_err().outcome_unknown());
}

#[tokio::test]
async fn pagination_stops_at_repeated_marker() {
    let client = client(|request| {
        let request: ListKeys = serde_json::from_slice(request.body()).unwrap();
        let number = request.marker.map_or(0, |marker| marker.parse::<u32>().unwrap() + 1).min(3);
        let key = KeyListEntry { key_id: number.to_string(), key_arn: String::new() };
        let page = ListKeysOutput { keys: vec![key], next_marker: Some(number.to_string()), truncated: true };
        Response::new(Bytes::from(serde_json::to_vec(&page).unwrap()))
    });
    let keys: Vec<String> = client.collect_keys().await.unwrap().into_iter().map(|key| key.key_id).collect();
    assert_eq!(keys, ["0", "1", "2", "3", "3"]);
}

/// Calls each operation that it visits, and records whether the request was sent.
struct OperationCaller {
    client: Client,
    runtime: tokio::runtime::Runtime,
    rejected: Vec<&'static str>,
    sent: Vec<&'static str>,
}

impl OperationVisitor for OperationCaller {
    fn visit<O: Operation + Default + 'static>(&mut self) {
        let result = self.runtime.block_on(self.client.call(&O::default()));
        match result.err() {
            Some(error @ CallError::ReadOnly { operation }) if operation == O::NAME => {
                assert!(!error.outcome_unknown() && error.code() == "ReadOnly");
                self.rejected.push(O::NAME);
            }
            Some(CallError::Service(error)) if error.has_code("Reached") => self.sent.push(O::NAME),
            other => panic!("{}: {other:?}", O::NAME),
        }
    }
}

#[test]
fn read_only_client_sends_only_read_operations() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let arrived = Arc::new(AtomicUsize::new(0));
    let handler = {
        let arrived = Arc::clone(&arrived);
        move |request: Request<Bytes>| -> BoxFuture<'static, Response<Bytes>> {
            arrived.fetch_add(1, Ordering::Relaxed);
            let form = request.headers()["content-type"].to_str().unwrap().contains("form");
            let json = r#"{"__type":"ReachedException"}"#;
            let xml = "<ErrorResponse><Error><Code>Reached</Code><Message/></Error></ErrorResponse>";
            let body = Bytes::from_static(if form { xml } else { json }.as_bytes());
            Box::pin(async { Response::builder().status(400).body(body).unwrap() })
        }
    };
    let observed_calls = Arc::new(Mutex::new(Vec::new()));
    let observer = Arc::clone(&observed_calls);
    let client = Client { transport: Arc::new(InProcess::new(handler)), ..client(|_| Response::default()) }
        .with_observer(Arc::new(move |call: &ApiCall| observer.lock().unwrap().push(call.clone())))
        .with_read_only(ReadOnly::ALL);
    // Derived clients are read-only too.
    let client = client.with_region("eu-west-1").map_transport(|transport| transport);
    let mut calls = OperationCaller { client, runtime, rejected: Vec::new(), sent: Vec::new() };
    operation::visit_all(&mut calls);
    let has_read_prefix = |name: &str| ["Describe", "Get", "List", "Lookup"].iter().any(|word| name.starts_with(word));
    let others: Vec<_> = calls.sent.iter().filter(|name| !has_read_prefix(name)).collect();
    assert_eq!(others, [&"SimulatePrincipalPolicy", &"AssumeRole"]);
    assert!(calls.sent.len() > 20 && !calls.rejected.iter().any(|name| has_read_prefix(name)), "{:?}", calls.rejected);
    for write in ["CreateKey", "PutKeyPolicy", "TagResource", "CreateGrant", "Decrypt", "ConnectCustomKeyStore"] {
        assert!(calls.rejected.contains(&write), "{write}");
    }
    assert_eq!(arrived.load(Ordering::Relaxed), calls.sent.len());
    let observed_calls = observed_calls.lock().unwrap();
    assert_eq!(observed_calls.len(), calls.sent.len() + calls.rejected.len());
    for call in observed_calls.iter().filter(|call| calls.rejected.contains(&call.operation)) {
        assert_eq!((call.attempts, call.status, call.error_code.as_deref()), (0, None, Some("ReadOnly")));
    }
}

#[tokio::test]
async fn read_only_client_allows_dry_run() {
    let client = client(|_| Response::new(Bytes::from_static(b"{}"))).with_read_only(ReadOnly::ALL);
    for (dry_run, is_sent) in [(None, false), (Some(false), false), (Some(true), true)] {
        let result = client.call(&Encrypt { dry_run, ..Encrypt::default() }).await;
        let read_only = CallError::ReadOnly { operation: "Encrypt" };
        assert_eq!(result.err() != Some(read_only), is_sent, "{dry_run:?}");
    }
}

#[tokio::test]
async fn private_operations_are_not_sent_to_real_aws() {
    struct PanickingTransport;
    impl Transport for PanickingTransport {
        fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
            panic!("a request was sent to AWS")
        }
    }
    let client = Client { transport: Arc::new(PanickingTransport), ..client(|_| Response::new(Bytes::new())) };
    assert_eq!(client.call(&DescribeExternalKey::default()).await, Err(CallError::NotAvailable));
}
