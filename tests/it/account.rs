//! An in-memory account and the requests that tests send to it.

use xks_console::aws::error::ServiceError;
use xks_console::aws::kms::{
    CreateKey, CustomKeyStore, Decrypt, DescribeCustomKeyStores, Encrypt, EncryptionContext, Origin,
};
use xks_console::aws::scalar::{Blob, SecretBlob};
use xks_console::bundled::BundledAws;
use xks_console::client::{CallError, Client};
use xks_console::environment::{Clock, Environment};
use xks_console::in_process;

/// Runs a future to completion in a test that isn't async.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn account() -> (Client, Clock) {
    let (client, clock, _) = account_with_bundled();
    (client, clock)
}

pub fn account_with_bundled() -> (Client, Clock, BundledAws) {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 7);
    let clock = environment.clock.clone();
    let bundled = BundledAws::in_memory("default", environment).unwrap();
    (in_process::client(&bundled, clock.clone()), clock, bundled)
}

pub async fn key_store(client: &Client, name: &str) -> CustomKeyStore {
    let request = DescribeCustomKeyStores { custom_key_store_name: Some(name.to_owned()), ..Default::default() };
    client.call(&request).await.unwrap().custom_key_stores.remove(0)
}

pub async fn create_key_request(client: &Client, name: &str, external_key: &str) -> CreateKey {
    CreateKey {
        origin: Some(Origin::ExternalKeyStore),
        custom_key_store_id: Some(key_store(client, name).await.custom_key_store_id),
        xks_key_id: Some(external_key.to_owned()),
        ..Default::default()
    }
}

pub fn service_error<T: std::fmt::Debug>(result: Result<T, CallError>) -> ServiceError {
    match result {
        Err(CallError::Service(error)) => error,
        other => panic!("expected a service error: {other:?}"),
    }
}

pub async fn create_external_key(client: &Client) -> String {
    let request = create_key_request(client, "Frankfurt HSM", "payments-2026").await;
    client.call(&request).await.unwrap().key_metadata.key_id
}

pub fn secret(bytes: &[u8]) -> SecretBlob {
    SecretBlob::new(bytes.to_vec())
}

pub fn context(value: &str) -> Option<EncryptionContext> {
    Some(EncryptionContext::from([("project".to_owned(), value.to_owned())]))
}

pub async fn encrypt(client: &Client, key_id: &str) -> Blob {
    let request = Encrypt {
        key_id: key_id.to_owned(),
        plaintext: secret(b"four corners"),
        encryption_context: context("nile"),
        ..Default::default()
    };
    client.call(&request).await.unwrap().ciphertext_blob
}

pub async fn decrypt(client: &Client, blob: &Blob, project: &str) -> Result<SecretBlob, CallError> {
    let request = Decrypt { ciphertext_blob: blob.clone(), encryption_context: context(project), ..Default::default() };
    client.call(&request).await.map(|output| output.plaintext)
}
