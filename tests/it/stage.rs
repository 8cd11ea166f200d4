//! `play` and `record` in a pseudo-terminal.

use std::fs;

use super::pty::Console;

const TAPE: &str = "#: size 80x24\n#: step \"Open a store\"\nWait+Screen /Frankfurt HSM/\nDown\nEnter\n\
                    Wait+Screen /General configuration/\n#: step \"Look at it\"\nPageDown\nScreenshot \"store.png\"\n";

fn play(home: &std::path::Path, options: &[&str]) -> Console {
    fs::write(home.join("demo.tape"), TAPE).unwrap();
    Console::run(&[&["play", "demo.tape"], options].concat(), home, (100, 31), &[])
}

#[test]
fn tape_is_played_with_its_captions_and_keys_and_hands_the_console_over_at_the_end() {
    let home = tempfile::tempdir().unwrap();
    let mut console = play(home.path(), &["--speed", "5"]);
    console.wait_for("Open a store");
    console.wait_for("Look at it");
    console.wait_for("Down  Enter");
    console.wait_for("The tape has ended, and the console is yours.");
    // Escape belongs to the console now.
    console.send("C");
    console.wait_for("Create external key store");
    console.send("\x1b");
    console.wait_until_gone("Create external key store");
    console.send("n");
    console.wait_for("Configure key");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
}

#[test]
fn any_key_takes_over_and_escape_gives_back() {
    let home = tempfile::tempdir().unwrap();
    let mut console = play(home.path(), &[]);
    console.wait_for("Open a store");
    console.send("C");
    console.wait_for("You have taken over.");
    console.wait_for("Create external key store");
    console.send("\x1b");
    console.wait_until_gone("You have taken over.");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
}

#[test]
fn space_pauses_and_continues() {
    let home = tempfile::tempdir().unwrap();
    let mut console = play(home.path(), &[]);
    console.wait_for("Open a store");
    console.send(" ");
    console.wait_for("Paused. Space continues");
    console.send(" ");
    console.wait_for("The tape has ended");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
}

#[test]
fn each_key_press_plays_one_key_of_the_tape() {
    let home = tempfile::tempdir().unwrap();
    let mut console = play(home.path(), &["--on-keypress"]);
    console.wait_for("Any key continues");
    console.send("x");
    console.wait_for("  Down ");
    assert!(!console.text().contains("General configuration"), "{}", console.text());
    console.send("x");
    console.wait_for("General configuration");
    console.send("x");
    console.wait_for("The tape has ended");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
}

#[test]
fn tape_pauses_before_each_step() {
    let home = tempfile::tempdir().unwrap();
    let mut console = play(home.path(), &["--step", "--speed", "10"]);
    console.wait_for("Open a store  (Space or Enter continues)");
    console.send(" ");
    console.wait_for("Look at it  (Space or Enter continues)");
    console.send("\r");
    console.wait_for("The tape has ended");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
}

#[test]
fn stage_hides_ids() {
    let home = tempfile::tempdir().unwrap();
    let mut console = play(home.path(), &["--stage", "--speed", "10"]);
    console.wait_for("The tape has ended");
    assert!(!console.text().contains("111122223333") && !console.text().contains("cks-"), "{}", console.text());
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
}

#[test]
fn recorded_tape_passes_as_a_test() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::run(&["record", "demo.tape"], home.path(), (100, 31), &[]);
    console.wait_for("F12 screenshot");
    console.wait_for("Frankfurt HSM");
    console.send("\x1b[B\r");
    console.wait_for("General configuration");
    console.send("\r");
    console.wait_for("Configure key");
    console.send("payments-2026\t \x0e");
    console.wait_for("Add alias and description");
    console.send("payments");
    console.send("\x1b[24~");
    console.wait_for("Screenshot 01-add-alias-and-description.png");
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
    let tape = fs::read_to_string(home.path().join("demo.tape")).unwrap();
    assert!(tape.contains("#: size 100x30\n") && !tape.contains("Sleep"), "{tape}");
    assert!(tape.contains("Wait+Screen /Add alias and description/\nType \"payments\"\nScreenshot"), "{tape}");
    for (options, exit_code) in [(["--accept"].as_slice(), 0), (&[], 0)] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_xks-console"));
        let output = command.arg("test").args(options).current_dir(home.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(exit_code), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn recorded_tape_has_no_secrets() {
    let home = tempfile::tempdir().unwrap();
    let mut console = Console::run(&["record", "demo.tape"], home.path(), (100, 31), &[]);
    console.wait_for("F12 screenshot");
    console.wait_for("Frankfurt HSM");
    console.send("C");
    console.wait_for("Create external key store");
    let secret = "ab12".repeat(11);
    console.send(&format!(
        "nile\t\x1b[200~{{\r\"XksProxyUriPath\": \"/nile/kms/xks/v1\", \"XksProxyAuthenticationCredential\": \
         {{\"AccessKeyId\": \"ABCDEFGHIJKLMNOPQRST\", \"RawSecretAccessKey\": \"{secret}\"}}}}\x1b[201~"
    ));
    console.wait_for("Paste");
    console.send("\t\t\t\t\thunter2");
    console.wait_for("•••••••\"");
    console.send("\x7f\x7f2\t");
    console.wait_for("Tab");
    assert!(!console.text().contains("hunter"), "{}", console.text());
    console.send("\x03");
    assert_eq!(console.wait_for_exit().0, 0);
    let tape = fs::read_to_string(home.path().join("demo.tape")).unwrap();
    assert!(!tape.contains(&secret) && !tape.contains("hunter") && !tape.contains("RawSecret"), "{tape}");
    assert!(
        tape.contains("Type \"nile\"\nTab\n#: paste \"${secret_1}\"\nTab 5\nCtrl+U\nType \"${secret_2}\"\nTab\n"),
        "{tape}"
    );
}

#[test]
fn recording_does_not_replace_a_tape_by_accident() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("demo.tape"), "Enter\n").unwrap();
    let mut console = Console::run(&["record", "demo.tape"], home.path(), (100, 31), &[]);
    console.wait_for("it exists already");
    assert_ne!(console.wait_for_exit().0, 0);
    assert_eq!(fs::read_to_string(home.path().join("demo.tape")).unwrap(), "Enter\n");
}
