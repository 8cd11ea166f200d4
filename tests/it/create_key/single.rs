//! The command `create-key --yes`.

use std::future;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::tz::TimeZone;
use xks_console::aws::kms::{AliasListEntry, DescribeKey, GetKeyPolicy, KeyMetadata, Origin};
use xks_console::bundled::BundledAws;
use xks_console::client::credentials::{CredentialsProvider, FetchedCredentials, LoadCredentialsError};
use xks_console::client::{Client, ReadOnly};
use xks_console::commands::create_key::{CreateKeyExit, Shutdown, single};
use xks_console::create_key::key_options::KeyOptions;
use xks_console::create_key::output::create_key_output;
use xks_console::environment::Clock;
use xks_console::in_process;
use xks_console::xks::network::Network;

use super::{START, STORE, account, answers, block_on_paused, created_keys, faulty_client};
use crate::faults::faulty_transport::{Fault, FaultTrigger, FaultyTransport};

fn complete_answers() -> KeyOptions {
    answers(&format!(
        r#"{{ "custom-key-store-id": "{STORE}", "xks-key-id": "payments-2026", "alias": "payments",
              "description": "What's paid", "tag": ["team=payments"], "no-admin-deletion": true,
              "administrator": ["arn:aws:iam::111122223333:user/Admin"], "other-account": ["444455556666"] }}"#
    ))
}

/// Runs the command and returns its exit, standard output, and the messages on standard error.
async fn run(client: &Client, answers: &KeyOptions, policy: Option<&str>) -> (CreateKeyExit, String, String) {
    let (mut out, mut notes) = (Vec::new(), Vec::new());
    let policy = policy.map(str::to_owned);
    let exit = single::run(client, answers, policy, &Shutdown::default(), &mut out, &mut notes).await.unwrap();
    (exit, String::from_utf8(out).unwrap(), String::from_utf8(notes).unwrap())
}

fn expected_output(key: &KeyMetadata) -> String {
    create_key_output(key, &TimeZone::system()).unwrap()
}

#[test]
fn key_is_created_as_requested_and_printed() {
    let (_, client) = account();
    block_on_paused(async {
        let (exit, out, notes) = run(&client, &complete_answers(), None).await;
        assert_eq!((exit, notes.as_str()), (CreateKeyExit::Created, ""));
        let (key, alias) = created_keys(&client, "payments-2026").await.remove(0);
        assert_eq!(out, expected_output(&key));
        assert_eq!((key.description.as_str(), alias.as_deref()), ("What's paid", Some("alias/payments")));
        assert_eq!(client.collect_tags(&key.key_id).await.unwrap()[0].tag_value, "payments");
        let policy = GetKeyPolicy { key_id: key.key_id, policy_name: None };
        let policy = client.call(&policy).await.unwrap().policy;
        assert!(policy.contains("user/Admin") && policy.contains("444455556666"), "{policy}");
        assert!(!policy.contains("kms:ScheduleKeyDeletion"), "{policy}");
    });
}

#[test]
fn invalid_options_are_reported_by_name_before_anything_is_created() {
    let (bundled, client) = account();
    let (faulty_client, faulty) = faulty_client(&bundled, |faulty| faulty);
    block_on_paused(async {
        let with = |json: &str| answers(json).with_defaults(&complete_answers());
        for (requested, policy, exit, words) in [
            (
                with(r#"{ "alias": "customer-db" }"#),
                None,
                CreateKeyExit::InvalidInput,
                "--alias: The alias customer-db already exists",
            ),
            (with(r#"{ "alias": "a b", "tag": ["aws:x=1"] }"#), None, CreateKeyExit::InvalidInput, "--tag: "),
            (with(r#"{ "xks-key-id": "" }"#), None, CreateKeyExit::InvalidInput, "--xks-key-id: "),
            (with(r#"{ "user": ["bob"] }"#), None, CreateKeyExit::InvalidInput, "--user: \"bob\""),
            (
                complete_answers(),
                Some("{}"),
                CreateKeyExit::InvalidInput,
                "--administrator: can't be combined with --policy",
            ),
            (
                with(r#"{ "other-account": ["111122223333"] }"#),
                None,
                CreateKeyExit::InvalidInput,
                "--other-account: This is the account",
            ),
            (
                with(r#"{ "custom-key-store-id": "Oslo" }"#),
                None,
                CreateKeyExit::InvalidInput,
                "Specify one of these: Dublin HSM (cks-",
            ),
            (
                with(r#"{ "custom-key-store-id": "Zurich DR" }"#),
                None,
                CreateKeyExit::InvalidInput,
                "aws kms connect-custom-key-store",
            ),
            (
                KeyOptions { custom_key_store_id: None, ..complete_answers() },
                None,
                CreateKeyExit::InvalidInput,
                "more than one external key store",
            ),
        ] {
            let (outcome, out, notes) = run(&faulty_client, &requested, policy).await;
            assert_eq!((outcome, out.as_str()), (exit, ""), "{notes}");
            assert!(notes.lines().all(|line| line.starts_with("xks-console: --")), "{notes}");
            assert!(notes.contains(words), "missing \"{words}\" in {notes}");
        }
        let other_region = client.with_region("eu-west-1");
        let (outcome, _, notes) = run(&other_region, &complete_answers(), None).await;
        assert_eq!(outcome, CreateKeyExit::InvalidInput);
        assert!(notes.contains("no external key stores in account 111122223333 and Region eu-west-1"), "{notes}");
        let with_policy = KeyOptions {
            administrators: Vec::new(),
            other_accounts: Vec::new(),
            no_admin_deletion: false,
            ..complete_answers()
        };
        let (outcome, _, notes) =
            run(&faulty_client, &with_policy, Some(r#"{"Version":"2012-10-17","Statement":[]}"#)).await;
        assert_eq!(outcome, CreateKeyExit::InvalidInput);
        assert!(notes.contains("--policy: "), "{notes}");
    });
    assert!(!faulty.calls().iter().any(|call| call.starts_with("Create")), "{:?}", faulty.calls());
}

#[test]
fn aws_error_is_reported_with_a_remedy() {
    let (_, client) = account();
    block_on_paused(async {
        let requested = answers(r#"{ "xks-key-id": "no-such-key" }"#).with_defaults(&complete_answers());
        let (exit, out, notes) = run(&client, &requested, None).await;
        assert_eq!((exit, out.as_str()), (CreateKeyExit::NotCreated, ""));
        for words in
            ["--xks-key-id: XksKeyNotFoundException", "What to do: ", "Request ID: ", "No KMS key was created."]
        {
            assert!(notes.contains(words), "missing \"{words}\" in {notes}");
        }
    });
}

#[test]
fn read_only_mode_prints_the_commands_that_create_the_key() {
    let (_, client) = account();
    block_on_paused(async {
        let client = client.with_read_only(ReadOnly::ALL);
        let (exit, out, notes) = run(&client, &complete_answers(), None).await;
        assert_eq!((exit, out.as_str()), (CreateKeyExit::NotCreated, ""), "{notes}");
        for words in ["ReadOnly: ", "without --read-only", "KEY_ID=$(aws kms create-key", "aws kms create-alias"] {
            assert!(notes.contains(words), "missing \"{words}\" in {notes}");
        }
        assert!(!notes.contains("shown here"), "{notes}");
    });
}

#[test]
fn key_without_alias_is_printed_with_the_command_that_creates_the_alias() {
    let (bundled, client) = account();
    let (faulty_client, _) = faulty_client(&bundled, |faulty| {
        faulty.with_fault(Fault::Denied, FaultTrigger::EachCall("CreateAlias".to_owned()))
    });
    block_on_paused(async {
        let (exit, out, notes) = run(&faulty_client, &complete_answers(), None).await;
        let (key, alias) = created_keys(&client, "payments-2026").await.remove(0);
        assert_eq!((exit, alias), (CreateKeyExit::AliasNotCreated, None));
        assert_eq!(out, expected_output(&key));
        let command = format!(
            "aws kms create-alias --region us-west-2 --alias-name alias/payments --target-key-id {}",
            key.key_id
        );
        assert!(notes.contains(&command) && notes.contains("AccessDeniedException"), "{notes}");
    });
}

#[test]
fn key_arn_is_reported_when_the_output_cannot_be_written() {
    let (_, client) = account();
    block_on_paused(async {
        let (mut full, mut notes) = (std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap(), Vec::new());
        let result = single::run(&client, &complete_answers(), None, &Shutdown::default(), &mut full, &mut notes).await;
        assert!(result.is_err(), "{result:?}");
        let (key, _) = created_keys(&client, "payments-2026").await.remove(0);
        let notes = String::from_utf8(notes).unwrap();
        assert!(notes.contains(&key.arn), "{notes}");
    });
}

/// Returns the number of calls in a run without faults.
fn call_count() -> usize {
    let (bundled, _) = account();
    let (faulty_client, faulty) = faulty_client(&bundled, |faulty| faulty);
    block_on_paused(run(&faulty_client, &complete_answers(), None));
    faulty.calls().len()
}

async fn assert_outcome_is_reported(case: &str, client: &Client, (exit, out, notes): &(CreateKeyExit, String, String)) {
    let created = created_keys(client, "payments-2026").await;
    assert!(created.len() <= 1, "{case}: {} keys", created.len());
    let (key, alias) = created.into_iter().next().unzip();
    let output = key.as_ref().map(expected_output).unwrap_or_default();
    match exit {
        CreateKeyExit::Created => assert!(alias.flatten().is_some() && *out == output, "{case}: {out} {notes}"),
        CreateKeyExit::AliasNotCreated => assert!(key.is_some() && *out == output, "{case}: {out} {notes}"),
        CreateKeyExit::NotCreated => assert!(key.is_none() && out.is_empty(), "{case}: {out} {notes}"),
        CreateKeyExit::Unknown => assert!(out.is_empty(), "{case}: {out} {notes}"),
        CreateKeyExit::InvalidInput | CreateKeyExit::Canceled => panic!("{case}: {notes}"),
    }
    assert_eq!(*exit == CreateKeyExit::Created, notes.is_empty(), "{case}: {notes}");
}

#[test]
fn single_fault_creates_at_most_one_key_and_is_reported() {
    for (number, fault) in (0..call_count()).flat_map(|number| Fault::ALL.map(|fault| (number, fault))) {
        let (bundled, client) = account();
        let (faulty_client, faulty) =
            faulty_client(&bundled, |faulty| faulty.with_fault(fault, FaultTrigger::AtCall(number)));
        block_on_paused(async {
            let outcome = run(&faulty_client, &complete_answers(), None).await;
            let operation = faulty.calls()[number].clone();
            let case = format!("{fault:?} at {operation}");
            assert_outcome_is_reported(&case, &client, &outcome).await;
            // After an unknown outcome, the command looks the key up and completes it.
            if fault.leaves_outcome_unknown(&operation) {
                assert_eq!(outcome.0, CreateKeyExit::Created, "{case}: {}", outcome.2);
            }
        });
    }
}

#[test]
fn permanent_fault_creates_at_most_one_key_and_is_reported() {
    for operation in ["CreateKey", "CreateAlias", "DescribeKey", "ListKeys", "ListAliases", "GetCallerIdentity"] {
        for fault in Fault::ALL {
            let (bundled, client) = account();
            let (faulty_client, _) = faulty_client(&bundled, |faulty| {
                faulty.with_fault(fault, FaultTrigger::EachCall(operation.to_owned()))
            });
            block_on_paused(async {
                let outcome = run(&faulty_client, &complete_answers(), None).await;
                assert_outcome_is_reported(&format!("{fault:?} at each {operation}"), &client, &outcome).await;
            });
        }
    }
}

/// Returns a client whose credentials last for `calls` calls.
fn client_with_expiring_credentials(bundled: &BundledAws, calls: usize) -> Client {
    let (mut transport, left) = (None, AtomicUsize::new(calls));
    let _ = in_process::client(bundled, Clock::System).map_transport(|inner| Arc::clone(transport.insert(inner)));
    let (credentials, now) = (Arc::new(bundled.console_credentials()), START.parse().unwrap());
    let source = CredentialsProvider::chain(Box::new(move |_| {
        let is_valid = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok();
        let (profile, remedy) = ("prod".to_owned(), "Run `aws sso login --profile prod`".to_owned());
        let credentials = Arc::clone(&credentials);
        Box::pin(future::ready(if is_valid {
            Ok(FetchedCredentials { credentials, expires_at: Some(now), profile, remedy })
        } else {
            Err(LoadCredentialsError {
                profile,
                reason: "the session has expired".to_owned(),
                remedy,
                mfa_serial: None,
            })
        }))
    }));
    Client::from_provider(transport.unwrap(), source, BundledAws::REGION, Clock::manual(now))
}

#[test]
fn credentials_that_expire_between_calls_still_report_the_created_key() {
    for (left, expected) in [(3, CreateKeyExit::NotCreated), (4, CreateKeyExit::AliasNotCreated)] {
        let (bundled, client) = account();
        block_on_paused(async {
            let outcome = run(&client_with_expiring_credentials(&bundled, left), &complete_answers(), None).await;
            assert_eq!(outcome.0, expected, "{}", outcome.2);
            assert_outcome_is_reported("credentials expire", &client, &outcome).await;
            assert!(outcome.2.contains("NoCredentials") && outcome.2.contains("aws sso login"), "{}", outcome.2);
        });
    }
}

/// Returns the options of a key whose key material KMS generates.
fn kms_key_answers() -> KeyOptions {
    answers(r#"{ "origin": "AWS_KMS", "alias": "reports", "description": "What's read", "tag": ["team=reports"] }"#)
}

/// Returns the keys with that description, each with whether it has the alias.
async fn find_report_keys(client: &Client) -> Vec<(KeyMetadata, bool)> {
    let aliases = client.collect_aliases().await.unwrap();
    let mut found = Vec::new();
    for key in client.collect_keys().await.unwrap() {
        let key = client.call(&DescribeKey::new(key.key_id)).await.unwrap().key_metadata;
        if key.description == "What's read" {
            let has_alias = |alias: &AliasListEntry| {
                alias.alias_name == "alias/reports" && alias.target_key_id.as_ref() == Some(&key.key_id)
            };
            let has_alias = aliases.iter().any(has_alias);
            found.push((key, has_alias));
        }
    }
    found
}

#[test]
fn key_with_kms_origin_is_created_without_describing_key_stores() {
    let (bundled, client) = account();
    let (faulty_client, faulty) = faulty_client(&bundled, |faulty| faulty);
    block_on_paused(async {
        let (exit, out, notes) = run(&faulty_client, &kms_key_answers(), None).await;
        assert_eq!((exit, notes.as_str()), (CreateKeyExit::Created, ""));
        let (key, has_alias) = find_report_keys(&client).await.remove(0);
        assert!(has_alias && key.origin == Origin::AwsKms && key.custom_key_store_id.is_none());
        assert_eq!(out, expected_output(&key));
        let store = answers(r#"{ "custom-key-store-id": "Frankfurt HSM" }"#).with_defaults(&kms_key_answers());
        let (exit, _, notes) = run(&faulty_client, &store, None).await;
        assert_eq!(exit, CreateKeyExit::InvalidInput);
        assert!(
            notes.contains("--custom-key-store-id: this option applies only to keys in an external key store"),
            "{notes}"
        );
    });
    assert!(!faulty.calls().iter().any(|call| call == "DescribeCustomKeyStores"), "{:?}", faulty.calls());
}

#[test]
fn key_with_kms_origin_is_found_after_a_lost_response_despite_a_similar_key() {
    let count = {
        let (bundled, _) = account();
        let (faulty_client, faulty) = faulty_client(&bundled, |faulty| faulty);
        assert_eq!(block_on_paused(run(&faulty_client, &kms_key_answers(), None)).0, CreateKeyExit::Created);
        faulty.calls().len()
    };
    let other = answers(r#"{ "alias": "other" }"#).with_defaults(&kms_key_answers());
    for (number, fault) in (0..count).flat_map(|number| Fault::ALL.map(|fault| (number, fault))) {
        let (bundled, client) = account();
        let (faulty_client, faulty) =
            faulty_client(&bundled, |faulty| faulty.with_fault(fault, FaultTrigger::AtCall(number)));
        block_on_paused(async {
            assert_eq!(run(&client, &other, None).await.0, CreateKeyExit::Created);
            let old = find_report_keys(&client).await.remove(0).0.key_id;
            let (exit, out, notes) = run(&faulty_client, &kms_key_answers(), None).await;
            let operation = faulty.calls()[number].clone();
            let case = format!("{fault:?} at {operation}: {notes}");
            let created: Vec<_> =
                find_report_keys(&client).await.into_iter().filter(|(key, _)| key.key_id != old).collect();
            assert_eq!(exit == CreateKeyExit::Created, created.len() == 1 && created[0].1, "{case}");
            assert!(created.len() <= 1, "{case}: {} keys", created.len());
            assert_eq!(out, created.first().map(|(key, _)| expected_output(key)).unwrap_or_default(), "{case}");
            if fault.leaves_outcome_unknown(&operation) {
                assert_eq!(exit, CreateKeyExit::Created, "{case}");
            }
        });
    }
}

#[test]
fn key_with_kms_origin_has_unknown_outcome_when_the_lookup_fails() {
    let (bundled, client) = account();
    let (faulty_client, _) = faulty_client(&bundled, |faulty| {
        faulty.with_fault(Fault::HangsAfter, FaultTrigger::EachCall("CreateKey".to_owned()))
    });
    let without_list_keys = faulty_client.map_transport(|transport| {
        let clock = || Clock::manual(START.parse().unwrap());
        Arc::new(
            FaultyTransport::new(transport, clock(), clock())
                .with_fault(Fault::Denied, FaultTrigger::EachCall("ListKeys".to_owned())),
        )
    });
    block_on_paused(async {
        let (exit, out, notes) = run(&without_list_keys, &kms_key_answers(), None).await;
        assert_eq!(
            (exit, out.as_str(), find_report_keys(&client).await.len()),
            (CreateKeyExit::Unknown, "", 1),
            "{notes}"
        );
        assert!(notes.contains("Check for a new KMS key before you create another one"), "{notes}");
    });
}

/// Runs the program with this standard input.
fn run_program(dir: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_xks-console"))
        .args(["create-key", "--data-dir"])
        .arg(dir.join("aws"))
        .args(arguments)
        .env("XDG_CONFIG_HOME", dir.join("config"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The program can exit without reading its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn answers_and_policy_are_read_from_files_or_standard_input() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).unwrap();
        dir.path().join(name).to_str().unwrap().to_owned()
    };
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;
    let answers = file("a.toml", "custom-key-store-id = \"Frankfurt HSM\"\nalias = \"from-file\"\ntag = [\"a=b\"]\n");
    let from_stdin = ["--yes", "--answers", &answers, "--xks-key-id", "payments-2026", "--policy", "-"];
    let output = run_program(dir.path(), &from_stdin, policy);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let json = r#"{ "custom-key-store-id": "Frankfurt HSM", "xks-key-id": "ledger-archive", "alias": "other" }"#;
    let output = run_program(dir.path(), &["--yes", "--answers", "-", "--alias", "wins"], json);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let bundled = BundledAws::open_with_network(&dir.path().join("aws"), None, Network::default()).unwrap();
    let client = in_process::client(&bundled, Clock::System);
    block_on_paused(async {
        assert_eq!(created_keys(&client, "ledger-archive").await[0].1.as_deref(), Some("alias/wins"));
        let (key, alias) = created_keys(&client, "payments-2026").await.remove(0);
        assert_eq!(alias.as_deref(), Some("alias/from-file"));
        let get_policy = GetKeyPolicy { key_id: key.key_id, policy_name: None };
        assert_eq!(client.call(&get_policy).await.unwrap().policy, policy);
    });
}

#[test]
fn usage_errors_exit_with_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty.toml").to_str().unwrap().to_owned();
    std::fs::write(&empty, "custom-key-store-id = \"Frankfurt HSM\"").unwrap();
    for (arguments, words) in [
        (&["--yes", "--answers", &empty, "--policy", "-"][..], "--policy: "),
        (&["--yes", "--answers", "/nowhere"], "--answers: /nowhere: "),
        (&["--yes", "--policy", "/nowhere"], "--policy: /nowhere: "),
        (&["--yes", "--answers", "-"], "unknown field `store`"),
        (&["--batch", "/nowhere"], "/nowhere: "),
        (&["--yes", "--tag", "x"], "--tag: \"x\" has no equals sign"),
    ] {
        let output = run_program(dir.path(), arguments, r#"{ "store": 1 }"#);
        let notes = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {notes}");
        assert!(notes.contains(words) && output.stdout.is_empty(), "{arguments:?}: {notes}");
    }
}

#[test]
fn ctrl_c_exits_at_once_when_no_change_is_in_progress() {
    let dir = tempfile::tempdir().unwrap();
    // Accepts connections but never responds.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let child = Command::new(env!("CARGO_BIN_EXE_xks-console"))
        .args([
            "create-key",
            "--yes",
            "--xks-key-id",
            "k",
            "--alias",
            "a",
            "--region",
            "us-west-2",
            "--endpoint-url",
            &url,
        ])
        .envs([("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")])
        .env("HOME", dir.path())
        .env("XDG_CONFIG_HOME", dir.path())
        .spawn();
    let mut child = child.unwrap();
    let _connection = listener.accept().unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
