//! What is told when that which the bundled AWS stands on fails: its database, and external key store proxies.

use std::sync::{Arc, Mutex};

use axum::Router;
use http::StatusCode;
use serde_json::{Value, json};

use super::Bundled;
use crate::aws::kms::{
    ConnectCustomKeyStore, CreateAlias, CreateCustomKeyStore, CreateKey, DisconnectCustomKeyStore, Encrypt, Origin,
    Tag, TagResource, XksProxyAuthenticationCredential, XksProxyConnectivity,
};
use crate::aws::operation::Operation;
use crate::aws::scalar::{SecretBlob, SecretString};
use crate::client::{CallError, Client};
use crate::environment::{Clock, Environment};
use crate::flow::player::client_of;
use crate::xks::client::XksClient;

async fn refusal<O: Operation>(client: &Client, request: O) -> (String, u16) {
    match client.call(&request).await {
        Err(CallError::Service(error)) => (error.code, error.status),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{} was not refused", O::NAME),
    }
}

fn new_store() -> CreateCustomKeyStore {
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

/// What each of the operations that make something answers.
async fn answers(client: &Client, store: CreateCustomKeyStore) -> Vec<(String, u16)> {
    let tag = Tag { tag_key: "team".to_owned(), tag_value: "data".to_owned() };
    let key = "alias/customer-db".to_owned();
    vec![
        refusal(client, CreateKey::default()).await,
        refusal(client, CreateAlias { alias_name: "alias/new".to_owned(), target_key_id: key.clone() }).await,
        refusal(client, TagResource { key_id: key, tags: vec![tag] }).await,
        refusal(client, store).await,
        refusal(client, ConnectCustomKeyStore { custom_key_store_id: "cks-0".to_owned() }).await,
    ]
}

#[tokio::test]
async fn broken_database_returns_kms_internal_exception() {
    let world = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1);
    let bundled = Bundled::in_memory("default", world.clone()).unwrap();
    let client = client_of(&bundled, world.clock);
    bundled
        .0
        .store
        .write(|tx| tx.execute_batch("DROP TABLE keys; DROP TABLE aliases; DROP TABLE tags; DROP TABLE key_stores"))
        .unwrap();
    for answer in answers(&client, new_store()).await {
        assert_eq!(answer, ("KMSInternalException".to_owned(), 500));
    }
}

#[tokio::test]
async fn locked_database_returns_dependency_timeout_exception() {
    let dir = tempfile::tempdir().unwrap();
    let bundled = Bundled::open(dir.path(), None).unwrap();
    let configuration: Value = serde_json::from_str(&bundled.proxy_configuration("oslo").unwrap()).unwrap();
    let credential = serde_json::from_value(configuration["XksProxyAuthenticationCredential"].clone()).unwrap();
    let store = CreateCustomKeyStore { xks_proxy_authentication_credential: Some(credential), ..new_store() };
    bundled.0.store.wait_for_others(std::time::Duration::ZERO);
    let client = client_of(&bundled, Clock::System);
    let somebody_else = rusqlite::Connection::open(dir.path().join("account.sqlite")).unwrap();
    somebody_else.execute_batch("BEGIN EXCLUSIVE").unwrap();
    for answer in answers(&client, store).await {
        assert_eq!(answer, ("DependencyTimeoutException".to_owned(), 500));
    }
}

/// An account whose external key store proxies answer what they are told to.
fn account_with_a_proxy_that_says(words: Arc<Mutex<(StatusCode, Value)>>) -> (Client, Clock) {
    let world = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 1);
    let mut bundled = Bundled::in_memory("default", world.clone()).unwrap();
    let router = Router::new().fallback(move || async move {
        let (status, body) = words.lock().unwrap().clone();
        (status, body.to_string())
    });
    let inner = Arc::get_mut(&mut bundled.0).unwrap();
    inner.proxies = XksClient::new(router, None, world.clock.clone());
    (client_of(&bundled, world.clock.clone()), world.clock)
}

#[tokio::test]
async fn proxy_errors_map_to_aws_error_codes() {
    let words = Arc::new(Mutex::new((StatusCode::OK, Value::Null)));
    let (client, clock) = account_with_a_proxy_that_says(Arc::clone(&words));
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
    let unwell = json!({ "xksProxyFleetSize": 1, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "e",
        "ekmFleetDetails": [{ "id": "1", "model": "m", "healthStatus": "UNAVAILABLE" }] });
    let refused = |status: u16, name: &str| {
        (StatusCode::from_u16(status).unwrap(), json!({ "errorName": name, "errorMessage": "never passed on" }))
    };
    let (state, response, unreachable) =
        ("CustomKeyStoreInvalidState", "XksProxyInvalidResponse", "XksProxyUriUnreachable");
    for (said, create_key, create_store, connect) in [
        ((StatusCode::OK, json!(["nonsense"])), state, response, "XKS_PROXY_INVALID_RESPONSE"),
        ((StatusCode::BAD_GATEWAY, json!("")), state, response, "XKS_PROXY_INVALID_RESPONSE"),
        (refused(500, "InternalException"), state, response, "XKS_PROXY_INVALID_RESPONSE"),
        (refused(404, "KeyNotFoundException"), "XksKeyNotFound", response, "XKS_PROXY_INVALID_RESPONSE"),
        (refused(400, "InvalidStateException"), "XksKeyInvalidConfiguration", response, "XKS_PROXY_ACCESS_DENIED"),
        (refused(403, "AccessDeniedException"), state, response, "XKS_PROXY_ACCESS_DENIED"),
        (
            refused(401, "AuthenticationFailedException"),
            state,
            "XksProxyIncorrectAuthenticationCredential",
            "INVALID_CREDENTIALS",
        ),
        (
            refused(404, "InvalidUriPathException"),
            state,
            "XksProxyInvalidConfiguration",
            "XKS_PROXY_INVALID_CONFIGURATION",
        ),
        (refused(429, "ThrottlingException"), state, unreachable, "XKS_PROXY_NOT_REACHABLE"),
        (refused(503, "DependencyTimeoutException"), state, unreachable, "XKS_PROXY_TIMED_OUT"),
        ((StatusCode::OK, unwell), state, unreachable, "XKS_PROXY_NOT_REACHABLE"),
    ] {
        *words.lock().unwrap() = said;
        assert_eq!(refusal(&client, key.clone()).await, (format!("{create_key}Exception"), 400));
        assert_eq!(refusal(&client, new_store()).await, (format!("{create_store}Exception"), 400));
        assert_eq!(refusal(&client, encrypt.clone()).await.0, "KMSInvalidStateException");
        let disconnect = DisconnectCustomKeyStore { custom_key_store_id: id.clone() };
        client.call(&disconnect).await.unwrap();
        clock.advance(jiff::SignedDuration::from_secs(9));
        // Connecting answers at once; what the proxy says shows later.
        client.call(&ConnectCustomKeyStore { custom_key_store_id: id.clone() }).await.unwrap();
        clock.advance(jiff::SignedDuration::from_secs(9));
        let stores = client.collect_key_stores().await.unwrap();
        let store = stores.into_iter().find(|store| store.custom_key_store_id == id).unwrap();
        assert_eq!(store.connection_error_code.as_deref(), Some(connect));
        mend(&client, &clock, &id, &words).await;
    }
}

/// Connects the store again.
async fn mend(client: &Client, clock: &Clock, id: &str, words: &Mutex<(StatusCode, Value)>) {
    *words.lock().unwrap() = (
        StatusCode::OK,
        json!({ "xksProxyFleetSize": 1, "xksProxyVendor": "v", "xksProxyModel": "m", "ekmVendor": "e",
            "ekmFleetDetails": [{ "id": "1", "model": "m", "healthStatus": "ACTIVE" }] }),
    );
    client.call(&DisconnectCustomKeyStore { custom_key_store_id: id.to_owned() }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(9));
    client.call(&ConnectCustomKeyStore { custom_key_store_id: id.to_owned() }).await.unwrap();
    clock.advance(jiff::SignedDuration::from_secs(9));
    // The proxy is asked when somebody looks.
    client.collect_key_stores().await.unwrap();
}
