//! What the console copies: IDs, ARNs, commands, Terraform, and the addresses of pages in the AWS web console.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, Tape};
use xks_console::tui::effect::{CopyResult, Effect, Msg};
use xks_console::tui::target::Target;

use super::account::block_on;
use super::snapshots::screen;

const OPEN_LIST: &str = "Wait+Screen /External key stores \\(4\\)/\nTab\nUp 2\nEnter\n\
    Wait+Screen /Customer managed keys \\(6\\)/\n";

fn play(player: &mut Player, text: &str) {
    tape::play(&Tape::parse("copying", text).unwrap(), player, &mut |_, _| Ok(())).unwrap();
}

fn last_copied(player: &Player) -> String {
    player.copied().last().unwrap().clone()
}

#[test]
fn y_copies_the_id_and_capital_y_the_arn() {
    let mut player = Player::start((80, 24)).unwrap();
    let stores = block_on(player.client().collect_key_stores()).unwrap();
    let is_store = |id: &str| stores.iter().any(|store| store.custom_key_store_id == id);
    play(&mut player, "Wait+Screen /External key stores \\(4\\)/\nType \"y\"\nWait+Screen /The custom key store ID/\n");
    assert!(is_store(&last_copied(&player)));
    play(
        &mut player,
        "Enter\nWait+Screen /General configuration/\nType \"y\"\nWait+Screen /The custom key store ID/\n",
    );
    assert!(is_store(&last_copied(&player)));
    play(&mut player, "Escape\nEscape\nWait+Screen /External key stores \\(4\\)/\n");
    play(&mut player, &OPEN_LIST.replace("Wait+Screen /External key stores \\(4\\)/\n", ""));
    play(&mut player, "Down 3\nType \"y\"\nWait+Screen /The key ID/\n");
    let key_id = last_copied(&player);
    play(&mut player, "Type \"Y\"\nWait+Screen /The key ARN/\n");
    let arn = last_copied(&player);
    assert!(arn.starts_with("arn:aws:kms:us-west-2:") && arn.ends_with(&format!(":key/{key_id}")), "{arn}");
    play(&mut player, "Enter\nWait+Screen /General configuration/\nType \"Y\"\nWait+Screen /The key ARN/\n");
    assert_eq!(last_copied(&player), arn);
    play(&mut player, "Type \"y\"\nWait+Screen /The key ID/\n");
    assert_eq!(last_copied(&player), key_id);
}

#[test]
fn key_actions_copy_the_command_and_terraform() {
    let mut player = Player::start((80, 24)).unwrap();
    play(&mut player, &format!("{OPEN_LIST}Down 3\nEnter\nWait+Screen /General configuration/\n"));
    play(&mut player, "Type \"m\"\nWait+Screen /Key actions/\n#: key End\nUp\nEnter\nWait+Screen /The command/\n");
    let command = last_copied(&player);
    assert!(command.starts_with("aws kms describe-key \\\n") && command.contains("--key-id "), "{command}");
    play(&mut player, "Type \"m\"\nWait+Screen /Key actions/\n#: key End\nEnter\nWait+Screen /The Terraform code/\n");
    let terraform = last_copied(&player);
    assert!(terraform.contains("resource \"aws_kms_key\" \"customer_db\"") && terraform.contains("import {"));
    assert!(terraform.contains("team"), "the tags of the page are known: {terraform}");
}

#[test]
fn only_aws_has_web_addresses() {
    let mut player = Player::start((80, 24)).unwrap();
    play(&mut player, &format!("{OPEN_LIST}Type \"o\"\nType \"?\"\nWait+Screen /Keyboard shortcuts/\n"));
    assert!(player.copied().is_empty() && !screen(player.app(), (120, 60)).contains("AWS web console"));
    play(&mut player, "Escape\nWait+Screen /Customer managed keys/\n");
    let mut app = player.app().clone();
    app.target = Target::Aws;
    let address = "https://us-west-2.console.aws.amazon.com/kms/home?region=us-west-2#/kms/keys";
    let effects = app.update(Msg::Key(KeyEvent::new(KeyCode::Char('o'), KeyModifiers::NONE)));
    assert_eq!(effects, [Effect::Copy(address.to_owned())]);
    app.update(Msg::Copied(CopyResult::Clipboard));
    assert!(screen(&app, (120, 40)).contains(address));
    app.update(Msg::Key(KeyEvent::new(KeyCode::Char('?'), KeyModifiers::NONE)));
    assert!(screen(&app, (120, 60)).contains("AWS web console"));
}
