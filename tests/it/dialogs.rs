//! Dialogs that change keys and key stores, played as tapes.

use super::account::{account, block_on};
use super::snapshots::{play_from_start, play_tape};
use xks_console::aws::kms::{ConnectionState, DescribeKey, KeyMetadata, KeyState};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, ConsoleDriver as _};
use xks_console::tui::effect::{Call, Response};
use xks_console::tui::runtime::perform;

const OPEN_KEYS: &str =
    "Wait+Screen /External key stores \\(4\\)/\nTab\nUp 2\nEnter\nWait+Screen /Customer managed keys \\(6\\)/\n";

fn describe_key(player: &Player, alias: &str) -> KeyMetadata {
    let request = DescribeKey::new(format!("alias/{alias}"));
    block_on(player.client().call(&request)).unwrap().key_metadata
}

fn key_store_names(player: &Player) -> Vec<String> {
    let stores = block_on(player.client().collect_key_stores()).unwrap();
    stores.into_iter().map(|store| store.custom_key_store_name).collect()
}

#[test]
fn key_store_is_created_from_a_configuration_file() {
    let open = "Wait+Screen /External key stores \\(4\\)/\nType \"C\"\nWait+Screen /Key store name/\nScreenshot empty.png\n\
                Ctrl+N\nWait+Screen /Key store name is required/\nType \"Oslo HSM\"\nTab\n";
    let mut player = play_from_start("create-store", open);
    let file = player.bundled().proxy_configuration("oslo").unwrap();
    player.paste(&file);
    let secret = serde_json::from_str::<serde_json::Value>(&file).unwrap();
    let secret = &secret["XksProxyAuthenticationCredential"]["RawSecretAccessKey"];
    assert!(!tape::screen_text(&player.frame()).contains(&secret.as_str().unwrap()[..6]));
    let rest = "Screenshot pasted.png\nWait+Screen /Proxy connectivity/\nTab\nWait+Screen /Proxy URI endpoint/\n\
                Type \"https://xks.example.com\"\nCtrl+N\nWait+Screen /XksProxyUriUnreachableException/\n\
                Screenshot unreachable.png\nCtrl+U\nType \"https://xks-proxy.bundled.internal\"\nTab 5\n\
                Screenshot filled.png\nCtrl+N\nWait+Screen /Oslo HSM was created/\nScreenshot created.png\n";
    play_tape(&mut player, "create-store", rest);
    assert!(key_store_names(&player).contains(&"Oslo HSM".to_owned()));
}

#[test]
fn file_dropped_on_the_terminal_is_read() {
    let (client, _) = account();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("oslo's proxy.json"), "{}").unwrap();
    let dir = dir.path().display();
    for dropped in [
        format!("'{dir}/oslo'\\''s proxy.json' "),
        format!("{dir}/oslo\\'s\\ proxy.json "),
        format!("file://{dir}/oslo%27s%20proxy.json"),
    ] {
        let read = block_on(perform(&client, Call::ReadFile(dropped.clone())));
        assert!(matches!(read, Ok(Response::FileRead(text)) if text.expose() == "{}"), "{dropped}");
    }
    let failure = block_on(perform(&client, Call::ReadFile(format!("'{dir}/no such file' ")))).unwrap_err();
    assert!(failure.message.starts_with(&format!("{dir}/no such file: No such file")), "{failure:?}");
}

#[test]
fn vpc_endpoint_service_fields_appear_only_for_that_connectivity() {
    let tape = "Wait+Screen /External key stores \\(4\\)/\nType \"C\"\nWait+Screen /Key store name/\nTab\nTab\nDown\n\
                Wait+Screen /VPC endpoint service name/\nTab\nType \"vpce-svc\"\nTab\nSpace\nTab\nType \"12\"\nTab\n\
                Wait+Screen /12 digits/\nScreenshot vpc.png\nEscape\nWait+Screen /Press Esc again/\nEscape\n\
                Wait+Screen /Dublin HSM/\n";
    play_from_start("create-store", tape);
}

#[test]
fn proxy_address_fields_appear_only_when_selected() {
    let tape = "Wait+Screen /External key stores \\(4\\)/\nType \"C\"\nWait+Screen /Key store name/\nTab 3\n\
                Type \"https://xks.example.com\"\nTab\nSpace\nWait+Screen /Proxy address/\nTab\nType \"localhost\"\nTab\n\
                Wait+Screen /be an IP address and a port/\nScreenshot route.png\nShift+Tab 2\nSpace\nTab\n\
                Wait+Screen /path prefix/\nScreenshot no-route.png\n";
    play_from_start("create-store", tape);
}

#[test]
fn invalid_configuration_file_shows_an_error() {
    let tape = "Wait+Screen /External key stores \\(4\\)/\nType \"C\"\nWait+Screen /Key store name/\nTab\n\
                Type '{\"XksProxyUriPath\": 1}'\nEnter\nWait+Screen /InvalidConfigurationFile/\nCtrl+U\n\
                Type \"/no/such/file.json\"\nEnter\nWait+Screen /FileNotRead/\nScreenshot no-file.png\n";
    play_from_start("create-store", tape);
}

#[test]
fn connected_key_store_can_be_renamed_and_shows_only_editable_fields() {
    let tape = "Wait+Screen /Dublin HSM/\nType \"m\"\nWait+Screen /Key store actions/\nScreenshot menu.png\nEnter\n\
                Wait+Screen /Edit external key store/\nScreenshot form.png\nCtrl+U\nType \"Frankfurt HSM\"\nCtrl+N\n\
                Wait+Screen /has this/\nCtrl+U\nType \"Dublin HSM 2\"\nCtrl+N\nWait+Screen /was updated/\n";
    let player = play_from_start("edit-store", tape);
    assert!(key_store_names(&player).contains(&"Dublin HSM 2".to_owned()));
}

#[test]
fn disconnected_key_store_shows_all_fields_as_editable() {
    let tape = "Wait+Screen /Zurich DR/\nDown 3\nType \"m\"\nWait+Screen /Key store actions/\nEnter\n\
                Wait+Screen /Edit external key store/\nScreenshot form.png\nCtrl+U\nType \"Zurich 2\"\nCtrl+N\n\
                Wait+Screen /was updated/\n";
    assert!(key_store_names(&play_from_start("edit-disconnected", tape)).contains(&"Zurich 2".to_owned()));
}

#[test]
fn key_store_is_deleted_only_after_its_name_is_typed() {
    let tape = "Wait+Screen /Zurich DR/\nDown 3\nType \"m\"\nWait+Screen /Key store actions/\nDown 4\nEnter\n\
                Wait+Screen /Delete external key store/\nShift+Tab\nScreenshot form.png\nType \"Zurich\"\nCtrl+N\n\
                Wait+Screen /to confirm/\nType \" DR\"\nCtrl+N\nWait+Screen /was deleted/\n";
    let player = play_from_start("delete-store", tape);
    assert!(!key_store_names(&player).contains(&"Zurich DR".to_owned()));
}

#[test]
fn key_actions_apply_to_all_selected_keys() {
    let mut player = play_from_start(
        "key-actions",
        &format!(
            "{OPEN_KEYS}Down 3\nSpace\nDown\nSpace\nType \"m\"\nWait+Screen /Key actions/\nScreenshot menu.png\nEnter\n\
             Wait+Screen /Disable KMS keys/\nScreenshot disable.png\nTab\nEnter\nWait+Screen /2 KMS keys are disabled/\n"
        ),
    );
    assert_eq!(describe_key(&player, "customer-db").key_state, KeyState::Disabled);
    play_tape(
        &mut player,
        "key-actions",
        "Escape\nType \"m\"\nWait+Screen /Key actions/\nDown 2\nEnter\nWait+Screen /Schedule key deletion\\?/\nTab\nTab\n\
         Ctrl+U\nType \"6\"\nCtrl+N\nWait+Screen /a number of days from 7/\nCtrl+U\nType \"7\"\nTab\nScreenshot delete.png\n\
         Type \"eu-analytics\"\nCtrl+N\nWait+Screen /scheduled for deletion in 7/\nWait+Screen /Pending deletion/\n\
         Screenshot pending.png\n",
    );
    let pending = describe_key(&player, "eu-analytics");
    assert_eq!(pending.key_state, KeyState::PendingDeletion);
    play_tape(
        &mut player,
        "key-actions",
        "Escape\nType \"m\"\nWait+Screen /Key actions/\nEnter\nWait+Screen /Cancel key deletion/\nScreenshot cancel-deletion.png\nCtrl+N\n\
         Wait+Screen /no longer pending deletion/\nEscape\nType \"m\"\nWait+Screen /Key actions/\nEnter\n\
         Wait+Screen /Enable KMS keys/\nScreenshot enable.png\nCtrl+N\nWait+Screen /is enabled/\n",
    );
    assert_eq!(describe_key(&player, "eu-analytics").key_state, KeyState::Enabled);
}

/// Opens the page of the key `customer-db`.
fn open_key_tape() -> String {
    format!("{OPEN_KEYS}Down 3\nEnter\nWait+Screen /General configuration/\n")
}

#[test]
fn description_tags_and_aliases_can_be_changed_on_the_key_page() {
    let action = |row: usize| format!("Type \"m\"\nWait+Screen /Key actions/\nDown {row}\nEnter\n");
    let tape = open_key_tape()
        + &action(3)
        + "Wait+Screen /Edit description/\nCtrl+A\nType \"New: \"\nScreenshot description.png\nCtrl+N\n\
           Wait+Screen /description of customer-db was saved/\nEscape\n"
        + &action(4)
        + "Wait+Screen /Add or edit tags/\nEnter\nType \"aws:x = 1\"\nWait+Screen /Line 3/\nScreenshot tags.png\n\
           Backspace 9\nType \"team2 = data\"\nCtrl+N\nWait+Screen /tags of customer-db were saved/\nEscape\n"
        + &action(5)
        + "Wait+Screen /Create alias/\nType \"app-logs\"\nCtrl+N\nWait+Screen /already exists/\nScreenshot alias.png\n\
           Ctrl+U\nType \"db-new\"\nCtrl+N\nWait+Screen /alias db-new was created/\nEscape\n"
        + &action(7)
        + "Wait+Screen /Delete alias/\nShift+Tab\nScreenshot delete-alias.png\nTab\nTab\nEnter\n\
           Wait+Screen /alias customer-db was deleted/\n";
    let player = play_from_start("key-page", &tape);
    let key = describe_key(&player, "db-new");
    assert_eq!(key.description, "New: Customer database, encrypted under our own HSM");
    let tags = block_on(player.client().collect_tags(&key.key_id)).unwrap();
    assert!(tags.iter().any(|tag| tag.tag_key == "team2" && tag.tag_value == "data"), "{tags:?}");
}

#[test]
fn alias_can_be_moved_to_a_key_identified_by_another_alias() {
    let tape = open_key_tape()
        + "Type \"m\"\nWait+Screen /Key actions/\nDown 6\nEnter\nWait+Screen /Move alias/\nTab\nType \"nobody\"\nCtrl+N\n\
           Wait+Screen /Enter the key ID, ARN/\nCtrl+U\nType \"app-logs\"\nScreenshot form.png\nCtrl+N\n\
           Wait+Screen /alias customer-db was moved/\n";
    let player = play_from_start("move-alias", &tape);
    assert_eq!(describe_key(&player, "customer-db").key_id, describe_key(&player, "app-logs").key_id);
}

#[test]
fn key_policy_is_validated_while_typing() {
    let tape = open_key_tape()
        + "Type \"m\"\nWait+Screen /Key actions/\nDown 8\nEnter\nWait+Screen /Edit key policy/\nType \"x\"\n\
           Wait+Screen /This isn't valid JSON/\nScreenshot wrong.png\nBackspace\nScreenshot form.png\nCtrl+N\n\
           Wait+Screen /key policy of customer-db was saved/\n";
    play_from_start("edit-policy", &tape);
}

#[test]
fn text_is_encrypted_and_decrypted() {
    let tape = open_key_tape()
        + "Left 2\nWait+Screen /Encrypt text or a file/\nScreenshot tab.png\nType \"e\"\nWait+Screen /Plaintext/\nType \"four corners\"\nTab\nTab\n\
           Type \"project = nile\"\nScreenshot encrypt.png\nCtrl+N\nWait+Screen /CiphertextBlob, /\n\
           Screenshot ciphertext.png\nType \"y\"\nWait+Screen /Sent/\nEscape\n";
    let mut player = play_from_start("cryptography", &tape);
    let blob = player.copied().last().unwrap().clone();
    play_tape(
        &mut player,
        "cryptography",
        "Type \"m\"\nWait+Screen /Key actions/\nDown 11\nEnter\nWait+Screen /Base64, as returned/\n",
    );
    player.paste(&blob);
    play_tape(
        &mut player,
        "cryptography",
        "Ctrl+N\nWait+Screen /Exception/\nScreenshot wrong-context.png\nShift+Tab\nShift+Tab\nType \"project = nile\"\nCtrl+N\n\
         Wait+Screen /Plaintext, 12 bytes, as text/\nWait+Screen /four corners/\nScreenshot plaintext.png\n",
    );
}

#[test]
fn key_store_can_be_created_from_the_wizard_without_losing_the_draft() {
    let tape = format!(
        "{OPEN_KEYS}Type \"n\"\nWait+Screen /Configure key/\nTab\nTab\nEnter\nDown 3\nSpace\nTab\nSpace\nCtrl+N\n\
         Wait+Screen /Choose external key/\nTab\nType \"oslo-vault\"\nTab\nEnter\nWait+Screen /Key store name/\n\
         Type \"Oslo HSM\"\nTab\n"
    );
    let mut player = play_from_start("wizard-store", &tape);
    let file = player.bundled().proxy_configuration("oslo").unwrap();
    player.paste(&file);
    let rest = "Tab\nType \"https://xks-proxy.bundled.internal\"\nCtrl+N\nWait+Screen /Oslo HSM was created/\n\
                Wait+Screen /oslo-vault/\nShift+Tab\nShift+Tab\nDown 2\nEnter\nWait+Screen /not connected/\nEnter\n\
                Wait+Screen@30s /is connected/\nScreenshot chosen.png\nCtrl+N\nWait+Screen /Add alias/\nType \"oslo\"\nCtrl+N\n\
                Ctrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nWait+Screen /8 Review/\nCtrl+N\nWait+Screen /Success/\n";
    play_tape(&mut player, "wizard-store", rest);
    let stores = block_on(player.client().collect_key_stores()).unwrap();
    let oslo = stores.iter().find(|store| store.custom_key_store_name == "Oslo HSM").unwrap();
    assert_eq!(oslo.connection_state, ConnectionState::Connected);
    assert_eq!(describe_key(&player, "oslo").custom_key_store_id.as_ref(), Some(&oslo.custom_key_store_id));
}

#[test]
fn wizard_creates_a_key_with_kms_origin() {
    let tape = format!(
        "{OPEN_KEYS}Type \"n\"\nWait+Screen /Configure key/\nCtrl+N\nWait+Screen /Add alias/\nType \"standard\"\nCtrl+N\nCtrl+N\n\
         Ctrl+N\nCtrl+N\nCtrl+N\nWait+Screen /7 Review/\nCtrl+N\nWait+Screen /Success/\n"
    );
    let player = play_from_start("standard", &tape);
    assert_eq!(describe_key(&player, "standard").custom_key_store_id, None);
}

#[test]
fn navigation_opens_every_list() {
    let tape = "Wait+Screen /External key stores \\(4\\)/\nTab\nScreenshot menu.png\nUp\nEnter\n\
                Wait+Screen /backed by an/\nScreenshot cloudhsm.png\nTab\nUp 2\nEnter\n\
                Wait+Screen /AWS managed keys \\(2\\)/\nScreenshot aws-managed.png\nEnter\nWait+Screen /aws\\/ebs/\n\
                Type \"m\"\nWait+Screen /AWS manages this key/\nScreenshot aws-menu.png\n";
    play_from_start("navigation", tape);
}

#[test]
fn columns_can_be_chosen_sorted_and_searched() {
    let tape = format!(
        "{OPEN_KEYS}Type \"/\"\nType \"orig\"\nRight\nType \"ext\"\nWait+Screen /2 of 6 match/\nScreenshot search.png\nEscape\n\
         Type \"s\"\nType \"s\"\nType \"s\"\nWait+Screen /Origin ▴/\nScreenshot sorted.png\nType \"P\"\n\
         Wait+Screen /Preferences/\nScreenshot preferences.png\nTab\nSpace\nTab\nSpace\nTab\nSpace\nCtrl+N\n\
         Wait+Screen /External key ID/\nScreenshot columns.png\n"
    );
    play_from_start("preferences", &tape);
}

#[test]
fn editing_administrators_and_users_keeps_other_statements() {
    let tape = open_key_tape()
        + "Type \"m\"\nWait+Screen /Key actions/\nScreenshot menu.png\nDown 9\nEnter\nWait+Screen /Key administrators/\n\
           Type \"KeyAdministrato\"\nWait+Screen /The IAM user or role/\nScreenshot wrong.png\nType \"r\"\nTab\nSpace\nTab\n\
           Type \"CardVault\"\nTab\nType \"444455556666\"\nScreenshot form.png\nCtrl+N\n\
           Wait+Screen /key policy of customer-db was saved/\nEscape\nLeft\nWait+Screen /Key administrators can't/\n\
           Screenshot default-view.png\n";
    let player = play_from_start("permissions", &tape);
    let key = describe_key(&player, "customer-db");
    let request = xks_console::aws::kms::GetKeyPolicy { key_id: key.key_id, policy_name: None };
    let policy = block_on(player.client().call(&request)).unwrap().policy;
    for part in ["KeyAdministrator", "role/payments/CardVault", "444455556666:root", "key-default-1"] {
        assert!(policy.contains(part), "{part}: {policy}");
    }
    assert!(!policy.contains("ScheduleKeyDeletion"), "{policy}");
}

#[test]
fn keys_can_be_found_by_tag() {
    let tape = format!(
        "{OPEN_KEYS}Type \"/\"\nType \"tag:team=data\"\nWait+Screen /2 of 6 match/\nScreenshot found.png\nEnter\nEscape\n\
         Wait+Screen /6 KMS keys/\n"
    );
    play_from_start("tag-search", &tape);
}

#[test]
fn response_for_a_closed_form_does_not_close_another_form() {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use xks_console::tui::app::Dialog;
    use xks_console::tui::effect::{ChangeOutcome, Effect, Msg, Response};

    let player = play_from_start("left", &(open_key_tape() + "Type \"m\"\nWait+Screen /Key actions/\nDown 3\nEnter\n"));
    let mut app = player.app().clone();
    let mut press = |code, modifiers| app.update(Msg::Key(KeyEvent::new(code, modifiers)));
    press(KeyCode::Char('x'), KeyModifiers::NONE);
    let sent = press(KeyCode::Char('n'), KeyModifiers::CONTROL);
    let [Effect::Call(id, _)] = sent[..] else { panic!("{sent:?}") };
    press(KeyCode::Esc, KeyModifiers::NONE);
    for code in [KeyCode::Char('m'), KeyCode::Down, KeyCode::Down, KeyCode::Down, KeyCode::Enter] {
        press(code, KeyModifiers::NONE);
    }
    press(KeyCode::Char('y'), KeyModifiers::NONE);
    app.update(Msg::CallCompleted(id, Ok(Response::Changed(ChangeOutcome::Done))));
    assert!(matches!(&app.dialog, Some(Dialog::Task(task)) if task.has_unsaved_changes()), "{:?}", app.dialog);
    assert!(app.flashes.iter().any(|flash| flash.text.contains("change is complete")));
}

#[test]
fn form_without_changes_says_so() {
    let tape = open_key_tape()
        + "Type \"m\"\nWait+Screen /Key actions/\nDown 4\nEnter\nWait+Screen /Add or edit tags/\nCtrl+N\n\
           Wait+Screen /no changes to save/\n";
    play_from_start("nothing", &tape);
}
