//! An AWS that is newer than this version: unknown values are shown unchanged, rows that can't be read completely say
//! so, and only the actions that need an unknown value are unavailable.

use serde_json::{Value, json};

use super::pages::{OPEN_KEYS, console_with_rewritten_responses};
use super::snapshots::play_tape;
use xks_console::flow::player::Player;

/// Replaces values of the scenario's key stores with values that AWS might introduce.
fn set_unknown_key_store_values(stores: &mut Value) {
    stores[0]["ConnectionState"] = json!("HIBERNATING");
    stores[1]["CustomKeyStoreType"] = json!("ORBITAL_KEY_STORE");
    stores[2]["XksProxyConfiguration"]["Connectivity"] = json!("SATELLITE_LINK");
    let store = stores[3].as_object_mut().unwrap();
    store.remove("CreationDate");
    store.insert("ConnectionState".to_owned(), json!({ "Name": "CONNECTED", "Since": 1_700_000_000 }));
    store.insert("CustomKeyStoreId".to_owned(), json!(["cks-1"]));
}

/// Replaces values of the scenario's keys with values that AWS might introduce.
fn set_unknown_key_values(key: &mut Value) {
    match key["KeyId"].as_str().and_then(|id| id.get(..8)).unwrap_or_default() {
        "c5b38e98" => key["KeyState"] = json!("Hibernating"),
        "92a6da02" => {
            key["KeySpec"] = json!("LATTICE_4096");
            key["KeyUsage"] = json!("SIGN_AT_NIGHT");
        }
        "b9e80dfa" => key["Origin"] = json!("AWS_ORBIT"),
        "ed6b914b" => {
            key["KeyState"] = json!({ "Name": "Enabled" });
            key.as_object_mut().unwrap().remove("CreationDate");
        }
        _ => {}
    }
}

/// Returns a console on an AWS that sends unknown values.
fn console_with_unknown_values() -> Player {
    console_with_rewritten_responses(|operation, body| {
        match operation {
            "DescribeCustomKeyStores" => {
                let stores = body["CustomKeyStores"].as_array_mut().unwrap();
                stores.sort_by_key(|store| store["CustomKeyStoreName"].to_string());
                set_unknown_key_store_values(&mut body["CustomKeyStores"]);
            }
            "ListKeys" => {
                let keys = body["Keys"].as_array_mut().unwrap();
                keys.push(json!({ "KeyId": 7, "KeyArn": { "Region": "us-west-2" } }));
            }
            "DescribeKey" if body["__type"].is_null() => set_unknown_key_values(&mut body["KeyMetadata"]),
            _ => {}
        }
        if body["__type"].is_null() { 200 } else { 400 }
    })
}

#[test]
fn key_stores_with_unknown_values_are_listed_sorted_and_searched() {
    let mut player = console_with_unknown_values();
    play_tape(
        &mut player,
        "newer-stores",
        "Wait+Screen /External key stores \\(4\\)/\nWait+Screen /HIBERNATING/\nScreenshot list.png\nType \"s\"\n\
         Wait+Screen /Connection.* ▴/\nScreenshot sorted.png\nType \"/\"\nType \"hibern\"\nWait+Screen /HIBERNATING/\n\
         Screenshot searched.png\n",
    );
}

#[test]
fn only_actions_that_need_the_unknown_value_of_a_key_store_are_unavailable() {
    for (name, place) in
        [("state", "#: key Home"), ("type", "Down"), ("connectivity", "Down 2"), ("unreadable", "Down 3")]
    {
        let mut player = console_with_unknown_values();
        let tape = format!(
            "Wait+Screen /External key stores \\(4\\)/\n{place}\nEnter\nWait+Screen /General configuration/\n\
             Screenshot page.png\nType \"m\"\nWait+Screen /Key store actions/\nScreenshot menu.png\n"
        );
        play_tape(&mut player, &format!("newer-store-{name}"), &tape);
    }
}

#[test]
fn aws_decides_whether_a_key_store_in_an_unknown_state_connects() {
    let mut player = console_with_unknown_values();
    let list = "Wait+Screen /External key stores \\(4\\)/\n";
    play_tape(
        &mut player,
        "newer-connect",
        &format!("{list}Type \"c\"\nWait+Screen /doesn't recognize/\nScreenshot state.png\n"),
    );
    play_tape(
        &mut player,
        "newer-connect",
        "Enter\nWait+Screen /CustomKeyStoreInvalidStateException|Connecting/\nEscape\n",
    );
    // A request for a key store needs its ID.
    play_tape(
        &mut player,
        "newer-connect",
        &format!("{list}#: key End\nType \"c\"\nWait+Screen /Unreadable key store ID/\n"),
    );
}

#[test]
fn keys_with_unknown_values_are_listed_sorted_and_searched() {
    let mut player = console_with_unknown_values();
    let keys = format!("Wait+Screen /External key stores \\(4\\)/\n{OPEN_KEYS}Wait+Screen /managed keys \\(7\\)/\n");
    play_tape(&mut player, "newer-keys", &format!("{keys}Screenshot list.png\n#: key End\nScreenshot end.png\n"));
    play_tape(
        &mut player,
        "newer-keys",
        "#: key Home\nType \"/\"\nType \"hibern\"\nEnter\nWait+Screen /Hibernating/\nScreenshot searched.png\nType \"m\"\n\
         Wait+Screen /Key actions/\nScreenshot menu.png\nEscape\nEnter\nWait+Screen /General configuration/\n\
         Left 2\nWait+Screen /doesn't recognize/\nScreenshot use.png\n",
    );
}

#[test]
fn unreadable_key_says_so_and_offers_no_actions() {
    let mut player = console_with_unknown_values();
    let keys = format!("Wait+Screen /External key stores \\(4\\)/\n{OPEN_KEYS}Wait+Screen /managed keys \\(7\\)/\n");
    play_tape(
        &mut player,
        "newer-key",
        &format!(
            "{keys}Type \"/\"\nType \"unreadable\"\nEnter\nWait+Screen /2 of 7/\nScreenshot list.png\n#: key Home\nType \"m\"\n\
             Wait+Screen /Key actions/\nScreenshot menu.png\nEscape\nEnter\nWait+Screen /General configuration/\n\
             Screenshot page.png\nLeft\nWait+Screen /of xks-console can't read/\n"
        ),
    );
}
