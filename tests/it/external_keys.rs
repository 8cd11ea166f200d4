//! The *External key manager* page: its clipboard, and the callers of external keys.

use xks_console::flow::tape::{self, ConsoleDriver as _};

use super::snapshots::{play_from_start, play_tape};

const OPEN: &str =
    "Wait+Screen /External key stores \\(4\\)/\nTab\nDown\nEnter\nWait+Screen /external keys \\(16\\)/\n";

#[test]
fn configuration_file_of_a_partition_is_copied_without_showing_its_secret() {
    let create = "Type \"m\"\n#: key End\nUp 2\nEnter\nWait+Screen /Create partition/\nType \"team/red\"\nCtrl+N\n\
                  Wait+Screen /configuration file was created/\n";
    let mut player = play_from_start("external-keys", &format!("{OPEN}{create}"));
    let shown = tape::screen_text(&player.frame());
    play_tape(&mut player, "external-keys", "Type \"y\"\nWait+Screen /Sent/\nEscape\nWait+Screen /red was created/\n");
    let file: serde_json::Value = serde_json::from_str(player.copied().last().unwrap()).unwrap();
    assert_eq!(file["XksProxyUriPath"], "/team/red/kms/xks/v1");
    let secret = file["XksProxyAuthenticationCredential"]["RawSecretAccessKey"].as_str().unwrap();
    assert!(!shown.contains(&secret[..6]), "{shown}");
}

#[test]
fn list_shows_the_allowed_callers_of_each_external_key() {
    let mut player = play_from_start("external-keys", OPEN);
    let alice = vec!["arn:aws:iam::111122223333:user/Alice".to_owned()];
    player.bundled().unwrap().key_manager().set_callers("frankfurt", "backup-encrypt-only", &alice).unwrap();
    play_tape(&mut player, "external-keys", "Type \"r\"\nRight 4\nWait+Screen /Callers/\nWait+Screen /arn:aws:iam/\n");
    assert!(tape::screen_text(&player.frame()).contains("Everyone"));
}
