//! The command `create-key`: in the wizard, without a screen, and for a batch.

mod batch;
mod batch_interruption;
mod interactive;
mod mfa;
mod prefilled;
mod single;

use std::sync::Arc;

use xks_console::aws::kms::{DescribeKey, KeyMetadata};
use xks_console::aws::xks_console::CreateExternalKey;
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::create_key::key_options::KeyOptions;
use xks_console::environment::{Clock, Environment};
use xks_console::in_process;

use crate::faults::faulty_transport::FaultyTransport;

const START: &str = "2026-03-02T10:15:00Z";
const STORE: &str = "Frankfurt HSM";

/// Returns a client whose transport behaves like a remote AWS and that `wrap` can give faults, and the transport.
fn faulty_client(
    bundled: &BundledAws,
    wrap: impl FnOnce(FaultyTransport) -> FaultyTransport,
) -> (Client, Arc<FaultyTransport>) {
    let clock = Clock::manual(START.parse().unwrap());
    let mut faulty = None;
    let client = in_process::client(bundled, clock.clone()).map_transport(|transport| {
        let transport = Arc::new(wrap(FaultyTransport::new(transport, clock, Clock::manual(START.parse().unwrap()))));
        faulty = Some(Arc::clone(&transport));
        transport
    });
    (client, faulty.unwrap())
}

fn account() -> (BundledAws, Client) {
    let environment = Environment::replayable(START.parse().unwrap(), 7);
    let bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
    let client = in_process::client(&bundled, environment.clock);
    (bundled, client)
}

/// Runs a future to completion with paused time, in which timers fire at once.
fn block_on_paused<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(future)
}

fn answers(json: &str) -> KeyOptions {
    serde_json::from_str(json).unwrap()
}

/// Returns the KMS keys whose external key IDs start with `prefix`, each with its alias.
async fn created_keys(client: &Client, prefix: &str) -> Vec<(KeyMetadata, Option<String>)> {
    let aliases = client.collect_aliases().await.unwrap();
    let mut created = Vec::new();
    for key in client.collect_keys().await.unwrap() {
        let key = client.call(&DescribeKey::new(key.key_id)).await.unwrap().key_metadata;
        if key.xks_key_configuration.as_ref().is_some_and(|external| external.id.starts_with(prefix)) {
            let alias = aliases.iter().find(|alias| alias.target_key_id.as_ref() == Some(&key.key_id));
            created.push((key, alias.map(|alias| alias.alias_name.clone())));
        }
    }
    created
}

/// Creates the external keys `batch-0`, `batch-1`, and so on.
async fn create_external_keys(client: &Client, count: usize) {
    for number in 0..count {
        let request = CreateExternalKey {
            partition: "frankfurt".to_owned(),
            id: format!("batch-{number}"),
            usage: ["ENCRYPT", "DECRYPT"].map(str::to_owned).to_vec(),
            enabled: true,
        };
        client.call(&request).await.unwrap();
    }
}

/// Returns a batch file with one row for each of those external keys.
fn csv_list(count: usize) -> String {
    (0..count).fold("xks-key-id,alias,tag\n".to_owned(), |list, number| {
        list + &format!("batch-{number},list/{number},team=payments;row={number}\n")
    })
}
