//! The bundled AWS with faults in front: whatever goes wrong at whatever call, Finish makes one KMS key with one alias or
//! none, and says which.

pub mod faulty_transport;
pub mod simulated_user;
pub mod tls;

use std::sync::Arc;
use xks_console::tui::target::Target;

use faulty_transport::{Fault, FaultTrigger, FaultyTransport};
use simulated_user::{Flow, SimulatedUser};
use xks_console::aws::kms::{DescribeKey, KeyMetadata};
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::{Player, in_process_client};

use super::account::block_on;

const START: &str = "2026-03-02T10:15:00Z";
const FLOWS: [Flow; 3] = [Flow::Method1, Flow::Method2, Flow::Method2InKms];

/// A console on an AWS that is as far away as AWS is, by way of `wrap`; and somebody else's client of the same AWS.
fn open_console(wrap: impl FnOnce(FaultyTransport) -> FaultyTransport) -> (Player, Client, Arc<FaultyTransport>) {
    let world = Environment::replayable(START.parse().unwrap(), 7);
    let bundled = BundledAws::in_memory("default", world.clone()).unwrap();
    let clock = Clock::manual(START.parse().unwrap());
    let other_client = in_process_client(&bundled, world.clock.clone());
    let mut faulty = None;
    let client = in_process_client(&bundled, clock.clone()).with_random(world.random).map_transport(|transport| {
        let transport = Arc::new(wrap(FaultyTransport::new(transport, clock.clone(), world.clock.clone())));
        faulty = Some(Arc::clone(&transport));
        transport
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let journey = Player::with_client((100, 30), bundled, client, Target::Aws, clock, runtime);
    (journey, other_client, faulty.unwrap())
}

/// What there is of what the person wants: the KMS keys that were made, and the key that the alias points to.
fn created_keys(aws: &Client, before: usize) -> (Vec<KeyMetadata>, Option<String>) {
    block_on(async {
        let keys = aws.collect_keys().await.unwrap();
        let mut created = Vec::new();
        for key in keys {
            created.push(aws.call(&DescribeKey::new(key.key_id)).await.unwrap().key_metadata);
        }
        created.retain(|key| key.description == simulated_user::DESCRIPTION);
        assert_eq!(aws.collect_keys().await.unwrap().len() - before, created.len());
        let aliases = aws.collect_aliases().await.unwrap();
        let alias = aliases.into_iter().find(|alias| alias.alias_name == "alias/payments");
        (created, alias.and_then(|alias| alias.target_key_id))
    })
}

/// What is told in the end must be what there is.
fn assert_outcome_is_reported(case: &str, user: &SimulatedUser, aws: &Client, before: usize) {
    let (keys, alias) = created_keys(aws, before);
    assert!(keys.len() <= 1, "{case}: {} keys were made", keys.len());
    let last = &user.last_screen;
    let key = keys.first().map(|key| key.key_id.clone());
    if user.succeeded {
        let key = key.unwrap_or_else(|| panic!("{case}: no key, but {last}"));
        assert!(last.contains(&key), "{case}: {key} is not in {last}");
        assert_eq!(alias, Some(key), "{case}");
    } else if last.contains("The KMS key was created.") {
        assert!(key.is_some() && alias.is_none(), "{case}: {key:?} {alias:?} {last}");
    } else if last.contains("the request might have succeeded") {
        assert!(alias.is_none() || alias == key, "{case}");
    } else {
        assert!(key.is_none() && alias.is_none(), "{case}: {key:?} {alias:?} {last}");
        // A key whose answer was cut off says so in its row.
        let is_reported = ["was not created", "✗", "Not readable"].into_iter().any(|words| last.contains(words));
        assert!(is_reported, "{case}: nothing is told: {last}");
    }
}

/// Whether it was done is said not to be known just where nobody can know.
fn assert_unknown_outcome_is_reported(case: &str, user: &SimulatedUser, fault: Fault, operation: &str) {
    let is_reported = user.errors.iter().any(|trouble| trouble == simulated_user::UNKNOWN_OUTCOME);
    assert_eq!(is_reported, fault.leaves_outcome_unknown(operation), "{case}: {:?}", user.errors);
}

/// The calls of a flow that goes well, as they follow each other; the same call many times in a row counts once.
fn distinct_calls(flow: Flow) -> Vec<(usize, String)> {
    let (mut journey, _, faulty) = open_console(|faulty| faulty);
    let user = SimulatedUser::run_flow(&mut journey, flow);
    assert!(user.succeeded && user.errors.is_empty(), "{flow:?}: {:?} {}", user.errors, user.last_screen);
    let all = faulty.calls();
    let is_new = |at: &usize| *at == 0 || all[*at] != all[*at - 1];
    (0..all.len()).filter(is_new).map(|at| (at, all[at].clone())).collect()
}

fn every_fault_at_every_call(flow: Flow) {
    for (at, operation) in distinct_calls(flow) {
        for fault in Fault::ALL {
            let case = format!("{flow:?}, {fault:?} at call {at}, {operation}");
            let (mut journey, aws, _) = open_console(|faulty| faulty.with_fault(fault, FaultTrigger::AtCall(at)));
            let before = block_on(aws.collect_keys()).unwrap().len();
            let user = SimulatedUser::run_flow(&mut journey, flow);
            assert_outcome_is_reported(&case, &user, &aws, before);
            assert!(user.succeeded, "{case}: a fault that passes must not end it: {}", user.last_screen);
            let is_once = ["CreateKey", "CreateAlias"].contains(&operation.as_str());
            let troubles = &user.errors;
            match fault {
                // What was not needed yet, or is asked anew on the way, stops nobody; that it failed can be looked up.
                Fault::Denied | Fault::Expired => {
                    assert!(!is_once || !troubles.is_empty(), "{case} is not told");
                    let failed = simulated_user::failed_calls(&mut journey);
                    assert!(failed.contains(&format!(" {operation} ")), "{case} is not among the calls: {failed}");
                }
                fault if is_once && fault.leaves_outcome_unknown(&operation) => {
                    assert_unknown_outcome_is_reported(&case, &user, fault, &operation)
                }
                _ => assert!(troubles.is_empty(), "{case}: what passes is not to be seen: {troubles:?}"),
            }
        }
    }
}

#[test]
fn method_1_completes_despite_any_single_fault() {
    every_fault_at_every_call(Flow::Method1);
}

#[test]
fn method_2_completes_despite_any_single_fault() {
    every_fault_at_every_call(Flow::Method2);
}

#[test]
fn key_with_kms_origin_completes_despite_any_single_fault() {
    every_fault_at_every_call(Flow::Method2InKms);
}

#[test]
fn permanent_fault_creates_at_most_one_key_and_is_reported() {
    for flow in FLOWS {
        let mut operations: Vec<String> = distinct_calls(flow).into_iter().map(|(_, operation)| operation).collect();
        operations.sort();
        operations.dedup();
        // What is read for it is the same as in the other flows.
        operations.retain(|operation| flow != Flow::Method2InKms || operation.starts_with("Create"));
        for operation in operations {
            for fault in Fault::ALL {
                let case = format!("{flow:?}, {fault:?} at each {operation}");
                let (mut journey, aws, _) =
                    open_console(|faulty| faulty.with_fault(fault, FaultTrigger::EachCall(operation.clone())));
                let before = block_on(aws.collect_keys()).unwrap().len();
                let user = SimulatedUser::run_flow(&mut journey, flow);
                assert_outcome_is_reported(&case, &user, &aws, before);
            }
        }
    }
}
