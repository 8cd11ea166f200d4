//! Editing keys in each kind of text field of the console.

use super::endpoint::ServedAws;
use super::sign_in::current_mfa_code;
use super::snapshots::{play_from_start, play_tape, screen};
use xks_console::create_key::draft::KeyDraft;
use xks_console::flow::player::Player;
use xks_console::flow::tape::ConsoleDriver as _;
use xks_console::tui::app::App;

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
    step("#: key Ctrl+_\n", "one two");
    step("#: key Ctrl+_\n", "one");
    step("#: key Ctrl+_\n", "");
    step("Ctrl+R\nAlt+E\n", "one two");
    step("Alt+B\nAlt+K\n", "one ");
    step("Ctrl+Y\n", "one two");
    step("Alt+U\nAlt+U\n", "one two");
    step("Ctrl+E\n#: key Alt+Backspace\nBackspace\n", "one");
    step("Ctrl+A\nAlt+F\nCtrl+E\n", "one");
    step("Alt+U\nAlt+U\n", "one two");
    step("Ctrl+E\n", "one two");
    if first.is_empty() {
        step("Left\nCtrl+U\n", "o");
        step("#: key Ctrl+_\n", "one two");
        step("#: key Home\nAlt+D\n", " two");
        step("Delete\n#: key Ctrl+_\n#: key Ctrl+_\n", "one two");
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
        "Ctrl+E\nCtrl+U\nType \"aws/x\"\nWait+Screen /✗/\n#: key Ctrl+_\nType \"payments\"\nCtrl+N\nWait+Screen /Add tags/\nEnter\n",
    );
    exercise_editing_keys(&mut player, "tag key", |player| draft(player).tags[0].tag_key.clone());
    play_tape(&mut player, "tag value", "Tab\n");
    exercise_editing_keys(&mut player, "tag value", |player| draft(player).tags[0].tag_value.clone());
    // Ctrl-D removes the tag, as the list of keys says, never a single letter.
    play_tape(
        &mut player,
        "tag",
        "#: key Home\nCtrl+D\nWait+Screen /No tags yet/\nCtrl+N\nWait+Screen /administrative permissions/\nTab\n",
    );
    exercise_editing_keys(&mut player, "principal", |player| draft(player).administrator_to_add.clone());
}

#[test]
fn wizard_field_keeps_its_undo_history_when_focus_moves() {
    let mut player = play_from_start("editing", OPEN_ALIAS_STEP);
    play_tape(&mut player, "back", "Type \"one\"\nTab\nShift+Tab\nType \"x\"\n#: key Ctrl+_\n");
    assert_eq!(draft(&player).alias, "one");
    play_tape(&mut player, "back", "#: key Ctrl+_\n");
    assert_eq!(draft(&player).alias, "");
}

#[test]
fn description_and_key_policy_support_editing_keys() {
    let mut player = play_from_start("editing", OPEN_ALIAS_STEP);
    play_tape(&mut player, "description", "Type \"payments\"\nTab\n");
    exercise_editing_keys(&mut player, "description", |player| draft(player).description.clone());
    play_tape(&mut player, "description", "Ctrl+E\nEnter\n#: key Home\n");
    exercise_editing_keys(&mut player, "description", |player| draft(player).description.clone());
    assert_eq!(draft(&player).description, "one two\none two");
    play_tape(&mut player, "description", "Ctrl+E\nCtrl+U\n");
    assert_eq!(draft(&player).description, "one two\n");
    play_tape(&mut player, "policy", "Ctrl+N\nCtrl+N\nCtrl+N\nCtrl+N\nWait+Screen /Edit key policy/\nEnter\n");
    let policy = draft(&player).edited_policy.clone().unwrap();
    play_tape(
        &mut player,
        "policy",
        "Wait+Screen /policy is valid/\nType \"x\"\nWait+Screen /✗/\n#: key Ctrl+_\nWait+Screen /policy is valid/\n",
    );
    assert_eq!(draft(&player).edited_policy.as_ref(), Some(&policy));
    player.paste("{\n  \"a\": 1\n}");
    play_tape(&mut player, "policy", "Wait+Screen /✗/\n#: key Ctrl+_\nWait+Screen /policy is valid/\n");
    play_tape(&mut player, "policy", "#: key Ctrl+End\nEnter\n#: key Home\n");
    exercise_editing_keys(&mut player, "policy", |player| draft(player).edited_policy.clone().unwrap());
}

fn shows(app: &App, text: &str) -> bool {
    screen(app, (80, 60)).contains(text)
}

#[test]
fn mfa_code_supports_editing_but_not_undo() {
    let aws = ServedAws::start();
    let mut console = aws.console(aws.client("BreakGlass"));
    play_tape(&mut console, "mfa", "Wait+Screen /Multi-factor authentication/\nType \"123\"\n#: key Ctrl+_\nCtrl+R\n");
    assert!(shows(console.app(), "123···"));
    play_tape(&mut console, "mfa", "Left\nType \"9\"\n");
    assert!(shows(console.app(), "1293··"));
    play_tape(&mut console, "mfa", "Ctrl+U\n#: key Ctrl+_\n");
    assert!(shows(console.app(), "3·····"));
    play_tape(&mut console, "mfa", "Delete\nCtrl+Y\n");
    assert!(shows(console.app(), "······"));
    // The arrow keys move to the other button when there is no text to move over.
    play_tape(&mut console, "mfa", "Left\nWait+Screen /▸\\[ Close/\nRight\nWait+Screen /▸\\[ Continue/\n");
    console.paste(&current_mfa_code(&aws));
    play_tape(&mut console, "mfa", "Enter\nWait+Screen /Frankfurt HSM/\n");
}
