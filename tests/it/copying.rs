//! What the console copies: IDs, ARNs, commands, Terraform, tables, and the addresses of pages in the AWS web console.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::{Value, json};
use xks_console::flow::player::Player;
use xks_console::flow::tape::{self, Tape};
use xks_console::tui::effect::{CopyResult, Effect, Msg};
use xks_console::tui::preferences::Preferences;
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
    assert!(command.starts_with("KEY_ID=$(aws kms create-key \\\n"), "{command}");
    for part in ["--xks-key-id customer-db", "\"TagKey\":\"team\"", "--alias-name alias/customer-db"] {
        assert!(command.contains(part), "{part}: {command}");
    }
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

/// Copies the table of the page in the format at this place of the menu.
fn copy_table(player: &mut Player, place: usize, message: &str) -> String {
    let down = if place > 0 { format!("Down {place}\n") } else { String::new() };
    let menu = "Type \"T\"\nWait+Screen /Copy as Markdown/\n";
    play(player, &format!("{menu}{down}Enter\nWait+Screen /{message}/\n"));
    last_copied(player)
}

#[test]
fn table_is_copied_as_csv_json_and_markdown() {
    let mut player = Player::start((80, 24)).unwrap();
    play(&mut player, &format!("{OPEN_LIST}Type \"S\"\n"));
    let csv = copy_table(&mut player, 0, "The CSV table \\(6 rows\\)");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let shown: Vec<&str> = Preferences::default().key_columns.iter().map(|column| column.title()).collect();
    assert_eq!(reader.headers().unwrap(), shown);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let aliases: Vec<&str> = rows.iter().map(|row| &row[0]).collect();
    let expected = ["s3-default-bucket, s3-media", "eu-analytics", "customer-db", "ci-artifacts", "app-logs", ""];
    assert_eq!(aliases, expected, "the order of the page, and every alias");
    assert!(rows.iter().all(|row| row[1].len() == 36), "{csv}");

    play(&mut player, "Type \"/\"\nType \"custdb\"\nWait+Screen /1 of 6 match/\nEnter\n");
    let json: Value = serde_json::from_str(&copy_table(&mut player, 1, "The JSON table \\(1 row\\)")).unwrap();
    let key = &json.as_array().unwrap()[0];
    assert_eq!(key["aliases"], json!(["alias/customer-db"]));
    assert_eq!(key["customKeyStoreName"], "Frankfurt HSM");
    let markdown = copy_table(&mut player, 2, "The Markdown table \\(1 row\\)");
    assert_eq!(markdown.lines().count(), 3, "{markdown}");
    assert!(markdown.lines().nth(2).unwrap().starts_with("| customer-db | "), "{markdown}");
    assert!(markdown.contains(key["keyId"].as_str().unwrap()), "{markdown}");
}

#[test]
fn lists_without_a_command_of_their_own_have_json_with_their_titles() {
    let mut player = Player::start((80, 24)).unwrap();
    play(&mut player, "Wait+Screen /External key stores \\(4\\)/\n");
    let stores: Value = serde_json::from_str(&copy_table(&mut player, 1, "The JSON table \\(4 rows\\)")).unwrap();
    assert_eq!(stores[1]["customKeyStoreName"], "Frankfurt HSM");
    assert_eq!(stores[1]["xksProxyConfiguration"]["uriPath"], "/frankfurt/kms/xks/v1");
    play(&mut player, "#: key F2\nWait+Screen /API calls \\(/\n");
    let calls = copy_table(&mut player, 1, "The JSON table");
    let calls: Vec<Value> = serde_json::from_str(&calls).unwrap();
    let shown = ["time", "operation", "result", "duration", "attempts", "requestId"];
    assert!(calls.iter().all(|call| shown.iter().all(|name| call[name].is_string())), "{calls:?}");
    let is_list =
        |call: &&Value| call["operation"].as_str().is_some_and(|name| name.ends_with(" DescribeCustomKeyStores"));
    let call = calls.iter().find(is_list).unwrap_or_else(|| panic!("{calls:?}"));
    assert_eq!((&call["result"], &call["attempts"]), (&json!("✓ 200"), &json!("1")));
}

#[test]
fn commands_offer_to_copy_a_table_only_where_rows_are_shown() {
    let mut player = Player::start((80, 24)).unwrap();
    play(&mut player, "Wait+Screen /External key stores \\(4\\)/\nCtrl+K\nType \"copy table\"\nEnter\n");
    play(&mut player, "Wait+Screen /Copy as CSV/\nEscape\nType \"/\"\nType \"zzzz\"\nEnter\n");
    play(&mut player, "Wait+Screen /0 of 4 match/\nType \"T\"\n");
    let text = screen(player.app(), (80, 24));
    assert!(!text.contains("Copy as CSV"), "{text}");
}
