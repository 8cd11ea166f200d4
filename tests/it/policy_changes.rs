//! What the user changed in a key policy, and the code of pages on the whole screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use xks_console::flow::player::Player;
use xks_console::tui::app::App;
use xks_console::tui::effect::Msg;
use xks_console::tui::keymap::{Action, Keymap};

use super::snapshots::{assert_screens_match, play_from_start, play_tape, screen};

/// Opens *Edit key policy* with a key administrator and a key user, and edits the generated policy.
const EDIT_POLICY: &str = "Wait+Screen /External key stores \\(4\\)/\nDown\nType \"n\"\nWait+Screen /External key ID/\n\
    Type \"payments-2026\"\nTab\nSpace\nCtrl+N\nWait+Screen /Alias/\nType \"payments\"\nCtrl+N\nCtrl+N\n\
    Wait+Screen /alice.moreau/\nDown\nSpace\nCtrl+N\nDown\nSpace\nCtrl+N\nWait+Screen /Edit key policy/\nEnter\n\
    #: key Ctrl+Home\nDown\n#: key End\nLeft 2\nType \"-payments\"\nDown 20\n#: key Home\n#: key Alt+K\n";

fn press(app: &mut App, code: KeyCode) {
    app.update(Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)));
}

fn type_text(app: &mut App, text: &str) {
    text.chars().for_each(|letter| press(app, KeyCode::Char(letter)));
}

fn after(player: &mut Player, keys: &str) -> App {
    play_tape(player, "policy-changes", keys);
    player.app().clone()
}

#[test]
fn changes_of_the_edited_policy_are_shown_in_its_step_and_on_review() {
    let mut player = play_from_start("policy-changes", EDIT_POLICY);
    let mut cases = vec![(
        "changes on the step",
        after(&mut player, "Tab 2\nEnter\n#: expect screen /… [0-9]+ unchanged lines/\n"),
    )];
    after(
        &mut player,
        "Shift+Tab\nShift+Tab\n#: expect screen /Show changes/\n#: expect no screen /unchanged lines/\n",
    );
    after(&mut player, "Ctrl+N\nWait+Screen /Alias and description/\n#: key Right\n");
    cases.push(("policy on Review", after(&mut player, "#: expect screen /edited by you/\n")));
    let summary = "1 line added, 2 removed compared with the generated policy.";
    assert!(screen(player.app(), (120, 40)).contains(summary), "{}", screen(player.app(), (120, 40)));
    cases.push(("changes on Review", after(&mut player, "Tab\nEnter\n#: expect screen /Show policy/\n")));
    let shown = screen(player.app(), (120, 40));
    for line in
        ["-   \"Id\": \"key-consolepolicy-3\",", "+   \"Id\": \"key-consolepolicy-3-payments\",", "\"kms:Describe*\","]
    {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    cases.push(("changes on the whole screen", after(&mut player, "Type \"v\"\n#: expect screen /s Save/\n")));
    assert_screens_match("policy-changes", &cases);
    after(&mut player, "Escape\nEnter\n#: expect screen /Show changes/\nType \"v\"\n");
    assert!(
        player.app().text_view.as_ref().unwrap().text().starts_with("{\n  \"Id\": \"key-consolepolicy-3-payments\"")
    );
}

#[test]
fn generated_policy_has_no_changes_to_show() {
    let open = EDIT_POLICY.split("Enter\n#: key Ctrl+Home").next().unwrap();
    let mut player = play_from_start("policy-changes", open);
    after(
        &mut player,
        "Ctrl+N\nWait+Screen /Alias and description/\n#: key Right\n#: expect screen /Key policy .JSON/\n",
    );
    let shown = screen(player.app(), (120, 40));
    assert!(!shown.contains("Show changes") && !shown.contains("compared with"), "{shown}");
}

#[test]
fn form_of_a_key_shows_the_changes_before_they_are_saved() {
    let open = "Wait+Screen /External key stores \\(4\\)/\nTab\nUp 2\nEnter\n\
                Wait+Screen /Customer managed keys \\(6\\)/\nDown 3\nEnter\nWait+Screen /General configuration/\n\
                Wait+Screen /customer-db/\nType \"m\"\nWait+Screen /Key actions/\nDown 8\nEnter\n\
                Wait+Screen /Edit key policy/\n";
    let mut player = play_from_start("policy-changes", open);
    assert!(!screen(player.app(), (80, 24)).contains("F5"));
    after(&mut player, "#: key Ctrl+Home\nDown\n#: key End\nLeft 2\nType \"-2\"\n#: expect screen /F5 Changes/\n");
    let viewed = after(&mut player, "#: key F5\n#: expect screen /unchanged lines/\n");
    assert_screens_match("policy-changes-form", &[("changes", viewed)]);
    after(&mut player, "Escape\n#: expect screen /F5 Changes/\n");
}

#[test]
fn code_of_each_page_opens_on_the_whole_screen_and_can_be_searched() {
    let key = "Tab\nUp 2\nEnter\nWait+Screen /Customer managed keys \\(6\\)/\nDown 3\nEnter\n\
               Wait+Screen /General configuration/\n#: key Left\nWait+Screen /Key policy .JSON/\n";
    let event = "Tab\nDown 3\nEnter\nWait+Screen /Event history .[0-9]/\nEnter\nWait+Screen /Request ID/\n";
    let call = "#: key F2\nWait+Screen /API calls/\nEnter\nWait+Screen /HTTP status/\n";
    let preview =
        "Down\nType \"n\"\nWait+Screen /External key ID/\n#: key F5\nWait+Screen /Preview of the new KMS key/\n";
    for (keys, start, typed) in [
        (key, "{\n", "statement"),
        (event, "{\n", "eventname"),
        (call, "{\n", "operation"),
        (preview, "AWS CLI commands\n", "kms:*"),
    ] {
        let open = format!("Wait+Screen /External key stores \\(4\\)/\n{keys}Type \"v\"\n#: expect screen /s Save/\n");
        let mut player = play_from_start("view-code", &open);
        assert!(player.app().text_view.as_ref().unwrap().text().starts_with(start), "{keys}");
        let mut app = after(&mut player, "");
        type_text(&mut app, &format!("/{typed}"));
        assert!(screen(&app, (80, 24)).contains("Match 1 of "), "{keys}\n{}", screen(&app, (80, 24)));
        press(&mut app, KeyCode::Enter);
        press(&mut app, KeyCode::Esc);
        press(&mut app, KeyCode::Esc);
        assert!(app.text_view.is_none(), "{keys}");
    }
}

#[test]
fn keys_of_the_text_can_be_assigned_and_do_not_disturb_the_search_line() {
    let call = "Wait+Screen /External key stores \\(4\\)/\n#: key F2\nWait+Screen /API calls/\nEnter\nWait+Screen /HTTP status/\n";
    let mut app = play_from_start("view-code", call).app().clone();
    let key = |key: &str| vec![key.parse().unwrap()];
    app.keymap =
        Keymap::new([(Action::ViewText, key("x")), (Action::Search, key("f")), (Action::NextMatch, key("j"))].into());
    press(&mut app, KeyCode::Char('v'));
    assert!(app.text_view.is_none());
    type_text(&mut app, "x/");
    assert!(app.text_view.is_some() && !screen(&app, (80, 24)).contains("Esc Clear"));
    type_text(&mut app, "fj");
    assert!(screen(&app, (80, 24)).contains("No matches"));
    press(&mut app, KeyCode::Backspace);
    app.update(Msg::Paste("s".to_owned()));
    assert!(screen(&app, (80, 24)).contains("Match 1 of "));
    press(&mut app, KeyCode::Enter);
    type_text(&mut app, "n");
    assert!(screen(&app, (80, 24)).contains("Match 1 of "));
    type_text(&mut app, "j");
    assert!(screen(&app, (80, 24)).contains("Match 2 of "));
}
