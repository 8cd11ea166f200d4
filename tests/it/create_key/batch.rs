//! The command `create-key --batch`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use xks_console::aws::kms::DisconnectCustomKeyStore;
use xks_console::client::Client;
use xks_console::commands::create_key::{CreateKeyExit, Shutdown, batch};

use super::{STORE, account, answers, block_on_paused, create_external_keys, created_keys, csv_list, faulty_client};
use crate::account::key_store;
use crate::faults::faulty_transport::{Fault, FaultTrigger};

/// Runs the batch and returns its exit, standard output, and the messages on standard error.
async fn run(client: &Client, path: &Path) -> (CreateKeyExit, Vec<Value>, String) {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let shared = answers(&format!(r#"{{ "custom-key-store-id": "{STORE}", "description": "listed" }}"#));
    let exit = batch::run(client, path, &shared, &Shutdown::default(), &mut out, &mut notes).await.unwrap();
    let lines = String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (exit, lines, String::from_utf8(notes).unwrap())
}

fn write_list(dir: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("keys.csv");
    std::fs::write(&path, text).unwrap();
    path
}

fn read_report(list: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(list.with_extension("csv.report.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Asserts that each row has exactly one key, with its alias.
async fn assert_all_created(case: &str, client: &Client, count: usize) {
    let created = created_keys(client, "batch-").await;
    assert_eq!(created.len(), count, "{case}");
    for (key, alias) in created {
        let number = key.xks_key_configuration.unwrap().id.trim_start_matches("batch-").to_owned();
        assert_eq!(alias, Some(format!("alias/list/{number}")), "{case}");
    }
}

#[test]
fn batch_creates_one_key_per_row_and_a_second_run_creates_none() {
    let (bundled, client) = account();
    let dir = tempfile::tempdir().unwrap();
    let path = write_list(&dir, &csv_list(5));
    block_on_paused(async {
        create_external_keys(&client, 5).await;
        let (exit, out, notes) = run(&client, &path).await;
        assert_eq!(exit, CreateKeyExit::Created, "{notes}");
        assert_all_created("once", &client, 5).await;
        assert!(notes.contains("line 6, list/4: created") && notes.contains("5 created. "), "{notes}");
        let (key, _) = created_keys(&client, "batch-3").await.remove(0);
        assert_eq!(out[3]["keyArn"], key.arn.as_str());
        assert_eq!((&out[3]["line"], &out[3]["alias"]), (&5.into(), &"list/3".into()));
        assert_eq!(out[3]["outcome"], "made");
        assert_eq!(key.description, "listed");
        let tags = client.collect_tags(&key.key_id).await.unwrap();
        assert_eq!(tags.iter().map(|tag| tag.tag_value.as_str()).collect::<Vec<_>>(), ["3", "payments"]);
        let outcomes: Vec<_> = read_report(&path).iter().map(|entry| entry["outcome"].clone()).collect();
        assert_eq!(outcomes[..3], ["creating-key", "creating-alias", "made"]);
        let (faulty_client, faulty) = faulty_client(&bundled, |faulty| faulty);
        let (exit, again, _) = run(&faulty_client, &path).await;
        assert_eq!((exit, again), (CreateKeyExit::Created, out));
        assert!(!faulty.calls().iter().any(|call| call.starts_with("Create")));
        // A finished batch doesn't need the key store.
        let custom_key_store_id = key_store(&client, STORE).await.custom_key_store_id;
        client.call(&DisconnectCustomKeyStore { custom_key_store_id }).await.unwrap();
        assert_eq!(run(&client, &path).await.0, CreateKeyExit::Created);
        write_list(&dir, &csv_list(6));
        let (exit, _, notes) = run(&client, &path).await;
        assert_eq!(exit, CreateKeyExit::InvalidInput);
        assert!(notes.contains("line 7: --custom-key-store-id: Frankfurt HSM (cks-"), "{notes}");
        assert!(notes.contains("must be connected. Connect it in the console"), "{notes}");
    });
}

#[test]
fn no_key_is_created_until_every_row_is_valid() {
    let (bundled, client) = account();
    let (faulty_client, faulty) = faulty_client(&bundled, |faulty| faulty);
    let dir = tempfile::tempdir().unwrap();
    let path = write_list(
        &dir,
        "xks-key-id,alias,user,policy\nbatch-0,list/0,,\nbatch-0,list/0,,\ncustomer-db,b c,,\nx,customer-db,bob,\n\
         y,y,,-\nz,z,,nowhere.json\n",
    );
    block_on_paused(async {
        create_external_keys(&client, 1).await;
        let (exit, out, notes) = run(&faulty_client, &path).await;
        assert_eq!((exit, out), (CreateKeyExit::InvalidInput, Vec::new()));
        for words in [
            "line 3: --xks-key-id: batch-0 is already used on line 2",
            "line 3: --alias: list/0 is already used on line 2",
            "line 4: --xks-key-id: The external key customer-db is already associated",
            "line 4: --alias: ",
            "line 5: --user: \"bob\"",
            "line 6: --policy: standard input (-) can't be used with --batch",
            "line 7: --policy: nowhere.json: ",
            "No keys were created.",
        ] {
            assert!(notes.contains(words), "missing \"{words}\" in {notes}");
        }
    });
    assert!(!faulty.calls().iter().any(|call| call.starts_with("Create")));
}

#[test]
fn batch_rejects_origins_other_than_external_key_store() {
    let (bundled, client) = account();
    let (faulty_client, faulty) = faulty_client(&bundled, |faulty| faulty);
    let dir = tempfile::tempdir().unwrap();
    let path = write_list(&dir, "origin,xks-key-id,alias\n,batch-0,list/0\nAWS_KMS,,list/1\nEXTERNAL,,list/2\n");
    block_on_paused(async {
        create_external_keys(&client, 1).await;
        let (exit, out, notes) = run(&faulty_client, &path).await;
        assert_eq!((exit, out), (CreateKeyExit::InvalidInput, Vec::new()));
        for line in ["line 3: --origin: --batch creates keys only in external key stores", "line 4: --origin: --batch"]
        {
            assert!(notes.contains(line), "missing \"{line}\" in {notes}");
        }
        let before = faulty.calls().len();
        let (mut out, mut notes) = (Vec::new(), Vec::new());
        let shared = answers(r#"{ "origin": "AWS_KMS" }"#);
        let exit =
            batch::run(&faulty_client, &path, &shared, &Shutdown::default(), &mut out, &mut notes).await.unwrap();
        assert_eq!((exit, faulty.calls().len()), (CreateKeyExit::InvalidInput, before), "no request is sent");
        let notes = String::from_utf8(notes).unwrap();
        assert!(notes.contains("to identify each key. To create other keys, use --yes"), "{notes}");
    });
    assert!(!faulty.calls().iter().any(|call| call.starts_with("Create")));
}

#[test]
fn rejected_row_is_retried_by_the_next_run_and_other_rows_are_created() {
    let (_, client) = account();
    let dir = tempfile::tempdir().unwrap();
    let path = write_list(&dir, &csv_list(3).replace("batch-1,", "batch-9,"));
    block_on_paused(async {
        create_external_keys(&client, 3).await;
        let (exit, out, notes) = run(&client, &path).await;
        assert_eq!(exit, CreateKeyExit::NotCreated);
        assert!(notes.contains("line 3, list/1: --xks-key-id: XksKeyNotFoundException"), "{notes}");
        assert!(notes.contains("2 created, 1 failed. "), "{notes}");
        assert!(out[1]["error"].as_str().unwrap().starts_with("XksKeyNotFoundException: "), "{:?}", out[1]);
        write_list(&dir, &csv_list(3));
        assert_eq!(run(&client, &path).await.0, CreateKeyExit::Created);
        assert_all_created("corrected row", &client, 3).await;
    });
}

#[test]
fn error_that_affects_every_row_stops_the_batch() {
    for (fault, exit, words) in [
        (Fault::Denied, CreateKeyExit::NotCreated, "1 failed, 3 not attempted. "),
        (Fault::HangsBefore, CreateKeyExit::Unknown, "3 not attempted, 1 unknown. "),
    ] {
        let (bundled, client) = account();
        let (faulty_client, faulty) =
            faulty_client(&bundled, |faulty| faulty.with_fault(fault, FaultTrigger::EachCall("CreateKey".to_owned())));
        let dir = tempfile::tempdir().unwrap();
        let path = write_list(&dir, &csv_list(4));
        block_on_paused(async {
            create_external_keys(&client, 4).await;
            let (actual, _, notes) = run(&faulty_client, &path).await;
            assert_eq!(actual, exit, "{notes}");
            assert!(notes.contains(words), "{notes}");
            assert!(faulty.calls().iter().filter(|call| *call == "CreateKey").count() <= 4);
            let (actual, _, notes) = run(&client, &path).await;
            assert_eq!(actual, CreateKeyExit::Created, "{notes}");
            assert_all_created(words, &client, 4).await;
        });
    }
}

#[test]
fn failed_alias_is_created_by_the_next_run() {
    let (bundled, client) = account();
    let (faulty_client, _) = faulty_client(&bundled, |faulty| {
        faulty.with_fault(Fault::Denied, FaultTrigger::EachCall("CreateAlias".to_owned()))
    });
    let dir = tempfile::tempdir().unwrap();
    let path = write_list(&dir, &csv_list(2));
    block_on_paused(async {
        create_external_keys(&client, 2).await;
        let (actual, out, notes) = run(&faulty_client, &path).await;
        assert_eq!(actual, CreateKeyExit::AliasNotCreated, "{notes}");
        assert_eq!(out[0]["outcome"], "without-alias");
        assert!(out[0]["keyArn"].is_string());
        assert_eq!(run(&client, &path).await.0, CreateKeyExit::Created);
        assert_all_created("again", &client, 2).await;
    });
}

#[test]
fn key_that_is_not_yet_visible_is_found_by_its_external_key() {
    let (bundled, client) = account();
    let (faulty_client, _) = faulty_client(&bundled, |faulty| {
        faulty.with_fault(Fault::Denied, FaultTrigger::EachCall("CreateAlias".to_owned()))
    });
    let dir = tempfile::tempdir().unwrap();
    let path = write_list(&dir, &csv_list(1));
    block_on_paused(async {
        create_external_keys(&client, 1).await;
        let (_, out, _) = run(&faulty_client, &path).await;
        let (arn, report) = (out[0]["keyArn"].as_str().unwrap(), path.with_extension("csv.report.jsonl"));
        let unknown = format!("{}/00000000-0000-4000-8000-000000000000", arn.split_once('/').unwrap().0);
        let actual = std::fs::read_to_string(&report).unwrap().replace(arn, &unknown);
        std::fs::write(&report, actual).unwrap();
        let (exit, out, notes) = run(&client, &path).await;
        assert_eq!((exit, &out[0]["keyArn"]), (CreateKeyExit::Created, &arn.into()), "{notes}");
        assert_all_created("found", &client, 1).await;
    });
}

#[test]
fn lost_responses_do_not_create_a_second_key() {
    for fault in Fault::ALL.into_iter().filter(|fault| fault.leaves_outcome_unknown("CreateKey")) {
        // Other tests cover faults that let no request through.
        if matches!(fault, Fault::FailsBefore | Fault::ResetBefore | Fault::HangsBefore) {
            continue;
        }
        let (bundled, client) = account();
        let (faulty_client, _) =
            faulty_client(&bundled, |faulty| faulty.with_fault(fault, FaultTrigger::EachCall("CreateKey".to_owned())));
        let dir = tempfile::tempdir().unwrap();
        let path = write_list(&dir, &csv_list(3));
        block_on_paused(async {
            create_external_keys(&client, 3).await;
            let (exit, _, notes) = run(&faulty_client, &path).await;
            assert_eq!(exit, CreateKeyExit::Created, "{fault:?}: {notes}");
            assert_all_created(&format!("{fault:?}"), &client, 3).await;
        });
    }
}

#[test]
fn batch_interrupted_at_any_call_resumes_where_it_stopped() {
    const ROWS: usize = 2;
    let calls = {
        let (bundled, client) = account();
        let (faulty_client, faulty) = faulty_client(&bundled, |faulty| faulty);
        let dir = tempfile::tempdir().unwrap();
        let path = write_list(&dir, &csv_list(ROWS));
        block_on_paused(async {
            create_external_keys(&client, ROWS).await;
            run(&faulty_client, &path).await;
        });
        faulty.calls()
    };
    for (number, operation) in calls.iter().enumerate() {
        for fault in [Fault::HangsBefore, Fault::HangsAfter] {
            let case = format!("interrupted at call {number}, {operation}, {fault:?}");
            let (bundled, client) = account();
            let (faulty_client, _) =
                faulty_client(&bundled, |faulty| faulty.with_fault(fault, FaultTrigger::AtCall(number)));
            let dir = tempfile::tempdir().unwrap();
            let path = write_list(&dir, &csv_list(ROWS));
            block_on_paused(async {
                create_external_keys(&client, ROWS).await;
                let is_interrupted =
                    tokio::time::timeout(Duration::from_secs(20), run(&faulty_client, &path)).await.is_err();
                assert!(is_interrupted, "{case}");
                let (exit, out, notes) = run(&client, &path).await;
                assert_eq!((exit, out.len()), (CreateKeyExit::Created, ROWS), "{case}: {notes}");
                assert_all_created(&case, &client, ROWS).await;
            });
        }
    }
}

#[test]
fn batch_in_another_region_does_not_reuse_the_report_or_key_store() {
    let (_, client) = account();
    let dir = tempfile::tempdir().unwrap();
    let path = write_list(&dir, &csv_list(1));
    block_on_paused(async {
        create_external_keys(&client, 1).await;
        assert_eq!(run(&client, &path).await.0, CreateKeyExit::Created);
        let (exit, _, notes) = run(&client.with_region("eu-west-1"), &path).await;
        assert_eq!(exit, CreateKeyExit::InvalidInput);
        assert!(notes.contains("line 2: --custom-key-store-id: no external key store"), "{notes}");
    });
}
