//! The bundled AWS with faults in front: whatever goes wrong at whatever call, Finish makes one KMS key with one alias or
//! none, and says which.

pub mod faulty;
pub mod person;
pub mod tls;

use std::sync::Arc;

use faulty::{Fault, Faulty, Strikes};
use person::{Flow, Person};
use xks_console::aws::kms::{DescribeKey, KeyMetadata};
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::{Player, in_process_client};
use xks_console::tui::app::Target;

use super::account::wait;

const START: &str = "2026-03-02T10:15:00Z";
const FLOWS: [Flow; 3] = [Flow::Method1, Flow::Method2, Flow::Method2InKms];

/// A console on an AWS that is as far away as AWS is, by way of `wrap`; and somebody else's client of the same AWS.
fn console(wrap: impl FnOnce(Faulty) -> Faulty) -> (Player, Client, Arc<Faulty>) {
    let world = Environment::replayable(START.parse().unwrap(), 7);
    let bundled = BundledAws::in_memory("default", world.clone()).unwrap();
    let here = Clock::manual(START.parse().unwrap());
    let somebody_else = in_process_client(&bundled, world.clock.clone());
    let mut faulty = None;
    let client = in_process_client(&bundled, here.clone()).with_random(world.random).map_transport(|way| {
        let way = Arc::new(wrap(Faulty::new(way, here.clone(), world.clock.clone())));
        faulty = Some(Arc::clone(&way));
        way
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let journey = Player::with_client((100, 30), bundled, client, Target::Aws, here, runtime);
    (journey, somebody_else, faulty.unwrap())
}

/// What there is of what the person wants: the KMS keys that were made, and the key that the alias points to.
fn made(aws: &Client, before: usize) -> (Vec<KeyMetadata>, Option<String>) {
    wait(async {
        let keys = aws.collect_keys().await.unwrap();
        let mut made = Vec::new();
        for key in keys {
            made.push(aws.call(&DescribeKey::new(key.key_id)).await.unwrap().key_metadata);
        }
        made.retain(|key| key.description == person::DESCRIPTION);
        assert_eq!(aws.collect_keys().await.unwrap().len() - before, made.len());
        let aliases = aws.collect_aliases().await.unwrap();
        let alias = aliases.into_iter().find(|alias| alias.alias_name == "alias/payments");
        (made, alias.and_then(|alias| alias.target_key_id))
    })
}

/// What is told in the end must be what there is.
fn assert_told(case: &str, person: &Person, aws: &Client, before: usize) {
    let (keys, alias) = made(aws, before);
    assert!(keys.len() <= 1, "{case}: {} keys were made", keys.len());
    let last = &person.last;
    let key = keys.first().map(|key| key.key_id.clone());
    if person.succeeded {
        let key = key.unwrap_or_else(|| panic!("{case}: no key, but {last}"));
        assert!(last.contains(&key), "{case}: {key} is not in {last}");
        assert_eq!(alias, Some(key), "{case}");
    } else if last.contains("The KMS key was created.") {
        assert!(key.is_some() && alias.is_none(), "{case}: {key:?} {alias:?} {last}");
    } else if last.contains("Whether it was done is not known") {
        assert!(alias.is_none() || alias == key, "{case}");
    } else {
        assert!(key.is_none() && alias.is_none(), "{case}: {key:?} {alias:?} {last}");
        // A key whose answer was cut off says so in its row.
        let is_told = ["was not created", "✗", "Not readable"].into_iter().any(|words| last.contains(words));
        assert!(is_told, "{case}: nothing is told: {last}");
    }
}

/// Whether it was done is said not to be known just where nobody can know.
fn assert_doubt(case: &str, person: &Person, fault: Fault, operation: &str) {
    let is_told = person.troubles.iter().any(|trouble| trouble == person::DOUBT);
    assert_eq!(is_told, fault.leaves_doubt(operation), "{case}: {:?}", person.troubles);
}

/// The calls of a flow that goes well, as they follow each other; the same call many times in a row counts once.
fn calls(flow: Flow) -> Vec<(usize, String)> {
    let (mut journey, _, faulty) = console(|faulty| faulty);
    let person = Person::walk(&mut journey, flow);
    assert!(person.succeeded && person.troubles.is_empty(), "{flow:?}: {:?} {}", person.troubles, person.last);
    let all = faulty.calls();
    let is_new = |at: &usize| *at == 0 || all[*at] != all[*at - 1];
    (0..all.len()).filter(is_new).map(|at| (at, all[at].clone())).collect()
}

fn every_fault_at_every_call(flow: Flow) {
    for (at, operation) in calls(flow) {
        for fault in Fault::ALL {
            let case = format!("{flow:?}, {fault:?} at call {at}, {operation}");
            let (mut journey, aws, _) = console(|faulty| faulty.with(fault, Strikes::At(at)));
            let before = wait(aws.collect_keys()).unwrap().len();
            let person = Person::walk(&mut journey, flow);
            assert_told(&case, &person, &aws, before);
            assert!(person.succeeded, "{case}: a fault that passes must not end it: {}", person.last);
            let is_once = ["CreateKey", "CreateAlias"].contains(&operation.as_str());
            let troubles = &person.troubles;
            match fault {
                // What was not needed yet, or is asked anew on the way, stops nobody; that it failed can be looked up.
                Fault::Denied | Fault::Expired => {
                    assert!(!is_once || !troubles.is_empty(), "{case} is not told");
                    let failed = person::failed_calls(&mut journey);
                    assert!(failed.contains(&format!(" {operation} ")), "{case} is not among the calls: {failed}");
                }
                fault if is_once && fault.leaves_doubt(&operation) => assert_doubt(&case, &person, fault, &operation),
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
        let mut operations: Vec<String> = calls(flow).into_iter().map(|(_, operation)| operation).collect();
        operations.sort();
        operations.dedup();
        // What is read for it is the same as in the other flows.
        operations.retain(|operation| flow != Flow::Method2InKms || operation.starts_with("Create"));
        for operation in operations {
            for fault in Fault::ALL {
                let case = format!("{flow:?}, {fault:?} at each {operation}");
                let (mut journey, aws, _) = console(|faulty| faulty.with(fault, Strikes::Each(operation.clone())));
                let before = wait(aws.collect_keys()).unwrap().len();
                let person = Person::walk(&mut journey, flow);
                assert_told(&case, &person, &aws, before);
            }
        }
    }
}
