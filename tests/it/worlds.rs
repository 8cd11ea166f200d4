//! Scenarios with workloads and a past, and scenarios in files.

use std::collections::BTreeSet;

use serde_json::Value;

use super::account::block_on;
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::client::named_call::NamedOperation;
use xks_console::environment::{Clock, Environment};
use xks_console::expectation::{Expectation, Variables};
use xks_console::in_process;

const START: &str = "2026-03-02T10:15:00Z";

struct World {
    aws: BundledAws,
    client: Client,
}

impl World {
    fn new(scenario: &str) -> Self {
        let environment = Environment::replayable(START.parse().unwrap(), 7);
        let aws = BundledAws::in_memory(scenario, environment.clone()).unwrap();
        let client = in_process::client(&aws, environment.clock);
        Self { aws, client }
    }

    fn call(&self, operation: &str, input: Value) -> Value {
        block_on(NamedOperation::find(operation).unwrap().call(&self.client, input)).unwrap()
    }

    fn expect(&self, expectation: &str) {
        let expectation = Expectation::parse(expectation).unwrap();
        block_on(expectation.evaluate(&self.client, &Variables::default())).unwrap();
    }

    /// Returns the events of an operation, newest first.
    fn events(&self, name: &str) -> Vec<Value> {
        let mut input = serde_json::json!({
            "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}],
        });
        let mut events = Vec::new();
        loop {
            let page = self.call("cloudtrail:LookupEvents", input.clone());
            for event in page["Events"].as_array().unwrap() {
                events.push(serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap());
            }
            match page["NextToken"].as_str() {
                Some(token) => input["NextToken"] = token.into(),
                None => return events,
            }
        }
    }

    fn workload(&self, name: &str) -> Value {
        let workloads = self.call("xks-console:ListWorkloads", serde_json::json!({}));
        workloads["Workloads"].as_array().unwrap().iter().find(|one| one["Name"] == name).unwrap().clone()
    }
}

#[test]
fn training_world_has_a_week_of_events_of_its_workloads() {
    let world = World::new("training");
    world.expect("xks-console:DescribeAccountClock .SecondsAhead == 0");
    let decrypts = world.events("Decrypt");
    let times: Vec<&str> = decrypts.iter().map(|event| event["eventTime"].as_str().unwrap()).collect();
    assert!(decrypts.len() > 300, "{}", decrypts.len());
    assert!(times.iter().all(|time| ("2026-02-23T10:15:00Z"..=START).contains(time)), "{times:?}");
    assert!(times.is_sorted_by(|newer, older| newer >= older));
    let event = &decrypts[0];
    assert_eq!(event["userIdentity"]["arn"], "arn:aws:sts::111122223333:assumed-role/PaymentsApi/web-shop");
    assert_eq!(event["sourceIPAddress"], "10.0.12.20");
    assert!(decrypts.iter().all(|event| event["errorCode"].is_null()));
    let data_keys = world.events("GenerateDataKey");
    let reports = data_keys.iter().filter(|event| event["sourceIPAddress"] == "10.0.40.7");
    let hours: BTreeSet<&str> = reports.map(|event| &event["eventTime"].as_str().unwrap()[11..13]).collect();
    assert_eq!(hours, BTreeSet::from(["01", "02"]));
    world.expect(r#"cloudwatch:ListMetrics {"MetricName": "XksProxyLatency"} .Metrics | length > 1"#);
}

#[test]
fn workloads_notice_a_disconnect_unless_their_data_key_is_cached() {
    let world = World::new("training");
    let advance = |seconds: i64| {
        world.call("xks-console:AdvanceAccountClock", serde_json::json!({"Seconds": seconds}));
    };
    // The data key of the ledger was due to be replaced at the start.
    advance(30 * 60);
    let shop = world.workload("web-shop");
    assert_eq!((&shop["FailingSince"], shop["Failures"].as_u64()), (&Value::Null, Some(0)));
    let stores = world.call("kms:DescribeCustomKeyStores", serde_json::json!({"CustomKeyStoreName": "Frankfurt HSM"}));
    let id = &stores["CustomKeyStores"][0]["CustomKeyStoreId"];
    world.call("kms:DisconnectCustomKeyStore", serde_json::json!({"CustomKeyStoreId": id}));
    advance(30 * 60);
    let (shop, ledger) = (world.workload("web-shop"), world.workload("ledger"));
    assert_eq!(shop["ErrorCode"], "KMSInvalidStateException");
    assert!(!shop["FailingSince"].is_null());
    assert!(ledger["FailingSince"].is_null() && !ledger["CachedUntil"].is_null(), "{ledger}");
    assert!(world.workload("log-shipper")["FailingSince"].is_null());
    advance(7 * 60 * 60);
    assert_eq!(world.workload("ledger")["ErrorCode"], "KMSInvalidStateException");
    world.call("kms:ConnectCustomKeyStore", serde_json::json!({"CustomKeyStoreId": id}));
    advance(60 * 60);
    assert!(world.workload("ledger")["FailingSince"].is_null());
    assert!(world.workload("web-shop")["ErrorCode"].is_null());
}

#[test]
fn manual_clock_of_a_tape_runs_workloads() {
    let world = World::new("training");
    let requests = |name| world.workload(name)["Requests"].as_u64().unwrap();
    let before = requests("web-shop");
    block_on(world.aws.advance_base_clock(jiff::SignedDuration::from_hours(2)));
    assert_eq!(requests("web-shop"), before + 8);
}

#[test]
fn incident_can_be_found_in_the_events() {
    let world = World::new("incident");
    let decrypts = world.events("Decrypt");
    let intruder: Vec<&Value> = decrypts.iter().filter(|event| event["sourceIPAddress"] == "203.0.113.77").collect();
    let denied = intruder.iter().filter(|event| event["errorCode"] == "AccessDenied").count();
    assert_eq!((intruder.len() - denied, denied), (37, 4));
    assert_eq!(intruder.last().unwrap()["eventTime"], "2026-02-27T02:47:00Z");
    let grants = world.events("CreateGrant");
    assert_eq!(grants.len(), 1);
    assert_eq!(grants[0]["userIdentity"]["arn"], "arn:aws:sts::111122223333:assumed-role/PlatformAdmin/daniel.weiss");
    let failed: Vec<&Value> =
        decrypts.iter().filter(|event| event["errorCode"] == "KMSInvalidStateException").collect();
    assert!(
        !failed.is_empty()
            && failed.iter().all(|event| event["eventTime"].as_str().unwrap().starts_with("2026-03-01T08:"))
    );
    world.expect(r#"kms:ListAliases .Aliases[.AliasName == "alias/customer-db"] exists"#);
    assert!(world.workload("web-shop")["FailingSince"].is_null());
}

#[test]
fn large_world_has_thousands_of_keys() {
    let world = World::new("large");
    for (key, origin) in [("shard-1000", "EXTERNAL_KEY_STORE"), ("tenant-4000", "AWS_KMS")] {
        world.expect(&format!(r#"kms:DescribeKey {{"KeyId": "alias/{key}"}} .KeyMetadata.Origin == "{origin}""#));
    }
    let input = r#"{"KeyId": "alias/shard-7", "Plaintext": "eA=="}"#;
    world.expect(&format!("kms:Encrypt {input} .CiphertextBlob exists"));
}

/// Opens the scenario `text` as a file, and returns the error.
fn error_of(text: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("own.toml");
    std::fs::write(&path, text).unwrap();
    let environment = Environment::replayable(START.parse().unwrap(), 7);
    let error = BundledAws::in_memory(path.to_str().unwrap(), environment).unwrap_err().to_string();
    error.replace(path.to_str().unwrap(), "own.toml")
}

#[test]
fn invalid_scenarios_in_files_are_refused_with_the_line() {
    let workload = "extends = \"default\"\n\n[[workload]]\nname = \"shop\"\nrole = \"arn:aws:iam::111122223333:role/ops/LogShipper\"\n\
                    key = \"alias/app-logs\"\noperation = \"Decrypt\"\nevery = \"15m\"\n";
    let past = "extends = \"default\"\n[past]\ndays = 2\n\n[[past.request]]\nat = \"-1d 02:00\"\n\
                principal = \"arn:aws:iam::111122223333:user/Admin\"\noperation = \"kms:ListKeys\"\n";
    for (text, parts) in [
        (String::new(), &["own.toml", "no account", "extends"][..]),
        ("extends = \"defalt\"".to_owned(), &["\"defalt\" doesn't exist"]),
        ("extends = \"default\"\nkeys = 1".to_owned(), &["line 2", "keys"]),
        (
            workload.replace("LogShipper", "LogShiper"),
            &["line 3", "the workload \"shop\"", "LogShiper", "doesn't exist"],
        ),
        (workload.replace("app-logs", "logs"), &["line 3", "alias/logs", "doesn't exist"]),
        (workload.replace("15m", "1s"), &["line 3", "every 10 s to 24 h"]),
        (workload.replace("Decrypt", "Decript"), &["line 7", "Decript"]),
        (workload.replace("\"15m\"", "\"15m\"\nhours = \"7-9\""), &["line 9", "such as 07:00-19:00"]),
        (workload.replace("\"shop\"", "\"the shop\""), &["line 3", "the shop", "can't have this name"]),
        (
            workload.replace(
                "[[workload]]",
                "[[partition]]\nname = \"x\"\nkeys = [{ id = \"y\", count = 4000000000 }]\n[[workload]]",
            ),
            &["line 5", "from 1 to 10000"],
        ),
        (past.to_owned() + "times = 0\n", &["line 9", "from 1 to 10000"]),
        (past.replace("-1d 02:00", "yesterday"), &["line 5", "yesterday", "-3d 02:47"]),
        (past.replace("-1d", "-9d"), &["line 5", "isn't within the days"]),
        (past.replace("days = 2", "days = 99"), &["1 to 14 days"]),
        (past.replace("kms:ListKeys", "iam:ListRoles"), &["line 5", "iam:ListRoles"]),
        (
            past.replace("kms:ListKeys", "kms:Describe"),
            &["kms:Describe of the past, at 2026-03-01T02:00:00Z", "failed"],
        ),
        (past.replace("user/Admin", "user/Nobody"), &["user/Nobody"]),
    ] {
        let error = error_of(&text);
        assert!(parts.iter().all(|part| error.contains(part)), "{parts:?}\n{error}");
    }
}

#[test]
fn past_of_an_account_on_disk_survives_an_interrupted_start() {
    let dir = tempfile::tempdir().unwrap();
    let scenario = dir.path().join("short.toml");
    // The last request fails, so that the first start is interrupted after all others.
    let text = "extends = \"training\"\n[past]\ndays = 1\n[[past.request]]\nat = \"-0d 00:00\"\nprincipal = \
                \"arn:aws:iam::111122223333:user/Admin\"\noperation = \"kms:Describe\"\n";
    std::fs::write(&scenario, text).unwrap();
    let account = dir.path().join("account");
    let error = BundledAws::open(&account, scenario.to_str()).unwrap_err().to_string();
    assert!(error.contains("kms:Describe of the past"), "{error}");
    // Nothing of it is in the way of another scenario.
    drop(BundledAws::open(&account, Some("empty")).unwrap());
    // A scenario without that request has its whole past.
    std::fs::write(&scenario, text.split("[[past.request]]").next().unwrap()).unwrap();
    let account = dir.path().join("other");
    BundledAws::open(&account, scenario.to_str()).unwrap();
    let aws = BundledAws::open(&account, None).unwrap();
    let client = in_process::client(&aws, Clock::System);
    let world = World { aws, client };
    world.expect("xks-console:DescribeAccountClock .SecondsAhead == 0");
    let decrypts = world.events("Decrypt").len();
    assert!(decrypts > 90, "{decrypts}");
}

#[test]
fn scenarios_of_the_manual_can_be_opened() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/src/reference/scenarios.md");
    let manual = std::fs::read_to_string(path).unwrap();
    let blocks: Vec<&str> = manual.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("own.toml");
        std::fs::write(&path, block).unwrap();
        let world = World::new(path.to_str().unwrap());
        if block.contains("orders") {
            assert_eq!(world.workload("orders")["Failures"], 0);
        } else {
            let arn = "arn:aws:sts::111122223333:assumed-role/LogShipper/night";
            let is_repeated = |event: &&Value| event["userIdentity"]["arn"] == arn && event["errorCode"].is_null();
            assert_eq!(world.events("Decrypt").iter().filter(is_repeated).count(), 5);
        }
    }
}

#[test]
fn scenario_that_is_not_a_regular_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe.toml");
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    let environment = Environment::replayable(START.parse().unwrap(), 7);
    let error = BundledAws::in_memory(path.to_str().unwrap(), environment).unwrap_err().to_string();
    assert!(error.contains("it is not a regular file"), "{error}");
}
