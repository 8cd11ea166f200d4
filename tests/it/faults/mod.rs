//! The bundled AWS with injected faults. Whichever fault occurs at whichever call, Finish creates at most one KMS key
//! with one alias and reports what it created.

pub mod faulty_transport;
pub mod simulated_user;
pub mod tls;

use std::sync::Arc;

use faulty_transport::{Fault, FaultTrigger, FaultyTransport};
use simulated_user::{Flow, SimulatedUser};
use xks_console::aws::kms::{DescribeKey, KeyMetadata};
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::Player;
use xks_console::in_process;

use super::account::block_on;
use xks_console::tui::target::Target;

const START: &str = "2026-03-02T10:15:00Z";
const FLOWS: [Flow; 3] = [Flow::Method1, Flow::Method2, Flow::Method2InKms];

/// Returns a console whose transport behaves like a remote AWS and that `wrap` can give faults, another client of the
/// same AWS, and the transport.
fn open_console(wrap: impl FnOnce(FaultyTransport) -> FaultyTransport) -> (Player, Client, Arc<FaultyTransport>) {
    let environment = Environment::replayable(START.parse().unwrap(), 7);
    let bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
    let clock = Clock::manual(START.parse().unwrap());
    let other_client = in_process::client(&bundled, environment.clock.clone());
    let mut faulty = None;
    let client =
        in_process::client(&bundled, clock.clone()).with_random(environment.random).map_transport(|transport| {
            let transport = Arc::new(wrap(FaultyTransport::new(transport, clock.clone(), environment.clock.clone())));
            faulty = Some(Arc::clone(&transport));
            transport
        });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let player = Player::with_client((100, 30), bundled, client, Target::Aws, clock, runtime);
    (player, other_client, faulty.unwrap())
}

/// Returns the KMS keys that the flow created and the ID of the key that the alias refers to.
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

/// Asserts that the last screen reports what actually exists in AWS.
fn assert_outcome_is_reported(case: &str, user: &SimulatedUser, aws: &Client, before: usize) {
    let (keys, alias) = created_keys(aws, before);
    assert!(keys.len() <= 1, "{case}: {} keys were created", keys.len());
    let last = &user.last_screen;
    let key = keys.first().map(|key| key.key_id.clone());
    if user.succeeded {
        let key = key.unwrap_or_else(|| panic!("{case}: no key exists: {last}"));
        assert!(last.contains(&key), "{case}: missing {key} in {last}");
        assert_eq!(alias, Some(key), "{case}");
    } else if last.contains("The KMS key was created.") {
        assert!(key.is_some() && alias.is_none(), "{case}: {key:?} {alias:?} {last}");
    } else if last.contains("the request might have succeeded") {
        assert!(alias.is_none() || alias == key, "{case}");
    } else {
        assert!(key.is_none() && alias.is_none(), "{case}: {key:?} {alias:?} {last}");
        // A key whose response was truncated is shown as unreadable in its row.
        let is_reported = ["was not created", "✗", "Unreadable"].into_iter().any(|words| last.contains(words));
        assert!(is_reported, "{case}: no error is shown: {last}");
    }
}

/// Asserts that the console reports an unknown outcome exactly when the fault leaves it unknown.
fn assert_unknown_outcome_is_reported(case: &str, user: &SimulatedUser, fault: Fault, operation: &str) {
    let is_reported = user.errors.iter().any(|error| error == simulated_user::UNKNOWN_OUTCOME);
    assert_eq!(is_reported, fault.leaves_outcome_unknown(operation), "{case}: {:?}", user.errors);
}

/// Returns the numbers and operations of the calls in a flow without faults. Counts repeated calls to the same
/// operation once.
fn distinct_calls(flow: Flow) -> Vec<(usize, String)> {
    let (mut player, _, faulty) = open_console(|faulty| faulty);
    let user = SimulatedUser::run_flow(&mut player, flow);
    assert!(user.succeeded && user.errors.is_empty(), "{flow:?}: {:?} {}", user.errors, user.last_screen);
    let all = faulty.calls();
    let is_new = |number: &usize| *number == 0 || all[*number] != all[*number - 1];
    (0..all.len()).filter(is_new).map(|number| (number, all[number].clone())).collect()
}

fn every_fault_at_every_call(flow: Flow) {
    for (number, operation) in distinct_calls(flow) {
        for fault in Fault::ALL {
            let case = format!("{flow:?}, {fault:?} at call {number}, {operation}");
            let (mut player, aws, _) = open_console(|faulty| faulty.with_fault(fault, FaultTrigger::AtCall(number)));
            let before = block_on(aws.collect_keys()).unwrap().len();
            let user = SimulatedUser::run_flow(&mut player, flow);
            assert_outcome_is_reported(&case, &user, &aws, before);
            assert!(user.succeeded, "{case}: a temporary fault must not end the flow: {}", user.last_screen);
            let is_create = ["CreateKey", "CreateAlias"].contains(&operation.as_str());
            let errors = &user.errors;
            match fault {
                // A failed call that the flow doesn't need, or repeats, shows no error but is listed on *API calls*.
                Fault::Denied | Fault::Expired => {
                    assert!(!is_create || !errors.is_empty(), "{case}: no error is shown");
                    let failed = simulated_user::failed_calls(&mut player);
                    assert!(failed.contains(&format!(" {operation} ")), "{case}: missing in API calls: {failed}");
                }
                fault if is_create && fault.leaves_outcome_unknown(&operation) => {
                    assert_unknown_outcome_is_reported(&case, &user, fault, &operation)
                }
                _ => assert!(errors.is_empty(), "{case}: a temporary fault must not show an error: {errors:?}"),
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
        // This flow reads the same data as the other flows, so only its Create calls are tested.
        operations.retain(|operation| flow != Flow::Method2InKms || operation.starts_with("Create"));
        for operation in operations {
            for fault in Fault::ALL {
                let case = format!("{flow:?}, {fault:?} at each {operation}");
                let (mut player, aws, _) =
                    open_console(|faulty| faulty.with_fault(fault, FaultTrigger::EachCall(operation.clone())));
                let before = block_on(aws.collect_keys()).unwrap().len();
                let user = SimulatedUser::run_flow(&mut player, flow);
                assert_outcome_is_reported(&case, &user, &aws, before);
            }
        }
    }
}
