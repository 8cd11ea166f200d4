//! Kills the served AWS repeatedly while eight clients change their own resources. Acknowledged changes must survive,
//! unacknowledged changes must be applied completely or not at all, and each change must have its event.

mod clients;
pub mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use xks_console::aws::xks_console::CreateExternalKey;
use xks_console::environment::Random;

use clients::Worker;
use server::Server;

use crate::account::key_store;

const CLIENTS: usize = 8;
const CALLS: usize = 10_000;
const KILLS: usize = 10;
/// Environment variable with the seed of an earlier run, to repeat its calls. The timing of the kills varies.
const SEED_ENV: &str = "XKS_CONSOLE_TEST_SEED";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_survive_server_kills() {
    let random_seed = u64::from_le_bytes(Random::system().bytes().unwrap());
    let seed = std::env::var(SEED_ENV).map_or(random_seed, |seed| seed.parse().unwrap());
    // Printed only when the test fails.
    eprintln!("{SEED_ENV}={seed}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(dir.path());
    let client = server.client("setup");
    let key_store = key_store(&client, "Frankfurt HSM").await.custom_key_store_id;
    let mut workers: Vec<Worker> = (0..CLIENTS).map(|number| Worker::new(number, &key_store, seed)).collect();
    for id in workers.iter().flat_map(Worker::external_keys) {
        let usage = ["ENCRYPT", "DECRYPT"].map(str::to_owned).to_vec();
        let request = CreateExternalKey { partition: "frankfurt".to_owned(), id, usage, enabled: true };
        client.call(&request).await.unwrap();
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let mut kills: Vec<usize> = (0..KILLS).map(|_| rng.next_u32() as usize % CALLS).collect();
    kills.sort_unstable();
    for kill in kills {
        // Event times are in whole seconds.
        let since = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(1);
        let running = start_workers(workers, &server, &calls);
        while calls.load(Ordering::Relaxed) < kill {
            tokio::time::sleep(Duration::from_micros(500)).await;
        }
        // Kills the server at a random point during a call.
        tokio::time::sleep(Duration::from_micros(u64::from(rng.next_u32() % 3000))).await;
        server.kill();
        workers = join_workers(running).await;
        server = Server::start(dir.path());
        verify(&mut workers, &server, Some(since)).await;
    }
    workers = join_workers(start_workers(workers, &server, &calls)).await;
    verify(&mut workers, &server, None).await;
    assert_eq!(calls.load(Ordering::Relaxed), CALLS);
    assert!(workers.iter().map(Worker::unanswered_count).sum::<usize>() > 0, "no kill interrupted a call");
}

type RunningWorkers = Vec<tokio::task::JoinHandle<Worker>>;

/// Starts all clients. Each one sends calls until the total is reached or the server is killed.
fn start_workers(workers: Vec<Worker>, server: &Server, calls: &Arc<AtomicUsize>) -> RunningWorkers {
    let start = |mut worker: Worker| {
        let (client, calls) = (server.named_client(), Arc::clone(calls));
        tokio::spawn(async move {
            while calls
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |sent| (sent < CALLS).then_some(sent + 1))
                .is_ok()
                && worker.call(&client).await
            {}
            worker
        })
    };
    workers.into_iter().map(start).collect()
}

async fn join_workers(running: RunningWorkers) -> Vec<Worker> {
    let mut workers = Vec::new();
    for worker in running {
        workers.push(worker.await.unwrap());
    }
    workers
}

/// Compares the state of the server with the state that each client expects, and checks all events, or those since a
/// time.
async fn verify(workers: &mut [Worker], server: &Server, since: Option<jiff::Timestamp>) {
    let (state, events) = (server.state().await, server.event_counts(since).await);
    for worker in workers {
        worker.verify(&state, &events, since.is_none());
        worker.use_keys(server).await;
    }
}
