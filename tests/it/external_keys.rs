//! The *External key manager* page, played as tapes.

use xks_console::aws::xks_console::{ExternalKey, ListExternalKeys, Partition};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};

use super::account::block_on;
use super::snapshots::{play_from_start, play_tape};

const OPEN: &str =
    "Wait+Screen /External key stores \\(4\\)/\nTab\nDown\nEnter\nWait+Screen /external keys \\(16\\)/\n";

fn partitions(player: &Player) -> Vec<Partition> {
    block_on(player.client().call(&ListExternalKeys {})).unwrap().partitions
}

fn find_key(player: &Player, id: &str) -> Option<ExternalKey> {
    partitions(player).into_iter().flat_map(|partition| partition.keys).find(|key| key.id == id)
}

#[test]
fn list_shows_the_kms_key_of_each_external_key() {
    play_from_start("external-keys", &format!("{OPEN}Screenshot list.png\nType \"m\"\nScreenshot menu.png\n"));
}

#[test]
fn external_key_can_be_created_disabled_rotated_and_deleted() {
    let create = "Type \"m\"\nEnter\nWait+Screen /Allow encryption/\nCtrl+N\nWait+Screen /External key ID is required/\n\
                  Screenshot create.png\nType \"payments 2027\"\nTab\nWait+Screen /hyphen/\nShift+Tab\nCtrl+U\n\
                  Type \"payments-2027\"\nCtrl+N\nWait+Screen /payments-2027 was created/\n\
                  Type \"/payments-2027\"\nEnter\n";
    let mut player = play_from_start("external-keys", &format!("{OPEN}{create}"));
    let created = find_key(&player, "payments-2027").unwrap();
    assert_eq!(
        (created.enabled, created.version, &created.usage[..]),
        (true, 1, &["ENCRYPT".into(), "DECRYPT".into()][..])
    );

    let disable = "Type \"m\"\nDown 2\nEnter\nWait+Screen /Disable external key/\nScreenshot disable.png\nTab\nEnter\n\
                   Wait+Screen /payments-2027 is disabled/\n";
    play_tape(&mut player, "external-keys", disable);
    assert!(!find_key(&player, "payments-2027").unwrap().enabled);

    let rotate = "Type \"m\"\nDown 3\nEnter\nWait+Screen /Older versions still decrypt/\nCtrl+N\n\
                  Wait+Screen /was rotated/\n";
    play_tape(&mut player, "external-keys", rotate);
    assert_eq!(find_key(&player, "payments-2027").unwrap().version, 2);

    let delete = "Type \"m\"\nEnd\nUp 3\nEnter\nWait+Screen /Delete external key/\nShift+Tab\nType \"payments-2027\"\n\
                  Screenshot delete.png\nCtrl+N\nWait+Screen /payments-2027 was deleted/\n";
    play_tape(&mut player, "external-keys", delete);
    assert_eq!(find_key(&player, "payments-2027"), None);
}

#[test]
fn partitions_and_credentials_can_be_created_and_revoked() {
    let create = "Type \"m\"\nEnd\nUp 2\nEnter\nWait+Screen /Create partition/\nType \"/team\"\nCtrl+N\n\
                  Wait+Screen /no slash/\nCtrl+U\nType \"team/red\"\nCtrl+N\n\
                  Wait+Screen /configuration file was created/\n";
    let mut player = play_from_start("external-keys", &format!("{OPEN}{create}"));
    let shown = tape::screen_text(&player.frame());
    play_tape(&mut player, "external-keys", "Type \"y\"\nWait+Screen /Sent/\nEscape\nWait+Screen /red was created/\n");
    let file: serde_json::Value = serde_json::from_str(player.copied().last().unwrap()).unwrap();
    assert_eq!(file["XksProxyUriPath"], "/team/red/kms/xks/v1");
    let secret = file["XksProxyAuthenticationCredential"]["RawSecretAccessKey"].as_str().unwrap();
    assert!(!shown.contains(&secret[..6]), "{shown}");

    let oslo = |player: &Player| partitions(player).into_iter().find(|one| one.name == "oslo").unwrap();
    let before = oslo(&player).access_key_ids;
    let rotate = "Type \"/oslo-vault\"\nEnter\nType \"m\"\nEnd\nWait+Screen /only credential/\nUp\nEnter\n\
                  Wait+Screen /and the old ones/\nCtrl+N\nWait+Screen /configuration file was created/\nEscape\n\
                  Wait+Screen /A new proxy credential/\n";
    play_tape(&mut player, "external-keys", rotate);
    assert_eq!(oslo(&player).access_key_ids.len(), before.len() + 1);
    let revoke =
        "Type \"m\"\nEnd\nEnter\nWait+Screen /Revoke proxy credential/\nTab\nCtrl+N\nWait+Screen /was revoked/\n";
    play_tape(&mut player, "external-keys", revoke);
    assert_eq!(oslo(&player).access_key_ids.len(), before.len());
}

#[test]
fn list_shows_the_allowed_callers_of_each_external_key() {
    let mut player = play_from_start("external-keys", OPEN);
    let alice = vec!["arn:aws:iam::111122223333:user/Alice".to_owned()];
    player.bundled().key_manager().set_callers("frankfurt", "backup-encrypt-only", &alice).unwrap();
    play_tape(&mut player, "external-keys", "Type \"r\"\nRight 4\nWait+Screen /Callers/\nWait+Screen /arn:aws:iam/\n");
    assert!(tape::screen_text(&player.frame()).contains("Everyone"));
}
