//! The *Event history* page, which shows CloudTrail events.

use super::account::block_on;
use super::snapshots::{play_from_start, play_tape};
use xks_console::aws::kms::Encrypt;
use xks_console::aws::scalar::SecretBlob;

const OPEN: &str = "Tab\nDown 3\nEnter\nWait+Screen /Event history \\(/\n";

#[test]
fn event_page_shows_the_requests_to_the_proxy() {
    let mut player = play_from_start("events", "Wait+Screen /External key stores \\(4\\)/\n");
    let encrypt = Encrypt {
        key_id: "alias/customer-db".to_owned(),
        plaintext: SecretBlob::new(b"card 4111".to_vec()),
        ..Encrypt::default()
    };
    block_on(player.client().call(&encrypt)).unwrap();
    let tape = format!(
        "{OPEN}Type \"/event-name:encrypt\"\nEnter\nScreenshot list.png\nEnter\nWait+Screen /Encrypt 200/\n\
         Screenshot event.png\nType \"y\"\nWait+Screen /Sent/\nEscape\nEscape\nWait+Screen /Event history \\(/\n"
    );
    play_tape(&mut player, "events", &tape);
    let record: serde_json::Value = serde_json::from_str(player.copied().last().unwrap()).unwrap();
    assert_eq!((&record["eventName"], &record["eventVersion"]), (&"Encrypt".into(), &"1.08".into()));
}
