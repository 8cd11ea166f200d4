//! The pages of X-ray: their states, the live update, and the commands that are copied.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use xks_console::aws::cloudtrail::LookupEvents;
use xks_console::client::{ReadOnly, Transport, TransportError};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};

use super::account::{block_on, encrypt};
use super::snapshots::{play_from_start, play_tape};

const OPEN: &str = "Wait+Screen /External key stores \\(4\\)/\nCtrl+K\nType \"X-ray\"\nEnter\n";

/// An AWS that isn't the bundled one.
struct NotBundledTransport(Arc<dyn Transport>);

impl Transport for NotBundledTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        self.0.send(request)
    }

    fn is_bundled(&self) -> bool {
        false
    }
}

/// Opens the request of an encryption that another program sent.
fn open_request() -> Player {
    let mut player = Player::start((80, 24)).unwrap();
    block_on(encrypt(player.client(), "alias/customer-db"));
    play_tape(
        &mut player,
        "xray",
        &format!("{OPEN}Wait+Screen /X-ray \\(1\\)/\nEnter\nWait+Screen /Caller's request/\n"),
    );
    player
}

#[test]
fn page_is_unavailable_outside_the_bundled_aws() {
    let mut player = Player::start((80, 24)).unwrap();
    let client = player.client().map_transport(|inner| Arc::new(NotBundledTransport(inner)));
    player.use_client(&client);
    play_tape(
        &mut player,
        "xray",
        &format!("{OPEN}Wait+Screen /Only in the bundled AWS/\nScreenshot unavailable.png\n"),
    );
    assert_eq!(player.next_deadline(), None, "the page isn't updated");
}

#[test]
fn empty_list_says_how_requests_appear() {
    play_from_start("xray", &format!("{OPEN}Wait+Screen /No requests yet/\nScreenshot empty.png\n"));
}

#[test]
fn request_of_another_program_appears_while_the_page_is_shown() {
    let mut player = play_from_start("xray", &format!("{OPEN}Wait+Screen /No requests yet/\n"));
    block_on(encrypt(player.client(), "alias/customer-db"));
    play_tape(&mut player, "xray", "Sleep 1s\nWait+Screen /X-ray \\(1\\)/\n");
    block_on(encrypt(player.client(), "alias/app-logs"));
    play_tape(&mut player, "xray", "Sleep 1s\nWait+Screen /X-ray \\(2\\)/\n");
    // Repeated updates don't hide the calls to AWS.
    play_tape(&mut player, "xray", "Sleep 9s\n#: key F2\nWait+Screen /API calls/\nSleep 2s\n");
    assert!(!tape::screen_text(&player.frame()).contains("ListFlows"));
    assert_eq!(player.next_deadline(), None, "another page isn't updated");
}

#[test]
fn commands_are_copied_without_the_secret_access_key() {
    let mut player = open_request();
    play_tape(&mut player, "xray", "Type \"m\"\nDown 4\nEnter\n");
    let command = player.copied().last().unwrap().clone();
    assert!(
        command.contains("aws kms encrypt") && command.contains("--encryption-context '{\"project\":\"nile\"}'"),
        "{command}"
    );
    play_tape(&mut player, "xray", "Type \"m\"\nDown 5\nEnter\n");
    let curl = player.copied().last().unwrap().clone();
    assert!(curl.contains("curl --request POST https://xks-proxy.bundled.internal/frankfurt/"), "{curl}");
    assert!(curl.contains(":SECRET_ACCESS_KEY") && !curl.contains("Signature="), "{curl}");
    play_tape(&mut player, "xray", "Type \"y\"\n");
    let record: serde_json::Value = serde_json::from_str(player.copied().last().unwrap()).unwrap();
    assert_eq!((&record["operation"], &record["exchanges"][0]["status"]), (&"Encrypt".into(), &200.into()));
}

#[test]
fn try_without_a_change_succeeds_and_shows_no_plaintext() {
    let mut player = open_request();
    play_tape(
        &mut player,
        "xray",
        "Type \"m\"\nDown 3\nEnter\nWait+Screen /X-ray › Decrypt/\nWait+Screen /✓ Succeeded/\n",
    );
    play_tape(&mut player, "xray", "Type \"v\"\nWait+Screen /flowId/\n");
    assert!(!tape::screen_text(&player.frame()).contains("four corners"));
}

#[test]
fn read_only_console_shows_requests_but_tries_nothing() {
    let mut player = Player::start((80, 24)).unwrap();
    block_on(encrypt(player.client(), "alias/customer-db"));
    let client = player.client().clone().with_read_only(ReadOnly::ALL);
    player.use_client(&client);
    play_tape(
        &mut player,
        "xray",
        &format!(
            "{OPEN}Wait+Screen /X-ray \\(1\\)/\nEnter\nWait+Screen /Caller's request/\nType \"m\"\nWait+Screen /Read-only console/\n"
        ),
    );
    let request = LookupEvents::default();
    let events = block_on(player.client().call(&request)).unwrap().events;
    assert!(events.iter().all(|event| event.event_name != "Decrypt"));
}
