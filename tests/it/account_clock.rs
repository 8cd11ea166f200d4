//! The clock of an account that is moved ahead of this machine: what follows it, what doesn't, and the command `clock`.

use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use xks_console::aws::cloudtrail::LookupEvents;
use xks_console::aws::kms::{DescribeKey, KeyState, ScheduleKeyDeletion};
use xks_console::aws::sts::GetCallerIdentity;
use xks_console::aws::xks_console::{AccountClock, AdvanceAccountClock, DescribeAccountClock, ListProxyRequests};
use xks_console::bundled::BundledAws;
use xks_console::client::Client;
use xks_console::environment::{Clock, Environment};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};
use xks_console::in_process;
use xks_console::tui::target::Target;

use super::account::{account, account_with_bundled, block_on, create_external_key, create_key_request, service_error};
use super::endpoint::ServedAws;
use super::simulation::role_session;
use super::snapshots::play_tape;
use super::xks_proxy::client::{Protocol, RawRequest, ServedProxy};

const DAY: i64 = 24 * 60 * 60;
const PROGRAM: &str = env!("CARGO_BIN_EXE_xks-console");

async fn advance(client: &Client, seconds: i64) -> AccountClock {
    client.call(&AdvanceAccountClock { seconds }).await.unwrap()
}

#[tokio::test]
async fn pending_deletion_ends_after_7_days() {
    let (client, clock) = account();
    let key_id = create_external_key(&client).await;
    client.call(&ScheduleKeyDeletion { key_id: key_id.clone(), pending_window_in_days: Some(7) }).await.unwrap();
    let moved = advance(&client, 7 * DAY - 1).await;
    assert_eq!((moved.time.0.to_string().as_str(), moved.seconds_ahead), ("2026-03-09T10:14:59Z", 7 * DAY - 1));
    let pending = client.call(&DescribeKey::new(key_id.clone())).await.unwrap().key_metadata;
    assert_eq!(pending.key_state, KeyState::PendingDeletion);
    advance(&client, 1).await;
    assert_eq!(service_error(client.call(&DescribeKey::new(key_id)).await).code, "NotFoundException");

    // The machine, and the clients that sign with its time, are still in the past.
    assert_eq!(clock.now().to_string(), "2026-03-02T10:15:00Z");
    let again = create_key_request(&client, "Frankfurt HSM", "payments-2026").await;
    let created = client.call(&again).await.unwrap().key_metadata.creation_date;
    assert_eq!(created.0.to_string(), "2026-03-09T10:15:00Z");
    let events = client.call(&LookupEvents::default()).await.unwrap().events;
    let newest = events.iter().find(|event| event.event_name == "CreateKey").unwrap();
    assert_eq!(newest.event_time.0.to_string(), "2026-03-09T10:15:00Z");
    assert_eq!(client.account_time().to_string(), "2026-03-09T10:15:00Z");
}

#[tokio::test]
async fn sessions_expire() {
    let (client, clock, bundled) = account_with_bundled();
    let session = role_session(&bundled, &clock, "arn:aws:iam::111122223333:role/security/HsmOperator").await;
    session.call(&GetCallerIdentity {}).await.unwrap();
    advance(&client, 7 * DAY).await;
    assert_eq!(service_error(session.call(&GetCallerIdentity {}).await).code, "ExpiredToken");
}

#[tokio::test]
async fn clock_only_moves_forward_and_by_10_years_at_most() {
    let (client, _) = account();
    advance(&client, 3000 * DAY).await;
    for (seconds, reason) in
        [(0, "only moves forward"), (-DAY, "only moves forward"), (654 * DAY, "10 years"), (i64::MAX, "10 years")]
    {
        let error = service_error(client.call(&AdvanceAccountClock { seconds }).await);
        assert_eq!(error.code, "ValidationException");
        assert!(error.message.contains(reason), "{}", error.message);
    }
    assert_eq!(client.call(&DescribeAccountClock {}).await.unwrap().seconds_ahead, 3000 * DAY);
    assert_eq!(advance(&client, 653 * DAY).await.seconds_ahead, 3653 * DAY);
}

#[test]
fn served_aws_verifies_signatures_with_the_time_of_the_machine() {
    let aws = ServedAws::start();
    block_on(advance(&aws.other_client(), 7 * DAY));
    let client = aws.client("default");
    block_on(client.call(&GetCallerIdentity {})).unwrap();
    let ahead = client.account_time().duration_since(Timestamp::now());
    assert!((ahead - SignedDuration::from_secs(7 * DAY)).abs() < SignedDuration::from_mins(1), "{ahead:?}");

    // A client that signs with the time of the account is rejected.
    let account_time = Clock::manual(client.account_time());
    let ahead = in_process::client(&aws.bundled, account_time);
    assert_eq!(service_error(block_on(ahead.call(&GetCallerIdentity {}))).code, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn served_proxy_follows_a_move_by_another_process_and_verifies_with_the_time_of_the_machine() {
    let dir = tempfile::tempdir().unwrap();
    let proxy = ServedProxy::start_in(dir.path(), Protocol::Http).await;
    let other = in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let moved = advance(&other, 7 * DAY).await;
    assert_eq!(proxy.send(&RawRequest::health()).await.status, 200);
    let client = in_process::client(&proxy.aws, Clock::System);
    let requests = client.call(&ListProxyRequests::default()).await.unwrap().requests;
    assert!(requests[0].time >= moved.time.0 && requests[0].microseconds < 60_000_000, "{:?}", requests[0]);
}

#[tokio::test]
async fn other_processes_follow_at_their_next_request_and_new_ones_start_there() {
    let dir = tempfile::tempdir().unwrap();
    let open = || in_process::client(&BundledAws::open(dir.path(), None).unwrap(), Clock::System);
    let (one, other) = (open(), open());
    assert_eq!(other.call(&DescribeAccountClock {}).await.unwrap().seconds_ahead, 0);
    advance(&one, 7 * DAY).await;
    assert_eq!(other.call(&DescribeAccountClock {}).await.unwrap().seconds_ahead, 7 * DAY);
    advance(&other, DAY).await;
    drop((one, other));
    let time = open().call(&DescribeAccountClock {}).await.unwrap();
    assert_eq!(time.seconds_ahead, 8 * DAY);
    let expected = Timestamp::now() + SignedDuration::from_secs(8 * DAY);
    assert!(time.time.0.duration_since(expected).abs() < SignedDuration::from_mins(1), "{time:?}");
}

#[test]
fn console_shows_how_far_the_account_is_ahead() {
    let environment = Environment::replayable("2026-03-02T10:15:00Z".parse().unwrap(), 7);
    let bundled = BundledAws::in_memory("default", environment.clone()).unwrap();
    let client = in_process::client(&bundled, environment.clock.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut console =
        Player::with_client((80, 24), bundled, client.clone(), Target::Bundled, environment.clock, runtime);
    let header = |console: &Player| tape::screen_text(&console.frame()).lines().next().unwrap().to_owned();
    play_tape(&mut console, "clock", "Wait+Screen /Frankfurt HSM/\n");
    assert!(!header(&console).contains('+'), "{}", header(&console));
    block_on(advance(&client, 7 * DAY));
    play_tape(&mut console, "clock", "Type \"r\"\nWait+Screen /Frankfurt HSM/\n");
    assert!(header(&console).contains("bundled AWS +7 d"), "{}", header(&console));
}

/// Runs the command on an account in `dir`.
fn clock(dir: &std::path::Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(PROGRAM);
    command.env("HOME", dir).env_remove("XDG_CONFIG_HOME").arg("clock").args(arguments).arg("--data-dir").arg(dir);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn command_prints_and_moves_the_clock() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, _) = clock(dir.path(), &[]);
    assert!(code == 0 && out.ends_with("Z, the time of this computer\n"), "{out}");
    let (code, out, _) = clock(dir.path(), &["+1w"]);
    assert!(code == 0 && out.ends_with("Z, 7 d ahead of this computer\n"), "{out}");
    let (_, out, _) = clock(dir.path(), &["+1d12h"]);
    assert!(out.ends_with("Z, 8 d 12 h ahead of this computer\n"), "{out}");
    let (code, out, notes) = clock(dir.path(), &["--json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, notes.as_str(), &json["secondsAhead"]), (0, "", &(8 * DAY + DAY / 2).into()));
    assert!(json["time"].as_str().unwrap().parse::<Timestamp>().unwrap() > Timestamp::now());

    for (step, code, parts) in [
        ("-7d", 2, ["invalid value '-7d'", "only moves forward", "Enter a time such as +7d"]),
        ("soon", 2, ["invalid value 'soon'", "it isn't a time", "Enter a time such as +7d"]),
        ("+3654d", 2, ["invalid value '+3654d'", "longer than 10 years", "Enter a shorter time"]),
        ("+3650d", 1, ["Couldn't move the clock", "more than 10 years ahead", "Choose a shorter time"]),
    ] {
        let (found, out, notes) = clock(dir.path(), &[step]);
        assert!(found == code && out.is_empty() && parts.iter().all(|part| notes.contains(part)), "{step}: {notes}");
    }
    assert!(clock(dir.path(), &[]).1.ends_with("8 d 12 h ahead of this computer\n"));
}
