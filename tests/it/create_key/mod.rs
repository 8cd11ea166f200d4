//! `create-key`: on the terminal, without a screen, and for a list.

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
use xks_console::flow::player::in_process_client;

use crate::faults::faulty_transport::FaultyTransport;

const START: &str = "2026-03-02T10:15:00Z";
const STORE: &str = "Frankfurt HSM";

/// A client of an AWS that is as far away as AWS is, by way of `wrap`; and somebody else's client of the same AWS.
fn faulty_client(
    bundled: &BundledAws,
    wrap: impl FnOnce(FaultyTransport) -> FaultyTransport,
) -> (Client, Arc<FaultyTransport>) {
    let clock = Clock::manual(START.parse().unwrap());
    let mut faulty = None;
    let client = in_process_client(bundled, clock.clone()).map_transport(|transport| {
        let transport = Arc::new(wrap(FaultyTransport::new(transport, clock, Clock::manual(START.parse().unwrap()))));
        faulty = Some(Arc::clone(&transport));
        transport
    });
    (client, faulty.unwrap())
}

fn account() -> (BundledAws, Client) {
    let world = Environment::replayable(START.parse().unwrap(), 7);
    let bundled = BundledAws::in_memory("default", world.clone()).unwrap();
    let client = in_process_client(&bundled, world.clock);
    (bundled, client)
}

/// Waits where time passes at once.
fn block_on_paused<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(work)
}

fn answers(json: &str) -> KeyOptions {
    serde_json::from_str(json).unwrap()
}

/// The keys on external keys whose IDs begin so, each with its alias.
async fn created_keys(client: &Client, beginning: &str) -> Vec<(KeyMetadata, Option<String>)> {
    let aliases = client.collect_aliases().await.unwrap();
    let mut created = Vec::new();
    for key in client.collect_keys().await.unwrap() {
        let key = client.call(&DescribeKey::new(key.key_id)).await.unwrap().key_metadata;
        if key.xks_key_configuration.as_ref().is_some_and(|external| external.id.starts_with(beginning)) {
            let alias = aliases.iter().find(|alias| alias.target_key_id.as_ref() == Some(&key.key_id));
            created.push((key, alias.map(|alias| alias.alias_name.clone())));
        }
    }
    created
}

/// External keys `batch-0`, `batch-1` ... for a list.
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

/// A list of keys on those external keys.
fn csv_list(count: usize) -> String {
    (0..count).fold("xks-key-id,alias,tag\n".to_owned(), |list, number| {
        list + &format!("batch-{number},list/{number},team=payments;row={number}\n")
    })
}
