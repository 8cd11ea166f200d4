//! Editing keys in each kind of text field of the console.

use super::endpoint::ServedAws;
use super::sign_in::current_mfa_code;
use super::snapshots::{play_from_start, play_tape, screen};
use xks_console::create_key::draft::KeyDraft;
use xks_console::flow::player::Player;
use xks_console::flow::tape::ConsoleDriver as _;
use xks_console::tui::app::App;

const WAIT_FOR_KEY_STORES: &str = "Wait+Screen /External key stores \\(4\\)/\n";
const OPEN_ALIAS_STEP: &str = "Wait+Screen /External key stores \\(4\\)/\nDown\nType \"n\"\nWait+Screen /External key ID/\nType \"payments-2026\"\nTab\nSpace\n\
     Ctrl+N\nWait+Screen /Alias/\n";

fn draft(player: &Player) -> &KeyDraft {
    &player.app().wizard.as_ref().unwrap().draft
}

/// Types two words into the focused field, then deletes, undoes, and redoes. `value` returns the text of the field.
fn exercise_editing_keys(player: &mut Player, name: &str, value: impl Fn(&Player) -> String) {
    let first = value(player);
    let mut step = |keys: &str, expected: &str| {
        play_tape(player, name, keys);
        assert_eq!(value(player), format!("{first}{expected}"), "{name} after {keys:?}");
    };
    step("Type \"one two\"\n", "one two");
    step("Ctrl+W\n", "one ");
    step("Ctrl+_\n", "one two");
    step("Ctrl+_\n", "one");
    step("Ctrl+_\n", "");
    step("Ctrl+R\nAlt+E\n", "one two");
    step("Alt+B\nCtrl+K\n", "one ");
    step("Ctrl+Y\n", "one two");
    step("Alt+U\nAlt+U\n", "one two");
    step("Ctrl+E\nAlt+Backspace\nBackspace\n", "one");
    step("Ctrl+A\nAlt+F\nCtrl+E\n", "one");
    step("Alt+U\nAlt+U\n", "one two");
    step("Ctrl+E\n", "one two");
    if first.is_empty() {
        step("Left\nCtrl+U\n", "o");
        step("Ctrl+_\n", "one two");
        step("Home\nAlt+D\n", " two");
        step("Delete\nCtrl+_\nCtrl+_\n", "one two");
    }
}

#[test]
fn single_line_wizard_fields_support_editing_keys() {
    let mut player = play_from_start("editing", OPEN_ALIAS_STEP);
    exercise_editing_keys(&mut player, "alias", |player| draft(player).alias.clone());
    // Undo validates the field again, as typing does.
    play_tape(
        &mut player,
        "alias",
        "Ctrl+E\nCtrl+U\nType \"aws/x\"\nWait+Screen /✗/\nCtrl+_\nType \"payments\"\nCtrl+N\nWait+Screen /Add tags/\nEnter\n",
    );
    exercise_editing_keys(&mut player, "tag key", |player| draft(player).tags[0].tag_key.clone());
    play_tape(&mut player, "tag value", "Tab\n");
    exercise_editing_keys(&mut player, "tag value", |player| draft(player).tags[0].tag_value.clone());
    // Ctrl-D removes the tag, as the list of keys says, never a single letter.
    play_tape(
        &mut player,
        "tag",
        "Home\nCtrl+D\nWait+Screen /No tags yet/\nCtrl+N\nWait+Screen /administrative permissions/\nTab\n",
    );
    exercise_editing_keys(&mut player, "principal", |player| draft(player).administrator_to_add.clone());
}

#[test]
fn wizard_field_keeps_its_undo_history_when_focus_moves() {
    let mut player = play_from_start("editing", OPEN_ALIAS_STEP);
    play_tape(&mut player, "back", "Type \"one\"\nTab\nShift+Tab\nType \"x\"\nCtrl+_\n");
    assert_eq!(draft(&player).alias, "one");
    play_tape(&mut player, "back", "Ctrl+_\n");
    assert_eq!(draft(&player).alias, "");
}

#[test]
fn description_and_key_policy_support_editing_keys() {
    let mut player = play_from_start("editing", OPEN_ALIAS_STEP);
    play_tape(&mut player, "description", "Type \"payments\"\nTab\n");
    exercise_editing_keys(&mut player, "description", |player| draft(player).description.clone());
    play_tape(&mut player, "description", "Ctrl+E\nEnter\nHome\n");
    exercise_editing_keys(&mut player, "description", |player| draft(player).description.clone());
    assert_eq!(draft(&player).description, "one two\none two");
    play_tape(&mut player, "description", "Ctrl+E\nCtrl+U\n");
    assert_eq!(draft(&player).description, "one two\n");
    play_tape(&mut player, "policy", "Ctrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nWait+Screen /Edit key policy/\nEnter\n");
    let policy = draft(&player).edited_policy.clone().unwrap();
    play_tape(
        &mut player,
        "policy",
        "Wait+Screen /policy is valid/\nType \"x\"\nWait+Screen /✗/\nCtrl+_\nWait+Screen /policy is valid/\n",
    );
    assert_eq!(draft(&player).edited_policy.as_ref(), Some(&policy));
    player.paste("{\n  \"a\": 1\n}");
    play_tape(&mut player, "policy", "Wait+Screen /✗/\nCtrl+_\nWait+Screen /policy is valid/\n");
    play_tape(&mut player, "policy", "Ctrl+End\nEnter\nHome\n");
    exercise_editing_keys(&mut player, "policy", |player| draft(player).edited_policy.clone().unwrap());
}

/// Returns the text of the focused single-line field.
fn focused_field_text(player: &Player) -> String {
    let screen = screen(player.app(), (80, 24));
    let line = screen.lines().find_map(|line| line.split_once('▌')?.1.split_once('▐')).unwrap();
    line.0.trim_end().to_owned()
}

#[test]
fn table_search_is_reapplied_after_undo() {
    let mut player = play_from_start("editing", &format!("{WAIT_FOR_KEY_STORES}Type \"/\"\n"));
    for _ in 0..2 {
        play_tape(&mut player, "search", "Type \"zurich\"\nWait+Screen /1 of 4 match/\n");
        // The same number of letters, but different ones.
        play_tape(
            &mut player,
            "search",
            "Ctrl+W\nType \"dublin\"\nWait+Screen /Dublin HSM/\nCtrl+U\nWait+Screen /4 key stores/\n",
        );
        play_tape(&mut player, "search", "Ctrl+_\nWait+Screen /Dublin HSM/\nCtrl+_\nCtrl+_\nWait+Screen /Zurich DR/\n");
        play_tape(
            &mut player,
            "search",
            "Ctrl+_\nWait+Screen /4 key stores/\nCtrl+R\nWait+Screen /1 of 4 match/\nCtrl+U\n",
        );
    }
}

#[test]
fn forms_and_region_picker_support_editing_keys() {
    let mut player =
        play_from_start("editing", &format!("{WAIT_FOR_KEY_STORES}Type \"C\"\nWait+Screen /Key store name/\n"));
    play_tape(&mut player, "form", "Type \"one two\"\nCtrl+W\nCtrl+_\n");
    assert_eq!(focused_field_text(&player), "one two");
    play_tape(&mut player, "form", "Left\nCtrl+U\n");
    assert_eq!(focused_field_text(&player), "o");
    play_tape(&mut player, "form", "Alt+U\n");
    assert_eq!(focused_field_text(&player), "one two");
    play_tape(&mut player, "form", "Alt+E\n");
    assert_eq!(focused_field_text(&player), "o");
    play_tape(
        &mut player,
        "region",
        "Escape\nEscape\nF3\nType \"fra\"\nWait+Screen /eu-central-1/\nCtrl+U\nWait+Screen /more/\n",
    );
    play_tape(&mut player, "region", "Ctrl+_\nWait+Screen /eu-central-1/\n");
    assert_eq!(focused_field_text(&player), "fra");
    play_tape(&mut player, "region", "Ctrl+_\nWait+Screen /more/\nCtrl+R\nWait+Screen /eu-central-1/\n");
}

#[test]
fn multiline_form_field_supports_editing_keys() {
    let tape = "Wait+Screen /External key stores \\(4\\)/\nTab\nUp 2\nEnter\nWait+Screen /Customer managed keys \\(6\\)/\n\
                Type \"m\"\nWait+Screen /Key actions/\n";
    let mut player = play_from_start("editing", tape);
    for _ in 0..20 {
        if screen(player.app(), (80, 24)).lines().any(|line| line.contains('▸') && line.contains("description")) {
            break;
        }
        play_tape(&mut player, "menu", "Down\n");
    }
    play_tape(&mut player, "menu", "Enter\nWait+Screen /Save changes/\nCtrl+E\nCtrl+U\n");
    assert_eq!(focused_field_text(&player), "");
    play_tape(&mut player, "text", "Type \"one two\"\nCtrl+_\n");
    assert_eq!(focused_field_text(&player), "one");
    play_tape(&mut player, "text", "Ctrl+R\nLeft\nCtrl+U\nWait+Screen /▌o /\nCtrl+_\n");
    assert_eq!(focused_field_text(&player), "one two");
}

fn shows(app: &App, text: &str) -> bool {
    screen(app, (80, 60)).contains(text)
}

#[test]
fn masked_secret_supports_editing_but_not_undo() {
    let mut player =
        play_from_start("editing", &format!("{WAIT_FOR_KEY_STORES}Type \"C\"\nWait+Screen /Key store name/\nTab 7\n"));
    play_tape(&mut player, "secret", "Type \"abc\"\n");
    assert_eq!(focused_field_text(&player), "•••");
    play_tape(&mut player, "secret", "Left\nCtrl+U\n");
    assert_eq!(focused_field_text(&player), "•");
    for key in ["Ctrl+_", "Alt+U", "Ctrl+R", "Alt+E", "Ctrl+Y"] {
        play_tape(&mut player, "secret", &format!("{key}\n"));
        assert_eq!(focused_field_text(&player), "•", "{key}");
    }
    play_tape(&mut player, "secret", "Home\nType \"xy\"\nTab\nSpace\nWait+Screen /xyc/\n");
    assert!(!shows(player.app(), "abc"));
}

#[test]
fn mfa_code_supports_editing_but_not_undo() {
    let aws = ServedAws::start();
    let mut console = aws.console(aws.client("BreakGlass"));
    play_tape(&mut console, "mfa", "Wait+Screen /Multi-factor authentication/\nType \"123\"\nCtrl+_\nCtrl+R\n");
    assert!(shows(console.app(), "123···"));
    play_tape(&mut console, "mfa", "Left\nType \"9\"\n");
    assert!(shows(console.app(), "1293··"));
    play_tape(&mut console, "mfa", "Ctrl+U\nCtrl+_\n");
    assert!(shows(console.app(), "3·····"));
    play_tape(&mut console, "mfa", "Delete\nCtrl+Y\n");
    assert!(shows(console.app(), "······"));
    // The arrow keys move to the other button when there is no text to move over.
    play_tape(&mut console, "mfa", "Left\nWait+Screen /▸\\[ Close/\nRight\nWait+Screen /▸\\[ Continue/\n");
    console.paste(&current_mfa_code(&aws));
    play_tape(&mut console, "mfa", "Enter\nWait+Screen /Frankfurt HSM/\n");
}
