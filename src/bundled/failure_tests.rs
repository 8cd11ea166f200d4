//! Tests of the errors that callers get when the database or an external key store proxy fails.

use std::sync::{Arc, Mutex};

use axum::Router;
use http::StatusCode;
use serde_json::{Value, json};

use super::BundledAws;
use crate::aws::kms::{
    ConnectCustomKeyStore, CreateAlias, CreateCustomKeyStore, CreateKey, DisconnectCustomKeyStore, Encrypt, Origin,
    Tag, TagResource, XksProxyAuthenticationCredential, XksProxyConnectivity,
};
use crate::aws::operation::Operation;
use crate::aws::scalar::{SecretBlob, SecretString};
use crate::client::{CallError, Client};
use crate::environment::{Clock, Environment};
use crate::in_process;
use crate::xks::client::XksClient;

async fn expect_service_error<O: Operation>(client: &Client, request: O) -> (String, u16) {
    match client.call(&request).await {
        Err(CallError::Service(error)) => (error.code, error.status),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{} succeeded", O::NAME),
    }
}

fn create_store_request() -> CreateCustomKeyStore {
    CreateCustomKeyStore {
        custom_key_store_name: "Oslo HSM".to_owned(),
        custom_key_store_type: Some(crate::aws::kms::CustomKeyStoreType::ExternalKeyStore),
        xks_proxy_connectivity: Some(XksProxyConnectivity::PublicEndpoint),
        xks_proxy_uri_endpoint: Some("https://xks-proxy.bundled.internal".to_owned()),
        xks_proxy_uri_path: Some("/oslo/kms/xks/v1".to_owned()),
        xks_proxy_authentication_credential: Some(XksProxyAuthenticationCredential {
            access_key_id: "A".repeat(20),
            raw_secret_access_key: SecretString::new("A".repeat(43)),
        }),
        ..CreateCustomKeyStore::default()
    }
}

/// Calls operations that change the account, and returns their error codes and statuses.
async fn call_mutating_operations(client: &Client, store: CreateCustomKeyStore) -> Vec<(String, u16)> {
    let tag = Tag { tag_key: "team".to_owned(), tag_value: "data".to_owned() };
    let key = "alias/customer-db".to_owned();
    vec![
        expect_service_error(client, CreateKey::default()).await,
        expect_service_error(client, CreateAlias { alias_name: "alias/new".to_owned(), target_key_id: key.clone() })
            .await,
        expect_service_error(client, TagResource { key_id: key, tags: vec![tag] }).await,
        expect_service_error(client, store).await,
        expect_service_error(client, ConnectCustomKeyStore { custom_key_store_id: "cks-0".to_owned() }).await,
    ]
}

#[tokio::test]
async fn broken_database_returns_kms_internal_exception() {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1);
    let bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
    let client = in_process::client(&bundled, environment.clock);
    bundled
        .0
        .store
        .write(|tx| tx.execute_batch("DROP TABLE keys; DROP TABLE aliases; DROP TABLE tags; DROP TABLE key_stores"))
        .unwrap();
    for error in call_mutating_operations(&client, create_store_request()).await {
        assert_eq!(error, ("KMSInternalException".to_owned(), 500));
    }
}

#[tokio::test]
async fn locked_database_returns_dependency_timeout_exception() {
    let dir = tempfile::tempdir().unwrap();
    let bundled = BundledAws::open(dir.path(), None).unwrap();
    let configuration: Value = serde_json::from_str(&bundled.proxy_configuration("oslo").unwrap()).unwrap();
    let credential = serde_json::from_value(configuration["XksProxyAuthenticationCredential"].clone()).unwrap();
    let store =
        CreateCustomKeyStore { xks_proxy_authentication_credential: Some(credential), ..create_store_request() };
    bundled.0.store.set_busy_timeout(std::time::Duration::ZERO);
    let client = in_process::client(&bundled, Clock::System);
    let other_connection = rusqlite::Connection::open(dir.path().join("account.sqlite")).unwrap();
    other_connection.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for error in call_mutating_operations(&client, store).await {
        assert_eq!(error, ("DependencyTimeoutException".to_owned(), 500));
    }
}

/// Creates an account whose external key store proxies return `proxy_response`.
fn account_with_stub_proxy(proxy_response: Arc<Mutex<(StatusCode, Value)>>) -> (Client, Clock) {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1);
    let mut bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
    let router = Router::new().fallback(move || async move {
        let (status, body) = proxy_response.lock().unwrap().clone();
        (status, body.to_string())
    });
    let inner = Arc::get_mut(&mut bundled.0).unwrap();
    inner.xks_client = XksClient::new(router, None, environment.clock.clone());
    (in_process::client(&bundled, environment.clock.clone()), environment.clock)
}

#[tokio::test]
async fn proxy_errors_map_to_aws_error_codes() {
    let proxy_response = Arc::new(Mutex::new((StatusCode::OK, Value::Null)));
    let (client, clock) = account_with_stub_proxy(Arc::clone(&proxy_response));
    let stores = client.collect_key_stores().await.unwrap();
    let store = stores.into_iter().find(|store| store.custom_key_store_name == "Frankfurt HSM").unwrap();
    let id = store.custom_key_store_id;
    let key = CreateKey {
        origin: Some(Origin::ExternalKeyStore),
        custom_key_store_id: Some(id.clone()),
        xks_key_id: Some("payments-2026".to_owned()),
        ..CreateKey::default()
    };
    let encrypt = Encrypt {
        key_id: "alias/customer-db".to_owned(),
        plaintext: SecretBlob::new(b"x".to_vec()),
        ..Encrypt::default()
    };
    let unhealthy = json!({ "xksProxyFleetSize": 1, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "e",
        "ekmFleetDetails": [{ "id": "1", "model": "m", "healthStatus": "UNAVAILABLE" }] });
    let proxy_error = |status: u16, name: &str| {
        (StatusCode::from_u16(status).unwrap(), json!({ "errorName": name, "errorMessage": "never passed on" }))
    };
    let (state, response, unreachable) =
        ("CustomKeyStoreInvalidState", "XksProxyInvalidResponse", "XksProxyUriUnreachable");
    for (stub_response, create_key, create_store, connect) in [
        ((StatusCode::OK, json!(["nonsense"])), state, response, "XKS_PROXY_INVALID_RESPONSE"),
        ((StatusCode::BAD_GATEWAY, json!("")), state, response, "XKS_PROXY_INVALID_RESPONSE"),
        (proxy_error(500, "InternalException"), state, response, "XKS_PROXY_INVALID_RESPONSE"),
        (proxy_error(404, "KeyNotFoundException"), "XksKeyNotFound", response, "XKS_PROXY_INVALID_RESPONSE"),
        (proxy_error(400, "InvalidStateException"), "XksKeyInvalidConfiguration", response, "XKS_PROXY_ACCESS_DENIED"),
        (proxy_error(403, "AccessDeniedException"), state, response, "XKS_PROXY_ACCESS_DENIED"),
        (
            proxy_error(401, "AuthenticationFailedException"),
            state,
            "XksProxyIncorrectAuthenticationCredential",
            "INVALID_CREDENTIALS",
        ),
        (
            proxy_error(404, "InvalidUriPathException"),
            state,
            "XksProxyInvalidConfiguration",
            "XKS_PROXY_INVALID_CONFIGURATION",
        ),
        (proxy_error(429, "ThrottlingException"), state, unreachable, "XKS_PROXY_NOT_REACHABLE"),
        (proxy_error(503, "DependencyTimeoutException"), state, unreachable, "XKS_PROXY_TIMED_OUT"),
        ((StatusCode::OK, unhealthy), state, unreachable, "XKS_PROXY_NOT_REACHABLE"),
    ] {
        *proxy_response.lock().unwrap() = stub_response;
        assert_eq!(expect_service_error(&client, key.clone()).await, (format!("{create_key}Exception"), 400));
        assert_eq!(
            expect_service_error(&client, create_store_request()).await,
            (format!("{create_store}Exception"), 400)
        );
        assert_eq!(expect_service_error(&client, encrypt.clone()).await.0, "KMSInvalidStateException");
        let disconnect = DisconnectCustomKeyStore { custom_key_store_id: id.clone() };
        client.call(&disconnect).await.unwrap();
        clock.advance(jiff::SignedDuration::from_secs(9));
        // ConnectCustomKeyStore returns at once. The key store connects later.
        client.call(&ConnectCustomKeyStore { custom_key_store_id: id.clone() }).await.unwrap();
        clock.advance(jiff::SignedDuration::from_secs(9));
        let stores = client.collect_key_stores().await.unwrap();
        let store = stores.into_iter().find(|store| store.custom_key_store_id == id).unwrap();
        assert_eq!(store.connection_error_code.as_deref(), Some(connect));
        reconnect_store(&client, &clock, &id, &proxy_response).await;
    }
}

/// Makes the proxy healthy and connects the key store again.
async fn reconnect_store(client: &Client, clock: &Clock, id: &str, proxy_response: &Mutex<(StatusCode, Value)>) {
    *proxy_response.lock().unwrap() = (
        StatusCode::OK,
        json!({ "xksProxyFleetSize": 1, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "e",
            "ekmFleetDetails": [{ "id": "1", "model": "m", "healthStatus": "ACTIVE" }] }),
    );
    client.call(&DisconnectCustomKeyStore { custom_key_store_id: id.to_owned() }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(9));
    client.call(&ConnectCustomKeyStore { custom_key_store_id: id.to_owned() }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(9));
    // The next request contacts the proxy.
    client.collect_key_stores().await.unwrap();
}
