//! Dialogs that change keys and key stores: files, the clipboard, and late responses.

use super::account::{account, block_on};
use super::snapshots::{play_from_start, play_tape};
use xks_console::flow::tape::ConsoleDriver as _;
use xks_console::tui::effect::{Call, Response};
use xks_console::tui::runtime::perform;

/// Opens the page of the key `customer-db`.
const OPEN_KEY: &str = "Wait+Screen /External key stores \\(4\\)/\nTab\nUp 2\nEnter\n\
    Wait+Screen /Customer managed keys \\(6\\)/\nDown 3\nEnter\nWait+Screen /General configuration/\n";

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
fn text_is_encrypted_and_decrypted() {
    let tape = OPEN_KEY.to_owned()
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
fn response_for_a_closed_form_does_not_close_another_form() {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
    use xks_console::tui::app::Dialog;
    use xks_console::tui::effect::{ChangeOutcome, Effect, Msg, Response};

    let player = play_from_start("left", &format!("{OPEN_KEY}Type \"m\"\nWait+Screen /Key actions/\nDown 3\nEnter\n"));
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
